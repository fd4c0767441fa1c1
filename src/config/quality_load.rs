//! Turns the test groups of the file into the settings that [`crate::qc`] reads.
//!
//! Each single value is checked here by its [`Kind`]; the test itself checks combinations of values.

use std::path::Path;

use toml::Spanned;

use super::column::bounds;
use super::file::{ColumnSection, Numbers};
use super::load::one_of;
use super::place::Section;
use super::quality_file::{GroupSection, GuardSection, Number, Written};
use super::{ConfigError, value};
use crate::ameriflux::Instrument;
use crate::qc::{ColumnSettings, Diagnostic, Entry, Group, Key, Kind, Problem, RangeGuard, Setting, TableSettings};
use crate::text::any_of;
use crate::time::LocalTime;

/// Reads the tests of a column.
pub(super) fn column_settings(
    at: &Section<'_>,
    found: &[GroupSection],
    folder: &Path,
) -> Result<ColumnSettings, ConfigError> {
    let mut settings = ColumnSettings::default();
    for section in found {
        settings.set(&group(at, section, section.name, folder)?).map_err(|problem| error(at, &problem))?;
    }
    Ok(settings)
}

/// Reads the tests of a table's rows.
pub(super) fn table_settings(
    at: &Section<'_>,
    found: &[GroupSection],
    folder: &Path,
) -> Result<TableSettings, ConfigError> {
    let mut settings = TableSettings::default();
    for section in found {
        settings.set(&group(at, section, section.name, folder)?).map_err(|problem| error(at, &problem))?;
    }
    Ok(settings)
}

pub(super) fn error(at: &Section<'_>, problem: &Problem) -> ConfigError {
    at.wrong(&problem.place, &problem.message)
}

/// Reads a group whose values have the kinds of their keys. `name` is the group's key after those of the enclosing
/// groups.
fn group(at: &Section<'_>, found: &GroupSection, name: &str, folder: &Path) -> Result<Group, ConfigError> {
    let mut settings = Vec::with_capacity(found.settings.len());
    for (key, written) in &found.settings {
        let setting = setting(at, key, &format!("{name}: {}", key.name), written, folder)?;
        settings.push(Entry { key: key.name, place: written.place(), setting });
    }
    Ok(Group { name: name.to_owned(), place: found.place.clone(), settings })
}

