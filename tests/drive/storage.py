#!/usr/bin/env python3
"""Storage that fails under the audit, and comes back.

usage: storage.py [--laps N] [BIN]

Nothing is acted on that is not on record, whoever connects is told why, and
the service goes on by itself: after a full disk, a file system that became
read-only, and errors of write, sync and rename. A small tmpfs is filled; other
faults come from a file system of our own (cut_fs.c), which loses what a failed
sync was to write, as kernels do, when its power is cut.
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import disk
import gullible
import harness
from harness import Skipped, check, equal, mail, until

TEMPORARY, SYSTEM = 75, 71
UNWRITTEN = 1408
RESUME_SECONDS = 25  # of which a retry waits 15 at the most
CALL = {"name": "notify.send", "arguments": {"text": "on record?"}}
RESERVE = 18 << 20  # a spare segment, its copy, salts


def starts(host):
    return host.log_text().count("ev=ready")


def await_pause(host, seconds=60):
    until(lambda: host.log_text().count("ev=paused") > host.resumes() or
          host.executor.poll() is not None, seconds, "a pause")
    equal(host.executor.poll(), None, "the service ended: " +
          host.log_text()[-1500:])


def await_resume(host, count, seconds=RESUME_SECONDS):
    began = time.monotonic()
    until(lambda: host.resumes() >= count or
          host.executor.poll() is not None, seconds, "its going on")
    equal(host.executor.poll(), None, "the service ended: " +
          host.log_text()[-1500:])
    return time.monotonic() - began


class Host(disk.SmallHost):
    """What it adds is about pauses."""

    def resumes(self):
        return self.log_text().count("ev=resumed")

    def paused(self):
        return self.log_text().count("ev=paused") > self.resumes()

    def ask(self, text):
        """One call of a new connection: its answer, or None."""
        try:
            wire = gullible.Wire.connect(self.socket("planner"), 10.0)
        except OSError:
            return None
        try:
            wire.hello("planner", "drive")
            return wire.request("call", {
                "name": "notify.send", "arguments": {"text": text}})
        except (gullible.WireLost, OSError):
            return None
        finally:
            wire.close()

    def all_settled(self):
        rows = self.audit()
        return {row["intent"] for row in rows if row["kind"] == "outcome"} \
            == {row["seq"] for row in rows if row["kind"] == "intent"}

    def check_records(self):
        """All acts have their intents, and nothing acknowledged is lost."""
        self.verify()
        disk.each_effect_on_record(self)


GROUP = 32  # requests on their way


def call_group(wire):
    """Calls at once; how many were done."""
    for _ in range(GROUP):
        wire.next_id += 1
        wire.send({"jsonrpc": "2.0", "id": wire.next_id, "method": "call",
                   "params": CALL})
    return sum("result" in wire.receive() for _ in range(GROUP))


def use_reserve(host, wire):
    """Calls until one is not answered; how many were done in all."""
    try:
        for _ in range(2000):
            call_group(wire)
    except gullible.WireLost:
        return len(host.lines())
    finally:
        wire.close()
    raise harness.Failed("a full disk takes records for ever")


def refusal(host, name):
    """The first frame at a socket, to somebody who says nothing: its code,
    text and how long it took."""
    began = time.monotonic()
    wire = gullible.Wire.connect(host.socket(name), 5.0)
    try:
        size = int.from_bytes(take(wire, 4), "big")
        error = json.loads(take(wire, size))["error"]
    finally:
        wire.close()
    return error["code"], error["message"], time.monotonic() - began


def take(wire, count):
    data = b""
    while len(data) < count:
        more = os.read(wire.read_fd, count - len(data))
        check(more, "closed after %r", data)
        data += more
    return data


def everybody_is_told(host, reason):
    for name in ("planner", "mail", "operator", "deliver"):
        code, text, seconds = refusal(host, name)
        equal(code, UNWRITTEN, name)
        check(seconds < 1, "%s: told after %.1f s", name, seconds)
        inside = str(host.state) in text
        equal(inside, name in ("operator", "deliver"), "a path in: " + text)
        if inside:
            check(reason in text, "%s is not in: %s", reason, text)
    for command in (["status"], ["inbox", "list"], ["session", "list"],
                    ["review", "list"]):
        done = host.command(*command)
        equal(done.returncode, TEMPORARY, "%s: %r" % (command, done.stderr))
        check(b"the audit cannot be written" in done.stderr, "says: %r",
              done.stderr)
    done = host.command("deliver", "mail", data=mail("later"))
    equal(done.returncode, TEMPORARY, "deliver")
    done = host.command("doctor")
    check(b"the audit cannot be written" in done.stdout, "doctor: %r",
          done.stdout)
    done = harness.run([
        host.program("planner"), "call", "--channel",
        "unix:" + host.socket("planner"), *harness.as_account("planner"),
        "notify.send", '{"text":"no"}'])
    equal(done.returncode, 69, "planner: %r" % done.stderr)
    check(b"the audit cannot be written" in done.stderr, "planner: %r",
          done.stderr)


def full_and_free():
    """Filled while orders run: the reserve is used up, then all stops; when
    there is room it goes on, with the planner and reader of before."""
    with Host() as host:
        host.start()
        host.attach_reader()
        host.attach_planner()
        host.deliver_and_wait(mail("first"), "done")
        wire = host.connect("planner")
        check(wire.request("call", CALL).ok, "the first call")
        host.fill()
        calls = use_reserve(host, wire)
        check(calls > 1000, "the reserve took %d calls only", calls)
        await_pause(host)
        everybody_is_told(host, "no space left")
        before = len(host.lines())
        time.sleep(1)
        equal(len(host.lines()), before, "acts while it waits")
        host.make_room()
        seconds = await_resume(host, 1)
        host.deliver_and_wait(mail("second"), "done", 60)
        host.check_records()
        host.stop()
        host.check_records()
        return "%d calls of the reserve; went on %.1f s after" % (
            calls, seconds)


def spool_alone():
    """An inbox that is full does not stop the log, nor calls."""
    with Host() as host:
        audit = host.folder / "audit"
        audit.mkdir(mode=0o700)
        harness.own(audit, "auditor")
        host.config["audit"] = {"path": str(audit)}
        host.write_settings()
        host.start()
        wire = host.connect("planner")
        # what a session may not forget is kept in the inbox, once
        check(wire.request("call", CALL).ok, "the first call")
        host.fill()
        for _ in range(199):
            answer = wire.request("call", CALL)
            check(answer.ok, "a call: %r", answer.error)
        wire.close()
        equal(host.resumes(), 0, "pauses")
        equal(host.executor.poll(), None, "the service")
        equal(len(host.lines()), 200, "acts")
        host.make_room()
        host.stop()
        done = host.command("audit", "verify")
        equal(done.returncode, 0, "verify: %r" % done.stdout)


def files_of(host):
    return sorted((path.name, path.stat().st_size)
                  for path in (host.state / "audit").iterdir())


def retries_leave_the_log(read_only_too=True):
    """Many tries on a full disk, then read-only: not a byte differs, and
    there are no files more."""
    with Host() as host:
        host.start()
        wire = host.connect("planner")
        host.fill()
        use_reserve(host, wire)
        await_pause(host)
        time.sleep(1.5)
        before = files_of(host)
        image = {path.name: path.read_bytes() for path in
                 (host.state / "audit").glob("segment-*")}
        time.sleep(8)
        equal(files_of(host), before, "files after some tries")
        for name, data in image.items():
            check((host.state / "audit" / name).read_bytes() == data,
                  "%s was changed", name)
        lines = host.log_text().splitlines()
        told = [line for line in lines if "ev=paused" in line]
        equal(len(told), 1, "told of the pause")
        check(len([line for line in lines if "ev=die" in line]) <= 2,
              "each try is told")
        host.make_room()
        await_resume(host, 1)
        host.check_records()


def full_at_first_start():
    """No log yet, and no room for one."""
    with Host() as host:
        for name, role in (("inbox", "broker"), ("audit", "auditor")):
            (host.state / name).mkdir(mode=0o700)
            harness.own(host.state / name, role)
        (host.state / "lock").touch()
        host.fill()
        host.start_and_wait("ev=paused")
        text = host.log_text()
        check("make room" in text and str(host.state / "audit") in text,
              "says: %s", text)
        everybody_is_told(host, "no space left")
        host.make_room()
        await_resume(host, 1)
        check(host.ask("now") is not None, "a call")
        host.verify()


def stop_while_waiting(number):
    """SIGTERM, SIGINT: a clean end, sockets gone."""
    with FaultyHost() as host:
        host.start()
        host.fail("write ENOSPC -1")
        host.ask("not on record")
        await_pause(host)
        time.sleep(0.3)
        began = time.monotonic()
        host.executor.send_signal(number)
        equal(host.await_end(10), 0, "status")
        seconds = time.monotonic() - began
        check(seconds < 9, "it took %.1f s", seconds)
        check(not os.path.exists(host.socket("operator")), "a socket")
        host.fail("")
        host.start()
        host.check_records()


def reload_while_waiting():
    """SIGHUP while it waits: the policy is read when it goes on; and what a
    reload brought before holds on."""
    with FaultyHost() as host:
        host.start()
        host.policy["rules"][1]["verdict"] = "deny"
        host.write_settings()
        equal(host.command("reload").returncode, 0, "reload")
        check(not host.ask("no").ok, "denied after the reload")
        host.policy["rules"][1]["verdict"] = "allow"
        host.write_settings()
        equal(host.command("reload").returncode, 0, "reload")
        host.fail("write ENOSPC -1")
        host.ask("not on record")
        await_pause(host)
        host.policy["rules"][1]["verdict"] = "deny"
        host.write_settings()
        host.executor.send_signal(signal.SIGHUP)
        before = len(host.lines())
        host.fail("")
        await_resume(host, 1)
        until(lambda: "ev=reloaded number=3" in host.log_text() or
              host.log_text().count("ev=reloaded") == 3, 10, "the reload")
        answer = host.ask("no")
        check(answer is not None and not answer.ok, "denied: %r", answer)
        equal(len(host.lines()), before, "acts")
        host.check_records()


def reload_holds_on():
    """The policy a reload brought is in force after a pause, although the
    file has another one by then that nobody asked for."""
    with FaultyHost() as host:
        host.start()
        host.policy["rules"][1]["verdict"] = "deny"
        host.write_settings()
        equal(host.command("reload").returncode, 0, "reload")
        host.policy["rules"][1]["verdict"] = "allow"
        host.write_settings()
        host.fail("write ENOSPC -1")
        host.ask("not on record")
        await_pause(host)
        host.fail("")
        await_resume(host, 1)
        answer = host.ask("no")
        check(answer is not None and not answer.ok, "denied: %r", answer)
        equal(len(host.lines()), 0, "acts")


def kill_while_waiting():
    """The auditor that tries is killed: another matter, so the service ends,
    closed; the next one waits anew and goes on."""
    with Host() as host:
        host.start()
        wire = host.connect("planner")
        host.fill()
        use_reserve(host, wire)
        await_pause(host)
        killed = 0
        for _ in range(4000):
            try:
                os.kill(host.role_pid("auditor"), signal.SIGKILL)
                killed += 1
            except (harness.Failed, ProcessLookupError):
                pass
            if killed or host.executor.poll() is not None:
                break
        time.sleep(1)
        if host.executor.poll() is not None:
            check(host.executor.returncode != 0, "status 0")
            host.executor = None
            host.make_room()
            host.start()
        else:  # it was as good as gone
            host.make_room()
            await_resume(host, 1)
        host.check_records()
        return "%d killed" % killed


def folder_removed_while_waiting():
    """No log is begun in the place of the one that was taken away."""
    with Host() as host:
        host.start()
        wire = host.connect("planner")
        host.fill()
        use_reserve(host, wire)
        await_pause(host)
        shutil.move(host.state / "audit", host.folder / "elsewhere")
        status = host.await_end(40)
        check(status != 0, "status 0")
        check(not (host.state / "audit").exists(), "there is a log again")
        return "status %d" % status


class FaultyHost(Host):
    """The audit on a file system that fails as told."""

    def __init__(self):
        super().__init__()
        self.cut_fs = self.bin / "cut_fs"
        self.faults = self.folder / "faults"
        self.disk = self.folder / "disk"
        self.audit_folder = self.state / "audit"
        self.audit_folder.mkdir(mode=0o700)
        self.disk.mkdir(mode=0o700)
        self.fail("")
        try:
            self.power_on()
        except Skipped:
            super().__exit__(Skipped, None, None)
            raise

    def power_on(self):
        if not self.cut_fs.exists():
            raise Skipped("built without libfuse3")
        self.power = subprocess.Popen(
            [self.cut_fs, self.disk, self.audit_folder, "1", "0", self.faults,
             str(harness.ACCOUNTS["auditor"])], stderr=subprocess.PIPE)
        deadline = time.monotonic() + 10
        while not os.path.ismount(self.audit_folder):
            if self.power.poll() is not None:
                raise Skipped("no FUSE here: %s" % self.power.stderr.read())
            check(time.monotonic() < deadline, "no mount")
            time.sleep(0.005)

    def cut(self):
        """Loss of power, for the audit's disk: what is left is in `disk`."""
        self.power.send_signal(signal.SIGUSR1)
        equal(self.power.wait(30), 0, "the file system's end")
        harness.run(["umount", "-l", self.audit_folder])

    def fail(self, text):
        """Replaced as a whole: it is read at each call."""
        draft = self.faults.with_name("draft")
        draft.write_text(text + "\n")
        draft.rename(self.faults)

    def __exit__(self, kind, value, trace):
        self.stop()
        if self.power.poll() is None:
            self.power.kill()
            self.power.wait()
        harness.run(["umount", "-l", self.audit_folder])
        return super().__exit__(kind, value, trace)


