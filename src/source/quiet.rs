//! Reads a file in chunks of whole lines. Each chunk is passed on only after a check that the file did not change.

use std::fs::{File, Metadata};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flate2::read::MultiGzDecoder;

use super::error::SourceError;
use super::fingerprint::{WHOLE, fingerprint};
use super::records::{Piece, Records, Said, Translator};
use crate::time::nanos;

/// A file up to this size is read as one chunk; this includes every overwritten file.
const AT_ONCE: usize = 4 << 20;
/// A larger file is read in chunks that fit into the processor's cache until they are parsed.
const CHUNK: usize = 512 << 10;
/// How many bytes of records are translated at a time: their lines and numbers need several times the space, and must
/// fit into the cache too.
const PIECE: usize = 128 << 10;
/// A longer "line" means that the file is not a text file. The longest real line (1,107 columns) has 12 KiB.
const LONGEST_LINE: usize = 16 << 20;
/// How many bytes of such a line are kept.
const KEPT_OF_LONG: usize = 64 << 10;
/// File systems stamp a write with a coarse clock (4 ms on ext4, up to 2 s on FAT, and NTFS may stamp when the writer
/// closes). So a change within this time after the last one may have the same stamp: then the bytes are compared.
const COARSE_CLOCK: Duration = Duration::from_secs(2);

/// A compressed file that ends too early is taken to be still being written, unless it has not changed for this time.
const WRITTEN_BY_NOW: Duration = Duration::from_secs(600);

/// The size and time by which the state of a file is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    /// The size in bytes.
    pub size: u64,
    /// The time of the last change.
    pub modified: SystemTime,
}

impl Snapshot {
    pub(super) fn of(metadata: &Metadata) -> Snapshot {
        Snapshot { size: metadata.len(), modified: metadata.modified().unwrap_or(UNIX_EPOCH) }
    }

    /// The time of the last change in nanoseconds since 1970.
    pub fn modified_nanos(&self) -> i64 {
        match self.modified.duration_since(UNIX_EPOCH) {
            Ok(since) => nanos(since),
            Err(before) => -nanos(before.duration()),
        }
    }
}

/// Lines of the file, with their line ends.
#[derive(Debug)]
pub struct Chunk<'a> {
    /// Offset in the file of the first line.
    pub offset: u64,
    /// Whole lines; or, at the end of the file, the bytes after the last line end.
    pub bytes: &'a [u8],
    /// Whether this is the rest of the file, without a line end.
    pub is_tail: bool,
    /// The offset in the file where the chunk ends. Bytes of a long line may be left out of `bytes`.
    pub end: u64,
    /// Whether this is the beginning of one line that is too long for a line.
    pub is_cut: bool,
    /// Where in the file the header of its lines begins, where records are translated.
    pub headed_at: u64,
    /// Whether the compressed file is cut here: what follows the last line end is not a whole line.
    pub breaks_off: bool,
    /// The offset from `offset` of each line's record; None if the lines are those of the file.
    records: Option<&'a Records>,
}

impl Chunk<'_> {
    /// The offset in the file of a line of this chunk, by its number and its first byte in `bytes`.
    pub fn place(&self, line: usize, byte: usize) -> u64 {
        let Some(records) = self.records else { return self.offset + byte as u64 };
        let from = records.begins().get(line).copied().unwrap_or_default();
        (self.offset + from as u64).saturating_sub(records.damage_before(line) as u64)
    }

    /// The parsed content of a line, by its number, if the translated record provided it.
    #[inline]
    pub fn said(&self, line: usize) -> Option<Said<'_>> {
        self.records?.said(line)
    }

    /// How many bytes of the file a line stands for, by its number, where they are no record.
    #[inline]
    pub fn damage(&self, line: usize) -> Option<usize> {
        self.records?.damage(line)
    }

    /// Whether its lines are translated records.
    pub fn is_translated(&self) -> bool {
        self.records.is_some()
    }
}

/// The next part of a file of records.
enum Found {
    Header,
    /// This number of bytes of whole records.
    Records(usize),
    /// No whole record up to the end of the file.
    Rest,
}

/// The decompressed content of a gzip file, which is read from its beginning to its end.
#[derive(Debug)]
struct Unpacked {
    stream: MultiGzDecoder<BufReader<File>>,
    /// The number of bytes read so far.
    at: u64,
    /// Whether the file ended before its content did.
    breaks_off: bool,
}

