//! The report of an ingest: each line that was read is counted in one place (I1).

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::after::{ClosedFiles, PutAway};
use crate::store::Outcome;

/// Counts of physical lines. The eight counts below `lines`, from `header` to `blank`, add up to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Physical lines read.
    pub lines: u64,
    /// Header lines.
    pub header: u64,
    /// New rows.
    pub staged: u64,
    /// The same reading again, or the complete form of a line that was read before its line end was written.
    pub duplicates: u64,
    /// An existing key with other content.
    pub conflicts: u64,
    /// Lines that are not rows: kept with the reason.
    pub rejected: u64,
    /// Lines ahead of this computer's clock, and lines whose place among the rows of their stamp is not known yet. They
    /// are kept, and staged when the clock reaches them or when other rows determine the place.
    pub held: u64,
    /// Not decided yet: a last line without a line end, an unfinished header, a file that cannot be read in its format.
    pub deferred: u64,
    /// Blank lines.
    pub blank: u64,
    /// How many of the duplicates are rows that got missing columns from this line, because its header has more
    /// columns.
    pub extended: u64,
}

impl Counts {
    /// The sum of all counts; equals `lines`.
    pub fn accounted(&self) -> u64 {
        let rows = self.staged + self.duplicates + self.conflicts;
        self.header + rows + self.rejected + self.held + self.deferred + self.blank
    }

    /// Counts a row.
    pub(super) fn row(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Staged => self.staged += 1,
            Outcome::Duplicate | Outcome::Finished => self.duplicates += 1,
            Outcome::Extended { .. } => {
                self.duplicates += 1;
                self.extended += 1;
            }
            Outcome::Conflict => self.conflicts += 1,
        }
    }

    pub(super) fn add(&mut self, other: &Counts) {
        self.lines += other.lines;
        self.header += other.header;
        self.staged += other.staged;
        self.duplicates += other.duplicates;
        self.conflicts += other.conflicts;
        self.rejected += other.rejected;
        self.held += other.held;
        self.deferred += other.deferred;
        self.blank += other.blank;
        self.extended += other.extended;
    }
}

/// One file.
#[derive(Debug, Clone, Serialize)]
pub struct FileReport {
    /// The path, as the pattern found it.
    pub file: String,
    /// Whether nothing was read because the file is the same as at the last read.
    pub unchanged: bool,
    /// The counts of its lines.
    #[serde(flatten)]
    pub counts: Counts,
    /// Why it could not be read, or an unusual observation. It names the table, too.
    pub note: Option<String>,
}

/// One table.
#[derive(Debug, Clone, Serialize)]
pub struct TableReport {
    /// Its name in the configuration.
    pub table: String,
    /// Lines kept from earlier reads that became rows in this ingest; they are not part of the line counts.
    pub taken_up: u64,
    /// Rows made of another table's rows that are new or have other values (`aggregate`); they are not part of the line
    /// counts.
    pub made: u64,
    /// Closed files that were put away as `after` says.
    pub put_away: Vec<PutAway>,
    /// Files examined.
    pub files: u64,
    /// The counts of all their lines.
    #[serde(flatten)]
    pub counts: Counts,
    /// Notes about the table for the user.
    pub notes: Vec<String>,
    /// The report of each file.
    pub sources: Vec<FileReport>,
}

impl TableReport {
    pub(super) fn new(table: &str) -> TableReport {
        TableReport {
            table: table.to_owned(),
            taken_up: 0,
            made: 0,
            put_away: Vec::new(),
            files: 0,
            counts: Counts::default(),
            notes: Vec::new(),
            sources: Vec::new(),
        }
    }

    /// A note stands alone in `status`, the log and the line of a pass, so each names the table.
    pub(super) fn note(&mut self, note: &str) {
        self.notes.push(self.named(note));
    }

    fn named(&self, note: &str) -> String {
        format!("table \"{}\": {note}", self.table)
    }

