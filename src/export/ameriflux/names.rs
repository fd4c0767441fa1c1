//! The variable names of a site's file: each name occurs once, whichever table the column belongs to.

use std::collections::{BTreeMap, BTreeSet};

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

/// Refuses two columns of one variable, and proposes names that distinguish them. `TA` and `TA_1_1_1` are the same
/// name.
pub(super) fn check(columns: &[&Named]) -> Result<(), ExportError> {
    let mut seen: BTreeMap<String, &Named> = BTreeMap::new();
    for &second in columns {
        let Some(first) = seen.insert(key(&second.variable), second) else { continue };
        let (one, other, reason) = proposal(columns, first, second);
        return Err(ExportError::SameVariable(Box::new(crate::export::SameVariable {
            first: (first.table.clone(), first.column.clone()),
            second: (second.table.clone(), second.column.clone()),
            variable: second.variable.clone(),
            proposal: format!("{one} and {other}{reason}"),
        })));
    }
    Ok(())
}

/// The key by which variables are compared: a name without a position means the first position.
fn key(variable: &str) -> String {
    match upload::Name::of(variable) {
        Some(name) if name.position.is_empty() => format!("{}_1_1_1", name.with_filling()),
        _ => variable.to_owned(),
    }
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
        .map(|column| key(&column.variable))
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
