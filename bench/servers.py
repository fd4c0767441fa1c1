"""Servers on loopback for the length of a `with`, ended whatever happens."""
import contextlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent


@contextlib.contextmanager
def _running(command, log):
    with open(log, "wb") as out:
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
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
    """Answers 204 to everything. Gives its address; bodies go to the folder `keep`."""
    port_file, log = Path(folder) / "sink.port", Path(folder) / "sink.log"
    port_file.unlink(missing_ok=True)
    with _running([sys.executable, "-B", HERE / "sink.py", port_file, *([keep] if keep else [])], log) as process:
        _wait(process, port_file.exists, log)
        yield f"http://127.0.0.1:{port_file.read_text()}"


def influxd_program():
    return shutil.which("influxd")


@contextlib.contextmanager
def influxd(folder):
    """InfluxDB 1.6 with an empty database `flux`. Gives its address."""
    folder = Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "influxdb.conf").write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:0"\n[meta]\ndir = "{folder}/meta"\n[data]\ndir = "{folder}/data"\n'
        f'wal-dir = "{folder}/wal"\nquery-log-enabled = false\n[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
        '[monitor]\nstore-enabled = false\n')
    url, log = f"http://127.0.0.1:{port}", folder / "server.log"
    with _running([influxd_program(), "run", "-config", folder / "influxdb.conf"], log) as process:
        _wait(process, lambda: _answers(f"{url}/ping"), log)
        query(url, "CREATE DATABASE flux")
        yield url


def query(url, text, database=""):
    """Runs InfluxQL and gives the answer's text."""
    form = urllib.parse.urlencode({"db": database, "q": text}).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/query", form, timeout=120) as answer:
        return answer.read().decode()


def _answers(url):
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5).close()
        return True
    except OSError:
        return False
