//! The kinds of quantities, and how values of each kind are combined.

use std::collections::HashMap;

use super::named::Named;
use super::{Aggregate, Process};
use crate::ameriflux;
use crate::ameriflux::unit;

/// The kind of a column's values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// A quantity whose mean describes a longer time.
    #[default]
    Linear,
    /// Degrees of a circle: 359 and 1 are two apart, and their mean is 0.
    Direction,
    /// The sum over the row's interval, such as rain.
    Total,
    /// A sum since the instrument was reset.
    Counter,
    /// The largest value of the row's interval.
    Maximum,
    /// The smallest value of the row's interval.
    Minimum,
    /// A standard deviation over the row's interval.
    Deviation,
    /// A covariance over the row's interval.
    Covariance,
    /// A text, a bit field or a time, which cannot be used in calculations.
    Code,
}

/// How values are drawn over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// As a line.
    Line,
    /// As points: a line through north would cross the whole circle, and there is nothing between two codes.
    Points,
    /// As bars from 0: each is the sum over its time.
    Bars,
}

impl Drawing {
    /// The name in the page's JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Drawing::Line => "line",
            Drawing::Points => "points",
            Drawing::Bars => "bars",
        }
    }
}

/// Every kind, with its name in the configuration.
const NAMES: [(&str, Kind); 9] = {
    const ALL: [Kind; 9] = [
        Kind::Linear,
        Kind::Direction,
        Kind::Total,
        Kind::Counter,
        Kind::Maximum,
        Kind::Minimum,
        Kind::Deviation,
        Kind::Covariance,
        Kind::Code,
    ];
    let mut names = [("", Kind::Linear); 9];
    let mut at = 0;
    while at < ALL.len() {
        names[at] = (ALL[at].name(), ALL[at]);
        at += 1;
    }
    names
};

/// The degrees of a full circle.
pub const CIRCLE: f64 = 360.0;
/// The shortest resultant of unit vectors with a direction: a shorter one is the rounding error of opposite vectors.
const NO_DIRECTION: f64 = 1e-9;

impl Kind {
    /// Every kind, with its name in the configuration.
    pub const fn names() -> &'static [(&'static str, Kind)] {
        &NAMES
    }

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Linear => "linear",
            Kind::Direction => "direction",
            Kind::Total => "total",
            Kind::Counter => "counter",
            Kind::Maximum => "maximum",
            Kind::Minimum => "minimum",
            Kind::Deviation => "deviation",
            Kind::Covariance => "covariance",
            Kind::Code => "code",
        }
    }

    /// How its values are combined. The deviation and the covariance of a longer time do not follow from those of its
    /// parts alone, because the differences between the means of the parts contribute too.
    pub const fn aggregate(self) -> Aggregate {
        match self {
            Kind::Linear | Kind::Covariance => Aggregate::Mean,
            Kind::Deviation => Aggregate::RootMeanSquare,
            Kind::Direction => Aggregate::VectorMean,
            Kind::Total => Aggregate::Sum,
            Kind::Counter => Aggregate::Increments,
            Kind::Maximum => Aggregate::Maximum,
            Kind::Minimum => Aggregate::Minimum,
            Kind::Code => Aggregate::Last,
        }
    }

    /// How its values are drawn over time.
    pub const fn drawing(self) -> Drawing {
        match self {
            Kind::Direction | Kind::Code => Drawing::Points,
            Kind::Total | Kind::Counter => Drawing::Bars,
            Kind::Linear | Kind::Maximum | Kind::Minimum | Kind::Deviation | Kind::Covariance => Drawing::Line,
        }
    }

    /// The fixed ends of its axis, if they do not follow from the values.
    pub const fn bounds(self) -> Option<(f64, f64)> {
        match self {
            Kind::Direction => Some((0.0, CIRCLE)),
            _ => None,
        }
    }

    /// The change from one value to another; for directions the shorter way around, in [-180, 180).
    #[inline]
    pub fn change(self, from: f64, to: f64) -> f64 {
        match self {
            Kind::Direction => (to - from + CIRCLE / 2.0).rem_euclid(CIRCLE) - CIRCLE / 2.0,
            _ => to - from,
        }
    }

    /// A value shifted next to another one, so that differences can be computed: 359 next to 1 is -1.
    #[inline]
    pub fn beside(self, other: f64, value: f64) -> f64 {
        match self {
            Kind::Direction => other + self.change(other, value),
            _ => value,
        }
    }
}

/// The direction of summed unit vectors, in [0, 360); None if they cancel each other.
#[inline]
pub fn direction(sine: f64, cosine: f64, count: f64) -> Option<f64> {
    if sine.hypot(cosine) <= NO_DIRECTION * count {
        return None;
    }
    let degrees = sine.atan2(cosine).to_degrees().rem_euclid(CIRCLE);
    // Rounding can give the full circle.
    Some(if degrees >= CIRCLE { 0.0 } else { degrees })
}

