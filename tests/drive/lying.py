#!/usr/bin/env python3
"""A broker that lies: what it can do to a real auditor and real couriers.

usage: lying.py [BIN] [--full]

It can do what some configured capability could, up to its ceilings, and never
without a record that is on disk before the effect. Everything else is refused
by a courier with an outcome, or ends the auditor, which takes the service
down, closed. Each case looks at all files afterwards, not only at answers.
"""
import json
import os
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import time

import harness
import rig
from harness import Skipped, check, equal, until
from rig import Rig, entry, order

READ, WRITE, LIST, NOTE = range(4)
PER_HOUR = 5
GARBAGE_LAPS = 5
ESCAPES = (
    "../secret", "../../secret", "a/../../secret", "/etc/passwd", "..", ".",
    "", "/", "a//b", "a/", "./secret", "link/secret", "link", "\u002e\u002e/x",
    "secret\0.txt", "..\\secret", "a" * 5000, ("d/" * 400) + "x", "~/x",
    "up/secret")


def capabilities(folder):
    """A folder to read and write, and a file for notes; a secret, another
    folder with nearly the same name, and links to both beside them."""
    root = folder / "root"
    for name in (root, folder / "root-evil", folder / "notes"):
        name.mkdir()
    (folder / "secret").write_text("not for you")
    (folder / "root-evil" / "secret").write_text("nor this")
    (root / "plain").write_text("as it was")
    (root / "link").symlink_to(folder)
    (root / "up").symlink_to("..")
    harness.own(root, "file")
    harness.own(root / "plain", "file")
    harness.own(folder / "notes", "notify")
    common = {"why": "For this test."}
    place = {"root": str(root)}
    return [
        dict(common, name="file.read", kind="file", method="read",
             settings=place),
        dict(common, name="file.write", kind="file", method="write",
             settings=dict(place, write=True)),
        dict(common, name="file.list", kind="file", method="list",
             settings=place),
        dict(common, name="notify.send", kind="notify", method="send",
             settings={"to": "file",
                       "path": str(folder / "notes" / "n.jsonl")},
             limits={"per_hour": PER_HOUR})]


def notes_of(rig_):
    path = rig_.folder / "notes" / "n.jsonl"
    return path.read_text().splitlines() if path.exists() else []


def auditor_dies(rig_, before, what):
    """No order on the way, nothing changed, and the log is whole."""
    status = rig_.auditor.wait()
    check(status not in (0, -signal.SIGSEGV, -signal.SIGKILL),
          "%s: the auditor ended with %r", what, status)
    for kind in rig_.kinds:
        check(rig_.result(kind, 0.1) is None, "%s: %s acted", what, kind)
    equal(rig_.tree(), before, what)
    code, text = rig_.verify()
    equal(code, 0, "%s: audit: %r" % (what, text))


def lie(data, what):
    """One lie told to a fresh auditor, which has to end."""
    with Rig(capabilities) as r:
        before = r.tree()
        r.send(data)
        auditor_dies(r, before, what)
        intents = [row for row in r.audit() if row["kind"] == "intent"]
        equal(intents, [], what)


def honest():
    with Rig(capabilities) as r:
        equal(r.call({"text": "a note"}, NOTE).status, "done", "note")
        equal(r.call({"path": "new", "text": "x"}, WRITE).status, "done",
              "write")
        answer = r.call({"path": "plain"}, READ)
        equal(answer.content, b"as it was", "read")
        equal(len(notes_of(r)), 1, "notes")
        for request in (1, 2, 3):
            equal(r.await_outcome(request)["status"], "done", "record")


def refused(rig_, body, capability, what, **lies):
    before = rig_.tree()
    answer = rig_.call(body, capability, **lies)
    equal(answer.status, "refused", what)
    equal(rig_.tree(), before, what)
    equal(rig_.await_outcome(answer.request)["status"], "refused", what)
    return answer.detail


