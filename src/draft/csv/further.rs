//! Finds the formats of the rows that the best one does not read: stamps with another word for their zone, midnight without its
//! time, a date that a spreadsheet wrote anew.
//!
//! Such rows stand anywhere, also above the first row of the best format.

use std::cmp::Reverse;

use super::forms::{Format, WAYS};
use super::shape::{Kind, Shape};
use super::time::{Reading, TRIED, date_of, is_day_and_month, joined, nanos};
use super::zone;
use crate::time::{NANOS_PER_SECOND, StampFormat};

/// The most formats that are added.
const MOST: usize = 3;
/// The text of the loggers' format.
const LOGGERS: &str = "%Y-%m-%d %H:%M:%S";

/// The further formats, the place of the first row that any format reads, and notes.
#[derive(Debug)]
pub(super) struct Further {
    pub(super) formats: Vec<Format>,
    pub(super) first: usize,
    pub(super) notes: Vec<String>,
}

/// The formats of those rows that `read` do not read.
pub(super) fn find(rows: &[&[String]], best: &Reading, read: &[StampFormat]) -> Further {
    let of_best = |row: &&[String]| stamp(row, best).is_some_and(|text| time_of(&text, read).is_some());
    let shape = Shape::of(&rows[best.first..].iter().copied().filter(of_best), &best.columns);
    let mut notes = Vec::new();
    let mut formats: Vec<Format> = Vec::new();
    let mut read = read.to_vec();
    let stamps: Vec<(usize, String)> = rows
        .iter()
        .enumerate()
        .filter(|(place, row)| *place >= best.first || shape.kind(row) == Kind::Row)
        .filter_map(|(place, row)| Some((place, stamp(row, best)?)))
        .collect();
    for _ in 0..MOST {
        let mut unread = stamps.iter().filter(|(_, text)| time_of(text, &read).is_none()).take(TRIED);
        let Some((text, ways)) = unread.find_map(|(_, text)| Some((text, ways(text, best)?))) else { break };
        let (way, doubt) = the_best(ways, &stamps, best, &read);
        notes.extend(doubt);
        let has_word = best.ending.is_some() || zone::ending(text).is_some();
        if has_word && way.text.as_deref().is_some_and(|text| !text.ends_with("%z")) {
            let word = best.ending.as_deref().map_or("without a word".to_owned(), |word| format!("with {word}"));
            notes.push(format!(
                "CHECK: stamps end {word}, and others with another word (\"{text}\"). A change between standard and summer time needs \
                 timezone in place of utc_offset; without it some rows are an hour off."
            ));
        }
        read.push(way.format.clone());
        formats.push(way);
    }
    let first = stamps.iter().find(|(_, text)| time_of(text, &read).is_some()).map_or(best.first, |(place, _)| *place);
    Further { formats, first: first.min(best.first), notes }
}

fn stamp(row: &[String], best: &Reading) -> Option<String> {
    joined(row, &best.columns)
}

fn time_of(text: &str, read: &[StampFormat]) -> Option<i64> {
    read.iter().find_map(|format| format.read(text.as_bytes())).map(|read| nanos(read.time))
}

/// The formats that read a text; None if there is none.
fn ways(text: &str, best: &Reading) -> Option<Vec<Format>> {
    let reads = |way: &&Format| way.format.read(text.as_bytes()).is_some();
    let known: Vec<Format> = WAYS.iter().filter(reads).cloned().collect();
    if !known.is_empty() {
        return Some(known);
    }
    let (_, word) = zone::ending(text)?;
    let own = best.way.text.as_deref().unwrap_or(LOGGERS);
    let base = if best.ending.is_some() { own.rsplit_once(' ')?.0 } else { own };
    let way = Format::new(Some(&format!("{base} {word}"))).filter(|way| reads(&way))?;
    Some(vec![way])
}

/// Of several formats the one that reads the most stamps, whose times go on in the direction of the others, and that has their
/// order of year, month and day. With a CHECK where day and month are not distinguished by the rows.
fn the_best(
    ways: Vec<Format>,
    stamps: &[(usize, String)],
    best: &Reading,
    read: &[StampFormat],
) -> (Format, Option<String>) {
    let order = |way: &Format| date_of(way.text.as_deref().unwrap_or(LOGGERS));
    let own = order(&best.way);
    let is_falling = best.back * 2 > best.rows;
    let mut ranked: Vec<_> = ways
        .into_iter()
        .map(|way| {
            let mut all = read.to_vec();
            all.push(way.format.clone());
            let times: Vec<i64> = stamps.iter().filter_map(|(_, text)| time_of(text, &all)).collect();
            let against =
                times.windows(2).filter(|pair| pair[0] != pair[1] && (pair[1] < pair[0]) != is_falling).count();
            // Of two orders of day and month, the other one is months away from the rows of the best format.
            let span =
                times.iter().max().zip(times.iter().min()).map_or(0, |(last, first)| last.saturating_sub(*first));
            ((Reverse(times.len()), against, order(&way) != own, span / (60 * NANOS_PER_SECOND)), way)
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let doubt = match ranked.as_slice() {
        [(rank, way), (other_rank, other), ..]
            if rank == other_rank && is_day_and_month(way.text.as_deref(), other.text.as_deref()) =>
        {
            Some(super::time::day_and_month(way.text.as_deref(), other.text.as_deref()))
        }
        _ => None,
    };
    let way = ranked.into_iter().next().map_or_else(|| best.way.clone(), |(_, way)| way);
    (way, doubt)
}
