//! A page, taken apart: its blocks, tables and examples of JSON.

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

/// What a command prints with `--json`, as docs/json.md has it.
pub struct Example {
    pub command: String,
    pub json: Value,
    /// The paths of the field table, such as `tables[].staged`.
    pub fields: BTreeSet<String>,
    /// Fields whose row refers to another command's example, which describes what is inside them.
    pub described_elsewhere: BTreeSet<String>,
}

impl Book {
    /// A page by its path in the repository.
    pub fn open(page: &str) -> Book {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
        Book { text: std::fs::read_to_string(path).unwrap().replace("\r\n", "\n") }
    }

    pub fn lines(&self) -> usize {
        self.text.lines().count()
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

    /// Sections headed by a command, with a `json` block and a table of its fields.
    pub fn examples(&self) -> Vec<Example> {
        let mut found = Vec::new();
        for section in self.text.split("\n### ").skip(1) {
            let Some(command) = section.lines().next().and_then(|head| head.strip_prefix("`fluxtower ")) else {
                continue;
            };
            let command = format!("fluxtower {}", command.trim_end_matches('`'));
            let section = Book { text: section.split("\n## ").next().unwrap_or_default().to_owned() };
            let block = section.blocks().into_iter().find(|block| block.kind == "json");
            let text = block.unwrap_or_else(|| panic!("no JSON under `{command}`")).text;
            let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("`{command}`: {error}"));
            let rows: Vec<_> = section.table("| field | type | means |").iter().map(|row| cells(row)).collect();
            let name = |row: &Vec<String>| row[0].trim_matches('`').to_owned();
            let refers = |row: &&Vec<String>| code_spans(&row[2]).iter().any(|span| span.starts_with("fluxtower "));
            let fields: BTreeSet<String> = rows.iter().map(name).collect();
            assert_eq!(fields.len(), rows.len(), "`{command}` describes a field twice");
            let described_elsewhere = rows.iter().filter(refers).map(name).collect();
            found.push(Example { command, json, fields, described_elsewhere });
        }
        found
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
