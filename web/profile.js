// Values over height or depth: one line for each of four times, the chosen one the most visible. The slider chooses it within the
// range of time, or within the last week of a longer one.
(function (ft) {
  "use strict";
  const HOURS = [0, 6, 12, 24];
  const HOUR = 3600e3;
  const MOST = 7 * 24 * HOUR;

  ft.profile = function (panel) {
    return ft.frame(panel, (frame) => {
      let lines = [];
      const levels = panel.series.filter((s) => s.level);
      const inks = ["accent", "ink", "dim", "missing"];

      let last = null;
      // The chosen time; null follows the end of the range.
      let chosen = null;
      const slider = ft.el("input", { type: "range", min: 0, max: 1000, value: 1000, step: 1, "aria-label": `time of ${panel.title}`, oninput: () => {
        const [from, to] = span(last.w);
        chosen = Number(slider.value) === 1000 ? null : from + (Number(slider.value) / 1000) * (to - from);
        draw(last.got, last.w);
      } });
      frame.legend.before(slider);
      const span = (w) => [Math.max(w.from, w.to - MOST), w.to];

      const plot = ft.plot(frame.body, {
        height: 280, time: false, unit: "m", xUnit: panel.axis.unit, label: panel.title,
        draw(u, ctx) {
          lines.slice().reverse().forEach((line) => {
            const ink = ft.ink(inks[line.rank]);
            ctx.strokeStyle = ctx.fillStyle = ink;
            ctx.lineWidth = (line.rank ? 1.3 : 2.2) * ft.draw.ratio();
            ctx.setLineDash(ft.draw.dash(line.rank));
            ctx.beginPath();
            for (const p of line.points) ctx.lineTo(u.valToPos(p.value, "x", true), u.valToPos(p.metres, "y", true));
            ctx.stroke();
            ctx.setLineDash([]);
            for (const p of line.points) {
              const x = u.valToPos(p.value, "x", true), y = u.valToPos(p.metres, "y", true);
              if (p.digit === "3") {
                ctx.save();
                ctx.fillStyle = ft.ink("suspect");
                ctx.strokeStyle = ft.ink("surface");
                ft.shape.suspect(ctx, x, y, 4.5 * ft.draw.ratio());
                ctx.restore();
              } else ft.shape.good(ctx, x, y, (line.rank ? 2 : 3) * ft.draw.ratio());
            }
          });
        },
      });

      return {
        plot,
        // The day before the range is requested as well.
        window: (w) => ({ from: span(w)[0] - 25 * HOUR, to: w.to }),
        points: () => 1200,
        stretch() {},
        show(got, w) {
          last = { got, w };
          draw(got, w);
        },
        destroy: () => plot.destroy(),
      };

      function draw(got, w) {
        const [from, to] = span(w);
        if (chosen !== null && (chosen < from || chosen > to)) chosen = null;
        const end = chosen === null ? to : chosen;
        slider.value = String(Math.round(((end - from) / (to - from)) * 1000));
        slider.setAttribute("aria-valuetext", ft.clock.full(Math.round(end / 1e3) * 1e3));
        const reach = Math.max(900e3, 1.5 * Math.max(...got.map((g) => g.trace.step || 0)));
        lines = HOURS.map((hours, rank) => {
          const at = Math.round((end - hours * HOUR) / 1e3) * 1e3;
          const points = [];
          for (const { series, trace, c } of got) {
            if (!c || !series.level) continue;
            // Heights are sampled in turn: the value nearest in time is used for each.
            let best = null;
            trace.x.forEach((x, i) => {
              const far = Math.abs(x - at);
              if (far <= reach && c.value[i] !== null && c.value[i] !== undefined && (!best || far < best.far)) best = { far, value: c.value[i], digit: c.flags[i], metres: series.level.metres, label: series.level.label };
            });
            if (best) points.push(best);
          }
          points.sort((a, b) => a.metres - b.metres);
          return { rank, at, hours, points };
        }).filter((line) => line.points.length);
        const all = lines.flatMap((line) => line.points);
        const xs = all.map((p) => p.value), ys = levels.map((s) => s.level.metres);
        plot.show(...ft.scale.fit(Math.min(...xs), Math.max(...xs), panel.axis.bounds));
        plot.values(ft.scale.fit(Math.min(...ys), Math.max(...ys)));
        ft.fill(frame.legend, lines.map((line) => ft.el("span", { class: "entry" },
          ft.el("span", { class: "stroke", style: { borderTopColor: ft.ink(inks[line.rank]), borderTopStyle: ["solid", "dashed", "dotted", "dotted"][line.rank] } }),
          ft.el("span", { text: (line.hours ? `\u2212${line.hours} h, ` : "") + ft.clock.full(line.at) }))));
        ft.profile.shown = lines;
      }
    });
  };
})(window.fluxtower = window.fluxtower || {});
