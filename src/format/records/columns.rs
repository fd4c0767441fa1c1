//! The types of columns, and how their bytes become fields of a line. The table of sizes and byte orders is in
//! docs/file-formats.md#binary-files.

use super::print::{self, DOUBLE, SINGLE};
use super::{LONGEST_RECORD, RecordsError};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Unsigned, so many bytes, and whether the first is the highest.
    Unsigned(usize, Order),
    /// In two's complement.
    Signed(usize, Order),
    Single(Order),
    Double(Order),
    /// `IEEE8` as the header of a TOB1 file says: little-endian by the manual, big-endian by some loggers.
    DoubleOfUnknownOrder,
    Fp2,
    /// Seconds and nanoseconds.
    Nanos(Order),
    /// One whole number of six bytes, the highest first: units of ten microseconds since 1990.
    Micros,
    Seconds,
    /// Any bit.
    Truth(usize),
    /// Eight bits, the lowest first.
    Bits,
    Text(usize),
}

/// Which byte comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The lowest.
    Little,
    /// The highest.
    Big,
}

impl Kind {
    /// By its name in the header.
    pub(super) fn named(name: &str) -> Option<Kind> {
        use Order::{Big, Little};
        let name = name.trim().to_ascii_uppercase();
        if let Some(width) = name.strip_prefix("ASCII(").and_then(|rest| rest.strip_suffix(')')) {
            let width = width.trim().parse().ok()?;
            return (1..=LONGEST_RECORD).contains(&width).then_some(Kind::Text(width));
        }
        Some(match name.as_str() {
            "ULONG" => Kind::Unsigned(4, Little),
            "LONG" => Kind::Signed(4, Little),
            "USHORT" => Kind::Unsigned(2, Little),
            "SHORT" => Kind::Signed(2, Little),
            "UINT1" | "BYTE" => Kind::Unsigned(1, Little),
            "UINT2" => Kind::Unsigned(2, Big),
            "INT2" => Kind::Signed(2, Big),
            "UINT4" => Kind::Unsigned(4, Big),
            "INT4" => Kind::Signed(4, Big),
            "IEEE4" | "IEEE4L" => Kind::Single(Little),
            "IEEE4B" => Kind::Single(Big),
            "IEEE8" => Kind::DoubleOfUnknownOrder,
            "IEEE8L" => Kind::Double(Little),
            "IEEE8B" => Kind::Double(Big),
            "FP2" => Kind::Fp2,
            "SECNANO" => Kind::Nanos(Little),
            "NSEC" => Kind::Nanos(Big),
            "USEC" => Kind::Micros,
            "SEC" => Kind::Seconds,
            "BOOL" => Kind::Truth(1),
            "BOOL2" => Kind::Truth(2),
            "BOOL4" => Kind::Truth(4),
            "BOOL8" => Kind::Bits,
            _ => return None,
        })
    }

    /// Bytes.
    pub(super) fn width(self) -> usize {
        match self {
            Kind::Unsigned(width, _) | Kind::Signed(width, _) | Kind::Truth(width) | Kind::Text(width) => width,
            Kind::Single(_) | Kind::Seconds => 4,
            Kind::Double(_) | Kind::DoubleOfUnknownOrder | Kind::Nanos(_) => 8,
            Kind::Fp2 => 2,
            Kind::Micros => 6,
            Kind::Bits => 1,
        }
    }

    /// Appends the field that `bytes` make. `double` is the order of [`Kind::DoubleOfUnknownOrder`].
    fn print(self, bytes: &[u8], double: Order, line: &mut Vec<u8>) {
        match self {
            Kind::Unsigned(_, order) => print::whole(unsigned(bytes, order), line),
            Kind::Signed(width, order) => {
                let spare = 64 - 8 * width;
                print::whole((unsigned(bytes, order) << spare) >> spare, line);
            }
            Kind::Single(order) => {
                let bits = u32::try_from(unsigned(bytes, order)).unwrap_or_default();
                print::number(f64::from(f32::from_bits(bits)), SINGLE, line);
            }
            Kind::Double(order) => print::number(double_of(bytes, order), DOUBLE, line),
            Kind::DoubleOfUnknownOrder => print::number(double_of(bytes, double), DOUBLE, line),
            Kind::Fp2 => fp2(unsigned(bytes, Order::Big), line),
            Kind::Nanos(order) => print::time(unsigned(&bytes[..4], order), unsigned(&bytes[4..], order), line),
            Kind::Micros => {
                let units = unsigned(bytes, Order::Big);
                // Units of ten microseconds: 100,000 in a second.
                print::time(units / 100_000, units % 100_000 * 10_000, line);
            }
            Kind::Seconds => print::time(unsigned(bytes, Order::Big), 0, line),
            Kind::Truth(_) => line.extend_from_slice(if bytes.iter().any(|byte| *byte != 0) { b"-1" } else { b"0" }),
            Kind::Bits => {
                line.push(b'"');
                let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| b'0' + ((byte >> bit) & 1)));
                line.extend(bits);
                line.push(b'"');
            }
            Kind::Text(_) => print::text(bytes.split(|byte| *byte == 0).next().unwrap_or_default(), line),
        }
    }
}

