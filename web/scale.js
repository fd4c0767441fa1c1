// Axes: ticks of time in station time, and the range of values to show.
(function (ft) {
  "use strict";
  const S = 1e3, M = 60 * S, H = 60 * M, D = 24 * H;
  const STEPS = [10, 50, 100, 500, S, 2 * S, 5 * S, 10 * S, 15 * S, 30 * S, M, 2 * M, 5 * M, 10 * M, 15 * M, 30 * M, H, 2 * H, 3 * H, 6 * H, 12 * H, D, 2 * D, 7 * D];
  const MONTHS = [1, 2, 3, 6, 12, 24, 60];

  // Instants of round local times between from and to, about `most` of them.
  function timeTicks(from, to, most) {
    const least = (to - from) / Math.max(1, most);
    const step = STEPS.find((s) => s >= least);
    const ticks = [];
    if (step) {
      // Days and weeks count from a Monday, so that a week's ticks are weeks.
      const origin = step === 7 * D ? 4 * D : 0;
      let local = Math.ceil((ft.clock.local(from) - origin) / step) * step + origin;
      for (; ; local += step) {
        const at = ft.clock.moment(local);
        if (at > to) return { ticks, step };
        if (at >= from) ticks.push(at);
      }
    }
    const months = MONTHS.find((m) => m * 30.4 * D >= least) || MONTHS[MONTHS.length - 1];
    const start = new Date(ft.clock.local(from));
    for (let m = Math.ceil((start.getUTCFullYear() * 12 + start.getUTCMonth()) / months) * months; ; m += months) {
      const at = ft.clock.moment(Date.UTC(Math.floor(m / 12), m % 12, 1));
      if (at > to) return { ticks, step: months * 30 * D };
      if (at >= from) ticks.push(at);
    }
  }

  // The day is under the first tick and under the first tick of each day.
  function timeLabels(ticks, step) {
    let before = "";
    return ticks.map((at) => {
      const day = ft.clock.day(at);
      const year = ft.clock.date(at).slice(0, 4);
      if (step >= 28 * D) return ft.clock.month(at) + (before === year ? "" : ((before = year), "\n" + year));
      if (step >= D) return day + (before === year ? "" : ((before = year), "\n" + year));
      const label = ft.clock.time(at);
      if (day === before) return label;
      before = day;
      return label + "\n" + day;
    });
  }

  // The range of values with a margin. Fixed bounds are kept; without values the range is 0 to 1. isOnZero: bars stand on 0,
  // so the axis ends there.
  function fit(low, high, bounds, isOnZero) {
    if (bounds && bounds[0] !== null && bounds[1] !== null) return bounds;
    if (!(low <= high)) return [0, 1];
    let pad = (high - low) * 0.08;
    if (pad === 0) pad = Math.abs(low) * 0.05 || 0.5;
    const out = [low - pad, high + pad];
    if (isOnZero) return [low >= 0 ? 0 : out[0], high <= 0 && low < 0 ? 0 : out[1]];
    // A quantity that is never negative keeps its minimum near 0.
    if (low >= 0 && out[0] < 0) out[0] = -pad * 0.35;
    return out;
  }

  // As many digits as are useful, and never more than the value has.
  function number(value) {
    if (value === null || value === undefined || !isFinite(value)) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(3).replace("-", "\u2212").replace(".000e", "e");
    const text = size >= 1e5 ? value.toFixed(0) : String(Number(value.toPrecision(size >= 1000 ? 6 : 5)));
    return text.replace("-", "\u2212");
  }

  ft.scale = { timeTicks, timeLabels, fit, number };
  ft.number = number;
  ft.withUnit = (value, unit) => number(value) + (unit ? "\u202f" + unit : "");
})(window.fluxtower = window.fluxtower || {});
