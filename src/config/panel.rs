//! `[[panel]]`: panels that replace or change the generated ones.

use std::ops::Range;
use std::time::Duration;

use toml::Spanned;

use super::file::{Given, Numbers, PanelSection, Texts};
use super::load::one_of;
use super::place::{Section, Source, visible};
use super::{ColumnAt, ColumnUse, ConfigError, FileFormat, TableConfig, value};
use crate::text::{any_of, look_alikes};

/// A panel that the configuration describes.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelConfig {
    /// The title. It is unique; a generated panel with the same title is replaced by this one.
    pub title: String,
    /// The row of panels in which it is shown; None is the row of its first column.
    pub row: Option<String>,
    /// How it is drawn.
    pub kind: PanelKind,
    /// The columns: at least one, exactly two for a scatter (horizontal first). Empty if the panel is hidden.
    pub columns: Vec<ColumnAt>,
    /// Columns that are drawn on the right axis.
    pub right: Vec<ColumnAt>,
    /// One label for each of `columns`, then one for each of `right`; None takes them from levels and sensors.
    pub labels: Option<Vec<String>>,
    /// The unit of the left axis; None takes that of the columns.
    pub unit: Option<String>,
    /// Fixed ends of the left axis.
    pub bounds: Option<(f64, f64)>,
    /// Fixed ends of the right axis.
    pub right_bounds: Option<(f64, f64)>,
    /// Draws means over this time instead of single values.
    pub mean: Option<Duration>,
    /// What is drawn and where the data comes from.
    pub description: Option<String>,
    /// Whether no panel is drawn under this title.
    pub hide: bool,
}

/// How a panel is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PanelKind {
    /// Values over time.
    Lines,
    /// One column against another.
    Scatter,
    /// Values over height or depth, one line per time.
    Profile,
    /// The newest value, in large print.
    Latest,
}

/// The advice on how to name a column in a panel.
const EXAMPLE: &str = "write table and column, such as columns = [\"46m_temprh/AirTemp_Avg\"]";

/// Reads all panels, in the order of the file.
pub(super) fn panels(
    source: &Source<'_>,
    found: &[Spanned<PanelSection>],
    tables: &[TableConfig],
) -> Result<Vec<PanelConfig>, ConfigError> {
    let mut panels: Vec<PanelConfig> = Vec::with_capacity(found.len());
    for section in found {
        let title = section.get_ref().title.as_ref().map(|title| format!("[[panel]] \"{}\"", visible(title.get_ref())));
        let at = Section::new(source, title.as_deref().unwrap_or("[[panel]]"), Some(section.span().start));
        let panel = panel(&at, section.get_ref(), tables)?;
        if panels.iter().any(|known| known.title == panel.title) {
            return Err(at.lacks("title stands twice; give every panel its own"));
        }
        panels.push(panel);
    }
    Ok(panels)
}

fn panel(at: &Section<'_>, found: &PanelSection, tables: &[TableConfig]) -> Result<PanelConfig, ConfigError> {
    let title = at.read(PanelSection::title, &found.title, value::plain_text)?;
    let title = title.ok_or_else(|| at.lacks("title is missing; write for example title = \"CO2 by height\""))?;
    let hide = found.hide.as_ref().is_some_and(|hide| *hide.get_ref());
    if let (true, Some(hide)) = (hide, &found.hide) {
        nothing_is_drawn(at, found, &hide.span())?;
    }
    let kinds = [
        ("lines", PanelKind::Lines),
        ("scatter", PanelKind::Scatter),
        ("profile", PanelKind::Profile),
        ("latest", PanelKind::Latest),
    ];
    let kind = at.read_or_default(&PanelSection::kind, &found.kind, |text| one_of(text, &kinds))?;
    let columns = columns(at, "columns", &found.columns, tables)?;
    let right = self::columns(at, "right", &found.right, tables)?;
    if columns.is_empty() && !hide {
        return Err(at.lacks(format!("columns is missing; {EXAMPLE}, or hide = true")));
    }
    if let (Some(place), PanelKind::Scatter, false) = (&found.columns, kind, columns.len() == 2) {
        let problem = "columns of a scatter are two: the horizontal one, then the vertical one";
        return Err(at.wrong(&place.span(), format!("{problem}; write two, or another kind")));
    }
    if let (Some(place), false) = (&found.right, kind == PanelKind::Lines) {
        return Err(at.wrong(&place.span(), "right belongs to kind = \"lines\"; write its columns in columns"));
    }
    if let (Some(place), None) = (&found.right_bounds, &found.right) {
        return Err(at.wrong(&place.span(), "right_bounds belongs to right; take it out, or write right = [...]"));
    }
    if let Some(twice) = right.iter().find(|column| columns.contains(column)) {
        let place = found.right.as_ref().map_or(0..0, Spanned::span);
        let name = format!("{}/{}", twice.table, twice.column);
        return Err(at.wrong(&place, format!("right: \"{name}\" stands in columns too; write it in one of them")));
    }
    Ok(PanelConfig {
        title,
        row: at.read(PanelSection::row, &found.row, value::plain_text)?,
        kind,
        labels: labels(at, &found.labels, columns.len() + right.len())?,
        columns,
        right,
        unit: at.read(PanelSection::unit, &found.unit, value::plain_text)?,
        bounds: ends(at, "bounds", &found.bounds)?,
        right_bounds: ends(at, "right_bounds", &found.right_bounds)?,
        mean: at.read(PanelSection::mean, &found.mean, value::some_time)?,
        description: at.read(PanelSection::description, &found.description, value::plain_text)?,
        hide,
    })
}

