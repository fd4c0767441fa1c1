//! Applies the `[[panel]]` sections: a further panel, another drawing of one, or none.

use super::draw::{Draft, Member, Pen, Wish};
use super::generated::{find, members};
use super::label::tags;
use super::quantity::Place;
use super::{Panel, PanelKind, PanelTable};
use crate::config::{ColumnAt, Config, PanelConfig};

/// Applies them in the order of the file.
pub(super) fn apply(config: &Config, tables: &[PanelTable], pen: &Pen, drafts: &mut Vec<Draft>) {
    for (number, own) in config.panels.iter().enumerate() {
        let at = drafts.iter().position(|draft| draft.panel.title == own.title);
        if own.hide {
            if let Some(at) = at {
                drafts.remove(at);
            }
            continue;
        }
        let panels = panels(own, tables, pen);
        // No file has contained these columns yet; until then the generated panel is kept.
        if panels.is_empty() {
            continue;
        }
        let replaced = at.map(|at| (at, drafts.remove(at)));
        let place = match (&own.row, &replaced) {
            (Some(row), _) => named(row, number, drafts, replaced.as_ref().map(|(_, draft)| draft)),
            (None, Some((_, draft))) => draft.place.clone(),
            (None, None) => home(own, tables),
        };
        let in_same_row = replaced.filter(|(_, draft)| draft.place == place);
        let at = in_same_row.map_or(drafts.len(), |(at, _)| at);
        let new = panels.into_iter().map(|panel| Draft { place: place.clone(), panel });
        drafts.splice(at..at, new.collect::<Vec<_>>());
    }
}

/// The row with that title; a new one if there is none.
fn named(row: &str, number: usize, drafts: &[Draft], replaced: Option<&Draft>) -> Place {
    let places = drafts.iter().chain(replaced).map(|draft| &draft.place);
    places.into_iter().find(|place| place.title() == row).cloned().unwrap_or_else(|| Place::Own(number, row.to_owned()))
}

/// The row of its first column.
fn home(own: &PanelConfig, tables: &[PanelTable]) -> Place {
    let columns = own.columns.iter().filter_map(|at| find(tables, at));
    columns.into_iter().find_map(|column| column.kind.as_ref()).map_or(Place::Other, |kind| kind.place.clone())
}

/// One panel; a scatter of a table with tag columns gives one for each of its series.
fn panels(own: &PanelConfig, tables: &[PanelTable], pen: &Pen) -> Vec<Panel> {
    let left = own.columns.iter().map(|at| (at, false));
    let right = own.right.iter().map(|at| (at, true));
    let wanted: Vec<(&ColumnAt, bool)> = left.chain(right).collect();
    let mut all: Vec<Member<'_>> = Vec::new();
    let mut given: Vec<String> = Vec::new();
    for (number, (at, is_right)) in wanted.into_iter().enumerate() {
        let Some(column) = find(tables, at) else { continue };
        for member in members(tables, column) {
            all.push(Member { is_right, ..member });
            given.extend(own.labels.as_ref().and_then(|labels| labels.get(number)).cloned());
        }
    }
    if all.is_empty() {
        return Vec::new();
    }
    let wish = |title: String, labels| Wish { title, kind: Some(own.kind), labels, pair: None };
    if own.kind != PanelKind::Scatter {
        let labels = own.labels.is_some().then_some(given);
        return vec![with_settings(pen.panel(&all, wish(own.title.clone(), labels)), own)];
    }
    let [horizontal, vertical] = own.columns.as_slice() else { return Vec::new() };
    let of = |at: &ColumnAt| -> Vec<Member<'_>> {
        all.iter()
            .filter(|member| member.column.table == at.table && member.column.name == at.column)
            .copied()
            .collect()
    };
    let verticals = of(vertical);
    let mut panels = Vec::new();
    for one in of(horizontal) {
        let is_same = |other: &&Member<'_>| other.column.table != one.column.table || other.tags == one.tags;
        let Some(other) = verticals.iter().find(is_same) else { continue };
        let title = match tags(&one).as_str() {
            "" => own.title.clone(),
            tags => format!("{}, {tags}", own.title),
        };
        panels.push(with_settings(pen.panel(&[one, *other], wish(title, own.labels.clone())), own));
    }
    panels
}

/// Settings of the section override what follows from the columns.
fn with_settings(mut panel: Panel, own: &PanelConfig) -> Panel {
    if let Some(unit) = &own.unit {
        panel.axis.unit.clone_from(unit);
    }
    if let Some(bounds) = own.bounds {
        panel.axis.bounds = Some(bounds);
    }
    if let (Some(right), Some(bounds)) = (&mut panel.right, own.right_bounds) {
        right.bounds = Some(bounds);
    }
    if let Some(description) = &own.description {
        panel.description = format!("{description} {}", panel.description);
    }
    panel.mean = own.mean;
    panel
}
