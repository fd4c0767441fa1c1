// The station's clock. Every time on the page is in station time, never in the browser's time zone, which may differ.
(function (ft) {
  "use strict";
  const HOUR = 3600e3;
  let clock = { label: "UTC", offset_s: 0, zone: null };
  let zone = null;
  const offsets = new Map();

  const two = (n) => String(n).padStart(2, "0");

  ft.clock = {
    set(given) {
      clock = given;
      offsets.clear();
      zone = null;
      if (!given.zone) return;
      try {
        zone = new Intl.DateTimeFormat("en-US", {
          timeZone: given.zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
          hour: "numeric", minute: "numeric", second: "numeric",
        });
      } catch (_) {
        zone = null; // a zone that this browser does not know: the present offset is used
      }
    },

    // The milliseconds to add to UTC at that time.
    offset(ms) {
      if (!zone) return clock.offset_s * 1e3;
      const hour = Math.floor(ms / HOUR);
      if (!offsets.has(hour)) {
        const p = {};
        for (const part of zone.formatToParts(hour * HOUR)) p[part.type] = Number(part.value);
        offsets.set(hour, Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second) - hour * HOUR);
      }
      return offsets.get(hour);
    },

    local: (ms) => ms + ft.clock.offset(ms),
    // The instant of a local time; in the repeated hour, the first one.
    moment(local) {
      const guess = local - clock.offset_s * 1e3;
      return local - ft.clock.offset(local - ft.clock.offset(guess));
    },

    label() {
      const name = clock.zone ? clock.zone : clock.label.replace("-", "\u2212");
      return clock.zone ? `times are ${name}, the station's own clock` : `times are ${name}, the station's standard time`;
    },

    date(ms) {
      const d = new Date(ft.clock.local(ms));
      return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`;
    },
    // With seconds and their fraction only where they are not zero.
    time(ms) {
      const d = new Date(ft.clock.local(ms));
      let text = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
      const part = d.getUTCMilliseconds();
      if (d.getUTCSeconds() || part) text += ":" + two(d.getUTCSeconds());
      if (part) text += "." + String(part).padStart(3, "0").replace(/0+$/, "");
      return text;
    },
    full: (ms) => `${ft.clock.date(ms)} ${ft.clock.time(ms)}`,
    day(ms) {
      const d = new Date(ft.clock.local(ms));
      return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`;
    },
    month: (ms) => MONTHS[new Date(ft.clock.local(ms)).getUTCMonth()],
    span(from, to) {
      const end = ft.clock.date(from) === ft.clock.date(to) ? ft.clock.time(to) : ft.clock.full(to);
      return `${ft.clock.full(from)} – ${end}`;
    },
  };
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

  // "4 min", "2 h 05 min", "3 d 4 h": the two largest units.
  ft.duration = function (seconds) {
    const s = Math.max(0, Math.round(seconds));
    if (s < 60) return `${s} s`;
    if (s < 600 && s % 60) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 86400) {
      const m = Math.floor((s % 3600) / 60);
      return `${Math.floor(s / 3600)} h` + (m ? ` ${two(m)} min` : "");
    }
    const h = Math.floor((s % 86400) / 3600);
    if (s < 60 * 86400) return `${Math.floor(s / 86400)} d` + (h ? ` ${h} h` : "");
    return `${Math.floor(s / 86400)} d`;
  };
})(window.fluxtower = window.fluxtower || {});
