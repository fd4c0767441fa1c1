// The list of several stations: one line each, the worst verdict first. Each leads to the station's own page.
(function (ft) {
  "use strict";
  const EVERY_MS = 5e3;
  const MARKS = { look: ["!", "look", "to look at"], unknown: ["–", "look", "not all known"], note: ["✓", "well", "well, to know"], ok: ["✓", "well", "all well"] };
  const root = document.getElementById("main");
  const reached = document.querySelector(".connection");
  let shown = "";

  function line(one, now) {
    const [sign, level, word] = MARKS[one.state] || MARKS.look;
    const never = one.path === null;
    const age = never ? "not shown yet" : one.newest === null ? "no row yet" : `newest row ${ft.duration((now - one.newest) / 1e3)} old`;
    return ft.el("li", { class: "card station", "data-station": one.name, "data-level": level, "data-state": one.state },
      ft.el("div", { class: "who" }, ft.el("h2", {}, never ? one.name : ft.el("a", { href: one.path, text: one.name })), ft.el("p", { class: "dim", text: age })),
      ft.el("div", {}, ft.el("span", { class: `badge ${level}` }, ft.el("span", { class: "sign", "aria-hidden": "true", text: sign }), ft.el("b", { text: word }))),
      ft.el("p", {}, one.worst ? one.worst + (one.findings > 1 ? ` (and ${one.findings - 1} more)` : "") : ""),
      ft.el("p", { class: "dim", text: never ? "" : one.pending ? `${ft.count(one.pending, "row")} pending` : "nothing is pending" }));
  }

  async function load() {
    try {
      const response = await fetch("/api/stations", { cache: "no-store" });
      const answer = await response.json();
      if (!response.ok) throw new Error(answer.error);
      reached.className = "connection on";
      ft.write(reached, "✓ connected");
      const look = answer.stations.filter((one) => one.state === "look").length;
      const text = JSON.stringify(answer.stations) + Math.floor(answer.now / 6e4);
      // Only where it differs, so that the focus stays.
      if (text !== shown) {
        const focused = document.activeElement && document.activeElement.getAttribute("href");
        ft.fill(root, ft.el("p", { class: "verdict", role: "status", text: look ? `${ft.count(look, "station")} of ${answer.stations.length} to look at` : "All stations are well, or need nothing now" }),
          ft.el("ol", { class: "cards stations" }, answer.stations.map((one) => line(one, answer.now))));
        if (focused) [...root.querySelectorAll("a")].filter((a) => a.getAttribute("href") === focused).forEach((a) => a.focus());
        shown = text;
      }
    } catch (_) {
      reached.className = "connection off";
      ft.write(reached, "✕ connection lost");
    }
    setTimeout(load, EVERY_MS);
  }
  load();
})(window.fluxtower = window.fluxtower || {});
