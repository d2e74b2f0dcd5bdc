#!/usr/bin/env python3
"""Anchors of the audit: starts and heads in places that it cannot change.

usage: anchors.py [BIN]

What they are told is in the log, a start that none of them takes is none, a
cut end and a log that was written anew show, and one that fails stops nothing.
"""
import json
import os
import shutil
import signal
import socket
import sys
import time

import harness
import rig
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


class Told(Host):
    """One anchor is a file, another the operator, by a capability."""

    def __init__(self, **settings):
        super().__init__({"notify": "audit.tell", "minutes": 1})
        self.lines = self.state / "notify" / "audit.jsonl"
        self.tell = {"name": "audit.tell", "kind": "notify", "method": "send",
                     "why": "The audit says where it is.",
                     "settings": {"to": "file", "path": str(self.lines)},
                     "limits": {"per_hour": 100}}
        self.tell.update(settings)
        self.policy["capabilities"].append(self.tell)
        self.write_settings()

    def said(self):
        if not self.lines.exists():
            return []
        return [json.loads(line)["text"].split() for line in
                self.lines.read_text().splitlines()]

    def courier(self):
        for row in harness.run(["ps", "-Ao", "pid=,ppid=,user=,args="]
                               ).stdout.decode().splitlines():
            pid, parent, user, args = row.split(None, 3)
            if (int(parent) == self.executor.pid
                    and args.endswith("--role courier")
                    and user in ("%d" % harness.ACCOUNTS["notify"], "notify")):
                return int(pid)
        raise harness.Failed("no courier")


def by_notify():
    """The start at once, then the head, not more than a line a minute; what
    came out is what verify takes."""
    with Told() as host:
        host.start()
        until(lambda: len(host.said()) == 1, 10, "a lineage")
        began = time.monotonic()
        equal(host.said(), [list(row) for row in host.told("lineage")],
              "as the file has it")
        while time.monotonic() - began < 25:
            host.deliver(mail("mail %g" % time.monotonic()))
            time.sleep(2)
        equal(len(host.said()), 1, "lines in the first minute")
        check(len(host.told("head")) >= 2, "heads: %r", host.told("head"))
        until(lambda: len(host.said()) == 2, 60, "a head")
        check(time.monotonic() - began > 55, "sooner than a minute")
        equal(host.said()[1][0], "head", "line")
        host.stop_executor()
        intents = [row for row in host.audit() if row["kind"] == "intent"]
        equal([row["detail"].split() for row in intents], host.said(),
              "intents")
        equal({row["rule"] for row in intents}, {"anchor"}, "rule")
        status, words = host.check_log(host.lines)
        equal(status, DONE, words)
        check("0 of them unanchored" in words, "says: %s", words)
        folder = host.audit_log().parent
        copy = host.place / "copy"
        shutil.copytree(folder, copy)
        log = copy / host.audit_log().name
        rows = log.read_bytes().rstrip(b"\n").split(b"\n")
        log.write_bytes(b"\n".join(
            rows[:int(host.said()[1][1], 16) - 1]) + b"\n")
        status, words = host.check_log(host.lines, log=copy)
        equal(status, FOUND, words)
        check("tail-cut" in words, "says: %s", words)


def notify_is_dead():
    """Its courier is killed at each start: the service runs, the start counts
    by the file alone, and verify wants both files for both starts."""
    with Told() as host:
        host.start()
        until(lambda: len(host.said()) == 1, 10, "a lineage")
        host.deliver(mail("before"))
        host.kill()
        host.start()
        os.kill(host.courier(), signal.SIGKILL)
        host.deliver(mail("still served"))
        equal(len(host.told("lineage")), 2, "lineages in the file")
        host.stop_executor()
        status, words = host.check_log(host.anchors)
        equal(status, DONE, words)


def full_of_lines():
    """Its file is full: on record once, and nothing stops."""
    with Told(settings={"to": "file", "max_bytes": 10, "path": "/none"}) as host:
        host.tell["settings"]["path"] = str(host.lines)
        host.write_settings()
        host.start()
        until(lambda: any(row["kind"] == "anchor" for row in host.audit()),
              10, "a record of it")
        host.deliver(mail("served"))
        host.stop_executor()
        rows = [row for row in host.audit() if row["kind"] == "anchor"]
        equal(len(rows), 1, "records %r" % rows)
        equal(rows[0]["detail"], "notify audit.tell", "which")
        equal(len([row for row in host.audit() if row["kind"] == "intent"]),
              1, "tries within a minute")
        status, words = host.check_log(host.anchors)
        equal(status, DONE, words)


def nobody_else():
    """A zone does not get at it, whatever the rules say."""
    with Told() as host:
        host.policy["rules"].insert(0, {
            "id": "all", "verdict": "allow", "why": "A careless rule.",
            "capability": "audit.tell"})
        host.write_settings()
        host.start()
        until(lambda: len(host.said()) == 1, 10, "a lineage")
        wire = host.connect("planner")
        names = [row["name"] for row in
                 wire.request("capability.list", {}).result["capabilities"]]
        check("audit.tell" not in names, "listed: %r", names)
        answer = wire.request("call", {"name": "audit.tell", "arguments": {
            "text": " ".join(host.said()[0])}})
        check(not answer.ok, "a zone's line: %r", answer.result)
        equal(answer.error["data"]["rule"], "anchor", "rule")
        wire.close()
        equal(len(host.said()), 1, "lines")
        host.stop_executor()


