//! Which known word a misspelt one was meant for.

/// More than this many suggestions help nobody.
const MOST: usize = 5;

/// The candidates that look like `word`, likeliest first: few letters differ, in any case, or one begins with the
/// other.
pub(crate) fn look_alikes<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let few = (word.chars().count() / 3).max(1);
    let mut alike: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let lower = candidate.to_lowercase();
            let distance = edits(&word, &lower);
            let begins = word.len() > 1 && lower.len() > 1 && (lower.starts_with(&word) || word.starts_with(&lower));
            (distance <= few || begins).then_some((distance, candidate))
        })
        .collect();
    alike.sort();
    alike.truncate(MOST);
    alike.into_iter().map(|(_, candidate)| candidate).collect()
}

/// `"a", "b" or "c"`.
pub(super) fn any_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Insertions, deletions and changes that make `b` of `a` (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, from) in a.chars().enumerate() {
        let mut diagonal = row;
        let mut left = row + 1;
        for (cell, to) in above.iter_mut().skip(1).zip(&b) {
            let best = (diagonal + usize::from(from != *to)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = above.first_mut() {
            *first = row + 1;
        }
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, count) in
            [("", "", 0), ("", "abc", 3), ("kind", "kind", 0), ("knd", "kind", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(edits(a, b), count, "{a} {b}");
            assert_eq!(edits(b, a), count, "{b} {a}");
        }
    }

    #[test]
    fn the_likeliest_comes_first_and_the_unlike_not_at_all() {
        assert_eq!(look_alikes("stale_afer", ["files", "stale_after", "last_line_after"]), ["stale_after"]);
        assert_eq!(look_alikes("PPFD", ["PA", "PPFD_DIF", "PPFD_IN", "TA"]), ["PPFD_IN", "PPFD_DIF"]);
        assert!(look_alikes("colour", ["name", "files"]).is_empty());
    }

    #[test]
    fn words_are_joined_as_one_speaks() {
        assert_eq!(any_of(&["a"]), "\"a\"");
        assert_eq!(any_of(&["a", "b", "c"]), "\"a\", \"b\" or \"c\"");
    }
}
