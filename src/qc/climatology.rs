//! Climatology: a value outside the usual range for a season and a time of day.
//!
//! The bands are given in one of two ways: CSV files of percentiles ([`file`]), or a few members in the configuration.
//! Months, hours and days of the year may wrap around: `months = [12, 2]` is winter. Source: QARTOD, in the form of
//! ioos_qc 3.0 `climatology_test`, and AmeriFlux's diurnal-seasonal module.

mod file;

use super::flag::Flag;
use super::keys::{Absent, Group, GroupKeys, Key, Kind, Problem};
use super::limits::{Number, bounds, within};
use super::registry::{About, ColumnTest, Seen};
use super::window::Reach;
use crate::ameriflux::Range;
use crate::quantity;
use crate::time::{Calendar, LocalTime, StationClock, Timestamp};
use file::{BandColumns, Published, read_bins};

pub(super) const ABOUT: About = About {
    name: "climatology",
    summary: "a value outside what is usual for season and time of day",
    keys: "`climatology`",
    section: "Climatology",
    source: "QARTOD; ioos_qc `climatology_test`; AmeriFlux's diurnal-seasonal module",
};

const UNBOUNDED: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// The usual ranges and their times.
#[derive(Debug, Clone, PartialEq)]
pub enum Climatology {
    /// Bands by window of the year and step of the day.
    Bins(Bins),
    /// Members; the last member that applies to a time decides, as in QARTOD.
    Members(Vec<Member>),
}

/// A band for each window of the year and step of the day.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    /// How the year is divided.
    windows: Windows,
    /// Whether they are in standard time, as AmeriFlux publishes them; otherwise by the station's clock.
    is_standard_time: bool,
    /// The number of equal parts of a day.
    steps: usize,
    /// The bands, window by window; None where the file has none.
    bands: Vec<Option<Range>>,
}

/// How a file of bands divides the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    /// Twelve windows of thirty days, the last one longer.
    ThirtyDays,
    /// Months.
    Months,
}

/// A band and the times to which it applies. All ends are inclusive.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The first and the last instant on the station's clock; without a time of day, midnight of that day.
    pub dates: Option<(LocalTime, LocalTime)>,
    /// Months, 1 to 12. Months, days and hours are those in which the row's interval ended.
    pub months: Option<(u16, u16)>,
    /// Days of the year, 1 to 366.
    pub days: Option<(u16, u16)>,
    /// Full hours, 0 to 23: `[0, 5]` ends with the row stamped 06:00:00, whose interval is the last before six.
    pub hours: Option<(u16, u16)>,
    /// The usual range.
    pub band: Range,
}

/// A time of a station, converted once per row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Season {
    /// The stamp by the station's clock.
    local: LocalTime,
    /// The calendar fields of the moment before the stamp: a logger's stamp is the end of its interval, so 00:30 ends
    /// the half hour that began at 00:00, and midnight belongs to the day before. Bands of a file and of the
    /// configuration both use this rule.
    ended: Calendar,
    /// The same in standard time, in which AmeriFlux's files are.
    ended_standard: Calendar,
}

impl Season {
    /// Converts the time of a row.
    pub fn of(clock: &StationClock, ts: Timestamp) -> Season {
        let (local, standard) = (clock.local(ts), clock.standard(ts));
        let ended = local.previous().calendar();
        let ended_standard = if standard == local { ended } else { standard.previous().calendar() };
        Season { local, ended, ended_standard }
    }
}

impl Climatology {
    /// The band for a time; None if there is none.
    #[inline]
    pub fn band(&self, season: &Season) -> Option<Range> {
        match self {
            Climatology::Bins(bins) => bins.band(season),
            Climatology::Members(members) => {
                members.iter().rev().find(|member| member.holds(season)).map(|member| member.band)
            }
        }
    }
}

