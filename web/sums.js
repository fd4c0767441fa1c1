// Totals and counters, such as rain: the sum of each day as a bar, and the sum since the beginning of the range as a
// line.
(function (ft) {
  "use strict";
  const { edge } = ft.picture;
  const AXIS = 56;

  ft.sumsPicture = function () {
    let sums = [];
    let amount = ft.number;
    const picture = ft.picture("sums", "Day by day, and in sum", 240, (ctx, width, height) => {
      if (!sums.length) return;
      const inner = width - AXIS + edge.right;
      const { cell, X, label } = ft.picture.days(sums, inner);
      const Y = ft.picture.values(ctx, inner, height, 0, Math.max(...sums.map((one) => one.sum)) * 1.08 || 1);
      const T = ft.picture.values(ctx, width, height, 0, sums[sums.length - 1].total * 1.08 || 1, null, AXIS);
      ctx.fillStyle = ft.ink("accent");
      for (const { day, sum } of sums) if (sum > 0) ctx.fillRect(X(day), Y(sum), Math.max(cell - (cell > 4 ? 1 : 0), 0.7), Y(0) - Y(sum));
      ctx.strokeStyle = ft.ink("look-ink");
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.moveTo(X(sums[0].day), T(0));
      for (const { day, total } of sums) ctx.lineTo(X(day) + cell, T(total));
      ctx.stroke();
      ctx.lineWidth = 1;
      label(ctx, height);
    }, (x) => {
      const at = sums.length ? ft.picture.days(sums, picture.canvas.clientWidth - AXIS + edge.right).at(x) : null;
      if (!at) return null;
      return [ft.picture.dayName(at.day), at.found ? `${amount(at.found.sum)} on this day` : "no value", at.found ? `${amount(at.found.total)} until its end` : null].filter(Boolean);
    });

    return Object.assign(picture, {
      show(p, part) {
        picture.node.hidden = !["sum", "increment"].includes(p.c.together);
        amount = p.amount;
        sums = [];
        if (picture.node.hidden) return null;
        let total = 0;
        for (const { day, values, sum } of p.days) {
          if (values.every((value) => value === null)) continue;
          total += sum;
          sums.push({ day, sum, total });
        }
        ft.write(picture.note, sums.length ? `${amount(total)} in all, on ${ft.count(sums.filter((one) => one.sum > 0).length, "day")} of ${sums.length}. Bars: days, by the left axis; line: the sum since the begin, by the right one. Missing values count as nothing.${part}` : "No value in this time.");
        return sums;
      },
    });
  };
})(window.fluxtower = window.fluxtower || {});
