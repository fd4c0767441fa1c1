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
    // Capital letters or one slip of a finger leave little doubt, so that what is merely similar would only distract.
    if let Some(likeliest @ (0 | 1)) = alike.first().map(|(distance, _)| *distance) {
        alike.retain(|(distance, _)| *distance <= 2 * likeliest);
    }
    alike.truncate(MOST);
    alike.into_iter().map(|(_, candidate)| candidate).collect()
}

/// `"a", "b" or "c"`.
pub(crate) fn any_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Insertions, deletions, changes and swaps of neighbours that make `b` of `a` (optimal string alignment).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut above_that: Vec<usize> = Vec::new();
    let mut before = None;
    for (row, from) in a.chars().enumerate() {
        let mut line = vec![row + 1];
        for (at, to) in b.iter().enumerate() {
            let cell = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (cell(&above, at) + usize::from(from != *to)).min(cell(&line, at) + 1).min(cell(&above, at + 1) + 1);
            let is_swap = at > 0 && before == Some(*to) && b.get(at - 1) == Some(&from);
            if is_swap {
                best = best.min(cell(&above_that, at - 1) + 1);
            }
            line.push(best);
        }
        above_that = std::mem::replace(&mut above, line);
        before = Some(from);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, count) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kind", "kind", 0),
            ("knd", "kind", 1),
            ("kitten", "sitting", 3),
            ("paht", "path", 1),
        ] {
            assert_eq!(edits(a, b), count, "{a} {b}");
            assert_eq!(edits(b, a), count, "{b} {a}");
        }
    }

    #[test]
    fn the_likeliest_comes_first_and_the_unlike_not_at_all() {
        assert_eq!(look_alikes("stale_afer", ["files", "stale_after", "last_line_after"]), ["stale_after"]);
        assert_eq!(look_alikes("PPFD", ["PA", "PPFD_DIF", "PPFD_IN", "TA"]), ["PPFD_IN", "PPFD_DIF"]);
        assert_eq!(look_alikes("America/Detriot", ["America/Merida", "America/Detroit"]), ["America/Detroit"]);
        assert!(look_alikes("colour", ["name", "files"]).is_empty());
    }

    #[test]
    fn words_are_joined_as_one_speaks() {
        assert_eq!(any_of(&["a"]), "\"a\"");
        assert_eq!(any_of(&["a", "b", "c"]), "\"a\", \"b\" or \"c\"");
    }
}