def wrong_numbers():
    for number in (rig.CAPABILITIES_MAX, rig.NO_CAPABILITY, 1 << 31):
        lie(entry(b"{}", number, name=b"x"), "capability %d" % number)
    with Rig(capabilities) as r:
        # a number nobody has goes to the first courier, which has it not
        before, request = r.tree(), r.ask({"path": "plain"}, 77)
        answer = r.result("file")
        equal((answer.request, answer.status), (request, "refused"), "77")
        equal(r.await_outcome(request)["status"], "refused", "record")
        equal(r.tree(), before, "77")


def numbers_of_another():
    with Rig(capabilities) as r:
        refused(r, {"path": "plain", "text": "x"}, NOTE, "file as note")
        refused(r, {"text": "a note"}, WRITE, "note as file")
        refused(r, {"path": "plain", "text": "x"}, READ, "write as read")
        equal((r.folder / "root" / "plain").read_text(), "as it was", "plain")
        # straight to the wrong courier, as only a lying auditor could
        r.orders[0][0].sendall(order(b'{"text":"x"}', NOTE))
        equal(r.result("file").status, "refused", "note to the file courier")
        equal(notes_of(r), [], "notes")


def hash_of_something_else():
    lie(entry(b'{"text":"x"}', NOTE, hash=rig.sha256(b"else")), "hash")
    lie(entry(b'{"text":"x"}', NOTE, hash=b""), "no hash")
    lie(entry(b'{"text":"x"}', NOTE, committed=0), "not committed")
    with Rig(capabilities) as r:
        r.orders[1][0].sendall(order(b'{"text":"x"}', NOTE,
                                     hash=rig.sha256(b"else")))
        answer = r.result("notify")
        equal(answer.status, "refused", "courier")
        check("record" in answer.detail, "detail: %s", answer.detail)
        equal(notes_of(r), [], "notes")


def arguments_that_break_the_schema():
    deep = b'{"text":' + b"[" * 100000 + b"]" * 100000 + b"}"
    bodies = (b"", b"{", b"null", b"[]", b'"text"', b"{}", b'{"text":1}',
              b'{"text":"a","text":"b"}', b'{"text":"a","more":1}',
              b'{"text":"a"} ', b'{"text":"a"}{}', b'{"text":"\xff"}',
              b'{"text":"a\x00b"}', b'{"text":"\\ud800"}', deep,
              b'{"text":"' + b"a" * 1001 + b'"}', b'{"text":""}',
              b'{"title":"t"}', b'{"text":"a","title":["t"]}',
              b'{"text":"' + b"a" * ((1 << 20) - 11) + b'"}')
    wrong = []
    with Rig(capabilities) as r:
        for number, body in enumerate(bodies):
            before = len(notes_of(r))
            answer = r.call(body, NOTE)
            if answer.status != "refused" or len(notes_of(r)) != before:
                wrong.append((number, body[:40], answer.status))
        # blanks behind a value are JSON; that one line is an honest note
        equal([row for row in wrong if row[0] != 9], [], "bodies taken")
    return "%d bodies" % len(bodies)


def paths_that_escape():
    with Rig(capabilities) as r:
        for path in ESCAPES:
            for capability, more in ((READ, {}), (WRITE, {"text": "x"}),
                                     (LIST, {})):
                if capability == LIST and path in ("", "."):
                    continue  # the root itself, if at all
                before = r.tree()
                answer = r.call(dict(more, path=path), capability)
                check(answer.status in ("refused", "failed"), "%r: %s", path,
                      answer.status)
                check(b"not for you" not in answer.body + answer.content,
                      "%r read", path)
                equal(r.tree(), before, path)
    return "%d paths" % len(ESCAPES)


def lengths():
    for what in ("body_bytes", "name_bytes"):
        for value in (0xffffffff, 1 << 31, (1 << 20) + 1):
            lie(entry(b"{}", NOTE, **{what: value}), "%s %d" % (what, value))
    lie(entry(b"{}", NOTE, body_bytes=0xffffffff, name_bytes=1), "sum")
    with Rig(capabilities) as r:
        before = r.tree()
        r.send(entry(b"x" * 100, NOTE, body_bytes=101))
        check(r.result("notify", 0.5) is None, "half a body was passed on")
        equal(r.auditor.poll(), None, "auditor")
        equal(r.tree(), before, "half a body")
        r.orders[1][0].sendall(order(b"", NOTE, body_bytes=(1 << 20) + 1))
        r.couriers["notify"].wait()
        equal(r.tree(), before, "order too long")


