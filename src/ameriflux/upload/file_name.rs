//! Checks the file's name: `US-UMB_HH_202501010000_202601010000.csv`. (`file_name_verifier.py`.)

use std::time::Duration;

use chrono::NaiveDateTime;

use super::{Check, Checked, Severity};

/// The parts of a file's name; None for parts that it does not have.
#[derive(Debug, Default)]
pub(super) struct FileName {
    /// The interval that `HH` or `HR` stands for.
    pub(super) interval: Option<Duration>,
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
}

impl FileName {
    pub(super) fn check(file: &str, checked: &mut Checked) -> FileName {
        let mut add = |severity, message: &str| checked.add(Check::FileName, severity, message.to_owned());
        let (stem, ending) = match file.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() => (stem, ending),
            _ => (file, ""),
        };
        if ending != "csv" {
            add(Severity::Error, "the file's name does not end with .csv");
        }
        // The server appends the time of an upload after a second hyphen.
        let stem = match stem.rsplit_once('-') {
            Some((front, _)) if stem.matches('-').count() > 1 => front,
            _ => stem,
        };
        if stem.ends_with('_') {
            add(Severity::Error, "the file's name ends with an underscore");
        }
        let parts: Vec<&str> = stem.split('_').collect();
        let (&[site, interval, start, end] | &[site, interval, start, end, _]) = parts.as_slice() else {
            add(Severity::Warning, "the file's name is not SITE_HH_start_end.csv or SITE_HR_start_end.csv");
            return FileName::default();
        };
        if !is_site(site) {
            add(
                Severity::Error,
                &format!("the file's name begins with \"{site}\", which is no AmeriFlux site, such as US-UMB"),
            );
        }
        let seconds = match interval {
            "HH" => Some(1_800),
            "HR" => Some(3_600),
            other => {
                add(Severity::Error, &format!("the file's name says \"{other}\" where HH or HR stands"));
                None
            }
        };
        for (which, text) in [("start", start), ("end", end)] {
            if text.chars().count() != 12 {
                add(Severity::Warning, &format!("the {which} in the file's name, \"{text}\", is not YYYYMMDDHHMM"));
            } else if stamp(text).is_none() {
                add(Severity::Error, &format!("the {which} in the file's name, \"{text}\", is no time"));
            }
        }
        if let Some(optional) = parts.get(4).filter(|text| !text.is_empty()) {
            add(
                Severity::Warning,
                &format!("the file's name has a fifth part, \"{optional}\", which AmeriFlux removes"),
            );
        }
        FileName {
            interval: seconds.map(Duration::from_secs),
            start: Some(start.to_owned()),
            end: Some(end.to_owned()),
        }
    }
}

/// Country and three letters or digits. Only AmeriFlux knows whether a site is registered.
fn is_site(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 6
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2] == b'-'
        && bytes[3..].iter().all(u8::is_ascii_alphanumeric)
}

/// Reads `YYYYMMDDHHMM`.
pub(super) fn stamp(text: &str) -> Option<NaiveDateTime> {
    if text.len() != 12 || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M").ok()
}
