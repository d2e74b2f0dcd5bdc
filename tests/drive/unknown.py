#!/usr/bin/env python3
"""Intents without a known outcome: cards until a person settles them.

usage: unknown.py [BIN] [--count N]

The courier is held while the intent is put on record, and then everything, or
only the courier, is killed. What is left is a card; its settlement is on
record once, survives every restart, and nothing is done a second time.
"""
import argparse
import json
import os
import signal
import subprocess
import threading

import gullible
import harness
from harness import check, equal, until
from review import LOGIN, NOT_REVIEWER, REVIEWER, Reviewed, ask, asked, records

COUNT = 50
HOSTILE = "rm \x1b[2J\u202e\"}]<script>\u200b"


class Torn(Reviewed):
    """Notes are allowed by a rule, so that nothing but a crash stops them."""

    def __init__(self, allow=True, **config):
        super().__init__(**config)
        if allow:
            self.policy = harness.default_policy(self.files, self.notes)
            self.write_settings()

    def cards(self):
        return [row for row in self.review("list", "unknown")]

    def hold_courier(self):
        """No courier reads an order any more."""
        for pid in self.courier_pids():
            os.kill(pid, signal.SIGSTOP)

    def begin(self, text="torn", name="notify.send"):
        """A call whose intent is on record, and nothing more."""
        before = len(records(self, "intent"))
        self.hold_courier()
        wire = self.connect("planner")

        def call():
            try:
                ask(wire, name, text=text)
            except (OSError, gullible.WireLost, ValueError):
                pass
        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        until(lambda: len(records(self, "intent")) > before, 10, "an intent")
        return wire

    def unknown_shown(self, *more):
        done = self.command("audit", "show", "--json", "--unknown", *more)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def report(self):
        done = self.command("audit", "report", "--text")
        check(done.returncode in (0, 1), "report: %r", done.stderr)
        return done.stdout.decode()


def between(host, turns):
    """kill -9 of everything between intent and outcome, again and again."""
    for turn in range(turns):
        wire = host.begin("torn %d" % turn)
        host.kill_all()
        wire.close()
        host.start()
        until(lambda: len(host.cards()) == turn + 1, 10, "a card")
    intents = [row["seq"] for row in records(host, "intent")]
    equal(len(intents), turns, "intents: nothing is repeated")
    cards = host.cards()
    equal([int(row["intent"][7:]) for row in cards],
          [int(seq, 16) for seq in intents], "cards")
    equal(len(host.unknown_shown()), turns, "audit show --unknown")
    for number, row in enumerate(cards):
        host.review("done" if number % 2 else "failed", row["intent"])
        if number % 10 == 0:
            host.kill_all()
            host.start()
    until(lambda: host.cards() == [], 10, "none left")
    host.kill_all()
    host.start()
    equal(host.cards(), [], "none after a restart")
    equal(host.unknown_shown(), [], "none in audit show")
    check("nknown outcomes" not in host.report() or
          "none" in host.report(), "report: %s", host.report())
    rows = records(host, "settlement")
    equal([row["intent"] for row in rows], intents, "settlements")
    equal({row["status"] for row in rows}, {"done", "failed"}, "statuses")
    equal(len(records(host, "intent")), turns, "intents after all that")
    host.verify()


def card_of_a_dead_courier(host):
    """It comes up at once, says what the log knows, and is settled once."""
    wire = host.begin("hello " + HOSTILE)
    for pid in host.courier_pids():
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(host.cards()) == 1, 10, "a card")
    wire.close()
    card = host.cards()[0]
    equal((card["capability"], card["zone"], card["state"]),
          ("notify.send", "planner", "unknown"), "card")
    check(card["note"] == "its courier died", "note: %r", card)
    shown = host.show(card["intent"])
    for part in (card["intent"], "unknown: it may have happened",
                 "notify.send", "It may leave its operator a note.",
                 "of zone planner", "UTC", "commitment",
                 "review done " + card["intent"]):
        check(part in shown["card"], "%r is not in:\n%s", part, shown["card"])
    listed = host.command("review", "list").stdout.decode()
    check(card["intent"] in listed, "list: %r", listed)
    check("outcomes_unknown 1\n" in host.command(
        "status", "--metrics").stdout.decode(), "metrics")
    for wrong in ("intent:0", "intent:999999", "intent:x", "ticket:1",
                  "intent:18446744073709551615"):
        done = host.command("review", "done", wrong)
        check(done.returncode not in (0, 70), "settled %s: %r", wrong, done)
    for verb in (("approve", card["intent"], "00000000"),
                 ("deny", card["intent"])):
        check(host.command("review", *verb).returncode != 0, "%r", verb)
    answer = host.operator_answer("review.settle", {
        "handle": card["intent"], "outcome": "unknown"})
    check(not answer.ok, "settled as unknown")
    kept = host.folder / "receipts"
    settled = host.review("done", "--receipts", str(kept), card["intent"])[0]
    check("receipt" in settled, "no receipt: %r", settled)
    row = records(host, "settlement")[0]
    equal(settled["receipt"], row["seq"] + ":" + row["hash"], "receipt")
    equal(kept.read_text().strip(), settled["receipt"], "kept")
    equal(int(row["intent"], 16), int(card["intent"][7:]), "its intent")
    equal(row["detail"], "by user %d" % os.geteuid(), "who")
    for verb in ("done", "failed"):
        check(host.command("review", verb, card["intent"]).returncode != 0,
              "settled twice")
    equal(len(records(host, "settlement")), 1, "settlements")
    equal(host.unknown_shown(), [], "audit show --unknown")
    host.verify()


