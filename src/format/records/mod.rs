//! Files whose records are not lines: TOB1, the card files TOB2 and TOB3, and CSIXML.
//!
//! A record is converted into the line that CardConvert writes for it in a TOA5 file, and all later steps use that
//! line: keys, conflicts, rejected records and their evidence, decisions that are taken again. So a table keeps its
//! rows when its output format changes. Bytes are never interpreted without context: the header gives each column's
//! type, and a record is translated only when it is complete.

mod card;
mod columns;
mod csixml;
mod frames;
mod heading;
mod print;
mod sections;
mod sequence;
mod tob1;
mod utf16;
mod xml;

use std::io::Write as _;
use std::ops::Range;

use thiserror::Error;

use self::utf16::{Recoded, Utf16};
use crate::config::{FileFormat, LoggerFormat};
use crate::format::dialect::{Format, detect, foreign};
use crate::source::{QuietFile, Records, SourceError, Translator};

/// The longest header in bytes, with a large margin: six lines of a thousand columns need less.
const LONGEST_HEAD: usize = 1 << 20;
/// A longer record or frame means that the header is damaged. Real ones have at most a few kilobytes.
const LONGEST_RECORD: usize = 1 << 20;

/// Why a file in one of these formats cannot be read. Each text is the rest of a sentence that begins with the file's
/// name.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RecordsError {
    /// The file ends within the header.
    #[error("is {format}, and ends within its header; the next run reads it")]
    Short {
        /// The format's name.
        format: &'static str,
    },
    /// A line of the header cannot be read.
    #[error("is {format} with a damaged header: line {line} {problem}; collect the file again")]
    Damaged {
        /// The format's name.
        format: &'static str,
        /// The line, counted from 1.
        line: usize,
        /// The rest of the sentence.
        problem: String,
    },
    /// A type whose encoding no published source describes.
    #[error(
        "is {format}, and its column {column} has the type {kind}, which is not known; set the table's output format to TOA5 in \
         LoggerNet Setup, or convert the file with CardConvert"
    )]
    Type {
        /// The format's name.
        format: &'static str,
        /// The column's name in the header.
        column: String,
        /// The type as the header writes it.
        kind: String,
    },
    /// The format differs from the one that the configuration requires.
    #[error(
        "is {found}, and the table takes only format = \"{only}\"; take `format` out of [[table]], so that each file is read as \
         what it is, or give the file a [[table]] of its own"
    )]
    Other {
        /// The format of the file.
        found: &'static str,
        /// The required format, as the configuration writes it.
        only: String,
    },
    /// The file of another program, which is not text.
    #[error("{0}")]
    Foreign(&'static str),
}

/// The number of first bytes that is enough to recognise these formats.
const MARK: usize = 1024;

/// The first line of a file that begins with `head`, in UTF-8, without its end.
pub fn first_line(head: &[u8]) -> Vec<u8> {
    let text = Utf16::begun_by(head).map_or_else(|| head.to_vec(), |text| text.text(head));
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line).to_vec()
}

