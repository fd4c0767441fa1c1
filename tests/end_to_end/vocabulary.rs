//! The words that docs/vocabulary.md bans stand nowhere: in no source, page, message, comment or name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Searched, with everything below.
const PLACES: [&str; 7] = ["src", "docs", "web", "migrations", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"];
/// Other authors' text, and the page that lists the words.
const LEFT_OUT: [&str; 2] = ["web/vendor", "docs/vocabulary.md"];
/// A banned word is allowed where its line has one of these around it.
const ALLOWED: [(&str, &str); 12] = [
    ("words", "diagnostic words"),
    ("words", "words       TEXT NOT NULL"), // receipt.words and refused_row.words: columns of released migrations
    ("words", "words   TEXT NOT NULL"),
    ("words", "\"words\""), // the JSON field of `check`, which is a contract
    ("words", "rows, bytes, wire_bytes, status, outcome, words"), // statements on these two columns
    ("words", "receipt, line, words"),
    ("words", "status, outcome, words"),
    ("words", "f.words, f.line"),
    ("words", "serde(rename = \"words\")"),
    ("pin", "std::pin"), // Rust's own
    ("pin", "Pin<"),
    ("pin", "Pin::"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).replace("\r\n", "\n")
}

/// One banned word or phrase: its words in lower case.
type Phrase = Vec<String>;

/// The code spans of the second column of the table with the head `| write | not |`.
fn banned(page: &str) -> Vec<Phrase> {
    let rows = page.lines().skip_while(|line| *line != "| write | not |").skip(2);
    let cells = rows.take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(2));
    let spans = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
    spans.map(|span| tokens(&span).into_iter().map(|token| token.word).collect()).collect()
}

struct Token {
    word: String,
    line: usize,
    /// Only blanks, underscores and marks of comments stand between the word before and this one.
    follows: bool,
}

/// The words of a text, those inside identifiers among them. `people's` is one word.
fn tokens(text: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let (mut line, mut follows, mut inside, mut last) = (1, true, false, ' ');
    for letter in text.chars() {
        let apostrophe = letter == '\'' && inside;
        if letter.is_alphabetic() || apostrophe {
            let begins = !inside || (letter.is_uppercase() && last.is_lowercase());
            if begins {
                found.push(Token { word: String::new(), line, follows });
                follows = true;
            }
            if let Some(token) = found.last_mut() {
                token.word.extend(letter.to_lowercase());
            }
            inside = true;
        } else {
            inside = false;
            follows &= letter.is_whitespace() || matches!(letter, '_' | '/' | '!' | '*' | '#');
            line += usize::from(letter == '\n');
        }
        last = letter;
    }
    // An apostrophe at the end of a word is a quotation mark.
    for token in &mut found {
        token.word.truncate(token.word.trim_end_matches('\'').len());
    }
    found
}

/// Without code spans and blocks; the lines keep their numbers.
fn prose(page: &str) -> String {
    let mut fenced = false;
    let mut kept = String::new();
    for line in page.lines() {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if !fenced && !fence {
            kept.extend(line.split('`').step_by(2).flat_map(|part| [part, " . "]));
        }
        kept.push('\n');
    }
    kept
}

/// Line, word and text of each hit.
fn hits<'a>(text: &'a str, searched: &str, banned: &[Phrase]) -> Vec<(usize, String, &'a str)> {
    let words = tokens(searched);
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, first) in words.iter().enumerate() {
        for phrase in banned {
            let here = words.get(at..at + phrase.len()).is_some_and(|part| {
                part.iter().zip(phrase).all(|(token, word)| token.word == *word)
                    && part.iter().skip(1).all(|token| token.follows)
            });
            let line = lines.get(first.line - 1).copied().unwrap_or_default();
            let word = phrase.join(" ");
            if here && !ALLOWED.iter().any(|(allowed, around)| *allowed == word && line.contains(around)) {
                found.push((first.line, word, line));
            }
        }
    }
    found
}

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if LEFT_OUT.iter().any(|out| path == root().join(out)) {
        return;
    }
    if path.is_dir() {
        let mut inside: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        inside.sort();
        inside.iter().for_each(|path| files(path, found));
    } else if path
        .extension()
        .is_some_and(|ending| ["rs", "md", "js", "css", "html", "sql"].iter().any(|known| ending == *known))
    {
        found.push(path.to_owned());
    }
}

#[test]
fn banned_words_stand_nowhere() {
    let banned = banned(&read(&root().join("docs/vocabulary.md")));
    assert!(banned.len() > 15, "the table of docs/vocabulary.md was not found: {banned:?}");
    let mut found = Vec::new();
    PLACES.iter().for_each(|place| files(&root().join(place), &mut found));
    assert!(found.len() > 200, "the sources were not found");
    let mut listed = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in found {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        let text = read(&path);
        let searched = if name.ends_with(".md") { prose(&text) } else { text.clone() };
        // A file's name is a name too.
        let mut here: Vec<String> =
            hits(&name, &name, &banned).into_iter().map(|(_, word, _)| format!("{name}:0:{word}")).collect();
        here.extend(
            hits(&text, &searched, &banned)
                .into_iter()
                .map(|(line, word, text)| format!("{name}:{line}:{word}: {}", text.trim())),
        );
        if !here.is_empty() {
            let folder = name.rsplit_once('/').map_or(".", |(folder, _)| folder);
            *counts.entry(folder.to_owned()).or_default() += here.len();
        }
        listed.append(&mut here);
    }
    let counts: Vec<String> = counts.iter().map(|(folder, count)| format!("{count:5} {folder}")).collect();
    assert!(listed.is_empty(), "{}\n\n{}\n{} in all", listed.join("\n"), counts.join("\n"), listed.len());
}

#[test]
fn a_banned_word_is_found_in_prose_and_in_names() {
    let banned = vec![vec!["told".to_owned()], vec!["rows".to_owned(), "wait".to_owned()], vec!["people's".to_owned()]];
    let words = |text: &str| -> Vec<String> { hits(text, text, &banned).into_iter().map(|hit| hit.1).collect() };
    assert_eq!(words("// As Told before"), ["told"]);
    assert_eq!(words("fn was_told() {} struct HowTold; let told_2 = ();"), ["told"; 3]);
    assert_eq!(
        words("/// The rows\n/// wait, and rows_wait; people's 'told'"),
        ["rows wait", "rows wait", "people's", "told"]
    );
    assert_eq!(words("retold toldest rows, wait. Peoples"), [""; 0]);
    assert_eq!(prose("a `told` told\n```sh\ntold\n```\nb").matches("told").count(), 1);
}
