// Makes coarser bins from finer ones by the server's rules: failed values are in no mean, minimum or maximum, and the worst
// flag of a bin is the bin's flag. Used for panels of means, and for scatters of unequal bins. Which rule a column has is in
// the answer (`together`).
(function (ft) {
  "use strict";

  const RADIANS = Math.PI / 180;
  // put(sums, value, n, steadiness) adds a value that represents n values; result(sums) is the value of all.
  const mean = {
    put(s, value, n) { s.first += value * n; },
    result: (s) => s.first / s.n,
  };
  const sum = {
    put(s, value) { s.first += value; },
    result: (s) => s.first,
  };
  const TOGETHER = {
    mean, sum, increment: sum,
    "vector mean": {
      put(s, value, n, steadiness) {
        s.first += Math.sin(value * RADIANS) * n * steadiness;
        s.second += Math.cos(value * RADIANS) * n * steadiness;
      },
      result: (s) => (Math.hypot(s.first, s.second) <= 1e-6 * s.n ? null : (Math.atan2(s.first, s.second) / RADIANS + 360) % 360),
    },
    "root mean square": {
      put(s, value, n) { s.first += value * value * n; },
      result: (s) => Math.sqrt(s.first / s.n),
    },
    maximum: {
      put(s, value) { s.first = s.n ? Math.max(s.first, value) : value; },
      result: (s) => s.first,
    },
    minimum: {
      put(s, value) { s.first = s.n ? Math.min(s.first, value) : value; },
      result: (s) => s.first,
    },
    "newest value": {
      put(s, value) { s.first = value; },
      result: (s) => s.first,
    },
  };

  function pick(list, keep) {
    return list ? keep.map((i) => list[i]) : null;
  }

  // The part of an answer within [from, to], of these columns.
  function cut(trace, from, to, names) {
    const keep = [];
    const at = new Map();
    trace.times.forEach((time, i) => {
      if (time < from || time > to) return;
      at.set(i, keep.length);
      keep.push(i);
    });
    const sparse = (list) => (list || []).filter((entry) => at.has(entry[0])).map((entry) => [at.get(entry[0]), ...entry.slice(1)]);
    const wanted = names ? names.map((name) => trace.columns.find((c) => c.name === name)).filter(Boolean) : trace.columns;
    return Object.assign({}, trace, {
      from, to, times: pick(trace.times, keep), rows: pick(trace.rows, keep),
      columns: wanted.map((c) => ({
        name: c.name, kind: c.kind, together: c.together, has_band: c.has_band, drawing: c.drawing,
        value: pick(c.value, keep), low: pick(c.low, keep), high: pick(c.high, keep), steadiness: pick(c.steadiness, keep),
        flags: keep.map((i) => c.flags[i]).join(""),
        suspect: sparse(c.suspect), fail: sparse(c.fail), missing: sparse(c.missing),
        findings: c.findings ? sparse(c.findings) : null,
        expected: c.expected ? { low: pick(c.expected.low, keep), high: pick(c.expected.high, keep) } : null,
      })),
    });
  }

  function column(c, trace, bin, count) {
    const none = () => Array(count).fill(null);
    const out = {
      name: c.name, kind: c.kind, together: c.together, has_band: c.has_band, drawing: c.drawing,
      value: none(), low: c.has_band ? none() : null, high: c.has_band ? none() : null,
      steadiness: c.kind === "direction" ? none() : null,
      flags: "", suspect: [], fail: [], missing: [], findings: null, expected: null,
    };
    const rule = TOGETHER[c.together] || mean;
    const sums = Array.from({ length: count }, () => ({ n: 0, first: 0, second: 0 }));
    const flags = Array(count).fill(" ");
    const failed = new Map(c.fail.map((entry) => [entry[0], entry[3]]));
    const missing = new Map(c.missing.map((entry) => [entry[0], entry[1]]));
    const band = c.expected && { low: Array(count).fill(null), high: Array(count).fill(null) };
    for (let i = 0; i < trace.times.length; i++) {
      const b = bin[i];
      if (c.flags[i] !== " ") flags[b] = flags[b] === " " ? c.flags[i] : ft.worst(flags[b], c.flags[i]);
      if (band && c.expected.low[i] !== null) {
        band.low[b] = c.expected.low[i];
        band.high[b] = c.expected.high[i];
      }
      const value = c.value[i];
      if (value === null || value === undefined) continue;
      const rows = trace.rows ? Math.max(1, trace.rows[i] - (failed.get(i) || 0) - (missing.get(i) || 0)) : 1;
      rule.put(sums[b], value, rows, c.steadiness ? c.steadiness[i] : 1);
      sums[b].n += rows;
      if (!c.has_band) continue;
      const low = c.low ? c.low[i] : value, high = c.high ? c.high[i] : value;
      if (out.low[b] === null || low < out.low[b]) out.low[b] = low;
      if (out.high[b] === null || high > out.high[b]) out.high[b] = high;
    }
    sums.forEach((s, b) => {
      if (!s.n) return;
      out.value[b] = rule.result(s);
      if (out.steadiness) out.steadiness[b] = Math.min(1, Math.hypot(s.first, s.second) / s.n);
    });
    for (const kind of ["suspect", "fail"]) {
      const found = new Map();
      for (const [i, low, high, n] of c[kind]) {
        const entry = found.get(bin[i]);
        if (!entry) found.set(bin[i], [bin[i], low, high, n]);
        else {
          entry[1] = Math.min(entry[1], low);
          entry[2] = Math.max(entry[2], high);
          entry[3] += n;
        }
      }
      out[kind] = [...found.values()];
    }
    const gone = new Map();
    for (const [i, n] of c.missing) gone.set(bin[i], (gone.get(bin[i]) || 0) + n);
    out.missing = [...gone];
    out.flags = flags.join("");
    out.expected = band;
    return out;
  }

  function binned(trace, bin_s) {
    const width = bin_s * 1e3;
    const times = [], rows = [], bin = [];
    trace.times.forEach((time, i) => {
      const start = Math.floor(time / width) * width;
      if (times[times.length - 1] !== start) {
        times.push(start);
        rows.push(0);
      }
      rows[rows.length - 1] += trace.rows ? trace.rows[i] : 1;
      bin.push(times.length - 1);
    });
    return Object.assign({}, trace, { bin_s, times, rows, columns: trace.columns.map((c) => column(c, trace, bin, times.length)) });
  }

  ft.rebin = {
    bin: (trace, bin_s) => ((trace.bin_s || 0) >= bin_s ? trace : binned(trace, bin_s)),
    trace: (trace, asked) => cut(trace, asked.from, asked.to, asked.columns),
    ribbon(ribbon, asked) {
      const first = ribbon.times.findIndex((time) => time + ribbon.bin_s * 1e3 > asked.from);
      let end = ribbon.times.findIndex((time) => time > asked.to);
      if (end < 0) end = ribbon.times.length;
      const from = first < 0 ? end : first;
      const step = Math.max(1, Math.ceil((end - from) / asked.bins));
      // A report's counts are those of all its time.
      const isWhole = from === 0 && end === ribbon.times.length;
      const groups = [];
      for (let i = from; i < end; i += step) groups.push([i, Math.min(i + step, end)]);
      return Object.assign({}, ribbon, {
        from: asked.from, to: asked.to, bin_s: ribbon.bin_s * step, times: groups.map(([i]) => ribbon.times[i]),
        rows: groups.map(([i, j]) => ribbon.rows.slice(i, j).reduce((sum, n) => sum + n, 0)),
        columns: ribbon.columns.map((c) => Object.assign({}, c, {
          of: isWhole ? "" : "of the whole report",
          flags: groups.map(([i, j]) => [...c.flags.slice(i, j)].reduce((a, b) => (a === " " ? b : b === " " ? a : ft.worst(a, b)), " ")).join(""),
        })),
      });
    },
  };
})(window.fluxtower = window.fluxtower || {});
