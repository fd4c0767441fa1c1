//! Readers of single values.
//!
//! Each returns the value or the end of a sentence that began with `key = "text"`: what is wrong, and the mend.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use chrono::format::{Item, StrftimeItems};
use chrono::{FixedOffset, NaiveDate};
use chrono_tz::Tz;
use url::{Host, Url};

use crate::text::{any_of, look_alikes};
use crate::time::{LocalTime, StationClock};

type Read<T> = Result<T, String>;

/// Offsets of inhabited places lie within.
const WIDEST_OFFSET_MINUTES: i32 = 14 * 60;
/// Longer than any name of a variable, shorter than any token.
const LONGEST_VARIABLE_NAME: usize = 60;

/// An integer and a unit: `500ms`, `90s`, `4m`, `1h`, `30d`.
pub(crate) fn duration(text: &str) -> Read<Duration> {
    let mend = "is not a duration; write a whole number and a unit: \"500ms\", \"90s\", \"4m\", \"1h\" or \"30d\"";
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or(mend)?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| mend)?;
    let seconds = match unit {
        "ms" => return Ok(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(mend.to_owned()),
    };
    let too_long = "is too long; write at most \"36500d\"";
    number
        .checked_mul(seconds)
        .filter(|seconds| *seconds <= 36_500 * 86_400)
        .map(Duration::from_secs)
        .ok_or(too_long.to_owned())
}

/// A duration that is not nothing.
pub(super) fn some_time(text: &str) -> Read<Duration> {
    match duration(text)? {
        Duration::ZERO => Err("is no time at all; write more, or leave the key out".to_owned()),
        time => Ok(time),
    }
}

/// `±hh:mm`, within fourteen hours.
pub(super) fn utc_offset(text: &str) -> Read<StationClock> {
    let mend = || {
        "is not an offset from UTC; write sign, hours and minutes, such as \"-05:00\" (Eastern Standard Time)"
            .to_owned()
    };
    let bytes = text.as_bytes();
    let digits =
        [1, 2, 4, 5].map(|at| bytes.get(at).copied().filter(u8::is_ascii_digit).map(|digit| i32::from(digit - b'0')));
    let (6, Some(b':'), [Some(h), Some(hh), Some(m), Some(mm)]) = (bytes.len(), bytes.get(3), digits) else {
        return Err(mend());
    };
    let sign = match bytes.first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Err(mend()),
    };
    let minutes = (h * 10 + hh) * 60 + m * 10 + mm;
    if m > 5 || minutes > WIDEST_OFFSET_MINUTES {
        return Err("lies outside -14:00 to +14:00; write hours and minutes, such as \"-05:00\"".to_owned());
    }
    FixedOffset::east_opt(sign * minutes * 60).map(StationClock::Fixed).ok_or_else(mend)
}

/// A name of the IANA database.
pub(super) fn timezone(text: &str) -> Read<StationClock> {
    Tz::from_str(text).map(StationClock::Zone).map_err(|_| {
        let alike = look_alikes(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let mend = if alike.is_empty() { "\"America/Detroit\"".to_owned() } else { any_of(&alike) };
        format!(
            "is not a time zone of the IANA list; write for example {mend}, or utc_offset if the loggers \
             stay on standard time"
        )
    })
}

/// A path or pattern. A tab or a line feed in it comes from `"C:\temp"` in double quotes.
pub(super) fn path_text(text: &str) -> Read<String> {
    if text.trim().is_empty() {
        return Err("is empty; write a path".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("holds a control character; put Windows paths in single quotes: 'C:\\temp\\tower.dat'".to_owned());
    }
    Ok(text.to_owned())
}

/// Joins to the folder of the config file. A drive letter or `\\server` makes a path whole on every system, so that a
/// file means the same wherever it is checked.
pub(super) fn join(folder: &Path, text: &str) -> PathBuf {
    let bytes = text.as_bytes();
    let drive = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(1) == Some(&b':')
        && matches!(bytes.get(2), Some(b'\\' | b'/'));
    if drive || text.starts_with("\\\\") { PathBuf::from(text) } else { folder.join(text) }
}

/// A glob pattern joined to `folder`, whose own brackets and stars are plain text.
pub(super) fn pattern(folder: &Path, text: &str) -> Read<PathBuf> {
    path_text(text)?;
    let folder = folder.to_str().ok_or("stands in a folder whose name is not Unicode; move the config file")?;
    let pattern = join(Path::new(&glob::Pattern::escape(folder)), text);
    match pattern.to_str().map(glob::Pattern::new) {
        Some(Ok(_)) => Ok(pattern),
        Some(Err(error)) => {
            Err(format!("is not a file pattern ({}); write * for anything, /**/ for any folders, [[] for [", error.msg))
        }
        None => Err("is not Unicode".to_owned()),
    }
}

/// Scheme, host and port of a server.
pub(super) fn server_url(text: &str) -> Read<Url> {
    let url = web_url(text)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user or password; take them out and use user with password_env, or token_env".to_owned());
    }
    let only = format!(
        "{}://{}",
        url.scheme(),
        text.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or("host")
    );
    if url.path() != "/" {
        return Err(format!("holds the path {}; fluxtower adds the path itself, so write \"{only}\"", url.path()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("holds more than scheme, host and port; write \"{only}\""));
    }
    Ok(url)
}

/// Any absolute http or https address.
pub(super) fn web_url(text: &str) -> Read<Url> {
    let mend = "is not a web address; write it whole, with https:// in front";
    let url = Url::parse(text).map_err(|_| mend)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(mend.to_owned());
    }
    Ok(url)
}

/// This computer, where plain http is seen by nobody else.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// The name of an environment variable. Anything else may be the secret itself and must not be repeated.
pub(super) fn variable_name(text: &str) -> Read<String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = text.chars().next().is_some_and(|c| !c.is_ascii_digit());
    if first && text.chars().all(fine) && text.len() <= LONGEST_VARIABLE_NAME && !text.starts_with("apiv3_") {
        return Ok(text.to_owned());
    }
    Err("must be the name of an environment variable, and not the secret itself; write for example \"INFLUX_TOKEN\" and set \
         that variable"
        .to_owned())
}

