//! Converts a logger's stamp to its true time. Only this module applies the history of offsets and the corrections of
//! the clock.
//!
//! A stamp is what the logger wrote; it never changes. Its meaning may become known later: the clock was never set, was
//! an hour off, was reset when the battery was changed, or the offset from UTC was different until some day. All code
//! that reads a stamp calls [`LoggerClock::candidates`], so that a file that is read again finds its rows at the times
//! to which they were moved.

use std::fmt::Write as _;
use std::str::FromStr as _;

use chrono::{FixedOffset, TimeDelta};
use chrono_tz::Tz;

use super::{Candidates, LocalTime, StampRead, StationClock, Timestamp};

/// A clock that is off by less runs through the changes of its time zone: what is added is time that passed, so that each row is
/// exactly so far from where its stamp stands. What is added to a clock that was never set is the difference of two dates as
/// the clock shows them.
const A_DATE: TimeDelta = TimeDelta::days(1);

/// The stamps of a period, as the logger's clock showed them: a half-open range.
///
/// If a clock was set back, two periods have the same stamps; the record numbers then decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamps {
    /// The first stamp of the period.
    pub from: LocalTime,
    /// The first stamp after the period; None if the period has no end.
    pub until: Option<LocalTime>,
    /// The first record number of the period; None if the stamps alone decide. If it is given, a row without a record
    /// number does not belong to the period.
    pub record_from: Option<i64>,
    /// The first record number after the period.
    pub record_until: Option<i64>,
}

impl Stamps {
    /// Whether a row with this stamp and record number belongs to the period.
    pub fn cover(&self, local: LocalTime, record: Option<i64>) -> bool {
        self.from <= local
            && self.until.is_none_or(|until| local < until)
            && self.record_from.is_none_or(|from| record.is_some_and(|record| from <= record))
            && self.record_until.is_none_or(|until| record.is_some_and(|record| record < until))
    }

    /// Whether a row can belong to both periods.
    pub fn overlap(&self, other: &Stamps) -> bool {
        fn apart<T: PartialOrd>(until: Option<T>, from: Option<T>) -> bool {
            until.zip(from).is_some_and(|(until, from)| until <= from)
        }
        !(apart(self.until, Some(other.from))
            || apart(other.until, Some(self.from))
            || apart(self.record_until, other.record_from)
            || apart(other.record_until, self.record_from))
    }
}

/// By how much a clock was off in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    /// The stamps of the period.
    pub stamps: Stamps,
    /// What must be added to them; negative for a clock that was ahead.
    pub add: TimeDelta,
}

/// A change of the clock's offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OffsetChange {
    /// The first stamp with the new offset.
    pub from: LocalTime,
    /// The clock from then on.
    pub clock: StationClock,
    /// The first record number with the new offset. It is used only for stamps that occur twice because the clock was
    /// set back.
    pub record_from: Option<i64>,
}

/// The meaning of a logger's stamps.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggerClock {
    first: StationClock,
    /// The changes in the order of their stamps.
    changes: Vec<OffsetChange>,
    /// The corrections; the first one that covers a row applies.
    corrections: Vec<Correction>,
}

impl From<StationClock> for LoggerClock {
    fn from(clock: StationClock) -> LoggerClock {
        LoggerClock { first: clock, changes: Vec::new(), corrections: Vec::new() }
    }
}

impl LoggerClock {
    /// `changes` must be in the order of their stamps.
    pub fn new(first: StationClock, changes: Vec<OffsetChange>, corrections: Vec<Correction>) -> LoggerClock {
        LoggerClock { first, changes, corrections }
    }

    /// The same clock with these corrections.
    pub fn with_corrections(&self, corrections: Vec<Correction>) -> LoggerClock {
        LoggerClock { corrections, ..self.clone() }
    }

    /// The clock before the first change.
    pub fn first(&self) -> StationClock {
        self.first
    }

    /// The present clock: station time, in which times are shown.
    pub fn present(&self) -> StationClock {
        self.changes.last().map_or(self.first, |change| change.clock)
    }

    /// Whether some stamps can mean either of two instants, as in the hour that a time zone repeats in autumn.
    pub fn repeats_hours(&self) -> bool {
        let clocks = self.changes.iter().map(|change| change.clock).chain([self.first]);
        clocks.into_iter().any(|clock| matches!(clock, StationClock::Zone(_)))
    }

