#!/usr/bin/env python3
"""Anchors of the audit: starts and heads in places that it cannot change.

usage: anchors.py [BIN]

What they are told is in the log, a start that none of them takes is none, a
cut end and a log that was written anew show, and one that fails stops nothing.
"""
import os
import shutil
import signal
import socket
import sys
import time

import harness
from harness import Skipped, check, equal, mail, until

DONE, FOUND, UNAVAILABLE, CONFIG = 0, 1, 69, 78
SYSLOG = "/dev/log"


class Host(harness.Host):
    def __init__(self, *more):
        super().__init__()
        self.place = self.folder / "elsewhere"
        self.place.mkdir(mode=0o700)
        self.anchors = self.place / "anchors"
        self.anchor_at(*([{"file": str(self.anchors)}] + list(more)))

    def anchor_at(self, *list_):
        self.config["audit"] = {"path": str(self.state / "audit"),
                                "anchors": list(list_)}
        self.write_settings()

    def kill(self):
        """No end of service: every process of it at once."""
        pids = [self.role_pid("auditor"), self.executor.pid]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.executor.wait(10)
        self.executor = None
        time.sleep(0.5)

    def try_start(self):
        done = harness.run([self.program("executor"), "run", "--config",
                            self.config_path], seconds=30)
        return done.returncode, done.stderr.decode(errors="replace")

    def check_log(self, anchors, *more, log=None):
        """Status and words of audit verify."""
        done = self.command("audit", "verify", "--anchors", str(anchors),
                            "--dir", str(log or self.audit_log().parent),
                            *more)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    def told(self, kind):
        return [line.split() for line in
                self.anchors.read_text().splitlines()
                if line.startswith(kind)]


def clean_ends():
    """A head at each end, one lineage for all starts; nothing is unknown."""
    with Host() as host:
        for number in range(3):
            host.start()
            host.deliver(mail("mail %d" % number))
            host.stop_executor()
        equal(len(host.told("lineage")), 1, "lineages")
        check(len(host.told("head")) >= 3, "heads: %r", host.told("head"))
        equal(os.stat(host.anchors).st_mode & 0o777, 0o600, "mode")
        rows = {row["seq"]: row for row in host.audit()}
        for _, seq, digest, key in host.told("head"):
            equal(rows[seq]["hash"], digest, "hash")
            equal(rows[seq]["key"], key, "key")
        status, words = host.check_log(host.anchors)
        equal(status, DONE, words)
        check("known from elsewhere" in words, "says: %s", words)


def after_a_crash():
    """The new lineage is anchored; without the anchor it is an unanchored
    start, and one with another key too."""
    with Host() as host:
        host.start()
        host.deliver(mail("before"))
        host.kill()
        host.start()
        host.deliver(mail("after"))
        host.stop_executor()
        equal(len(host.told("lineage")), 2, "lineages")
        status, words = host.check_log(host.anchors)
        equal(status, DONE, words)
        check("0 of them unanchored" in words, "says: %s", words)
        other = host.place / "other"
        other.write_text("".join(
            " ".join(words) + "\n" for words in host.told("head")))
        status, words = host.check_log(other)
        equal(status, FOUND, words)
        check("unanchored-start" in words, "says: %s", words)


def cut_and_written_anew():
    with Host() as host:
        host.start()
        for number in range(3):
            host.deliver(mail("mail %d" % number))
        host.stop_executor()
        folder = host.audit_log().parent
        whole = host.audit_log().read_bytes()
        lines = whole.rstrip(b"\n").split(b"\n")
        copy = host.place / "copy"
        shutil.copytree(folder, copy)
        log = copy / host.audit_log().name
        log.write_bytes(b"\n".join(lines[:-2]) + b"\n")
        status, words = host.check_log(host.anchors, log=copy)
        equal(status, FOUND, words)
        check("tail-cut" in words, "says: %s", words)
        # a log that begins anew, with a start that is anchored as well
        shutil.rmtree(folder)
        host.start()
        host.stop_executor()
        status, words = host.check_log(host.anchors)
        equal(status, FOUND, words)
        check("rewritten" in words or "tail-cut" in words, "says: %s", words)


