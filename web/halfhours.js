// Half hours of one column over any span: the data of the Patterns view.
//
// The server aggregates rows according to the kind of the column, without failed values. The expected number of values
// of a half hour follows from the usual interval of the rows; if that is not known, no share is shown.
(function (ft) {
  "use strict";
  const STEP_S = 1800;
  const STEP = STEP_S * 1e3;
  // The half hours of one request; the server returns at most 5,000 points.
  const AT_ONCE = 4800 * STEP;

  // choice: {table, tags}. columns: names. Returns {times, interval_s, columns: [{name, together, value, good}]}: value is null
  // where there is none, good is the number of values that are neither failed nor missing, expected the
  // climatology's band.
  ft.halfHours = async function (choice, columns, w, signal) {
    const out = { times: [], interval_s: null, columns: columns.map((name) => ({ name, together: "mean", value: [], good: [], expected: null })) };
    const end = Math.min(w.to, ft.state.reach().newest);
    for (let from = Math.floor(w.from / STEP) * STEP; from <= end; from += AT_ONCE) {
      const asked = { table: choice.table, tags: choice.tags, columns, from, to: Math.min(from + AT_ONCE - 1, end), points: 4800 };
      const trace = ft.rebin.bin(await ft.source.trace(asked, { signal }), STEP_S);
      out.interval_s = trace.interval_s || out.interval_s;
      out.times.push(...trace.times);
      columns.forEach((name, i) => {
        const c = trace.columns.find((one) => one.name === name);
        const to = out.columns[i];
        if (!c) {
          to.value.push(...trace.times.map(() => null));
          to.good.push(...trace.times.map(() => 0));
          return;
        }
        to.together = c.together;
        if (c.expected) {
          to.expected = to.expected || { low: [], high: [] };
          to.expected.low.push(...c.expected.low);
          to.expected.high.push(...c.expected.high);
        }
        const lost = new Map(c.missing);
        for (const [at, , , n] of c.fail) lost.set(at, (lost.get(at) || 0) + n);
        to.value.push(...c.value.map((value) => (value === undefined ? null : value)));
        to.good.push(...trace.rows.map((n, at) => (c.flags[at] === " " ? 0 : Math.max(0, n - (lost.get(at) || 0)))));
      });
    }
    return out;
  };

  ft.halfHours.STEP = STEP;
  // The number of half hours in a period, up to the newest row.
  ft.halfHours.count = (w) => Math.floor(Math.min(w.to, ft.state.reach().newest) / STEP) - Math.floor(w.from / STEP) + 1;

  // The value below which this share of `list` lies; the numbers must be ascending.
  ft.quantile = function (sorted, share) {
    if (!sorted.length) return null;
    const at = (sorted.length - 1) * share;
    const low = Math.floor(at);
    return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (at - low);
  };
})(window.fluxtower = window.fluxtower || {});