def orders_without_intent():
    body = b'{"text":"x"}'
    for kind in rig.KINDS:
        if kind != "intent":
            lie(entry(body, NOTE, kind, order=1), "%s as order" % kind)
    for flag in (0, 2, 0xffffffff):
        lie(entry(body, NOTE, order=flag), "order %d" % flag)
    lie(entry(body, NOTE, "decision", order=0), "decision with a body")


def settlements_of_nothing():
    """Only an unknown outcome is settled, once, and as done or failed."""
    body = b'{"text":"once"}'
    lies = [dict(intent=1), dict(intent=0), dict(intent=1 << 63),
            dict(intent="done"), dict(intent="unknown", status=3),
            dict(intent="unknown", status=2), dict(intent="unknown", status=9),
            dict(intent="unknown", twice=True)]
    for number, lie_ in enumerate(lies):
        with Rig(capabilities) as r:
            done = r.await_outcome(r.ask(body, NOTE))["intent"]
            os.kill(r.couriers["notify"].pid, signal.SIGSTOP)
            request = r.ask(body, NOTE)
            until(lambda: any(row.get("request") == request
                              for row in r.audit()), 10, "its intent")
            r.auditor.tell("down", r.kinds.index("notify"))
            unknown = r.await_outcome(request)
            equal(unknown["status"], "unknown", "outcome")
            names = {"done": done, "unknown": unknown["intent"]}
            lie_ = dict(lie_)
            if lie_["intent"] in names:
                lie_["intent"] = int(names[lie_["intent"]], 16)
            data = entry(kind="settlement", committed=0,
                         **{"status": 0, **{key: value for key, value
                                            in lie_.items() if key != "twice"}})
            if "twice" in lie_:
                r.send(data)
            r.send(data)
            equal(r.auditor.wait(), 70, "auditor on %d" % number)
            check("an entry that cannot be" in
                  r.log_path.read_text(errors="replace"), "its log")
    lie(entry(body, NOTE, intent=1), "an intent of an intent")
    lie(entry(kind="session", committed=0, intent=1), "of a session")


def grant_used_twice():
    """Each is good for one intent, over a restart of the auditor too."""
    body = b'{"text":"once"}'
    with Rig(capabilities) as r:
        equal(r.call(body, NOTE, grant=77).status, "done", "first")
        r.send(entry(body, NOTE, grant=77))
        equal(r.auditor.wait(), 70, "auditor on a second one")
        equal(len(notes_of(r)), 1, "notes")
        equal(len([row for row in r.audit() if row["kind"] == "intent"]), 1,
              "intents")
        r.auditor.end()
        r.start_auditor()
        for number in (77, 78):
            r.auditor.tell("grant", 0, number=number)
            equal(r.auditor.hear(), ("grant", int(number == 77)), "asked")
            equal(r.auditor.number, number, "of which")
        for index in range(len(r.kinds)):
            r.auditor.tell("up", index)
        r.send(entry(body, NOTE, grant=77, request=9))
        equal(r.auditor.wait(), 70, "auditor after a restart")
        equal(len(notes_of(r)), 1, "notes")


def records_of_others():
    for kind in ("outcome", "start", "stop", "damage", len(rig.KINDS),
                 0xffffffff, 1 << 31):
        lie(entry(kind=kind), "kind %s" % kind)
    for kind in ("attest", "anchor", "removal", "lineage", "checkpoint",
                 "blocked"):
        lie(entry(kind=kind, committed=0), "kind %s" % kind)
    for field in ("request", "session", "message", "grant", "bytes"):
        lie(entry(b'{"text":"x"}', NOTE, **{field: 1 << 63}), field)
    lie(entry(b'{"text":"x"}', NOTE, magic=0), "magic")


