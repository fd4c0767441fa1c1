// Coverage and losses of a period, usually a month: for each column, how many of the expected values exist and did not
// fail, and what is missing; and how many half hours are present and good by AmeriFlux's rule, as the server counts
// them. The view prints on A4.
//
// One value is expected per usual interval of the rows, from the table's first row to its newest one, or to the present
// time if rows no longer arrive.
(function (ft) {
  "use strict";
  const BINS = 2000;

  // The first day of a month in station time, `by` months from the present one.
  function month(by) {
    const now = new Date(ft.clock.local(ft.live.now()));
    return ft.clock.moment(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + by, 1));
  }

  async function readSeries(table, tags, w, signal) {
    const ribbon = await ft.source.ribbon({ table: table.name, from: w.from, to: w.to, bins: BINS, tags }, { signal });
    // A range that is not a whole number of bins is counted in whole bins.
    const begin = ribbon.times.length ? ribbon.times[0] : w.from;
    const end = ribbon.times.length ? ribbon.times[ribbon.times.length - 1] + ribbon.bin_s * 1e3 : w.to;
    const now = ft.source.report ? ft.source.report.to : ft.live.now();
    const interval = (table.interval_s || 0) * 1e3;
    const goesOn = now - table.newest <= Math.max(3 * interval, 900e3);
    const from = Math.max(begin, table.oldest), to = Math.min(end, goesOn ? table.newest + interval : now);
    const rows = ribbon.rows.reduce((sum, n) => sum + n, 0);
    // Stamps at whole intervals from the newest row.
    const stamps = (at) => Math.floor((table.newest - at) / interval + 1e-6);
    const expected = interval && to > from ? Math.max(1, stamps(from) - stamps(to)) : null;
    const lost = expected === null ? 0 : Math.max(0, expected - rows);
    const series = Object.values(tags).join(", ");
    // Companion columns of made tables (number and share of samples) are not values.
    const names = new Set(ribbon.columns.map((c) => c.name));
    const columns = ribbon.columns.filter((c) => !table.made_of || !/_(samples|coverage)$/.test(c.name) || !names.has(c.name.replace(/_(samples|coverage)$/, "")));
    return { table, tags, series, begin, end, rows, expected, lost, columns: columns.map((c) => {
      const there = c.good + c.suspect + c.fail + c.not_evaluated;
      return { name: c.name, there, kept: there - c.fail, suspect: c.suspect, fail: c.fail, missing: c.missing, untested: c.not_evaluated, of: c.of || "" };
    }) };
  }

  const share = (n, expected) => (expected === null ? "not known" : ft.percent(Math.min(1, n / expected)));

  // Half hours are counted after the values are shown, because this may need to read rows.
  async function countHalfHours(one, w, signal) {
    const found = await ft.source.coverage({ table: one.table.name, tags: one.tags, from: w.from, to: w.to }, { signal });
    if (signal.aborted) return;
    one.half = { n: found.half_hours, columns: found.columns };
    const low = [];
    for (const [name, cells] of one.cells) {
      const c = found.columns.find((of) => of.name === name);
      const text = (n) => (!c || !found.half_hours ? "–" : c.unknown ? "not known" : ft.percent(n / found.half_hours));
      cells.forEach((cell, i) => ft.write(cell, text(c && (i ? c.good : c.present))));
      if (c && !c.unknown && found.half_hours && c.good * 2 < found.half_hours) low.push(name);
    }
    const span = found.half_hours ? `${ft.count(found.half_hours, "half hour")} from ${ft.clock.full(found.from)} to ${ft.clock.full(found.to)}: ${found.rule}.` : "No whole half hour is in this time.";
    ft.write(one.note, low.length ? `${span} Less than 50 % of them are good of ${low.join(", ")}.` : span);
  }

  function section(one) {
    const heads = ["column", "there", "did not fail", "half hours present", "half hours good", "suspect", "failed", "missing", "not evaluated"];
    const lost = one.expected === null ? "; how many are expected is not known" : ` of ${ft.grouped(one.expected)} expected`;
    const cells = (c) => [c.name, share(c.there, one.expected), share(c.kept, one.expected), "…", "…", ...[c.suspect, c.fail, c.missing, c.untested].map(ft.grouped)];
    one.cells = new Map();
    one.note = ft.el("p", { class: "dim half-hours", text: "Half hours are counted …" });
    const line = (c) => {
      const all = cells(c).map((text, i) => (i ? ft.el("td", { "data-head": heads[i], text }) : ft.el("th", { scope: "row", text })));
      one.cells.set(c.name, [all[3], all[4]]);
      return ft.el("tr", { "data-column": c.name }, all);
    };
    return ft.el("section", { class: "list coverage", "data-table": one.table.name },
      ft.el("h2", { text: one.table.name + (one.series ? ` (${one.series})` : "") }),
      ft.el("p", { class: "dim", text: `${ft.count(one.rows, "row")}${lost}${one.columns.some((c) => c.of) ? "; counts of the whole report" : ""}.` }),
      ft.el("div", { class: "scroll" }, ft.el("table", {},
        ft.el("thead", {}, ft.el("tr", {}, heads.map((text) => ft.el("th", { scope: "col", text })))),
        ft.el("tbody", {}, one.columns.map(line)))),
      one.note);
  }

  ft.views.coverage = {
    title: "Coverage",
    ranged: true,
    mount(root) {
      const head = ft.el("section", { class: "head" });
      const body = ft.el("div");
      const losses = ft.el("section", { class: "list losses" });
      const said = ft.el("p", { class: "dim", role: "status" });
      const whole = (by) => () => ft.state.set({ range: null, from: month(by), to: month(by + 1) });
      ft.fill(root, head, ft.el("div", { class: "choice" },
        ft.source.report ? null : [ft.button("this month", whole(0)), ft.button("last month", whole(-1))], ft.button("Print", () => print()), said), body, losses);
      let abort = null;

      function verdict() {
        ft.fill(head, ft.el("p", { class: "verdict", text: ft.status.verdict }));
      }

      async function load() {
        if (abort) abort.abort();
        abort = new AbortController();
        const { signal } = abort;
        const release = ft.work.hold();
        const w = ft.state.window();
        // A range ends before its last instant, so the day after it has no bin.
        const asked = w.live ? w : { from: w.from, to: w.to - 1 };
        try {
          const known = ft.station.tables.filter((table) => table.newest !== null);
          const [all, missing] = await Promise.all([
            Promise.all(known.flatMap((table) => ft.seriesOf(table).map(({ tags }) => readSeries(table, tags, asked, signal)))),
            ft.source.gaps()]);
          if (signal.aborted) return;
          ft.write(said, all.length ? `From ${ft.clock.full(Math.min(...all.map((one) => one.begin)))} to ${ft.clock.full(Math.max(...all.map((one) => one.end)))}. Expected is one value each usual interval, since the first row and until the newest one, or until now where rows no longer come.` : "No row has been read yet.");
          ft.fill(body, all.map(section));
          const gaps = missing.gaps.map((gap) => ({ table: gap.table, from: (gap.before || gap.after).at, to: gap.after.at, what: ft.count(gap.missing, "record") }))
            .concat((missing.steps || []).map((step) => ({ table: step.series, from: step.before, to: step.after, what: ft.count(step.missing, "time step") })));
          const inside = gaps.filter((gap) => gap.to > w.from && gap.from < w.to);
          const states = ft.status.tables.filter((t) => t.sent.rejected || t.sent.expired || t.rejected_lines || t.conflicts);
          ft.listing(losses, "Losses", "None is known in this time.", [
            ...all.filter((one) => one.lost).map((one) => [one.table.name + (one.series ? ` (${one.series})` : ""), ft.clock.full(one.begin), ft.clock.full(one.end), `${ft.count(one.lost, "row")} of ${ft.grouped(one.expected)} expected not there`]),
            ...inside.map((gap) => [gap.table, ft.clock.full(gap.from), ft.clock.full(gap.to), `${gap.what} missing`]),
            ...states.map((t) => [t.name, "at any time", "", [[t.sent.rejected, "row refused by the destination", "rows refused by the destination"], [t.sent.expired, "row expired before it was sent", "rows expired before they were sent"], [t.rejected_lines, "rejected line"], [t.conflicts, "conflict"]]
              .filter(([n]) => n).map(([n, one, many]) => ft.count(n, one, many)).join("; ")]),
          ], ["table", "from", "to", "what"], (line) => line);
          await Promise.all(all.map((one) => countHalfHours(one, w, signal)));
          ft.coverage = { all: all.map((one) => ({ table: one.table.name, begin: one.begin, end: one.end, rows: one.rows, expected: one.expected, lost: one.lost, half: one.half, columns: one.columns })), gaps: inside.length };
        } catch (error) {
          ft.failed(body, error, load);
        } finally {
          release();
        }
      }

      verdict();
      load();
      return {
        update: load,
        refresh() {
          verdict();
          load();
        },
        status: verdict,
        destroy: () => abort && abort.abort(),
      };
    },
  };
})(window.fluxtower = window.fluxtower || {});
