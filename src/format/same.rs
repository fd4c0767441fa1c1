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

/// What a row that has some of the values is to a stored row of its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parts {
    /// The stored row says all that it says.
    Known,
    /// The stored row, with the values that it lacked.
    More(String),
    /// The stored row with the values of the other one, of which at least one contradicts.
    Other(String),
}

/// Puts a row together with one that has some of its values: null is a value that it does not have. `derived` positions are left out.
pub fn unite(stored: &str, part: &str, derived: &[usize]) -> Parts {
    let read = |json| serde_json::from_str::<Vec<&serde_json::value::RawValue>>(json).unwrap_or_default();
    let (own, new) = (read(stored), read(part));
    let mut list: Vec<&str> = own.iter().map(|value| value.get()).collect();
    let (mut is_more, mut is_other) = (false, false);
    for (place, value) in new.iter().map(|value| value.get()).enumerate() {
        if value == "null" || derived.contains(&place) {
            continue;
        }
        if list.len() <= place {
            list.resize(place + 1, "null");
        }
        let known = list[place];
        if known == "null" {
            is_more = true;
        } else if same_reading(&format!("[{known}]"), &format!("[{value}]"), &[]) {
            continue;
        } else {
            is_other = true;
        }
        list[place] = value;
    }
    let list = || format!("[{}]", list.join(","));
    match (is_other, is_more) {
        (true, _) => Parts::Other(list()),
        (false, true) => Parts::More(list()),
        (false, false) => Parts::Known,
    }
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
    fn a_part_adds_what_the_row_lacks_and_contradicts_where_it_differs() {
        let unite = |stored, part| unite(stored, part, &[3]);
        assert_eq!(unite("[1,null,3]", "[1.0000001,null,null]"), Parts::Known);
        assert_eq!(unite("[1,null]", "[null,2.50]"), Parts::More("[1,2.50]".to_owned()));
        assert_eq!(unite("[1]", "[null,null,\"x,y\"]"), Parts::More("[1,null,\"x,y\"]".to_owned()));
        assert_eq!(unite("[1,2]", "[null,3]"), Parts::Other("[1,3]".to_owned()));
        assert_eq!(unite("[1,2,3,5]", "[1,null,null,6]"), Parts::Known, "derived");
    }

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