/// The name of a file that holds a secret. A token put here in error must not be repeated.
pub(super) fn secret_file(text: &str) -> Read<String> {
    if text.ends_with("==") || text.starts_with("apiv3_") {
        return Err("must be the name of a file that holds the secret, and not the secret itself; write for example \
                    \"token.txt\" and put it there"
            .to_owned());
    }
    path_text(text).map_err(|_| {
        "must be the name of a file; write for example 'C:\\fluxtower\\token.txt', in single quotes".to_owned()
    })
}

/// What every server takes in a measurement, a tag and a field: text without control characters and backslashes, which
/// InfluxDB 1, 2 and 3 each read in another way.
pub(super) fn plain_text(text: &str) -> Read<String> {
    if text.trim().is_empty() {
        return Err("is empty; write a name".to_owned());
    }
    if text.trim() != text {
        return Err("begins or ends with a blank; take it out".to_owned());
    }
    match text.chars().find(|c| c.is_control() || matches!(c, '\\' | '\u{feff}')) {
        Some('\\') => {
            Err("holds a backslash, which the versions of InfluxDB read differently; write / or _ instead".to_owned())
        }
        Some(_) => Err("holds a control character; take it out".to_owned()),
        None => Ok(text.to_owned()),
    }
}

/// A bucket that is to be made: what the configuration takes, less what InfluxDB refuses as a new name.
pub(crate) fn bucket_name(text: &str) -> Read<String> {
    if text.starts_with('_') {
        return Err("begins with _, which InfluxDB keeps for its own buckets; write a letter first".to_owned());
    }
    plain_text(text)
}

/// A measurement. `#` would begin a comment, `_` is InfluxDB's own.
pub(super) fn measurement(text: &str) -> Read<String> {
    if text.starts_with(['#', '_']) {
        return Err("begins with a sign that InfluxDB keeps for itself; write a letter first".to_owned());
    }
    plain_text(text)
}

/// The key of a tag or a field. `time` and names with `_` in front are InfluxDB's own.
pub(super) fn key(text: &str) -> Read<String> {
    if text == "time" || text.starts_with('_') {
        return Err("is a name that InfluxDB keeps for itself; write another".to_owned());
    }
    plain_text(text)
}

/// The name of a table: it becomes part of file names and of a view's name.
pub(super) fn table_name(text: &str) -> Read<String> {
    if text.is_empty() || text.trim() != text {
        return Err("is empty, or begins or ends with a blank; write a name such as \"46m_par\"".to_owned());
    }
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '))) {
        Some(sign) => Err(format!("holds {sign:?}; write letters A to Z, digits, - _ . and blanks only")),
        None => Ok(text.to_owned()),
    }
}

