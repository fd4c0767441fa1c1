//! A column's name, taken apart into the words a programmer made it of.

use super::marks;

/// What a word says of the statistics, the unit or the place, and not of what is measured.
const NEUTRAL: [&str; 24] = [
    "avg", "mean", "med", "smp", "sample", "tot", "sum", "max", "min", "wvc", "c", "f", "k", "deg", "degc", "kpa",
    "pct", "ms", "wm", "m", "cm", "st", "wvt", "s",
];
/// Their digit is part of the word.
const GASES: [&str; 8] = ["co2", "h2o", "ch4", "n2o", "no2", "so2", "o3", "nh3"];

/// The words of a name, in small letters.
#[derive(Debug, Default)]
pub(super) struct Words {
    /// Every reading: `AirTC_Avg` gives `airtc`, `air`, `tc` and `avg`.
    all: Vec<String>,
    /// Those that say what is measured, in one reading.
    telling: usize,
    /// Whether the name says a height or a depth.
    pub(super) has_place: bool,
}

impl Words {
    /// Of a name in line 2, its array index left out.
    pub(super) fn of(name: &str) -> Words {
        let name = name.split('(').next().unwrap_or(name);
        let (rest, has_place) = marks::without_lengths(name);
        let mut words = Words { has_place, ..Words::default() };
        for token in rest.split(|c: char| !c.is_ascii_alphanumeric()).filter(|token| !token.is_empty()) {
            words.add(token);
            for part in parts(token) {
                words.add(part);
                let bare = letters(part);
                words.add(bare);
                words.telling += usize::from(!bare.is_empty() && !NEUTRAL.contains(&bare.to_lowercase().as_str()));
            }
        }
        words
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.all.iter().any(|known| known == word)
    }

    /// Whether one word alone says what is measured.
    pub(super) fn is_single(&self) -> bool {
        self.telling == 1
    }

    pub(super) fn add(&mut self, word: &str) {
        let word = word.to_lowercase();
        if !word.is_empty() && !self.all.contains(&word) {
            self.all.push(word);
        }
    }
}

/// `T2m` to `T`; a gas keeps its digit.
fn letters(part: &str) -> &str {
    if GASES.iter().any(|gas| gas.eq_ignore_ascii_case(part)) {
        return part;
    }
    part.split(|c: char| c.is_ascii_digit()).next().unwrap_or(part)
}

/// `RelHum` to `Rel` and `Hum`, `PTemp` to `P` and `Temp`, `CO2Mean` to `CO2` and `Mean`.
fn parts(token: &str) -> Vec<&str> {
    let bytes = token.as_bytes();
    let mut cuts = vec![0];
    for at in 1..bytes.len() {
        let small_follows = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        if bytes[at].is_ascii_uppercase() && (bytes[at - 1].is_ascii_lowercase() || small_follows) {
            cuts.push(at);
        }
    }
    cuts.push(bytes.len());
    cuts.windows(2).filter_map(|ends| token.get(ends[0]..ends[1])).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_as_they_were_made() {
        for (name, expected) in [
            ("AirTC_Avg", vec!["airtc", "air", "tc", "avg"]),
            ("calPPFD", vec!["calppfd", "cal", "ppfd"]),
            ("PTemp_C_Avg", vec!["ptemp", "p", "temp", "c", "avg"]),
            ("CO2Mean", vec!["co2mean", "co2", "mean"]),
            ("TS(1,2)", vec!["ts"]),
            ("Soil_temp_7.5cm_st1", vec!["soil", "temp", "st1", "st"]),
            ("T2m", vec!["t2m", "t"]),
        ] {
            let words = Words::of(name);
            assert_eq!(words.all, expected, "{name}");
        }
        assert!(Words::of("Temp_46m").is_single() && Words::of("Temp_46m").has_place);
        assert!(!Words::of("Cell_temp_46m").is_single());
    }
}
