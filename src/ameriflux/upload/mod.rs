//! Makes the format checks that AmeriFlux makes of an uploaded file, with its severities.
//!
//! AmeriFlux rejects a file days later, by mail; so the same checks are made here, for any file. The code is our own
//! implementation of the published checker (AMF-FLX/AMF-BASE-QAQC 2.3.6, `processing/upload_checks.py` and what it
//! calls), and a test compares the two. AmeriFlux reads a file with numpy's `genfromtxt`, and this module reads it in
//! the same way: a `#` begins a comment, and quotes are part of a cell. What only AmeriFlux's server knows is not
//! checked: whether a site of that name is registered.

mod file_name;
mod header;
mod name;
mod rows;

use std::io::{self, BufRead};

use chrono::NaiveDateTime;

use file_name::FileName;
use header::Header;
pub use name::{Name, column};
use rows::Rows;

/// What AmeriFlux does with a file that has this finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is accepted; a named column may not be published.
    Warning,
    /// One automatic repair is tried; otherwise the file is rejected.
    Error,
    /// The file cannot be read, or its other checks cannot be made.
    Critical,
}

impl Severity {
    /// The name in AmeriFlux's report.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Critical => "critical",
        }
    }
}

macro_rules! checks {
    ($($(#[$doc:meta])* $check:ident = $name:literal,)*) => {
        /// A check.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Check { $($(#[$doc])* $check,)* }

        impl Check {
            /// Every check.
            pub const ALL: &'static [Check] = &[$(Check::$check,)*];

            /// The name in JSON and in AmeriFlux's log.
            pub const fn name(self) -> &'static str {
                match self { $(Check::$check => $name,)* }
            }
        }
    };
}

checks! {
    /// The form of the file's name.
    FileName = "file_name_verifier",
    /// No name occurs twice.
    DuplicateNames = "duplicate_data_headers",
    /// The file can be read as a table whose rows have the same number of columns.
    Readable = "read_file",
    /// The first two columns are the time stamps.
    StampsFirst = "timestamp_headers",
    /// Not all names are quoted.
    AllQuoted = "all_headers_quotes",
    /// Names are variables with qualifiers in the required order.
    Names = "data_headers",
    /// At least one name is a variable.
    AnyName = "valid_data_headers",
    /// At least one of the required fluxes is among them.
    Fluxes = "mandatory_data_headers",
    /// Both time stamps are present.
    StampsPresent = "timestamp_headers_present",
    /// Stamps have twelve digits.
    StampFormat = "timestamp_format",
    /// The file's name has the first and the last time stamp.
    NameMatches = "filename_match_file",
    /// No time stamp occurs twice.
    DuplicateStamps = "timestamp_duplicates",
    /// Rows are one interval apart and cover one interval.
    Interval = "timestamp_resolution",
    /// No row is in the future.
    Future = "ts_filled_forward",
    /// The checks of the time stamps could be made.
    StampsChecked = "incomplete_timestamp_checks",
    /// Missing values are `-9999`.
    Missing = "missing_value_format",
    /// A column has missing values.
    GapFilled = "gap_fill",
    /// If a filled flux is present, the measured one is too.
    Unfilled = "mand_nonfill",
    /// A column has values.
    NoData = "data_missing",
    /// The file has values other than missing ones.
    NoDataAtAll = "all_data_missing",
    /// A variable occurs either only with or only without the position qualifier of the first.
    RootName = "check_root_qualifier_headers",
}

/// A finding that AmeriFlux's checker would report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// What AmeriFlux does because of it.
    pub severity: Severity,
    /// What is wrong, where, and what to do.
    pub message: String,
}

/// The result for a file.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// Rows below the header.
    pub rows: u64,
    /// Columns other than the time stamps.
    pub variables: u64,
    /// In the order of [`Check`].
    pub findings: Vec<Finding>,
}

impl Checked {
    /// The highest severity of the findings; None without findings.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    fn add(&mut self, check: Check, severity: Severity, message: String) {
        self.findings.push(Finding { check, severity, message });
    }
}

/// Checks a file with this name. `now` is the server's time in UTC.
///
/// # Errors
/// The file cannot be read.
pub fn check(file_name: &str, mut file: impl BufRead, now: NaiveDateTime) -> io::Result<Checked> {
    let mut checked = Checked::default();
    let name = FileName::check(file_name, &mut checked);
    let mut line = Vec::new();
    file.read_until(b'\n', &mut line)?;
    let Ok(text) = std::str::from_utf8(&line) else {
        let message =
            "the line of names is not UTF-8 text; write the file with these names in plain letters".to_owned();
        checked.add(Check::Readable, Severity::Critical, message);
        return Ok(checked);
    };
    let header = Header::of(text.trim_end_matches(['\n', '\r']));
    checked.variables = header.data_columns().map(|_| 1).sum();
    header.check(&mut checked);
    let mut rows = Rows::of(&header, &name);
    let mut number = 1;
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        rows.see(number, &line);
    }
    rows.finish(now, &mut checked);
    checked.findings.sort_by_key(|finding| finding.check);
    Ok(checked)
}

/// Whether AmeriFlux's checker takes a cell for a missing value that is not written as `-9999`: an empty cell, `NaN`,
/// `-999`, `-6999`, `-9999.0`, a spreadsheet's `#REF!`. (`check_invalid_missing_value_format` in `utils.py`.)
pub fn reads_as_missing(cell: &str) -> bool {
    const FORMS: [&str; 9] = ["", " ", "  ", "nan", "na", "inf", "-inf", "infinity", "-infinity"];
    if cell == "-9999" {
        return false;
    }
    if FORMS.iter().any(|form| cell.eq_ignore_ascii_case(form)) {
        return true;
    }
    let is_code = |text: &str| text.bytes().all(|digit| matches!(digit, b'6' | b'9'));
    if let Some(number) = cell.strip_prefix('-') {
        let (whole, part) = number.split_once('.').map_or((number, None), |(whole, part)| (whole, Some(part)));
        let part_fits =
            part.is_none_or(|part| !part.is_empty() && (part.bytes().all(|digit| digit == b'0') || is_code(part)));
        return whole.len() >= 3 && is_code(whole) && part_fits;
    }
    cell.strip_prefix('#').and_then(|word| word.strip_suffix(['?', '!'])).is_some_and(|word| {
        let word = word.to_lowercase();
        !word.is_empty() && word.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_missing_are_those_that_the_published_checker_tests() {
        // processing/test/test_data_util.py and the pattern in utils.py.
        for wrong in [
            "",
            " ",
            "  ",
            "NaN",
            "NA",
            "Inf",
            "-INF",
            "Infinity",
            "-infinity",
            "-999",
            "-999.9",
            "-6999",
            "-699.99",
            "-9999.0",
            "-9999.000000",
            "-99999",
            "-669",
            "#NAME?",
            "#REF!",
        ] {
            assert!(reads_as_missing(wrong), "{wrong:?}");
        }
        for right in
            ["-9999", "0", "-99", "-9", "9999", "-999.5", "-9999.01", "-6.99e2", "#", "#!", "abc", "   ", "-999."]
        {
            assert!(!reads_as_missing(right), "{right:?}");
        }
    }

    #[test]
    fn each_check_has_its_own_name() {
        let mut names: Vec<&str> = Check::ALL.iter().map(|check| check.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Check::ALL.len());
    }
}
