#!/usr/bin/env python3
"""Sessions over the real socket: who has which item, and which legs.

usage: sessions.py [BIN]
"""
import base64
import hashlib
import json
import os
import signal
import time

import gullible
import procs
from harness import (Failed, Host, check, descriptors, equal, frame, mail,
                     main, until)

MANY = 1000
NOT_FOUND, WRONG_STATE, CANCELLED = 1306, 1307, 1203


class Deliverer:
    """The deliver side of the wire: many mails over one connection."""

    def __init__(self, host):
        self.wire = host.connect("deliver")
        self.next_stream = 0

    def send(self, raw):
        self.next_stream += 1
        stream = self.next_stream
        self.wire.next_id += 1
        request = self.wire.next_id
        parts = [{"jsonrpc": "2.0", "id": request, "method": "deliver",
                  "params": {"stream": stream, "channel": "mail",
                             "bytes": len(raw)}}]
        for at in range(0, len(raw), 3 * 16384):
            piece = base64.b64encode(raw[at:at + 3 * 16384]).decode()
            parts.append({"jsonrpc": "2.0", "method": "chunk",
                          "params": {"stream": stream, "data": piece}})
        parts.append({"jsonrpc": "2.0", "method": "end",
                      "params": {"stream": stream,
                                 "sha256": hashlib.sha256(raw).hexdigest()}})
        self.wire.send_bytes(b"".join(frame(part) for part in parts))
        while True:
            answer = self.wire.receive()
            if answer.get("id") == request:
                check("result" in answer, "deliver: %r", answer)
                return answer["result"]["handle"]

    def close(self):
        self.wire.close()


def take(wire, wait_ms=20000):
    """inbox.next; the handle or None."""
    answer = wire.request("inbox.next", {"wait_ms": wait_ms},
                          wait_ms / 1000 + 10)
    check(answer.ok, "inbox.next: %r", answer.error)
    return answer.result["handle"]


def refused(answer, code, what):
    check(not answer.ok, "%s was not refused: %r", what, answer.result)
    equal(answer.error["code"], code, what)


def note(wire, text="a note"):
    return wire.request("call", {"name": "notify.send",
                                 "arguments": {"text": text}})


def finish(wire, handle):
    answer = wire.request("inbox.done", {"handle": handle, "outcome": "ok"})
    check(answer.ok, "inbox.done: %r", answer.error)


def legs_of(host):
    """Legs of every live session, by number."""
    return {row["session"]: row["legs"]
            for row in host.operate("session.list")["sessions"]}


def at_least(count, rows):
    """Records come a moment after what they are about."""
    return rows if len(rows) >= count else None


def start_waiting(host):
    """A planner that waits for an item, and is known to."""
    wire = host.connect("planner")
    for number in (1, 2):
        wire.send({"jsonrpc": "2.0", "id": number, "method": "inbox.next",
                   "params": {"wait_ms": 60000}})
    answer = wire.receive(10)
    equal((answer["id"], answer["error"]["code"]), (2, WRONG_STATE),
          "a second inbox.next while one waits")
    wire.next_id = 10
    return wire


def sessions_of(host):
    return {row["session"] for row in host.audit() if row["kind"] == "claim"}


# 1. Per-message.

def one_message(host, seen):
    """One instance: fresh legs, one message, refused the second one."""
    wire = host.connect("planner")
    try:
        handle = take(wire)
        check(handle is not None and handle not in seen,
              "handle %r again or none", handle)
        seen[handle] = None
        live = legs_of(host)
        equal(live[max(live)], [], "legs of a new session")
        answer = wire.request("inbox.read", {"handle": handle})
        check(answer.ok, "inbox.read: %r", answer.error)
        equal(legs_of(host)[max(live)], ["A"], "legs after reading")
        finish(wire, handle)
        refused(wire.request("inbox.next", {"wait_ms": 0}), WRONG_STATE,
                "a second inbox.next")
        seen[handle] = answer.result["message"]["subject"]
    finally:
        wire.close()


