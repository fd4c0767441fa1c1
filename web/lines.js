// Values over time: the mean as a line, minimum and maximum as a band, sums as bars, directions as points, flags as marks, gaps
// open. How a column is drawn is in the answer (`drawing`).
(function (ft) {
  "use strict";

  // o: {height, limits (draw the sensor's own limits), compact}
  ft.lines = function (panel, o) {
    o = o || {};
    return ft.frame(panel, (frame) => {
      let got = [];
      // Positions with a good value beyond the axis.
      let outside = 0;
      const right = panel.series.some((s) => s.is_right) ? (panel.right || {}).unit || "" : undefined;
      const hover = ft.hover(frame.body.parentNode);
      const scaleOf = (s) => (s.is_right ? "r" : "y");
      const inSight = () => got.filter((one) => !ft.legend.hidden(panel, one.series));

      function under(u, ctx) {
        const sight = inSight();
        const traces = [...new Set(sight.map((one) => one.trace))];
        if (traces.length) {
          const [first, ...others] = traces;
          // Hatched over the whole height only if every table of the panel lacks records.
          const common = others.reduce((holes, trace) => cross(holes, trace.holes), first.holes);
          ft.draw.holes(u, ctx, common, false);
          if (others.length) traces.forEach((trace) => ft.draw.holes(u, ctx, trace.holes, true));
        }
        const expected = sight.filter(({ c }) => c && c.expected);
        for (const { series, trace, c } of expected) {
          // A band of directions that includes north continues at the other end.
          for (const turn of c.kind === "direction" ? [-360, 0] : [0]) {
            const turned = (list) => (turn ? list.map((v) => (v === null ? null : v + turn)) : list);
            ft.draw.band(u, ctx, scaleOf(series), trace, turned(c.expected.low), turned(c.expected.high), ft.ink("expected"), expected.length > 1 ? 0.15 : 0.35);
          }
        }
        if (o.limits && sight.length === 1 && sight[0].meta) {
          for (const kind of ["suspect", "fail"]) (sight[0].meta[kind] || []).forEach((v) => ft.draw.level(u, ctx, "y", v, kind));
        }
      }

      function draw(u, ctx) {
        const sight = inSight();
        const alpha = sight.length > 6 ? 0.1 : 0.2;
        for (const { series, trace, c } of sight) if (c && c.low && c.drawing === "line") ft.draw.band(u, ctx, scaleOf(series), trace, c.low, c.high, series.colour, alpha);
        const bars = sight.filter((one) => ft.hasBars([one]));
        bars.forEach(({ series, trace, c }, at) => ft.draw.bars(u, ctx, scaleOf(series), trace, c.value, series.colour, at, bars.length));
        for (const { series, trace, c } of sight) {
          if (!c || c.drawing === "bars") continue;
          if (c.drawing === "points") ft.draw.points(u, ctx, scaleOf(series), trace, c.value, series.colour, series.dash, c.kind === "direction");
          else ft.draw.line(u, ctx, scaleOf(series), trace, c.value, series.colour, series.dash, o.compact ? 1.2 : 1.6);
        }
        sight.forEach((one, row) => {
          if (row < 5) ft.draw.rug(u, ctx, one, row);
        });
        for (const one of sight) if (one.c) ft.draw.beyond(u, ctx, scaleOf(one.series), one.trace, one.c, one.series.colour);
        for (const one of sight) ft.draw.marks(u, ctx, scaleOf(one.series), one);
      }

      function ranges() {
        const [from, to] = plot.range();
        const own = ft.state.values(panel.id);
        const { robust } = ft.state.get();
        const of = (isRight, axis) => {
          if (own) return isRight ? own.slice(2) : own.slice(0, 2);
          const its = inSight().filter((one) => Boolean(one.series.is_right) === isRight);
          const bounds = robust && !isCompass ? null : axis && axis.bounds;
          return ft.scale.fit(...ft.extent(its, from, to, robust), bounds, ft.hasBars(its));
        };
        const [left, right] = [of(false, panel.axis), of(true, panel.right)];
        plot.values(left, right);
        outside = 0;
        for (const { series, trace, c } of inSight()) if (c) ft.draw.outliers(trace, c, ...(series.is_right ? right : left), (i) => (outside += trace.x[i] >= from && trace.x[i] <= to));
      }

      function key(event, u) {
        const [from, to] = plot.range();
        const span = to - from;
        const at = u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null;
        const move = (by) => ft.state.zoom(from + by, to + by);
        const zoom = (factor) => {
          const centre = at === null ? (from + to) / 2 : at;
          ft.state.zoom(centre - (centre - from) * factor, centre + (to - centre) * factor);
        };
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (step) return place(u, stepped(at, step * (event.shiftKey ? 10 : 1)));
        if (event.key === "Home" || event.key === "End") return place(u, stepped(event.key === "Home" ? from : to, 0));
        if (event.key === "+" || event.key === "=") return zoom(0.5), true;
        if (event.key === "-") return zoom(2), true;
        if (event.key === "PageUp") return move(-span * 0.8), true;
        if (event.key === "PageDown") return move(span * 0.8), true;
        if (event.key === "ArrowUp" || event.key === "ArrowDown") {
          const factor = event.key === "ArrowUp" ? 0.8 : 1.25;
          zoomValues(["y", "r"].flatMap((name) => {
            const { min, max } = u.scales[name];
            const half = ((max - min) / 2) * factor;
            return [(min + max) / 2 - half, (min + max) / 2 + half];
          }), null);
          return true;
        }
        if (event.key === "Escape") return ft.state.back(), true;
        // The first press marks a time, the second one marks the interval from it.
        if (event.key === "m" && at !== null) {
          const { mark } = ft.state.get();
          const here = Math.round(at);
          ft.state.set({ mark: mark && mark.from === mark.to ? { from: Math.min(mark.from, here), to: Math.max(mark.to, here) } : { from: here, to: here } }, true);
          return true;
        }
        return false;
      }

      // The time this number of records later, over all visible series.
      function stepped(at, by) {
        const [from, to] = plot.range();
        const times = [...new Set(inSight().flatMap((one) => one.trace.x))].filter((t) => t >= from && t <= to).sort((a, b) => a - b);
        if (!times.length) return null;
        if (at === null) return by < 0 ? times[times.length - 1] : times[0];
        return times[Math.min(times.length - 1, Math.max(0, ft.nearest(times, at) + by))];
      }

      function place(u, at) {
        if (at === null) return true;
        u.setCursor({ left: u.valToPos(at, "x"), top: 10 });
        hover.show(u, at, inSight());
        ft.say(hover.text(at, inSight()));
        return true;
      }

      const zoomValues = (values, time) => ft.state.zoomValues(panel.id, values, time);

      // Directions have north at both ends of their axis.
      const left = panel.series.filter((s) => !s.is_right);
      const isCompass = left.length > 0 && left.every((s) => (ft.column(s.table, s.column) || {}).kind === "direction");
      const plot = ft.plot(frame.body, {
        height: o.height || 280, time: true, label: panel.title, unit: panel.axis && panel.axis.unit, right,
        yAxis: isCompass ? { splits: () => [0, 90, 180, 270, 360], values: () => ["0 N", "90 E", "180 S", "270 W", "360 N"] } : undefined,
        under, draw, key,
        select: (from, to) => ft.state.zoom(from, to),
        selectValues: isCompass ? undefined : zoomValues,
        cursor: (u, at, own) => (own && at !== null && got.length ? hover.show(u, at, inSight()) : hover.hide()),
      });

      return {
        plot,
        points: () => ft.pointsOf(frame.body),
        stretch: (w) => plot.show(w.from, w.to),
        show(next, w) {
          got = next;
          plot.show(w.from, w.to);
          ranges();
          const shown = share(inSight());
          const beyond = outside ? `${ft.count(outside, got.some(({ trace }) => trace.bin_s) ? "position" : "value")} beyond the axis ▲▼` : "";
          if (!o.compact) ft.legend.draw(frame.legend, panel, got, () => frame.again(), [how(got), shown, beyond].filter(Boolean).join("; "));
        },
        destroy: () => plot.destroy(),
      };
    });
  };

  // How the values of a bin are aggregated, if "mean" would be wrong: "sum of 30 min".
  function how(got) {
    const texts = got.map(({ trace, c }) => {
      if (!c || c.together === "mean") return null;
      if (trace.bin_s) return `${c.together} of ${ft.duration(trace.bin_s)}`;
      return c.together === "increment" ? "increment since the row before" : null;
    });
    return [...new Set(texts.filter(Boolean))].join(", ");
  }

  // The share of values that are drawn: those that are neither failed nor missing.
  function share(got) {
    let all = 0, lost = 0;
    for (const { trace, c } of got) {
      if (!c) continue;
      trace.x.forEach((_x, i) => (all += c.flags[i] === " " ? 0 : trace.rows ? trace.rows[i] : 1));
      for (const entry of c.fail) lost += entry[3];
      for (const entry of c.missing) lost += entry[1];
    }
    return all ? `${ft.percent((all - lost) / all)} of the values shown` : "";
  }

  // The intersection of two lists of [from, to].
  function cross(some, others) {
    const out = [];
    for (const [a, b] of some) {
      for (const [c, d] of others) if (Math.max(a, c) < Math.min(b, d)) out.push([Math.max(a, c), Math.min(b, d)]);
    }
    return out;
  }
})(window.fluxtower = window.fluxtower || {});
