//! Bands from a CSV file of percentiles, as AmeriFlux publishes them for a site.
//!
//! Twelve windows of thirty days, the last to the end of the year, by half hours of local standard time
//! (`diurnal_seasonal_pattern.py` in AMF-FLX/AMF-BASE-QAQC), or months by hours. A file is taken whole or not at all: an
//! error names the line.

use std::collections::HashMap;
use std::path::Path;

use super::{Bins, Windows};
use crate::ameriflux::Range;

/// Which columns of a CSV file make the bands of which variable.
#[derive(Debug, Clone, Copy)]
pub(super) struct BandColumns<'a> {
    pub(super) variable: Option<&'a str>,
    /// Lower and upper bound.
    pub(super) suspect: (&'a str, &'a str),
    /// Lower and upper bound; none: nothing fails.
    pub(super) fail: Option<(&'a str, &'a str)>,
    /// Widens every band on both sides, in the variable's unit.
    pub(super) margin: f64,
}

/// The band of one row of the file.
struct Row {
    /// From 0.
    window: usize,
    hour: f64,
    band: Range,
}

/// Reads the bands of one variable. An error is the end of a sentence that begins with the file's name.
pub(super) fn read_bins(path: &Path, wanted: BandColumns<'_>) -> Result<Bins, String> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|error| format!("cannot be read ({error}); write the path of a CSV file of bands"))?;
    let header = reader.headers().map_err(|error| format!("cannot be read ({error})"))?.clone();
    let known = header.iter().collect::<Vec<_>>().join(", ");
    let column = |name: &str| header.iter().position(|column| column == name);
    let place = |name: &str, key: &str| {
        column(name).ok_or_else(|| format!("has no column \"{name}\" for {key}; write one of its columns: {known}"))
    };
    let no_bands = |columns: &str| {
        format!("has no column {columns}; write the name of a file of bands (the columns of this one are {known})")
    };
    let (windows, window_at) = match (column("doy_window"), column("month")) {
        (Some(at), _) => (Windows::ThirtyDays, at),
        (_, Some(at)) => (Windows::Months, at),
        _ => return Err(no_bands("\"doy_window\" or \"month\"")),
    };
    let (hour_at, is_center) = match (column("hour_center"), column("hour")) {
        (Some(at), _) => (at, true),
        (_, Some(at)) => (at, false),
        _ => return Err(no_bands("\"hour_center\" or \"hour\"")),
    };
    let variable_at = wanted.variable.map(|_| place("variable", "variable")).transpose()?;
    let bounds_at = |key: &str, names: (&str, &str)| Ok::<_, String>((place(names.0, key)?, place(names.1, key)?));
    let suspect_at = bounds_at("suspect", wanted.suspect)?;
    let fail_at = wanted.fail.map(|fail| bounds_at("fail", fail)).transpose()?;
    let mut found: Vec<Row> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let line = row + 2;
        let record = record.map_err(|error| format!("line {line} cannot be read ({error})"))?;
        if let (Some(at), Some(variable)) = (variable_at, wanted.variable) {
            let named = record.get(at).unwrap_or_default();
            if named != variable {
                if !others.iter().any(|other| other == named) {
                    others.push(named.to_owned());
                }
                continue;
            }
        }
        let number = |at: usize| -> Result<Option<f64>, String> {
            let text = record.get(at).unwrap_or_default();
            if text.is_empty() || text.eq_ignore_ascii_case("nan") || text == "-9999" {
                return Ok(None);
            }
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            number.map(Some).ok_or_else(|| format!("line {line}: \"{text}\" is no number"))
        };
        let window = number(window_at)?.filter(|window| (1.0..=12.0).contains(window) && window.fract() == 0.0);
        let window = window.ok_or_else(|| format!("line {line}: windows and months count from 1 to 12"))?;
        let hour = number(hour_at)?.filter(|hour| (0.0..24.0).contains(hour));
        let hour = hour.ok_or_else(|| format!("line {line}: hours run from 0 to 24"))?;
        let bounds = |at: (usize, usize)| -> Result<Option<(f64, f64)>, String> {
            let (Some(low), Some(high)) = (number(at.0)?, number(at.1)?) else { return Ok(None) };
            if low > high {
                return Err(format!("line {line}: the lower bound {low} lies above the upper bound {high}"));
            }
            Ok(Some((low - wanted.margin, high + wanted.margin)))
        };
        let Some(suspect) = bounds(suspect_at)? else { continue };
        let fail = match fail_at {
            Some(at) => bounds(at)?.unwrap_or((f64::NEG_INFINITY, f64::INFINITY)),
            None => (f64::NEG_INFINITY, f64::INFINITY),
        };
        if fail.0 > suspect.0 || fail.1 < suspect.1 {
            return Err(format!(
                "line {line}: the suspect bounds do not lie inside the fail bounds; write wider columns in fail"
            ));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be 1 to 12")]
        found.push(Row { window: window as usize - 1, hour, band: Range { suspect, fail } });
    }
    if found.is_empty() {
        let variable = wanted.variable.unwrap_or_default();
        return Err(format!("has no band for variable = \"{variable}\"; write one that it has: {}", others.join(", ")));
    }
    bins(windows, is_center, &found)
}

