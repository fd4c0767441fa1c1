//! The lines of a header while they are read one by one, and which of them count.
//!
//! Programs that save a logger's file put blank lines between the lines of its header, and these do not count. But units or
//! processes may be a blank line themselves: then the header has as many lines as it should, and a row stands behind them. `init`
//! and the ingest decide this here, so that a file has the same columns in both.

use crate::format::text::is_blank;

/// The lines of a header so far.
#[derive(Debug)]
pub struct HeaderBlock {
    lines: Vec<Vec<u8>>,
    of: usize,
    /// Whether blank lines may be no part of it.
    skips_blank: bool,
}

impl HeaderBlock {
    /// A logger's header of so many lines, of which this is the first.
    pub fn of_logger(of: usize, first: &[u8]) -> HeaderBlock {
        HeaderBlock { lines: vec![first.to_vec()], of, skips_blank: true }
    }

    /// The first lines of a text table, each of which counts.
    pub fn of_text_table(of: usize) -> HeaderBlock {
        HeaderBlock { lines: Vec::new(), of, skips_blank: false }
    }

    /// The number of lines of the whole header.
    pub fn of(&self) -> usize {
        self.of
    }

    /// All lines so far, blank ones included.
    pub fn lines(&self) -> &[Vec<u8>] {
        &self.lines
    }

    /// Adds the next line.
    pub fn push(&mut self, line: &[u8]) {
        self.lines.push(line.to_vec());
    }

    /// Whether the lines that count are the whole header.
    pub fn is_whole(&self) -> bool {
        self.written().count() == self.of
    }

    /// Whether it is whole with one more line that counts.
    pub fn lacks_one(&self) -> bool {
        self.written().count() + 1 == self.of
    }

    /// Whether it ended before the next line, which `is_row` says to be a row: units or processes are a blank line.
    pub fn ends_before(&self, is_row: impl FnOnce() -> bool) -> bool {
        let has_blank = self.lines.iter().any(|line| self.is_skipped(line));
        has_blank && self.lines.len() == self.of && is_row()
    }

    /// The lines of the header: those that count, if they are all of it, and otherwise every line.
    pub fn counted(&self) -> Vec<Vec<u8>> {
        if self.is_whole() { self.written().cloned().collect() } else { self.lines.clone() }
    }

    fn written(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.lines.iter().filter(|line| !self.is_skipped(line))
    }

    fn is_skipped(&self, line: &[u8]) -> bool {
        self.skips_blank && is_blank(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(lines: &[&str]) -> HeaderBlock {
        let mut block = HeaderBlock::of_logger(4, lines[0].as_bytes());
        lines[1..].iter().for_each(|line| block.push(line.as_bytes()));
        block
    }

    #[test]
    fn blank_lines_between_the_lines_of_a_header_do_not_count() {
        let header = block(&["TOA5", "", "names", " \t", "units"]);
        assert!(header.lacks_one() && !header.is_whole() && !header.ends_before(|| true));
        let header = block(&["TOA5", "", "names", " \t", "units", "process"]);
        assert!(header.is_whole());
        assert_eq!(header.counted().concat(), b"TOA5namesunitsprocess");
    }

    #[test]
    fn a_row_behind_four_lines_says_that_a_blank_one_is_units_or_processes() {
        let header = block(&["TOA5", "names", "units", ""]);
        assert!(header.ends_before(|| true) && !header.ends_before(|| false));
        assert_eq!(header.counted().len(), 4);
    }

    #[test]
    fn blank_lines_of_a_text_table_count() {
        let mut header = HeaderBlock::of_text_table(2);
        header.push(b"");
        assert!(header.lacks_one());
        header.push(b"names");
        assert!(header.is_whole() && !header.ends_before(|| true));
        assert_eq!(header.counted().len(), 2);
    }
}
