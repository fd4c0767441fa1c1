// Patterns: one column by day and time of day, its usual day, the share of it that is there, and the wind rose of a direction.
// A clock that jumps, a sensor that dies and a night that is too bright are seen at once here.
(function (ft) {
  "use strict";
  const DAY = 86400e3;
  const SLOTS = 48;
  const RAMP = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const SECTORS = 16;
  const CALM = 0.5;
  const CLASSES = [[0.5, "#9ec9e2"], [2, "#5aa2cf"], [4, "#2a78b5"], [6, "#1c5586"], [8, "#0d2f4f"]];

  // The local day of a half hour, counted since 1970, and its place in the day.
  function place(at) {
    const local = ft.clock.local(at);
    const day = Math.floor(local / DAY);
    return { day, slot: Math.min(SLOTS - 1, Math.floor((local - day * DAY) / ft.halfHours.STEP)) };
  }
  const dayName = (day) => new Date(day * DAY).toISOString().slice(0, 10);
  const percent = (share) => (share >= 1 ? "100 %" : share > 0.999 ? "99.9 %" : `${Math.floor(share * 1000) / 10} %`);

  // Round numbers, about five.
  function ticks(low, high) {
    const rough = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
    const found = [];
    for (let at = Math.ceil(low / step); at * step <= high; at++) found.push(Number((at * step).toPrecision(12)));
    return found;
  }

  function ink(share) {
    const at = Math.min(0.9999, Math.max(0, share)) * (RAMP.length - 1);
    const [a, b] = [RAMP[Math.floor(at)], RAMP[Math.floor(at) + 1]];
    return `rgb(${a.map((v, i) => Math.round(v + (b[i] - v) * (at % 1))).join(",")})`;
  }

  // A panel with a canvas that is drawn again when its size changes. hover(x, y) gives lines of text, in CSS pixels.
  function picture(name, title, height, draw, hover) {
    const canvas = ft.el("canvas", { role: "img", "aria-label": title, style: { display: "block", width: "100%", height: height + "px" } });
    const tip = ft.el("div", { class: "tip", hidden: true });
    const stage = ft.el("div", { class: "stage" }, canvas, tip);
    const note = ft.el("p", { class: "dim" });
    const node = ft.el("section", { class: "panel pattern", "data-pattern": name, "aria-label": title }, ft.el("header", {}, ft.el("h3", { text: title })), stage, note);
    const paint = () => {
      const ratio = window.devicePixelRatio || 1;
      const width = stage.clientWidth;
      if (!width) return;
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      const ctx = canvas.getContext("2d");
      ctx.scale(ratio, ratio);
      ctx.font = "11px system-ui, sans-serif";
      draw(ctx, width, height);
    };
    canvas.addEventListener("mousemove", (event) => {
      const box = canvas.getBoundingClientRect();
      const lines = hover ? hover(event.clientX - box.left, event.clientY - box.top) : null;
      tip.hidden = !lines;
      if (!lines) return;
      ft.fill(tip, lines.map((text, i) => ft.el(i ? "p" : "time", { text })));
      tip.style.left = Math.max(0, Math.min(event.clientX - box.left + 12, stage.clientWidth - tip.offsetWidth - 4)) + "px";
      tip.style.top = event.clientY - box.top + 14 + "px";
    });
    canvas.addEventListener("mouseleave", () => (tip.hidden = true));
    const watch = new ResizeObserver(ft.eachFrame(paint));
    watch.observe(stage);
    return { node, canvas, note, paint, destroy: () => watch.disconnect() };
  }

  ft.views.patterns = {
    title: "Patterns",
    ranged: true,
    mount(root) {
      const all = ft.choice.all();
      if (!all.length) {
        ft.fill(root, ft.empty("No column yet", "`fluxtower ingest` reads the logger's files."));
        return { update() {}, refresh() {}, destroy() {} };
      }
      const select = ft.choice.select(all);
      const said = ft.el("p", { class: "dim", role: "status" });
      let got = null;
      let c = null;
      let choice = null;
      // By day: {day, values: 48 values or null, good}.
      let days = [];
      let range = [0, 1];

      const left = 64, top = 6, foot = 22, right = 10;
      const unit = () => (choice && choice.column.unit) || "";
      const isCircle = () => choice.column.kind === "direction";
      const amount = (value) => ft.withUnit(value, unit());

      const clockOf = (slot) => `${String(slot >> 1).padStart(2, "0")}:${slot % 2 ? "30" : "00"}`;
      // The days from the first to the last, side by side: where one begins, and which one is under a place.
      function dayAxis(width) {
        const first = days[0].day, count = days[days.length - 1].day - first + 1;
        const cell = (width - left - right) / count;
        return {
          cell,
          X: (day) => left + (day - first) * cell,
          at(x) {
            const day = first + Math.floor((x - left) / cell);
            return day < first || day >= first + count ? null : { day, found: days.find((one) => one.day === day) };
          },
          label(ctx, height) {
            ctx.textAlign = "center";
            const every = Math.ceil(80 / cell);
            for (let day = first; day < first + count; day += every) ctx.fillText(dayName(day), left + (day - first + 0.5) * cell, height - 6);
          },
        };
      }

      // ---- day and time of day
      const print = picture("fingerprint", "By day and time of day", 240, (ctx, width, height) => {
        if (!days.length) return;
        const { cell, X, label } = dayAxis(width);
        const tall = (height - top - foot) / SLOTS;
        ctx.fillStyle = ft.draw.hatch(ctx, "hatch");
        ctx.fillRect(left, top, width - left - right, height - top - foot);
        for (const { day, values } of days) {
          values.forEach((value, slot) => {
            if (value === null) return;
            // North is one colour from both sides.
            ctx.fillStyle = isCircle() ? `hsl(${value} 55% 50%)` : ink((value - range[0]) / (range[1] - range[0] || 1));
            ctx.fillRect(X(day), top + slot * tall, Math.max(cell, 1) + 0.4, tall + 0.4);
          });
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
        const at = days.length ? dayAxis(print.canvas.clientWidth).at(x) : null;
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
      const usualDay = picture("usual-day", "The usual day", 240, (ctx, width, height) => {
        const known = usual.filter((one) => one.n);
        if (!known.length) return;
        let [low, high] = ft.scale.fit(Math.min(...known.map((one) => one.low)), Math.max(...known.map((one) => one.high)), null, false);
        const X = (slot) => left + ((slot + 0.5) / SLOTS) * (width - left - right);
        const Y = (value) => height - foot - ((value - low) / (high - low)) * (height - top - foot);
        ctx.strokeStyle = ft.ink("grid");
        ctx.fillStyle = ft.ink("dim");
        ctx.textAlign = "right";
        for (const value of ticks(low, high)) {
          ctx.beginPath();
          ctx.moveTo(left, Y(value));
          ctx.lineTo(width - right, Y(value));
          ctx.stroke();
          ctx.fillText(ft.number(value), left - 6, Math.max(top + 9, Y(value) + 4));
        }
        ctx.textAlign = "center";
        for (const hour of [0, 6, 12, 18]) ctx.fillText(clockOf(hour * 2), X(hour * 2), height - 6);
        const runs = [[]];
        usual.forEach((one, slot) => (one.n ? runs[runs.length - 1].push(slot) : runs.push([])));
        for (const run of runs.filter((one) => one.length)) {
          ctx.fillStyle = ft.ink("accent");
          ctx.globalAlpha = 0.18;
          ctx.beginPath();
          run.forEach((slot) => ctx.lineTo(X(slot), Y(usual[slot].high)));
          run.slice().reverse().forEach((slot) => ctx.lineTo(X(slot), Y(usual[slot].low)));
          ctx.fill();
          ctx.globalAlpha = 1;
          ctx.strokeStyle = ft.ink("accent");
          ctx.lineWidth = 2;
          ctx.beginPath();
          run.forEach((slot) => ctx.lineTo(X(slot), Y(usual[slot].middle)));
          ctx.stroke();
          ctx.lineWidth = 1;
        }
      }, (x) => {
        const width = usualDay.canvas.clientWidth;
        const slot = Math.floor(((x - left) / (width - left - right)) * SLOTS);
        const one = usual[slot];
        if (!one) return null;
        return [clockOf(slot), ...(one.n ? [`median ${amount(one.middle)}`, `a tenth is below ${amount(one.low)}, a tenth above ${amount(one.high)}`, ft.count(one.n, "day")] : ["no value"])];
      });

      // ---- how much is there
      const there = picture("coverage", "Good values, day by day", 110, (ctx, width, height) => {
        if (!days.length) return;
        const { cell, X, label } = dayAxis(width);
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
        const at = days.length ? dayAxis(there.canvas.clientWidth).at(x) : null;
        if (!at) return null;
        const one = at.found;
        return [dayName(at.day), one && one.share !== null ? `${percent(one.share)} of the expected values are there and did not fail` : "no row"];
      });

      // ---- the wind rose
      let rose = null;
      const wind = picture("wind-rose", "Wind rose", 330, (ctx, width, height) => {
        if (!rose || !rose.n) return;
        const x = width / 2, y = height / 2, radius = Math.min(width, height) / 2 - 26;
        const most = Math.max(...rose.sectors.map((one) => one.reduce((sum, n) => sum + n, 0))) / rose.n;
        ctx.strokeStyle = ft.ink("grid");
        ctx.fillStyle = ft.ink("dim");
        ctx.textAlign = "center";
        for (const share of [0.5, 1]) {
          ctx.beginPath();
          ctx.arc(x, y, radius * share, 0, 2 * Math.PI);
          ctx.stroke();
        }
        ["N", "E", "S", "W"].forEach((name, i) => ctx.fillText(name, x + Math.sin((i * Math.PI) / 2) * (radius + 14), y - Math.cos((i * Math.PI) / 2) * (radius + 14) + 4));
        rose.sectors.forEach((classes, sector) => {
          let from = 0;
          const middle = (sector / SECTORS) * 2 * Math.PI - Math.PI / 2, half = (Math.PI / SECTORS) * 0.86;
          classes.forEach((n, i) => {
            if (!n) return;
            const to = from + n / rose.n;
            ctx.fillStyle = rose.speed ? CLASSES[i][1] : ft.ink("accent");
            ctx.beginPath();
            ctx.arc(x, y, (from / most) * radius, middle - half, middle + half);
            ctx.arc(x, y, (to / most) * radius, middle + half, middle - half, true);
            ctx.fill();
            from = to;
          });
        });
        ctx.fillStyle = ft.ink("ink");
        for (const share of [0.5, 1]) ctx.fillText(percent(most * share), x + radius * share * 0.72 + 14, y - radius * share * 0.72);
      }, null);
      const legend = ft.el("p", { class: "dim" });
      wind.node.append(legend);
      wind.node.hidden = true;

      const pictures = [print, usualDay, there, wind];
      ft.fill(root, ft.el("div", { class: "choice" }, select, said), ft.el("div", { class: "grid" }, pictures.map((one) => one.node)));

      // The speed that belongs to a direction: of the same table, in m/s or a name that says it.
      function speedOf() {
        const table = ft.station.tables.find((t) => t.name === choice.table);
        const isSpeed = (one) => one.kind === "linear" && (/^WS(_|$)/i.test(one.variable || "") || /^m\/?s(\^?-1)?$|^meters?\/second$|^m s-1$/i.test(one.unit || "")) && /^(ws|wind_?s|windspd|.*speed|.*spd)/i.test(one.variable || one.name);
        return table.columns.find(isSpeed) || null;
      }

      function conclude(speed) {
        const byDay = new Map();
        const slots = Array.from({ length: SLOTS }, () => []);
        got.times.forEach((at, i) => {
          const { day, slot } = place(at);
          if (!byDay.has(day)) byDay.set(day, { day, values: Array(SLOTS).fill(null), good: 0 });
          const one = byDay.get(day);
          one.good += c.good[i];
          const value = c.value[i];
          if (value === null) return;
          one.values[slot] = value;
          slots[slot].push(value);
        });
        const w = ft.state.window();
        const perMs = got.interval_s ? 1 / (got.interval_s * 1e3) : null;
        days = [...byDay.values()].sort((a, b) => a.day - b.day);
        for (const one of days) {
          const begin = Math.max(ft.clock.moment(one.day * DAY), w.from), end = Math.min(ft.clock.moment((one.day + 1) * DAY), w.to);
          const expected = perMs ? (end - begin) * perMs : 0;
          // A day of which hardly a row is in the range says nothing.
          one.share = expected < 1 ? null : Math.min(1, one.good / expected);
        }
        slots.forEach((list) => list.sort((a, b) => a - b));
        usual = slots.map((list) => ({ n: list.length, low: ft.quantile(list, 0.1), middle: ft.quantile(list, 0.5), high: ft.quantile(list, 0.9) }));
        const sorted = slots.flat().sort((a, b) => a - b);
        range = isCircle() ? [0, 360] : [ft.quantile(sorted, 0.01), ft.quantile(sorted, 0.99)];
        usualDay.node.hidden = isCircle();
        wind.node.hidden = !isCircle();
        rose = null;
        if (isCircle()) {
          rose = { n: 0, calm: 0, speed, sectors: Array.from({ length: SECTORS }, () => CLASSES.map(() => 0)) };
          got.times.forEach((_at, i) => {
            const value = c.value[i];
            const fast = speed ? got.columns[1].value[i] : null;
            if (value === null || (speed && fast === null)) return;
            rose.n += 1;
            if (speed && fast < CALM) return void (rose.calm += 1);
            const class_ = speed ? CLASSES.reduce((best, [least], at) => (fast >= least ? at : best), 0) : 0;
            rose.sectors[Math.round(value / (360 / SECTORS)) % SECTORS][class_] += 1;
          });
        }
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
        const speed = isCircle() ? speedOf() : null;
        if (!quiet) root.classList.add("loading");
        try {
          const table = ft.station.tables.find((t) => t.name === choice.table);
          if (table.newest === null) {
            days = [];
            return ft.write(said, "No row of this table has been read yet.");
          }
          const answer = await ft.halfHours(choice, speed ? [choice.column.name, speed.name] : [choice.column.name], w, signal);
          if (signal.aborted) return;
          got = answer;
          c = got.columns[0];
          const n = conclude(speed);
          const good = c.good.reduce((sum, one) => sum + one, 0);
          const expected = got.interval_s ? (Math.min(w.to, ft.state.reach().newest) - w.from) / (got.interval_s * 1e3) : 0;
          ft.write(said, n ? `${c.together} of half hours; ${ft.count(good, "value")} did not fail` + (expected >= 1 ? `, ${percent(Math.min(1, good / expected))} of those expected` : "") + "." : "No value in this time that did not fail.");
          ft.write(print.note, n ? `Colours from ${amount(range[0])} to ${amount(range[1])}${rose ? "" : " (the lowest and the highest hundredth beyond them)"}; hatched: no value. A click shows the day.` : "No value in this time.");
          ft.write(usualDay.note, "Median of the days, and the range without their lowest and highest tenth.");
          ft.write(there.note, got.interval_s ? `Of one value every ${ft.duration(got.interval_s)}.` : "The usual interval of the rows is not known.");
          if (rose) {
            ft.write(wind.note, rose.n ? `${ft.count(rose.n, "half hour")}${speed ? `; calm (below ${CALM} m/s): ${percent(rose.calm / rose.n)}` : "; no wind speed in this table"}. Each petal points to where the wind comes from, if the column is a meteorological direction.` : "No value in this time.");
            ft.fill(legend, speed ? CLASSES.map(([least, colour], i) => ft.el("span", { class: "share" }, ft.el("span", { class: "stroke", style: { borderTopColor: colour, borderTopWidth: "8px" } }), ` ${least}${CLASSES[i + 1] ? `–${CLASSES[i + 1][0]}` : " or more"} m/s `)) : null);
          }
          ft.patterns = { days, usual, range, rose };
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
