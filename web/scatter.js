// One column against another: columns that agree lie on the 1:1 line; the fit gives the deviation.
(function (ft) {
  "use strict";

  // Values of two answers at the same times. Answers with unequal bins are converted to the coarser one first.
  function pairs(x, y) {
    if (!x.c || !y.c) return [];
    const flags = (one, i) => one.c.flags[i];
    const at = new Map(y.trace.times.map((time, i) => [time, i]));
    const out = [];
    x.trace.times.forEach((time, i) => {
      const j = at.get(time);
      if (j === undefined) return;
      const of = (one, k) => {
        const value = one.c.value[k];
        if (value !== null && value !== undefined) return value;
        const failed = one.c.at.fail.get(k);
        return failed ? failed[1] : null;
      };
      const a = of(x, i);
      let b = of(y, j);
      if (a === null || b === null) return;
      // Of two directions the one lies beside the other: 1 beside 359 is 361.
      if (x.c.kind === "direction" && y.c.kind === "direction") b = a + ((b - a + 540) % 360) - 180;
      const lost = x.c.value[i] === null || y.c.value[j] === null;
      const suspect = x.c.at.suspect.has(i) || y.c.at.suspect.has(j);
      out.push({ time, x: a, y: b, i, j, digit: lost ? "4" : suspect ? "3" : ft.worst(flags(x, i), flags(y, j)) === "2" ? "2" : "1" });
    });
    return out;
  }

  // Least squares of y on x. null where no fit is possible.
  ft.fit = function (good) {
    const n = good.length;
    if (n < 3) return null;
    const mean = (of) => good.reduce((sum, p) => sum + of(p), 0) / n;
    const mx = mean((p) => p.x), my = mean((p) => p.y);
    let xx = 0, xy = 0, yy = 0;
    for (const p of good) {
      xx += (p.x - mx) ** 2;
      xy += (p.x - mx) * (p.y - my);
      yy += (p.y - my) ** 2;
    }
    if (xx === 0) return null;
    const slope = xy / xx;
    return { n, slope, offset: my - slope * mx, r2: yy === 0 ? null : xy * xy / (xx * yy) };
  };

  // r² is rounded down: only what lies on a line is 1.
  ft.fit.text = (line) => (line ? `slope ${ft.number(line.slope)}, offset ${ft.number(line.offset)}, r² ${line.r2 === null ? "–" : (Math.floor(line.r2 * 1e4 + 1e-9) / 1e4).toFixed(4)}` : "too few pairs for a fit");

  ft.scatter = function (panel) {
    return ft.frame(panel, (frame) => {
      const [sx, sy] = panel.series;
      const ux = panel.right ? panel.right.unit : "", uy = panel.axis.unit;
      const agree = ux === uy || !panel.right;
      let points = [];
      let line = null;
      let got = [];
      const hover = ft.el("div", { class: "tip", hidden: true });
      const rest = ft.el("div", { class: "plot residuals" });
      frame.body.after(rest, hover);
      frame.body.parentNode.classList.add("pair");

      function dots(u, ctx, of) {
        const r = 2.2 * ft.draw.ratio();
        const { left, top, width, height } = u.bbox;
        for (const digit of ["1", "2", "3", "4"]) {
          const flag = ft.flag(digit);
          ctx.fillStyle = digit === "1" || digit === "2" ? sy.colour : ft.ink(flag.ink);
          ctx.strokeStyle = digit === "4" ? ft.ink("fail") : ft.ink("surface");
          ctx.lineWidth = (digit === "4" ? 1.5 : 0.5) * ft.draw.ratio();
          ctx.globalAlpha = digit === "1" || digit === "2" ? 0.55 : 1;
          for (const p of points) {
            if (p.digit !== digit) continue;
            const [vx, vy] = of(p);
            if (vy === null) continue;
            // A failed value does not stretch the axes; it is drawn at their edge.
            const x = Math.min(Math.max(u.valToPos(vx, "x", true), left + 2 * r), left + width - 2 * r);
            const y = Math.min(Math.max(u.valToPos(vy, "y", true), top + 2 * r), top + height - 2 * r);
            if (digit === "4") ft.shape.fail(ctx, x, y, 1.5 * r);
            else if (digit === "3") ft.shape.suspect(ctx, x, y, 1.7 * r);
            else ft.shape.good(ctx, x, y, r);
          }
        }
        ctx.globalAlpha = 1;
      }

      function stroke(u, ctx, slope, offset, ink, dash) {
        const [from, to] = plot.range();
        ctx.strokeStyle = ft.ink(ink);
        ctx.lineWidth = 1.5 * ft.draw.ratio();
        ctx.setLineDash(ft.draw.dash(dash));
        ctx.beginPath();
        for (const x of [from, to]) ctx.lineTo(u.valToPos(x, "x", true), u.valToPos(offset + slope * x, "y", true));
        ctx.stroke();
        ctx.setLineDash([]);
      }

      const plot = ft.plot(frame.body, {
        height: 280, time: false, unit: `${sy.label}${uy ? ", " + uy : ""}`, xUnit: `${sx.label}${ux || agree ? ", " + (panel.right ? ux : uy) : ""}`, label: panel.title,
        draw(u, ctx) {
          if (agree) stroke(u, ctx, 1, 0, "dim", 2);
          dots(u, ctx, (p) => [p.x, p.y]);
          if (line) stroke(u, ctx, line.slope, line.offset, "accent", 0);
        },
        cursor(u, at, own) {
          const { left, top } = u.cursor;
          let best = null;
          if (own && at !== null) for (const p of points) {
            const d = Math.hypot(u.valToPos(p.x, "x") - left, u.valToPos(p.y, "y") - top);
            if (d < 14 && (!best || d < best.d)) best = { d, p };
          }
          hover.hidden = !best;
          if (!best) return;
          const { p } = best;
          const flag = ft.flag(p.digit);
          const notes = [ft.reading(got[0], p.i), ft.reading(got[1], p.j)].flatMap((r) => r.notes.map((n) => ft.el("span", { class: "note", text: `${r.label}: ${n.test ? n.test + ": " : ""}${n.text}` })));
          ft.fill(hover, ft.el("time", { text: ft.clock.full(p.time) }),
            ft.el("p", { text: `${sx.label} ${ft.withUnit(p.x, panel.right ? ux : uy)}` }), ft.el("p", { text: `${sy.label} ${ft.withUnit(p.y, uy)}` }),
            ft.el("span", { class: `sign ${flag.ink}`, text: `${flag.sign} ${flag.word}` }), notes);
          hover.style.left = Math.max(0, Math.min(left + 20, frame.body.clientWidth - hover.offsetWidth - 4)) + "px";
          hover.style.top = "6px";
        },
      });
      const residual = ft.plot(rest, {
        height: 280, time: true, unit: "residual of the fit" + (uy ? ", " + uy : ""), label: `${panel.title}: residuals over time`,
        draw(u, ctx) {
          ft.draw.level(u, ctx, "y", 0, "dim");
          if (line) dots(u, ctx, (p) => [p.time, p.y - line.offset - line.slope * p.x]);
        },
        select: (from, to) => ft.state.zoom(from, to),
      });

      function range(of) {
        let low = Infinity, high = -Infinity;
        for (const p of points) {
          if (p.digit === "4") continue;
          low = Math.min(low, of(p));
          high = Math.max(high, of(p));
        }
        return [low, high];
      }

      return {
        plot,
        points: () => 1200,
        stretch: (w) => residual.show(w.from, w.to),
        show(next, w) {
          const [x, y] = next;
          const bin = Math.max(x.trace.bin_s || 0, y.trace.bin_s || 0);
          const even = (one) => {
            if (!bin || (one.trace.bin_s || 0) === bin) return one;
            const trace = ft.rebin.bin(one.trace, bin);
            const c = trace.columns.find((col) => col.name === one.series.column);
            for (const kind of ["suspect", "fail", "missing"]) c.at = Object.assign(c.at || { findings: new Map() }, { [kind]: new Map(c[kind].map((e) => [e[0], e])) });
            return Object.assign({}, one, { trace, c });
          };
          got = [even(x), even(y)];
          points = pairs(...got);
          line = ft.fit(points.filter((p) => p.digit !== "4"));
          let rx = range((p) => p.x), ry = range((p) => p.y);
          // Equal units need equal axes, or the 1:1 line has the wrong slope.
          if (agree && rx[0] <= rx[1]) rx = ry = [Math.min(rx[0], ry[0]), Math.max(rx[1], ry[1])];
          rx = ft.scale.fit(...rx, panel.right && panel.right.bounds);
          plot.show(rx[0], rx[1]);
          plot.values(ft.scale.fit(...ry, panel.axis.bounds));
          residual.show(w.from, w.to);
          residual.values(ft.scale.fit(...(line ? range((p) => p.y - line.offset - line.slope * p.x) : [1, 0])));
          const lost = points.filter((p) => p.digit === "4").length;
          ft.fill(frame.legend, ft.el("span", { class: "fit", text: ft.fit.text(line) + (line ? `, n ${ft.grouped(line.n)}` : "") }), lost ? ft.el("span", { class: "dim", text: `${ft.count(lost, "failed pair")} left out` }) : null,
            agree ? ft.el("span", { class: "dim", text: "dotted: 1:1" }) : null,
            bin ? ft.el("span", { class: "dim", text: `means of ${ft.duration(bin)}` }) : null);
        },
        destroy() {
          plot.destroy();
          residual.destroy();
        },
      };
    });
  };
})(window.fluxtower = window.fluxtower || {});
