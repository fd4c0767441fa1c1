//! Reads bands from CSV files of percentiles, as AmeriFlux publishes them for a site.
//!
//! The year is divided into twelve windows of thirty days, the last to the end of the year, and the day into half hours
//! of local standard time (`diurnal_seasonal_pattern.py` in AMF-FLX/AMF-BASE-QAQC). There is one file for each
//! percentile, with a column for each variable ([`Published`]), or one file with a row for each variable and a column
//! for each percentile, which may also be by months and hours. A file is accepted as a whole or not at all: an error
//! names the line.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::{Bins, Windows};
use crate::ameriflux::Range;

/// The columns of a CSV file that form the bands of a variable.
#[derive(Debug, Clone, Copy)]
pub(super) struct BandColumns<'a> {
    pub(super) variable: Option<&'a str>,
    /// The columns of the lower and the upper bound.
    pub(super) suspect: (&'a str, &'a str),
    /// The columns of the lower and the upper bound; None: nothing fails.
    pub(super) fail: Option<(&'a str, &'a str)>,
    /// A margin that widens every band on both sides, in the variable's unit.
    pub(super) margin: f64,
}

/// The endings of the names of the files that AmeriFlux publishes for a site: 2.5, 25, 50, 75 and 97.5 %.
const PERCENTILES: [&str; 5] = ["LOWER2", "LOWER1", "MEDIAN", "UPPER1", "UPPER2"];

/// The files that AmeriFlux publishes for a site, such as `US-UMB_HH_23-5_LOWER2.csv` and the four other percentiles.
#[derive(Debug)]
pub(super) struct Published<'a> {
    folder: &'a Path,
    /// The part of the name before the percentile.
    beginning: String,
}

impl<'a> Published<'a> {
    /// The band outside which AmeriFlux counts values.
    pub(super) const BAND: (&'static str, &'static str) = ("LOWER2", "UPPER2");

    /// The files, by the path of one of them. None if the path is not of this form.
    pub(super) fn of(path: &'a Path) -> Option<Published<'a>> {
        let name = path.file_name()?.to_str()?.strip_suffix(".csv")?;
        let beginning = PERCENTILES.iter().find_map(|percentile| name.strip_suffix(percentile))?;
        let is_published = beginning.ends_with('_');
        is_published
            .then(|| Published { folder: path.parent().unwrap_or(Path::new("")), beginning: beginning.to_owned() })
    }

    /// Reads the bands of one variable, each bound from the file of its percentile.
    pub(super) fn read_bins(&self, wanted: BandColumns<'_>) -> Result<Bins, String> {
        let variable = wanted.variable.ok_or(
            "is one of AmeriFlux's files, and variable is missing; write the name of its column, such as variable = \"TA\"",
        )?;
        let suspect = (self.percentile(wanted.suspect.0, variable)?, self.percentile(wanted.suspect.1, variable)?);
        let fail = match wanted.fail {
            Some((low, high)) => Some((self.percentile(low, variable)?, self.percentile(high, variable)?)),
            None => None,
        };
        let mut found = Vec::new();
        for (at, low) in &suspect.0 {
            let Some(high) = suspect.1.get(at) else { continue };
            let fail = fail.as_ref().and_then(|(low, high)| Some((*low.get(at)?, *high.get(at)?)));
            let hour = f64::from_bits(at.1);
            let place = format!("window {} and hour {hour}", at.0 + 1);
            found.push(Row { window: at.0, hour, band: band(&place, (*low, *high), fail, wanted.margin)? });
        }
        if found.is_empty() {
            return Err(format!("has no band for variable = \"{variable}\""));
        }
        // As AmeriFlux publishes them: local standard time.
        bins(Windows::ThirtyDays, true, &found).map(|bins| Bins { is_standard_time: true, ..bins })
    }

    /// The values of a variable in the file of a percentile, by window and hour.
    fn percentile(&self, percentile: &str, variable: &str) -> Result<BTreeMap<(usize, u64), f64>, String> {
        if !PERCENTILES.contains(&percentile) {
            return Err(format!(
                "is one of AmeriFlux's files, which are named by {}; \"{percentile}\" is none of them",
                PERCENTILES.join(", ")
            ));
        }
        let name = format!("{}{percentile}.csv", self.beginning);
        let mut reader =
            reader(&self.folder.join(&name)).map_err(|error| format!("needs {name} beside it, which {error}"))?;
        let header = reader.headers().map_err(|error| format!("needs {name}, which cannot be read ({error})"))?.clone();
        let column = |wanted: &str| {
            header.iter().position(|column| column == wanted).ok_or_else(|| {
                let variables: Vec<&str> = header.iter().filter(|column| !PLACES.contains(column)).collect();
                format!("has no column \"{wanted}\" in {name}; its variables are {}", variables.join(", "))
            })
        };
        let (window_at, hour_at, value_at) = (column(PLACES[0])?, column(PLACES[1])?, column(variable)?);
        let mut found = BTreeMap::new();
        for (row, record) in reader.records().enumerate() {
            let place = format!("{name}, line {}", row + 2);
            let record = record.map_err(|error| format!("needs {place}, which cannot be read ({error})"))?;
            let text = |at: usize| record.get(at).unwrap_or_default();
            let (window, hour) = (window(&place, text(window_at))?, hour(&place, text(hour_at))?);
            if let Some(value) = number(&place, text(value_at))?
                && found.insert((window, hour.to_bits()), value).is_some()
            {
                return Err(format!("{place}: window {} and hour {hour} stand twice", window + 1));
            }
        }
        Ok(found)
    }
}

/// The columns of the window and of the hour in AmeriFlux's files.
const PLACES: [&str; 2] = ["DOY2", "HR2"];

/// One row of the file with its band.
struct Row {
    /// The window, counted from 0.
    window: usize,
    hour: f64,
    band: Range,
}

/// Reads the bands of one variable. An error is the rest of a sentence that begins with the file's name.
pub(super) fn read_bins(path: &Path, wanted: BandColumns<'_>) -> Result<Bins, String> {
    let mut reader = reader(path)?;
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
        let place = format!("line {line}");
        let text = |at: usize| record.get(at).unwrap_or_default();
        let (window, hour) = (window(&place, text(window_at))?, hour(&place, text(hour_at))?);
        let bounds = |at: (usize, usize)| -> Result<Option<(f64, f64)>, String> {
            Ok(number(&place, text(at.0))?.zip(number(&place, text(at.1))?))
        };
        let Some(suspect) = bounds(suspect_at)? else { continue };
        let fail = fail_at.map(bounds).transpose()?.flatten();
        found.push(Row { window, hour, band: band(&place, suspect, fail, wanted.margin)? });
    }
    if found.is_empty() {
        let variable = wanted.variable.unwrap_or_default();
        return Err(format!("has no band for variable = \"{variable}\"; write one that it has: {}", others.join(", ")));
    }
    bins(windows, is_center, &found)
}

