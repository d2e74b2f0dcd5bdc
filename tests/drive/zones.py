#!/usr/bin/env python3
"""Machines of zones, with processes in their place: what is configured,
announced, demanded, kept attached, recycled and told.

usage: zones.py [BIN]

A far program of this test is this file, run with "--far WAY": it speaks on
descriptors 0 and 1 as an instance in a machine would, or misbehaves.
"""
import json
import os
import re
import signal
import sys
import time
import traceback

import gullible
import harness
import sessions
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


def alone(host, function):
    """A case whose attaches end with it."""
    try:
        return function(host)
    finally:
        for process in host.attached:
            harness.end_process(process, 20)
        host.attached = []
        until(lambda: host.zone_status("mail")["channels"] == 0, 10,
              "no channel is left")


def everybody():
    """{pid: (parent, group, state)} of the machine."""
    rows = harness.run(["ps", "-Ao", "pid=,ppid=,pgid=,stat="]).stdout
    return {int(pid): (int(parent), int(group), state)
            for pid, parent, group, state in (
                row.split() for row in rows.decode().splitlines())}


def instances_of(process):
    """The children of an attach that live: each is the first of a session,
    and its minder is not."""
    return sorted(pid for pid, (parent, _, state) in everybody().items()
                  if parent == process.pid and state[0] not in "ZX"
                  and "s" in state)


def minders_of(process):
    return [pid for pid, (parent, _, state) in everybody().items()
            if parent == process.pid and state[0] not in "ZX"
            and "s" not in state]


def lives(pid):
    return everybody().get(pid, (0, 0, "X"))[2][0] not in "ZX"


def whole_group(group):
    return {pid for pid, (_, its, state) in everybody().items()
            if its == group and state[0] not in "ZX"}


def pauses(log):
    """What attach said it would wait."""
    return [int(ms) for ms in re.findall(r"next_ms=(\d+)", log.read_text())]


def has_doubled(found, count):
    """Each pause is twice the one before."""
    return found[:count] == [found[0] << n for n in range(count)]


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
    equal((rows[0]["trust_auth"], rows[1]["trust_auth"]),
          ("-", "mx.example,mx2.example"), "trust_auth")
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
            ("mail", {"account": "-x"}, "an account has to be"),
            ("planner", {"account": 0}, "an account has to be"),
            ("mail", {"trust_auth": "mx.example"}, "trust_auth"),
            ("mail", {"trust_auth": ["a,b"]}, "names of hosts"),
            ("mail", {"trust_auth": ["MX.example"]}, "lower case"),
            ("mail", {"trust_auth": ["mx.example"] * 17}, "trust_auth"),
            ("planner", {"trust_auth": ["mx.example"]}, "trust_auth"),
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


def as_login(host):
    """What the login user is told who announces a machine and connects."""
    for socket in ("operator", "mail"):
        os.chmod(host.socket(socket), 0o666)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgid(LOGIN)
            os.setuid(LOGIN)
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
    return text


def strangers():
    """Who may use the operator's socket, and is not root, announces nothing."""
    if not is_root():
        raise harness.Skipped("one user has one name only")
    with Zones(mail_keys={"isolation": "process"},
               peers={"operator": [0, LOGIN], "mail": [0, LOGIN]}) as host:
        host.start()
        text = as_login(host)
        check("only root" in text and "'code': 1204" in text and
              "'code': 1117" in text, "%s", text)
        row = until(lambda: [row for row in host.machines()
                             if row["error"] == PEER], 5, "on record")[0]
        equal(row["why"], "announced by a stranger", "why")


def named_ones():
    """Who is named for that announces, as the owner of OrbStack does; a zone's
    own account cannot be."""
    if not is_root():
        raise harness.Skipped("one user has one name only")
    peers = {"operator": [0, LOGIN], "mail": [0, LOGIN], "machines": [LOGIN]}
    with Zones(mail_keys={"isolation": "process"}, peers=peers) as host:
        host.start()
        text = as_login(host)
        check("1204" not in text and "1117" not in text, "%s", text)
        row = until(host.machines, 5, "on record")[0]
        equal(row["why"], "announced", "why")
        host.config["peers"]["machines"] = [harness.ACCOUNTS["reader"]]
        host.write_settings()
        done = host.command("check")
        equal(done.returncode, 78, "check")
        check(b"one of these is also: reader" in done.stderr, "%r",
              done.stderr)


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


