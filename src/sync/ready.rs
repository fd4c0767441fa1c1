//! A batch on its way to the server, and the bytes it is sent as.
//!
//! It is compressed by the thread that sends it, once: whatever is sent again later is the same bytes (I7). The feed only
//! reads and renders, so compression uses as many processors as there are requests in flight.

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

/// How the lines are sent.
#[derive(Debug)]
enum Encoding {
    /// As they are.
    Plain,
    /// As one gzip member, which is made when it is first asked for.
    Gzip(OnceLock<Vec<u8>>),
}

impl Ready {
    /// The batch as it is, or to be compressed.
    pub(super) fn new(batch: Batch, compress: bool, live: bool) -> Ready {
        Ready { batch, live, encoding: if compress { Encoding::Gzip(OnceLock::new()) } else { Encoding::Plain } }
    }

    /// Other rows in place of these, sent in the same way.
    pub(super) fn with(&self, batch: Batch) -> Ready {
        Ready::new(batch, self.is_compressed(), self.live)
    }

    /// Whether its lines are sent compressed.
    pub(super) fn is_compressed(&self) -> bool {
        matches!(self.encoding, Encoding::Gzip(_))
    }

    /// The gzip member of the lines, empty where they are sent as they are. Compresses them at the first call.
    pub(super) fn gzip(&self) -> &[u8] {
        match &self.encoding {
            Encoding::Plain => &[],
            Encoding::Gzip(member) => member.get_or_init(|| self.batch.gzip()),
        }
    }

    /// Bytes of a request with it. Counts compressed ones only once it was sent.
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
