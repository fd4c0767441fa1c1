//! Names that are sent to InfluxDB, and names of tables.

use super::Read;

/// Text that every server accepts in a measurement, a tag and a field: without control characters and backslashes,
/// which InfluxDB 1, 2 and 3 each interpret differently.
pub(in crate::config) fn plain_text(text: &str) -> Read<String> {
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

/// The name of a bucket to be created: what the configuration accepts, except what InfluxDB refuses as a new name.
pub(crate) fn bucket_name(text: &str) -> Read<String> {
    if text.starts_with('_') {
        return Err("begins with _, which InfluxDB keeps for its own buckets; write a letter first".to_owned());
    }
    plain_text(text)
}

/// The name of a measurement. `#` would begin a comment, and names that begin with `_` are reserved by InfluxDB.
pub(in crate::config) fn measurement(text: &str) -> Read<String> {
    if text.starts_with(['#', '_']) {
        return Err("begins with a sign that InfluxDB keeps for itself; write a letter first".to_owned());
    }
    plain_text(text)
}

/// The key of a tag or a field. `time` and names that begin with `_` are reserved by InfluxDB.
pub(in crate::config) fn key(text: &str) -> Read<String> {
    if text == "time" || text.starts_with('_') {
        return Err("is a name that InfluxDB keeps for itself; write another".to_owned());
    }
    plain_text(text)
}

/// The name of a table. It becomes a part of file names and of a view's name.
pub(in crate::config) fn table_name(text: &str) -> Read<String> {
    if text.is_empty() || text.trim() != text {
        return Err("is empty, or begins or ends with a blank; write a name such as \"46m_par\"".to_owned());
    }
    match text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '))) {
        Some(sign) => Err(format!("holds {sign:?}; write letters A to Z, digits, - _ . and blanks only")),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
