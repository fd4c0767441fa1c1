//! The column types, and how their bytes are converted into fields of a line. docs/file-formats.md#binary-files has the
//! table of sizes and byte orders.

use super::print::{self, DOUBLE, SINGLE};
use super::{LONGEST_RECORD, RecordsError};
use crate::source::Line;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Unsigned, with the number of bytes and the byte order.
    Unsigned(usize, Order),
    /// Signed, in two's complement.
    Signed(usize, Order),
    Single(Order),
    Double(Order),
    /// `IEEE8` in the header of a TOB1 file: little-endian by the manual, big-endian from some loggers.
    DoubleOfUnknownOrder,
    Fp2,
    /// A sign, seven bits of binary exponent plus 64, and 24 bits of a fraction, in a byte order that no source states.
    Fp4,
    /// Seconds and nanoseconds.
    Nanos(Order),
    /// One whole number of six bytes, the highest first, in units of ten microseconds since 1990.
    Micros,
    Seconds,
    /// True if any bit is set.
    Truth(usize),
    /// Eight bits, the lowest first.
    Bits,
    Text(usize),
}

/// The byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The lowest byte comes first.
    Little,
    /// The highest byte comes first.
    Big,
}

impl Kind {
    /// The type with this name in the header.
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
            "FP4" => Kind::Fp4,
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

    /// The number of bytes.
    pub(super) fn width(self) -> usize {
        match self {
            Kind::Unsigned(width, _) | Kind::Signed(width, _) | Kind::Truth(width) | Kind::Text(width) => width,
            Kind::Single(_) | Kind::Seconds | Kind::Fp4 => 4,
            Kind::Double(_) | Kind::DoubleOfUnknownOrder | Kind::Nanos(_) => 8,
            Kind::Fp2 => 2,
            Kind::Micros => 6,
            Kind::Bits => 1,
        }
    }

    /// Whether a value is plausible in this byte order. The fraction of an FP4 begins with a one.
    fn is_plausible(self, bytes: &[u8], order: Order) -> bool {
        if self == Kind::Fp4 {
            let (fraction, exponent) = fp4_parts(bytes, order);
            return unsigned(bytes, order) == 0 || (fraction >= 0x80_0000 && (-20..=30).contains(&exponent));
        }
        let value = double_of(bytes, order);
        value.is_nan() || value == 0.0 || (1e-30..1e30).contains(&value.abs())
    }

    /// Appends the field for `bytes`, and returns the number in its text; NaN if it is not a number.
    #[inline]
    fn print(self, bytes: &[u8], orders: Orders, line: &mut Vec<u8>) -> f64 {
        match self {
            Kind::Single(Order::Little) => {
                let mut four = [0; 4];
                four.copy_from_slice(bytes);
                print::number(f64::from(f32::from_le_bytes(four)), SINGLE, line)
            }
            Kind::Fp2 => fp2(unsigned(bytes, Order::Big), line),
            other => other.print_other(bytes, orders, line),
        }
    }

    fn print_other(self, bytes: &[u8], orders: Orders, line: &mut Vec<u8>) -> f64 {
        match self {
            Kind::Unsigned(_, order) => return print::whole(unsigned(bytes, order), line),
            Kind::Signed(width, order) => {
                let spare = 64 - 8 * width;
                return print::whole((unsigned(bytes, order) << spare) >> spare, line);
            }
            Kind::Single(order) => {
                let bits = u32::try_from(unsigned(bytes, order)).unwrap_or_default();
                return print::number(f64::from(f32::from_bits(bits)), SINGLE, line);
            }
            Kind::Double(order) => return print::number(double_of(bytes, order), DOUBLE, line),
            Kind::DoubleOfUnknownOrder => {
                return print::number(double_of(bytes, orders.double.unwrap_or(Order::Little)), DOUBLE, line);
            }
            Kind::Fp4 => return print::number(fp4_of(bytes, orders.fp4.unwrap_or(Order::Big)), SINGLE, line),
            Kind::Fp2 => return fp2(unsigned(bytes, Order::Big), line),
            Kind::Nanos(order) => print::time(unsigned(&bytes[..4], order), unsigned(&bytes[4..], order), line),
            Kind::Micros => {
                let units = unsigned(bytes, Order::Big);
                // Units of ten microseconds: 100,000 in a second.
                print::time(units / 100_000, units % 100_000 * 10_000, line);
            }
            Kind::Seconds => print::time(unsigned(bytes, Order::Big), 0, line),
            Kind::Truth(_) => return print::whole(-i64::from(bytes.iter().any(|byte| *byte != 0)), line),
            Kind::Bits => {
                line.push(b'"');
                let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| b'0' + ((byte >> bit) & 1)));
                line.extend(bits);
                line.push(b'"');
            }
            Kind::Text(_) => print::text(bytes.split(|byte| *byte == 0).next().unwrap_or_default(), line),
        }
        f64::NAN
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
#[inline]
fn fp2(bits: i64, line: &mut Vec<u8>) -> f64 {
    match bits {
        0x9FFE => return print::number(f64::NAN, SINGLE, line),
        0x1FFF => return print::number(f64::INFINITY, SINGLE, line),
        0x9FFF => return print::number(f64::NEG_INFINITY, SINGLE, line),
        _ => {}
    }
    let (mantissa, exponent) = (bits & 0x1FFF, (bits >> 13) & 3);
    let divisor = [1.0, 10.0, 100.0, 1000.0][usize::try_from(exponent).unwrap_or_default()];
    #[allow(clippy::cast_precision_loss)]
    let size = mantissa as f64 / divisor;
    print::number(if bits & 0x8000 == 0 { size } else { -size }, SINGLE, line)
}

