//! The panels that follow from the columns, without configuration.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::colour::Key;
use super::draw::{Draft, Member, Pen, Wish, sent};
use super::label::tags;
use super::quantity::Place;
use super::{PanelColumn, PanelKind, PanelTable};
use crate::config::{ColumnAt, Config};

/// More lines than this are illegible.
const MOST_SERIES: usize = 12;
/// The most columns without a quantity on one panel.
const MOST_OTHERS: usize = 8;
/// A table with this number of such columns contains an array: a drop-size spectrum has a thousand columns, and a
/// hundred panels would be useless.
const ARRAY: usize = 96;
const MOST_OF_ARRAY: usize = 24;
/// Two levels give a difference; a profile needs a shape.
const LEAST_LEVELS_OF_PROFILE: usize = 3;

/// Columns with the same key share a panel: the row, the rank and name of the quantity, the unit.
type GroupKey = (Place, usize, String, String);

/// All panels, in the order of the board.
pub(super) fn rows(config: &Config, tables: &[PanelTable], pen: &Pen) -> Vec<Draft> {
    let mut maker = Maker { pen, drafts: Vec::new(), titles: HashSet::new() };
    let mut groups: BTreeMap<GroupKey, Vec<Member<'_>>> = BTreeMap::new();
    let mut first_units: BTreeMap<String, String> = BTreeMap::new();
    let mut others: Vec<Member<'_>> = Vec::new();
    let mut diagnostics: Vec<&PanelColumn> = Vec::new();
    for column in sent(tables) {
        match &column.kind {
            _ if column.is_diagnostic => diagnostics.push(column),
            Some(kind) => {
                // A column with a unit decides the quantity's name; a header without a unit may hide another unit.
                let first = first_units.entry(kind.name.clone()).or_default();
                if first.is_empty() {
                    first.clone_from(&column.unit);
                }
                let key = (kind.place.clone(), kind.rank(), kind.name.clone(), column.unit.clone());
                groups.entry(key).or_default().extend(members(tables, column));
            }
            None => others.extend(members(tables, column)),
        }
    }
    for ((place, _, quantity, unit), members) in groups {
        let is_first_unit = first_units.get(&quantity) == Some(&unit);
        let name = if is_first_unit { quantity } else { format!("{quantity} ({})", unit_or(&unit)) };
        maker.quantity(&place, &name, members);
    }
    for column in diagnostics {
        let members: Vec<Member<'_>> = members(tables, column).collect();
        let title = format!("{} diagnostic", place_name(column));
        maker.lines(&Place::Diagnostics, &title, &members, MOST_SERIES);
    }
    maker.pairs(config, tables);
    maker.others(&others);
    maker.drafts
}

/// The column once for each series of its table.
pub(super) fn members<'t>(tables: &'t [PanelTable], column: &'t PanelColumn) -> impl Iterator<Item = Member<'t>> {
    let table = tables.iter().find(|table| table.name == column.table);
    let series = table.map_or(&[][..], |table| table.series.as_slice());
    series.iter().map(move |tags| Member { column, tags, is_right: false })
}

/// The column that a `[[pair]]` or a `[[panel]]` names, if it can be drawn.
pub(super) fn find<'t>(tables: &'t [PanelTable], at: &ColumnAt) -> Option<&'t PanelColumn> {
    let table = tables.iter().find(|table| table.name == at.table)?;
    table.columns.iter().find(|column| column.name == at.column && column.is_sent)
}

/// "LI7500 46 m", or the column's own name.
fn place_name(column: &PanelColumn) -> String {
    match (&column.sensor, &column.level) {
        (Some(sensor), Some(level)) => format!("{sensor} {}", level.label),
        (Some(sensor), None) => sensor.clone(),
        (None, _) => column.field.clone(),
    }
}

fn unit_or(unit: &str) -> &str {
    if unit.is_empty() { "no unit" } else { unit }
}

