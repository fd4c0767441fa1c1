//! The parts of a column name in an upload: base, `_F`, position or aggregate.

use crate::ameriflux::variable;

/// The time stamps, which AmeriFlux's table of variables lists among the variables.
const STAMPS: [&str; 3] = ["TIMESTAMP", "TIMESTAMP_START", "TIMESTAMP_END"];

/// A valid column name, split into its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    /// The variable without qualifiers.
    pub base: &'a str,
    /// Whether values were filled in: `_F`.
    pub is_filled: bool,
    /// The qualifiers after that: `1_2_1`, `1_2_A_SD`, `3`, or nothing.
    pub position: &'a str,
}

impl<'a> Name<'a> {
    /// Splits a name. None for an unknown base and for qualifiers that AmeriFlux does not accept, such as `_PI` and
    /// `_1_1_1_F`. (`get_base_header` in `data_reader.py`.)
    pub fn of(name: &'a str) -> Option<Name<'a>> {
        if is_base(name) {
            return Some(Name { base: name, is_filled: false, position: "" });
        }
        let is_qualifier = |part: &str| matches!(part, "N" | "SD" | "A" | "F") || variable::is_number(part);
        let mut end = name.len();
        while let Some(at) = name[..end].rfind('_').filter(|at| is_qualifier(&name[at + 1..end])) {
            end = at;
        }
        // FETCH_70 is a variable; its number is not a qualifier.
        if &name[..end] == "FETCH" && end < name.len() {
            end = name[end + 1..].find('_').map_or(name.len(), |next| end + 1 + next);
        }
        let (base, qualifiers) = (&name[..end], name[end..].trim_start_matches('_'));
        let (is_filled, position) = match qualifiers.strip_prefix('F') {
            Some(rest) => (true, rest.trim_start_matches('_')),
            None => (false, qualifiers),
        };
        (is_base(base) && is_position(position)).then_some(Name { base, is_filled, position })
    }

    /// The base with `_F` where the name has it.
    pub fn with_filling(&self) -> String {
        format!("{}{}", self.base, if self.is_filled { "_F" } else { "" })
    }

    /// The name of the same column without `_F`.
    pub fn unfilled(&self) -> String {
        if self.position.is_empty() { self.base.to_owned() } else { format!("{}_{}", self.base, self.position) }
    }

    /// Whether it is a measurement and not a time stamp.
    pub fn is_variable(&self) -> bool {
        !STAMPS.contains(&self.base)
    }
}

/// The column of a file that a variable names: a name without a position means the first position.
pub fn column(variable: &str) -> String {
    match Name::of(variable) {
        Some(name) if name.position.is_empty() => format!("{}_1_1_1", name.with_filling()),
        _ => variable.to_owned(),
    }
}

fn is_base(name: &str) -> bool {
    STAMPS.contains(&name) || variable::lookup(name).is_some_and(|variable| variable.name == name)
}

/// Whether the text is `H_V_R`, `H_V_A` or a layer `n`, the last two also with `_SD` and `_N`, or empty.
/// (`GENERAL_QUALIFIER_PATTERNS` in `utils.py`.)
fn is_position(text: &str) -> bool {
    let parts: Vec<&str> = text.split('_').collect();
    let is_number = |part: &&str| variable::is_number(part);
    let parts = match parts.as_slice() {
        [front @ .., "SD" | "N"] if matches!(front, [_] | [_, _, "A"]) => front,
        all => all,
    };
    match parts {
        [""] => true,
        [layer] => is_number(layer),
        [horizontal, vertical, last] => {
            is_number(horizontal) && is_number(vertical) && (*last == "A" || is_number(last))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_as_ameriflux_takes_them() {
        for (name, base, is_filled, position) in [
            ("TA", "TA", false, ""),
            ("TA_1_2_1", "TA", false, "1_2_1"),
            ("PPFD_IN_F_1_1_A_SD", "PPFD_IN", true, "1_1_A_SD"),
            ("SWC_3_N", "SWC", false, "3_N"),
            ("FC_F", "FC", true, ""),
            ("FETCH_70", "FETCH_70", false, ""),
            ("FETCH_70_1_1_1", "FETCH_70", false, "1_1_1"),
            ("TIMESTAMP_END", "TIMESTAMP_END", false, ""),
        ] {
            assert_eq!(Name::of(name), Some(Name { base, is_filled, position }), "{name}");
        }
        for name in
            ["", "TA_PI", "TA_1_1", "TA_1_1_1_F", "TA_1_1_1_SD", "ta", "TA_", "TEMP_1_1_1", "TA_QC", "TA_F_F", "FETCH"]
        {
            assert_eq!(Name::of(name), None, "{name}");
        }
    }
}