class KeepingHost(Host):
    """Decision inputs and an anchor, too."""

    def __init__(self):
        if not shutil.which("age-keygen"):
            raise Skipped("no age")
        super().__init__()
        self.identity = self.folder / "identity"
        harness.run(["age-keygen", "-o", self.identity])
        recipient = re.search(r"age1[a-z0-9]+",
                              self.identity.read_text()).group(0)
        self.anchors = self.folder / "anchors"
        self.config["audit"] = {"recipient": recipient,
                                "anchors": [{"file": str(self.anchors)}]}
        self.write_settings()


def keys_and_anchors():
    """The auditor that takes the place of another has a key for decision
    inputs, which opens, and the anchors."""
    with KeepingHost() as host:
        host.start()
        for number in range(1, 4):
            wire = host.connect("planner")
            for _ in range(5):
                check(wire.request("call", CALL).ok, "a call")
            host.fill()
            use_reserve(host, wire)
            await_pause(host)
            time.sleep(1.5)  # and a try that fails
            host.make_room()
            await_resume(host, number)
        check(host.ask("kept").ok, "a call")
        host.stop()
        done = host.command("audit", "verify", "--anchors", str(host.anchors))
        equal(done.returncode, 0, "verify: %r" % (done.stdout + done.stderr))
        starts = [line for line in host.anchors.read_text().splitlines()
                  if line.startswith("lineage ")]
        equal(len(starts), 4, "starts at the anchor")
        done = harness.run([
            host.program("executor"), "policy", "replay", "--config",
            host.config_path, "--candidate",
            host.config_path.parent / "policy.json", "--identity",
            host.identity, "--json"])
        equal(done.returncode, 0, "replay: %r" % (done.stdout + done.stderr))
        sums = json.loads(done.stdout.splitlines()[-1])
        check(not sums["damaged"] and sums["unchanged"] >= 16 and
              sums["undecidable"] <= 6, "replay: %r", sums)
        inputs = [path.stat().st_size for path in
                  (host.state / "audit" / "inputs").iterdir()]
        equal(len(inputs), 4, "segments of inputs: %r" % inputs)
        return "%r" % sums


