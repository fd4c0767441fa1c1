//! The checks of `[table.columns.NAME]`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use toml::Spanned;

use super::file::{ColumnSection, MissingValue, Numbers, Sentinel, TableSection};
use super::keys::Key;
use super::load::one_of;
use super::place::{Section, Source};
use super::quality_load::{column_settings, diagnostic, guards};
use super::shape::quoted;
use super::{ColumnConfig, ColumnUse, ConfigError, FileFormat, Formula, Level, ValueType, level, value};
use crate::ameriflux;
use crate::ameriflux::unit::{self, Fit};
use crate::ameriflux::{Range, Ranges};
use crate::qc::{ColumnSettings, Sentinels, measures_sunlight};
use crate::quantity::{CIRCLE, Facts, Kind, Process, Stated};
use crate::text::any_of;

/// The two columns of a TOA5 file that hold no values.
const TOA5_KEYS: [&str; 2] = ["TIMESTAMP", "RECORD"];

pub(super) fn sentinels(at: &Section<'_>, found: &Sentinel) -> Result<Option<Sentinels>, ConfigError> {
    let Some(found) = found else { return Ok(None) };
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    for value in found.get_ref() {
        match value {
            MissingValue::Number(number) if !number.is_finite() => {
                let problem =
                    "missing holds nan or inf, which are always missing; write only numbers such as -9999, and texts";
                return Err(at.wrong(&found.span(), problem));
            }
            MissingValue::Number(number) => numbers.push(*number),
            MissingValue::Text(text) => {
                // As pandas and R take it: the number -9999 is meant, however a file spells it.
                numbers.extend(text.trim().parse::<f64>().ok().filter(|number| number.is_finite()));
                texts.push(text.as_str());
            }
        }
    }
    Ok(Some(Sentinels::new(numbers, &texts)))
}

/// What the columns of a table inherit from the table and the configuration.
pub(super) struct OfTable<'a> {
    /// The folder of the configuration file.
    pub folder: &'a Path,
    pub format: &'a FileFormat,
    /// The level of columns that have none of their own.
    pub level: Option<&'a Level>,
    /// The sensor of columns that have none of their own.
    pub sensor: Option<&'a str>,
}

/// Reads all columns of a table that the file configures.
pub(super) fn columns(
    source: &Source<'_>,
    table: &Section<'_>,
    found: &TableSection,
    of_table: &OfTable<'_>,
) -> Result<BTreeMap<String, ColumnConfig>, ConfigError> {
    let OfTable { folder, format, level, sensor } = *of_table;
    let withhold = table.is_set(&TableSection::withhold, &found.withhold);
    let mut columns = BTreeMap::new();
    for (name, section) in &found.columns {
        let at = Section::new(source, format!("[table.columns.{}]", quoted(name)), Some(section.span().start));
        let keys: Vec<&str> = match format {
            FileFormat::Logger(_) => TOA5_KEYS.to_vec(),
            FileFormat::Csv(csv) => {
                let is_derived = section.get_ref().formula.is_some();
                let is_named = csv.may_have(name);
                if is_derived && csv.known_names().contains(name) {
                    return Err(at.lacks("has a formula, and stands in names; give the derived column another name"));
                }
                if !is_derived && !is_named {
                    let known: Vec<&str> = csv.known_names().iter().map(String::as_str).collect();
                    return Err(at.lacks(format!("is not in the names of its table; write {}", any_of(&known))));
                }
                csv.time_columns.iter().chain(&csv.record_column).map(String::as_str).collect()
            }
        };
        if keys.contains(&name.as_str()) {
            return Err(at.lacks("is the time or the record number, which is no value; take the section out"));
        }
        let mut column = column(&at, name, section.get_ref(), folder)?;
        column.withhold = section.get_ref().withhold.as_ref().map_or(withhold, |own| *own.get_ref());
        column.level = column.level.or_else(|| level.cloned());
        column.sensor = column.sensor.or_else(|| sensor.map(str::to_owned));
        columns.insert(name.clone(), column);
    }
    for (name, section) in &found.columns {
        inputs_are_raw(source, name, section, &columns, format)?;
    }
    if let (FileFormat::Csv(csv), Some(names)) = (format, &found.names) {
        let is_field =
            |name: &String| columns.get(name).is_none_or(|column: &ColumnConfig| column.column_use == ColumnUse::Field);
        if csv.long.is_none() && !csv.known_values().any(is_field) {
            return Err(table.wrong(
                &names.span(),
                "names holds no field beside time, record number, tags and ignored columns, so that there would be \
                 nothing to send; write every column of the file",
            ));
        }
    }
    Ok(columns)
}

