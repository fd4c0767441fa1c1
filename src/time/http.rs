//! Times in the headers of an HTTP answer.
//!
//! RFC 9110 obliges a recipient to read three spellings of a date: that of today, and two older ones that some devices and proxies
//! still send.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};

/// The older spellings: RFC 850, and C's asctime. A year of two digits is one of this century up to 69.
const OLDER: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// Reads the date of a header such as `Date`.
pub fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let of_today = DateTime::parse_from_rfc2822(text).ok().map(|date| date.with_timezone(&Utc));
    let older = || OLDER.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    of_today.or_else(|| older().map(|date| date.and_utc()))
}

/// Reads `Retry-After`: seconds, or a date. A date is compared with the answer's own clock where it has one, because this
/// computer's may be wrong.
pub fn retry_after(text: &str, server_time: Option<DateTime<Utc>>) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let until = http_date(text)?;
    Some((until - server_time.unwrap_or_else(Utc::now)).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_each_of_the_three_spellings_of_http() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(http_date(text).unwrap().to_rfc3339(), "1994-11-06T08:49:37+00:00", "{text}");
        }
        for text in ["", "soon", "1994-11-06 08:49:37", "Nov  6 08:49:37 1994"] {
            assert_eq!(http_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_wait_until_a_date_is_counted_on_the_servers_clock() {
        let now = http_date("Monday, 23-Nov-26 12:00:00 GMT");
        for (text, seconds) in [
            ("Mon, 23 Nov 2026 12:01:30 GMT", Some(90)),
            ("Monday, 23-Nov-26 12:01:30 GMT", Some(90)),
            ("Mon Nov 23 12:01:30 2026", Some(90)),
            ("Mon Nov 23 11:00:00 2026", Some(0)),
            ("30", Some(30)),
            ("-5", None),
            ("1.5", None),
        ] {
            assert_eq!(retry_after(text, now).map(|wait| wait.as_secs()), seconds, "{text}");
        }
        assert_eq!(retry_after("99999999999999999999999", now), Some(Duration::MAX));
    }
}
