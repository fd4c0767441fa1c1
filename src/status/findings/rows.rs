//! Findings about rows: whether they arrive, are complete, and are in the bucket.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Kind, Lateness, Rule, runs};
use crate::config::{Config, MadeOf, MisfitOf};
use crate::status::{Facts, age_s, records, units};
use crate::store::{LoggerFile, Uncounted, WhyUncounted};
use crate::sync::{Goes, LeftPoints};
use crate::text::{count, grouped, span, span_of};
use crate::time::Timestamp;

/// What happened longer ago than this is listed, and asks no longer for a user.
pub(in crate::status) const RECENT_S: i64 = 30 * 86_400;

pub(super) fn findings(config: &Config, facts: &Facts, now: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    lateness(config, facts, now, &mut found);
    delivery(facts, now, &mut found);
    left_points(config, facts, now, &mut found);
    expiring(config, facts, now, &mut found);
    quality(config, facts, now, &mut found);
    in_turn(facts, &mut found);
    uncounted(config, facts, now, &mut found);
    for (table, misfit) in &facts.misfits {
        let kind = match misfit.what {
            MisfitOf::Unit => Kind::UnitUnfit,
            MisfitOf::Kind => Kind::KindDisagrees,
            MisfitOf::Rain => Kind::RainUnclear,
            MisfitOf::Name => Kind::NameTaken,
            MisfitOf::Gone => Kind::ColumnGone,
        };
        let message = format!("table \"{table}\", {}", misfit.message);
        found.push(Finding::new(kind, message).of_table(table).about(misfit.column.as_str()).fix(misfit.fix.clone()));
    }
    unit_changes(facts, now, &mut found);
    unfit_windows(config, facts, &mut found);
    for (table, message) in &facts.wrong_values {
        found.push(
            Finding::new(Kind::WrongValues, format!("table \"{table}\": {message}"))
                .of_table(table)
                .fix("look at the sensor, see the page of `fluxtower serve`"),
        );
    }
    found
}

fn lateness(config: &Config, facts: &Facts, now: Timestamp, found: &mut Vec<Finding>) {
    for table in &config.tables {
        let name = &table.name.0;
        if table.made_of.as_ref().is_some_and(|made| !is_to_be_made(config, facts, made, name, now)) {
            continue;
        }
        let was_read = || facts.files.iter().any(|file| file.table == *name);
        let Some(status) = facts.table(name).filter(|status| status.newest.is_some() || was_read()) else {
            found.push(Finding::new(Kind::NeverRead, format!("table \"{name}\" has never been read")).of_table(name));
            continue;
        };
        let rule = Rule::of(table, facts.interval(name));
        let age = status.newest.map_or(0, |newest| age_s(now, newest));
        let finding = match rule.judge(status.newest, now) {
            Lateness::Fresh | Lateness::Late => continue,
            Lateness::NoRow => Finding::new(
                Kind::NeverRead,
                format!("table \"{name}\" has no row: its files were read, and none of them holds one"),
            ),
            Lateness::Ahead(ahead) => Finding::new(
                Kind::RowsAhead,
                format!("the newest row of table \"{name}\" is {} in the future", span(ahead)),
            )
            .fix(
                "set the clock that is wrong, the logger's or this computer's, and put rows of a wrong logger right with \
                 [[table.clock]]; if it is utc_offset, correct it and run `fluxtower rekey`",
            ),
            Lateness::Stale => Finding::new(
                Kind::Stale,
                format!("table \"{name}\" has had no new row for {} ({})", span(age), rule.text()),
            )
            .since(status.newest),
            Lateness::Unknown => Finding::new(
                Kind::TooFewRows,
                format!(
                    "table \"{name}\" has too few rows to tell whether it is late; the newest is {} old",
                    span(age)
                ),
            )
            .since(status.newest),
        };
        let was_late_at_first =
            facts.first_ingest.is_some_and(|first| rule.judge(status.newest, first) == Lateness::Stale);
        let is_archive = finding.kind == Kind::Stale && table.stale_after.is_none() && was_late_at_first;
        found.push(Finding { is_history: finding.is_history || is_archive, ..finding.of_table(name) });
    }
}

fn unfit_windows(config: &Config, facts: &Facts, found: &mut Vec<Finding>) {
    for (table, interval) in &facts.unfit_windows {
        let Some(made) = config.table(table).and_then(|table| table.made_of.as_ref()) else { continue };
        let message = format!(
            "table \"{table}\" has no values: the rows of table \"{}\" are {} apart, and do not divide the {} of its aggregate",
            made.table,
            span_of(*interval),
            span_of(made.every)
        );
        let fix = "choose an aggregate that the interval of the rows divides, or none";
        found.push(Finding::new(Kind::WindowsUnfit, message).of_table(table).fix(fix));
    }
}

