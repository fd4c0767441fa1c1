// The series' names; each one switches its series. Hidden series are in the address, so that a link hides them too.
(function (ft) {
  "use strict";

  const key = (panel, series) => `${panel.id}~${series.label}`;

  ft.legend = {
    hidden: (panel, series) => ft.state.get().hide.has(key(panel, series)),

    // Each name is followed by the counts of its flags in the window, as signs with numbers. note: a text behind them.
    draw(host, panel, got, changed, note) {
      const focused = document.activeElement && host.contains(document.activeElement) ? document.activeElement.dataset.key : null;
      const toggle = (series, only) => {
        const hide = new Set(ft.state.get().hide);
        const others = panel.series.filter((s) => s !== series);
        if (only) {
          const alone = !hide.has(key(panel, series)) && others.every((s) => hide.has(key(panel, s)));
          others.forEach((s) => (alone ? hide.delete(key(panel, s)) : hide.add(key(panel, s))));
          hide.delete(key(panel, series));
        } else if (!hide.delete(key(panel, series))) hide.add(key(panel, series));
        ft.state.set({ hide }, true);
        changed();
      };
      const counts = (one) => {
        if (!one.c) return [];
        const sum = (list, at) => list.reduce((total, entry) => total + entry[at], 0);
        return [["fail", sum(one.c.fail, 3)], ["suspect", sum(one.c.suspect, 3)], ["missing", sum(one.c.missing, 1)]]
          .filter(([, n]) => n > 0)
          .map(([ink, n]) => {
            const flag = Object.values(ft.FLAGS).find((f) => f.ink === ink);
            return ft.el("span", { class: `sign ${ink}`, title: `${ft.grouped(n)} ${flag.word}`, "aria-label": `${n} ${flag.word}`, text: `${flag.sign}${ft.grouped(n)}` });
          });
      };
      ft.fill(host, got.map((one) => {
        const s = one.series;
        const off = ft.legend.hidden(panel, s);
        return ft.el("button", {
          type: "button", class: "entry", "aria-pressed": String(!off), "data-key": s.label,
          title: "click: hide or show; with Shift: this one alone",
          onclick: (event) => toggle(s, event.shiftKey),
        }, ft.el("span", { class: "stroke", style: { borderTopColor: s.colour, borderTopStyle: ["solid", "dashed", "dotted", "dotted"][s.dash || 0] } }),
          ft.el("span", { text: s.label }), counts(one));
      }), note ? ft.el("span", { class: "dim together", text: note }) : null);
      if (focused !== null) {
        const again = [...host.children].find((b) => b.dataset.key === focused);
        if (again) again.focus();
      }
    },
  };
})(window.fluxtower = window.fluxtower || {});
