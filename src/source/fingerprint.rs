//! Fingerprints of the first bytes of a file, by which changes of these bytes are detected.
//!
//! Files up to 4 MiB (every overwritten file) are hashed whole. For a larger file, its head, its tail and evenly
//! distributed pieces are hashed, so that resuming an appended file of a gigabyte costs no more than resuming a small
//! one. A collection always changes the tail, and a row inserted or removed in the middle shifts everything after it,
//! so every later piece differs. An edit by hand that is far from the end of a large file and keeps its exact length is
//! not detected; `ingest FILE` reads such a file whole.

use std::io::{Read, Seek, SeekFrom};

use xxhash_rust::xxh3::Xxh3;

/// Up to this size a file is hashed whole.
pub(super) const WHOLE: u64 = 4 << 20;
const END_PIECE: u64 = 64 << 10;
const MIDDLE_PIECE: u64 = 4 << 10;
const MIDDLE_PIECES: u64 = 48;

/// The fingerprint of bytes `0 .. length` of `file`. Changes the file's position.
pub(super) fn fingerprint<F: Read + Seek>(file: &mut F, length: u64) -> std::io::Result<u64> {
    let mut hash = Xxh3::new();
    hash.update(&length.to_le_bytes());
    let mut buffer = vec![0; usize::try_from(END_PIECE).unwrap_or(65_536)];
    if length <= WHOLE {
        piece(file, 0, length, &mut buffer, &mut hash)?;
    } else {
        piece(file, 0, END_PIECE, &mut buffer, &mut hash)?;
        let stride = (length - 2 * END_PIECE) / MIDDLE_PIECES;
        for number in 0..MIDDLE_PIECES {
            piece(file, END_PIECE + number * stride, MIDDLE_PIECE, &mut buffer, &mut hash)?;
        }
        piece(file, length - END_PIECE, END_PIECE, &mut buffer, &mut hash)?;
    }
    Ok(hash.digest())
}

fn piece<F: Read + Seek>(
    file: &mut F,
    from: u64,
    length: u64,
    buffer: &mut [u8],
    hash: &mut Xxh3,
) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(from))?;
    let mut left = length;
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        file.read_exact(&mut buffer[..wanted])?;
        hash.update(&buffer[..wanted]);
        left -= wanted as u64;
    }
    Ok(())
}
