//! Writes names and tag values in a form that every parser reads in the same way.
//!
//! Outside string fields each product interprets a backslash differently, and on InfluxDB 3 a trailing one escapes the
//! text after it (docs/influx-answers.md#line-protocol), so it is never sent. Control characters would end the line
//! early, a leading `#` would make it a comment that is answered with 204, a byte order mark would split the series.

use std::collections::HashSet;

/// The name in place of one that contains nothing that can be sent.
const NAMELESS: &str = "unnamed";

/// The tag or field key that servers reserve. `_field` and `_measurement` lose their `_` anyway.
const RESERVED_KEY: &str = "time";

/// The text of a tag value, or the basis of a name. It may be empty.
pub(super) fn text(raw: &str) -> String {
    raw.chars()
        .filter(|letter| *letter != '\u{feff}')
        .map(|letter| match letter {
            '\\' => '/',
            control if control.is_control() => ' ',
            other => other,
        })
        .collect()
}

/// A tag or field key before it is made unique. It is never empty.
pub(super) fn key(raw: &str) -> String {
    let clean = text(raw);
    let name = clean.trim().trim_start_matches(['_', '#', ' ']);
    if name.is_empty() { NAMELESS.to_owned() } else { name.to_owned() }
}

/// Whether a tag or field of this name is sent under it, if no other has it.
pub(super) fn is_sent_as_it_is(name: &str) -> bool {
    name != RESERVED_KEY && key(name) == name
}

/// A measurement, by the same rules as for a key.
pub(super) fn measurement(raw: &str) -> String {
    key(raw)
}

/// Appends a measurement. `=` is not escaped: InfluxDB 3 would keep the backslash.
pub(super) fn put_measurement(name: &str, out: &mut Vec<u8>) {
    put_escaped(name, b", ", out);
}

/// Appends a tag key, a tag value or a field key.
pub(super) fn put_key(name: &str, out: &mut Vec<u8>) {
    put_escaped(name, b",= ", out);
}

fn put_escaped(name: &str, special: &[u8], out: &mut Vec<u8>) {
    for byte in name.bytes() {
        if special.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

/// The keys of one line. Tags, fields and flags share one namespace: the same name twice is an error on InfluxDB 3, and
/// silently loses one of the two on 1.x and 2.x.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// Whether the name was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.taken.contains(name)
    }

    /// The wanted name, or the first free one of `wanted_2`, `wanted_3`, …. Names that were given before do not
    /// change, so those who ask first keep theirs.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 1_u32;
        while name == RESERVED_KEY || self.taken.contains(&name) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        self.taken.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_what_parsers_disagree_on() {
        for (raw, sent) in [
            ("PAR_46m", "PAR_46m"),
            ("C:\\new", "C:/new"),
            ("ends\\", "ends/"),
            ("two\n\nlines\r\n", "two  lines"),
            ("nul\0tab\t.", "nul tab ."),
            ("\u{feff}TIMESTAMP", "TIMESTAMP"),
            ("#comment", "comment"),
            ("_field", "field"),
            ("_#_ x", "x"),
            ("", "unnamed"),
            ("__", "unnamed"),
            ("T_°C", "T_°C"),
            ("TH1(5)", "TH1(5)"),
        ] {
            assert_eq!(key(raw), sent, "{raw:?}");
        }
    }

    #[test]
    fn a_tag_value_keeps_its_leading_signs() {
        assert_eq!(text("#7"), "#7");
        assert_eq!(text("_north"), "_north");
        assert_eq!(text("C:\\"), "C:/");
        assert_eq!(text("\u{feff}"), "");
    }

    #[test]
    fn a_name_that_is_taken_gets_the_next_number() {
        let mut names = Names::default();
        let given: Vec<_> = ["T", "T", "T_2", "T", "time"].iter().map(|wanted| names.take(wanted)).collect();
        assert_eq!(given, ["T", "T_2", "T_2_2", "T_3", "time_2"]);
    }

    #[test]
    fn only_a_measurement_keeps_its_equals_sign() {
        let mut out = Vec::new();
        put_measurement("a=b,c d", &mut out);
        out.push(b'|');
        put_key("a=b,c d", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a=b\\,c\\ d|a\\=b\\,c\\ d");
    }
}
