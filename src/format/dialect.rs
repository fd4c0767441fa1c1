//! Recognises a file's format by its first bytes. The file extension does not help: `.dat`, `.csv` and `.txt` are all
//! in use.

use crate::config::LoggerFormat;
use crate::format::text::strip_noise;

/// A file's format, by its first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Four header lines, then rows.
    Toa5,
    /// TOA5 saved by a spreadsheet or R: the header's quotes are missing or line 1 is padded.
    Resaved,
    /// Short header, no units: `"TOACI1","station","table"`.
    Toaci1,
    /// Five text lines, then binary rows.
    Tob1,
    /// A card image in frames.
    Tob2,
    /// A card image in frames.
    Tob3,
    /// `<csixml …>`.
    CsiXml,
    /// `{"head": …}`.
    CsiJson,
    /// `id,year,day,hhmm,values` of CR10X, CR23X and 21X.
    Array,
    /// A git-LFS pointer in place of the file.
    LfsPointer,
    /// None of these.
    Unknown,
}

impl Format {
    /// Why a file of this format is not read, and what to do. None if it is read.
    pub fn refusal(self) -> Option<&'static str> {
        Some(match self {
            Format::Toa5 | Format::Toaci1 | Format::Tob1 | Format::Tob2 | Format::Tob3 | Format::CsiXml => return None,
            Format::Resaved => {
                "was saved again by a spreadsheet or R (quotes gone, line 1 padded or dates rewritten), so its dates and \
                 missing values cannot be trusted; export the period again from LoggerNet"
            }
            Format::CsiJson => "is CSIJSON; set the output format to TOA5 in LoggerNet Setup",
            Format::Array => {
                "holds mixed arrays without a header (CR10X, CR23X, 21X); `fluxtower init` drafts a table for each of them, with format = \"csv\" and array = ... in [table.csv]"
            }
            Format::LfsPointer => {
                "is a git-LFS pointer, not the file itself; run `git lfs pull` or wait for the collection"
            }
            Format::Unknown => {
                "has no TOA5 header; if it is CSV without a header, say format = \"csv\" and name its columns in the configuration"
            }
        })
    }

    /// Whether it is the format that the configuration names.
    pub fn is(self, only: LoggerFormat) -> bool {
        match only {
            LoggerFormat::Toa5 => matches!(self, Format::Toa5 | Format::Resaved),
            LoggerFormat::Toaci1 => self == Format::Toaci1,
            LoggerFormat::Tob1 => self == Format::Tob1,
            LoggerFormat::Tob2 => self == Format::Tob2,
            LoggerFormat::Tob3 => self == Format::Tob3,
            LoggerFormat::CsiXml => self == Format::CsiXml,
        }
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Format::Toa5 | Format::Resaved => "TOA5",
            Format::Toaci1 => "TOACI1",
            Format::Tob1 => "TOB1",
            Format::Tob2 => "TOB2",
            Format::Tob3 => "TOB3",
            Format::CsiXml => "CSIXML",
            Format::CsiJson => "CSIJSON",
            Format::Array => "arrays",
            Format::LfsPointer => "git-LFS",
            Format::Unknown => "of no format of a logger",
        }
    }
}

/// Recognizes the format by the first line.
pub fn detect(first_line: &[u8]) -> Format {
    let line = strip_noise(first_line);
    let starts = |word: &[u8]| line.starts_with(word);
    if starts(b"\"TOA5\"") {
        if line.ends_with(b",") || line.ends_with(b",\"\",\"\"") { Format::Resaved } else { Format::Toa5 }
    } else if starts(b"TOA5,") || starts(b"TOA5;") || starts(b"TOA5\t") || starts(b"\"TOA5,") {
        Format::Resaved
    } else if starts(b"\"TOACI1\"") || starts(b"TOACI1,") {
        Format::Toaci1
    } else if starts(b"\"TOB1\"") || starts(b"TOB1,") {
        Format::Tob1
    } else if starts(b"\"TOB2\"") || starts(b"TOB2,") {
        Format::Tob2
    } else if starts(b"\"TOB3\"") || starts(b"TOB3,") {
        Format::Tob3
    } else if starts(b"<?xml") || starts(b"<csixml") {
        Format::CsiXml
    } else if starts(b"{") && memchr::memmem::find(&line, b"\"head\"").is_some() {
        Format::CsiJson
    } else if starts(b"version https://git-lfs") {
        Format::LfsPointer
    } else if is_array_line(&line) {
        Format::Array
    } else {
        Format::Unknown
    }
}

/// The message about a file whose lines end in CR alone.
pub const NO_LINE_FEED: &str = "is one line: it has no line feed, and its lines end in CR alone; save it with the line ends of \
     Windows or Linux, or collect it again";

