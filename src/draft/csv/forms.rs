//! The forms of dates and times in text tables that `init` knows.
//!
//! A time of day with colons or with AM and PM is a form of its own. A time of day that is a bare number (`14`, `0030`,
//! `0.50`) is none: [`super::clock`] decides what it is by the rows.

use std::sync::LazyLock;

use crate::time::{MIDNIGHT_ENDS_THE_DAY, StampFormat};

/// A time format with its text in the configuration; None is the format of the loggers.
#[derive(Debug, Clone)]
pub(super) struct Format {
    pub(super) text: Option<String>,
    pub(super) format: StampFormat,
}

impl Format {
    pub(super) fn new(text: Option<&str>) -> Option<Format> {
        Some(Format { text: text.map(str::to_owned), format: StampFormat::new(text)? })
    }
}

/// Forms of dates, the more usual ones first.
const DATES: [&str; 24] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%m.%d.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%y/%m/%d",
    "%d.%m.%y",
    "%y.%m.%d",
    "%y-%m-%d",
    "%d-%m-%y",
    "%m-%d-%y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%a %d %b %Y",
    COMPACT,
];
/// The forms of dates, parsed.
pub(super) static DATE_FORMATS: LazyLock<Vec<Format>> =
    LazyLock::new(|| DATES.iter().filter_map(|date| Format::new(Some(date))).collect());

/// What stands between date and time of day.
pub(super) const JOINS: [&str; 4] = [" ", "T", ", ", "_"];

const COMPACT: &str = "%Y%m%d";
/// The least year of a compact date with an hour alone: the ten digits of Unix seconds begin with 1.
pub(super) const COMPACT_HOUR: &str = "%Y%m%d%H";

/// What stands between start and end of an interval.
pub(super) const RANGE: &str = " - ";

/// What programs write that do not join a date and a time of day by one of [`JOINS`].
const OTHERS: [&str; 13] = [
    "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %Y %H:%M:%S GMT%z",
    "%Y%m%dT%H%M%S%z",
    "%Y%m%dT%H%M%S",
    "%Y%m%dT%H%M",
    "%Y-%jT%H:%M:%S",
    "%Y-%jT%H:%M",
    "%Y:%m:%d %H:%M:%S",
    "%Y %j %H:%M:%S",
    "%Y %j %H:%M",
    "%Y %m %d %H:%M:%S",
    "%Y %m %d %H:%M",
];

/// Formats of dates and times that are texts, the more usual ones first.
pub(super) static WAYS: LazyLock<Vec<Format>> = LazyLock::new(|| {
    const TIMES: [&str; 7] = ["%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H.%M.%S", "%H:%M:%S%z", "%H:%M:%S:%f"];
    // What stands in a column of its own, mostly.
    const CLOCKS: [&str; 6] = ["%Hh%M", "%H:%Mh", "T%H:%M:%S", "T%H:%M", "%H%M%z", "%I %p"];
    let mut all: Vec<Format> = Format::new(None).into_iter().collect();
    for date in DATES {
        for time in TIMES {
            for join in JOINS {
                all.extend(Format::new(Some(&format!("{date}{join}{time}"))));
                if time.ends_with("%z") {
                    all.extend(Format::new(Some(&format!("{date}{join}%H:%M%z"))));
                    all.extend(Format::new(Some(&format!("{date}{join}%H:%M:%S %z"))));
                }
            }
        }
        for clock in CLOCKS {
            all.extend(Format::new(Some(&format!("{date} {clock}"))));
        }
        // The end of an interval is read last, and so counts. At midnight it has the date of its start, if the end has no date.
        for clock in ["%H:%M", "%H:%M:%S"] {
            all.extend(Format::new(Some(&format!("{date} {clock}{RANGE}{clock}{MIDNIGHT_ENDS_THE_DAY}"))));
            all.extend(Format::new(Some(&format!("{date} {clock}{RANGE}{date} {clock}"))));
        }
        if date == COMPACT {
            all.extend(Format::new(Some("%Y%m%d%H%M")));
        }
        all.extend(Format::new(Some(date)));
    }
    all.extend(Format::new(Some("%Y%m%d%H%M%S")));
    all.extend(Format::new(Some(COMPACT_HOUR)));
    all.extend(OTHERS.iter().filter_map(|text| Format::new(Some(text))));
    all
});
