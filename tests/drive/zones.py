#!/usr/bin/env python3
"""Machines of zones, with processes in their place: what is configured,
announced, demanded, kept attached, recycled and told.

usage: zones.py [BIN]

A far program of this test is this file, run with "--far WAY": it speaks on
descriptors 0 and 1 as an instance in a machine would, or misbehaves.
"""
import json
import os
import signal
import sys
import time
import traceback

import gullible
import harness
from harness import (Host, check, equal, is_root, mail, main, until)

ISOLATION, PEER, BUSY, RANGE, TYPE = 1117, 1204, 1201, 1108, 1107
COLUMNS = ("name kind session provider memory_mb cpus isolation warm "
           "recycle_after recycle_minutes socket account channels trust_auth"
           ).split()
IMAGE = "ab" * 32
LOGIN = 64812  # an account of nobody else


def machine(**more):
    value = {"provider": "process", "isolation": "process", "image": IMAGE,
             "devices": ["none"], "namespaces": ["net", "pid"],
             "memory_mb": 256, "cpus": 1}
    value.update(more)
    return value


class Zones(Host):
    """A host whose zones have keys about machines, and far programs."""

    def __init__(self, mail_keys=None, planner_keys=None, **more):
        super().__init__(**more)
        self.config["zones"]["mail"].update(mail_keys or {})
        self.config["zones"]["planner"].update(planner_keys or {})
        self.write_settings()

    def machine_file(self, **more):
        path = self.config_path.parent / "machine.json"
        path.write_text(json.dumps(machine(**more)))
        return path

    def keep(self, zone, command, *options, announced=None):
        """attach that keeps instances; `announced` is of a machine file."""
        words = list(options)
        if announced is not None:
            words += ["--machine", self.machine_file(**announced)]
        process = self._spawn(zone, [
            self.program("executor"), "attach", "--config", self.config_path,
            *words, zone, "--", *command])
        self.attached.append(process)
        return process

    def far(self, way, *more):
        return [sys.executable, "-B", __file__, "--far", way, *more]

    def machines(self):
        return [row for row in self.audit() if row["kind"] == "machine"]

    def hellos(self):
        return [row for row in self.audit() if row["kind"] == "hello"]

    def attached_to(self, zone, count, seconds=30):
        until(lambda: self.zone_status(zone)["attached"] == count, seconds,
              "%d attached to %s" % (count, zone))


def processes_of(process):
    """The children of an attach."""
    found = []
    for row in harness.run(["ps", "-Ao", "pid=,ppid=,stat="]).stdout.decode(
            ).splitlines():
        pid, parent, state = row.split()
        if int(parent) == process.pid and state[0] not in "ZX":
            found.append(int(pid))
    return found


def lives(pid):
    try:
        os.kill(pid, 0)
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except ProcessLookupError:
        return False
    except OSError:
        return True


# What is configured.

def command(host):
    """zones prints one line each, in the order of SPEC'd columns."""
    done = host.command("zones")
    equal(done.returncode, 0, "zones")
    rows = [dict(zip(COLUMNS, line.split("\t")))
            for line in done.stdout.decode().splitlines()]
    equal([row["name"] for row in rows], ["planner", "mail"], "names")
    check(all(len(row) == len(COLUMNS) for row in rows), "%r", rows)
    equal([rows[0][key] for key in ("kind", "session", "memory_mb", "cpus",
                                    "provider", "isolation", "channels")],
          ["planner", "per-message", "2048", "2", "-", "-", "-"], "planner")
    equal([rows[1][key] for key in COLUMNS[1:10]],
          ["reader", "-", "microvm", "300", "1", "gvisor", "3", "100", "10"],
          "reader")
    equal(rows[1]["socket"], host.socket("mail"), "socket")
    equal(rows[1]["channels"], "mail,text", "channels")
    equal(rows[1]["account"], "64806" if is_root() else "trizone-reader",
          "account")
    only = host.command("zones", "mail").stdout
    equal(only, done.stdout.splitlines(True)[1], "one zone")
    done = host.command("zones", "nobody")
    check(done.returncode == 64 and b"no zone nobody" in done.stderr, "%r",
          done)
    text = host.command("check").stdout.decode()
    check("300 MB and 1 CPU, 3 kept ready, by microvm, isolated by gvisor "
          "or more, each for 100 items, each for 10 minutes" in text, "%s",
          text)


