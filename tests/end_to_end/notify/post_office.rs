//! A mail server on loopback: a few lines of SMTP (RFC 5321), so that what it offers and refuses is known.
//! `tests/real_servers/mail.rs` has a real one.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A mail that was taken.
#[derive(Debug, Clone)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body as they came.
    pub text: String,
    pub is_encrypted: bool,
    pub login: Option<String>,
}

/// How the server behaves.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Whether it offers STARTTLS.
    pub starttls: bool,
    /// Whether it is encrypted from the first byte on.
    pub tls: bool,
    /// The password that it demands.
    pub password: Option<&'static str>,
    /// Addresses that it does not know.
    pub refuses: Vec<&'static str>,
    /// Whether it says that it is too busy for mail.
    pub is_busy: bool,
}

/// A mail server. Rules may change while it runs.
pub struct PostOffice {
    pub port: u16,
    pub rules: Arc<Mutex<Rules>>,
    mails: Arc<Mutex<Vec<Mail>>>,
    logins: Arc<Mutex<usize>>,
}

/// Certificates that the tests of TLS have, too.
pub fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/tls").join(name)
}

impl PostOffice {
    pub fn start(rules: Rules) -> PostOffice {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let office = PostOffice {
            port: listener.local_addr().unwrap().port(),
            rules: Arc::new(Mutex::new(rules)),
            mails: Arc::default(),
            logins: Arc::default(),
        };
        let (rules, mails, logins) = (Arc::clone(&office.rules), Arc::clone(&office.mails), Arc::clone(&office.logins));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                let (rules, mails, logins) = (rules.lock().unwrap().clone(), Arc::clone(&mails), Arc::clone(&logins));
                // A client that hangs up in the middle is none of the server's business.
                std::thread::spawn(move || drop(talk(stream, &Talk { rules, mails, logins })));
            }
        });
        office
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }

    /// How often a client tried a password.
    pub fn logins(&self) -> usize {
        *self.logins.lock().unwrap()
    }
}

struct Talk {
    rules: Rules,
    mails: Arc<Mutex<Vec<Mail>>>,
    logins: Arc<Mutex<usize>>,
}

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

fn encrypted(stream: TcpStream) -> std::io::Result<Box<dyn Wire>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let chain = vec![CertificateDer::from_pem_file(certificate("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificate("server.key")).unwrap();
    let config = builder.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let connection = ServerConnection::new(Arc::new(config)).map_err(std::io::Error::other)?;
    Ok(Box::new(StreamOwned::new(connection, stream)))
}

fn talk(stream: TcpStream, talk: &Talk) -> std::io::Result<()> {
    if talk.rules.tls {
        let mut wire = encrypted(stream)?;
        wire.write_all(b"220 post.example ESMTP\r\n")?;
        return converse(BufReader::new(wire), None, talk);
    }
    let plain = stream.try_clone()?;
    let mut wire: Box<dyn Wire> = Box::new(stream);
    wire.write_all(b"220 post.example ESMTP\r\n")?;
    converse(BufReader::new(wire), Some(plain), talk)
}

/// `plain` is the connection as long as it is not encrypted.
fn converse(mut wire: BufReader<Box<dyn Wire>>, mut plain: Option<TcpStream>, talk: &Talk) -> std::io::Result<()> {
    let rules = &talk.rules;
    let (mut from, mut to, mut login) = (String::new(), Vec::new(), None);
    loop {
        let mut line = String::new();
        if wire.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let upper = line.to_ascii_uppercase();
        let answer = if upper.starts_with("EHLO") {
            let mut offers = vec!["250-post.example"];
            if rules.starttls && plain.is_some() {
                offers.push("250-STARTTLS");
            }
            if rules.password.is_some() && (plain.is_none() || !rules.starttls) {
                offers.push("250-AUTH PLAIN LOGIN");
            }
            offers.push("250 8BITMIME");
            offers.join("\r\n")
        } else if upper == "STARTTLS" {
            wire.get_mut().write_all(b"220 go ahead\r\n")?;
            wire = BufReader::new(encrypted(plain.take().unwrap())?);
            continue;
        } else if let Some(given) = line.strip_prefix("AUTH PLAIN ") {
            *talk.logins.lock().unwrap() += 1;
            let given = String::from_utf8(base64(given)).unwrap();
            let mut parts = given.split('\0').skip(1);
            let (user, password) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            if Some(password) == rules.password {
                login = Some(user.to_owned());
                "235 welcome".to_owned()
            } else {
                "535 5.7.8 Username and Password not accepted".to_owned()
            }
        } else if let Some(address) = line.strip_prefix("MAIL FROM:") {
            address.split(' ').next().unwrap_or_default().trim_matches(['<', '>']).clone_into(&mut from);
            match (rules.is_busy, rules.password.is_some() && login.is_none()) {
                (true, _) => "451 4.3.0 try again later".to_owned(),
                (_, true) => "530 5.7.0 Authentication required".to_owned(),
                _ => "250 ok".to_owned(),
            }
        } else if let Some(address) = line.strip_prefix("RCPT TO:") {
            let address = address.trim_matches(['<', '>']).to_owned();
            if rules.refuses.contains(&address.as_str()) {
                format!("550 5.1.1 {address}: user unknown")
            } else {
                to.push(address);
                "250 ok".to_owned()
            }
        } else if upper == "DATA" {
            wire.get_mut().write_all(b"354 go on\r\n")?;
            let mut text = String::new();
            loop {
                let mut line = String::new();
                if wire.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                if line == ".\r\n" {
                    break;
                }
                text.push_str(line.strip_prefix('.').unwrap_or(&line));
            }
            let to = std::mem::take(&mut to);
            let mail = Mail { from: from.clone(), to, text, is_encrypted: plain.is_none(), login: login.clone() };
            talk.mails.lock().unwrap().push(mail);
            "250 taken".to_owned()
        } else if upper == "QUIT" {
            wire.get_mut().write_all(b"221 bye\r\n")?;
            return Ok(());
        } else {
            "250 ok".to_owned()
        };
        wire.get_mut().write_all(format!("{answer}\r\n").as_bytes())?;
        wire.get_mut().flush()?;
    }
}

fn base64(text: &str) -> Vec<u8> {
    const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for sign in text.bytes().filter(|sign| *sign != b'=') {
        let place = SIGNS.iter().position(|known| *known == sign).expect("not base64");
        bits = bits << 6 | u32::try_from(place).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}