/// An open file and its state when it was opened.
#[derive(Debug)]
pub struct QuietFile {
    path: PathBuf,
    file: File,
    /// Set for a compressed file: offsets are those of the decompressed content; size and fingerprint are those of the
    /// file itself.
    unpacked: Option<Unpacked>,
    /// Whether a compressed file that ends too early is read as far as it goes.
    is_written: bool,
    snapshot: Snapshot,
    buffer: Vec<u8>,
    /// The offset in the file of the buffer's first byte.
    offset: u64,
    /// The number of bytes of the buffer that the last call returned.
    used: usize,
    at_end: bool,
    /// The number of bytes left out of the current line: NUL bytes after others, or everything after the beginning of a
    /// long line.
    left_out: u64,
    is_cut: bool,
    /// Whether the buffer may hold whole lines after those that were returned.
    has_more: bool,
    /// Set for a file whose records are not lines.
    translator: Option<Box<dyn Translator>>,
    records: Records,
    /// Whether what stands before the next piece was not looked at.
    looks_back: bool,
}

impl QuietFile {
    /// Opens `path` for reading from its beginning.
    pub fn open(path: &Path) -> Result<QuietFile, SourceError> {
        let failed = |source| SourceError::io(path, source);
        let file = File::open(path).map_err(failed)?;
        let snapshot = Snapshot::of(&file.metadata().map_err(failed)?);
        let unpacked = unpacked(&file, path).map_err(failed)?;
        Ok(QuietFile {
            path: path.to_owned(),
            file,
            unpacked,
            is_written: snapshot.modified.elapsed().is_ok_and(|still| still >= WRITTEN_BY_NOW),
            snapshot,
            buffer: Vec::new(),
            offset: 0,
            used: 0,
            at_end: false,
            left_out: 0,
            is_cut: false,
            has_more: false,
            translator: None,
            records: Records::default(),
            looks_back: true,
        })
    }

