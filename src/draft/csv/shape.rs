//! Tells rows from lines of a header where no format reads their time.
//!
//! A clock that was not set, a line that was cut and a second form of the time stand above the first row that is read as
//! well as below it. Lines that are skipped as a header are lost without a word, and once more in each later content of the
//! file, so a line with numbers where the rows have numbers and a stamp where they have a time is a row: it is rejected, and
//! kept.

use super::Line;
use super::numbers::is_number;
use crate::format::{Spelling, decode};
use crate::qc::Word;

/// More lines than a header has above rows, of depths, heights or limits.
const MANY: usize = 3;

/// The columns of the rows that are numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    time: Vec<usize>,
    numbers: Vec<bool>,
}

/// What a line seems to be by its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Row,
    /// Numbers as in a row, without a text where the time is: depths, or a row that lacks its time.
    Numbers,
    Other,
}

impl Shape {
    /// The shape of rows whose time is read, in these columns.
    pub(super) fn of<'r>(rows: &(impl Iterator<Item = &'r [String]> + Clone), time: &[usize]) -> Shape {
        let width = rows.clone().next().map_or(0, <[String]>::len);
        let is_of_numbers = |place: usize| {
            let (mut values, mut numbers, mut all) = (0, 0, 0);
            for text in rows.clone().filter_map(|row| row.get(place)) {
                all += 1;
                numbers += usize::from(is_number(text));
                values += usize::from(is_value(text));
            }
            numbers > 0 && values * 10 >= all * 9
        };
        let numbers = (0..width).map(|place| !time.contains(&place) && is_of_numbers(place)).collect();
        Shape { time: time.to_vec(), numbers }
    }

    /// What a line is whose time is not read.
    pub(super) fn kind(&self, fields: &[String]) -> Kind {
        let numbers = || self.numbers.iter().filter(|is_number| **is_number).count();
        if numbers() == 0 || fields.len() > self.numbers.len() {
            return Kind::Other;
        }
        // The end of a line whose beginning is lost.
        let lost = self.numbers.len() - fields.len();
        if lost > 0 {
            let is_end = fields.iter().zip(&self.numbers[lost..]).all(|(text, is)| *is && is_number(text));
            return if is_end { Kind::Row } else { Kind::Other };
        }
        let of_numbers = || fields.iter().zip(&self.numbers).filter(|(_, is)| **is).map(|(text, _)| text);
        if !of_numbers().all(|text| is_value(text)) || !of_numbers().any(|text| is_number(text)) {
            return Kind::Other;
        }
        let stamp: Vec<&str> = self.time.iter().filter_map(|place| Some(fields.get(*place)?.trim())).collect();
        let stamp = stamp.join(" ");
        match stamp.trim() {
            "" => Kind::Numbers,
            stamp if is_like_a_stamp(stamp) => Kind::Row,
            _ => Kind::Other,
        }
    }

    /// The number of the first line that is a row, of the lines behind `least` and before `first`, whose time is read; and a CHECK,
    /// if there are rows above it, or lines that may be rows.
    pub(super) fn begin(
        &self,
        lines: &[Line<'_>],
        (least, first): (usize, usize),
        spelling: &Spelling,
    ) -> (usize, Option<String>) {
        let above = lines.iter().filter(|line| line.number > least && line.number < first && !line.is_comment);
        let kinds: Vec<(&Line<'_>, Kind)> = above
            .map(|line| (line, self.kind(&spelling.texts(line.text))))
            .filter(|(_, kind)| *kind != Kind::Other)
            .collect();
        let are_rows = kinds.iter().filter(|(_, kind)| *kind == Kind::Numbers).count() > MANY;
        let rows: Vec<usize> =
            kinds.iter().filter(|(_, kind)| are_rows || *kind == Kind::Row).map(|(line, _)| line.number).collect();
        let Some(begin) = rows.first() else {
            let doubt = kinds.first().map(|(line, _)| {
                format!(
                    "CHECK: line {} has numbers as the rows have them and no time; it counts as a line of the header, and so does a \
                     line in its place in each later content of the file.",
                    line.number
                )
            });
            return (first, doubt);
        };
        let text: String = lines
            .iter()
            .find(|line| line.number == *begin)
            .map_or_else(String::new, |line| decode(line.text).trim().chars().take(40).collect());
        let doubt = format!(
            "CHECK: of the lines above the first time that can be read {} look like rows (line {begin}: {text}), and such rows are \
             rejected. If they are a header, write skip_lines = {}.",
            rows.len(),
            first - 1
        );
        (*begin, Some(doubt))
    }
}

fn is_value(text: &str) -> bool {
    text.is_empty() || is_number(text) || Word::of(text).is_usual()
}

/// More digits than letters, or a text for "missing".
fn is_like_a_stamp(text: &str) -> bool {
    let count = |is: fn(&char) -> bool| text.chars().filter(is).count();
    let digits = count(char::is_ascii_digit);
    (digits > 0 && digits >= count(|sign| sign.is_alphabetic())) || Word::of(text).is_usual()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_stamp_and_numbers_is_a_row_and_a_line_of_texts_is_none() {
        let fields = |line: &str| -> Vec<String> { line.split(',').map(str::to_owned).collect() };
        let rows: Vec<Vec<String>> =
            ["2026-01-01 00:00,1.5,ok,55", "2026-01-01 00:30,NAN,ok,56"].iter().map(|line| fields(line)).collect();
        let shape = Shape::of(&rows.iter().map(Vec::as_slice), &[0]);
        for (line, wanted) in [
            ("2165/165/165 165:165:85,10,ok,55", Kind::Row),
            ("NA,14.5,,55", Kind::Row),
            ("55", Kind::Row),
            ("ok,55", Kind::Other),
            (",5,,10", Kind::Numbers),
            ("min,-50,,0", Kind::Other),
            ("Time,Temp,State,RH", Kind::Other),
            ("Station 5,degC,,%", Kind::Other),
            ("Station 5,3,,7", Kind::Other),
            ("2024-01-01,Report,of,today", Kind::Other),
            ("1,2,3,4,5", Kind::Other),
        ] {
            assert_eq!(shape.kind(&fields(line)), wanted, "{line}");
        }
    }
}
