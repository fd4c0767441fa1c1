//! The page with its scripts and styles inside.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use crate::view::serve::Assets;

/// Identifies a report of fluxtower.
pub const MARK: &str = "<meta name=\"generator\" content=\"fluxtower report\">";

const STYLE: (&str, &str) = ("<link rel=\"stylesheet\" href=\"/app/", "\">");
const SCRIPT: (&str, &str) = ("<script src=\"/app/", "\" defer></script>");
const CHARSET: &str = "<meta charset=\"utf-8\">";
const END: &str = "</body>";

/// The text before the data, and the text after it.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) head: String,
    pub(super) tail: String,
}

impl Page {
    /// None where the page does not have the expected form.
    pub(super) fn of(assets: &Assets) -> Option<Page> {
        let text = |name: &str| assets.find(name).and_then(|asset| std::str::from_utf8(asset.plain).ok());
        let page = std::str::from_utf8(assets.page()?.plain).ok()?;
        let nonce = nonce();
        let policy = format!(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'nonce-{nonce}'; style-src \
             'nonce-{nonce}'; img-src data:; base-uri 'none'; form-action 'none'\">"
        );
        let page = page.replacen(CHARSET, &format!("{CHARSET}\n{policy}\n{MARK}"), 1);
        let (page, body_end) = page.split_once(END)?;
        let mut head = String::with_capacity(page.len());
        let mut scripts = String::new();
        for line in page.lines() {
            if let Some(name) = between(line, STYLE) {
                head.push_str(&format!("<style nonce=\"{nonce}\">\n{}</style>\n", inert(text(name)?, "style")));
            } else if let Some(name) = between(line, SCRIPT) {
                // Scripts with `defer` run after the body; in the report they are placed after it.
                scripts.push_str(&format!("<script nonce=\"{nonce}\">\n{}</script>\n", inert(text(name)?, "script")));
            } else {
                head.push_str(line);
                head.push('\n');
            }
        }
        if !head.contains(&policy) || head.contains("/app/") {
            return None;
        }
        head.push_str("<script type=\"application/json\" id=\"fluxtower-report\">");
        Some(Page { head, tail: format!("</script>\n{scripts}{END}{body_end}") })
    }
}

fn between<'l>(line: &'l str, (begin, end): (&str, &str)) -> Option<&'l str> {
    line.trim().strip_prefix(begin)?.strip_suffix(end)
}

/// Our own text ends an element only inside a string of a script, where a backslash changes nothing.
fn inert(text: &str, element: &str) -> String {
    text.replace(&format!("</{element}"), &format!("<\\/{element}")).replace("<!--", "<\\!--")
}

/// Random, so that no column name can contain it.
fn nonce() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}
