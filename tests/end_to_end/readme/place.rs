//! A folder with the shipped configuration and samples, the program, and a server that answers well or not at all.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// How a command ended.
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

pub struct Place {
    folder: TempDir,
}

impl Place {
    /// As shipped.
    pub fn with_files() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        std::fs::copy(project.join("config.toml"), folder.path().join("config.toml")).unwrap();
        std::fs::create_dir(folder.path().join("samples")).unwrap();
        for sample in std::fs::read_dir(project.join("samples")).unwrap() {
            let sample = sample.unwrap();
            std::fs::copy(sample.path(), folder.path().join("samples").join(sample.file_name())).unwrap();
        }
        Place { folder }
    }

    /// With InfluxDB 2 as the destination.
    pub fn with_server(answers: &Answers) -> Place {
        let place = Place::with_files();
        let server = format!(
            "kind = \"influxdb\"\nurl = \"http://{}\"\norg = \"umbs\"\nbucket = \"ameriflux_atmospheric\"\ntoken_file = \"token.txt\"",
            answers.address
        );
        place.edit("config.toml", "kind = \"files\"\npath = \"outbox\"", &server);
        place.edit("config.toml", "name = \"46m_par\"\n", "name = \"46m_par\"\nafter = \"move:old\"\n");
        std::fs::write(place.folder.path().join("token.txt"), "secret").unwrap();
        place
    }

    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        assert!(text.contains(from), "{file} has no {from}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    pub fn run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Done {
        run(self.folder.path(), arguments)
    }

    /// What a command that stays up prints first; then it is ended.
    pub fn first_line(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
        command.current_dir(self.folder.path()).args(arguments).stdout(std::process::Stdio::piped());
        let mut child = crate::support::start(|| command.spawn());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        Done { code: 0, stdout: line, stderr: String::new() }
    }

    /// Sends the samples; then come a conflict, a line that is no row, a counter that starts again and a flag by hand.
    pub fn live_through_a_bad_day(&self) {
        assert_eq!(self.run(["run"]).code, 0);
        // An export for AmeriFlux, as somebody sends one.
        let rows = "202506010000,202506010030,20.5\n202506010030,202506010100,-9999\n";
        let upload = self.folder.path().join("US-UMB_HH_202506010000_202506010100.csv");
        std::fs::write(upload, format!("TIMESTAMP_START,TIMESTAMP_END,TA\n{rows}")).unwrap();
        self.append("46m_PARCal.dat", "\"2025-06-21 12:00:05\",418204,1,2,3,4,5\r\ngarbage,1\r\n");
        self.append("soil_30min.dat", "\"2025-06-21 12:30:00\",0,1,2,3,4,5,6,7,8\r\n");
        assert_eq!(self.run(["run"]).code, 1);
        assert_eq!(self.run(["conflicts", "--keep", "newer", "--table", "46m_par"]).code, 0);
        let span = ["--from", "2025-06-21 12:00", "--to", "2025-06-21 12:01"];
        let bird = ["flag", "--table", "46m_par", "--column", "PPFD", "--as", "4", "--reason", "bird on the sensor"];
        assert_eq!(self.run(bird.into_iter().chain(span)).code, 0);
    }

    fn append(&self, sample: &str, lines: &str) {
        let path = self.folder.path().join("samples").join(sample);
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(lines.as_bytes()).unwrap();
    }
}

fn run(folder: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fluxtower"));
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(variable);
    }
    command.current_dir(folder).args(arguments);
    let output = crate::support::start(|| command.output());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().replace("\r\n", "\n");
    Done { code: output.status.code().unwrap(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// What `fluxtower PATH --help` prints.
pub fn help(path: &[String]) -> String {
    let arguments = path.iter().map(String::as_str).chain(["--help"]);
    let done = run(Path::new(env!("CARGO_MANIFEST_DIR")), arguments);
    assert_eq!(done.code, 0, "{}", done.stderr);
    done.stdout.replace("fluxtower.exe", "fluxtower")
}

/// The names under `Commands:`, `help` left out.
pub fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// Every command and group of commands, the program itself first.
pub fn command_paths() -> Vec<Vec<String>> {
    let mut paths = vec![Vec::new()];
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        let inside = subcommands(&help(&path)).into_iter().map(|name| [path.clone(), vec![name]].concat());
        let inside: Vec<_> = inside.collect();
        next += 1;
        paths.splice(next..next, inside);
    }
    paths
}

/// The long options, `--help` and `--version` left out.
pub fn flags(help: &str) -> std::collections::BTreeSet<String> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = lines.flat_map(|line| line.split([' ', ',', '.']).take(3).collect::<Vec<_>>());
    let long = words.filter(|word| word.starts_with("--") && !["--help", "--version"].contains(word));
    long.map(str::to_owned).collect()
}

/// Enough of InfluxDB 2 for the examples: every write is taken, and nothing is ever in the bucket.
pub struct Answers {
    address: SocketAddr,
}

impl Answers {
    pub fn start() -> Answers {
        Answers::listen(false)
    }

    /// Every write is answered with 401.
    pub fn refusing() -> Answers {
        Answers::listen(true)
    }

    fn listen(refuses: bool) -> Answers {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(stream, refuses));
            }
        });
        Answers { address }
    }
}

/// A client that goes away early is its own trouble.
fn answer(mut stream: TcpStream, refuses: bool) -> Option<()> {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    let end = loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        let length = stream.read(&mut piece).ok().filter(|length| *length > 0)?;
        request.extend_from_slice(&piece[..length]);
    };
    let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let missing = (end + length).saturating_sub(request.len());
    std::io::copy(&mut (&mut stream).take(missing as u64), &mut std::io::sink()).ok()?;
    let (status, kind, body) = reply(head.lines().next()?, refuses);
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .ok()
}

fn reply(request: &str, refuses: bool) -> (&'static str, &'static str, String) {
    const JSON: &str = "application/json";
    match request.split(['?', ' ']).take(2).collect::<Vec<_>>().as_slice() {
        ["post", "/api/v2/write"] if refuses => {
            ("401 Unauthorized", JSON, r#"{"code":"unauthorized","message":"unauthorized access"}"#.to_owned())
        }
        ["post", "/api/v2/write"] => ("204 No Content", JSON, String::new()),
        ["post", "/api/v2/query"] => ("200 OK", "text/csv; charset=utf-8", "\r\n".to_owned()),
        ["post", "/api/v2/buckets"] => ("201 Created", JSON, "{}".to_owned()),
        ["get", "/api/v2/orgs"] => ("200 OK", JSON, r#"{"orgs":[{"id":"0123456789abcdef","name":"umbs"}]}"#.to_owned()),
        ["get", "/api/v2/buckets"] => {
            let named = request.split(['?', '&', ' ']).find_map(|part| part.strip_prefix("name="));
            let name = named.unwrap_or("ameriflux_atmospheric");
            (
                "200 OK",
                JSON,
                format!(r#"{{"buckets":[{{"id":"04d1a1b2c3d4e5f6","name":"{name}","retentionRules":[]}}]}}"#),
            )
        }
        _ => ("404 Not Found", JSON, "{}".to_owned()),
    }
}
