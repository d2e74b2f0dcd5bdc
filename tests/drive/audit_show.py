#!/usr/bin/env python3
"""Reading a log: every filter over segments, with an index, without one, and
with one that is damaged, behind, or another log's; destinations as a service
records them; times that are none; more open effects than a reader keeps.

usage: audit_show.py [BIN]
"""
import itertools
import json
import pathlib
import random
import shutil
import subprocess
import tempfile

import harness
from audit_made import MadeLog
from harness import Host, check, equal, main, run, until

EXECUTOR = harness.folder_of_programs() / "trizone-executor"
SEGMENTS, EACH = 6, 60
SEED = 20260301
PLACES = ["ann@example.org", "bob@example.org carl@other.example",
          "api.example.org:443/v1/Things", "/srv/notes/a%20b.txt",
          "evil.example:443", ""]
FILTERS = [
    ("--since", "2026-03-02"), ("--since", "2026-03-02T00:00:30"),
    ("--until", "2026-03-01"), ("--until", "2026-03-03T00"),
    ("--session", "3"), ("--session", "77"), ("--zone", "planner"),
    ("--zone", "b\"\u00e9\\"), ("--capability", "mail.send"),
    ("--capability", "notes.read"), ("--verdict", "deny"),
    ("--verdict", "ask"), ("--rule", "only-2"), ("--rule", "r1"),
    ("--message", "msg:5"), ("--handle", "9"), ("--kind", "blocked"),
    ("--kind", "intent"), ("--destination", "example.org"),
    ("--destination", "ANN@"), ("--destination", "/srv/notes/a b"),
    ("--destination", "things"), ("--destination", "l:4"),
    ("--destination", "nowhere.example"), ("--destination", "x"),
]


def folder():
    return tempfile.TemporaryDirectory(prefix="tzshow")


def audit(*arguments, status=0, errors=None):
    done = run((EXECUTOR, "audit") + arguments)
    text = done.stderr.decode()
    equal(done.returncode, status, "audit %s: %s" % (
        " ".join(map(str, arguments)), text))
    check(not harness.SANITIZER.search(text), "%s", text)
    if errors is not None:
        check(errors in text, "%s is not in: %s", errors, text)
    return done.stdout.decode()


def make(path, seed):
    """A log of segments, none like another."""
    path.mkdir()
    rng, log = random.Random(seed), MadeLog(path / ("segment-%016x.jsonl" % 1))
    for segment in range(SEGMENTS):
        log.path = path / ("segment-%016x.jsonl" % (log.seq + 1))
        day = 1 if segment == 2 else segment // 2 + 1  # a clock set back
        for i in range(EACH):
            log.time = "2026-03-%02dT00:%02d:%02d" % (day, segment, i)
            members = {"session": 1 + segment + rng.randrange(3),
                       "zone": rng.choice(["planner", "b\"\u00e9\\"]
                                          if segment == 4 else ["planner"]),
                       "destination": PLACES[(segment + rng.randrange(2))
                                             % len(PLACES)]}
            kind = rng.choice(["decision", "intent", "blocked"])
            if kind != "blocked":
                members.update(
                    capability=rng.choice(["mail.send", "pay"])
                    if segment != 3 else "notes.read",
                    rule="only-%d" % segment if i == 7 else "r1",
                    handle="msg:%d" % (1 + segment + rng.randrange(5)))
            if kind == "decision":
                members["verdict"] = rng.choice(
                    ["deny"] if segment == 1 else ["allow", "ask"])
            log.add(kind, **members)
            if segment == 5 and i == 3:  # one that is not there whole
                log.add("intent", destination="d" * 256,
                        destination_bytes=300)
    return log


def wants(name, value, row):
    """The same filters, told once more."""
    if name == "--since":
        return row["time"][:len(value)] >= value
    if name == "--until":
        return row["time"][:len(value)] <= value
    if name in ("--message", "--handle"):
        return row.get("handle") == "msg:" + value.rpartition(":")[2]
    if name == "--session":
        return row.get("session") == int(value)
    if name == "--destination":
        value = value.lower().replace(" ", "%20")
        return "destination_bytes" in row or \
            value in row.get("destination", "").lower()
    return row.get(name[2:]) == value