/// Refuses a formula that reads a derived column: a chain of formulas would need an order, and would hide from which
/// values a result is computed.
fn inputs_are_raw(
    source: &Source<'_>,
    name: &str,
    section: &Spanned<ColumnSection>,
    columns: &BTreeMap<String, ColumnConfig>,
    format: &FileFormat,
) -> Result<(), ConfigError> {
    let Some(formula) = columns.get(name).and_then(|column| column.formula.as_ref()) else { return Ok(()) };
    let at = Section::new(source, format!("[table.columns.{}]", quoted(name)), Some(section.span().start));
    let span = section.get_ref().formula.as_ref().map_or(0..0, Spanned::span);
    for input in formula.inputs() {
        if columns.get(input).is_some_and(|column| column.formula.is_some()) {
            let problem = format!("formula reads {input}, which is derived itself; write it in columns of the file");
            return Err(at.wrong(&span, problem));
        }
        if let FileFormat::Csv(csv) = format
            && !csv.may_have(input)
        {
            let known: Vec<&str> = csv.known_names().iter().map(String::as_str).collect();
            return Err(
                at.wrong(&span, format!("formula reads {input}, which is not in names; write {}", any_of(&known)))
            );
        }
    }
    Ok(())
}

fn column(at: &Section<'_>, name: &str, found: &ColumnSection, folder: &Path) -> Result<ColumnConfig, ConfigError> {
    use ColumnSection as Keys;
    let uses = [("field", ColumnUse::Field), ("tag", ColumnUse::Tag), ("ignore", ColumnUse::Ignore)];
    let column_use = at.read_or_default(&Keys::column_use, &found.column_use, |text| one_of(text, &uses))?;
    let field = at.read(ColumnSection::field, &found.field, value::key)?;
    if field.is_none() && column_use != ColumnUse::Ignore {
        value::key(name).map_err(|problem| at.lacks(format!("{problem}, with field = \"...\"")))?;
    }
    if column_use == ColumnUse::Tag {
        let of_tags = [Keys::column_use.name, Keys::field.name];
        let problem = "does not fit use = \"tag\": a tag is text and has no flag; take it out, or the use";
        at.refuse(&found.given(), |key| !of_tags.contains(&key), problem)?;
    }
    let value_type = value_type(at, found)?;
    let variable = at.read(ColumnSection::variable, &found.variable, variable_name)?;
    let formula = at.read(ColumnSection::formula, &found.formula, Formula::parse)?;
    let kind = at.read(ColumnSection::kind, &found.kind, |text| one_of(text, Kind::names()))?;
    let (limits, range) = range(at, name, found, kind)?;
    let mut quality = quality(at, found, variable.as_deref(), folder)?;
    if let Some(flat_line) = &mut quality.flat_line {
        flat_line.is_quiet = variable.as_deref().and_then(ameriflux::lookup).is_some_and(ameriflux::Variable::is_quiet);
    }
    Ok(ColumnConfig {
        column_use,
        value_type,
        field,
        range,
        limits,
        sentinels: sentinels(at, &found.missing)?,
        unit: unit_of(at, found)?,
        interval: interval(at, found, formula.as_ref())?,
        formula,
        quality,
        variable,
        diagnostic: diagnostic(at, found)?,
        guards: guards(at, &found.guards)?,
        kind,
        quantity: at.read(ColumnSection::quantity, &found.quantity, value::plain_text)?,
        level: level::read(at, &found.height, &found.depth)?,
        sensor: at.read(ColumnSection::sensor, &found.sensor, value::plain_text)?,
        ..ColumnConfig::default()
    })
}

/// Reads the interval. Only the mean over an interval can be compared with what a logger averaged over it.
fn interval(
    at: &Section<'_>,
    found: &ColumnSection,
    formula: Option<&Formula>,
) -> Result<Option<Duration>, ConfigError> {
    let interval = at.read(ColumnSection::interval, &found.interval, value::some_time)?;
    match (&found.interval, formula.is_some_and(Formula::has_potential)) {
        (None, true) => Err(at.lacks(
            "formula reads SW_IN_POT, and interval is missing: the time from row to row, over which it is averaged; write \
             for example interval = \"30m\"",
        )),
        (Some(interval), false) => Err(at.wrong(
            &interval.span(),
            "interval belongs to a formula that reads SW_IN_POT; take it out, or write formula = \"SW_IN_POT\" beside it",
        )),
        _ => Ok(interval),
    }
}

/// Reads the tests of a column. The sun test must know what kind of light the column holds.
fn quality(
    at: &Section<'_>,
    found: &ColumnSection,
    variable: Option<&str>,
    folder: &Path,
) -> Result<ColumnSettings, ConfigError> {
    let settings = column_settings(at, &found.tests, folder)?;
    if settings.sun.is_some() && !measures_sunlight(variable) {
        let place = found.tests.iter().find(|test| test.name == "sun").map_or(0..0, |test| test.place.clone());
        let problem = "sun needs a variable that the sun lights; write variable = \"SW_IN\" or \"PPFD_IN\" beside it \
                       (or SW_OUT, SW_DIF, PPFD_OUT, PPFD_DIF), or take it out";
        return Err(at.wrong(&place, problem));
    }
    Ok(settings)
}

