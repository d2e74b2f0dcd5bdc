#!/usr/bin/env python3
"""Hostile frames on every socket of a real executor (attack case 13).

usage: wire.py [BIN]

tests/invalid/CASE/input says what is sent, a line for each step:

    # a comment
    to planner|mail|deliver|operator   the socket; first of all
    hello                              the hello this socket wants
    frame TEXT                         TEXT with its length in front
    text TEXT                          TEXT alone
    length N                           four bytes of a length
    bytes 00 ff ...                    these bytes
    sleep SECONDS
    answer-first                       wait for one answer before going on
    end                                no more will come from us
    times N STEP[;STEP]                the steps N times

In TEXT, \\xNN is a byte, \\\\ a backslash, {{N*T}} the text T N times and
{{n}} the number of the turn of `times` or {{N*...}}, from 1.

tests/invalid/CASE/expect says what has to come back behind the executor's own
hello, a line for each frame, in this order, and nothing else:

    error CODE [within FROM TO]   an error for no request, so many seconds on
    answer ID result | error CODE
    answers N result | error CODE       to the requests 1 to N
    answers-any N result | error CODE   N of them, ids as they come
    silence                       nothing for a moment
    closed | open                 what became of the channel

After each case the broker has to serve another client at once, with as many
descriptors as before and not much more memory.
"""
import base64
import concurrent.futures
import contextlib
import hashlib
import json
import os
import random
import re
import signal
import socket
import threading
import time

import gullible
from harness import (ROOT, Host, check, descriptors, equal, frame, mail, main,
                     until)

MEMORY_MAX = 40 << 20
SERVED_SECONDS = 8
QUIET_SECONDS = 0.3
REPEAT = re.compile(r"\{\{(\d+)\*((?:\{\{n\}\}|.)*?)\}\}", re.DOTALL)
ESCAPE = re.compile(rb"\\x([0-9a-f]{2})|\\\\")


def expand(text, turn=1):
    """TEXT of an input line as bytes."""
    def repeat(found):
        count, piece = int(found.group(1)), found.group(2)
        if "{{n}}" not in piece:
            return piece * count
        return "".join(piece.replace("{{n}}", str(number))
                       for number in range(1, count + 1))

    def unescape(found):
        return bytes([int(found.group(1), 16)]) if found.group(1) else b"\\"

    text = REPEAT.sub(repeat, text).replace("{{n}}", str(turn))
    return ESCAPE.sub(unescape, text.encode())


class Case:
    """One folder of tests/invalid."""

    def __init__(self, folder):
        self.name = folder.name
        lines = [line for line in (folder / "input").read_text()
                 .splitlines() if line and not line.startswith("#")]
        self.socket = lines[0].split()[1]
        self.steps = lines[1:]
        self.expect = (folder / "expect").read_text().splitlines()
        self.slow = any("within" in line for line in self.expect) or any(
            step.startswith("sleep") for step in self.steps)


