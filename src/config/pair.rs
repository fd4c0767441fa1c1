//! The checks of `[[pair]]`: two columns, of one table or of two, that should agree.

use std::time::Duration;

use toml::Spanned;

use super::file::Text;
use super::place::{Section, Source};
use super::quality_file::PairSection;
use super::quality_load::{bounds_group, error, numbers_group};
use super::{ColumnUse, ConfigError, FileFormat, TableConfig, TableName, value};
use crate::config::load::one_of;
use crate::qc::{ColumnAt, Guard, Measure, Pair, PairFlags};
use crate::text::any_of;

/// Reads all pairs, in the order of the file.
pub(super) fn pairs(
    source: &Source<'_>,
    found: &[Spanned<PairSection>],
    tables: &[TableConfig],
) -> Result<Vec<Pair>, ConfigError> {
    let mut pairs: Vec<Pair> = Vec::with_capacity(found.len());
    for section in found {
        let name = section.get_ref().name.as_ref().map(|name| format!("[[pair]] \"{}\"", name.get_ref()));
        let at = Section::new(source, name.as_deref().unwrap_or("[[pair]]"), Some(section.span().start));
        let pair = pair(&at, section, tables)?;
        if pairs.iter().any(|known| known.name == pair.name) {
            return Err(at.lacks("name stands twice; give every pair its own, it is how findings call it"));
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

fn pair(at: &Section<'_>, section: &Spanned<PairSection>, tables: &[TableConfig]) -> Result<Pair, ConfigError> {
    let found = section.get_ref();
    let name = at.read("name", &found.name, value::plain_text)?;
    let name = name.ok_or_else(|| at.lacks("name is missing; write for example name = \"TA 46 m and 34 m\""))?;
    let table = table(at, "table", &found.table, tables)?
        .ok_or_else(|| at.lacks("table is missing; write the name of the [[table]] whose column is compared"))?;
    let other = self::table(at, "against_table", &found.against_table, tables)?.unwrap_or(table);
    let first = column(at, "column", &found.column, table)?
        .ok_or_else(|| at.lacks("column is missing; write for example column = \"TA_46m\""))?;
    let second = column(at, "against", &found.against, other)?.ok_or_else(|| {
        at.lacks("against is missing, the column to compare with; write for example against = \"TA_34m\"")
    })?;
    if first == second {
        return Err(at.lacks("compares a column with itself; write another one in against"));
    }
    let is_across = first.table != second.table;
    for table in [table, other] {
        let has_tags = table.columns.values().any(|column| column.column_use == ColumnUse::Tag);
        if is_across && has_tags {
            return Err(at.lacks(format!(
                "compares across tables, and table \"{}\" has tag columns, so that a time has several rows; compare \
                 columns of that table only",
                table.name
            )));
        }
    }
    let measure = match (&found.difference, &found.ratio) {
        (Some(difference), None) => {
            let inner = difference.get_ref();
            let keys = [("suspect", &inner.suspect), ("fail", &inner.fail)];
            Measure::difference(&numbers_group(at, "difference", difference.span(), keys)?)
        }
        (None, Some(ratio)) => {
            let inner = ratio.get_ref();
            let keys = [("suspect", &inner.suspect), ("fail", &inner.fail)];
            Measure::ratio(&bounds_group(at, "ratio", ratio.span(), keys)?)
        }
        (Some(_), Some(ratio)) => {
            return Err(at.wrong(&ratio.span(), "ratio stands beside difference; keep one of them"));
        }
        (None, None) => {
            return Err(at.lacks(
                "takes one of difference and ratio; write for example difference = { suspect = 2, fail = 5 } or ratio = \
                 { suspect = [1.8, 2.3] }",
            ));
        }
    };
    let measure = measure.map_err(|problem| error(at, &problem))?;
    let sides = [("both", PairFlags::Both), ("column", PairFlags::First), ("against", PairFlags::Second)];
    let within = at.read("within", &found.within, value::duration)?;
    if let (Some(within), false) = (&found.within, is_across) {
        return Err(at.wrong(&within.span(), "within belongs to a pair of two tables; rows of one table have one time"));
    }
    Ok(Pair {
        guard: guard(at, found, table, &second)?,
        flags: at.read("flags", &found.flags, |text| one_of(text, &sides))?.unwrap_or(PairFlags::Both),
        within: within.unwrap_or(Duration::ZERO),
        name,
        first,
        second,
        measure,
    })
}

fn guard(
    at: &Section<'_>,
    found: &PairSection,
    table: &TableConfig,
    second: &ColumnAt,
) -> Result<Option<Guard>, ConfigError> {
    let Some(section) = &found.when else { return Ok(None) };
    let inner = section.get_ref();
    let example = "write for example when = { column = \"SW_IN\", above = 20 }";
    let (above, below) = (inner.above.as_ref(), inner.below.as_ref());
    if above.is_none() && below.is_none() {
        return Err(at.wrong(&section.span(), format!("when has neither above nor below; {example}")));
    }
    let name = inner.column.as_ref().map(|name| name.get_ref().clone());
    let column = match name {
        Some(name) if name == second.column => second.clone(),
        Some(_) => column(at, "when: column", &inner.column, table)?.unwrap_or_else(|| second.clone()),
        None => return Err(at.wrong(&section.span(), format!("when lacks column; {example}"))),
    };
    let guard = Guard {
        column,
        above: above.map_or(f64::NEG_INFINITY, |number| *number.get_ref()),
        below: below.map_or(f64::INFINITY, |number| *number.get_ref()),
    };
    // With NaN the comparison is false, so NaN is refused too.
    if guard.above < guard.below {
        return Ok(Some(guard));
    }
    let (above, below) = (guard.above, guard.below);
    Err(at.wrong(
        &section.span(),
        format!("when: no value lies above {above} and below {below}; write a below that is larger than above"),
    ))
}

fn table<'t>(
    at: &Section<'_>,
    key: &str,
    found: &Text,
    tables: &'t [TableConfig],
) -> Result<Option<&'t TableConfig>, ConfigError> {
    let names: Vec<&str> = tables.iter().map(|table| table.name.0.as_str()).collect();
    at.read(key, found, |text| {
        tables
            .iter()
            .find(|table| table.name.0 == text)
            .ok_or_else(|| format!("is no [[table]]; write {}", any_of(&names)))
    })
}

/// A TOA5 file may have any column name, so only columns that the configuration excludes are refused.
fn column(at: &Section<'_>, key: &str, found: &Text, table: &TableConfig) -> Result<Option<ColumnAt>, ConfigError> {
    at.read(key, found, |text| {
        if text.trim().is_empty() {
            return Err("is empty; write the column's name as the file has it".to_owned());
        }
        if table.columns.get(text).is_some_and(|column| column.column_use == ColumnUse::Tag) {
            return Err("is a tag, which is text; write a column of numbers".to_owned());
        }
        if let FileFormat::Csv(csv) = &table.format
            && !csv.may_have(text)
            && !table.columns.contains_key(text)
        {
            let known: Vec<&str> = csv.known_names().iter().map(String::as_str).collect();
            return Err(format!("is no column of table \"{}\"; write {}", table.name, any_of(&known)));
        }
        Ok(ColumnAt { table: TableName(table.name.0.clone()), column: text.to_owned() })
    })
}