/// Whether a table that is made of another one must have rows: what is late there makes it late, and is said there.
fn is_to_be_made(config: &Config, facts: &Facts, made: &MadeOf, name: &str, now: Timestamp) -> bool {
    let Some(source) = config.table(&made.table.0) else { return false };
    let newest = facts.table(&made.table.0).and_then(|status| status.newest);
    let rule = Rule::of(source, facts.interval(&made.table.0));
    let is_fresh = matches!(rule.judge(newest, now), Lateness::Fresh | Lateness::Late);
    is_fresh && facts.table(name).is_some_and(|status| status.newest.is_some())
}

fn delivery(facts: &Facts, now: Timestamp, found: &mut Vec<Finding>) {
    let pending: u64 = facts.tables.iter().map(|table| table.pending).sum();
    let rows = count(pending, "row");
    let are = if pending == 1 { "is" } else { "are" };
    if pending > 0 {
        let oldest = facts.tables.iter().filter_map(|table| table.oldest_pending).min();
        let age = oldest.map_or(0, |oldest| age_s(now, oldest));
        match facts.last_stored.map(|last| age_s(now, last)) {
            Some(silent) if facts.is_silent_too_long(now) => found.push(
                Finding::new(
                    Kind::NotAcknowledged,
                    format!("nothing was acknowledged for {} and {rows} {are} pending", span(silent)),
                )
                .since(facts.last_stored),
            ),
            Some(silent) if age > super::SOON_S => found.push(
                Finding::new(
                    Kind::Pending,
                    format!("{rows} {are} pending; the last acknowledgement came {} ago", span(silent)),
                )
                .since(oldest),
            ),
            None if facts.last_sync.as_ref().is_some_and(runs::was_unreachable) => found.push(
                Finding::new(
                    Kind::NotAcknowledged,
                    format!(
                        "{rows} {are} pending, the destination has never acknowledged any, and the last sync could not reach it"
                    ),
                )
                .fix("see `fluxtower check`"),
            ),
            None => found.push(Finding::new(
                Kind::NoAnswerYet,
                format!("{rows} {are} pending, and the destination has not acknowledged any row yet"),
            )),
            Some(_) => {}
        }
    }
    let refused: u64 = facts.tables.iter().map(|table| table.rejected).sum();
    if refused > 0 {
        found.push(
            Finding::new(Kind::RefusedRows, format!("{} refused by the destination", count(refused, "row")))
                .fix("see `fluxtower rejected`"),
        );
    }
    let expired: u64 = facts.tables.iter().map(|table| table.expired).sum();
    if expired > 0 {
        let are = if expired == 1 { "is" } else { "are" };
        found.push(
            Finding::new(
                Kind::ExpiredRows,
                format!("{} {are} older than the bucket keeps rows and not in it", count(expired, "row")),
            )
            .fix("raise the bucket's retention, then `fluxtower replay --expired`"),
        );
    }
}

/// Points in buckets that hold what rows no longer have.
fn left_points(config: &Config, facts: &Facts, now: Timestamp, found: &mut Vec<Finding>) {
    for LeftPoints { table, points, until, goes } in &facts.left_points {
        let finding = match goes {
            Goes::BySync { how } => {
                Finding::new(Kind::StalePoints, format!("{points} may hold values that the rows no longer have"))
                    .fix(how)
            }
            Goes::NotYet { why } => {
                Finding::new(Kind::PointsLeft, format!("{points} may hold what the rows no longer have: {why}"))
                    .about("not removed")
                    .fix("each sync tries again")
            }
            // The bucket has dropped them.
            Goes::ByHand { .. } | Goes::WhenDeleted { .. }
                if kept_for(config, facts, table).is_some_and(|kept| age_s(now, *until) > kept) =>
            {
                continue;
            }
            Goes::WhenDeleted { why } => {
                Finding::new(Kind::PointsLeft, format!("{points} hold what the rows no longer have: {why}"))
                    .about("by hand")
                    .fix(format!(
                        "delete them there: a sync sees it within an hour, `fluxtower verify` at once; \
                         `fluxtower bucket cleaned --table {table}` if they may stay"
                    ))
            }
            Goes::ByHand { why } => {
                Finding::new(Kind::PointsLeft, format!("{points} hold what the rows no longer have: {why}"))
                    .about("by hand")
                    .fix(format!("delete them there, then `fluxtower bucket cleaned --table {table}`"))
            }
        };
        found.push(finding.of_table(table));
    }
}

