//! Addresses of servers, and places of secrets. No error repeats what may be a secret (I10).

use std::net::IpAddr;

use url::{Host, Url};

use super::{Read, path_text};

/// Longer than any variable's name, shorter than any token.
const LONGEST_VARIABLE_NAME: usize = 60;

/// Scheme, host and port of a server.
pub(in crate::config) fn server_url(text: &str) -> Read<Url> {
    let url = web_url(text)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user or password; take them out and use user with password_env, or token_env".to_owned());
    }
    let only = format!(
        "{}://{}",
        url.scheme(),
        text.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or("host")
    );
    if url.path() != "/" {
        return Err(format!("holds the path {}; fluxtower adds the path itself, so write \"{only}\"", url.path()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("holds more than scheme, host and port; write \"{only}\""));
    }
    Ok(url)
}

/// Any absolute http or https address.
pub(crate) fn web_url(text: &str) -> Read<Url> {
    let fix = "is not a web address; write it whole, with https:// in front";
    let url = Url::parse(text).map_err(|_| fix)?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(fix.to_owned());
    }
    Ok(url)
}

/// Whether the address is this computer: no other computer can read plain http there.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// The name of an environment variable. Any other text may be the secret itself and must not be repeated.
pub(in crate::config) fn variable_name(text: &str) -> Read<String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = text.chars().next().is_some_and(|c| !c.is_ascii_digit());
    if first && text.chars().all(fine) && text.len() <= LONGEST_VARIABLE_NAME && !text.starts_with("apiv3_") {
        return Ok(text.to_owned());
    }
    Err("must be the name of an environment variable, and not the secret itself; write for example \"INFLUX_TOKEN\" and set \
         that variable"
        .to_owned())
}

/// The name of a file that holds a secret. A token that was written here by mistake must not be repeated.
pub(in crate::config) fn secret_file(text: &str) -> Read<String> {
    if text.ends_with("==") || text.starts_with("apiv3_") {
        return Err("must be the name of a file that holds the secret, and not the secret itself; write for example \
                    \"token.txt\" and put it there"
            .to_owned());
    }
    path_text(text).map_err(|_| {
        "must be the name of a file; write for example 'C:\\fluxtower\\token.txt', in single quotes".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_on_the_server_is_refused_with_the_address_to_write() {
        let problem = server_url("https://host.example:8086/api/v2").unwrap_err();
        assert!(problem.contains("/api/v2") && problem.contains("write \"https://host.example:8086\""), "{problem}");
        for text in ["https://host.example", "https://host.example/", "http://127.0.0.1:8086", "http://[::1]:8181/"] {
            assert!(server_url(text).is_ok(), "{text}");
        }
        for text in [
            "host.example",
            "host.example:8086",
            "ftp://host.example",
            "https://",
            "https://host.example/?db=x",
            "file:///tmp",
        ] {
            assert!(server_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn i10_an_address_with_a_password_is_refused_without_repeating_it() {
        let problem = server_url("https://me:s3cret@host.example").unwrap_err();
        assert!(!problem.contains("s3cret"), "{problem}");
    }

    #[test]
    fn i10_only_this_computer_is_loopback() {
        for text in ["http://localhost:8086", "http://127.0.0.1", "http://127.8.9.1", "http://[::1]:8086"] {
            assert!(is_loopback(&Url::parse(text).unwrap()), "{text}");
        }
        for text in ["http://localhost.example", "http://192.168.1.4", "http://127.0.0.1.example", "http://[::2]"] {
            assert!(!is_loopback(&Url::parse(text).unwrap()), "{text}");
        }
    }

    #[test]
    fn i10_a_token_in_place_of_a_name_is_refused_without_repeating_it() {
        for token in ["s3cret-s3cret==", "apiv3_s3cret", "s3cret s3cret", &"s3cret".repeat(15)] {
            assert!(!variable_name(token).unwrap_err().contains("s3cret"));
        }
        assert!(!secret_file("s3cret==").unwrap_err().contains("s3cret"));
        assert!(variable_name("INFLUX_TOKEN").is_ok() && secret_file("token.txt").is_ok());
    }
}