impl Bins {
    fn band(&self, season: &Season) -> Option<Range> {
        let ended = if self.is_standard_time { &season.ended_standard } else { &season.ended };
        let window = match self.windows {
            Windows::ThirtyDays => usize::from(ended.day_of_year.saturating_sub(1) / 30).min(11),
            Windows::Months => usize::from(ended.month.saturating_sub(1)),
        };
        let step = ended.second_of_day as usize * self.steps / 86_400;
        *self.bands.get(window * self.steps + step)?
    }
}

impl Member {
    fn holds(&self, season: &Season) -> bool {
        let within = |bounds: Option<(u16, u16)>, value: u16| match bounds {
            None => true,
            Some((first, last)) if first <= last => (first..=last).contains(&value),
            Some((first, last)) => value >= first || value <= last,
        };
        let hour = u16::try_from(season.ended.second_of_day / 3_600).unwrap_or(0);
        within(self.months, season.ended.month)
            && within(self.days, season.ended.day_of_year)
            && within(self.hours, hour)
            && self.dates.is_none_or(|(first, last)| (first..=last).contains(&season.local))
    }
}

impl ColumnTest for Climatology {
    const KEYS: GroupKeys = GroupKeys {
        name: ABOUT.name,
        meaning: "against season and time of day: [climatology](#climatology)",
        example: "climatology = { file = \"bands.csv\", variable = \"TA\", suspect = [\"p2_5\", \"p97_5\"] }",
        keys: &[
            Key::new(
                "file",
                Kind::Path,
                "a CSV file of bands, or one of the five that AmeriFlux publishes for a site: [qc.md](qc.md#climatology)",
                r#"file = "bands.csv""#,
            )
            .or(Absent::RequiredIn("(or `bands`)")),
            Key::new("variable", Kind::Text, "takes only the file's rows of this variable", r#"variable = "TA""#),
            Key::new(
                "suspect",
                Kind::Names,
                "the file's columns of the lower and the upper bound",
                r#"suspect = ["p2_5", "p97_5"]"#,
            )
            .or(Absent::RequiredIn("beside `file`, but for AmeriFlux's files (`[\"LOWER2\", \"UPPER2\"]`)")),
            Key::new("fail", Kind::Names, "the same for failing", r#"fail = ["p0_5", "p99_5"]"#),
            Key::new("margin", Kind::Positive, "widens every band on both sides, in the column's unit", "margin = 2"),
            Key::new(
                "bands",
                Kind::Groups(MEMBER_KEYS),
                "in place of `file`: [bands](#bands)",
                "bands = [{ months = [6, 8], suspect = [5, 30] }]",
            ),
        ],
    };
    const NEEDS_SEASON: bool = true;
    type State = ();

    fn read(group: &Group) -> Result<Climatology, Problem> {
        let Some((path, text)) = group.path("file") else { return members(group) };
        if group.has("bands") {
            return Err(group.wrong_key("bands", " stands beside file; keep one of them"));
        }
        let published = Published::of(path);
        let usual = published.as_ref().map(|_| (Published::BAND.0.to_owned(), Published::BAND.1.to_owned()));
        let suspect = group.names("suspect").or(usual).ok_or_else(|| {
            group.wrong(
                " lacks suspect, the columns of the lower and the upper bound; write suspect = [\"p2_5\", \"p97_5\"]",
            )
        })?;
        let fail = group.names("fail");
        let variable = group.text("variable");
        let wanted = BandColumns {
            variable: variable.as_deref(),
            suspect: (&suspect.0, &suspect.1),
            fail: fail.as_ref().map(|(low, high)| (low.as_str(), high.as_str())),
            margin: group.number("margin").unwrap_or(0.0),
        };
        let problem = |problem| group.wrong_key("file", &format!(" \"{text}\" {problem}"));
        let bins = published.map_or_else(|| read_bins(path, wanted), |published| published.read_bins(wanted));
        bins.map(Climatology::Bins).map_err(problem)
    }

    fn start(&self) {}

    /// Not evaluated if no band applies.
    #[inline]
    fn judge(&self, (): &mut (), seen: &Seen<'_>, _: [Option<Reach>; 2]) -> Flag {
        if seen.value.is_nan() {
            return Flag::Missing;
        }
        match seen.season.and_then(|season| self.band(season)) {
            // A band of directions may include north: 5 is within [350, 370].
            Some(band) if seen.kind == quantity::Kind::Direction => [0.0, quantity::CIRCLE, -quantity::CIRCLE]
                .map(|turn| within(&band, seen.value + turn))
                .into_iter()
                .min()
                .unwrap_or(Flag::NotEvaluated),
            Some(band) => within(&band, seen.value),
            None => Flag::NotEvaluated,
        }
    }

    fn detail(&self, (): &(), seen: &Seen<'_>, flag: Flag) -> String {
        let band = seen.season.and_then(|season| self.band(season));
        let (low, high) = band.map_or(UNBOUNDED, |band| bounds(&band, flag));
        format!("{} outside {low} to {high}, usual for this season and hour", Number(seen.value))
    }
}

const MEMBER_KEYS: &[Key] = &[
    Key::new("months", Kind::Whole { least: 1, most: 12 }, "first and last month, 1 to 12", "months = [6, 8]"),
    Key::new("days", Kind::Whole { least: 1, most: 366 }, "first and last day of the year, 1 to 366", "days = [1, 90]"),
    Key::new(
        "hours",
        Kind::Whole { least: 0, most: 23 },
        "first and last full hour of the station's clock in which the value was measured, 0 to 23",
        "hours = [0, 5]",
    ),
    Key::new(
        "dates",
        Kind::Instants,
        "first and last instant of the station's clock",
        r#"dates = ["2026-06-01", "2026-08-31 23:59:59"]"#,
    ),
    Key::new("suspect", Kind::Bounds, "suspect outside", "suspect = [-40, 45]").or(Absent::Required),
    Key::new("fail", Kind::Bounds, "fails outside", "fail = [-50, 50]"),
];

fn members(group: &Group) -> Result<Climatology, Problem> {
    let bands = group.groups("bands");
    if bands.is_empty() {
        return Err(group.wrong(
            " lacks file or bands; write climatology = { file = \"bands.csv\", variable = \"TA\", suspect = [\"p2_5\", \
             \"p97_5\"] } or climatology = { bands = [{ months = [6, 8], suspect = [5, 30] }] }",
        ));
    }
    if let Some(key) = ["variable", "suspect", "fail", "margin"].into_iter().find(|key| group.has(key)) {
        return Err(group.wrong(&format!(": {key} belongs to file; with bands, write the limits in each of them")));
    }
    bands.iter().map(member).collect::<Result<_, _>>().map(Climatology::Members)
}

fn member(band: &Group) -> Result<Member, Problem> {
    let suspect = band
        .bounds("suspect")
        .ok_or_else(|| band.wrong(": suspect is missing; write for example { months = [6, 8], suspect = [5, 30] }"))?;
    let fail = band.bounds("fail").unwrap_or(UNBOUNDED);
    Ok(Member {
        band: band.nested(Range { suspect, fail })?,
        dates: band.instants("dates"),
        months: band.whole("months"),
        days: band.whole("days"),
        hours: band.whole("hours"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn season(text: &str) -> Season {
        let clock = StationClock::Fixed(chrono::FixedOffset::west_opt(5 * 3600).unwrap());
        Season::of(&clock, crate::time::parse_instant(text, &clock).unwrap())
    }

    #[test]
    fn months_and_hours_may_run_over_their_end() {
        let band = Range { suspect: (0.0, 1.0), fail: (0.0, 1.0) };
        let member = Member { dates: None, months: Some((12, 2)), days: None, hours: Some((22, 4)), band };
        let winter_nights = Climatology::Members(vec![member]);
        for (text, holds) in [
            ("2026-01-15 23:00:00", true),
            ("2026-12-15 05:00:00", true),
            ("2026-12-15 05:00:01", false),
            ("2026-12-15 22:00:00", false),
            ("2026-12-15 22:00:01", true),
            ("2026-03-01 00:00:00", true),
            ("2026-03-01 23:00:00", false),
        ] {
            assert_eq!(winter_nights.band(&season(text)).is_some(), holds, "{text}");
        }
    }
}
