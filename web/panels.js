// The board: rows of panels as the configuration groups them. A collapsed row requests nothing; a panel loads when it
// becomes visible.
(function (ft) {
  "use strict";
  const KINDS = { lines: (panel) => ft.lines(panel), scatter: (panel) => ft.scatter(panel), profile: (panel) => ft.profile(panel), latest: (panel) => ft.latest(panel) };

  // Loads frames while they are visible, and again if the range has changed since.
  ft.inSight = function () {
    const known = new Map();
    let turn = 0;
    const near = (node) => {
      const box = node.getBoundingClientRect();
      return box.bottom > -200 && box.top < innerHeight + 200 && box.width > 0;
    };
    const load = (entry, quiet) => {
      if (entry.turn === turn) return;
      entry.turn = turn;
      entry.act(ft.state.window(), quiet);
    };
    const watch = new IntersectionObserver((seen) => seen.forEach((one) => {
      const entry = known.get(one.target);
      if (!entry) return;
      entry.near = one.isIntersecting;
      if (entry.near) load(entry);
    }), { rootMargin: "200px" });
    return {
      // act(w, quiet) loads; stretch(w) moves the old drawing.
      add(node, act, stretch) {
        const entry = { act, stretch, turn: -1, near: near(node) };
        known.set(node, entry);
        watch.observe(node);
        if (entry.near) load(entry);
      },
      remove(node) {
        known.delete(node);
        watch.unobserve(node);
      },
      moved(quiet) {
        turn += 1;
        for (const [node, entry] of known) {
          if (near(node)) load(entry, quiet);
          else entry.stretch(ft.state.window());
        }
      },
      destroy: () => watch.disconnect(),
    };
  };

  // Finds the panel of a column: {row, panel}, or null.
  ft.panelOf = function (table, column) {
    for (const row of ft.station.rows) {
      for (const panel of row.panels) if (panel.kind !== "latest" && panel.series.some((s) => s.table === table && s.column === column)) return { row, panel };
    }
    return null;
  };

  ft.views.panels = {
    title: "Panels",
    ranged: true,
    mount(root) {
      const rows = ft.station.rows;
      if (!rows.length) return ft.emptyView(root, "No panel yet", "Panels follow from the columns of the tables. `fluxtower ingest` reads the logger's files; `[[panel]]` in the configuration adds one.");
      const sight = ft.inSight();
      const frames = [];

      const opened = () => {
        const s = ft.state.get();
        const open = s.open || new Set([rows[0].title]);
        const wanted = s.arg && rows.find((row) => row.panels.some((p) => p.id === s.arg));
        if (wanted && !s.open) return new Set([wanted.title]);
        return open;
      };

      const parts = rows.map((row) => {
        const grid = ft.el("div", { class: "grid" });
        const button = ft.el("button", { type: "button", class: "fold", onclick: () => {
          const open = new Set(opened());
          if (!open.delete(row.title)) open.add(row.title);
          ft.state.set({ open, arg: "" }, true);
        } }, ft.el("span", { class: "arrow", "aria-hidden": "true" }), ft.el("span", { text: row.title }), ft.el("span", { class: "dim", text: ft.count(row.panels.length, "panel") }));
        const node = ft.el("section", { class: "row" }, ft.el("h2", {}, button), grid);
        return { row, grid, button, node, mine: [] };
      });
      ft.fill(root, parts.map((p) => p.node), ft.key());

      function fold() {
        const open = opened();
        for (const part of parts) {
          const is = open.has(part.row.title);
          part.button.setAttribute("aria-expanded", String(is));
          part.grid.hidden = !is;
          if (is && !part.mine.length) {
            part.mine = part.row.panels.map((panel) => (KINDS[panel.kind] || KINDS.lines)(panel));
            ft.add(part.grid, part.mine.map((frame) => frame.node));
            for (const frame of part.mine) {
              frames.push(frame);
              sight.add(frame.node, (w, quiet) => frame.load(w, quiet), (w) => frame.stretch(w));
            }
          } else if (!is && part.mine.length) {
            for (const frame of part.mine) {
              sight.remove(frame.node);
              frames.splice(frames.indexOf(frame), 1);
              frame.destroy();
            }
            part.mine = [];
          }
        }
      }

      function reveal() {
        const { arg } = ft.state.get();
        const frame = arg && frames.find((one) => one.panel.id === arg);
        if (frame) frame.node.scrollIntoView({ block: "center" });
      }

      fold();
      reveal();
      return {
        update(why) {
          fold();
          sight.moved();
          if (why === "link") frames.forEach((frame) => frame.again());
        },
        refresh: () => sight.moved(true),
        redraw: () => frames.forEach((frame) => frame.again()),
        destroy() {
          sight.destroy();
          frames.forEach((frame) => frame.destroy());
        },
      };
    },
  };
})(window.fluxtower = window.fluxtower || {});
