//! Which test raised a flag, and why: kept beside the flags of a row, so that a scientist can ask.
//!
//! In the store it is a JSON array, one array a finding: place of the column, test, digit, detail. Rows where nothing was
//! raised have none.

use super::flag::Flag;

/// The tests, by the names that the configuration and the listings use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    /// Outside the range.
    GrossRange,
    /// Outside what is usual for season and time of day.
    Climatology,
    /// Apart from both neighbours.
    Spike,
    /// Too fast a change.
    RateOfChange,
    /// Standing still.
    FlatLine,
    /// Too little spread.
    AttenuatedSignal,
    /// Rows are missing before it.
    TimeGap,
    /// Two columns disagree.
    Pair,
    /// The instrument reports a fault.
    Diagnostic,
    /// A derived value rests on a value that was raised.
    Input,
    /// A person said so.
    Manual,
}

impl Test {
    const ALL: [Test; 11] = [
        Test::GrossRange,
        Test::Climatology,
        Test::Spike,
        Test::RateOfChange,
        Test::FlatLine,
        Test::AttenuatedSignal,
        Test::TimeGap,
        Test::Pair,
        Test::Diagnostic,
        Test::Input,
        Test::Manual,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Test::GrossRange => "gross_range",
            Test::Climatology => "climatology",
            Test::Spike => "spike",
            Test::RateOfChange => "rate_of_change",
            Test::FlatLine => "flat_line",
            Test::AttenuatedSignal => "attenuated_signal",
            Test::TimeGap => "time_gap",
            Test::Pair => "pair",
            Test::Diagnostic => "diagnostic",
            Test::Input => "input",
            Test::Manual => "manual",
        }
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Test::ALL.into_iter().map(Test::name)
    }

    /// The test of a name.
    pub fn from_name(name: &str) -> Option<Test> {
        Test::ALL.into_iter().find(|test| test.name() == name)
    }
}

/// One raised flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The column's place in the column list.
    pub place: usize,
    /// What raised it.
    pub test: Test,
    /// Suspect or fail; any flag where a person said so.
    pub flag: Flag,
    /// The limit and what was measured.
    pub detail: String,
}

/// A measured number as people read it: six digits, no zeros behind the last.
pub(super) fn short(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

/// Appends the findings as one JSON array; nothing if there are none.
pub(super) fn write(findings: &[Finding], out: &mut String) {
    for (at, finding) in findings.iter().enumerate() {
        out.push_str(if at == 0 { "[[" } else { ",[" });
        out.push_str(&finding.place.to_string());
        out.push_str(",\"");
        out.push_str(finding.test.name());
        out.push_str("\",");
        out.push(char::from(finding.flag.digit()));
        out.push(',');
        // Text without a map or a failing writer always serialises.
        out.push_str(&serde_json::to_string(&finding.detail).unwrap_or_default());
        out.push(']');
    }
    if !findings.is_empty() {
        out.push(']');
    }
}

/// Reads what [`write`] wrote. What a newer program added and this one does not know is left out.
pub fn findings(text: &str) -> Vec<Finding> {
    let rows: Vec<(usize, String, u8, String)> = serde_json::from_str(text).unwrap_or_default();
    rows.into_iter()
        .filter_map(|(place, test, digit, detail)| {
            let flag = Flag::from_digit(digit.checked_add(b'0')?)?;
            Some(Finding { place, test: Test::from_name(&test)?, flag, detail })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_survive_writing_and_reading() {
        let list = vec![
            Finding { place: 0, test: Test::GrossRange, flag: Flag::Fail, detail: "7999 above 55".to_owned() },
            Finding { place: 12, test: Test::Manual, flag: Flag::Suspect, detail: "\"bird\" on\nit".to_owned() },
        ];
        let mut text = String::new();
        write(&list, &mut text);
        assert_eq!(findings(&text), list);
        text.clear();
        write(&[], &mut text);
        assert_eq!(text, "");
    }

    #[test]
    fn every_test_has_a_name_of_its_own() {
        for test in Test::ALL {
            assert_eq!(Test::from_name(test.name()), Some(test));
        }
    }
}
