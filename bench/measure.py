"""Runs programs, measures time and memory, and compares ratios with limits."""
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = Path(os.environ.get("FLUXTOWER", "fluxtower")).absolute()
FAILED = []
NOT_RUN = []


# What the benchmark itself may hold, in MB, so that it can measure the memory of a program.
OWN_MEMORY = 40


class Usage:
    """The cost of one process: wall-clock seconds, CPU seconds (user and system), and its peak memory."""

    def __init__(self, wall, cpu, peak, out):
        self.wall, self.cpu, self.peak, self.out = wall, cpu, peak, out

    @property
    def memory(self):
        """Peak memory in MB. Linux counts the pages that the process had before it became the program: those of the benchmark."""
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if own > OWN_MEMORY:
            sys.exit(f"bench: the benchmark itself held {own:.0f} MB, so the memory of a program cannot be measured below that")
        return self.peak

    def json(self):
        return json.loads(self.out)


def run(command, exits=(0,), stdin=None, cwd=None, env=None):
    """Runs a program to its end; any exit code other than `exits` ends the benchmark."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        source = subprocess.DEVNULL if stdin is None else open(stdin, "rb")
        process = subprocess.Popen([str(part) for part in command], stdin=source, stdout=out, stderr=err, cwd=cwd, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if stdin is not None:
            source.close()
        out.seek(0)
        text = out.read()
        if process.returncode not in exits:
            err.seek(0)
            text = err.read().decode(errors="replace")[-3000:]
            sys.exit(f"bench: {' '.join(map(str, command))} ended with {process.returncode}:\n{text}")
        return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


class Station:
    """A folder with a configuration."""

    FOLDER_OF_LINES = 'kind = "files"\npath = "outbox"'

    def __init__(self, folder, tables, destination=FOLDER_OF_LINES):
        self.folder = Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.configure(tables, destination)

    def configure(self, tables, destination=FOLDER_OF_LINES):
        (self.folder / "config.toml").write_text(
            '[station]\nname = "bench"\nutc_offset = "-05:00"\n[store]\npath = "s.db"\n'
            f'[destination]\n{destination}\n[sync]\ndeadline = "60m"\n{tables}', encoding="utf-8")

    def __call__(self, *arguments, exits=(0,)):
        return run([PROGRAM, "--config", self.folder / "config.toml", "--quiet", "--json", *arguments], exits)


def table(name, files, columns=(), low=-50, high=950):
    """A [[table]]; `columns` get a range test."""
    text = f'[[table]]\nname = "{name}"\nfiles = ["{files}"]\n'
    for column in columns:
        text += f'[table.columns.{column}]\nsuspect = [{low}, {high}]\nfail = [{low * 2}, {high * 1.1:.0f}]\n'
    return text


class Judge:
    """Prints ratios and records those over their limit."""

    def __init__(self, quick):
        # A short run on a busy machine is noisy; it is meant to find large regressions.
        self.slack = 2.0 if quick else 1.0

    def most(self, what, value, limit, how="", slack=True):
        self._say(what, value, f"<= {limit:g}", value <= limit * (self.slack if slack else 1), how)

    def least(self, what, value, limit, how=""):
        self._say(what, value, f">= {limit:g}", value >= limit / self.slack, how)

    def _say(self, what, value, limit, good, how):
        print(f"{'PASS' if good else 'FAIL'}  {what:<58} {value:9.3f}  (limit {limit})  {how}", flush=True)
        if not good:
            FAILED.append(what)


def note(text):
    print(f"      {text}", flush=True)


def not_run(what, why):
    print(f"\n!!!!  NOT RUN: {what}: {why}\n", flush=True)
    NOT_RUN.append(what)


def median(numbers):
    return statistics.median(numbers)
