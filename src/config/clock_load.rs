//! The checks of `[[station.clock]]`, `[[table.clock]]` and of later offsets.

use toml::Spanned;

use super::file::{ClockSection, OffsetSection};
use super::place::{Section, Source};
use super::{ConfigError, value};
use crate::time::{Correction, LocalTime, OffsetChange, Stamps, StationClock};

/// A section that may have both: the station or a table, with its name for messages.
pub(super) struct ClockOf<'a> {
    pub source: &'a Source<'a>,
    pub name: &'a str,
}

impl ClockOf<'_> {
    /// Reads the periods in which a clock was wrong, in the order of the file.
    pub(super) fn corrections(&self, found: &[Spanned<ClockSection>]) -> Result<Vec<Correction>, ConfigError> {
        let mut list: Vec<Correction> = Vec::new();
        for entry in found {
            let at = Section::new(self.source, format!("{} clock:", self.name), Some(entry.span().start));
            let correction = correction(&at, entry.get_ref())?;
            if list.iter().any(|known| known.stamps.overlap(&correction.stamps)) {
                return Err(at.lacks(
                    "record_from or record_until is missing: its stamps are those of another clock entry too; write the record \
                     numbers that are meant, or move from and until apart",
                ));
            }
            list.push(correction);
        }
        Ok(list)
    }

    /// Reads the later offsets, which follow the first one.
    pub(super) fn changes(&self, found: &[Spanned<OffsetSection>]) -> Result<Vec<OffsetChange>, ConfigError> {
        let mut list: Vec<OffsetChange> = Vec::new();
        for entry in found {
            let at = Section::new(self.source, format!("{} offset:", self.name), Some(entry.span().start));
            let found = entry.get_ref();
            let from = needed_stamp(&at, "from", at.read(OffsetSection::from, &found.from, value::stamp)?)?;
            let clock = at.read(OffsetSection::utc_offset, &found.utc_offset, value::utc_offset)?;
            let clock: StationClock = clock.ok_or_else(|| {
                at.lacks("utc_offset is missing; write the offset from then on, such as utc_offset = \"-06:00\"")
            })?;
            let record_from = record(&at, &OffsetSection::record_from, &found.record_from)?;
            if list.last().is_some_and(|before| before.from >= from) {
                return Err(
                    at.lacks("from is not after that of the entry above; write the entries in the order of time")
                );
            }
            list.push(OffsetChange { from, clock, record_from });
        }
        Ok(list)
    }
}

fn correction(at: &Section<'_>, found: &ClockSection) -> Result<Correction, ConfigError> {
    let from = needed_stamp(at, "from", at.read(ClockSection::from, &found.from, value::stamp)?)?;
    let until = at.read(ClockSection::until, &found.until, value::stamp)?;
    if let (Some(instant), Some(place)) = (until, &found.until)
        && instant <= from
    {
        return Err(at.wrong(&place.span(), "until is not after from; write the first stamp behind the period"));
    }
    let add = at.read(ClockSection::add, &found.add, value::signed_duration)?.ok_or_else(|| {
        at.lacks("add is missing; write what the stamps lack: add = \"1h\", or \"-37m\" for a clock that was ahead")
    })?;
    let record_from = record(at, &ClockSection::record_from, &found.record_from)?;
    let record_until = record(at, &ClockSection::record_until, &found.record_until)?;
    if let (Some(first), Some(behind), Some(place)) = (record_from, record_until, &found.record_until)
        && behind <= first
    {
        let problem = "record_until is not above record_from; write the first RECORD behind the period";
        return Err(at.wrong(&place.span(), problem));
    }
    Ok(Correction { stamps: Stamps { from, until, record_from, record_until }, add })
}

fn needed_stamp(at: &Section<'_>, key: &str, found: Option<LocalTime>) -> Result<LocalTime, ConfigError> {
    found.ok_or_else(|| {
        at.lacks(format!("{key} is missing; write the stamp as the logger wrote it: {key} = \"2026-06-01 00:00:00\""))
    })
}

fn record(at: &Section<'_>, key: &super::keys::Key, found: &Option<Spanned<i64>>) -> Result<Option<i64>, ConfigError> {
    let given = at.whole(key, found, "from 0 on, every record is meant; leave the key out for that")?;
    Ok(given.and_then(|record| i64::try_from(record).ok()))
}
