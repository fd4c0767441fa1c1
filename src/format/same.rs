//! Compares two rows of one time: whether they are the same reading, and what the union of their columns is.
//!
//! A column that only one of the two headers has is not a contradiction. So two rows are compared in the columns that
//! both have, and the comparison adds no value to either (I8).

use std::borrow::Cow;

use crate::format::derived::tokens;
use crate::text::with_plain_signs;

/// The stored array of a row.
#[derive(Debug, Clone, Copy)]
pub struct Cells<'a> {
    /// JSON array in the order of the column list; it may be shorter.
    pub json: &'a str,
    /// The positions in it that the row's header does not have.
    pub lacks: &'a [usize],
}

/// The relation of a new row to the stored row of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// The same reading, without further values.
    Same,
    /// The same reading, with values of columns that the stored row does not have.
    More,
    /// Another reading: the rows differ in a column that both have.
    Other,
}

impl Likeness {
    /// Whether the rows do not contradict each other.
    pub fn is_alike(self) -> bool {
        self != Likeness::Other
    }
}

impl Cells<'_> {
    /// Whether the row has the column of this position.
    pub fn has_within(&self, place: usize) -> bool {
        self.has(place) && tokens(self.json).nth(place).is_some()
    }

    /// Like [`Cells::has_within`], for a position within the array.
    fn has(&self, place: usize) -> bool {
        // The positions are sorted, like every list of positions.
        self.lacks.binary_search(&place).is_err()
    }

    /// Compares a new row with this one, the stored row. Numbers may differ by at most one in the seventh digit:
    /// LoggerNet may print the same record as 8.852894 in one collection and as 8.852895 in the next
    /// (docs/file-formats.md#numbers). `derived` positions are skipped, because derived values are not part of the
    /// reading.
    pub fn compare(&self, other: Cells<'_>, derived: &[usize]) -> Likeness {
        if self.json == other.json {
            return Likeness::Same;
        }
        let parse = serde_json::from_str::<Vec<serde_json::Value>>;
        let (Ok(ours), Ok(theirs)) = (parse(self.json), parse(other.json)) else { return Likeness::Other };
        let mut likeness = Likeness::Same;
        for (place, b) in theirs.iter().enumerate() {
            if derived.contains(&place) || !other.has(place) {
                continue;
            }
            let a = ours.get(place).filter(|_| self.has(place));
            match a {
                Some(a) if !is_same(a, b) => return Likeness::Other,
                None if !b.is_null() => likeness = Likeness::More,
                _ => {}
            }
        }
        likeness
    }

    /// Whether the row has every column that the other row has.
    pub fn covers(&self, other: Cells<'_>) -> bool {
        let (ours, theirs) = (tokens(self.json).count(), tokens(other.json).count());
        (0..theirs).all(|place| !other.has(place) || (place < ours && self.has(place)))
    }

    /// Whether this row can be the beginning of the other one: all values are equal, except that one is cut off.
    pub fn is_beginning_of(&self, whole: Cells<'_>, derived: &[usize]) -> bool {
        let whole_tokens: Vec<&[u8]> = tokens(whole.json).collect();
        let is_own = |place: usize| self.has(place) && !derived.contains(&place);
        let own = tokens(self.json).enumerate().filter(|(place, _)| is_own(*place));
        let mut cut = 0;
        for (place, token) in own {
            let Some(known) = whole_tokens.get(place).filter(|_| whole.has(place)) else { return false };
            if *known == token {
                continue;
            }
            cut += 1;
            if cut > 1 || !known.starts_with(token.strip_suffix(b"\"").unwrap_or(token)) {
                return false;
            }
        }
        true
    }

    /// This row with the additional columns of the other one, and the positions that both do not have.
    pub fn united(&self, other: Cells<'_>) -> (String, Vec<usize>) {
        let (ours, theirs): (Vec<&[u8]>, Vec<&[u8]>) = (tokens(self.json).collect(), tokens(other.json).collect());
        let (mut list, mut lacks) = (Vec::new(), Vec::new());
        for place in 0..ours.len().max(theirs.len()) {
            let own = ours.get(place).filter(|_| self.has(place));
            match own.or_else(|| theirs.get(place).filter(|_| other.has(place))) {
                Some(token) => list.push(String::from_utf8_lossy(token).into_owned()),
                None => {
                    lacks.push(place);
                    list.push("null".to_owned());
                }
            }
        }
        (format!("[{}]", list.join(",")), lacks)
    }
}

/// The relation of a row with some of the values to the stored row of its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parts {
    /// The stored row has all its values.
    Known,
    /// The stored row, completed with its values.
    More(String),
    /// The stored row with its values, of which at least one contradicts the stored one.
    Other(String),
}

/// Merges a row with one that has some of its values; null is a value that it does not have. `derived` positions are
/// skipped.
pub fn unite(stored: &str, part: &str, derived: &[usize]) -> Parts {
    let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    let read = |json| serde_json::from_str::<Vec<&serde_json::value::RawValue>>(json).unwrap_or_default();
    let (own, new) = (read(stored), read(part));
    let mut list: Vec<&str> = own.iter().map(|value| value.get()).collect();
    let (mut is_more, mut is_other) = (false, false);
    for (place, value) in new.iter().map(|value| value.get()).enumerate() {
        if value == "null" || derived.contains(&place) {
            continue;
        }
        if list.len() <= place {
            list.resize(place + 1, "null");
        }
        let known = list[place];
        if known == "null" {
            is_more = true;
        } else if known == value || parsed(known).zip(parsed(value)).is_some_and(|(a, b)| is_same(&a, &b)) {
            continue;
        } else {
            is_other = true;
        }
        list[place] = value;
    }
    let list = || format!("[{}]", list.join(","));
    match (is_other, is_more) {
        (true, _) => Parts::Other(list()),
        (false, true) => Parts::More(list()),
        (false, false) => Parts::Known,
    }
}

