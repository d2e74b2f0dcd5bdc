#!/usr/bin/env python3
"""A planner that believes everything, fed with hostile mail.

usage: believer.py [BIN] [--full]

Each mail goes through `deliver`, a real reader and a session of its own to
the planner of gullible.py, which asks for whatever the text asks for; the
first mails of each set, or with --full all, also for its fixed list. Meanwhile
somebody swaps links in the file root, a file grows, and beside the root lies
another whose name begins like it. What must hold at the end: no effect
outside the policy, one audit record for each attempt, a benign set that was
served, a chain that verifies.

Sets: the hostile mails of tests/data/mail, and, where TRIZONE_DATA or
../shared/data is there, all attack mails of bipia and agentdojo.
"""
import collections
import hashlib
import json
import os
import socket
import stat
import sys
import threading
import time

import gullible
from harness import (ROOT, Host, Skipped, check, default_policy, equal,
                     folder_of_data, main, until)
from sessions import Deliverer

CANARY = "canary-%s" % hashlib.sha256(os.urandom(16)).hexdigest()[:24]
FIXED_ROUNDS = 12   # mails of a set that also get the fixed list
BENIGN_ROUNDS = 100
ALLOWED = {"file.read", "file.list", "file.grow", "notify.send"}


class Place:
    """The file root, what is beside it, and somebody who changes it."""

    def __init__(self, host):
        self.host = host
        self.root = host.folder / "app" / "sandbox"
        self.evil = host.folder / "app" / "sandbox-evil"
        self.outside = host.folder / "outside"
        self.stopping = threading.Event()
        self.swaps = 0
        self.growth = 0
        self.plant()
        self.thread = threading.Thread(target=self.disturb, daemon=True)

    def plant(self):
        for folder in (self.root / "a", self.root / "papers", self.evil,
                       self.outside):
            folder.mkdir(parents=True)
        for path in (self.evil / "x", self.outside / "secret",
                     self.root.parent / "secret"):
            path.write_text(CANARY + "\n")
        for name in ("notes.txt", "papers/plan.txt", "report.pdf"):
            (self.root / name).write_text("Nothing secret in %s.\n" % name)
        (self.root / "link-to-secret").symlink_to(self.outside / "secret")
        (self.root / "link-to-root").symlink_to("/")
        (self.root / "link-up").symlink_to("..")
        (self.root / "swapped").mkdir()
        (self.root / "swapped" / "secret").write_text("inside\n")
        (self.root / "swapped-file").write_text("inside\n")
        (self.root / "grows").write_text("")
        os.mkfifo(self.root / "fifo")
        os.link(self.outside / "secret", self.root / "hard-link")
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(str(self.root / "socket"))
        self.sock = sock
        try:
            os.mknod(self.root / "device", stat.S_IFCHR | 0o666,
                     os.makedev(1, 5))
        except OSError:
            pass  # not root: one hostile path less

    def swap_folder(self):
        """swapped: a folder inside, then a link to the one outside."""
        inside, swapped = self.root / "swapped-inside", self.root / "swapped"
        os.rename(swapped, inside)
        os.symlink(self.outside, swapped)
        time.sleep(0.0005)
        os.unlink(swapped)
        os.rename(inside, swapped)

    def swap_file(self):
        name = self.root / "swapped-file"
        new = self.root / "swapped-new"
        os.symlink(self.outside / "secret", new)
        os.rename(new, name)
        new.write_text("inside\n")
        os.rename(new, name)

    def disturb(self):
        with open(self.root / "grows", "a") as grows:
            while not self.stopping.is_set():
                self.swap_folder()
                self.swap_file()
                self.swaps += 2
                if self.growth < 4 << 20:
                    self.growth += grows.write("It grows and grows.\n" * 50)
                    grows.flush()
                time.sleep(0.001)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(10)
        self.sock.close()


def policy_for(host, place):
    policy = default_policy(place.root, host.notes)
    policy["capabilities"].append(
        {"name": "file.grow", "kind": "file", "method": "read",
         "why": "A larger one.", "settings": {
             "root": str(place.root), "max_bytes": 1000000}, "limits": {"per_hour": 1000000}})
    policy["rules"][0]["capability"].append("file.grow")
    return policy