/// Rows that are pending for more than half of the time that their bucket keeps rows.
fn expiring(config: &Config, facts: &Facts, now: Timestamp, found: &mut Vec<Finding>) {
    for status in &facts.tables {
        let Some(oldest) = status.oldest_pending else { continue };
        let Some(kept) = kept_for(config, facts, &status.table) else { continue };
        let age = age_s(now, oldest);
        if age > kept / 2 {
            let message = format!(
                "rows of table \"{}\" are pending and expire in {}: the bucket keeps rows for {}",
                status.table,
                span((kept - age).max(0)),
                span(kept)
            );
            found.push(Finding::new(Kind::Expiring, message).of_table(&status.table).since(Some(oldest)));
        }
    }
}

/// For how many seconds the bucket of a table keeps rows, where that is known and not for ever.
fn kept_for(config: &Config, facts: &Facts, table: &str) -> Option<i64> {
    let table = config.table(table)?;
    let (_, kept) = facts.retentions.iter().find(|(bucket, _)| *bucket == table.bucket)?;
    Some(i64::try_from(kept.as_secs()).unwrap_or(i64::MAX))
}

/// Lines and records that are no rows.
fn quality(config: &Config, facts: &Facts, now: Timestamp, found: &mut Vec<Finding>) {
    // A time in the future was written by a clock that was wrong, and is as recent as any.
    let recent = |then: Option<Timestamp>| then.is_some_and(|then| age_s(now, then) < RECENT_S);
    let sum = |of: fn(&crate::store::TableStatus) -> u64| facts.tables.iter().map(of).sum::<u64>();
    let lines =
        |number: u64| if number == 1 { "1 line is".to_owned() } else { format!("{} lines are", grouped(number)) };
    let gaps = facts.gaps.iter().filter(|line| recent(Some(line.gap.after.1)));
    let missing = gaps.map(|line| line.gap.missing.cast_unsigned()).sum();
    if missing > 0 {
        found.push(
            Finding::new(Kind::MissingRecords, format!("{} missing", count(missing, "record")))
                .fix("see `fluxtower gaps`"),
        );
    }
    if recent(facts.newest_rejected_line) {
        let rejected = sum(|table| table.rejected_lines);
        found.push(
            Finding::new(
                Kind::RejectedLines,
                format!(
                    "{} rejected: no row could be made of {}",
                    lines(rejected),
                    if rejected == 1 { "it" } else { "them" }
                ),
            )
            .since(facts.newest_rejected_line)
            .fix("see `fluxtower rejected`"),
        );
    }
    let held = sum(|table| table.held_lines - table.held_samples);
    if held > 0 {
        found.push(
            Finding::new(
                Kind::HeldLines,
                format!("{} held, more than a day ahead of this computer's clock", lines(held)),
            )
            .fix("set the clock that is wrong, see `fluxtower rejected`"),
        );
    }
    for table in facts.tables.iter().filter(|table| table.held_samples > 0) {
        let held = table.held_samples;
        let whose = if held == 1 { "its" } else { "their" };
        found.push(
            Finding::new(
                Kind::HeldSamples,
                format!("{} held: {whose} place among the rows of one time stamp is not known", lines(held)),
            )
            .of_table(&table.table)
            .fix("see `fluxtower rejected`"),
        );
    }
    let is_open = |name: &str| !config.decides_conflicts(name);
    let conflicts: u64 =
        facts.tables.iter().filter(|table| is_open(&table.table)).map(|table| table.open_conflicts).sum();
    if conflicts > 0 && recent(facts.newest_open_conflict) {
        let loggers = facts.two_loggers.iter().find(|two| is_open(&two.0));
        let (of, fix) = match loggers {
            None => (String::new(), "see `fluxtower conflicts`"),
            Some(two) => (format!(": {}", of_two_loggers(two)), SEPARATE_LOGGERS),
        };
        let tables = facts.tables.iter().filter(|table| is_open(&table.table));
        let times: u64 = tables.map(|table| table.open_conflict_times).sum();
        let message = match times == conflicts {
            true => format!("{} came with two contents{of}", count(times, "time")),
            false => format!("{} came with two contents or more{of}", count(times, "time")),
        };
        found.push(Finding::new(Kind::Conflicts, message).since(facts.newest_open_conflict).fix(fix));
    }
}