class Player:
    """Sends a case's steps while a thread of its own reads, as real clients
    do, and keeps what comes back."""

    def __init__(self, host, case):
        self.host = host
        self.case = case
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(host.socket(case.socket))
        self.began = time.monotonic()
        self.frames = []  # (seconds, object)
        self.ended = None
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        buffer = b""
        try:
            while True:
                data = self.sock.recv(1 << 20)
                if not data:
                    break
                buffer += data
                at, found = 0, []
                while len(buffer) - at >= 4:
                    length = int.from_bytes(buffer[at:at + 4], "big")
                    if len(buffer) - at - 4 < length:
                        break
                    found.append((time.monotonic() - self.began, json.loads(
                        buffer[at + 4:at + 4 + length])))
                    at += 4 + length
                buffer = buffer[at:]
                with self.changed:
                    self.frames += found
                    self.changed.notify_all()
        except (ConnectionError, OSError):
            pass
        with self.changed:
            self.ended = time.monotonic() - self.began
            self.changed.notify_all()

    def wait(self, condition, seconds):
        with self.changed:
            return self.changed.wait_for(condition, seconds)

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (ConnectionError, OSError):
            pass  # it closed on us; what it said says why

    def data_of(self, step, turn):
        word, _, rest = step.partition(" ")
        if word == "frame":
            return frame(expand(rest, turn))
        if word == "text":
            return expand(rest, turn)
        if word == "length":
            return int(rest).to_bytes(4, "big")
        if word == "bytes":
            return bytes.fromhex(rest)
        if word == "hello":
            return frame({"jsonrpc": "2.0", "method": "hello", "params": {
                "protocol": 1, "zone": self.case.socket, "program": "drive",
                "attestation": {}}})
        return None

    def step(self, step, turn=1):
        word, _, rest = step.partition(" ")
        data = self.data_of(step, turn)
        if data is not None:
            self.send(data)
        elif word == "sleep":
            time.sleep(float(rest))
        elif word == "answer-first":
            check(self.wait(lambda: len(self.frames) > 1, 10), "no answer")
        elif word == "end":
            self.sock.shutdown(socket.SHUT_WR)
        elif word == "times":
            count, _, steps = rest.partition(" ")
            self.times(int(count), steps.split(";"))
        else:
            check(False, "step %r", step)

    def times(self, count, steps):
        parts, size = [], 0
        for turn in range(1, count + 1):
            for step in steps:
                data = self.data_of(step, turn)
                if data is None:
                    self.send(b"".join(parts))
                    parts, size = [], 0
                    self.step(step, turn)
                else:
                    parts.append(data)
                    size += len(data)
            if size > 1 << 18:
                self.send(b"".join(parts))
                parts, size = [], 0
            if self.ended is not None:
                return
        self.send(b"".join(parts))

    def play(self):
        for step in self.case.steps:
            self.step(step)

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.reader.join(10)
        self.sock.close()


def outcome_of(answer):
    if "result" in answer:
        return "result"
    return "error %d" % answer["error"]["code"]


class Judge:
    """Compares what came back with the lines of `expect`."""

    def __init__(self, player):
        self.player = player
        self.at = 1  # the executor's hello is frame 0

    def next(self, seconds=60):
        player = self.player
        player.wait(lambda: len(player.frames) > self.at
                    or player.ended is not None, seconds)
        check(len(player.frames) > self.at,
              "nothing came back (channel %s)",
              "open" if player.ended is None else "closed")
        self.at += 1
        return player.frames[self.at - 1]

    def error(self, words):
        seconds, got = self.next()
        check(got.get("id", 0) is None and "error" in got, "got %r", got)
        equal(got["error"]["code"], int(words[0]),
              "code (%s)" % got["error"]["message"])
        check(got["error"]["message"], "an error without words")
        if len(words) > 1:
            check(float(words[2]) <= seconds <= float(words[3]),
                  "after %.1f s", seconds)

    def answers(self, ids, outcome):
        for wanted in ids:
            _, got = self.next()
            if wanted is not None:
                equal(got.get("id"), wanted, "id")
            equal(outcome_of(got), outcome, "answer")

    def line(self, line):
        player = self.player
        word, *words = line.split()
        if word == "error":
            self.error(words)
        elif word == "answer":
            self.answers([int(words[0])], " ".join(words[1:]))
        elif word == "answers":
            # couriers answer as they are done; ids may be out of order
            count = int(words[0])
            first = self.at
            self.answers([None] * count, " ".join(words[1:]))
            ids = [got["id"] for _, got in player.frames[first:self.at]]
            equal(sorted(ids), list(range(1, count + 1)), "ids")
        elif word == "answers-any":
            self.answers([None] * int(words[0]), " ".join(words[1:]))
        elif word == "silence":
            time.sleep(QUIET_SECONDS)
        elif word == "closed":
            player.wait(lambda: player.ended is not None, 5)
            check(player.ended is not None, "the channel stays open")
            equal(len(player.frames), self.at, "frames")
        elif word == "open":
            player.wait(lambda: player.ended is not None
                        or len(player.frames) > self.at, QUIET_SECONDS)
            check(player.ended is None, "the channel was closed")
            equal(len(player.frames), self.at, "frames")
        else:
            check(False, "expectation %r", line)

    def judge(self):
        hello = self.player.wait(lambda: self.player.frames, 10)
        check(hello, "no hello of the executor")
        equal(self.player.frames[0][1].get("method"), "hello", "first frame")
        for line in self.player.case.expect:
            self.line(line)


