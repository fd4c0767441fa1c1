//! Finds what the header of a file states and the configuration contradicts.

use super::{ColumnUse, TableConfig};
use crate::ameriflux::unit::{self, Fit};
use crate::ameriflux::{self, upload};
use crate::quantity::Stated;

/// A column whose header and configuration do not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The column's name in the file.
    pub column: String,
    /// The kind of contradiction.
    pub what: MisfitOf,
    /// What the header says, and the consequence.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// The kind of contradiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MisfitOf {
    /// The unit does not fit the AmeriFlux variable: the variable's range is not applied.
    Unit,
    /// The process contradicts the kind of quantity: the configuration is used.
    Kind,
    /// Rain that the logger sampled is averaged, because its kind is not known.
    Rain,
    /// The configured field is the name of another column: the other column keeps its name.
    Name,
    /// A configured column was in an earlier header and is not in the newest one.
    Gone,
}

impl TableConfig {
    /// The columns of a header that the configuration contradicts, in the header's order. What a counter counted is known of a
    /// table of which another one is made (`is_aggregated`).
    pub fn misfits(&self, columns: &[Stated<'_>], is_aggregated: bool) -> Vec<Misfit> {
        let mut found = self.names_of_others(columns);
        for (facts, column) in self.facts(columns).into_iter().zip(columns) {
            let Some(own) = self.columns.get(column.name) else { continue };
            let variable = own.variable.as_deref().and_then(ameriflux::lookup);
            // The half hours of a counter are judged by the range of the variable alone.
            let needs_range = own.limits.suspect.is_none() || own.limits.fail.is_none() || own.is_counter();
            if variable.is_some() && own.is_counter() && !is_aggregated {
                let name = own.variable.as_deref().unwrap_or_default();
                found.push(Misfit {
                    column: column.name.to_owned(),
                    what: MisfitOf::Unit,
                    message: format!(
                        "column {}: a counter's readings are no {name} of an interval, so the variable's range is not applied, and \
                         `export --format ameriflux` leaves the column out",
                        column.name
                    ),
                    fix: "let the logger write the total of each interval, write aggregate = \"30m\" in the table, whose half hours \
                          hold what was counted, or take variable out"
                        .to_owned(),
                });
            } else if let Some(variable) = variable.filter(|_| needs_range)
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
            // A diagnostic word holds bits, whatever the logger's process was.
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

    /// Columns of rain that the logger sampled, in a table of which half hours are made: they are averaged, because nothing says
    /// whether they are totals.
    pub fn unclear_rain(&self, columns: &[Stated<'_>]) -> Vec<Misfit> {
        let facts = self.facts(columns).into_iter().zip(columns).filter(|(facts, _)| facts.is_total_or_counter());
        facts
            .map(|(facts, column)| Misfit {
                column: column.name.to_owned(),
                what: MisfitOf::Rain,
                message: format!(
                    "column {}: the header says {}, so that it is not known whether a value of {} is the sum over its row's interval or \
                     a count since a reset: aggregate makes means of it, which are no rain",
                    column.name,
                    column.process.trim(),
                    facts.variable.unwrap_or_default()
                ),
                fix: "write kind = \"total\" in its section where each row has the sum over its own interval, or kind = \"counter\" \
                      where the values rise until a reset"
                    .to_owned(),
            })
            .collect()
    }

    /// Columns whose configured `field` is the name of another column, which is sent under that name.
    fn names_of_others(&self, columns: &[Stated<'_>]) -> Vec<Misfit> {
        let of_another = |name: &str, field: &str| {
            let own = self.columns.get(field);
            let keeps = own.is_none_or(|own| own.column_use == ColumnUse::Field && own.field.is_none());
            field != name && keeps && columns.iter().any(|column| column.name == field)
        };
        let wanted = self.columns.iter().filter(|(_, own)| own.column_use == ColumnUse::Field);
        let wanted = wanted.filter_map(|(name, own)| Some((name, own.field.as_deref()?)));
        wanted
            .filter(|(name, field)| columns.iter().any(|column| column.name == **name) && of_another(name, field))
            .map(|(name, field)| Misfit {
                column: name.clone(),
                what: MisfitOf::Name,
                message: format!(
                    "column {name}: field = \"{field}\" is the name of another column of the file, which keeps it"
                ),
                fix: format!("write another field for {name}, or give {field} a field of its own"),
            })
            .collect()
    }

    /// Configured columns that files should contain.
    pub fn awaited(&self) -> impl Iterator<Item = (&String, &super::ColumnConfig)> {
        self.columns.iter().filter(|(_, own)| own.formula.is_none() && own.column_use != ColumnUse::Ignore)
    }

    /// Configured columns that a header had and that the headers in use no longer have; the message lists columns that
    /// are new. Both arguments are the column names of headers.
    pub fn gone(&self, headers: &[&[String]], at_work: &[&[String]]) -> Vec<Misfit> {
        let has = |header: &[String], name: &str| header.iter().any(|own| own == name);
        let is_gone = |name: &str| {
            !at_work.is_empty() && !at_work.iter().any(|at| has(at, name)) && headers.iter().any(|of| has(of, name))
        };
        let gone = |(name, own): (&String, &super::ColumnConfig)| {
            let stood_beside = |other: &str| headers.iter().any(|of| has(of, name) && has(of, other));
            let mut new: Vec<&str> = Vec::new();
            for other in at_work.iter().flat_map(|names| names.iter()).filter(|other| !stood_beside(other)) {
                if !new.contains(&other.as_str()) {
                    new.push(other);
                }
            }
            let beside = if new.is_empty() { String::new() } else { format!("; new in it: {}", new.join(", ")) };
            let field = own.field.as_deref().unwrap_or(name);
            // An export of the time before needs the variable of the old name.
            let fix = match &own.variable {
                None => format!("if it was renamed, give its section the new name, with field = \"{field}\""),
                Some(variable) => format!(
                    "if it was renamed, write a section of the new name with variable = \"{variable}\" and field = \"{field}\", and leave \
                     variable alone in this one, for AmeriFlux's files of the time before"
                ),
            };
            Misfit {
                column: name.clone(),
                what: MisfitOf::Gone,
                message: format!("column {name} is not in the newest header any more{beside}"),
                fix: format!("{fix}; if it is gone, take the section out"),
            }
        };
        // The variable goes on under another name.
        let goes_on = |variable: Option<&String>| {
            let key = variable.map(|variable| upload::column(variable));
            let is_of = |other: &&super::ColumnConfig| other.variable.as_deref().map(upload::column) == key;
            let heirs = at_work.iter().flat_map(|names| names.iter()).filter_map(|name| self.columns.get(name));
            key.is_some() && heirs.into_iter().any(|other| is_of(&other))
        };
        let is_gone = |(name, own): &(&String, &super::ColumnConfig)| is_gone(name) && !goes_on(own.variable.as_ref());
        self.awaited().filter(is_gone).map(gone).collect()
    }
}
