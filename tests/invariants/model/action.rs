//! What can happen to an agent.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

/// Minutes that rows can have.
pub const MINUTES: std::ops::Range<i64> = 0..24;
/// Contents that a row can have.
const CONTENTS: std::ops::Range<u8> = 0..3;

/// A line of a file: when, and what.
pub type Line = (i64, u8);

#[derive(Debug, Clone)]
pub enum Action {
    /// LoggerNet writes the file of a table anew.
    Overwrite {
        table: usize,
        lines: Vec<Line>,
    },
    /// LoggerNet adds to it.
    Append {
        table: usize,
        lines: Vec<Line>,
    },
    Ingest,
    /// The process dies when it has read so many files that changed.
    KilledIngest {
        files: u32,
    },
    Sync(Script),
    /// Everything from this minute on is to be sent again.
    Replay {
        since: i64,
    },
    ReplayRejected,
    ReplayExpired,
    /// The user decides which contents of a table are the rows.
    Decide {
        table: usize,
        newer: bool,
    },
    /// The user turns a table's `on_conflict` round.
    TurnRound {
        table: usize,
    },
    /// LoggerNet begins a line behind the others, and an ingest comes before its end.
    Torn {
        table: usize,
        line: Line,
        cut: usize,
    },
    /// Time passes.
    Wait {
        minutes: i64,
    },
}

/// What a server does to one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Say {
    /// 204, and kept.
    Take,
    /// Kept, but the answer is lost.
    TakeInSilence,
    /// Not ready.
    Later,
    /// 200, 401, 404, a redirect.
    Hold,
    /// 400 whatever is in it.
    Refuse,
    /// 500 whatever is in it.
    Fail,
    /// The agent dies while the request is out; whether the server kept it.
    Die { kept: bool },
}

/// What a server does during one sync.
#[derive(Debug, Clone)]
pub struct Script {
    /// To the first requests.
    pub first: Vec<Say>,
    /// Rows of these minutes are refused.
    pub poison: BTreeSet<i64>,
    /// Rows before this minute are older than the bucket keeps them.
    pub keeps_from: i64,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    vec((MINUTES, CONTENTS), 0..14)
}

fn say() -> impl Strategy<Value = Say> {
    prop_oneof![
        6 => Just(Say::Take),
        1 => Just(Say::TakeInSilence),
        1 => Just(Say::Later),
        1 => Just(Say::Hold),
        2 => Just(Say::Refuse),
        1 => Just(Say::Fail),
        1 => any::<bool>().prop_map(|kept| Say::Die { kept }),
    ]
}

fn script() -> impl Strategy<Value = Script> {
    let poison = prop_oneof![3 => Just(BTreeSet::new()), 2 => btree_set(MINUTES, 1..5), 1 => Just(MINUTES.collect())];
    let keeps_from = prop_oneof![4 => Just(0), 1 => MINUTES];
    (vec(say(), 0..8), poison, keeps_from).prop_map(|(first, poison, keeps_from)| Script { first, poison, keeps_from })
}

fn action() -> impl Strategy<Value = Action> {
    let table = 0..super::tower::TABLES.len();
    prop_oneof![
        4 => (table.clone(), lines()).prop_map(|(table, lines)| Action::Overwrite { table, lines }),
        3 => (table.clone(), lines()).prop_map(|(table, lines)| Action::Append { table, lines }),
        2 => (table.clone(), any::<bool>()).prop_map(|(table, newer)| Action::Decide { table, newer }),
        1 => table.clone().prop_map(|table| Action::TurnRound { table }),
        1 => (table, (MINUTES, CONTENTS), 0..30_usize).prop_map(|(table, line, cut)| Action::Torn { table, line, cut }),
        6 => Just(Action::Ingest),
        1 => (0..2_u32).prop_map(|files| Action::KilledIngest { files }),
        7 => script().prop_map(Action::Sync),
        1 => MINUTES.prop_map(|since| Action::Replay { since }),
        1 => Just(Action::ReplayRejected),
        1 => Just(Action::ReplayExpired),
        1 => (1..20_i64).prop_map(|minutes| Action::Wait { minutes }),
    ]
}

pub fn actions() -> impl Strategy<Value = Vec<Action>> {
    vec(action(), 5..=20)
}
