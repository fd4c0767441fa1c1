//! Turbulence statistics of one window of sonic scans, for a quick look; they are not fluxes for publication.
//!
//! They are block averages without detrending, population covariances, and the double rotation, computed from sums of
//! products alone: the rotated covariances follow from the unrotated ones, so the scans are read once. [`Quick::notes`]
//! says what is not corrected: no lag, no spectral and no density correction, and the sonic temperature in place of the
//! air temperature. (EddyPro with "Express" settings uses the same rotation; docs/half-hours.md.)

use super::Shape;
use super::kind::direction;

/// The specific gas constant of dry air, J kg-1 K-1.
const GAS: f64 = 287.05;
/// The heat capacity of air at constant pressure, J kg-1 K-1.
const HEAT: f64 = 1_005.0;
const ZERO_CELSIUS: f64 = 273.15;

/// The columns of a sonic anemometer's scans, by position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scans {
    /// The two horizontal wind components, the vertical one, and the sonic temperature in °C.
    pub wind: [usize; 4],
    /// Densities of gases.
    pub gases: Vec<usize>,
}

/// A value that is computed from a sonic anemometer's scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quick {
    /// The mean wind speed along the mean wind.
    Speed,
    /// The direction of the mean wind in the sonic's own coordinates, like `WD_SONIC` of EasyFlux: atan2(Uy, Ux). The
    /// sonic's azimuth minus this is the direction from which the wind comes.
    Direction,
    /// Friction velocity.
    FrictionVelocity,
    /// Standard deviation of the vertical wind.
    VerticalSpread,
    /// Covariance of vertical wind and sonic temperature.
    KinematicHeat,
    /// Sensible heat from the sonic temperature; needs the air pressure.
    Heat,
    /// Momentum flux; needs the air pressure.
    Momentum,
    /// Covariance of vertical wind and the density of the gas of this index.
    Gas(usize),
}

impl Quick {
    /// The name for the logger's header. `names` are those of the gases.
    pub fn name(self, gases: &[&str]) -> String {
        match self {
            Quick::Speed => "WS_quick".to_owned(),
            Quick::Direction => "WD_quick_sonic".to_owned(),
            Quick::FrictionVelocity => "USTAR_quick".to_owned(),
            Quick::VerticalSpread => "W_SIGMA_quick".to_owned(),
            Quick::KinematicHeat => "w_Ts_quick".to_owned(),
            Quick::Heat => "H_quick".to_owned(),
            Quick::Momentum => "TAU_quick".to_owned(),
            Quick::Gas(at) => format!("w_{}_quick", gases.get(at).copied().unwrap_or("gas")),
        }
    }

    /// The unit. `gases` are the units of the gases' densities.
    pub fn unit(self, gases: &[&str]) -> String {
        match self {
            Quick::Speed | Quick::FrictionVelocity | Quick::VerticalSpread => "m s-1".to_owned(),
            Quick::Direction => "deg in sonic coordinates".to_owned(),
            Quick::KinematicHeat => "K m s-1".to_owned(),
            Quick::Heat => "W m-2".to_owned(),
            Quick::Momentum => "kg m-1 s-2".to_owned(),
            Quick::Gas(at) => format!("{} m s-1", gases.get(at).copied().unwrap_or_default()).trim().to_owned(),
        }
    }

    /// What the value is, and which corrections it does not include.
    pub fn notes(self) -> &'static str {
        match self {
            Quick::Speed => "wind speed of the sonic",
            Quick::Direction => "wind direction in sonic coordinates, no compass",
            Quick::FrictionVelocity => "u*, quick look: without spectral correction",
            Quick::VerticalSpread => "standard deviation of vertical wind, quick look",
            Quick::KinematicHeat => "w'Ts', quick look: sonic temperature, without corrections",
            Quick::Heat => "H from w'Ts', quick look: holds about 0.06 LE, without corrections",
            Quick::Momentum => "TAU, quick look: without spectral correction",
            Quick::Gas(_) => "w'ρc', no flux: without density and spectral corrections",
        }
    }

    /// All values for this number of gases; those that need the air pressure only if it is given.
    pub fn all(gases: usize, has_pressure: bool) -> Vec<Quick> {
        let mut all =
            vec![Quick::Speed, Quick::Direction, Quick::FrictionVelocity, Quick::VerticalSpread, Quick::KinematicHeat];
        if has_pressure {
            all.extend([Quick::Heat, Quick::Momentum]);
        }
        all.extend((0..gases).map(Quick::Gas));
        all
    }
}

