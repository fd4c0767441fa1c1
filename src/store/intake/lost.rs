//! Decides which rows lose a field when their content changes.
//!
//! A server merges the fields of a point: if a later write of the point lacks a field, the field keeps its value. So a
//! row that was sent with a value and is now to be sent without it must first be removed from the bucket. This is
//! checked for rows that change, never for new rows. In doubt the answer is yes: a point that is removed without need
//! is written again, but a point that is not removed keeps a value that no row has.

use serde_json::Value;

use crate::config::{ColumnUse, TableConfig};

/// QARTOD's digit for "missing".
const MISSING: u8 = b'9';
/// QARTOD's digit for "fail".
const FAIL: u8 = b'4';

/// When a column's value is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// Not a field.
    Never,
    Always,
    /// Unless it fails.
    UnlessItFails,
}

/// The columns of a table, with the rule for sending each.
#[derive(Debug, Clone)]
pub(in crate::store) struct SentFields {
    columns: Vec<Sent>,
}

/// The content of a stored row.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Content<'a> {
    /// JSON array, aligned with the column list (or shorter).
    pub(in crate::store) values: &'a str,
    /// One digit per value.
    pub(in crate::store) flags: &'a str,
}

/// The type of a cell in line protocol: numbers and text are fields of different types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nothing,
    Number,
    Text,
    Truth,
}

impl SentFields {
    /// By the present configuration.
    pub(in crate::store) fn of<'n>(table: &TableConfig, columns: impl Iterator<Item = &'n str>) -> SentFields {
        let sent = |column: &str| match table.columns.get(column) {
            Some(config) if config.column_use != ColumnUse::Field => Sent::Never,
            Some(config) if config.withhold => Sent::UnlessItFails,
            _ => Sent::Always,
        };
        SentFields { columns: columns.map(sent).collect() }
    }

    /// Whether a row with the flags `after` writes each field of a point that was written with the flags `before`. The flags
    /// of `after` may still change, so that a column whose failed values are withheld is a doubt.
    pub(in crate::store) fn overwrites(&self, before: &str, after: &str) -> bool {
        let has = |flags: &str, place: usize| flags.as_bytes().get(place).is_some_and(|flag| *flag != MISSING);
        let sent = || self.columns.iter().enumerate().filter(|(_, sent)| **sent != Sent::Never);
        let had_value = sent().any(|(place, _)| has(before, place));
        had_value && sent().all(|(place, sent)| !has(before, place) || (has(after, place) && *sent == Sent::Always))
    }

    /// Whether a point written with `before` may hold a field that the line of `after` lacks. The values alone decide what was
    /// sent, because `withhold` may have been set since.
    pub(in crate::store) fn loses(&self, before: Content<'_>, after: Content<'_>) -> bool {
        let (Some(old), Some(new)) = (kinds(before.values), kinds(after.values)) else { return true };
        let flag = |content: Content<'_>, place: usize| content.flags.as_bytes().get(place).copied().unwrap_or(MISSING);
        let cell = |kinds: &[Kind], place: usize| kinds.get(place).copied().unwrap_or(Kind::Nothing);
        let (mut had_value, mut has_value) = (false, false);
        for (place, &sent) in self.columns.iter().enumerate().filter(|(_, sent)| **sent != Sent::Never) {
            let (was, is) = (cell(&old, place), cell(&new, place));
            let was_sent = was != Kind::Nothing && flag(before, place) != MISSING;
            let fails = sent == Sent::UnlessItFails && flag(after, place) == FAIL;
            let is_sent = is != Kind::Nothing && flag(after, place) != MISSING && !fails;
            if was_sent && !(is_sent && was == is) {
                return true;
            }
            // A failed value was either sent or withheld; where none is withheld, it was sent.
            had_value |= was_sent && (flag(before, place) != FAIL || sent == Sent::Always);
            has_value |= is_sent;
        }
        // A row without values carries the flags of all its fields, any other row only the flags of tested fields.
        !had_value && has_value
    }
}

/// None where the array cannot be read.
fn kinds(values: &str) -> Option<Vec<Kind>> {
    let cells: Vec<Value> = serde_json::from_str(values).ok()?;
    let kind = |cell: &Value| match cell {
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::Text,
        Value::Bool(_) => Kind::Truth,
        _ => Kind::Nothing,
    };
    Some(cells.iter().map(kind).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loses(withhold: bool, before: (&str, &str), after: (&str, &str)) -> bool {
        let column = if withhold { Sent::UnlessItFails } else { Sent::Always };
        let fields = SentFields { columns: vec![column, Sent::Always, Sent::Never] };
        let content = |(values, flags)| Content { values, flags };
        fields.loses(content(before), content(after))
    }

    #[test]
    fn a_row_loses_a_field_when_a_value_goes_or_is_missing_or_is_withheld_from_now_on() {
        let sent = ("[1,2,3]", "111");
        assert!(loses(false, sent, ("[null,2,3]", "911")), "NAN in the new row");
        assert!(loses(false, sent, ("[1,2,3]", "911")), "a value that counts as missing now");
        assert!(loses(true, sent, ("[1,2,3]", "411")), "a value that fails now");
        assert!(loses(true, ("[1,2,3]", "411"), ("[1,2,3]", "431")), "it may have been sent before `withhold` was set");
        assert!(loses(false, sent, ("[1]", "1")), "a shorter row");
        assert!(loses(false, sent, ("[\"x\",2,3]", "111")), "a text where a number was");
        assert!(loses(false, sent, ("[", "111")), "an unreadable row is a doubt");
    }

    #[test]
    fn a_row_loses_nothing_when_values_flags_or_unsent_columns_change() {
        let sent = ("[1,2,3]", "111");
        assert!(!loses(false, sent, ("[7,8,9]", "111")));
        assert!(!loses(false, sent, ("[1,2,3]", "441")));
        assert!(!loses(true, sent, ("[1,2,3]", "341")));
        assert!(!loses(true, sent, ("[1,2,null]", "119")));
        assert!(!loses(false, ("[1,2,3]", "441"), ("[1,2,3]", "111")), "a fail that is lifted");
        assert!(
            loses(true, ("[1,null,3]", "491"), ("[1,null,3]", "191")),
            "a value that was withheld, alone in its row"
        );
        assert!(!loses(false, ("[null,2]", "91"), ("[1,2,3]", "111")));
    }

    #[test]
    fn a_row_overwrites_a_point_of_another_row_if_it_has_a_value_for_each_of_its_fields() {
        let fields = SentFields { columns: vec![Sent::Always, Sent::Always, Sent::Never] };
        assert!(fields.overwrites("111", "144") && fields.overwrites("191", "111") && fields.overwrites("119", "119"));
        assert!(!fields.overwrites("111", "191") && !fields.overwrites("111", "1"));
        assert!(!fields.overwrites("991", "111"), "an empty row carried the flags of all its fields");
        let withheld = SentFields { columns: vec![Sent::UnlessItFails, Sent::Always] };
        assert!(!withheld.overwrites("11", "11") && withheld.overwrites("91", "11"));
    }

    #[test]
    fn a_row_that_gets_its_first_value_loses_the_flags_that_only_an_empty_row_carries() {
        assert!(loses(false, ("[null,null]", "99"), ("[1,null]", "19")));
        assert!(!loses(false, ("[null,null]", "99"), ("[null,null]", "94")));
    }
}
