//! Findings: which test raised a flag, and why. They are kept beside the flags of a row, so that a scientist can look
//! them up.
//!
//! In the store they are a JSON array with one array per finding: position of the column, test, digit, detail. A row
//! without a raised flag has none.

use super::flag::Flag;
use super::registry::Test;

/// One raised flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The column's position in the column list.
    pub place: usize,
    /// The test that raised it.
    pub test: Test,
    /// Suspect or fail; any flag if it was set by hand.
    pub flag: Flag,
    /// The limit and the measured value.
    pub detail: String,
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

/// Parses what [`write`] wrote. Findings of a newer program that this one does not know are left out.
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
}
