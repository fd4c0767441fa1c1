// Values: the rows of a plot, as in the file, with their flags and findings. The user can click a row's time to mark an
// interval for a flag by hand.
(function (ft) {
  "use strict";
  const ROWS = 200;
  const AT_ONCE = 5000;
  // A table of this length can still be opened in a spreadsheet; `fluxtower export` has no limit.
  const MOST = 100000;

  // {at, text, digit, notes: [{test, flag, text}]} of every row of an answer.
  function rowsOf(answer) {
    const c = answer.columns[0];
    const notes = new Map();
    for (const [i, test, flag, text] of c.findings) notes.set(i, (notes.get(i) || []).concat({ test, flag, text }));
    return answer.times.map((at, i) => ({ at, text: c.text[i], digit: c.flags[i], notes: notes.get(i) || [] }));
  }

  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  // A text that a spreadsheet would execute as a formula gets an apostrophe before it.
  const harmless = (text) => (/^[=+\-@\t]/.test(text) && !Number.isFinite(Number(text)) ? "'" + text : text);
  function csv(column, rows) {
    const offset = (at) => {
      const minutes = Math.round(ft.clock.offset(at) / 6e4), size = Math.abs(minutes);
      return `${minutes < 0 ? "-" : "+"}${String(Math.floor(size / 60)).padStart(2, "0")}:${String(size % 60).padStart(2, "0")}`;
    };
    const stamp = (at) => new Date(ft.clock.local(at)).toISOString().slice(0, -1).replace(".000", "") + offset(at);
    const word = (digit) => (ft.flag(digit) || { word: "" }).word;
    return [["time", column, "flag", "test", "why"], ...rows.map((row) => [stamp(row.at), row.text === null ? "" : harmless(row.text), word(row.digit), row.notes.map((n) => n.test).join("; "), row.notes.map((n) => harmless(n.text)).join("; ")])]
      .map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
  }

  function save(name, text) {
    const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    ft.el("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1e4);
  }

  ft.views.values = {
    title: "Values",
    ranged: true,
    mount(root) {
      const all = ft.choice.all();
      if (!all.length) return ft.emptyView(root, "No column yet", "`fluxtower ingest` reads the logger's files.");
      const select = ft.choice.select(all);
      const said = ft.el("p", { class: "dim", role: "status" });
      const body = ft.el("tbody");
      const more = ft.button(`${ROWS} more rows`, () => load(true));
      const save_ = ft.button("Save as CSV", () => whole());
      const hand = ft.el("div", { class: "hand" });
      const HEADS = ["time", "value", "flag", "test", "why"];
      ft.fill(root, ft.el("div", { class: "choice" }, select, save_, said), hand,
        ft.el("div", { class: "scroll values" }, ft.el("table", {}, ft.el("thead", {}, ft.el("tr", {}, HEADS.map((text) => ft.el("th", { scope: "col", text })))), body)), more);

      let choice = null;
      let w = null;
      let rows = [];
      let next = null;
      let abort = null;
      // The state of a download in progress.
      let saving = null;

      const ask = (from, count, signal) => ft.source.values({ table: choice.table, columns: [choice.column.name], tags: choice.tags, from, to: w.to, rows: count }, { signal });

      // The first time marks one row, the second the rows between.
      function mark(at) {
        const { mark } = ft.state.get();
        ft.state.set({ mark: mark && mark.from === mark.to && mark.from !== at ? { from: Math.min(mark.from, at), to: Math.max(mark.from, at) } : { from: at, to: at } }, true);
      }

      function marked() {
        const { mark } = ft.state.get();
        for (const line of body.children) line.setAttribute("aria-selected", String(Boolean(mark && line.at >= mark.from && line.at <= mark.to)));
        ft.fill(hand, mark && choice ? [ft.el("p", { class: "dim", text: `Marked: ${ft.clock.span(mark.from, mark.to)}. To flag it (3 suspect, 4 fail), write the reason:` }),
          ft.command.show(ft.command.flag(choice.table, choice.column.name, mark.from, mark.to)), ft.button("Remove the mark", () => ft.state.set({ mark: null }, true))]
          : ft.el("p", { class: "dim", text: "A click on a time marks the row, a second one the rows between, for a flag by hand." }));
      }

      function line(row) {
        const flag = ft.flag(row.digit);
        const cells = [ft.button(ft.clock.full(row.at), () => mark(row.at), { class: "mark" }), row.text === null ? "" : row.text,
          flag ? ft.el("span", { class: `sign ${flag.ink}`, text: `${flag.sign} ${flag.word}` }) : "not in the row", row.notes.map((n) => n.test).join("; "), row.notes.map((n) => n.text).join("; ")];
        const node = ft.el("tr", { "data-at": row.at }, cells.map((one, i) => ft.el("td", { "data-head": HEADS[i] }, one)));
        node.at = row.at;
        return node;
      }

      async function load(further, quiet) {
        if (abort) abort.abort();
        abort = new AbortController();
        const { signal } = abort;
        const release = ft.work.hold();
        choice = ft.choice.of(all);
        select.value = choice.key;
        if (!further) w = ft.state.window();
        if (!quiet) root.classList.add("loading");
        try {
          if (ft.station.tables.find((t) => t.name === choice.table).newest === null) return ft.write(said, "No row of this table has been read yet.");
          // The visible rows are kept after a commit.
          const answer = await ask(further ? next : w.from, further ? ROWS : quiet ? Math.min(AT_ONCE, Math.max(ROWS, rows.length)) : ROWS, signal);
          if (signal.aborted) return;
          if (!further) rows = [];
          const fresh = rowsOf(answer);
          rows = rows.concat(fresh);
          next = answer.next;
          if (!further) body.replaceChildren();
          ft.add(body, fresh.map(line));
          more.hidden = next === null;
          save_.disabled = !rows.length;
          const unit = choice.column.unit ? ` in ${choice.column.unit}` : "";
          ft.write(said, !rows.length ? "No row in this time." : `${next === null ? "All" : "The first"} ${ft.count(rows.length, "row")} of ${ft.clock.span(w.from, w.to)}${unit}, as the file spells them.`);
          marked();
        } catch (error) {
          if (!ft.isAbort(error)) ft.write(said, error.message);
        } finally {
          root.classList.remove("loading");
          release();
        }
      }

      async function whole() {
        save_.disabled = true;
        more.disabled = true;
        saving = new AbortController();
        const { signal } = saving;
        try {
          const out = rows.slice();
          for (let at = next; at !== null && out.length < MOST;) {
            ft.write(said, `${ft.count(out.length, "row")} read …`);
            const answer = await ask(at, AT_ONCE, signal);
            out.push(...rowsOf(answer));
            at = answer.next;
            if (at !== null && out.length >= MOST) ft.fill(said, `The file holds the first ${ft.count(MOST, "row")}. For all of them: `, ft.command.show(ft.command.export(choice.table, choice.column.name, w.from, w.to)));
          }
          const text = csv(choice.column.name, out.slice(0, MOST));
          if (out.length <= MOST && !said.querySelector("code")) ft.write(said, `${ft.count(Math.min(out.length, MOST), "row")} in the file.`);
          ft.values = { csv: text };
          save(`${choice.table}-${choice.column.name}.csv`.replace(/[^\w.-]+/g, "_"), text);
        } catch (error) {
          if (!ft.isAbort(error)) ft.write(said, error.message);
        } finally {
          saving = null;
          save_.disabled = false;
          more.disabled = false;
        }
      }

      const stop = () => saving && saving.abort();

      load();
      return {
        update: () => {
          const { from, to } = ft.state.window();
          if (choice && w && ft.choice.of(all).key === choice.key && from === w.from && to === w.to) marked();
          else {
            stop();
            load();
          }
        },
        // A commit does not end a download; the next download has its rows.
        refresh: () => saving || load(false, true),
        destroy() {
          stop();
          if (abort) abort.abort();
        },
      };
    },
  };
})(window.fluxtower = window.fluxtower || {});
