//! The values of a window of time, made of the rows in it, for each column according to its kind.
//!
//! [`Aggregate`] combines values so that bins of any width can be merged, for drawings. Here every row of the window is
//! available, so a column can also use another one ([`super::member`]): a direction is weighted by its wind speed, and the
//! pooled deviation includes the differences between the means of its parts. Sums are computed relative to the first value,
//! and for means and totals the rounding error is added again, so that the result does not depend on the size of the values.
//!
//! [`Aggregate`]: super::Aggregate

use super::Kind;
use super::aggregate::increment;
use super::kind::{CIRCLE, direction};
use super::member::{How, Member};

/// A made value.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    /// There is none.
    Nothing,
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// A sum and its rounding error.
#[derive(Debug, Clone, Copy, Default)]
struct Exact {
    sum: f64,
    lost: f64,
}

impl Exact {
    /// The rounding error is computed exactly (Knuth's two-sum). There is no branch, which would be mispredicted for
    /// wind components around 0.
    #[inline]
    fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        let added = sum - self.sum;
        self.lost += (self.sum - (sum - added)) + (value - added);
        self.sum = sum;
    }

    fn value(self) -> f64 {
        self.sum + self.lost
    }
}

/// The sums of a column's rows so far.
#[derive(Debug, Clone, Default)]
struct Sums {
    count: u32,
    sums: [Exact; 3],
    /// The first values of the means, relative to which sums are computed.
    around: [f64; 2],
    extreme: f64,
    bits: u64,
    text: Option<String>,
    /// The deviations of a direction and its mean directions. The mean over all, from which they are counted around the
    /// circle, is known only at the end.
    turns: Vec<[f64; 2]>,
}

/// A row of the source, for reading its columns.
pub trait Shape {
    /// The number at a position, if it counts; NaN otherwise.
    fn number(&self, place: usize) -> f64;
    /// The text at a position, if it counts.
    fn text(&self, place: usize) -> Option<String>;
}

/// The state of a mean or a total: most columns of fast tables are means, so they have a path of their own.
#[derive(Debug, Clone, Copy)]
struct Plain {
    /// The index among the members.
    member: usize,
    place: usize,
    count: u32,
    sum: Exact,
}

/// The state while the rows of a window are added.
#[derive(Debug, Clone)]
pub struct Window<'m> {
    members: &'m [Member],
    plain: Vec<Plain>,
    /// The indexes of all other members.
    others: Vec<usize>,
    sums: Vec<Sums>,
    /// The last reading of each member that is a counter.
    readings: Vec<f64>,
}

impl<'m> Window<'m> {
    /// The state before the first row.
    pub fn new(members: &'m [Member]) -> Window<'m> {
        let (plain, others): (Vec<usize>, Vec<usize>) =
            (0..members.len()).partition(|at| matches!(members[*at].how, How::Mean | How::Sum));
        let begun = |member: usize| Plain { member, place: members[member].place, count: 0, sum: Exact::default() };
        Window {
            members,
            plain: plain.into_iter().map(begun).collect(),
            others,
            sums: vec![Sums::default(); members.len()],
            readings: vec![f64::NAN; members.len()],
        }
    }

    /// Sets the row directly before the window, which has a counter's reading at the beginning.
    pub fn begin(&mut self, row: &impl Shape) {
        for (member, reading) in self.members.iter().zip(&mut self.readings) {
            if member.looks_back() {
                *reading = row.number(member.place);
            }
        }
    }

    /// Adds a row, later than every earlier one.
    #[inline]
    pub fn add(&mut self, row: &impl Shape) {
        for plain in &mut self.plain {
            let value = row.number(plain.place);
            if !value.is_nan() {
                plain.count += 1;
                plain.sum.add(value);
            } else {
                self.sums[plain.member].add_text_of_plain(plain.place, row);
            }
        }
        for &at in &self.others {
            let (member, sums, reading) = (&self.members[at], &mut self.sums[at], &mut self.readings[at]);
            let value = row.number(member.place);
            if let How::NumberOf(extreme, is_largest) = member.how {
                sums.add_of_extreme(row.number(extreme), is_largest, || Made::Number(value));
            } else if !value.is_nan() {
                sums.add(member.how, value, row, reading);
            } else if matches!(member.how, How::Code | How::TimeOf(..)) {
                sums.add_text(member, row);
            }
        }
    }

    /// The value of each member, with the number of its rows.
    pub fn end(mut self) -> impl Iterator<Item = (Made, u32)> + use<'m> {
        for plain in self.plain {
            let sums = &mut self.sums[plain.member];
            // Texts count in a column that has nothing else.
            if plain.count > 0 || sums.text.is_none() {
                (sums.count, sums.sums[0], sums.text) = (plain.count, plain.sum, None);
            }
        }
        self.members.iter().zip(self.sums).map(|(member, sums)| (sums.result(member.how), sums.count))
    }
}

