//! Orders the rows and gives each panel a lasting id.

use std::collections::HashSet;

use super::draw::Draft;
use super::{Board, PanelRow};

/// The longest id; a number for a duplicate is added to it.
const LONGEST: usize = 48;

/// Puts the panels into rows. Rows are in the order of their places, then of their first panel.
pub(super) fn board(mut drafts: Vec<Draft>) -> Board {
    drafts.sort_by(|one, other| one.place.cmp(&other.place));
    let mut rows: Vec<PanelRow> = Vec::new();
    let mut taken = HashSet::new();
    for Draft { place, mut panel } in drafts {
        panel.id = unique(&slug(&panel.title), &mut taken);
        let title = place.title();
        match rows.iter_mut().find(|row| row.title == title) {
            Some(row) => row.panels.push(panel),
            None => rows.push(PanelRow { title, panels: vec![panel] }),
        }
    }
    Board { rows }
}

/// Letters, digits and single hyphens of a title, in lower case. A fingerprint replaces other characters, so that the
/// ids of two titles without letters and digits do not depend on their order.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    let mut is_faithful = true;
    for c in title.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
            continue;
        }
        is_faithful &= matches!(c, ' ' | ',' | '-' | '.' | '(' | ')' | ':' | '/' | '_' | '–' | '°');
        if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    is_faithful &= slug.len() <= LONGEST;
    slug.truncate(LONGEST);
    let slug = slug.trim_end_matches('-');
    if is_faithful && !slug.is_empty() {
        return slug.to_owned();
    }
    let fingerprint = xxhash_rust::xxh3::xxh3_64(title.as_bytes()) >> 40;
    format!("{}-{fingerprint:06x}", if slug.is_empty() { "panel" } else { slug })
}

fn unique(wanted: &str, taken: &mut HashSet<String>) -> String {
    let mut id = wanted.to_owned();
    let mut number = 1_u32;
    while !taken.insert(id.clone()) {
        number += 1;
        id = format!("{wanted}-{number}");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_plain_whatever_the_title_is() {
        for (title, id) in [
            ("Air temperature by height", "air-temperature-by-height"),
            ("Soil temperature, station 1", "soil-temperature-station-1"),
            ("TS(1)", "ts-1"),
        ] {
            assert_eq!(slug(title), id, "{title}");
        }
        let mut ids = HashSet::new();
        for title in ["<b>", "b", "\"b\"", "b\nb", "🌲", "🌳", "", "'; DROP", &"x".repeat(400), "µ"] {
            let id = slug(title);
            assert!(!id.is_empty() && id.len() <= LONGEST + 7, "{title}: {id}");
            assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{title}: {id}");
            assert!(ids.insert(id), "{title}");
        }
    }

    #[test]
    fn two_panels_of_one_title_have_two_ids() {
        let mut taken = HashSet::new();
        assert_eq!(unique("a", &mut taken), "a");
        assert_eq!(unique("a", &mut taken), "a-2");
        assert_eq!(unique("a", &mut taken), "a-3");
    }
}
