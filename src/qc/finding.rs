//! Which test raised a flag, and why: kept beside the flags of a row, so that a scientist can ask.
//!
//! In the store it is a JSON array, one array a finding: place of the column, test, digit, detail. A row without a raised
//! flag has none.

use super::flag::Flag;
use super::registry::Test;

/// One raised flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The column's place in the column list.
    pub place: usize,
    /// What raised it.
    pub test: Test,
    /// Suspect or fail; any flag where it was set by hand.
    pub flag: Flag,
    /// The limit and what was measured.
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
}
