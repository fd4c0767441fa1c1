// The findings of `fluxtower status`, each with its age, what to do, and a link to its rows.
(function (ft) {
  "use strict";
  const SIGNS = { problem: ["✕", "problem"], warning: ["!", "warning"], info: ["–", "to know"] };

  // A text of the program: text between backticks is a command.
  function withCommands(text) {
    return text.split("`").flatMap((part, i) => {
      if (i % 2 === 0) return part;
      return part.startsWith("fluxtower ") ? [ft.el("code", { text: part }), ft.copyButton(part)] : ft.el("code", { text: part });
    });
  }

  // The rows around the time at which the finding began.
  function place(finding, since) {
    if (since === null || !finding.table || !ft.station.tables.some((t) => t.name === finding.table)) return null;
    const around = 6 * 3600e3;
    return ft.el("a", { href: ft.state.href({ view: "table", arg: finding.table, range: null, from: since - around, to: since + around }), text: "show" });
  }

  ft.findings = function (findings) {
    return findings.map((finding) => {
      const [sign, word] = SIGNS[finding.severity] || SIGNS.warning;
      const since = finding.since ? Date.parse(finding.since) : null;
      return ft.el("li", { "data-kind": finding.kind, "data-severity": finding.severity },
        ft.el("span", { class: "sign", "aria-hidden": "true", text: sign }), ft.el("span", { class: "unseen", text: word + ": " }),
        ft.el("span", { class: "what" }, withCommands(finding.message)),
        since === null ? null : ft.el("span", { class: "dim", text: ` since ${ft.clock.full(Math.floor(since / 1e3) * 1e3)} (${ft.duration((ft.live.now() - since) / 1e3)}) ` }),
        place(finding, since),
        finding.fix ? ft.el("p", { class: "fix" }, withCommands(finding.fix)) : null);
    });
  };
})(window.fluxtower = window.fluxtower || {});