def play(host, case):
    player = Player(host, case)
    try:
        player.play()
        Judge(player).judge()
    finally:
        player.close()


class Health:
    """The broker before and after."""

    def __init__(self, host):
        self.host = host
        self.pid = host.role_pid("broker")
        self.descriptors = descriptors(self.pid)
        self.memory = host.memory(self.pid)
        self.most = 0

    def check(self, vouched=True):
        """Without `vouched` a session was asked for before."""
        began = time.monotonic()
        wire = self.host.connect("planner", timeout=SERVED_SECONDS,
                                 vouched=vouched)
        check(wire.request("inbox.list", {}).ok, "another client is refused")
        wire.close()
        took = time.monotonic() - began
        check(took < SERVED_SECONDS, "another client waited %.1f s", took)
        grown = self.host.memory(self.pid) - self.memory
        self.most = max(self.most, grown)
        check(grown < MEMORY_MAX + self.host.slack,
              "broker grew by %d bytes", grown)

    def check_descriptors(self):
        if self.descriptors is not None:
            until(lambda: descriptors(self.pid) <= self.descriptors, 15,
                  "descriptors back at %d" % self.descriptors)


def play_and_check(host, case, health):
    play(host, case)
    health.check()
    health.check_descriptors()


def cases():
    return [Case(folder) for folder in
            sorted((ROOT / "tests" / "invalid").iterdir())
            if (folder / "input").exists()]


def run_slow(suite, host, slow, health):
    """Those that wait for deadlines wait together; a socket of a reader takes
    two at a time."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        waiting = [(case, pool.submit(play, host, case)) for case in slow
                   if suite.only in case.name]
        time.sleep(1)
        suite.case("served while they wait", health.check)
        for case, future in waiting:
            suite.case(case.name + " (attack case 13)", future.result)
    suite.case("descriptors after them", health.check_descriptors)


# What needs more than a list of steps.

def never_reads(host, health):
    """Asks for large answers and reads none of them: it is not read any more
    long before memory is a matter."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(host.socket("planner"))
    sock.sendall(frame({"jsonrpc": "2.0", "method": "hello", "params": {
        "protocol": 1, "zone": "planner", "program": "p",
        "attestation": {}}}))
    sock.setblocking(False)
    requests = b"".join(frame(
        {"jsonrpc": "2.0", "id": n, "method": "capability.list",
         "params": {}}) for n in range(1, 1001))
    sent, deadline = 0, time.monotonic() + 3
    while time.monotonic() < deadline:
        try:
            sent += sock.send(requests[sent % len(requests):])
        except BlockingIOError:
            time.sleep(0.05)
    check(sent < 8 << 20, "it took %d bytes", sent)
    health.check()
    sock.close()
    health.check_descriptors()
    return "took %d KiB of requests" % (sent >> 10)


def never_reads_files(host, health):
    """64 large files at once to somebody who reads none of them, and then
    reads all."""
    reader = host.attach_reader()
    try:
        said = large_files(host, health)
    finally:
        host.attached.remove(reader)
        reader.terminate()
        reader.wait(10)
        until(lambda: host.zone_status("mail")["channels"] == 0, 10,
              "the reader's end")
    health.check_descriptors()
    return said


