//! Configures a table that is made of another table's rows, based on the configuration of the other table.
//!
//! From here on it is a table like any other, so that sending, reading back, status, page, export and dashboard need
//! not know how its rows are made. It follows directly after its source in the list of tables. Its columns inherit what
//! the source's columns are. Tests of single values and of neighbours were applied to the samples, so only the range is
//! tested on the made values.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use toml::Spanned;

use super::file::TableSection;
use super::place::{Section, Source};
use super::{
    After, ColumnConfig, ColumnUse, ConfigError, FileFormat, MadeOf, OnConflict, SharedStamps, TableConfig,
    TurbulenceConfig, value,
};
use crate::qc::{Sentinels, TableName, TableSettings};
use crate::quantity::{Kind, Quick, coverage_of, samples_of};
use crate::time::LoggerClock;

/// The permitted lengths of a window. Each divides an hour and is a multiple of five minutes, so that windows end on
/// full minutes of station time whatever its offset from UTC.
const WIDTHS: [(&str, u64); 7] =
    [("5m", 300), ("10m", 600), ("15m", 900), ("20m", 1_200), ("30m", 1_800), ("60m", 3_600), ("1h", 3_600)];

/// The window of `turbulence` without `aggregate`: the usual averaging time of eddy covariance.
const HALF_HOUR: &str = "30m";

/// The table that is made of the rows of `of`; None if neither `aggregate` nor `turbulence` is given.
pub(super) fn table(
    at: &Section<'_>,
    found: &TableSection,
    of: &TableConfig,
) -> Result<Option<TableConfig>, ConfigError> {
    use TableSection as Keys;
    let text = match (&found.aggregate, &found.turbulence) {
        (Some(text), _) => text.get_ref().as_str(),
        (None, Some(_)) => HALF_HOUR,
        (None, None) => {
            let of_aggregate = [Keys::aggregate_bucket, Keys::aggregate_suspects, Keys::turbulence_pressure];
            let problem = "belongs to aggregate; write for example aggregate = \"30m\" beside it, or take it out";
            let is_one = |key: &str| of_aggregate.iter().any(|one| one.name == key);
            return at.refuse(&found.given(), is_one, problem).map(|()| None);
        }
    };
    let every = match at.read(Keys::aggregate, &found.aggregate, width)? {
        Some(every) => every,
        None => width(HALF_HOUR).map_err(|problem| at.lacks(problem))?,
    };
    let turbulence = turbulence(at, found, of)?;
    let bucket = at.read(Keys::aggregate_bucket, &found.aggregate_bucket, value::plain_text)?;
    Ok(Some(TableConfig {
        name: TableName(format!("{}_{text}", of.name)),
        files: Vec::new(),
        format: FileFormat::Logger(None),
        after: After::Keep,
        closed_after: of.closed_after,
        logger_table: None,
        measurement: format!("{}_{text}", of.measurement),
        bucket: bucket.or_else(|| of.bucket.clone()),
        // The rows from which it is made have their true times already.
        stamps: LoggerClock::from(of.clock),
        on_conflict: OnConflict::Replace,
        samples: SharedStamps::Never,
        sentinels: Sentinels::default(),
        stale_after: of.stale_after.map(|limit| limit + 2 * every),
        quality: TableSettings::default(),
        columns: columns(of, turbulence.as_ref()),
        made_of: Some(MadeOf {
            table: of.name.clone(),
            every,
            suspects: at.is_set(&Keys::aggregate_suspects, &found.aggregate_suspects),
            turbulence,
        }),
        ..of.clone()
    }))
}

impl TurbulenceConfig {
    /// The columns that the quick look makes, by name.
    pub fn values(&self) -> Vec<(String, Quick)> {
        let gases: Vec<&str> = self.gases.iter().map(String::as_str).collect();
        let all = Quick::all(gases.len(), self.pressure.is_some());
        all.into_iter().map(|quick| (quick.name(&gases), quick)).collect()
    }
}

fn width(text: &str) -> Result<Duration, String> {
    let known = WIDTHS.iter().find(|(known, _)| *known == text);
    known.map(|(_, seconds)| Duration::from_secs(*seconds)).ok_or_else(|| {
        "is no window that divides an hour into full five minutes; write \"30m\", or \"5m\", \"10m\", \"15m\", \"20m\" or \"1h\""
            .to_owned()
    })
}

