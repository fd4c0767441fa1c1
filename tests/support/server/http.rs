//! As much of HTTP/1.1 as a write client speaks.

use std::io::Read as _;
use std::net::TcpStream;

/// Longest head that is read.
const MOST_HEAD: usize = 64 * 1024;

#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    pub(super) fn is_write(&self) -> bool {
        let path = self.path.split('?').next().unwrap_or_default();
        self.method == "POST" && matches!(path, "/write" | "/api/v2/write" | "/api/v3/write_lp")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Of the query; only plain text is understood.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.path.split_once('?')?;
        query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
    }
}

pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Byte by byte, so that the body stays in the socket: closing a socket with unread bytes is what resets a connection.
pub(super) fn read_head(mut stream: &TcpStream) -> Option<Head> {
    let mut bytes = Vec::new();
    let mut byte = [0_u8; 1];
    while !bytes.ends_with(b"\r\n\r\n") {
        if bytes.len() > MOST_HEAD || stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let text = String::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    Some(Head { method, path, headers })
}

/// None if it does not arrive whole.
pub(super) fn read_body(mut stream: &TcpStream, head: &Head) -> Option<Vec<u8>> {
    let length = head.header("content-length").map_or(Some(0), |text| text.parse().ok())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}