def none_takes_it():
    """No anchor, no start; the log is as it was, so that no later one is
    without an anchor."""
    with Host() as host:
        host.start()
        host.deliver(mail("before"))
        host.kill()
        moved = host.place.with_name("moved")
        host.place.rename(moved)
        before = len(host.audit())
        for _ in range(3):
            status, words = host.try_start()
            check(status not in (None, DONE), "it started")
            check("no anchor takes" in words, "says: %s", words)
        equal(len(host.audit()), before, "records")
        moved.rename(host.place)
        host.start()
        host.deliver(mail("after"))
        host.stop_executor()
        status, words = host.check_log(host.anchors)
        equal(status, DONE, words)
        check("0 of them unanchored" in words, "says: %s", words)


def one_of_two():
    """One takes lines: the service runs, and the other is on record."""
    with Host({"file": "/nonexistent/folder/anchors"}) as host:
        host.start()
        check("anchor-failed" in host.log_text(), "not in the log")
        host.deliver(mail("served"))
        host.stop_executor()
        rows = [row for row in host.audit() if row["kind"] == "anchor"]
        equal(len(rows), 1, "records %r" % rows)
        equal(rows[0]["detail"], "file /nonexistent/folder/anchors", "place")
        status, words = host.check_log(host.anchors)
        equal(status, DONE, words)


def fails_later():
    """Its file is taken away while the service runs."""
    with Host() as host:
        host.start()
        host.anchors.unlink()
        host.deliver(mail("served"))
        until(lambda: any(row["kind"] == "anchor" for row in host.audit()),
              25, "a record of it")
        host.deliver(mail("still served"))
        host.stop_executor()
        equal(len([row for row in host.audit() if row["kind"] == "anchor"]),
              1, "records")


def system_log():
    """Lines for the system log, and an export of them."""
    if not harness.is_root() or os.path.lexists(SYSLOG):
        raise Skipped("needs root and a machine without a system log")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(SYSLOG)
    try:
        with Host() as host:
            host.anchor_at({"syslog": True})
            host.start()
            host.deliver(mail("served"))
            host.stop_executor()
            listener.setblocking(False)
            got = []
            try:
                while True:
                    got.append(listener.recv(4096).decode())
            except BlockingIOError:
                pass
            got = [line for line in got if "trizone-audit" in line]
            check(len(got) >= 2, "lines: %r", got)
            check(got[0].startswith("<85>trizone-audit: lineage "),
                  "line: %r", got[0])
            for tag in ("trizone-audit:", "trizone-audit[812]:"):
                export = host.place / "export"
                export.write_text("".join(
                    "Nov 28 08:12:00 host %s %s\n" %
                    (tag, line.split(": ", 1)[1]) for line in got))
                status, words = host.check_log(export)
                equal(status, DONE, words)
                check("known from elsewhere" in words, "says: %s", words)
    finally:
        listener.close()
        os.unlink(SYSLOG)


def settings():
    with Host() as host:
        for wrong in ({"file": "relative"}, {"file": "/a/../b"}, {},
                      {"syslog": False}, {"file": "/a", "syslog": True},
                      {"http": "https://example.org"}, 1):
            host.anchor_at(wrong)
            done = host.command("check")
            equal(done.returncode, CONFIG, "%r: %r" % (wrong, done.stderr))
        host.anchor_at({"syslog": True}, {"syslog": True})
        equal(host.command("check").returncode, CONFIG, "twice")
        host.anchor_at({"syslog": True}, {"file": "/a"})
        equal(host.command("check").returncode, DONE, "two")


def body(suite):
    suite.case("clean ends", clean_ends)
    suite.case("after a crash", after_a_crash)
    suite.case("cut and written anew", cut_and_written_anew)
    suite.case("none takes it", none_takes_it)
    suite.case("one of two", one_of_two)
    suite.case("fails later", fails_later)
    suite.case("system log", system_log)
    suite.case("settings", settings)


if __name__ == "__main__":
    harness.main(body)
