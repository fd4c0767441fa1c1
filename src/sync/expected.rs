//! Sends the expected range beside the values: the band of each configured climatology, as the measurement
//! `fluxtower_expected`.
//!
//! A dashboard can only draw what is in the bucket, and not every query language can compute bands of half hours and
//! seasons. So the agent sends them: tags `station` and `logger_table`, fields `<field>_low` and `<field>_high` (the
//! suspect bounds), one point per half hour, up to the present. That is 48 points per day and table, sent with the
//! first sync of each half hour. Like the agent's health it is not part of the data: no row is delayed for it, and
//! after a refusal it is tried again later.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::health::{self, ExtraLines, LineKind};
use super::look::Looked;
use super::{Sync, SyncError, SyncReport};
use crate::config::{ColumnUse, Config, TableConfig};
use crate::destination::{Destination, Outcome};
use crate::line::{field_key, tag_value};
use crate::qc::{Climatology, Season};
use crate::store::ReceiptOutcome;
use crate::time::Timestamp;

/// The name of the measurement.
const MEASUREMENT: &str = "fluxtower_expected";
/// Climatologies have steps of half an hour, as AmeriFlux publishes them.
const STEP: Duration = Duration::from_secs(1_800);
/// How far back the first points reach: what a dashboard shows of a new station.
const REACH: Duration = Duration::from_secs(7 * 86_400);
/// The setting that keeps until when points were sent, by bucket. It differs from the key of versions whose tag was
/// `table`, so that the points that a dashboard shows are sent under the new tag too.
const KEY: &str = "expected_until_logger_table";
/// The same as for the largest batches of rows.
const LINES_PER_REQUEST: usize = 5_000;

/// Sends the points after the last ones, each table's to its own bucket, unless the bucket is held or refused rows in
/// this run.
pub(super) fn send(
    sync: &Sync<'_>,
    destination: &mut dyn Destination,
    looked: &mut Looked,
    report: &mut SyncReport,
) -> Result<(), SyncError> {
    let Sync { config, store, clock, .. } = *sync;
    let now = Timestamp::from_utc(clock.now());
    let mut buckets: BTreeMap<Option<&str>, Vec<&TableConfig>> = BTreeMap::new();
    for table in config.tables.iter().filter(|table| bands(table).next().is_some()) {
        buckets.entry(table.bucket.as_deref()).or_default().push(table);
    }
    let last = now.floor(STEP);
    for (bucket, tables) in buckets {
        let key = format!("{KEY} {} {}", destination.name(), bucket.unwrap_or_default());
        let sent = store
            .recall(&key)?
            .and_then(|text| text.parse().ok())
            .map(Timestamp::from_nanos)
            .filter(|sent| *sent <= last);
        let mut from = last.before(REACH).max(sent.unwrap_or(Timestamp::MIN)).after(STEP);
        while from <= last {
            let steps = u32::try_from((LINES_PER_REQUEST / tables.len()).max(1)).unwrap_or(1);
            let until = last.min(from.after(STEP * (steps - 1)));
            let lines = lines(config, &tables, from, until);
            if !lines.is_empty() {
                if !looked.may_take(sync, bucket, destination, report)? {
                    break;
                }
                let kind = LineKind { taken: ReceiptOutcome::Expected, refused: ReceiptOutcome::ExpectedRefused };
                let extra = ExtraLines { bucket, lines: &lines, kind };
                let answer = health::say(store, now, destination, report, extra)?;
                if answer.outcome != Outcome::Stored {
                    tracing::warn!("the expected bands were not taken: {}", answer.message);
                    break;
                }
            }
            store.remember(&key, &until.nanos().to_string())?;
            from = until.after(STEP);
        }
    }
    Ok(())
}

/// The columns that are sent and have a climatology, with their field names.
fn bands(table: &TableConfig) -> impl Iterator<Item = (&str, &Climatology)> {
    table.columns.iter().filter_map(|(name, column)| {
        let climatology = column.quality.climatology.as_ref()?;
        (column.column_use == ColumnUse::Field).then(|| (column.field.as_deref().unwrap_or(name), climatology))
    })
}

/// One line per table and half hour for which a band is known.
fn lines(config: &Config, tables: &[&TableConfig], from: Timestamp, last: Timestamp) -> String {
    let station = tag_value(&config.station.name);
    let mut lines = String::new();
    for table in tables {
        let head = format!("{MEASUREMENT},station={station},logger_table={}", tag_value(&table.name.0));
        let mut at = from;
        while at <= last {
            let season = Season::of(&table.station_clock, at);
            let mut fields = String::new();
            for (name, climatology) in bands(table) {
                let Some((low, high)) = climatology.band(&season).map(|band| band.suspect) else { continue };
                for (edge, bound) in [("low", low), ("high", high)] {
                    if bound.is_finite() {
                        let comma = if fields.is_empty() { "" } else { "," };
                        // Writing to a String cannot fail.
                        let _ = write!(fields, "{comma}{}={bound:?}", field_key(&format!("{name}_{edge}")));
                    }
                }
            }
            if !fields.is_empty() {
                let _ = writeln!(lines, "{head} {fields} {}", at.nanos());
            }
            at = at.after(STEP);
        }
    }
    lines
}
