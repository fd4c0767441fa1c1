//! Runs all tests on the rows of one series, in the order of time.
//!
//! A row is judged when it is added, and again when the next row is added, because a spike is visible only then. The
//! result depends only on the rows: not on how they were divided among files, nor on where reading began, as long as it
//! began [`TableTests::look_back`] and one row earlier.

use std::sync::Arc;

use super::climatology::Season;
use super::finding::{self, Finding};
use super::flag::Flag;
use super::input;
use super::pair::Partner;
use super::registry::{Around, ColumnState, ColumnTests, Marks, Seen, Test};
use super::sun::Sky;
use super::table::TableTests;
use super::value::Value;
use super::window::{Here, Reach, RowTimes};
use crate::ameriflux::MeasuredOver;
use crate::sun::Potential;
use crate::time::Timestamp;

/// The result for one row: one digit per value, and the findings as JSON (empty if no flag was raised).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// One QARTOD digit per value.
    pub flags: String,
    /// The findings; see [`super::findings`].
    pub raised: String,
}

/// The last row, whose result may change with the next row.
#[derive(Debug, Clone, Default)]
struct LastRow {
    ts: Timestamp,
    /// The tests for its own header.
    tests: Option<Arc<TableTests>>,
    numbers: Vec<f64>,
    /// The values of the previous row; empty if there is none.
    before: Vec<f64>,
    /// The marks without those of tests that look ahead, flags by hand, and flags that derived columns inherit.
    marks: Marks,
}

/// The running tests of one series.
#[derive(Debug, Clone)]
pub struct Series {
    times: RowTimes,
    oldest: Vec<u64>,
    columns: Vec<ColumnState>,
    /// Set if a test needs the sun.
    potential: Option<Potential>,
    last: Option<LastRow>,
    /// Buffers of an earlier row, to be reused.
    spare: LastRow,
    before: Verdict,
    current: Verdict,
    scratch: Verdict,
    marks: Vec<Flag>,
}

impl Series {
    /// The tests before the first row.
    pub fn new(tests: &TableTests) -> Series {
        Series {
            times: RowTimes::default(),
            oldest: vec![0; tests.windows.len()],
            columns: tests.columns.iter().map(ColumnTests::start).collect(),
            potential: tests.position.map(|position| Potential::new(position, tests.clock)),
            last: None,
            spare: LastRow::default(),
            before: Verdict::default(),
            current: Verdict::default(),
            scratch: Verdict::default(),
            marks: Vec::new(),
        }
    }