/// A column, as a file's header states it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stated<'a> {
    /// The name (line 2).
    pub name: &'a str,
    /// The unit (line 3); empty if there is none.
    pub unit: &'a str,
    /// The process (line 4); empty if there is none.
    pub process: &'a str,
}

/// The columns of a table whose names differ only in the number in brackets: the outputs of one instruction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outputs<'a> {
    /// The number of columns.
    pub count: usize,
    /// The unit (line 3) of the first of them.
    pub first_unit: &'a str,
}

impl<'a> Stated<'a> {
    /// For each of these columns, the outputs to which it belongs, in the same order.
    pub fn of_each_name(columns: &[Stated<'a>]) -> Vec<Outputs<'a>> {
        let mut outputs: HashMap<&str, Outputs<'a>> = HashMap::new();
        for column in columns {
            outputs.entry(base(column.name)).or_insert(Outputs { count: 0, first_unit: column.unit }).count += 1;
        }
        columns.iter().map(|column| outputs.get(base(column.name)).copied().unwrap_or_default()).collect()
    }
}

/// The name without the number in brackets.
fn base(name: &str) -> &str {
    name.rsplit_once('(').map_or(name, |(base, _)| base)
}

/// What is known about a column.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The configured kind.
    pub configured: Option<Kind>,
    /// Its AmeriFlux variable.
    pub variable: Option<&'a str>,
    /// The process (line 4 of its file).
    pub process: &'a str,
    /// The unit (line 3 of its file).
    pub unit: &'a str,
    /// The name (line 2 of its file).
    pub name: &'a str,
    /// The columns of its table whose names differ only in the number in brackets, including this one.
    pub of_its_name: Outputs<'a>,
}

impl Facts<'_> {
    /// The kind: as configured, otherwise by the variable, otherwise by the logger's process, otherwise by unit and
    /// name.
    pub fn kind(&self) -> Kind {
        self.configured.or_else(|| self.of_variable()).or_else(|| self.of_process()).unwrap_or_else(|| self.of_name())
    }

    /// The kind that the logger's process implies, if the configuration gives another one, which is then used.
    pub fn stated_otherwise(&self) -> Option<Kind> {
        let configured = self.configured.or_else(|| self.of_variable())?;
        // For an output of a wind vector, `Linear` only means that nothing more is known.
        let stated = self.of_process().filter(|stated| *stated != Kind::Linear)?;
        (stated != configured).then_some(stated)
    }

    /// Whether it is rain that the logger sampled: a total of the interval that another program made, or the reading of a gauge
    /// that counts since its reset. Nothing in a header tells which.
    pub fn is_total_or_counter(&self) -> bool {
        let is_rain = self.variable.and_then(ameriflux::lookup).is_some_and(ameriflux::Variable::is_total);
        is_rain && self.configured.is_none() && Process::of(self.process) == Some(Process::Sample)
    }

    fn of_variable(&self) -> Option<Kind> {
        let variable = ameriflux::lookup(self.variable?)?;
        let base = variable.name;
        let is_total = matches!(Process::of(self.process), None | Some(Process::Total));
        match base {
            "WD" => Some(Kind::Direction),
            "WS_MAX" => Some(Kind::Maximum),
            // A rain gauge whose reading is sampled counts since its reset.
            _ if variable.is_total() && is_total => Some(Kind::Total),
            _ if base.ends_with("_SIGMA") => Some(Kind::Deviation),
            _ => None,
        }
    }

    fn of_process(&self) -> Option<Kind> {
        Some(match Process::of(self.process)? {
            Process::Total => Kind::Total,
            Process::Maximum if !self.named().is_direction() => Kind::Maximum,
            Process::Minimum if !self.named().is_direction() => Kind::Minimum,
            Process::Deviation => Kind::Deviation,
            Process::Covariance => Kind::Covariance,
            Process::TimeOfExtreme => Kind::Code,
            Process::WindVector => self.of_wind_vector(),
            Process::Sample | Process::SampleAtExtreme | Process::Average | Process::Maximum | Process::Minimum => {
                return None;
            }
        })
    }

