//! The checks of what the file says about QC.

use std::path::Path;
use std::time::Duration;

use toml::Spanned;

use super::climatology::{BandColumns, read_bins};
use super::column::{bounds, shown};
use super::file::{ColumnSection, Numbers, Text, Texts};
use super::load::one_of;
use super::place::Section;
use super::quality_file::{BandSection, ClimatologySection, Number, TimesSection, Whole};
use super::value;
use super::{
    AttenuatedSignal, Climatology, ColumnQuality, ConfigError, Diagnostic, FlatLine, Levels, Member, RateOfChange,
    Spike, SpikeMethod, Spread,
};
use crate::ameriflux::Instrument;
use crate::ameriflux::Range;
use crate::text::any_of;
use crate::time::LocalTime;

/// Seconds that a limit of the rate of change is written for, where nothing is said.
const DEFAULT_PER: Duration = Duration::from_secs(1);

/// The tests of one column.
pub(super) fn column_quality(
    at: &Section<'_>,
    found: &ColumnSection,
    folder: &Path,
) -> Result<ColumnQuality, ConfigError> {
    Ok(ColumnQuality {
        spike: spike(at, found)?,
        rate_of_change: rate_of_change(at, found)?,
        flat_line: flat_line(at, found)?,
        attenuated_signal: attenuated_signal(at, found)?,
        climatology: match &found.climatology {
            Some(section) => Some(climatology(at, section, folder)?),
            None => None,
        },
        diagnostic: diagnostic(at, found)?,
    })
}

fn spike(at: &Section<'_>, found: &ColumnSection) -> Result<Option<Spike>, ConfigError> {
    let Some(section) = &found.spike else { return Ok(None) };
    let inner = section.get_ref();
    let methods = [("average", SpikeMethod::Average), ("differential", SpikeMethod::Differential)];
    let method = at.read("spike: method", &inner.method, |text| one_of(text, &methods))?;
    let levels = rising(at, "spike", section.span(), &inner.suspect, &inner.fail, "spike = { suspect = 2, fail = 5 }")?;
    Ok(Some(Spike { levels, method: method.unwrap_or(SpikeMethod::Average) }))
}

fn rate_of_change(at: &Section<'_>, found: &ColumnSection) -> Result<Option<RateOfChange>, ConfigError> {
    let Some(section) = &found.rate_of_change else { return Ok(None) };
    let inner = section.get_ref();
    let per = at.read("rate_of_change: per", &inner.per, value::some_time)?.unwrap_or(DEFAULT_PER);
    let example = "rate_of_change = { suspect = 1, fail = 3, per = \"1m\" }";
    let levels = rising(at, "rate_of_change", section.span(), &inner.suspect, &inner.fail, example)?;
    let per_second = |limit: Option<f64>| limit.map(|limit| limit / per.as_secs_f64());
    Ok(Some(RateOfChange {
        levels: Levels { suspect: per_second(levels.suspect), fail: per_second(levels.fail) },
        per,
    }))
}

fn flat_line(at: &Section<'_>, found: &ColumnSection) -> Result<Option<FlatLine>, ConfigError> {
    let Some(section) = &found.flat_line else { return Ok(None) };
    let inner = section.get_ref();
    let example = "flat_line = { suspect = \"2h\", fail = \"6h\", tolerance = 0.01 }";
    let levels = times(at, "flat_line", section.span(), (&inner.suspect, &inner.fail), example)?;
    let tolerance = positive(at, "flat_line: tolerance", &inner.tolerance)?.ok_or_else(|| {
        at.wrong(
            &section.span(),
            "flat_line lacks tolerance, the difference below which a value counts as standing still; write for \
             example tolerance = 0.01",
        )
    })?;
    Ok(Some(FlatLine { levels, tolerance, except: bounds(at, "flat_line: except", &inner.except)? }))
}

