#!/usr/bin/env python3
"""Tickets over real sockets: asked, shown, approved, done; once.

usage: review.py [BIN]
"""
import json
import os
import shutil
import signal
import sqlite3
import time

import harness
from harness import Host, Skipped, check, equal, main, until

DENIED, UNKNOWN_OUTCOME, WRONG_STATE, QUOTA = 1301, 1303, 1307, 1309
NOT_REVIEWER, NOT_ALONE, CODE = 1320, 1321, 1322
REVIEWER, LOGIN = 64811, 64812  # accounts of nobody else
DAY_MS = 24 * 60 * 60 * 1000


def policy(host_files, notes, **more):
    """Notes and writing ask by a rule; reading asks too."""
    made = harness.default_policy(host_files, notes)
    made["capabilities"].append(
        {"name": "file.write", "kind": "file", "method": "write",
         "why": "It may keep notes of its own.",
         "settings": {"root": str(host_files), "write": True},
         "limits": {"per_hour": 1000000}})
    made["rules"] = [
        {"id": "list", "verdict": "allow", "why": "Names are harmless.",
         "capability": "file.list"},
        {"id": "ask-read", "verdict": "ask",
         "why": "Somebody should look at what it reads.",
         "capability": "file.read"},
        {"id": "ask-note", "verdict": "ask",
         "why": "Somebody should look at what it says.",
         "capability": ["notify.send", "file.write"]}]
    made.update(more)
    return made


class Reviewed(Host):
    """A host whose calls ask."""

    def __init__(self, **config):
        super().__init__(session="per-task", **config)
        self.policy = policy(self.files, self.notes)
        self.write_settings()

    def review(self, verb, *arguments, **more):
        """As root; the objects of --json, or the text of a failure."""
        done = self.command("review", verb, "--json", *arguments, **more)
        check(done.returncode in (0, 1), "review %s: %d %r", verb,
              done.returncode, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def show(self, ticket):
        return self.review("show", ticket)[0]

    def approve(self, ticket, *more, code=None):
        return self.review("approve", ticket,
                           code or self.show(ticket)["code"], *more)[0]

    def state_of(self, ticket):
        return self.show(ticket)["state"]

    def notes_text(self):
        return self.notes.read_text() if self.notes.exists() else ""

    def kill_all(self):
        """Everything at once, as when the power goes."""
        os.kill(self.executor.pid, signal.SIGSTOP)
        pids = [self.role_pid(role) for role in ("broker", "auditor")]
        for pid in pids + [self.executor.pid]:
            os.kill(pid, signal.SIGKILL)
        self.executor.wait()
        self.executor = None
        for pid in pids:
            until(lambda: not os.path.exists("/proc/%d" % pid), 10, "its end")
        until(lambda: harness.run(["pgrep", "-f", str(self.config_path)]
                                  ).stdout == b"", 10, "couriers gone")

    def as_user(self, uid, *arguments, groups=()):
        """A command under another account."""
        os.chmod(self.socket("operator"), 0o666)
        for path in (self.config_path.parent, self.config_path,
                     self.config_path.parent / "policy.json"):
            os.chmod(path, 0o755)
        return harness.run([self.program("executor"), *arguments[:2],
                            "--config", self.config_path, *arguments[2:]],
                           user=uid, group=uid, extra_groups=list(groups))

    def database(self, change, *values):
        """Something else changes the store while the service is down."""
        with sqlite3.connect(self.state_folder() / "inbox.sqlite") as db:
            db.execute(change, values)
        db.close()

    def state_folder(self):
        return self.folder / "state" / "inbox"


def ask(wire, name, **arguments):
    return wire.request("call", {"name": name, "arguments": arguments})


def asked(answer, state="open"):
    """The ticket a refusal names."""
    check(not answer.ok, "was not asked about: %r", answer.result)
    equal(answer.error["code"], DENIED, "error")
    data = answer.error["data"]
    equal((data["verdict"], data["state"]), ("ask", state), "refusal")
    return data["ticket"]


def records(host, kind):
    return [row for row in host.audit() if row["kind"] == kind]


def whole_way(host):
    """A call becomes a ticket, is shown, approved, done once, and told."""
    wire = host.connect("planner")
    ticket = asked(ask(wire, "notify.send", text="hello there"))
    equal(asked(ask(wire, "notify.send", text="hello there")), ticket,
          "an identical call")
    listed = host.review("list")
    equal([row["ticket"] for row in listed], [ticket], "listed")
    shown = host.show(ticket)
    for part in ("hello there", "ask-note", "notify.send",
                 "Somebody should look at what it says.", "legs: none",
                 "text (content, from model)", "bytes that leave",
                 '{"text":"hello there"}', "UTC"):
        check(part in shown["card"], "%r is not in the card:\n%s", part,
              shown["card"])
    equal(host.notes_text(), "", "notes before")
    equal(host.approve(ticket)["state"], "spent", "approved")
    until(lambda: host.state_of(ticket) == "done", 10, "done")
    equal(host.notes_text().count("hello there"), 1, "notes after")
    told = ask(wire, "notify.send", text="hello there")
    check(told.ok, "told: %r", told.error)
    equal(told.result["result"]["to"], "file", "what came of it")
    equal(host.state_of(ticket), "closed", "after it was told")
    equal(host.notes_text().count("hello there"), 1, "notes after being told")
    again = asked(ask(wire, "notify.send", text="hello there"))
    check(again != ticket, "a ticket of its own for another such call")
    wire.close()
    until(lambda: records(host, "spent"), 5, "spent on record")
    intent = [row for row in records(host, "intent") if row["grant"]]
    equal(len(intent), 1, "intents with a grant")
    equal(intent[0]["grant"], shown_grant(host, ticket), "its number")
    rows = [row["kind"] for row in host.audit()
            if row["kind"] in ("ticket", "approval", "spent", "intent")]
    equal(rows[:4], ["ticket", "approval", "spent", "intent"], "records")
    check("hello there" not in host.audit_log().read_text(),
          "what was said is in the audit")
    host.verify()


def shown_grant(host, ticket):
    return host.show(ticket)["grant"]


def run_suite(suite):
    with Reviewed() as host:
        host.start()
        suite.case("the whole way", whole_way, host)


if __name__ == "__main__":
    main(run_suite)
