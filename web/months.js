// The usual day for each month: the medians of the month's half hours. It shows a missing season, or a sensor that was
// exchanged.
(function (ft) {
  "use strict";
  // Fewer days than this do not show a usual day.
  const LEAST = 5;
  // Neighbouring months differ in colour, and in their dashes for users who cannot see the colours.
  const INKS = ["#1f4fa3", "#3a9bdc", "#138a72", "#6aa51e", "#b8a100", "#e39a00", "#e0601a", "#c2281f", "#d1478f", "#8d3aa8", "#5a4fd0", "#5b6770"];
  const DASHES = [{ line: [], style: "solid" }, { line: [7, 3], style: "dashed" }, { line: [2, 3], style: "dotted" }];

  ft.monthsPicture = function () {
    let months = [];
    let amount = ft.number;
    const picture = ft.picture("months", "The usual day, month by month", 240, (ctx, width, height) => {
      if (!months.length) return;
      const all = months.flatMap((one) => one.middle.filter((value) => value !== null));
      const [low, high] = ft.scale.fit(Math.min(...all), Math.max(...all), null, false);
      const Y = ft.picture.values(ctx, width, height, low, high);
      const X = ft.picture.hours(ctx, width, height);
      months.forEach((one, at) => {
        ctx.strokeStyle = INKS[one.month % 12];
        ctx.lineWidth = 1.8;
        ctx.setLineDash(DASHES[at % 3].line);
        for (const run of ft.picture.runs(one.middle, (value) => value !== null)) {
          ctx.beginPath();
          run.forEach((slot) => ctx.lineTo(X(slot), Y(one.middle[slot])));
          ctx.stroke();
        }
      });
      ctx.setLineDash([]);
      ctx.lineWidth = 1;
    }, (x) => {
      const slot = ft.picture.slotAt(x, picture.canvas.clientWidth);
      if (slot < 0 || slot >= ft.picture.SLOTS || !months.length) return null;
      return [ft.picture.clockOf(slot), ...months.map((one) => `${one.name}: ${one.middle[slot] === null ? "no value" : amount(one.middle[slot])}`)];
    });
    const legend = ft.el("p", { class: "dim" });
    picture.node.append(legend);

    return Object.assign(picture, {
      show(p, part) {
        const by = new Map();
        for (const { day, values } of p.days) {
          const name = ft.picture.dayName(day).slice(0, 7);
          if (!by.has(name)) by.set(name, { name, month: Number(name.slice(5)) - 1, days: 0, slots: Array.from({ length: ft.picture.SLOTS }, () => []) });
          const one = by.get(name);
          if (values.some((value) => value !== null)) one.days += 1;
          values.forEach((value, slot) => value !== null && one.slots[slot].push(value));
        }
        // The newest two years, oldest first.
        months = [...by.values()].filter((one) => one.days >= LEAST).slice(-24)
          .map((one) => ({ name: one.name, month: one.month, days: one.days, middle: one.slots.map((list) => ft.quantile(list.sort((a, b) => a - b), 0.5)) }));
        amount = p.amount;
        picture.node.hidden = p.isCircle || months.length < 2;
        ft.write(picture.note, `Medians of the days of each month with ${LEAST} days of values or more.${part}`);
        ft.fill(legend, months.map((one, at) => ft.el("span", { class: "share" }, ft.el("span", { class: "stroke", style: { borderTopColor: INKS[one.month], borderTopStyle: DASHES[at % 3].style } }), ` ${one.name} `)));
        return months;
      },
    });
  };
})(window.fluxtower = window.fluxtower || {});