/// The value is the fraction of 24 bits times two to the power of the exponent minus 64.
fn fp4_of(bytes: &[u8], order: Order) -> f64 {
    let (fraction, exponent) = fp4_parts(bytes, order);
    let size = f64::from(fraction) * f64::powi(2.0, exponent - 24);
    if unsigned(bytes, order) & 0x8000_0000 == 0 { size } else { -size }
}

fn fp4_parts(bytes: &[u8], order: Order) -> (u32, i32) {
    let bits = unsigned(bytes, order);
    (u32::try_from(bits & 0xFF_FFFF).unwrap_or_default(), i32::try_from((bits >> 24) & 0x7F).unwrap_or_default() - 64)
}

/// The byte orders that a header does not state, once a value has shown them.
#[derive(Debug, Clone, Copy, Default)]
struct Orders {
    double: Option<Order>,
    fp4: Option<Order>,
}

impl Orders {
    /// Learns the byte order from one value, if only one order makes it plausible.
    fn learn(&mut self, kind: Kind, bytes: &[u8]) {
        let known = match kind {
            Kind::DoubleOfUnknownOrder => &mut self.double,
            Kind::Fp4 => &mut self.fp4,
            _ => return,
        };
        if known.is_none() {
            *known = match (kind.is_plausible(bytes, Order::Little), kind.is_plausible(bytes, Order::Big)) {
                (true, false) => Some(Order::Little),
                (false, true) => Some(Order::Big),
                _ => None,
            };
        }
    }
}

/// A column of a record.
#[derive(Debug, Clone)]
struct Column {
    kind: Kind,
    /// The offset from the beginning of the record.
    at: usize,
}

/// The columns of a record, except time and record number if these are stored separately.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    columns: Vec<Column>,
    width: usize,
    orders: Orders,
    /// Columns whose byte order is neither stated in the header nor shown by a value yet.
    open: Vec<Column>,
}

impl Columns {
    /// Builds the columns from the types in the header, with the columns' names.
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
        let is_open = |column: &&Column| matches!(column.kind, Kind::DoubleOfUnknownOrder | Kind::Fp4);
        let open = columns.iter().filter(is_open).cloned().collect();
        Ok(Columns { columns, width, orders: Orders::default(), open })
    }

    /// The number of bytes of a record.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The type of a column.
    pub(super) fn kind(&self, place: usize) -> Option<Kind> {
        self.columns.get(place).map(|column| column.kind)
    }

    /// Learns the byte order of types for which the header does not state it, from the first value that only one order
    /// makes plausible. A CR1000X stores eight-byte numbers big-endian and writes `IEEE8`, which is little-endian by
    /// the manual: read like this, the numbers are nearly zero.
    #[inline]
    pub(super) fn learn_order(&mut self, record: &[u8]) {
        if !self.open.is_empty() {
            self.learn_open(record);
        }
    }

    fn learn_open(&mut self, record: &[u8]) {
        for column in &self.open {
            if let Some(bytes) = record.get(column.at..column.at + column.kind.width()) {
                self.orders.learn(column.kind, bytes);
            }
        }
        let orders = self.orders;
        self.open.retain(|column| match column.kind {
            Kind::Fp4 => orders.fp4.is_none(),
            _ => orders.double.is_none(),
        });
    }

    /// Appends the fields of a record from column `from` on, each after a comma, and their numbers. Returns whether
    /// every field is a number.
    pub(super) fn print(&self, from: usize, record: &[u8], line: &mut Line<'_>) -> bool {
        let mut are_numbers = true;
        for column in self.columns.iter().skip(from) {
            line.text.push(b',');
            if let Some(bytes) = record.get(column.at..column.at + column.kind.width()) {
                let number = column.kind.print(bytes, self.orders, line.text);
                are_numbers &= !number.is_nan();
                line.numbers.push(number);
            }
        }
        are_numbers
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
        let (mut text, mut numbers) = (Vec::new(), Vec::new());
        let are_numbers = columns.print(0, bytes, &mut Line { text: &mut text, numbers: &mut numbers });
        let text = String::from_utf8(text).unwrap();
        // The returned number must be the number in the text.
        let said = crate::format::parse_number(&text.as_bytes()[1..]);
        assert_eq!(are_numbers, said.is_some(), "{kind}");
        if let Some(said) = said {
            assert_eq!((said.value.to_bits(), said.canonical), (numbers[0].to_bits(), true), "{kind}");
        }
        text
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
            ("FP4", &[0x41, 0x80, 0x00, 0x00], ",1"),
            ("FP4", &[0x00, 0x00, 0x80, 0x41], ",1"),
            ("FP4", &[0xC5, 0xC5, 0x00, 0x00], ",-24.625"),
            ("FP4", &[0x3D, 0xCC, 0xCC, 0xCD], ",0.1"),
            ("FP4", &[0x00, 0x00, 0xC5, 0xC5], ",-24.625"),
            ("FP4", &[0x00, 0x00, 0x00, 0x00], ",0"),
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
        let error = Columns::of("TOB1", &["Flux".to_owned()], &["FP8".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("column Flux has the type FP8"), "{error}");
    }
}
