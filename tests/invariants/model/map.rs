//! The plain map, and what one sync may do to it.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Line;

/// Table and minute.
pub type Key = (usize, i64);

/// As the store's view words it.
pub type State = String;

/// A row of the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub content: u8,
    pub state: State,
}

/// What should be in the store.
#[derive(Debug, Default)]
pub struct Map {
    pub rows: BTreeMap<Key, Row>,
    /// Contents that each key came with.
    seen: BTreeMap<Key, BTreeSet<u8>>,
}

/// What the server gave as answer, as far as it decides about rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    Stored,
    Refused,
    BeyondRetention,
    Nothing,
}

/// One request of a sync.
#[derive(Debug, Clone)]
pub struct Asked {
    pub rows: Vec<Key>,
    pub verdict: Verdict,
}

impl Map {
    /// Reads a file. The first content of a key stays, or, where the table says so, the newest that is not known yet.
    pub fn ingest(&mut self, table: usize, replaces: bool, lines: &[Line]) {
        for &(minute, content) in lines {
            let key = (table, minute);
            let is_new = self.seen.entry(key).or_default().insert(content);
            if is_new && (replaces || !self.rows.contains_key(&key)) {
                self.rows.insert(key, Row { content, state: "pending".to_owned() });
            }
        }
    }

    pub fn replay(&mut self, since: i64, states: &[&str]) -> u64 {
        let mut requeued = 0;
        for ((_, minute), row) in &mut self.rows {
            if *minute >= since && states.contains(&row.state.as_str()) {
                "pending".clone_into(&mut row.state);
                requeued += 1;
            }
        }
        requeued
    }

    /// Checks what a sync made of the states, and takes it over. `whole` is whether it came to its own end: one that died
    /// may have left rows as they were.
    pub fn follow(&mut self, found: &BTreeMap<Key, Row>, requests: &[Asked], whole: bool) {
        assert_eq!(found.keys().collect::<Vec<_>>(), self.rows.keys().collect::<Vec<_>>(), "rows came or went");
        for (key, row) in found {
            let before = &self.rows[key];
            assert_eq!(row.content, before.content, "{key:?} changed");
            if before.state != "pending" {
                assert_eq!(row.state, before.state, "{key:?} was settled and has moved");
                continue;
            }
            let acknowledged =
                requests.iter().any(|asked| asked.verdict == Verdict::Stored && asked.rows.contains(key));
            match row.state.as_str() {
                "pending" => assert!(!(acknowledged && whole), "{key:?} was acknowledged and is pending"),
                "sent" => assert!(acknowledged, "I5: {key:?} is sent and was never acknowledged: {requests:?}"),
                "rejected" => assert!(is_proven(*key, requests), "I6: {key:?} is rejected without proof: {requests:?}"),
                "expired" => assert!(is_too_old(*key, requests), "I6: {key:?} is expired without a word: {requests:?}"),
                other => panic!("{key:?} is {other}"),
            }
        }
        self.rows.clone_from(found);
    }
}

/// Refused alone, then something taken, then refused alone again.
fn is_proven(key: Key, requests: &[Asked]) -> bool {
    let alone =
        |asked: &&Asked| asked.rows == [key] && matches!(asked.verdict, Verdict::Refused | Verdict::BeyondRetention);
    let first = requests.iter().position(|asked| alone(&asked));
    let last = requests.iter().rposition(|asked| alone(&asked));
    let (Some(first), Some(last)) = (first, last) else { return false };
    requests[first..last].iter().any(|asked| asked.verdict == Verdict::Stored)
}

/// It, or a newer row of its series, was alone beyond retention.
fn is_too_old((table, minute): Key, requests: &[Asked]) -> bool {
    requests.iter().any(|asked| {
        asked.verdict == Verdict::BeyondRetention
            && matches!(asked.rows[..], [(other, newer)] if other == table && newer >= minute)
    })
}
