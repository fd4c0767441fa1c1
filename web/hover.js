// The values under the cursor as text: beside the pointer, and in a live region for screen readers.
(function (ft) {
  "use strict";

  // stage: the element that the tip floats in.
  ft.hover = function (stage) {
    const tip = ft.el("div", { class: "tip", hidden: true });
    stage.append(tip);
    const MOST = 14;

    function row(reading, series) {
      const flag = reading.flag;
      return ft.el("li", {},
        ft.el("span", { class: "stroke", style: { borderTopColor: series.colour, borderTopStyle: ["solid", "dashed", "dotted", "dotted"][series.dash || 0] } }),
        ft.el("span", { class: "name", text: reading.label }),
        ft.el("b", { text: reading.value }),
        flag ? ft.el("span", { class: `sign ${flag.ink}`, text: `${flag.sign} ${flag.word}` }) : null,
        reading.more ? ft.el("span", { class: "more", text: reading.more }) : null,
        reading.notes.map((note) => ft.el("span", { class: "note", text: (note.test ? note.test + ": " : "") + note.text })));
    }

    return {
      // u: the plot; at: the time under the cursor; got: series in sight.
      show(u, at, got) {
        const rows = [];
        let nearest = null;
        for (const one of got) {
          const i = ft.nearest(one.trace.x, at);
          if (i < 0 || Math.abs(one.trace.x[i] - at) > Math.max(one.trace.step * 1.01, 0)) continue;
          const distance = Math.abs(one.trace.x[i] - at);
          if (!nearest || distance < nearest.distance) nearest = { distance, at: one.trace.times[i], bin_s: one.trace.bin_s };
          rows.push({ reading: ft.reading(one, i), series: one.series });
        }
        if (!rows.length) {
          const hole = got.some(({ trace }) => trace.holes.some(([from, to]) => at > from && at < to));
          ft.fill(tip, ft.el("time", { text: ft.clock.full(Math.round(at / 1e3) * 1e3) }), ft.el("p", { text: hole ? "no record" : "no row here" }));
        } else {
          const when = ft.clock.full(nearest.at) + (nearest.bin_s ? `, ${ft.duration(nearest.bin_s)} from there` : "");
          const first = (r) => -(r.reading.flag ? r.reading.flag.rank : 0);
          const few = rows.length > MOST ? rows.slice().sort((a, b) => first(a) - first(b)).slice(0, MOST) : rows;
          ft.fill(tip, ft.el("time", { text: when }), ft.el("ul", {}, few.map((r) => row(r.reading, r.series))),
            rows.length > few.length ? ft.el("p", { text: `and ${rows.length - few.length} more` }) : null);
        }
        tip.hidden = false;
        const x = u.valToPos(at, "x") + u.bbox.left / ft.draw.ratio();
        const room = stage.clientWidth - tip.offsetWidth - 4;
        tip.style.left = Math.max(0, x + 14 <= room ? x + 14 : Math.min(room, x - tip.offsetWidth - 14)) + "px";
        tip.style.top = "6px";
      },
      hide() {
        tip.hidden = true;
      },
      // The same text in one line.
      text(at, got) {
        const parts = [];
        for (const one of got) {
          const i = ft.nearest(one.trace.x, at);
          if (i < 0 || Math.abs(one.trace.x[i] - at) > one.trace.step * 1.01) continue;
          const r = ft.reading(one, i);
          parts.push(`${r.label} ${r.value}, ${r.flag ? r.flag.word : "no flag"}` + r.notes.map((n) => `, ${n.test ? n.test + ": " : ""}${n.text}`).join(""));
        }
        return `${ft.clock.full(at)}: ${parts.length ? parts.join("; ") : "no row"}`;
      },
    };
  };
})(window.fluxtower = window.fluxtower || {});