class Callers:
    """Acts all the time; how many were said to be done."""

    def __init__(self, host, count=2):
        self.host, self.done, self.stop = host, 0, threading.Event()
        self.threads = [threading.Thread(target=self.call)
                        for _ in range(count)]

    def call(self):
        number = 0
        while not self.stop.is_set():
            number += 1
            answer = self.host.ask("act %d" % number)
            if answer is not None and answer.ok:
                self.done += 1
            else:
                time.sleep(0.02)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def one_fault(fault, want):
    """A fault while orders run: a pause, nothing done in it; then on."""
    with FaultyHost() as host:
        host.start()
        with Callers(host) as callers:
            until(lambda: callers.done > 20, 30, "acts")
            host.fail(fault)
            await_pause(host)
            time.sleep(0.2)
            before = len(host.lines())
            time.sleep(1)
            if " -1" in fault:
                equal(len(host.lines()), before, "acts while it waits")
                check(want in refusal(host, "operator")[1], "says: %r",
                      refusal(host, "operator"))
                host.fail("")
            seconds = await_resume(host, 1)
            after = callers.done
            until(lambda: callers.done > after + 20, 30, "acts again")
        equal(host.executor.poll(), None, "the service")
        until(host.all_settled, 10, "outcomes")
        host.check_records()
        host.stop()
        host.check_records()
        return "%d acts, went on after %.1f s" % (callers.done, seconds)


