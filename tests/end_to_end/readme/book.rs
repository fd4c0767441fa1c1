//! The README, taken apart.

use std::collections::BTreeSet;

use serde_json::Value;

pub struct Book {
    text: String,
}

/// A fenced block.
#[derive(Debug, Clone)]
pub struct Block {
    /// The first word behind the fence.
    pub kind: String,
    pub text: String,
    /// The block marked `text output` right behind it.
    pub output: Option<String>,
}

/// What a command prints with `--json`, as the README has it.
pub struct Example {
    pub command: String,
    pub json: Value,
    /// The words in code spans that explain it, those of the examples it refers to among them.
    pub explained: BTreeSet<String>,
}

impl Book {
    pub fn open() -> Book {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
        Book { text: std::fs::read_to_string(path).unwrap().replace("\r\n", "\n") }
    }

    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut lines = self.text.lines();
        let mut is_adjacent = false;
        while let Some(line) = lines.next() {
            let Some(info) = line.trim_start().strip_prefix("```") else {
                is_adjacent &= line.is_empty();
                continue;
            };
            let indent = line.len() - line.trim_start().len();
            let inside = lines.by_ref().take_while(|line| line.trim() != "```");
            let text: String = inside.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
            match blocks.last_mut() {
                Some(before) if info == "text output" && is_adjacent => before.output = Some(text),
                _ => {
                    let kind = info.split(' ').next().unwrap_or_default().to_owned();
                    blocks.push(Block { kind, text, output: None });
                }
            }
            is_adjacent = true;
        }
        blocks
    }

    /// The rows below the table head, without the line of dashes.
    pub fn table(&self, head: &str) -> Vec<String> {
        let rows = self.text.lines().skip_while(|line| *line != head).skip(2);
        let rows: Vec<String> = rows.take_while(|line| line.starts_with('|')).map(str::to_owned).collect();
        assert!(!rows.is_empty(), "no table `{head}`");
        rows
    }

    /// Sections headed by a command with a `json` block, and rows of the table of short ones.
    pub fn examples(&self) -> Vec<Example> {
        let mut found = Vec::new();
        for section in self.text.split("\n### ").skip(1) {
            let Some(command) = section.lines().next().and_then(|head| head.strip_prefix("`fluxtower ")) else {
                continue;
            };
            let command = format!("fluxtower {}", command.trim_end_matches('`'));
            let section = section.split("\n## ").next().unwrap_or_default();
            let json = Book { text: section.to_owned() }.blocks().into_iter().find(|block| block.kind == "json");
            let json = json.unwrap_or_else(|| panic!("no JSON under `{command}`"));
            let outside = section.split("```").step_by(2).collect::<String>();
            found.push(Self::example(command, &json.text, &outside));
        }
        for row in self.table("| command | prints | means |") {
            let cells = cells(&row);
            found.push(Self::example(cells[0].trim_matches('`').to_owned(), cells[1].trim_matches('`'), &cells[2]));
        }
        let told: Vec<_> = found.iter().map(|example| (example.command.clone(), example.explained.clone())).collect();
        for example in &mut found {
            let own = example.explained.clone();
            for (_, words) in told.iter().filter(|(command, _)| own.contains(command)) {
                example.explained.extend(words.iter().cloned());
            }
        }
        found
    }

    fn example(command: String, json: &str, words: &str) -> Example {
        let json = serde_json::from_str(json).unwrap_or_else(|error| panic!("`{command}`: {error}"));
        Example { command, json, explained: code_spans(words).into_iter().collect() }
    }

    /// Targets of links.
    pub fn links(&self) -> Vec<String> {
        self.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
    }
}

pub fn cells(row: &str) -> Vec<String> {
    row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

pub fn code_spans(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// As a shell splits a line without anything but double quotes.
pub fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(place, part)| match place % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}