/// Why a file with this beginning is not a text table, and what to do. None if it may be one.
pub fn foreign(head: &[u8]) -> Option<&'static str> {
    let has = |text: &[u8]| memchr::memmem::find(head, text).is_some();
    let starts = |text: &[u8]| head.starts_with(text);
    let begin: Vec<u8> = head.trim_ascii_start().iter().take(16).map(u8::to_ascii_lowercase).collect();
    Some(if starts(b"PK\x03\x04") && (has(b"[Content_Types].xml") || has(b"xl/") || has(b"mimetype")) {
        "is a spreadsheet (.xlsx or .ods); save it as CSV, or better collect the logger's own file again"
    } else if starts(b"PK\x03\x04") {
        "is a zip archive; unpack it into the folder, or save the files with gzip (.gz), which are read"
    } else if starts(b"\xD0\xCF\x11\xE0") {
        "is a spreadsheet or document of an old Office (.xls, .doc); save it as CSV, or better collect the logger's own file again"
    } else if starts(b"{\\rtf") {
        "was saved as rich text (.rtf) by an editor; save it as plain text, or collect it again"
    } else if starts(b"%PDF") {
        "is a PDF document; export the table as CSV"
    } else if begin.starts_with(b"<!doctype html") || begin.starts_with(b"<html") {
        "is a web page, perhaps the login page of a server; fetch the file again"
    } else if starts(b"7z\xBC\xAF")
        || starts(b"Rar!")
        || starts(b"BZh")
        || starts(b"\xFD7zXZ")
        || starts(b"\x28\xB5\x2F\xFD")
    {
        "is compressed (7z, rar, bz2, xz or zst); unpack it, or save it with gzip (.gz), which is read"
    } else if starts(b"SQLite format 3") {
        "is an SQLite database; export the table as CSV"
    } else if starts(b"CDF\x01") || starts(b"CDF\x02") || starts(b"CDF\x05") || starts(b"\x89HDF\r\n\x1A\n") {
        "is a netCDF or HDF5 file; export the table as CSV"
    } else if starts(b"PAR1") {
        "is a Parquet file; export the table as CSV"
    } else {
        return None;
    })
}

/// Whether a line has the form `id,year,day[,hhmm],…` with numbers only, without quotes.
fn is_array_line(line: &[u8]) -> bool {
    let mut fields = line.split(|&byte| byte == b',');
    let mut whole = |longest: usize| {
        fields.next().is_some_and(|field| (1..=longest).contains(&field.len()) && field.iter().all(u8::is_ascii_digit))
    };
    whole(4) && whole(4) && whole(4)
}

/// Why a time that is not a TOA5 time stamp seems to be written by a spreadsheet. None if it does not.
pub fn spreadsheet_reason(stamp: &[u8]) -> Option<&'static str> {
    memchr::memchr(b'/', stamp)?;
    Some("the date is written with slashes, as a spreadsheet does; day and month cannot be distinguished")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_as_what_it_is() {
        for (line, format) in [
            (
                &b"\"TOA5\",\"46m\",\"CR5000\",\"1041\",\"CR5000.Std.07\",\"CPU:Y21.CR5\",\"6827\",\"PARCal\"\r"[..],
                Format::Toa5,
            ),
            (b"\"TOA5\",\"\",\"CR200\"", Format::Toa5),
            (b"\xEF\xBB\xBFTOA5,some_site,CR1000,E7000,CR1000.Std.22,CPU:demo.CR1,12345,demo,,,,", Format::Resaved),
            (b"TOA5,46m,CR5000,1041,CR5000.Std.07,CPU:Y21.CR5,6827,PARCal", Format::Resaved),
            (b"\"TOA5\",\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",,,", Format::Resaved),
            (b"\"TOACI1\",\"WRDO\",\"Min15\"", Format::Toaci1),
            (b"\"TOB1\",\"64291\",\"CR1000X\"\r", Format::Tob1),
            (b"\"TOB3\",\"x\"", Format::Tob3),
            (b"<?xml version=\"1.0\" standalone=\"yes\"?>", Format::CsiXml),
            (b"{\"head\": {\"transaction\": 0", Format::CsiJson),
            (b"30,2004,151,58,.451,-.077", Format::Array),
            (b"version https://git-lfs.github.com/spec/v1", Format::LfsPointer),
            (b"2021-06-25 10:50:05,6a,1", Format::Unknown),
            (b"", Format::Unknown),
        ] {
            assert_eq!(detect(line), format, "{}", String::from_utf8_lossy(line));
        }
    }
}
