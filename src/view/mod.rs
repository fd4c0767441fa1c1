//! What people look at: summaries of long series, panels of columns that belong together, the Grafana dashboard, the page
//! and the report.
//!
//! All of it reads the store and changes nothing in it. A view never differs from what the rows say.

pub mod dashboard;
pub mod panel;
pub mod report;
pub mod serve;
pub mod summary;
