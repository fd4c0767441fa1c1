"""Servers on loopback for the duration of a `with`."""
import contextlib
import csv
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
TOKEN = "bench"


@contextlib.contextmanager
def _running(command, log, cwd=None):
    with open(log, "wb") as out:
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait(process, ready, log, seconds=60):
    until = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            sys.exit(f"bench: a server does not start:\n{Path(log).read_text(errors='replace')[-2000:]}")
        time.sleep(0.02)


@contextlib.contextmanager
def sink(folder, keep=None):
    """Answers 204 to everything. Returns its address; bodies go to the folder `keep`."""
    port_file, log = Path(folder) / "sink.port", Path(folder) / "sink.log"
    port_file.unlink(missing_ok=True)
    with _running([sys.executable, "-B", HERE / "sink.py", port_file, *([keep] if keep else [])], log) as process:
        _wait(process, port_file.exists, log)
        yield f"http://127.0.0.1:{port_file.read_text()}"


def destination(url):
    """The body of [destination] for InfluxDB 2 and for the server that answers 204 to everything."""
    os.environ["FLUXTOWER_BENCH_TOKEN"] = TOKEN
    return f'kind = "influxdb"\nurl = "{url}"\norg = "bench"\nbucket = "flux"\ntoken_env = "FLUXTOWER_BENCH_TOKEN"'


class Influxd1:
    """InfluxDB 1.6."""
    label = "InfluxDB 1.6"
    write_path = "/write?db=flux&precision=ns"
    headers = ()

    @staticmethod
    def missing():
        """Why it cannot be run; None if it can."""
        return None if shutil.which("influxd") else "influxd (InfluxDB 1.6, Debian package influxdb) is not installed"

    @staticmethod
    def destination(url):
        return f'kind = "influxdb"\napi = "v1"\nurl = "{url}"\nbucket = "flux"'

    @staticmethod
    @contextlib.contextmanager
    def started(folder):
        """A server with an empty database `flux`. Returns its address."""
        folder, port = _empty(folder), _free_port()
        (folder / "influxdb.conf").write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:0"\n[meta]\ndir = "{folder}/meta"\n[data]\ndir = "{folder}/data"\n'
            f'wal-dir = "{folder}/wal"\nquery-log-enabled = false\n[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
            '[monitor]\nstore-enabled = false\n')
        url, log = f"http://127.0.0.1:{port}", folder / "server.log"
        with _running(["influxd", "run", "-config", folder / "influxdb.conf"], log) as process:
            _wait(process, lambda: _answers(f"{url}/ping"), log)
            _call(f"{url}/query", urllib.parse.urlencode({"q": "CREATE DATABASE flux"}).encode())
            yield url

    @staticmethod
    def value(url, text):
        """Runs a query and returns the only value of its answer; None if it has none."""
        form = urllib.parse.urlencode({"db": "flux", "q": text}).encode()
        series = json.loads(_call(f"{url}/query", form))["results"][0].get("series", [])
        return series[0]["values"][0][1] if series else None

    @classmethod
    def count(cls, url, measurement, field):
        """The number of values of a field."""
        return cls.value(url, f'SELECT count("{field}") FROM "{measurement}"') or 0


class Influxd2:
    """InfluxDB 2.7."""
    label = "InfluxDB 2.7"
    write_path = "/api/v2/write?org=bench&bucket=flux&precision=ns"
    headers = (f"Authorization: Token {TOKEN}",)
    destination = staticmethod(destination)

    @staticmethod
    def missing():
        """Why it cannot be run; None if it can."""
        program = os.environ.get("FLUXTOWER_INFLUXD2", "")
        return None if os.access(program, os.X_OK) else "FLUXTOWER_INFLUXD2 names no program: FLUXTOWER_INFLUXD2=$(tests/influxd2/build)"

    @staticmethod
    def command(folder, port):
        """The command that starts it on the data of this folder."""
        folder = Path(folder)
        return [os.environ["FLUXTOWER_INFLUXD2"], "--bolt-path", folder / "influxd.bolt", "--engine-path", folder / "engine",
                "--sqlite-path", folder / "influxd.sqlite", "--http-bind-address", f"127.0.0.1:{port}", "--reporting-disabled",
                "--log-level", "error"]

    @classmethod
    @contextlib.contextmanager
    def started(cls, folder):
        """A server with the organisation `bench` and an empty bucket `flux`. Returns its address."""
        folder, port = _empty(folder), _free_port()
        url, log = f"http://127.0.0.1:{port}", folder / "server.log"
        # It reads a config.toml in its working folder as its own.
        with _running(cls.command(folder, port), log, folder) as process:
            _wait(process, lambda: _answers(f"{url}/health"), log)
            cls.set_up(url)
            yield url

    @staticmethod
    def set_up(url):
        _call(f"{url}/api/v2/setup", json.dumps({"username": "bench", "password": "eight or more", "org": "bench", "bucket": "flux",
                                                 "token": TOKEN}).encode(), {"Content-Type": "application/json"})

    @staticmethod
    def flux(url, text):
        """Runs Flux and returns the rows of its answer as dictionaries."""
        headers = {"Authorization": f"Token {TOKEN}", "Content-Type": "application/vnd.flux", "Accept": "application/csv"}
        answer, rows = _call(f"{url}/api/v2/query?org=bench", text.encode(), headers).decode(), []
        for block in answer.replace("\r\n", "\n").split("\n\n"):
            if block.strip():
                rows += csv.DictReader(block.splitlines())
        return rows

    @classmethod
    def count(cls, url, measurement, field):
        """The number of values of a field."""
        rows = cls.flux(url, f'from(bucket: "flux") |> range(start: 2000-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z) '
                             f'|> filter(fn: (r) => r._measurement == "{measurement}" and r._field == "{field}") |> count()')
        return sum(int(row["_value"]) for row in rows)


class Nothing:
    """A server that answers 204 at once and stores nothing."""
    label = "a server that answers at once"
    write_path, headers = Influxd2.write_path, Influxd2.headers
    destination = staticmethod(destination)

    @staticmethod
    def missing():
        """It is always available."""

    @staticmethod
    def started(folder):
        """Returns its address."""
        return sink(_empty(folder))

    @staticmethod
    def count(*_):
        """Unknown."""


@contextlib.contextmanager
def far_away(url, folder, milliseconds):
    """The same server behind a link that delays a request and its answer. Returns the address to use."""
    port_file, log = Path(folder) / "delay.port", Path(folder) / "delay.log"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-B", HERE / "delay.py", port_file, url.rsplit(":", 1)[1], milliseconds]
    with _running(command, log) as process:
        _wait(process, port_file.exists, log)
        yield f"http://127.0.0.1:{port_file.read_text()}"


def _empty(folder):
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def _call(url, body, headers=None):
    """Posts a body without a proxy and returns the answer's bytes."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, body, headers or {}), timeout=120) as answer:
        return answer.read()


def _answers(url):
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5).close()
        return True
    except OSError:
        return False