fn attenuated_signal(at: &Section<'_>, found: &ColumnSection) -> Result<Option<AttenuatedSignal>, ConfigError> {
    let Some(section) = &found.attenuated_signal else { return Ok(None) };
    let inner = section.get_ref();
    let example = "attenuated_signal = { suspect = 0.1, fail = 0.01, window = \"3h\" }";
    let suspect = positive(at, "attenuated_signal: suspect", &inner.suspect)?;
    let fail = positive(at, "attenuated_signal: fail", &inner.fail)?;
    let levels = Levels { suspect, fail };
    at_least_one(at, "attenuated_signal", section.span(), &levels, example)?;
    if let (Some(suspect), Some(fail)) = (suspect, fail)
        && fail > suspect
    {
        return Err(at.wrong(
            &section.span(),
            format!(
                "attenuated_signal: fail = {fail} lies above suspect = {suspect}; less spread is worse, so swap them"
            ),
        ));
    }
    let window = at.read("attenuated_signal: window", &inner.window, value::some_time)?.ok_or_else(|| {
        at.wrong(
            &section.span(),
            "attenuated_signal lacks window, how far it looks back; write for example window = \"3h\"",
        )
    })?;
    let spreads = [("deviation", Spread::Deviation), ("range", Spread::Range)];
    let by = at.read("attenuated_signal: by", &inner.by, |text| one_of(text, &spreads))?.unwrap_or(Spread::Deviation);
    let why = "so many values must lie in the window";
    let least = at.number("attenuated_signal: least", &inner.least, 1..=1_000_000, why)?;
    Ok(Some(AttenuatedSignal { levels, window, by, least: least.and_then(|least| u32::try_from(least).ok()) }))
}

fn climatology(
    at: &Section<'_>,
    section: &Spanned<ClimatologySection>,
    folder: &Path,
) -> Result<Climatology, ConfigError> {
    let inner = section.get_ref();
    let Some(file) = &inner.file else {
        let bands = inner.bands.as_ref().map_or(&[][..], |bands| bands.get_ref().as_slice());
        if bands.is_empty() {
            return Err(at.wrong(
                &section.span(),
                "climatology lacks file or bands; write climatology = { file = \"bands.csv\", variable = \"TA\", \
                 suspect = [\"p2_5\", \"p97_5\"] } or climatology = { bands = [{ months = [6, 8], suspect = [5, 30] }] }",
            ));
        }
        for (key, is_there) in [
            ("variable", inner.variable.is_some()),
            ("suspect", inner.suspect.is_some()),
            ("fail", inner.fail.is_some()),
            ("margin", inner.margin.is_some()),
        ] {
            if is_there {
                let problem =
                    format!("climatology: {key} belongs to file; with bands, write the limits in each of them");
                return Err(at.wrong(&section.span(), problem));
            }
        }
        return bands.iter().map(|band| member(at, band)).collect::<Result<_, _>>().map(Climatology::Members);
    };
    if let Some(bands) = &inner.bands {
        return Err(at.wrong(&bands.span(), "climatology: bands stands beside file; keep one of them"));
    }
    let variable = at.read("climatology: variable", &inner.variable, value::plain_text)?;
    let columns = |key: &str, found: &Texts| -> Result<Option<(String, String)>, ConfigError> {
        let Some(found) = found else { return Ok(None) };
        match found.get_ref().as_slice() {
            [low, high] => Ok(Some((low.get_ref().clone(), high.get_ref().clone()))),
            _ => Err(at.wrong(
                &found.span(),
                format!(
                    "climatology: {key} takes two column names of the file, the lower and the upper bound; write for example \
                     {key} = [\"p2_5\", \"p97_5\"]"
                ),
            )),
        }
    };
    let suspect = columns("suspect", &inner.suspect)?.ok_or_else(|| {
        at.wrong(
            &section.span(),
            "climatology lacks suspect, the columns of the lower and the upper bound; write suspect = [\"p2_5\", \"p97_5\"]",
        )
    })?;
    let fail = columns("fail", &inner.fail)?;
    let wanted = BandColumns {
        variable: variable.as_deref(),
        suspect: (&suspect.0, &suspect.1),
        fail: fail.as_ref().map(|(low, high)| (low.as_str(), high.as_str())),
        margin: positive(at, "climatology: margin", &inner.margin)?.unwrap_or(0.0),
    };
    let path = at.read("climatology: file", &inner.file, value::path_text)?.unwrap_or_default();
    let problem = |problem| at.wrong(&file.span(), format!("climatology: file \"{}\" {problem}", file.get_ref()));
    read_bins(&value::join(folder, &path), wanted).map(Climatology::Bins).map_err(problem)
}

