//! Finds the column of record numbers: one that is called so and whose values count.
//!
//! A wrong one costs its rows or its values: a line whose record number is none is rejected, and a record number is not sent.

use super::{Line, time};
use crate::qc::Word;

/// Names that nothing else has.
const NAMES: [&str; 5] = ["record", "recnbr", "recnum", "recno", "record number"];
/// Names that other columns have, too: Rn is net radiation.
const OPEN: [&str; 2] = ["rn", "rec"];

/// The position of the record number.
pub(super) fn find(names: &[String], rows: &[(&Line<'_>, Vec<String>)], time: &time::Found) -> Option<usize> {
    let rows = rows.get(time.first..)?;
    let mut called = names.iter().enumerate().filter_map(|(place, name)| {
        let name = name.to_lowercase();
        let is_open = OPEN.contains(&name.as_str());
        (is_open || NAMES.contains(&name.as_str())).then_some((place, is_open))
    });
    let is_record = |&(place, is_open): &(usize, bool)| {
        let texts = rows.iter().filter(|(_, fields)| time.reads(fields)).filter_map(|(_, fields)| fields.get(place));
        let Some(numbers) = whole(texts) else { return false };
        if !is_open {
            return is_ordered(&numbers);
        }
        let is_beside_time = time.columns.iter().any(|column| column.abs_diff(place) == 1);
        is_beside_time && counts(&numbers)
    };
    called.find(is_record).map(|(place, _)| place)
}

/// The numbers of a column without those that are missing. None if one is not whole.
fn whole<'t>(texts: impl Iterator<Item = &'t String>) -> Option<Vec<i64>> {
    let texts = texts.map(|text| text.trim()).filter(|text| !text.is_empty() && !Word::of(text).is_usual());
    texts
        .map(|text| {
            // As programs save whole numbers that may be missing: 7.0.
            let (whole, zeros) = text.split_once('.').unwrap_or((text, ""));
            whole.parse::<i64>().ok().filter(|_| zeros.bytes().all(|byte| byte == b'0'))
        })
        .collect()
}

/// Whether most numbers are one more than those before them, or one less in a file with its newest row first.
fn counts(numbers: &[i64]) -> bool {
    let by = |step: i64| numbers.windows(2).filter(|pair| pair[1].checked_sub(pair[0]) == Some(step)).count();
    let is_of_records = numbers.iter().all(|number| *number >= 0);
    is_of_records && numbers.len() > 1 && by(1).max(by(-1)) * 2 > numbers.len() - 1
}

/// Whether the numbers go up, or down, with few steps the other way: some rows may be left out.
fn is_ordered(numbers: &[i64]) -> bool {
    let rising = numbers.windows(2).filter(|pair| pair[0] < pair[1]).count();
    let falling = numbers.windows(2).filter(|pair| pair[0] > pair[1]).count();
    numbers.len() < 2 || rising.max(falling) > 3 * rising.min(falling)
}

#[cfg(test)]
mod tests {
    use super::super::recognise;

    fn record(names: &str, value: impl Fn(usize) -> String) -> Option<String> {
        let rows: String = (0..24).map(|row| format!("2026-11-10 {row:02}:00:00,{},5.5\n", value(row))).collect();
        recognise(format!("{names}\n{rows}").as_bytes()).unwrap().csv.record_column
    }

    #[test]
    fn a_column_is_the_record_number_only_if_its_values_count() {
        let is = |names: &str, value: &dyn Fn(usize) -> String| record(names, value).is_some();
        for names in ["Time,RECORD,T", "Time,RN,T", "Time,rec,T"] {
            assert!(is(names, &|row| (row + 7).to_string()), "{names}");
            assert!(is(names, &|row| format!("{}.0", 50 - row)), "{names}: newest first");
            assert!(!is(names, &|row| format!("{}.5", row * 30)), "{names}: decimals");
            assert!(!is(names, &|row| ["0", "12", "3"][row % 3].to_owned()), "{names}: no order");
        }
        assert!(is("Time,RECORD,T", &|row| (row * 6).to_string()), "each sixth record");
        assert!(is("Time,RECORD,T", &|row| if row % 5 == 2 { String::new() } else { row.to_string() }));
        assert!(!is("Time,Rn,T", &|row| (row * 6).to_string()), "net radiation of a morning");
        assert!(record("Time,T,Rn", |row| row.to_string()).is_none(), "not beside the time");
    }
}