    /// The state in which the file was opened.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot
    }

    /// Whether the file is compressed. Such a file is closed: it is read whole, or not at all.
    pub fn is_compressed(&self) -> bool {
        self.unpacked.is_some()
    }

    /// Sets whether the file is no longer being written, so that a compressed file that ends too early is read as far
    /// as it goes.
    pub fn set_written(&mut self, is_written: bool) {
        self.is_written = is_written;
    }

    /// Whether the file is compressed, and reading found that it ends too early.
    pub fn breaks_off(&self) -> bool {
        self.unpacked.as_ref().is_some_and(|unpacked| unpacked.breaks_off)
    }

    /// The first bytes of the file, at most `length`.
    pub fn head(&mut self, length: usize) -> Result<Vec<u8>, SourceError> {
        if self.unpacked.is_none() {
            return self.bytes(0, self.snapshot.size.min(length as u64));
        }
        let mut head = vec![0; length];
        let read = self.unpack(0, &mut head)?;
        head.truncate(read);
        Ok(head)
    }

    /// Fills `into` with decompressed content from `from` on, as far as there is any, and returns the number of bytes.
    fn unpack(&mut self, from: u64, into: &mut [u8]) -> Result<usize, SourceError> {
        let failed = |source: std::io::Error| match source.kind() {
            // The end of the file is not written yet.
            std::io::ErrorKind::UnexpectedEof => SourceError::Changed { path: self.path.clone() },
            std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
                SourceError::Damaged { path: self.path.clone(), reason: source.to_string() }
            }
            _ => SourceError::io(&self.path, source),
        };
        if self.unpacked.as_ref().is_none_or(|unpacked| unpacked.at > from) {
            self.unpacked = unpacked(&self.file, &self.path).map_err(failed)?;
        }
        let Some(unpacked) = &mut self.unpacked else { return Ok(0) };
        let skipped = std::io::copy(&mut (&mut unpacked.stream).take(from - unpacked.at), &mut std::io::sink());
        unpacked.at += skipped.map_err(failed)?;
        let mut length = 0;
        while length < into.len() && !unpacked.breaks_off {
            match unpacked.stream.read(&mut into[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if self.is_written && error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    unpacked.breaks_off = true;
                }
                Err(error) => return Err(failed(error)),
            }
        }
        unpacked.at += length as u64;
        Ok(length)
    }

    /// At most `length` bytes from `from` on, of a file that is not compressed.
    pub fn bytes(&mut self, from: u64, length: u64) -> Result<Vec<u8>, SourceError> {
        let failed = |source| SourceError::io(&self.path, source);
        self.file.seek(SeekFrom::Start(from)).map_err(failed)?;
        let mut bytes = Vec::new();
        (&self.file).take(length).read_to_end(&mut bytes).map_err(failed)?;
        self.still_the_same()?;
        Ok(bytes)
    }

    /// From now on, chunks contain the lines that `translator` makes of the records.
    pub fn translate_by(&mut self, translator: Box<dyn Translator>) {
        self.translator = Some(translator);
    }

    /// Where the header of a file of records begins that the next chunk stands under.
    pub fn headed_at(&self) -> u64 {
        self.translator.as_ref().map_or(0, |translator| translator.headed_at())
    }

    /// Whether chunks hold translated lines.
    pub fn is_translated(&self) -> bool {
        self.translator.is_some()
    }

    /// Where records are translated: sets the next chunk to the record that begins `length` bytes before the end, or
    /// before that. Otherwise does nothing, and returns false.
    pub fn start_near_end(&mut self, length: u64) -> bool {
        let Some(translator) = &self.translator else { return false };
        let begin = translator.record_at_or_before(self.snapshot.size.saturating_sub(length));
        self.start_at(begin);
        true
    }

    /// The last bytes of the file, at most `length`.
    pub fn tail(&mut self, length: u64) -> Result<Vec<u8>, SourceError> {
        if self.unpacked.is_none() {
            let length = length.min(self.snapshot.size);
            return self.bytes(self.snapshot.size - length, length);
        }
        let kept = usize::try_from(length).unwrap_or(usize::MAX);
        let (mut tail, mut at) = (Vec::new(), 0);
        loop {
            let begin = tail.len();
            tail.resize(begin + CHUNK, 0);
            let read = self.unpack(at, &mut tail[begin..])?;
            tail.truncate(begin + read);
            at += read as u64;
            tail.drain(..tail.len().saturating_sub(kept));
            if read == 0 {
                return Ok(tail);
            }
        }
    }

    /// The fingerprint of the first `length` bytes, and whether it covers every one of them.
    pub fn fingerprint(&mut self, length: u64) -> Result<(u64, bool), SourceError> {
        let hash = fingerprint(&mut self.file, length).map_err(|source| match source.kind() {
            std::io::ErrorKind::UnexpectedEof => SourceError::Changed { path: self.path.clone() },
            _ => SourceError::io(&self.path, source),
        })?;
        self.still_the_same()?;
        Ok((hash, length <= WHOLE))
    }

    /// Sets the offset of the next chunk.
    pub fn start_at(&mut self, offset: u64) {
        self.buffer.clear();
        self.used = 0;
        self.offset = offset;
        self.at_end = false;
        (self.left_out, self.is_cut, self.has_more) = (0, false, false);
        self.looks_back = true;
        if let Some(translator) = &mut self.translator {
            translator.start_at(offset);
        }
    }

    /// The next whole lines, or the rest without a line end, or None at the end. Returns [`SourceError::Changed`] if
    /// the file has changed since it was opened; chunks of earlier calls are still valid.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk<'_>>, SourceError> {
        self.buffer.drain(..self.used);
        self.offset += self.used as u64 + self.left_out;
        (self.used, self.left_out, self.is_cut) = (0, 0, false);
        if self.at_end {
            return Ok(None);
        }
        if self.translator.is_some() {
            return self.next_records();
        }
        if std::mem::take(&mut self.has_more)
            && let Some(end) = memchr::memrchr(b'\n', &self.buffer)
        {
            return Ok(Some(self.hand_on(end + 1, false)));
        }
        loop {
            let start = self.buffer.len();
            self.fill()?;
            if self.left_out > 0
                && let Some(end) = memchr::memchr(b'\n', &self.buffer[start..])
            {
                let mut end = start + end;
                if self.is_cut {
                    self.left_out += (end - KEPT_OF_LONG) as u64;
                    self.buffer.drain(KEPT_OF_LONG..end);
                    end = KEPT_OF_LONG;
                }
                self.has_more = true;
                return Ok(Some(self.hand_on(end + 1, false)));
            }
            if let Some(end) = memchr::memrchr(b'\n', &self.buffer[start..]) {
                return Ok(Some(self.hand_on(start + end + 1, false)));
            }
            if self.buffer.len() == start {
                self.at_end = true;
                return Ok((!self.buffer.is_empty()).then(|| self.hand_on(start, true)));
            }
            if self.is_cut || self.buffer.len() > LONGEST_LINE {
                self.shorten();
            }
        }
    }

    /// The lines of the next whole records. The first call returns those of the header. At the end, the bytes that are
    /// not a whole record are returned as the tail.
    fn next_records(&mut self) -> Result<Option<Chunk<'_>>, SourceError> {
        // It is taken out while the buffer is read, and put back below.
        let Some(mut translator) = self.translator.take() else { return Ok(None) };
        let found = self.look_back(translator.as_mut()).and_then(|()| self.find_records(translator.as_mut()));
        let translator = self.translator.insert(translator);
        let headed_at = translator.headed_at();
        Ok(match found? {
            Found::Header => {
                let end = translator.begins_at();
                (self.offset, self.used) = (end, 0);
                Some(Chunk {
                    offset: headed_at,
                    bytes: translator.header(),
                    is_tail: false,
                    end,
                    is_cut: false,
                    headed_at,
                    breaks_off: false,
                    records: Some(&self.records),
                })
            }
            Found::Records(used) => {
                self.used = used;
                let end = self.offset + used as u64;
                let (bytes, records) = (self.records.text(), Some(&self.records));
                Some(Chunk {
                    offset: self.offset,
                    bytes,
                    is_tail: false,
                    end,
                    is_cut: false,
                    breaks_off: false,
                    headed_at,
                    records,
                })
            }
            Found::Rest => {
                self.at_end = true;
                self.used = self.buffer.len();
                let end = self.offset + self.used as u64;
                if let Some(line) = translator.last_line(&self.buffer) {
                    self.records.set_last(line);
                    let chunk = Chunk {
                        offset: self.offset,
                        bytes: self.records.text(),
                        is_tail: true,
                        end,
                        is_cut: false,
                        headed_at,
                        breaks_off: self.unpacked.as_ref().is_some_and(|unpacked| unpacked.breaks_off),
                        records: None,
                    };
                    return Ok((self.used > 0).then_some(chunk));
                }
                let bytes: &[u8] = if translator.is_filler(&self.buffer) { &[] } else { &self.buffer };
                Some(Chunk {
                    offset: self.offset,
                    bytes,
                    is_tail: true,
                    end,
                    is_cut: false,
                    headed_at,
                    breaks_off: false,
                    records: Some(&self.records),
                })
                .filter(|_| self.used > 0)
            }
        })
    }

    /// Shows the translator what stands before the first piece.
    fn look_back(&mut self, translator: &mut dyn Translator) -> Result<(), SourceError> {
        if !std::mem::take(&mut self.looks_back) || self.is_compressed() {
            return Ok(());
        }
        let length = self.offset.saturating_sub(translator.begins_at()).min(translator.looks_back() as u64);
        if length > 0 {
            let before = self.bytes(self.offset - length, length)?;
            translator.see_before(&before);
        }
        Ok(())
    }

    fn find_records(&mut self, translator: &mut dyn Translator) -> Result<Found, SourceError> {
        if self.offset < translator.begins_at() {
            self.records.clear();
            return Ok(Found::Header);
        }
        loop {
            if self.buffer.len() < PIECE {
                self.fill()?;
            }
            let before = self.buffer.len();
            let mut length = before.min(PIECE);
            loop {
                self.records.clear();
                let bytes = &self.buffer[..length];
                let used = translator.take(Piece { bytes, offset: self.offset, is_end: false }, &mut self.records);
                if used > 0 {
                    return Ok(Found::Records(used));
                }
                if length == before {
                    break;
                }
                // All of it is needed for a longer record.
                length = before;
            }
            self.fill()?;
            if self.buffer.len() == before {
                self.records.clear();
                let piece = Piece { bytes: &self.buffer, offset: self.offset, is_end: true };
                return Ok(match translator.take(piece, &mut self.records) {
                    0 => Found::Rest,
                    used => Found::Records(used),
                });
            }
        }
    }

    fn hand_on(&mut self, used: usize, is_tail: bool) -> Chunk<'_> {
        self.used = used;
        let end = self.offset + used as u64 + self.left_out;
        Chunk {
            offset: self.offset,
            bytes: &self.buffer[..used],
            is_tail,
            end,
            is_cut: self.is_cut,
            headed_at: 0,
            breaks_off: self.unpacked.as_ref().is_some_and(|unpacked| unpacked.breaks_off),
            records: None,
        }
    }

    /// Limits the memory for a long line: removes all NUL bytes but one of each run, and if that is not enough,
    /// everything after its beginning.
    fn shorten(&mut self) {
        let before = self.buffer.len();
        if !self.is_cut {
            // One NUL byte of each run shows that there were some.
            self.buffer.dedup_by(|next, before| *next == 0 && *before == 0);
        }
        if self.is_cut || self.buffer.len() > LONGEST_LINE / 2 {
            self.buffer.truncate(KEPT_OF_LONG);
            self.is_cut = true;
        }
        self.left_out += (before - self.buffer.len()) as u64;
    }

    /// Appends up to one chunk to the buffer and checks that the file did not change in the meantime.
    fn fill(&mut self) -> Result<(), SourceError> {
        let failed = |source| SourceError::io(&self.path, source);
        let start = self.buffer.len();
        let from = self.offset + self.left_out + start as u64;
        if self.is_compressed() {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.resize(start + CHUNK, 0);
            let read = self.unpack(from, &mut buffer[start..]);
            buffer.truncate(start + read.as_ref().map_or(0, |read| *read));
            self.buffer = buffer;
            return read.and_then(|_| self.still_the_same());
        }
        let left = usize::try_from(self.snapshot.size.saturating_sub(from)).unwrap_or(usize::MAX);
        self.buffer.resize(start + if left <= AT_ONCE { left } else { CHUNK }, 0);
        self.file.seek(SeekFrom::Start(from)).map_err(failed)?;
        if let Err(source) = self.file.read_exact(&mut self.buffer[start..]) {
            self.buffer.truncate(start);
            return Err(match source.kind() {
                std::io::ErrorKind::UnexpectedEof => SourceError::Changed { path: self.path.clone() },
                _ => SourceError::io(&self.path, source),
            });
        }
        if self.snapshot.modified.elapsed().map_or(true, |age| age < COARSE_CLOCK) {
            self.compare(from, start)?;
        }
        self.still_the_same()
    }

    /// Reads the new bytes once more and compares them.
    fn compare(&mut self, from: u64, start: usize) -> Result<(), SourceError> {
        let failed = |source| SourceError::io(&self.path, source);
        self.file.seek(SeekFrom::Start(from)).map_err(failed)?;
        let mut again = [0; 16 << 10];
        let mut at = start;
        while at < self.buffer.len() {
            let wanted = again.len().min(self.buffer.len() - at);
            let read = self.file.read(&mut again[..wanted]).map_err(failed)?;
            if read == 0 || again[..read] != self.buffer[at..at + read] {
                return Err(SourceError::Changed { path: self.path.clone() });
            }
            at += read;
        }
        Ok(())
    }

    fn still_the_same(&self) -> Result<(), SourceError> {
        let now = Snapshot::of(&self.file.metadata().map_err(|source| SourceError::io(&self.path, source))?);
        if now == self.snapshot { Ok(()) } else { Err(SourceError::Changed { path: self.path.clone() }) }
    }
}

/// The decompressing stream, if the first bytes say that the file is compressed with gzip, whatever its name is: no
/// table of a logger begins with these bytes.
fn unpacked(file: &File, path: &Path) -> std::io::Result<Option<Unpacked>> {
    const MARK: [u8; 3] = [0x1F, 0x8B, 8];
    let mut file = file.try_clone()?;
    let mut begin = [0; MARK.len()];
    file.seek(SeekFrom::Start(0))?;
    match file.read_exact(&mut begin) {
        Ok(()) if begin == MARK => {}
        Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => return Err(error),
        _ => return Ok(None),
    }
    // A cloned handle would share its position with the file, so the stream opens the file itself.
    let own = File::open(path)?;
    Ok(Some(Unpacked { stream: MultiGzDecoder::new(BufReader::new(own)), at: 0, breaks_off: false }))
}
