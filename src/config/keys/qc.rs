//! The keys about QC: `[qc]`, `[[pair]]`, and the tests of columns.
//!
//! How they are read stands in [`super::super::quality_file`] and, for the tests, beside each test in [`crate::qc`]; tests
//! compare the rows with both.

use super::row::{Key, Section, bounds, cycle, group, groups, no_more, number, positive, text, texts, whole};

/// The keys of a column's tests.
pub(super) fn tests_of_columns() -> &'static [Key] {
    TESTS_OF_COLUMNS
}

/// The keys of the tests of a table's rows.
pub(super) fn tests_of_rows() -> &'static [Key] {
    TESTS_OF_ROWS
}

const fn section(heading: &'static str, rows: &'static [Key]) -> Section {
    Section { heading, rows, more: no_more }
}

const TESTS_OF_COLUMNS: &[Key] = &[
    group(&SPIKE, "against its two neighbours: [spike](#spike)", "{ suspect = 2, fail = 5 }").named("spike"),
    group(
        &RATE_OF_CHANGE,
        "against the row before: [rate_of_change](#rate_of_change)",
        r#"{ suspect = 3, per = "5m" }"#,
    )
    .named("rate_of_change"),
    group(&FLAT_LINE, "against standing still: [flat_line](#flat_line)", r#"{ suspect = "2h", tolerance = 0.01 }"#)
        .named("flat_line"),
    group(
        &ATTENUATED_SIGNAL,
        "against losing its variance: [attenuated_signal](#attenuated_signal)",
        r#"{ suspect = 0.05, window = "30m" }"#,
    )
    .named("attenuated_signal"),
    group(
        &CLIMATOLOGY,
        "against season and time of day: [climatology](#climatology)",
        "{ bands = [{ months = [6, 8], suspect = [5, 30] }] }",
    )
    .named("climatology"),
    group(&SUN, "a radiometer against what the sun can give: [sun](#sun); `{}` for the usual limits", "{}")
        .named("sun"),
];

const TESTS_OF_ROWS: &[Key] =
    &[group(&TIME_GAP, "flags the first row after a pause: [time_gap](#time_gap)", r#"{ suspect = "12m" }"#)
        .named("time_gap")];

pub(super) static QC: Section = section("[qc]", &[WAIT]);

pub(super) const WAIT: Key = text(
    "a duration",
    "how long after its own time a row is kept back for the rows that its tests look at, before it is sent without them",
    r#""35m""#,
)
// Two of LoggerNet's usual collections: the neighbours of a row come with the next one.
.or(r#""11m""#)
.named("wait");

static TIME_GAP: Section = section(
    "time_gap",
    &[
        text("a duration", "a row that comes later than this after the row before is suspect", r#""12m""#)
            .required_in("(or `fail`)")
            .named("suspect"),
        text(
            "a duration",
            "of older configurations: a row that comes later than this is suspect too, because a good value behind a gap does not fail",
            r#""2h""#,
        )
        .named("fail"),
    ],
);

static SUN: Section = section(
    "sun",
    &[
        positive("light at night above this is suspect, in W m-2", "20").or("10").named("suspect"),
        positive("light at night above this fails, in W m-2", "60").or("50").named("fail"),
    ],
);

static SPIKE: Section = section(
    "spike",
    &[
        positive("a higher spike is suspect, in the column's unit", "2").required_in("(or `fail`)").named("suspect"),
        positive("a higher spike fails", "5").named("fail"),
        text(
            "",
            r#"its height: `"average"`, from the mean of both neighbours; `"differential"`, the smaller of both steps"#,
            r#""differential""#,
        )
        .or(r#""average""#)
        .named("method"),
    ],
);

static RATE_OF_CHANGE: Section = section(
    "rate_of_change",
    &[
        positive("a faster change is suspect, in the column's unit in the time of `per`", "3")
            .required_in("(or `fail`)")
            .named("suspect"),
        positive("a faster change fails", "8").named("fail"),
        text("a duration", "the time that both limits are written for", r#""5m""#).or(r#""1s""#).named("per"),
    ],
);

static FLAT_LINE: Section = section(
    "flat_line",
    &[
        text("a duration", "a value that stands still for so long is suspect", r#""2h""#)
            .required_in("(or `fail`)")
            .named("suspect"),
        text("a duration", "a value that stands still for so long fails", r#""6h""#).named("fail"),
        positive("still means that highest and lowest differ by less, in the column's unit", "0.01")
            .required()
            .named("tolerance"),
        bounds("values at which standing still is natural", "[99, 101]").named("except"),
    ],
);

static ATTENUATED_SIGNAL: Section = section(
    "attenuated_signal",
    &[
        positive("less spread is suspect, in the column's unit", "0.05").required_in("(or `fail`)").named("suspect"),
        positive("less spread fails", "0.01").named("fail"),
        text("a duration", "how far it looks back", r#""30m""#).required().named("window"),
        text("", r#"the spread: `"deviation"`, the standard deviation; `"range"`, highest minus lowest"#, r#""range""#)
            .or(r#""deviation""#)
            .named("by"),
        whole(1, 1_000_000, "values that the window must hold; without it, rows must reach back over all of it", "10")
            .named("least"),
    ],
);

static CLIMATOLOGY: Section = section(
    "climatology",
    &[
        text(
            "a path",
            "a CSV file of bands; its columns are described in [qc.md](qc.md#climatology)",
            r#""bands.csv""#,
        )
        .required_in("(or `bands`)")
        .named("file"),
        text("", "takes only the file's rows of this variable", r#""TA""#).named("variable"),
        texts("a pair", "the file's columns of the lower and the upper bound", r#"["p2_5", "p97_5"]"#)
            .required_in("beside `file`")
            .named("suspect"),
        texts("a pair", "the same for failing", r#"["p0_5", "p99_5"]"#).named("fail"),
        positive("widens every band on both sides, in the column's unit", "3").named("margin"),
        groups(&BANDS, "in place of `file`: [bands](#bands)", "[{ months = [6, 8], suspect = [5, 30] }]")
            .named("bands"),
    ],
);

static BANDS: Section = section(
    "bands",
    &[
        cycle("first and last month, 1 to 12", "[6, 8]").named("months"),
        cycle("first and last day of the year, 1 to 366", "[1, 90]").named("days"),
        cycle("first and last full hour of the station's clock in which the value was measured, 0 to 23", "[0, 5]")
            .named("hours"),
        texts("a pair", "first and last instant of the station's clock", r#"["2026-06-01", "2026-08-31 23:59:59"]"#)
            .named("dates"),
        bounds("suspect outside", "[5, 30]").required().named("suspect"),
        bounds("fails outside", "[0, 40]").named("fail"),
    ],
);

pub(super) static PAIR: Section = section(
    "[[pair]]",
    &[
        text("", "as findings call it", r#""TA of two heights""#).required().named("name"),
        text("", "the table of `column`", r#""met""#).required().named("table"),
        text("", "the column that is compared", r#""TA_46m""#).required().named("column"),
        text("", "the table of `against`", r#""soil""#).or_what("the same table").named("against_table"),
        text("", "the column that it is compared with", r#""TA_34m""#).required().named("against"),
        group(&DIFFERENCE, "limits of the difference: [difference](#difference)", "{ suspect = 3, fail = 6 }")
            .required_in("(or `ratio`)")
            .named("difference"),
        group(
            &RATIO,
            "in place of `difference`: limits of column / against: [ratio](#ratio)",
            "{ suspect = [1.7, 2.4] }",
        )
        .named("ratio"),
        group(&WHEN, "makes the test only then: [when](#when)", r#"{ column = "SW_IN", above = 50 }"#).named("when"),
        text("a duration", "two tables only: how far apart their rows may lie", r#""30s""#)
            .or(r#""0s""#)
            .named("within"),
        text("", r#"what is flagged: `"both"`, `"column"` or `"against"`"#, r#""column""#)
            .or(r#""both""#)
            .named("flags"),
    ],
);

static DIFFERENCE: Section = section(
    "difference",
    &[
        positive("a larger difference is suspect, in the columns' unit", "3")
            .required_in("(or `fail`)")
            .named("suspect"),
        positive("a larger difference fails", "6").named("fail"),
    ],
);

static RATIO: Section = section(
    "ratio",
    &[
        bounds("suspect outside", "[1.7, 2.4]").required_in("(or `fail`)").named("suspect"),
        bounds("fails outside", "[1.2, 3]").named("fail"),
    ],
);

static WHEN: Section = section(
    "when",
    &[
        text("", "a column of `table`, or the one in `against`", r#""SW_IN""#).required().named("column"),
        number("only where it lies above", "50").required_in("(or `below`)").named("above"),
        number("only where it lies below", "900").named("below"),
    ],
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::de::DeserializeOwned;

    use super::*;
    use crate::config::quality_file::{NumbersSection, PairSection, QcSection, RatioSection, WhenSection};
    use crate::qc::{self, ColumnSettings, TableSettings};

    /// The fields of a type, which it lists when it refuses a key.
    fn fields<T: DeserializeOwned>() -> BTreeSet<String> {
        let refusal = toml::from_str::<T>("\"?\" = 0").err().unwrap();
        refusal.message().split('`').skip(3).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn each_group_of_qc_keys_is_read_into_fields_of_the_same_names() {
        for (section, fields) in [
            (&QC, fields::<QcSection>()),
            (&PAIR, fields::<PairSection>()),
            (&DIFFERENCE, fields::<NumbersSection>()),
            (&RATIO, fields::<RatioSection>()),
            (&WHEN, fields::<WhenSection>()),
        ] {
            let rows: BTreeSet<String> = section.keys().map(|key| key.name.to_owned()).collect();
            assert_eq!(rows, fields, "{}", section.heading);
        }
    }

    /// The names of a group's keys, and of the keys of groups in it.
    fn rows(section: &Section, found: &mut Vec<String>) {
        for key in section.keys() {
            found.push(format!("{} {key}", section.heading));
            if let Some(inner) = key.kind.section() {
                rows(inner, found);
            }
        }
    }

    fn listed(group: &str, keys: &[qc::Key], found: &mut Vec<String>) {
        for key in keys {
            found.push(format!("{group} {}", key.name));
            if let qc::Kind::Groups(inner) = &key.kind {
                listed(key.name, inner, found);
            }
        }
    }

    #[test]
    fn the_rows_of_tests_name_the_keys_that_the_tests_list() {
        for (tests, known) in [(tests_of_columns(), ColumnSettings::KEYS), (tests_of_rows(), TableSettings::KEYS)] {
            let (mut of_rows, mut of_tests) = (Vec::new(), Vec::new());
            tests.iter().filter_map(|test| test.kind.section()).for_each(|section| rows(section, &mut of_rows));
            known.iter().for_each(|group| listed(group.name, group.keys, &mut of_tests));
            of_rows.sort();
            of_tests.sort();
            assert_eq!(of_rows, of_tests);
        }
    }
}
