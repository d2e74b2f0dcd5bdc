#!/usr/bin/env python3
"""Disks that fill up, and files that are not what they were.

usage: disk.py [BIN]

The service refuses or waits, closed, and serves again after somebody has made
room: nothing is acted on without a record, and nothing that was taken is lost.
What becomes of the audit then is in storage.py.
"""
import itertools
import json
import os
import shutil
import socket
import sys
import time

import gullible
import harness
from harness import Skipped, check, equal, mail, until

STATE_BYTES = 64 << 20  # 18 of them are reserved for records
MAIL_BYTES = 1 << 20
LAPS = 6
TEMPORARY, CONFIG, SYSTEM, UNAVAILABLE = 75, 78, 71, 69

RULES = {"version": 1, "rules": [], "otherwise": [
    {"call": "notify.send", "arguments": {"text": {"$field": "/subject"}}}]}


def mount(*arguments):
    done = harness.run(["mount", *arguments])
    if done.returncode != 0:
        raise Skipped("cannot mount: %s" % done.stderr.decode().strip())


class Host(harness.Host):
    def await_killed(self):
        """After kill(9) of the parent: all its children have gone."""
        self.executor.wait(10)
        self.executor = None
        time.sleep(0.5)


class SmallHost(Host):
    """State and audit on a file system of their own; effects elsewhere, so
    that they would be possible when records are not."""

    def __init__(self):
        if os.geteuid() != 0 or sys.platform != "linux":
            raise Skipped("needs root, Linux and tmpfs")
        super().__init__()
        self.files = self.folder / "files"
        self.notes = self.folder / "notify" / "notes.jsonl"
        for path, role in ((self.files, "file"),
                           (self.notes.parent, "notify")):
            path.mkdir(mode=0o700)
            harness.own(path, role)
        self.policy = harness.default_policy(self.files, self.notes)
        self.write_settings()
        self.rules = self.config_path.parent / "rules.json"
        self.rules.write_text(json.dumps(RULES))
        self.filler = self.state / "filler"
        try:
            mount("-t", "tmpfs", "-o", "size=%d,mode=0700" % STATE_BYTES,
                  "none", str(self.state))
        except Skipped:
            shutil.rmtree(self.folder)
            raise

    def __exit__(self, kind, value, trace):
        self.stop()
        harness.run(["umount", "-l", str(self.state)])
        return super().__exit__(kind, value, trace)

    def fill(self):
        """Not one byte is left."""
        with open(self.filler, "ab", buffering=0) as out:
            for size in (1 << 20, 4096, 1):
                try:
                    while out.write(b"\1" * size):
                        pass
                except OSError:
                    pass

    def fill_but(self, size):
        self.fill()
        os.truncate(self.filler, self.filler.stat().st_size - size)

    def make_room(self):
        self.filler.unlink()

    def await_service(self):
        """Where it waited for room it has gone on."""
        until(lambda: self.log_text().count("ev=paused") ==
              self.log_text().count("ev=resumed"), 30, "its going on")

    def attach_planner(self):
        return self.attach("planner", *self.planner_command(self.rules))

    def lines(self):
        return self.notes.read_text().splitlines() if (
            self.notes.exists()) else []

    def await_end(self, seconds=30):
        """The service ends by itself; its status."""
        until(lambda: self.executor.poll() is not None, seconds, "its end")
        status, self.executor = self.executor.returncode, None
        return status

    def start_and_wait(self, words):
        """A start that does not get far, but says this."""
        self.executor = self._spawn("executor", [
            self.program("executor"), "run", "--config", self.config_path])
        until(lambda: words in self.log_text(), 10, words)


def each_effect_on_record(host):
    """Lines between what is done and what may have been."""
    status = [row["status"] for row in host.audit()
              if row["kind"] == "outcome" and
              row["capability"] == "notify.send"]
    done, unknown = status.count("done"), status.count("unknown")
    check(done <= len(host.lines()) <= done + unknown,
          "%d lines, %d done, %d unknown", len(host.lines()), done, unknown)
    intents = {row["seq"] for row in host.audit() if row["kind"] == "intent"}
    outcomes = {row["intent"] for row in host.audit()
                if row["kind"] == "outcome"}
    equal(outcomes, intents, "intents with an outcome")