def rotate_fault(fault):
    """At the end of a segment: the next one cannot be had. What fails once
    may pass without a pause; nothing is lost in either case."""
    with FaultyHost() as host:
        host.start()
        wire = host.connect("planner")
        check(wire.request("call", CALL).ok, "a call")
        host.fail(fault)
        calls, segments, lost = 1, 1, False
        try:
            while segments < 3:
                calls += call_group(wire)
                segments = len(harness.audit_segments(host.audit_folder))
        except gullible.WireLost:
            lost = True
        wire.close()
        if lost:
            until(lambda: "ev=paused" in host.log_text(), 20, "a pause")
            time.sleep(1.2 if " -1" in fault else 0)
        host.fail("")
        if lost:
            await_resume(host, 1)
        check(host.ask("after").ok, "a call")
        check(len(host.lines()) >= calls, "%d lines, %d calls",
              len(host.lines()), calls)
        host.check_records()
        host.stop()
        host.check_records()
        return "%d calls, %d pauses" % (calls, host.resumes())


def sync_then_power(fault):
    """After a failed sync the kernel holds for written what is not: the next
    auditor believes none of it, so that a loss of power costs nothing that
    was acknowledged."""
    with FaultyHost() as host:
        host.start()
        with Callers(host) as callers:
            until(lambda: callers.done > 20, 30, "acts")
            host.fail(fault)
            await_pause(host)
            await_resume(host, 1)
            after = callers.done
            until(lambda: callers.done > after + 50, 30, "acts again")
            host.cut()
        host.executor.kill()
        host.await_killed()
        done = host.command("audit", "verify", "--dir", str(host.disk))
        check(done.returncode in (0, 1), "verify: %r", done.stderr)
        verified = host.command("audit", "verify", "--json", "--dir",
                                str(host.disk))
        damage = json.loads(verified.stdout)["damage"]
        check(damage in ("none", "torn"), "damage: %s", damage)
        acts = len(host.lines())
        intents = [row for row in harness.audit_records(host.disk)
                   if row["kind"] == "intent"]
        check(len(intents) >= acts, "%d acts, %d intents", acts, len(intents))
        return "%d acts, %d intents, %s" % (acts, len(intents), damage)