def bad_keys(host):
    """What a configuration may not say of machines is refused with why."""
    zones = host.config["zones"]
    for zone, keys, words in (
            ("mail", {"provider": "docker"}, "container, orb or"),
            ("mail", {"provider": 3}, "container, orb or"),
            ("mail", {"isolation": "vm"}, "gvisor, orb"),
            ("mail", {"memory_mb": 79}, "memory_mb"),
            ("mail", {"memory_mb": 1048577}, "memory_mb"),
            ("mail", {"cpus": 0}, "cpus"), ("mail", {"cpus": 65}, "cpus"),
            ("mail", {"warm": 0}, "warm"), ("mail", {"warm": 17}, "warm"),
            ("mail", {"recycle_after": 0}, "recycle_after"),
            ("mail", {"recycle_after": 1000001}, "recycle_after"),
            ("mail", {"recycle_minutes": 10081}, "recycle_minutes"),
            ("mail", {"recycle_ms": 1}, "recycle_ms"),
            ("planner", {"warm": 5, "max_sessions": 4}, "5 connections"),
            ("planner", {"session": "standing", "warm": 2}, "standing")):
        before = dict(zones[zone])
        zones[zone].update(keys)
        host.write_settings()
        done = host.command("check")
        check(done.returncode == 78 and words in done.stderr.decode(),
              "%r: %r", keys, done)
        zones[zone] = before
    host.write_settings()
    equal(host.command("check").returncode, 0, "as it was")


# Announcing.

def announced_and_served():
    """An announced machine serves, is on record, and its status is told."""
    with Zones(mail_keys={"isolation": "process", "warm": 2}) as host:
        host.start()
        before = host.zone_status("mail")
        check(before["attached"] == 0 and before["absent_ms"] > 0, "%r",
              before)
        host.keep("mail", host.reader_command(), "--warm", "2", announced={})
        host.attached_to("mail", 2)
        host.deliver_and_wait(mail("hello"))
        row = until(lambda: [row for row in host.machines()
                             if not row["error"]][:1], 5, "record")[0]
        equal((row["zone"], row["why"]), ("mail", "announced"), "record")
        detail = json.loads(row["detail"])
        equal({key: detail[key] for key in machine()}, machine(), "detail")
        equal(detail["user"], os.geteuid(), "who")
        equal(detail["process"], host.attached[0].pid, "process")
        now = host.zone_status("mail")
        equal([now[key] for key in ("attached", "warm", "busy", "items",
                                    "machines", "provider", "image")],
              [2, 2, 0, 1, 2, "process", IMAGE], "status")
        check(now["boot_ms"] >= 0 and now["handover_ms"] >= 0 and
              now["per_minute"] > 0 and "absent_ms" not in now, "%r", now)
        host.verify()


def less_isolation():
    """Less than is demanded, or nothing said, is kept out, with the reason."""
    with Zones(mail_keys={"isolation": "gvisor"}) as host:
        host.start()
        for announced, words in ((None, "without a machine"),
                                 ({}, "accepts gvisor or more, not process"),
                                 ({"provider": "orb", "isolation": "orb"},
                                  "accepts gvisor or more, not orb")):
            process = host.keep("mail", host.reader_command(),
                                *[] if announced else ["--respawn"],
                                announced=announced)
            log = host.logs[-1]
            until(lambda: words in log.read_text(), 10, words)
            process.terminate()
            process.wait(10)
        equal(host.zone_status("mail")["machines"], 0, "machines")
        until(lambda: len([row for row in host.machines()
                           if row["error"] == ISOLATION]) >= 2, 5, "records")
        until(lambda: [row for row in host.hellos()
                       if row["error"] == ISOLATION and
                       "without a machine" in row["detail"]], 5, "record")
        host.keep("mail", host.reader_command(), "--respawn",
                  announced={"provider": "microvm", "isolation": "microvm"})
        host.attached_to("mail", 1)


def start_operator(host):
    return host.connect("operator")


def announce(wire, zone="mail", **more):
    return wire.request("zone.attach",
                        {"zone": zone, "machine": machine(**more)})


def ties(host):
    """One announcement is one connection of that process; it ends with the
    link it was made on, and takes its machines with it."""
    operator = start_operator(host)
    check(announce(operator).ok, "announced")
    check(announce(operator).ok, "again")
    first = host.connect("mail")
    check(first.peer_hello, "hello")
    # two announcements of one link are one: the second connection has none
    check(denied(host), "a second connection")
    other = start_operator(host)
    answer = announce(other)
    check(not answer.ok and answer.error["code"] == BUSY and
          "process %d" % os.getpid() in answer.error["message"], "%r",
          answer.error)
    other.close()
    operator.close()
    try:
        first.receive(5)
        raise harness.Failed("something came")
    except gullible.WireLost as error:
        check("closed" in str(error), "%s", error)
    until(lambda: host.zone_status("mail")["channels"] == 0, 5, "gone")
    # announced, and gone before it connects
    operator = start_operator(host)
    check(announce(operator).ok, "announced")
    operator.close()
    until(lambda: denied(host), 5, "the announcement has ended")