    /// The periods in which the clock was wrong.
    pub fn corrections(&self) -> &[Correction] {
        &self.corrections
    }

    /// Whether every stamp has the meaning of a fixed offset, so that the stamp can be computed from the instant.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.changes.is_empty() && self.corrections.is_empty() && matches!(self.first, StationClock::Fixed(_))
    }

    /// Whether the offset from UTC never changes by the configuration.
    pub fn is_of_one_offset(&self) -> bool {
        self.changes.is_empty()
    }

    /// The possible instants of a stamp.
    #[inline]
    pub fn candidates(&self, local: LocalTime, record: Option<i64>) -> Candidates {
        if self.changes.is_empty() && self.corrections.is_empty() {
            return self.first.candidates(local);
        }
        let Some(found) = self.correction(local, record) else { return self.at(local, record).candidates(local) };
        let right = shifted(local, found.add);
        let clock = self.at(right, record);
        let by_its_face = || clock.candidates(right);
        if matches!(clock, StationClock::Fixed(_)) || found.add.abs() >= A_DATE {
            return by_its_face();
        }
        let add = found.add.num_nanoseconds().unwrap_or(0);
        match clock.candidates(local) {
            Candidates::One(ts) => Candidates::One(ts.plus(add)),
            Candidates::Two(earlier, later) => Candidates::Two(earlier.plus(add), later.plus(add)),
            // The logger was not put forward yet.
            Candidates::Missing(_) => by_its_face(),
        }
    }

    /// The instant of a stamp. `known` is the row's present instant, if it has one: it decides in the hour that a time
    /// zone repeats.
    pub fn instant(&self, local: LocalTime, record: Option<i64>, known: Option<Timestamp>) -> Timestamp {
        match self.candidates(local, record) {
            Candidates::One(ts) | Candidates::Missing(ts) => ts,
            Candidates::Two(_, later) if known == Some(later) => later,
            Candidates::Two(earlier, _) => earlier,
        }
    }

    /// Whether a period in which the clock was wrong has the row.
    pub fn corrects(&self, local: LocalTime, record: Option<i64>) -> bool {
        self.correction(local, record).is_some()
    }

    fn correction(&self, local: LocalTime, record: Option<i64>) -> Option<&Correction> {
        self.corrections.iter().find(|correction| correction.stamps.cover(local, record))
    }

    fn at(&self, local: LocalTime, record: Option<i64>) -> StationClock {
        for (place, change) in self.changes.iter().enumerate().rev() {
            if local < change.from {
                continue;
            }
            let before = place.checked_sub(1).map_or(self.first, |before| self.changes[before].clock);
            let is_older = change.record_from.zip(record).is_some_and(|(from, record)| record < from);
            if is_older && local.nanos_since(change.from) < came_twice(change, &before) {
                continue;
            }
            return change.clock;
        }
        self.first
    }

    /// The time that a correct clock showed at `instant`: the stamp of a row that is stored without its text.
    pub fn usual_stamp(&self, instant: Timestamp) -> LocalTime {
        let newer = self.changes.iter().rev().map(|change| (change.from, change.clock.local(instant)));
        let mut shown = newer.filter(|(from, local)| local >= from).map(|(_, local)| local);
        shown.next().unwrap_or_else(|| self.first.local(instant))
    }

    /// The time that the clock showed when it wrote the stamp that was parsed as `read`.
    pub fn stamp_of(&self, read: StampRead) -> LocalTime {
        read.instant().map_or(read.time, |instant| self.usual_stamp(instant))
    }

    /// The stamp of a record at `instant`, if the row has no other information about it.
    pub fn stamp(&self, instant: Timestamp, record: Option<i64>) -> LocalTime {
        let usual = self.usual_stamp(instant);
        let stamps = self.corrections.iter().flat_map(|correction| {
            let before = instant.plus(-correction.add.num_nanoseconds().unwrap_or(0));
            [shifted(usual, -correction.add), self.usual_stamp(before)]
        });
        let mut means_it = stamps.filter(|stamp| {
            self.correction(*stamp, record).is_some() && self.instant(*stamp, record, Some(instant)) == instant
        });
        means_it.next().unwrap_or(usual)
    }

    /// The offsets from UTC as text: the store keeps them to know the clock by which rows were staged, and messages
    /// show them.
    pub fn offsets(&self) -> String {
        let mut text = self.first.to_string();
        for OffsetChange { from, clock, record_from } in &self.changes {
            // Writing to a String cannot fail.
            let _ = write!(text, ", {clock} from {from}");
            if let Some(record) = record_from {
                let _ = write!(text, " at record {record}");
            }
        }
        text
    }

    /// The corrections in the form in which the store keeps them; None if there are none.
    pub fn corrections_text(&self) -> Option<String> {
        if self.corrections.is_empty() {
            return None;
        }
        let kept: Vec<StoredCorrection> = self.corrections.iter().map(StoredCorrection::of).collect();
        serde_json::to_string(&kept).ok()
    }

    /// Parses the results of [`LoggerClock::offsets`] and [`LoggerClock::corrections_text`]. None if another program
    /// wrote them.
    pub fn from_texts(offsets: &str, corrections: Option<&str>) -> Option<LoggerClock> {
        let mut parts = offsets.split(", ");
        let first = station_clock(parts.next()?)?;
        let changes = parts.map(|part| {
            let (clock, from) = part.split_once(" from ")?;
            let (from, record) = match from.split_once(" at record ") {
                Some((from, record)) => (from, Some(record.parse().ok()?)),
                None => (from, None),
            };
            Some(OffsetChange {
                from: LocalTime::parse(from.as_bytes())?,
                clock: station_clock(clock)?,
                record_from: record,
            })
        });
        let changes = changes.collect::<Option<Vec<_>>>()?;
        let kept: Vec<StoredCorrection> = match corrections {
            Some(text) => serde_json::from_str(text).ok()?,
            None => Vec::new(),
        };
        Some(LoggerClock { first, changes, corrections: kept.iter().map(StoredCorrection::correction).collect() })
    }
}

