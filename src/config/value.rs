//! Parses single values of the configuration file.
//!
//! Each function returns the value, or the rest of a sentence that begins with the key: what is wrong and what to
//! write.

mod names;
mod paths;
mod servers;
mod times;

pub(crate) use names::bucket_name;
pub(super) use names::{key, measurement, plain_text, table_name};
pub(super) use paths::{join, path_text, pattern};
pub(crate) use servers::{is_loopback, web_url};
pub(super) use servers::{secret_file, server_url, variable_name};
pub(crate) use times::duration;
pub(super) use times::{signed_duration, some_time, stamp, time_format, timezone, utc_offset};

type Read<T> = Result<T, String>;
