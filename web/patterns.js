// Patterns: one column by day and time of day, its usual day for the whole period and by month, the share of values
// that exist, sums, the wind rose of a direction, and the column against another one. It shows a clock that steps, a
// sensor that dies and a night that is too bright.
(function (ft) {
  "use strict";
  const { edge, SLOTS, DAY, dayName, clockOf } = ft.picture;
  const { left, top, foot, right } = edge;

  // The local day of a half hour, counted since 1970, and its place in the day.
  function place(at) {
    const local = ft.clock.local(at);
    const day = Math.floor(local / DAY);
    return { day, slot: Math.min(SLOTS - 1, Math.floor((local - day * DAY) / ft.halfHours.STEP)) };
  }

  ft.views.patterns = {
    title: "Patterns",
    ranged: true,
    mount(root) {
      const all = ft.choice.all();
      if (!all.length) return ft.emptyView(root, "No column yet", "`fluxtower ingest` reads the logger's files.");
      const select = ft.choice.select(all);
      const said = ft.el("p", { class: "dim", role: "status" });
      let got = null;
      let c = null;
      let choice = null;
      // For each day: {day, values: 48 values or null, good: the number of good values, sum}.
      let days = [];
      let range = [0, 1];
      let sunTimes = [];

      const unit = () => (choice && choice.column.unit) || "";
      const isCircle = () => choice.column.kind === "direction";
      const amount = (value) => ft.withUnit(value, unit());

      // ---- day and time of day
      const print = ft.picture("fingerprint", "By day and time of day", 240, (ctx, width, height) => {
        if (!days.length) return;
        const { cell, X, label } = ft.picture.days(days, width);
        const tall = (height - top - foot) / SLOTS;
        ctx.fillStyle = ft.draw.hatch(ctx, "hatch");
        ctx.fillRect(left, top, width - left - right, height - top - foot);
        for (const { day, values } of days) {
          values.forEach((value, slot) => {
            if (value === null) return;
            // North has the same colour from both sides.
            ctx.fillStyle = isCircle() ? `hsl(${value} 55% 50%)` : ft.picture.ink((value - range[0]) / (range[1] - range[0] || 1));
            ctx.fillRect(X(day), top + slot * tall, Math.max(cell, 1) + 0.4, tall + 0.4);
          });
        }
        for (const at of sunTimes) {
          const local = ft.clock.local(at), day = Math.floor(local / DAY);
          if (X(day) < left || X(day) >= width - right) continue;
          const y = top + (local / DAY - day) * (height - top - foot);
          // Two colours, so that one is visible on every background.
          for (const [colour, thick] of [["#fff", 3], ["#000", 1.2]]) {
            ctx.fillStyle = colour;
            ctx.fillRect(X(day), y - thick / 2, Math.max(cell, 1) + 0.4, thick);
          }
        }
        ctx.fillStyle = ft.ink("dim");
        ctx.textAlign = "right";
        for (const hour of [0, 6, 12, 18, 24]) ctx.fillText(clockOf(hour * 2), left - 6, Math.min(height - foot, Math.max(top + 9, top + hour * 2 * tall + 4)));
        label(ctx, height);
      }, (x, y) => {
        const at = under(x, y);
        if (!at) return null;
        const value = at.values ? at.values[at.slot] : null;
        return [`${dayName(at.day)} ${clockOf(at.slot)}`, value === null || value === undefined ? "no value" : amount(value)];
      });
      function under(x, y) {
        const at = days.length ? ft.picture.days(days, print.canvas.clientWidth).at(x) : null;
        const slot = Math.floor(((y - top) / (print.canvas.clientHeight - top - foot)) * SLOTS);
        if (!at || slot < 0 || slot >= SLOTS) return null;
        return { day: at.day, slot, values: at.found ? at.found.values : null };
      }
      print.canvas.addEventListener("click", (event) => {
        const box = print.canvas.getBoundingClientRect();
        const at = under(event.clientX - box.left, event.clientY - box.top);
        if (!at) return;
        const from = ft.clock.moment(at.day * DAY);
        ft.state.set({ view: "table", arg: choice.table, range: null, from, to: from + DAY });
      });

      // ---- the usual day
      let usual = [];
      const usualDay = ft.picture("usual-day", "The usual day", 240, (ctx, width, height) => {
        const known = usual.filter((one) => one.n);
        if (!known.length) return;
        const bands = usual.filter((one) => one.expected);
        const [low, high] = ft.scale.fit(Math.min(...known.map((one) => one.low), ...bands.map((one) => one.expected[0])), Math.max(...known.map((one) => one.high), ...bands.map((one) => one.expected[1])), null, false);
        const Y = ft.picture.values(ctx, width, height, low, high);
        const X = ft.picture.hours(ctx, width, height);
        const band = (has, lower, upper, colour, alpha) => {
          ctx.fillStyle = colour;
          ctx.globalAlpha = alpha;
          for (const run of ft.picture.runs(usual, has)) {
            ctx.beginPath();
            run.forEach((slot) => ctx.lineTo(X(slot), Y(upper(usual[slot]))));
            run.slice().reverse().forEach((slot) => ctx.lineTo(X(slot), Y(lower(usual[slot]))));
            ctx.fill();
          }
          ctx.globalAlpha = 1;
        };
        band((one) => one.expected, (one) => one.expected[0], (one) => one.expected[1], ft.ink("expected"), 0.4);
        band((one) => one.n, (one) => one.low, (one) => one.high, ft.ink("accent"), 0.22);
        ctx.strokeStyle = ft.ink("accent");
        ctx.lineWidth = 2;
        for (const run of ft.picture.runs(usual, (one) => one.n)) {
          ctx.beginPath();
          run.forEach((slot) => ctx.lineTo(X(slot), Y(usual[slot].middle)));
          ctx.stroke();
        }
        ctx.lineWidth = 1;
      }, (x) => {
        const slot = ft.picture.slotAt(x, usualDay.canvas.clientWidth);
        const one = usual[slot];
        if (!one) return null;
        return [clockOf(slot), ...(one.n ? [`median ${amount(one.middle)}`, `a tenth is below ${amount(one.low)}, a tenth above ${amount(one.high)}`, ft.count(one.n, "day")] : ["no value"]),
          one.expected ? `climatology ${ft.number(one.expected[0])} … ${amount(one.expected[1])}` : null].filter(Boolean);
      });

      // ---- the share of values that exist
      const there = ft.picture("coverage", "Values that did not fail, by day", 110, (ctx, width, height) => {
        if (!days.length) return;
        const { cell, X, label } = ft.picture.days(days, width);
        for (const { day, share } of days) {
          if (share === null) continue;
          const tall = share * (height - top - foot);
          ctx.fillStyle = share >= 0.9 ? ft.ink("good") : share >= 0.5 ? ft.ink("suspect") : ft.ink("fail");
          ctx.fillRect(X(day), height - foot - Math.max(tall, 1), Math.max(cell - (cell > 4 ? 1 : 0), 0.5), Math.max(tall, 1));
        }
        ctx.fillStyle = ft.ink("dim");
        ctx.textAlign = "right";
        for (const share of [0, 0.5, 1]) ctx.fillText(`${share * 100} %`, left - 6, Math.max(top + 9, height - foot - share * (height - top - foot) + 4));
        label(ctx, height);
      }, (x) => {
        const at = days.length ? ft.picture.days(days, there.canvas.clientWidth).at(x) : null;
        if (!at) return null;
        const one = at.found;
        return [dayName(at.day), one && one.share !== null ? `${ft.percent(one.share)} of the expected values are there and did not fail` : "no row"];
      });

      const months = ft.monthsPicture(), sums = ft.sumsPicture(), wind = ft.windPicture(), against = ft.againstPicture(all), balance = ft.balancePicture(), turbulence = ft.turbulencePictures();

      const pictures = [print, usualDay, months, there, sums, wind, against, balance, ...turbulence];
      ft.fill(root, ft.el("div", { class: "choice" }, select, said), ft.el("div", { class: "grid" }, pictures.map((one) => one.node)));

      function conclude() {
        const byDay = new Map();
        const slots = Array.from({ length: SLOTS }, () => []);
        const bands = Array.from({ length: SLOTS }, () => ({ n: 0, low: 0, high: 0 }));
        got.times.forEach((at, i) => {
          const { day, slot } = place(at);
          if (!byDay.has(day)) byDay.set(day, { day, values: Array(SLOTS).fill(null), good: 0, sum: 0 });
          const one = byDay.get(day);
          one.good += c.good[i];
          if (c.expected && c.expected.low[i] !== null && c.expected.high[i] !== null) {
            bands[slot].n += 1;
            bands[slot].low += c.expected.low[i];
            bands[slot].high += c.expected.high[i];
          }
          const value = c.value[i];
          if (value === null) return;
          one.values[slot] = value;
          one.sum += value;
          slots[slot].push(value);
        });
        const w = ft.state.window();
        const perMs = got.interval_s ? 1 / (got.interval_s * 1e3) : null;
        days = [...byDay.values()].sort((a, b) => a.day - b.day);
        for (const one of days) {
          const begin = Math.max(ft.clock.moment(one.day * DAY), w.from), end = Math.min(ft.clock.moment((one.day + 1) * DAY), w.to);
          const expected = perMs ? (end - begin) * perMs : 0;
          // A day with hardly a row in the range shows nothing.
          one.share = expected < 1 ? null : Math.min(1, one.good / expected);
        }
        slots.forEach((list) => list.sort((a, b) => a - b));
        usual = slots.map((list, slot) => ({ n: list.length, expected: bands[slot].n ? [bands[slot].low / bands[slot].n, bands[slot].high / bands[slot].n] : null, low: ft.quantile(list, 0.1), middle: ft.quantile(list, 0.5), high: ft.quantile(list, 0.9) }));
        const sorted = slots.flat().sort((a, b) => a - b);
        range = isCircle() ? [0, 360] : [ft.quantile(sorted, 0.01), ft.quantile(sorted, 0.99)];
        usualDay.node.hidden = isCircle();
        return sorted.length;
      }

      let abort = null;
      async function load(quiet) {
        if (abort) abort.abort();
        abort = new AbortController();
        const { signal } = abort;
        const release = ft.work.hold();
        choice = ft.choice.of(all);
        select.value = choice.key;
        const w = ft.state.window();
        const speed = isCircle() ? ft.windPicture.speedOf(choice) : null;
        if (!quiet) root.classList.add("loading");
        try {
          const table = ft.station.tables.find((t) => t.name === choice.table);
          if (table.newest === null) {
            days = [];
            return ft.write(said, "No row of this table has been read yet.");
          }
          const [answer, nights, , closure, eddies] = await Promise.all([
            ft.halfHours(choice, speed ? [choice.column.name, speed.name] : [choice.column.name], w, signal),
            ft.sun.of(w, signal).catch(() => null),
            against.load(choice, w, signal),
            balance.load(w, signal),
            Promise.all(turbulence.map((one) => one.load(w, signal))),
          ]);
          if (signal.aborted) return;
          got = answer;
          c = got.columns[0];
          // The ends of the answer's whole days are not a sunset or sunrise.
          sunTimes = (nights || []).flat().filter((at) => at % DAY !== 0);
          const n = conclude();
          const shown = { choice, got, c, days, isCircle: isCircle(), speed, amount, slots: ft.halfHours.count(w) };
          const good = c.good.reduce((sum, one) => sum + one, 0);
          const expected = got.interval_s ? (Math.min(w.to, ft.state.reach().newest) - w.from) / (got.interval_s * 1e3) : 0;
          const share = ft.percent(Math.min(1, good / expected));
          const part = expected >= 1 ? ` ${share} of the expected values are in it.` : "";
          ft.write(said, n ? `${c.together} of half hours; ${ft.count(good, "value")} did not fail` + (expected >= 1 ? `, ${share} of those expected` : "") + "." : "No value in this time that did not fail.");
          ft.write(print.note, n ? `Colours from ${amount(range[0])} to ${amount(range[1])}${isCircle() ? "" : " (the lowest and the highest hundredth beyond them)"}; hatched: no value.${sunTimes.length ? " Lines: sunrise and sunset." : ""} A click shows the day.${part}` : "No value in this time.");
          ft.write(usualDay.note, `Median of the days, and the range without their lowest and highest tenth${usual.some((one) => one.expected) ? "; behind it, in green, the mean band of the climatology" : ""}.${part}`);
          ft.write(there.note, got.interval_s ? `Of one value every ${ft.duration(got.interval_s)}.` : "The usual interval of the rows is not known.");
          const of = [months, sums, wind, against].map((one) => one.show(shown, part));
          ft.patterns = { days, usual, range, sunTimes, months: of[0], sums: of[1], rose: of[2], against: of[3], balance: closure, turbulence: eddies };
        } catch (error) {
          if (!ft.isAbort(error)) ft.write(said, error.message);
        } finally {
          root.classList.remove("loading");
          pictures.forEach((one) => one.paint());
          release();
        }
      }

      load();
      return {
        update: () => load(),
        refresh: () => load(true),
        redraw: () => pictures.forEach((one) => one.paint()),
        destroy() {
          if (abort) abort.abort();
          pictures.forEach((one) => one.destroy());
        },
      };
    },
  };
})(window.fluxtower = window.fluxtower || {});