    /// The kind of an output of the wind vector instruction. Three outputs are speed, direction and deviation; four are
    /// speed, speed of the mean vector, direction and deviation; two are speed and direction, or direction and
    /// deviation. The program may also give names of its own. (CRBasic, WindVector, OutputOpt.)
    fn of_wind_vector(&self) -> Kind {
        let name = self.name.to_ascii_lowercase();
        let number = name.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')')?.parse::<usize>().ok());
        match (self.of_its_name.count, number) {
            (3, Some(2)) | (4, Some(3)) => Kind::Direction,
            (3, Some(3)) | (4, Some(4)) => Kind::Deviation,
            (2, Some(2)) if unit::is_degrees(self.of_its_name.first_unit) => Kind::Deviation,
            (_, _) if name.contains("_sd") || self.named().is_spread() => Kind::Deviation,
            (..=2, _) if self.is_degrees() => Kind::Direction,
            _ => Kind::Linear,
        }
    }

    /// Where the header states no process, the name may say it.
    fn of_name(&self) -> Kind {
        let named = self.named();
        if named.is_direction() {
            return Kind::Direction;
        }
        if !self.process.trim().is_empty() {
            return Kind::Linear;
        }
        match named.is_maximum() {
            _ if named.is_total() => Kind::Total,
            Some(true) => Kind::Maximum,
            Some(false) => Kind::Minimum,
            None => Kind::Linear,
        }
    }

    fn named(&self) -> Named<'_> {
        Named::of(self.name, self.unit)
    }

    fn is_degrees(&self) -> bool {
        unit::is_degrees(self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: usize) -> Outputs<'static> {
        Outputs { count, first_unit: "m/s" }
    }

    #[test]
    fn a_kind_follows_from_the_configuration_the_variable_the_process_or_unit_and_name() {
        let none = Facts::default();
        for (facts, kind) in [
            (none, Kind::Linear),
            (Facts { configured: Some(Kind::Counter), variable: Some("WD"), ..none }, Kind::Counter),
            (Facts { variable: Some("WD_1_1_1"), process: "Smp", ..none }, Kind::Direction),
            (Facts { variable: Some("P"), process: "Tot", ..none }, Kind::Total),
            (Facts { variable: Some("P"), process: "Smp", ..none }, Kind::Linear),
            (Facts { variable: Some("W_SIGMA"), ..none }, Kind::Deviation),
            (Facts { process: "Tot", ..none }, Kind::Total),
            (Facts { process: "Max", unit: "m/s", ..none }, Kind::Maximum),
            (Facts { process: "Std", ..none }, Kind::Deviation),
            (Facts { process: "TMx", ..none }, Kind::Code),
            (Facts { process: "WVc", name: "WS_WVc(1)", of_its_name: of(3), ..none }, Kind::Linear),
            (Facts { process: "WVc", name: "WS_WVc(2)", unit: "Deg", of_its_name: of(3), ..none }, Kind::Direction),
            (Facts { process: "WVc", name: "WS_WVc(3)", unit: "Deg", of_its_name: of(3), ..none }, Kind::Deviation),
            (Facts { process: "WVc", name: "WS_WVc(2)", unit: "m/s", of_its_name: of(4), ..none }, Kind::Linear),
            (Facts { process: "WVc", name: "WS_WVc(3)", unit: "Deg", of_its_name: of(4), ..none }, Kind::Direction),
            (Facts { process: "WVc", name: "WD_D1_WVT", unit: "Degs", of_its_name: of(1), ..none }, Kind::Direction),
            (Facts { process: "WVc", name: "std_wnd_dir", unit: "Deg", of_its_name: of(1), ..none }, Kind::Deviation),
            (Facts { process: "WVc", name: "WS_SD1_WVT", unit: "Degs", of_its_name: of(1), ..none }, Kind::Deviation),
            (Facts { process: "Avg", name: "WindDir", unit: "deg", ..none }, Kind::Direction),
            (Facts { process: "Smp", name: "Latitude", unit: "deg", ..none }, Kind::Linear),
            (Facts { process: "Avg", name: "WD_Temp", unit: "Deg C", ..none }, Kind::Linear),
        ] {
            assert_eq!(facts.kind(), kind, "{facts:?}");
        }
    }

    #[test]
    fn a_wind_direction_is_one_in_every_spelling_of_degrees_and_without_a_unit() {
        for (name, unit, kind) in [
            ("WindDir", "Degrees true", Kind::Direction),
            ("WD_10m", "decimal degrees", Kind::Direction),
            ("WD_10m", "Degs", Kind::Direction),
            ("Met_WindDir", "", Kind::Direction),
            ("WindDir_SDI12", "", Kind::Direction),
            ("WindDirStd", "", Kind::Linear),
            ("wind_direction_Avg", "", Kind::Direction),
            ("WD", "", Kind::Direction),
            ("wd", "", Kind::Direction),
            ("WD_1_1_1", "", Kind::Direction),
            ("WD_1_1_A", "", Kind::Direction),
            ("WD_10m_Avg", "", Kind::Direction),
            ("WD2_Avg", "", Kind::Direction),
            ("WDir", "", Kind::Direction),
            ("Met_WDir_Avg", "", Kind::Direction),
            ("Dir_WVT", "", Kind::Direction),
            ("WS_D1_WVT", "", Kind::Direction),
            ("WindVec_Dir", "", Kind::Direction),
            ("DIR", "deg", Kind::Direction),
            ("MeanDir", "deg", Kind::Direction),
            ("WD_SIGMA", "", Kind::Linear),
            ("WD_SIGMA_1_1_1", "", Kind::Linear),
            ("WD_Temp", "", Kind::Linear),
            ("WD", "m", Kind::Linear),
            ("WDIFF", "", Kind::Linear),
            ("WS_SD1_WVT", "deg", Kind::Linear),
            ("PAR_dir", "", Kind::Linear),
            ("DIR", "", Kind::Linear),
            ("WindDir_SD", "deg", Kind::Linear),
            ("Met_WindDir_Std", "", Kind::Linear),
            ("WindDir", "mV", Kind::Linear),
            ("WindDir", "rad", Kind::Linear),
        ] {
            assert_eq!(Facts { name, unit, process: "Smp", ..Facts::default() }.kind(), kind, "{name} in {unit:?}");
        }
    }

    #[test]
    fn of_two_outputs_of_a_wind_vector_the_second_is_a_deviation_where_the_first_is_a_direction() {
        let columns = |unit| ["WD_WVc(1)", "WD_WVc(2)"].map(|name| Stated { name, unit, process: "WVc" });
        let kinds = |first: Stated<'static>, second: Stated<'static>| {
            let both = [first, second];
            let facts = both.iter().zip(Stated::of_each_name(&both)).map(|(column, of_its_name)| {
                Facts { name: column.name, unit: column.unit, process: column.process, of_its_name, ..Facts::default() }
                    .kind()
            });
            facts.collect::<Vec<_>>()
        };
        let ([direction, deviation], [speed, _]) = (columns("Deg"), columns("m/s"));
        assert_eq!(kinds(direction, deviation), [Kind::Direction, Kind::Deviation]);
        assert_eq!(kinds(speed, deviation), [Kind::Linear, Kind::Direction]);
    }

    #[test]
    fn a_process_that_the_configuration_contradicts_is_named() {
        let none = Facts::default();
        for (facts, stated) in [
            (none, None),
            (Facts { process: "Std", ..none }, None),
            (Facts { variable: Some("WD"), process: "Avg", ..none }, None),
            (Facts { variable: Some("WD"), process: "Std", ..none }, Some(Kind::Deviation)),
            (Facts { configured: Some(Kind::Counter), process: "Tot", ..none }, Some(Kind::Total)),
            (Facts { configured: Some(Kind::Total), process: "Tot", ..none }, None),
            (Facts { configured: Some(Kind::Total), process: "Smp", ..none }, None),
            (Facts { variable: Some("WD"), process: "WVc", name: "WS_WVc(2)", of_its_name: of(3), ..none }, None),
            (
                Facts { variable: Some("WD"), process: "WVc", name: "WS_WVc(3)", of_its_name: of(3), ..none },
                Some(Kind::Deviation),
            ),
        ] {
            assert_eq!(facts.stated_otherwise(), stated, "{facts:?}");
        }
    }

    #[test]
    fn a_change_of_direction_is_the_shorter_way_around() {
        for (from, to, change) in
            [(359.0, 2.0, 3.0), (2.0, 359.0, -3.0), (350.0, 10.0, 20.0), (10.0, 190.0, -180.0), (0.0, 360.0, 0.0)]
        {
            assert!((Kind::Direction.change(from, to) - change).abs() < 1e-12, "{from} to {to}");
        }
    }

    proptest::proptest! {
        #[test]
        fn changes_and_means_of_directions_turn_with_the_compass(
            directions in proptest::collection::vec(0.0f64..360.0, 1..20), turn in proptest::sample::select(vec![90.0, 180.0, 270.0]),
        ) {
            let turned: Vec<f64> = directions.iter().map(|direction| (direction + turn) % 360.0).collect();
            let mean = |all: &[f64]| {
                let sums = all.iter().map(|one| one.to_radians().sin_cos()).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
                (direction(sums.0, sums.1, all.len() as f64), sums.0.hypot(sums.1))
            };
            let ((here, length), (there, _)) = (mean(&directions), mean(&turned));
            if length > 1e-3 {
                let apart = Kind::Direction.change(here.unwrap() + turn, there.unwrap());
                proptest::prop_assert!(apart.abs() < 1e-6, "{apart}");
            }
            for (pair, other) in directions.windows(2).zip(turned.windows(2)) {
                let (one, two) = (Kind::Direction.change(pair[0], pair[1]), Kind::Direction.change(other[0], other[1]));
                proptest::prop_assert!((one - two).abs() < 1e-9 || (one.abs() - 180.0).abs() < 1e-9);
            }
        }
    }
}
