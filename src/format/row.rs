//! Parses one physical line into a time, a record number and values.

use thiserror::Error;

use crate::format::csv::{Spelled, SpelledNumber};
use crate::format::derived::derive_again;
use crate::format::dialect::spreadsheet_reason;
use crate::format::fields::{Field, Fields};
use crate::format::json_value::{is_quoted_number, plain_text, write_derived, write_json, write_value};
use crate::format::layout::{ColumnSource, Layout};
use crate::format::text::decode;
use crate::qc::{Value, Word};
use crate::source::Said;
use crate::time::{StampRead, Timestamp, impossible};

/// One row. Its buffers are reused for the next row.
#[derive(Debug, Default)]
pub struct ParsedRow {
    /// The time.
    pub stamp: Option<StampRead>,
    /// Whether the logger's text equals the text that [`crate::time::LocalTime`] prints, so that it need not be stored.
    pub time_is_plain: bool,
    /// The logger's text for the time.
    pub time_text: String,
    /// The record number.
    pub record: Option<i64>,
    /// Whether the record number, or a number where no logger writes quotes, is quoted: then the program that saved the
    /// file added quotes. They do not distinguish texts from numbers, and quoted numbers are read as numbers.
    pub quotes_numbers: bool,
    /// Whether the record number is quoted.
    pub quotes_record: bool,
    /// Whether a quoted number was read as a text.
    has_quoted_number: bool,
    /// The values, in the order of the table's column list.
    pub values: Vec<Value>,
    /// The values of the tag columns, in the order of the column list.
    pub tags: Vec<String>,
    json: Vec<u8>,
    spans: Vec<(usize, usize)>,
    scratch: Vec<u8>,
    spelled: Spelled,
}

/// Why a line is not a row.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RowError {
    /// Damage: two lines in one, a cut line or a line of another table.
    #[error("{found} fields where the header has {expected}")]
    Width {
        /// The number of fields on the line.
        found: usize,
        /// The number of fields in the header.
        expected: usize,
    },
    /// A quote is open at the end of the line, or text follows a closing quote.
    #[error("the quotes do not match")]
    Torn,
    /// The time cannot be read.
    #[error("\"{text}\" is no time{}", .hint.as_ref().map(|hint| format!(": {hint}")).unwrap_or_default())]
    Time {
        /// The field, truncated to 40 characters.
        text: String,
        /// What the field seems to be, or which part of it is not valid in a time.
        hint: Option<String>,
    },
    /// The record number is not a whole number.
    #[error("\"{0}\" is not a record number")]
    Record(String),
}

impl ParsedRow {
    /// The values as a JSON array in the order of the table's column list: numbers as the file writes them if JSON and
    /// line protocol accept that, null for a missing value, a string for text and for INF.
    pub fn values_json(&self) -> &str {
        // The buffer holds only ASCII numbers and serde_json's output, so the default is never used.
        std::str::from_utf8(&self.json).unwrap_or_default()
    }

    /// Computes the derived values that depend on the row's time, which is known only after the line was read.
    #[inline]
    pub fn derive_at(&mut self, layout: &Layout, ts: Timestamp) {
        if layout.of_time.is_empty() {
            return;
        }
        let mut values = std::mem::take(&mut self.values);
        let again = derive_again(self.values_json(), &layout.of_time, ts, &mut values);
        self.values = values;
        if let Some(again) = again {
            self.json = again.into_bytes();
        }
    }

    /// Parses `line`, which has no line end and no noise bytes. After an error the row's content is undefined.
    #[inline]
    pub fn read(&mut self, line: &[u8], layout: &Layout) -> Result<(), RowError> {
        let Some(spelling) = &layout.spelling else { return self.read_spelled(line, &[], layout) };
        let mut spelled = std::mem::take(&mut self.spelled);
        let read = spelling
            .spell(line, &mut spelled)
            .and_then(|()| self.read_spelled(&spelled.text, &spelled.numbers, layout));
        self.spelled = spelled;
        read
    }

