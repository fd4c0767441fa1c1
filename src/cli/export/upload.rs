//! `fluxtower export --check FILE`, and the same checks after each export: what AmeriFlux would report about a file.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use serde::Serialize;

use crate::ameriflux::upload::{self, Checked, Finding, Severity};
use crate::cli::{CliError, Context, Exit};
use crate::text::count;

/// A finding in JSON.
#[derive(Serialize)]
pub(super) struct Found {
    check: &'static str,
    severity: &'static str,
    message: String,
}

#[derive(Serialize)]
struct CheckedFile {
    file: String,
    rows: u64,
    variables: u64,
    verdict: &'static str,
    checks: Vec<Found>,
}

/// Checks a file as if it had this name.
pub(super) fn check(context: &Context, path: &Path, name: &str) -> Result<Checked, CliError> {
    let failed = |source: io::Error| CliError::Unreadable { path: path.to_owned(), source };
    let file = BufReader::with_capacity(1 << 16, File::open(path).map_err(failed)?);
    upload::check(name, file, context.now().to_utc().naive_utc()).map_err(failed)
}

/// Prints the findings about a file of any origin.
pub(super) fn run(context: &Context, path: &Path) -> Result<Exit, CliError> {
    let name = path.file_name().ok_or_else(|| CliError::NoFileName { path: path.to_owned() })?;
    let checked = check(context, path, &name.to_string_lossy())?;
    let value = CheckedFile {
        file: path.display().to_string(),
        rows: checked.rows,
        variables: checked.variables,
        verdict: verdict(&checked),
        checks: found(&checked),
    };
    context.output.result(&value, |out| {
        for finding in &checked.findings {
            writeln!(out, "{:<8} {}", finding.severity.name(), finding.message)?;
        }
        let says = match checked.worst() {
            None => "AmeriFlux's format checks find nothing",
            Some(Severity::Warning) => "AmeriFlux accepts it, with these warnings",
            Some(_) => "AmeriFlux rejects it as it is",
        };
        let (rows, variables) = (count(checked.rows, "row"), count(value.variables, "variable"));
        writeln!(out, "{}: {rows}, {variables}: {says}", value.file)
    })?;
    Ok(exit(&checked))
}

pub(super) fn found(checked: &Checked) -> Vec<Found> {
    let found = |finding: &Finding| Found {
        check: finding.check.name(),
        severity: finding.severity.name(),
        message: finding.message.clone(),
    };
    checked.findings.iter().map(found).collect()
}

/// Prints the findings about a file that was just written to stderr.
pub(super) fn say(checked: &Checked) {
    for finding in &checked.findings {
        match finding.severity {
            Severity::Warning => tracing::warn!("AmeriFlux would warn: {}", finding.message),
            Severity::Error | Severity::Critical => tracing::error!("AmeriFlux would reject it: {}", finding.message),
        }
    }
}

pub(super) fn exit(checked: &Checked) -> Exit {
    if checked.worst() > Some(Severity::Warning) { Exit::Look } else { Exit::Well }
}

fn verdict(checked: &Checked) -> &'static str {
    checked.worst().map_or("ok", Severity::name)
}
