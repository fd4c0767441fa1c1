// Follows the server: its changes, its time, and whether it can be reached.
(function (ft) {
  "use strict";
  const POLL_MS = 10e3;
  const watchers = { change: [], connection: [], second: [] };
  let shift = 0;
  const made = ft.source.report ? ft.source.report.made : null;
  let revision = null;
  let connected = true;
  let poll = 0;
  let events = null;

  const tell = (what, value) => watchers[what].forEach((watch) => watch(value));

  function setConnected(is) {
    if (is === connected) return;
    connected = is;
    tell("connection", is);
  }

  function changed(next) {
    if (next === revision) return;
    const first = revision === null;
    revision = next;
    ft.source.forget(next);
    if (!first) tell("change", next);
  }

  async function ask() {
    try {
      await ft.source.status({ fresh: true });
    } catch (_) { /* `reached` has been called already */ }
  }

  function leave() {
    if (events) events.close();
    events = null;
    clearInterval(poll);
    poll = 0;
  }

  function join() {
    if (events || document.hidden) return;
    events = new EventSource(ft.source.base + "/api/live");
    events.onopen = () => {
      clearInterval(poll);
      poll = 0;
      // Changes during the time without a connection were missed.
      ask();
    };
    events.addEventListener("change", (event) => {
      try {
        changed(JSON.parse(event.data).revision);
      } catch (_) {
        ask();
      }
    });
    events.onerror = () => {
      if (!poll) poll = setInterval(ask, POLL_MS);
      ask();
    };
  }

  ft.live = {
    on: (what, watch) => watchers[what].push(watch),
    // The server's time: ages must not depend on the user's clock.
    now: () => (made === null ? Date.now() + shift : made),
    setNow(ms) {
      shift = ms - Date.now();
    },
    connected: () => connected,
    reached: setConnected,
    seen: changed,
    start() {
      if (ft.source.report) return;
      setInterval(() => tell("second"), 1e3);
      // A browser keeps six connections to a host, for all its tabs and for pages in its history together: a hidden
      // page must not keep one.
      document.addEventListener("visibilitychange", () => (document.hidden ? leave() : join()));
      window.addEventListener("pagehide", leave);
      window.addEventListener("pageshow", join);
      join();
    },
  };
})(window.fluxtower = window.fluxtower || {});
