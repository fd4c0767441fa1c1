// Lists: gaps with what to do, rejected lines and refused rows, times with two contents.
(function (ft) {
  "use strict";

  // One table of a page. cells: texts; more: an element after them, or null.
  ft.listing = function (host, title, none, items, heads, cells, more) {
    ft.fill(host, ft.el("h2", { text: title }), !items.length ? ft.el("p", { class: "dim", text: none }) : ft.el("div", { class: "scroll" }, ft.el("table", {},
      ft.el("thead", {}, ft.el("tr", {}, heads.map((h) => ft.el("th", { scope: "col", text: h })), more ? ft.el("td", {}) : null)),
      ft.el("tbody", {}, items.map((item) => ft.el("tr", {}, cells(item).map((text, i) => ft.el("td", { "data-head": heads[i], text: text === null || text === undefined ? "" : String(text) })), more ? ft.el("td", {}, more(item)) : null))))));
  };

  ft.failed = function (host, error, again) {
    if (ft.isAbort(error)) return;
    ft.fill(host, ft.empty("Could not be shown", error.message, ft.button("Try again", again)));
  };

  function view(title, fetch, draw) {
    return {
      title,
      mount(root) {
        const load = async () => {
          const release = ft.work.hold();
          try {
            draw(root, await fetch());
          } catch (error) {
            ft.failed(root, error, load);
          } finally {
            release();
          }
        };
        load();
        return { update() {}, refresh: load, destroy() {} };
      },
    };
  }

  ft.views.gaps = view("Gaps", () => ft.source.gaps(), (root, answer) => {
    const gaps = ft.el("section", { class: "list" });
    const events = ft.el("section", { class: "list" });
    const missing = answer.gaps.reduce((sum, gap) => sum + gap.missing, 0);
    const recipe = (steps) => ft.el("ol", { class: "recipe" }, steps.map((step) => (step.startsWith("fluxtower ") ? ft.el("li", {}, ft.el("code", { text: step }), ft.copyButton(step)) : ft.el("li", { text: step }))));
    const show = (table, from, to) => {
      const around = Math.max(3600e3, (to - from) * 0.5);
      return ft.el("a", { href: ft.state.href({ view: "table", arg: table, range: null, from: Math.round(from - around), to: Math.round(to + around) }), text: "show" });
    };
    const unknown = answer.unknown || [];
    const whole = unknown.length ? "No record is missing where RECORD counts" : "No record is missing";
    ft.fill(gaps, ft.el("h2", { text: answer.gaps.length ? `${ft.count(missing, "record")} missing in ${ft.count(answer.gaps.length, "gap")}` : whole }),
      answer.gaps.length ? ft.el("p", { class: "dim", text: "The logger may still have the missing records. Collect them again, then read the file; rows that are in the database are not stored twice." }) : null,
      answer.gaps.map((gap) => {
        const [one, other] = gap.before ? [gap.before, gap.after].sort((a, b) => a.at - b.at) : [gap.after, gap.after];
        const between = gap.before ? `between record ${one.record} of ${ft.clock.full(one.at)} and record ${other.record} of ${ft.clock.full(other.at)}` : `before record ${gap.after.record} of ${ft.clock.full(gap.after.at)}`;
        return ft.el("article", { class: "gap" },
          ft.el("header", {}, ft.el("h3", { text: gap.table }), ft.el("span", { text: `${ft.count(gap.missing, "record")}: ${gap.first_missing} – ${gap.last_missing}` }), show(gap.table, one.at, other.at)),
          ft.el("p", { class: "dim", text: between }), recipe(gap.recipe));
      }),
      unknown.map((line) => ft.el("article", { class: "gap" }, ft.el("header", {}, ft.el("h3", { text: line.series })), ft.el("p", { class: "dim", text: line.message }))),
      (answer.steps || []).map((step) => ft.el("article", { class: "gap" },
        ft.el("header", {}, ft.el("h3", { text: step.series }), ft.el("span", { text: `${ft.count(step.missing, "time step")} missing` }), show(step.table, step.before, step.after)),
        ft.el("p", { class: "dim", text: `between ${ft.clock.full(step.before)} and ${ft.clock.full(step.after)}, if the logger was on` }), recipe(step.recipe))));
    ft.listing(events, "Restarts and clock steps", "None.", answer.events || [], ["table", "what", "when", "details"], (e) => [e.table, e.kind, ft.clock.full(e.at), e["words"]]);
    ft.fill(root, gaps, events);
  });

  ft.views.rejected = view("Rejected", () => ft.source.rejected(), (root, answer) => {
    const lines = ft.el("section", { class: "list" });
    const conflicts = ft.el("section", { class: "list" });
    const raw = (text) => ft.el("pre", { text: text === null || text === undefined ? "" : text, tabindex: "0" });
    ft.listing(lines, "Rejected lines and refused rows", "None.", answer.rejected, ["table", "what", "where", "why"], (r) => [r.table, r.kind, r.place, r.reason], (r) => raw(r.raw));
    ft.listing(conflicts, "Conflicts: times with two contents", "None.", answer.conflicts, ["table", "time", "record", "where", "kept"], (c) => [c.table, ft.clock.full(c.at), c.record, c.place, c.decided ? `${c.stays}, decision ${c.decided}` : c.stays], (c) => ft.el("div", {}, raw(c.raw), c.row === null || c.row === undefined ? null : raw(typeof c.row === "string" ? c.row : JSON.stringify(c.row))));
    ft.fill(root, lines, conflicts);
  });
})(window.fluxtower = window.fluxtower || {});
