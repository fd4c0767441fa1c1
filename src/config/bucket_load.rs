//! The checks of each `[[bucket]]`.

use std::path::Path;

use toml::Spanned;

use super::destination_load::{no_secret, secret, stranger};
use super::file::BucketSection;
use super::place::{Section, Source};
use super::{Api, BucketConfig, ConfigError, InfluxConfig, TableConfig, value};
use crate::text::{any_of, look_alikes};

/// Reads every `[[bucket]]`, in the order of the file. Names are unique, and each bucket must be used by
/// `[destination]` or a table.
pub(super) fn buckets(
    source: &Source<'_>,
    found: &[Spanned<BucketSection>],
    influx: &InfluxConfig,
    tables: &[TableConfig],
    folder: &Path,
) -> Result<Vec<BucketConfig>, ConfigError> {
    let mut used: Vec<&str> =
        tables.iter().filter_map(|table| table.bucket.as_deref()).chain([influx.bucket.as_str()]).collect();
    used.sort_unstable();
    used.dedup();
    let mut buckets: Vec<BucketConfig> = Vec::new();
    for section in found {
        let label = match &section.get_ref().name {
            Some(name) => format!("[[bucket]] \"{}\"", name.get_ref()),
            None => "[[bucket]]".to_owned(),
        };
        let at = Section::new(source, label, Some(section.span().start));
        let section = section.get_ref();
        no_secret(&at, &section.given())?;
        let name = at.read(BucketSection::name, &section.name, value::plain_text)?;
        let name = name.ok_or_else(|| at.lacks("name is missing; write for example name = \"ameriflux_soil\""))?;
        let name_at = section.name.as_ref().map_or(0..0, Spanned::span);
        if buckets.iter().any(|known| known.name == name) {
            return Err(at.wrong(&name_at, "name stands twice; put the keys of one bucket into one [[bucket]]"));
        }
        if !used.contains(&name.as_str()) {
            let alike = look_alikes(&name, used.iter().copied());
            let known = any_of(if alike.is_empty() { &used } else { &alike });
            return Err(at.wrong(
                &name_at,
                format!("name = \"{name}\" is the bucket of no table and not that of [destination]; write {known}"),
            ));
        }
        let tokens = [BucketSection::token_env.name, BucketSection::token_file.name];
        if influx.api == Api::V1 {
            at.refuse(&section.given(), |key| tokens.contains(&key), stranger("api = \"v2\" and \"v3\""))?;
        }
        if influx.api != Api::V2 {
            at.refuse(&section.given(), |key| key == BucketSection::org.name, stranger("api = \"v2\""))?;
        }
        let token =
            [(&BucketSection::token_env, &section.token_env), (&BucketSection::token_file, &section.token_file)];
        buckets.push(BucketConfig {
            retention: at.read(BucketSection::retention, &section.retention, value::some_time)?,
            org: at.read(BucketSection::org, &section.org, value::plain_text)?,
            secret: secret(&at, token, folder)?,
            name,
        });
    }
    Ok(buckets)
}
