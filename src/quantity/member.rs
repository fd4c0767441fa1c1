//! The columns that are made of a table's columns, and which other columns the value of each needs.
//!
//! Columns that belong together are found by their names, and where the logger's instruction writes its outputs beside each
//! other, by their places. Where no column is surely the one, none is taken.

use super::kind::Stated;
use super::named::{SPEEDS_OF_DIRECTIONS, is_wind_speed};
use super::{Kind, Process};

/// How the values of a column are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Mean,
    /// The direction, weighted by the speed at this position if a speed belongs to it.
    Vector(Option<usize>),
    Sum,
    Increments,
    Largest,
    Smallest,
    /// The pooled deviation with the means at this position; otherwise the root mean square.
    Deviation(Option<usize>),
    /// The same of a direction, around the circle, with the mean directions at this position.
    Turning(usize),
    /// The pooled covariance with the means at these positions; otherwise the mean.
    Covariance(Option<(usize, usize)>),
    /// All bits that are set in any of the whole numbers; the newest of texts.
    Code,
    /// The text in the row with the largest (or smallest) value at this position.
    TimeOf(usize, bool),
    /// The number in that row.
    NumberOf(usize, bool),
}

/// A column to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its position in the column list of the source.
    pub place: usize,
    pub(super) how: How,
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
            How::Deviation(_) | How::Turning(_) => "Std",
            How::Covariance(_) => "Cov",
            How::Code => "Smp",
            How::TimeOf(..) | How::NumberOf(..) => of.process,
        }
    }

    /// The columns that decide its value: its own, and those that it is put together with.
    pub fn reads(&self) -> impl Iterator<Item = usize> {
        let others = match self.how {
            How::Vector(other) | How::Deviation(other) => [other, None],
            How::Covariance(means) => [means.map(|(one, _)| one), means.map(|(_, other)| other)],
            How::TimeOf(other, _) | How::NumberOf(other, _) | How::Turning(other) => [Some(other), None],
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
/// time of an extreme, and what was sampled at one, cannot be made without a column of the extreme itself, and is left out.
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
        let kind = self.kinds.get(place).copied().unwrap_or_default();
        if Process::of(column.process) == Some(Process::SampleAtExtreme)
            && matches!(kind, Kind::Linear | Kind::Direction)
        {
            let (extreme, is_largest) = self.extreme_of_sample(place)?;
            return Some(How::NumberOf(extreme, is_largest));
        }
        Some(match kind {
            Kind::Linear => How::Mean,
            Kind::Direction => How::Vector(self.speed_of(place)),
            Kind::Total => How::Sum,
            Kind::Counter => How::Increments,
            Kind::Maximum => How::Largest,
            Kind::Minimum => How::Smallest,
            Kind::Deviation => match self.direction_of_deviation(place) {
                Some(direction) => How::Turning(direction),
                None => How::Deviation(self.mean_of(&base(column.name))),
            },
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

    /// The column of a direction whose deviation this is, as `WD_Std` beside `WD_Avg`, `WindDir_SD1_WVT` beside
    /// `WindDir_D1_WVT`, `W_WVc(3)` beside `W_WVc(2)`: the instruction for a wind vector writes it directly before.
    fn direction_of_deviation(&self, place: usize) -> Option<usize> {
        let is_direction = |at: usize| self.kinds[at] == Kind::Direction;
        let name = self.columns[place].name.to_ascii_lowercase();
        if let Some(at) = self.find(&base(&name), is_direction) {
            return Some(at);
        }
        for (deviation, direction) in DIRECTIONS_OF_DEVIATIONS {
            if let Some(at) = name.find(deviation) {
                let other = format!("{}{direction}{}", &name[..at], &name[at + deviation.len()..]);
                if let Some(found) = self.find(&base(&other), is_direction) {
                    return Some(found);
                }
            }
        }
        let before = place.checked_sub(1)?;
        let is_of_vector = |at: usize| Process::of(self.columns[at].process) == Some(Process::WindVector);
        (is_of_vector(before) && is_of_vector(place) && is_direction(before)).then_some(before)
    }

    /// The extreme at whose time a value was sampled, and whether it is the largest: CRBasic's SampleMaxMin stands behind the
    /// instruction of the extreme, perhaps with others of its kind or the time of the extreme between. Otherwise, of a
    /// direction, the only extreme of a wind speed.
    fn extreme_of_sample(&self, place: usize) -> Option<(usize, bool)> {
        let extreme = |at: usize| match self.kinds.get(at)? {
            Kind::Maximum => Some((at, true)),
            Kind::Minimum => Some((at, false)),
            _ => None,
        };
        let is_of_extreme = |at: &usize| {
            matches!(Process::of(self.columns[*at].process), Some(Process::SampleAtExtreme | Process::TimeOfExtreme))
        };
        let before = (0..place).rev().find(|at| !is_of_extreme(at));
        if let Some(found) = before.and_then(extreme) {
            // Of several repetitions, that with the same number.
            let number = |at: usize| self.columns[at].name.rsplit_once('(').map(|(_, number)| number);
            let is_same = |at: &usize| {
                number(*at) == number(place) && extreme(*at).is_some_and(|(_, is_largest)| is_largest == found.1)
            };
            return match number(place) {
                Some(_) if number(found.0).is_some() => (0..place).rev().find(is_same).map(|at| (at, found.1)),
                _ => Some(found),
            };
        }
        if self.kinds.get(place) != Some(&Kind::Direction) {
            return None;
        }
        let mut speeds =
            (0..self.columns.len()).filter(|at| is_wind_speed(&base(self.columns[*at].name))).filter_map(extreme);
        speeds.next().filter(|_| speeds.next().is_none())
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

/// What stands for the deviation in a name, and what in the name of the direction that it belongs to.
const DIRECTIONS_OF_DEVIATIONS: [(&str, &str); 5] =
    [("_sd1_wvt", "_d1_wvt"), ("_sdu_wvt", "_du_wvt"), ("_sigma", ""), ("_sd", ""), ("std_", "")];

/// The name in lower case, without the suffix of the logger's process.
fn base(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let endings = ["_avg", "_std", "_max", "_min", "_tmx", "_tmn", "_cov", "_tot", "_smp"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name).to_owned()
}