/// Reads the type of the values. A text has no range, and every test needs numbers.
fn value_type(at: &Section<'_>, found: &ColumnSection) -> Result<ValueType, ConfigError> {
    let types = [
        ("float", ValueType::Float),
        ("integer", ValueType::Integer),
        ("text", ValueType::Text),
        ("boolean", ValueType::Boolean),
    ];
    use ColumnSection as Keys;
    let value_type = at.read_or_default(&Keys::value_type, &found.value_type, |text| one_of(text, &types))?;
    let of_numbers = [Keys::variable, Keys::suspect, Keys::fail, Keys::formula].map(|key| key.name);
    if value_type == ValueType::Text {
        let problem = "does not fit type = \"text\": a text is no number and has no limits; take it out, or the type";
        at.refuse(&found.given(), |key| of_numbers.contains(&key), problem)?;
    }
    Ok(value_type)
}

/// Reads the unit. The header states the unit of what the logger wrote; only a derived column has no header.
fn unit_of(at: &Section<'_>, found: &ColumnSection) -> Result<Option<String>, ConfigError> {
    match (&found.unit, &found.formula) {
        (Some(unit), None) => Err(at.wrong(
            &unit.span(),
            "unit belongs to a derived column, beside formula; take it out: the unit of a measured column stands in the \
             file's header",
        )),
        _ => at.read(ColumnSection::unit, &found.unit, value::plain_text),
    }
}

fn variable_name(text: &str) -> Result<String, String> {
    if ameriflux::lookup(text).is_some() {
        return Ok(text.to_owned());
    }
    let near = ameriflux::near(text);
    let fix = if near.is_empty() {
        "for example \"TA\", \"RH\", \"SW_IN\" or \"TA_1_2_1\"".to_owned()
    } else {
        any_of(&near)
    };
    Err(format!("is not an AmeriFlux variable; write {fix}, or give the limits with suspect and fail"))
}

/// The limits that the user gives for a column, in the column's own unit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// Lower and upper bound of what is expected.
    pub suspect: Option<(f64, f64)>,
    /// Lower and upper bound of what is possible.
    pub fail: Option<(f64, f64)>,
}

impl Limits {
    /// The range: bounds that are given are used; the others come from the variable, and are fitted to the given ones.
    /// A narrower `fail` narrows `suspect`, because a value that fails is never only suspect.
    pub fn range(self, known: Option<Range>) -> Option<Range> {
        Some(match (self.suspect, self.fail, known) {
            (None, None, known) => return known,
            (Some(suspect), Some(fail), _) => Range { suspect, fail },
            (Some(suspect), None, Some(known)) => Range { suspect, fail: known.fail },
            (Some(suspect), None, None) => Range { suspect, fail: (f64::NEG_INFINITY, f64::INFINITY) },
            (None, Some(fail), Some(known)) => Range { suspect: narrowed(known.suspect, fail), fail },
            (None, Some(fail), None) => Range { suspect: fail, fail },
        })
    }
}

impl ColumnConfig {
    /// Whether the column counts up the quantity that the variable sums over an interval. Its readings are not values
    /// of the variable, so neither the variable's range nor its name in a file for AmeriFlux applies to them.
    pub fn is_counter(&self) -> bool {
        self.kind == Some(Kind::Counter)
    }

    /// The range test of a column with this unit and process in its header. The variable's bounds are those of scans or
    /// of means, depending on the process, converted into the column's unit, and left out if the unit does not fit the
    /// variable. Limits that the user gives are in the column's own unit and are not converted.
    pub fn range_in(&self, stated: &Stated<'_>) -> Option<Ranges> {
        match self.range_of_variable(stated) {
            Some(known) => Some(known.map(|range| self.limits.range(Some(range)).unwrap_or(range))),
            None => self.limits.range(None).map(Ranges::from),
        }
    }

    /// Like [`ColumnConfig::range_in`], without the limits that the user gives.
    pub fn range_of_variable(&self, stated: &Stated<'_>) -> Option<Ranges> {
        // The variable's range does not apply to the readings of a counter.
        let variable = self.variable.as_deref().filter(|_| !self.is_counter()).and_then(ameriflux::lookup)?;
        let is_scan = Process::of(stated.process).is_some_and(Process::is_scan);
        let known = variable.ranges(is_scan);
        match unit::fit(stated.unit, variable) {
            Fit::AsIs => Some(known),
            Fit::Converted(conversion) => Some(known.map(|range| conversion.back_range(range))),
            Fit::Unfit { .. } => None,
        }
    }

