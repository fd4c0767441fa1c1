//! The values of a window of time, made of the rows in it, for each column according to its kind.
//!
//! [`Aggregate`] combines values so that bins of any width can be merged, for drawings. Here every row of the window is
//! available, so a column can also use another one: a direction is weighted by its wind speed, and the pooled deviation
//! includes the differences between the means of its parts. Sums are computed relative to the first value, and for
//! means and totals the rounding error is added again, so that the result does not depend on the size of the values.
//!
//! [`Aggregate`]: super::Aggregate

use super::aggregate::increment;
use super::kind::{Stated, direction};
use super::named::{SPEEDS_OF_DIRECTIONS, is_wind_speed};
use super::{Kind, Process};

/// How the values of a column are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Mean,
    /// The direction, weighted by the speed at this position if a speed belongs to it.
    Vector(Option<usize>),
    Sum,
    Increments,
    Largest,
    Smallest,
    /// The pooled deviation with the means at this position; otherwise the root mean square.
    Deviation(Option<usize>),
    /// The pooled covariance with the means at these positions; otherwise the mean.
    Covariance(Option<(usize, usize)>),
    /// All bits that are set in any of the whole numbers; the newest of texts.
    Code,
    /// The text in the row with the largest (or smallest) value at this position.
    TimeOf(usize, bool),
}

/// A column to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its position in the column list of the source.
    pub place: usize,
    how: How,
}

impl Member {
    /// The process that line 4 of a logger's file would state for the made value.
    pub fn process<'a>(&self, of: &Stated<'a>) -> &'a str {
        if Process::of(of.process) == Some(Process::WindVector) {
            return of.process;
        }
        match self.how {
            How::Mean | How::Vector(_) => "Avg",
            How::Sum | How::Increments => "Tot",
            How::Largest => "Max",
            How::Smallest => "Min",
            How::Deviation(_) => "Std",
            How::Covariance(_) => "Cov",
            How::Code => "Smp",
            How::TimeOf(..) => of.process,
        }
    }

    /// The columns that decide its value: its own, and those that it is put together with.
    pub fn reads(&self) -> impl Iterator<Item = usize> {
        let others = match self.how {
            How::Vector(other) | How::Deviation(other) => [other, None],
            How::Covariance(means) => [means.map(|(one, _)| one), means.map(|(_, other)| other)],
            How::TimeOf(extreme, _) => [Some(extreme), None],
            How::Mean | How::Sum | How::Increments | How::Largest | How::Smallest | How::Code => [None, None],
        };
        std::iter::once(self.place).chain(others.into_iter().flatten())
    }

    /// Whether its value also depends on the row before the window.
    pub fn looks_back(&self) -> bool {
        self.how == How::Increments
    }
}

/// The columns that are made of a table with these columns and kinds, in their order; `is_wanted` selects them. The
/// time of an extreme without a column of the extreme itself cannot be made, and is left out.
pub fn members(columns: &[Stated<'_>], kinds: &[Kind], is_wanted: impl Fn(usize) -> bool) -> Vec<Member> {
    let names = Names { columns, kinds };
    let wanted = (0..columns.len()).filter(|place| is_wanted(*place));
    wanted.filter_map(|place| Some(Member { place, how: names.how(place)? })).collect()
}

/// Finds columns that belong together by their names.
struct Names<'a> {
    columns: &'a [Stated<'a>],
    kinds: &'a [Kind],
}

