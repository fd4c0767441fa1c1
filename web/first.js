// The first screen: whether data arrives, whether it is right, and whether it was sent. One row per table; tables with
// problems come first.
(function (ft) {
  "use strict";
  const LEVEL = ["well", "look", "act"];
  // Series of a table whose flags are requested for its ribbon.
  const MOST = 4;

  function answerCell(question) {
    const sign = ft.el("span", { class: "sign", "aria-hidden": "true" });
    const word = ft.el("b");
    const badge = ft.el("a", { class: "badge", href: "#/" }, sign, word);
    const why = ft.el("p");
    const node = ft.el("div", { class: "answer", "data-question": question }, badge, why);
    return {
      node, why,
      // href: the address of the view with the details.
      show(state, href, reason) {
        const a = ft.answer(question, state);
        ft.write(sign, a.sign);
        ft.write(word, a.word);
        badge.className = "badge " + (LEVEL[a.level] || "none");
        badge.setAttribute("href", href);
        node.dataset.state = state;
        if (reason !== undefined) ft.write(why, reason);
        return a.level;
      },
    };
  }

  function card(name) {
    const newest = ft.el("p", { class: "dim" });
    const cells = { alive: answerCell("alive"), right: answerCell("right"), sent: answerCell("sent") };
    const strip = ft.ribbonStrip(`flags of ${name} over the last day`);
    const share = ft.el("p", { class: "dim" });
    const node = ft.el("article", { class: "card", "data-table": name, "aria-label": name },
      ft.el("div", { class: "who" }, ft.el("h3", {}, ft.el("a", { href: `#/table/${encodeURIComponent(name)}`, text: name })), newest),
      cells.alive.node, cells.right.node, cells.sent.node,
      ft.el("div", { class: "day" }, strip.node, share));
    let table = null;
    let ribbonOf = null;

    return {
      node,
      destroy: () => strip.destroy(),
      show(t) {
        table = t;
        const level = Math.max(cells.alive.show(t.alive.state, `#/table/${encodeURIComponent(name)}`), cells.right.show(t.right.state, troubled(t), t.right.why),
          cells.sent.show(t.sent.state, "#/delivery", t.sent.why));
        node.dataset.level = LEVEL[Math.max(level, 0)];
        this.tick();
        return level;
      },
      // The age increases between two answers; the server decides the state.
      tick() {
        if (!table) return;
        const every = table.interval_s ? `one row every ${ft.duration(table.interval_s)}` : "";
        if (table.newest === null) {
          ft.write(newest, "no row yet");
          ft.write(cells.alive.why, table.alive.why || "");
          return;
        }
        ft.write(newest, `newest ${ft.clock.full(table.newest)}`);
        const age = ft.duration((ft.live.now() - table.newest) / 1e3);
        ft.write(cells.alive.why, `${age} old` + (every ? `, ${every}` : ""));
      },
      async day() {
        const t = ft.station.tables.find((one) => one.name === name);
        if (!t || t.newest === null) return ft.write(share, "no values in the last 24 h");
        const to = Math.max(t.newest, ft.state.reach().newest);
        const w = { from: to - 86400e3, to };
        const series = ft.seriesOf(t);
        const answers = await Promise.all(series.slice(0, MOST).map((s) => ft.source.ribbon(Object.assign({ table: name, bins: 144, tags: s.tags }, w))));
        const ribbon = answers[0];
        const flags = answers.slice(1).reduce((all, one) => [...all].map((f, i) => (one.times[i] === undefined ? f : merged(f, ft.worstOf(one)[i]))).join(""), ft.worstOf(ribbon));
        ribbonOf = Object.assign({}, ribbon, { rows: ribbon.rows.map((n, i) => n + answers.slice(1).reduce((sum, one) => sum + (one.rows[i] || 0), 0)) });
        // The percentages are those of whole bins, so the ribbon begins with the first one.
        strip.show(ribbonOf, flags, { from: ribbon.times[0], to });
        const sum = { good: 0, suspect: 0, fail: 0, missing: 0, not_evaluated: 0 };
        for (const one of answers) for (const c of one.columns) for (const k of Object.keys(sum)) sum[k] += c[k];
        const part = series.length > MOST ? ` of ${MOST} of ${series.length} series` : "";
        ft.fill(share, ft.shareSigns(sum), part);
        share.dataset.from = ribbon.times[0];
        strip.node.setAttribute("aria-label", `flags of ${name}, last 24 h: ${ft.shares(sum)}`);
      },
    };
  }
  // The panel of the column with the worst flags, or the flags of all columns.
  function troubled(t) {
    const worst = t.right.worst.length ? ft.panelOf(t.name, t.right.worst[0].column) : null;
    return worst ? ft.state.href({ view: "panels", arg: worst.panel.id, open: new Set([worst.row.title]), range: "24h", from: null, to: null }) : "#/flags";
  }
  const merged = (a, b) => (a === " " ? b : b === " " ? a : ft.worst(a, b));

  ft.views = ft.views || {};
  ft.views[""] = {
    title: "Overview",
    mount(root) {
      const verdict = ft.el("h2", { class: "verdict" });
      const reasons = ft.el("ul", { class: "reasons" });
      const sync = ft.el("dl", { class: "facts" });
      const list = ft.el("div", { class: "cards" });
      const cards = new Map();
      let listed = "";
      const over = ft.source.report ? `these ${ft.duration((ft.source.report.to - ft.source.report.from) / 1e3)}` : "the last 24 h";
      ft.fill(root, ft.el("section", { class: "head" }, verdict, reasons), list, sync, ft.key(`A table's ribbon: ${over}, the worst of its columns.`));

      function show() {
        const s = ft.status;
        const look = s.findings.filter((f) => f.severity !== "info").length;
        const things = (n, what) => (n === 1 ? `One thing to ${what}` : `${n} things to ${what}`);
        const said = { ok: "All well", note: things(s.findings.length, "know"), unknown: "Not everything is known yet" };
        // Suspect values do not need a user at once, but are not called well either.
        const doubts = s.state === "ok" && s.tables.some((t) => t.right.state === "suspect");
        if (doubts) said.ok = "All is delivered; some values are suspect";
        const calm = !doubts && (s.state === "ok" || s.state === "note");
        ft.fill(verdict, ft.el("span", { class: `badge ${calm ? "well" : "look"}` }, ft.el("span", { class: "sign", "aria-hidden": "true", text: calm ? "✓" : s.state === "unknown" ? "–" : "!" })),
          said[s.state] || things(look, "look at"));
        if (listed !== JSON.stringify(s.findings)) {
          // Replaced only if it differs, so that a command that is being copied stays selected.
          listed = JSON.stringify(s.findings);
          ft.fill(reasons, ft.findings(s.findings));
        }
        if (!s.tables.length) {
          ft.fill(list, ft.empty("No table yet", "The configuration has no table, or nothing has been read. `fluxtower ingest` reads the logger's files."));
          return facts(s);
        }
        const order = s.tables.map((t, i) => {
          if (!cards.has(t.name)) cards.set(t.name, card(t.name));
          return { t, i, level: cards.get(t.name).show(t), dead: t.alive.state === "dead" };
        });
        order.sort((a, b) => b.dead - a.dead || b.level - a.level || a.i - b.i);
        const nodes = order.map(({ t }) => cards.get(t.name).node);
        if (nodes.some((node, i) => list.children[i] !== node)) list.replaceChildren(...nodes);
        facts(s);
      }

      function facts(s) {
        const ago = (at) => (at === null ? "never" : `${ft.duration((ft.live.now() - at) / 1e3)} ago`);
        const pending = s.tables.reduce((sum, t) => sum + t.sent.pending, 0);
        const backlog = pending === 0 ? "none" : ft.count(pending, "row") + (s.sync.pending_bytes ? `, about ${ft.bytes(s.sync.pending_bytes)}` : "") + (s.sync.drain_s === null ? "" : s.sync.drain_s === 0 ? ", the next sync can send them" : `, about ${ft.duration(s.sync.drain_s)} to drain`);
        const fact = (name, value) => ft.el("div", {}, ft.el("dt", { text: name }), ft.el("dd", { text: value }));
        ft.fill(sync, fact("last ingest", ago(s.sync.last_ingest)), fact("last sync", ago(s.sync.last_sync)), fact("last acknowledged", ago(s.sync.last_acknowledged)),
          fact("pending", backlog), fact("destination", `${ft.station.destination.kind}, ${ft.station.destination.where}`),
          s.sync.last_failure ? fact("last failure", s.sync.last_failure) : null);
      }

      function days() {
        for (const one of cards.values()) one.day().catch(() => {});
      }

      show();
      // The answers are requested first, then the ribbons.
      setTimeout(days);
      return {
        update() {},
        refresh() {
          show();
          days();
        },
        status: show,
        second() {
          cards.forEach((one) => one.tick());
          facts(ft.status);
        },
        destroy: () => cards.forEach((one) => one.destroy()),
      };
    },
  };
})(window.fluxtower = window.fluxtower || {});