def large_files(host, health):
    wire = host.connect("planner")
    for number in range(1, 65):
        wire.send({"jsonrpc": "2.0", "id": number, "method": "call",
                   "params": {"name": "file.large",
                              "arguments": {"path": "large.txt"}}})
    time.sleep(4)
    health.check()
    got, lost = {}, ""
    try:
        while len(got) < 64:
            answer = wire.receive(20)
            got[answer["id"]] = outcome_of(answer)
    except gullible.WireLost as why:
        lost = str(why)
    wire.close()
    # on a busy machine a reader may be too slow for the last of them
    check(set(got.values()) <= {"result", "error 1405", "error 1202"},
          "answers: %r", set(got.values()))
    check("result" in got.values(), "none was whole: %r", got)
    check(len(got) == 64 or lost == "channel closed", "%d answers, %s",
          len(got), lost)
    return "%d whole, %d too large, +%d KiB" % (
        list(got.values()).count("result"),
        list(got.values()).count("error 1405"), health.most >> 10)


def credit_overrun(host, health):
    """A reader that gives credit for bytes it never got."""
    host.deliver(mail("for a reader that lies"))
    reader = host.connect("mail")
    equal(reader.receive(10)["method"], "clean", "work")
    reader.send({"jsonrpc": "2.0", "method": "credit",
                 "params": {"stream": 1, "bytes": 262144}})
    expect_error(reader, 1113)
    health.check()


def expect_error(wire, code):
    while True:
        got = wire.receive(10)
        if got.get("id", 0) is None:
            break
    equal(got["error"]["code"], code, "code")
    try:
        wire.receive(5)
        check(False, "the channel lives")
    except gullible.WireLost as why:
        equal(str(why), "channel closed", "end")
    wire.close()


def lie_once(reader, what):
    request = reader.receive(10)
    equal(request["method"], "clean", "work")
    while reader.receive(10).get("method") != "end":
        pass
    for part in what["frames"]:
        part = dict(part)
        if part.get("id") == "ID":
            part["id"] = request["id"]
        reader.send(part)
    if what.get("code"):
        expect_error(reader, what["code"])


def reader_lies(host, what):
    """A reader that answers nonsense costs an item two attempts, no more."""
    handle = host.deliver(mail("nonsense about " + what["name"]))
    reader = None
    for attempt in range(2):
        # a refused answer leaves the channel, a broken rule ends it
        if reader is None or what.get("code"):
            reader = host.connect("mail")
        lie_once(reader, what)
    if not what.get("code"):
        until(lambda: host.items()[handle]["state"] == "quarantined", 10,
              "quarantined")
        reader.close()
    equal(host.items()[handle]["state"], "quarantined", "state")
    shown = host.operate("item.show", {"handle": handle})
    check("message" not in shown, "a lie was stored")
    equal(host.command("inbox", "show", handle).returncode, 0, "show")
    host.operate("item.drop", {"handle": handle})


def answer(message):
    return {"jsonrpc": "2.0", "id": "ID", "result": {"message": message}}


def good_object(**more):
    message = {"v": 1, "channel": "mail",
               "from": {"name": "", "address": "ann@example.org"}, "to": [],
               "cc": [], "reply_to": [], "authentication": [], "date": None,
               "message_id": "",
               "subject": "s", "body": "b", "links": [], "attachments": [],
               "hidden": [], "injection": {
                   "score": 0, "verdict": "unscored", "spans": [],
                   "keywords": {"ignore": 0, "instead": 0,
                                "new_instruction": 0}},
               "findings": [], "truncated": [], "sanitized": True}
    message.update(more)
    return message