def many_messages(host):
    """MANY messages, each in a session of its own."""
    deliverer = Deliverer(host)
    wanted = {}
    for number in range(MANY):
        subject = "number %d" % number
        wanted[deliverer.send(mail(subject))] = subject
    deliverer.close()
    seen = {}
    for _ in range(MANY):
        one_message(host, seen)
    equal(seen, wanted, "what each session read")
    rows = until(lambda: at_least(MANY, [row for row in host.audit()
                                         if row["kind"] == "claim"]), 10,
                 "claims on record")
    equal(len(rows), MANY, "claims on record")
    equal(len({row["session"] for row in rows}), MANY, "sessions")
    equal(len({row["handle"] for row in rows}), MANY, "handles")
    until(lambda: {row["session"] for row in host.audit()
                   if row["kind"] == "session" and row["detail"] == "legs A"}
          == sessions_of(host), 15, "the leg of each session on record")
    equal(host.counts()["done"], MANY, "items done")
    until(lambda: not legs_of(host), 15, "no live session is left")
    return "%d sessions of one message, none with another's legs" % MANY


def foreign_handles(host):
    """A handle is of use to its own session only."""
    first = host.deliver_and_wait(mail("first of two"))
    second = host.deliver_and_wait(mail("second of two"))
    one, two = host.connect("planner"), host.connect("planner")
    try:
        mine, others = take(one), take(two)
        equal({mine, others}, {first, second}, "handles")
        for method, more in (("inbox.read", {}),
                             ("inbox.done", {"outcome": "stolen"})):
            refused(one.request(method, dict(handle=others, **more)),
                    NOT_FOUND, method + " of another's item")
            for wrong in ("msg:0", "msg:999999", "msg:-1", "msg:01", "msg:",
                          "17", " " + mine, mine + " ", mine + "\n",
                          "MSG:1", "msg:9007199254740993"):
                refused(one.request(method, dict(handle=wrong, **more)),
                        NOT_FOUND, "%s of %r" % (method, wrong))
        # none of that was seen, so none of it left a mark
        check(all(not legs for legs in legs_of(host).values()), "legs: %r",
              legs_of(host))
        equal(host.items()[others]["state"], "claimed", "the other's item")
        finish(one, mine)
        refused(one.request("inbox.read", {"handle": mine}), NOT_FOUND,
                "reading after done")
        refused(one.request("inbox.done", {"handle": mine, "outcome": "x"}),
                NOT_FOUND, "done twice")
        finish(two, others)
    finally:
        one.close()
        two.close()


def give_back(host):
    """Leaving before acting gives the item back, with no legs on the next."""
    handle = host.deliver_and_wait(mail("given back"))
    for turn in range(5):
        wire = host.connect("planner")
        equal(take(wire), handle, "turn %d" % turn)
        check(wire.request("inbox.read", {"handle": handle}).ok, "read")
        # a refused call is no act
        check(not wire.request("call", {"name": "nope",
                                        "arguments": {}}).ok, "nope")
        wire.close()
        until(lambda: host.items()[handle]["state"] == "ready", 10,
              "given back")
    wire = host.connect("planner")
    equal(take(wire), handle, "at last")
    finish(wire, handle)
    wire.close()
    equal(host.items()[handle]["state"], "done", "state")


def interrupted(host):
    """Leaving after acting: interrupted, until the operator releases it."""
    handle = host.deliver_and_wait(mail("acted on"))
    wire = host.connect("planner")
    equal(take(wire), handle, "handle")
    check(note(wire, "acted once").ok, "the call")
    wire.close()
    until(lambda: host.items()[handle]["state"] == "interrupted", 10,
          "interrupted")
    until(lambda: ("session", "ends") in [
        (row["kind"], row.get("why")) for row in host.audit()
        if row.get("handle") == handle], 15, "its session's end on record")
    wire = host.connect("planner")
    equal(take(wire, 300), None, "an interrupted item is not handed out")
    wire.close()
    done = host.command("inbox", "release", handle)
    equal(done.returncode, 0, "inbox release")
    equal(host.items()[handle]["state"], "ready", "released")
    wire = host.connect("planner")
    equal(take(wire), handle, "handed out again")
    finish(wire, handle)
    wire.close()
    done = host.command("inbox", "release", handle)
    check(done.returncode != 0, "a finished item was released")
    until(lambda: ("operator", "release") in [
        (row["kind"], row.get("why")) for row in host.audit()
        if row.get("handle") == handle], 15, "release on record")


