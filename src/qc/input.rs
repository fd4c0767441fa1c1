//! Input: a derived value is no better than the values that it is computed from.

use super::flag::Flag;
use super::registry::About;

pub(super) const ABOUT: About = About {
    name: "input",
    summary: "a derived value whose input is suspect or fails",
    keys: "`formula`",
    section: "Derived columns",
    source: "this project",
};

/// A derived column and the columns that it is computed from.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    /// The place of the derived column.
    pub(super) place: usize,
    /// Place and name of each input that the table has.
    pub(super) inputs: Vec<(usize, String)>,
}

impl Inputs {
    /// Of the derived column at `place` of `names`.
    pub(super) fn new(inputs: &[String], place: usize, names: &[String]) -> Inputs {
        let place_of = |input: &String| Some((names.iter().position(|known| known == input)?, input.clone()));
        Inputs { place, inputs: inputs.iter().filter_map(place_of).collect() }
    }
}

/// Why a derived value was raised.
pub(super) fn detail(name: &str, flag: Flag) -> String {
    format!("rests on {name}, which is {}", flag.word())
}
