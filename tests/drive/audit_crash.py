#!/usr/bin/env python3
"""Kill the log's writer at any instruction, and cut its power at any write.

usage: audit_crash.py [--kills N] [--cuts N] [--seed N] BIN

The writer (audit_crash.c) appends and syncs groups of intents as fast as it
can and tells which are on disk: then they count as acted upon. After every end
the log has to be good up to its end, or torn there; everything that was told
is in it, every effect's intent is; and the next start goes on behind it, with
the torn region set aside.

Power is cut by a file system of its own (cut_fs.c) that forgets what was not
synced. A writer that does not sync has to fail there, or the test shows
nothing.
"""
import argparse
import functools
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import harness
from harness import Skipped, check, equal

ROUND_SECONDS = 30
CONTROL_CUTS = 20  # one of them has to lose something
OPERATIONS = 700  # changes before the power is cut, at most
ROUNDS = 50  # with one log, which grows; then it is another one


class Lost(Exception):
    """The log lacks what was told."""


class Log:
    """What was told of a log over all its ends, and the records in it."""

    def __init__(self, executor, folder):
        self.executor, self.folder = executor, folder
        self.root = None
        self.acks, self.effects = {}, set()
        self.rounds = self.torn = self.saved = 0
        self.lineages = {}

    def hear(self, text):
        """The writer's words; the last line may be cut."""
        for line in text.split("\n")[:-1]:
            word = line.split(" ")
            if word[0] == "ack":
                self.acks[int(word[1])] = word[2]
            elif word[0] == "effect":
                self.effects.add(int(word[1]))
            elif word[0] == "open":
                self.saved += word[2] != "0"
                self.lineages[word[3]] = self.lineages.get(word[3], 0) + 1

    def verify(self):
        command = [self.executor, "audit", "verify", "--json", "--dir",
                   self.folder]
        if self.root:
            command += ["--root", self.root]
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=60,
                              universal_newlines=True)
        if done.returncode not in (0, 1):
            raise Lost("verify: status %d" % done.returncode)
        return json.loads(done.stdout)

    def records(self, last):
        """{seq: (hash, kind)} of the good ones."""
        found = {}
        for path in sorted(self.folder.glob("segment-*.jsonl")):
            for line in path.read_bytes().split(b"\n"):
                if line[:9] != b'{"hash":"' or line[-1:] != b"}":
                    continue
                seq = int(line[156:172], 16)
                if seq <= last:
                    found.setdefault(seq, (line[9:73].decode(),
                                           line[216:222].decode()))
        return found

    def look(self):
        """After an end: nothing that was told may be missing."""
        self.rounds += 1
        result = self.verify()
        if result["damage"] not in ("none", "torn"):
            raise Lost("damage: %r" % result)
        self.torn += result["damage"] == "torn"
        self.root = self.root or result["root"]
        last = int(result["last"], 16)
        there = self.records(last)
        first = min(there, default=1)
        for seq, digest in self.acks.items():
            if seq >= first and there.get(seq, (None,))[0] != digest:
                raise Lost("record %d was acknowledged; the log ends at %d"
                           % (seq, last))
        for seq in self.effects:
            if seq >= first and there.get(seq, (0, ""))[1] != "intent":
                raise Lost("effect without its intent %d" % seq)
        return last


class Writer:
    """The process, its words kept in a file outside of the log."""

    def __init__(self, program, folder, seed, words):
        self.words = words
        with open(words, "wb") as out:
            self.process = subprocess.Popen(
                [program, folder, str(seed)], stdout=out,
                stderr=subprocess.PIPE, universal_newlines=True)

    def text(self):
        return self.words.read_text()

    def await_word(self, seconds):
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and not self.words.stat().st_size:
            check(time.monotonic() < deadline, "the writer says nothing")
            time.sleep(0.001)

    def end(self):
        """Its status and its last words."""
        try:
            problem = self.process.communicate(timeout=ROUND_SECONDS)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise harness.Failed("the writer does not end") from None
        return self.process.returncode, problem


class Sums:
    """What all the logs of a case come to."""

    def __init__(self):
        self.numbers = [0] * 5

    def add(self, log, last):
        aside = len(list(log.folder.glob("torn-*")))
        check(aside >= log.saved, "%d torn regions, %d files", log.saved,
              aside)
        self.numbers = [a + b for a, b in zip(self.numbers, (
            log.rounds, last, len(log.acks), len(log.effects), log.torn))]

    def text(self):
        check(self.numbers[3], "nothing was done in %d rounds",
              self.numbers[0])
        return "%d ends, %d records, %d told of, %d effects, %d torn" % tuple(
            self.numbers)