impl Sums {
    #[inline]
    fn add(&mut self, how: How, value: f64, row: &impl Shape, reading: &mut f64) {
        match how {
            // These have sums of their own ([`Plain`]).
            How::Mean | How::Sum => return,
            How::Vector(speed) => {
                let speed = speed.map_or(1.0, |place| row.number(place));
                if speed.is_nan() {
                    return;
                }
                let (sine, cosine) = value.to_radians().sin_cos();
                self.sums[0].add(speed * sine);
                self.sums[1].add(speed * cosine);
                self.sums[2].add(speed.abs());
            }
            How::Increments => {
                let before = std::mem::replace(reading, value);
                // What a reading counted of which the one before is not known is not counted, and it is no sample.
                if before.is_nan() {
                    return;
                }
                self.sums[0].add(increment(before, value));
                self.extreme = self.extreme.max(before.abs()).max(value.abs());
            }
            How::Largest if self.count > 0 => self.extreme = self.extreme.max(value),
            How::Smallest if self.count > 0 => self.extreme = self.extreme.min(value),
            How::Largest | How::Smallest => self.extreme = value,
            How::Deviation(mean) => {
                let mean = mean.map_or(0.0, |place| row.number(place));
                if mean.is_nan() {
                    return;
                }
                if self.count == 0 {
                    self.around[0] = mean;
                }
                let apart = mean - self.around[0];
                self.sums[0].add(apart);
                self.sums[1].add(value * value + apart * apart);
            }
            How::Turning(mean) => {
                let mean = row.number(mean);
                if mean.is_nan() {
                    return;
                }
                self.turns.push([value, mean]);
            }
            How::Covariance(means) => {
                let (one, other) = means.map_or((0.0, 0.0), |(one, other)| (row.number(one), row.number(other)));
                if one.is_nan() || other.is_nan() {
                    return;
                }
                if self.count == 0 {
                    self.around = [one, other];
                }
                let apart = [one - self.around[0], other - self.around[1]];
                self.sums[0].add(apart[0]);
                self.sums[1].add(apart[1]);
                self.sums[2].add(value + apart[0] * apart[1]);
            }
            How::Code =>
            {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
                if value >= 0.0 && value <= f64::from(u32::MAX) && value.fract() == 0.0 {
                    self.bits |= value as u64;
                } else {
                    return;
                }
            }
            // The time of an extreme is a text, and the number in its row has a path of its own.
            How::TimeOf(..) | How::NumberOf(..) => return,
        }
        self.count += 1;
    }

    /// A value of a mean or a total that is no number.
    #[cold]
    fn add_text_of_plain(&mut self, place: usize, row: &impl Shape) {
        if let Some(text) = row.text(place) {
            self.text = Some(text);
            self.count += 1;
        }
    }

    #[cold]
    fn add_text(&mut self, member: &Member, row: &impl Shape) {
        if let How::TimeOf(extreme, is_largest) = member.how {
            let text = || row.text(member.place).map_or(Made::Nothing, Made::Text);
            self.add_of_extreme(row.number(extreme), is_largest, text);
        } else if let Some(text) = row.text(member.place) {
            self.text = Some(text);
            self.count += 1;
        }
    }

