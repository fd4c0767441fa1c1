//! Determines the signs in the numbers of a text table: the decimal sign, and the sign between thousands.

use crate::config::{CsvDialect, Separator};
use crate::text::with_plain_signs;

/// The evidence in the values of a file.
#[derive(Default)]
struct Seen {
    /// A comma that cannot separate thousands: `1,5`, `1234,567`.
    decimal_comma: bool,
    /// A point that cannot separate thousands.
    decimal_point: bool,
    /// Groups of thousands with commas: `1,234` and `1,234,567`.
    comma_groups: bool,
    /// Groups of thousands of which no comma can be a decimal sign: `1,234,567`.
    sure_comma_groups: bool,
    /// Groups of thousands with points of which no point can be a decimal sign: `1.234.567`, `1.234,5`.
    point_groups: bool,
    /// Of `1.234` the point may be either.
    open_point_groups: bool,
    /// A point that cannot separate thousands, beside one number without another sign: `1.5`.
    other_points: bool,
    /// Groups of thousands with apostrophes: `1'234`.
    apostrophes: bool,
    /// Groups of thousands with blanks: `1 234`.
    blanks: bool,
}

/// Whether some values of a column have a point before three digits, and others, below a thousand, none: a voltage of three
/// decimals has a point in each value.
pub(super) fn has_groups_and_others<'v>(mut values: impl Iterator<Item = &'v str> + Clone) -> bool {
    let is_grouped = |text: &str| is_grouped(text.trim().trim_start_matches(['-', '+']), '.');
    values.clone().any(is_grouped) && values.any(|text| is_number(text) && !text.contains('.'))
}

/// Sets the decimal sign and the sign between thousands by the values. Returns a note if the values are ambiguous. `has_both` is
/// [`has_groups_and_others`] of any column.
pub(super) fn learn<'v>(
    values: impl Iterator<Item = &'v str>,
    has_both: bool,
    dialect: &mut CsvDialect,
) -> Option<&'static str> {
    let mut seen = Seen::default();
    let mut note = None;
    values.for_each(|value| seen.value(value));
    let is_comma_separated = dialect.separator == Separator::Sign(b',');
    let is_open = seen.comma_groups && !seen.decimal_point && !seen.sure_comma_groups;
    if seen.decimal_comma || (is_open && !is_comma_separated) {
        dialect.decimal = b',';
        if seen.point_groups {
            dialect.thousands = Some(b'.');
        } else if seen.open_point_groups && !seen.other_points && !has_both {
            note = Some(
                "CHECK: a number such as 1.234 has its point before the fraction, though other numbers have a decimal comma; if it is 1234, \
                 write thousands = \".\" in [table.csv].",
            );
        } else if seen.open_point_groups && !seen.other_points {
            dialect.thousands = Some(b'.');
            note = Some(
                "CHECK: a number such as 1.234 is read as 1234, because other numbers have a decimal comma; if its point stands before \
                 the fraction, take thousands out.",
            );
        }
    } else if seen.comma_groups {
        dialect.thousands = Some(b',');
        if is_open {
            note = Some(
                "CHECK: a number such as 1,234 is read as 1234; if its comma stands before the fraction, write decimal = \",\" in \
                 [table.csv] and take thousands out.",
            );
        }
    }
    if seen.apostrophes {
        dialect.thousands = Some(b'\'');
    } else if seen.blanks && dialect.separator != Separator::Blanks {
        dialect.thousands = Some(b' ');
    }
    note
}

impl Seen {
    fn value(&mut self, text: &str) {
        let text = with_plain_signs(text.trim());
        let text = text.trim().trim_start_matches(['-', '+']);
        let commas = text.matches(',').count();
        let points = text.matches('.').count();
        if !text.bytes().all(|byte| byte.is_ascii_digit() || b".,' eE+-".contains(&byte))
            || !text.starts_with(|c: char| c.is_ascii_digit() || c == ',' || c == '.')
        {
            return;
        }
        let groups = |sign: char, rest: &str| {
            let whole = rest.split([',', '.']).next().unwrap_or_default();
            let whole = if sign == ',' || sign == '.' { rest } else { whole };
            is_grouped(whole, sign)
        };
        match (commas, points) {
            (0, 0) => {
                self.apostrophes |= groups('\'', text);
                self.blanks |= groups(' ', text);
            }
            (0, 1) if text.contains(['\'', ' ']) => {
                self.apostrophes |= groups('\'', text);
                self.blanks |= groups(' ', text);
                (self.decimal_point, self.other_points) = (true, true);
            }
            (1, 0) if text.contains(['\'', ' ']) => {
                self.apostrophes |= groups('\'', text);
                self.blanks |= groups(' ', text);
                self.decimal_comma = true;
            }
            (0, 1) => {
                self.decimal_point = true;
                let is_open = groups('.', text);
                self.open_point_groups |= is_open;
                self.other_points |= !is_open;
            }
            (0, _) => self.point_groups |= groups('.', text),
            (1, 0) if groups(',', text) => self.comma_groups = true,
            (1, 0) => self.decimal_comma = true,
            (_, 0) if groups(',', text) => (self.comma_groups, self.sure_comma_groups) = (true, true),
            (_, 0) => {}
            (_, 1) if text.rfind(',') < text.rfind('.') => (self.comma_groups, self.decimal_point) = (true, true),
            (1, _) => (self.decimal_comma, self.point_groups) = (true, true),
            _ => {}
        }
    }
}