def try_deliver(host, number, size=MAIL_BYTES):
    text = "%040d\r\n" % number
    return host.command("deliver", "mail",
                        data=mail("mail %d" % number, text * (size // 42)))


def deliver_until_full(host):
    """Handles of what was taken."""
    taken = []
    for number in range(STATE_BYTES // MAIL_BYTES + 1):
        done = try_deliver(host, number)
        if done.returncode != 0:
            equal(done.returncode, TEMPORARY, "deliver: %r" % done.stderr)
            return taken
        taken.append(done.stdout.split()[0].decode())
    raise harness.Failed("the disk never was full")


def all_done(host, handles):
    def is_done():
        rows = host.items()
        return all(rows[handle]["state"] == "done" for handle in handles)
    until(is_done, 60, "all done")


def full_for_mail():
    """No room for one more mail: refused, and all else goes on."""
    with SmallHost() as host:
        host.start()
        taken = deliver_until_full(host)
        check(len(taken) > 3, "only %d taken", len(taken))
        equal(try_deliver(host, 1000).returncode, TEMPORARY, "again")
        host.attach_reader()
        host.attach_planner()
        all_done(host, taken)
        equal(len(host.lines()), len(taken), "notes")
        each_effect_on_record(host)
        host.verify()
        for handle in taken[:-1]:
            host.operate("item.drop", {"handle": handle})
        until(lambda: try_deliver(host, 1001).returncode == 0, 20,
              "room after drop")
        return "%d taken" % len(taken)


def full_for_clean_texts():
    """No room for what a reader made of a good mail: the mail waits, is not
    blamed and not tried at every turn, and goes on when there is room."""
    with SmallHost() as host:
        host.start()
        handle = host.deliver(mail("good"))
        host.fill_but(2 << 20)
        host.attach_reader()
        time.sleep(7)
        row = host.items()[handle]
        check(row["state"] in ("new", "cleaning"), "item: %r", row)
        tries = host.log_text().count("ev=inbox ")
        check(1 <= tries <= 3, "%d tries in 7 s", tries)
        host.make_room()
        until(lambda: host.items()[handle]["state"] == "ready", 15, "ready")
        check(not any(row["kind"] == "quarantine" for row in host.audit()),
              "a good mail was blamed")
        host.verify()
        return "%d tries in 7 s" % tries


def call_until_closed(host, wire):
    """Calls until one is not answered; how many were done."""
    try:
        for number in range(30000):
            answer = wire.request("call", {
                "name": "notify.send", "arguments": {"text": "unrecorded?"}})
            check(answer.ok or number > 0 or not host.lines(), "refused")
    except gullible.WireLost:
        return len(host.lines())
    finally:
        wire.close()
    raise harness.Failed("a full disk takes records for ever")


def last_words(text):
    """The reason of the first part that ended."""
    for line in text.splitlines():
        if "level=fatal" in line or "ev=die" in line:
            return line.split("reason=")[-1][:100]
    return text.strip().splitlines()[-1][-100:]


def full_for_records():
    """No room for anything: calls go on in the room that is reserved for
    their records; where that ends, nothing is done until there is room."""
    with SmallHost() as host:
        host.start()
        host.attach_reader()
        ready = host.deliver_and_wait(mail("kept"))
        wire = host.connect("planner")
        host.fill()
        calls = call_until_closed(host, wire)
        until(lambda: "ev=paused" in host.log_text(), 30, "a pause")
        check("audit cannot be written" in host.log_text(), "no reason")
        before = len(host.lines())
        time.sleep(3)
        equal(len(host.lines()), before, "notes")
        host.make_room()
        host.await_service()
        host.attach_planner()
        all_done(host, [ready])
        equal(len(host.lines()), before + 1, "notes")
        each_effect_on_record(host)
        host.verify()
        return "%d calls fitted" % calls


def deliver_while_it_fills(host, numbers, taken):
    """Mails and a filler in turn, until mail is refused; then every byte
    goes, with mails and their effects still on their way."""
    refused = 0
    while refused < 8:
        with open(host.filler, "ab", buffering=0) as out:
            try:
                out.write(b"\1" * (1 << 20))
            except OSError:
                pass
        done = try_deliver(host, next(numbers), 20000)
        check(done.returncode in (0, TEMPORARY), "deliver: %d %r",
              done.returncode, done.stderr)
        if done.returncode == 0:
            taken.add(done.stdout.split()[0].decode())
        else:
            refused += 1
            host.fill()


def full_while_busy():
    """The disk fills up while mails come in and are acted on."""
    with SmallHost() as host:
        taken, numbers = set(), itertools.count(1)
        host.start()
        host.attach_reader()
        host.attach_planner()
        for _ in range(LAPS):
            deliver_while_it_fills(host, numbers, taken)
            time.sleep(0.5)
            host.make_room()
            host.await_service()
        until(lambda: settle(host, taken), 90, "every mail done")
        host.stop()
        each_effect_on_record(host)
        host.verify()
        return "%d of %d taken, %d pauses" % (
            len(taken), next(numbers) - 1,
            host.log_text().count("ev=paused"))


def settle(host, taken):
    """Release what was kept back; True when all that was taken is done."""
    rows = host.items()
    for handle, row in rows.items():
        if row["state"] in ("quarantined", "interrupted"):
            host.operate("item.release", {"handle": handle})
    check(taken <= set(rows), "lost: %r", taken - set(rows))
    return all(row["state"] == "done" for row in rows.values())


def read_only():
    """Mounted read-only: the start waits; afterwards all is as it was."""
    with SmallHost() as host:
        host.start()
        host.deliver(mail("kept"))
        host.stop_executor()
        mount("-o", "remount,ro", str(host.state))
        host.start_and_wait("ev=waiting")
        check("ead-only" in host.log_text(), "says: %s", host.log_text())
        time.sleep(1)
        mount("-o", "remount,rw", str(host.state))
        until(lambda: host.log_text().count("ev=ready") == 2, 20, "ready")
        equal(len(host.items()), 1, "items")
        host.verify()


def audit_taken_away(how):
    """The log's file is not where it was: nothing more is done."""
    with Host() as host:
        host.start()
        wire = host.connect("planner")
        call = {"name": "notify.send", "arguments": {"text": "before"}}
        check(wire.request("call", call).ok, "the first call")
        log = host.audit_log()
        how(log)
        try:
            call["arguments"]["text"] = "after"
            answer = wire.request("call", call)
            check(not answer.ok, "it was done: %r", answer.result)
        except gullible.WireLost:
            pass
        finally:
            wire.close()
        until(lambda: host.executor.poll() is not None, 30, "its end")
        check(host.executor.returncode != 0, "it ended with 0")
        host.executor = None
        equal(len(host.notes.read_text().splitlines()), 1, "notes")
        if how is replaced:  # only a receipt shows a cut that is clean
            host.start()
            check(any(row["kind"] == "damage" for row in host.audit()),
                  "no damage record")
            return "a damage record"
        done = harness.run([host.program("executor"), "run", "--config",
                            host.config_path], seconds=30)
        check(done.returncode not in (0, None), "started without its log")
        return last_words(done.stderr.decode())


def removed(log):
    log.unlink()


def renamed(log):
    log.rename(log.with_name("moved"))


def replaced(log):
    copy = log.with_name("copy")
    shutil.copy(log, copy)
    copy.write_bytes(copy.read_bytes().rstrip(b"\n")[:-200])
    copy.chmod(0o600)
    harness.own(copy, "auditor")
    copy.rename(log)


def made_a_link(log):
    elsewhere = log.parent.parent / "elsewhere"
    log.rename(elsewhere)
    log.symlink_to(elsewhere)


def second_executor():
    with Host() as host:
        host.start()
        done = harness.run([host.program("executor"), "run", "--config",
                            host.config_path], seconds=30)
        equal(done.returncode, UNAVAILABLE, "second: %r" % done.stderr)
        check(b"another executor" in done.stderr, "says: %r", done.stderr)
        host.deliver(mail("still served"))
        # also from another configuration with sockets of its own
        other = dict(host.config, run=str(host.folder / "run2"))
        path = host.config_path.parent / "other.json"
        path.write_text(json.dumps(other))
        done = harness.run([host.program("executor"), "run", "--config",
                            path], seconds=30)
        equal(done.returncode, UNAVAILABLE, "other: %r" % done.stderr)
        host.deliver(mail("and still"))
        equal(len(host.items()), 2, "items")


def sockets_replaced():
    with Host() as host:
        host.start()
        place = host.folder / "run" / "deliver.sock"
        place.unlink()
        equal(host.command("deliver", "mail", data=mail("x")).returncode,
              TEMPORARY, "no socket")
        place.write_text("a file")
        equal(host.command("deliver", "mail", data=mail("x")).returncode,
              TEMPORARY, "a file")
        place.unlink()
        place.symlink_to(host.folder / "run" / "mail.sock")
        equal(host.command("deliver", "mail", data=mail("x")).returncode,
              TEMPORARY, "a link to another socket")
        equal(host.counts()["new"], 0, "items")
        host.executor.kill()
        host.await_killed()
        place.unlink()
        place.write_text("a file")
        done = harness.run([host.program("executor"), "run", "--config",
                            host.config_path], seconds=30)
        equal(done.returncode, CONFIG, "start: %r" % done.stderr)
        equal(place.read_text(), "a file", "somebody's file")
        place.unlink()
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(str(place))
        stale.close()
        host.start()
        host.deliver(mail("served again"))


def settings_open_to_others():
    with Host() as host:
        host.start()
        for path in (host.config_path, host.config_path.parent / "policy.json",
                     host.config_path.parent):
            mode = path.stat().st_mode & 0o777
            for bit in (0o020, 0o002):
                path.chmod(mode | bit)
                done = harness.run([host.program("executor"), "run",
                                    "--config", host.config_path], seconds=30)
                equal(done.returncode, CONFIG, "%s: %r" % (path, done.stderr))
                check(b"chmod" in done.stderr, "says: %r", done.stderr)
            path.chmod(mode)
        host.deliver(mail("the one that runs is as it was"))


def folders_open_to_others():
    """State and audit folders are narrowed, or refused if they are somebody
    else's; a database that others can read is refused."""
    with Host() as host:
        host.start()
        host.stop_executor()
        host.state.chmod(0o777)
        host.start()
        equal(host.state.stat().st_mode & 0o777,
              0o711 if harness.is_root() else 0o700, "state")
        host.stop_executor()
        (host.state / "inbox" / "inbox.db").chmod(0o644)
        done = harness.run([host.program("executor"), "run", "--config",
                            host.config_path], seconds=30)
        check(done.returncode not in (0, None), "started")
        (host.state / "inbox" / "inbox.db").chmod(0o600)
        host.start()
        host.deliver(mail("x"))


def body(suite):
    suite.case("no room for mail", full_for_mail)
    suite.case("no room for clean texts", full_for_clean_texts)
    suite.case("no room for records", full_for_records)
    suite.case("full while busy", full_while_busy)
    suite.case("read-only", read_only)
    for how in (removed, renamed, replaced, made_a_link):
        suite.case("audit " + how.__name__.replace("_", " "),
                   audit_taken_away, how)
    suite.case("a second executor", second_executor)
    suite.case("sockets replaced", sockets_replaced)
    suite.case("settings open to others", settings_open_to_others)
    suite.case("folders open to others", folders_open_to_others)


if __name__ == "__main__":
    harness.main(body)
