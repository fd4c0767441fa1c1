//! Checks the header line with the column names. (`data_reader.py`.)

use std::collections::BTreeMap;

use super::{Check, Checked, Name, Severity};
use crate::text::look_alikes;

/// AmeriFlux requires one of these: the base names of `mandatory_variables` in its configuration.
pub(super) const FLUXES: [&str; 3] = ["FC", "LE", "H"];
pub(super) const START: &str = "TIMESTAMP_START";
pub(super) const END: &str = "TIMESTAMP_END";

/// The column names of a file.
#[derive(Debug)]
pub(super) struct Header {
    /// As they are written in the file.
    written: Vec<String>,
    /// Without the quotes and blanks around them.
    pub(super) names: Vec<String>,
}

impl Header {
    pub(super) fn of(line: &str) -> Header {
        let written: Vec<String> = line.split(',').map(str::to_owned).collect();
        let bare = |name: &String| name.trim_matches('"').trim().to_owned();
        Header { names: written.iter().map(bare).collect(), written }
    }

    /// Position and name of each column that is not a time stamp.
    pub(super) fn data_columns(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_data = |(_, name): &(usize, &str)| !name.to_lowercase().contains("timestamp");
        self.names.iter().map(String::as_str).enumerate().filter(is_data)
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    pub(super) fn check(&self, checked: &mut Checked) {
        self.check_stamps(checked);
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &self.names {
            *times.entry(name).or_default() += 1;
        }
        for (name, times) in times.into_iter().filter(|(_, times)| *times > 1) {
            let message =
                format!("{name} names {times} columns; give each its own position: {name}_1_1_1, {name}_1_2_1");
            checked.add(Check::DuplicateNames, Severity::Error, message);
        }
        let all_quoted = self.written.iter().all(|name| name.contains('"'));
        if all_quoted {
            checked.add(Check::AllQuoted, Severity::Error, "all names stand in quotes; write them without".to_owned());
        }
        for (place, (written, name)) in self.written.iter().zip(&self.names).enumerate() {
            let bare = bare(written);
            let problem = if written.contains(' ') {
                "has a blank in its name".to_owned()
            } else if written.contains('"') && !all_quoted {
                "has a quote in its name".to_owned()
            } else if Name::of(bare).is_none() {
                unknown(bare)
            } else {
                continue;
            };
            let message = format!("column {} ({name}) {problem}; AmeriFlux does not publish it", place + 1);
            checked.add(Check::Names, Severity::Warning, message);
        }
        let known: Vec<Name<'_>> = self.names.iter().filter_map(|name| Name::of(name)).collect();
        if !known.iter().any(Name::is_variable) {
            checked.add(Check::AnyName, Severity::Error, "no column has the name of an AmeriFlux variable".to_owned());
        }
        if !known.iter().any(|name| FLUXES.contains(&name.base)) {
            let message = "no column is FC, LE or H; a file without fluxes is accepted with this warning".to_owned();
            checked.add(Check::Fluxes, Severity::Warning, message);
        }
        let roots = known.iter().filter(|name| !name.is_filled && name.position == "1_1_1");
        for name in roots.filter(|name| self.place(name.base).is_some()) {
            let base = name.base;
            let message = format!("{base} and {base}_1_1_1 are one place; give one of them another position");
            checked.add(Check::RootName, Severity::Warning, message);
        }
    }

    fn check_stamps(&self, checked: &mut Checked) {
        for (place, (name, wanted)) in self.written.iter().zip([START, END]).enumerate() {
            let bare = bare(name);
            if bare != wanted {
                let message = format!("column {} is \"{bare}\" where {wanted} stands", place + 1);
                checked.add(Check::StampsFirst, Severity::Error, message);
            }
        }
    }
}

/// A name without quotes and blanks around it.
fn bare(written: &str) -> &str {
    written.trim_matches(|letter: char| letter == '"' || letter.is_whitespace())
}

/// Why a name is not valid.
fn unknown(name: &str) -> String {
    let bases = crate::ameriflux::near(name);
    match look_alikes(name, bases.iter().copied()).first() {
        Some(near) => format!("is no AmeriFlux variable with its qualifiers in order (is it {near}?)"),
        None => "is no AmeriFlux variable with its qualifiers in order".to_owned(),
    }
}
