//! Makes batches from the plan: reads and renders the next requests while others are in flight.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc::SyncSender;

use super::SyncError;
use super::batch::Batch;
use super::lanes::Lanes;
use super::plan::{BucketPlan, Piece};
use super::ready::Ready;
use crate::config::{SyncConfig, ValueType};
use crate::line::LineShape;
use crate::store::{SeriesBacklog, Store};
use crate::text::count;
use crate::time::{Interval, Timestamp};

/// The number of rows that are read at a time from one series of the backlog.
const STRIDE: usize = 1_000;

/// What the feed passes on.
#[derive(Debug)]
pub(super) enum Fed {
    /// The next request.
    Batch(Ready),
    /// A row that cannot be rendered, and why.
    Note(String),
}

/// Makes batches and passes them on; ends when the receiver is closed.
pub(super) struct Feed<'a> {
    /// A connection of its own, so that it reads while another thread writes.
    pub(super) store: Store,
    pub(super) backlog: &'a [SeriesBacklog],
    /// The line shapes, by index into `backlog`.
    pub(super) shapes: &'a [LineShape],
    pub(super) limits: &'a SyncConfig,
    pub(super) compress: bool,
    pub(super) lanes: &'a Lanes,
    pub(super) out: SyncSender<Result<Fed, SyncError>>,
}

/// By series and field: values that the field's type cannot represent, with the first one's time and their number.
type LeftOut = HashMap<(usize, String), (ValueType, Timestamp, u64)>;

/// The result of reading a stride.
struct Stride {
    /// The time to continue from, or None at the end of the piece.
    next: Option<Timestamp>,
    /// Whether the batch is full.
    is_full: bool,
}

/// Why the feed ends early: the store fails, or the receiver is closed.
enum End {
    Failed(SyncError),
    ReceiverIsGone,
}

impl From<SyncError> for End {
    fn from(error: SyncError) -> End {
        End::Failed(error)
    }
}

