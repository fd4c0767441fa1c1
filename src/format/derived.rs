//! Derived columns: computed from values of the same row, and not in any file.
//!
//! A derived value is stored beside the raw values, at its own position. It is the only kind of value that is ever
//! computed again. It is missing if one of its inputs is missing, a sentinel or a text.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{Formula, Sky, TableConfig};
use crate::format::number::{NUMBER_REACH, parse_number, take_number};
use crate::qc::{Sentinels, Value};
use crate::sun::{self, Position, Potential};
use crate::time::{Timestamp, nanos};

/// One derived column of a table.
#[derive(Debug, Clone)]
pub struct Derived {
    /// Its position in the column list.
    pub place: usize,
    formula: Formula,
    /// The position and sentinels of each input; None if the table has no such column.
    inputs: Vec<Option<(usize, Sentinels)>>,
    /// Where and over which time the sun's position is computed; None if the formula does not use it or the station's
    /// position is not known.
    sun: Option<Sun>,
}

/// Where and over which time the sun's position is computed.
#[derive(Debug, Clone)]
struct Sun {
    position: Position,
    /// Set if the formula uses potential radiation. The columns of a table share it, because it caches computed days.
    potential: Option<Arc<Mutex<Potential>>>,
    /// The time over which potential radiation is averaged.
    span_nanos: i64,
    has_elevation: bool,
}

impl Sun {
    fn at(&self, ts: Timestamp) -> Sky {
        let potential = self.potential.as_ref().map_or(f64::NAN, |potential| {
            // A panic cannot leave a partly computed day, so a poisoned lock is used.
            potential.lock().unwrap_or_else(PoisonError::into_inner).mean(ts, self.span_nanos)
        });
        Sky { potential, elevation: if self.has_elevation { sun::elevation(self.position, ts) } else { f64::NAN } }
    }
}

impl Derived {
    /// The derived columns of a table whose column list is `names`.
    pub fn of(table: &TableConfig, names: &[String]) -> Vec<Derived> {
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        let input = |name: &String| {
            let column = table.columns.get(name);
            let sentinels = column.and_then(|column| column.sentinels.as_ref()).unwrap_or(&table.sentinels);
            Some((place(name)?, sentinels.clone()))
        };
        let potential =
            table.position.map(|position| Arc::new(Mutex::new(Potential::new(position, table.station_clock))));
        table
            .columns
            .iter()
            .filter_map(|(name, column)| {
                let formula = column.formula.clone()?;
                let inputs = formula.inputs().iter().map(input).collect();
                let position = table.position.filter(|_| formula.needs_sky());
                let span_nanos = column.interval.map_or(0, nanos);
                let potential = potential.clone().filter(|_| formula.has_potential());
                let has_elevation = formula.has_elevation();
                let sun = position.map(|position| Sun { position, potential, span_nanos, has_elevation });
                Some(Derived { place: place(name)?, formula, inputs, sun })
            })
            .collect()
    }

    /// The value for a row. `ts` is the row's time; if it is None because it is not known yet, a value that depends on
    /// it is None.
    pub fn value(&self, values: &[Value], ts: Option<Timestamp>) -> Option<f64> {
        let mut numbers = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let (place, sentinels) = input.as_ref()?;
            match values.get(*place)? {
                Value::Number(number) if !sentinels.has_number(*number) => numbers.push(*number),
                _ => return None,
            }
        }
        let sky = self.sun.as_ref().zip(ts).map(|(sun, ts)| sun.at(ts));
        self.formula.value(&numbers, sky)
    }

    /// Whether its value depends on the row's time.
    pub fn needs_time(&self) -> bool {
        self.sun.is_some()
    }

    /// The columns that the formula reads and the table does not have.
    pub fn lacks(&self) -> impl Iterator<Item = &str> {
        let names = self.formula.inputs().iter().zip(&self.inputs);
        names.filter(|(_, input)| input.is_none()).map(|(name, _)| name.as_str())
    }
}

/// One element of the store's array, as it is written there.
pub fn element(json: &str, place: usize) -> Option<&str> {
    tokens(json).nth(place).and_then(|token| std::str::from_utf8(token).ok())
}