    /// Takes the parsed content of a translated record, with the same result as [`ParsedRow::read`] for `line`. False
    /// if the layout requires the text.
    #[inline]
    pub fn take_said(&mut self, said: &Said<'_>, line: &[u8], layout: &Layout) -> bool {
        let keys = 1 + usize::from(said.record.is_some());
        // If the record number is not known from the record, it is one of the numbers, so the text is read.
        let are_keys = matches!(layout.sources.first(), Some(ColumnSource::Time))
            && said.record.is_some() == matches!(layout.sources.get(1), Some(ColumnSource::Record));
        let is_said = layout.is_values
            && are_keys
            && layout.sources.len() == keys + said.numbers.len()
            && layout.spelling.is_none()
            && !layout.is_loose;
        let Some(values) = line.get(said.values_at..).filter(|_| is_said) else { return false };
        self.tags.clear();
        self.values.clear();
        self.json.clear();
        self.record = said.record;
        (self.quotes_numbers, self.quotes_record, self.has_quoted_number) = (false, false, false);
        self.stamp = Some(StampRead { time: said.time, is_utc: false });
        self.time_is_plain = true;
        self.values.extend(said.numbers.iter().map(|number| Value::Number(*number)));
        self.json.push(b'[');
        self.json.extend_from_slice(values);
        self.derive_behind(layout);
        self.json.push(b']');
        true
    }

    /// Appends the derived values, which come after those of the file.
    fn derive_behind(&mut self, layout: &Layout) {
        for column in &layout.derived {
            let value = column.value(&self.values, None);
            self.separate();
            write_derived(value, &mut self.json);
            self.values.push(value.map_or(Value::Missing, Value::Number));
        }
    }

    /// Parses a line with commas, decimal points and quotes. `known`: numbers of its first fields.
    #[inline]
    fn read_spelled(&mut self, line: &[u8], known: &[Option<SpelledNumber>], layout: &Layout) -> Result<(), RowError> {
        let read = self.read_quoted((line, known), layout, layout.is_loose);
        if self.has_quoted_number && layout.is_of_another_program(line) {
            return self.read_quoted((line, known), layout, true);
        }
        read
    }

    fn read_quoted(
        &mut self,
        (line, known): (&[u8], &[Option<SpelledNumber>]),
        layout: &Layout,
        quotes_numbers: bool,
    ) -> Result<(), RowError> {
        self.tags.clear();
        self.values.clear();
        self.json.clear();
        self.record = None;
        (self.quotes_numbers, self.quotes_record, self.has_quoted_number) = (quotes_numbers, false, false);
        self.stamp = None;
        let mut fields = Fields::new(line);
        let mut found = 0;
        let done = if layout.in_order {
            self.read_in_order((&mut fields, known), layout, &mut found)
        } else {
            self.read_moved(&mut fields, layout, &mut found)
        };
        // A torn line or a wrong number of fields is a better explanation than a bad time or record number.
        found += fields.by_ref().count();
        if fields.is_torn() {
            return Err(RowError::Torn);
        }
        if found != layout.sources.len() {
            return Err(RowError::Width { found, expected: layout.sources.len() });
        }
        done
    }

