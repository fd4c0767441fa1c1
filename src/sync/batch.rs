//! The rendered rows of one request. A batch can be compressed, and divided at any row.

use libdeflater::{CompressionLvl, Compressor};

use crate::store::Mark;
use crate::time::Timestamp;

/// One row of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRow {
    /// The id of its series.
    pub series: i64,
    /// Its key in the store.
    pub id: i64,
    /// The version of its content: how often it was replaced.
    pub version: i64,
    /// Its time.
    pub ts: Timestamp,
    /// The end of its line in the batch's lines.
    end: usize,
}

/// Lines for one bucket, and the rows they came from.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// The bucket; None is the destination's default.
    pub bucket: Option<String>,
    lines: Vec<u8>,
    rows: Vec<BatchRow>,
}

/// libdeflate's fastest level: sixteen values per row are compressed to 31 % of the bytes; zlib's level 3 needs twice
/// the time for 30 %.
const LEVEL: i32 = 1;

impl Batch {
    /// An empty batch for the bucket.
    pub fn new(bucket: Option<String>) -> Batch {
        Batch { bucket, lines: Vec::new(), rows: Vec::new() }
    }

    /// Adds a row; `render` appends its line.
    pub fn push<E>(
        &mut self,
        (series, id, version, ts): (i64, i64, i64, Timestamp),
        render: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.lines.len();
        if let Err(error) = render(&mut self.lines) {
            self.lines.truncate(start);
            return Err(error);
        }
        self.rows.push(BatchRow { series, id, version, ts, end: self.lines.len() });
        Ok(())
    }

    /// The lines in line protocol.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The number of lines: one per row, or more if a table is wider than the product allows.
    pub fn line_count(&self) -> usize {
        memchr::memchr_iter(b'\n', &self.lines).count()
    }

    /// The rows, in the order of the lines.
    pub fn rows(&self) -> &[BatchRow] {
        &self.rows
    }

    /// Whether the batch has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines compressed as one gzip member.
    pub fn gzip(&self) -> Vec<u8> {
        let mut compressor = Compressor::new(CompressionLvl::new(LEVEL).unwrap_or_default());
        let bound = compressor.gzip_compress_bound(self.lines.len());
        // Line protocol compresses to less than half of the bound, and there is one buffer for each request in flight.
        for room in [bound / 2, bound] {
            let mut member = vec![0; room];
            if let Ok(length) = compressor.gzip_compress(&self.lines, &mut member) {
                member.truncate(length);
                member.shrink_to_fit();
                return member;
            }
        }
        // It fails only if the room is smaller than the bound; without a member the lines are sent uncompressed.
        Vec::new()
    }

    /// Divides the batch into two halves by rows.
    pub fn halves(&self) -> (Batch, Batch) {
        let middle = self.rows.len() / 2;
        (self.part(0, middle), self.part(middle, self.rows.len()))
    }

    /// The first rows that fit into `bytes`.
    pub fn head(&self, bytes: usize) -> Batch {
        self.part(0, self.rows.partition_point(|row| row.end <= bytes))
    }

    /// The line of the last row: a line that a server accepted.
    pub fn last_line(&self) -> &[u8] {
        let start = self.rows.len().checked_sub(2).map_or(0, |before| self.rows[before].end);
        &self.lines[start..]
    }

    fn part(&self, from: usize, to: usize) -> Batch {
        let start = from.checked_sub(1).map_or(0, |before| self.rows[before].end);
        let end = to.checked_sub(1).map_or(start, |last| self.rows[last].end);
        let rows = self.rows[from..to].iter().map(|row| BatchRow { end: row.end - start, ..*row }).collect();
        Batch { bucket: self.bucket.clone(), lines: self.lines[start..end].to_vec(), rows }
    }

    /// The rows that pass.
    pub fn retain(&self, passes: impl Fn(&BatchRow) -> bool) -> Batch {
        let mut kept = Batch::new(self.bucket.clone());
        let mut start = 0;
        for row in &self.rows {
            if passes(row) {
                kept.lines.extend_from_slice(&self.lines[start..row.end]);
                kept.rows.push(BatchRow { end: kept.lines.len(), ..*row });
            }
            start = row.end;
        }
        kept
    }

