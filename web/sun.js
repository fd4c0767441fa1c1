// Nights, from sunset to sunrise, if the configuration gives the station's position. The server computes them.
(function (ft) {
  "use strict";
  const DAY = 86400e3;
  // The nights of a longer time are requested by the view that shows them; in a plot they would be narrower than a
  // line.
  const SHADED = 60 * DAY;
  let known = { from: 0, to: 0, nights: [] };

  ft.sun = {
    // Every night of a period; it may be null.
    async of(w, signal) {
      const from = Math.floor(w.from / DAY) * DAY, to = Math.ceil(w.to / DAY) * DAY;
      return (await ft.source.sun({ from, to }, { signal })).nights;
    },
    // For the shading of plots. Whole days are requested, so that a live range asks once a day.
    async load(w, signal) {
      if (w.to - w.from > SHADED || (known.from <= w.from && known.to >= w.to)) return;
      const nights = await ft.sun.of(w, signal).catch((error) => {
        if (ft.isAbort(error)) throw error;
        return null; // the plots are right without it
      });
      known = { from: Math.floor(w.from / DAY) * DAY, to: Math.ceil(w.to / DAY) * DAY, nights: nights || [] };
    },
    between: (from, to) => (to - from > SHADED ? [] : known.nights.filter(([sunset, sunrise]) => sunset < to && sunrise > from)),
  };
})(window.fluxtower = window.fluxtower || {});