def lies():
    record = {"jsonrpc": "2.0", "method": "record",
              "params": {"stream": 1, "record": {}}}
    without = good_object()
    del without["hidden"]
    yield {"name": "no message", "frames": [
        {"jsonrpc": "2.0", "id": "ID", "result": {}}]}
    yield {"name": "result null", "frames": [
        {"jsonrpc": "2.0", "id": "ID", "result": None}]}
    yield {"name": "result list", "frames": [
        {"jsonrpc": "2.0", "id": "ID", "result": [good_object()]}]}
    yield {"name": "empty object", "frames": [answer({})]}
    yield {"name": "message null", "frames": [answer(None)]}
    yield {"name": "missing key", "frames": [answer(without)]}
    yield {"name": "more keys", "frames": [answer(good_object(admin=True))]}
    yield {"name": "sanitized false", "frames": [
        answer(good_object(sanitized=False))]}
    yield {"name": "direction", "frames": [
        answer(good_object(body="a\u202eb"))]}
    yield {"name": "tag characters", "frames": [
        answer(good_object(body="a\U000e0041b"))]}
    yield {"name": "escape", "frames": [
        answer(good_object(subject="\u001b[2J"))]}
    yield {"name": "another channel", "frames": [
        answer(good_object(channel="text"))]}
    yield {"name": "detection without form", "code": 1108, "frames": [
        {"jsonrpc": "2.0", "method": "record", "params": {
            "stream": 1, "record": {"injection": [
                {"rules": ["<b>"], "score": 1, "where": "seen", "view": "",
                 "sha256": "0" * 64}]}}}]}
    yield {"name": "body long", "frames": [
        answer(good_object(body="x" * 400000))]}
    yield {"name": "score", "frames": [answer(good_object(injection={
        "score": 7, "verdict": "clean", "spans": [],
        "keywords": {"ignore": 0, "instead": 0, "new_instruction": 0}}))]}
    yield {"name": "error", "frames": [
        {"jsonrpc": "2.0", "id": "ID",
         "error": {"code": 1305, "message": "could not"}}]}
    yield {"name": "error code 0", "frames": [
        {"jsonrpc": "2.0", "id": "ID",
         "error": {"code": 0, "message": "all is well"}}]}
    yield {"name": "error negative", "frames": [
        {"jsonrpc": "2.0", "id": "ID",
         "error": {"code": -32000, "message": "\x1b[2J\nev=x"}}]}
    yield {"name": "record twice", "frames": [record, record], "code": 1112}
    yield {"name": "record of another", "frames": [
        {"jsonrpc": "2.0", "method": "record",
         "params": {"stream": 2, "record": {}}}], "code": 1112}
    yield {"name": "hello again", "code": 1109, "frames": [
        {"jsonrpc": "2.0", "method": "hello", "params": {
            "protocol": 1, "zone": "mail", "program": "p",
            "attestation": {}}}]}


def idle_deliverers(host, health):
    """Every place on the deliver socket taken by somebody who says nothing
    more: one more has to get in when they have had their time."""
    wires = []
    for number in range(80):
        try:
            wire = host.connect("deliver")
            wire.send({"jsonrpc": "2.0", "id": 1, "method": "deliver",
                       "params": {"stream": 1, "channel": "mail",
                                  "bytes": 32 << 20}})
            wires.append(wire)
        except (gullible.WireLost, OSError):
            break
    health.check()
    check(len(wires) <= 64, "%d deliveries at once", len(wires))
    began = time.monotonic()
    until(lambda: host.command("deliver", "mail",
                               data=mail("one more")).returncode == 0, 45,
          "one more delivery")
    took = time.monotonic() - began
    for wire in wires:
        wire.close()
    health.check_descriptors()
    return "%d of them; served after %.0f s" % (len(wires), took)