    /// The time of the last row.
    pub fn last_time(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|last| last.ts)
    }

    /// The verdict on the last row. Until the next row is added or [`Series::close`] is called, tests that look ahead
    /// pass it.
    pub fn current(&self) -> &Verdict {
        &self.current
    }

    /// The final verdict on the row before the last one.
    pub fn before(&self) -> &Verdict {
        &self.before
    }

    /// Adds a row, which must be later than every earlier row. `tests` are those of the row's header: rows of one
    /// series may have different ones, but these differ only in ranges, kinds and units of light. `values` are in the
    /// order of the column list and may be fewer; `partners` are the values for [`TableTests::across`]. Returns whether
    /// the verdict on the previous row differs from the one returned before.
    pub fn push(&mut self, tests: &Arc<TableTests>, ts: Timestamp, values: &[Value], partners: &[Partner]) -> bool {
        self.push_despiked(tests, ts, values, partners, Vec::new())
    }

    /// Like [`Series::push`], for a row of a despiked block. Its spikes count if their columns still have the test.
    pub fn push_despiked(
        &mut self,
        tests: &Arc<TableTests>,
        ts: Timestamp,
        values: &[Value],
        partners: &[Partner],
        spikes: Vec<Finding>,
    ) -> bool {
        let mut row = std::mem::take(&mut self.spare);
        row.ts = ts;
        if row.tests.as_ref().is_none_or(|known| !Arc::ptr_eq(known, tests)) {
            row.tests = Some(Arc::clone(tests));
        }
        row.numbers.clear();
        let usual = tests.usual_flags(values);
        if usual.is_some() {
            // None of them is a sentinel.
            row.numbers.extend(values.iter().map(|value| value.number().unwrap_or(f64::NAN)));
        } else {
            row.numbers.extend(values.iter().zip(&tests.ranges).map(|(value, range)| range.number(*value)));
        }
        // A row from before a column was added is treated like one without a value in it.
        row.numbers.resize(tests.ranges.len(), f64::NAN);
        let changed = self.complete(Some(&row.numbers));
        self.judge(tests, &mut row, (values, usual), partners);
        for spike in spikes.into_iter().filter(|spike| tests.despiked.contains(&spike.place)) {
            if row.marks.flag(spike.place).is_some_and(|flag| flag != Flag::Missing) {
                row.marks.note(spike.place, Test::Despike, spike.flag, || spike.detail);
            }
        }
        std::mem::swap(&mut self.before, &mut self.current);
        if let Some(mut last) = self.last.take() {
            std::mem::swap(&mut row.before, &mut last.numbers);
            self.spare = last;
        } else {
            row.before.clear();
        }
        render(tests, &row, None, &mut self.marks, &mut self.current);
        self.last = Some(row);
        changed
    }

    /// Judges the last row as the newest one: for tests that look ahead there is no next row. Returns whether the
    /// verdict differs from the one returned before. Further rows may be added.
    pub fn close(&mut self) -> bool {
        self.complete(None)
    }

    /// Judges the last row with the next row, or without one.
    fn complete(&mut self, after: Option<&[f64]>) -> bool {
        let Some(last) = &self.last else { return false };
        let Some(tests) = &last.tests else { return false };
        if !tests.looks_ahead() {
            return false;
        }
        render(tests, last, Some(after.unwrap_or_default()), &mut self.marks, &mut self.scratch);
        if self.scratch == self.current {
            return false;
        }
        std::mem::swap(&mut self.scratch, &mut self.current);
        true
    }

    /// Everything about a row that does not depend on the next row.
    /// `usual`: the flags of the range test where they are known.
    fn judge(
        &mut self,
        tests: &TableTests,
        row: &mut LastRow,
        (values, usual): (&[Value], Option<&[Flag]>),
        partners: &[Partner],
    ) {
        row.marks.flags.clear();
        row.marks.findings.clear();
        let since = self.last.as_ref().map(|last| row.ts.nanos_since(last.ts));
        let over = MeasuredOver::since(since);
        row.marks.flags.extend_from_slice(usual.unwrap_or_default());
        let unknown = if usual.is_some() { &[] } else { values };
        for (place, (value, range)) in unknown.iter().zip(&tests.ranges).enumerate() {
            let flag = range.flag(*value, over);
            if flag.is_raised() {
                let detail = range.detail(*value, over, flag);
                row.marks.findings.push(Finding { place, test: Test::GrossRange, flag, detail });
            }
            row.marks.flags.push(flag);
        }
        let before = self.last.as_ref();
        let interval = since.unwrap_or(0);
        let number = self.times.push(row.ts.nanos());
        for (oldest, window) in self.oldest.iter_mut().zip(&tests.windows) {
            let edge = row.ts.nanos().saturating_sub(window.nanos);
            while *oldest < number
                && (self.times.at(*oldest) < edge || (!window.is_closed && self.times.at(*oldest) == edge))
            {
                *oldest += 1;
            }
        }
        // A flat line also needs the previous row.
        let needed = self.oldest.iter().copied().min().unwrap_or(number).min(number).saturating_sub(1);
        let season = tests.needs_season.then(|| Season::of(&tests.clock, row.ts));
        // For the first row, the time over which it is a mean is not known.
        let potential = self.potential.as_mut().filter(|_| before.is_some());
        let sky = potential.map(|potential| Sky { most: potential.most(row.ts, interval) });
        let here = Here { row: number, nanos: row.ts.nanos(), interval, times: &self.times };
        let reach = |window: usize| Reach { oldest: self.oldest[window], nanos: tests.windows[window].nanos };
        for (column, state) in tests.columns.iter().zip(&mut self.columns) {
            let Some(&value) = row.numbers.get(column.place) else { continue };
            let before = before.map(|last| last.numbers.get(column.place).copied().unwrap_or(f64::NAN));
            let seen = Seen {
                row: &here,
                value,
                before,
                season: season.as_ref(),
                kind: column.kind,
                sky,
                light: column.light,
            };
            column.judge(state, &seen, reach, &mut row.marks);
        }
        self.times.forget_before(needed);
        self.judge_row(tests, row, values, partners);
    }

    /// Tests that concern more than one column.
    fn judge_row(&self, tests: &TableTests, row: &mut LastRow, values: &[Value], partners: &[Partner]) {
        if let Some(last) = &self.last {
            tests.settings.judge(row.ts.nanos_since(last.ts), &tests.is_field, &mut row.marks);
        }
        for test in &tests.diagnostics {
            let Some(value) = values.get(test.place) else { continue };
            let word = tests.ranges.get(test.place).map_or(f64::NAN, |range| range.number(*value));
            test.judge(word, &mut row.marks);
        }
        let LastRow { numbers, marks, .. } = &mut *row;
        for test in &tests.guards {
            test.judge(numbers.get(test.place).copied().unwrap_or(f64::NAN), marks);
        }
        if tests.pairs.is_empty() {
            return;
        }
        // There are hardly ever any, and an empty list costs nothing.
        let findings = row.marks.findings.iter();
        let failed: Vec<usize> = findings
            .filter(|finding| finding.test == Test::GrossRange && finding.flag == Flag::Fail)
            .map(|finding| finding.place)
            .collect();
        let mut partners = partners.iter();
        for pair in &tests.pairs {
            let partner = if pair.across.is_some() { partners.next().copied() } else { None };
            let LastRow { numbers, marks, .. } = row;
            pair.judge(numbers, partner.unwrap_or([f64::NAN; 2]), |place| failed.contains(&place), marks);
        }
    }
}