fn shifted(local: LocalTime, by: TimeDelta) -> LocalTime {
    local.plus(by.num_nanoseconds().unwrap_or(0))
}

/// For how many nanoseconds of stamps after the change the earlier clock had shown the same stamps before.
fn came_twice(change: &OffsetChange, before: &StationClock) -> i64 {
    let instant = |clock: &StationClock| match clock.candidates(change.from) {
        Candidates::One(ts) | Candidates::Missing(ts) | Candidates::Two(ts, _) => ts,
    };
    instant(&change.clock).nanos_since(instant(before))
}

fn station_clock(text: &str) -> Option<StationClock> {
    let offset = FixedOffset::from_str(text).ok().map(StationClock::Fixed);
    offset.or_else(|| Tz::from_str(text).ok().map(StationClock::Zone))
}

/// A correction in the form of the store, in nanoseconds.
#[derive(serde::Serialize, serde::Deserialize)]
struct StoredCorrection {
    from: i64,
    until: Option<i64>,
    record_from: Option<i64>,
    record_until: Option<i64>,
    add: i64,
}

impl StoredCorrection {
    fn of(correction: &Correction) -> StoredCorrection {
        let Stamps { from, until, record_from, record_until } = correction.stamps;
        let add = correction.add.num_nanoseconds().unwrap_or(0);
        StoredCorrection { from: from.0, until: until.map(|until| until.0), record_from, record_until, add }
    }