def rows_of(path):
    return [json.loads(line) for segment in sorted(path.glob("segment-*"))
            for line in segment.read_text().splitlines()]


def expect(path, filters, *more, status=0):
    """The records, as the log has them."""
    want = [row["seq"] for row in rows_of(path) if all(
        wants(name, value, row) for name, value in filters)]
    out = audit("show", "--json", *itertools.chain(*filters), *more,
                "--dir", path, status=status)
    equal([json.loads(line)["seq"] for line in out.splitlines()], want,
          " ".join(itertools.chain(*filters)))
    return len(want)


def all_filters(path, *more):
    found = sum(expect(path, [one], *more) for one in FILTERS)
    rng = random.Random(SEED)
    for _ in range(30):
        some = dict(rng.sample(FILTERS, rng.randrange(2, 4)))
        some.pop("--handle", None)
        expect(path, list(some.items()), *more)
    return found


def filters():
    with folder() as name:
        place = pathlib.Path(name)
        make(place / "log", SEED)
        without = all_filters(place / "log")
        audit("index", "--dir", place / "log")
        equal(len(list((place / "log" / "index").iterdir())), SEGMENTS - 1,
              "rows")
        equal(all_filters(place / "log"), without, "with an index")
        equal(all_filters(place / "log", "--no-index"), without, "--no-index")
        return "%d records" % without


def index_spares_reading():
    """That it is used shows in that damage in a segment is passed over."""
    with folder() as name:
        log = pathlib.Path(name) / "log"
        make(log, SEED)
        audit("index", "--dir", log)
        first = log / ("segment-%016x.jsonl" % 1)
        data = first.read_bytes()
        first.write_bytes(data.replace(b'"r1"', b'"r2"', 1))
        for one in (("--rule", "only-2"), ("--destination", "evil"),
                    ("--capability", "notes.read"), ("--since", "2026-03-03")):
            expect(log, [one])
            expect(log, [one], "--no-index", status=1)


def bad_index():
    """Whatever is there for one, the answer is the same."""
    with folder() as name:
        place = pathlib.Path(name)
        log, other = place / "log", place / "other"
        make(log, SEED)
        make(other, SEED + 1)
        index = log / "index"

        def damaged():
            for i, row in enumerate(sorted(index.iterdir())):
                data = bytearray(row.read_bytes())
                data[(i * 7919) % len(data)] ^= 1 << i % 8
                row.write_bytes(data)

        def zeroed():
            for row in index.iterdir():
                row.write_bytes(b"\0" * len(row.read_bytes()))

        def cut():
            for row in index.iterdir():
                row.write_bytes(row.read_bytes()[:-1])

        def foreign():
            audit("index", "--dir", other)
            shutil.rmtree(index)
            shutil.copytree(other / "index", index)

        def shuffled():
            rows = sorted(index.iterdir())
            data = [row.read_bytes() for row in rows]
            for row, text in zip(rows, data[1:] + data[:1]):
                row.write_bytes(text)

        def behind():
            end = MadeLog(place / "end")
            last = rows_of(log)[-1]
            end.seq, end.head = int(last["seq"], 16), last["hash"]
            for segment in range(2):  # two more than it knows
                end.path = log / ("segment-%016x.jsonl" % (end.seq + 1))
                for _ in range(5):
                    end.add("halt", session=3, zone="planner", rule="r1",
                            handle="msg:5")

        for spoil in (damaged, zeroed, cut, foreign, shuffled, behind):
            audit("index", "--dir", log)
            spoil()
            for one in FILTERS:
                expect(log, [one])
        audit("index", "--dir", log)
        all_filters(log)