fn bins(windows: Windows, is_center: bool, found: &[Row]) -> Result<Bins, String> {
    let mut hours: Vec<f64> = found.iter().map(|row| row.hour).collect();
    hours.sort_by(f64::total_cmp);
    hours.dedup();
    let steps = hours.len();
    #[allow(clippy::cast_precision_loss, reason = "a day has few steps")]
    let width = 24.0 / steps as f64;
    let begins = if is_center { width / 2.0 } else { 0.0 };
    #[allow(clippy::cast_precision_loss, reason = "a day has few steps")]
    let even = hours.iter().enumerate().all(|(step, hour)| (hour - begins - width * step as f64).abs() < 0.01);
    if !even {
        return Err("does not cut the day into equal steps; give every hour or half hour of the day".to_owned());
    }
    let step_of: HashMap<u64, usize> = hours.iter().enumerate().map(|(step, hour)| (hour.to_bits(), step)).collect();
    let mut bands = vec![None; 12 * steps];
    for Row { window, hour, band } in found {
        let step = step_of.get(&hour.to_bits()).copied().unwrap_or_default();
        if bands[window * steps + step].replace(*band).is_some() {
            return Err(format!("has two bands for window {} and hour {hour}", window + 1));
        }
    }
    Ok(Bins { windows, steps, bands })
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::qc::climatology::{Climatology, Season};
    use crate::time::LocalTime;
    use std::io::Write as _;

    fn season(text: &str) -> Season {
        Season::of(LocalTime::parse(text.as_bytes()).unwrap())
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    const WANTED: BandColumns<'_> =
        BandColumns { variable: Some("TA"), suspect: ("p2_5", "p97_5"), fail: None, margin: 0.0 };

    #[test]
    fn a_file_of_percentiles_gives_a_band_per_window_and_step() {
        let mut text = "variable,doy_window,hour_center,p2_5,p97_5\nRH,1,0.5,0,1\n".to_owned();
        for window in 1..=12 {
            for hour in 0..24 {
                text.push_str(&format!("TA,{window},{}.5,{},{}\n", hour, window * 100 + hour, window * 100 + hour + 1));
            }
        }
        let bins = Climatology::Bins(read_bins(file(&text).path(), WANTED).unwrap());
        let low = |text: &str| bins.band(&season(text)).unwrap().suspect.0;
        assert_eq!(low("2026-01-01 00:00:05"), 100.0);
        assert_eq!(low("2026-01-01 01:00:00"), 100.0, "a stamp is the end of its interval");
        assert_eq!(low("2026-01-31 00:00:00"), 123.0, "midnight ends the day before");
        assert_eq!(low("2026-01-31 02:00:00"), 201.0);
        assert_eq!(low("2026-12-31 12:30:00"), 1212.0, "the last window holds the rest of the year");
    }

    #[test]
    fn a_window_without_a_band_says_nothing() {
        let bins = read_bins(file("variable,month,hour,p2_5,p97_5\nTA,7,0,1,2\nTA,7,12,1,2\n").path(), WANTED).unwrap();
        let bins = Climatology::Bins(bins);
        assert!(bins.band(&season("2026-07-04 23:00:00")).is_some());
        assert!(bins.band(&season("2026-08-04 23:00:00")).is_none());
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_line() {
        let wrong = |text: &str| read_bins(file(text).path(), WANTED).unwrap_err();
        assert!(wrong("variable,month,hour,p2_5\n").contains("no column \"p97_5\""));
        assert!(wrong("variable,month,hour,p2_5,p97_5\nRH,1,0,1,2\n").contains("it has: RH"));
        assert!(wrong("variable,month,hour,p2_5,p97_5\nTA,13,0,1,2\n").starts_with("line 2"));
        assert!(wrong("variable,month,hour,p2_5,p97_5\nTA,1,0,3,2\n").contains("lies above"));
        assert!(wrong("variable,month,hour,p2_5,p97_5\nTA,1,0,1,2\nTA,1,7,1,2\n").contains("equal steps"));
        assert!(wrong("variable,month,hour,p2_5,p97_5\nTA,1,0,x,2\n").contains("\"x\" is no number"));
    }
}
