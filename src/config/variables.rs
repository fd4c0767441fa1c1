//! Replaces `${NAME}` in values by environment variables.
//!
//! In the keys whose rows in [`super::keys`] say so, no `${` reaches the rest of the program: it is replaced by the
//! variable's text, or it is an error with file, line and key. So no row is sent to a bucket named `${BUCKET}`. Only
//! keys that say where rows and messages are sent and which station this is accept variables, because a column or a
//! unit may have any name, including `${`. The keys that name a variable themselves (`token_env`, `password_env`) and
//! the files of secrets accept none, because a secret must not become part of a name that messages show.

use std::ops::Range;

use toml::Spanned;

use super::ConfigError;
use super::file::{File, Part};
use super::place::{Section, Source};
use super::value;

/// Replaces the variables in the keys whose rows allow it.
pub(super) fn fill(source: &Source<'_>, file: &mut File) -> Result<(), ConfigError> {
    let at = |name: &str, span: Range<usize>| Section::new(source, name, Some(span.start));
    if let Some(found) = &mut file.station {
        fill_all(&at("[station]", found.span()), found.get_mut().texts_with_variables())?;
    }
    if let Some(found) = &mut file.destination {
        fill_all(&at("[destination]", found.span()), found.get_mut().texts_with_variables())?;
    }
    if let Some(found) = &mut file.notify {
        fill_all(&at("[notify]", found.span()), found.get_mut().texts_with_variables())?;
    }
    for found in &mut file.bucket {
        fill_all(&at("[[bucket]]", found.span()), found.get_mut().texts_with_variables())?;
    }
    for found in &mut file.table {
        fill_all(&at("[[table]]", found.span()), found.get_mut().texts_with_variables())?;
    }
    Ok(())
}

fn fill_all(at: &Section<'_>, texts: Vec<(&'static str, Part<'_>)>) -> Result<(), ConfigError> {
    for (key, Part { name, text }) in texts {
        match name {
            Some(name) => fill_one(at, &format!("{key}: {name}"), text)?,
            None => fill_one(at, key, text)?,
        }
    }
    Ok(())
}

fn fill_one(at: &Section<'_>, key: &str, text: &mut Spanned<String>) -> Result<(), ConfigError> {
    if !text.get_ref().contains("${") {
        return Ok(());
    }
    let filled = filled(text.get_ref(), |name| std::env::var(name).ok())
        .map_err(|problem| at.wrong(&text.span(), format!("{key} {problem}")))?;
    *text.get_mut() = filled;
    Ok(())
}

/// The text with each `${NAME}` replaced, or the rest of a sentence that begins with the key.
fn filled(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (name, behind) = after
            .split_once('}')
            .ok_or("holds \"${\" without \"}\"; write ${NAME}, the name of an environment variable")?;
        // A text that is not a valid name may be a secret, so it is not repeated.
        let name = value::variable_name(name).map_err(|_| {
            "holds \"${...}\" with something else than a name inside; write ${NAME}, the name of an environment variable"
        })?;
        match variable(&name) {
            Some(found) if !found.trim().is_empty() => out.push_str(&found),
            Some(_) => return Err(format!("needs the environment variable {name}, which is empty; {}", fix(&name))),
            None => {
                return Err(format!(
                    "needs the environment variable {name}, which is not set for this process; {}",
                    fix(&name)
                ));
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

fn fix(name: &str) -> String {
    format!(
        "write the value itself here, or set {name} for the account that runs fluxtower (Windows: `setx {name} \"...\"`, \
         then restart the task)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_wherever_they_stand_in_a_value() {
        let known = |name: &str| match name {
            "SITE" => Some("us-umb".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (text, expected) in [
            ("${SITE}", "us-umb"),
            ("tower_${SITE}_fast", "tower_us-umb_fast"),
            ("${SITE}${SITE}", "us-umbus-umb"),
            ("$SITE", "$SITE"),
            ("plain", "plain"),
        ] {
            assert_eq!(filled(text, known).as_deref(), Ok(expected), "{text}");
        }
        for (text, said) in [
            ("${OTHER}", "needs the environment variable OTHER, which is not set"),
            ("${EMPTY}", "which is empty"),
            ("${SITE", "without \"}\""),
            ("${a b}", "something else than a name"),
            ("${}", "something else than a name"),
        ] {
            let problem = filled(text, known).unwrap_err();
            assert!(problem.contains(said), "{text}: {problem}");
        }
    }

    #[test]
    fn i10_what_stands_between_the_braces_and_is_no_name_is_not_repeated() {
        assert!(!filled("${s3cret==}", |_| None).unwrap_err().contains("s3cret"));
    }
}