def rig_with_anchors(real):
    """An auditor with a file, and a notify that may be told at any time."""
    def capabilities(folder):
        place = folder / "notes"
        place.mkdir(0o700)
        harness.own(place, "notify")
        return [{"name": "audit.tell", "kind": "notify", "method": "send",
                 "why": "It says where it is.",
                 "settings": {"to": "file", "path": str(place / "lines")},
                 "limits": {"per_hour": 1000}}]
    r = rig.Rig(capabilities, real)
    r.anchors = b"file 0 0 0 /elsewhere\nnotify 0 0 0 audit.tell\n"
    r.anchor_files = [os.open(r.folder / "elsewhere", os.O_RDWR | os.O_CREAT
                              | os.O_APPEND, 0o600)]
    return r


def no_endless_line():
    """With no pause at all between lines: a head that only lines have moved is
    not told again."""
    with rig_with_anchors(None) as r:
        lines = r.folder / "notes" / "lines"

        def heads():
            return lines.read_text().count("head ") if lines.exists() else 0
        until(lambda: heads() == 1, 20, "a head")
        equal(lines.read_text().count("lineage "), 1, "lineages")
        time.sleep(25)
        equal(heads(), 1, "heads of a quiet log")
        r.send(rig.entry(kind="session", committed=0))
        until(lambda: heads() == 2, 20, "a head after news")
        # a broker that orders a line itself
        r.send(rig.entry(b'{"text":"head"}', 0))
        equal(r.auditor.wait(), 70, "auditor")
        equal(heads(), 2, "lines")
        os.close(r.anchor_files.pop())


def slow_courier():
    """One line at a time, however long it takes; when its courier dies with
    it, that is unknown and on record, and the next tells the same."""
    with rig_with_anchors([]) as r:
        ours = r.orders[0][1]

        def order(seconds=15):
            head = rig.read_all(ours.fileno(), rig.ORDER.size, seconds)
            if head is None:
                return None, ""
            head = rig.ORDER.unpack(head)
            text = json.loads(rig.read_all(ours.fileno(), head[5]))["text"]
            return head[2], text
        first, text = order()
        check(text.startswith("lineage "), "first: %r", text)
        for _ in range(5):
            r.send(rig.entry(kind="session", committed=0))
        equal(order(12), (None, ""), "a second one meanwhile")
        r.auditor.tell("down", 0)
        equal(r.auditor.hear(), ("drained", 0), "drained")
        r.auditor.tell("up", 0)
        again, same = order()
        equal(same, text, "told again")
        check(again > first, "another intent")
        ours.sendall(rig.OUTCOME.pack(rig.MAGIC, 0, again, 0, 0, 0, 0,
                                      bytes(32), b""))
        third, head = order()
        check(head.startswith("head "), "then: %r", head)
        ours.sendall(rig.OUTCOME.pack(rig.MAGIC, 1, third, 0, 0, 0, 1402,
                                      bytes(32), b""))
        until(lambda: len([row for row in r.audit()
                           if row["kind"] == "anchor"]) >= 3, 10, "records")
        rows = r.audit()
        equal([row["error"] for row in rows if row["kind"] == "anchor"][:3],
              [1303, None, 1402], "anchor records")
        equal([row["status"] for row in rows if row["kind"] == "outcome"][:3],
              ["unknown", "done", "failed"], "outcomes")
        os.close(r.anchor_files.pop())


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
    with Told() as host:
        done = host.command("check")
        equal(done.returncode, DONE, done.stderr)
        check(b"audit.tell (a capability" in done.stdout, "%r", done.stdout)
        for wrong in ([{"notify": "audit.tell"}],
                      [{"notify": "none"}, {"syslog": True}],
                      [{"notify": "file.read"}, {"syslog": True}],
                      [{"notify": "audit.tell", "minutes": 0},
                       {"syslog": True}],
                      [{"syslog": True, "minutes": 5}],
                      [{"notify": "audit.tell", "file": "/a"}],
                      [{"notify": "notify.send"}, {"notify": "audit.tell"}]):
            host.anchor_at(*wrong)
            done = host.command("check")
            equal(done.returncode, CONFIG, "%r: %r" % (wrong, done.stderr))
        host.anchor_at({"notify": "audit.tell"}, {"syslog": True})
        for wrong in ({"to": "file", "path": str(host.notes)},
                      {"to": "syslog", "identity": "trizone"}):
            host.tell["settings"] = wrong
            host.write_settings()
            done = host.command("check")
            equal(done.returncode, CONFIG, "%r: %r" % (wrong, done.stderr))
        host.tell["settings"] = {"to": "syslog", "identity": "trizone-audit"}
        host.write_settings()
        equal(host.command("check").returncode, DONE, "syslog")


def body(suite):
    suite.case("clean ends", clean_ends)
    suite.case("after a crash", after_a_crash)
    suite.case("cut and written anew", cut_and_written_anew)
    suite.case("none takes it", none_takes_it)
    suite.case("one of two", one_of_two)
    suite.case("fails later", fails_later)
    suite.case("system log", system_log)
    suite.case("settings", settings)
    suite.case("by notify", by_notify)
    suite.case("notify is dead", notify_is_dead)
    suite.case("full of lines", full_of_lines)
    suite.case("nobody else", nobody_else)
    suite.case("no endless line", no_endless_line)
    suite.case("slow courier", slow_courier)


if __name__ == "__main__":
    harness.main(body)
