// Values of a panel's series: one request per table for all its columns, prepared for drawing.
(function (ft) {
  "use strict";

  ft.column = function (table, name) {
    const t = ft.station && ft.station.tables.find((one) => one.name === table);
    return (t && t.columns.find((c) => c.name === name)) || null;
  };

  // A table without tag columns, or without a row, has one series without tags.
  ft.seriesOf = (table) => (table.series.length ? table.series : [{ tags: {} }]);

  // The time of the last rows of a table before `to`.
  ft.newestRows = (table, to) => ({ from: to - 20e3 * (table.interval_s || 60), to });

  // The position of the newest row that has the column, or -1.
  ft.lastOf = ({ trace, c }) => {
    let last = c ? trace.x.length - 1 : -1;
    while (last >= 0 && c.flags[last] === " ") last -= 1;
    return last;
  };

  // series: [{table, column, tags, …}]; w: {from, to}. Returns [{series, meta, trace, c}] in the same order; c is null where
  // the answer has no such column. together: columns of one table that several drawings request together. points: about the number of positions that the drawing can distinguish.
  ft.traces = async function (series, w, points, mean_s, signal, together) {
    const groups = new Map();
    for (const s of series) {
      const key = JSON.stringify([s.table, s.tags || {}]);
      if (!groups.has(key)) groups.set(key, { table: s.table, tags: s.tags, columns: new Set() });
      groups.get(key).columns.add(s.column);
    }
    if (mean_s) points = Math.max(2, Math.min(points, Math.ceil((w.to - w.from) / (mean_s * 1e3))));
    const answers = new Map();
    await Promise.all([...groups].map(async ([key, g]) => {
      // A table that was never read has no columns to request.
      const table = ft.station.tables.find((t) => t.name === g.table);
      if (table && table.newest === null) {
        answers.set(key, placed({ table: g.table, from: w.from, to: w.to, bin_s: null, times: [], rows: null, interval_s: null, columns: [] }));
        return;
      }
      let trace = await ft.source.trace({ table: g.table, tags: g.tags, columns: together || [...g.columns], from: w.from, to: w.to, points }, { signal });
      if (mean_s) trace = ft.rebin.bin(trace, mean_s);
      answers.set(key, placed(trace));
    }));
    return series.map((s) => {
      const trace = answers.get(JSON.stringify([s.table, s.tags || {}]));
      const c = trace.columns.find((one) => one.name === s.column) || null;
      return { series: s, meta: ft.column(s.table, s.column), trace, c: c && indexed(c) };
    });
  };

  // x: the drawn position of a time; the middle of a bin. holes: [[from, to]] without a record.
  function placed(trace) {
    if (trace.x) return trace;
    const width = (trace.bin_s || 0) * 1e3;
    trace.x = trace.times.map((time) => time + width / 2);
    const usual = Math.max((trace.interval_s || 0) * 1e3, width);
    trace.step = usual;
    trace.holes = [];
    if (!usual) return trace;
    for (let i = 1; i < trace.times.length; i++) {
      if (trace.times[i] - trace.times[i - 1] > 2 * usual) trace.holes.push([trace.times[i - 1] + width, trace.times[i]]);
    }
    const from = trace.from, to = Math.min(trace.to, ft.live.now());
    if (trace.times.length) {
      if (trace.times[0] - from > 2 * usual) trace.holes.unshift([from, trace.times[0]]);
      const last = trace.times[trace.times.length - 1] + width;
      if (to - last > 2 * usual) trace.holes.push([last, to]);
    } else if (to > from) trace.holes.push([from, to]);
    return trace;
  }

  function indexed(c) {
    if (c.at) return c;
    const by = (list) => new Map((list || []).map((entry) => [entry[0], entry]));
    c.at = { suspect: by(c.suspect), fail: by(c.fail), missing: by(c.missing), findings: new Map() };
    for (const [i, test, flag, text] of c.findings || []) {
      if (!c.at.findings.has(i)) c.at.findings.set(i, []);
      c.at.findings.get(i).push({ test, flag, text });
    }
    return c;
  }

  // The index whose time is nearest to `at`, or -1.
  ft.nearest = function (xs, at) {
    if (!xs.length) return -1;
    let low = 0, high = xs.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (xs[middle] < at) low = middle;
      else high = middle;
    }
    return Math.abs(xs[low] - at) <= Math.abs(xs[high] - at) ? low : high;
  };

  ft.hasBars = (got) => got.some(({ c }) => c && c.drawing === "bars");

  // The range of values for an axis in the window. Failed values never widen it; suspect values widen it by half of the
  // others' span at most, unless most values are suspect. robust: without the lowest and the highest hundredth.
  ft.extent = function (got, from, to, robust) {
    const calm = [Infinity, -Infinity], all = [Infinity, -Infinity];
    const lows = [], highs = [];
    let places = 0, suspect = 0;
    // Bars stand on 0.
    if (ft.hasBars(got)) {
      calm[0] = all[0] = 0;
      calm[1] = all[1] = 0;
    }
    const widen = (range, low, high) => {
      if (low < range[0]) range[0] = low;
      if (high > range[1]) range[1] = high;
    };
    for (const { trace, c } of got) {
      if (!c) continue;
      for (let i = 0; i < trace.x.length; i++) {
        if (trace.x[i] < from || trace.x[i] > to) continue;
        const low = c.low ? c.low[i] : c.value[i], high = c.high ? c.high[i] : c.value[i];
        if (low === null || low === undefined) continue;
        places += 1;
        lows.push(low);
        highs.push(high);
        widen(all, low, high);
        if (c.at.suspect.has(i)) suspect += 1;
        else widen(calm, low, high);
      }
    }
    if (robust && places) {
      const rising = (list) => list.sort((a, b) => a - b);
      const [low, high] = [ft.quantile(rising(lows), 0.01), ft.quantile(rising(highs), 0.99)];
      return ft.hasBars(got) ? [Math.min(0, low), Math.max(0, high)] : [low, high];
    }
    if (suspect * 2 > places || calm[0] > calm[1]) return all;
    const room = (calm[1] - calm[0]) / 2;
    return [Math.max(all[0], calm[0] - room), Math.min(all[1], calm[1] + room)];
  };

  // The text about one position of one series.
  ft.reading = function ({ series, meta, trace, c }, i) {
    const unit = meta ? meta.unit : null;
    const out = { label: series.label, value: "–", more: "", flag: null, digit: " ", notes: [] };
    if (!c) return out;
    const digit = c.flags[i];
    out.digit = digit;
    out.flag = ft.flag(digit);
    const fail = c.at.fail.get(i), suspect = c.at.suspect.get(i), missing = c.at.missing.get(i);
    if (c.value[i] !== null && c.value[i] !== undefined) out.value = ft.withUnit(c.value[i], unit);
    else if (fail && trace.bin_s === null) out.value = ft.withUnit(fail[1], unit);
    else if (digit === "9") out.value = "no value";
    if (trace.bin_s === null) {
      for (const f of c.at.findings.get(i) || []) out.notes.push({ flag: f.flag, test: f.test, text: f.text });
      return out;
    }
    if (c.low && c.low[i] !== null && c.low[i] !== c.high[i]) out.more = `${ft.number(c.low[i])} … ${ft.number(c.high[i])}`;
    if (!c.has_band && out.value !== "–") out.more = c.together;
    const of = (entry, n, word) => {
      if (!entry) return;
      const values = entry.length > 2 ? ` (${entry[1] === entry[2] ? ft.number(entry[1]) : ft.number(entry[1]) + " … " + ft.number(entry[2])})` : "";
      out.notes.push({ flag: word, test: "", text: `${ft.grouped(n)} of ${ft.count(trace.rows[i], "value")} ${word}${values}` + (word === "missing" ? "" : ": zoom in for the test") });
    };
    of(fail, fail && fail[3], "failed");
    of(suspect, suspect && suspect[3], "suspect");
    of(missing, missing && missing[1], "missing");
    return out;
  };
})(window.fluxtower = window.fluxtower || {});