    /// Whether the range can depend on the time over which a value was measured, whatever the header states.
    pub fn needs_interval(&self) -> bool {
        let variable = self.variable.as_deref().and_then(ameriflux::lookup);
        let is_own = self.limits.suspect.is_some() && self.limits.fail.is_some();
        !is_own && variable.is_some_and(|variable| variable.ranges(false).depend_on_time())
    }
}

fn range(
    at: &Section<'_>,
    name: &str,
    found: &ColumnSection,
    kind: Option<Kind>,
) -> Result<(Limits, Option<Range>), ConfigError> {
    let variable = found.variable.as_ref().and_then(|name| ameriflux::lookup(name.get_ref()));
    // The readings of a counter are not values of the variable.
    let known = variable.filter(|_| kind != Some(Kind::Counter)).map(ameriflux::Variable::range);
    let named = found.variable.as_ref().map(|variable| variable.get_ref().as_str());
    let is_direction = Facts { configured: kind, variable: named, name, ..Facts::default() }.kind() == Kind::Direction;
    // Where neither key says the kind, the header may.
    let may_be_direction = is_direction || (kind.is_none() && named.is_none());
    let read = |key: &Key, found: &Numbers| {
        found.as_ref().map(|found| bounds(at, key.name, found, may_be_direction)).transpose()
    };
    let limits = Limits {
        suspect: read(&ColumnSection::suspect, &found.suspect)?,
        fail: read(&ColumnSection::fail, &found.fail)?,
    };
    let Some(range) = limits.range(known) else { return Ok((limits, None)) };
    if limits == Limits::default() {
        return Ok((limits, Some(range)));
    }
    let inside = lies_inside(range.suspect, range.fail) || (is_direction && lies_around(range.suspect, range.fail));
    match (&found.suspect, &found.fail) {
        (Some(place), _) if !inside => Err(at.wrong(
            &place.span(),
            format!(
                "suspect = {} does not lie inside fail = {}; narrow suspect, or write a wider fail",
                shown(range.suspect),
                shown(range.fail)
            ),
        )),
        (None, Some(place)) if range.suspect.0 > range.suspect.1 => Err(at.wrong(
            &place.span(),
            format!(
                "fail = {} leaves nothing of the range of {}; write suspect too, or another variable",
                shown(range.fail),
                found.variable.as_ref().map_or("", |name| name.get_ref())
            ),
        )),
        _ => Ok((limits, Some(range))),
    }
}

/// What is left of the usual bounds of a variable within others. The whole circle has no ends, so that an arc is left as it is.
fn narrowed(known: (f64, f64), own: (f64, f64)) -> (f64, f64) {
    if known == (0.0, CIRCLE) && own.1 - own.0 < CIRCLE { own } else { (known.0.max(own.0), known.1.min(own.1)) }
}

fn lies_inside(inner: (f64, f64), outer: (f64, f64)) -> bool {
    outer.0 <= inner.0 && inner.1 <= outer.1
}

/// The same of directions, whose arcs may run through north: [340, 380] lies inside [0, 360] and inside [-30, 30].
fn lies_around(inner: (f64, f64), outer: (f64, f64)) -> bool {
    let is_circle = outer.1 - outer.0 >= CIRCLE && lies_inside(inner, (-CIRCLE, 2.0 * CIRCLE));
    is_circle || [CIRCLE, -CIRCLE].iter().any(|turn| lies_inside((inner.0 + turn, inner.1 + turn), outer))
}

fn shown((low, high): (f64, f64)) -> String {
    format!("[{low}, {high}]")
}

/// Lower and upper bound; of a direction they may run through north.
pub(super) fn bounds(
    at: &Section<'_>,
    key: &str,
    found: &Spanned<Vec<f64>>,
    may_be_direction: bool,
) -> Result<(f64, f64), ConfigError> {
    let name = key.rsplit(": ").next().unwrap_or(key);
    match found.get_ref()[..] {
        [low, high] if low <= high => Ok((low, high)),
        [low, high] if low > high => {
            // The usual range of a direction may include north.
            let is_through_north = may_be_direction && low > 180.0 && low <= CIRCLE && (0.0..180.0).contains(&high);
            let write = if is_through_north {
                format!("write {name} = [{low}, {}] for a direction through north, or [{high}, {low}]", high + CIRCLE)
            } else {
                format!("write {name} = [{high}, {low}]")
            };
            Err(at.wrong(&found.span(), format!("{key} = [{low}, {high}] is upside down; {write}")))
        }
        _ => Err(at.wrong(
            &found.span(),
            format!(
                "{key} takes two numbers, the lower and the upper bound; write for example {name} = [-40, 45], \
                 with -inf or inf for no bound"
            ),
        )),
    }
}