/// The sums of four quantities relative to their first values, and of their products.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: u32,
    around: [f64; 4],
    sums: [f64; 4],
    products: [[f64; 4]; 4],
}

impl Moments {
    #[inline]
    fn add(&mut self, values: [f64; 4]) {
        if self.count == 0 {
            self.around = values;
        }
        self.count += 1;
        let mut apart = [0.0; 4];
        for ((apart, value), around) in apart.iter_mut().zip(values).zip(self.around) {
            *apart = value - around;
        }
        for (one, (sum, row)) in apart.iter().zip(self.sums.iter_mut().zip(&mut self.products)) {
            *sum += one;
            for (other, product) in apart.iter().zip(row) {
                *product += one * other;
            }
        }
    }

    fn means(&self) -> [f64; 4] {
        let mut means = self.around;
        for (mean, sum) in means.iter_mut().zip(self.sums) {
            *mean += sum / f64::from(self.count);
        }
        means
    }

    /// The population covariance of two quantities. Each is a weighted sum of the first three quantities and the
    /// fourth.
    fn covariance(&self, one: [f64; 4], other: [f64; 4]) -> f64 {
        let count = f64::from(self.count);
        let mut sum = 0.0;
        for (at, first) in one.iter().enumerate() {
            for (to, second) in other.iter().enumerate() {
                let mean = self.sums[at] / count * (self.sums[to] / count);
                sum += first * second * (self.products[at][to] / count - mean);
            }
        }
        sum
    }
}

/// The state while the scans of a window are added.
#[derive(Debug, Clone)]
pub struct Turbulence<'s> {
    scans: &'s Scans,
    /// The moments of u, v, w and Ts.
    wind: Moments,
    /// The moments of u, v, w and each gas, from scans that have all of them.
    gases: Vec<Moments>,
}