/// A strftime format that names a whole date and time, or a whole date.
pub(super) fn time_format(text: &str) -> Read<String> {
    let mend = "is not a whole date and time in strftime letters; write for example \"%m/%d/%Y %H:%M\"";
    if StrftimeItems::new(text).any(|item| matches!(item, Item::Error)) {
        return Err(mend.to_owned());
    }
    let sample = NaiveDate::from_ymd_opt(2026, 6, 1).and_then(|day| day.and_hms_opt(12, 0, 0)).ok_or(mend)?;
    let mut written = String::new();
    let writable = std::fmt::Write::write_fmt(&mut written, format_args!("{}", sample.format(text))).is_ok();
    match LocalTime::parse_with(&written, text) {
        Some(_) if writable => Ok(text.to_owned()),
        _ => Err(mend.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, seconds) in
            [("0s", 0.0), ("500ms", 0.5), ("90s", 90.0), ("4m", 240.0), ("1h", 3_600.0), ("30d", 2_592_000.0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "5", "m", "4 m", "4min", "-4m", "1.5h", "99999999999999999999d", "99999999999999d", "4m30s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn offsets_are_spelled_with_sign_hours_and_minutes() {
        for (text, seconds) in
            [("-05:00", -18_000), ("+00:00", 0), ("+05:45", 20_700), ("+14:00", 50_400), ("-14:00", -50_400)]
        {
            assert_eq!(utc_offset(text), Ok(StationClock::Fixed(FixedOffset::east_opt(seconds).unwrap())), "{text}");
        }
        for text in ["", "-5", "-5:00", "05:00", "-0500", "-05:60", "+14:01", "-05:00 ", "EST", "−05:00", "+99:00"] {
            assert!(utc_offset(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_on_the_server_gets_the_mend() {
        let problem = server_url("https://host.example:8086/api/v2").unwrap_err();
        assert!(problem.contains("/api/v2") && problem.contains("write \"https://host.example:8086\""), "{problem}");
        for text in ["https://host.example", "https://host.example/", "http://127.0.0.1:8086", "http://[::1]:8181/"] {
            assert!(server_url(text).is_ok(), "{text}");
        }
        for text in [
            "host.example",
            "host.example:8086",
            "ftp://host.example",
            "https://",
            "https://host.example/?db=x",
            "file:///tmp",
        ] {
            assert!(server_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn i10_an_address_with_a_password_is_refused_without_repeating_it() {
        let problem = server_url("https://me:s3cret@host.example").unwrap_err();
        assert!(!problem.contains("s3cret"), "{problem}");
    }

    #[test]
    fn i10_only_this_computer_is_loopback() {
        for text in ["http://localhost:8086", "http://127.0.0.1", "http://127.8.9.1", "http://[::1]:8086"] {
            assert!(is_loopback(&Url::parse(text).unwrap()), "{text}");
        }
        for text in ["http://localhost.example", "http://192.168.1.4", "http://127.0.0.1.example", "http://[::2]"] {
            assert!(!is_loopback(&Url::parse(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn i10_a_token_in_place_of_a_name_is_refused_without_repeating_it() {
        for token in ["s3cret-s3cret==", "apiv3_s3cret", "s3cret s3cret", &"s3cret".repeat(15)] {
            assert!(!variable_name(token).unwrap_err().contains("s3cret"));
        }
        assert!(!secret_file("s3cret==").unwrap_err().contains("s3cret"));
        assert!(variable_name("INFLUX_TOKEN").is_ok() && secret_file("token.txt").is_ok());
    }

    #[test]
    fn windows_paths_are_whole_and_others_are_joined() {
        let folder = Path::new("/site");
        for text in ["C:\\Campbellsci\\LoggerNet\\*.dat", "D:/data/*.dat", "\\\\server\\share\\*.dat"] {
            assert_eq!(join(folder, text), PathBuf::from(text));
            assert_eq!(pattern(folder, text), Ok(PathBuf::from(text)));
        }
        assert_eq!(join(folder, "samples/a.dat"), folder.join("samples/a.dat"));
    }

    #[test]
    fn signs_in_the_name_of_the_folder_are_no_pattern() {
        let joined = pattern(Path::new("/site [old]"), "*.dat").unwrap();
        let pattern = glob::Pattern::new(joined.to_str().unwrap()).unwrap();
        assert!(pattern.matches("/site [old]/a.dat") && !pattern.matches("/site o/a.dat"));
    }

    #[test]
    fn a_time_format_must_name_a_whole_date() {
        for text in ["%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S%.f", "%Y%m%d%H%M", "%Y-%m-%d", "%Y %j %H:%M"] {
            assert!(time_format(text).is_ok(), "{text}");
        }
        for text in ["", "%H:%M", "%Q", "%m/%d %H:%M", "%Y-%m-%d %H:%M %z", "plain"] {
            assert!(time_format(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_that_influxdb_keeps_are_refused() {
        for text in ["time", "_field", "_measurement", "_x", "", " ", "a\\b", "a\nb"] {
            assert!(key(text).is_err(), "{text}");
        }
        for text in ["#a", "_a", "a\\b"] {
            assert!(measurement(text).is_err(), "{text}");
        }
        assert!(key("Time").is_ok() && key("TS(1)").is_ok() && measurement("fast data").is_ok());
    }
}