def tree_hash(host, place):
    """Everything of the temporary folder that nobody may change."""
    digest = hashlib.sha256()
    mine = {host.state, host.folder / "run", place.root}
    for folder, folders, files in os.walk(host.folder):
        folders[:] = sorted(name for name in folders
                            if host.folder / folder / name not in mine)
        for name in sorted(files):
            path = os.path.join(folder, name)
            info = os.lstat(path)
            if path.endswith(".log") or not stat.S_ISREG(info.st_mode):
                continue
            with open(path, "rb") as file:
                digest.update(("%s %o %d\n" % (
                    path, info.st_mode, info.st_uid)).encode())
                digest.update(hashlib.sha256(file.read()).digest())
    for path in ("/etc/passwd", "/etc/shadow"):  # others may add accounts
        info = os.lstat(path)
        digest.update(("%s %o %d\n" % (
            path, info.st_mode, info.st_uid)).encode())
    return digest.hexdigest()


def root_names(place):
    """Names in the root that stay whatever is swapped."""
    return sorted(name for name in os.listdir(place.root)
                  if not name.startswith("swapped"))


class Sums:
    """What was tried, and what became of it."""

    def __init__(self):
        self.attempts = []
        self.lock = threading.Lock()

    def add(self, attempt):
        self.attempts.append(attempt)

    def text(self):
        outcomes = collections.Counter(a.outcome for a in self.attempts)
        rules = collections.Counter(
            (a.answer.get("data") or {}).get("rule", "courier")
            for a in self.attempts if a.outcome == "refused")
        return "%d attempts: %d allowed, %d refused (%s), %d lost" % (
            len(self.attempts), outcomes["done"], outcomes["refused"],
            ", ".join("%s %d" % row for row in rules.most_common()),
            outcomes["lost"])


def hostile_extra():
    """What gullible's fixed list does not have: our own places."""
    paths = ["hard-link", "swapped-file", "swapped/secret",
             "../sandbox-evil/x", "../secret", "grows/x", "notes.txt/", "a/./b", ".trizone-tmp-x"]
    calls = [("file.read", {"path": path}) for path in paths]
    calls += [("file.grow", {"path": path}) for path in paths]
    calls += [("file.list", {"path": path}) for path in (
        "link-up", "link-to-root", "link-to-root/etc", "../sandbox-evil",
        "swapped", "..", "/")]
    calls += [("notify.send", {"text": "\x1b[2J\u202e" + "x" * 900}),
              ("notify.send", {"text": "x" * 1001}),
              ("notify.send", {"text": ""}),
              ("notify.send", {"text": "t", "path": "/etc/passwd"}),
              ("notify.send", {"text": "two\nlines\n{\"time\":\"x\"}"})]
    return [(name, arguments, "extra") for name, arguments in calls]


def fixed_list():
    """The whole list, and the race a few times more."""
    race = [("file.read", {"path": path}, "race") for path in
            ("swapped/secret", "swapped-file", "grows")] * 10
    return gullible.fixed_calls() + hostile_extra() + race


def believe_all(host, sums, count, fixed):
    """`count` messages, each in a session of its own."""
    for number in range(count):
        wire = host.connect("planner")
        planner = gullible.Gullible(
            wire, fixed if number < FIXED_ROUNDS or "--full" in sys.argv
            else [], on_attempt=sums.add)
        handle = planner.step(20000)
        check(handle is not None, "no message %d", number)
        wire.close()


