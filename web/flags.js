// The look of a flag: a name, a sign, a colour and a height, so that no two differ by colour alone.
(function (ft) {
  "use strict";

  // rank: the highest is shown if several flags share a place. height: of a ribbon's cell, so that failures are visible
  // in grey too.
  const FLAGS = {
    1: { word: "good", sign: "✓", ink: "good", rank: 1, height: 0.34 },
    2: { word: "not evaluated", sign: "·", ink: "unseen", rank: 0, height: 0.2 },
    3: { word: "suspect", sign: "▲", ink: "suspect", rank: 3, height: 0.7 },
    4: { word: "failed", sign: "✕", ink: "fail", rank: 4, height: 1 },
    9: { word: "missing", sign: "○", ink: "missing", rank: 2, height: 0.5 },
  };
  ft.FLAGS = FLAGS;

  ft.flag = (digit) => FLAGS[digit] || null;

  ft.worst = function (one, other) {
    const a = FLAGS[one], b = FLAGS[other];
    if (!a) return other;
    if (!b) return one;
    return a.rank >= b.rank ? one : other;
  };

  // The three status lights of the first screen. level: 0 good, 1 look, 2 act, -1 unknown.
  const ANSWERS = {
    alive: {
      good: ["✓", "alive", 0], late: ["!", "late", 1], dead: ["✕", "dead", 2], none: ["–", "no row yet", -1],
    },
    right: {
      good: ["✓", "right", 0], suspect: ["!", "suspect", 1], bad: ["✕", "wrong", 2], none: ["–", "not known", -1],
    },
    sent: {
      good: ["✓", "sent", 0], waiting: ["!", "pending", 1], partial: ["!", "not all sent", 1], stuck: ["✕", "stuck", 2], none: ["–", "nothing to send", -1],
    },
  };
  ft.answer = function (question, state) {
    const found = ANSWERS[question][state] || ["?", String(state), 1];
    return { sign: found[0], word: found[1], level: found[2] };
  };

  // Shapes on a canvas around a centre, with a radius of `r` device pixels.
  ft.shape = {
    suspect(ctx, x, y, r) {
      ctx.beginPath();
      ctx.moveTo(x, y - r);
      ctx.lineTo(x + r, y + r * 0.8);
      ctx.lineTo(x - r, y + r * 0.8);
      ctx.closePath();
      ctx.fill();
    },
    fail(ctx, x, y, r) {
      ctx.beginPath();
      ctx.moveTo(x - r, y - r);
      ctx.lineTo(x + r, y + r);
      ctx.moveTo(x + r, y - r);
      ctx.lineTo(x - r, y + r);
      ctx.stroke();
    },
    // A value outside the axis: its mark at the edge, with an arrow in its direction.
    beyond(ctx, shape, x, y, r, up) {
      const away = up ? -1 : 1;
      shape(ctx, x, y - away * r * 0.2, r * 0.85);
      ctx.beginPath();
      ctx.moveTo(x - r * 0.9, y + away * r * 1.7);
      ctx.lineTo(x, y + away * r * 2.6);
      ctx.lineTo(x + r * 0.9, y + away * r * 1.7);
      ctx.stroke();
    },
    good(ctx, x, y, r) {
      ctx.beginPath();
      ctx.arc(x, y, r, 0, 2 * Math.PI);
      ctx.fill();
    },
  };

  ft.key = function (more) {
    const item = (digit) => ft.el("li", {}, ft.el("span", { class: `sign ${FLAGS[digit].ink}`, "aria-hidden": "true", text: FLAGS[digit].sign }), " ", FLAGS[digit].word);
    return ft.el("ul", { class: "key", "aria-label": "what the marks mean" }, [1, 3, 4, 9, 2].map(item),
      ft.el("li", {}, ft.el("span", { class: "swatch hatch", "aria-hidden": "true" }), " no record"), more ? ft.el("li", { text: more }) : null);
  };
})(window.fluxtower = window.fluxtower || {});
