// The newest value in large digits, with its flag and age, and its recent course.
(function (ft) {
  "use strict";

  ft.latest = function (panel) {
    return ft.frame(panel, (frame) => {
      let stop = () => {};
      let newest = [];
      return {
        points: () => 300,
        // The course may consist of means; the number must be the newest value itself.
        async more(w, signal) {
          newest = await Promise.all(panel.series.map(async (s) => {
            const table = ft.station.tables.find((t) => t.name === s.table);
            if (!table || table.newest === null) return null;
            const to = Math.min(table.newest, w.to);
            const [one] = await ft.traces([s], ft.newestRows(table, to), 200, null, signal);
            return one;
          }));
        },
        stretch() {},
        show(got, w) {
          stop();
          const ages = [];
          ft.fill(frame.body, got.map((course, at) => {
            const one = newest[at] || course;
            const { trace, series, meta } = one;
            const last = ft.lastOf(one);
            const r = last < 0 ? null : ft.reading(one, last);
            const unit = meta ? meta.unit : panel.axis.unit;
            const [value] = r ? [r.value.split("\u202f")[0]] : ["–"];
            const age = ft.el("span", { class: "dim" });
            if (r) ages.push(() => ft.write(age, `${ft.clock.full(trace.times[last])}, ${ft.duration((ft.live.now() - trace.times[last]) / 1e3)} ago`));
            return ft.el("div", { class: "newest" },
              got.length > 1 ? ft.el("span", { class: "name", text: series.label }) : null,
              ft.el("div", { class: "number" }, ft.el("b", { text: value }), unit ? ft.el("span", { class: "unit", text: " " + unit }) : null),
              r && r.flag ? ft.el("span", { class: `sign ${r.flag.ink}`, text: `${r.flag.sign} ${r.flag.word}` }) : null,
              r ? r.notes.map((n) => ft.el("span", { class: "note", text: (n.test ? n.test + ": " : "") + n.text })) : null,
              ft.spark(course, w), age);
          }));
          const tick = () => ages.forEach((act) => act());
          tick();
          const timer = ft.source.report ? 0 : setInterval(tick, 1e3);
          stop = () => clearInterval(timer);
        },
        destroy: () => stop(),
      };
    });
  };

  // The course of one series over a window, as a small drawing without axes.
  ft.spark = function (one, w) {
    const canvas = ft.el("canvas", { class: "spark", role: "img", "aria-label": `course of ${one.series.label}` });
    requestAnimationFrame(() => {
      const ratio = window.devicePixelRatio || 1;
      const width = (canvas.width = canvas.clientWidth * ratio), height = (canvas.height = canvas.clientHeight * ratio);
      if (!one.c || !width) return;
      const ctx = canvas.getContext("2d");
      const [low, high] = ft.scale.fit(...ft.extent([one], w.from, w.to), null, ft.hasBars([one]));
      const X = (t) => ((t - w.from) / (w.to - w.from)) * width, Y = (v) => height - ((v - low) / (high - low)) * height;
      ctx.strokeStyle = ctx.fillStyle = one.series.colour;
      ctx.lineWidth = 1.4 * ratio;
      if (one.c.drawing !== "line") {
        const isBars = one.c.drawing === "bars";
        one.trace.x.forEach((x, i) => {
          const value = one.c.value[i];
          if (value !== null && value !== undefined) ctx.fillRect(X(x), Y(value), 1.4 * ratio, isBars ? Y(0) - Y(value) : 1.4 * ratio);
        });
        return;
      }
      ft.draw.runs(one.trace, one.c.value, (run) => {
        ctx.beginPath();
        for (const i of run) ctx.lineTo(X(one.trace.x[i]), Y(one.c.value[i]));
        ctx.stroke();
      });
    });
    return canvas;
  };
})(window.fluxtower = window.fluxtower || {});