impl Feed<'_> {
    /// Makes every batch of the plan: first the live pictures of all buckets, then their backlogs.
    pub(super) fn run(&self, plan: &[BucketPlan]) {
        let lanes = plan
            .iter()
            .map(|bucket| (&bucket.bucket, &bucket.live, true))
            .chain(plan.iter().map(|bucket| (&bucket.bucket, &bucket.backlog, false)));
        for (bucket, pieces, live) in lanes {
            match self.lane(bucket.as_ref(), pieces, live) {
                Ok(()) => {}
                Err(End::Failed(error)) => {
                    // If the receiver is closed, the run has ended with an error of its own.
                    let _ = self.out.send(Err(error));
                    return;
                }
                Err(End::ReceiverIsGone) => return,
            }
        }
    }

    /// Makes the batches of one bucket, a stride at a time, always from the piece with the oldest rows.
    fn lane(&self, bucket: Option<&String>, pieces: &[Piece], live: bool) -> Result<(), End> {
        let mut left_out = LeftOut::default();
        let mut left: HashMap<usize, Piece> = pieces.iter().copied().enumerate().collect();
        let mut batch = Batch::new(bucket.cloned());
        loop {
            if self.lanes.is_closed(bucket.map(String::as_str)) {
                return Ok(());
            }
            let oldest = left
                .iter()
                .min_by_key(|(place, piece)| (piece.interval.from, **place))
                .map(|(place, piece)| (*place, *piece));
            let Some((place, piece)) = oldest else { break };
            let stride = self.stride(&mut batch, piece, &mut left_out)?;
            match stride.next {
                Some(next) => {
                    left.insert(place, Piece { interval: Interval { from: next, ..piece.interval }, ..piece })
                }
                None => left.remove(&place),
            };
            if stride.is_full {
                self.hand_on(std::mem::replace(&mut batch, Batch::new(bucket.cloned())), live)?;
            }
        }
        for note in self.notes_of(&left_out) {
            self.out.send(Ok(Fed::Note(note))).map_err(|_| End::ReceiverIsGone)?;
        }
        if batch.is_empty() { Ok(()) } else { self.hand_on(batch, live) }
    }

    /// Adds up to one stride of the piece's rows.
    fn stride(&self, batch: &mut Batch, piece: Piece, left_out: &mut LeftOut) -> Result<Stride, End> {
        let series = self.backlog[piece.series].series;
        let shape = &self.shapes[piece.series];
        let room = self.limits.batch_rows - batch.rows().len().min(self.limits.batch_rows);
        let limit = STRIDE.min(room);
        let mut read = 0;
        let mut next = None;
        let mut is_full = false;
        let mut failed = None;
        self.store
            .pending_rows(series, piece.interval, limit, |row| {
                let mut lost = Vec::new();
                let rendered = batch.push((series, row.id, row.version, row.ts), |out| {
                    shape.render_and_tell(row.ts, row.values, row.flags, out, &mut |field, value_type| {
                        lost.push((field.to_owned(), value_type));
                    })
                });
                if batch.lines().len() > self.limits.batch_bytes && batch.rows().len() > 1 {
                    // The row begins the next batch. A row larger than a whole batch is sent alone.
                    batch.drop_last();
                    next = Some(row.ts);
                    is_full = true;
                    return false;
                }
                read += 1;
                for (field, value_type) in lost {
                    let entry = left_out.entry((piece.series, field)).or_insert((value_type, row.ts, 0));
                    entry.2 += 1;
                }
                if let Err(error) = rendered {
                    // The row remains pending, because no answer has decided about it.
                    failed =
                        Some(format!("table \"{}\", row of {}: {error}", self.backlog[piece.series].table, row.ts));
                }
                // Keys count microseconds.
                next = Some(row.ts.next_key());
                true
            })
            .map_err(SyncError::from)?;
        if let Some(note) = failed {
            self.out.send(Ok(Fed::Note(note))).map_err(|_| End::ReceiverIsGone)?;
        }
        let ended = read < limit && !is_full;
        is_full |= batch.rows().len() >= self.limits.batch_rows || batch.lines().len() >= self.limits.batch_bytes;
        Ok(Stride { next: next.filter(|next| !ended && *next < piece.interval.until), is_full })
    }

    /// Notes on values that are not sent, by table and field.
    fn notes_of(&self, left_out: &LeftOut) -> Vec<String> {
        let mut tables: BTreeMap<(&str, &str), (ValueType, Timestamp, u64)> = BTreeMap::new();
        for ((series, field), (value_type, first, values)) in left_out {
            let table = self.backlog[*series].table.as_str();
            let entry = tables.entry((table, field.as_str())).or_insert((*value_type, *first, 0));
            entry.1 = entry.1.min(*first);
            entry.2 += values;
        }
        let note = |((table, field), (value_type, first, values)): (&(&str, &str), &(ValueType, Timestamp, u64))| {
            let (spelled, what) = match value_type {
                ValueType::Integer => ("integer", "a whole number"),
                ValueType::Boolean => ("boolean", "0, 1, -1, true or false"),
                ValueType::Text => ("text", "a text of at most 64 KB"),
                ValueType::Float => ("float", "a number"),
            };
            format!(
                "table \"{table}\": {} not sent, the first of {first}: type = \"{spelled}\" takes {what} only. \
                 The store keeps what was read; correct the type, or give the column another field and type = \"float\"",
                if *values == 1 {
                    format!("1 value of field {field} was")
                } else {
                    format!("{} of field {field} were", count(*values, "value"))
                }
            )
        };
        tables.iter().map(note).collect()
    }

    fn hand_on(&self, batch: Batch, live: bool) -> Result<(), End> {
        self.out.send(Ok(Fed::Batch(Ready::new(batch, self.compress, live)))).map_err(|_| End::ReceiverIsGone)
    }
}
