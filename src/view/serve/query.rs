//! Parses the parameters of a request, after the `?`: every key must be known, every number finite, every list short.

use url::form_urlencoded;

use super::error::ApiError;
use crate::time::{NANOS_PER_MILLI, Timestamp};

const TAG: &str = "tag.";
/// The most columns of a request. A table may have more columns, but a view shows at most this many.
const MOST_COLUMNS: usize = 512;

/// The parameters of a request.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Parses them. An unknown key is an error, because it may be misspelled. If `tag.` is known, keys with this prefix
    /// are tags.
    pub(super) fn read(text: Option<&str>, known: &[&str]) -> Result<Query, ApiError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (key, value) in form_urlencoded::parse(text.unwrap_or_default().as_bytes()) {
            let is_tag = known.contains(&TAG) && key.starts_with(TAG);
            if !is_tag && !known.contains(&key.as_ref()) {
                return Err(ApiError::Question(format!(
                    "the parameter \"{key}\" is unknown; known: {}",
                    known.join(", ")
                )));
            }
            if pairs.iter().any(|(before, _)| *before == key) {
                return Err(ApiError::Question(format!("the parameter \"{key}\" occurs twice")));
            }
            pairs.push((key.into_owned(), value.into_owned()));
        }
        Ok(Query(pairs))
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    pub(super) fn needed(&self, key: &str) -> Result<&str, ApiError> {
        self.text(key).ok_or_else(|| ApiError::Question(format!("\"{key}\" is missing")))
    }

    /// From `from` to `to`, in milliseconds since 1970.
    pub(super) fn span(&self) -> Result<(Timestamp, Timestamp), ApiError> {
        let (from, to) = (self.instant("from")?, self.instant("to")?);
        if from >= to {
            return Err(ApiError::Question("\"from\" is not before \"to\"".to_owned()));
        }
        Ok((from, to))
    }

    fn instant(&self, key: &str) -> Result<Timestamp, ApiError> {
        let text = self.needed(key)?;
        instant(text).ok_or_else(|| {
            ApiError::Question(format!(
                "\"{key}\" is not a time; write milliseconds since 1970, in UTC, years 1678 to 2261"
            ))
        })
    }

    /// A count of at least 1, limited to `most`.
    pub(super) fn count(&self, key: &str, default: usize, most: usize) -> Result<usize, ApiError> {
        let Some(text) = self.text(key) else { return Ok(default) };
        match text.parse::<u64>() {
            Ok(count) if count > 0 => Ok(usize::try_from(count).unwrap_or(most).min(most)),
            _ => Err(ApiError::Question(format!("\"{key}\" is not a count; write a whole number from 1"))),
        }
    }

    /// Names separated by commas. Each name is encoded a second time, so that it may hold a comma.
    pub(super) fn names(&self, key: &str) -> Result<Vec<String>, ApiError> {
        let names: Vec<String> = self.needed(key)?.split(',').map(percent_decoded).collect();
        if names.len() > MOST_COLUMNS {
            return Err(ApiError::Question(format!(
                "\"{key}\" has more than {MOST_COLUMNS} names; request fewer at once"
            )));
        }
        Ok(names)
    }

    /// Names and values of the tags.
    pub(super) fn tags(&self) -> Vec<(String, String)> {
        let tags = self.0.iter().filter_map(|(key, value)| Some((key.strip_prefix(TAG)?.to_owned(), value.clone())));
        tags.collect()
    }
}

/// Times have nanoseconds, and a number with 53 bits holds only whole milliseconds exactly. So the fraction is parsed
/// separately.
fn instant(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let millis: i64 = whole.parse().ok()?;
    let mut nanos: i64 = 0;
    let digits = fraction.get(..fraction.len().min(6))?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    for digit in format!("{digits:0<6}").bytes() {
        nanos = nanos * 10 + i64::from(digit - b'0');
    }
    let nanos = if whole.starts_with('-') { -nanos } else { nanos };
    millis.checked_mul(NANOS_PER_MILLI)?.checked_add(nanos).map(Timestamp::from_nanos)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let hex = behind.get(..2).filter(|_| first == b'%').and_then(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok().filter(|_| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))
        });
        bytes.push(hex.unwrap_or(first));
        rest = if hex.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        Query::read(Some(&format!("columns={text}")), &["columns"]).unwrap().names("columns").unwrap()
    }

    #[test]
    fn a_name_may_hold_every_letter() {
        assert_eq!(names("a,b"), ["a", "b"]);
        assert_eq!(names("PPFD%5B1%5D,x%20y"), ["PPFD[1]", "x y"]);
        assert_eq!(names("T%252Csoil,100%2525,a%252Bb"), ["T,soil", "100%", "a+b"]);
        assert_eq!(names("100%25,%C2%B5"), ["100%", "µ"]);
    }

    #[test]
    fn a_time_keeps_its_fraction_and_a_wrong_one_is_refused() {
        assert_eq!(instant("1700000000000"), Some(Timestamp::from_nanos(1_700_000_000_000_000_000)));
        assert_eq!(instant("1700000000000.25"), Some(Timestamp::from_nanos(1_700_000_000_000_250_000)));
        assert_eq!(instant("-1.5"), Some(Timestamp::from_nanos(-1_500_000)));
        for text in ["", "NaN", "inf", "1e3", "1.x", "--1", "99999999999999", "0x10", "１"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