    /// The rows whose lines pass, and the others.
    pub fn divided(&self, passes: impl Fn(&[u8]) -> bool) -> (Batch, Batch) {
        let mut parts = (Batch::new(self.bucket.clone()), Batch::new(self.bucket.clone()));
        let mut start = 0;
        for row in &self.rows {
            let lines = &self.lines[start..row.end];
            let part = if passes(lines) { &mut parts.0 } else { &mut parts.1 };
            part.lines.extend_from_slice(lines);
            part.rows.push(BatchRow { end: part.lines.len(), ..*row });
            start = row.end;
        }
        parts
    }

    /// A batch of one of its rows.
    pub fn row(&self, place: usize) -> Batch {
        let place = place.min(self.rows.len().saturating_sub(1));
        self.part(place, (place + 1).min(self.rows.len()))
    }

    /// Removes the last row.
    pub fn drop_last(&mut self) {
        self.rows.pop();
        self.lines.truncate(self.rows.last().map_or(0, |row| row.end));
    }

    /// The marks of its rows for the store, series by series.
    pub fn marks(&self) -> Vec<Mark> {
        let mut marks: Vec<Mark> = Vec::new();
        for row in &self.rows {
            // The rows of a series are nearly always consecutive.
            let place = match marks.last() {
                Some(last) if last.series == row.series => Some(marks.len() - 1),
                _ => marks.iter().position(|mark| mark.series == row.series),
            };
            match place {
                Some(place) => marks[place].push(row.id, row.version, row.ts),
                None => marks.push(Mark::new(row.series, row.id, row.version, row.ts)),
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(lines: &[&str]) -> Batch {
        let mut batch = Batch::new(None);
        for (id, line) in (1..).zip(lines) {
            let rendered: Result<(), ()> = batch.push((7, id, 0, Timestamp::from_nanos(id)), |out| {
                out.extend_from_slice(line.as_bytes());
                Ok(())
            });
            rendered.unwrap();
        }
        batch
    }

    #[test]
    fn halves_hold_every_line_once() {
        let (left, right) = batch(&["a\n", "bb\n", "ccc\n"]).halves();
        assert_eq!((left.lines(), right.lines()), (&b"a\n"[..], &b"bb\nccc\n"[..]));
        assert_eq!(right.last_line(), b"ccc\n");
        let (middle, last) = right.halves();
        assert_eq!((middle.lines(), last.lines()), (&b"bb\n"[..], &b"ccc\n"[..]));
        assert_eq!(last.rows()[0].id, 3);
    }

    #[test]
    fn a_row_taken_out_leaves_the_others_as_they_were() {
        let mut all = batch(&["a\n", "bb\n", "ccc\n"]);
        let kept = all.retain(|row| row.id != 2);
        assert_eq!((kept.lines(), kept.last_line()), (&b"a\nccc\n"[..], &b"ccc\n"[..]));
        all.drop_last();
        assert_eq!((all.lines(), all.last_line()), (&b"a\nbb\n"[..], &b"bb\n"[..]));
    }

    #[test]
    fn a_head_ends_with_a_whole_line() {
        let all = batch(&["a\n", "bb\n", "ccc\n"]);
        assert_eq!(all.head(4).lines(), b"a\n");
        assert_eq!(all.head(5).lines(), b"a\nbb\n");
        assert!(all.head(1).is_empty());
    }

    #[test]
    fn lines_that_do_not_compress_are_one_gzip_member_too() {
        use std::io::Read;
        // No two consecutive bytes predict the next one.
        let noise: String = (0..20_000u64)
            .map(|place| xxhash_rust::xxh3::xxh3_64(&place.to_le_bytes()))
            .map(|hash| char::from_u32(0x4e00 + u32::try_from(hash % 20_000).unwrap()).unwrap())
            .collect();
        for lines in ["a v=1 1\n".repeat(1000), noise] {
            let member = batch(&[&lines]).gzip();
            let mut back = String::new();
            flate2::read::GzDecoder::new(member.as_slice()).read_to_string(&mut back).unwrap();
            assert_eq!(back, lines);
        }
    }

    #[test]
    fn a_line_that_cannot_be_rendered_leaves_no_trace() {
        let mut all = batch(&["a\n"]);
        let failed = all.push((7, 9, 0, Timestamp::from_nanos(9)), |out| {
            out.extend_from_slice(b"half");
            Err("no field")
        });
        assert_eq!((failed, all.lines(), all.rows().len()), (Err("no field"), &b"a\n"[..], 1));
    }
}
