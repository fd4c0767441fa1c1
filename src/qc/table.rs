//! The tests of one table, compiled from the configuration for its column list.

use std::sync::Arc;

use super::finding::{self, Finding, Test};
use super::flag::Flag;
use super::pair::{Across, PairTest};
use super::range::ColumnTests;
use crate::ameriflux::Instrument;
use crate::config::{
    AttenuatedSignal, Climatology, ColumnUse, Config, FlatLine, Levels, RateOfChange, Spike, TableConfig,
};
use crate::format::Value;
use crate::time::{StationClock, Timestamp, nanos};

/// A flag that a person set, over whatever the tests say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualFlag {
    /// Names it, to list and revoke it.
    pub id: i64,
    /// Place in the column list.
    pub place: usize,
    /// First and last instant, both included.
    pub span: (Timestamp, Timestamp),
    /// What the person said.
    pub flag: Flag,
    /// Why.
    pub reason: String,
}

/// The tests of a column that look further than its own value.
#[derive(Debug, Clone, Default)]
pub(super) struct ContextTests {
    pub(super) place: usize,
    pub(super) spike: Option<Spike>,
    pub(super) rate_of_change: Option<RateOfChange>,
    /// With the places of its two spans in [`TableTests::spans`].
    pub(super) flat_line: Option<(FlatLine, Option<usize>, Option<usize>)>,
    pub(super) attenuated_signal: Option<(AttenuatedSignal, usize)>,
    pub(super) climatology: Option<Climatology>,
}

impl ContextTests {
    fn is_empty(&self) -> bool {
        self.spike.is_none()
            && self.rate_of_change.is_none()
            && self.flat_line.is_none()
            && self.attenuated_signal.is_none()
            && self.climatology.is_none()
    }
}

/// A window that some test looks back over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) nanos: i64,
    /// Whether a row exactly so long ago belongs to it: yes for a flat line, no for an attenuated signal (ioos_qc 3.0).
    pub(super) is_closed: bool,
}

/// An instrument's word and the columns that fail with it.
#[derive(Debug, Clone)]
pub(super) struct DiagnosticTest {
    pub(super) place: usize,
    pub(super) instrument: Instrument,
    pub(super) governs: Vec<usize>,
}

/// A derived column and the columns that it rests on.
#[derive(Debug, Clone)]
pub(super) struct Rests {
    pub(super) place: usize,
    pub(super) inputs: Vec<(usize, String)>,
}

/// The tests of a table, aligned with its column list.
#[derive(Debug, Clone)]
pub struct TableTests {
    pub(super) columns: Vec<ColumnTests>,
    pub(super) context: Vec<ContextTests>,
    pub(super) spans: Vec<Span>,
    pub(super) time_gap: Option<Levels<i64>>,
    /// Whether a column takes part in what is said of a whole row.
    pub(super) is_field: Vec<bool>,
    pub(super) diagnostics: Vec<DiagnosticTest>,
    pub(super) pairs: Vec<PairTest>,
    pub(super) rests: Vec<Rests>,
    pub(super) manual: Vec<ManualFlag>,
    pub(super) clock: StationClock,
    pub(super) needs_season: bool,
    is_pointwise: bool,
}

