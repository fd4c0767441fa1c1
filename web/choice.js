// The choice of one column of one series in a view, and the program's commands for it.
(function (ft) {
  "use strict";
  const quoted = (text) => (/^[\w./:-]+$/.test(text) ? text : `"${text.replace(/(["\\$`])/g, "\\$1")}"`);
  // Station time; with milliseconds if they are not zero.
  const time = (ms) => `"${ft.clock.date(ms)} ${new Date(ft.clock.local(ms)).toISOString().slice(11, 23).replace(".000", "")}"`;

  ft.choice = {
    key: (table, column, tags) => [table, column, ...Object.values(tags || {})].join("/"),
    // All columns of all series of the station.
    all: () => ft.station.tables.flatMap((table) => ft.seriesOf(table).flatMap(({ tags }) => {
      const series = Object.values(tags).join(", ");
      return table.columns.map((column) => ({ key: ft.choice.key(table.name, column.name, tags), table: table.name, tags, column, text: `${table.name}${series ? ` (${series})` : ""}: ${column.name}` }));
    })),
    // The choice in the address, or the first one.
    of: (all) => all.find((one) => one.key === ft.state.get().arg) || all[0],
    select: (all) => ft.el("select", { "aria-label": "column", onchange: (event) => ft.state.set({ arg: event.target.value }) }, all.map((one) => ft.el("option", { value: one.key, text: one.text }))),
  };

  ft.command = {
    // Both times are included.
    flag: (table, column, from, to) => `fluxtower flag --table ${quoted(table)} --column ${quoted(column)} --from ${time(from)} --to ${time(to)} --as 4 --reason "..."`,
    export: (table, column, from, to) => `fluxtower export --table ${quoted(table)} --columns ${quoted(column)} --since ${time(from)} --until ${time(to)} --flags beside`,
    // A command with a button that copies it.
    show: (command) => ft.el("div", {}, ft.el("code", { text: command }), ft.copyButton(command)),
  };
})(window.fluxtower = window.fluxtower || {});