    /// Reads a line whose columns are in the table's order: numbers that are valid in JSON are copied with their
    /// commas, adjacent ones together.
    fn read_in_order(
        &mut self,
        (fields, known): (&mut Fields<'_>, &[Option<SpelledNumber>]),
        layout: &Layout,
        found: &mut usize,
    ) -> Result<(), RowError> {
        let line = fields.rest().unwrap_or_default();
        let place = |fields: &Fields<'_>| fields.rest().map_or(line.len() + 1, |rest| line.len() - rest.len());
        self.json.push(b'[');
        // The range of numbers that were not copied yet.
        let mut run = 0..0;
        let mut known = known.iter();
        for source in &layout.sources {
            let known = known.next().and_then(Option::as_ref);
            let begin = place(fields);
            if let ColumnSource::Value(_) = source
                && let Some(number) = fields.next_number(known)
            {
                *found += 1;
                self.values.push(Value::Number(number.value));
                let end = place(fields) - 1;
                if number.canonical {
                    run = if run.is_empty() { begin..end } else { run.start..end };
                } else {
                    self.copy_run(&line[std::mem::take(&mut run)]);
                    self.separate();
                    write_json(&mut self.json, &number.value);
                }
                continue;
            }
            let Some(field) = fields.next() else { break };
            *found += 1;
            match source {
                ColumnSource::Time => self.take_time(field, layout)?,
                ColumnSource::Record => self.take_record(field)?,
                ColumnSource::Value(_) | ColumnSource::Tag(_) => {
                    self.copy_run(&line[std::mem::take(&mut run)]);
                    self.separate();
                    let value = write_value(field, self.quotes_numbers, &mut self.json);
                    self.has_quoted_number |= is_quoted_number(field, self.quotes_numbers);
                    self.values.push(value);
                    if matches!(source, ColumnSource::Tag(_)) {
                        self.tags.push(plain_text(field));
                    }
                    continue;
                }
            }
            self.copy_run(&line[std::mem::take(&mut run)]);
        }
        self.copy_run(&line[run]);
        self.derive_behind(layout);
        self.json.push(b']');
        Ok(())
    }

    #[inline]
    fn copy_run(&mut self, run: &[u8]) {
        if !run.is_empty() {
            self.separate();
            self.json.extend_from_slice(run);
        }
    }

    #[inline]
    fn separate(&mut self) {
        if self.json.len() > 1 {
            self.json.push(b',');
        }
    }

    /// Reads a line with moved, added or missing columns: each value is put at its position, the others are null.
    fn read_moved(&mut self, fields: &mut Fields<'_>, layout: &Layout, found: &mut usize) -> Result<(), RowError> {
        self.values.resize(layout.width, Value::Missing);
        self.scratch.clear();
        self.spans.clear();
        self.spans.resize(layout.width, (0, 0));
        for source in &layout.sources {
            let Some(field) = fields.next() else { break };
            *found += 1;
            match *source {
                ColumnSource::Time => self.take_time(field, layout)?,
                ColumnSource::Record => self.take_record(field)?,
                ColumnSource::Value(place) | ColumnSource::Tag(place) => {
                    let start = self.scratch.len();
                    self.values[place] = write_value(field, self.quotes_numbers, &mut self.scratch);
                    self.has_quoted_number |= is_quoted_number(field, self.quotes_numbers);
                    self.spans[place] = (start, self.scratch.len());
                    if matches!(source, ColumnSource::Tag(_)) {
                        self.tags.push(plain_text(field));
                    }
                }
            }
        }
        for column in &layout.derived {
            let value = column.value(&self.values, None);
            let start = self.scratch.len();
            write_derived(value, &mut self.scratch);
            self.values[column.place] = value.map_or(Value::Missing, Value::Number);
            self.spans[column.place] = (start, self.scratch.len());
        }
        self.order_tags(layout);
        self.json.push(b'[');
        for (place, &(start, end)) in self.spans.iter().enumerate() {
            if place > 0 {
                self.json.push(b',');
            }
            self.json.extend_from_slice(if start == end { b"null" } else { &self.scratch[start..end] });
        }
        self.json.push(b']');
        Ok(())
    }

    /// Sorts the tags by the column list, whatever their order in the file: they are part of the row's key.
    fn order_tags(&mut self, layout: &Layout) {
        let places = layout
            .sources
            .iter()
            .filter_map(|source| if let ColumnSource::Tag(place) = source { Some(*place) } else { None });
        let mut placed: Vec<(usize, String)> = places.zip(self.tags.drain(..)).collect();
        placed.sort();
        self.tags.extend(placed.into_iter().map(|(_, text)| text));
    }

    fn take_time(&mut self, field: Field<'_>, layout: &Layout) -> Result<(), RowError> {
        let field = if layout.is_loose { Field { text: field.text.trim_ascii(), ..field } } else { field };
        let mut formats = layout.time_formats.iter().enumerate();
        let Some((place, read)) = formats.find_map(|(place, format)| Some((place, format.read(field.text)?))) else {
            return Err(refused_time(field, layout));
        };
        self.stamp = Some(read);
        self.time_is_plain =
            place < layout.own_formats && layout.time_formats[place].is_loggers() && is_plain(field.text);
        if !self.time_is_plain {
            self.time_text.clear();
            self.time_text.push_str(&decode(field.text));
        }
        Ok(())
    }

    #[inline]
    fn take_record(&mut self, field: Field<'_>) -> Result<(), RowError> {
        let Some(number) = whole_number(field.text).or_else(|| whole_number_in(field.text)) else {
            return self.take_odd_record(field);
        };
        self.quotes_numbers |= field.quoted;
        self.quotes_record = field.quoted;
        self.record = Some(number);
        Ok(())
    }

    /// A record number that is none, or not exactly known: the row is good without it. It serves to find missing records only.
    #[cold]
    fn take_odd_record(&mut self, field: Field<'_>) -> Result<(), RowError> {
        let text = decode(field.text.trim_ascii());
        // A counter of four bytes, with a sign, behind 2147483647.
        if let Some(signed) = text.parse::<i32>().ok().filter(|number| *number < 0) {
            self.record = Some(i64::from(signed.cast_unsigned()));
            return Ok(());
        }
        let is_number = text.contains(['e', 'E']) && text.parse::<f64>().is_ok();
        let is_too_large = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if text.is_empty() || Word::of(&text).is_usual() || is_number || is_too_large {
            return Ok(());
        }
        Err(RowError::Record(text.chars().take(40).collect()))
    }
}

/// A number of 1 to 18 digits and nothing else.
#[inline]
fn whole_number(text: &[u8]) -> Option<i64> {
    if !(1..=18).contains(&text.len()) {
        return None;
    }
    text.iter().try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// A whole number between blanks, or with zeros after a point, as some programs save whole numbers: `7.0`.
#[cold]
fn whole_number_in(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii();
    match memchr::memchr(b'.', text) {
        Some(point) if text[point + 1..].iter().all(|byte| *byte == b'0') => whole_number(&text[..point]),
        Some(_) => None,
        None => whole_number(text),
    }
}

#[cold]
fn refused_time(field: Field<'_>, layout: &Layout) -> RowError {
    let text = decode(field.text);
    let hint = match layout.time_formats.first() {
        Some(format) if !format.is_loggers() => format.hint(&text),
        _ => spreadsheet_reason(field.text).map(str::to_owned).or_else(|| impossible(field.text)),
    };
    RowError::Time { text: text.chars().take(40).collect(), hint }
}

/// Whether the stamp has nineteen characters, or a fraction that does not end in zero; a blank between date and time;
/// and not hour 24.
fn is_plain(stamp: &[u8]) -> bool {
    stamp[10] == b' ' && &stamp[11..13] != b"24" && (stamp.len() == 19 || stamp.last() != Some(&b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FileFormat;
    use crate::format::header::Header;
    use crate::time::StampFormat;
    use ColumnSource::{Record, Tag, Time, Value as Val};

    fn plain_layout(values: usize) -> Layout {
        let mut sources = vec![Time, Record];
        sources.extend((0..values).map(Val));
        Layout::new(sources, values, Vec::new())
    }

    fn read(line: &str, layout: &Layout) -> Result<ParsedRow, RowError> {
        let mut row = ParsedRow::default();
        row.read(line.as_bytes(), layout).map(|()| row)
    }

    macro_rules! stores {
        ($name:ident, $values:expr, $json:expr) => {
            #[test]
            fn $name() {
                let count = Fields::new($values.as_bytes()).count();
                let row = read(&format!("\"2026-06-01 00:00:00\",7,{}", $values), &plain_layout(count)).unwrap();
                assert_eq!(row.values_json(), $json);
                assert_eq!(row.record, Some(7));
                assert_eq!(row.values.len(), count);
            }
        };
    }

    stores!(numbers_are_kept_as_spelled, "624.6105,-0,7.591075E-005,7999", "[624.6105,-0,7.591075E-005,7999]");
    stores!(other_spellings_are_made_canonical, ".451,-.077,00012", "[0.451,-0.077,12.0]");
    stores!(i8_missing_is_null_and_never_zero, "\"NAN\",NAN,nan,", "[null,null,null,null]");
    stores!(infinity_is_kept_as_a_word, "\"INF\",\"-INF\"", "[\"INF\",\"-INF\"]");
    stores!(a_blank_before_a_number_is_no_part_of_it, " 5, 12.5 ,+5,+.5, NAN, ", "[5,12.5,5,0.5,null,null]");
    stores!(a_quoted_number_with_blanks_is_text, "\" 5\", \"6\"", "[\" 5\",\"6\"]");
    stores!(a_quoted_number_is_text, "\"64291\",\"011.000\"", "[\"64291\",\"011.000\"]");
    stores!(text_keeps_commas_and_blanks, "\"OK, ON POWER UP\",\"1,4093  \"", "[\"OK, ON POWER UP\",\"1,4093  \"]");
    stores!(quotes_and_backslashes_are_escaped, "\"x\"\"y\",\"C:\\\"", "[\"x\\\"y\",\"C:\\\\\"]");
    stores!(bare_letters_are_text, "NA,1e400", "[\"NA\",\"1e400\"]");
    stores!(a_stamp_can_be_a_value, "\"2014-04-10 17:15:00\"", "[\"2014-04-10 17:15:00\"]");

    #[test]
    fn a_bad_line_says_what_is_wrong() {
        let layout = plain_layout(2);
        let error = |line: &str| read(line, &layout).unwrap_err().to_string();
        assert_eq!(error("\"2026-06-01 00:00:00\",1,2"), "3 fields where the header has 4");
        assert_eq!(error("\"2026-06-01 00:00:00\",1,2,3,4"), "5 fields where the header has 4");
        assert_eq!(error("\"2026-06-01 00:00:00\",1,\"2,3"), "the quotes do not match");
        assert_eq!(error("NAN,1,2,3"), "\"NAN\" is no time");
        assert_eq!(error("\"2026-02-29 00:00:00\",1,2,3"), "\"2026-02-29 00:00:00\" is no time: 2026-02 has no day 29");
        assert!(error("5/26/21 12:30,1,2,3").contains("spreadsheet"));
        assert_eq!(error("\"2026-06-01 00:00:00\",x,2,3"), "\"x\" is not a record number");
    }

    #[test]
    fn a_whole_record_number_is_one_with_zeros_behind_a_point_too() {
        let record =
            |text: &str| read(&format!("\"2026-06-01 00:00:00\",{text},1"), &plain_layout(1)).map(|row| row.record);
        assert_eq!((record("7.0"), record("7.")), (Ok(Some(7)), Ok(Some(7))));
        assert!(record("7.5").is_err() && record(".0").is_err());
    }

    #[test]
    fn a_row_whose_record_number_is_missing_or_not_exact_is_a_row_without_one() {
        let record =
            |text: &str| read(&format!("\"2026-06-01 00:00:00\",{text},1"), &plain_layout(1)).map(|row| row.record);
        for text in ["\"NAN\"", "NAN", "", "1.234568E+07", "99999999999999999999"] {
            assert_eq!(record(text), Ok(None), "{text}");
        }
        assert_eq!((record("-2147483648"), record("-1")), (Ok(Some(2_147_483_648)), Ok(Some(4_294_967_295))));
        assert!(record("12a").is_err() && record("\"text\"").is_err());
    }

    fn layout_of(units: &str, process: &str) -> Layout {
        let names = "TIMESTAMP,RECORD,A,B,C".to_owned();
        let lines = ["TOA5,,,,,,,met".to_owned(), names, format!("TS,RN,{units}"), format!(",,{process}")];
        let header = Header::parse([0, 1, 2, 3].map(|at| lines[at].as_bytes())).unwrap();
        let mut places = 0..3;
        Layout::of_file(&FileFormat::Logger(None), &header, 3, Vec::new(), |_| Val(places.next().unwrap()))
    }

    #[test]
    fn numbers_in_quotes_are_numbers_where_no_logger_writes_quotes() {
        let stored = |layout: &Layout, values: &str| {
            let row = read(&format!("\"2026-06-01 00:00:00\",7,{values}"), layout).unwrap();
            (row.values_json().to_owned(), row.quotes_numbers)
        };
        // R quotes the columns that have missing values.
        let averages = layout_of("W/m2,Deg C,", "Avg,Smp,Smp");
        assert_eq!(stored(&averages, r#""1.50",2.5,"007""#), ("[1.50,2.5,7.0]".to_owned(), true));
        assert_eq!(stored(&averages, r#"1.50,"2.5","007""#), (r#"[1.50,"2.5","007"]"#.to_owned(), false));
        assert_eq!(stored(&averages, r#""NAN",2.5,"007""#), (r#"[null,2.5,"007"]"#.to_owned(), false));
        // Every value is a quoted number, and one of them belongs to a column with a unit.
        let samples = layout_of("W/m2,unitless,", "Smp,Smp,Smp");
        assert_eq!(stored(&samples, r#""1.50","NAN","7""#), ("[1.50,null,7]".to_owned(), true));
        assert_eq!(stored(&samples, r#""1.50","OK","7""#), (r#"["1.50","OK","7"]"#.to_owned(), false));
        assert_eq!(stored(&samples, r#""1.50",2.5,"7""#), (r#"["1.50",2.5,"7"]"#.to_owned(), false));
        // Serial numbers and versions, as loggers write them.
        let texts = layout_of(",unitless,", "Smp,Smp,");
        assert!(!stored(&texts, r#""64291","00000000","1.05""#).1);
    }

    #[test]
    fn numbers_in_quotes_are_numbers_where_the_record_number_is_in_quotes() {
        let row = read(r#""2026-06-01 00:00:00","7","1.50","NAN","","a ""b""","INF""#, &plain_layout(5)).unwrap();
        assert!(row.quotes_numbers);
        assert_eq!(row.values_json(), r#"[1.50,null,null,"a \"b\"","INF"]"#);
        let row = read(r#""2026-06-01 00:00:00",7,"1.50""#, &plain_layout(1)).unwrap();
        assert!(!row.quotes_numbers);
        assert_eq!(row.values_json(), r#"["1.50"]"#);
    }

    #[test]
    fn moved_columns_go_to_their_places_and_absent_ones_stay_null() {
        let layout = Layout::new(vec![Time, Val(2), Val(0)], 4, Vec::new());
        let row = read("\"2026-06-01 00:00:00\",5,\"NAN\"", &layout).unwrap();
        assert_eq!(row.values_json(), "[null,null,5,null]");
        assert_eq!(row.values[2], Value::Number(5.0));
        assert_eq!(row.values[3], Value::Missing);
    }

    #[test]
    fn a_tag_column_is_a_value_and_a_part_of_the_key() {
        let mut layout = Layout::new(vec![Time, Tag(0), Val(1)], 2, Vec::new());
        layout.time_formats = vec![StampFormat::new(Some("%m/%d/%Y %H:%M")).unwrap()];
        let row = read("06/25/2021 10:50,6a,1.5", &layout).unwrap();
        assert_eq!(row.tags, ["6a"]);
        assert_eq!(row.values_json(), "[\"6a\",1.5]");
        assert!(!row.time_is_plain);
    }

    #[test]
    fn the_loggers_own_text_is_kept_where_it_cannot_be_printed_again() {
        let layout = plain_layout(1);
        for (stamp, plain) in [
            ("2026-06-01 00:00:00", true),
            ("2026-06-01 00:00:00.05", true),
            ("2026-06-01 00:00:00.50", false),
            ("2026-05-31 24:00:00", false),
            ("2026-06-01T00:00:00", false),
        ] {
            let row = read(&format!("\"{stamp}\",1,2"), &layout).unwrap();
            assert_eq!(row.time_is_plain, plain, "{stamp}");
        }
    }
}