impl TableTests {
    /// For the column list `names`. Shared, because every series of the table uses it.
    pub fn new(config: &Config, table: &TableConfig, names: &[String], manual: Vec<ManualFlag>) -> Arc<TableTests> {
        let place = |name: &String| names.iter().position(|known| known == name);
        let mut spans = Vec::new();
        let mut context = Vec::new();
        let mut diagnostics = Vec::new();
        let mut rests = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let Some(column) = table.columns.get(name) else { continue };
            let quality = &column.quality;
            let tests = ContextTests {
                place: at,
                spike: quality.spike,
                rate_of_change: quality.rate_of_change,
                flat_line: quality.flat_line.map(|test| {
                    let mut reach =
                        |span: Option<std::time::Duration>| span.map(|span| place_of(&mut spans, nanos(span), true));
                    let (suspect, fail) = (reach(test.levels.suspect), reach(test.levels.fail));
                    (test, suspect, fail)
                }),
                attenuated_signal: quality
                    .attenuated_signal
                    .map(|test| (test, place_of(&mut spans, nanos(test.window), false))),
                climatology: quality.climatology.clone(),
            };
            if !tests.is_empty() {
                context.push(tests);
            }
            if let Some(diagnostic) = &quality.diagnostic {
                let governs = diagnostic.governs.iter().filter_map(place).collect();
                diagnostics.push(DiagnosticTest { place: at, instrument: diagnostic.instrument, governs });
            }
            if let Some(formula) = &column.formula {
                let inputs = formula.inputs().iter().filter_map(|input| Some((place(input)?, input.clone()))).collect();
                rests.push(Rests { place: at, inputs });
            }
        }
        let pairs: Vec<PairTest> =
            config.pairs.iter().filter_map(|pair| PairTest::new(pair, &table.name, names)).collect();
        let columns = names.iter().map(|name| ColumnTests::of(table, name)).collect();
        let is_field = names
            .iter()
            .map(|name| table.columns.get(name).is_none_or(|column| column.column_use == ColumnUse::Field))
            .collect();
        let time_gap = table.time_gap.map(|gap| Levels { suspect: gap.suspect.map(nanos), fail: gap.fail.map(nanos) });
        let is_pointwise = context.is_empty()
            && diagnostics.is_empty()
            && pairs.is_empty()
            && rests.is_empty()
            && manual.is_empty()
            && time_gap.is_none();
        Arc::new(TableTests {
            columns,
            needs_season: context.iter().any(|tests| tests.climatology.is_some()),
            context,
            spans,
            time_gap,
            is_field,
            diagnostics,
            pairs,
            rests,
            manual,
            clock: table.clock,
            is_pointwise,
        })
    }

    /// Whether every flag follows from its own value alone.
    pub fn is_pointwise(&self) -> bool {
        self.is_pointwise
    }

    /// How far back a flag depends on rows, beside the row before.
    pub fn look_back(&self) -> i64 {
        self.spans.iter().map(|span| span.nanos).max().unwrap_or(0)
    }

    /// Whether a flag depends on the row after.
    pub fn looks_ahead(&self) -> bool {
        self.context.iter().any(|tests| tests.spike.is_some())
    }

    /// The other tables that rows are compared with, in the order in which [`super::Series::push`] takes their values.
    pub fn across(&self) -> impl Iterator<Item = &Across> {
        self.pairs.iter().filter_map(|pair| pair.across.as_ref())
    }

    /// Replaces `flags` by one digit a value, and `raised` by the findings, of a pointwise table.
    #[inline]
    pub fn flag_row(&self, values: &[Value], flags: &mut String, raised: &mut String) {
        flags.clear();
        raised.clear();
        let mut any = false;
        for (value, tests) in values.iter().zip(&self.columns) {
            let flag = tests.flag(*value);
            any |= flag.is_raised();
            flags.push(char::from(flag.digit()));
        }
        if any {
            self.findings(values, raised);
        }
    }

    #[cold]
    fn findings(&self, values: &[Value], raised: &mut String) {
        let mut findings = Vec::new();
        for (place, (value, tests)) in values.iter().zip(&self.columns).enumerate() {
            let flag = tests.flag(*value);
            if flag.is_raised() {
                findings.push(Finding { place, test: Test::GrossRange, flag, detail: tests.detail(*value, flag) });
            }
        }
        finding::write(&findings, raised);
    }

    /// Whether a person set a flag for any value of this time.
    pub(super) fn is_touched_by_hand(&self, ts: Timestamp) -> bool {
        self.manual.iter().any(|manual| manual.span.0 <= ts && ts <= manual.span.1)
    }

    /// The flag that a person set for this value, the latest of several.
    pub(super) fn manual_flag(&self, place: usize, ts: Timestamp) -> Option<&ManualFlag> {
        self.manual.iter().rev().find(|manual| manual.place == place && manual.span.0 <= ts && ts <= manual.span.1)
    }
}

fn place_of(spans: &mut Vec<Span>, nanos: i64, is_closed: bool) -> usize {
    let span = Span { nanos, is_closed };
    spans.iter().position(|known| *known == span).unwrap_or_else(|| {
        spans.push(span);
        spans.len() - 1
    })
}

/// Whether a column's flags say more than "missing", so that they are worth sending.
pub fn is_tested(config: &Config, table: &TableConfig, column: &str) -> bool {
    let own = table.columns.get(column);
    let quality = own.map(|own| &own.quality);
    own.is_some_and(|own| own.range.is_some() || own.formula.is_some())
        || quality.is_some_and(|quality| {
            quality.spike.is_some()
                || quality.rate_of_change.is_some()
                || quality.flat_line.is_some()
                || quality.attenuated_signal.is_some()
                || quality.climatology.is_some()
        })
        || table.time_gap.is_some()
        || table.columns.values().any(|other| {
            other.quality.diagnostic.as_ref().is_some_and(|word| word.governs.iter().any(|name| name == column))
        })
        || config.pairs.iter().any(|pair| {
            [&pair.first, &pair.second].iter().any(|side| side.table == table.name && side.column == column)
        })
}
