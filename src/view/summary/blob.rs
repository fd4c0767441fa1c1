//! Encodes bins as bytes.
//!
//! Most bins hold good values only: a byte for the kinds of content, a count, three floats; a fourth one only if the
//! aggregate has two sums. The bytes end with a checksum over their [`Seal`], so that bytes of another piece, of an
//! older state of the rows, or of a column whose kind of quantity has changed are never used.

use xxhash_rust::xxh3::Xxh3;

use super::grid::{Bin, Extent};
use crate::quantity::Aggregate;

/// What the checksum covers besides the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) id: i64,
    /// The version of the rows.
    pub(super) version: i64,
    /// The width of the bins.
    pub(super) width: i64,
    /// Everything else on which the sums depend: the aggregates.
    pub(super) content: i64,
}

const NUMBERS: u8 = 1 << 5;
const SUSPECT: u8 = 1 << 6;
const FAILED: u8 = 1 << 7;
const SEAL_BYTES: usize = 8;

/// Encodes the bins that are not empty, with their positions in the piece, in order.
pub(super) fn encode<'b>(aggregate: Aggregate, bins: impl Iterator<Item = (usize, &'b Bin)>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut next = 0;
    for (at, bin) in bins.filter(|(_, bin)| !bin.is_empty()) {
        varint(&mut out, at - next);
        next = at + 1;
        let mut kinds = 0;
        for (kind, count) in bin.flags.iter().enumerate() {
            kinds |= u8::from(*count > 0) << kind;
        }
        kinds |= if bin.sums.count > 0 { NUMBERS } else { 0 };
        kinds |= if bin.suspect.is_none() { 0 } else { SUSPECT };
        kinds |= if bin.failed.is_none() { 0 } else { FAILED };
        out.push(kinds);
        for count in bin.flags.iter().filter(|count| **count > 0) {
            varint(&mut out, *count as usize);
        }
        if bin.sums.count > 0 {
            varint(&mut out, bin.sums.count as usize);
            out.extend(bin.sums.first.to_le_bytes());
            if aggregate.needs_second() {
                out.extend(bin.sums.second.to_le_bytes());
            }
            extent(&mut out, bin.extent());
        }
        if kinds & SUSPECT != 0 {
            extent(&mut out, bin.suspect);
        }
        if kinds & FAILED != 0 {
            extent(&mut out, bin.failed);
        }
    }
    out
}

/// Appends the checksum.
pub(super) fn seal(mut bytes: Vec<u8>, seal: Seal) -> Vec<u8> {
    let sum = sum(&bytes, seal);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// The bytes without their checksum; None if it does not match.
pub(super) fn unsealed(bytes: &[u8], seal: Seal) -> Option<&[u8]> {
    let (bytes, found) = bytes.split_at_checked(bytes.len().checked_sub(SEAL_BYTES)?)?;
    (found == sum(bytes, seal).to_le_bytes()).then_some(bytes)
}

fn sum(bytes: &[u8], seal: Seal) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(bytes);
    for part in [seal.id, seal.version, seal.width, seal.content] {
        hasher.update(&part.to_le_bytes());
    }
    hasher.digest()
}

/// Passes the bins that [`encode`] wrote to `take`. Ends early if the bytes do.
pub(super) fn decode(aggregate: Aggregate, bytes: &[u8], mut take: impl FnMut(usize, &Bin)) {
    let mut rest = bytes;
    let mut next = 0;
    while !rest.is_empty() {
        let Some((skip, bin)) = one(aggregate, &mut rest) else { return };
        take(next + skip, &bin);
        next += skip + 1;
    }
}