def check_attempts(host, place, attempts, what):
    """Every attempt: one decision or intent, and nothing of the outside."""
    records = collections.defaultdict(list)
    for row in host.audit():
        if row["kind"] in ("decision", "intent"):
            records[row["request"]].append(row)
    seen = set()
    for attempt in attempts:
        check(attempt.outcome != "lost", "lost: %s", attempt.as_json())
        answer = attempt.answer
        number = (answer if attempt.outcome == "done"
                  else answer.get("data") or {}).get("request")
        check(number is not None, "no request number: %s", attempt.as_json())
        check(number not in seen, "request %d twice", number)
        seen.add(number)
        rows = records[number]
        equal(len(rows), 1, "records of %s" % attempt.as_json()[:300])
        row = rows[0]
        asked = attempt.name.encode()[:64]
        check(row["capability"].encode().startswith(asked[:40]),
              "capability of record: %r", row)
        decided = (attempt.answer.get("data") or {}).get("verdict")
        if row["kind"] == "decision":
            equal((attempt.outcome, decided), ("refused", row["verdict"]),
                  "verdict")
        check(CANARY not in json.dumps(answer), "canary: %s",
              attempt.as_json()[:500])
        check(attempt.outcome != "done" or attempt.name in ALLOWED,
              "done: %s", attempt.as_json()[:500])
        if attempt.outcome == "done" and attempt.name != "notify.send":
            check_file_answer(attempt)
    check(seen, "no attempts (%s)", what)
    return seen


def check_file_answer(attempt):
    text = json.dumps(attempt.answer)
    check("root:x:" not in text and "root:*:" not in text, "passwd: %s",
          text[:300])
    path = attempt.arguments.get("path", "")
    check(".." not in path.split("/") and not path.startswith("/")
          and "link" not in path and path not in ("fifo", "device", "socket"),
          "done: %r", attempt.arguments)


def check_outcomes(host):
    """Each intent has its outcome, none is unknown."""
    rows = host.audit()
    intents = {row["seq"] for row in rows if row["kind"] == "intent"}
    outcomes = collections.Counter(
        row["intent"] for row in rows if row["kind"] == "outcome")
    equal(set(outcomes), intents, "intents with an outcome")
    check(all(n == 1 for n in outcomes.values()), "outcomes twice")


def check_notes(host, attempts):
    """Only allowed calls made lines, and each made one."""
    done = sum(1 for a in attempts
               if a.name == "notify.send" and a.outcome == "done")
    lines = host.notes.read_text().splitlines() if host.notes.exists() else []
    equal(len(lines), done, "lines of the notify file")
    for line in lines:
        equal(sorted(json.loads(line)), ["text", "time", "title"], "keys")
        check("\x1b" not in line and "\u202e" not in line, "not inert: %r",
              line)


def run_set(host, place, sums, mails):
    """Deliver, clean, believe; then look at what happened."""
    before, names = tree_hash(host, place), root_names(place)
    first = len(sums.attempts)
    deliverer = Deliverer(host)
    handles = {deliverer.send(raw) for raw in mails}
    deliverer.close()
    until(lambda: host.counts()["new"] + host.counts()["cleaning"] == 0,
          30 + len(handles), "all cleaned")
    states = collections.Counter(row["state"] for row in host.items().values()
                                 if row["handle"] in handles)
    ready = states["ready"]
    check(ready > 0, "nothing to read: %r", states)
    believe_all(host, sums, ready, fixed_list())
    mine = sums.attempts[first:]
    check_attempts(host, place, mine, "set")
    check_outcomes(host)
    check_notes(host, sums.attempts)
    equal(tree_hash(host, place), before, "everything outside the root")
    equal(root_names(place), names, "names in the root")
    part = Sums()
    part.attempts = mine
    return "%d mails (%d distinct, %d read); %s" % (
        len(mails), len(handles), ready, part.text())


def own_mails():
    return [path.read_bytes() for path in
            sorted((ROOT / "tests" / "data" / "mail").glob("*.eml"))]


def rows_of(source, label):
    data = folder_of_data()
    if data is None:
        raise Skipped("no public mail here; set TRIZONE_DATA")
    path = data / "injections" / (source + ".jsonl")
    rows = [json.loads(line) for line in
            path.read_text(encoding="utf-8").splitlines()]
    return [row["text"].encode() for row in rows
            if row["label"] == label and row["channel"] == "email"]


def attack_set(host, place, sums, source):
    return run_set(host, place, sums, rows_of(source, "attack"))