def blocked(**lies):
    fields = dict(kind="blocked", order=0, committed=0, request=0, session=0,
                  name_full=0, bytes=0, zone=b"", rule=b"",
                  destination=b"192.0.2.1:443")
    fields.update(lies)
    return entry(**fields)


def listener_that_lies():
    """Who listens for blocked packets has a pipe of its own: what is no such
    record is not taken, the parent is told, and the log goes on."""
    lies = [blocked(kind=kind) for kind in range(len(rig.KINDS) + 1)
            if kind != rig.KINDS["blocked"]]
    lies += [blocked(**lie) for lie in (
        {"order": 1}, {"committed": 1}, {"session": 1}, {"request": 1},
        {"grant": 1}, {"receipt": 1}, {"message": 1}, {"bytes": 1},
        {"intent": 1}, {"error": 1201}, {"capability": 0}, {"magic": 1},
        {"name": b"x"}, {"detail_bytes": 1025}, {"body_bytes": 1},
        {"inputs_bytes": 1}, {"destination_full": 10000})]
    with Rig(capabilities) as r:
        os.write(r.refusals, blocked() + blocked(destination=b"a.example:1"))
        until(lambda: sum(row["kind"] == "blocked" for row in r.audit()) == 2,
              10, "both on record")
        for data in lies:
            os.write(r.refusals, blocked() + data + blocked())
            heard = r.auditor.hear()
            equal(heard and heard[0], "listener", "what the parent is told")
            os.write(r.refusals, blocked())  # of one that is to be killed
            r.auditor.tell("listener")
            until(lambda: not select.select([r.refusals_read], [], [], 0)[0],
                  10, "what it left is gone")
        os.write(r.refusals, blocked(destination=b"last.example:1"))
        until(lambda: r.audit()[-1].get("destination") == "last.example:1",
              20, "the next one is heard")
        kinds = [row["kind"] for row in r.audit()]
        check(set(kinds) <= {"lineage", "start", "blocked", "checkpoint",
                             "attest"}, "%r", kinds)
        check(kinds.count("blocked") <= 3 + len(lies), "%d records",
              kinds.count("blocked"))
        r.ask({"path": "plain"}, READ)
        equal(r.result("file").status, "done", "the auditor serves on")


def listener_that_floods():
    """It gets so many records a second, and the log no more."""
    with Rig(capabilities) as r:
        os.set_blocking(r.refusals, False)
        begun, sent = time.monotonic(), 0
        while time.monotonic() < begun + 3:
            try:
                sent += os.write(r.refusals, blocked()) > 0
            except BlockingIOError:
                time.sleep(0.01)
        count = sum(row["kind"] == "blocked" for row in r.audit())
        took = time.monotonic() - begun
        check(40 <= count <= 40 * (took + 2), "%d of %d in %.1f s", count,
              sent, took)
        r.ask({"path": "plain"}, READ)
        equal(r.result("file").status, "done", "and others are served")


def records_no_log_has_room_for():
    """The auditor ends with a reason, not with a bug."""
    lies = [entry(kind=kind, committed=1) for kind in (
        "hello", "quarantine", "claim", "session", "operator")]
    lies += [entry(kind="decision", **{field: 1 << 53}) for field in (
        "request", "session", "message", "grant", "bytes")]
    lies.append(entry(kind="decision", verdict=99))
    for number, data in enumerate(lies):
        with Rig(capabilities) as r:
            before = r.tree()
            r.send(data)
            auditor_dies(r, before, "lie %d" % number)
            log = r.log_path.read_text(errors="replace")
            check("an entry that cannot be" in log, "lie %d: %s", number, log)
            check(" bug " not in log, "lie %d: %s", number, log)


def strings_without_end():
    lines = {"zone": b"z" * 65, "rule": b"\xff" * 65, "why": b"\n" * 301,
             "detail": b"\"" * 200}
    with Rig(capabilities) as r:
        answer = r.call({"text": "x"}, NOTE, name=b"\0" * 256,
                        name_full=0xffffffff, **lines)
        equal(answer.status, "done", "an honest note")
        r.await_outcome(answer.request)
        check(all(len(row) < 10240 for row in (
            json.dumps(row) for row in r.audit())), "a record is too long")
        equal(r.verify()[0], 0, "audit")