struct Maker<'p> {
    pen: &'p Pen,
    drafts: Vec<Draft>,
    titles: HashSet<String>,
}

impl Maker<'_> {
    /// The panels of one quantity in one unit.
    fn quantity(&mut self, place: &Place, name: &str, mut members: Vec<Member<'_>>) {
        members.sort_by_cached_key(order);
        let stations = stations(&members);
        let of_station = |member: &Member<'_>, station: &str| member.column.sensor.as_deref() == Some(station);
        let in_none = |member: &&Member<'_>| !stations.iter().any(|station| of_station(member, station));
        let rest: Vec<Member<'_>> = members.iter().filter(in_none).copied().collect();
        let whole = if !stations.is_empty() && levels(&rest).len() > 1 { rest } else { members.clone() };
        let name = match (place, members.first()) {
            (Place::Analyser(_, level), _) if !level.is_empty() => format!("{name}, {level}"),
            _ => name.to_owned(),
        };
        self.lines(place, &titled(&name, &whole), &whole, MOST_SERIES);
        if levels(&whole).len() >= LEAST_LEVELS_OF_PROFILE && parts(&whole) == 1 {
            let with_level: Vec<Member<'_>> =
                whole.iter().filter(|member| member.column.level.is_some()).copied().collect();
            let kind = Some(PanelKind::Profile);
            self.draw(place, Wish { title: format!("{name} profile"), kind, ..Wish::default() }, &with_level);
        }
        for station in &stations {
            let own: Vec<Member<'_>> = members.iter().filter(|member| of_station(member, station)).copied().collect();
            self.lines(place, &format!("{name}, {station}"), &own, MOST_SERIES);
        }
    }

    /// One panel of lines, or several of at most `most`.
    fn lines(&mut self, place: &Place, title: &str, members: &[Member<'_>], most: usize) {
        for part in members.chunks(most) {
            self.draw(place, Wish { title: title.to_owned(), ..Wish::default() }, part);
        }
    }

    /// The panels of columns that should agree: over time, and one against the other.
    fn pairs(&mut self, config: &Config, tables: &[PanelTable]) {
        for pair in &config.pairs {
            let (Some(first), Some(second)) = (find(tables, &pair.first), find(tables, &pair.second)) else { continue };
            for one in members(tables, first) {
                // Within a table, rows of one series belong together; across tables, each table has one series.
                let Some(other) = members(tables, second)
                    .find(|other| other.column.table != one.column.table || other.tags == one.tags)
                else {
                    continue;
                };
                let title = match tags(&one).as_str() {
                    "" => pair.name.clone(),
                    tags => format!("{}, {tags}", pair.name),
                };
                let is_right = one.column.unit != other.column.unit;
                let over_time = [one, Member { is_right, ..other }];
                let name = Some(pair.name.clone());
                let wish = Wish { title: title.clone(), pair: name.clone(), ..Wish::default() };
                self.draw(&Place::Comparisons, wish, &over_time);
                let kind = Some(PanelKind::Scatter);
                let wish = Wish { title: format!("{title}, scatter"), kind, pair: name, ..Wish::default() };
                self.draw(&Place::Comparisons, wish, &[other, one]);
            }
        }
    }

    /// Columns without a quantity, by table and unit.
    fn others(&mut self, others: &[Member<'_>]) {
        let mut groups: Vec<(&str, &str, Vec<Member<'_>>)> = Vec::new();
        for member in others {
            let (table, unit) = (member.column.table.0.as_str(), member.column.unit.as_str());
            match groups.iter_mut().find(|(known, shown, _)| (*known, *shown) == (table, unit)) {
                Some((.., group)) => group.push(*member),
                None => groups.push((table, unit, vec![*member])),
            }
        }
        for (table, unit, group) in groups {
            let title = match group.as_slice() {
                [alone] => alone.column.field.clone(),
                _ => format!("{table}, {}", unit_or(unit)),
            };
            let most = if group.len() > ARRAY { MOST_OF_ARRAY } else { MOST_OTHERS };
            self.lines(&Place::Other, &title, &group, most);
        }
    }

    fn draw(&mut self, place: &Place, wish: Wish, members: &[Member<'_>]) {
        if members.is_empty() {
            return;
        }
        let title = self.free(wish.title.clone(), members);
        let wish = Wish { title, ..wish };
        let panel = self.pen.panel(members, wish);
        self.drafts.push(Draft { place: place.clone(), panel });
    }

    /// The title, or the title with the table, or with the first free number.
    fn free(&mut self, title: String, members: &[Member<'_>]) -> String {
        let table = members.first().map_or("", |member| member.column.table.0.as_str());
        let with_table = (!title.contains(table)).then(|| format!("{title}, {table}"));
        let numbered = (2_u32..).map(|number| format!("{title} ({number})"));
        let candidates = std::iter::once(title.clone()).chain(numbered);
        let is_continued = self.drafts.last().is_some_and(|last| last.panel.title.starts_with(&title));
        let chosen = match with_table.filter(|_| !is_continued && self.titles.contains(&title)) {
            Some(with_table) if !self.titles.contains(&with_table) => with_table,
            _ => candidates.into_iter().find(|candidate| !self.titles.contains(candidate)).unwrap_or(title),
        };
        self.titles.insert(chosen.clone());
        chosen
    }
}

/// From the top of the tower to the deepest sensor, then by part, sensor and series; columns without a level come last.
fn order(member: &Member<'_>) -> impl Ord + use<> {
    let level = member.level();
    (
        level.is_none(),
        std::cmp::Reverse(level),
        member.column.kind.as_ref().map_or(0, super::quantity::Quantity::part_rank),
        member.column.sensor.clone(),
        tags(member),
    )
}

/// Sensors that each measure at several levels, where several sensors share levels: soil stations, masts.
fn stations(members: &[Member<'_>]) -> Vec<String> {
    let mut ladders: BTreeMap<&str, BTreeSet<Key>> = BTreeMap::new();
    for member in members {
        if let (Some(sensor), Some(level)) = (&member.column.sensor, member.level()) {
            ladders.entry(sensor).or_default().insert(level);
        }
    }
    ladders.retain(|_, levels| levels.len() > 1);
    // Sensors of one kind at different heights of a tower form one profile; stations repeat each other's levels.
    let repeats = |name: &str, own: &BTreeSet<Key>| {
        ladders.iter().any(|(other, levels)| *other != name && own.intersection(levels).count() > 1)
    };
    ladders.iter().filter(|(name, own)| repeats(name, own)).map(|(name, _)| (*name).to_owned()).collect()
}

fn levels(members: &[Member<'_>]) -> BTreeSet<Key> {
    members.iter().filter_map(Member::level).collect()
}

fn parts(members: &[Member<'_>]) -> usize {
    members.iter().map(Member::part).collect::<BTreeSet<_>>().len()
}

/// The quantity, with the property in which its columns differ.
fn titled(name: &str, members: &[Member<'_>]) -> String {
    let sensors: BTreeSet<Option<&str>> = members.iter().map(|member| member.column.sensor.as_deref()).collect();
    let series: BTreeSet<String> = members.iter().map(tags).collect();
    let levels = levels(members);
    if parts(members) > 1 {
        return name.to_owned();
    }
    if levels.len() > 1 {
        return match (levels.iter().any(|key| key.1), levels.iter().any(|key| !key.1)) {
            (true, false) => format!("{name} by height"),
            (false, true) => format!("{name} by depth"),
            _ => format!("{name} by level"),
        };
    }
    if series.len() > 1 {
        let keys: BTreeSet<&str> = members.iter().flat_map(|member| member.tags).map(|(key, _)| key.as_str()).collect();
        return format!("{name} by {}", keys.into_iter().collect::<Vec<_>>().join(" and "));
    }
    if sensors.len() > 1 { format!("{name} by sensor") } else { name.to_owned() }
}
