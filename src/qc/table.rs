//! The tests of one table, compiled from its [`TableSpec`] for its column list.

use std::sync::Arc;

use super::diagnostic::DiagnosticTest;
use super::finding::{self, Finding};
use super::flag::Flag;
use super::gross_range::GrossRange;
use super::guard::GuardTest;
use super::input::Inputs;
use super::manual::ManualFlag;
use super::pair::{Across, PairTest};
use super::registry::{ColumnTests, TableSettings, Test};
use super::spec::TableSpec;
use super::value::Value;
use super::window::Window;
use crate::ameriflux::MeasuredOver;
use crate::sun::Position;
use crate::time::{StationClock, Timestamp};

/// The compiled tests of a table, in the order of its column list.
#[derive(Debug, Clone)]
pub struct TableTests {
    pub(super) ranges: Vec<GrossRange>,
    /// The flags of a row whose values are all sure, which nearly every row's are ([`GrossRange::sure`]).
    usual: Usual,
    /// The columns with tests that need more than the value itself.
    pub(super) columns: Vec<ColumnTests>,
    /// Every window that a column needs, each once.
    pub(super) windows: Vec<Window>,
    pub(super) settings: TableSettings,
    /// Whether a column is included in the tests of a whole row.
    pub(super) is_field: Vec<bool>,
    pub(super) diagnostics: Vec<DiagnosticTest>,
    pub(super) guards: Vec<GuardTest>,
    pub(super) pairs: Vec<PairTest>,
    pub(super) derived: Vec<Inputs>,
    pub(super) manual: Vec<ManualFlag>,
    pub(super) clock: StationClock,
    pub(super) needs_season: bool,
    /// The position for the sun; None if no test needs it.
    pub(super) position: Option<Position>,
    /// The columns that are despiked.
    pub(super) despiked: Vec<usize>,
    looks_ahead: bool,
    is_pointwise: bool,
}

/// What most rows of a table have in common.
#[derive(Debug, Clone)]
struct Usual {
    /// The closed interval of each value.
    sure: Vec<(f64, f64)>,
    /// The flags if each value is in its interval.
    flags: Vec<Flag>,
    /// The same, one digit per value.
    digits: String,
}

impl Usual {
    fn of(ranges: &[GrossRange]) -> Usual {
        let flags: Vec<Flag> = ranges.iter().map(GrossRange::flag_inside).collect();
        let digits = flags.iter().map(|flag| char::from(flag.digit())).collect();
        Usual { sure: ranges.iter().map(GrossRange::sure).collect(), flags, digits }
    }

    #[inline]
    fn is_it(&self, values: &[Value]) -> bool {
        let is_sure = |(value, (low, high)): (&Value, &(f64, f64))| match value {
            Value::Number(number) => (number >= low) & (number <= high),
            Value::Missing | Value::Text(_) => false,
        };
        values.len() == self.sure.len() && values.iter().zip(&self.sure).all(is_sure)
    }
}