def many_open_effects():
    """More than any auditor of ours leaves open is no damage."""
    with folder() as name:
        log = MadeLog(pathlib.Path(name) / "log")
        intents = [log.add("intent", session=1, capability="a")
                   for _ in range(5000)]
        log.add("outcome", intent=intents[0], status="done")
        log.add("outcome", intent=intents[4990], status="done")
        audit("show", log.path)
        out = audit("show", "--unknown", "--json", log.path, errors="at "
                    "least 903 more intents have no outcome")
        equal(len(out.splitlines()), 4095, "shown")
        text = audit("report", "--text", log.path)
        check("Damage" not in text and "Unknown outcomes: 4998\n" in text
              and "903  at least so many more" in text.replace("    ", ""),
              "%s", text)


def times():
    with folder() as name:
        log = MadeLog(pathlib.Path(name) / "log")
        for time in ("2024-02-28T23:59:59", "2024-02-29T12:00:00",
                     "2024-03-01T00:00:00"):
            log.add("stop", time)
        for command, text in itertools.product(
                (("show",), ("follow",), ("report", "--text"),
                 ("export", "--format", "cef")),
                ("2026-13-45", "2026-02-29", "2026-01-01T24:00", "soon",
                 "2026-01-01T00:00+01:00", "")):
            audit(*command, "--since", text, log.path, status=64,
                  errors='--since "%s" is not a time' % text)
        equal(len(audit("show", "--since", "2024-02-29", "--until",
                        "2024-02-29", log.path).splitlines()), 1, "leap day")
        equal(len(audit("show", "--until", "2024-02", log.path)
                  .splitlines()), 2, "a month")
        for option, text in (("--kind", "nope"), ("--verdict", "perhaps"),
                             ("--session", "0"), ("--message", "msg:x"),
                             ("--destination", "x" * 257)):
            audit("show", option, text, log.path, status=64,
                  errors='%s "%s" is not' % (option, text))


def follow():
    """The command: the last records, then those that come."""
    with folder() as name:
        path = pathlib.Path(name)
        log = MadeLog(path / ("segment-%016x.jsonl" % 1))
        for i in range(30):
            log.add("stop", why="old %d" % i)
        with subprocess.Popen([EXECUTOR, "audit", "follow", "--json", path],
                              stdout=subprocess.PIPE, text=True) as show:
            equal([json.loads(show.stdout.readline())["why"]
                   for _ in range(10)],
                  ["old %d" % i for i in range(20, 30)], "the last ten")
            log.path = path / ("segment-%016x.jsonl" % (log.seq + 1))
            log.add("stop", why="new")
            equal(json.loads(show.stdout.readline())["why"], "new", "next")
            show.stdout.close()
            until(lambda: show.poll() is not None, 10, "end with the reader")
        audit("follow", "--unknown", path, status=64)


def redacting(host, kept):
    """The policy with all destinations kept so."""
    for capability in host.policy["capabilities"]:
        if kept is not None:
            capability["audit"] = {"destination": kept}
    host.write_settings()


def of_a_service():
    """Decided, asked, refused: each says where to, as the policy lets it."""
    for kept, want in ((None, "/files"), ("domain", "*"), ("none", "*")):
        with Host() as host:
            redacting(host, kept)
            host.start()
            wire = host.connect("planner")
            for path in ("Notes", "../a Note"):
                wire.request("call", {"name": "file.list",
                                      "arguments": {"path": path}})
            wire.close()

            def recorded():
                return [row for row in host.audit()
                        if row.get("capability") == "file.list"
                        and "destination" in row]
            until(lambda: len(recorded()) == 2, 15, "on record")
            rows = recorded()
            equal([row["kind"] for row in rows], ["intent", "decision"],
                  "records: %r" % rows)
            check(rows[0]["destination"].endswith(want), "%r", rows[0])
            equal(rows[0]["effects"], 2 | 4, "effects")
            check("Note" not in json.dumps(rows), "what it looked for")
            if kept is None:
                out = audit("show", "--json", "--destination", "/FILES",
                            "--config", host.config_path)
                equal(len(out.splitlines()), 2, "found")


CASES = [
    ("filters", filters), ("an index spares reading", index_spares_reading),
    ("an index that is none", bad_index),
    ("many open effects", many_open_effects), ("times", times),
    ("follow", follow), ("destinations of a service", of_a_service),
]


def body(suite):
    for name, function in CASES:
        suite.case(name, function)


if __name__ == "__main__":
    main(body)