fn member(at: &Section<'_>, band: &Spanned<BandSection>) -> Result<Member, ConfigError> {
    let inner = band.get_ref();
    let suspect = bounds(at, "climatology: bands: suspect", &inner.suspect)?.ok_or_else(|| {
        at.wrong(
            &band.span(),
            "climatology: bands: suspect is missing; write for example { months = [6, 8], suspect = [5, 30] }",
        )
    })?;
    let fail = bounds(at, "climatology: bands: fail", &inner.fail)?.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    if fail.0 > suspect.0 || fail.1 < suspect.1 {
        let problem = format!(
            "climatology: bands: suspect = {} does not lie inside fail = {}; narrow suspect, or write a wider fail",
            shown(suspect),
            shown(fail)
        );
        return Err(at.wrong(&band.span(), problem));
    }
    let dates = match &inner.dates {
        None => None,
        Some(dates) => {
            let read = |text: &Spanned<String>| {
                let text = text.get_ref();
                LocalTime::parse(text.as_bytes()).or_else(|| LocalTime::parse_with(text, "%Y-%m-%d"))
            };
            match dates.get_ref().iter().map(read).collect::<Vec<_>>()[..] {
                [Some(first), Some(last)] if first <= last => Some((first, last)),
                _ => {
                    return Err(at.wrong(
                        &dates.span(),
                        "climatology: bands: dates takes the first and the last instant; write for example dates = [\"2026-06-01\", \
                         \"2026-08-31 23:59:59\"]",
                    ));
                }
            }
        }
    };
    Ok(Member {
        dates,
        months: whole(at, "months", &inner.months, (1, 12))?,
        days: whole(at, "days", &inner.days, (1, 366))?,
        hours: whole(at, "hours", &inner.hours, (0, 23))?,
        band: Range { suspect, fail },
    })
}

fn whole(at: &Section<'_>, key: &str, found: &Whole, ends: (u16, u16)) -> Result<Option<(u16, u16)>, ConfigError> {
    let Some(found) = found else { return Ok(None) };
    let within = |number: i64| u16::try_from(number).ok().filter(|number| (ends.0..=ends.1).contains(number));
    match found.get_ref()[..] {
        [first, last] if within(first).is_some() && within(last).is_some() => Ok(within(first).zip(within(last))),
        _ => Err(at.wrong(
            &found.span(),
            format!(
                "climatology: bands: {key} takes the first and the last, each {} to {}; write for example {key} = [{}, {}]",
                ends.0, ends.1, ends.0, ends.1
            ),
        )),
    }
}