def interrupted_by_kill():
    """The service dies after acting: its next start puts that on record."""
    with Host() as host:
        host.start()
        host.attach_reader()
        handle = host.deliver_and_wait(mail("acted on"))
        wire = host.connect("planner")
        equal(take(wire), handle, "handle")
        check(note(wire, "acted once").ok, "the call")
        os.kill(host.role_pid("broker"), signal.SIGKILL)
        host.executor.wait(20)
        host.executor = None
        wire.close()
        host.start()
        equal(host.items()[handle]["state"], "interrupted", "state")
        row = until(lambda: next((row for row in host.audit() if
                                  row["kind"] == "quarantine"), None), 15,
                    "a record of it")
        equal((row["handle"], row["detail"]), (handle, "interrupted"),
              "on record")
        check("service ended" in row["why"], "why: %r", row["why"])
        host.verify()


def courier_away():
    """A courier that is away for some seconds costs a planner's rules no
    effect: nothing was done, so the call is made again."""
    for _ in range(3):  # where all is slow it may be back before the mail is
        refused_first = calls_refused_while_away()
        if refused_first:
            return "%d calls refused before it" % refused_first
    raise Failed("the courier was never away")


def couriers(host):
    """Process numbers of those for notify."""
    return procs.named(host.log_text()).get("notify", [])


def calls_refused_while_away():
    with Host() as host:
        rules = host.folder / "rules.json"
        rules.write_text(json.dumps(
            {"version": 1, "rules": [], "otherwise": [
                {"call": "notify.send",
                 "arguments": {"text": {"$field": "/subject"}}}]}))
        host.start()
        host.attach_reader()
        host.attach("planner", *host.planner_command(rules))
        for _ in range(3):  # down for 100 ms, 400 ms, 1.6 s
            until(lambda: all(row["up"] for row in
                              host.operate("status")["couriers"]), 10, "up")
            killed = until(lambda: couriers(host), 15, "a process")
            procs.send(killed, signal.SIGKILL)
            until(lambda: couriers(host) not in ([], killed)
                  or not all(row["up"] for row in
                             host.operate("status")["couriers"]), 15,
                  "down, or there again")
        handle = host.deliver(mail("told in the end"))
        until(lambda: host.items()[handle]["state"] == "done", 20, "done")
        equal(host.notes.read_text().count("told in the end"), 1, "notes")
        return len([row for row in host.audit() if row.get("handle") ==
                    handle and row["kind"] == "decision"])


def act_and_vanish(host):
    """The order leaves, and the planner in the same breath."""
    for turn in range(20):
        handle = host.deliver_and_wait(mail("vanish %d" % turn))
        wire = host.connect("planner")
        equal(take(wire), handle, "handle")
        wire.send({"jsonrpc": "2.0", "id": 77, "method": "call",
                   "params": {"name": "notify.send",
                              "arguments": {"text": "vanish %d" % turn}}})
        wire.close()
        until(lambda: host.items()[handle]["state"] == "interrupted", 10,
              "interrupted")
        host.command("inbox", "drop", handle)
    # an item is interrupted by its planner's end, whatever its order does
    def rows(kind):
        return [row for row in host.audit() if row["kind"] == kind]
    until(lambda: host.notes.read_text().count("vanish ") == 20, 10,
          "notes written")
    until(lambda: rows("outcome") and len(rows("outcome")) == len(
        rows("intent")), 10, "an outcome for each intent")


def cancel_next(host):
    """cancel ends a waiting inbox.next; the channel lives."""
    wire = host.connect("planner")
    wire.send({"jsonrpc": "2.0", "id": 5, "method": "inbox.next",
               "params": {"wait_ms": 60000}})
    # cancelling what is not open is no event at all
    for number in (4, 6, 1 << 53):
        wire.send({"jsonrpc": "2.0", "method": "cancel",
                   "params": {"id": number}})
    wire.send({"jsonrpc": "2.0", "method": "cancel", "params": {"id": 5}})
    answer = wire.receive(5)
    equal((answer["id"], answer["error"]["code"]), (5, CANCELLED), "cancelled")
    # twice is nothing, and the item that comes now is not lost on it
    wire.send({"jsonrpc": "2.0", "method": "cancel", "params": {"id": 5}})
    handle = host.deliver_and_wait(mail("after a cancel"))
    equal(host.items()[handle]["state"], "ready", "nobody took it")
    wire.next_id = 10
    equal(take(wire), handle, "it takes it now")
    finish(wire, handle)
    wire.close()


