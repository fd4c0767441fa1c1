//! Splits a column's name into the parts that the programmer joined.

use super::marks;
use crate::quantity::joined_parts;

/// Parts that mean a statistic, a unit or a place, and not the quantity.
const NEUTRAL: [&str; 24] = [
    "avg", "mean", "med", "smp", "sample", "tot", "sum", "max", "min", "wvc", "c", "f", "k", "deg", "degc", "kpa",
    "pct", "ms", "wm", "m", "cm", "st", "wvt", "s",
];
/// Gases whose name includes a digit.
const GASES: [&str; 8] = ["co2", "h2o", "ch4", "n2o", "no2", "so2", "o3", "nh3"];

/// The parts of a name, in lower case.
#[derive(Debug, Default)]
pub(super) struct NameParts {
    /// All possible parts: `AirTC_Avg` gives `airtc`, `air`, `tc` and `avg`.
    all: Vec<String>,
    /// The number of parts that name the quantity.
    telling: usize,
    /// Whether the name gives a height or a depth.
    pub(super) has_place: bool,
}

impl NameParts {
    /// Splits a name of line 2; the array index is ignored.
    pub(super) fn of(name: &str) -> NameParts {
        let name = name.split('(').next().unwrap_or(name);
        let (rest, has_place) = marks::without_lengths(name);
        let mut found = NameParts { has_place, ..NameParts::default() };
        for token in rest.split(|c: char| !c.is_ascii_alphanumeric()).filter(|token| !token.is_empty()) {
            found.add(token);
            for part in joined_parts(token) {
                found.add(part);
                let bare = letters(part);
                found.add(bare);
                found.telling += usize::from(!bare.is_empty() && !NEUTRAL.contains(&bare.to_lowercase().as_str()));
            }
        }
        found
    }

    pub(super) fn has(&self, part: &str) -> bool {
        self.all.iter().any(|known| known == part)
    }

    /// Whether a single part names the quantity.
    pub(super) fn is_single(&self) -> bool {
        self.telling == 1
    }

    pub(super) fn add(&mut self, part: &str) {
        let part = part.to_lowercase();
        if !part.is_empty() && !self.all.contains(&part) {
            self.all.push(part);
        }
    }
}

/// `T2m` becomes `T`; a gas keeps its digit.
fn letters(part: &str) -> &str {
    if GASES.iter().any(|gas| gas.eq_ignore_ascii_case(part)) {
        return part;
    }
    part.split(|c: char| c.is_ascii_digit()).next().unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_as_they_were_joined() {
        for (name, expected) in [
            ("AirTC_Avg", vec!["airtc", "air", "tc", "avg"]),
            ("calPPFD", vec!["calppfd", "cal", "ppfd"]),
            ("PTemp_C_Avg", vec!["ptemp", "p", "temp", "c", "avg"]),
            ("CO2Mean", vec!["co2mean", "co2", "mean"]),
            ("TS(1,2)", vec!["ts"]),
            ("Soil_temp_7.5cm_st1", vec!["soil", "temp", "st1", "st"]),
            ("T2m", vec!["t2m", "t"]),
        ] {
            let parts = NameParts::of(name);
            assert_eq!(parts.all, expected, "{name}");
        }
        assert!(NameParts::of("Temp_46m").is_single() && NameParts::of("Temp_46m").has_place);
        assert!(!NameParts::of("Cell_temp_46m").is_single());
    }
}
