//! The rows of one series, in order of time, through all tests.
//!
//! A row is judged when it is pushed, and once more when its successor comes, because a spike shows only then. What comes
//! out depends on the rows pushed and on nothing else: not on how they were cut into files, nor on where reading began,
//! as long as it began [`TableTests::look_back`] and one row earlier.

use super::finding::{self, Finding, Test, short};
use super::flag::Flag;
use super::limits::{above, bounds, limit, within};
use super::neighbours::{self, rate, spike_height};
use super::pair::Partner;
use super::table::{ContextTests, TableTests};
use super::window::RowTimes;
use super::windows::{FlatState, Here, Reach, SpreadState};
use crate::config::Season;
use crate::format::Value;
use crate::time::Timestamp;

/// What is said of one row: a digit a value, and the findings as JSON (empty if nothing was raised).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// One QARTOD digit a value.
    pub flags: String,
    /// See [`super::findings`].
    pub raised: String,
}

#[derive(Debug, Clone)]
struct ColumnState {
    flat: FlatState,
    spread: Option<SpreadState>,
}

/// A row that may still change when its successor comes.
#[derive(Debug, Clone, Default)]
struct LastRow {
    ts: Timestamp,
    numbers: Vec<f64>,
    /// Values of the row before it; empty if there is none.
    before: Vec<f64>,
    /// Everything but spike, manual flags and what derived columns inherit.
    marks: Vec<Flag>,
    findings: Vec<Finding>,
}

/// The tests of one series under way.
#[derive(Debug, Clone)]
pub struct Series {
    times: RowTimes,
    oldest: Vec<u64>,
    columns: Vec<ColumnState>,
    last: Option<LastRow>,
    /// Buffers of the row before the last, used again.
    spare: LastRow,
    before: Verdict,
    current: Verdict,
    scratch: Verdict,
    marks: Vec<Flag>,
}

impl Series {
    /// Before its first row.
    pub fn new(tests: &TableTests) -> Series {
        let columns = tests
            .context
            .iter()
            .map(|column| ColumnState {
                flat: FlatState::new(),
                spread: column.attenuated_signal.as_ref().map(|(test, _)| SpreadState::new(test)),
            })
            .collect();
        Series {
            times: RowTimes::default(),
            oldest: vec![0; tests.spans.len()],
            columns,
            last: None,
            spare: LastRow::default(),
            before: Verdict::default(),
            current: Verdict::default(),
            scratch: Verdict::default(),
            marks: Vec::new(),
        }
    }