def wait_ms(host):
    """inbox.next waits as long as it says, and wakes when something comes."""
    wire = host.connect("planner")
    began = time.monotonic()
    equal(take(wire, 0), None, "wait_ms 0")
    check(time.monotonic() - began < 5, "wait_ms 0 waited")
    began = time.monotonic()
    equal(take(wire, 700), None, "wait_ms 700")
    took = time.monotonic() - began
    check(0.6 < took < 10, "wait_ms 700 took %.2f s", took)
    wire.close()
    wire = start_waiting(host)
    handle = host.deliver(mail("wakes it"))
    answer = wire.receive(20)
    equal((answer["id"], answer["result"]["handle"]), (1, handle), "woken")
    finish(wire, handle)
    wire.close()
    for wrong in (-1, 60001):
        wire = host.connect("planner")
        refusal = wire.request("inbox.next", {"wait_ms": 0})
        check(refusal.ok, "fresh session")
        try:
            wire.request("inbox.next", {"wait_ms": wrong})
        except gullible.WireLost as why:
            check("1108" in str(why), "wait_ms %d: %s", wrong, why)
        else:
            raise Failed("wait_ms %d was taken" % wrong)
        wire.close()


def fair_queue(host):
    """Several wait; each item wakes exactly one."""
    wires = [start_waiting(host) for _ in range(8)]
    handles = {host.deliver(mail("for one of eight %d" % n))
               for n in range(5)}
    until(lambda: all(host.items()[handle]["state"] == "claimed"
                      for handle in handles), 30, "claimed")
    for wire in wires:  # of no effect on those that were answered
        wire.send({"jsonrpc": "2.0", "method": "cancel", "params": {"id": 1}})
    answers = [wire.receive(15) for wire in wires]
    equal({answer["error"]["code"] for answer in answers
           if "error" in answer}, {CANCELLED}, "the others")
    got = [answer.get("result", {}).get("handle") for answer in answers]
    given = [handle for handle in got if handle is not None]
    equal(sorted(given), sorted(handles), "each item once")
    for wire, handle in zip(wires, got):
        if handle:
            finish(wire, handle)
        wire.close()


def planners_die_waiting(host):
    """Waiting planners that are gone when an item comes: nothing is lost.

    The broker is held still while all of them close, so that it learns of the
    item first and of their ends only by writing to them.
    """
    raw = mail("for nobody yet")
    broker = host.role_pid("broker")
    wires = [start_waiting(host) for _ in range(6)]
    reader = fake_reader(host)
    try:
        handle = host.deliver(raw)
        request = reader.receive(10)
        equal(request["method"], "clean", "work for the reader")
        drain_stream(reader)
        os.kill(broker, signal.SIGSTOP)
        try:
            # first the clean object, then the ends: in this order it sees it
            reader.send({"jsonrpc": "2.0", "id": request["id"],
                         "result": {"message": clean_object()}})
            for wire in wires:
                wire.close()
        finally:
            os.kill(broker, signal.SIGCONT)
        until(lambda: host.items()[handle]["state"] == "ready", 10,
              "ready again")
    finally:
        reader.close()
    equal(host.role_pid("broker"), broker, "the broker lives")
    wire = host.connect("planner")
    equal(take(wire), handle, "handed out")
    finish(wire, handle)
    wire.close()


def reader_dies_idle(host):
    """An idle reader that is gone when an item comes: one lost attempt."""
    broker = host.role_pid("broker")
    for turn in range(3):
        reader = fake_reader(host)
        sender = host.connect("deliver")
        raw = mail("nobody reads %d" % turn)
        os.kill(broker, signal.SIGSTOP)
        try:
            sender.send_bytes(deliver_frames(raw))
            reader.close()
        finally:
            os.kill(broker, signal.SIGCONT)
        answer = sender.receive(10)
        while answer.get("id") != 1:
            answer = sender.receive(10)
        handle = answer["result"]["handle"]
        sender.close()
        until(lambda: host.items()[handle]["state"] == "new", 10, "new again")
        host.command("inbox", "drop", handle)
    equal(host.role_pid("broker"), broker, "the broker lives")