def same_request_twice():
    """Two records, and both count: a lie gains no more than its ceiling."""
    with Rig(capabilities) as r:
        for _ in range(2):
            equal(r.call({"text": "x"}, NOTE, request=7).status, "done", "7")
        until(lambda: sum(row["kind"] == "outcome" for row in r.audit()) == 2,
              15, "two outcomes")
        equal(sum(row["kind"] == "intent" for row in r.audit()), 2, "intents")
        equal(len(notes_of(r)), 2, "notes")


def more_than_an_hour_allows():
    sent = 4 * PER_HOUR
    with Rig(capabilities) as r:
        states = [r.call({"text": "note %d" % n}, NOTE).status
                  for n in range(sent)]
        equal(states.count("done"), PER_HOUR, "done")
        equal(states.count("refused"), sent - PER_HOUR, "refused")
        equal(len(notes_of(r)), PER_HOUR, "notes")
        until(lambda: sum(row["kind"] == "outcome" for row in r.audit()) ==
              sent, 15, "outcomes")
    return "%d of %d" % (PER_HOUR, sent)


def courier_that_is_down():
    with Rig(capabilities) as r:
        r.auditor.tell("down", 1)
        equal(r.auditor.hear(), ("drained", 1), "drained")
        request = r.ask({"text": "x"}, NOTE)
        record = r.await_outcome(request)
        equal(record["status"], "refused", "status")
        check("down" in record["detail"], "detail: %r", record["detail"])
        check(r.result("notify", 0.2) is None, "it acted")
        equal(notes_of(r), [], "notes")
        r.auditor.tell("up", 1)
        equal(r.call({"text": "x"}, NOTE).status, "done", "up again")


def nothing_passes_a_stopped_auditor():
    with Rig(capabilities) as r:
        os.kill(r.auditor.pid, signal.SIGSTOP)
        r.ask({"text": "x"}, NOTE)
        check(r.result("notify", 0.3) is None, "it acted")
        equal(notes_of(r), [], "notes")
        os.kill(r.auditor.pid, signal.SIGCONT)
        equal(r.result("notify").status, "done", "afterwards")


TRACED = re.compile(r"^(?:\d+ +)?(\w+)\((\d+)(?:, (.*))?\) += (-?\d+)")


def _follow(lines):
    """Orders that left, each after a sync of its intent."""
    dirty, synced, left = 0, 0, 0
    for line in lines:
        match = TRACED.match(line)
        if match is None:
            continue
        call, fd, rest, back = match.groups()
        if call in ("fdatasync", "fsync") and back == "0":
            synced, dirty = synced + dirty, 0
        elif call in ("write", "pwrite64") and '\\"kind\\":\\"intent\\"' in (
                rest or ""):
            dirty += rest.count('\\"kind\\":\\"intent\\"')
        elif call == "write" and int(fd) in (8, 9) and int(back) > 0:
            left += rest.count("ro3z")
            check(left <= synced, "order %d left with %d intents on disk",
                  left, synced)
    return left


def intent_is_on_disk_first():
    """What the kernel saw: write of the intent, sync, write of the order."""
    if not shutil.which("strace"):
        raise Skipped("no strace")
    trace = None
    with Rig(capabilities) as r:
        out = r.folder / "trace"
        trace = subprocess.Popen(
            ["strace", "-f", "-qq", "-s", "100000", "-e",
             "trace=write,pwrite64,fdatasync,fsync", "-o", str(out), "-p",
             str(r.auditor.pid)], stderr=subprocess.DEVNULL)
        try:
            time.sleep(1)
            if trace.poll() is not None:
                raise Skipped("the auditor cannot be traced here")
            for number in range(20):
                r.ask({"path": "f%d" % number, "text": "x"}, WRITE)
                r.ask({"text": "n"}, NOTE)
            for _ in range(20):
                check(r.result("file") and r.result("notify"), "no answer")
            time.sleep(0.3)
        finally:
            trace.terminate()
            trace.wait(10)
        left = _follow(out.read_text(errors="replace").splitlines())
    if left == 0:
        raise Skipped("strace saw no order")
    equal(left, 40, "orders that strace saw")
    return "%d orders" % left


