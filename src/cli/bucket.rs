//! `fluxtower bucket`: lists, creates and confirms buckets of the server.

use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;

use super::output::{count, span_of};
use super::{CliError, Context, Exit};
use crate::config::{DestinationConfig, InfluxConfig, bucket_name};
use crate::destination::{Bucket, Created, Influx, Retention};
use crate::store::Store;

/// List buckets, make one, or go on with one that changed
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  fluxtower bucket list\n  fluxtower bucket create ameriflux_soil --retention 365d\n  fluxtower bucket confirm"
)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the buckets that the token may see, with their retention
    #[command(after_help = "Example:\n  fluxtower bucket list --json")]
    List,
    /// Make a bucket
    #[command(after_help = "Example:\n  fluxtower bucket create ameriflux_soil --retention 365d")]
    Create {
        /// Its name; v1: DATABASE or DATABASE/POLICY
        #[arg(value_parser = bucket_name)]
        name: String,
        /// How long it keeps rows, as days or as 30d, 12h; without it, for ever
        #[arg(long, value_name = "DAYS", value_parser = retention)]
        retention: Option<Duration>,
    },
    /// Go on with a bucket whose id or retention changed
    #[command(after_help = "Example:\n  fluxtower bucket confirm")]
    Confirm,
    /// Say that old points which only you can remove are removed, or may stay: `status` no longer names them
    #[command(after_help = "Example:\n  fluxtower bucket cleaned --table plots")]
    Cleaned {
        /// The table whose points `status` names
        #[arg(long, value_name = "NAME")]
        table: String,
    },
}

#[derive(Serialize)]
struct Item {
    name: String,
    id: Option<String>,
    /// None if the server does not say it; 0 means for ever.
    retention_days: Option<f64>,
}

#[derive(Serialize)]
struct List {
    buckets: Vec<Item>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    match &args.action {
        Action::Confirm => {
            let forgotten = context.store()?.forget(Store::BUCKET_IDENTITY)? as u64;
            context.output.result(&serde_json::json!({ "confirmed": forgotten }), |out| {
                writeln!(out, "{} confirmed; the next sync goes on with what it finds", count(forgotten, "bucket"))
            })?;
            Ok(Exit::Well)
        }
        Action::Cleaned { table } => {
            let store = context.store()?;
            context.known_table(&store, table)?;
            let cleaned = crate::sync::forget_left_points(&context.config, &store, table)?;
            context.output.result(&serde_json::json!({ "cleaned": cleaned }), |out| match cleaned {
                true => writeln!(out, "old points of table \"{table}\" are forgotten"),
                false => writeln!(out, "table \"{table}\" has no old points that only you can remove"),
            })?;
            Ok(Exit::Well)
        }
        Action::List => list(context),
        Action::Create { name, retention } => create(context, name, *retention),
    }
}

/// InfluxDB counts a retention in 64-bit nanoseconds.
const LONGEST_DAYS: u64 = 106_751;

/// Parses a number of days, or a duration as in the configuration.
fn retention(text: &str) -> Result<Duration, String> {
    let too_long =
        || format!("is longer than InfluxDB can keep rows ({LONGEST_DAYS}d); leave it out to keep them for ever");
    let days = text.strip_suffix('d').unwrap_or(text);
    let is_days = !days.is_empty() && days.bytes().all(|byte| byte.is_ascii_digit());
    let retention = match days.parse::<u64>() {
        Ok(days) if days <= LONGEST_DAYS => Duration::from_secs(days * 86_400),
        _ if is_days => return Err(too_long()),
        _ => crate::config::duration(text)?,
    };
    if retention.as_secs() == 0 {
        return Err("is no time at all; leave it out to keep rows for ever".to_owned());
    }
    Ok(retention)
}

fn config(context: &Context) -> Result<&InfluxConfig, CliError> {
    match &context.config.destination {
        DestinationConfig::Influx(config) => Ok(config),
        DestinationConfig::Files { .. } => Err(CliError::NoBuckets),
    }
}