def of_an_approved_call(host):
    """What was approved is on the card, inert."""
    wire = host.connect("planner")
    ticket = asked(ask(wire, "notify.send", text="pay " + HOSTILE))
    code = host.show(ticket)["code"]
    before = len(records(host, "intent"))
    host.hold_courier()
    host.review("approve", ticket, code)
    until(lambda: len(records(host, "intent")) > before, 10, "an intent")
    host.kill_all()
    wire.close()
    host.start()
    until(lambda: len(host.cards()) == 1, 10, "a card")
    card = host.show(host.cards()[0]["intent"])["card"]
    check("what was approved:" in card and "pay rm" in card, "card:\n%s", card)
    check("\x1b" not in card and "\u202e" not in card and
          "\u200b" not in card, "card is not inert: %r", card)
    text = host.command("review", "show", host.cards()[0]["intent"]).stdout
    check(b"\x1b" not in text, "terminal: %r", text)
    equal(host.notes_text(), "", "notes")
    host.verify()


def who_may(host):
    """Everybody on the socket sees them; root and the reviewer settle."""
    host.begin().close()
    for pid in host.courier_pids():
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(host.cards()) == 1, 10, "a card")
    intent = host.cards()[0]["intent"]
    done = host.as_user(LOGIN, "review", "list", "unknown")
    check(intent.encode() in done.stdout, "the login user sees: %r", done)
    done = host.as_user(LOGIN, "review", "done", intent)
    check(done.returncode != 0, "anybody settles")
    equal(len(host.cards()), 1, "cards")
    equal(records(host, "settlement"), [], "settlements")
    tried = until(lambda: [row for row in records(host, "approval")
                           if row["error"]], 15, "a record: %r" % done)
    equal([row["error"] for row in tried], [NOT_REVIEWER], "on record")
    check(intent in tried[0]["detail"], "record: %r", tried[0])
    with subprocess.Popen(["sleep", "60"], user=REVIEWER, group=REVIEWER,
                          extra_groups=[]) as sleeper:
        done = host.as_user(REVIEWER, "review", "done", intent)
        check(done.returncode != 0, "a reviewer who is not alone settles")
        sleeper.kill()
    done = host.as_user(REVIEWER, "review", "failed", intent)
    equal(done.returncode, 0, "the reviewer: %r" % done.stderr)
    row = records(host, "settlement")[0]
    equal((row["detail"], row["status"]),
          ("by user %d" % REVIEWER, "failed"), "record")
    equal(host.cards(), [], "cards")


def auditor_dies(host):
    """Settled while the auditor stands still and then dies: either it is on
    record and the card is gone, or it is not and the card is there."""
    for turn in range(6):
        host.begin().close()
        host.kill_all()
        host.start()
        until(lambda: host.cards(), 10, "a card")
        intent = host.cards()[0]["intent"]
        auditor = host.role_pid("auditor")
        os.kill(auditor, signal.SIGSTOP)
        result = []
        thread = threading.Thread(target=lambda: result.append(host.command(
            "review", "failed", intent, seconds=30)), daemon=True)
        thread.start()
        thread.join(0.3)
        check(not result, "answered before it was on record: %r", result)
        if turn % 2:
            os.kill(auditor, signal.SIGCONT)
        host.kill_all()
        thread.join(30)
        host.start()
        on_record = any(int(row["intent"], 16) == int(intent[7:])
                        for row in records(host, "settlement"))
        if result and result[0].returncode == 0:
            check(on_record, "said to be settled, and is not")
        equal([row["intent"] for row in host.cards()],
              [] if on_record else [intent], "cards")
        if not on_record:
            host.review("failed", intent)
    host.verify()


def body(suite):
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", nargs="?")
    parser.add_argument("--count", type=int, default=COUNT)
    turns = parser.parse_args().count
    root = harness.is_root()

    def case(name, function, *arguments, allow=True, needs_root=True):
        def run():
            if needs_root and not root:
                raise harness.Skipped("settling is for root")
            with Torn(allow, peers={"operator": [0, LOGIN]},
                      reviewer=REVIEWER) as host:
                host.start()
                return function(host, *arguments)
        suite.case(name, run)
    case("a dead courier's card", card_of_a_dead_courier)
    case("of an approved call", of_an_approved_call, allow=False)
    case("who may settle", who_may)
    case("the auditor dies meanwhile", auditor_dies)
    case("killed %d times" % turns, between, turns)


if __name__ == "__main__":
    harness.main(body)