/// Reads the store's array of values. An element that does not parse ends the list.
pub fn values_of(json: &str, values: &mut Vec<Value>) {
    values.clear();
    values.extend(tokens(json).map(value_of));
}

/// Reads the first `width` numbers of the store's array in one pass; NaN where there is none. The list is shorter if
/// the array is.
#[inline]
pub fn numbers_of(json: &[u8], width: usize, numbers: &mut Vec<f64>) {
    numbers.clear();
    numbers.resize(width, f64::NAN);
    let mut rest = json.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or_default();
    let mut places = numbers.iter_mut();
    while rest.len() >= NUMBER_REACH
        && let Some(place) = places.next()
    {
        let (number, length) = number_or_other(rest);
        *place = number;
        rest = rest.get(length + 1..).unwrap_or_default();
    }
    // The last elements are read as if others followed.
    let mut left = rest.len();
    let mut padded = [b','; 2 * NUMBER_REACH];
    let mut text = match padded.get_mut(..left) {
        Some(begin) => {
            begin.copy_from_slice(rest);
            padded.as_slice()
        }
        // Every position has its number.
        None => rest,
    };
    while left > 0
        && let Some(place) = places.next()
    {
        let (number, length) = number_or_other(text);
        *place = number;
        left = left.saturating_sub(length + 1);
        text = text.get(length + 1..).unwrap_or_default();
    }
    let unused = places.len();
    numbers.truncate(width - unused);
}

/// The number at the beginning of the text, up to a comma, and its length; NaN if it is not a number.
#[inline]
fn number_or_other(text: &[u8]) -> (f64, usize) {
    if let Some((number, length)) = take_number(text) {
        return (number.value, length);
    }
    let begin = if text.first() == Some(&b'"') { closing_quote(text) } else { 0 };
    let end = text.get(begin..).and_then(|rest| memchr::memchr(b',', rest)).map_or(text.len(), |at| at + begin);
    (f64::NAN, end)
}

fn value_of(token: &[u8]) -> Value {
    match token.first() {
        Some(b'"') => match serde_json::from_slice::<Cow<'_, str>>(token) {
            Ok(text) => Value::of_text(&text),
            Err(_) => Value::Missing,
        },
        _ => parse_number(token).map_or(Value::Missing, |number| Value::Number(number.value)),
    }
}

/// The values at these positions of the store's array, as texts. None where there is no value.
pub fn texts_of(json: &str, places: &[usize]) -> Vec<Option<String>> {
    let tokens: Vec<&[u8]> = tokens(json).collect();
    let text = |place: &usize| match *tokens.get(*place)? {
        b"null" => None,
        token if token.first() == Some(&b'"') => serde_json::from_slice(token).ok(),
        token => std::str::from_utf8(token).ok().map(str::to_owned),
    };
    places.iter().map(text).collect()
}

