//! The plain map, and what one sync may do to it.

use std::collections::BTreeMap;

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
    /// The other contents that each key came with, in the order in which they were put beside the row.
    others: BTreeMap<Key, Vec<Other>>,
}

/// A content that is no row.
#[derive(Debug)]
struct Other {
    content: u8,
    /// It came later than the row.
    is_later: bool,
    /// It was the row once.
    was_row: bool,
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
    /// Reads a file. A content that is known changes nothing. Of another one, the first stays, or the newest takes its place
    /// where the table says so.
    pub fn ingest(&mut self, table: usize, replaces: bool, lines: &[Line]) {
        for &(minute, content) in lines {
            let key = (table, minute);
            let others = self.others.entry(key).or_default();
            let Some(row) = self.rows.get_mut(&key) else {
                self.rows.insert(key, Row { content, state: "pending".to_owned() });
                continue;
            };
            if row.content == content || others.iter().any(|other| other.content == content) {
                continue;
            }
            if replaces {
                others.push(Other { content: row.content, is_later: false, was_row: true });
                *row = Row { content, state: "pending".to_owned() };
            } else {
                others.push(Other { content, is_later: true, was_row: false });
            }
        }
    }

    /// The user decides: where a row has a newer content beside it, the newest one becomes the row; or where it has an older
    /// one, the oldest, of those that were rows before those that never were. Gives the number of rows that changed.
    pub fn decide(&mut self, table: usize, newer: bool) -> u64 {
        let mut changed = 0;
        for (key, others) in self.others.iter_mut().filter(|(key, _)| key.0 == table) {
            let mut fitting = others.iter().enumerate().filter(|(_, other)| other.is_later == newer);
            let chosen =
                if newer { fitting.next_back() } else { fitting.min_by_key(|(at, other)| (!other.was_row, *at)) };
            let (Some((chosen, _)), Some(row)) = (chosen, self.rows.get_mut(key)) else { continue };
            let content = std::mem::replace(&mut row.content, others[chosen].content);
            "pending".clone_into(&mut row.state);
            others[chosen] = Other { content, is_later: !newer, was_row: true };
            others.iter_mut().for_each(|other| other.is_later = !newer);
            changed += 1;
        }
        changed
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
