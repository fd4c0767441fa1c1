// Draws on a plot's canvas, in device pixels. Gaps stay open, and marks keep a distance.
(function (ft) {
  "use strict";
  const DASHES = [[], [7, 3], [3, 3], [1, 3]];
  let hatches = {};

  const ratio = () => uPlot.pxRatio || 1;

  function hatch(ctx, ink) {
    const colour = ft.ink(ink);
    if (hatches[ink] && hatches[ink].colour === colour) return hatches[ink].pattern;
    const size = 8 * ratio();
    const tile = document.createElement("canvas");
    tile.width = tile.height = size;
    const t = tile.getContext("2d");
    t.strokeStyle = colour;
    t.lineWidth = ratio();
    t.beginPath();
    for (const shift of [-size, 0, size]) {
      t.moveTo(shift, size);
      t.lineTo(shift + size, 0);
    }
    t.stroke();
    hatches[ink] = { colour, pattern: ctx.createPattern(tile, "repeat") };
    return hatches[ink].pattern;
  }

  const X = (u, v) => u.valToPos(v, "x", true);

  ft.draw = {
    ratio, hatch,
    dash: (n) => (DASHES[n] || []).map((d) => d * ratio()),

    // Marks missing records: over the whole height, or along the bottom if only some tables lack them.
    holes(u, ctx, holes, foot) {
      ctx.fillStyle = hatch(ctx, "hatch");
      for (const [from, to] of holes) {
        const a = X(u, from), b = X(u, to);
        const height = foot ? 6 * ratio() : u.bbox.height;
        ctx.fillRect(a, u.bbox.top + u.bbox.height - height, Math.max(b - a, 1), height);
      }
    },

    // One path per run of values: a run ends at a null and wherever a record is missing.
    runs(trace, ys, each) {
      let run = [];
      const most = 2 * trace.step || Infinity;
      for (let i = 0; i < trace.x.length; i++) {
        const broken = run.length && trace.x[i] - trace.x[run[run.length - 1]] > most;
        if (ys[i] === null || ys[i] === undefined || broken) {
          if (run.length) each(run);
          run = [];
        }
        if (ys[i] !== null && ys[i] !== undefined) run.push(i);
      }
      if (run.length) each(run);
    },

    line(u, ctx, scale, trace, ys, colour, dash, width) {
      ctx.strokeStyle = ctx.fillStyle = colour;
      ctx.lineWidth = (width || 1.5) * ratio();
      ctx.lineJoin = "round";
      ctx.setLineDash(ft.draw.dash(dash));
      ft.draw.runs(trace, ys, (run) => {
        if (run.length === 1) {
          // A single value between gaps has no line, so it is drawn as a point.
          const i = run[0];
          ft.shape.good(ctx, X(u, trace.x[i]), u.valToPos(ys[i], scale, true), 1.6 * ratio());
          return;
        }
        ctx.beginPath();
        for (const i of run) ctx.lineTo(X(u, trace.x[i]), u.valToPos(ys[i], scale, true));
        ctx.stroke();
      });
      ctx.setLineDash([]);
    },

    // Points without a line between them. isCircle: 0 is also drawn at 360, so that north is at both ends.
    points(u, ctx, scale, trace, ys, colour, dash, isCircle) {
      ctx.strokeStyle = ctx.fillStyle = colour;
      ctx.lineWidth = ratio();
      const r = 1.8 * ratio();
      const dot = (x, y) => {
        ctx.beginPath();
        ctx.arc(x, y, r, 0, 2 * Math.PI);
        // A second series with the same colour is hollow.
        if (dash) ctx.stroke();
        else ctx.fill();
      };
      for (let i = 0; i < trace.x.length; i++) {
        if (ys[i] === null || ys[i] === undefined) continue;
        const x = X(u, trace.x[i]);
        if (x < u.bbox.left - r || x > u.bbox.left + u.bbox.width + r) continue;
        dot(x, u.valToPos(ys[i], scale, true));
        if (isCircle && ys[i] === 0) dot(x, u.valToPos(360, scale, true));
        if (isCircle && ys[i] === 360) dot(x, u.valToPos(0, scale, true));
      }
    },

    // Bars from 0, `of` of them beside each other in a bin.
    bars(u, ctx, scale, trace, ys, colour, at, of) {
      ctx.fillStyle = colour;
      ctx.globalAlpha = 0.85;
      const half = (trace.bin_s ? trace.bin_s * 1e3 : trace.step || 0) / 2;
      const foot = u.valToPos(0, scale, true);
      for (let i = 0; i < trace.x.length; i++) {
        if (!ys[i]) continue;
        const a = X(u, trace.x[i] - half), b = X(u, trace.x[i] + half);
        const width = (b - a) / of;
        const y = u.valToPos(ys[i], scale, true);
        const gap = width > 4 * ratio() ? ratio() : 0;
        ctx.fillRect(a + at * width, Math.min(y, foot), Math.max(width - gap, ratio()), Math.max(Math.abs(foot - y), ratio()));
      }
      ctx.globalAlpha = 1;
    },

    band(u, ctx, scale, trace, low, high, colour, alpha) {
      ctx.fillStyle = colour;
      ctx.globalAlpha = alpha;
      ft.draw.runs(trace, low, (run) => {
        ctx.beginPath();
        for (const i of run) ctx.lineTo(X(u, trace.x[i]), u.valToPos(high[i], scale, true));
        for (const i of run.slice().reverse()) ctx.lineTo(X(u, trace.x[i]), u.valToPos(low[i], scale, true));
        if (run.length === 1) ctx.rect(X(u, trace.x[run[0]]) - ratio(), u.valToPos(high[run[0]], scale, true), 2 * ratio(), u.valToPos(low[run[0]], scale, true) - u.valToPos(high[run[0]], scale, true));
        ctx.fill();
      });
      ctx.globalAlpha = 1;
    },

    // Suspect and failed values, at least some pixels apart: of several close ones, the outermost is drawn.
    marks(u, ctx, scale, got) {
      const { trace, c } = got;
      if (!c) return;
      const top = u.bbox.top, bottom = u.bbox.top + u.bbox.height;
      const r = 4 * ratio();
      const paint = (kind, entries) => {
        const ink = ft.ink(kind);
        ctx.lineCap = "round";
        let lastX = -Infinity, lastY = 0;
        for (const [i, low, high] of entries) {
          const x = X(u, trace.x[i]);
          if (x < u.bbox.left - r || x > u.bbox.left + u.bbox.width + r) continue;
          const centre = c.value[i];
          // A counter's reading has no place on an axis of increments.
          const value = c.together === "increment" ? centre || 0 : centre !== null && centre !== undefined && Math.abs(low - centre) > Math.abs(high - centre) ? low : high;
          let y = u.valToPos(value, scale, true);
          if (x - lastX < 1.6 * r && Math.abs(y - lastY) < 3 * r) continue;
          lastX = x;
          lastY = y;
          ctx.strokeStyle = ctx.fillStyle = ink;
          ctx.lineWidth = 1.8 * ratio();
          const shape = ft.shape[kind];
          if (y < top + r) ft.shape.beyond(ctx, shape, x, top + 3 * r, r, true);
          else if (y > bottom - r) ft.shape.beyond(ctx, shape, x, bottom - 3 * r, r, false);
          else shape(ctx, x, y, r);
        }
        ctx.lineCap = "butt";
      };
      paint("suspect", c.suspect);
      paint("fail", c.fail);
    },

    // Along the bottom: where the logger wrote no value, and where all values failed. Both differ from a missing
    // record.
    rug(u, ctx, got, row) {
      const { trace, c } = got;
      if (!c) return;
      const height = 4 * ratio();
      const y = u.bbox.top + u.bbox.height - (row + 1) * (height + ratio());
      const half = Math.max((trace.step || 0) / 2, 0);
      const bar = (entries, ink, hollow) => {
        ctx.fillStyle = ctx.strokeStyle = ft.ink(ink);
        ctx.lineWidth = ratio();
        for (const [i] of entries) {
          if (c.value[i] !== null && c.value[i] !== undefined) continue;
          const a = X(u, trace.x[i] - half), width = Math.max(X(u, trace.x[i] + half) - a, 2 * ratio());
          if (hollow) ctx.fillRect(a, y + height / 2 - ratio() / 2, width, ratio());
          else ctx.fillRect(a, y, width, height);
        }
      };
      bar(c.missing, "missing", true);
      bar(c.fail, "fail", false);
    },

    // The nights, from sunset to sunrise.
    nights(u, ctx) {
      const [from, to] = [u.scales.x.min, u.scales.x.max];
      ctx.fillStyle = ft.ink("night");
      for (const [sunset, sunrise] of ft.sun.between(from, to)) ctx.fillRect(X(u, sunset), u.bbox.top, X(u, sunrise) - X(u, sunset), u.bbox.height);
    },

    // Good values beyond the axis: a triangle at its edge, some pixels apart.
    beyond(u, ctx, scale, trace, c, colour) {
      const { min, max } = u.scales[scale];
      const r = 4 * ratio();
      ctx.fillStyle = colour;
      const last = [-Infinity, -Infinity];
      ft.draw.outliers(trace, c, min, max, (i, side) => {
        const x = X(u, trace.x[i]);
        if (x < u.bbox.left || x > u.bbox.left + u.bbox.width || x - last[side] < 1.5 * r) return;
        last[side] = x;
        const edge = side ? u.bbox.top : u.bbox.top + u.bbox.height, inward = side ? 1 : -1;
        ctx.beginPath();
        ctx.moveTo(x, edge);
        ctx.lineTo(x - r, edge + inward * 1.6 * r);
        ctx.lineTo(x + r, edge + inward * 1.6 * r);
        ctx.fill();
      });
    },

    // each(i, side) for every position with a value that did not fail below (0) or above (1) an axis.
    outliers(trace, c, min, max, each) {
      for (let i = 0; i < trace.x.length; i++) {
        const value = c.value[i];
        if (value === null || value === undefined) continue;
        const low = c.low && c.low[i] !== null ? c.low[i] : value, high = c.high && c.high[i] !== null ? c.high[i] : value;
        if (low < min) each(i, 0);
        if (high > max) each(i, 1);
      }
    },

    // The interval that is marked for a flag by hand.
    marked(u, ctx) {
      const { mark } = ft.state.get();
      if (!mark) return;
      const a = X(u, mark.from), width = Math.max(X(u, mark.to) - a, 2 * ratio());
      ctx.fillStyle = ft.ink("accent");
      ctx.globalAlpha = 0.16;
      ctx.fillRect(a, u.bbox.top, width, u.bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillRect(a, u.bbox.top, width, 2 * ratio());
    },

    // A fixed value of the axis, as a thin line.
    level(u, ctx, scale, value, ink) {
      if (value === null || value === undefined) return;
      const y = u.valToPos(value, scale, true);
      if (y < u.bbox.top || y > u.bbox.top + u.bbox.height) return;
      ctx.strokeStyle = ft.ink(ink);
      ctx.lineWidth = ratio();
      ctx.setLineDash([2 * ratio(), 4 * ratio()]);
      ctx.beginPath();
      ctx.moveTo(u.bbox.left, y);
      ctx.lineTo(u.bbox.left + u.bbox.width, y);
      ctx.stroke();
      ctx.setLineDash([]);
    },
  };
})(window.fluxtower = window.fluxtower || {});
