//! The keys about QC: `[qc]`, `[[pair]]`, and the tests of columns.
//!
//! The rows of a test come from the test's own description in [`crate::qc`]. [`super::super::quality_file`] decides how
//! the others are parsed; a test compares the two.

use std::sync::LazyLock;

use super::row::{Key, Kind, Section, bounds, group, no_more, number, positive, text, texts};
use crate::qc::{self, ColumnSettings, GroupKeys, TableSettings};

/// The keys of a column's tests.
pub(super) fn tests_of_columns() -> &'static [Key] {
    static ROWS: LazyLock<Vec<Key>> = LazyLock::new(|| ColumnSettings::KEYS.iter().map(|group| test(group)).collect());
    &ROWS
}

/// The keys of the tests of a table's rows.
pub(super) fn tests_of_rows() -> &'static [Key] {
    static ROWS: LazyLock<Vec<Key>> = LazyLock::new(|| TableSettings::KEYS.iter().map(|group| test(group)).collect());
    &ROWS
}

/// The row of a test, from the test's own description.
fn test(test: &'static GroupKeys) -> Key {
    let section = section_of(test.name, test.keys);
    group(section, test.meaning, value_of(test.name, test.example)).named(test.name)
}

/// Made once per test, and kept as long as the program runs.
fn section_of(heading: &'static str, keys: &'static [qc::Key]) -> &'static Section {
    let rows: Vec<Key> = keys.iter().map(row).collect();
    Box::leak(Box::new(section(heading, rows.leak())))
}

fn row(key: &'static qc::Key) -> Key {
    let kind = match &key.kind {
        qc::Kind::Positive => Kind::Positive,
        qc::Kind::Bounds => Kind::Bounds,
        qc::Kind::Span => Kind::Text("a duration"),
        qc::Kind::Text | qc::Kind::Word(_) => Kind::Text(""),
        qc::Kind::Path => Kind::Text("a path"),
        qc::Kind::Count { least, most, .. } => Kind::Whole { least: (*least).into(), most: (*most).into() },
        qc::Kind::Names | qc::Kind::Instants => Kind::Texts("a pair"),
        qc::Kind::Whole { .. } => Kind::Cycle,
        qc::Kind::Groups(keys) => Kind::Groups(section_of(key.name, keys)),
    };
    let row = Key::new(kind, key.meaning, value_of(key.name, key.example));
    Key { absent: key.absent, ..row.named(key.name) }
}

/// The value in an example that has the form `key = value`.
fn value_of(key: &str, example: &'static str) -> &'static str {
    let value = example.strip_prefix(key).and_then(|rest| rest.strip_prefix(" = "));
    value.unwrap_or(example)
}

const fn section(heading: &'static str, rows: &'static [Key]) -> Section {
    Section { heading, rows, more: no_more }
}

pub(super) static QC: Section = section("[qc]", &[WAIT]);

pub(super) const WAIT: Key = text(
    "a duration",
    "how long after its own time a row is kept back for the rows that its tests look at, before it is sent without them",
    r#""35m""#,
)
// Two of LoggerNet's usual collections: the neighbours of a row arrive with the next one.
.or(r#""11m""#)
.named("wait");

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

pub(super) static GUARDS: Section = section(
    "guards",
    &[
        bounds("the columns are suspect where this one lies outside; `inf` for no bound", "[0.8, inf]")
            .required_in("(or `fail`)")
            .named("suspect"),
        bounds("the columns fail where this one lies outside", "[0.7, inf]").named("fail"),
        texts("", "columns of the table that are flagged then", r#"["CO2", "FC"]"#).required().named("governs"),
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
    use crate::config::quality_file::{
        GuardSection, NumbersSection, PairSection, QcSection, RatioSection, WhenSection,
    };

    /// The fields of a type, from the message in which serde refuses an unknown key.
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
            (&GUARDS, fields::<GuardSection>()),
        ] {
            let rows: BTreeSet<String> = section.keys().map(|key| key.name.to_owned()).collect();
            assert_eq!(rows, fields, "{}", section.heading);
        }
    }
}