impl TableTests {
    /// Compiles the tests for the column list `names`. The result is shared, because every series of the table uses it.
    pub fn new(table: &TableSpec<'_>, names: &[String], manual: Vec<ManualFlag>) -> Arc<TableTests> {
        let mut windows = Vec::new();
        let mut columns = Vec::new();
        let mut diagnostics = Vec::new();
        let mut guards = Vec::new();
        let mut derived = Vec::new();
        let mut despiked = Vec::new();
        let mut needs_season = false;
        let mut needs_sun = false;
        let mut looks_ahead = false;
        for (place, name) in names.iter().enumerate() {
            let Some(own) = table.columns.get(name.as_str()) else { continue };
            if own.settings.tests().next().is_some() {
                columns.push(ColumnTests::new(place, own, &mut windows));
                needs_sun |= own.settings.needs_sun();
                needs_season |= own.settings.needs_season();
                looks_ahead |= own.settings.looks_ahead();
                despiked.extend(own.settings.despike.map(|_| place));
            }
            if let Some(diagnostic) = own.diagnostic {
                diagnostics.push(DiagnosticTest::new(diagnostic, place, names));
            }
            guards.extend(own.guards.iter().map(|guard| GuardTest::new(guard, place, names)));
            if let Some(inputs) = own.inputs {
                derived.push(Inputs::new(inputs, place, names));
            }
        }
        if table.is_made {
            guards.extend((0..names.len()).filter_map(|place| GuardTest::of_coverage(table, place, names)));
        }
        let pairs: Vec<PairTest> = table.pairs.iter().filter_map(|pair| PairTest::new(pair, table, names)).collect();
        let is_field =
            names.iter().map(|name| table.columns.get(name.as_str()).is_none_or(|own| own.is_field)).collect();
        let is_pointwise = columns.is_empty()
            && diagnostics.is_empty()
            && guards.is_empty()
            && pairs.is_empty()
            && derived.is_empty()
            && manual.is_empty()
            && !names.iter().any(|name| table.columns.get(name.as_str()).is_some_and(|own| own.needs_interval))
            && table.settings.tests().next().is_none();
        let ranges: Vec<GrossRange> = names.iter().map(|name| GrossRange::of(table, name)).collect();
        Arc::new(TableTests {
            usual: Usual::of(&ranges),
            ranges,
            columns,
            windows,
            settings: table.settings.clone(),
            is_field,
            diagnostics,
            guards,
            pairs,
            derived,
            manual,
            clock: table.clock,
            needs_season,
            position: table.position.filter(|_| needs_sun),
            despiked,
            looks_ahead,
            is_pointwise,
        })
    }

    /// Whether every flag depends only on its own value.
    pub fn is_pointwise(&self) -> bool {
        self.is_pointwise
    }

    /// How far back a flag depends on rows, in nanoseconds, in addition to the previous row.
    pub fn look_back(&self) -> i64 {
        self.windows.iter().map(|window| window.nanos).max().unwrap_or(0)
    }

    /// Whether a flag depends on the next row.
    pub fn looks_ahead(&self) -> bool {
        self.looks_ahead
    }

    /// The other tables that rows are compared with, in the order in which [`super::Series::push`] takes their values.
    pub fn across(&self) -> impl Iterator<Item = &Across> {
        self.pairs.iter().filter_map(|pair| pair.across.as_ref())
    }

    /// Replaces `flags` by one digit per value, and `raised` by the findings, for a pointwise table; for another table
    /// only as far as they depend on the value alone.
    #[inline]
    pub fn flag_row(&self, values: &[Value], flags: &mut String, raised: &mut String) {
        flags.clear();
        raised.clear();
        if self.usual.is_it(values) {
            flags.push_str(&self.usual.digits);
            return;
        }
        let mut any = false;
        for (value, range) in values.iter().zip(&self.ranges) {
            let flag = range.flag(*value, MeasuredOver::UNKNOWN);
            any |= flag.is_raised();
            flags.push(char::from(flag.digit()));
        }
        if any {
            self.findings(values, raised);
        }
    }

    /// The flags of the range test, if each value is surely inside its ranges.
    #[inline]
    pub(super) fn usual_flags(&self, values: &[Value]) -> Option<&[Flag]> {
        self.usual.is_it(values).then_some(&self.usual.flags)
    }

    #[cold]
    fn findings(&self, values: &[Value], raised: &mut String) {
        let mut findings = Vec::new();
        for (place, (value, range)) in values.iter().zip(&self.ranges).enumerate() {
            let flag = range.flag(*value, MeasuredOver::UNKNOWN);
            if flag.is_raised() {
                let detail = range.detail(*value, MeasuredOver::UNKNOWN, flag);
                findings.push(Finding { place, test: Test::GrossRange, flag, detail });
            }
        }
        finding::write(&findings, raised);
    }

    /// Whether any value of this time has a flag by hand.
    pub(super) fn is_flagged_by_hand(&self, ts: Timestamp) -> bool {
        self.manual.iter().any(|manual| manual.holds(ts))
    }

    /// The flag by hand of this value; the latest if there are several.
    pub(super) fn manual_flag(&self, place: usize, ts: Timestamp) -> Option<&ManualFlag> {
        self.manual.iter().rev().find(|manual| manual.place == place && manual.holds(ts))
    }
}
