// A picture of the Patterns view: a panel with a canvas, its axes, and the text under the pointer. The content of a
// picture is also in its note, for users who cannot see it.
(function (ft) {
  "use strict";
  const DAY = 86400e3;
  const RAMP = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const edge = { left: 64, top: 6, foot: 22, right: 10 };

  // About five round numbers.
  function ticks(low, high) {
    const rough = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
    const found = [];
    for (let at = Math.ceil(low / step); at * step <= high; at++) found.push(Number((at * step).toPrecision(12)));
    return found;
  }

  function ink(share) {
    const at = Math.min(0.9999, Math.max(0, share)) * (RAMP.length - 1);
    const [a, b] = [RAMP[Math.floor(at)], RAMP[Math.floor(at) + 1]];
    return `rgb(${a.map((v, i) => Math.round(v + (b[i] - v) * (at % 1))).join(",")})`;
  }

  // A panel with a canvas that is drawn again when its size changes. hover(x, y) gives lines of text, in CSS pixels.
  ft.picture = function (name, title, height, draw, hover) {
    const canvas = ft.el("canvas", { role: "img", "aria-label": title, style: { display: "block", width: "100%", height: height + "px" } });
    const tip = ft.el("div", { class: "tip", hidden: true });
    const stage = ft.el("div", { class: "stage" }, canvas, tip);
    const note = ft.el("p", { class: "dim" });
    const node = ft.el("section", { class: "panel pattern", "data-pattern": name, "aria-label": title }, ft.el("header", {}, ft.el("h3", { text: title })), stage, note);
    const paint = () => {
      const ratio = window.devicePixelRatio || 1;
      const width = stage.clientWidth;
      if (!width) return;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      const ctx = canvas.getContext("2d");
      ctx.scale(ratio, ratio);
      ctx.font = "11px system-ui, sans-serif";
      draw(ctx, width, height);
    };
    canvas.addEventListener("mousemove", (event) => {
      const box = canvas.getBoundingClientRect();
      const lines = hover ? hover(event.clientX - box.left, event.clientY - box.top) : null;
      tip.hidden = !lines;
      if (!lines) return;
      ft.fill(tip, lines.map((text, i) => ft.el(i ? "p" : "time", { text })));
      tip.style.left = Math.max(0, Math.min(event.clientX - box.left + 12, stage.clientWidth - tip.offsetWidth - 4)) + "px";
      tip.style.top = event.clientY - box.top + 14 + "px";
    });
    canvas.addEventListener("mouseleave", () => (tip.hidden = true));
    const watch = new ResizeObserver(ft.eachFrame(paint));
    watch.observe(stage);
    return { node, canvas, note, paint, destroy: () => watch.disconnect() };
  };

  // A mean day has 48 half hours.
  const SLOTS = 48;
  Object.assign(ft.picture, {
    edge, ink, ticks, SLOTS, DAY,
    dayName: (day) => new Date(day * DAY).toISOString().slice(0, 10),
    clockOf: (slot) => `${String(slot >> 1).padStart(2, "0")}:${slot % 2 ? "30" : "00"}`,

    // Puts values from `low` to `high` on the height, with lines at round numbers; returns the position of a value.
    // text(value): its label.
    values(ctx, width, height, low, high, text, right) {
      const Y = (value) => height - edge.foot - ((value - low) / (high - low || 1)) * (height - edge.top - edge.foot);
      ctx.strokeStyle = ft.ink("grid");
      ctx.fillStyle = ft.ink("dim");
      ctx.textAlign = right ? "left" : "right";
      for (const value of ticks(low, high)) {
        if (!right) {
          ctx.beginPath();
          ctx.moveTo(edge.left, Y(value));
          ctx.lineTo(width - edge.right, Y(value));
          ctx.stroke();
        }
        ctx.fillText((text || ft.number)(value), right ? width - right + 6 : edge.left - 6, Math.max(edge.top + 9, Y(value) + 4));
      }
      return Y;
    },

    // The half hours of a day on the width: the position of a slot, and the slot at a position.
    hours(ctx, width, height) {
      const X = (slot) => edge.left + ((slot + 0.5) / SLOTS) * (width - edge.left - edge.right);
      ctx.textAlign = "center";
      ctx.fillStyle = ft.ink("dim");
      for (const hour of [0, 6, 12, 18]) ctx.fillText(ft.picture.clockOf(hour * 2), X(hour * 2), height - 6);
      return X;
    },
    slotAt: (x, width) => Math.floor(((x - edge.left) / (width - edge.left - edge.right)) * SLOTS),

    // Lists of consecutive slots.
    runs(list, has) {
      const runs = [[]];
      list.forEach((one, slot) => (has(one) ? runs[runs.length - 1].push(slot) : runs.push([])));
      return runs.filter((run) => run.length);
    },

    // Days from the first to the last, side by side: the position where one begins, and the day at a position.
    days(days, width) {
      const first = days[0].day, count = days[days.length - 1].day - first + 1;
      const cell = (width - edge.left - edge.right) / count;
      return {
        cell,
        X: (day) => edge.left + (day - first) * cell,
        at(x) {
          const day = first + Math.floor((x - edge.left) / cell);
          return day < first || day >= first + count ? null : { day, found: days.find((one) => one.day === day) };
        },
        label(ctx, height) {
          ctx.fillStyle = ft.ink("dim");
          ctx.textAlign = "center";
          const every = Math.ceil(80 / cell);
          for (let day = first; day < first + count; day += every) ctx.fillText(ft.picture.dayName(day), Math.max(edge.left + 12, edge.left + (day - first + 0.5) * cell), height - 6);
        },
      };
    },
  });
})(window.fluxtower = window.fluxtower || {});
