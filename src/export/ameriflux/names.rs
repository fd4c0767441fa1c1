//! The variable names of a site's file: each name occurs once, whichever table the column belongs to.
//!
//! A sensor's column or table may have been renamed, so that its values are in one column before and in another behind that
//! time. Both are one column of the file, because a newer file replaces an older one whole.

use std::collections::BTreeSet;

use super::part::Part;
use crate::ameriflux::upload;
use crate::config::Level;
use crate::export::ExportError;

/// A column and its variable.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) table: String,
    /// The logger's name.
    pub(super) column: String,
    /// The variable as configured, with its qualifiers.
    pub(super) variable: String,
    /// The level of the sensor.
    pub(super) level: Option<Level>,
    /// The position in the column list.
    pub(super) place: usize,
}

/// A column of the file.
#[derive(Debug)]
pub(super) struct Output {
    /// Its name in the file.
    pub(super) variable: String,
    /// The columns of the tables whose values it has, each by part and place in the part.
    pub(super) of: Vec<(usize, usize)>,
}

/// Columns that become one column of the file if they never both have a value.
pub(super) struct Together {
    pub(super) of: Vec<(usize, usize)>,
    /// What is said to the user about it.
    pub(super) note: String,
}

impl Output {
    /// None if it is a single column.
    pub(super) fn together(&self, parts: &[Part<'_>]) -> Option<Together> {
        let shown: Vec<String> = self.of.iter().map(|&(part, column)| shown(&parts[part].columns[column])).collect();
        (self.of.len() > 1).then(|| Together {
            of: self.of.clone(),
            note: format!(
                "{} are one column of the file, {}: both are this variable, and they never have a value at the same time",
                shown.join(" and "),
                self.variable
            ),
        })
    }
}

fn shown(column: &Named) -> String {
    format!("column \"{}\" of table \"{}\"", column.column, column.table)
}

/// The columns of the file, in the order of the tables and their columns, without those that are left out. `TA` and `TA_1_1_1`
/// are the same name.
///
/// # Errors
/// Two columns of one variable whose sensors are at different levels.
pub(super) fn outputs(parts: &[Part<'_>]) -> Result<Vec<Output>, ExportError> {
    let mut outputs: Vec<Output> = Vec::new();
    for (part, of) in parts.iter().enumerate() {
        for (at, column) in of.columns.iter().enumerate().filter(|(at, _)| !of.conversions.is_left_out(*at)) {
            let Some(known) =
                outputs.iter_mut().find(|known| upload::column(&known.variable) == upload::column(&column.variable))
            else {
                outputs.push(Output { variable: column.variable.clone(), of: vec![(part, at)] });
                continue;
            };
            let other = known.of.iter().find(|&&(part, at)| {
                let levels =
                    [&parts[part].columns[at].level, &column.level].map(|level| level.as_ref().map(Level::key));
                matches!(levels, [Some(one), Some(other)] if one != other)
            });
            if let Some(other) = other {
                return Err(refused(parts, *other, (part, at), None));
            }
            known.of.push((part, at));
            // The name that says more.
            if column.variable.len() > known.variable.len() {
                known.variable.clone_from(&column.variable);
            }
        }
    }
    Ok(outputs)
}

/// Refuses two columns of one variable, and proposes names that distinguish them. `when` is a time at which both have a value.
pub(super) fn refused(
    parts: &[Part<'_>],
    first: (usize, usize),
    second: (usize, usize),
    when: Option<String>,
) -> ExportError {
    let columns: Vec<&Named> = parts.iter().flat_map(|part| &part.columns).collect();
    let (first, second) = (&parts[first.0].columns[first.1], &parts[second.0].columns[second.1]);
    let (one, other, reason) = proposal(&columns, first, second);
    ExportError::SameVariable(Box::new(crate::export::SameVariable {
        first: (first.table.clone(), first.column.clone()),
        second: (second.table.clone(), second.column.clone()),
        variable: second.variable.clone(),
        when,
        proposal: format!("{one} and {other}{reason}"),
    }))
}

/// Proposes names for two columns, with the reason: if both levels are known, the vertical position counts from the
/// top; otherwise they are replicates.
fn proposal(columns: &[&Named], first: &Named, second: &Named) -> (String, String, &'static str) {
    let base = upload::Name::of(&second.variable).map_or_else(|| second.variable.clone(), |name| name.with_filling());
    let others: Vec<&Named> = columns
        .iter()
        .copied()
        .filter(|column| upload::Name::of(&column.variable).is_some_and(|name| name.with_filling() == base))
        .collect();
    let mut taken: BTreeSet<String> = others
        .iter()
        .filter(|column| !std::ptr::eq(**column, first) && !std::ptr::eq(**column, second))
        .map(|column| upload::column(&column.variable))
        .collect();
    let mut free = |horizontal: u32, vertical: usize| {
        let names = (1..).map(|replicate| format!("{base}_{horizontal}_{vertical}_{replicate}"));
        let name = names.into_iter().find(|name| !taken.contains(name)).unwrap_or_default();
        taken.insert(name.clone());
        name
    };
    if let (Some(one), Some(other)) = (&first.level, &second.level) {
        let mut levels: Vec<_> = others.iter().filter_map(|column| column.level.as_ref()).map(Level::key).collect();
        levels.sort_by(|one, other| other.cmp(one));
        levels.dedup();
        let vertical = |level: &Level| levels.iter().position(|key| *key == level.key()).unwrap_or(0) + 1;
        if vertical(one) != vertical(other) {
            return (free(1, vertical(one)), free(1, vertical(other)), ", by their heights");
        }
        return (free(1, vertical(one)), free(1, vertical(other)), ", replicates at one height");
    }
    (free(1, 1), free(1, 1), " where they are replicates at one height; the second number counts heights from the top")
}