/// Reads a value of the kind of its key. `label` is the key after those of its groups.
fn setting(at: &Section<'_>, key: &Key, label: &str, written: &Written, folder: &Path) -> Result<Setting, ConfigError> {
    let example = key.example;
    let setting = match (&key.kind, written) {
        (Kind::Positive, Written::Number(found)) => Setting::Number(positive(at, label, found)?),
        (Kind::Bounds, Written::Numbers(found)) => {
            // What is usual for a direction may run through north.
            let (low, high) = bounds(at, label, found, label.contains("bands"))?;
            Setting::Bounds(low, high)
        }
        (Kind::Span, Written::Text(found)) => Setting::Span(at.read_one(label, found, value::some_time)?),
        (Kind::Word(allowed), Written::Text(found)) => {
            let allowed: Vec<(&str, &'static str)> = allowed.iter().map(|word| (*word, *word)).collect();
            Setting::Word(at.read_one(label, found, |text| one_of(text, &allowed))?)
        }
        (Kind::Count { least, most, why }, Written::Whole(found)) => {
            let bounds = u64::from(*least)..=u64::from(*most);
            let count = at.number(label, &Some(found.clone()), bounds, why)?;
            Setting::Count(count.and_then(|count| u32::try_from(count).ok()).unwrap_or(*most))
        }
        (Kind::Text, Written::Text(found)) => Setting::Text(at.read_one(label, found, value::plain_text)?),
        (Kind::Path, Written::Text(found)) => {
            let path = at.read_one(label, found, value::path_text)?;
            Setting::Path { path: value::join(folder, &path), text: path }
        }
        (Kind::Names, Written::Texts(found)) => match found.get_ref().as_slice() {
            [low, high] => Setting::Names(low.get_ref().clone(), high.get_ref().clone()),
            _ => {
                let problem = format!(
                    "{label} takes two column names of the file, the lower and the upper bound; write for example {example}"
                );
                return Err(at.wrong(&found.span(), problem));
            }
        },
        (Kind::Whole { least, most }, Written::Wholes(found)) => {
            let within = |number: &i64| u16::try_from(*number).ok().filter(|number| (*least..=*most).contains(number));
            match found.get_ref().iter().map(within).collect::<Vec<_>>()[..] {
                [Some(first), Some(last)] => Setting::Whole(first, last),
                _ => {
                    let problem = format!(
                        "{label} takes the first and the last, each {least} to {most}; write for example {} = [{least}, \
                         {most}]",
                        key.name
                    );
                    return Err(at.wrong(&found.span(), problem));
                }
            }
        }
        (Kind::Instants, Written::Texts(found)) => {
            let read = |text: &Spanned<String>| {
                let text = text.get_ref();
                LocalTime::parse(text.as_bytes()).or_else(|| LocalTime::parse_with(text, "%Y-%m-%d"))
            };
            match found.get_ref().iter().map(read).collect::<Vec<_>>()[..] {
                [Some(first), Some(last)] if first <= last => Setting::Instants(first, last),
                _ => {
                    let problem = format!("{label} takes the first and the last instant; write for example {example}");
                    return Err(at.wrong(&found.span(), problem));
                }
            }
        }
        (Kind::Groups(_), Written::Groups(found, _)) => {
            let groups = found.iter().map(|inner| group(at, inner, label, folder));
            Setting::Groups(groups.collect::<Result<_, _>>()?)
        }
        // `quality_file` parses each key by its kind, so this is not reached with a correct list of keys.
        (_, other) => return Err(at.wrong(&other.place(), format!("{label} is of another kind; write {example}"))),
    };
    Ok(setting)
}

fn positive(at: &Section<'_>, label: &str, found: &Spanned<f64>) -> Result<f64, ConfigError> {
    let number = *found.get_ref();
    if number.is_finite() && number > 0.0 {
        return Ok(number);
    }
    Err(at.wrong(&found.span(), format!("{label} = {number} is no limit; write a number above 0, or leave it out")))
}

/// Reads a group of `[[pair]]` with numbers, for [`crate::qc::Measure::difference`].
pub(super) fn numbers_group(
    at: &Section<'_>,
    name: &'static str,
    place: std::ops::Range<usize>,
    keys: [(&'static str, &Number); 2],
) -> Result<Group, ConfigError> {
    let mut settings = Vec::new();
    for (key, found) in keys {
        if let Some(found) = found {
            let number = positive(at, &format!("{name}: {key}"), found)?;
            settings.push(Entry { key, place: found.span(), setting: Setting::Number(number) });
        }
    }
    Ok(Group { name: name.to_owned(), place, settings })
}

/// Reads a group of `[[pair]]` with bounds, for [`crate::qc::Measure::ratio`].
pub(super) fn bounds_group(
    at: &Section<'_>,
    name: &'static str,
    place: std::ops::Range<usize>,
    keys: [(&'static str, &Numbers); 2],
) -> Result<Group, ConfigError> {
    let mut settings = Vec::new();
    for (key, found) in keys {
        if let Some(found) = found {
            let (low, high) = bounds(at, &format!("{name}: {key}"), found, false)?;
            settings.push(Entry { key, place: found.span(), setting: Setting::Bounds(low, high) });
        }
    }
    Ok(Group { name: name.to_owned(), place, settings })
}

/// Reads the keys `diagnostic` and `governs` of a column.
pub(super) fn diagnostic(at: &Section<'_>, found: &ColumnSection) -> Result<Option<Diagnostic>, ConfigError> {
    let instrument = at.read("diagnostic", &found.diagnostic, |text| {
        Instrument::from_name(text).ok_or_else(|| {
            format!("is no instrument known here; write {}", any_of(&Instrument::names().collect::<Vec<_>>()))
        })
    })?;
    match (instrument, &found.governs) {
        (None, None) => Ok(None),
        (Some(instrument), Some(governs)) if !governs.get_ref().is_empty() => {
            let governs = governed(at, governs)?;
            Ok(Some(Diagnostic { instrument, governs }))
        }
        (Some(_), governs) => {
            let problem = "governs is missing beside diagnostic: the columns that fail when the instrument reports a fault; \
                           write for example governs = [\"Ux\", \"Uy\", \"Uz\", \"Ts\"]";
            Err(governs.as_ref().map_or_else(|| at.lacks(problem), |governs| at.wrong(&governs.span(), problem)))
        }
        (None, Some(governs)) => {
            Err(at.wrong(&governs.span(), "governs belongs to diagnostic; write diagnostic = \"csat3\" beside it"))
        }
    }
}

/// Reads the columns that a diagnostic word or a guard governs.
fn governed(at: &Section<'_>, found: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<String>, ConfigError> {
    let names = found.get_ref();
    if let Some(empty) = names.iter().find(|name| name.get_ref().trim().is_empty()) {
        let problem = "governs holds an empty name; write the columns' names as the file has them";
        return Err(at.wrong(&empty.span(), problem));
    }
    Ok(names.iter().map(|name| name.get_ref().clone()).collect())
}

/// Reads the key `guards` of a column.
pub(super) fn guards(at: &Section<'_>, found: &[Spanned<GuardSection>]) -> Result<Vec<RangeGuard>, ConfigError> {
    let read = |guard: &Spanned<GuardSection>| {
        let inner = guard.get_ref();
        let Some(governs) = inner.governs.as_ref().filter(|governs| !governs.get_ref().is_empty()) else {
            let problem = "guards lacks governs: the columns that are flagged when the number is out of its bounds; \
                           write for example governs = [\"CO2\", \"FC\"]";
            return Err(at.wrong(&guard.span(), problem));
        };
        let keys = [("suspect", &inner.suspect), ("fail", &inner.fail)];
        let group = bounds_group(at, "guards", guard.span(), keys)?;
        RangeGuard::read(&group, governed(at, governs)?).map_err(|problem| error(at, &problem))
    };
    found.iter().map(read).collect()
}
