//! Mail to a server that other people wrote: aiosmtpd, the SMTP server of the Python community, as Debian packages it. It wants
//! STARTTLS and a password, and Python's own library reads the mail that arrived.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::support::{DAT, Logger, Station};

const SERVER: &str = r#"
import asyncio, email, email.policy, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult

class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone"):
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        say(to=envelope.rcpt_tos, sender=envelope.mail_from, subject=mail["subject"], body=mail.get_content(),
            automatic=mail["auto-submitted"], id=mail["message-id"], date=mail["date"], encrypted=session.ssl is not None)
        return "250 OK"

def say(**what):
    print(json.dumps(what), flush=True)

def login(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"tower" and data.password == b"right", handled=False)

async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    factory = lambda: SMTP(Handler(), tls_context=context, require_starttls=True, auth_required=True, authenticator=login)
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    say(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()

asyncio.run(main())
"#;

/// The server; it ends with the test.
struct Smtpd {
    process: Child,
    port: u64,
    mails: Receiver<Value>,
}

impl Smtpd {
    fn start() -> Smtpd {
        let python =
            std::env::var("FLUXTOWER_AIOSMTPD").expect("FLUXTOWER_AIOSMTPD must name a Python that has aiosmtpd");
        let certificates = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/tls");
        let mut command = Command::new(python);
        command.args(["-c", SERVER]).arg(certificates.join("server.pem")).arg(certificates.join("server.key"));
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (say, mails) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = say.send(serde_json::from_str(&line).unwrap());
            }
        });
        let first: Value = mails.recv_timeout(Duration::from_secs(60)).expect("the mail server did not start");
        Smtpd { process, port: first["port"].as_u64().unwrap(), mails }
    }

    fn next(&self) -> Value {
        self.mails.recv_timeout(Duration::from_secs(30)).expect("no mail came")
    }
}

impl Drop for Smtpd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "needs real servers, see .ci/run"]
fn findings_reach_a_real_mail_server_over_starttls_with_a_password_and_are_read_by_another_library() {
    let server = Smtpd::start();
    let mut station = Station::new().with(|sections| "Hochmoor Süd".clone_into(&mut sections.name)).sync(&format!(
        "[notify]\nsmtp_host = \"localhost\"\nsmtp_port = {}\nsmtp_user = \"tower\"\nsmtp_password_env = \"FLUXTOWER_TEST_SMTP\"\n\
         smtp_from = \"tower@example.edu\"\nsmtp_to = [\"gone@example.edu\", \"Anna Köhler <anna@example.edu>\"]\nca_file = \"ca.pem\"",
        server.port
    ));
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/tls/ca.pem");
    std::fs::copy(ca, station.path("ca.pem")).unwrap();
    station.write(DAT, Logger::par().file(0..10));
    let _ = station.run(&["ingest"]).expect(0);
    station.write(DAT, "\"TOB1\",\"64291\",\"CR1000X\"\r\n");

    station.set_variable("FLUXTOWER_TEST_SMTP", "wrong");
    let said = station.run(&["check", "--notify"]).expect(1).stdout;
    assert!(said.contains("535") && said.contains("it does not take user tower"), "{said}");

    station.set_variable("FLUXTOWER_TEST_SMTP", "right");
    let said = station.run(&["run"]).expect(1).stdout;
    assert!(
        said.contains("1 notification to gone@example.edu is pending") && said.contains("no such user here"),
        "{said}"
    );
    let mail = server.next();
    assert_eq!(mail["to"], serde_json::json!(["anna@example.edu"]));
    assert_eq!((&mail["encrypted"], &mail["automatic"]), (&true.into(), &"auto-generated".into()));
    let subject = mail["subject"].as_str().unwrap();
    assert!(subject.starts_with("Hochmoor Süd: problem: ") && subject.contains(DAT), "{mail}");
    assert!(mail["body"].as_str().unwrap().contains("is TOB1"), "{mail}");
    assert!(mail["id"].as_str().unwrap().ends_with("@example.edu>"), "{mail}");

    station.write(DAT, Logger::par().file(0..12));
    let _ = station.run(&["run"]).works();
    let subject = server.next()["subject"].as_str().unwrap().to_owned();
    assert!(subject.starts_with("Hochmoor Süd: cleared: "), "{subject}");
}
