//! The right half of the data flow: sends rows from the store to the destination.
//!
//! A plan is made from the backlog (`plan`), turned into batches by one thread (`feed`), sent by the HTTP threads
//! (`workers`) and recorded in the store by this thread (`deliver`), so that the link is never idle while SQLite syncs
//! to disk. Rows leave `pending` only here, and only through an answer (I5, I6).

use std::time::Duration;

mod batch;
mod cancel;
mod carried;
mod columns;
mod deliver;
mod dry_run;
mod estimate;
mod expected;
mod feed;
mod final_flags;
mod health;
mod identity;
mod known_good;
mod lanes;
mod left_alone;
mod left_points;
mod left_series;
mod look;
mod outbox;
mod pace;
mod plan;
mod ready;
mod report;
mod run;
mod stale;
mod workers;

pub use batch::{Batch, BatchRow};
pub use cancel::Cancel;
pub use carried::{compare as compare_lines, requeue_withheld};
pub use columns::most_columns;
pub use dry_run::{DryRun, dry_run, dry_run_with};
pub use estimate::{PendingBytes, pending_bytes};
pub use health::Standing;
pub use identity::{Verdict, foresee, retentions};
pub use left_points::{Goes, LeftPoints, forget_left_points, left_points};
pub use left_series::look_for_left_series;
pub use look::{is_about_clocks, server_ahead};
pub use outbox::shape;
pub use pace::{Pace, Waits};
pub use plan::{BucketPlan, Piece, live_rows, plan};
pub use report::{Progress, StoppedBy, SyncError, SyncReport, Unseen};
pub use run::{Sync, run, run_until};

use outbox::Outbox;

/// The window in which the free plan counts bytes (InfluxDB Cloud, account limits). Our window always ends now, so the
/// server's window cannot contain more, wherever it begins.
pub const BUDGET_WINDOW: Duration = Duration::from_secs(300);
