// Half hours of one quantity against another: points, the fitted line and the 1:1 line. Used for the column of the
// Patterns view against another one, and for the energy balance.
(function (ft) {
  "use strict";
  const { edge } = ft.picture;
  // The title of the vertical axis is above the points.
  const TOP = 18;

  // Points are {x, y, at}; labels are the texts of the axes.
  ft.cloud = function (name, title) {
    let points = [];
    let line = null;
    let labels = ["", ""];
    let range = [[0, 1], [0, 1]];
    let isEqual = false;
    const places = (width, height) => {
      const [[x0, x1], [y0, y1]] = range;
      return {
        X: (value) => edge.left + ((value - x0) / (x1 - x0 || 1)) * (width - edge.left - edge.right),
        Y: (value) => height - edge.foot - 14 - ((value - y0) / (y1 - y0 || 1)) * (height - TOP - edge.foot - 14),
      };
    };
    const picture = ft.picture(name, title, 330, (ctx, width, height) => {
      if (!points.length) return;
      const { X, Y } = places(width, height);
      const [[x0, x1], [y0, y1]] = range;
      ctx.fillStyle = ft.ink("grid");
      for (const value of ft.picture.ticks(y0, y1)) ctx.fillRect(edge.left, Y(value), width - edge.left - edge.right, 1);
      for (const value of ft.picture.ticks(x0, x1)) ctx.fillRect(X(value), TOP, 1, height - TOP - edge.foot - 14);
      ctx.fillStyle = ft.ink("dim");
      ctx.textAlign = "right";
      for (const value of ft.picture.ticks(y0, y1)) ctx.fillText(ft.number(value), edge.left - 6, Y(value) + 4);
      ctx.textAlign = "center";
      for (const value of ft.picture.ticks(x0, x1)) ctx.fillText(ft.number(value), X(value), height - edge.foot);
      ctx.fillText(labels[0], (edge.left + width - edge.right) / 2, height - 6);
      ctx.textAlign = "left";
      ctx.fillText(labels[1], edge.left, TOP - 6);
      ctx.save();
      ctx.beginPath();
      ctx.rect(edge.left, TOP, width - edge.left - edge.right, height - TOP - edge.foot - 14);
      ctx.clip();
      ctx.fillStyle = ft.ink("accent");
      ctx.globalAlpha = Math.max(0.15, Math.min(0.7, 300 / points.length));
      for (const { x, y } of points) ctx.fillRect(X(x) - 1.5, Y(y) - 1.5, 3, 3);
      ctx.globalAlpha = 1;
      const straight = (slope, offset, colour, dash) => {
        ctx.strokeStyle = colour;
        ctx.lineWidth = 1.6;
        ctx.setLineDash(dash);
        ctx.beginPath();
        ctx.moveTo(X(x0), Y(offset + slope * x0));
        ctx.lineTo(X(x1), Y(offset + slope * x1));
        ctx.stroke();
      };
      if (isEqual) straight(1, 0, ft.ink("dim"), [2, 3]);
      if (line) straight(line.slope, line.offset, ft.ink("act-ink"), []);
      ctx.restore();
    }, (x, y) => {
      const { X, Y } = places(picture.canvas.clientWidth, picture.canvas.clientHeight);
      let best = null;
      for (const p of points) {
        const far = Math.hypot(X(p.x) - x, Y(p.y) - y);
        if (far < 12 && (!best || far < best.far)) best = { far, p };
      }
      return best ? [ft.clock.full(best.p.at), `${labels[0]}: ${ft.number(best.p.x)}`, `${labels[1]}: ${ft.number(best.p.y)}`] : null;
    });

    return Object.assign(picture, {
      // Returns the fit and its text. equal: both axes have one unit, so the 1:1 line is meaningful.
      set(next, texts, equal) {
        points = next;
        labels = texts;
        isEqual = equal;
        line = ft.fit(points);
        const of = (pick) => points.reduce(([low, high], p) => [Math.min(low, pick(p)), Math.max(high, pick(p))], [Infinity, -Infinity]);
        let [rx, ry] = [of((p) => p.x), of((p) => p.y)];
        if (equal) rx = ry = [Math.min(rx[0], ry[0]), Math.max(rx[1], ry[1])];
        range = points.length ? [ft.scale.fit(...rx), ft.scale.fit(...ry)] : [[0, 1], [0, 1]];
        return { line, text: ft.fit.text(line) };
      },
    });
  };

  // The column against another one, which is named in the address.
  ft.againstPicture = function (all) {
    const cloud = ft.cloud("against", "Against another column");
    const select = ft.el("select", { "aria-label": "the other column", onchange: () => ft.state.set({ other: select.value }) },
      ft.el("option", { value: "", text: "choose one" }), all.map((one) => ft.el("option", { value: one.key, text: one.text })));
    cloud.node.querySelector("header").append(select);
    let other = null;
    let answer = null;

    return Object.assign(cloud, {
      async load(choice, w, signal) {
        other = all.find((one) => one.key === ft.state.get().other && one.key !== choice.key) || null;
        select.value = other ? other.key : "";
        const table = other && ft.station.tables.find((t) => t.name === other.table);
        answer = table && table.newest !== null ? await ft.halfHours(other, [other.column.name], w, signal) : null;
      },
      show(p) {
        cloud.canvas.hidden = !answer;
        if (!answer) {
          cloud.set([], ["", ""], false);
          ft.write(cloud.note, "The half hours of both, with a line fitted through them.");
          return null;
        }
        const of = new Map(answer.times.map((at, i) => [at, answer.columns[0].value[i]]));
        const turns = p.isCircle && other.column.kind === "direction";
        const points = [];
        p.got.times.forEach((at, i) => {
          const y = p.c.value[i];
          let x = of.get(at);
          if (y === null || x === null || x === undefined) return;
          // One direction is shifted next to the other: 361 instead of 1 beside 359.
          if (turns) x = y + ((x - y + 540) % 360) - 180;
          points.push({ x, y, at });
        });
        const label = (one) => one.column.name + (one.column.unit ? `, ${one.column.unit}` : "");
        const equal = other.column.unit === p.choice.column.unit;
        const { line, text } = cloud.set(points, [label(other), label(p.choice)], equal);
        ft.write(cloud.note, `${ft.count(points.length, "half hour")} with both, ${ft.percent(points.length / p.slots)} of this time; ${text}.${equal ? " Dotted: 1:1." : ""}`);
        return { n: points.length, line };
      },
    });
  };

  // H + LE over Rn − G, from the columns with these AmeriFlux variables. Storage is not included.
  ft.balancePicture = function () {
    const cloud = ft.cloud("balance", "Energy balance");
    const parts = ["NETRAD", "H", "LE", "G"].map((variable) => ft.choice.all().filter(({ column }) => column.variable && column.variable.replace(/(_[0-9A-Z]){0,3}$/, "") === variable));
    const [net, sensible, latent, soil] = parts;
    const isThere = net.length > 0 && sensible.length > 0 && latent.length > 0;
    cloud.node.hidden = !isThere;
    // If a variable has several columns, the mean of those that have a value; otherwise the first column.
    const used = isThere ? [net.slice(0, 1), sensible.slice(0, 1), latent.slice(0, 1), soil] : [];

    return Object.assign(cloud, {
      async load(w, signal) {
        if (!isThere) return null;
        const read = used.map((ones) => Promise.all(ones.map((one) => ft.halfHours(one, [one.column.name], w, signal))));
        const [n, h, l, g] = (await Promise.all(read)).map((answers) => {
          const at = new Map();
          for (const answer of answers) answer.times.forEach((time, i) => {
            const value = answer.columns[0].value[i];
            if (value !== null) at.set(time, (at.get(time) || []).concat(value));
          });
          return new Map([...at].map(([time, list]) => [time, list.reduce((sum, value) => sum + value, 0) / list.length]));
        });
        const points = [];
        for (const [at, value] of n) {
          const ground = soil.length ? g.get(at) : 0;
          if (!h.has(at) || !l.has(at) || ground === undefined) continue;
          points.push({ x: value - ground, y: h.get(at) + l.get(at), at });
        }
        const { line, text } = cloud.set(points, [soil.length ? "Rn − G, W/m²" : "Rn, W/m²", "H + LE, W/m²"], true);
        const sum = (pick) => points.reduce((all, p) => all + pick(p), 0);
        const closure = points.length ? sum((p) => p.y) / sum((p) => p.x) : null;
        const names = used.flat().map((one) => one.column.name).join(", ");
        ft.write(cloud.note, points.length ? `Closure ${ft.number(Number(closure.toPrecision(3)))}: the sum of H + LE over that of ${soil.length ? "Rn − G" : "Rn (there is no G)"}. ${ft.count(points.length, "half hour")} with all, ${ft.percent(points.length / ft.halfHours.count(w))} of this time; ${text}. Dotted: 1:1. From ${names}; storage is left out.` : `No half hour has all of ${names}.`);
        return { n: points.length, line, closure };
      },
    });
  };
})(window.fluxtower = window.fluxtower || {});