def first_words(host):
    """A connection to the reader's zone, and what the executor says first:
    None for a hello, else the error."""
    wire = host.connect("mail", hello=False)
    return wire, wire.receive(5).get("error")


def denied(host):
    wire, error = first_words(host)
    wire.close()
    return error is not None and error["code"] == ISOLATION


def bad_announcements(host):
    operator = start_operator(host)
    for more, code in (({"provider": "docker"}, RANGE),
                       ({"isolation": "microvm"}, RANGE),
                       ({"isolation": "-"}, RANGE), ({"image": "AB"}, RANGE),
                       ({"image": "g" * 64}, RANGE),
                       ({"devices": ["a b"]}, RANGE),
                       ({"devices": ["a\1b"]}, RANGE),
                       ({"devices": [3]}, RANGE),
                       ({"devices": ["x" * 65]}, RANGE),
                       ({"devices": ["x"] * 33}, RANGE),
                       ({"memory_mb": -1}, RANGE), ({"cpus": 65}, RANGE),
                       ({"devices": "net"}, TYPE),
                       ({"recycle_after": 1.5}, TYPE),
                       ({"colour": "red"}, 1105),
                       ({"devices": ["x" * 64] * 32}, 1405)):
        answer = announce(operator, **more)
        check(not answer.ok and answer.error["code"] == code, "%r: %r", more,
              answer.error)
    answer = announce(operator, "nobody")
    check(not answer.ok and answer.error["code"] == RANGE, "zone: %r",
          answer.error)
    operator.close()
    check(denied(host), "none of that lets anybody in")


def strangers():
    """Who may use the operator's socket, and is not root, announces nothing."""
    if not is_root():
        raise harness.Skipped("one user has one name only")
    uid = LOGIN
    with Zones(mail_keys={"isolation": "process"},
               peers={"operator": [0, uid], "mail": [0, uid]}) as host:
        host.start()
        for socket in ("operator", "mail"):
            os.chmod(host.socket(socket), 0o666)
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.setgid(uid)
                os.setuid(uid)
                wire = start_operator(host)
                answer = announce(wire)
                text = "%r" % (answer.error or answer.result)
                text += "%r" % (first_words(host)[1],)
            except BaseException as error:
                text = traceback.format_exc()
            os.write(write, text.encode())
            os._exit(0)
        os.close(write)
        with open(read, "rb") as out:
            text = out.read().decode()
        os.waitpid(pid, 0)
        check("only root" in text and "'code': 1204" in text and
              "'code': 1117" in text, "%s", text)
        row = until(lambda: [row for row in host.machines()
                             if row["error"] == PEER], 5, "on record")[0]
        equal(row["why"], "announced by a stranger", "why")


def machine_files(host):
    """A provider's file that is not one is refused before anything starts."""
    path = host.config_path.parent / "machine.json"
    for text, words in (("", "machine.json"), ("{}", "provider"),
                        ('{"provider":"process"}', "isolation"),
                        (json.dumps(machine(image="x")), "64 digits"),
                        (json.dumps(machine()) + " " * 16385, "16384")):
        path.write_text(text)
        done = host.command("attach", "--machine", path, "mail", "--", "true")
        check(done.returncode == 78 and words in done.stderr.decode(),
              "%r: %r", text[:40], done)
    done = host.command("attach", "--machine", "/nowhere", "mail", "--",
                        "true")
    equal(done.returncode, 78, "no file")
    for words in (["--warm", "0"], ["--warm", "17"], ["--warm", "x"]):
        done = host.command("attach", *words, "mail", "--", "true")
        equal(done.returncode, 64, "%r" % words)


# The far programs.

def far(way, arguments):
    wire = gullible.Wire.stdio()
    if way == "hello":     # says hello and stays
        wire.hello("mail", "far")
        while True:
            wire.receive(3600)
    if way == "deaf":      # the same, and takes no SIGTERM
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        wire.hello("mail", "far")
        while True:
            time.sleep(3600)
    if way == "silent":    # never says hello
        time.sleep(3600)


def body(suite):
    with Zones(mail_keys={"provider": "microvm", "isolation": "gvisor",
                          "memory_mb": 300, "warm": 3, "recycle_after": 100,
                          "recycle_minutes": 10}) as host:
        suite.case("zones: what is configured", command, host)
        suite.case("keys that cannot be", bad_keys, host)
    suite.case("announced, served, on record", announced_and_served)
    suite.case("less isolation than demanded", less_isolation)
    with Zones(mail_keys={"isolation": "process", "warm": 4}) as host:
        host.start()
        suite.case("an announcement and its connection", ties, host)
        suite.case("announcements that cannot be", bad_announcements, host)
        suite.case("machine files and options", machine_files, host)
    suite.case("strangers announce nothing", strangers)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--far"]:
        far(sys.argv[2], sys.argv[3:])
    else:
        main(body)