fn diagnostic(at: &Section<'_>, found: &ColumnSection) -> Result<Option<Diagnostic>, ConfigError> {
    let instrument = at.read("diagnostic", &found.diagnostic, |text| {
        Instrument::from_name(text).ok_or_else(|| {
            format!("is no instrument known here; write {}", any_of(&Instrument::names().collect::<Vec<_>>()))
        })
    })?;
    match (instrument, &found.governs) {
        (None, None) => Ok(None),
        (Some(instrument), Some(governs)) if !governs.get_ref().is_empty() => {
            if let Some(empty) = governs.get_ref().iter().find(|name| name.get_ref().trim().is_empty()) {
                let problem = "governs holds an empty name; write the columns' names as the file has them";
                return Err(at.wrong(&empty.span(), problem));
            }
            let governs = governs.get_ref().iter().map(|name| name.get_ref().clone()).collect();
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

/// Two spans of time, the second not shorter.
pub(super) fn times(
    at: &Section<'_>,
    key: &str,
    span: std::ops::Range<usize>,
    (suspect, fail): (&Text, &Text),
    example: &str,
) -> Result<Levels<Duration>, ConfigError> {
    let levels = Levels {
        suspect: at.read(&format!("{key}: suspect"), suspect, value::some_time)?,
        fail: at.read(&format!("{key}: fail"), fail, value::some_time)?,
    };
    at_least_one(at, key, span.clone(), &levels, example)?;
    match levels {
        Levels { suspect: Some(suspect), fail: Some(fail) } if fail < suspect => {
            Err(at.wrong(&span, format!("{key}: fail is shorter than suspect; swap them, or leave one out")))
        }
        levels => Ok(levels),
    }
}

/// A time gap of a table.
pub(super) fn time_gap(
    at: &Section<'_>,
    found: Option<&Spanned<TimesSection>>,
) -> Result<Option<Levels<Duration>>, ConfigError> {
    let Some(section) = found else { return Ok(None) };
    let inner = section.get_ref();
    times(at, "time_gap", section.span(), (&inner.suspect, &inner.fail), "time_gap = { suspect = \"10m\" }").map(Some)
}

/// Two thresholds, the second not smaller.
pub(super) fn rising(
    at: &Section<'_>,
    key: &str,
    span: std::ops::Range<usize>,
    suspect: &Number,
    fail: &Number,
    example: &str,
) -> Result<Levels<f64>, ConfigError> {
    let levels = Levels {
        suspect: positive(at, &format!("{key}: suspect"), suspect)?,
        fail: positive(at, &format!("{key}: fail"), fail)?,
    };
    at_least_one(at, key, span.clone(), &levels, example)?;
    match levels {
        Levels { suspect: Some(suspect), fail: Some(fail) } if fail < suspect => {
            Err(at.wrong(&span, format!("{key}: fail = {fail} is smaller than suspect = {suspect}; swap them")))
        }
        levels => Ok(levels),
    }
}

fn at_least_one<T>(
    at: &Section<'_>,
    key: &str,
    span: std::ops::Range<usize>,
    levels: &Levels<T>,
    example: &str,
) -> Result<(), ConfigError> {
    if levels.suspect.is_none() && levels.fail.is_none() {
        return Err(at.wrong(&span, format!("{key} has neither suspect nor fail; write for example {example}")));
    }
    Ok(())
}

fn positive(at: &Section<'_>, key: &str, found: &Number) -> Result<Option<f64>, ConfigError> {
    let Some(found) = found else { return Ok(None) };
    let number = *found.get_ref();
    if number.is_finite() && number > 0.0 {
        return Ok(Some(number));
    }
    Err(at.wrong(&found.span(), format!("{key} = {number} is no limit; write a number above 0, or leave it out")))
}

/// One or two bounds of a ratio or a range, fitted to each other.
pub(super) fn range_of(
    at: &Section<'_>,
    key: &str,
    span: std::ops::Range<usize>,
    suspect: &Numbers,
    fail: &Numbers,
    example: &str,
) -> Result<Range, ConfigError> {
    let everything = (f64::NEG_INFINITY, f64::INFINITY);
    let range = match (bounds(at, &format!("{key}: suspect"), suspect)?, bounds(at, &format!("{key}: fail"), fail)?) {
        (Some(suspect), fail) => Range { suspect, fail: fail.unwrap_or(everything) },
        (None, Some(fail)) => Range { suspect: fail, fail },
        (None, None) => {
            return Err(at.wrong(&span, format!("{key} has neither suspect nor fail; write for example {example}")));
        }
    };
    if range.fail.0 > range.suspect.0 || range.fail.1 < range.suspect.1 {
        let (suspect, fail) = (shown(range.suspect), shown(range.fail));
        return Err(at.wrong(
            &span,
            format!(
                "{key}: suspect = {suspect} does not lie inside fail = {fail}; narrow suspect, or write a wider fail"
            ),
        ));
    }
    Ok(range)
}
