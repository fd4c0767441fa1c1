//! AmeriFlux's test of the alignment of time stamps with the sun.
//!
//! Source: AMF-BASE-QAQC, `timestamp_alignment.py` and `qaqc_template.cfg`. For windows of fifteen days, the largest
//! light and the largest potential radiation of each half hour of the day are taken. Three points around sunrise and
//! three around sunset are skipped. Of the others, a point by day exceeds if it is above the potential, a point by
//! night if it is above the potential and above 10 W m-2. The lag is that of the largest correlation of the
//! concatenated windows. AmeriFlux searches within six hours; here half a day is searched, because a logger with the
//! time of another zone is off by more. Values that are shifted over the end are inserted again at the beginning: for a
//! year's windows this gives the same three decimals, and for a single window the lag would otherwise be biased towards
//! 0, because every step would lose a part of the night.

/// The largest values of fifteen days for each part of the day.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The measured light, W m-2; NaN where there is none.
    pub light: Vec<f64>,
    /// The potential radiation, W m-2.
    pub potential: Vec<f64>,
}

/// The result of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alignment {
    /// The percentage of the points by day that are above the potential.
    pub day: f64,
    /// The percentage of the points by night that are above 10 W m-2.
    pub night: f64,
    /// The number of parts of a day by which the light must be shifted to fit; negative if the light is late.
    pub lag: i32,
    /// The correlation at this lag, to three decimals.
    pub correlation: f64,
    /// The number of parts of a day.
    parts: usize,
}

impl Alignment {
    /// The minutes by which the light is late, according to the lag alone.
    #[allow(clippy::cast_precision_loss, reason = "parts of a day")]
    pub fn minutes(&self) -> f64 {
        f64::from(-self.lag) * 1_440.0 / self.parts as f64
    }
}

/// The limit of light at night, W m-2.
const NIGHT_LIGHT: f64 = 10.0;

/// None if a part of a window has no value, or if there is no window.
#[allow(clippy::cast_precision_loss, reason = "counts")]
pub fn align(windows: &[Window]) -> Option<Alignment> {
    let parts = windows.first()?.light.len();
    let (mut day, mut night) = (Counted::default(), Counted::default());
    for window in windows {
        let skipped = around_twilight(&window.potential);
        for ((light, potential), _) in
            window.light.iter().zip(&window.potential).zip(skipped).filter(|(_, is_skipped)| !is_skipped)
        {
            if *potential > 0.0 {
                day.add(light > potential);
            } else {
                night.add(light > potential && *light > NIGHT_LIGHT);
            }
        }
    }
    let light: Vec<f64> = windows.iter().flat_map(|window| window.light.iter().copied()).collect();
    let potential: Vec<f64> = windows.iter().flat_map(|window| window.potential.iter().copied()).collect();
    if parts == 0 || light.iter().chain(&potential).any(|value| value.is_nan()) {
        return None;
    }
    let (lag, correlation) = lag(&light, &potential, i32::try_from(parts / 2).ok()?)?;
    Some(Alignment { day: day.percent(), night: night.percent(), lag, correlation, parts })
}

#[derive(Default)]
struct Counted {
    all: u32,
    beyond: u32,
}

impl Counted {
    fn add(&mut self, is_beyond: bool) {
        self.all += 1;
        self.beyond += u32::from(is_beyond);
    }

    fn percent(&self) -> f64 {
        if self.all == 0 { 0.0 } else { f64::from(self.beyond) / f64::from(self.all) * 100.0 }
    }
}

/// Which points are around sunrise (the last of the night and two of the day) or around sunset (two of the day and the
/// first of the night). The days of the windows begin at solar midnight, so a daylight period is never divided.
fn around_twilight(potential: &[f64]) -> Vec<bool> {
    let mut skipped = vec![false; potential.len()];
    for first in 0..potential.len().saturating_sub(2) {
        let is_day = [potential[first], potential[first + 1], potential[first + 2]].map(|value| value > 0.0);
        if matches!(is_day, [false, true, true] | [true, true, false]) {
            skipped[first..first + 3].fill(true);
        }
    }
    skipped
}

/// The lag with the largest correlation, means removed, and that correlation.
#[allow(clippy::cast_precision_loss, reason = "counts")]
fn lag(light: &[f64], potential: &[f64], most: i32) -> Option<(i32, f64)> {
    let centred = |values: &[f64]| -> Vec<f64> {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| value - mean).collect()
    };
    let (light, potential) = (centred(light), centred(potential));
    let power = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>();
    let scale = (power(&light) * power(&potential)).sqrt();
    if scale <= 0.0 {
        return None;
    }
    let at = |lag: i32| {
        let shift = usize::try_from(lag.unsigned_abs()).unwrap_or(0);
        let (early, late) = if lag >= 0 { (&potential, &light) } else { (&light, &potential) };
        let sum: f64 = late.iter().zip(early.iter().cycle().skip(shift)).map(|(one, other)| one * other).sum();
        (sum / scale * 1_000.0).round() / 1_000.0
    };
    // The smallest lag of equal correlations.
    let lags = (0..=most).flat_map(|lag| [lag, -lag]);
    lags.map(|lag| (lag, at(lag))).reduce(|best, other| if other.1 > best.1 { other } else { best })
}
