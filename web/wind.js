// The wind rose of a direction: half hours by sixteen sectors and, where the table has a wind speed, by speed.
(function (ft) {
  "use strict";
  const SECTORS = 16;
  const CALM = 0.5;
  const CLASSES = [[0.5, "#9ec9e2"], [2, "#5aa2cf"], [4, "#2a78b5"], [6, "#1c5586"], [8, "#0d2f4f"]];

  // A wind direction in a sonic's own coordinates is not a compass direction.
  const isSonic = (column) => /sonic|csat|wnd_dir/i.test(`${column.name} ${column.sensor || ""}`);

  ft.windPicture = function () {
    let rose = null;
    const wind = ft.picture("wind-rose", "Wind rose", 330, (ctx, width, height) => {
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
      for (const share of [0.5, 1]) ctx.fillText(ft.percent(most * share), x + radius * share * 0.72 + 14, y - radius * share * 0.72);
    }, null);
    const legend = ft.el("p", { class: "dim" });
    wind.node.append(legend);
    wind.node.hidden = true;

    function count({ got, c, speed }) {
      const found = { n: 0, calm: 0, speed, sectors: Array.from({ length: SECTORS }, () => CLASSES.map(() => 0)) };
      got.times.forEach((_at, i) => {
        const value = c.value[i];
        const fast = speed ? got.columns[1].value[i] : null;
        if (value === null || (speed && fast === null)) return;
        found.n += 1;
        if (speed && fast < CALM) return void (found.calm += 1);
        const class_ = speed ? CLASSES.reduce((best, [least], at) => (fast >= least ? at : best), 0) : 0;
        found.sectors[Math.round(value / (360 / SECTORS)) % SECTORS][class_] += 1;
      });
      return found;
    }

    return Object.assign(wind, {
      show(p) {
        wind.node.hidden = !p.isCircle;
        rose = p.isCircle ? count(p) : null;
        if (!rose) return null;
        const { n, calm, speed } = rose;
        ft.write(wind.note, n ? `${ft.count(n, "half hour")}, ${ft.percent(n / p.slots)} of this time${speed ? `; calm (below ${CALM} m/s): ${ft.percent(calm / n)}` : "; no wind speed in this table"}. Each petal points to where the wind comes from, if the column is a meteorological direction${isSonic(p.choice.column) ? ": a sonic gives directions by its own axes, unless its azimuth was added" : ""}.` : "No value in this time.");
        ft.fill(legend, speed ? CLASSES.map(([least, colour], i) => ft.el("span", { class: "share" }, ft.el("span", { class: "stroke", style: { borderTopColor: colour, borderTopWidth: "8px" } }), ` ${least}${CLASSES[i + 1] ? `–${CLASSES[i + 1][0]}` : " or more"} m/s `)) : null);
        return rose;
      },
    });
  };

  // The speed that belongs to a direction: of the same table, in m/s or with a corresponding name.
  ft.windPicture.speedOf = function (choice) {
    const table = ft.station.tables.find((t) => t.name === choice.table);
    const isSpeed = (one) => one.kind === "linear" && (/^WS(_|$)/i.test(one.variable || "") || /^m\/?s(\^?-1)?$|^meters?\/second$|^m s-1$/i.test(one.unit || "")) && /^(ws|wind_?s|windspd|.*speed|.*spd)/i.test(one.variable || one.name);
    return table.columns.find(isSpeed) || null;
  };
})(window.fluxtower = window.fluxtower || {});