impl Names<'_> {
    fn how(&self, place: usize) -> Option<How> {
        let column = &self.columns[place];
        Some(match self.kinds.get(place).copied().unwrap_or_default() {
            Kind::Linear => How::Mean,
            Kind::Direction => How::Vector(self.speed_of(place)),
            Kind::Total => How::Sum,
            Kind::Counter => How::Increments,
            Kind::Maximum => How::Largest,
            Kind::Minimum => How::Smallest,
            Kind::Deviation => How::Deviation(self.mean_of(&base(column.name))),
            Kind::Covariance => How::Covariance(self.means_of(place)),
            Kind::Code if Process::of(column.process) == Some(Process::TimeOfExtreme) => {
                let is_largest = column.process.trim().eq_ignore_ascii_case("tmx");
                let kind = if is_largest { Kind::Maximum } else { Kind::Minimum };
                How::TimeOf(self.find(&base(column.name), |at| self.kinds[at] == kind)?, is_largest)
            }
            Kind::Code => How::Code,
        })
    }

    fn find(&self, wanted: &str, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        (0..self.columns.len().min(self.kinds.len())).find(|at| is_it(*at) && base(self.columns[*at].name) == wanted)
    }

    fn mean_of(&self, wanted: &str) -> Option<usize> {
        let is_mean = |at: usize| {
            self.kinds[at] == Kind::Linear && Process::of(self.columns[at].process) == Some(Process::Average)
        };
        self.find(wanted, is_mean)
    }

    /// The means of the two quantities in a name such as `cov_Uz_Ts` or `Uz_Ts_Cov`.
    fn means_of(&self, place: usize) -> Option<(usize, usize)> {
        let name = base(self.columns[place].name);
        let both = name.strip_prefix("cov_").unwrap_or(&name);
        let halves = both.match_indices('_').map(|(at, _)| (&both[..at], &both[at + 1..]));
        halves.filter_map(|(one, other)| Some((self.mean_of(one)?, self.mean_of(other)?))).next()
    }

    /// The speed that belongs to a direction: among the outputs of a wind vector the corresponding one, otherwise the
    /// column whose name has "speed" in place of "direction", otherwise the only wind speed beside the only direction.
    fn speed_of(&self, place: usize) -> Option<usize> {
        let name = self.columns[place].name.to_ascii_lowercase();
        let is_speed = |at: usize| self.kinds[at] == Kind::Linear;
        let named = |wanted: &str| {
            let has_name = |at: usize| self.columns[at].name.eq_ignore_ascii_case(wanted);
            (0..self.columns.len().min(self.kinds.len())).find(|at| is_speed(*at) && has_name(*at))
        };
        if let Some((head, number)) = name.strip_suffix(')').and_then(|name| name.rsplit_once('(')) {
            // Of four outputs, the third is the direction of the mean vector, whose speed is the second output.
            let of_vector = if number == "3" { "2" } else { "1" };
            return named(&format!("{head}({of_vector})"));
        }
        for (direction, speed) in SPEEDS_OF_DIRECTIONS {
            if let Some(at) = name.find(direction) {
                let other = format!("{}{speed}{}", &name[..at], &name[at + direction.len()..]);
                if let Some(found) = named(&other).or_else(|| self.find(&base(&other), is_speed)) {
                    return Some(found);
                }
            }
        }
        self.speed_before(place).or_else(|| self.only_speed())
    }

    /// The output of a wind vector before this one, as in `WS_ms_S_WVT, WindDir_D1_WVT`: the instruction writes the speed
    /// directly before its direction.
    fn speed_before(&self, place: usize) -> Option<usize> {
        let before = place.checked_sub(1)?;
        let is_of_vector = |at: usize| Process::of(self.columns[at].process) == Some(Process::WindVector);
        (is_of_vector(before) && is_of_vector(place) && self.kinds[before] == Kind::Linear).then_some(before)
    }

    /// The wind speed of a table with one speed and one direction, whatever their names have in common.
    fn only_speed(&self) -> Option<usize> {
        let only = |is_it: &dyn Fn(usize) -> bool| {
            let mut found = (0..self.columns.len().min(self.kinds.len())).filter(|at| is_it(*at));
            found.next().filter(|_| found.next().is_none())
        };
        only(&|at| self.kinds[at] == Kind::Direction)?;
        only(&|at| self.kinds[at] == Kind::Linear && is_wind_speed(&base(self.columns[at].name)))
    }
}

/// The name in lower case, without the suffix of the logger's process.
fn base(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let endings = ["_avg", "_std", "_max", "_min", "_tmx", "_tmn", "_cov", "_tot", "_smp"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name).to_owned()
}

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
            if !value.is_nan() {
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
                if !before.is_nan() {
                    self.sums[0].add(increment(before, value));
                    self.bits += 1;
                }
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
            // The time of an extreme is a text.
            How::TimeOf(..) => return,
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
        if let How::TimeOf(of, is_largest) = member.how {
            let value = row.number(of);
            if value.is_nan() {
                return;
            }
            let wins = if is_largest { value > self.extreme } else { value < self.extreme };
            if self.count == 0 || wins {
                // If the row of the extreme has no time, the result has none: that of another row would be wrong.
                (self.extreme, self.text) = (value, row.text(member.place));
            }
        } else {
            let Some(text) = row.text(member.place) else { return };
            self.text = Some(text);
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
            How::Increments if self.bits == 0 => Made::Nothing,
            How::Increments => number(first),
            How::Largest | How::Smallest => number(self.extreme),
            How::Deviation(_) => number((second / count - (first / count).powi(2)).max(0.0).sqrt()),
            How::Covariance(_) => number(third / count - first / count * (second / count)),
            How::Code => match &self.text {
                Some(text) => Made::Text(text.clone()),
                #[allow(clippy::cast_precision_loss, reason = "at most 32 bits")]
                None => Made::Number(self.bits as f64),
            },
            How::TimeOf(..) => self.text.clone().map_or(Made::Nothing, Made::Text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mut alone = Window::new(&members);
        alone.add(&Row(vec![3.0]));
        assert_eq!(alone.end().next(), Some((Made::Nothing, 1)), "what one reading counted is not known");
    }
}