# Keeping instances.

def several(host):
    """Four items are with four readers at once; none is done twice."""
    before = host.zone_status("mail")
    process = host.keep("mail", host.reader_command(), "--warm", "4",
                        announced={})
    host.attached_to("mail", 4)
    stopped = [pid for group in instances_of(process)
               for pid in tree_of(group)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    handles = [host.deliver(mail("several %d" % n)) for n in range(6)]
    until(lambda: host.zone_status("mail")["busy"] == 4, 10, "four busy")
    equal(sorted(host.items()[h]["state"] for h in handles),
          ["cleaning"] * 4 + ["new"] * 2, "states")
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    until(lambda: all(host.items()[h]["state"] == "ready" for h in handles),
          30, "ready")
    check(all(host.items()[h]["attempts"] == 1 for h in handles), "attempts")
    now = host.zone_status("mail")
    equal([now[key] for key in ("attached", "busy")], [4, 0], "status")
    equal([now[key] - before[key] for key in ("items", "machines")], [6, 4],
          "counts")
    process.terminate()
    equal(process.wait(10), 0, "attach ends")
    check(not any(lives(pid) for pid in stopped), "instances are left")


def one_account(host):
    """Readers of one account have processes enough for all of them."""
    before = host.zone_status("mail")["machines"]
    host.keep("mail", host.reader_command(), "--warm", "16", announced={})
    host.attached_to("mail", 16)
    deliverer = sessions.Deliverer(host)
    handles = [deliverer.send(mail("one account %d" % n)) for n in range(200)]
    deliverer.close()
    until(lambda: all(host.items()[h]["state"] == "ready" for h in handles),
          120, "ready")
    check(all(host.items()[h]["attempts"] == 1 for h in handles), "attempts")
    equal(host.zone_status("mail")["machines"] - before, 16, "machines")


def tree_of(pid):
    """A process and its descendants."""
    table, found = everybody(), [pid]
    for one in found:
        found += [child for child, (parent, _, _) in table.items()
                  if parent == one]
    return found


def recycling():
    """A machine has its items, then the next one comes; each item once."""
    with Zones(mail_keys={"recycle_after": 3}) as host:
        host.start()
        process = host.keep("mail", host.reader_command(), "--respawn",
                            announced={"recycle_after": 100})
        handles = [host.deliver(mail("turn %d" % n)) for n in range(10)]
        until(lambda: all(host.items()[h]["state"] == "ready"
                          for h in handles), 60, "ready")
        check(all(host.items()[h]["attempts"] == 1 and
                  host.items()[h]["failures"] == 0 for h in handles), "%r",
              host.items())
        until(lambda: host.zone_status("mail")["machines"] == 4, 10,
              "four machines for ten items")
        equal(host.zone_status("mail")["items"], 10, "items")
        until(lambda: len(instances_of(process)) == 1, 10, "one is left")
        log = host.logs[-1].read_text()
        check("ev=instance" not in log and "ev=machines" not in log, "%s",
              log)
        # one item each, as a disposable machine has
        host.config["zones"]["mail"]["recycle_after"] = 1
        host.stop()
        host.write_settings()
        host.start()
        host.keep("mail", host.reader_command(), "--warm", "1", announced={})
        handles = [host.deliver(mail("single %d" % n)) for n in range(5)]
        until(lambda: all(host.items()[h]["state"] == "ready"
                          for h in handles), 60, "ready")
        until(lambda: host.zone_status("mail")["machines"] == 6, 10,
              "a machine each, and the next")
        host.verify()


def recycling_by_time():
    """Two idle machines are replaced by time, and never both at once."""
    with Zones(mail_keys={"warm": 2}) as host:
        host.start()
        host.keep("mail", host.far("hello"), "--warm", "2",
                  announced={"recycle_ms": 1000})
        host.attached_to("mail", 2)
        seen = set()

        def replaced():
            now = host.zone_status("mail")
            seen.add(now["attached"])
            return now["machines"] >= 8
        until(replaced, 60, "eight machines")
        check(0 not in seen, "none was attached for a while")


def recycle_in_flight():
    """A machine that is over its time keeps the item that it has."""
    with Zones() as host:
        host.start()
        process = host.keep("mail", host.reader_command(), "--respawn",
                            announced={"recycle_ms": 1500})
        host.attached_to("mail", 1)
        until(lambda: instances_of(process), 5, "an instance")

        def signal_all(number):
            """To each process of each instance; none if one is gone."""
            pids = [pid for one in instances_of(process)
                    for pid in tree_of(one)]
            for pid in pids:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    return None
            return pids

        def held():
            """An item in the hands of an instance that was stopped before it
            came; not where the instance was replaced meanwhile."""
            pids = signal_all(signal.SIGSTOP)
            if pids and host.zone_status("mail")["attached"] == 1:
                handle = host.deliver(mail("in flight"))
                state = until(lambda: host.items()[handle]["state"].replace(
                    "new", ""), 20, "it has it")
                now = set(instances_of(process))
                if state == "cleaning" and now and now <= set(pids):
                    return handle
            signal_all(signal.SIGCONT)
            return None
        handle = until(held, 60, "a reader is held")
        instances = instances_of(process)
        machines = host.zone_status("mail")["machines"]
        time.sleep(3)
        equal(host.zone_status("mail")["machines"], machines, "machines")
        equal(instances_of(process), instances, "instances")
        signal_all(signal.SIGCONT)
        until(lambda: host.items()[handle]["state"] == "ready", 20, "ready")
        equal(host.items()[handle]["attempts"], 1, "attempts")
        until(lambda: instances_of(process) not in ([], instances), 20,
              "and then it is replaced")


def status_words():
    """status and metrics say what is attached, and since when nothing is."""
    with Zones(mail_keys={"warm": 2}) as host:
        host.start()
        host.deliver(mail("waits"))
        host.deliver(mail("waits too"))
        text = host.command("status").stdout.decode()
        check(re.search(r"^zone mail absent since \d{4}-\d\d-\d\d "
                        r"\d\d:\d\d:\d\d: 2 mails wait$", text, re.M),
              "%s", text)
        check(re.search(r"^zone planner absent since .*: 0 mails wait$",
                        text, re.M), "%s", text)
        metrics = host.command("status", "--metrics").stdout.decode()
        check('trizone_zone_waiting{number="1",zone="mail",kind="reader"} 2'
              in metrics, "%s", metrics)
        host.keep("mail", host.reader_command(), "--warm", "2", announced={})
        host.attached_to("mail", 2)
        until(lambda: host.counts()["ready"] == 2, 20, "ready")
        text = host.command("status").stdout.decode()
        check("zone mail absent" not in text, "%s", text)
        for words in ("attached=2", "warm=2", "busy=0", "boot_ms=",
                      "handover_ms=", "per_minute=", "items=2",
                      "machines=2", "provider=process", "image=" + IMAGE):
            check(words in text, "%s in %s", words, text)


def planners():
    """Announced planners: a session each, as before; attached and busy."""
    with Zones(planner_keys={"isolation": "process", "warm": 2},
               session="per-message") as host:
        host.start()
        rules = host.config_path.parent / "rules.json"
        rules.write_text(json.dumps({"version": 1, "rules": []}))
        host.keep("mail", host.reader_command(), "--respawn")
        host.keep("planner", host.planner_command(rules), "--warm", "2",
                  announced={})
        host.attached_to("planner", 2)
        handles = [host.deliver(mail("for a planner %d" % n))
                   for n in range(6)]
        until(lambda: all(host.items()[h]["state"] == "done"
                          for h in handles), 60, "done")
        host.attached_to("planner", 2)
        equal(host.zone_status("planner")["items"], 6, "items")
        sessions = [row["session"] for row in host.audit()
                    if row["kind"] == "claim"]
        equal(len(set(sessions)), 6, "sessions")


def planner_stays():
    """A machine for one message that does not end is ended."""
    with Zones(planner_keys={"deadline_ms": 2000}) as host:
        host.start()
        host.attach_reader()
        handle = host.deliver_and_wait(mail("stays"))
        operator = start_operator(host)
        check(announce(operator, "planner").ok, "announced")
        wire = host.connect("planner")
        equal(wire.request("inbox.next", {"wait_ms": 1000}).result["handle"],
              handle, "handle")
        check(wire.request("inbox.done", {"handle": handle,
                                          "outcome": "ok"}).ok, "done")
        try:
            wire.receive(20)
            raise harness.Failed("something came")
        except gullible.WireLost as error:
            check("closed" in str(error), "%s", error)
        equal(host.items()[handle]["state"], "done", "state")
        wire.close()
        operator.close()


# Instances that misbehave.

def dies_at_once(host):
    """Whatever fails at once waits longer each time."""
    for command, announced in ((["false"], None), (["true"], None),
                               (["true"], {}), (["/nowhere"], None)):
        process = host.keep("mail", command, "--respawn", announced=announced)
        log = host.logs[-1]
        until(lambda log=log: len(pauses(log)) >= 4, 20, "four pauses")
        check(has_doubled(pauses(log), 4), "%r: %s", command, log.read_text())
        process.terminate()
        equal(process.wait(10), 0, "attach ends")


def useless_hello(host):
    """One that says hello and ends well is of no use either: the executor
    says so to who announced it."""
    host.keep("mail", host.far("brief"), "--respawn", announced={})
    log = host.logs[-1]
    until(lambda: len(pauses(log)) >= 4, 30, "four pauses")
    check("ev=machines" in log.read_text() and has_doubled(pauses(log), 4),
          "%s", log.read_text())


def refused_hello():
    """One that attests too little is turned away, and waits."""
    with Zones(mail_keys={"require": ["probes"]}) as host:
        host.start()
        host.keep("mail", host.far("hello"), "--respawn", announced={})
        log = host.logs[-1]
        until(lambda: sum(ms > 0 for ms in pauses(log)) >= 4, 30, "pauses")
        check(max(pauses(log)) >= 200, "%s", log.read_text())


def silent():
    """A zone that never says hello is cut off and its process ended."""
    with Zones() as host:
        host.start()
        process = host.keep("mail", host.far("silent"), "--respawn")
        first = until(lambda: instances_of(process), 10, "instance")
        until(lambda: "code=1114" in host.logs[0].read_text(), 20, "1114")
        until(lambda: instances_of(process) not in ([], first), 20,
              "the next one")


def deaf_and_stopped(host):
    """SIGTERM ignored, or the process stopped: it goes all the same, with all
    of its group, and the channel is nobody's any more."""
    for way, stop in (("deaf", False), ("hello", True), ("family", False)):
        process = host.keep("mail", host.far(way), "--respawn",
                            announced={"recycle_ms": 700})
        first = until(lambda p=process: instances_of(p), 10, "instance")[0]
        host.attached_to("mail", 1)
        group = whole_group(first)
        check(process.pid not in group and os.getpid() not in group,
              "a group of its own")
        if way == "family":
            until(lambda g=first: len(whole_group(g)) == 2, 10, "its child")
        if stop:
            os.kill(first, signal.SIGSTOP)
        until(lambda p=process, f=first: instances_of(p) not in ([], [f]), 20,
              way + ": the next one")
        until(lambda f=first: not whole_group(f), 5, "its group is gone")
        process.terminate()
        equal(process.wait(20), 0, "attach ends")
        until(lambda: host.zone_status("mail")["channels"] == 0, 5,
              "no channel is left")


def escaped(host):
    """A process that left the group and holds the channel is cut off."""
    report = host.folder / "escaped"
    process = host.keep("mail", host.far("escape", str(report)), "--respawn",
                        announced={})
    pid = int(until(lambda: report.exists() and report.read_text(), 10,
                    "its child"))
    try:
        until(lambda: host.zone_status("mail")["machines"] >= 1, 5, "machine")
        process.terminate()
        equal(process.wait(10), 0, "attach ends")
        until(lambda: host.zone_status("mail")["channels"] == 0, 5,
              "no channel is left")
        check(lives(pid), "it is there, and has nothing")
    finally:
        os.kill(pid, signal.SIGKILL)


def killed(host):
    """kill -9 of attach: its instances go, deaf ones of another user too, and
    the one that is started again has as many as before. Its minder, killed
    before, was started again."""
    commands = [host.far("hello")]
    if is_root():
        commands.append(["setpriv", "--reuid", str(harness.ACCOUNTS["reader"]),
                         "--clear-groups", *host.far("deaf")])
    for command in commands:
        process = host.keep("mail", command, "--warm", "3", announced={})
        host.attached_to("mail", 3)
        pids = instances_of(process)
        equal(len(pids), 3, "instances")
        first = minders_of(process)[0]
        os.kill(first, signal.SIGKILL)
        until(lambda p=process, f=first: minders_of(p) not in ([], [f]), 10,
              "another minder")
        host.attached.remove(process)
        process.kill()
        process.wait(10)
        again = host.keep("mail", host.far("hello"), "--warm", "3",
                          announced={})
        until(lambda a=again: len(instances_of(a)) == 3, 20, "three again")
        until(lambda: (host.zone_status("mail")["attached"],
                       host.zone_status("mail")["channels"]) == (3, 3), 20,
              "three, not six")
        until(lambda p=pids: not any(map(lives, p)), 10, "they are gone")
        again.terminate()
        equal(again.wait(10), 0, "attach ends")


def twice(host):
    """A second attach waits for the first to end, and doubles nothing."""
    first = host.keep("mail", host.far("hello"), "--warm", "2", announced={})
    host.attached_to("mail", 2)
    second = host.keep("mail", host.far("hello"), "--warm", "2", announced={})
    log = host.logs[-1]
    until(lambda: "process %d starts the machines" % first.pid
          in log.read_text(), 10, "busy")
    equal(host.zone_status("mail")["channels"], 2, "channels")
    check(not instances_of(second), "it has started some")
    first.terminate()
    equal(first.wait(10), 0, "attach ends")
    until(lambda: len(instances_of(second)) == 2, 20, "the second serves")
    second.terminate()
    equal(second.wait(10), 0, "attach ends")


def forged(host):
    """Another process, or the same number under another user, has not what was
    announced."""
    operator = start_operator(host)
    check(announce(operator).ok, "announced")
    child = host.far("knock", host.socket("mail"))
    done = harness.run(child)
    equal(done.stdout, b"1117\n", "a child of who announced")
    operator.close()
    if not is_root():
        return "without another user"
    os.chmod(host.socket("mail"), 0o666)
    done = harness.run(host.far("forge", host.socket("operator"),
                                host.socket("mail"), str(LOGIN)))
    equal(done.stdout, b"announced 1117\n", "the same number, another user")
    done = harness.run(host.far("forge", host.socket("operator"),
                                host.socket("mail"), "0"))
    equal(done.stdout, b"announced let in\n", "the same as root")
    return "and under another user"


def listens(host):
    try:
        gullible.Wire.connect(host.socket("operator")).close()
        return True
    except OSError:
        return False


def restarts(host):
    """When the executor comes back, every slot connects again."""
    process = host.keep("mail", host.far("hello"), "--warm", "16",
                        announced={})
    host.attached_to("mail", 16)
    first = instances_of(process)
    equal(len(first), 16, "instances")
    host.stop_executor()
    host.start()
    host.attached_to("mail", 16, 60)
    until(lambda: not set(first) & set(instances_of(process)), 10,
          "they are new")
    equal(len(instances_of(process)), 16, "instances")
    os.kill(host.executor.pid, signal.SIGKILL)
    host.executor.wait(20)
    until(lambda: not listens(host), 20, "its processes have ended")
    host.start()
    host.attached_to("mail", 16, 60)
    process.terminate()
    equal(process.wait(20), 0, "attach ends")


def full_sockets(host):
    """The operator's socket has its links: attach waits for one. A reader's
    has one more than are kept warm."""
    links = []
    while True:
        wire = host.connect("operator", hello=False)
        links.append(wire)
        error = wire.receive(5).get("error")
        if error:
            break
    equal((len(links), error["code"]), (65, BUSY), "links of the operator")
    process = host.keep("mail", host.far("hello"), "--respawn", announced={})
    log = host.logs[-1]
    until(lambda: "not-announced" in log.read_text(), 10, "it cannot announce")
    check(not instances_of(process), "it has started something")
    for wire in links:
        wire.close()
    host.attached_to("mail", 1)
    process.terminate()
    equal(process.wait(10), 0, "attach ends")


def descriptors(host):
    """An instance has its channel, our standard error, and nothing else."""
    if not os.path.isdir("/proc/self/fd"):
        raise harness.Skipped("nobody tells here")
    process = host.keep("mail", host.far("hello"), "--warm", "3",
                        announced={})
    host.attached_to("mail", 3)
    for pid in instances_of(process):
        folder = "/proc/%d/fd" % pid
        found = {int(fd): os.readlink(folder + "/" + fd)
                 for fd in os.listdir(folder)}
        check(set(found) == {0, 1, 2} and found[0] == found[1] and
              found[0].startswith("socket:"), "%r", found)
    for pid in minders_of(process):
        equal(sorted(map(int, os.listdir("/proc/%d/fd" % pid))),
              [0, 1, 2, 3], "of the minder")


def stopped_executor(host):
    """An executor that does not answer for a while costs no instance."""
    process = host.keep("mail", host.far("hello"), "--warm", "2",
                        announced={})
    host.attached_to("mail", 2)
    before = instances_of(process)
    broker = host.role_pid("broker")
    os.kill(broker, signal.SIGSTOP)
    try:
        os.kill(before[0], signal.SIGKILL)
        until(lambda: "not-announced" in host.logs[-1].read_text(), 20,
              "no answer")
    finally:
        os.kill(broker, signal.SIGCONT)
    host.attached_to("mail", 2)
    check(before[1] in instances_of(process), "the other one was lost")


def one_shot(host):
    """Without --respawn an announced command is run once, its status told."""
    path = host.machine_file()
    for command, status in ((["sh", "-c", "exit 7"], 7), (["true"], 0),
                            (["sh", "-c", "kill -9 $$"], 137)):
        done = host.command("attach", "--machine", path, "mail", "--",
                            *command)
        equal(done.returncode, status, "%r" % command)


def chaos(host):
    """Readers are killed at random under load: each item is there once."""
    process = host.keep("mail", host.reader_command(), "--warm", "4",
                        announced={"recycle_after": 5})
    host.attached_to("mail", 4)
    before = host.zone_status("mail")["machines"]
    handles = []
    for number in range(60):
        handles.append(host.deliver(mail("chaos %d" % number)))
        pids = instances_of(process)
        if number % 6 == 3 and pids:
            try:
                os.kill(pids[number % len(pids)], signal.SIGKILL)
            except ProcessLookupError:
                pass
    equal(len(set(handles)), 60, "handles")
    until(lambda: all(host.items()[h]["state"] in ("ready", "quarantined")
                      for h in handles), 120, "settled")
    until(lambda: host.zone_status("mail")["attached"] == 4, 60,
          "all serve again")
    ready = [row for row in host.audit() if row["kind"] == "clean" and
             not row["error"] and row["handle"] in handles]
    equal(len(ready), len({row["handle"] for row in ready}),
          "made clean once each")
    host.verify()
    used = host.zone_status("mail")["machines"] - before
    process.terminate()
    equal(process.wait(20), 0, "attach ends")
    return "%d machines" % used


# The far programs.

def stay(wire):
    """Until the executor closes it; 1 if that has told an error before."""
    status = 0
    try:
        while True:
            status |= "error" in wire.receive(86400)
    except gullible.WireLost:
        sys.exit(status)


def knock(path, before=""):
    """Connect, and print what the executor says first."""
    wire = gullible.Wire.connect(path)
    error = wire.receive(10).get("error")
    print(before + ("let in" if error is None else str(error["code"])))
    wire.close()


def forge(operator, path, uid):
    """Announce as who we are, and connect as somebody else."""
    wire = gullible.Wire.connect(operator)
    wire.hello("operator", "far")
    check(announce(wire).ok, "announced")
    os.setegid(uid)
    os.seteuid(uid)
    knock(path, "announced ")


def escape(report):
    """A child of its own session keeps the channel, and we end."""
    wire = gullible.Wire.stdio()
    wire.hello("mail", "far")
    if os.fork() == 0:
        os.setsid()
        with open(report, "w") as out:
            out.write(str(os.getpid()))
    time.sleep(3600)


def far(way, arguments):
    if way == "knock":
        knock(*arguments)
        return
    if way == "forge":
        forge(arguments[0], arguments[1], int(arguments[2]))
        return
    if way == "escape":
        escape(*arguments)
        return
    wire = gullible.Wire.stdio()
    if way == "silent":
        time.sleep(3600)
    if way == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if way == "family" and os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)
    wire.hello("mail", "far")
    if way == "deaf":
        time.sleep(3600)
    if way != "brief":
        stay(wire)