fn reader(path: &Path) -> Result<csv::Reader<std::fs::File>, String> {
    let reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path);
    reader.map_err(|error| format!("cannot be read ({error}); write the path of a CSV file of bands"))
}

/// The number in a cell; None if the cell means that there is none.
fn number(place: &str, text: &str) -> Result<Option<f64>, String> {
    if text.is_empty() || text.eq_ignore_ascii_case("nan") || text == "-9999" {
        return Ok(None);
    }
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.map(Some).ok_or_else(|| format!("{place}: \"{text}\" is no number"))
}

/// A window or a month, counted from 0.
fn window(place: &str, text: &str) -> Result<usize, String> {
    let window = number(place, text)?.filter(|window| (1.0..=12.0).contains(window) && window.fract() == 0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be 1 to 12")]
    let window = window.map(|window| window as usize - 1);
    window.ok_or_else(|| format!("{place}: windows and months count from 1 to 12"))
}

fn hour(place: &str, text: &str) -> Result<f64, String> {
    let hour = number(place, text)?.filter(|hour| (0.0..24.0).contains(hour));
    hour.ok_or_else(|| format!("{place}: hours run from 0 to 24"))
}

/// The band of a row, widened by the margin; nothing fails without `fail`.
fn band(place: &str, suspect: (f64, f64), fail: Option<(f64, f64)>, margin: f64) -> Result<Range, String> {
    let widened = |(low, high): (f64, f64)| {
        if low > high {
            return Err(format!("{place}: the lower bound {low} lies above the upper bound {high}"));
        }
        Ok((low - margin, high + margin))
    };
    let suspect = widened(suspect)?;
    let fail = fail.map(widened).transpose()?.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    if fail.0 > suspect.0 || fail.1 < suspect.1 {
        return Err(format!(
            "{place}: the suspect bounds do not lie inside the fail bounds; write wider columns in fail"
        ));
    }
    Ok(Range { suspect, fail })
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
    Ok(Bins { windows, is_standard_time: false, steps, bands })
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;
    use crate::qc::climatology::{Climatology, Season};
    use crate::time::StationClock;
    use std::io::Write as _;

    fn season(text: &str) -> Season {
        let clock = StationClock::Fixed(chrono::FixedOffset::west_opt(5 * 3600).unwrap());
        Season::of(&clock, crate::time::parse_instant(text, &clock).unwrap())
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

    /// Writes a file in the form of `diurnal_seasonal_range/` of AMF-FLX/AMF-BASE-QAQC, with two variables.
    fn publish(folder: &Path, percentile: &str, by: f64) {
        let mut text = "DOY2,HR2,USTAR,TA_1_2_1\n".to_owned();
        for window in 1..=12 {
            for step in 0..48 {
                let value = f64::from(window) * 100.0 + f64::from(step) + by;
                text.push_str(&format!("{window},{},0.1,{value}\n", f64::from(step) * 0.5 + 0.25));
            }
        }
        std::fs::write(folder.join(format!("US-UMB_HH_23-5_{percentile}.csv")), text).unwrap();
    }

    #[test]
    fn amerifluxs_files_are_in_standard_time_in_summer_too_and_other_files_by_the_stations_clock() {
        let folder = tempfile::tempdir().unwrap();
        for (percentile, by) in [("LOWER2", -10.0), ("UPPER2", 10.0)] {
            publish(folder.path(), percentile, by);
        }
        let path = folder.path().join("US-UMB_HH_23-5_UPPER2.csv");
        let wanted = BandColumns { variable: Some("TA_1_2_1"), suspect: Published::BAND, fail: None, margin: 0.0 };
        let published = Climatology::Bins(Published::of(&path).unwrap().read_bins(wanted).unwrap());
        let mut own = "variable,doy_window,hour_center,p2_5,p97_5\n".to_owned();
        for (window, hour) in (1..=12).flat_map(|window| (0..24).map(move |hour| (window, hour))) {
            own.push_str(&format!("TA,{window},{hour}.5,{hour},99\n"));
        }
        let own = Climatology::Bins(read_bins(file(&own).path(), WANTED).unwrap());
        let detroit = StationClock::Zone(chrono_tz::America::Detroit);
        let low = |bands: &Climatology, utc: &str| {
            let season = Season::of(&detroit, crate::time::parse_instant(utc, &detroit).unwrap());
            bands.band(&season).unwrap().suspect.0
        };
        // 12:00 to 12:30 EST is the 25th half hour, and 13:00 to 13:30 by a clock with summer time.
        assert_eq!(low(&published, "2026-07-20T17:30:00Z"), 714.0);
        assert_eq!(low(&own, "2026-07-20T17:30:00Z"), 13.0);
        assert_eq!(low(&published, "2026-01-10T17:30:00Z"), 114.0);
        assert_eq!(low(&own, "2026-01-10T17:30:00Z"), 12.0);
    }

    #[test]
    fn the_files_that_ameriflux_publishes_for_a_site_are_read_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        for (percentile, by) in [("LOWER2", -10.0), ("LOWER1", -5.0), ("UPPER1", 5.0), ("UPPER2", 10.0)] {
            publish(folder.path(), percentile, by);
        }
        let path = folder.path().join("US-UMB_HH_23-5_UPPER1.csv");
        let published = Published::of(&path).unwrap();
        let wanted = BandColumns { variable: Some("TA_1_2_1"), suspect: Published::BAND, fail: None, margin: 2.0 };
        let bins = Climatology::Bins(published.read_bins(wanted).unwrap());
        let band = |text: &str| bins.band(&season(text)).unwrap();
        // 14:00 to 14:30 is the 29th half hour; the first of February is day 32, in the second window.
        assert_eq!(band("2026-02-01 14:30:00").suspect, (216.0, 240.0));
        assert_eq!(band("2026-02-01 14:30:00").fail, (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(band("2026-12-31 23:59:00").suspect, (1_235.0, 1_259.0));
        let both = BandColumns { suspect: ("LOWER1", "UPPER1"), fail: Some(Published::BAND), ..wanted };
        let both = Climatology::Bins(published.read_bins(both).unwrap());
        let of = |text: &str| both.band(&season(text)).unwrap();
        assert_eq!((of("2026-01-01 00:30:00").suspect, of("2026-01-01 00:30:00").fail), ((93.0, 107.0), (88.0, 112.0)));
        let refused = |wanted: BandColumns<'_>| published.read_bins(wanted).unwrap_err();
        assert!(refused(BandColumns { variable: Some("TA"), ..wanted }).contains("its variables are USTAR, TA_1_2_1"));
        assert!(refused(BandColumns { variable: None, ..wanted }).contains("variable is missing"));
        assert!(refused(BandColumns { suspect: ("LOWER2", "p97_5"), ..wanted }).contains("\"p97_5\" is none of them"));
        let missing = refused(BandColumns { suspect: ("MEDIAN", "UPPER2"), ..wanted });
        assert!(missing.contains("needs US-UMB_HH_23-5_MEDIAN.csv beside it"), "{missing}");
        for name in ["bands.csv", "LOWER2.csv", "US-UMB_LOWER2.txt", "US-UMB_LOWER3.csv"] {
            assert!(Published::of(Path::new(name)).is_none(), "{name}");
        }
    }
}