def garbage_entries():
    generator = random.Random(7)
    for lap in range(GARBAGE_LAPS):
        with Rig(capabilities) as r:
            before = r.tree()
            r.send(generator.randbytes(100000))
            auditor_dies(r, before, "garbage %d" % lap)


def mutated_entries(laps):
    """Honest orders with some bytes changed. What is done is what a
    capability could do, and is on record."""
    generator = random.Random(11)
    honest_ones = [(WRITE, {"path": "plain", "text": "y"}),
                   (READ, {"path": "plain"}), (NOTE, {"text": "x"})]
    died = 0
    for _ in range(laps):
        with Rig(capabilities) as r:
            secrets = {name: hash_ for name, hash_ in r.tree().items()
                       if not name.startswith(("root/", "notes/"))}
            for capability, body in honest_ones:
                data = bytearray(entry(json.dumps(body).encode(), capability))
                for _ in range(generator.randrange(1, 4)):
                    data[generator.randrange(len(data))] ^= (
                        1 << generator.randrange(8))
                r.send(bytes(data))
            for kind in r.kinds:
                while r.result(kind, 0.05):
                    pass
            died += r.auditor.poll() is not None
            tree = r.tree()
            for name, hash_ in secrets.items():
                equal(tree[name], hash_, name)
            effects = len(notes_of(r)) + (
                (r.folder / "root" / "plain").read_text() != "as it was")
            intents = sum(row["kind"] == "intent" for row in r.audit())
            check(effects <= intents, "%d effects, %d intents", effects,
                  intents)
            equal(r.verify()[0], 0, "audit")
    return "%d laps, %d ended the auditor" % (laps, died)


def couriers_that_lie():
    """A courier says what it wants about its own orders, and only those."""
    with Rig(capabilities, real=["file"]) as r:
        ours = r.orders[1][1]
        request = r.ask({"text": "x"}, NOTE)
        head = rig.ORDER.unpack(rig.read_all(ours.fileno(), rig.ORDER.size))
        rig.read_all(ours.fileno(), head[5])

        def claim(status, sequence, size=0):
            ours.sendall(rig.OUTCOME.pack(
                rig.MAGIC, status, sequence, head[3], size, NOTE, 0,
                b"", b"d" * 200))
        claim(0, head[2] + 1)     # nobody's intent
        claim(0, 1)               # a start record
        claim(99, head[2])        # no such outcome
        other = r.ask({"path": "plain"}, READ)
        sequence = int(next(row["seq"] for row in until(
            lambda: [row for row in r.audit()
                     if row.get("request") == other], 15, "record")), 16)
        claim(0, sequence)        # another courier's, perhaps over
        claim(2, head[2])
        claim(0, head[2])         # once more
        equal(r.await_outcome(request)["status"], "refused", "its own")
        equal(r.await_outcome(other)["status"], "done", "the other's")
        time.sleep(0.3)
        outcomes = [row["intent"] for row in r.audit()
                    if row["kind"] == "outcome"]
        equal(len(outcomes), len(set(outcomes)), "one outcome each")
        equal(r.auditor.poll(), None, "auditor")


def processor_seconds(pid):
    with open("/proc/%d/stat" % pid) as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def garbage_from_a_courier():
    """The auditor gives it up, and neither spins nor dies."""
    with Rig(capabilities, real=["file"]) as r:
        r.orders[1][1].sendall(b"x" * 5000)
        equal(r.auditor.hear(), ("stuck", 1), "the auditor's word")
        if os.path.exists("/proc/self/stat"):
            before = processor_seconds(r.auditor.pid)
            time.sleep(1)
            used = processor_seconds(r.auditor.pid) - before
            check(used < 0.3, "the auditor spins: %.2f s of 1 s", used)
        equal(r.call({"path": "plain"}, READ).status, "done", "the other")
        r.auditor.tell("down", 1)
        equal(r.auditor.hear(), ("drained", 1), "drained")
        r.auditor.tell("up", 1)
        request = r.ask({"text": "x"}, NOTE)
        ours = r.orders[1][1].fileno()
        head = rig.ORDER.unpack(rig.read_all(ours, rig.ORDER.size))
        equal(head[3], request, "orders go on")