fn open(config: &InfluxConfig) -> Result<Influx, CliError> {
    Ok(Influx::open(config).map_err(crate::sync::SyncError::from)?)
}

/// Lists the buckets that each login may see, each bucket once.
fn list(context: &Context) -> Result<Exit, CliError> {
    let config = config(context)?;
    let others = config.buckets.iter().filter(|special| special.org.is_some() || special.secret.is_some());
    let logins = std::iter::once(None).chain(others.map(|special| Some(special.name.as_str())));
    let mut buckets: Vec<Bucket> = Vec::new();
    for login in logins {
        for bucket in open(&config.of_bucket(login))?.list()? {
            if !buckets.contains(&bucket) {
                buckets.push(bucket);
            }
        }
    }
    #[allow(clippy::cast_precision_loss)]
    let days = |retention: &Retention| match retention {
        Retention::Forever => Some(0.0),
        Retention::For(span) => Some(span.as_secs() as f64 / 86_400.0),
        Retention::Unknown(_) => None,
    };
    let kept: Vec<String> = buckets.iter().map(|bucket| kept(&bucket.retention)).collect();
    let list = List {
        buckets: buckets
            .into_iter()
            .map(|bucket| Item { retention_days: days(&bucket.retention), name: bucket.name, id: bucket.id })
            .collect(),
    };
    context.output.result(&list, |out| {
        for (bucket, kept) in list.buckets.iter().zip(&kept) {
            writeln!(out, "{}  {kept}  {}", bucket.name, bucket.id.as_deref().unwrap_or_default())?;
        }
        Ok(())
    })?;
    if list.buckets.is_empty() {
        tracing::warn!(
            "the login may see no bucket: give the token read permission for its buckets to list them; whether it may write \
             is shown by `fluxtower check`"
        );
        return Ok(Exit::Look);
    }
    Ok(Exit::Well)
}

fn kept(retention: &Retention) -> String {
    match retention {
        Retention::Forever => "kept for ever".to_owned(),
        Retention::For(kept) if kept.as_secs().is_multiple_of(86_400) => {
            format!("kept for {}", count(kept.as_secs() / 86_400, "day"))
        }
        Retention::For(kept) => format!("kept for {}", span_of(*kept)),
        Retention::Unknown(_) => "retention unknown".to_owned(),
    }
}

fn create(context: &Context, name: &str, retention: Option<Duration>) -> Result<Exit, CliError> {
    let made = open(&config(context)?.of_bucket(Some(name)))?.create(name, retention)?;
    let asked = retention.map_or(Retention::Forever, Retention::For);
    let (is_new, said) = match made {
        Created::New => (true, format!("made bucket {name}, {}", kept(&asked))),
        Created::WasThere(found) => match &found.retention {
            Retention::Unknown(why) => {
                (false, format!("bucket {name} is there already; how long it keeps rows is unknown: {why}"))
            }
            known if *known == asked => (false, format!("bucket {name} is there already, {}", kept(known))),
            known => {
                let (kept, asked) = (format!("is {}", kept(known)), kept(&asked));
                return Err(CliError::BucketDiffers { name: name.to_owned(), kept, asked });
            }
        },
    };
    let json = serde_json::json!({ "created": name, "new": is_new });
    context.output.result(&json, |out| writeln!(out, "{said}"))?;
    Ok(Exit::Well)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retention_is_a_number_of_days_or_a_duration() {
        for (text, seconds) in
            [("30", 2_592_000), ("30d", 2_592_000), ("12h", 43_200), ("90m", 5_400), ("106751", 9_223_286_400_u64)]
        {
            assert_eq!(retention(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["106752", "106752d", "99999999999999999999", "99999999999999999999d"] {
            assert!(retention(text).unwrap_err().contains("longer than InfluxDB can keep"), "{text}");
        }
        for text in ["", "d", "-1", "1.5", "for ever", "0", "0d", "0s"] {
            assert!(retention(text).is_err(), "{text}");
        }
    }
}
