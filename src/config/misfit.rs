//! What the header of a file states and the configuration does not agree with.

use super::TableConfig;
use crate::ameriflux;
use crate::ameriflux::unit::{self, Fit};
use crate::quantity::Stated;

/// A column whose header and configuration do not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The column's name in the file.
    pub column: String,
    /// What does not fit.
    pub what: MisfitOf,
    /// What the header says, and what follows from it.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MisfitOf {
    /// The unit and the AmeriFlux variable: the variable's range is not applied.
    Unit,
    /// The process and the kind of quantity: the configuration wins.
    Kind,
    /// The logger's program no longer writes the column.
    Gone,
}

impl Misfit {
    /// The configuration has a section for a column that the newest files do not have any more.
    pub fn gone(column: &str) -> Misfit {
        Misfit {
            column: column.to_owned(),
            what: MisfitOf::Gone,
            message: format!("column {column}: the newest file no longer has it"),
            fix: "if the logger writes it under another name now, name the section so; else take the section out"
                .to_owned(),
        }
    }
}

impl TableConfig {
    /// The columns of a header that the configuration does not agree with, in the header's order.
    pub fn misfits(&self, columns: &[Stated<'_>]) -> Vec<Misfit> {
        let mut found = Vec::new();
        for (facts, column) in self.facts(columns).into_iter().zip(columns) {
            let Some(own) = self.columns.get(column.name) else { continue };
            let variable = own.variable.as_deref().and_then(ameriflux::lookup);
            let needs_range = own.limits.suspect.is_none() || own.limits.fail.is_none();
            if let Some(variable) = variable.filter(|_| needs_range)
                && let Fit::Unfit { reason } = unit::fit(column.unit, variable)
            {
                found.push(Misfit {
                    column: column.name.to_owned(),
                    what: MisfitOf::Unit,
                    message: format!("column {}: {reason}, so the variable's range is not applied", column.name),
                    fix: "give suspect and fail in the column's own unit, name another variable, or correct the unit in the \
                          logger's program"
                        .to_owned(),
                });
            }
            // A diagnostic word holds bits, whatever the logger did with it.
            if let (None, Some(stated)) = (&own.diagnostic, facts.stated_otherwise()) {
                let by = match (own.kind, &own.variable) {
                    (Some(kind), _) => format!("kind = \"{}\"", kind.name()),
                    (None, variable) => format!("variable = \"{}\"", variable.as_deref().unwrap_or_default()),
                };
                found.push(Misfit {
                    column: column.name.to_owned(),
                    what: MisfitOf::Kind,
                    message: format!(
                        "column {}: the header says {} (a {}), the configuration says {by}, which holds",
                        column.name,
                        column.process.trim(),
                        stated.name()
                    ),
                    fix: format!("if the header is right, write kind = \"{}\" in its section", stated.name()),
                });
            }
        }
        found
    }
}