fn one(aggregate: Aggregate, rest: &mut &[u8]) -> Option<(usize, Bin)> {
    let skip = read_varint(rest)?;
    let mut bin = Bin::EMPTY;
    let (kinds, behind) = rest.split_first()?;
    *rest = behind;
    for (kind, count) in bin.flags.iter_mut().enumerate() {
        if kinds & (1 << kind) != 0 {
            *count = u32::try_from(read_varint(rest)?).ok()?;
        }
    }
    if kinds & NUMBERS != 0 {
        bin.sums.count = u32::try_from(read_varint(rest)?).ok()?;
        bin.sums.first = float(rest)?;
        if aggregate.needs_second() {
            bin.sums.second = float(rest)?;
        }
        let Extent { low, high } = read_extent(rest)?;
        (bin.sums.low, bin.sums.high) = (low, high);
    }
    if kinds & SUSPECT != 0 {
        bin.suspect = read_extent(rest)?;
    }
    if kinds & FAILED != 0 {
        bin.failed = read_extent(rest)?;
    }
    Some((skip, bin))
}

fn varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        #[allow(clippy::cast_possible_truncation, reason = "the lowest seven bits")]
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    #[allow(clippy::cast_possible_truncation, reason = "below 128")]
    out.push(number as u8);
}

#[inline]
fn read_varint(rest: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        number |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn extent(out: &mut Vec<u8>, extent: Extent) {
    out.extend(extent.low.to_le_bytes());
    out.extend(extent.high.to_le_bytes());
}

#[inline]
fn float(rest: &mut &[u8]) -> Option<f64> {
    let (bytes, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(f64::from_le_bytes(*bytes))
}

#[inline]
fn read_extent(rest: &mut &[u8]) -> Option<Extent> {
    Some(Extent { low: float(rest)?, high: float(rest)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Sums;
    use proptest::prelude::*;

    fn bin() -> impl Strategy<Value = Bin> {
        let extent = || {
            prop_oneof![
                Just(Extent::NONE),
                (-1e300..1e300f64, 0.0..1e300f64).prop_map(|(low, more)| Extent { low, high: low + more })
            ]
        };
        (
            prop::array::uniform5(prop_oneof![3 => Just(0u32), 1 => any::<u32>()]),
            any::<u32>(),
            any::<(f64, f64)>(),
            extent(),
            extent(),
            extent(),
        )
            .prop_map(|(flags, count, (first, second), extent, suspect, failed)| {
                if flags == [0; 5] {
                    return Bin::EMPTY;
                }
                let has_numbers = count > 0 && first.is_finite() && second.is_finite() && !extent.is_none();
                let sums = Sums { count, first, second, low: extent.low, high: extent.high };
                Bin { flags, sums: if has_numbers { sums } else { Sums::NONE }, suspect, failed }
            })
    }

    const SEAL: Seal = Seal { id: 7, version: 8, width: 9, content: 10 };

    proptest! {
        #[test]
        fn bins_are_read_as_they_were_written(
            bins in prop::collection::vec(bin(), 0..400),
            aggregate in prop::sample::select(vec![Aggregate::Mean, Aggregate::VectorMean]),
        ) {
            let mut bins = bins;
            if !aggregate.needs_second() {
                bins.iter_mut().for_each(|bin| bin.sums.second = 0.0);
            }
            let bytes = seal(encode(aggregate, bins.iter().enumerate()), SEAL);
            let mut again = vec![Bin::EMPTY; bins.len()];
            decode(aggregate, unsealed(&bytes, SEAL).unwrap(), |at, bin| again[at] = *bin);
            prop_assert_eq!(again, bins);
        }

        #[test]
        fn bytes_of_another_piece_or_version_or_width_and_damaged_ones_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..60), at in any::<usize>()) {
            let mut sealed = seal(bytes.clone(), SEAL);
            prop_assert_eq!(unsealed(&sealed, SEAL), Some(&bytes[..]));
            for other in [
                Seal { id: 6, ..SEAL }, Seal { version: 9, ..SEAL }, Seal { width: 1, ..SEAL }, Seal { content: 0, ..SEAL },
            ] {
                prop_assert_eq!(unsealed(&sealed, other), None);
            }
            let at = at % sealed.len();
            sealed[at] ^= 1;
            prop_assert_eq!(unsealed(&sealed, SEAL), None);
            decode(Aggregate::VectorMean, &bytes, |_, _| {});
        }
    }
}
