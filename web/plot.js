// One plot: uPlot makes axes, cursor, selection and keys; `draw` and `under` draw its content.
//
// A plot holds no values. It shows a new range at once with its present content, so that a zoom first stretches the old
// drawing and then shows the new one.
(function (ft) {
  "use strict";
  const plots = new Set();
  // Whether the next drag marks an interval instead of zooming.
  let marking = false;

  function axis(extra) {
    return Object.assign({
      stroke: () => ft.ink("dim"),
      font: "11px system-ui, sans-serif",
      grid: { stroke: () => ft.ink("grid"), width: 1 },
      ticks: { stroke: () => ft.ink("grid"), width: 1, size: 4 },
      gap: 3,
    }, extra);
  }

  function mark(from, to) {
    ft.plot.marks(false);
    // Whole seconds, unless the visible span is short.
    const unit = to - from > 6e4 ? 1e3 : 1;
    ft.state.set({ mark: { from: Math.floor(from / unit) * unit, to: Math.ceil(to / unit) * unit } }, true);
    plots.forEach((plot) => plot.u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false));
  }

  const isMove = (type) => type === "mousemove" || type === "mouseleave";

  function timeAxis() {
    let step = 0;
    return axis({
      size: 36,
      splits(u, _i, from, to) {
        const found = ft.scale.timeTicks(from, to, u.bbox.width / uPlot.pxRatio / 74);
        step = found.step;
        return found.ticks;
      },
      values: (_u, ticks) => ft.scale.timeLabels(ticks, step),
    });
  }

  function valueAxis(scale, side, unit, more) {
    return axis(Object.assign({
      scale, side, label: unit || undefined, labelSize: 16, labelGap: 0, labelFont: "11px system-ui, sans-serif",
      size: (_u, values) => 12 + 6.4 * Math.max(3, ...(values || []).map((v) => String(v).length)),
      values: (_u, ticks) => ticks.map(ft.number),
      space: 34,
    }, more));
  }

  // host: an element. o: {height, time (x is time), unit, right (unit or undefined), xUnit, label,
  //   draw(u, ctx), under(u, ctx), cursor(u, x|null, own), select(from, to), key(event) → handled,
  //   selectValues([low, high, low and high on the right], [from, to] or null)}
  ft.plot = function (host, o) {
    const width = () => Math.max(120, Math.floor(host.clientWidth));
    const ranges = { x: [0, 1], y: [0, 1], r: [0, 1] };
    const scale = (name) => ({ time: false, auto: false, range: () => ranges[name] });
    const axes = [
      o.time ? timeAxis() : axis({ size: 22, label: o.xUnit || undefined, labelSize: 16, labelGap: 0, labelFont: "11px system-ui, sans-serif", values: (_u, t) => t.map(ft.number) }),
      valueAxis("y", 3, o.unit, o.yAxis),
    ];
    if (o.right !== undefined) axes.push(valueAxis("r", 1, o.right, { grid: { show: false } }));
    let hovered = false;

    const clipped = (act) => (u) => {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      act(u, ctx);
      ctx.restore();
    };

    const none = { paths: () => null, points: { show: false } };
    const u = new uPlot({
      width: width(), height: o.height, ms: 1, legend: { show: false }, padding: [8, o.right === undefined ? 20 : 0, 0, 0],
      scales: { x: scale("x"), y: scale("y"), r: scale("r") },
      series: [{}, Object.assign({ scale: "y" }, none), Object.assign({ scale: "r" }, none)],
      axes,
      cursor: {
        y: !o.time,
        points: { show: false },
        // A drag along the time zooms the time, one across it the values, a diagonal one both.
        drag: { x: Boolean(o.select), y: Boolean(o.selectValues), uni: 40, setScale: false, dist: 4 },
        // The cursor's line is on all plots; a selection belongs to the plot on which it was made.
        sync: o.time ? { key: "time", scales: ["x", null], setSeries: false, filters: { pub: isMove, sub: isMove } } : undefined,
        bind: {
          // Back to the range before, instead of uPlot's reset to the whole range.
          dblclick: () => () => {
            if (o.select) ft.state.back();
            return null;
          },
          mousedown: (_u, _target, handler) => (event) => {
            if (o.time && event.altKey) marking = true;
            if (o.select && event.shiftKey && event.button === 0) return pan(event);
            return handler(event);
          },
        },
      },
      hooks: {
        drawAxes: [clipped((u, ctx) => {
          if (o.time) ft.draw.nights(u, ctx);
          if (o.under) o.under(u, ctx);
          if (o.time) ft.draw.marked(u, ctx);
        })],
        draw: [clipped((u, ctx) => o.draw(u, ctx))],
        setSelect: [(u) => {
          const { left, width, top, height } = u.select;
          if (!o.select || width < 4 || (o.selectValues && height < 4)) return;
          const from = u.posToVal(left, "x"), to = u.posToVal(left + width, "x");
          const isAcross = o.selectValues && height < u.over.clientHeight - 1;
          const isAlong = width < u.over.clientWidth - 1;
          const values = (name) => [u.posToVal(top + height, name), u.posToVal(top, name)];
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (marking) mark(from, to);
          else if (isAcross) o.selectValues([...values("y"), ...values("r")], isAlong ? [from, to] : null);
          else o.select(from, to);
        }],
        setCursor: [(u) => {
          if (!o.cursor) return;
          const { left } = u.cursor;
          o.cursor(u, left === undefined || left < 0 ? null : u.posToVal(left, "x"), hovered || document.activeElement === u.over);
        }],
      },
    }, [[0, 1], [null, null], [null, null]], host);

    u.over.addEventListener("mouseenter", () => (hovered = true));
    u.over.addEventListener("mouseleave", () => {
      hovered = false;
      if (o.cursor) o.cursor(u, null, false);
    });

    function pan(event) {
      const [from, to] = ranges.x;
      const start = event.clientX;
      const each = (to - from) / u.rect.width;
      let by = 0;
      const move = (e) => {
        by = (start - e.clientX) * each;
        self.show(from + by, to + by);
      };
      const up = () => {
        document.removeEventListener("mousemove", move);
        document.removeEventListener("mouseup", up);
        if (by) o.select(from + by, to + by);
      };
      document.addEventListener("mousemove", move);
      document.addEventListener("mouseup", up);
      event.preventDefault();
      return null;
    }

    if (o.select) {
      let pending = 0;
      // Scrolling past a plot must not zoom it: the wheel zooms with Ctrl, or when the plot has the focus.
      u.over.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && !event.metaKey && document.activeElement !== u.over) return;
        event.preventDefault();
        const factor = (event.deltaY || event.deltaX) < 0 ? 0.8 : 1.25;
        // With Shift: the values.
        if (event.shiftKey && o.selectValues) {
          const y = event.clientY - u.over.getBoundingClientRect().top;
          const zoomed = ["y", "r"].flatMap((name) => {
            const { min, max } = u.scales[name];
            const at = u.posToVal(y, name);
            return [at - (at - min) * factor, at + (max - at) * factor];
          });
          return o.selectValues(zoomed, null);
        }
        const [from, to] = ranges.x;
        const at = u.posToVal(event.clientX - u.over.getBoundingClientRect().left, "x");
        const next = [at - (at - from) * factor, at + (to - at) * factor];
        self.show(next[0], next[1]);
        clearTimeout(pending);
        pending = setTimeout(() => o.select(next[0], next[1]), 150);
      }, { passive: false });
    }
    if (o.select) touch();

    // One finger along the time moves it, two fingers zoom; across the time one finger scrolls the page.
    function touch() {
      let begun = null;
      const places = (event) => [...event.touches].slice(0, 2).map((t) => t.clientX - u.over.getBoundingClientRect().left);
      const begin = (event) => (begun = event.touches.length ? { at: places(event), range: ranges.x.slice(), width: u.over.clientWidth, next: null } : null);
      u.over.addEventListener("touchstart", begin, { passive: true });
      u.over.addEventListener("touchmove", (event) => {
        if (!begun || begun.at.length !== Math.min(2, event.touches.length)) return;
        const [from, to] = begun.range;
        const each = (to - from) / begun.width;
        const now = places(event);
        const moved = now[0] - begun.at[0];
        if (now.length === 1 && Math.abs(moved) < 6 && !begun.next) return;
        if (event.cancelable) event.preventDefault();
        const times = begun.at.map((x) => from + x * each);
        if (marking && now.length === 1) {
          const [a, b] = [begun.at[0], now[0]].sort((one, other) => one - other);
          u.setSelect({ left: a, top: 0, width: b - a, height: u.over.clientHeight }, false);
          begun.next = [from + a * each, from + b * each];
          return;
        }
        // The times under the fingers stay under them.
        const scale = now.length === 1 ? each : (times[1] - times[0]) / (now[1] - now[0] || 1);
        if (!(scale > 0)) return;
        begun.next = [times[0] - now[0] * scale, times[0] + (begun.width - now[0]) * scale];
        self.show(...begun.next);
      }, { passive: false });
      u.over.addEventListener("touchend", (event) => {
        const next = begun && begun.next;
        if (event.touches.length) {
          if (next && !marking) {
            begin(event);
            begun.range = ranges.x.slice();
            begun.next = next;
          }
          return;
        }
        begun = null;
        if (!next) return;
        if (event.cancelable) event.preventDefault();
        if (marking) mark(...next);
        else o.select(...next);
      });
      u.over.addEventListener("touchcancel", () => (begun = null));
    }
    if (o.key) {
      u.over.tabIndex = 0;
      u.over.setAttribute("role", "application");
      u.over.setAttribute("aria-label", o.label + ". Arrow keys read the values, plus and minus zoom, Page Up and Page Down move, Arrow Up and Arrow Down zoom the values, m marks, Escape goes back.");
      u.over.addEventListener("keydown", (event) => {
        if (!event.altKey && !event.ctrlKey && !event.metaKey && o.key(event, u)) event.preventDefault();
      });
      u.over.addEventListener("blur", () => o.cursor && o.cursor(u, null, false));
    }

    const redraw = () => u.redraw(false, true);
    const self = {
      u,
      // Moves the present drawing.
      show(from, to) {
        ranges.x = [from, to];
        u.setData([[from, to], [null, null], [null, null]], false);
        u.setScale("x", { min: from, max: to });
      },
      values(y, r) {
        ranges.y = y;
        ranges.r = r || [0, 1];
        u.batch(() => {
          u.setScale("y", { min: y[0], max: y[1] });
          u.setScale("r", { min: ranges.r[0], max: ranges.r[1] });
        });
        redraw();
      },
      range: () => ranges.x,
      redraw,
      resize() {
        const w = width();
        if (w !== u.width) u.setSize({ width: w, height: o.height });
      },
      destroy() {
        plots.delete(self);
        watch.disconnect();
        u.destroy();
      },
    };
    const watch = new ResizeObserver(ft.eachFrame(() => self.resize()));
    watch.observe(host);
    self.host = host;
    plots.add(self);
    return self;
  };

  ft.plot.marks = function (is) {
    marking = is;
    document.body.classList.toggle("marking", is);
  };
  // The plot in an element, or undefined.
  ft.plot.ofHost = (host) => [...plots].find((plot) => plot.host === host);
  // Colours are read while drawing, so a new theme needs a new drawing only.
  ft.plot.redrawAll = () => plots.forEach((plot) => plot.redraw());
})(window.fluxtower = window.fluxtower || {});