def body(suite):
    with Zones(mail_keys={"provider": "microvm", "isolation": "gvisor",
                          "memory_mb": 300, "warm": 3, "recycle_after": 100,
                          "recycle_minutes": 10,
                          "trust_auth": ["mx.example", "mx2.example"]}) as host:
        suite.case("zones: what is configured", command, host)
        suite.case("keys that cannot be", bad_keys, host)
    suite.case("announced, served, on record", announced_and_served)
    suite.case("less isolation than demanded", less_isolation)
    peers = {"peers": {"mail": [0, LOGIN]}} if is_root() else {}
    with Zones(mail_keys={"isolation": "process", "warm": 4}, **peers) as host:
        host.start()
        suite.case("an announcement and its connection", alone, host, ties)
        suite.case("announcements that cannot be", alone, host, bad_announcements)
        suite.case("machine files and options", alone, host, machine_files)
        suite.case("forged announcements", alone, host, forged)
        suite.case("once, without --respawn", alone, host, one_shot)
        suite.case("several readers at once", alone, host, several)
    suite.case("strangers announce nothing", strangers)
    suite.case("who is named announces", named_ones)
    suite.case("recycling by items", recycling)
    suite.case("recycling by time", recycling_by_time)
    suite.case("recycling waits for the item", recycle_in_flight)
    suite.case("status in words", status_words)
    suite.case("planners in machines", planners)
    suite.case("a planner that stays", planner_stays)
    with Zones(mail_keys={"warm": 4}) as host:
        host.start()
        suite.case("what dies at once", alone, host, dies_at_once)
        suite.case("a hello and no more", alone, host, useless_hello)
        suite.case("deaf, stopped, with a family", alone, host, deaf_and_stopped)
        suite.case("out of its group", alone, host, escaped)
        suite.case("attach killed", alone, host, killed)
        suite.case("two of them", alone, host, twice)
        suite.case("descriptors", alone, host, descriptors)
        suite.case("an executor that stands still", alone, host,
                   stopped_executor)
        suite.case("full sockets", alone, host, full_sockets)
        suite.case("killed under load", alone, host, chaos)
    suite.case("a hello that is refused", refused_hello)
    suite.case("no hello at all", silent)
    with Zones(mail_keys={"warm": 16}) as host:
        host.start()
        suite.case("sixteen of one account", alone, host, one_account)
        suite.case("sixteen, and the executor again", alone, host, restarts)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--far"]:
        far(sys.argv[2], sys.argv[3:])
    else:
        main(body)
