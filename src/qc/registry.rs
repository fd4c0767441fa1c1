//! The list of the tests. No other code lists them.
//!
//! A test is one file of this folder. It has the settings with their keys, the check, its state from row to row, the
//! text of a finding, and [`About`], its row in the table of `docs/qc.md`. To add a test, write that file, a row here,
//! and its `mod` line in `mod.rs`: the configuration reads its keys through [`ColumnSettings::set`] or
//! [`TableSettings::set`], and listings take its name from [`Test`]. The tests of a column are fields of one struct and
//! not boxed, so that each value is judged without dynamic dispatch.

use std::fmt::Debug;

use super::finding::Finding;
use super::flag::Flag;
use super::keys::{Group, GroupKeys, Problem};
use super::spec::ColumnSpec;
use super::window::{Here, Reach, Window};
use super::{
    attenuated_signal, climatology, despike, diagnostic, flat_line, gross_range, guard, input, manual, pair,
    rate_of_change, spike, sun, time_gap,
};
use crate::quantity::Kind;
use climatology::Season;
use sun::{Light, Sky};

/// The description of a test: its row in the table of `docs/qc.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// The name in the configuration and in listings.
    pub name: &'static str,
    /// When a flag is raised: completes the sentence "raises a flag for".
    pub summary: &'static str,
    /// The keys that configure it.
    pub keys: &'static str,
    /// The heading of its section in `docs/qc.md`.
    pub section: &'static str,
    /// The source of the rule.
    pub source: &'static str,
}

/// A test of one column that needs more than the value itself.
pub(super) trait ColumnTest: Clone + PartialEq + Debug + Sized {
    /// How its settings are written.
    const KEYS: GroupKeys;
    /// Whether a flag depends on the next row. Such a test has [`ColumnTest::judge_between`] in place of
    /// [`ColumnTest::judge`].
    const LOOKS_AHEAD: bool = false;
    /// Whether [`Seen::season`] is needed.
    const NEEDS_SEASON: bool = false;
    /// Whether [`Seen::sky`] is needed.
    const NEEDS_SUN: bool = false;
    /// What the test keeps from row to row.
    type State: Clone + Debug;

    /// Reads the settings, and checks their combination.
    fn read(group: &Group) -> Result<Self, Problem>;

    /// The windows of earlier rows that the test needs, in addition to the previous row. The argument `reach` of
    /// [`ColumnTest::judge`] is in the same order.
    fn windows(&self) -> [Option<Window>; 2] {
        [None, None]
    }

    /// The state before the first row.
    fn start(&self) -> Self::State;

    /// The flag of a value when its row is read. Called for every row, in order; [`Flag::Missing`] for a missing value.
    fn judge(&self, _state: &mut Self::State, _seen: &Seen<'_>, _reach: [Option<Reach>; 2]) -> Flag {
        Flag::NotEvaluated
    }

    /// Why [`ColumnTest::judge`] raised a flag.
    fn detail(&self, _state: &Self::State, _seen: &Seen<'_>, _flag: Flag) -> String {
        String::new()
    }

    /// The flag of a value that is not missing, between its neighbours. Called again when the next row is known.
    fn judge_between(&self, _around: &Around) -> Flag {
        Flag::NotEvaluated
    }

    /// Why [`ColumnTest::judge_between`] raised a flag.
    fn detail_between(&self, _around: &Around, _flag: Flag) -> String {
        String::new()
    }
}

/// A test of a whole row: it flags every value that is sent and not missing.
pub(super) trait RowTest: Clone + PartialEq + Debug + Sized {
    /// How its settings are written.
    const KEYS: GroupKeys;

    /// Reads the settings, and checks their combination.
    fn read(group: &Group) -> Result<Self, Problem>;

    /// The flag of a row that comes `since_last` nanoseconds after the previous row. Only a raised flag counts, because
    /// the existence of a row says nothing about its values.
    fn judge(&self, since_last: i64) -> Flag;

    /// Why a flag was raised.
    fn detail(&self, since_last: i64, flag: Flag) -> String;
}

