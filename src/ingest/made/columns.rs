//! The columns of a table that is made: which there are, what its header states about each, and where the value of each comes
//! from.
//!
//! A value has two columns beside it, the number of its samples and their share. These keep their names whatever the source
//! calls its own columns, and tags stand under the names that the source has for them.

use super::under::Under;
use crate::config::{MadeOf, TableConfig, TurbulenceConfig};
use crate::format::Header;
use crate::quantity::{Member, Quick, Scans, Stated, coverage_of, is_companion, samples_of};
use crate::store::Table;

/// The source of a value of the made table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The computed value with this index: first the members, then the turbulence quick look.
    Value(usize),
    Samples(usize),
    Coverage(usize),
    /// The tag with this index.
    Tag(usize),
    Nothing,
}

/// A made column: its name, and the unit and process that a logger's header would state.
pub(super) struct MadeColumn {
    name: String,
    unit: String,
    process: String,
}

/// A quick look at turbulence: statistics of the scans of a window.
pub(super) struct QuickLook {
    pub(super) scans: Scans,
    pub(super) values: Vec<Quick>,
    pub(super) pressure: Option<f64>,
}

/// The source of each column of the made table.
pub(super) fn cells(table: &Table, columns: &[MadeColumn], stated: &[Stated<'_>], tags: &[usize]) -> Vec<Source> {
    let mut cells = vec![Source::Nothing; table.columns.len()];
    let mut put = |name: &str, from: Source| {
        if let Some(place) = table.place(name) {
            cells[place] = from;
        }
    };
    for (at, column) in columns.iter().enumerate() {
        put(&samples_of(&column.name), Source::Samples(at));
        put(&coverage_of(&column.name), Source::Coverage(at));
    }
    // A column of the source keeps its name, even if a made column has the same one.
    for (at, column) in columns.iter().enumerate().rev() {
        put(&column.name, Source::Value(at));
    }
    for (at, place) in tags.iter().enumerate() {
        put(stated[*place].name, Source::Tag(at));
    }
    cells
}

/// The columns that are made: one for each member, then those of the turbulence quick look.
pub(super) fn made_columns(under: &Under<'_>, quick: Option<&QuickLook>, of: &MadeOf) -> Vec<MadeColumn> {
    let stated = &under.stated;
    // The number of samples and their share have their names, whatever the source calls its own columns.
    let is_beside = |name: &str| {
        let of = |column: &Stated<'_>| samples_of(column.name) == name || coverage_of(column.name) == name;
        is_companion(name) && under.members.iter().any(|member| of(&stated[member.place]))
    };
    let of_member = |member: &Member| {
        let column = &stated[member.place];
        let name = if is_beside(column.name) { format!("{}_2", column.name) } else { column.name.to_owned() };
        let unit = column.unit.to_owned();
        MadeColumn { name, unit, process: member.process(column).to_owned() }
    };
    let mut columns: Vec<MadeColumn> = under.members.iter().map(of_member).collect();
    if let (Some(quick), Some(turbulence)) = (quick, &of.turbulence) {
        let units: Vec<&str> = quick.scans.gases.iter().map(|place| stated[*place].unit).collect();
        columns.extend(turbulence.values().into_iter().map(|(name, quick)| MadeColumn {
            name,
            unit: quick.unit(&units),
            process: "Avg".to_owned(),
        }));
    }
    columns
}

/// The turbulence quick look at these columns; None if the table lacks one of them.
pub(super) fn quick_look(turbulence: &TurbulenceConfig, stated: &[Stated<'_>]) -> Option<QuickLook> {
    let place = |name: &String| stated.iter().position(|column| column.name == name);
    let [u, v, w, ts] = &turbulence.wind;
    let wind = [place(u)?, place(v)?, place(w)?, place(ts)?];
    let gases = turbulence.gases.iter().map(place).collect::<Option<Vec<usize>>>()?;
    let values = turbulence.values().into_iter().map(|(_, quick)| quick).collect();
    Some(QuickLook { scans: Scans { wind, gases }, values, pressure: turbulence.pressure })
}

/// The header of the made table: every column of the source, so that tags keep their order, then the made columns, each
/// with two more beside it.
pub(super) fn header_of(source: &TableConfig, stated: &[Stated<'_>], columns: &[MadeColumn]) -> Header {
    let mut header = Header {
        environment: Vec::new(),
        table: source.name.0.clone(),
        names: Vec::new(),
        units: Vec::new(),
        process: Vec::new(),
        year: None,
    };
    let mut add = |name: String, unit: &str, process: &str| {
        if !header.names.contains(&name) {
            header.names.push(name);
            header.units.push(unit.to_owned());
            header.process.push(process.to_owned());
        }
    };
    let made = |column: &MadeColumn, add: &mut dyn FnMut(String, &str, &str)| {
        add(column.name.clone(), &column.unit, &column.process);
        add(samples_of(&column.name), "samples", "Smp");
        add(coverage_of(&column.name), "%", "Smp");
    };
    let is_beside =
        |name: &str| columns.iter().any(|made| name == samples_of(&made.name) || name == coverage_of(&made.name));
    for column in stated.iter().filter(|column| !is_beside(column.name)) {
        match columns.iter().find(|made| made.name == column.name) {
            Some(column) => made(column, &mut add),
            None => add(column.name.to_owned(), column.unit, column.process),
        }
    }
    for column in columns {
        made(column, &mut add);
    }
    header
}