def deliver_frames(raw, stream=1):
    return b"".join(frame(part) for part in (
        {"jsonrpc": "2.0", "id": 1, "method": "deliver",
         "params": {"stream": stream, "channel": "mail", "bytes": len(raw)}},
        {"jsonrpc": "2.0", "method": "chunk",
         "params": {"stream": stream,
                    "data": base64.b64encode(raw).decode()}},
        {"jsonrpc": "2.0", "method": "end",
         "params": {"stream": stream,
                    "sha256": hashlib.sha256(raw).hexdigest()}}))


def fake_reader(host):
    wire = host.connect("mail")
    until(lambda: host.zone_status("mail")["channels"] > 0, 15, "reader there")
    return wire


def drain_stream(reader):
    while True:
        part = reader.receive(10)
        if part.get("method") == "end":
            return


def clean_object():
    return {"v": 1, "channel": "mail",
            "from": {"name": "", "address": "ann@example.org"}, "to": [],
            "cc": [], "reply_to": [], "authentication": [], "date": None,
            "message_id": "",
            "subject": "s", "body": "b", "links": [], "attachments": [],
            "hidden": [], "injection": {
                "score": 0, "verdict": "unscored", "spans": [],
                "keywords": {"ignore": 0, "instead": 0,
                             "new_instruction": 0}},
            "findings": [], "truncated": [], "sanitized": True}


# 2. Standing.

def standing(host):
    """One channel only; legs outlive connection and executor."""
    handle = host.deliver_and_wait(mail("for the standing one"))
    wire = host.connect("planner")
    number = max(until(lambda: legs_of(host), 15, "a live session"))
    equal(legs_of(host)[number], [], "legs at first")
    other = host.connect("planner", hello=False)
    other.send({"jsonrpc": "2.0", "method": "hello",
                "params": {"protocol": 1, "zone": "planner",
                           "program": "second", "attestation": {}}})
    other.receive(5)
    answer = other.receive(5)
    equal(answer["error"]["code"], 1201, "a second channel")
    other.close()
    equal(take(wire), handle, "still served")
    check(wire.request("inbox.read", {"handle": handle}).ok, "read")
    finish(wire, handle)
    equal(legs_of(host)[number], ["A"], "leg A")
    second = host.deliver_and_wait(mail("a second for the standing one"))
    equal(take(wire), second, "a standing session takes more than one")
    finish(wire, second)
    wire.close()
    wire = reconnect(host)
    equal(legs_of(host), {number: ["A"]}, "after reconnect")
    check(wire.request("call", {"name": "file.list",
                                "arguments": {}}).ok, "file.list")
    wire.close()
    before = reconnect_legs(host, number)
    host.stop_executor()
    host.start()
    equal(reconnect_legs(host, number), before, "after a restart")
    os.kill(host.role_pid("broker"), signal.SIGKILL)
    host.executor.wait(30)
    host.executor = None
    host.start()
    equal(reconnect_legs(host, number), before, "after a kill")
    return "legs %s kept" % "".join(before)


def reconnect(host):
    """A standing zone's channel may be held a moment by the one before."""
    def attempt():
        # hello is answered before the session is there, or is refused
        try:
            wire = host.connect("planner")
            return wire if wire.request("inbox.list", {}).ok else None
        except gullible.WireLost:
            return None
    return until(attempt, 10, "reconnect")


def reconnect_legs(host, number):
    wire = reconnect(host)
    legs = legs_of(host)
    wire.close()
    equal(list(legs), [number], "session number")
    return legs[number]


def legs_deny(host):
    """A rule without_legs A stops matching once something was read."""
    handle = host.deliver_and_wait(mail("makes it untrusted"))
    wire = host.connect("planner")
    equal(take(wire), handle, "handle")
    check(wire.request("call", {"name": "notify.send", "arguments":
                                {"text": "before"}}).ok, "before reading")
    check(wire.request("inbox.list", {}).ok, "inbox.list")
    check(wire.request("capability.list", {}).ok, "capability.list")
    check(note(wire, "after lists").ok, "lists add no leg")
    check(wire.request("inbox.read", {"handle": handle}).ok, "read")
    refused(note(wire, "after reading"), 1301, "after reading")
    finish(wire, handle)
    refused(note(wire, "after done"), 1301, "after done")
    wire.close()
    wire = host.connect("planner")
    check(note(wire, "a new session").ok, "a new session starts clean")
    wire.close()