/// Reads the columns of a sonic anemometer, which must be given in this order.
fn turbulence(
    at: &Section<'_>,
    found: &TableSection,
    of: &TableConfig,
) -> Result<Option<TurbulenceConfig>, ConfigError> {
    use TableSection as Keys;
    let Some(columns) = &found.turbulence else {
        let problem = "belongs to turbulence; write that too, or take it out";
        let of_turbulence = Keys::turbulence_pressure.name;
        return at.refuse(&found.given(), |key| key == of_turbulence, problem).map(|()| None);
    };
    let names: Vec<String> = columns.get_ref().iter().map(|name| name.get_ref().clone()).collect();
    let fix = "write the sonic's columns, such as turbulence = [\"Ux\", \"Uy\", \"Uz\", \"Ts\"], and densities of gases behind";
    let [u, v, w, ts, gases @ ..] = names.as_slice() else {
        return Err(at.wrong(&columns.span(), format!("turbulence has too few columns; {fix}")));
    };
    for (place, name) in names.iter().enumerate() {
        let is_field = of.columns.get(name).is_none_or(|column| column.column_use == ColumnUse::Field);
        if name.is_empty() || names[..place].contains(name) || !is_field {
            let problem = format!("turbulence: \"{name}\" stands twice, or is no column with numbers; {fix}");
            return Err(at.wrong(&columns.get_ref()[place].span(), problem));
        }
    }
    let pressure = match &found.turbulence_pressure {
        Some(value) if !(40.0..=110.0).contains(value.get_ref()) => {
            let problem = format!(
                "turbulence_pressure = {} is no air pressure in kPa; write for example turbulence_pressure = 98.0",
                value.get_ref()
            );
            return Err(at.wrong(&value.span(), problem));
        }
        value => value.as_ref().map(|value| *value.get_ref()),
    };
    let wind = [u, v, w, ts].map(Clone::clone);
    Ok(Some(TurbulenceConfig { wind, gases: gases.to_vec(), pressure }))
}

fn columns(of: &TableConfig, turbulence: Option<&TurbulenceConfig>) -> BTreeMap<String, ColumnConfig> {
    let mut columns = BTreeMap::new();
    for (name, quick) in turbulence.into_iter().flat_map(TurbulenceConfig::values) {
        let kind = if quick == Quick::Direction { Kind::Direction } else { Kind::Linear };
        let quantity = Some(quick.notes().to_owned());
        columns.insert(name, ColumnConfig { kind: Some(kind), quantity, ..ColumnConfig::default() });
    }
    for (name, own) in &of.columns {
        if own.column_use == ColumnUse::Field
            && let Some(field) = &own.field
        {
            for of_name in [samples_of, coverage_of] {
                let beside = ColumnConfig { field: Some(of_name(field)), ..ColumnConfig::default() };
                columns.insert(of_name(name), beside);
            }
        }
        columns.insert(name.clone(), column(own));
    }
    columns
}

/// The part of a column's configuration that also applies to values made of many.
fn column(own: &ColumnConfig) -> ColumnConfig {
    if own.column_use == ColumnUse::Tag {
        return own.clone();
    }
    let kind = match (own.kind, &own.diagnostic) {
        (Some(Kind::Counter), _) => Some(Kind::Total),
        (None, Some(_)) => Some(Kind::Code),
        (kind, _) => kind,
    };
    ColumnConfig {
        column_use: own.column_use,
        field: own.field.clone(),
        variable: own.variable.clone(),
        range: own.range,
        limits: own.limits,
        kind,
        unit: own.unit.clone(),
        withhold: own.withhold,
        quantity: own.quantity.clone(),
        level: own.level.clone(),
        sensor: own.sensor.clone(),
        value_type: match own.value_type {
            super::ValueType::Text => super::ValueType::Text,
            _ => super::ValueType::Float,
        },
        ..ColumnConfig::default()
    }
}

/// Refuses a made table whose name the configuration gives to another table.
pub(super) fn names_are_unique(
    source: &Source<'_>,
    found: &[Spanned<TableSection>],
    tables: &[TableConfig],
) -> Result<(), ConfigError> {
    let mut known: HashMap<String, &TableConfig> = HashMap::new();
    for table in tables {
        let other = known.insert(table.name.0.to_lowercase(), table);
        let Some(made) = other.and_then(|other| [other, table].into_iter().find_map(|one| one.made_of.as_ref())) else {
            continue;
        };
        let section = found
            .iter()
            .find(|section| section.get_ref().name.as_ref().is_some_and(|name| *name.get_ref() == made.table.0));
        let at = section.map(|section| section.span().start);
        let problem = format!(
            "aggregate makes a table \"{}\", and another table has that name; give one of the two tables another name",
            table.name
        );
        return Err(Section::new(source, format!("[[table]] \"{}\"", made.table), at).lacks(problem));
    }
    Ok(())
}
