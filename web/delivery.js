// Sent rows over time, the backlog, and refusals.
(function (ft) {
  "use strict";

  ft.views.delivery = {
    title: "Delivery",
    ranged: true,
    mount(root) {
      const facts = ft.el("dl", { class: "facts large" });
      const host = ft.el("div", { class: "plot" });
      const stage = ft.el("div", { class: "stage" }, host);
      const summary = ft.el("p", { class: "dim" });
    const panel = ft.el("section", { class: "panel", "aria-label": "rows acknowledged" }, ft.el("header", {}, ft.el("h3", { text: "Rows acknowledged by the destination" })), stage, ft.el("div", { class: "legend" }, summary));
    const backlog = ft.el("section", { class: "list" });
      const refusals = ft.el("section", { class: "list" });
      ft.fill(root, facts, panel, backlog, refusals);
      const tip = ft.el("div", { class: "tip", hidden: true });
      stage.append(tip);
      let answer = null;
      let abort = null;

      const plot = ft.plot(host, {
        height: 200, time: true, unit: "rows", label: "rows acknowledged",
        draw(u, ctx) {
          if (!answer) return;
          const { sent } = answer;
          ctx.fillStyle = ft.ink("accent");
          const width = sent.bin_s * 1e3;
          sent.times.forEach((time, i) => {
            if (!sent.rows[i]) return;
            const a = u.valToPos(time, "x", true), b = u.valToPos(time + width, "x", true);
            const y = u.valToPos(sent.rows[i], "y", true);
            ctx.fillRect(a, y, Math.max(b - a - ft.draw.ratio(), 1), u.bbox.top + u.bbox.height - y);
          });
          const r = 4 * ft.draw.ratio();
          ctx.strokeStyle = ft.ink("fail");
          ctx.lineWidth = 2 * ft.draw.ratio();
          for (const refusal of answer.refusals) ft.shape.fail(ctx, u.valToPos(refusal.at, "x", true), u.bbox.top + 2 * r, r);
        },
        cursor(u, at, own) {
          const i = own && at !== null && answer ? answer.sent.times.findIndex((t) => at >= t && at < t + answer.sent.bin_s * 1e3) : -1;
          tip.hidden = i < 0;
          if (i < 0) return;
          ft.fill(tip, ft.el("time", { text: `${ft.clock.full(answer.sent.times[i])}, ${ft.duration(answer.sent.bin_s)}` }), ft.el("p", { text: `${ft.count(answer.sent.rows[i], "row")}, ${ft.bytes(answer.sent.bytes[i])}` }));
          tip.style.left = Math.max(0, Math.min(u.cursor.left + 70, stage.clientWidth - tip.offsetWidth - 4)) + "px";
          tip.style.top = "6px";
        },
        select: (from, to) => ft.state.zoom(from, to),
      });

      function show(w) {
        const fact = (name, value) => ft.el("div", {}, ft.el("dt", { text: name }), ft.el("dd", { text: value }));
        const s = answer;
        ft.fill(facts, fact("pending", ft.count(s.total_pending, "row")), fact("as line protocol", s.pending_bytes ? "about " + ft.bytes(s.pending_bytes) : "–"),
          fact("to drain", s.total_pending === 0 ? "nothing to do" : s.drain_s === null ? "unknown" : s.drain_s === 0 ? "the next sync" : "about " + ft.duration(s.drain_s)),
          fact("retention of the bucket", s.retention_s === null ? "unlimited, or not known" : ft.duration(s.retention_s)), fact("destination", `${ft.station.destination.kind}, ${ft.station.destination.where}`));
        const most = Math.max(0, ...s.sent.rows);
        plot.show(w.from, w.to);
        plot.values([0, most ? most * 1.1 : 1]);
        const sum = s.sent.rows.reduce((a, b) => a + b, 0), bytes = s.sent.bytes.reduce((a, b) => a + b, 0);
        ft.write(summary, sum ? `${ft.count(sum, "row")} and ${ft.bytes(bytes)} acknowledged in this time; a bar is ${ft.duration(s.sent.bin_s)}` : "nothing was acknowledged in this time");
        ft.listing(backlog, "Backlog", "No rows are pending.", s.pending, ["table", "rows", "from", "to"], (p) => [p.table, p.rows === null ? "not counted" : ft.grouped(p.rows), ft.clock.full(p.from), ft.clock.full(p.to)]);
        ft.listing(refusals, "Refusals in this time", "None.", s.refusals, ["when", "status", "message", "times"], (r) => [ft.clock.full(r.at), r.status, r["words"], r.n]);
      }

      async function load(quiet) {
        if (abort) abort.abort();
        abort = new AbortController();
        const { signal } = abort;
        const w = ft.state.window();
        plot.show(w.from, w.to);
        const release = ft.work.hold();
        if (!quiet) panel.classList.add("loading");
        try {
          // The time of sending counts here, because rows sent today may be a year old; so "live" ends now.
          const got = await ft.source.delivery(w.live ? { from: w.from, to: ft.live.now() } : w, { signal });
          if (signal.aborted) return;
          answer = got;
          show(w.live ? { from: w.from, to: ft.live.now() } : w);
        } catch (error) {
          if (!ft.isAbort(error)) ft.failed(backlog, error, () => load());
        } finally {
          panel.classList.remove("loading");
          release();
        }
      }
      load();
      return {
        update: () => load(),
        refresh: () => load(true),
        destroy() {
          if (abort) abort.abort();
          plot.destroy();
        },
      };
    },
  };
})(window.fluxtower = window.fluxtower || {});