/// Begins the reading of a file: one whose records are not lines of text in UTF-8 hands them on as such from now on.
/// `format` is what the configuration says of it.
///
/// # Errors
/// The outer error: the file cannot be read now. The inner error: the file has such a format and its header cannot be
/// read, or it is not a table at all.
pub fn begin(file: &mut QuietFile, format: &FileFormat) -> Result<Result<(), RecordsError>, SourceError> {
    let head = file.head(MARK)?;
    if let Some(text) = Utf16::begun_by(&head) {
        // Of the formats whose records are not lines, XML alone is text.
        let is_xml = detect(&text.text(&head)) == Format::CsiXml;
        if !is_xml || matches!(format, FileFormat::Csv(_)) {
            file.translate_by(Box::new(text));
            return Ok(Ok(()));
        }
    }
    if let Some(reason) = foreign(&head) {
        return Ok(Err(RecordsError::Foreign(reason)));
    }
    let known = match Utf16::begun_by(&head) {
        Some(_) => Format::CsiXml,
        None => detect(&head),
    };
    let has_records = matches!(known, Format::Tob1 | Format::Tob2 | Format::Tob3 | Format::CsiXml);
    let only = match format {
        FileFormat::Csv(_) if has_records => Some("csv".to_owned()),
        // A file that was cut begins with any bytes; its lines are judged one by one.
        FileFormat::Logger(Some(LoggerFormat::Toa5 | LoggerFormat::Toaci1)) if known == Format::Unknown => None,
        FileFormat::Logger(Some(only)) if !known.is(*only) && !head.is_empty() => Some(only.to_string()),
        _ => None,
    };
    if let Some(only) = only {
        return Ok(Err(RecordsError::Other { found: known.name(), only }));
    }
    if !has_records {
        return Ok(Ok(()));
    }
    let head = file.head(LONGEST_HEAD)?;
    let found = match Utf16::begun_by(&head) {
        Some(text) => Recoded::open(text, &head, 0).map(|xml| Some(Box::new(xml) as Box<dyn Translator>)),
        None => translator(&head, 0),
    };
    Ok(found.map(|found| {
        if let Some(translator) = found {
            file.translate_by(translator);
        }
    }))
}

/// Goes on with a file of records under the header at `headed_at`, which an earlier read found in mid-file. Returns
/// whether it stands there.
///
/// # Errors
/// The file cannot be read now.
pub fn begin_under(file: &mut QuietFile, headed_at: u64) -> Result<bool, SourceError> {
    if headed_at == 0 {
        return Ok(true);
    }
    if !file.is_translated() || file.is_compressed() {
        return Ok(false);
    }
    let mark = file.head(MARK)?;
    let head = file.bytes(headed_at, LONGEST_HEAD as u64)?;
    let found = match Utf16::begun_by(&mark) {
        Some(text) => Recoded::open(text, &head, headed_at).map(|xml| Some(Box::new(xml) as Box<dyn Translator>)),
        None => translator(&head, headed_at),
    };
    Ok(match found {
        Ok(Some(translator)) => {
            file.translate_by(translator);
            true
        }
        _ => false,
    })
}

/// What turns the records behind `head`, which stands at `headed_at`, into lines; None where the file has lines of
/// its own.
///
/// # Errors
/// The file is of such a format, and its header cannot be read.
fn translator(head: &[u8], headed_at: u64) -> Result<Option<Box<dyn Translator>>, RecordsError> {
    let first = memchr::memchr(b'\n', head).map_or(head, |end| &head[..end]);
    Ok(match detect(first) {
        Format::Tob1 => Some(Box::new(tob1::Tob1::open(head, headed_at)?)),
        Format::Tob2 => Some(Box::new(card::Card::open(head, headed_at, card::TOB2)?)),
        Format::Tob3 => Some(Box::new(card::Card::open(head, headed_at, card::TOB3)?)),
        Format::CsiXml => Some(Box::new(csixml::CsiXml::open(head, headed_at)?)),
        // In mid-file a head may stand without what is before it in a document.
        _ if first.starts_with(b"<head") => Some(Box::new(csixml::CsiXml::open(head, headed_at)?)),
        _ => None,
    })
}

/// So much of a place that holds no record is kept: a block of a disk.
const KEPT_OF_DAMAGE: usize = 4 << 10;

/// Adds the line of bytes that are no record, as hexadecimal digits.
fn damage(bytes: &[u8], range: Range<usize>, records: &mut Records) {
    let Some(bytes) = bytes.get(range.clone()).filter(|bytes| !bytes.is_empty()) else { return };
    let line = records.begin(range.start).text;
    for byte in bytes.iter().take(KEPT_OF_DAMAGE) {
        // Writing to memory cannot fail.
        let _ = write!(line, "{byte:02X}");
    }
    line.push(b'\n');
    records.is_damage_of(bytes.len());
}