/// A value under test and its context.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    /// The row of the value.
    pub(super) row: &'a Here<'a>,
    /// The value; NaN if it is missing.
    pub(super) value: f64,
    /// The value in the previous row, NaN if it is missing; None for the first row.
    pub(super) before: Option<f64>,
    /// The season; None if no test needs it.
    pub(super) season: Option<&'a Season>,
    /// The kind of quantity, which decides how its values are subtracted.
    pub(super) kind: Kind,
    /// The sun; None if no test needs it, the station's position is not known, or the row is the first.
    pub(super) sky: Option<Sky>,
    /// How its values become W m-2; None if it is not sunlight.
    pub(super) light: Option<Light>,
}

/// A value and its neighbours, which are NaN if they are missing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    pub(super) before: f64,
    pub(super) value: f64,
    pub(super) after: f64,
    /// The kind of quantity, which decides how they are subtracted.
    pub(super) kind: Kind,
}

/// The flags of the row under test, and their findings.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    /// One flag per value.
    pub(super) flags: Vec<Flag>,
    pub(super) findings: Vec<Finding>,
}

impl Marks {
    pub(super) fn flag(&self, place: usize) -> Option<Flag> {
        self.flags.get(place).copied()
    }

    /// Combines a flag with the present one, and adds a finding if the flag is raised.
    #[inline]
    pub(super) fn note(&mut self, place: usize, test: Test, flag: Flag, detail: impl FnOnce() -> String) {
        let Some(mark) = self.flags.get_mut(place) else { return };
        *mark = mark.roll_up(flag);
        if flag.is_raised() {
            self.findings.push(Finding { place, test, flag, detail: detail() });
        }
    }
}

/// A test with the indices of its windows in the window list of its table.
#[derive(Debug, Clone)]
struct Placed<T> {
    test: T,
    windows: [Option<usize>; 2],
}

impl<T: ColumnTest> Placed<T> {
    fn new(test: &T, windows: &mut Vec<Window>) -> Placed<T> {
        let mut place = |window: Window| {
            windows.iter().position(|known| *known == window).unwrap_or_else(|| {
                windows.push(window);
                windows.len() - 1
            })
        };
        Placed { test: test.clone(), windows: test.windows().map(|window| window.map(&mut place)) }
    }

    /// `of` returns the window at an index.
    #[inline]
    fn reach(&self, of: impl Fn(usize) -> Reach) -> [Option<Reach>; 2] {
        let [one, other] = self.windows;
        [one.map(&of), other.map(&of)]
    }
}

