//! Makes a panel of columns: labels, colours, axes.

use std::collections::BTreeSet;

use super::colour::{Key, LevelColours};
use super::label::{labels, with_tags};
use super::quantity::Place;
use super::{Axis, Panel, PanelColumn, PanelKind, PanelSeries, PanelTable};
use crate::quantity::Process;

/// A column of one series of its table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'t> {
    pub(super) column: &'t PanelColumn,
    pub(super) tags: &'t [(String, String)],
    pub(super) is_right: bool,
}

impl Member<'_> {
    /// The part of the quantity, such as "short-wave in"; empty if the quantity has no parts.
    pub(super) fn part(&self) -> &'static str {
        self.column.kind.as_ref().map_or("", |kind| kind.part)
    }

    pub(super) fn level(&self) -> Option<Key> {
        self.column.level.as_ref().map(super::Level::key)
    }
}

/// A panel without an id, and its row.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) place: Place,
    pub(super) panel: Panel,
}

/// The properties of a panel that do not follow from its columns.
#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) title: String,
    pub(super) kind: Option<PanelKind>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) pair: Option<String>,
}

/// Makes panels with the station's colours.
#[derive(Debug)]
pub(super) struct Pen {
    colours: LevelColours,
}

impl Pen {
    /// Collects the levels that are compared: first those of each quantity, then the rest.
    pub(super) fn new(tables: &[PanelTable]) -> Pen {
        let mut sets: Vec<(String, BTreeSet<Key>)> = Vec::new();
        for column in sent(tables) {
            let Some(level) = &column.level else { continue };
            let quantity = column.quantity.clone().unwrap_or_default();
            match sets.iter_mut().find(|(known, _)| *known == quantity) {
                Some((_, set)) => _ = set.insert(level.key()),
                None => sets.push((quantity, BTreeSet::from([level.key()]))),
            }
        }
        // The quantity with the most levels gets its colours first. A column without a quantity is compared with
        // nothing.
        sets.sort_by_key(|(quantity, set)| (quantity.is_empty(), std::cmp::Reverse(set.len())));
        let sets: Vec<BTreeSet<Key>> = sets.into_iter().map(|(_, set)| set).collect();
        Pen { colours: LevelColours::new(&sets) }
    }

    /// A panel of these members; at least one.
    pub(super) fn panel(&self, members: &[Member<'_>], wish: Wish) -> Panel {
        let kind = wish.kind.unwrap_or(PanelKind::Lines);
        let labels = match wish.labels {
            Some(said) => with_tags(members, said),
            None => labels(members),
        };
        let levels: Vec<_> = members.iter().map(|member| member.column.level.as_ref()).collect();
        let colours = self.colours.of(&levels, compares_levels(members));
        let series = members.iter().zip(labels).zip(colours).map(|((member, label), colour)| PanelSeries {
            table: member.column.table.clone(),
            column: member.column.name.clone(),
            field: member.column.field.clone(),
            tags: member.tags.to_vec(),
            label,
            level: member.column.level.clone(),
            colour,
            values: member.column.values,
            unit: member.column.unit.clone(),
            range: member.column.range,
            is_right: member.is_right,
        });
        let series: Vec<PanelSeries> = series.collect();
        let (axis, right) = match (kind, members) {
            (PanelKind::Scatter, [horizontal, vertical, ..]) => (axis(&[*vertical]), Some(axis(&[*horizontal]))),
            _ => {
                let (right, left): (Vec<Member<'_>>, Vec<Member<'_>>) =
                    members.iter().copied().partition(|member| member.is_right);
                (axis(&left), (!right.is_empty()).then(|| axis(&right)))
            }
        };
        Panel {
            id: String::new(),
            description: description(members),
            title: wish.title,
            kind,
            axis,
            right,
            mean: None,
            series,
            pair: wish.pair,
        }
    }
}

/// Every column that is sent.
pub(super) fn sent(tables: &[PanelTable]) -> impl Iterator<Item = &PanelColumn> {
    tables.iter().flat_map(|table| &table.columns).filter(|column| column.is_sent)
}

/// Whether the panel compares levels: not quantities or the parts of one, and not sensors at one height.
fn compares_levels(members: &[Member<'_>]) -> bool {
    let parts: BTreeSet<(&str, &str)> =
        members.iter().map(|member| (member.column.quantity.as_deref().unwrap_or_default(), member.part())).collect();
    let levels: BTreeSet<Option<Key>> = members.iter().map(Member::level).collect();
    parts.len() <= 1 && (levels.len() > 1 || members.len() == 1)
}

/// The common unit of the columns; columns of several units have none, because a wrong one is worse.
fn axis(members: &[Member<'_>]) -> Axis {
    let units: BTreeSet<&str> = members.iter().map(|member| member.column.unit.as_str()).collect();
    let unit = match units.into_iter().collect::<Vec<_>>().as_slice() {
        [unit] => (*unit).to_owned(),
        _ => String::new(),
    };
    let mut ends = members.iter().map(|member| member.column.values.bounds());
    let first = ends.next().flatten();
    let bounds = first.filter(|first| ends.all(|other| other == Some(*first)));
    Axis { unit, bounds }
}

/// The columns by their tables, each with its instrument, its height or depth, and how the logger made its values.
fn description(members: &[Member<'_>]) -> String {
    let mut tables: Vec<(&str, Vec<String>)> = Vec::new();
    for PanelColumn { table, name, sensor, level, process, .. } in members.iter().map(|member| member.column) {
        let level = level.as_ref().map(|level| level.label.as_str());
        let facts: Vec<&str> = [sensor.as_deref(), level, process.map(Process::text)].into_iter().flatten().collect();
        let column = if facts.is_empty() { name.clone() } else { format!("{name} ({})", facts.join(", ")) };
        match tables.iter_mut().find(|known| known.0 == table.0) {
            // The column belongs to several series of the table.
            Some((_, columns)) if columns.contains(&column) => {}
            Some((_, columns)) => columns.push(column),
            None => tables.push((&table.0, vec![column])),
        }
    }
    let tables: Vec<String> =
        tables.into_iter().map(|(table, columns)| format!("From table {table}: {}.", columns.join(", "))).collect();
    tables.join(" ")
}