def cycles(count):
    """Full and free again and again, with orders running all the time."""
    with FaultyHost() as host:
        host.start()
        at_first = harness.descriptors(host.executor.pid)
        with Callers(host) as callers:
            for number in range(1, count + 1):
                before = callers.done
                until(lambda: callers.done > before, 30, "an act")
                host.fail(("write ENOSPC -1", "sync EIO -1",
                           "all EROFS -1")[number % 3])
                await_pause(host)
                host.fail("")
                await_resume(host, number)
                if number % 10 == 0:
                    host.verify()
        until(host.all_settled, 10, "outcomes")
        names = {path.name for path in host.audit_folder.iterdir()}
        rest = [name for name in names if not name.startswith("segment-")]
        check(set(rest) <= {"lock", "salts", "spare", "version"} or
              len([n for n in rest if n.startswith("torn-")]) <= count,
              "files: %r", sorted(names))
        equal([n for n in names if n.endswith(".new")], [], "left over")
        # those who were refused are let go after a second
        time.sleep(1.5)
        descriptors = harness.descriptors(host.executor.pid)
        check(descriptors is None or descriptors <= at_first,
              "%r descriptors, %r at first", descriptors, at_first)
        host.check_records()
        host.stop()
        host.check_records()
        return "%d pauses, %d acts, %d files, %r descriptors" % (
            count, callers.done, len(names), descriptors)


FAULTS = [("write ENOSPC -1", "no space left"),
          ("write EIO -1", "input or output error"),
          ("sync EIO -1", "input or output error"),
          ("sync EIO 1", ""), ("write EIO 1", ""), ("syncdir EIO -1", ""),
          ("all EROFS -1", "read-only")]
ROTATE_FAULTS = ["rename EIO -1", "syncdir EIO 1", "rename EIO 1",
                 "truncate EIO 1", "create ENOSPC -1"]


def body(suite):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bin", nargs="?")
    parser.add_argument("--laps", type=int, default=10)
    given = parser.parse_args()
    for fault, want in FAULTS:
        suite.case("fault: " + fault, one_fault, fault, want)
    for fault in ("sync EIO 1", "sync EIO 3", "syncdir EIO 1"):
        suite.case("%s, then power is cut" % fault, sync_then_power, fault)
    suite.case("%d times full and free" % given.laps, cycles, given.laps)
    suite.case("keys and anchors", keys_and_anchors)
    for fault in ROTATE_FAULTS if os.environ.get("TRIZONE_LONG") == "1" \
            else ROTATE_FAULTS[:2]:
        suite.case("at a new segment: " + fault, rotate_fault, fault)
    suite.case("filled while orders run", full_and_free)
    suite.case("a full spool alone", spool_alone)
    suite.case("tries leave the log as it is", retries_leave_the_log)
    suite.case("full at the first start", full_at_first_start)
    for number in (signal.SIGTERM, signal.SIGINT):
        suite.case("%s while it waits" % signal.Signals(number).name,
                   stop_while_waiting, number)
    suite.case("a reload while it waits", reload_while_waiting)
    suite.case("a reload's policy holds on", reload_holds_on)
    suite.case("the auditor killed while it waits", kill_while_waiting)
    suite.case("the folder removed while it waits",
               folder_removed_while_waiting)


if __name__ == "__main__":
    harness.main(body)