/// Generates from the list of tests: [`Test`], the settings, the compiled tests, and their states.
macro_rules! registry {
    ($($variant:ident in $module:ident
        $(, column $key:ident: $Type:ident)?
        $(, row $row_key:ident: $RowType:ident)?;)*) => {
        /// The tests, in the order in which the findings of one value are listed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Test {
            $(
                #[doc = concat!("See `qc/", stringify!($module), ".rs`.")]
                $variant,
            )*
        }

        impl Test {
            /// Every test, in order.
            pub const ALL: &'static [Test] = &[$(Test::$variant),*];

            /// The description of the test.
            pub const fn about(self) -> &'static About {
                match self {
                    $(Test::$variant => &$module::ABOUT,)*
                }
            }
        }

        /// The configured tests of a column, except the range test.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct ColumnSettings {
            $($(
                #[doc = concat!("`", stringify!($key), "`")]
                pub $key: Option<$module::$Type>,
            )?)*
        }

        impl ColumnSettings {
            /// The groups that are allowed in a column.
            pub const KEYS: &'static [&'static GroupKeys] =
                &[$($(&<$module::$Type as ColumnTest>::KEYS,)?)*];

            /// Reads a group of [`ColumnSettings::KEYS`].
            ///
            /// # Errors
            /// The settings contradict each other or lack what the test needs.
            pub fn set(&mut self, group: &Group) -> Result<(), Problem> {
                $($(
                    if group.name == <$module::$Type as ColumnTest>::KEYS.name {
                        self.$key = Some(ColumnTest::read(group)?);
                    }
                )?)*
                Ok(())
            }

            /// The configured tests.
            pub fn tests(&self) -> impl Iterator<Item = Test> {
                [$($((Test::$variant, self.$key.is_some()),)?)*]
                    .into_iter()
                    .filter_map(|(test, is_set)| is_set.then_some(test))
            }

            /// Whether a flag depends on the next row.
            pub fn looks_ahead(&self) -> bool {
                $($(
                    if <$module::$Type as ColumnTest>::LOOKS_AHEAD && self.$key.is_some() {
                        return true;
                    }
                )?)*
                false
            }

            /// Whether a flag depends on the sun's position.
            pub(super) fn needs_sun(&self) -> bool {
                $($(
                    if <$module::$Type as ColumnTest>::NEEDS_SUN && self.$key.is_some() {
                        return true;
                    }
                )?)*
                false
            }

            /// Whether a flag depends on season and time of day.
            pub(super) fn needs_season(&self) -> bool {
                $($(
                    if <$module::$Type as ColumnTest>::NEEDS_SEASON && self.$key.is_some() {
                        return true;
                    }
                )?)*
                false
            }
        }

        /// The compiled tests of one column.
        #[derive(Debug, Clone)]
        pub(super) struct ColumnTests {
            /// Place of the column in the column list.
            pub(super) place: usize,
            pub(super) kind: Kind,
            pub(super) light: Option<Light>,
            $($($key: Option<Placed<$module::$Type>>,)?)*
        }

        /// The states of the tests of one column.
        #[derive(Debug, Clone)]
        pub(super) struct ColumnState {
            $($($key: Option<<$module::$Type as ColumnTest>::State>,)?)*
        }

        impl ColumnTests {
            /// `windows` are those of the whole table; the column's windows are added to them.
            pub(super) fn new(place: usize, own: &ColumnSpec<'_>, windows: &mut Vec<Window>) -> ColumnTests {
                ColumnTests {
                    place,
                    kind: own.kind,
                    light: own.light,
                    $($($key: own.settings.$key.as_ref().map(|test| Placed::new(test, windows)),)?)*
                }
            }

            /// The states before the first row.
            pub(super) fn start(&self) -> ColumnState {
                ColumnState { $($($key: self.$key.as_ref().map(|placed| placed.test.start()),)?)* }
            }

            /// Judges a value when its row is read. `reach` returns the window at an index.
            #[inline]
            pub(super) fn judge(
                &self,
                state: &mut ColumnState,
                seen: &Seen<'_>,
                reach: impl Fn(usize) -> Reach,
                out: &mut Marks,
            ) {
                $($(
                    if let (false, Some(placed), Some(state)) =
                        (<$module::$Type as ColumnTest>::LOOKS_AHEAD, &self.$key, &mut state.$key)
                    {
                        let flag = placed.test.judge(state, seen, placed.reach(&reach));
                        out.note(self.place, Test::$variant, flag, || placed.test.detail(state, seen, flag));
                    }
                )?)*
            }

            /// Judges a value that is not missing between its neighbours; it passes if `around` is None.
            pub(super) fn judge_between(&self, around: Option<&Around>, mark: &mut Flag, findings: &mut Vec<Finding>) {
                $($(
                    if let (true, Some(placed)) = (<$module::$Type as ColumnTest>::LOOKS_AHEAD, &self.$key) {
                        let flag = around.map_or(Flag::Pass, |around| placed.test.judge_between(around));
                        *mark = mark.roll_up(flag);
                        if let (true, Some(around)) = (flag.is_raised(), around) {
                            let detail = placed.test.detail_between(around, flag);
                            findings.push(Finding { place: self.place, test: Test::$variant, flag, detail });
                        }
                    }
                )?)*
            }
        }

        /// The configured tests of a table's rows.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct TableSettings {
            $($(
                #[doc = concat!("`", stringify!($row_key), "`")]
                pub $row_key: Option<$module::$RowType>,
            )?)*
        }

        impl TableSettings {
            /// The groups that are allowed in a table.
            pub const KEYS: &'static [&'static GroupKeys] = &[$($(&<$module::$RowType as RowTest>::KEYS,)?)*];

            /// Reads a group of [`TableSettings::KEYS`].
            ///
            /// # Errors
            /// The settings contradict each other or lack what the test needs.
            pub fn set(&mut self, group: &Group) -> Result<(), Problem> {
                $($(
                    if group.name == <$module::$RowType as RowTest>::KEYS.name {
                        self.$row_key = Some(RowTest::read(group)?);
                    }
                )?)*
                Ok(())
            }

            /// The configured tests.
            pub fn tests(&self) -> impl Iterator<Item = Test> {
                [$($((Test::$variant, self.$row_key.is_some()),)?)*]
                    .into_iter()
                    .filter_map(|(test, is_set)| is_set.then_some(test))
            }

            /// Judges a row: flags every value that is not missing and whose position is set in `is_sent`.
            pub(super) fn judge(&self, since_last: i64, is_sent: &[bool], out: &mut Marks) {
                $($(
                    if let Some(test) = &self.$row_key {
                        let flag = test.judge(since_last);
                        let places = if flag.is_raised() { out.flags.len() } else { 0 };
                        for place in 0..places {
                            if is_sent.get(place) != Some(&false) && out.flag(place) != Some(Flag::Missing) {
                                out.note(place, Test::$variant, flag, || test.detail(since_last, flag));
                            }
                        }
                    }
                )?)*
            }
        }
    };
}

