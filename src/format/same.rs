//! Tells whether two rows of one time are the same reading.

/// Whether two value arrays are the same reading: equal, or numbers that differ by at most one in the seventh digit. LoggerNet
/// may print the same record as 8.852894 in one collection and as 8.852895 in the next (docs/file-formats.md#numbers).
/// `derived` positions are left out: derived values are not part of the reading.
pub fn same_reading(ours: &str, theirs: &str, derived: &[usize]) -> bool {
    if ours == theirs {
        return true;
    }
    let parse = serde_json::from_str::<Vec<serde_json::Value>>;
    let (Ok(ours), Ok(theirs)) = (parse(ours), parse(theirs)) else { return false };
    let width = ours.len().max(theirs.len());
    let absent = serde_json::Value::Null;
    (0..width).filter(|place| !derived.contains(place)).all(|place| {
        let (a, b) = (ours.get(place).unwrap_or(&absent), theirs.get(place).unwrap_or(&absent));
        match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => within_seventh_digit(a, b),
            _ => a == b,
        }
    })
}

fn within_seventh_digit(a: f64, b: f64) -> bool {
    let largest = a.abs().max(b.abs());
    if largest == 0.0 {
        return true;
    }
    // Slightly more than one, for the rounding of the difference itself.
    (a - b).abs() <= 10_f64.powf(largest.log10().floor() - 6.0) * 1.000_001
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_the_seventh_digit_is_the_same_reading() {
        assert!(same_reading("[8.852894,1]", "[8.852895,1]", &[]));
        assert!(!same_reading("[8.852894,1]", "[8.852896,1]", &[]));
        assert!(!same_reading("[8.852894,1]", "[8.852894,2]", &[]));
        assert!(same_reading("[0,null]", "[0]", &[]));
        assert!(!same_reading("[null]", "[0]", &[]));
        assert!(!same_reading("[\"a\"]", "[\"b\"]", &[]));
    }
}