/// Whether the text has the form `1,234,567`: one to three digits, then groups of three.
fn is_grouped(text: &str, sign: char) -> bool {
    let mut groups = text.split(sign);
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    // A number with groups of thousands does not begin with a zero.
    let mut rest = groups.peekable();
    (1..=3).contains(&first.len())
        && digits(first)
        && !first.starts_with('0')
        && rest.peek().is_some()
        && rest.all(|group| group.len() == 3 && digits(group))
}

/// Whether a text is a number with any of these signs.
pub(super) fn is_number(text: &str) -> bool {
    let text = with_plain_signs(text.trim());
    let text = text.trim_start_matches(['-', '+']);
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == ',')
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b".,eE+-".contains(&byte))
}

/// Like [`is_number`], but with a fraction or missing: measured values are, names and numbers of places are not.
pub(super) fn is_decimal(text: &str) -> bool {
    text.trim().is_empty() || is_number(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_learned_from_the_values_together() {
        let semicolon = Separator::Sign(b';');
        let comma = Separator::Sign(b',');
        for (separator, values, decimal, thousands) in [
            (semicolon, &["1,5", "2,25"][..], b',', None),
            (semicolon, &["1.234,5", "2,25"], b',', Some(b'.')),
            (semicolon, &["1,234", "2,345"], b',', None),
            (semicolon, &["1,234", "2.5"], b'.', Some(b',')),
            (semicolon, &["1,234.5", "2"], b'.', Some(b',')),
            (comma, &["1,234", "2"], b'.', Some(b',')),
            (comma, &["1.234", "2"], b'.', None),
            (semicolon, &["1'234.5", "0.5"], b'.', Some(b'\'')),
            (semicolon, &["1 234,5", "0,5"], b',', Some(b' ')),
            (semicolon, &["0,234", "-0,5"], b',', None),
            (semicolon, &["1,234,567", "2"], b'.', Some(b',')),
            (comma, &["0,5", "50"], b',', None),
            (comma, &["1.234,5", "50"], b',', Some(b'.')),
            (semicolon, &["\u{2212}1,5", "2,25"], b',', None),
            (semicolon, &["101\u{202f}025,5", "0,5"], b',', Some(b' ')),
            (semicolon, &["101\u{a0}025", "0,5"], b',', Some(b' ')),
            (semicolon, &["101\u{2019}025.5", "0.5"], b'.', Some(b'\'')),
            (semicolon, &["10,5", "999", "1.000"], b',', Some(b'.')),
            (semicolon, &["10,5", "0.999", "1.000"], b',', None),
            (semicolon, &["12.300", "12.349"], b'.', None),
        ] {
            let mut dialect = CsvDialect { separator, ..CsvDialect::default() };
            let has_both = has_groups_and_others(values.iter().copied());
            let note = learn(values.iter().copied(), has_both, &mut dialect);
            assert_eq!((dialect.decimal, dialect.thousands), (decimal, thousands), "{values:?}");
            let is_noted = (separator == comma && values[0] == "1,234") || values[1..] == ["999", "1.000"];
            assert_eq!(note.is_some(), is_noted, "{values:?}");
        }
    }

    #[test]
    fn three_decimals_in_each_value_of_a_column_are_no_thousands_beside_decimal_commas() {
        let voltages = ["12.300", "12.349"];
        assert!(!has_groups_and_others(voltages.into_iter()));
        let mut dialect = CsvDialect { separator: Separator::Sign(b';'), ..CsvDialect::default() };
        let note = learn(voltages.into_iter().chain(["0,5"]), false, &mut dialect);
        assert_eq!((dialect.decimal, dialect.thousands, note.is_some()), (b',', None, true));
    }
}
