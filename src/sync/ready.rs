//! A batch that is ready to be sent, with its encoded bytes.
//!
//! The thread that sends the batch compresses it, once: later attempts send the same bytes (I7). The feed only reads
//! and renders, so compression uses as many processors as there are requests in flight.

use std::sync::OnceLock;

use super::batch::Batch;

/// A batch to be sent.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) batch: Batch,
    /// Whether it belongs to the live picture of its bucket.
    pub(super) live: bool,
    encoding: Encoding,
}

/// How the lines are encoded.
#[derive(Debug)]
enum Encoding {
    /// Uncompressed.
    Plain,
    /// As one gzip member, which is made at the first use.
    Gzip(OnceLock<Vec<u8>>),
}

impl Ready {
    /// The batch, to be compressed if `compress` is set.
    pub(super) fn new(batch: Batch, compress: bool, live: bool) -> Ready {
        Ready { batch, live, encoding: if compress { Encoding::Gzip(OnceLock::new()) } else { Encoding::Plain } }
    }

    /// A batch of other rows that is sent in the same way.
    pub(super) fn with(&self, batch: Batch) -> Ready {
        Ready::new(batch, self.is_compressed(), self.live)
    }

    /// Whether its lines are sent compressed.
    pub(super) fn is_compressed(&self) -> bool {
        matches!(self.encoding, Encoding::Gzip(_))
    }

    /// The gzip member of the lines; empty if they are sent uncompressed. The first call compresses them.
    pub(super) fn gzip(&self) -> &[u8] {
        match &self.encoding {
            Encoding::Plain => &[],
            Encoding::Gzip(member) => member.get_or_init(|| self.batch.gzip()),
        }
    }

    /// The bytes of a request body. Compressed bytes are counted only after the batch was sent.
    pub(super) fn wire_bytes(&self) -> usize {
        let lines = self.batch.lines().len();
        match &self.encoding {
            Encoding::Plain => lines,
            Encoding::Gzip(member) => {
                member.get().map_or(0, |member| if member.is_empty() { lines } else { member.len() })
            }
        }
    }
}