def deadline(host):
    """A planner that takes too long loses its session, and the item."""
    handle = host.deliver_and_wait(mail("dawdled over"))
    wire = host.connect("planner")
    equal(take(wire), handle, "handle")
    began = time.monotonic()
    try:
        wire.receive(20)
        raise Failed("something was said")
    except gullible.WireLost as why:
        check("closed" in str(why), "%s", why)
    took = time.monotonic() - began
    check(0.7 < took < 15, "closed after %.1f s", took)
    until(lambda: host.items()[handle]["state"] == "ready", 15, "given back")
    wire.close()
    # the other end: frames go on, the item's time does not
    wire = host.connect("planner")
    equal(take(wire), handle, "handle")
    began = time.monotonic()
    try:
        while time.monotonic() - began < 20:
            wire.request("inbox.list", {})
            time.sleep(0.1)
        raise Failed("still open")
    except gullible.WireLost:
        check(time.monotonic() - began < 15, "chatting kept it alive")
    wire.close()
    wire = host.connect("planner")
    equal(take(wire), handle, "handed out again")
    finish(wire, handle)
    time.sleep(1.6)
    check(wire.request("inbox.list", {}).ok, "no deadline without an item")
    wire.close()


def slowed_down():
    """A zone that calls without pause is not read beyond its rate; every call
    is answered and on record all the same."""
    with Host() as host:
        host.config["zones"]["planner"]["max_calls_per_minute"] = 60
        host.write_settings()
        host.start()
        wire = host.connect("planner")
        began = time.monotonic()
        for _ in range(64):  # 60 at once, then one a second
            answer = wire.request("call", {"name": "no.such", "arguments": {}})
            refused(answer, 1301, "no.such")
        took = time.monotonic() - began
        check(1.5 < took < 30, "64 calls took %.1f s", took)
        until(lambda: len([row for row in host.audit() if row["kind"] ==
                           "decision"]) == 64, 15, "records")
        return "64 calls in %.1f s" % took


def no_leaks(host):
    """Hundreds of sessions later the broker has its descriptors back."""
    pid = host.role_pid("broker")
    before, memory = descriptors(pid), host.memory(pid)
    for _ in range(300):
        wire = host.connect("planner")
        wire.request("inbox.next", {"wait_ms": 0})
        wire.close()
    if before is not None:
        until(lambda: descriptors(pid) <= before, 10, "descriptors")
    grown = host.memory(pid) - memory
    check(grown < (8 << 20) + host.slack, "broker grew by %d bytes", grown)
    return "300 sessions, %+d KiB" % (grown >> 10)


def body(suite):
    with Host() as host:
        host.start()
        suite.case("reader dies idle", reader_dies_idle, host)
        suite.case("planners die waiting", planners_die_waiting, host)
        host.attach_reader()
        suite.case("foreign handles", foreign_handles, host)
        suite.case("given back before acting", give_back, host)
        suite.case("interrupted after acting", interrupted, host)
        suite.case("acts and vanishes", act_and_vanish, host)
        suite.case("cancel of inbox.next", cancel_next, host)
        suite.case("wait_ms", wait_ms, host)
        suite.case("eight wait for five", fair_queue, host)
        suite.case("no leaks", no_leaks, host)
        suite.case("audit verifies", host.verify)
    with Host() as host:
        host.start()
        host.attach_reader()
        suite.case("messages do not taint each other", many_messages, host)
        suite.case("audit verifies (many)", host.verify)
    suite.case("interrupted by a kill", interrupted_by_kill)
    suite.case("a courier is away", courier_away)
    suite.case("slowed down", slowed_down)
    with Host(session="standing") as host:
        host.start()
        host.attach_reader()
        suite.case("standing zone", standing, host)
        suite.case("audit verifies (standing)", host.verify)
    with Host() as host:
        host.policy["rules"][1]["without_legs"] = ["A"]
        host.write_settings()
        host.start()
        host.attach_reader()
        suite.case("legs deny", legs_deny, host)
        suite.case("audit verifies (legs)", host.verify)
    with Host() as host:
        host.config["zones"]["planner"]["deadline_ms"] = 1000
        host.write_settings()
        host.start()
        host.attach_reader()
        suite.case("deadline", deadline, host)
        suite.case("audit verifies (deadline)", host.verify)


if __name__ == "__main__":
    main(body)