    /// What stands beside an extreme, if that is the largest (or smallest) so far. If the row of the extreme has nothing there,
    /// the result has nothing: that of another row would be wrong.
    fn add_of_extreme(&mut self, extreme: f64, is_largest: bool, beside: impl FnOnce() -> Made) {
        if extreme.is_nan() {
            return;
        }
        let wins = if is_largest { extreme > self.extreme } else { extreme < self.extreme };
        if self.count == 0 || wins {
            self.extreme = extreme;
            (self.text, self.around[0]) = match beside() {
                Made::Text(text) => (Some(text), f64::NAN),
                Made::Number(number) => (None, number),
                Made::Nothing => (None, f64::NAN),
            };
        }
        self.count += 1;
    }

    fn result(&self, how: How) -> Made {
        let number = |value: f64| if value.is_finite() { Made::Number(value) } else { Made::Nothing };
        if self.count == 0 {
            return Made::Nothing;
        }
        let count = f64::from(self.count);
        let [first, second, third] = self.sums.map(Exact::value);
        match how {
            How::Mean | How::Sum if self.text.is_some() => self.text.clone().map_or(Made::Nothing, Made::Text),
            How::Mean => number(first / count),
            // Calm air has no direction.
            How::Vector(_) => direction(first, second, third).map_or(Made::Nothing, Made::Number),
            How::Sum => number(first),
            How::Increments => number(as_read(first, self.extreme)),
            How::Largest | How::Smallest => number(self.extreme),
            How::Deviation(_) => number((second / count - (first / count).powi(2)).max(0.0).sqrt()),
            How::Turning(_) => number(turning(&self.turns)),
            How::Covariance(_) => number(third / count - first / count * (second / count)),
            How::Code => match &self.text {
                Some(text) => Made::Text(text.clone()),
                #[allow(clippy::cast_precision_loss, reason = "at most 32 bits")]
                None => Made::Number(self.bits as f64),
            },
            How::TimeOf(..) => self.text.clone().map_or(Made::Nothing, Made::Text),
            How::NumberOf(..) => number(self.around[0]),
        }
    }
}

/// The pooled deviation of a direction, of its deviations and mean directions: as that of a number, with each mean direction
/// moved by full circles next to the mean of all. NaN where opposite directions have none.
fn turning(turns: &[[f64; 2]]) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "rows of a window")]
    let count = turns.len() as f64;
    let (Some([_, first]), sums) = (
        turns.first().copied(),
        turns.iter().fold((0.0, 0.0), |(sine, cosine), [_, mean]| {
            let mean = mean.to_radians().sin_cos();
            (sine + mean.0, cosine + mean.1)
        }),
    ) else {
        return f64::NAN;
    };
    let Some(centre) = direction(sums.0, sums.1, count) else { return f64::NAN };
    // Relative to the first one, so that a steady direction adds nothing.
    let apart = |mean: f64| {
        let circles = ((Kind::Direction.beside(centre, mean) - mean) / CIRCLE).round();
        mean - first + circles * CIRCLE
    };
    let mean = turns.iter().map(|turn| apart(turn[1])).sum::<f64>() / count;
    let squares = turns.iter().map(|[deviation, mean_of_row]| deviation.powi(2) + (apart(*mean_of_row) - mean).powi(2));
    (squares.sum::<f64>() / count).sqrt()
}

/// The decimal that the difference of readings of this size is: readings are decimals, and binary numbers hold them with an error
/// of their last bit, which shows in a small difference of large ones (7.994 - 7.99).
fn as_read(difference: f64, largest: f64) -> f64 {
    let error = largest * f64::EPSILON * 4.0;
    let rounded = (0..=MOST_DECIMALS).map(|decimals| {
        let scale = 10_f64.powi(decimals);
        // A difference of nothing has no sign.
        (difference * scale).round() / scale + 0.0
    });
    rounded.into_iter().find(|rounded| (rounded - difference).abs() <= error).unwrap_or(difference)
}