/// Assembles the row's verdict. `after` are the values of the next row, empty if there is none; if `after` is None,
/// every test that looks ahead passes.
fn render(tests: &TableTests, row: &LastRow, after: Option<&[f64]>, marks: &mut Vec<Flag>, out: &mut Verdict) {
    marks.clear();
    marks.extend_from_slice(&row.marks.flags);
    let mut more: Vec<Finding> = Vec::new();
    for column in tests.columns.iter().filter(|_| tests.looks_ahead()) {
        let (Some(&value), Some(mark)) = (row.numbers.get(column.place), marks.get_mut(column.place)) else { continue };
        if value.is_nan() {
            continue;
        }
        let at = |values: &[f64]| values.get(column.place).copied().unwrap_or(f64::NAN);
        let around = after.map(|after| Around { before: at(&row.before), value, after: at(after), kind: column.kind });
        column.judge_between(around.as_ref(), mark, &mut more);
    }
    if tests.is_flagged_by_hand(row.ts) {
        for place in 0..marks.len() {
            if let Some(manual) = tests.manual_flag(place, row.ts) {
                manual.apply(marks, &mut more);
            }
        }
    }
    for derived in &tests.derived {
        if marks.get(derived.place).is_none_or(|mark| *mark == Flag::Missing) {
            continue;
        }
        for (input, name) in &derived.inputs {
            let flag = marks.get(*input).copied().unwrap_or(Flag::Missing);
            if flag.is_raised() {
                marks[derived.place] = marks[derived.place].roll_up(flag);
                more.push(Finding { place: derived.place, test: Test::Input, flag, detail: input::detail(name, flag) });
            }
        }
        if let Some(manual) = tests.manual_flag(derived.place, row.ts) {
            manual.apply(marks, &mut more);
        }
    }
    out.flags.clear();
    out.flags.extend(marks.iter().map(|mark| char::from(mark.digit())));
    out.raised.clear();
    if !row.marks.findings.is_empty() || !more.is_empty() {
        more.extend_from_slice(&row.marks.findings);
        more.sort_by_key(|finding| (finding.place, finding.test));
        more.dedup();
        finding::write(&more, &mut out.raised);
    }
}