/// The elements of a flat JSON array as they are written.
pub(super) fn tokens(json: &str) -> impl Iterator<Item = &[u8]> {
    let inner = json.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
    let mut rest = Some(inner.as_bytes()).filter(|inner| !inner.is_empty());
    std::iter::from_fn(move || {
        let text = rest?;
        let end = if text.first() == Some(&b'"') { closing_quote(text) } else { 0 };
        let end = memchr::memchr(b',', &text[end..]).map(|at| at + end);
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// The position after the closing quote of the string at the beginning of the text.
fn closing_quote(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// Computes the derived columns of a stored row again. Fills `values`; returns the new array if it differs.
pub fn derive_again(json: &str, derived: &[Derived], ts: Timestamp, values: &mut Vec<Value>) -> Option<String> {
    values_of(json, values);
    let mut renewed: Option<Vec<String>> = None;
    for column in derived {
        let value = column.value(values, Some(ts));
        if values.len() <= column.place {
            // A row from before the column was added keeps its length, or it would have more flags than values.
            if value.is_none() {
                continue;
            }
            values.resize(column.place + 1, Value::Missing);
        }
        let token = value.map_or_else(|| "null".to_owned(), spelled);
        let known = tokens(json).nth(column.place).unwrap_or(b"null");
        if known != token.as_bytes() {
            let list = renewed
                .get_or_insert_with(|| tokens(json).map(|token| String::from_utf8_lossy(token).into_owned()).collect());
            if list.len() <= column.place {
                list.resize(column.place + 1, "null".to_owned());
            }
            list[column.place] = token;
        }
        values[column.place] = value.map_or(Value::Missing, Value::Number);
    }
    renewed.map(|list| format!("[{}]", list.join(",")))
}

/// The stored array without its derived values and without missing values at its end. The result is the same for the
/// same line, whatever columns were added or computed since.
pub fn measured<'j>(json: &'j str, derived: &[usize]) -> Cow<'j, str> {
    if derived.is_empty() && !json.ends_with(",null]") {
        return Cow::Borrowed(json);
    }
    let places = tokens(json).enumerate().map(|(place, token)| if derived.contains(&place) { b"null" } else { token });
    let mut list: Vec<_> = places.map(String::from_utf8_lossy).collect();
    while list.last().is_some_and(|token| token == "null") {
        list.pop();
    }
    Cow::Owned(format!("[{}]", list.join(",")))
}

/// The shortest text of the number that is valid in JSON and line protocol.
pub(super) fn spelled(value: f64) -> String {
    serde_json::to_string(&value).unwrap_or_else(|_| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_array_gives_back_its_values() {
        let mut values = Vec::new();
        values_of("[1.5,null,\"INF\",\"a,\\\"b]\",\"\",-7e-3]", &mut values);
        let number = Value::Number;
        assert_eq!(
            values,
            [number(1.5), Value::Missing, Value::Missing, Value::of_text("a,\"b]"), Value::Missing, number(-0.007)]
        );
        values_of("[]", &mut values);
        assert!(values.is_empty());
    }

    #[test]
    fn a_line_has_the_same_content_whatever_was_computed_or_added_since() {
        for json in ["[1,null,\"a,b\"]", "[1,null,\"a,b\",7.5]", "[1,null,\"a,b\",null,null]"] {
            assert_eq!(measured(json, &[3]), "[1,null,\"a,b\"]");
        }
        assert_eq!(measured("[1,2]", &[]), "[1,2]");
        assert_eq!(measured("[1,null]", &[]), "[1]");
        assert_eq!(measured("[null]", &[0]), "[]");
    }

    #[test]
    fn a_derived_value_is_computed_again_and_raw_ones_keep_their_spelling() {
        let formula = Formula::parse("a + b").unwrap();
        let inputs = vec![Some((0, Sentinels::new(vec![7999.0], &[]))), Some((1, Sentinels::default()))];
        let derived = vec![Derived { place: 3, formula, inputs, sun: None }];
        let mut values = Vec::new();
        assert_eq!(
            derive_again("[1.50,2,\"x\"]", &derived, Timestamp::EPOCH, &mut values).as_deref(),
            Some("[1.50,2,\"x\",3.5]")
        );
        assert_eq!(values[3], Value::Number(3.5));
        assert_eq!(derive_again("[1.50,2,\"x\",3.5]", &derived, Timestamp::EPOCH, &mut values), None);
        assert_eq!(
            derive_again("[7999,2,\"x\",3.5]", &derived, Timestamp::EPOCH, &mut values).as_deref(),
            Some("[7999,2,\"x\",null]")
        );
        assert_eq!(derive_again("[null,2]", &derived, Timestamp::EPOCH, &mut values).as_deref(), None);
        assert_eq!(values.len(), 2, "there are as many flags as values");
    }

    proptest::proptest! {
        #[test]
        fn numbers_are_read_in_one_pass_as_each_by_itself(
            cells in proptest::collection::vec("null|\"[a-z,]{0,22}\"|-?[0-9]{1,9}|-?[0-9]{1,4}\\.[0-9]{1,9}|[1-9]\\.[0-9]E[+-][0-9]", 0..12),
            width in 0_usize..14,
        ) {
            let json = format!("[{}]", cells.join(","));
            let mut numbers = vec![7.0];
            numbers_of(json.as_bytes(), width, &mut numbers);
            let one = |cell: &String| parse_number(cell.as_bytes()).map_or(f64::NAN, |number| number.value).to_bits();
            let each: Vec<u64> = cells.iter().take(width).map(one).collect();
            proptest::prop_assert_eq!(numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>(), each, "{}", json);
        }
    }
}
