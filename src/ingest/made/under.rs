//! Rows of one table that stand under several headers, because the logger's program changed a unit or a process.
//!
//! A window is made as the header of its last row states the columns, so that a total is summed from the window on in which it
//! became one. A row of that window under another header counts as what it means under the last one: a number in another unit is
//! converted. A column that was another kind of quantity in that row (a mean, and now a total), or whose unit no number
//! converts, has no value in that window, because neither a sum nor a mean of both means anything.

use std::collections::HashMap;

use super::Plan;
use crate::ameriflux::unit::{self, Conversion};
use crate::config::TableConfig;
use crate::format::Header;
use crate::quantity::{Kind, Member, Stated, members};

/// How the columns of a table are made under one header.
pub(super) struct Under<'h> {
    /// Every column of the source.
    pub(super) stated: Vec<Stated<'h>>,
    /// Of every column of the source.
    pub(super) kinds: Vec<Kind>,
    /// The columns that are made, the same ones under every header.
    pub(super) members: Vec<Member>,
    /// Indexes of the members that cannot be made under this header.
    pub(super) lacks: Vec<usize>,
    /// The header of the made rows.
    pub(super) header: i64,
}

impl<'h> Under<'h> {
    /// Under another header; none where that states the same.
    pub(super) fn under(&self, header: &'h Header, source: &TableConfig) -> Option<Under<'h>> {
        let of_header = |column: &Stated<'h>| header.stated(column.name).unwrap_or(*column);
        let stated: Vec<Stated<'h>> = self.stated.iter().map(of_header).collect();
        if stated == self.stated {
            return None;
        }
        let kinds = source.kinds(&stated);
        let made = |place: usize| self.members.iter().any(|member| member.place == place);
        let own = members(&stated, &kinds, made);
        let mut lacks = Vec::new();
        let same_place = |(at, usual): (usize, &Member)| {
            own.iter().find(|member| member.place == usual.place).copied().unwrap_or_else(|| {
                lacks.push(at);
                *usual
            })
        };
        let members = self.members.iter().enumerate().map(same_place).collect();
        Some(Under { stated, kinds, members, lacks, header: self.header })
    }

    /// What a row's number under this header is under another one.
    fn becomes(&self, place: usize, other: &Under<'_>) -> Becomes {
        let (kind, from, to) = (self.kinds[place], self.stated[place].unit, other.stated[place].unit);
        if kind != other.kinds[place] {
            return Becomes::Nothing;
        }
        if kind == Kind::Code || !unit::differ(from, to) {
            return Becomes::Itself;
        }
        let is_spread = matches!(kind, Kind::Deviation | Kind::Covariance);
        unit::between(from, to, is_spread).map_or(Becomes::Nothing, Becomes::Converted)
    }
}

/// What a number is under another header than its own.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Becomes {
    Itself,
    Converted(Conversion),
    Nothing,
}

/// The rows of a window, whichever header they stand under.
pub(super) struct Mixture<'p> {
    plan: &'p Plan<'p>,
    /// The header of the last row.
    header: Option<i64>,
    /// What numbers become, by the header of their row.
    becomes: HashMap<Option<i64>, Vec<Becomes>>,
    /// The other headers that rows of the window stand under.
    others: Vec<Option<i64>>,
    /// Places of columns that have no value in this window.
    mixed: Vec<usize>,
}

impl<'p> Mixture<'p> {
    /// Before the first row; `header` is that of the last one.
    pub(super) fn new(plan: &'p Plan<'p>, header: Option<i64>) -> Mixture<'p> {
        Mixture { plan, header, becomes: HashMap::new(), others: Vec::new(), mixed: Vec::new() }
    }

    /// Makes the numbers of a row of the window numbers under the header of the last row.
    #[inline]
    pub(super) fn add(&mut self, header: Option<i64>, numbers: &mut [f64]) {
        if header == self.header {
            return;
        }
        self.look_back(header, numbers);
        if !self.others.contains(&header) {
            self.others.push(header);
            let nothing = |(place, becomes): (usize, &Becomes)| (*becomes == Becomes::Nothing).then_some(place);
            let becomes = self.becomes.get(&header).into_iter().flatten();
            self.mixed.extend(becomes.enumerate().filter_map(nothing));
        }
    }

    /// The same for the row before the window, which is none of its rows.
    pub(super) fn look_back(&mut self, header: Option<i64>, numbers: &mut [f64]) {
        if header == self.header {
            return;
        }
        let (from, to) = (self.plan.under(header), self.plan.under(self.header));
        let places = 0..self.plan.width;
        let all = self.becomes.entry(header).or_insert_with(|| places.map(|place| from.becomes(place, to)).collect());
        for (number, becomes) in numbers.iter_mut().zip(all) {
            match becomes {
                Becomes::Itself => {}
                Becomes::Converted(conversion) => *number = conversion.of(*number),
                Becomes::Nothing => *number = f64::NAN,
            }
        }
    }

    /// Whether these columns mean one thing in all rows of the window.
    pub(super) fn is_one(&self, mut places: impl Iterator<Item = usize>) -> bool {
        places.all(|place| !self.mixed.contains(&place))
    }
}
