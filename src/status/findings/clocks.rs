//! Findings about clocks: this computer's, the server's, those of files and of loggers.

use std::time::Duration;

use super::{Finding, Kind};
use crate::config::{Config, TableConfig};
use crate::ingest::{EndedEntry, UnconfirmedOffset};
use crate::status::{Facts, age_s};
use crate::store::ClockLine;
use crate::text::{span, to_add};
use crate::time::{CLOCKS_AGREE, NANOS_PER_SECOND, StationClock, Timestamp, nanos};

const AGREE_S: i64 = CLOCKS_AGREE.num_seconds();

/// A clock that went back longer ago says nothing about today.
const RECENT_S: i64 = 2 * 86_400;

pub(super) fn findings(config: &Config, facts: &Facts, now: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(server) = facts.server_ahead_s
        && server.abs() > AGREE_S
    {
        let direction = if server > 0 { "behind" } else { "ahead of" };
        found.push(
            Finding::new(
                Kind::ClocksDisagree,
                format!("this computer's clock was {} {direction} the server's at the last sync", span(server.abs())),
            )
            .about("server")
            .fix("set the clock that is wrong; nothing expires and nothing is deleted until they agree"),
        );
    }
    let newest = facts.folders.tables.iter().filter_map(|table| Some((table.newest?, table)));
    if let Some((modified, table)) = newest.max_by_key(|(modified, _)| *modified)
        && age_s(now, modified) < -AGREE_S
    {
        found.push(
            Finding::new(
                Kind::ClocksDisagree,
                format!(
                    "the newest file of table \"{}\" was written {} in the future by this computer's clock",
                    table.table,
                    span(-age_s(now, modified))
                ),
            )
            .of_table(&table.table)
            .about("files")
            .fix("set the clock that is wrong, this computer's or that of the computer which writes the files"),
        );
    }
    for unconfirmed in &facts.unconfirmed_offsets {
        found.push(
            Finding::new(Kind::OffsetUnconfirmed, unconfirmed.message())
                .of_table(&unconfirmed.table)
                .fix(UnconfirmedOffset::fix()),
        );
    }
    for EndedEntry { table, from, ends } in &facts.ended_entries {
        found.push(
            Finding::new(
                Kind::ClockEntryEnded,
                format!(
                    "the clock entry of table \"{table}\" from {from} on ends at {ends}, where RECORD started again: rows since are not moved"
                ),
            )
            .of_table(table)
            .about(from.to_string())
            .fix(format!(
                "compare the logger's clock with UTC; if it is right since, write until = \"{ends}\" into the entry; if it is still \
                 wrong, write a second one with from = \"{ends}\" too"
            )),
        );
    }
    for (table, offset) in &facts.offsets {
        let direction = if *offset > 0 { "behind" } else { "ahead of" };
        found.push(
            Finding::new(
                Kind::OffsetOfHours,
                format!(
                    "rows of table \"{table}\" are {} h {} min {direction} the files they came in",
                    offset.abs() / 3_600,
                    offset.abs() / 60 % 60
                ),
            )
            .of_table(table)
            .fix(format!(
                "compare the logger's clock with UTC; if utc_offset is wrong, correct it and run `fluxtower rekey`; if the \
                 logger's clock is wrong, set it and write [[table.clock]] with from = its first wrong stamp, until = the first \
                 stamp behind, add = \"{}\"",
                to_add(*offset)
            )),
        );
    }
    for table in &config.tables {
        if let Some(event) = set_back(table, &facts.clock_events, now).map(|place| &facts.clock_events[place]) {
            found.push(
                Finding::new(
                    Kind::LoggerClock,
                    format!(
                        "the logger's clock of table \"{}\" went back by {} after {}",
                        event.table,
                        span(age_s(event.before.1, event.after.1)),
                        table.clock.event_time(event.before.1)
                    ),
                )
                .of_table(&event.table)
                .since(Some(event.before.1))
                .fix(fix_of_a_step(table, event, facts.interval(&event.table))),
            );
        }
    }
    let mut zones = vec![(None, &config.station.clock)];
    zones.extend(config.logger_tables().map(|table| (Some(table.name.0.as_str()), &table.clock)));
    for (table, clock) in zones {
        if table.is_some() && *clock == config.station.clock {
            continue;
        }
        if let Some(message) = posix_zone(clock) {
            let finding = Finding::new(Kind::PosixZone, message);
            found.push(match table {
                Some(table) => finding.of_table(table),
                None => finding,
            });
        }
    }
    found
}

/// The place of the step that tells that the clock of a table was set back: the latest one.
pub(in crate::status) fn set_back(table: &TableConfig, events: &[ClockLine], now: Timestamp) -> Option<usize> {
    events.iter().rposition(|event| {
        let back = age_s(event.before.1, event.after.1);
        // What an archive tells of a clock years ago is no news.
        event.table == table.name.0 && back > AGREE_S && age_s(now, event.before.1) < RECENT_S
    })
}

/// What puts the rows right, where the clock was ahead before the step and where it is behind since. The steps of RECORD tell
/// how far. Each period that has an end has it as a stamp too: RECORD starts again with each program.
fn fix_of_a_step(table: &TableConfig, event: &ClockLine, interval: Option<Duration>) -> String {
    let fix = "compare it with UTC and set it; `fluxtower gaps` lists every step";
    let rows = event.after.0.saturating_sub(event.before.0);
    let Some(interval) = interval.filter(|_| (1..=1_000).contains(&rows)).map(nanos) else { return fix.to_owned() };
    let back = event.before.1.nanos_since(event.after.1).saturating_add(interval.saturating_mul(rows));
    let back = back.saturating_add(NANOS_PER_SECOND / 2).div_euclid(NANOS_PER_SECOND);
    let stamp = table.stamps.stamp(event.after.1, Some(event.after.0));
    let record = event.after.0;
    if let Some((right, _)) = event.right_again.filter(|right| right.0 > record) {
        let until = stamp.plus(interval.saturating_mul(right - record));
        return format!(
            "`fluxtower gaps` lists every step. It was put right at record {right}; the rows between are put right by \
             [[table.clock]] with from = \"{stamp}\", until = \"{until}\", record_from = {record}, record_until = {right}, \
             add = \"{}\"",
            to_add(back)
        );
    }
    let until = table.stamps.stamp(event.before.1, Some(event.before.0)).plus(interval);
    format!(
        "{fix}. If it is wrong since then, its rows are put right by [[table.clock]] with from = \"{stamp}\", record_from = {record}, \
         add = \"{}\"; if it was ahead before, by from = its first wrong stamp, until = \"{until}\", record_until = {record}, \
         add = \"{}\"",
        to_add(back),
        to_add(-back)
    )
}

/// What a zone such as `Etc/GMT-5` means: the sign is the opposite of the one in `UTC-5`.
fn posix_zone(clock: &StationClock) -> Option<String> {
    let StationClock::Zone(zone) = clock else { return None };
    let hours = zone.name().strip_prefix("Etc/GMT")?;
    let (sign, opposite) = match hours.as_bytes().first()? {
        b'-' => ("-", "+"),
        b'+' => ("+", "-"),
        _ => return None,
    };
    let hours: u8 = hours.get(1..)?.parse().ok().filter(|hours| *hours > 0)?;
    Some(format!(
        "timezone \"{}\" means UTC{opposite}{hours}, not UTC{sign}{hours}: for UTC{sign}{hours} write utc_offset = \"{sign}{hours:02}:00\"",
        zone.name()
    ))
}
