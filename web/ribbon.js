// Flags over time as cells: the worse, the taller and the darker. A time without a record has a hatch instead of a colour.
(function (ft) {
  "use strict";

  // The worst of all columns, bin by bin.
  ft.worstOf = function (ribbon) {
    return ribbon.times.map((_t, i) => ribbon.columns.reduce((worst, c) => (c.flags[i] === " " ? worst : worst === " " ? c.flags[i] : ft.worst(worst, c.flags[i])), " ")).join("");
  };

  // Draws one row of flags into (x, y, width, height) of ctx, in device pixels.
  ft.ribbonRow = function (ctx, ribbon, flags, w, box, inks) {
    const width = ribbon.bin_s * 1e3;
    const X = (t) => box.x + ((t - w.from) / (w.to - w.from)) * box.width;
    const now = ft.live.now();
    let i = 0;
    while (i < flags.length) {
      let j = i + 1;
      const empty = !ribbon.rows[i];
      while (j < flags.length && flags[j] === flags[i] && !ribbon.rows[j] === empty) j++;
      const a = Math.max(box.x, X(ribbon.times[i])), b = Math.min(box.x + box.width, X(Math.min(ribbon.times[j - 1] + width, Math.max(now, w.to))));
      const flag = ft.flag(flags[i]);
      if (b > a) {
        if (empty) {
          ctx.fillStyle = inks.hatch;
          ctx.fillRect(a, box.y, b - a, box.height);
        } else if (flag) {
          const tall = Math.max(1, Math.round(box.height * flag.height));
          ctx.fillStyle = inks[flag.ink];
          ctx.fillRect(a, box.y + box.height - tall, Math.max(b - a, 1), tall);
        }
      }
      i = j;
    }
  };

  ft.ribbonInks = function (ctx) {
    const inks = { hatch: ft.draw.hatch(ctx, "hatch") };
    for (const flag of Object.values(ft.FLAGS)) inks[flag.ink] = ft.ink(flag.ink);
    return inks;
  };

  // A canvas with one row of flags, as wide as its parent. label: its text for screen readers.
  ft.ribbonStrip = function (label) {
    const canvas = ft.el("canvas", { class: "ribbon", role: "img", "aria-label": label });
    let last = null;
    const draw = () => {
      if (!last) return;
      const { ribbon, flags, w } = last;
      const ratio = window.devicePixelRatio || 1;
      const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
      if (!width) return;
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      const ctx = canvas.getContext("2d");
      ctx.clearRect(0, 0, width, height);
      ft.ribbonRow(ctx, ribbon, flags, w, { x: 0, y: 0, width, height }, ft.ribbonInks(ctx));
    };
    const watch = new ResizeObserver(ft.eachFrame(draw));
    watch.observe(canvas);
    return {
      node: canvas,
      draw,
      show(ribbon, flags, w) {
        last = { ribbon, flags, w };
        draw();
      },
      destroy: () => watch.disconnect(),
    };
  };

  // [digit, share as text] of each flag that occurs.
  function parts(c) {
    const counts = [["1", c.good], ["3", c.suspect], ["4", c.fail], ["9", c.missing], ["2", c.not_evaluated]];
    const values = counts.reduce((sum, [, n]) => sum + n, 0);
    return counts.filter(([, n]) => n > 0).map(([digit, n]) => [digit, ft.percent(n / values)]);
  }

  ft.shares = (c) => parts(c).map(([digit, share]) => `${share} ${ft.flag(digit).word}`).join(", ").concat(c.of ? ` ${c.of}` : "") || "no values";

  // The same, short: good and not evaluated values with their name, the others with signs.
  ft.shareSigns = (c) => {
    const all = parts(c);
    return all.length ? all.map(([digit, share]) => ft.el("span", { class: "share", title: ft.flag(digit).word },
      ft.el("span", { class: `sign ${ft.flag(digit).ink}`, "aria-label": ft.flag(digit).word, text: ft.flag(digit).sign }), ` ${share}${"12".includes(digit) ? " " + ft.flag(digit).word : ""}`)) : "no values";
  };
})(window.fluxtower = window.fluxtower || {});