    /// Adds the result of a later pass. The later pass's note on a file replaces the earlier one.
    fn absorb(&mut self, later: TableReport) {
        self.made += later.made;
        self.put_away.extend(later.put_away);
        let of_files: HashSet<&String> = later.sources.iter().filter_map(|file| file.note.as_ref()).collect();
        let known: HashSet<&String> = self.notes.iter().collect();
        let is_new = |note: &&String| !of_files.contains(note) && !known.contains(note);
        let of_table: Vec<String> = later.notes.iter().filter(is_new).cloned().collect();
        self.notes.extend(of_table);
        let mut places: HashMap<String, usize> =
            self.sources.iter().enumerate().map(|(place, known)| (known.file.clone(), place)).collect();
        // How often each of these notes is to be removed.
        let mut gone: HashMap<String, usize> = HashMap::new();
        let mut come = Vec::new();
        for file in later.sources {
            let Some(&place) = places.get(&file.file) else {
                places.insert(file.file.clone(), self.sources.len());
                self.files += 1;
                self.counts.add(&file.counts);
                come.extend(file.note.clone());
                self.sources.push(file);
                continue;
            };
            if file.unchanged {
                continue;
            }
            let known = &mut self.sources[place];
            if let Some(earlier) = known.note.take() {
                *gone.entry(earlier).or_default() += 1;
            }
            known.unchanged = false;
            known.counts.add(&file.counts);
            known.note.clone_from(&file.note);
            self.counts.add(&file.counts);
            come.extend(file.note);
        }
        self.notes.retain(|note| match gone.get_mut(note).filter(|left| **left > 0) {
            Some(left) => {
                *left -= 1;
                false
            }
            None => true,
        });
        self.notes.extend(come);
    }

    pub(super) fn add(&mut self, mut file: FileReport) {
        file.note = file.note.map(|note| self.named(&note));
        self.files += 1;
        self.counts.add(&file.counts);
        self.notes.extend(file.note.clone());
        self.sources.push(file);
    }
}

/// The report of a whole ingest.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IngestReport {
    /// The tables, in the order of the configuration.
    pub tables: Vec<TableReport>,
}

impl IngestReport {
    /// Adds the result for the closed files of a table.
    pub(super) fn closed(&mut self, closed: ClosedFiles) {
        let Some(table) = self.tables.iter_mut().find(|table| table.table == closed.table) else { return };
        table.put_away.extend(closed.put_away);
        let failed = closed.stays.into_iter().filter(|stays| stays.is_failure);
        failed.for_each(|stays| table.note(&format!("{} stays for now: {}", stays.file, stays.reason)));
    }

    /// Adds the result of a later pass over some or all of the files. In the combined report the counts of I1 add up as
    /// in each.
    pub fn absorb(&mut self, later: IngestReport) {
        for table in later.tables {
            match self.tables.iter_mut().find(|known| known.table == table.table) {
                Some(known) => known.absorb(table),
                None => self.tables.push(table),
            }
        }
    }

    /// The sum over all tables.
    pub fn totals(&self) -> Counts {
        let mut totals = Counts::default();
        for table in &self.tables {
            totals.add(&table.counts);
        }
        totals
    }

    /// Notes on tables that belong to no file.
    pub fn notes_beside_files(&self) -> Vec<String> {
        let of_table = |table: &TableReport| {
            let is_of_file = |note: &String| table.sources.iter().any(|file| file.note.as_ref() == Some(note));
            let notes = table.notes.iter().filter(|note| table.files > 0 && !is_of_file(note));
            notes.cloned().collect::<Vec<_>>()
        };
        self.tables.iter().flat_map(of_table).collect()
    }

    /// Whether there are new rows that can be sent.
    pub fn has_new_rows(&self) -> bool {
        self.tables.iter().any(|table| table.counts.staged + table.counts.extended + table.made > 0)
    }

    /// Whether the user should check the result: a file could not be read, a line is not a row or is ahead of the
    /// clock, or a key has two contents.
    pub fn needs_a_look(&self) -> bool {
        let totals = self.totals();
        totals.rejected + totals.held + totals.conflicts > 0 || self.tables.iter().any(|table| !table.notes.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, staged: u64, note: Option<&str>) -> FileReport {
        let counts = Counts { lines: staged, staged, ..Counts::default() };
        FileReport { file: name.to_owned(), unchanged: staged == 0, counts, note: note.map(str::to_owned) }
    }

    fn report(table: &str, files: Vec<FileReport>) -> IngestReport {
        let mut report = TableReport::new(table);
        files.into_iter().for_each(|file| report.add(file));
        IngestReport { tables: vec![report] }
    }

    #[test]
    fn a_later_pass_adds_its_lines_and_has_the_last_word_on_a_file() {
        let mut whole = report("met", vec![file("a.dat", 3, Some("no line end yet")), file("b.dat", 5, Some("odd"))]);
        whole.absorb(report("met", vec![file("a.dat", 2, None), file("b.dat", 0, None), file("c.dat", 1, None)]));
        whole.absorb(report("soil", vec![file("s.dat", 7, None)]));
        let met = &whole.tables[0];
        assert_eq!((met.files, met.counts.lines, met.counts.accounted()), (3, 11, 11));
        let staged: Vec<u64> = met.sources.iter().map(|file| file.counts.staged).collect();
        assert_eq!((staged, met.notes.as_slice()), (vec![5, 5, 1], ["table \"met\": odd".to_owned()].as_slice()));
        assert_eq!((whole.tables.len(), whole.totals().staged), (2, 18));
    }
}