    fn correction(&self) -> Correction {
        let StoredCorrection { from, until, record_from, record_until, add } = *self;
        let stamps = Stamps { from: LocalTime(from), until: until.map(LocalTime), record_from, record_until };
        Correction { stamps, add: TimeDelta::nanoseconds(add) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(text: &str) -> LocalTime {
        LocalTime::parse(text.as_bytes()).unwrap()
    }

    fn offset(hours: i32) -> StationClock {
        StationClock::Fixed(FixedOffset::east_opt(hours * 3600).unwrap())
    }

    fn wrong(from: &str, until: &str, records: (Option<i64>, Option<i64>), add: TimeDelta) -> Correction {
        let stamps =
            Stamps { from: local(from), until: Some(local(until)), record_from: records.0, record_until: records.1 };
        Correction { stamps, add }
    }

    fn shown(clock: &LoggerClock, stamp: &str, record: Option<i64>) -> String {
        clock.present().local(clock.instant(local(stamp), record, None)).to_string()
    }

    #[test]
    fn a_stamp_within_the_period_is_shifted_and_no_other() {
        let add = TimeDelta::hours(1);
        let clock = LoggerClock::new(
            offset(-5),
            Vec::new(),
            vec![wrong("2026-06-01 00:00:00", "2026-07-01 00:00:00", (None, None), add)],
        );
        for (stamp, expected) in [
            ("2026-05-31 23:55:00", "2026-05-31 23:55:00"),
            ("2026-06-01 00:00:00", "2026-06-01 01:00:00"),
            ("2026-06-30 23:55:00", "2026-07-01 00:55:00"),
            ("2026-07-01 00:00:00", "2026-07-01 00:00:00"),
        ] {
            assert_eq!(shown(&clock, stamp, None), expected);
            let instant = clock.instant(local(stamp), None, None);
            if stamp != "2026-07-01 00:00:00" {
                assert_eq!(clock.stamp(instant, None).to_string(), stamp);
            }
        }
    }

    #[test]
    fn the_record_number_decides_where_a_stamp_came_twice() {
        let period = wrong("2026-06-01 00:00:00", "2026-06-01 02:00:00", (Some(100), None), TimeDelta::hours(1));
        let clock = LoggerClock::new(offset(0), Vec::new(), vec![period]);
        assert_eq!(shown(&clock, "2026-06-01 01:00:00", Some(99)), "2026-06-01 01:00:00");
        assert_eq!(shown(&clock, "2026-06-01 01:00:00", Some(100)), "2026-06-01 02:00:00");
        assert_eq!(shown(&clock, "2026-06-01 01:00:00", None), "2026-06-01 01:00:00");
    }

    #[test]
    fn an_offset_holds_from_its_stamp_on_and_the_record_number_decides_in_the_hour_that_came_twice() {
        let change = OffsetChange { from: local("2019-04-15 10:15:00"), clock: offset(-5), record_from: Some(50) };
        let clock = LoggerClock::new(offset(-4), vec![change], Vec::new());
        let utc = |stamp: &str, record| clock.instant(local(stamp), Some(record), None).to_utc().to_rfc3339();
        assert_eq!(utc("2019-04-15 10:10:00", 48), "2019-04-15T14:10:00+00:00");
        assert_eq!(utc("2019-04-15 11:10:00", 49), "2019-04-15T15:10:00+00:00");
        assert_eq!(utc("2019-04-15 10:15:00", 50), "2019-04-15T15:15:00+00:00");
        assert_eq!(utc("2019-04-15 11:10:00", 61), "2019-04-15T16:10:00+00:00");
        // The counter may restart later.
        assert_eq!(utc("2019-04-15 11:15:00", 0), "2019-04-15T16:15:00+00:00");
        for (stamp, record) in [("2019-04-15 11:10:00", 49), ("2019-04-15 10:15:00", 50)] {
            let instant = clock.instant(local(stamp), Some(record), None);
            assert_eq!(clock.usual_stamp(instant).to_string(), stamp);
        }
    }

    #[test]
    fn a_clock_is_the_same_after_it_was_kept_as_text() {
        let change = OffsetChange { from: local("2019-04-15 10:15:00"), clock: offset(-5), record_from: Some(50) };
        let periods = [
            wrong("2026-06-01 00:00:00", "2026-06-01 02:00:00", (Some(1), Some(9)), TimeDelta::minutes(-37)),
            Correction {
                stamps: Stamps {
                    from: local("2000-01-01 00:00:00"),
                    until: None,
                    record_from: None,
                    record_until: None,
                },
                add: TimeDelta::days(9_000),
            },
        ];
        let zone = StationClock::Zone(chrono_tz::America::Detroit);
        for clock in [
            LoggerClock::from(offset(-5)),
            LoggerClock::from(zone),
            LoggerClock::new(offset(-4), vec![change], periods.to_vec()),
        ] {
            let read = LoggerClock::from_texts(&clock.offsets(), clock.corrections_text().as_deref());
            assert_eq!(read, Some(clock));
        }
    }

    #[test]
    fn two_periods_overlap_unless_their_stamps_or_their_records_are_apart() {
        let period = |from, until, records| wrong(from, until, records, TimeDelta::zero()).stamps;
        let june = period("2026-06-01 00:00:00", "2026-07-01 00:00:00", (None, None));
        assert!(june.overlap(&june));
        assert!(!june.overlap(&period("2026-07-01 00:00:00", "2026-08-01 00:00:00", (None, None))));
        let early = period("2026-06-01 00:00:00", "2026-07-01 00:00:00", (None, Some(10)));
        let late = period("2026-06-01 00:00:00", "2026-07-01 00:00:00", (Some(10), None));
        assert!(!early.overlap(&late) && early.overlap(&june));
    }
}
