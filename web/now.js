// The newest value of each sensor, its age, and whether it is usual for the hour.
//
// Usual is the range of the same hours on the previous 14 days: the half hour of the newest value and its two
// neighbours on each of these days. With fewer than 5 such days nothing is shown.
(function (ft) {
  "use strict";
  const DAYS = 14;
  const LEAST = 5;
  const DAY = 86400e3;

  // {low, high, days}: the range of these half hours, without the day of `at` itself; null if there are too few.
  function usual(halves, column, at) {
    const step = ft.halfHours.STEP;
    const by = new Map(halves.times.map((time, i) => [time, column.value[i]]));
    const middle = Math.floor(at / step) * step;
    const found = [];
    let days = 0;
    for (let back = 1; back <= DAYS; back++) {
      const there = [-1, 0, 1].map((by_) => middle - back * DAY + by_ * step).map((time) => by.get(time)).filter((value) => value !== null && value !== undefined);
      if (there.length) days += 1;
      found.push(...there);
    }
    return days < LEAST ? null : { low: Math.min(...found), high: Math.max(...found), days };
  }

  function judged(value, known, column) {
    // A direction has no lowest and highest value, a sum of a half hour cannot be compared with a row's value, and a
    // code is a name.
    if (!known || value === null || !["linear", "maximum", "minimum"].includes(column.kind)) return null;
    const room = (known.high - known.low) * 0.05;
    if (value < known.low - room) return "low";
    if (value > known.high + room) return "high";
    return "usual";
  }

  async function readTable(table, tags, signal) {
    const columns = table.columns.map((column) => column.name);
    const to = table.newest;
    const series = table.columns.map((column) => ({ table: table.name, column: column.name, tags, label: column.name, colour: ft.ink("accent"), dash: 0 }));
    const [newest, course, halves] = await Promise.all([
      ft.traces(series, ft.newestRows(table, to), 200, null, signal, columns),
      ft.traces(series, { from: to - DAY, to }, 300, null, signal, columns),
      ft.halfHours({ table: table.name, tags }, columns, { from: to - (DAYS + 1) * DAY, to }, signal),
    ]);
    return table.columns.map((column, i) => {
      const { trace, c } = newest[i];
      const last = ft.lastOf(newest[i]);
      const at = last < 0 ? null : trace.times[last];
      const isGood = last >= 0 && "123".includes(c.flags[last]);
      const value = isGood ? c.value[last] : null;
      const known = at === null ? null : usual(halves, halves.columns[i], at);
      return { table, tags, column, at, newest: newest[i], last, value, course: course[i], window: { from: to - DAY, to }, known, is: judged(value, known, column) };
    });
  }

  // Dead or failed sensors come first, then those with unusual values.
  const rank = (one) => (one.at === null || one.newest.c.flags[one.last] === "4" || one.newest.c.flags[one.last] === "9" ? 3 : one.newest.c.flags[one.last] === "3" ? 2 : one.is === "low" || one.is === "high" ? 1 : 0);

  function tile(one, ages) {
    const reading = one.last < 0 ? null : ft.reading(one.newest, one.last);
    const unit = one.column.unit;
    const age = ft.el("span", { class: "dim" });
    const stale = 3 * (one.table.interval_s || 0);
    ages.push(() => {
      const seconds = one.at === null ? null : (ft.live.now() - one.at) / 1e3;
      ft.write(age, seconds === null ? "no value in the newest rows" : `${ft.duration(seconds)} ago`);
      age.className = seconds === null || (stale && seconds > Math.max(stale, 900)) ? "old" : "dim";
    });
    const at = ft.panelOf(one.table.name, one.column.name);
    const href = at ? ft.state.href({ view: "panels", arg: at.panel.id, open: new Set([at.row.title]), range: "24h", from: null, to: null }) : `#/table/${encodeURIComponent(one.table.name)}`;
    const said = { low: "below", high: "above", usual: "within" }[one.is];
    const range = one.known && said ? `${said} the usual ${ft.number(one.known.low)} … ${ft.withUnit(one.known.high, unit)} of this hour (${ft.count(one.known.days, "day")})` : one.known || !["linear", "maximum", "minimum"].includes(one.column.kind) ? "" : "not known yet what is usual";
    const flag = reading && reading.flag;
    return ft.el("a", { class: "panel tile", href, "data-column": one.column.name, "data-table": one.table.name, "data-usual": one.is || "unknown", "data-rank": rank(one), "data-flag": one.last < 0 ? "" : one.newest.c.flags[one.last] },
      ft.el("h3", { text: one.column.name }),
      ft.el("div", { class: "number" }, ft.el("b", { text: reading ? reading.value.split("\u202f")[0] : "–" }), unit && one.value !== null ? ft.el("span", { class: "unit", text: " " + unit }) : null,
        flag ? ft.el("span", { class: `sign ${flag.ink}`, text: ` ${flag.sign} ${flag.word}` }) : null),
      reading ? reading.notes.map((note) => ft.el("p", { class: "note", text: (note.test ? note.test + ": " : "") + note.text })) : null,
      ft.spark(one.course, one.window),
      ft.el("p", { class: one.is === "low" || one.is === "high" ? "unusual" : "dim", text: range }), age);
  }

  ft.views.now = {
    title: "Now",
    mount(root) {
      const body = ft.el("div");
      const said = ft.el("p", { class: "dim", role: "status" });
      ft.fill(root, said, body);
      let ages = [];
      let abort = null;

      async function load() {
        if (abort) abort.abort();
        abort = new AbortController();
        const { signal } = abort;
        const release = ft.work.hold();
        try {
          const known = ft.station.tables.filter((table) => table.newest !== null);
          if (!known.length) {
            ft.fill(body, ft.empty("No row yet", "`fluxtower ingest` reads the logger's files."));
            return;
          }
          const lists = await Promise.all(known.flatMap((table) => ft.seriesOf(table).map(({ tags }) => readTable(table, tags, signal))));
          if (signal.aborted) return;
          const all = lists.flat();
          ages = [];
          // The highest comes first; sensors without a height are grouped by table after the others.
          const groups = new Map();
          for (const one of all) {
            const { level } = one.column;
            const tags = Object.values(one.tags).join(", ");
            const key = level ? level.label : `${one.table.name}${tags ? ` (${tags})` : ""}`;
            if (!groups.has(key)) groups.set(key, { key, above: level ? level.metres : null, ones: [] });
            groups.get(key).ones.push(one);
          }
          const order = [...groups.values()].sort((a, b) => (a.above === null) - (b.above === null) || (b.above || 0) - (a.above || 0));
          const dead = all.filter((one) => rank(one) === 3), odd = all.filter((one) => rank(one) === 1);
          ft.write(said, [dead.length ? `${ft.count(dead.length, "column")} without a good newest value` : "Every newest value is there", odd.length ? `${ft.count(odd.length, "value")} outside the usual of the hour` : null].filter(Boolean).join("; ") + ".");
          ft.fill(body, order.map((group) => ft.el("section", { class: "level", "data-level": group.key }, ft.el("h2", { text: group.key }),
            ft.el("div", { class: "tiles" }, group.ones.sort((a, b) => rank(b) - rank(a)).map((one) => tile(one, ages))))));
          ages.forEach((act) => act());
        } catch (error) {
          ft.failed(body, error, load);
        } finally {
          release();
        }
      }
      load();
      return {
        update() {},
        refresh: load,
        second: () => ages.forEach((act) => act()),
        destroy: () => abort && abort.abort(),
      };
    },
  };
})(window.fluxtower = window.fluxtower || {});
