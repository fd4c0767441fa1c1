//! Suggests known names that are similar to a misspelled one.

/// The most suggestions; more do not help.
const MOST: usize = 5;

/// The candidates that are similar to `word`, the most similar first: they differ in a few letters, ignoring case, or
/// one begins with the other.
pub(crate) fn look_alikes<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let few = (word.chars().count() / 3).max(1);
    let mut alike: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let lower = candidate.to_lowercase();
            // A swap of neighbouring letters counts as one edit.
            let distance = strsim::osa_distance(&word, &lower);
            let begins = word.len() > 1 && lower.len() > 1 && (lower.starts_with(&word) || word.starts_with(&lower));
            (distance <= few || begins).then_some((distance, candidate))
        })
        .collect();
    alike.sort();
    // If only the case or one letter differs, the match is nearly certain, and less similar names would only distract.
    if let Some(likeliest @ (0 | 1)) = alike.first().map(|(distance, _)| *distance) {
        alike.retain(|(distance, _)| *distance <= 2 * likeliest);
    }
    alike.truncate(MOST);
    alike.into_iter().map(|(_, candidate)| candidate).collect()
}

/// `"a", "b" or "c"`.
pub(crate) fn any_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_comes_first_and_the_unlike_not_at_all() {
        assert_eq!(look_alikes("paht", ["path", "puts"]), ["path"], "a swap of neighbours is one edit");
        assert_eq!(look_alikes("stale_afer", ["files", "stale_after", "last_line_after"]), ["stale_after"]);
        assert_eq!(look_alikes("PPFD", ["PA", "PPFD_DIF", "PPFD_IN", "TA"]), ["PPFD_IN", "PPFD_DIF"]);
        assert_eq!(look_alikes("America/Detriot", ["America/Merida", "America/Detroit"]), ["America/Detroit"]);
        assert!(look_alikes("colour", ["name", "files"]).is_empty());
    }

    #[test]
    fn names_are_joined_with_or() {
        assert_eq!(any_of(&["a"]), "\"a\"");
        assert_eq!(any_of(&["a", "b", "c"]), "\"a\", \"b\" or \"c\"");
    }
}