/// A whole number of up to seven bytes.
pub(super) fn unsigned(bytes: &[u8], order: Order) -> i64 {
    let add = |number: i64, byte: &u8| (number << 8) | i64::from(*byte);
    match order {
        Order::Big => bytes.iter().fold(0, add),
        Order::Little => bytes.iter().rev().fold(0, add),
    }
}

fn double_of(bytes: &[u8], order: Order) -> f64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(bytes);
    match order {
        Order::Little => f64::from_le_bytes(eight),
        Order::Big => f64::from_be_bytes(eight),
    }
}

/// A sign, a negative decimal exponent of two bits, thirteen bits of mantissa.
fn fp2(bits: i64, line: &mut Vec<u8>) {
    match bits {
        0x9FFE => return line.extend_from_slice(b"\"NAN\""),
        0x1FFF => return line.extend_from_slice(b"\"INF\""),
        0x9FFF => return line.extend_from_slice(b"\"-INF\""),
        _ => {}
    }
    let (mantissa, exponent) = (bits & 0x1FFF, (bits >> 13) & 3);
    let divisor = [1.0, 10.0, 100.0, 1000.0][usize::try_from(exponent).unwrap_or_default()];
    #[allow(clippy::cast_precision_loss)]
    let size = mantissa as f64 / divisor;
    print::number(if bits & 0x8000 == 0 { size } else { -size }, SINGLE, line);
}

/// A column of a record.
#[derive(Debug, Clone)]
struct Column {
    kind: Kind,
    /// From the beginning of the record.
    at: usize,
}

/// The columns of a record, without time and record number where those stand apart.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    columns: Vec<Column>,
    width: usize,
    /// The order of columns whose header leaves it open, as soon as a value tells it.
    double: Option<Order>,
}

impl Columns {
    /// `kinds` as the header spells them, with the names of the columns.
    pub(super) fn of(format: &'static str, names: &[String], kinds: &[String]) -> Result<Columns, RecordsError> {
        let mut columns = Vec::with_capacity(kinds.len());
        let mut width = 0;
        for (name, kind) in names.iter().zip(kinds) {
            let Some(known) = Kind::named(kind) else {
                return Err(RecordsError::Type { format, column: name.clone(), kind: kind.trim().to_owned() });
            };
            columns.push(Column { kind: known, at: width });
            width += known.width();
        }
        // Where no column leaves the order open there is nothing to learn.
        let is_open = columns.iter().any(|column: &Column| column.kind == Kind::DoubleOfUnknownOrder);
        Ok(Columns { columns, width, double: (!is_open).then_some(Order::Little) })
    }

    /// Bytes of a record.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The type of a column.
    pub(super) fn kind(&self, place: usize) -> Option<Kind> {
        self.columns.get(place).map(|column| column.kind)
    }