/// Refuses other keys beside `hide`, because nothing is drawn.
fn nothing_is_drawn(at: &Section<'_>, found: &PanelSection, hide: &Range<usize>) -> Result<(), ConfigError> {
    let of_hide = [PanelSection::title.name, PanelSection::hide.name];
    match found.given().iter().find(|given| !of_hide.contains(&given.key)) {
        Some(Given { key, .. }) => {
            let problem = format!("hide = true draws nothing, and {key} stands beside it; keep one of them");
            Err(at.wrong(hide, problem))
        }
        None => Ok(()),
    }
}

fn columns(at: &Section<'_>, key: &str, found: &Texts, tables: &[TableConfig]) -> Result<Vec<ColumnAt>, ConfigError> {
    let Some(found) = found else { return Ok(Vec::new()) };
    if found.get_ref().is_empty() {
        return Err(at.wrong(&found.span(), format!("{key} is empty; {EXAMPLE}")));
    }
    let mut columns: Vec<ColumnAt> = Vec::new();
    for text in found.get_ref() {
        let wrong = |problem| at.wrong(&text.span(), format!("{key}: \"{}\" {problem}", visible(text.get_ref())));
        let column = column(text.get_ref(), tables).map_err(wrong)?;
        if columns.contains(&column) {
            return Err(wrong("stands twice; write it once".to_owned()));
        }
        columns.push(column);
    }
    Ok(columns)
}

/// A TOA5 file may have any column name, so only columns that the configuration excludes are refused.
fn column(text: &str, tables: &[TableConfig]) -> Result<ColumnAt, String> {
    let names = || tables.iter().map(|table| table.name.0.as_str());
    // A table's name contains no slash, but a column's name may.
    let Some((table, name)) = text.split_once('/').filter(|(_, name)| !name.trim().is_empty()) else {
        return Err(format!("is not a table and a column; {EXAMPLE}"));
    };
    let Some(table) = tables.iter().find(|known| known.name.0 == table) else {
        let alike = look_alikes(table, names());
        let fix = if alike.is_empty() { any_of(&names().collect::<Vec<_>>()) } else { any_of(&alike) };
        return Err(format!("begins with no [[table]]; write {fix} before the slash"));
    };
    match table.columns.get(name).map(|column| column.column_use) {
        Some(ColumnUse::Tag) => return Err("is a tag, which is text; write a column of numbers".to_owned()),
        Some(ColumnUse::Ignore) => {
            return Err("has use = \"ignore\", so that it is not sent and no dashboard can show it; take it out, or \
                 take out the use"
                .to_owned());
        }
        Some(ColumnUse::Field) | None => {}
    }
    if let FileFormat::Csv(csv) = &table.format
        && csv.names.is_some()
        && csv.long.is_none()
        && !table.columns.contains_key(name)
    {
        let known: Vec<&str> = csv.known_values().map(String::as_str).collect();
        if !known.contains(&name) {
            let alike = look_alikes(name, known.iter().copied());
            let fix = any_of(if alike.is_empty() { &known } else { &alike });
            return Err(format!("is no column of numbers of table \"{}\"; write {fix} behind the slash", table.name));
        }
    }
    Ok(ColumnAt { table: table.name.clone(), column: name.to_owned() })
}

fn labels(at: &Section<'_>, found: &Texts, count: usize) -> Result<Option<Vec<String>>, ConfigError> {
    let Some(found) = found else { return Ok(None) };
    let mut labels: Vec<String> = Vec::new();
    for text in found.get_ref() {
        let wrong = |problem| at.wrong(&text.span(), format!("labels: \"{}\" {problem}", visible(text.get_ref())));
        let label = value::plain_text(text.get_ref()).map_err(wrong)?;
        if labels.contains(&label) {
            return Err(wrong("stands twice; give every column its own".to_owned()));
        }
        labels.push(label);
    }
    if labels.len() == count {
        return Ok(Some(labels));
    }
    Err(at.wrong(
        &found.span(),
        format!(
            "labels holds {} of {count}; write one for each of columns, then one for each of right, or take the key out",
            labels.len()
        ),
    ))
}

/// Like [`super::column::bounds`], but both ends of an axis must be finite.
fn ends(at: &Section<'_>, key: &str, found: &Numbers) -> Result<Option<(f64, f64)>, ConfigError> {
    let Some(found) = found else { return Ok(None) };
    match found.get_ref()[..] {
        [low, high] if low < high && low.is_finite() && high.is_finite() => Ok(Some((low, high))),
        [low, high] if low > high => {
            Err(at
                .wrong(&found.span(), format!("{key} = [{low}, {high}] is upside down; write {key} = [{high}, {low}]")))
        }
        _ => Err(at.wrong(
            &found.span(),
            format!(
                "{key} takes two numbers, the lower and the upper end of the axis; write for example {key} = [375, 425]"
            ),
        )),
    }
}
