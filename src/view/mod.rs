//! Views for users: summaries of long series, panels of related columns, the Grafana dashboard, the page and the
//! report.
//!
//! They read the store and change nothing in it. A view never differs from the stored rows.

pub mod dashboard;
pub mod panel;
pub mod report;
pub mod serve;
pub mod summary;
