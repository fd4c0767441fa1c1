//! Input: a derived value inherits the worst flag of the values from which it is computed.

use super::flag::Flag;
use super::registry::About;

pub(super) const ABOUT: About = About {
    name: "input",
    summary: "a derived value whose input is suspect or fails",
    keys: "`formula`",
    section: "Derived columns",
    source: "this project",
};

/// A derived column and the columns from which it is computed.
#[derive(Debug, Clone)]
pub(super) struct Inputs {
    /// The position of the derived column.
    pub(super) place: usize,
    /// Position and name of each input that the table has.
    pub(super) inputs: Vec<(usize, String)>,
}

impl Inputs {
    /// Builds the test for the derived column at `place` of `names`.
    pub(super) fn new(inputs: &[String], place: usize, names: &[String]) -> Inputs {
        let place_of = |input: &String| Some((names.iter().position(|known| known == input)?, input.clone()));
        Inputs { place, inputs: inputs.iter().filter_map(place_of).collect() }
    }
}

/// Why a derived value was flagged.
pub(super) fn detail(name: &str, flag: Flag) -> String {
    format!("rests on {name}, which is {}", flag.word())
}
