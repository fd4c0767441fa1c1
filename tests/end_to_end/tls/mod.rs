//! Certificates: a server whose certificate an own authority signed, and one that asks for ours.
//!
//! The authority, both certificates and their keys lie beside this file; they are for these tests only and hold until
//! 2126. The server is a few lines of rustls, so that what it asks of its client is known.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};
use tempfile::TempDir;

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/tls").join(name)
}

/// Answers every request with 204 until the test ends. Gives its port.
fn serve(asks_for_a_certificate: bool) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = if asks_for_a_certificate {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(beside("ca.pem")).unwrap()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let certificate = CertificateDer::from_pem_file(beside("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(beside("server.key")).unwrap();
    let config = Arc::new(builder.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in listener.incoming().map(Result::unwrap) {
            // A client that does not trust us, or that we do not trust, hangs up here.
            let _ = answer(socket, &config);
        }
    });
    port
}

fn answer(mut socket: TcpStream, config: &Arc<ServerConfig>) -> std::io::Result<()> {
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let mut connection = ServerConnection::new(Arc::clone(config)).map_err(std::io::Error::other)?;
    let mut stream = Stream::new(&mut connection, &mut socket);
    let mut request = Vec::new();
    let mut chunk = [0_u8; 1024];
    // Both requests of `check` have no body.
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut chunk)? {
            0 => return Ok(()),
            count => request.extend_from_slice(&chunk[..count]),
        }
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// What `check` says of the bucket, with these lines in `[destination]`.
fn check(port: u16, lines: &str) -> String {
    let folder = TempDir::new().unwrap();
    for name in ["ca.pem", "client.pem", "client.key"] {
        std::fs::copy(beside(name), folder.path().join(name)).unwrap();
    }
    let both = std::fs::read_to_string(beside("client.pem")).unwrap()
        + &std::fs::read_to_string(beside("client.key")).unwrap();
    std::fs::write(folder.path().join("both.pem"), both).unwrap();
    let config = format!(
        "[station]\nname = \"X\"\nutc_offset = \"+00:00\"\n[destination]\nkind = \"influxdb\"\nurl = \"https://127.0.0.1:{port}\"\n\
         org = \"umbs\"\nbucket = \"tower\"\ntoken_env = \"FLUXTOWER_TEST_TOKEN\"\n{lines}\n[[table]]\nname = \"met\"\nfiles = [\"met.dat\"]\n"
    );
    std::fs::write(folder.path().join("config.toml"), config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
    command.current_dir(folder.path()).args(["check", "--json"]).env("FLUXTOWER_TEST_TOKEN", "not-a-secret");
    let output = crate::support::start(|| command.stdin(Stdio::null()).output());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_server_whose_certificate_an_own_authority_signed_is_trusted_by_ca_file_only() {
    let port = serve(false);
    assert!(check(port, "ca_file = \"ca.pem\"").contains("may be written to"));
    let without = check(port, "");
    assert!(without.contains("UnknownIssuer") && without.contains("give it as `ca_file`"), "{without}");
}

#[test]
fn a_server_that_asks_for_a_certificate_gets_ours_from_two_files_or_one() {
    let port = serve(true);
    for lines in [
        "ca_file = \"ca.pem\"\nclient_cert_file = \"client.pem\"\nclient_key_file = \"client.key\"",
        "ca_file = \"ca.pem\"\nclient_cert_file = \"both.pem\"",
    ] {
        let said = check(port, lines);
        assert!(said.contains("may be written to"), "{said}");
    }
    let without = check(port, "ca_file = \"ca.pem\"");
    assert!(!without.contains("may be written to"), "{without}");
    let keyless = check(port, "ca_file = \"ca.pem\"\nclient_cert_file = \"client.pem\"");
    assert!(keyless.contains("cannot be used for TLS") && !keyless.contains("PRIVATE"), "{keyless}");
}
