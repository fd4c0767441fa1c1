// One table: every column as a small drawing with its ribbon and its counts.
(function (ft) {
  "use strict";
  const TOGETHER = 10;
  const INKS = ["#2a78b5", "#7b5ea7", "#2e8b6f", "#a3622a", "#b04a7a", "#5d7a1f"];

  ft.views.table = {
    title: "Table",
    ranged: true,
    mount(root) {
      const { arg } = ft.state.get();
      const table = ft.station.tables.find((t) => t.name === arg);
      const names = ft.el("nav", { class: "tabs", "aria-label": "tables" }, ft.station.tables.map((t) =>
        ft.el("a", { href: ft.state.href({ view: "table", arg: t.name }), "aria-current": t.name === arg ? "page" : null, text: t.name })));
      if (!table) {
      const text = arg ? `The configuration has no table "${arg}".` : "Every column of a table, with its flags.";
      ft.fill(root, names, ft.empty(arg ? "No such table" : "Choose a table", text));
        return { update() {}, refresh() {}, destroy() {} };
      }
      const sight = ft.inSight();
      const parts = [];
      const head = ft.el("section", { class: "head" });
      const body = ft.el("div");
      ft.fill(root, names, head, body, ft.key());

      const series = ft.seriesOf(table);
      const columns = table.columns;
      for (const { tags } of series) {
        const label = Object.entries(tags).map(([k, v]) => `${k} ${v}`).join(", ");
        const grid = ft.el("div", { class: "grid small" });
        ft.add(body, [label ? ft.el("h3", { class: "tags", text: label }) : null, grid]);
        columns.forEach((column, i) => {
          const first = Math.floor(i / TOGETHER) * TOGETHER;
          const panel = {
            id: `${table.name}-${i}-${parts.length}`, title: column.name, kind: "lines", axis: { unit: column.unit, bounds: column.bounds }, right: null, mean_s: null,
            description: about(column), together: columns.slice(first, first + TOGETHER).map((c) => c.name),
            series: [{ table: table.name, column: column.name, field: column.field, tags, label: column.name, colour: INKS[i % INKS.length], dash: 0 }],
          };
          const frame = ft.lines(panel, { height: 150, limits: true, compact: true });
          const strip = ft.ribbonStrip(`flags of ${column.name}`);
          const shares = ft.el("p", { class: "dim" });
          frame.legend.append(strip.node, shares);
          if (column.level || column.quantity) frame.head.append(ft.el("span", { class: "dim", text: [column.quantity, column.level && column.level.label].filter(Boolean).join(", ") }));
          grid.append(frame.node);
          parts.push({ frame, strip, shares, tags, column });
        });
      }
      for (const part of parts) sight.add(part.frame.node, (w, quiet) => part.frame.load(w, quiet), (w) => part.frame.stretch(w));

      function counts() {
        const t = ft.status.tables.find((one) => one.name === table.name);
        if (!t) return ft.fill(head, ft.empty("Never been read", "No file of this table has been read yet."));
        const fact = (name, value) => ft.el("div", {}, ft.el("dt", { text: name }), ft.el("dd", { text: value }));
        ft.fill(head, ft.el("dl", { class: "facts" },
          fact("rows", ft.grouped(t.rows)), fact("newest", t.newest === null ? "none" : ft.clock.full(t.newest)),
          fact("usual interval", t.interval_s ? ft.duration(t.interval_s) : "not known"),
          fact("pending", ft.grouped(t.sent.pending)), fact("sent", ft.grouped(t.sent.sent)), fact("refused", ft.grouped(t.sent.rejected)), fact("expired", ft.grouped(t.sent.expired)),
          fact("conflicts", ft.grouped(t.conflicts)), fact("rejected lines", ft.grouped(t.rejected_lines)), fact("held lines", ft.grouped(t.held_lines)), fact("missing records", ft.grouped(t.records_missing)),
          fact("sent as", table.measurement + (table.bucket ? ` in ${table.bucket}` : ""))));
      }

      // The ribbon is aligned with the plot above it.
      function beneath(part) {
        const drawing = part.frame.drawing();
        if (!drawing) return;
        const { u } = drawing.plot;
        const left = u.bbox.left / ft.draw.ratio();
        part.strip.node.style.marginLeft = left + "px";
        part.strip.node.style.width = u.bbox.width / ft.draw.ratio() + "px";
      }

      let abort = null;
      async function ribbons() {
        if (ft.station.tables.find((t) => t.name === table.name).newest === null) return;
        if (abort) abort.abort();
        abort = new AbortController();
        const { signal } = abort;
        const release = ft.work.hold();
        const w = ft.state.window();
        try {
          for (const { tags } of series) {
            const ribbon = await ft.source.ribbon({ table: table.name, from: w.from, to: w.to, bins: 200, tags }, { signal });
            if (signal.aborted) return;
            for (const part of parts) {
              if (part.tags !== tags) continue;
              const c = ribbon.columns.find((one) => one.name === part.column.name);
              if (!c) continue;
              beneath(part);
              part.strip.show(ribbon, c.flags, w);
              ft.write(part.shares, ft.shares(c));
            }
          }
        } catch (_) { /* the drawings above show the error */ } finally {
          release();
        }
      }

      counts();
      ribbons();
      return {
        update() {
          names.querySelectorAll("a").forEach((a, i) => a.setAttribute("href", ft.state.href({ view: "table", arg: ft.station.tables[i].name })));
          sight.moved();
          ribbons();
        },
        refresh() {
          counts();
          sight.moved(true);
          ribbons();
        },
        status: counts,
        redraw() {
          parts.forEach((part) => {
            beneath(part);
            part.strip.draw();
          });
        },
        destroy() {
          if (abort) abort.abort();
          sight.destroy();
          parts.forEach((part) => {
            part.strip.destroy();
            part.frame.destroy();
          });
        },
      };
    },
  };

  function about(c) {
    const open = (v, side) => (v === null || v === undefined ? side : ft.number(v));
    const range = (r, word) => (r ? `${word} outside ${open(r[0], "−∞")} … ${open(r[1], "∞")}${c.unit ? " " + c.unit : ""}` : null);
    const sent = c.sent ? `sent as ${c.field}` : "not sent";
    return [sent, c.variable && `AmeriFlux ${c.variable}`, c.sensor && `sensor ${c.sensor}`, range(c.suspect, "suspect"), range(c.fail, "failed"), c.tests.length ? `tests: ${c.tests.join(", ")}` : "no test"].filter(Boolean).join("; ") + ".";
  }
})(window.fluxtower = window.fluxtower || {});