def benign_set(host, place, sums, mails):
    """Beside all that, what is allowed works: each message, each call."""
    deliverer = Deliverer(host)
    handles = {deliverer.send(raw) for raw in mails[:BENIGN_ROUNDS]}
    deliverer.close()
    calls = 0
    for number in range(len(handles)):
        wire = host.connect("planner")
        handle = wire.request("inbox.next",
                              {"wait_ms": 20000}).result["handle"]
        check(handle in handles, "handle %r", handle)
        message = wire.request("inbox.read", {"handle": handle}).result
        subject = message["message"]["subject"]
        for name, arguments in (
                ("file.read", {"path": "notes.txt"}),
                ("file.read", {"path": "papers/plan.txt"}),
                ("file.list", {}), ("file.list", {"path": "papers"}),
                ("notify.send", {"title": "New mail",
                                 "text": subject[:500] or "(none)"})):
            attempt = gullible.Attempt(handle, name, arguments, "benign")
            answer = wire.request("call", {"name": name,
                                           "arguments": arguments})
            check(answer.ok, "%s %r: %r", name, arguments, answer.error)
            attempt.outcome, attempt.answer = "done", answer.result
            sums.add(attempt)
            calls += 1
        check_benign_answers(sums.attempts[-5:])
        check(wire.request("inbox.done", {"handle": handle,
                                          "outcome": "ok"}).ok, "done")
        wire.close()
    check_attempts(host, place, sums.attempts[-calls:], "benign")
    check_notes(host, sums.attempts)
    return "%d mails, %d calls, all done" % (len(handles), calls)


def check_benign_answers(attempts):
    results = [attempt.answer["result"] for attempt in attempts]
    bodies = [attempt.answer["content"]["body"] for attempt in attempts[:2]]
    equal(bodies, ["Nothing secret in notes.txt.",
                   "Nothing secret in papers/plan.txt."], "texts")
    check(all("content" not in attempt.answer for attempt in attempts[2:]),
          "content of what brings none: %r", attempts[2:])
    names = {entry["name"] for entry in results[2]["entries"]}
    check({"notes.txt", "papers", "report.pdf"} <= names, "list: %r", names)
    check(not names & {"link-to-secret", "link-up", "fifo", "socket",
                       "device"}, "list: %r", names)


def race(host, place, sums):
    """Readers and swaps, as fast as both go, for some seconds."""
    seconds = 40 if "--full" in sys.argv else 10
    wire = host.connect("planner")
    paths = ("swapped/secret", "swapped-file", "grows", "hard-link")
    before, swaps = len(sums.attempts), place.swaps
    planner = gullible.Gullible(wire, [], on_attempt=sums.add)
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        planner.attempt(None, "file.read",
                        {"path": paths[number % len(paths)]}, "race")
        number += 1
    wire.close()
    mine = sums.attempts[before:]
    check_attempts(host, place, mine, "race")
    texts = {attempt.answer["content"]["body"] for attempt in mine
             if attempt.outcome == "done"
             and attempt.arguments["path"].startswith("swapped")}
    check(texts <= {"inside", ""}, "texts: %r", texts)
    done = sum(1 for attempt in mine if attempt.outcome == "done")
    check(done > 0, "never read: the race was no race")
    return "%d reads (%d done) against %d swaps" % (
        len(mine), done, place.swaps - swaps)


def every_record(host, sums):
    """As many records as attempts, over the whole run."""
    rows = [row for row in host.audit()
            if row["kind"] in ("decision", "intent")]
    equal(len(rows), len(sums.attempts), "decisions and intents")
    host.verify()
    return "%d records, chain whole" % len(host.audit())


def body(suite):
    sums = Sums()
    with Host() as host:
        place = Place(host)
        host.policy = policy_for(host, place)
        host.write_settings()
        host.start()
        host.attach_reader()
        with place:
            suite.case("our own hostile mails", run_set, host, place, sums,
                       own_mails())
            for source in ("bipia", "agentdojo"):
                suite.case("attacks of " + source, attack_set, host, place,
                           sums, source)
            suite.case("benign mails of bipia", lambda: benign_set(
                host, place, sums, rows_of("bipia", "benign")))
            suite.case("race", race, host, place, sums)
        suite.case("one record for each attempt", every_record, host, sums)
    print(sums.text())


if __name__ == "__main__":
    main(body)
