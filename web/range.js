// The range of time: presets, steps, and whether it follows the newest record.
(function (ft) {
  "use strict";
  const PRESETS = [["3h", "3 h"], ["24h", "24 h"], ["7d", "7 d"], ["30d", "30 d"], ["1y", "1 y"], ["all", "all"]];

  ft.rangeBar = function () {
    const label = ft.el("span", { class: "span" });
    const presets = PRESETS.map(([range, text]) => ft.button(text, () => ft.state.set({ range, from: null, to: null }), { "data-range": range }));
    const shift = (share) => () => {
      const w = ft.state.window();
      const by = (w.to - w.from) * share;
      ft.state.zoom(w.from + by, w.to + by);
    };
    const scale = (factor) => () => {
      const w = ft.state.window();
      const middle = (w.from + w.to) / 2, half = ((w.to - w.from) / 2) * factor;
      ft.state.zoom(middle - half, middle + half);
    };
    const DAY = 86400e3;
    const local = (at) => Math.floor(ft.clock.local(at) / DAY);
    // Whole days in station time, both inclusive.
    const days = (first, last) => ft.state.set({ range: null, from: ft.clock.moment(first * DAY), to: ft.clock.moment((last + 1) * DAY) });
    const today = () => local(ft.live.now());
    const pick = ft.el("input", { type: "date", "aria-label": "go to a day", title: "go to a day", onchange: () => {
      const at = Date.parse(pick.value + "T00:00:00Z");
      if (Number.isFinite(at)) days(at / DAY, at / DAY);
    } });
    const robust = ft.button("P1–P99", () => ft.state.set({ robust: !ft.state.get().robust }, true), { title: "axes without the lowest and the highest hundredth of the values, which are marked at the edge" });
    const live = ft.button("", () => {
      const s = ft.state.get();
      if (s.from === null) {
        const w = ft.state.window();
        ft.state.set({ range: null, from: Math.round(w.from), to: Math.round(w.to) });
      } else {
        const span = s.to - s.from;
        const fits = [["3h", 3], ["24h", 24], ["7d", 168], ["30d", 720], ["1y", 8760]].find(([, hours]) => hours * 3600e3 >= span);
        ft.state.set({ range: fits ? fits[0] : "all", from: null, to: null });
      }
    }, { class: "live", title: "follow the newest record" });
    const node = ft.el("div", { class: "rangebar", role: "group", "aria-label": "range of time" },
      ft.el("div", { class: "group" }, presets),
      ft.el("div", { class: "group" },
        ft.button("‹", shift(-0.8), { "aria-label": "earlier" }), ft.button("−", scale(2), { "aria-label": "longer" }),
        ft.button("+", scale(0.5), { "aria-label": "shorter" }), ft.button("›", shift(0.8), { "aria-label": "later" })),
      ft.el("div", { class: "group" }, ft.source.report ? null : [
        ft.button("today", () => days(today(), today())), ft.button("yesterday", () => days(today() - 1, today() - 1)),
        // From a Monday to a Sunday; day 4 since 1970 was a Monday.
        ft.button("last week", () => {
          const monday = today() - ((((today() - 4) % 7) + 7) % 7) - 7;
          days(monday, monday + 6);
        })], pick),
      robust, ft.source.report ? null : live, label);

    return {
      node,
      update() {
        const s = ft.state.get();
        const w = ft.state.window();
        presets.forEach((button) => button.setAttribute("aria-pressed", String(s.from === null && button.dataset.range === s.range)));
        robust.setAttribute("aria-pressed", String(s.robust));
        const follows = s.from === null;
        live.setAttribute("aria-pressed", String(follows));
        ft.write(live, follows ? "● live" : "○ live");
        if (document.activeElement !== pick) pick.value = ft.clock.date(w.live ? w.to : w.from);
        ft.write(label, `${ft.clock.span(w.from, w.to)} (${ft.duration((w.to - w.from) / 1e3)})`);
      },
    };
  };
})(window.fluxtower = window.fluxtower || {});