impl<'s> Turbulence<'s> {
    /// The state before the first scan.
    pub fn new(scans: &'s Scans) -> Turbulence<'s> {
        Turbulence { scans, wind: Moments::default(), gases: vec![Moments::default(); scans.gases.len()] }
    }

    /// Adds a scan. A scan without a wind component or the temperature is not counted.
    #[inline]
    pub fn add(&mut self, row: &impl Shape) {
        let wind = self.scans.wind.map(|place| row.number(place));
        if wind.iter().any(|value| value.is_nan()) {
            return;
        }
        self.wind.add(wind);
        for (place, moments) in self.scans.gases.iter().zip(&mut self.gases) {
            let gas = row.number(*place);
            if !gas.is_nan() {
                moments.add([wind[0], wind[1], wind[2], gas]);
            }
        }
    }

    /// A value and the number of its scans; `pressure` in kPa.
    pub fn value(&self, quick: Quick, pressure: Option<f64>) -> (Option<f64>, u32) {
        let of = match quick {
            Quick::Gas(at) => self.gases.get(at).copied().unwrap_or_default(),
            _ => self.wind,
        };
        // Two scans are too few for a covariance.
        if of.count < 2 {
            return (None, of.count);
        }
        let [u, v, w, temperature] = self.wind.means();
        let level = u.hypot(v);
        let (sin, cos) = if level > 0.0 { (v / level, u / level) } else { (0.0, 1.0) };
        let whole = level.hypot(w);
        let (rise, run) = if whole > 0.0 { (w / whole, level / whole) } else { (0.0, 1.0) };
        let along = [run * cos, run * sin, rise, 0.0];
        let across = [-sin, cos, 0.0, 0.0];
        let up = [-rise * cos, -rise * sin, run, 0.0];
        let fourth = [0.0, 0.0, 0.0, 1.0];
        let drag = || self.wind.covariance(along, up).hypot(self.wind.covariance(across, up));
        let density = pressure.map(|pressure| pressure * 1_000.0 / (GAS * (temperature + ZERO_CELSIUS)));
        let value = match quick {
            Quick::Speed => Some(whole),
            Quick::Direction => direction(v, u, 1.0),
            Quick::FrictionVelocity => Some(drag().sqrt()),
            Quick::VerticalSpread => Some(self.wind.covariance(up, up).max(0.0).sqrt()),
            Quick::KinematicHeat => Some(self.wind.covariance(up, fourth)),
            Quick::Heat => density.map(|density| density * HEAT * self.wind.covariance(up, fourth)),
            Quick::Momentum => density.map(|density| -density * drag()),
            Quick::Gas(_) => Some(of.covariance(up, fourth)),
        };
        (value.filter(|value| value.is_finite()), of.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scan([f64; 5]);

    impl Shape for Scan {
        fn number(&self, place: usize) -> f64 {
            self.0[place]
        }

        fn text(&self, _place: usize) -> Option<String> {
            None
        }
    }

    /// Expected values for 1,800 scans, computed with numpy.
    #[test]
    fn the_double_rotation_of_a_known_wind_gives_its_covariances() {
        let scans = Scans { wind: [0, 1, 2, 3], gases: vec![4] };
        let mut turbulence = Turbulence::new(&scans);
        for n in 0..1_800 {
            let part = |scans: f64| std::f64::consts::TAU * f64::from(n) / scans;
            let u = 3.0 + 0.5 * part(100.0).sin() + 0.2 * part(20.0).sin();
            let v = 1.0 + 0.3 * part(60.0).cos();
            let w = 0.10 - 0.15 * part(100.0).sin() + 0.05 * part(60.0).cos() + 0.10 * part(25.0).cos();
            let ts = 20.0 + 0.4 * part(25.0).cos() - 0.2 * part(100.0).sin();
            turbulence.add(&Scan([u, v, w, ts, 700.0 - 5.0 * part(25.0).cos()]));
        }
        let of = |quick| turbulence.value(quick, Some(98.0)).0.unwrap();
        for (quick, wanted, digits) in [
            (Quick::Speed, 3.163_858, 1e-6),
            (Quick::FrictionVelocity, 0.204_659, 1e-6),
            (Quick::VerticalSpread, 0.140_411, 1e-6),
            (Quick::KinematicHeat, 0.036_482, 1e-6),
            (Quick::Heat, 42.699, 1e-3),
            (Quick::Momentum, -1.164_60 * 0.204_659 * 0.204_659, 1e-5),
            (Quick::Gas(0), -0.249_875, 1e-6),
            (Quick::Direction, 18.434_9, 1e-4),
        ] {
            assert!((of(quick) - wanted).abs() <= digits, "{quick:?}: {} for {wanted}", of(quick));
        }
        let [along, across] = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]];
        let up = [0.0, 0.0, 1.0, 0.0];
        for (one, other, wanted) in [(along, up, -0.037_5), (across, up, 0.007_5), (up, [0.0, 0.0, 0.0, 1.0], 0.035)] {
            assert!((turbulence.wind.covariance(one, other) - wanted).abs() < 1e-6);
        }
    }

    #[test]
    fn a_scan_that_lacks_a_part_of_the_wind_does_not_count_and_one_that_lacks_the_gas_counts_for_the_wind() {
        let scans = Scans { wind: [0, 1, 2, 3], gases: vec![4] };
        let mut turbulence = Turbulence::new(&scans);
        for scan in [
            [1.0, 0.0, 0.1, 20.0, 700.0],
            [2.0, 0.5, f64::NAN, 21.0, 701.0],
            [3.0, 0.1, -0.1, 20.5, f64::NAN],
            [2.5, 0.2, 0.2, 20.1, 702.0],
        ] {
            turbulence.add(&Scan(scan));
        }
        assert_eq!(turbulence.value(Quick::Speed, None).1, 3);
        assert_eq!(turbulence.value(Quick::Gas(0), None).1, 2);
        assert_eq!(turbulence.value(Quick::Heat, None).0, None, "without the air pressure there is no density");
    }
}