    /// The bytes of a column.
    pub(super) fn bytes<'r>(&self, place: usize, record: &'r [u8]) -> &'r [u8] {
        let found = self.columns.get(place);
        found.and_then(|column| record.get(column.at..column.at + column.kind.width())).unwrap_or_default()
    }

    /// Learns the byte order of eight-byte numbers from the first value that only one order makes plausible. A CR1000X stores
    /// them big-endian and writes `IEEE8`, which the manual says is little-endian: read so, they are nearly zero.
    pub(super) fn learn_order(&mut self, record: &[u8]) {
        if self.double.is_some() {
            return;
        }
        let open = self.columns.iter().filter(|column| column.kind == Kind::DoubleOfUnknownOrder);
        for bytes in open.filter_map(|column| record.get(column.at..column.at + 8)) {
            let plausible = |order| {
                let value = double_of(bytes, order);
                value.is_nan() || value == 0.0 || (1e-30..1e30).contains(&value.abs())
            };
            match (plausible(Order::Little), plausible(Order::Big)) {
                (true, false) => self.double = Some(Order::Little),
                (false, true) => self.double = Some(Order::Big),
                _ => continue,
            }
            return;
        }
    }

    /// Appends the fields of a record from column `from` on, each behind a comma.
    pub(super) fn print(&self, from: usize, record: &[u8], line: &mut Vec<u8>) {
        let double = self.double.unwrap_or(Order::Little);
        for column in self.columns.iter().skip(from) {
            line.push(b',');
            if let Some(bytes) = record.get(column.at..column.at + column.kind.width()) {
                column.kind.print(bytes, double, line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: &str, bytes: &[u8]) -> String {
        let columns = Columns::of("TOB1", &["A".to_owned()], &[kind.to_owned()]).unwrap();
        assert_eq!(columns.width(), bytes.len(), "{kind}");
        let mut columns = columns;
        columns.learn_order(bytes);
        let mut line = Vec::new();
        columns.print(0, bytes, &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn each_type_is_read_in_its_byte_order() {
        for (kind, bytes, text) in [
            ("ULONG", &[1, 2, 0, 0][..], ",513"),
            ("LONG", &[0xFF, 0xFF, 0xFF, 0xFF], ",-1"),
            ("USHORT", &[1, 2], ",513"),
            ("SHORT", &[0xFE, 0xFF], ",-2"),
            ("UINT2", &[1, 2], ",258"),
            ("INT2", &[0xFF, 0xFE], ",-2"),
            ("UINT4", &[0, 0, 1, 2], ",258"),
            ("INT4", &[0x80, 0, 0, 0], ",-2147483648"),
            ("IEEE4", &1.5_f32.to_le_bytes(), ",1.5"),
            ("IEEE4L", &1.5_f32.to_le_bytes(), ",1.5"),
            ("IEEE4B", &1.5_f32.to_be_bytes(), ",1.5"),
            ("IEEE4", &[0xFF, 0xFF, 0xFF, 0x7F], ",\"NAN\""),
            ("IEEE8", &0.0568_f64.to_le_bytes(), ",0.0568"),
            ("IEEE8", &0.0568_f64.to_be_bytes(), ",0.0568"),
            ("IEEE8L", &0.0568_f64.to_le_bytes(), ",0.0568"),
            ("IEEE8B", &0.0568_f64.to_be_bytes(), ",0.0568"),
            ("FP2", &[0x9F, 0xFE], ",\"NAN\""),
            ("FP2", &[0x1F, 0xFF], ",\"INF\""),
            ("FP2", &[0x9F, 0xFF], ",\"-INF\""),
            ("FP2", &[0x1F, 0x3F], ",7999"),
            ("FP2", &[0xE3, 0xA2], ",-0.93"),
            ("SecNano", &[2, 0, 0, 0, 0, 0xCA, 0x9A, 0x3B], ",\"2 s, 1000000000 ns since 1990\""),
            ("SecNano", &[2, 0, 0, 0, 0, 0x65, 0xCD, 0x1D], ",\"1990-01-01 00:00:02.5\""),
            ("NSec", &[0, 0, 0, 2, 0x1D, 0xCD, 0x65, 0], ",\"1990-01-01 00:00:02.5\""),
            ("USEC", &[0, 0, 0, 3, 0xD0, 0x90], ",\"1990-01-01 00:00:02.5\""),
            ("SEC", &[0, 0, 0, 2], ",\"1990-01-01 00:00:02\""),
            ("BOOL", &[0xFF], ",-1"),
            ("BOOL2", &[0, 1], ",-1"),
            ("BOOL4", &[0, 0, 0, 0], ",0"),
            ("BOOL8", &[5], ",\"10100000\""),
            ("ASCII(5)", b"ab\0xy", ",\"ab\""),
        ] {
            assert_eq!(field(kind, bytes), text, "{kind}");
        }
    }

    #[test]
    fn a_type_that_is_not_known_is_named() {
        let error = Columns::of("TOB1", &["Flux".to_owned()], &["FP4".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("column Flux has the type FP4"), "{error}");
    }
}