/// Beyond these, a power of ten times a reading is no exact whole number.
const MOST_DECIMALS: i32 = 15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::{Stated, members};

    struct Row(Vec<f64>);

    impl Shape for Row {
        fn number(&self, place: usize) -> f64 {
            self.0[place]
        }

        fn text(&self, place: usize) -> Option<String> {
            self.0[place].is_nan().then(|| format!("text beside {}", self.0[0]))
        }
    }

    /// The values that are made of these rows. Columns are given by name, process and kind.
    fn made(columns: &[(&str, &str, Kind)], rows: &[&[f64]]) -> Vec<(Made, u32)> {
        let stated: Vec<Stated<'_>> =
            columns.iter().map(|(name, process, _)| Stated { name, unit: "", process }).collect();
        let kinds: Vec<Kind> = columns.iter().map(|column| column.2).collect();
        let members = members(&stated, &kinds, |_| true);
        let mut window = Window::new(&members);
        rows.iter().for_each(|row| window.add(&Row(row.to_vec())));
        window.end().collect()
    }

    fn number(made: &(Made, u32)) -> f64 {
        match made.0 {
            Made::Number(number) => number,
            _ => f64::NAN,
        }
    }

    #[test]
    fn a_direction_is_weighted_by_the_speed_that_belongs_to_it_and_calm_air_has_none() {
        let wind = [("WS_S_WVT", "WVc", Kind::Linear), ("WS_D1_WVT", "WVc", Kind::Direction)];
        let found = made(&wind, &[&[1.0, 350.0], &[3.0, 10.0], &[2.0, 355.0], &[2.0, 5.0]]);
        assert!((number(&found[1]) - 2.5096).abs() < 1e-4, "{found:?}");
        assert_eq!(made(&wind, &[&[0.0, 350.0], &[0.0, 10.0]])[1].0, Made::Nothing);
        let found = made(&wind, &[&[f64::NAN, 350.0], &[3.0, 10.0]]);
        assert!((number(&found[1]) - 10.0).abs() < 1e-9 && found[1].1 == 1, "{found:?}");
        for (direction, speed) in [("WD_10m", "WS_10m"), ("WindDir", "WindSpd_Avg"), ("W_WVc(3)", "W_WVc(2)")] {
            let wind = [(speed, "Avg", Kind::Linear), (direction, "Smp", Kind::Direction)];
            let found = made(&wind, &[&[1.0, 350.0], &[3.0, 10.0]]);
            assert!((number(&found[1]) - 5.0384).abs() < 1e-4, "{direction}: {found:?}");
        }
        // Campbell's Short Cut; EasyFlux; one speed and one direction.
        for (speed, direction, process) in [
            ("WS_ms_S_WVT", "WindDir_D1_WVT", "WVc"),
            ("WS_ms_U_WVT", "WindDir_DU_WVT", "WVc"),
            ("wnd_spd", "wnd_dir_compass", "Avg"),
            ("WS_ms_Avg", "WindDir", "Avg"),
            ("WS_1_1_1", "Richtung", "Avg"),
        ] {
            let wind = [(speed, process, Kind::Linear), (direction, process, Kind::Direction)];
            let found = made(&wind, &[&[1.0, 350.0], &[3.0, 10.0]]);
            assert!((number(&found[1]) - 5.0384).abs() < 1e-4, "{direction}: {found:?}");
        }
        // Which of two speeds is it?
        let two = [("WS_ms_1", "Avg", Kind::Linear), ("WS_ms_2", "Avg", Kind::Linear), ("Dir", "Smp", Kind::Direction)];
        let found = made(&two, &[&[1.0, 9.0, 350.0], &[3.0, 9.0, 10.0], &[3.0, 9.0, 355.0]]);
        assert!((number(&found[2]) - 358.3167).abs() < 1e-4, "{found:?}");
        let alone = [("T", "Avg", Kind::Linear), ("WD", "Smp", Kind::Direction)];
        let found = made(&alone, &[&[1.0, 350.0], &[3.0, 10.0], &[3.0, 355.0]]);
        assert!((number(&found[1]) - 358.3167).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn a_deviation_and_a_covariance_have_what_lies_between_the_means_of_their_parts() {
        // Blocks with the same number of scans, so that each has the same weight.
        let blocks = [[1.0, 2.0, 3.0], [10.0, 12.0, 14.0]];
        let of = |block: &[f64; 3]| {
            let mean = block.iter().sum::<f64>() / 3.0;
            let spread = block.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 3.0;
            vec![mean + 1e5, spread.sqrt(), spread, 1.0]
        };
        let rows: Vec<Vec<f64>> = blocks.iter().map(of).collect();
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let columns = [
            ("PA_Avg", "Avg", Kind::Linear),
            ("PA_Std", "Std", Kind::Deviation),
            ("PA_PA_Cov", "Cov", Kind::Covariance),
            ("Lone_Std", "Std", Kind::Deviation),
        ];
        let found = made(&columns, &rows);
        let all: Vec<f64> = blocks.concat();
        let mean = all.iter().sum::<f64>() / 6.0;
        let spread = all.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 6.0;
        assert!((number(&found[1]) / spread.sqrt() - 1.0).abs() < 1e-10, "{found:?}");
        assert!((number(&found[2]) / spread - 1.0).abs() < 1e-10, "{found:?}");
        assert!((number(&found[3]) - 1.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn the_deviation_of_a_direction_has_what_lies_between_its_means_around_the_circle() {
        for (direction, deviation, process) in [
            ("WD_Avg", "WD_Std", "Avg"),
            ("WindDir_D1_WVT", "WindDir_SD1_WVT", "WVc"),
            ("W_WVc(2)", "W_WVc(3)", "WVc"),
            ("wnd_dir_compass", "std_wnd_dir", "WVc"),
            ("WD_1_1_1", "WD_SIGMA_1_1_1", "Smp"),
        ] {
            let columns = [(direction, process, Kind::Direction), (deviation, process, Kind::Deviation)];
            let of = |rows: &[&[f64]]| number(&made(&columns, rows)[1]);
            assert!((of(&[&[350.0, 0.0], &[10.0, 0.0]]) - 10.0).abs() < 1e-9, "{deviation}");
            assert!((of(&[&[355.0, 3.0], &[5.0, 4.0]]) - 37.5_f64.sqrt()).abs() < 1e-9, "{deviation}");
            let steady = of(&[&[359.9, 7.5], &[359.9, 7.5], &[359.9, 7.5]]);
            assert!((steady - 7.5).abs() < 1e-12, "{deviation}: {steady}");
            // The first one lies opposite to the mean.
            let turned = of(&[&[180.0, 0.0], &[350.0, 0.0], &[10.0, 0.0], &[0.0, 0.0], &[0.0, 0.0]]);
            let expected = (f64::from(180 * 180 + 200) / 5.0 - 36.0 * 36.0).sqrt();
            assert!((turned - expected).abs() < 1e-9, "{deviation}: {turned} {expected}");
            assert!(of(&[&[90.0, 0.0], &[270.0, 0.0]]).is_nan(), "opposite directions have no mean");
            assert!((of(&[&[f64::NAN, 3.0], &[20.0, 5.0]]) - 5.0).abs() < 1e-12, "{deviation}");
        }
        let alone = [("T_Avg", "Avg", Kind::Linear), ("WD_Std", "Std", Kind::Deviation)];
        assert!((number(&made(&alone, &[&[1.0, 3.0], &[2.0, 3.0]])[1]) - 3.0).abs() < 1e-12);
    }

    #[test]
    fn what_was_sampled_at_an_extreme_is_what_stands_beside_the_largest_one() {
        let nan = f64::NAN;
        let wind = |names: [&'static str; 3]| {
            [(names[0], "Max", Kind::Maximum), (names[1], "TMx", Kind::Code), (names[2], "SMM", Kind::Direction)]
        };
        let gusts: [&[f64]; 3] = [&[3.0, nan, 10.0], &[9.0, nan, 200.0], &[5.0, nan, 30.0]];
        let found = made(&wind(["WS_ms_Max", "WS_ms_TMx", "WindDir_SMM"]), &gusts);
        assert_eq!((number(&found[2]), found[2].1), (200.0, 3));
        // That of another row would be wrong.
        let found = made(&wind(["WS_ms_Max", "WS_ms_TMx", "WindDir_SMM"]), &[gusts[0], &[9.0, nan, nan]]);
        assert_eq!(found[2].0, Made::Nothing);
        // Somewhere else in the table, and the smallest.
        let apart = [
            ("WindDir_SMM", "SMM", Kind::Direction),
            ("T_Avg", "Avg", Kind::Linear),
            ("WindSpd_Max", "Max", Kind::Maximum),
            ("RH_Min", "Min", Kind::Minimum),
            ("T_SMM", "SMM", Kind::Linear),
        ];
        let found = made(&apart, &[&[10.0, 1.0, 3.0, 40.0, 21.0], &[200.0, 1.0, 9.0, 60.0, 15.0]]);
        assert_eq!((number(&found[0]), number(&found[4])), (200.0, 21.0));
        // Of which extreme, is not known.
        let alone = [("T_Avg", "Avg", Kind::Linear), ("RH_SMM", "SMM", Kind::Linear)];
        assert_eq!(made(&alone, &[&[1.0, 2.0]]).len(), 1);
        let repeated = [
            ("WS_Max(1)", "Max", Kind::Maximum),
            ("WS_Max(2)", "Max", Kind::Maximum),
            ("WD_SMM(1)", "SMM", Kind::Direction),
            ("WD_SMM(2)", "SMM", Kind::Direction),
        ];
        let found = made(&repeated, &[&[1.0, 9.0, 10.0, 20.0], &[2.0, 3.0, 30.0, 40.0]]);
        assert_eq!((number(&found[2]), number(&found[3])), (30.0, 20.0));
    }

    #[test]
    fn sums_extremes_codes_and_times_of_extremes_are_what_their_kind_says() {
        let nan = f64::NAN;
        let columns = [
            ("T_Max", "Max", Kind::Maximum),
            ("T_TMx", "TMx", Kind::Code),
            ("Rain_Tot", "Tot", Kind::Total),
            ("diag", "Smp", Kind::Code),
            ("U_TMn", "TMn", Kind::Code),
        ];
        let found =
            made(&columns, &[&[3.0, nan, 0.2, 1.0, nan], &[9.0, nan, 0.4, 4.0, nan], &[4.0, nan, nan, 4.0, nan]]);
        assert_eq!(found.len(), 4, "the time of an extreme that is not there");
        assert_eq!((number(&found[0]), found[0].1), (9.0, 3));
        assert_eq!(found[1].0, Made::Text("text beside 9".to_owned()));
        assert!((number(&found[2]) - 0.6).abs() < 1e-12 && found[2].1 == 2);
        assert!((number(&found[3]) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn a_counter_counts_from_the_row_before_the_window_and_across_gaps_within_it() {
        let stated = [Stated { name: "Acc", unit: "mm", process: "Smp" }];
        let members = members(&stated, &[Kind::Counter], |_| true);
        let readings = [10.2, 10.2, 0.0, 0.4, f64::NAN, 1.0];
        let mut window = Window::new(&members);
        window.begin(&Row(vec![10.0]));
        readings.iter().for_each(|reading| window.add(&Row(vec![*reading])));
        let found: Vec<_> = window.end().collect();
        assert!((number(&found[0]) - 1.2).abs() < 1e-9 && found[0].1 == 5, "{found:?}");
        let mut small = Window::new(&members);
        small.begin(&Row(vec![7.990]));
        [7.994, 7.993, 7.994].iter().for_each(|reading| small.add(&Row(vec![*reading])));
        assert_eq!(small.end().next(), Some((Made::Number(0.004), 3)), "the decimals of the readings");
        let mut alone = Window::new(&members);
        alone.add(&Row(vec![3.0]));
        assert_eq!(alone.end().next(), Some((Made::Nothing, 0)), "what one reading counted is not known");
    }
}
