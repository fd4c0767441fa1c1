//! What a site asks of QC: the tests of a column, of a table and between columns, as checked parameters.
//!
//! The names are QARTOD's. Every limit is in the unit of its column and every span of time a [`Duration`]; what a test
//! does with them, and where it comes from, stands with the test in [`crate::qc`].

use std::time::Duration;

use super::{Climatology, TableName};
use crate::ameriflux::Instrument;
use crate::ameriflux::Range;

/// Two limits of which at least one is set; a value beyond the second is beyond the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels<T> {
    /// Beyond it a value is suspect.
    pub suspect: Option<T>,
    /// Beyond it a value fails.
    pub fail: Option<T>,
}

/// Everything a column may be tested for beside its range.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnQuality {
    /// Against its two neighbours.
    pub spike: Option<Spike>,
    /// Against the row before.
    pub rate_of_change: Option<RateOfChange>,
    /// Against standing still.
    pub flat_line: Option<FlatLine>,
    /// Against losing its variance.
    pub attenuated_signal: Option<AttenuatedSignal>,
    /// Against season and time of day.
    pub climatology: Option<Climatology>,
    /// Whether this column is an instrument's diagnostic word, and whose.
    pub diagnostic: Option<Diagnostic>,
}

/// A spike test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spike {
    /// Thresholds in the column's unit; strictly above is beyond.
    pub levels: Levels<f64>,
    /// How the height of a spike is measured.
    pub method: SpikeMethod,
}

/// How the height of a spike is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpikeMethod {
    /// Distance from the mean of both neighbours.
    Average,
    /// The smaller of the steps up to it and down from it; 0 where the value goes on in one direction.
    Differential,
}

/// A rate-of-change test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateOfChange {
    /// In the column's unit per second; strictly above is beyond.
    pub levels: Levels<f64>,
    /// The time that the limits were written for, to show them as written.
    pub per: Duration,
}

/// A flat-line test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlatLine {
    /// How long a value may stand still.
    pub levels: Levels<Duration>,
    /// Still means that highest and lowest value differ by less than this, in the column's unit.
    pub tolerance: f64,
    /// Values at which standing still is natural, such as RH of 99 and more. Closed.
    pub except: Option<(f64, f64)>,
}

/// An attenuated-signal test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttenuatedSignal {
    /// Least spread, in the column's unit; strictly below is beyond.
    pub levels: Levels<f64>,
    /// How far it looks back.
    pub window: Duration,
    /// What is measured.
    pub by: Spread,
    /// Values that the window must hold; none means that the rows must reach back over all of it.
    pub least: Option<u32>,
}

/// A measure of spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// Standard deviation of the population; missing values are left out.
    Deviation,
    /// Highest minus lowest; not evaluated where a value is missing.
    Range,
}

/// A diagnostic word and the columns it speaks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Whose word it is.
    pub instrument: Instrument,
    /// Columns of the same table that fail when it reports a fault.
    pub governs: Vec<String>,
}

/// A comparison of two columns, of one table or of two.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// As the findings call it.
    pub name: String,
    /// The column compared.
    pub first: ColumnAt,
    /// What it is compared with.
    pub second: ColumnAt,
    /// What is compared.
    pub measure: Measure,
    /// Under which condition.
    pub guard: Option<Guard>,
    /// How far apart the rows of two tables may lie. Zero: the same time.
    pub within: Duration,
    /// Which of the two is flagged.
    pub flags: PairFlags,
}

impl Pair {
    /// The table that it compares `table` with; that table itself where the pair lies within one.
    pub fn other(&self, table: &TableName) -> &TableName {
        if self.first.table == *table { &self.second.table } else { &self.first.table }
    }

    /// Whether it flags a column of this table.
    pub fn flags_in(&self, table: &TableName) -> bool {
        (self.first.table == *table && self.flags != PairFlags::Second)
            || (self.second.table == *table && self.flags != PairFlags::First)
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnAt {
    /// The table's name in the configuration.
    pub table: TableName,
    /// The column's name in the file.
    pub column: String,
}

/// What a pair test looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// First minus second, without its sign; strictly above is beyond.
    Difference(Levels<f64>),
    /// First by second, within closed intervals.
    Ratio(Range),
}

/// A pair test runs only where this value lies strictly above and strictly below the bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// A column of the first table, or the second column.
    pub column: ColumnAt,
    /// Minus infinity for none.
    pub above: f64,
    /// Infinity for none.
    pub below: f64,
}

/// Which side of a pair is flagged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairFlags {
    /// Both: two sensors that disagree do not say which is wrong.
    Both,
    /// The first: the second is the reference.
    First,
    /// The second: the first is the reference.
    Second,
}