fn unit_changes(facts: &Facts, now: Timestamp, found: &mut Vec<Finding>) {
    for (table, change) in facts.unit_changes.iter().filter(|(_, change)| age_s(now, change.since) < RECENT_S) {
        let units::UnitChange { column, before, after, since } = change.clone();
        let message = format!(
            "table \"{table}\", column {column}: its unit is \"{after}\" in the newest header and was \"{before}\" before, and the \
             values of both are sent as one field"
        );
        found.push(
            Finding::new(Kind::UnitChanged, message)
                .of_table(table)
                .about(column.as_str())
                .since(Some(since))
                .fix("give the column another name in the logger's program, or go back to the unit before"),
        );
    }
}

/// Tables that two loggers write in turn, of which no time came twice.
fn in_turn(facts: &Facts, found: &mut Vec<Finding>) {
    let is_named = |table: &str| facts.two_loggers.iter().any(|two| two.0 == table);
    let has_conflicts = found.iter().any(|known| known.kind == Kind::Conflicts);
    for two in &facts.in_turn {
        // The finding about its conflicts names them.
        if !(has_conflicts && is_named(&two.0)) {
            let fix = if two.1[0].path == two.1[1].path { SEPARATE_ROWS } else { SEPARATE_LOGGERS };
            found.push(Finding::new(Kind::TwoLoggers, of_two_loggers(two)).of_table(&two.0).fix(fix));
        }
    }
}

/// What separates two loggers.
const SEPARATE_LOGGERS: &str =
    "give each logger a [[table]] of its own, or leave one of the files out of `files`; see `fluxtower conflicts`";

const SEPARATE_ROWS: &str = "give each logger a file and a [[table]] of its own: the file joins their rows";

fn of_two_loggers((table, [one, other]): &(String, [LoggerFile; 2])) -> String {
    format!("two loggers write into table \"{table}\", {} and {}", logger(one), logger(other))
}

/// A logger as its header names it, and a file of it.
fn logger(file: &LoggerFile) -> String {
    let station = file.station.as_deref().unwrap_or("one without a station name");
    let serial = file.serial.as_deref().map(|serial| format!(" (serial {serial})")).unwrap_or_default();
    format!("{station}{serial} in {}", file.path)
}

/// Tables whose RECORD does not tell what is missing: the rows that did not come at their usual interval.
fn uncounted(config: &Config, facts: &Facts, now: Timestamp, found: &mut Vec<Finding>) {
    let mut steps: BTreeMap<&str, (u64, &Uncounted)> = BTreeMap::new();
    let mut said = BTreeSet::new();
    for line in facts.uncounted.iter().filter(|line| !records::is_around_a_place(line.why) || !line.steps.is_empty()) {
        let (ended, steps_within) = match line.steps.split_last() {
            Some((ended, steps)) if line.has_ended => (Some(ended), steps),
            _ => (None, line.steps.as_slice()),
        };
        if let Some(ended) = ended {
            let message = format!(
                "table \"{}\": {} has had no row since {}, and others of the table go on: {} missing",
                line.table,
                line.tags.join(", "),
                records::station_time(config, &line.table, ended.before),
                count(ended.missing, "time step")
            );
            found.push(
                Finding::new(Kind::SeriesEnded, message)
                    .of_table(&line.table)
                    .about(line.tags.join(", "))
                    .since(Some(ended.before))
                    .fix("look at its sensor or logger, see `fluxtower gaps`; it is said for 30 days"),
            );
        }
        let recent = steps_within.iter().filter(|step| age_s(now, step.after) < RECENT_S);
        let missing: u64 = recent.map(|step| step.missing).sum();
        steps.entry(&line.table).or_insert((0, line)).0 += missing;
        let is_column = matches!(line.why, WhyUncounted::StandsStill(_) | WhyUncounted::StartsAgain);
        if is_column && said.insert(&line.table) {
            let message = format!(
                "table \"{}\": whether records are missing is unknown: {}",
                line.table,
                records::why(config, line)
            );
            found.push(
                Finding::new(Kind::RecordDoesNotCount, message)
                    .of_table(&line.table)
                    .since(Some(line.from))
                    .fix("see `fluxtower gaps`"),
            );
        }
    }
    for (table, (missing, line)) in steps.into_iter().filter(|(_, (missing, _))| *missing > 0) {
        let usual = line.steps.last().map(|step| format!(" of {}", records::interval(step.interval)));
        let message = format!(
            "{} missing in table \"{table}\", by its usual interval{}: {}",
            count(missing, "time step"),
            usual.unwrap_or_default(),
            records::why(config, line)
        );
        found.push(Finding::new(Kind::MissingTimeSteps, message).of_table(table).fix("see `fluxtower gaps`"));
    }
}
