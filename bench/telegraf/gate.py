"""A proxy before the server: examines what agents write and passes it on, or cannot be reached.

It counts for each bucket the lines, and the values that are not in the file ("torn": half of a line was read and sent).
"""
import gzip
import http.client
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Gate:
    def __init__(self, port=None, truth=None):
        """Passes on to this port of loopback; without a port it answers 204 itself. `truth` holds the values by time."""
        self.port, self.truth = port, truth
        self.is_away = False
        self.lines, self.torn, self.lock = {}, {}, threading.Lock()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def body(self):
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def pass_on(self):
                body = self.body()
                if gate.is_away:
                    self.close_connection = True
                    self.connection.close()
                    return
                if self.path.startswith("/api/v2/write") and body:
                    gate.look(self.path, gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                status, headers, text = (204, {}, b"") if gate.port is None else gate.ask(self.command, self.path, self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = do_DELETE = pass_on

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # A killed agent cuts its connection; that is no error of the proxy.
        self.server.handle_error = lambda *_: None
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def ask(self, method, path, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            passed = {name: value for name, value in headers.items() if name.lower() not in ("host", "connection", "expect", "transfer-encoding", "content-length")}
            connection.request(method, path, body, passed)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        except OSError:
            return 503, {}, b""
        finally:
            connection.close()

    def look(self, path, body):
        bucket = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)["bucket"][0]
        lines = body.decode().splitlines()
        torn = 0
        if self.truth is not None:
            for line in lines:
                head, fields, at = line.rsplit(" ", 2)
                wanted = self.truth.get(int(at))
                if not head.split(",")[0] == "t":
                    continue
                for field in fields.split(","):
                    name, _, value = field.partition("=")
                    if not name.endswith("_qc") and (wanted is None or wanted.get(name) != float(value)):
                        torn += 1
        with self.lock:
            self.lines[bucket] = self.lines.get(bucket, 0) + len(lines)
            self.torn[bucket] = self.torn.get(bucket, 0) + torn

    def close(self):
        self.server.shutdown()
        self.server.server_close()
