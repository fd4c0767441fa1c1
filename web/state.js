// The state of the page: all of it is in location.hash, so that a link shows another user the same view.
//
//   #/panels?range=24h&hide=ta~46%20m&open=Soil      follows the newest record
//   #/table/46m_par?from=2026-11-01T00:00:00Z&to=…    does not move
//   …&mark=2026-11-01T00:00:00Z~…                     has an interval marked
(function (ft) {
  "use strict";
  const SPANS = { "3h": 3, "24h": 24, "7d": 168, "30d": 720, "1y": 8760 };
  const watchers = [];
  const LEAST = 1e3;
  // A report opens with all its data.
  const USUAL = document.getElementById("fluxtower-report") ? "all" : "24h";

  const iso = (ms) => new Date(Math.round(ms)).toISOString().replace(".000Z", "Z");
  const list = (text) => new Set(text ? text.split("!").map(unescapeBang) : []);
  const escapeBang = (text) => text.replace(/_/g, "__").replace(/!/g, "_1");
  const unescapeBang = (text) => text.replace(/__|_1/g, (m) => (m === "__" ? "_" : "!"));

  // The interval that is marked for a flag by hand, with both ends: "2026-11-01T00:00:00Z~2026-11-01T01:00:00Z".
  function marked(text) {
    const [from, to] = (text || "").split("~").map((part) => Date.parse(part));
    return from <= to ? { from, to } : null;
  }

  function read() {
    const [path, query] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
    const slash = path.indexOf("/");
    const q = new URLSearchParams(query || "");
    const from = Date.parse(q.get("from")), to = Date.parse(q.get("to"));
    const fixed = to - from >= LEAST;
    const range = q.get("range");
    let arg = slash < 0 ? "" : path.slice(slash + 1);
    try {
      arg = decodeURIComponent(arg);
    } catch (_) { /* a link typed by hand; the name is used unchanged */ }
    return {
      view: slash < 0 ? path : path.slice(0, slash),
      arg,
      range: fixed ? null : SPANS[range] || range === "all" ? range : USUAL,
      from: fixed ? from : null,
      to: fixed ? to : null,
      mark: marked(q.get("mark")),
      // Panels whose values are zoomed: "panel~low~high~low and high of the right axis".
      y: list(q.get("y")),
      // The column that Patterns compares with.
      other: q.get("with") || "",
      robust: q.get("axis") === "p1-p99",
      hide: list(q.get("hide")),
      open: q.has("open") ? list(q.get("open")) : null,
    };
  }

  function write(s) {
    const q = [];
    if (s.from !== null) q.push(`from=${iso(s.from)}`, `to=${iso(s.to)}`);
    else if (s.range !== USUAL) q.push(`range=${s.range}`);
    if (s.mark) q.push(`mark=${iso(s.mark.from)}~${iso(s.mark.to)}`);
    const sets = (name, set) => q.push(`${name}=${encodeURIComponent([...set].map(escapeBang).join("!"))}`);
    if (s.other) q.push(`with=${encodeURIComponent(s.other)}`);
    if (s.robust) q.push("axis=p1-p99");
    if (s.y.size) sets("y", s.y);
    if (s.hide.size) sets("hide", s.hide);
    if (s.open) sets("open", s.open);
    const path = s.arg ? `${s.view}/${encodeURIComponent(s.arg)}` : s.view;
    return `#/${path}${q.length ? "?" + q.join("&") : ""}`;
  }

  let current = read();
  const notify = (why) => watchers.forEach((watch) => watch(current, why));

  ft.state = {
    get: () => current,
    on: (watch) => watchers.push(watch),
    href: (patch) => write(Object.assign({}, current, patch)),
    // replace: no step in the browser's history, for changes that need no way back.
    set(patch, replace) {
      current = Object.assign({}, current, patch);
      const hash = write(current);
      if (hash === location.hash) return;
      history[replace ? "replaceState" : "pushState"](null, "", hash);
      notify("set");
    },
    // The window of time in milliseconds; a preset ends at the newest record.
    window() {
      if (current.from !== null) return { from: current.from, to: current.to, live: false };
      const { oldest, newest } = ft.state.reach();
      if (current.range === "all") return { from: oldest, to: Math.max(newest, oldest + LEAST), live: true };
      return { from: newest - SPANS[current.range] * 3600e3, to: newest, live: true };
    },
    reach() {
      if (ft.source.report) return { oldest: ft.source.report.from, newest: ft.source.report.to };
      const tables = ft.station ? ft.station.tables : [];
      const known = tables.filter((table) => table.newest !== null);
      const now = ft.live.now();
      return {
        oldest: known.length ? Math.min(...known.map((table) => table.oldest)) : now - 86400e3,
        newest: known.length ? Math.max(...known.map((table) => table.newest)) : now,
      };
    },
    zoom(from, to) {
      const { oldest, newest } = ft.state.reach();
      const most = Math.max(newest - oldest, 86400e3) * 4;
      let half = Math.min(Math.max(to - from, LEAST), most) / 2;
      const middle = (from + to) / 2;
      half = Math.max(1, half);
      ft.state.set({ range: null, from: Math.round(middle - half), to: Math.round(middle + half) });
    },
    // The values at which the axes of a panel are held: [low, high, low, high], or null.
    values(id) {
      for (const one of current.y) {
        const parts = one.split("~");
        const numbers = parts.slice(-4).map(Number);
        if (parts.slice(0, -4).join("~") === id && numbers[0] < numbers[1] && numbers[2] < numbers[3]) return numbers;
      }
      return null;
    },
    // time: [from, to], or null where it does not change.
    zoomValues(id, values, time) {
      const y = new Set([...current.y].filter((one) => one.split("~").slice(0, -4).join("~") !== id));
      y.add([id, ...values.map((value) => Number(value.toPrecision(6)))].join("~"));
      ft.state.set(Object.assign({ y }, time ? { range: null, from: Math.round(time[0]), to: Math.round(time[1]) } : {}));
    },
    // Back to the range before the last zoom; without one, to the last day.
    back() {
      const before = zooms.pop();
      leaving = true;
      ft.state.set(before || { range: USUAL, from: null, to: null, y: new Set() });
      leaving = false;
    },
  };

  // The ranges of this visit, for Esc. The browser's own Back also undoes other clicks.
  const zooms = [];
  let leaving = false;
  let last = current;
  ft.state.on((s) => {
    const sight = (of) => [of.from, of.to, of.range, ...of.y].join();
    const moved = sight(s) !== sight(last);
    if (moved && !leaving) zooms.push({ range: last.range, from: last.from, to: last.to, y: last.y });
    if (zooms.length > 50) zooms.shift();
    last = s;
  });

  const moved = () => {
    const next = read();
    if (write(next) === write(current)) return;
    current = next;
    notify("link");
  };
  window.addEventListener("hashchange", moved);
  window.addEventListener("popstate", moved);
})(window.fluxtower = window.fluxtower || {});
