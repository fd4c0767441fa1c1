// Gets the answers: from the server's API, or, in a report, from the data in the page. Views use it without knowing which.
(function (ft) {
  "use strict";
  const AT_ONCE = 4;
  const KEPT = 200;
  const cache = new Map();
  const waiting = [];
  let busy = 0;
  let revision = null;

  const element = document.getElementById("fluxtower-report");
  const report = element ? JSON.parse(element.textContent) : null;

  // A browser opens few connections to a host; requests are sent in their order.
  function turn(signal) {
    return new Promise((resolve, reject) => {
      const gone = () => {
        const at = waiting.indexOf(enter);
        if (at >= 0) waiting.splice(at, 1);
        reject(new DOMException("no longer wanted", "AbortError"));
      };
      const enter = () => {
        if (signal) signal.removeEventListener("abort", gone);
        busy += 1;
        resolve();
      };
      if (signal && signal.aborted) return gone();
      if (busy < AT_ONCE) return enter();
      if (signal) signal.addEventListener("abort", gone, { once: true });
      waiting.push(enter);
    });
  }

  function leave() {
    busy -= 1;
    const next = waiting.shift();
    if (next) next();
  }

  // One of several stations is behind a path of its own.
  const base = report ? "" : (/^\/station\/[^/]+(?=\/)/.exec(location.pathname) || [""])[0];

  // The first screen's requests are sent while the other scripts are still loading.
  const early = new Map();
  if (!report) {
    for (const path of ["/api/status", "/api/station"]) {
      const answer = fetch(base + path, { cache: "no-store" });
      answer.catch(() => {});
      early.set(path, answer);
    }
  }
  function request(path, signal) {
    const answer = early.get(path);
    early.delete(path);
    return answer || fetch(base + path, { signal, cache: "no-store" });
  }

  // Equal requests share one; it is cancelled only when no view needs it any more.
  const asked = new Map();
  function get(path, options) {
    const { signal, fresh } = options || {};
    if (!fresh && cache.has(path)) return Promise.resolve(cache.get(path));
    let one = asked.get(path);
    if (!one || one.revision !== revision) {
      const control = new AbortController();
      one = { revision, control, users: 0, promise: null };
      const mine = one;
      one.promise = ask(path, control.signal).finally(() => asked.get(path) === mine && asked.delete(path));
      one.promise.catch(() => {});
      asked.set(path, one);
    }
    one.users += 1;
    if (!signal) return one.promise;
    return new Promise((resolve, reject) => {
      const gone = () => {
        one.users -= 1;
        if (one.users === 0) {
          if (asked.get(path) === one) asked.delete(path);
          one.control.abort();
        }
        reject(new DOMException("no longer wanted", "AbortError"));
      };
      if (signal.aborted) return gone();
      signal.addEventListener("abort", gone, { once: true });
      one.promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", gone));
    });
  }

  async function ask(path, signal) {
    await turn(signal);
    const before = revision;
    try {
      let response;
      try {
        response = await request(path, signal);
      } catch (error) {
        if (ft.isAbort(error)) throw error;
        ft.live.reached(false);
        throw new Error("The server does not answer. Is `fluxtower serve` still running?");
      }
      let answer;
      try {
        answer = await response.json();
      } catch (error) {
        if (ft.isAbort(error)) throw error;
        throw new Error(`The server's answer is not readable (status ${response.status}).`);
      }
      ft.live.reached(true);
      if (!response.ok) throw new Error(answer.error || `The server answered ${response.status}.`);
      if (before === revision) {
        cache.set(path, answer);
        if (cache.size > KEPT) cache.delete(cache.keys().next().value);
      }
      return answer;
    } finally {
      leave();
    }
  }

  // Names are encoded twice, because the server decodes once, splits the list at its commas and decodes each name again.
  const names = (columns) => columns.map((name) => encodeURIComponent(encodeURIComponent(name))).join(",");
  const tagged = (tags) => Object.entries(tags || {}).map(([k, v]) => `&tag.${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join("");
  const window_ = (w) => `from=${Math.round(w.from)}&to=${Math.round(w.to)}`;
  const sameTags = (one, other) => {
    const a = Object.entries(one || {}), b = other || {};
    return a.length === Object.keys(b).length && a.every(([k, v]) => b[k] === v);
  };

  // In a report an answer is found by table and tags, or by its order if it has no tags.
  function ofReport(answers, asked) {
    const ofTable = answers.filter((answer) => answer.table === asked.table);
    const tagged = ofTable.find((answer) => answer.tags && sameTags(answer.tags, asked.tags));
    if (tagged) return tagged;
    const table = report.station.tables.find((t) => t.name === asked.table);
    const at = table ? table.series.findIndex((s) => sameTags(s.tags, asked.tags)) : 0;
    const found = ofTable[Math.max(at, 0)];
    if (!found) throw new Error(`This report has no data of table ${asked.table}.`);
    return found;
  }

  const server = {
    station: (o) => get("/api/station", o).then((answer) => (ft.live.setNow(answer.now), answer)),
    status: (o) => get("/api/status", o).then((answer) => {
      ft.live.setNow(answer.now);
      ft.live.seen(answer.revision);
      return answer;
    }),
    trace: (a, o) => get(`/api/trace?table=${encodeURIComponent(a.table)}&columns=${names(a.columns)}&${window_(a)}&points=${a.points}${tagged(a.tags)}`, o),
    values: (a, o) => get(`/api/values?table=${encodeURIComponent(a.table)}&columns=${names(a.columns)}&from=${a.from}&to=${a.to}&rows=${a.rows}${tagged(a.tags)}`, o),
    ribbon: (a, o) => get(`/api/ribbon?table=${encodeURIComponent(a.table)}&${window_(a)}&bins=${a.bins}${tagged(a.tags)}`, o),
    coverage: (a, o) => get(`/api/coverage?table=${encodeURIComponent(a.table)}&${window_(a)}${tagged(a.tags)}`, o),
    sun: (a, o) => get(`/api/sun?${window_(a)}`, o),
    delivery: (a, o) => get(`/api/delivery?${window_(a)}`, o),
    gaps: (o) => get("/api/gaps", o),
    rejected: (o) => get("/api/rejected?limit=200", o),
    flags: (o) => get("/api/flags", o),
    costs: (a, o) => get(`/api/costs?${window_(a)}`, o),
  };

  const own = report && {
    station: async () => report.station,
    status: async () => report.status,
    trace: async (a) => ft.rebin.trace(ofReport(report.traces, a), a),
    ribbon: async (a) => ft.rebin.ribbon(ofReport(report.ribbons, a), a),
    coverage: async (a) => ofReport(report.coverage, a),
    sun: async () => report.sun || { nights: null },
    delivery: async () => report.delivery,
    gaps: async () => report.gaps,
    rejected: async () => report.rejected,
    flags: async () => report.flags,
    costs: async () => report.costs,
  };

  ft.source = Object.assign({
    report, base,
    // A commit may have changed every cached answer.
    forget(next) {
      if (next === revision) return;
      revision = next;
      const status = cache.get("/api/status");
      cache.clear();
      if (status && status.revision === next) cache.set("/api/status", status);
    },
  }, own || server);

  ft.isAbort = (error) => error && error.name === "AbortError";
})(window.fluxtower = window.fluxtower || {});
