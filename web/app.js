// Starts the page, shows the view in the address, and updates it when the server reports a change.
(function (ft) {
  "use strict";
  const STATUS_EVERY_S = 5;
  // A report holds what is drawn, not the rows.
  const VIEWS = ["", "now", "panels", "table", "patterns", "values", "flags", "coverage", "delivery", "gaps", "rejected"].filter((name) => !ft.source.report || name !== "values");
  const THEMES = ["auto", "dark", "light"];
  let view = null;
  let shown = null;
  let bar = null;
  let holder = null;
  let heading = null;
  let links = [];
  let clock = null;
  let connection = null;

  function stored(name, value) {
    try {
      if (value === undefined) return localStorage.getItem(name);
      localStorage.setItem(name, value);
    } catch (_) { /* a browser without storage only forgets the theme */ }
    return null;
  }

  function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
    stored("fluxtower-theme", theme);
    ft.plot.redrawAll();
    if (view && view.redraw) view.redraw();
  }

  function header() {
    const { report } = ft.source;
    const theme = ft.button("", () => {
      const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
      setTheme(next);
      ft.write(theme, { auto: "◐ auto", dark: "● dark", light: "○ light" }[next]);
    }, { class: "theme", title: "light or dark" });
    ft.write(theme, { auto: "◐ auto", dark: "● dark", light: "○ light" }[document.documentElement.dataset.theme]);
    links = VIEWS.map((name) => ft.el("a", { href: "#/" + name, text: ft.views[name].title }));
    clock = ft.el("span", { class: "clock" });
    connection = ft.el("span", { class: "connection", role: "status" });
    document.title = `${ft.station.station} · fluxtower`;
    ft.fill(document.getElementById("top"),
      ft.source.base ? ft.el("a", { class: "up", href: "/", text: "‹ stations" }) : null,
      ft.el("div", { class: "title" }, ft.el("h1", { text: report ? `Report of ${ft.station.station}` : ft.station.station }),
        report ? ft.el("span", { class: "dim", text: `made ${ft.clock.full(Math.round(report.made / 6e4) * 6e4)}, of ${ft.clock.span(report.from, report.to)}` }) : connection, clock),
      ft.el("nav", { "aria-label": "views" }, links), theme);
    second();
  }

  function second() {
    if (!ft.station) return;
    ft.write(clock, (ft.source.report ? "" : ft.clock.full(Math.floor(ft.live.now() / 1e3) * 1e3) + " · ") + ft.clock.label());
    if (view && view.second && ft.status) view.second();
  }

  function reach(is) {
    if (!connection) return;
    connection.className = "connection " + (is ? "on" : "off");
    ft.write(connection, is ? "✓ connected" : "✕ connection lost");
    const notice = document.getElementById("notice");
    if (is) notice.replaceChildren();
    else ft.fill(notice, "Connection lost: the server has stopped or cannot be reached. The page keeps its last data and tries again automatically.");
  }

  function show(why) {
    const s = ft.state.get();
    const name = VIEWS.includes(s.view) ? s.view : "";
    const made = ft.views[name];
    const same = shown && shown.name === name && (name === "panels" || shown.arg === s.arg);
    ft.work.start(why === "start" ? "first" : location.hash || "#/", why === "start" ? 0 : undefined);
    links.forEach((link, i) => {
      if (VIEWS[i] === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      const ranged = ft.views[VIEWS[i]].ranged;
      const tables = ft.station.tables;
      const arg = VIEWS[i] === "table" && name !== "table" && tables.length ? tables[0].name : "";
      link.setAttribute("href", ranged ? ft.state.href({ view: VIEWS[i], arg, hide: new Set(), y: new Set(), open: null }) : "#/" + VIEWS[i]);
    });
    bar.node.hidden = !made.ranged;
    bar.update();
    if (same) {
      shown.arg = s.arg;
      view.update(why);
      return;
    }
    if (view) view.destroy();
    shown = { name, arg: s.arg };
    heading.hidden = name === "";
    ft.write(heading, made.title);
    holder.replaceChildren();
    holder.className = "view view-" + (name || "first");
    view = made.mount(holder);
    if (why !== "start") scrollTo(0, 0);
  }

  async function changed() {
    try {
      [ft.station, ft.status] = await Promise.all([ft.source.station(), ft.source.status()]);
    } catch (_) {
      return; // `reached` has reported it
    }
    bar.update();
    if (!view) return;
    if (view.isEmpty) {
      view = shown = null;
      return show("change");
    }
    const w = ft.state.window();
    // A window in the past changes only if its flags did; the server's answer then differs.
    ft.work.start(w.live ? "live" : "live, still");
    view.refresh();
  }

  async function begin() {
    const main = document.getElementById("main");
    try {
      [ft.station, ft.status] = await Promise.all([ft.source.station(), ft.source.status()]);
    } catch (error) {
      ft.fill(main, ft.empty("The station cannot be shown", error.message, ft.button("Try again", begin)));
      if (!begin.retry) begin.retry = setInterval(() => ft.station || begin(), 5e3);
      return;
    }
    clearInterval(begin.retry);
    ft.clock.set(ft.station.clock);
    bar = ft.rangeBar();
    holder = ft.el("div");
    // The first screen has the verdict as its heading.
    heading = ft.el("h2", { class: "unseen" });
    ft.fill(main, bar.node, heading, holder);
    header();
    reach(true);
    show("start");
    ft.live.start();
    ft.live.on("connection", reach);
    let last = 0, later = 0;
    // A long ingest commits many times a second; one update a second is enough.
    ft.live.on("change", () => {
      clearTimeout(later);
      later = setTimeout(() => {
        last = performance.now();
        changed();
      }, Math.max(0, 1000 - (performance.now() - last)));
    });
    let count = 0;
    ft.live.on("second", () => {
      second();
      count += 1;
      if (count % STATUS_EVERY_S || document.hidden) return;
      ft.source.status({ fresh: true }).then((status) => {
        ft.status = status;
        if (view && view.status) view.status();
      }).catch(() => {});
    });
    ft.state.on((_s, why) => show(why));
  }

  document.documentElement.dataset.theme = THEMES.includes(stored("fluxtower-theme")) ? stored("fluxtower-theme") : "auto";
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTheme(document.documentElement.dataset.theme));
  window.addEventListener("resize", ft.eachFrame(() => view && view.redraw && view.redraw()));
  begin();
})(window.fluxtower = window.fluxtower || {});
