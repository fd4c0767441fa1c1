//! Rejects rows together that are refused for one cause that the server names: a field whose values have another type
//! in the bucket.
//!
//! One cause (bucket, measurement, field, both types) is one finding. Three rows prove it, each judged like any refused
//! row: refused alone, a known-good line accepted, refused again. After that, rows with the field that the server
//! refuses together are rejected together, based on three answers of the server: it dropped as many points as the
//! request had rows with the field, it accepted a known-good line, and it refused the oldest and the newest of the rows
//! alone. InfluxDB 1.x and 2.x fix a type per shard, so a request whose rows are only partly refused is halved until a
//! part is refused as a whole. Rows without the field are sent as usual: no row is sent or rejected because of its
//! neighbours (I5, I6).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::refusals::Refusals;
use super::{Delivery, Ended, FAILURES_BEFORE_SPLIT, Ready};
use crate::destination::{Answer, TypeConflict};
use crate::line::carries;
use crate::store::{ReceiptDraft, ReceiptOutcome};
use crate::sync::batch::Batch;
use crate::text::count;

/// The number of rows that prove a cause. Fewer rows are judged one by one.
const PROOFS: usize = 3;

/// A cause for which rows were refused.
pub(super) struct Cause {
    bucket: Option<String>,
    conflict: TypeConflict,
    /// The number of rows that were proven one by one.
    proofs: usize,
    /// The tables of these rows.
    tables: BTreeSet<String>,
    /// The number of rows rejected for it in this run.
    pub(super) rows: u64,
}

impl Cause {
    pub(super) fn proven(&mut self, table: Option<String>, rows: u64) {
        self.proofs += 1;
        self.tables.extend(table);
        self.rows += rows;
    }

    /// What happened and what to do, for all rows of the cause.
    pub(super) fn note(&self) -> String {
        let (noun, quoted) = (if self.tables.len() == 1 { "table" } else { "tables" }, &self.tables);
        let tables = quoted.iter().map(|table| format!("\"{table}\"")).collect::<Vec<_>>().join(", ");
        let bucket = self.bucket.as_ref().map_or("the bucket".to_owned(), |bucket| format!("bucket \"{bucket}\""));
        let TypeConflict { measurement, field, sent, stored, .. } = &self.conflict;
        format!(
            "{noun} {tables}: {bucket} holds field {field} of measurement {measurement} as {stored} and it is sent as {sent}, so \
             {} rejected and set aside; {}",
            if self.rows == 1 { "1 row was".to_owned() } else { format!("{} were", count(self.rows, "row")) },
            Cause::advice(&self.conflict)
        )
    }

    /// The advice for a conflict.
    pub(super) fn advice(conflict: &TypeConflict) -> String {
        let elsewhere = "give the table another measurement or bucket";
        let spelled = match conflict.stored.as_str() {
            "float" => Some("float"),
            "integer" => Some("integer"),
            "string" => Some("text"),
            "boolean" => Some("boolean"),
            _ => None,
        };
        // A flag has no column of its own.
        let by_type = spelled
            .filter(|_| !conflict.field.ends_with("_qc"))
            .map(|spelled| format!("set type = \"{spelled}\" on its column, or "));
        format!("{}{elsewhere}, then `fluxtower replay --rejected`", by_type.unwrap_or_default())
    }
}

impl Refusals<'_> {
    /// The record of a cause in this run, added if it is new.
    pub(super) fn cause(&mut self, bucket: Option<&str>, conflict: &TypeConflict) -> &mut Cause {
        let is_it = |known: &Cause| known.bucket.as_deref() == bucket && known.conflict.is_same_cause(conflict);
        let place = self.causes.iter().position(is_it).unwrap_or_else(|| {
            self.causes.push(Cause {
                bucket: bucket.map(str::to_owned),
                conflict: conflict.clone(),
                proofs: 0,
                tables: BTreeSet::new(),
                rows: 0,
            });
            self.causes.len() - 1
        });
        &mut self.causes[place]
    }
}

impl Delivery<'_> {
    /// Rejects the rows with the field together and delivers the others. False if the batch must be halved first.
    pub(super) fn set_aside_together(
        &mut self,
        ready: &Arc<Ready>,
        answer: &Answer,
        conflict: &TypeConflict,
    ) -> Result<bool, Ended> {
        let has_field = |lines: &[u8]| {
            lines.split(|byte| *byte == b'\n').any(|line| carries(line, &conflict.measurement, &conflict.field))
        };
        let (carriers, others) = ready.batch.divided(has_field);
        let rows = carriers.rows().len();
        if rows <= PROOFS || conflict.dropped.is_some_and(|dropped| dropped < rows) {
            return Ok(false);
        }
        if !others.is_empty() {
            let compressed = ready.is_compressed();
            self.deliver(&others, compressed, FAILURES_BEFORE_SPLIT)?;
            self.deliver(&carriers, compressed, FAILURES_BEFORE_SPLIT)?;
            return Ok(true);
        }
        let is_reason = |answer: &Answer| answer.type_conflict().is_some_and(|found| found.is_same_cause(conflict));
        let bucket = carriers.bucket.clone();
        let (oldest, middle, newest) = (carriers.row(0), carriers.row(rows / 2), carriers.row(rows - 1));
        if self.refusals.cause(bucket.as_deref(), conflict).proofs < PROOFS {
            for row in [&oldest, &middle, &newest] {
                if !self.prove(row, is_reason)? {
                    return Ok(false);
                }
            }
        } else {
            self.try_known_good(&carriers, answer)?;
            // If the server dropped more points than there are rows, several fields conflict, and the count alone does
            // not prove that every row does.
            let asked =
                if conflict.dropped == Some(rows) { vec![&oldest, &newest] } else { vec![&oldest, &middle, &newest] };
            for row in asked {
                if self.refused_alone(row, &is_reason)?.is_none() {
                    return Ok(false);
                }
            }
        }
        let rest = self.refusals.still_due(&carriers);
        self.reject_rest(&rest, ready, answer, conflict)?;
        Ok(true)
    }

    fn reject_rest(&mut self, rest: &Batch, ready: &Ready, answer: &Answer, conflict: &TypeConflict) -> super::Step {
        let (Some(first), Some(last)) = (rest.rows().first(), rest.rows().last()) else { return Ok(()) };
        let rows = rest.rows().len();
        let reason = format!(
            "{} from {} to {} refused for one cause, of which this is the first: {}",
            count(rows as u64, "row"),
            first.ts,
            last.ts,
            answer.message
        );
        let line = rest.row(0);
        let line = String::from_utf8_lossy(line.lines());
        // Its bytes are counted in the receipt of the refusal.
        let receipt =
            ReceiptDraft { rows, bytes: 0, wire_bytes: 0, ..self.receipt(ready, answer, ReceiptOutcome::Rejected) };
        let marked = self.store.reject_rows(&receipt, &rest.marks(), (first.id, line.trim_end(), &reason))?;
        tracing::warn!("{reason}");
        self.report.rejected += marked;
        self.work.progress.done(rows as u64);
        let tables: BTreeSet<String> =
            rest.rows().iter().filter_map(|row| self.refusals.table(row.series).map(str::to_owned)).collect();
        let cause = self.refusals.cause(rest.bucket.as_deref(), conflict);
        cause.tables.extend(tables);
        cause.rows += marked;
        Ok(())
    }
}
