//! The pages in docs/ are true: links lead somewhere, commands exist, configurations load, and docs/operations.md has an
//! answer to everything that `status` and `check` say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use fluxtower::config::Config;
use fluxtower::status::Kind;

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).replace("\r\n", "\n")
}

/// README.md, CONTRIBUTING.md and every page in docs/, by path.
fn pages() -> BTreeMap<PathBuf, String> {
    let docs = std::fs::read_dir(project().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let outside = ["README.md", "CONTRIBUTING.md"].map(|name| project().join(name));
    pages.chain(outside).map(|path| (path.clone(), read(&path))).collect()
}

/// Outside of fenced blocks.
fn prose(page: &str) -> String {
    page.split("\n```").step_by(2).collect::<Vec<_>>().join("\n")
}

/// As GitHub makes an anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn headings(page: &str) -> impl Iterator<Item = String> {
    let prose = prose(page);
    let lines: Vec<String> = prose.lines().filter(|line| line.starts_with('#')).map(str::to_owned).collect();
    lines.into_iter().map(|line| line.trim_start_matches('#').trim().to_owned())
}

#[test]
fn every_link_of_every_page_leads_to_a_file_and_a_heading() {
    let pages = pages();
    assert!(pages.len() > 4);
    let mut wrong = Vec::new();
    for (path, page) in &pages {
        for target in prose(page).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("http") {
                continue;
            }
            let (file, place) = target.split_once('#').unwrap_or((target, ""));
            let whole = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            if !whole.exists() {
                wrong.push(format!("{}: {target} is no file", path.display()));
            } else if !place.is_empty() && !headings(&read(&whole)).any(|heading| anchor(&heading) == place) {
                wrong.push(format!("{}: {target} is no heading", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readme_leads_to_every_page() {
    let readme = read(&project().join("README.md"));
    for path in pages().keys().filter(|path| !path.ends_with("README.md")) {
        let link = format!("({})", path.strip_prefix(project()).unwrap().to_str().unwrap().replace('\\', "/"));
        assert!(readme.contains(&link), "README.md has no link {link}");
    }
}

/// Folders whose files pages speak of.
const OWN_FOLDERS: [&str; 8] = ["src/", "tests/", "docs/", "bench/", "scripts/", "migrations/", "examples/", ".ci/"];

#[test]
fn every_file_of_the_repository_that_a_page_names_is_there() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (path, page) in &pages() {
        for span in prose(page).split('`').skip(1).step_by(2) {
            let file = span.split(' ').next().unwrap();
            if OWN_FOLDERS.iter().any(|folder| file.starts_with(folder)) {
                seen += 1;
                if !project().join(file).exists() {
                    wrong.push(format!("{}: {file} is not there", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 40, "only {seen}");
}

#[test]
fn the_page_on_architecture_has_a_paragraph_for_every_module() {
    let page = read(&project().join("docs/architecture.md"));
    for module in std::fs::read_dir(project().join("src")).unwrap().map(|entry| entry.unwrap().path()) {
        let name = module.file_stem().unwrap().to_str().unwrap();
        if !matches!(name, "lib" | "main") {
            assert!(page.contains(&format!("**`src/{name}")), "no paragraph on {name}");
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// A comment cites a page and, behind `#`, a section of it.
#[test]
fn every_page_and_section_that_the_source_cites_is_there() {
    let mut files = Vec::new();
    for folder in ["src", "tests"] {
        sources(&project().join(folder), &mut files);
    }
    let mut seen = 0;
    let mut wrong = Vec::new();
    for file in files {
        let text = read(&file);
        let comments = text.lines().filter(|line| line.trim_start().starts_with("//"));
        for cited in comments.flat_map(|line| line.split("docs/").skip(1)) {
            let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '#');
            let cited = cited.split(|c| !is_part(c)).next().unwrap().trim_end_matches('.');
            let Some((page, section)) = cited.split_once(".md") else { continue };
            let path = project().join(format!("docs/{page}.md"));
            let section = section.trim_start_matches('#');
            let is_there = path.exists()
                && (section.is_empty() || headings(&read(&path)).any(|heading| anchor(&heading) == section));
            if !is_there {
                wrong.push(format!("{}: docs/{cited}", file.display()));
            }
            seen += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 20, "only {seen}");
}

fn fluxtower(arguments: &[&str]) -> (bool, String) {
    let done = crate::support::start(|| Command::new(env!("CARGO_BIN_EXE_fluxtower")).args(arguments).output());
    (done.status.success(), String::from_utf8(done.stdout).unwrap())
}

/// Code spans and lines of blocks that call the program.
fn commands(page: &str) -> Vec<String> {
    // Behind a fence or a mark; a sentence may begin with the program's name too.
    let blocks = page.split("\n```").skip(1).step_by(2).flat_map(str::lines).map(str::trim).map(str::to_owned);
    let spans = prose(page).split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    blocks.chain(spans).filter(|text| text.starts_with("fluxtower ") && !text.starts_with("fluxtower --")).collect()
}

#[test]
fn every_command_on_a_page_is_one_of_the_program_with_its_flags() {
    let mut helps: BTreeMap<String, (bool, String)> = BTreeMap::new();
    let mut seen = 0;
    for (path, page) in pages() {
        for command in commands(&page) {
            let words: Vec<&str> = command.split_whitespace().collect();
            if !words[1].chars().all(|c| c.is_ascii_lowercase()) {
                continue;
            }
            let (known, help) =
                helps.entry(words[1].to_owned()).or_insert_with(|| fluxtower(&[words[1], "--help"])).clone();
            assert!(known, "{}: `{command}` is no command", path.display());
            let flags = words.iter().map(|word| word.trim_matches(|c| matches!(c, '[' | ']' | ',' | ';')));
            for flag in flags.filter(|word| word.starts_with("--")) {
                // `bucket create --retention` has a help of its own.
                let inner = || fluxtower(&[words[1], words[2], "--help"]).1;
                assert!(help.contains(flag) || inner().contains(flag), "{}: `{command}`: {flag}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen}");
}

#[test]
fn every_toml_block_of_the_new_pages_loads() {
    let mut loaded = 0;
    for name in ["from-python.md", "from-loggertodb.md", "from-telegraf.md", "many-stations.md", "notify.md"] {
        let page = read(&project().join("docs").join(name));
        for block in page.split("\n```toml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()) {
            let has = |section: &str| block.lines().any(|line| line == section);
            let mut text = String::new();
            for (section, keys) in
                [("[station]", "name = \"X\"\nutc_offset = \"-05:00\""), ("[destination]", "kind = \"files\"")]
            {
                if !has(section) {
                    text += &format!("{section}\n{keys}\n");
                }
            }
            text += block;
            if !has("[[table]]") {
                text += "\n[[table]]\nname = \"x\"\nfiles = [\"x.dat\"]\n";
            }
            Config::parse(&text, Path::new(name)).unwrap_or_else(|error| panic!("{error}\n{text}"));
            loaded += 1;
        }
    }
    assert!(loaded >= 9, "only {loaded}");
}

/// Where the program's texts stand: a file, and the words between which they are taken; nothing for all of it.
const SOURCES: &[(&str, &str, &str)] = &[
    ("src/status/findings/rows.rs", "fn lateness", ""),
    ("src/status/findings/runs.rs", "pub(super) fn findings", "/// Why a run could not"),
    ("src/status/findings/clocks.rs", "pub(super) fn findings", ""),
    ("src/ingest/in_force.rs", "pub fn message", "/// Whether"),
    ("src/status/findings/sunlight.rs", "pub(super) fn findings", "/// Since which day"),
    ("src/status/findings/position.rs", "pub(super) fn findings", ""),
    ("src/view/serve/api/status/right.rs", "pub(super) fn of(", "fn summed"),
    ("src/status/findings/files.rs", "fn look(", ""),
    ("src/status/findings/notices.rs", "pub(super) fn findings", ""),
    ("src/cli/check.rs", "pub(super) fn run", "fn write("),
    ("src/cli/check/destination.rs", "pub(super) fn lines", ""),
    ("src/cli/check/database.rs", "pub(super) fn lines", "fn network"),
    ("src/cli/check/files.rs", "pub(super) fn lines", "fn newest("),
    ("src/agent/schedule.rs", "pub fn advice", ""),
    ("src/qc/fit.rs", "", ""),
    ("src/config/misfit.rs", "", ""),
    ("src/source/error.rs", "", ""),
    ("src/format/csv/mod.rs", "", ""),
    ("src/format/dialect.rs", "", ""),
    ("src/format/header.rs", "", ""),
    ("src/format/records/mod.rs", "", ""),
    ("src/ingest/heads.rs", "", ""),
    ("src/ingest/lines.rs", "", ""),
    ("src/ingest/mod.rs", "", ""),
    ("src/ingest/rows.rs", "", ""),
    ("src/ingest/years.rs", "", ""),
    ("src/store/schema/error.rs", "", ""),
    ("src/destination/answer.rs", "fn outcome", ""),
    ("src/destination/mod.rs", "", ""),
    ("src/sync/identity.rs", "", ""),
    ("src/sync/look.rs", "", ""),
    ("src/sync/outbox.rs", "", ""),
    ("src/sync/report.rs", "", ""),
    ("src/sync/run.rs", "", ""),
    ("src/sync/stale.rs", "", ""),
    ("src/sync/carried.rs", "", ""),
    ("src/sync/deliver/refusals.rs", "", ""),
    ("src/sync/deliver/together.rs", "", ""),
    ("src/sync/feed.rs", "fn notes_of", "fn hand_on"),
    ("src/sync/health.rs", "", ""),
    ("src/config/secret.rs", "", ""),
];

/// Texts that need no answer: they say that all is well, are a part of another, or are compared with a server's words.
const NO_ANSWER: &[&str] = &[
    "of no format of a logger",
    "SQLite format 3",
    "1 line is",
    "{} changed by despiking complete blocks",
    " for retention policy: ",
    "see `fluxtower rejected`",
    "make room, or let sent rows go with `fluxtower prune` or [store] keep",
    "correct the file; `run --watch` takes it up within seconds",
    "`fluxtower check --notify` sends a test message",
    "see `fluxtower gaps`",
    "choose an aggregate that the interval of the rows divides, or none",
    "see `fluxtower conflicts`",
    "give the column another name in the logger's program, or go back to the unit before",
    "give each logger a [[table]] of its own, or leave one of the files out of `files`; see `fluxtower conflicts`",
    "one without a station name",
    "raise the bucket's retention, then `fluxtower replay --expired`",
    "set the clock that is wrong, the logger's or this computer's, and put rows of a wrong logger right with [[table.clock]]; if it is utc_offset, correct it and run `fluxtower rekey`",
    "compare the logger's clock with UTC; if utc_offset is wrong, correct it and run `fluxtower rekey`; if the logger's clock is wrong, set it and write [[table.clock]] with from = its first wrong stamp, until = the first stamp behind, add = \"{}\"",
    "{fix}. If it is wrong since then, its rows are put right by [[table.clock]] with from = \"{stamp}\", record_from = {record}, add = \"{}\"; if it was ahead before, by from = its first wrong stamp, until = \"{until}\", record_until = {record}, add = \"{}\"",
    "`fluxtower gaps` lists every step. It was put right at record {right}; the rows between are put right by [[table.clock]] with from = \"{stamp}\", until = \"{until}\", record_from = {record}, record_until = {right}, add = \"{}\"",
    "compare the logger's clock with UTC; if it is right since, write until = \"{ends}\" into the entry; if it is still wrong, write a second one with from = \"{ends}\" too",
    "give each logger a file and a [[table]] of its own: the file joins their rows",
    "look at its sensor or logger, see `fluxtower gaps`; it is said for 30 days",
    "because this destination cannot remove points",
    "each sync tries again",
    "delete them there, then `fluxtower bucket cleaned --table {table}`",
    "delete them there: a sync sees it within an hour, `fluxtower verify` at once; `fluxtower bucket cleaned --table {table}` if they may stay",
    "they may not be removed ({error})",
    "table \"{name}\": {note}",
    "table \"{name}\": {message}",
    "set the clock that is wrong, see `fluxtower rejected`",
    "set the clock that is wrong; nothing expires and nothing is deleted until they agree",
    "set the clock that is wrong, this computer's or that of the computer which writes the files",
    "or it is behind now: check that it is right; the next run clears this",
    "see `fluxtower check`",
    "this computer's clock shows ",
    "no heartbeat: the findings come to {}",
    "compare it with UTC and set it; `fluxtower gaps` lists every step",
    "clock or utc_offset: compare the logger's clock with UTC; or the file's stamps name the beginning of the interval; or check {POSITION}",
    "check the sensor, its cable and its multiplier, and {POSITION}",
    "check the sensor's offset, its cable and its multiplier, and {POSITION}",
    "correct longitude (west of Greenwich it is negative) and latitude (south of the equator it is negative), or utc_offset; then judge the rows again: `fluxtower reflag`",
    "check who may read it, and that no program locks it",
    "correct `files`, or look at LoggerNet's output folder",
    "add them to `files` of the table that they belong to",
    "a task without a stored password does not see shares: set the task to run with the password, or copy the \
     files to this computer",
    "more than usual is suspect, failed or missing: {}",
    "no column stands out",
    "no value was tested: no test is configured for it",
    "the last run ended {} ago",
    "take deadline out of [sync], and it follows the schedule ({fit})",
    "take deadline out of [sync], and set the task up again with `fluxtower schedule --install`, so that it follows the schedule",
    "set the task up again with `fluxtower schedule --install`, so that the deadline follows the schedule",
    "InfluxDB {version} ({build})",
    "InfluxDB ({build})",
    "wider than the {most} columns that it may have in a measurement there: goes to {names}",
    "bucket of [destination]",
    "keeps rows for ever",
    "keeps rows for {}",
    "may be written to",
    "this computer and the server differ by {} s{fix}",
    "{}, {} and {} of log",
    "{head}: {format}, newest record {local}, {} ago",
    "{head}: {format}, newest record {local}, {} ahead of this computer's clock",
    "{head}: {format}, a header and no row yet; wait for the next collection",
    "; did you mean {alike}?",
    "the formula of {name}",
    "give suspect and fail in the column's own unit, name another variable, or correct the unit in the logger's program",
    "write another field for {name}, or give {field} a field of its own",
    "; new in it: {}",
    "if it was renamed, give its section the new name, with field = \"{field}\"",
    "if it was renamed, write a section of the new name with variable = \"{variable}\" and field = \"{field}\", and leave variable alone in this one, for AmeriFlux's files of the time before",
    "{fix}; if it is gone, take the section out",
    "write kind = \"total\" in its section where each row has the sum over its own interval, or kind = \"counter\" where the values rise until a reset",
    "let the logger write the total of each interval, write aggregate = \"30m\" in the table, whose half hours hold what was counted, or take \
     variable out",
    "kind = \"{}\"",
    "variable = \"{}\"",
    "if the header is right, write kind = \"{}\" in its section",
    "retention policy not found",
    "no data written",
    "unsupported path requested",
    "table \"{}\": {error}; its rows stay pending",
    "the environment variable {name}",
    "[[pair]] \"{}\"",
    "nothing can be removed there",
    "the destination's own bucket",
    "no points are removed now: {reason}",
    "what else is beside these points is unknown: {error}",
    "removed points whose rows changed; the rows are sent again",
    "another writer's points there have the same tags and more, and would be removed with them; give the table a tag or a \
     measurement of its own",
    "rows of table \"{other}\" that were pruned here would be removed with them",
    "values of {name} that fail",
    "%Y-%m-%d %H:%M:%S UTC",
    "bucket \"{bucket}\"",
    "1 row was",
    "give the table another measurement or bucket",
    "set type = \"{spelled}\" on its column, or ",
    "{}{elsewhere}, then `fluxtower replay --rejected`",
    "{} from {} to {} refused for one cause, of which this is the first: {}",
    "a whole number",
    "0, 1, -1, true or false",
    "a text of at most 64 KB",
    "1 value of field {field} was",
    "{} of field {field} were",
];

/// String literals of at least three words, comments, attributes and tests left out.
fn literals() -> Vec<String> {
    let mut texts = Vec::new();
    for (path, from, to) in SOURCES {
        let source = read(&project().join(path));
        let source = source.split("#[cfg(test)]").next().unwrap();
        let source = &source[if from.is_empty() { 0 } else { source.find(from).unwrap() }..];
        let source = &source[..if to.is_empty() { source.len() } else { source.find(to).unwrap() }];
        let is_code = |line: &&str| {
            let line = line.trim_start();
            !["//", "#[allow", "#[expect", "#[command"].iter().any(|start| line.starts_with(start))
        };
        let source = source.lines().filter(is_code).collect::<Vec<_>>().join("\n");
        // An escaped quote must not end a literal.
        let source = source.replace("\\\"", "\u{1}").replace("'\"'", "");
        for literal in source.split('"').skip(1).step_by(2) {
            let mut lines = literal.split("\\\n");
            let first = lines.next().unwrap_or_default().to_owned();
            let text: String = lines.fold(first, |text, line| text + line.trim_start());
            let text = text.replace('\u{1}', "\"");
            let is_line_protocol = text.starts_with("{MEASUREMENT},");
            let words = placeholders_out(&text).split_whitespace().count();
            if words >= 3 && !is_line_protocol {
                texts.push(text);
            }
        }
    }
    texts
}

/// Those that need an answer.
fn texts() -> Vec<String> {
    literals().into_iter().filter(|text| !NO_ANSWER.contains(&text.as_str())).collect()
}

/// The fixed parts of a text; what stands in braces differs from time to time.
fn placeholders_out(text: &str) -> String {
    let mut out = String::new();
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                out.push(' ');
            }
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// Headings of the third level, and the parts of first cells, of docs/operations.md, without code marks.
fn answers() -> Vec<String> {
    let page = read(&project().join("docs/operations.md"));
    let mut answers = Vec::new();
    let mut is_table = false;
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            answers.push(heading.replace('`', ""));
        } else if line == "| it says | do |" {
            is_table = true;
        } else if !line.starts_with('|') {
            is_table = false;
        } else if is_table && !line.starts_with("|---") {
            let cell = line.trim_start_matches('|').split(" | ").next().unwrap();
            answers.extend(cell.split(" / ").map(|part| part.trim().replace('`', "")));
        }
    }
    answers
}

/// Whether the parts of the answer, which stand between its dots, stand in the text in that order.
fn answers_to(answer: &str, text: &str) -> bool {
    let text = placeholders_out(text).replace(['`', '"'], "");
    let mut rest = text.as_str();
    answer.split('…').map(str::trim).filter(|part| !part.is_empty()).all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[test]
fn the_page_for_the_technician_answers_everything_that_the_program_says_and_nothing_else() {
    let (texts, answers) = (texts(), answers());
    assert!(texts.len() > 80, "only {}", texts.len());
    let mut wrong = Vec::new();
    for text in &texts {
        if !answers.iter().any(|answer| answers_to(answer, text)) {
            wrong.push(format!("no answer to: {text}"));
        }
    }
    for answer in &answers {
        let fixed: usize = answer.split('…').map(|part| part.trim().len()).sum();
        if fixed < 7 {
            wrong.push(format!("too short to tell: {answer}"));
        }
        if !texts.iter().any(|text| answers_to(answer, text)) {
            wrong.push(format!("the program does not say: {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_text_that_needs_no_answer_is_one_of_the_program() {
    let literals = literals();
    let stale: Vec<_> = NO_ANSWER.iter().filter(|text| !literals.iter().any(|literal| literal == *text)).collect();
    assert!(stale.is_empty(), "no longer said, or too short to need an answer: {stale:#?}");
}

#[test]
fn every_kind_of_finding_has_a_section_for_the_technician_and_no_other_is_named() {
    let page = read(&project().join("docs/operations.md"));
    let mut named: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("Finding `")?.split('`').next()).collect();
    named.sort_unstable();
    let mut known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    known.sort_unstable();
    assert_eq!(named, known);
    // A section begins with the message, and the kind stands below it.
    let lines: Vec<&str> = page.lines().collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("Finding `")) {
        assert!(at >= 2 && lines[at - 2].starts_with("###") && lines[at - 1].is_empty(), "{line}");
    }
    assert!(Kind::ALL.iter().all(|kind| kind.meaning().ends_with('.')));
}
