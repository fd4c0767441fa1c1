//! Decides which requests are allowed. The page has no password, so only this computer may send requests, and in its
//! browser only the page itself.
//!
//! Any web site can make a browser send a request to `127.0.0.1`, and can let a name of its own resolve to that address
//! (DNS rebinding). Against rebinding, the Host header must have a name that is certainly this server's: a rebound
//! request has the other site's. Against requests of other sites, the browser's headers about the origin of a request
//! (Origin, Sec-Fetch-Site) must name this server, or the address bar. A link on another site may lead to the page, and
//! to nothing else.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

/// The path of each of several stations begins with this, followed by its name.
pub(super) const STATION: &str = "/station/";

/// The rules of one server.
#[derive(Debug)]
pub(super) struct Gate {
    /// Names in addition to this computer's own.
    hosts: Vec<String>,
    /// Whether it listens for other computers, whose users may type its IP address. An IP address cannot be rebound.
    takes_numbers: bool,
}

/// Why a request is rejected: the status and a sentence.
pub(super) type Refusal = (StatusCode, &'static str);

impl Gate {
    pub(super) fn new(bind: IpAddr, hosts: &[String]) -> Gate {
        Gate { hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(), takes_numbers: !bind.is_loopback() }
    }

    pub(super) fn refusal(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Refusal> {
        if *method != Method::GET && *method != Method::HEAD {
            return Some((StatusCode::METHOD_NOT_ALLOWED, "this server is read-only: use GET or HEAD"));
        }
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().unwrap_or_default(),
            _ => return Some((StatusCode::BAD_REQUEST, "a request must have exactly one Host header")),
        };
        let named_too = uri.authority().map(axum::http::uri::Authority::as_str);
        if !self.is_ours(host) || !named_too.is_none_or(|named| self.is_ours(named)) {
            return Some((
                StatusCode::MISDIRECTED_REQUEST,
                "this server does not accept this Host; see `fluxtower serve --host`",
            ));
        }
        let elsewhere = Some((StatusCode::FORBIDDEN, "requests from other sites are not allowed"));
        for origin in headers.get_all(header::ORIGIN) {
            let origin = origin.to_str().unwrap_or_default();
            let named = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            if !named.is_some_and(|named| named == host && self.is_ours(named)) {
                return elsewhere;
            }
        }
        let says = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        match says("sec-fetch-site") {
            None | Some(b"same-origin" | b"none") => None,
            // The user followed a link.
            Some(_)
                if is_front(uri.path())
                    && says("sec-fetch-mode") == Some(b"navigate")
                    && says("sec-fetch-dest") == Some(b"document") =>
            {
                None
            }
            Some(_) => elsewhere,
        }
    }

    /// Whether it is `NAME` or `NAME:PORT` with one of this server's names. Any port is accepted, because an ssh tunnel
    /// may use another one.
    fn is_ours(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (host, None),
        };
        let is_port = |port: &str| {
            !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
        };
        if !port.is_none_or(is_port) {
            return false;
        }
        let name = name.to_ascii_lowercase();
        let number =
            name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name).parse::<IpAddr>().ok();
        matches!(name.as_str(), "localhost" | "127.0.0.1" | "[::1]")
            || (self.takes_numbers && number.is_some())
            || self.hosts.contains(&name)
    }
}

/// Whether it is a page to which a link may lead: the only one, or that of one of several stations.
fn is_front(path: &str) -> bool {
    let station = path.strip_prefix(STATION).and_then(|rest| rest.strip_suffix('/'));
    path == "/" || station.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_may_lead_to_a_page_and_to_nothing_else() {
        for (path, is) in [
            ("/", true),
            ("/station/US-UMB/", true),
            ("/station/", false),
            ("/station//", false),
            ("/station/US-UMB", false),
            ("/station/US-UMB/api/status", false),
            ("/station/US-UMB/api/", false),
            ("/api/status", false),
        ] {
            assert_eq!(is_front(path), is, "{path}");
        }
    }

    #[test]
    fn only_names_that_are_certainly_ours_are_accepted() {
        let gate = Gate::new(IpAddr::from([127, 0, 0, 1]), &["Tower.local".to_owned()]);
        for host in ["localhost", "localhost:8642", "127.0.0.1:1", "[::1]", "[::1]:8642", "LOCALHOST", "tower.local:80"]
        {
            assert!(gate.is_ours(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "evil.example:8642",
            "127.0.0.1.evil.example",
            "localhost:",
            "localhost:x",
            "localhost:99999",
            "127.0.0.2",
            "192.168.1.5",
            "[::2]",
            "::1",
            "localhost:1:2",
            "localhost@evil.example",
            " localhost",
            "0.0.0.0",
        ] {
            assert!(!gate.is_ours(host), "{host}");
        }
        let open = Gate::new(IpAddr::from([0, 0, 0, 0]), &[]);
        assert!(open.is_ours("192.168.1.5:8642") && open.is_ours("[fe80::1]") && !open.is_ours("evil.example"));
    }
}
