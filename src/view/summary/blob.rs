//! Encodes bins as bytes.
//!
//! Most bins hold good values only: a byte for the kinds of content, a count, three floats. The bytes end with a checksum over
//! their id, version and bin width, so that bytes of another piece, or of an older state of the rows, are never used.

use xxhash_rust::xxh3::Xxh3;

use super::grid::{Bin, Extent};

/// What the checksum covers besides the bytes: their id, the version of the rows, the width of the bins.
pub(super) type Seal = (i64, i64, i64);

const NUMBERS: u8 = 1 << 5;
const SUSPECT: u8 = 1 << 6;
const FAILED: u8 = 1 << 7;
const SEAL_BYTES: usize = 8;

/// Encodes the bins that are not empty, with their positions in the piece, in order.
pub(super) fn encode<'b>(bins: impl Iterator<Item = (usize, &'b Bin)>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut next = 0;
    for (at, bin) in bins.filter(|(_, bin)| !bin.is_empty()) {
        varint(&mut out, at - next);
        next = at + 1;
        let mut kinds = 0;
        for (kind, count) in bin.flags.iter().enumerate() {
            kinds |= u8::from(*count > 0) << kind;
        }
        kinds |= if bin.numbers > 0 { NUMBERS } else { 0 };
        kinds |= if bin.suspect.is_none() { 0 } else { SUSPECT };
        kinds |= if bin.failed.is_none() { 0 } else { FAILED };
        out.push(kinds);
        for count in bin.flags.iter().filter(|count| **count > 0) {
            varint(&mut out, *count as usize);
        }
        if bin.numbers > 0 {
            varint(&mut out, bin.numbers as usize);
            out.extend(bin.sum.to_le_bytes());
            extent(&mut out, bin.extent);
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

/// The bytes without their checksum; none if it does not match.
pub(super) fn unsealed(bytes: &[u8], seal: Seal) -> Option<&[u8]> {
    let (bytes, found) = bytes.split_at_checked(bytes.len().checked_sub(SEAL_BYTES)?)?;
    (found == sum(bytes, seal).to_le_bytes()).then_some(bytes)
}

fn sum(bytes: &[u8], seal: Seal) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(bytes);
    for part in [seal.0, seal.1, seal.2] {
        hasher.update(&part.to_le_bytes());
    }
    hasher.digest()
}

/// Passes on the bins that [`encode`] wrote. Ends early where the bytes do.
pub(super) fn decode(bytes: &[u8], mut take: impl FnMut(usize, &Bin)) {
    let mut rest = bytes;
    let mut next = 0;
    while !rest.is_empty() {
        let Some((skip, bin)) = one(&mut rest) else { return };
        take(next + skip, &bin);
        next += skip + 1;
    }
}

fn one(rest: &mut &[u8]) -> Option<(usize, Bin)> {
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
        bin.numbers = u32::try_from(read_varint(rest)?).ok()?;
        bin.sum = float(rest)?;
        bin.extent = read_extent(rest)?;
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
            any::<f64>(),
            extent(),
            extent(),
            extent(),
        )
            .prop_map(|(flags, numbers, sum, extent, suspect, failed)| {
                if flags == [0; 5] {
                    return Bin::EMPTY;
                }
                let has_numbers = numbers > 0 && sum.is_finite() && !extent.is_none();
                let (numbers, sum, extent) = if has_numbers { (numbers, sum, extent) } else { (0, 0.0, Extent::NONE) };
                Bin { flags, numbers, sum, extent, suspect, failed }
            })
    }

    proptest! {
        #[test]
        fn bins_are_read_as_they_were_written(bins in prop::collection::vec(bin(), 0..400)) {
            let bytes = seal(encode(bins.iter().enumerate()), (1, 2, 3));
            let mut again = vec![Bin::EMPTY; bins.len()];
            decode(unsealed(&bytes, (1, 2, 3)).unwrap(), |at, bin| again[at] = *bin);
            prop_assert_eq!(again, bins);
        }

        #[test]
        fn bytes_of_another_piece_or_version_or_width_and_damaged_ones_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..60), at in any::<usize>()) {
            let mut sealed = seal(bytes.clone(), (7, 8, 9));
            prop_assert_eq!(unsealed(&sealed, (7, 8, 9)), Some(&bytes[..]));
            for other in [(6, 8, 9), (7, 9, 9), (7, 8, 1)] {
                prop_assert_eq!(unsealed(&sealed, other), None);
            }
            let at = at % sealed.len();
            sealed[at] ^= 1;
            prop_assert_eq!(unsealed(&sealed, (7, 8, 9)), None);
            decode(&bytes, |_, _| {});
        }
    }
}