def outcomes_that_cannot_be():
    """Numbers no log has room for, errors there are not: the auditor gives
    the courier up, hears nothing that comes behind, and serves on."""
    for size, error in ((1 << 60, 0), (1 << 53, 0), (0, 0x80000000),
                        (0, 0xffffffff), (0, 1)):
        with Rig(capabilities, real=["file"]) as r:
            ours = r.orders[1][1]
            request = r.ask({"text": "x"}, NOTE)
            head = rig.ORDER.unpack(
                rig.read_all(ours.fileno(), rig.ORDER.size))
            rig.read_all(ours.fileno(), head[5])
            for lie_ in ((size, error), (0, 0)):
                ours.sendall(rig.OUTCOME.pack(
                    rig.MAGIC, 1, head[2], head[3], lie_[0], NOTE, lie_[1],
                    b"", b""))
            equal(r.auditor.hear(), ("stuck", 1), "the auditor's word")
            equal(r.call({"path": "plain"}, READ).status, "done", "the other")
            r.auditor.tell("down", 1)
            equal(r.auditor.hear(), ("drained", 1), "drained")
            equal(r.await_outcome(request)["status"], "unknown", "its own")
            r.auditor.tell("up", 1)
            equal(r.auditor.poll(), None, "auditor")
            equal(r.verify()[0], 0, "audit")


def garbage_for_a_courier():
    for data in (b"x" * 4096, order(b"{}", NOTE, magic=1), b"\0" * 72,
                 struct.pack("@18I", *[0xffffffff] * 18)):
        with Rig(capabilities) as r:
            before = r.tree()
            r.orders[1][0].sendall(data)
            status = r.couriers["notify"].wait()
            check(status != 0, "it ended with 0")
            equal(r.tree(), before, "garbage")


def garbage_on_control():
    with Rig(capabilities) as r:
        before = r.tree()
        r.auditor.control.sendall(b"x" * rig.CONTROL.size)
        auditor_dies(r, before, "control")
    for courier in (2, 1 << 31, 0xffffffff):
        with Rig(capabilities) as r:
            before = r.tree()
            r.auditor.tell("down", courier)
            auditor_dies(r, before, "courier %d" % courier)


def end_of_the_broker():
    """What it said before it died counts; then the auditor ends in order."""
    with Rig(capabilities) as r:
        r.ask({"text": "last words"}, NOTE)
        os.close(r.entries)
        os.close(r.entries_read)
        r.entries = r.entries_read = os.open(os.devnull, os.O_RDWR)
        # the read end is only ours: the auditor sees the end by itself
        equal(r.auditor.wait(20), 0, "auditor")
        equal([row["kind"] for row in r.audit()[-2:]],
              ["stop", "checkpoint"], "last records")
        equal(len(notes_of(r)), 1, "notes")
        equal(r.verify()[0], 0, "audit")


CASES = (
    honest, wrong_numbers, numbers_of_another, hash_of_something_else,
    arguments_that_break_the_schema, paths_that_escape, lengths,
    orders_without_intent, records_of_others, records_no_log_has_room_for,
    listener_that_lies, listener_that_floods,
    grant_used_twice, settlements_of_nothing,
    strings_without_end,
    same_request_twice, more_than_an_hour_allows, courier_that_is_down,
    nothing_passes_a_stopped_auditor, intent_is_on_disk_first,
    garbage_entries, couriers_that_lie, garbage_from_a_courier,
    outcomes_that_cannot_be,
    garbage_for_a_courier, garbage_on_control, end_of_the_broker)


def body(suite):
    full = "--full" in sys.argv or os.environ.get("TRIZONE_LONG") == "1"
    for case in CASES:
        suite.case(case.__name__.replace("_", " "), case)
    suite.case("mutated entries", mutated_entries, 1000 if full else 60)


if __name__ == "__main__":
    harness.main(body)