def auditor_stalls(host, health):
    """A flood of calls while nothing can be put on record: nothing is done or
    answered, memory stays bounded, and afterwards all goes on."""
    auditor = host.role_pid("auditor")
    wire = host.connect("planner")
    data = b"".join(frame(
        {"jsonrpc": "2.0", "id": number, "method": "call",
         "params": {"name": "file.list" if number % 2 else "nope",
                    "arguments": {"path": "p" * 2000}}})
        for number in range(1, 5001))
    sender = threading.Thread(target=send_quietly, args=(wire, data),
                              daemon=True)
    os.kill(auditor, signal.SIGSTOP)
    try:
        sender.start()
        time.sleep(1)
        used = cpu_seconds(health.pid)
        time.sleep(2)
        used = cpu_seconds(health.pid) - used
        check(used < 1, "the broker spins: %.1f of 2 s", used)
        grown = host.memory(health.pid) - health.memory
        check(grown < MEMORY_MAX + host.slack, "broker grew by %d", grown)
    finally:
        os.kill(auditor, signal.SIGCONT)
    answers = 0
    while answers < 5000:
        got = wire.receive(30)
        equal(outcome_of(got) in ("error 1301", "error 1310", "error 1306",
                                  "error 1312"), True, "answer %r" % got)
        answers += 1
    sender.join(10)
    wire.close()
    health.check()


def cpu_seconds(pid):
    """What a process used so far; 0 where nobody tells."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send_quietly(wire, data):
    try:
        wire.send_bytes(data)
    except gullible.WireLost:
        pass  # who reads the answers will see it


def many_connections(host, health):
    """Three hundred connections that say nothing. The session is asked for
    before: the operator's socket is one of those that are full."""
    socks = []
    host.operate("session.new", {"zone": "planner"})
    for number in range(300):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(5)
        try:
            sock.connect(host.socket(("mail", "deliver", "operator")
                                     [number % 3]))
            socks.append(sock)
        except OSError:
            sock.close()
    health.check(vouched=False)
    for sock in socks:
        sock.close()
    health.check_descriptors()
    check(host.operate("status"), "the operator is let in again")
    return "%d connected" % len(socks)


def churn(host, health):
    """A thousand connections that come and go, some with a word; who is
    not let in may find the connection closed before it has said it."""
    rng = random.Random(7)
    for number in range(1000):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(host.socket(rng.choice(
            ("planner", "mail", "deliver", "operator"))))
        if rng.random() < 0.5:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.send(os.urandom(rng.randrange(1, 40)))
        sock.close()
    health.check()
    health.check_descriptors()


def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(4, len(data))
        what = rng.randrange(4)
        if what == 0:
            data[at] = rng.randrange(256)
        elif what == 1:
            del data[at]
            if len(data) < 8:
                break
        elif what == 2:
            data[at:at] = rng.choice((b"\"", b"{", b"}", b"[", b"\\", b"\0",
                                      b"1e9", b"-", b",", b"null", b"\xff"))
        else:
            data[at:at] = data[4:at]
    return (len(data) - 4).to_bytes(4, "big") + bytes(data[4:])


def mutants(host, health):
    """Thousands of frames, each a good one with some bytes changed."""
    rng = random.Random(20260302)
    pool = {"planner": [
        {"jsonrpc": "2.0", "id": 1, "method": "call",
         "params": {"name": "file.read", "arguments": {"path": "a.txt"}}},
        {"jsonrpc": "2.0", "id": 2, "method": "inbox.next",
         "params": {"wait_ms": 0}},
        {"jsonrpc": "2.0", "id": 3, "method": "inbox.read",
         "params": {"handle": "msg:1"}}],
        "deliver": [
        {"jsonrpc": "2.0", "id": 1, "method": "deliver",
         "params": {"stream": 1, "channel": "mail", "bytes": 3}},
        {"jsonrpc": "2.0", "method": "chunk",
         "params": {"stream": 1, "data": "AAAA"}},
        {"jsonrpc": "2.0", "method": "end",
         "params": {"stream": 1, "sha256": "0" * 64}}],
        "operator": [
        {"jsonrpc": "2.0", "id": 1, "method": "item.list",
         "params": {"after": 0, "limit": 10}},
        {"jsonrpc": "2.0", "id": 2, "method": "item.show",
         "params": {"handle": "msg:1"}}]}
    for _ in range(3000):
        name = rng.choice(sorted(pool))
        wire = host.connect(name, timeout=10)
        try:
            for good in pool[name]:
                wire.send_bytes(mutate(rng, frame(good)))
        except (gullible.WireLost, OSError):
            pass
        wire.close()
    health.check()
    health.check_descriptors()