registry! {
    GrossRange in gross_range;
    Climatology in climatology, column climatology: Climatology;
    Spike in spike, column spike: Spike;
    RateOfChange in rate_of_change, column rate_of_change: RateOfChange;
    FlatLine in flat_line, column flat_line: FlatLine;
    AttenuatedSignal in attenuated_signal, column attenuated_signal: AttenuatedSignal;
    Despike in despike, column despike: Despike;
    Sun in sun, column sun: Sun;
    TimeGap in time_gap, row time_gap: TimeGap;
    Pair in pair;
    Diagnostic in diagnostic;
    Guard in guard;
    Input in input;
    Manual in manual;
}

impl Test {
    /// Its name.
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// Every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Test::ALL.iter().map(|test| test.name())
    }

    /// Whether the test passes a value on which it raises no flag. The other tests only find faults, and their silence
    /// does not mean that a value is good.
    pub const fn passes_values(self) -> bool {
        !matches!(self, Test::Despike | Test::TimeGap | Test::Diagnostic | Test::Guard | Test::Input | Test::Manual)
    }

    /// The test with this name.
    pub fn from_name(name: &str) -> Option<Test> {
        Test::ALL.iter().copied().find(|test| test.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_has_a_name_of_its_own() {
        for test in Test::ALL {
            assert_eq!(Test::from_name(test.name()), Some(*test));
        }
    }

    #[test]
    fn a_group_of_settings_has_the_name_of_its_test() {
        for keys in ColumnSettings::KEYS.iter().chain(TableSettings::KEYS) {
            assert!(Test::from_name(keys.name).is_some(), "{}", keys.name);
            assert!(keys.example.starts_with(&format!("{} = {{ ", keys.name)), "{}", keys.example);
            for key in keys.keys {
                assert!(key.example.starts_with(&format!("{} = ", key.name)), "{}", key.example);
            }
        }
    }

    /// The anchor that GitHub makes of a heading.
    fn anchor(heading: &str) -> String {
        let kept = heading.to_lowercase();
        kept.chars().filter(|c| c.is_alphanumeric() || *c == ' ').map(|c| if c == ' ' { '-' } else { c }).collect()
    }

    #[test]
    fn the_table_of_tests_in_docs_is_the_registry() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/qc.md");
        let page = std::fs::read_to_string(page).unwrap().replace("\r\n", "\n");
        let mut table = "| test | raises a flag for | configured by | source |\n|---|---|---|---|\n".to_owned();
        for About { name, summary, keys, section, source } in Test::ALL.iter().map(|test| test.about()) {
            table += &format!("| [`{name}`](#{}) | {summary} | {keys} | {source} |\n", anchor(section));
            assert!(page.contains(&format!("\n## {section}\n")), "docs/qc.md has no section \"{section}\"");
        }
        assert!(page.contains(&table), "docs/qc.md, section \"The tests\", must hold:\n{table}");
    }
}
