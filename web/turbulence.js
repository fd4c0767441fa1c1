// A quick look at turbulence over time: u*, σw, H and TAU, each in a picture of its own whose title states its
// limitations. There are none if no table has `turbulence`.
//
// Failed and missing values are not drawn, but counted; suspect ones are marked. A line ends where a value is missing.
(function (ft) {
  "use strict";
  const { edge } = ft.picture;
  const POINTS = 4800;

  const isOf = (table) => table.turbulence && table.newest !== null;
  // One picture for each quantity of each series.
  ft.turbulencePictures = () => ft.station.tables.filter(isOf).flatMap((table) => ft.seriesOf(table).flatMap(({ tags }) => {
    const series = Object.values(tags).join(", ");
    return table.turbulence.map((name) => ft.column(table.name, name)).filter(Boolean).map((column) => picture(table, tags, column, series));
  }));

  function picture(table, tags, column, series) {
    let shown = null;
    const where = series ? `${table.name} (${series})` : table.name;
    const one = ft.picture(`turbulence-${column.name}`, `${where}: ${column.quantity}`, 190, (ctx, width, height) => {
      if (!shown || !shown.points.length) return;
      const { w, points, step } = shown;
      const values = points.filter((p) => p.value !== null).map((p) => p.value);
      if (!values.length) return;
      const X = (at) => edge.left + ((at - w.from) / (w.to - w.from)) * (width - edge.left - edge.right);
      const Y = ft.picture.values(ctx, width, height, ...ft.scale.fit(Math.min(...values), Math.max(...values), null, false));
      const { ticks, step: every } = ft.scale.timeTicks(w.from, w.to, Math.max(2, width / 110));
      ctx.fillStyle = ft.ink("dim");
      ctx.textAlign = "center";
      ft.scale.timeLabels(ticks, every).forEach((text, i) => ctx.fillText(text.replace("\n", ", "), Math.min(width - 40, Math.max(edge.left + 30, X(ticks[i]))), height - 6));
      ctx.strokeStyle = ctx.fillStyle = ft.ink("accent");
      ctx.lineWidth = 1.6;
      let before = null;
      ctx.beginPath();
      for (const p of points) {
        if (p.value !== null) {
          const goesOn = before && before.value !== null && p.at - before.at <= 1.5 * step;
          ctx[goesOn ? "lineTo" : "moveTo"](X(p.at), Y(p.value));
        }
        before = p;
      }
      ctx.stroke();
      ctx.lineWidth = 1;
      for (const p of points) {
        if (p.value === null) continue;
        ctx.fillStyle = ft.ink(p.digit === "3" ? "suspect" : "accent");
        (p.digit === "3" ? ft.shape.suspect : ft.shape.good)(ctx, X(p.at), Y(p.value), p.digit === "3" ? 4.5 : points.length > 400 ? 0.8 : 1.8);
      }
    }, (x) => {
      if (!shown || !shown.points.length) return null;
      const { w, points } = shown;
      const at = w.from + ((x - edge.left) / (one.canvas.clientWidth - edge.left - edge.right)) * (w.to - w.from);
      const p = points[ft.nearest(points.map((point) => point.at), at)];
      return [ft.clock.full(p.at), p.value === null ? `no value: ${(ft.flag(p.digit) || { word: "no row" }).word}` : ft.withUnit(p.value, column.unit), p.digit === "3" ? "suspect" : null].filter(Boolean);
    });
    one.node.classList.add("turbulence");

    // Requests of one series are equal, and sent once.
    return Object.assign(one, {
      async load(w, signal) {
        const [{ trace, c }] = await ft.traces([{ table: table.name, tags, column: column.name, label: column.name }], w, POINTS, null, signal, table.turbulence);
        if (signal.aborted) return null;
        const sum = (list) => (list || []).reduce((all, entry) => all + (entry.length > 2 ? entry[3] : entry[1]), 0);
        const points = c ? trace.x.map((at, i) => ({ at, value: c.value[i] === undefined ? null : c.value[i], digit: c.flags[i] })) : [];
        const counts = c ? { suspect: sum(c.suspect), fail: sum(c.fail), missing: sum(c.missing) } : { suspect: 0, fail: 0, missing: 0 };
        shown = { w, points, step: trace.step };
        const n = points.filter((p) => p.value !== null).length;
        const bins = trace.bin_s > 1800 ? ` Each point is the mean of ${ft.duration(trace.bin_s)}.` : "";
        ft.write(one.note, n ? `In ${column.unit}. For a look on site, and no flux to publish: block averages after a double rotation. ${ft.count(counts.suspect, "suspect value")}${counts.suspect ? ", marked ▲" : ""}; left out: ${counts.fail} failed, ${counts.missing} missing.${bins}` : "No value in this time that did not fail.");
        return { table: table.name, tags, column: column.name, points, ...counts };
      },
    });
  }
})(window.fluxtower = window.fluxtower || {});