def in_laps(lap, count):
    sums = Sums()
    for first in range(0, count, ROUNDS):
        lap(sums, range(first, min(first + ROUNDS, count)))
    return sums.text()


def kill_lap(tools, folder, sums, numbers):
    log = Log(tools.executor, folder / ("kills-%d" % numbers[0]))
    last = 0
    for number in numbers:
        writer = Writer(tools.writer, log.folder, tools.seed + number,
                        folder / "words")
        # some while the log is being opened, most while it is written
        if random.random() < 0.9:
            writer.await_word(ROUND_SECONDS)
        time.sleep(random.uniform(0, 0.06))
        writer.process.send_signal(signal.SIGKILL)
        status, problem = writer.end()
        equal(status, -signal.SIGKILL, "the writer: %r" % problem)
        log.hear(writer.text())
        if log.folder.exists() and list(log.folder.glob("segment-*")):
            last = log.look()
    sums.add(log, last)


class Power:
    """The file system that forgets; `disk` is what is left of it."""

    def __init__(self, tools, folder):
        self.tools = tools
        self.disk, self.mount = folder / "disk", folder / "mount"
        for path in (self.disk, self.mount):
            path.mkdir(mode=0o700, parents=True)

    def on(self, seed, operations):
        self.process = subprocess.Popen(
            [self.tools.cut_fs, self.disk, self.mount, str(seed),
             str(operations)], stderr=subprocess.PIPE)
        deadline = time.monotonic() + 10
        while not os.path.ismount(self.mount):
            if self.process.poll() is not None:
                why = self.process.stderr.read().decode().strip()
                raise Skipped("no FUSE here: %s" % why)
            check(time.monotonic() < deadline, "the file system: no mount")
            time.sleep(0.002)

    def cut(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGUSR1)
        equal(self.process.wait(timeout=30), 0, "the file system's end")
        self.unmount()

    def unmount(self):
        for command in (["umount", "-l"], ["fusermount3", "-u", "-z"]):
            if shutil.which(command[0]) and subprocess.run(
                    command + [self.mount],
                    stderr=subprocess.DEVNULL).returncode == 0:
                return


def cut_lap(tools, program, folder, sums, numbers):
    power = Power(tools, folder / str(numbers[0]))
    log = Log(tools.executor, power.disk)
    last = 0
    for number in numbers:
        seed = tools.seed + number
        power.on(seed, random.randint(1, OPERATIONS))
        try:
            writer = Writer(program, power.mount, seed, folder / "words")
            status, problem = writer.end()
        finally:
            power.cut()
        check(status != 1, "the log was refused: %s", problem)
        equal(status, 3, "the writer: %r" % problem)
        log.hear(writer.text())
        if list(log.folder.glob("segment-*")):
            last = log.look()
    sums.add(log, last)


def kill_rounds(tools, folder, count):
    return in_laps(functools.partial(kill_lap, tools, folder), count)


def cut_rounds(tools, program, folder, count):
    return in_laps(functools.partial(cut_lap, tools, program, folder), count)


def control(tools, folder):
    """Without syncs something is lost, or the log is damaged."""
    try:
        told = cut_rounds(tools, tools.unsynced, folder, CONTROL_CUTS)
    except (Lost, harness.Failed) as lost:
        return "fails, as it must: %s" % str(lost).split("\n", maxsplit=1)[0]
    raise harness.Failed("syncs that do nothing were not noticed: %s" % told)


class Tools:
    def __init__(self, given):
        programs = harness.folder_of_programs()
        self.executor = programs / "trizone-executor"
        self.writer = programs / "audit_crash"
        self.unsynced = programs / "audit_crash_nosync"
        self.cut_fs = programs / "cut_fs"
        self.seed = given.seed


def options():
    long = os.environ.get("TRIZONE_LONG") == "1"
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bin")
    parser.add_argument("--kills", type=int, default=2000 if long else 100)
    parser.add_argument("--cuts", type=int, default=200 if long else 10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.argv[1:] = [given.bin]
    return given


def run_cuts(suite, tools, given, folder):
    def power(name, *arguments):
        if not tools.cut_fs.exists():
            raise Skipped("built without libfuse3")
        return name(*arguments)
    suite.case("%d power cuts" % given.cuts, power, cut_rounds, tools,
               tools.writer, folder / "cuts", given.cuts)
    suite.case("a writer without syncs fails", power, control, tools,
               folder / "control")


def body(suite):
    given = options()
    tools = Tools(given)
    random.seed(given.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tz-crash."))
    os.chmod(folder, 0o700)
    suite.case("%d kills" % given.kills, kill_rounds, tools, folder,
               given.kills)
    run_cuts(suite, tools, given, folder)
    if suite.failed:
        print("kept: %s" % folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    harness.main(body)
