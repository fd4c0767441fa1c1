// Measures when a view is drawn, and how long after the click. It is not shown: tests and benchmarks read `fluxtower.drawn`
// (a promise) and `fluxtower.marks` ([{name, took_ms, at_ms}], newest last).
(function (ft) {
  "use strict";
  let name = "";
  let since = 0;
  let held = 0;
  let under = false;
  let turn = 0;
  let done = () => {};

  ft.marks = [];
  ft.drawn = Promise.resolve();

  function settle(mine) {
    if (mine !== turn || held > 0) return;
    requestAnimationFrame(() => {
      if (mine !== turn || held > 0) return;
      const now = performance.now();
      ft.marks.push({ name, took_ms: now - since, at_ms: now });
      if (ft.marks.length > 100) ft.marks.shift();
      turn += 1;
      under = false;
      done();
    });
  }

  ft.work = {
    // A view or a range begins to be drawn; earlier work no longer counts.
    start(what, began) {
      done();
      turn += 1;
      held = 0;
      under = true;
      name = what;
      since = began === undefined ? performance.now() : began;
      ft.drawn = new Promise((resolve) => (done = resolve));
      const mine = turn;
      const release = ft.work.hold();
      setTimeout(() => {
        release();
        settle(mine);
      });
    },
    // Marks unfinished drawing; call the returned function when it is finished. Drawings that come into sight later belong to
    // no click.
    hold() {
      if (!under) return () => {};
      const mine = turn;
      held += 1;
      let open = true;
      return () => {
        if (!open || mine !== turn) return;
        open = false;
        held -= 1;
        settle(mine);
      };
    },
  };
})(window.fluxtower = window.fluxtower || {});
