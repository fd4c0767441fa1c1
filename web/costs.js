// What each test costs in values, and which tests could not evaluate them: shows limits that flag 15 % of a column.
(function (ft) {
  "use strict";

  const percent = (share) => (share > 0 && share < 0.0005 ? "< 0.1" : (share * 100).toFixed(1)) + " %";

  function test(t) {
    const text = t.findings ? `${t.test} ${ft.grouped(t.findings)} (${percent(t.share)})` : `${t.test} 0`;
    const parts = t.findings ? `: ${t.suspect} suspect, ${t.fail} failed` : "";
    return ft.el("span", { class: t.much ? "cost much" : "cost", title: t.test + parts, "data-test": t.test }, t.much ? ft.el("b", { text: "! " + text }) : text);
  }

  // The list below the flags. leads: returns the address of a column's values.
  ft.costs = function (leads) {
    const node = ft.el("section", { class: "list", "aria-label": "what the tests cost" }, ft.el("h2", { text: "What the tests cost" }));
    let abort = null;
    async function load(w) {
      if (abort) abort.abort();
      abort = new AbortController();
      const { signal } = abort;
      const release = ft.work.hold();
      try {
        const { tables } = await ft.source.costs(w, { signal });
        if (signal.aborted) return;
        const lines = tables.flatMap((t) => t.columns);
        const most = (c) => Math.max(0, ...c.tests.map((t) => t.share));
        lines.sort((a, b) => most(b) - most(a));
        const cut = tables.filter((t) => t.counted_from !== null).map((t) => `${t.table} from ${ft.clock.full(t.counted_from)} on`);
        const heads = ["column", "values", "missing", "flagged by test", "not evaluated"];
        const row = (c) => {
          const values = c.pass + c.not_evaluated + c.suspect + c.fail;
          const cells = [
            ft.el("a", { href: leads(c.table, c.column), text: `${c.table}.${c.column}` }),
            ft.grouped(values), ft.grouped(c.missing),
            c.tests.flatMap((t, i) => (i ? [", ", test(t)] : [test(t)])),
            c.not_evaluated ? `${ft.grouped(c.not_evaluated)}${c.not_judged_by.length ? ": not judged by " + c.not_judged_by.join(", ") : ""}` : "",
          ];
          return ft.el("tr", { "data-column": c.column, "data-table": c.table }, cells.map((cell, i) => ft.el("td", { "data-head": heads[i] }, cell)));
        };
        ft.fill(node, ft.el("h2", { text: "What the tests cost" }),
          ft.el("p", { class: "dim", text: lines.length ? "How many values each test flags. ! marks more than one value in a hundred: does the limit fit the sensor, or is the sensor faulty?" : "No column of this time has a test." }),
          ft.source.report ? ft.el("p", { class: "dim", text: "Of all the time of this report." }) : null,
          cut.length ? ft.el("p", { class: "dim", text: `The newest rows are counted: ${cut.join(", ")}.` }) : null,
          lines.length ? ft.el("div", { class: "scroll" }, ft.el("table", {}, ft.el("thead", {}, ft.el("tr", {}, heads.map((h) => ft.el("th", { scope: "col", text: h })))), ft.el("tbody", {}, lines.map(row)))) : null);
      } catch (error) {
        ft.failed(node, error, () => load(w));
      } finally {
        release();
      }
    }
    return { node, load, destroy: () => abort && abort.abort() };
  };
})(window.fluxtower = window.fluxtower || {});
