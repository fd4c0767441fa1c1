// Flags: every column over time at a glance, each cell a link to its values; what the tests cost; and the flags by hand.
(function (ft) {
  "use strict";
  const ROW = 18;

  // The panel that shows a column, otherwise its table, around a time.
  function leadsTo(table, column, from, to) {
    const at = ft.panelOf(table, column);
    const patch = { range: null, from, to };
    return Object.assign(patch, at ? { view: "panels", arg: at.panel.id, open: new Set([at.row.title]) } : { view: "table", arg: table, open: null });
  }

  function block(table, tags) {
    const labels = ft.el("div", { class: "labels" });
    const canvas = ft.el("canvas", { class: "heat", "aria-hidden": "true" });
    const tip = ft.el("div", { class: "tip", hidden: true });
    const axis = ft.el("canvas", { class: "timeaxis", "aria-hidden": "true" });
    const stage = ft.el("div", { class: "stage" }, canvas, axis, tip);
    const series = Object.entries(tags).map(([k, v]) => `${k} ${v}`).join(", ");
    const note = ft.el("p", { class: "dim" });
    const node = ft.el("section", { class: "panel heatmap", "aria-label": table.name },
      ft.el("header", {}, ft.el("h3", {}, ft.el("a", { href: `#/table/${encodeURIComponent(table.name)}`, text: table.name }), series ? ft.el("span", { class: "dim", text: " " + series }) : null)),
      ft.el("div", { class: "matrix" }, labels, stage), note);
    let ribbon = null;
    let w = null;
    let abort = null;

    function draw() {
      if (!ribbon) return;
      const ratio = window.devicePixelRatio || 1;
      const n = ribbon.columns.length;
      canvas.style.height = n * ROW + "px";
      const width = Math.round(stage.clientWidth * ratio);
      if (!width) return;
      canvas.width = width;
      canvas.height = n * ROW * ratio;
      const ctx = canvas.getContext("2d");
      const inks = ft.ribbonInks(ctx);
      ribbon.columns.forEach((c, i) => ft.ribbonRow(ctx, ribbon, c.flags, w, { x: 0, y: (i * ROW + 2) * ratio, width, height: (ROW - 4) * ratio }, inks));
      axis.width = width;
      axis.height = 18 * ratio;
      const a = axis.getContext("2d");
      const { ticks, step } = ft.scale.timeTicks(w.from, w.to, stage.clientWidth / 90);
      const texts = ft.scale.timeLabels(ticks, step);
      a.fillStyle = ft.ink("dim");
      a.font = `${11 * ratio}px system-ui, sans-serif`;
      a.textAlign = "center";
      ticks.forEach((t, i) => {
        const x = ((t - w.from) / (w.to - w.from)) * width;
        const text = texts[i].replace("\n", " ");
        const half = a.measureText(text).width / 2;
        a.fillText(text, Math.min(Math.max(x, half), width - half), 13 * ratio);
      });
    }

    function at(event) {
      const box = canvas.getBoundingClientRect();
      const row = Math.floor((event.clientY - box.top) / ROW);
      const time = w.from + ((event.clientX - box.left) / box.width) * (w.to - w.from);
      const bin = ribbon.times.findIndex((t) => time >= t && time < t + ribbon.bin_s * 1e3);
      return { c: ribbon.columns[row], time, bin, x: event.clientX - box.left, y: event.clientY - box.top };
    }

    canvas.addEventListener("mousemove", (event) => {
      if (!ribbon) return;
      const { c, bin, x, y } = at(event);
      tip.hidden = !c || bin < 0;
      if (tip.hidden) return;
      const flag = ft.flag(c.flags[bin]);
      ft.fill(tip, ft.el("time", { text: ft.clock.full(ribbon.times[bin]) + `, ${ft.duration(ribbon.bin_s)}` }), ft.el("p", { text: c.name }),
        !ribbon.rows[bin] ? ft.el("p", { text: "no record" }) : flag ? ft.el("span", { class: `sign ${flag.ink}`, text: `${flag.sign} worst: ${flag.word}` }) : ft.el("p", { text: "no value" }));
      tip.style.left = Math.max(0, Math.min(x + 12, stage.clientWidth - tip.offsetWidth - 4)) + "px";
      tip.style.top = y + 14 + "px";
    });
    canvas.addEventListener("mouseleave", () => (tip.hidden = true));
    canvas.addEventListener("click", (event) => {
      if (!ribbon) return;
      const { c, bin } = at(event);
      if (!c || bin < 0) return;
      const half = ribbon.bin_s * 1e3 * 8;
      const middle = ribbon.times[bin] + ribbon.bin_s * 500;
      ft.state.set(leadsTo(table.name, c.name, Math.round(middle - half), Math.round(middle + half)));
    });
    const watch = new ResizeObserver(ft.eachFrame(draw));
    watch.observe(stage);

    return {
      node, draw,
      async load(window_, quiet) {
        const known = ft.station.tables.find((t) => t.name === table.name);
        if (!known || known.newest === null) return ft.write(note, "No row of this table has been read yet.");
        if (abort) abort.abort();
        abort = new AbortController();
        const { signal } = abort;
        const release = ft.work.hold();
        if (!quiet) node.classList.add("loading");
        try {
          const got = await ft.source.ribbon({ table: table.name, from: window_.from, to: window_.to, bins: Math.min(400, Math.max(100, Math.round(stage.clientWidth / 3))), tags }, { signal });
          if (signal.aborted) return;
          ribbon = got;
          w = window_;
          ft.fill(labels, ribbon.columns.map((c) => ft.el("a", { href: ft.state.href(leadsTo(table.name, c.name, Math.round(w.from), Math.round(w.to))), title: `${c.name}: ${ft.shares(c)}`, "aria-label": `${c.name}: ${ft.shares(c)}` }, ft.el("span", { text: c.name }))));
          ft.write(note, "");
          draw();
        } catch (error) {
          if (!ft.isAbort(error)) ft.write(note, error.message);
        } finally {
          node.classList.remove("loading");
          release();
        }
      },
      destroy() {
        if (abort) abort.abort();
        watch.disconnect();
      },
    };
  }

  ft.views.flags = {
    title: "Flags",
    ranged: true,
    mount(root) {
      const sight = ft.inSight();
      const blocks = ft.station.tables.flatMap((table) => ft.seriesOf(table).map(({ tags }) => block(table, tags)));
      const hand = ft.el("section", { class: "list" });
      const costs = ft.costs((table, column) => ft.state.href(leadsTo(table, column, Math.round(ft.state.window().from), Math.round(ft.state.window().to))));
      ft.fill(root, ft.key(), blocks.map((b) => b.node), costs.node, hand);
      sight.add(costs.node, (w) => costs.load(w), () => {});
      for (const b of blocks) sight.add(b.node, (w, quiet) => b.load(w, quiet), () => {});

      async function byHand() {
        const release = ft.work.hold();
        try {
          const { flags } = await ft.source.flags();
          ft.listing(hand, "Flags by hand", "None. `fluxtower flag` sets one with a reason.", flags,
            ["table", "column", "from", "to", "flag", "reason", "made"], (f) => [f.table, f.column || "every column", ft.clock.full(f.from), ft.clock.full(f.to), f.flag + (f.revoked === null ? "" : " (revoked)"), f.reason, ft.clock.full(f.made)],
            (f) => ft.el("a", { href: ft.state.href(leadsTo(f.table, f.column, f.from - (f.to - f.from) - 6e4, f.to + (f.to - f.from) + 6e4)), text: "show" }));
        } catch (error) {
          ft.failed(hand, error, byHand);
        } finally {
          release();
        }
      }
      byHand();
      return {
        update: () => sight.moved(),
        refresh() {
          sight.moved(true);
          byHand();
        },
        redraw: () => blocks.forEach((b) => b.draw()),
        destroy() {
          sight.destroy();
          costs.destroy();
          blocks.forEach((b) => b.destroy());
        },
      };
    },
  };
})(window.fluxtower = window.fluxtower || {});
