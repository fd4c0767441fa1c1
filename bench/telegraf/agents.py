"""The compared agents: how each is configured, started, killed and measured.

All of them read one TOA5 file that is overwritten, as LoggerNet does, look for a change four times a second and send to
InfluxDB 2.7 with gzip. Telegraf has the best configuration that we found: columns are named and typed by hand, the logger's
clock is given, lines that are not rows are skipped.
"""
import atexit
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

COLUMNS = [f"v{number}" for number in range(16)]
TICK = os.sysconf("SC_CLK_TCK")
STARTED = []


@atexit.register
def _end_all():
    """Ends every agent, however the comparison ends."""
    for process in STARTED:
        if process.poll() is None:
            process.kill()
            process.wait()


class Agent:
    """A program with its own folder and its own bucket."""

    def __init__(self, work, kind, data, url, bucket=None):
        self.kind, self.data, self.url = kind, data, url
        self.bucket = bucket or kind.bucket
        self.folder = Path(work) / self.bucket
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.process = None
        self.command = kind.configure(self)

    def start(self):
        log = open(self.folder / "agent.log", "ab")
        environment = {**os.environ, "BENCH_TOKEN": "bench", "NO_PROXY": "*"}
        self.process = subprocess.Popen([str(part) for part in self.command], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=log)
        STARTED.append(self.process)
        log.close()

    def kill(self):
        """Kills it, as a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it as a service manager does. Returns its CPU seconds and its peak memory in MB."""
        # The peak that wait4 reports includes this process, which started it.
        peak = int(Path(f"/proc/{self.process.pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
        self.process.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return usage.ru_utime + usage.ru_stime, peak

    def cpu(self):
        """CPU seconds until now."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self):
        """MB in memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class Fluxtower:
    label, bucket = "fluxtower run --watch", "fluxtower"

    @staticmethod
    def configure(agent):
        (agent.folder / "config.toml").write_text(
            '[station]\nname = "bench"\nutc_offset = "+00:00"\n[store]\npath = "s.db"\n'
            f'[destination]\nkind = "influxdb"\nurl = "{agent.url}"\norg = "bench"\nbucket = "{agent.bucket}"\ntoken_env = "BENCH_TOKEN"\n'
            f'[sync]\nhealth = false\n[[table]]\nname = "t"\nfiles = ["{agent.data}"]\n', encoding="utf-8")
        return [os.environ["FLUXTOWER"], "--config", agent.folder / "config.toml", "--quiet", "run", "--watch"]


def _telegraf(agent, agent_keys, input_keys, more=""):
    names = ", ".join(f'"{name}"' for name in ["TIMESTAMP", "RECORD", *COLUMNS])
    types = ", ".join(['"string"', '"string"', *['"float"'] * len(COLUMNS)])
    (agent.folder / "telegraf.conf").write_text(
        '[agent]\ninterval = "250ms"\nflush_interval = "1s"\nmetric_batch_size = 5000\nomit_hostname = true\n'
        f'statefile = "{agent.folder}/state.json"\n{agent_keys}\n{input_keys}\n'
        f'name_override = "t"\ndata_format = "csv"\ncsv_skip_errors = true\ncsv_column_names = [{names}]\n'
        f'csv_column_types = [{types}]\ncsv_tag_columns = ["RECORD"]\ncsv_timestamp_column = "TIMESTAMP"\n'
        'csv_timestamp_format = "2006-01-02 15:04:05"\ncsv_timezone = "UTC"\n'
        f'{more}\n[[outputs.influxdb_v2]]\nurls = ["{agent.url}"]\ntoken = "bench"\norganization = "bench"\nbucket = "{agent.bucket}"\n'
        'content_encoding = "gzip"\ntagexclude = ["RECORD"]\n', encoding="utf-8")
    return [os.environ["TELEGRAF"], "--config", agent.folder / "telegraf.conf", "--quiet"]


class Tail:
    """The configuration that most users write first. It polls, because Windows needs that."""
    label, bucket = "Telegraf, tail", "tail"

    @staticmethod
    def configure(agent):
        return _telegraf(agent, "metric_buffer_limit = 1000000", f'[[inputs.tail]]\nfiles = ["{agent.data}"]\n'
                         'initial_read_offset = "saved-or-beginning"\nwatch_method = "poll"\npath_tag = ""\nmax_undelivered_lines = 100000')


class TailDisk:
    label, bucket = "Telegraf, tail, disk buffer", "tail_disk"

    @staticmethod
    def configure(agent):
        return _telegraf(agent, f'metric_buffer_limit = 1000000\nbuffer_strategy = "disk"\nbuffer_directory = "{agent.folder}/buffer"',
                         f'[[inputs.tail]]\nfiles = ["{agent.data}"]\ninitial_read_offset = "saved-or-beginning"\nwatch_method = "poll"\n'
                         'path_tag = ""\nmax_undelivered_lines = 100000')


class Best:
    """The best configuration that we found: it reads the whole file, drops known record numbers and buffers on disk."""
    label, bucket = "Telegraf, file, dedup, disk buffer", "file_dedup_disk"

    @staticmethod
    def configure(agent):
        return _telegraf(agent, f'metric_buffer_limit = 1000000\nbuffer_strategy = "disk"\nbuffer_directory = "{agent.folder}/buffer"',
                         f'[[inputs.file]]\nfiles = ["{agent.data}"]', '[[processors.dedup]]\ndedup_interval = "24h"')


ALL = (Fluxtower, Best, TailDisk, Tail)


def wait(condition, seconds):
    """Whether the condition became true in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
