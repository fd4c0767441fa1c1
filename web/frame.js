// The frame of every drawing: its title, its legend, and a message where there is nothing to draw. It requests the values,
// cancels requests that are no longer needed, and keeps the old drawing, dimmed, until the new one is ready.
(function (ft) {
  "use strict";

  // panel: {id, title, description, series}. make(frame) → {stretch(w), show(got, w), destroy()} and optionally
  // {window(w): the window to request, points(): how many, more(w, signal): requests further data}.
  ft.frame = function (panel, make) {
    const body = ft.el("div", { class: "plot" });
    const over = ft.el("div", { class: "over", hidden: true });
    const legend = ft.el("div", { class: "legend" });
    const about = panel.description ? ft.el("details", { class: "about" }, ft.el("summary", { "aria-label": `about ${panel.title}`, text: "i" }), ft.el("p", { text: panel.description })) : null;
    const hand = ft.source.report ? null : byHand(panel);
    const head = ft.el("header", {}, ft.el("h3", { text: panel.title }), about, hand ? hand.node : null);
    const node = ft.el("section", { class: `panel ${panel.kind}`, id: "panel-" + panel.id, "aria-label": panel.title },
      head, ft.el("div", { class: "stage" }, body, over), legend);

    let drawing = null;
    let abort = null;
    let shown = null;
    let wanted = null;

    function message(title, text, ...actions) {
      ft.fill(over, ft.empty(title, text, ...actions));
      over.hidden = false;
    }

    function nothing(w) {
      const tables = [...new Set(panel.series.map((s) => s.table))];
      const known = ft.station.tables.filter((t) => tables.includes(t.name) && t.newest !== null);
      if (!known.length) return message("No row yet", `No row of ${tables.join(", ")} has been read.`);
      const newest = Math.max(...known.map((t) => t.newest));
      const span = w.to - w.from;
      message("No row in this time", `The newest row is from ${ft.clock.full(newest)}.`,
        ft.button("Go there", () => ft.state.zoom(newest - span, newest + span * 0.02)));
    }

    async function load(w, quiet) {
      if (abort) abort.abort();
      abort = new AbortController();
      const mine = abort;
      wanted = w;
      if (hand) hand.show();
      const release = ft.work.hold();
      if (!drawing) drawing = make(self);
      drawing.stretch(w);
      if (!quiet) node.classList.add("loading");
      node.setAttribute("aria-busy", "true");
      try {
        const asked = drawing.window ? drawing.window(w) : w;
        const [got] = await Promise.all([ft.traces(panel.series, asked, drawing.points(), panel.mean_s, mine.signal, panel.together), ft.sun.load(w, mine.signal)]);
        if (drawing.more) await drawing.more(w, mine.signal);
        if (mine.signal.aborted) return;
        shown = got;
        over.hidden = true;
        if (!drawing.more && got.every(({ trace }) => !trace.times.length)) nothing(w);
        drawing.show(got, w);
      } catch (error) {
        if (ft.isAbort(error) || mine.signal.aborted) return;
        if (!ft.live.connected() && shown) return;
        message("Could not be drawn", error.message, ft.button("Try again", () => load(wanted)));
      } finally {
        if (mine === abort) {
          node.classList.remove("loading");
          node.removeAttribute("aria-busy");
        }
        release();
      }
    }

    const self = {
      panel, node, body, legend, head,
      load,
      // The range changed while the panel was not visible: the old drawing would be wrong when it becomes visible.
      stretch: (w) => drawing && drawing.stretch(w),
      again: () => drawing && shown && drawing.show(shown, wanted),
      got: () => shown,
      drawing: () => drawing,
      destroy() {
        if (abort) abort.abort();
        if (drawing) drawing.destroy();
        drawing = null;
        node.remove();
      },
    };
    return self;
  };

  // Links to the rows of the plot and the commands that flag its columns, because the page itself changes nothing. They
  // are for the marked interval, or for the visible time.
  function byHand(panel) {
    const commands = ft.el("div", { class: "commands" });
    const show = () => {
      if (!details.open) return;
      const { mark } = ft.state.get();
      const w = mark || ft.state.window();
      const marker = ft.button("Mark with the next drag", () => {
        ft.plot.marks(true);
        details.open = false;
      });
      const columns = new Map(panel.series.map((s) => [ft.choice.key(s.table, s.column, s.tags), s]));
      const rows = ft.el("p", {}, "Rows: ", [...columns].slice(0, 20).flatMap(([key, s]) => [ft.el("a", { href: ft.state.href({ view: "values", arg: key, hide: new Set(), open: null }), text: s.label }), " "]));
      const flags = new Map(panel.series.map((s) => [JSON.stringify([s.table, s.column]), s]));
      ft.fill(commands, rows, ft.el("p", { text: `Flag ${mark ? "the marked interval" : "the time in sight"} by hand (3 suspect, 4 fail), with your reason. Alt and a drag on the plot, or the key m twice, mark an interval.` }),
        ft.el("p", {}, marker, mark ? ft.button("Remove the mark", () => ft.state.set({ mark: null }, true)) : null),
        [...flags.values()].slice(0, 20).map(({ table, column }) => ft.command.show(ft.command.flag(table, column, w.from, w.to))));
    };
    const details = ft.el("details", { class: "about hand", ontoggle: show }, ft.el("summary", { "aria-label": `rows of ${panel.title}, and flags by hand`, title: "rows, and flags by hand", text: "⚑" }), commands);
    return { node: details, show };
  }

  // The number of points for the width, in steps, so that a small resize needs no new request.
  ft.pointsOf = (body) => Math.min(1600, Math.max(200, Math.ceil(body.clientWidth / 200) * 200));
})(window.fluxtower = window.fluxtower || {});