    /// The time of the last row pushed.
    pub fn last_time(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|last| last.ts)
    }

    /// What is said of the last row pushed. Until its successor comes or [`Series::close`] is called, it is taken to be no
    /// spike.
    pub fn current(&self) -> &Verdict {
        &self.current
    }

    /// What is said of the row before the last, for good.
    pub fn before(&self) -> &Verdict {
        &self.before
    }

    /// Adds a row, later than every row before. `values` are aligned with the column list or shorter; `partners` are the
    /// values of [`TableTests::across`]. Says whether the row before is now judged otherwise than it was given out.
    pub fn push(&mut self, tests: &TableTests, ts: Timestamp, values: &[Value], partners: &[Partner]) -> bool {
        let mut row = std::mem::take(&mut self.spare);
        row.ts = ts;
        row.numbers.clear();
        row.numbers.extend(values.iter().zip(&tests.columns).map(|(value, column)| column.number(*value)));
        // A row from before a column was added says the same as one that has no value there.
        row.numbers.resize(tests.columns.len(), f64::NAN);
        let changed = self.complete(tests, Some(&row.numbers));
        self.judge(tests, &mut row, values, partners);
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

    /// Judges the last row as the newest there is: whether it is a spike is not evaluated. Says whether that is otherwise
    /// than it was given out. Rows may be pushed after it.
    pub fn close(&mut self, tests: &TableTests) -> bool {
        self.complete(tests, None)
    }

    /// Judges the last row with its successor, or without one.
    fn complete(&mut self, tests: &TableTests, after: Option<&[f64]>) -> bool {
        let Some(last) = &self.last else { return false };
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

    /// Everything about a row that does not need its successor.
    fn judge(&mut self, tests: &TableTests, row: &mut LastRow, values: &[Value], partners: &[Partner]) {
        row.marks.clear();
        row.findings.clear();
        for (place, (value, column)) in values.iter().zip(&tests.columns).enumerate() {
            let flag = column.flag(*value);
            if flag.is_raised() {
                let detail = column.detail(*value, flag);
                row.findings.push(Finding { place, test: Test::GrossRange, flag, detail });
            }
            row.marks.push(flag);
        }
        let before = self.last.as_ref();
        let step = before.map_or(0, |last| row.ts.nanos_since(last.ts));
        let number = self.times.push(row.ts.nanos());
        for (oldest, span) in self.oldest.iter_mut().zip(&tests.spans) {
            let edge = row.ts.nanos().saturating_sub(span.nanos);
            while *oldest < number
                && (self.times.at(*oldest) < edge || (!span.is_closed && self.times.at(*oldest) == edge))
            {
                *oldest += 1;
            }
        }
        // A flat line looks at the row before too.
        let needed = self.oldest.iter().copied().min().unwrap_or(number).min(number).saturating_sub(1);
        let season = tests.needs_season.then(|| Season::of(tests.clock.local(row.ts)));
        let here = Here { row: number, nanos: row.ts.nanos(), step, times: &self.times };
        for (column, state) in tests.context.iter().zip(&mut self.columns) {
            let Some(&value) = row.numbers.get(column.place) else { continue };
            let reach = |span: usize| Reach { oldest: self.oldest[span], nanos: tests.spans[span].nanos };
            if let Some((test, suspect, fail)) = &column.flat_line {
                let flag = state.flat.flag(test, &here, value, (suspect.map(reach), fail.map(reach)));
                note(row, column.place, Test::FlatLine, flag, || {
                    let span = limit(&test.levels, flag).unwrap_or_default();
                    format!("moved by less than {} within {}", test.tolerance, words(span))
                });
            }
            if let (Some((test, span)), Some(spread)) = (&column.attenuated_signal, &mut state.spread) {
                let flag = spread.flag(test, &here, value, reach(*span));
                note(row, column.place, Test::AttenuatedSignal, flag, || {
                    let limit = limit(&test.levels, flag).unwrap_or(f64::NAN);
                    format!("spread {} below {limit} within {}", short(spread.measured()), words(test.window))
                });
            }
            if value.is_nan() {
                continue;
            }
            if let Some(test) = &column.rate_of_change {
                let before = before.map(|last| (last.numbers.get(column.place).copied().unwrap_or(f64::NAN), step));
                let flag = neighbours::rate_of_change(test, before, value);
                note(row, column.place, Test::RateOfChange, flag, || {
                    let per = test.per.as_secs_f64();
                    let limit = limit(&test.levels, flag);
                    let measured = before.map_or(f64::NAN, |(before, nanos)| rate(before, value, nanos)) * per;
                    format!(
                        "changed by {} in {}, more than {}",
                        short(measured),
                        words(test.per),
                        short(limit.unwrap_or(f64::NAN) * per)
                    )
                });
            }
            if let (Some(test), Some(season)) = (&column.climatology, &season) {
                let Some(band) = test.band(season) else { continue };
                let flag = within(&band, value);
                note(row, column.place, Test::Climatology, flag, || {
                    let (low, high) = bounds(&band, flag);
                    format!("{value} outside {low} to {high}, usual for this season and hour")
                });
            }
        }
        self.times.forget_before(needed);
        self.judge_row(tests, row, values, partners, step);
    }

    /// What concerns more than one column.
    fn judge_row(&self, tests: &TableTests, row: &mut LastRow, values: &[Value], partners: &[Partner], step: i64) {
        if let (Some(gap), true) = (&tests.time_gap, self.last.is_some()) {
            let flag = above(gap, step);
            if flag.is_raised() {
                let span = words(std::time::Duration::from_nanos(step.unsigned_abs()));
                for place in 0..row.marks.len() {
                    if tests.is_field.get(place).copied().unwrap_or(true) && row.marks[place] != Flag::Missing {
                        note(row, place, Test::TimeGap, flag, || format!("first row after {span} without one"));
                    }
                }
            }
        }
        for test in &tests.diagnostics {
            let Some(value) = values.get(test.place) else { continue };
            let word = tests.columns.get(test.place).map_or(f64::NAN, |column| column.number(*value));
            let decoded = test.instrument.decode(word);
            if decoded.is_good() {
                continue;
            }
            // With a fault that fails, what only informs says more: an EC150's bit 0 stands for any of them.
            let names = decoded.names().collect::<Vec<_>>().join(", ");
            for &place in &test.governs {
                if row.marks.get(place).is_some_and(|mark| *mark != Flag::Missing) {
                    note(row, place, Test::Diagnostic, Flag::Fail, || {
                        format!("{} reports {names}", test.instrument.name())
                    });
                }
            }
        }
        if tests.pairs.is_empty() {
            return;
        }
        // Hardly ever any, and an empty list costs nothing.
        let failed: Vec<usize> = row
            .findings
            .iter()
            .filter(|finding| finding.test == Test::GrossRange && finding.flag == Flag::Fail)
            .map(|finding| finding.place)
            .collect();
        let mut partners = partners.iter();
        for pair in &tests.pairs {
            let partner = if pair.across.is_some() { partners.next().copied() } else { None };
            let LastRow { numbers, marks, findings, .. } = row;
            pair.judge(numbers, partner.unwrap_or([f64::NAN; 2]), |place| failed.contains(&place), marks, findings);
        }
    }
}

/// Rolls a flag up, with its finding if it is raised.
#[inline]
fn note(row: &mut LastRow, place: usize, test: Test, flag: Flag, detail: impl FnOnce() -> String) {
    let Some(mark) = row.marks.get_mut(place) else { return };
    *mark = mark.roll_up(flag);
    if flag.is_raised() {
        row.findings.push(Finding { place, test, flag, detail: detail() });
    }
}

/// Puts the row's verdict together. `after` are the values of its successor, empty where it has none; without `after`
/// nothing is taken for a spike.
fn render(tests: &TableTests, row: &LastRow, after: Option<&[f64]>, marks: &mut Vec<Flag>, out: &mut Verdict) {
    marks.clear();
    marks.extend_from_slice(&row.marks);
    let mut more: Vec<Finding> = Vec::new();
    for column in &tests.context {
        let Some(spike) = &column.spike else { continue };
        let (Some(&value), Some(mark)) = (row.numbers.get(column.place), marks.get_mut(column.place)) else { continue };
        if value.is_nan() {
            continue;
        }
        let flag = match after {
            None => Flag::Pass,
            Some(after) => spike_flag(column, spike, row, value, after, &mut more),
        };
        *mark = mark.roll_up(flag);
    }
    if tests.is_touched_by_hand(row.ts) {
        for place in 0..marks.len() {
            apply_manual(tests, row.ts, place, marks, &mut more);
        }
    }
    for derived in &tests.rests {
        if marks.get(derived.place).is_none_or(|mark| *mark == Flag::Missing) {
            continue;
        }
        for (input, name) in &derived.inputs {
            let flag = marks.get(*input).copied().unwrap_or(Flag::Missing);
            if flag.is_raised() {
                marks[derived.place] = marks[derived.place].roll_up(flag);
                let detail = format!("rests on {name}, which is {}", flag.word());
                more.push(Finding { place: derived.place, test: Test::Input, flag, detail });
            }
        }
        apply_manual(tests, row.ts, derived.place, marks, &mut more);
    }
    out.flags.clear();
    out.flags.extend(marks.iter().map(|mark| char::from(mark.digit())));
    out.raised.clear();
    if !row.findings.is_empty() || !more.is_empty() {
        more.extend_from_slice(&row.findings);
        more.sort_by_key(|finding| (finding.place, finding.test));
        more.dedup();
        finding::write(&more, &mut out.raised);
    }
}

fn spike_flag(
    column: &ContextTests,
    spike: &crate::config::Spike,
    row: &LastRow,
    value: f64,
    after: &[f64],
    more: &mut Vec<Finding>,
) -> Flag {
    let at = |values: &[f64]| values.get(column.place).copied().unwrap_or(f64::NAN);
    let (before, after) = (at(&row.before), at(after));
    let flag = neighbours::spike(spike, before, value, after);
    if flag.is_raised() {
        let height = spike_height(spike.method, before, value, after);
        let limit = limit(&spike.levels, flag);
        let detail = format!("{} away from its neighbours, more than {}", short(height), limit.unwrap_or(f64::NAN));
        more.push(Finding { place: column.place, test: Test::Spike, flag, detail });
    }
    flag
}

fn apply_manual(tests: &TableTests, ts: Timestamp, place: usize, marks: &mut [Flag], more: &mut Vec<Finding>) {
    let Some(manual) = tests.manual_flag(place, ts) else { return };
    // There is no value to speak of.
    if marks[place] == Flag::Missing {
        return;
    }
    marks[place] = manual.flag;
    let detail = format!("{} (manual flag {})", manual.reason, manual.id);
    more.push(Finding { place, test: Test::Manual, flag: manual.flag, detail });
}

/// A span of time as the configuration writes it.
fn words(span: std::time::Duration) -> String {
    let seconds = span.as_secs();
    match (seconds, span.subsec_millis()) {
        (0, millis) => format!("{millis}ms"),
        (seconds, _) if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        (seconds, _) if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        (seconds, _) if seconds % 60 == 0 => format!("{}m", seconds / 60),
        (seconds, _) => format!("{seconds}s"),
    }
}