def large_mail(host, health):
    """32 MiB in 48 KiB pieces by somebody who reads no credit until the
    end."""
    raw = os.urandom(1 << 20) * 32
    wire = host.connect("deliver", timeout=60)
    wire.send({"jsonrpc": "2.0", "id": 1, "method": "deliver", "params": {
        "stream": 1, "channel": "mail", "bytes": len(raw)}})
    for at in range(0, len(raw), 48 * 1024):
        wire.send({"jsonrpc": "2.0", "method": "chunk", "params": {
            "stream": 1, "data": base64.b64encode(
                raw[at:at + 48 * 1024]).decode()}})
    wire.send({"jsonrpc": "2.0", "method": "end", "params": {
        "stream": 1, "sha256": hashlib.sha256(raw).hexdigest()}})
    while True:
        got = wire.receive(60)
        if got.get("id") == 1:
            break
    check("result" in got, "answer %r", got)
    wire.close()
    health.check()
    host.operate("item.drop", {"handle": got["result"]["handle"]})


def log_is_whole(host):
    """Nothing a peer said made a line of the log."""
    for line in host.log_text().splitlines():
        check(not line or line.startswith("ev="), "line %r", line[:200])
        check(not line.startswith("ev=ready level=error"), "forged: %r", line)
        check("\x1b" not in line, "escape: %r", line[:200])


def records_of_refusals(host):
    rows = [row for row in host.audit() if row["kind"] == "decision"
            and row["capability"] == "send_data_to_external_server"]
    equal(len(rows), 5000, "records of 5,000 refused calls")
    equal(len({row["request"] for row in rows}), 5000, "request numbers")
    host.verify()


def make_host():
    host = Host()
    large = {"name": "file.large", "kind": "file", "method": "read",
             "why": "A large one.",
             "settings": {"root": str(host.files), "max_bytes": 1000000},
             "limits": {"per_hour": 1000000}}
    host.policy["capabilities"].append(large)
    host.policy["rules"][0]["capability"].append("file.large")
    host.write_settings()
    (host.files / "large.txt").write_text("&" * 100000)
    return host


def body(suite):
    with make_host() as host:
        host.start()
        host.connect("planner").close()
        health = Health(host)
        known = cases()
        for case in known:
            if not case.slow:
                suite.case(case.name + " (attack case 13)", play_and_check,
                           host, case, health)
        run_slow(suite, host, [case for case in known if case.slow], health)
        if not suite.only:
            suite.case("records of refusals", records_of_refusals, host)
        suite.case("never reads", never_reads, host, health)
        suite.case("never reads files", never_reads_files, host, health)
        suite.case("credit overrun", credit_overrun, host, health)
        host.operate("item.drop", {"handle": max(
            host.items(), default="msg:1", key=lambda h: int(h[4:]))}
        ) if not suite.only else None
        for lie in lies():
            suite.case("reader lies: " + lie["name"], reader_lies, host, lie)
        suite.case("auditor stalls", auditor_stalls, host, health)
        suite.case("large mail", large_mail, host, health)
        suite.case("connections", many_connections, host, health)
        suite.case("churn", churn, host, health)
        suite.case("mutants", mutants, host, health)
        suite.case("idle deliverers", idle_deliverers, host, health)
        suite.case("log is whole", log_is_whole, host)
        suite.case("audit verifies", host.verify)
        if host.executor.poll() is None:
            equal(host.role_pid("broker"), health.pid, "the broker")
        print("broker grew by at most %d KiB" % (health.most >> 10))


if __name__ == "__main__":
    main(body)