/// Whether two values are the same reading.
fn is_same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => within_seventh_digit(a, b),
        // A number whose minus was read as a text by an earlier version.
        (Some(number), None) | (None, Some(number)) => {
            let text = a.as_str().or_else(|| b.as_str()).unwrap_or_default();
            matches!(with_plain_signs(text), Cow::Owned(plain) if plain.trim().parse() == Ok(number))
        }
        _ => a == b,
    }
}

fn within_seventh_digit(a: f64, b: f64) -> bool {
    let largest = a.abs().max(b.abs());
    if largest == 0.0 {
        return true;
    }
    // Slightly more than one, for the rounding error of the difference itself.
    (a - b).abs() <= 10_f64.powf(largest.log10().floor() - 6.0) * 1.000_001
}

#[cfg(test)]
mod tests {
    use super::*;
    use Likeness::{More, Other, Same};

    fn of<'a>(json: &'a str, lacks: &'a [usize]) -> Cells<'a> {
        Cells { json, lacks }
    }

    fn likeness(stored: &str, row: &str) -> Likeness {
        of(stored, &[]).compare(of(row, &[]), &[])
    }

    #[test]
    fn a_part_adds_what_the_row_lacks_and_contradicts_where_it_differs() {
        let unite = |stored, part| unite(stored, part, &[3]);
        assert_eq!(unite("[1,null,3]", "[1.0000001,null,null]"), Parts::Known);
        assert_eq!(unite("[1,null]", "[null,2.50]"), Parts::More("[1,2.50]".to_owned()));
        assert_eq!(unite("[1]", "[null,null,\"x,y\"]"), Parts::More("[1,null,\"x,y\"]".to_owned()));
        assert_eq!(unite("[1,2]", "[null,3]"), Parts::Other("[1,3]".to_owned()));
        assert_eq!(unite("[1,2,3,5]", "[1,null,null,6]"), Parts::Known, "derived");
    }

    #[test]
    fn one_in_the_seventh_digit_is_the_same_reading() {
        assert_eq!(likeness("[8.852894,1]", "[8.852895,1]"), Same);
        assert_eq!(likeness("[8.852894,1]", "[8.852896,1]"), Other);
        assert_eq!(likeness("[8.852894,1]", "[8.852894,2]"), Other);
        assert_eq!(likeness("[0,null]", "[0]"), Same);
        assert_eq!(likeness("[null]", "[0]"), Other);
        assert_eq!(likeness("[\"a\"]", "[\"b\"]"), Other);
        assert_eq!(likeness("[\"\u{2212}1.5\"]", "[-1.5]"), Same);
        assert_eq!(likeness("[\"\u{2212}1.5\"]", "[1.5]"), Other);
        assert_eq!(likeness("[\"1.5\"]", "[1.5]"), Other);
        assert_eq!(likeness("[null]", "[1.5]"), Other);
    }

    #[test]
    fn a_column_that_only_one_row_has_is_no_contradiction() {
        assert_eq!(likeness("[1]", "[1,2]"), More);
        assert_eq!(likeness("[1]", "[1,null]"), Same, "a missing value adds nothing");
        assert_eq!(likeness("[1,2]", "[1]"), Same);
        assert_eq!(of("[1,null,3]", &[1]).compare(of("[1,2,null]", &[2]), &[]), More);
        assert_eq!(of("[1,null,3]", &[1]).compare(of("[9,2,null]", &[2]), &[]), Other);
        assert_eq!(of("[1,null,3]", &[]).compare(of("[1,2,null]", &[2]), &[]), Other, "missing, and not absent");
        assert_eq!(of("[1,5,3]", &[]).compare(of("[1,4,null]", &[2]), &[1]), Same, "derived");
    }

    #[test]
    fn the_union_has_the_values_of_the_row_and_what_it_lacks_of_the_other() {
        let (short, other) = (of("[1,null]", &[1]), of("[9,2.50,null,\"x,y\"]", &[2]));
        assert_eq!(short.united(other), ("[1,2.50,null,\"x,y\"]".to_owned(), vec![2]));
        assert_eq!(other.united(short), ("[9,2.50,null,\"x,y\"]".to_owned(), vec![2]));
        assert!(other.covers(short) && !short.covers(other));
    }

    #[test]
    fn a_cut_row_is_the_beginning_of_the_whole_one_whatever_columns_that_one_has() {
        assert!(of("[1,12]", &[]).is_beginning_of(of("[1,12.75,7]", &[]), &[]));
        assert!(of("[1,\"ab\"]", &[]).is_beginning_of(of("[1,\"abc\"]", &[]), &[]));
        assert!(of("[1,null,4]", &[1]).is_beginning_of(of("[1,7,45]", &[]), &[]));
        assert!(!of("[1,13]", &[]).is_beginning_of(of("[1,12.75]", &[]), &[]));
        assert!(!of("[1,1]", &[]).is_beginning_of(of("[12,12]", &[]), &[]), "two values are cut");
    }
}
