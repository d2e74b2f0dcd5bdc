#!/usr/bin/env python3
"""Kill any process at any step of a delivery; nothing is lost or done twice.

usage: kill.py [BIN] [--count N] [--seed N] [--full]

Mails are delivered one after another by a deliverer that tries again on exit
status 75, as a mail server does. At each kill one process gets SIGKILL (or the
parent SIGTERM, an orderly stop) at one step; then everything that is missing
is started again, as a supervisor would. All steps but "random" are exact: the
processes that could go on are stopped (SIGSTOP) until the kill has been sent.

  uploading  the deliverer has connected and the broker has read nothing
  new        the mail is on disk and no reader is there
  cleaning   its bytes are with a reader that has not begun
  working    a worker of the reader is at it
  ready      clean, and no planner is there
  claimed    handed to a planner that has not read it
  acted      the broker has marked it as acted on, no intent is written
  intent     the intent is on disk, the courier has not begun
  effect     the effect has happened, nobody knows yet
  outcome    the outcome is on disk, the planner has not said inbox.done
  random     up to a fifth of a second after the deliverer began
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import gullible
import harness
import procs
from harness import Failed, Skipped, check, equal

COUNT, COUNT_FULL = 50, 500
RANDOM_SHARE = 0.3
STEP_SECONDS = 20      # to get to a step
SETTLE_SECONDS = 90    # from a kill until the mail is at its end
FINAL = ("done", "quarantined", "interrupted")
VICTIMS = ("parent", "broker", "auditor", "file", "notify", "reader",
           "reader waiter", "worker", "planner", "planner waiter", "deliver",
           "attach mail", "attach planner", "stop")
BRIEF = ("deliver", "worker")  # waited for, as they are there so shortly
LARGE = 3 << 20        # a mail whose worker can be caught

# Who is there to be killed at each step.
ALWAYS = ("parent", "broker", "auditor", "file", "notify", "stop")
READERS = ("reader", "reader waiter", "attach mail")
PLANNERS = ("planner", "planner waiter", "attach planner")
STEPS = {
    "uploading": ALWAYS + READERS + PLANNERS + ("deliver",),
    "new": ALWAYS + PLANNERS,
    "cleaning": ALWAYS + READERS + PLANNERS,
    "working": ALWAYS + READERS + PLANNERS + ("worker",),
    "ready": ALWAYS + READERS,
    "claimed": ALWAYS + READERS + PLANNERS,
    "acted": ALWAYS + READERS + PLANNERS,
    "intent": ALWAYS + READERS + PLANNERS,
    "effect": ALWAYS + READERS + PLANNERS,
    "outcome": ALWAYS + READERS + PLANNERS,
    "random": VICTIMS,
}

RULES = {
    "version": 1,
    "rules": [{
        "name": "marked", "why": "Every mail of this test leaves two traces.",
        "when": {"all": [{"field": "/subject", "starts": "mark-"}]},
        "then": [
            {"call": "file.write",
             "arguments": {"path": {"$field": "/subject"},
                           "text": {"$field": "/subject"}}},
            {"call": "notify.send",
             "arguments": {"text": {"$field": "/subject"}}}]}]}


class Missed(Exception):
    """The step was over before it could be held."""


def policy(files, notes):
    base = harness.default_policy(files, notes)
    base["capabilities"].append(
        {"name": "file.write", "kind": "file", "method": "write",
         "why": "It may leave a file.",
         "settings": {"root": str(files), "write": True},
         "limits": {"per_hour": 1000000}})
    base["rules"].append(
        {"id": "write", "verdict": "allow", "why": "A file stays here.",
         "capability": "file.write"})
    return base


class Delivery(threading.Thread):
    """One mail, tried until it is taken."""

    def __init__(self, service, number, large):
        super().__init__(daemon=True)
        self.service = service
        self.mark = "mark-%05d" % number
        body = "A line of text, and <b>another</b>.\n" * (
            LARGE // 36 if large else 1)
        self.raw = harness.mail(self.mark, body)
        self.handle = None
        self.tries = 0
        self.problem = None
        self.give_up = False
        self.process = None
        self.start()

    def once(self):
        with procs.lock:
            self.process = subprocess.Popen(
                [str(self.service.program("executor")), "deliver", "--config",
                 str(self.service.config_path), "mail"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=harness.environment())
            procs.known.add(self.process.pid)
        try:
            out, err = self.process.communicate(self.raw, 60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
        return self.process.returncode, out, err

    def run(self):
        while not self.give_up:
            self.tries += 1
            status, out, err = self.once()
            if status == 0:
                self.handle = out.split()[0].decode()
                return
            if status not in (75, -signal.SIGKILL):
                self.problem = "deliver ended with %d: %r" % (status, err)
                return
            time.sleep(0.05)


class Service(harness.Host):
    """A host that is kept alive."""

    def __init__(self):
        super().__init__()
        self.policy = policy(self.files, self.notes)
        self.rules_path = self.config_path.parent / "rules.json"
        self.rules_path.write_text(json.dumps(RULES))
        self.write_settings()
        self.providers = {}
        self.absent = set()   # zones that are kept away for a step
        self.frozen = set()
        self.restarts = 0
        self.audit_at = {}  # how much of each segment was read
        self.records = []

    def _spawn(self, name, command):
        with procs.lock:
            process = super()._spawn(name, command)
            procs.known.add(process.pid)
        return process

    def log_now(self):
        path = self.executor_log
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self):
        """Until one start succeeds: what was killed may still be ending."""
        deadline = time.monotonic() + harness.READY_SECONDS
        while True:
            self.executor_log = self.folder / (
                "executor.%d.log" % len(self.logs))
            try:
                return super().start()
            except Failed:
                if time.monotonic() > deadline:
                    raise
                self.executor.wait(10)
                time.sleep(0.1)

    def start_provider(self, zone):
        command = self.reader_command() if zone == "mail" else (
            self.planner_command(self.rules_path))
        self.providers[zone] = self.attach(zone, *command)

    def stop_provider(self, zone):
        """It and every instance it left."""
        self.absent.add(zone)
        process = self.providers.pop(zone)
        harness.end_process(process, 10)
        self.attached.remove(process)
        self.signal("reader" if zone == "mail" else "planner",
                    signal.SIGKILL)
        harness.until(lambda: self.zone_status(zone)["channels"] == 0,
                      STEP_SECONDS, "no %s" % zone)

    def supervise(self):
        """Start what is missing; True if all of it was there."""
        procs.reap_orphans()
        whole = True
        if self.executor.poll() is not None:
            self.restarts += 1
            whole = False
            self.start()
        elif "ev=courier-given-up" in self.log_now():
            whole = False
            equal(harness.end_process(self.executor), 0, "orderly stop")
            self.start()
        for zone in ("mail", "planner"):
            process = self.providers.get(zone)
            if zone in self.absent or (process and process.poll() is None):
                continue
            if process:
                self.attached.remove(process)
            self.start_provider(zone)
            whole = False
        return whole

    def wake_providers(self):
        """A supervisor starts them with the service: no long back-off."""
        for zone, process in self.providers.items():
            if zone not in self.absent:
                harness.end_process(process, 10)

    def names(self):
        return procs.named(self.log_now())

    def signal(self, name, number):
        procs.send(self.names().get(name, []), number)

    def freeze(self, name):
        pids = self.names().get(name, [])
        procs.send(pids, signal.SIGSTOP)
        self.frozen.update((name, pid) for pid in pids)
        if not pids:
            raise Missed("no %s to stop" % name)

    def thaw(self, name=None):
        gone = {row for row in self.frozen if name in (None, row[0])}
        procs.send([pid for _, pid in gone], signal.SIGCONT)
        self.frozen -= gone

    def await_idle(self):
        """Everybody there, connected, and waiting for work."""
        def idle():
            if not self.supervise():
                return False
            try:
                status = self.operate("status")
            except (OSError, gullible.WireLost):
                return False
            return all(row["channels"] > 0 for row in status["zones"]) and all(
                row["up"] for row in status["couriers"])
        harness.until(idle, SETTLE_SECONDS, "all parts up")

    def item(self, handle):
        """Row of one item, or {} while nobody answers."""
        try:
            rows = self.operate("item.list", {"after": int(handle[4:]) - 1,
                                              "limit": 1})["items"]
        except (OSError, gullible.WireLost, Failed):
            return {}
        return rows[0] if rows and rows[0]["handle"] == handle else {}

    def state_of(self, handle):
        return self.item(handle).get("state") if handle else None

    def trail(self):
        """Records so far, reading only what is new."""
        for path in harness.audit_segments(self.state / "audit"):
            with open(path, "rb") as log:
                log.seek(self.audit_at.get(path, 0))
                for line in log:
                    if line == b"\n" or not line.endswith(b"\n"):
                        break
                    self.audit_at[path] = (
                        self.audit_at.get(path, 0) + len(line))
                    self.records.append(json.loads(line))
        return self.records

    def intent_of(self, handle, capability):
        """The latest intent of an item; None if there is none."""
        for record in reversed(self.trail()):
            if (record["kind"] == "intent" and record["handle"] == handle
                    and record["capability"] == capability):
                return record
        return None

    def outcome_of(self, intent):
        for record in reversed(self.trail()):
            if (record["kind"] == "outcome"
                    and record["intent"] == intent["seq"]):
                return record
        return None

    def marks(self):
        """{mark: lines} of the notify file."""
        found = {}
        if self.notes.exists():
            for line in self.notes.read_text().splitlines():
                text = json.loads(line)["text"]
                found[text] = found.get(text, 0) + 1
        return found


class Step:
    """Holds everything at one step; see the list above."""

    def __init__(self, service, name, victim, courier):
        self.service = service
        self.name = name
        self.victim = victim
        self.courier = courier
        self.capability = {"file": "file.write",
                           "notify": "notify.send"}[courier]
        self.delivery = None

    def prepare(self):
        """Before the mail is delivered."""
        s, name = self.service, self.name
        if name == "uploading":
            s.freeze("broker")
        elif name == "new":
            s.stop_provider("mail")
        elif name == "cleaning":
            time.sleep(0.05)  # for its hello
            s.freeze("reader")
        elif name == "ready":
            s.stop_provider("planner")
        elif name == "claimed":
            time.sleep(0.05)  # for its inbox.next
            s.freeze("planner")
        elif name == "acted":
            s.freeze("auditor")
        elif name in ("intent", "effect", "outcome"):
            s.freeze(self.courier)

    def wait(self, condition, what):
        deadline = time.monotonic() + STEP_SECONDS
        while not condition():
            if self.delivery.problem:
                raise Failed(self.delivery.problem)
            if time.monotonic() > deadline:
                raise Missed("%s: not seen" % what)
            if self.service.state_of(self.delivery.handle) in FINAL:
                raise Missed("%s: over already" % what)
            time.sleep(0.003)

    def await_state(self, state):
        self.wait(lambda: self.service.state_of(self.delivery.handle) == state,
                  state)

    def await_intent(self):
        intent = lambda: self.delivery.handle and self.service.intent_of(
            self.delivery.handle, self.capability)
        self.wait(intent, "intent")
        return intent()

    def effect_is_there(self):
        mark = self.delivery.mark
        if self.courier == "file":
            return (self.service.files / mark).exists()
        return mark in self.service.marks()

    def reach_effect(self):
        self.await_intent()
        time.sleep(0.02)  # for the order to be passed on
        self.service.freeze("auditor")
        self.service.thaw(self.courier)
        self.wait(self.effect_is_there, "effect")

    def reach_outcome(self):
        intent = self.await_intent()
        self.service.freeze("broker")
        self.service.thaw(self.courier)
        deadline = time.monotonic() + STEP_SECONDS
        while not self.service.outcome_of(intent):
            if time.monotonic() > deadline:
                raise Missed("outcome: not seen")
            time.sleep(0.003)
        self.service.freeze("planner")
        self.service.thaw("broker")
        time.sleep(0.02)

    def reach(self, delivery):
        """Return when the step is reached; Missed if it cannot be."""
        self.delivery = delivery
        s, name = self.service, self.name
        if name == "random" and self.victim in BRIEF:
            self.wait(lambda: s.names().get(self.victim), self.victim)
        elif name == "random":
            time.sleep(random.uniform(0, 0.2))
        elif name == "uploading":
            self.wait(lambda: delivery.process is not None, "deliver")
            time.sleep(0.03)
        elif name in ("new", "cleaning", "ready", "claimed", "acted"):
            self.await_state(name)
        elif name == "working":
            self.wait(lambda: s.names().get("worker"), "worker")
        elif name == "intent":
            self.await_intent()
        elif name == "effect":
            self.reach_effect()
        elif name == "outcome":
            self.reach_outcome()

    def release(self):
        self.service.thaw()
        self.service.absent.clear()


class Run:
    def __init__(self, service, count, seed):
        self.service = service
        self.deliveries = []
        self.table = {}
        self.missed = []
        self.reader_kills = set()
        self.rows = {}
        self.released = {"quarantined": 0, "interrupted": 0}
        random.seed(seed)
        self.plan = self.make_plan(count)

    @staticmethod
    def make_plan(count):
        exact = [(step, victim) for step in STEPS if step != "random"
                 for victim in STEPS[step]]
        chance = [("random", victim) for victim in VICTIMS]
        plan = []
        while len(plan) < count:
            random.shuffle(exact)
            random.shuffle(chance)
            share = int(len(exact) * RANDOM_SHARE)
            lap = exact + (chance * 3)[:share]
            random.shuffle(lap)
            plan += lap
        return plan[:count]

    def deliver(self, large=False):
        delivery = Delivery(self.service, len(self.deliveries), large)
        self.deliveries.append(delivery)
        return delivery

    def strike(self, step, victim):
        """Send the signal; False if there is nobody to send it to."""
        s = self.service
        if victim == "stop":
            s.executor.terminate()
            return True
        pids = s.names().get(victim, [])
        procs.send(pids, signal.SIGKILL)  # orphans of a provider too
        if pids and victim in READERS + ("worker",):
            self.reader_kills.add(step.delivery.mark)
        return bool(pids)

    def kill_once(self, name, victim):
        s = self.service
        courier = victim if victim in ("file", "notify") else random.choice(
            ("file", "notify"))
        step = Step(s, name, victim,
                    "notify" if name == "outcome" else courier)
        try:
            step.prepare()
            step.reach(self.deliver(name == "working" or victim == "worker"))
            if not self.strike(step, victim):
                raise Missed("no %s" % victim)
            key = (victim, name)
            self.table[key] = self.table.get(key, 0) + 1
        except Missed as why:
            self.missed.append("%s at %s: %s (%s)" % (
                victim, name, why, self.deliveries[-1].mark))
        finally:
            step.release()
        if random.random() < 0.5:
            self.wake_providers()
        self.settle()

    def wake_providers(self):
        delivery = self.deliveries[-1]
        if self.service.state_of(delivery.handle) in (None, "cleaning"):
            self.reader_kills.add(delivery.mark)
        self.service.wake_providers()

    def settle(self):
        """Until the last mail is at an end, or kept back."""
        s, delivery = self.service, self.deliveries[-1] if (
            self.deliveries) else None

        def settled():
            s.supervise()
            if delivery is None:
                return True
            check(delivery.problem is None, "%s", delivery.problem)
            return s.state_of(delivery.handle) in FINAL
        harness.until(settled, SETTLE_SECONDS, "the mail at its end")
        s.await_idle()

    def all_kills(self):
        self.service.await_idle()
        for name, victim in self.plan:
            self.kill_once(name, victim)

    def finish(self):
        """Release what was kept back until every mail is done."""
        s = self.service

        def over():
            s.supervise()
            rows = s.items()
            for handle, row in rows.items():
                if row["state"] in self.released:
                    check(row["state"] != "quarantined" or
                          row["failures"] == 2, "quarantined: %r", row)
                    self.released[row["state"]] += 1
                    s.operate("item.release", {"handle": handle})
            return all(row["state"] == "done" for row in rows.values())
        harness.until(over, SETTLE_SECONDS, "every mail done")
        self.rows = s.items()
        live = s.operate("session.list")["sessions"]
        channels = s.zone_status("planner")["channels"]
        check(len(live) <= channels, "%d live sessions, %d planners",
              len(live), channels)

    def print_table(self):
        print("%-15s" % "killed" + "".join("%10s" % s for s in STEPS))
        for victim in VICTIMS:
            print("%-15s" % victim + "".join(
                "%10s" % self.table.get((victim, step), ".")
                for step in STEPS))
        for why in self.missed:
            print("missed: " + why)


# What has to hold afterwards.

def each_mail_once(run):
    handles = [d.handle for d in run.deliveries]
    equal(len(set(handles)), len(run.deliveries), "handles")
    equal(set(run.rows), set(handles), "items")
    for delivery in run.deliveries:
        equal(run.rows[delivery.handle]["state"], "done", delivery.mark)
    tries = sum(d.tries for d in run.deliveries)
    return "%d mails, %d tries to deliver" % (len(handles), tries)


def intents_have_one_outcome(run):
    outcomes = {}
    intents = set()
    for record in run.service.trail():
        if record["kind"] == "intent":
            intents.add(record["seq"])
        elif record["kind"] == "outcome":
            outcomes.setdefault(record["intent"], []).append(record["status"])
    equal(set(outcomes), intents, "intents with an outcome")
    double = {seq: all_ for seq, all_ in outcomes.items() if len(all_) != 1}
    check(not double, "more than one outcome: %r", double)
    sums = {}
    for status, in outcomes.values():
        sums[status] = sums.get(status, 0) + 1
    return "%d intents: %s" % (len(intents), ", ".join(
        "%d %s" % (n, word) for word, n in sorted(sums.items())))


def by_item(records, capability):
    """{handle: {"claims": n, "intents": n, status: n}}"""
    found = {}

    def count(handle, what):
        row = found.setdefault(handle, {})
        row[what] = row.get(what, 0) + 1
    for record in records:
        if record["kind"] == "claim":
            count(record["handle"], "claims")
        elif record.get("capability") == capability:
            if record["kind"] == "intent":
                count(record["handle"], "intents")
            elif record["kind"] == "outcome":
                count(record["handle"], record["status"])
    return found


def effects_at_most_once(run):
    """Between what is known to be done and what may have been."""
    seen, most = run.service.marks(), 0
    rows = by_item(run.service.trail(), "notify.send")
    for delivery in run.deliveries:
        row = rows.get(delivery.handle, {})
        lines = seen.pop(delivery.mark, 0)
        done, unknown = row.get("done", 0), row.get("unknown", 0)
        check(done <= lines <= done + unknown, "%s: %d lines, audit %r",
              delivery.mark, lines, row)
        check(row.get("intents", 0) <= row.get("claims", 0),
              "%s: more intents than claims: %r", delivery.mark, row)
        most = max(most, lines)
    check(not seen, "lines nobody sent: %r", seen)
    return "at most %d of one mail, released ones included" % most


def files_as_recorded(run):
    rows = by_item(run.service.trail(), "file.write")
    for delivery in run.deliveries:
        row = rows.get(delivery.handle, {})
        there = (run.service.files / delivery.mark).exists()
        check(there or not row.get("done"), "%s: done, not there",
              delivery.mark)
        check(not there or row.get("done") or row.get("unknown"),
              "%s: there, audit %r", delivery.mark, row)
        check(row.get("intents", 0) <= row.get("claims", 0),
              "%s: more intents than claims: %r", delivery.mark, row)


def audit_is_whole(run):
    run.service.verify()
    script = harness.ROOT / "docs" / "audit_verify.py"
    if not script.exists():
        return "docs/audit_verify.py is not there"
    done = harness.run([sys.executable, script, run.service.state / "audit"],
                       seconds=300)
    equal(done.returncode, 0, "audit_verify.py: %r" % done.stdout)
    return "%d records" % json.loads(done.stdout)["records"]


def nobody_is_left(run):
    names = {}
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        names = run.service.names()
        if not names:
            break
        time.sleep(0.05)
    check(not names, "still there: %r", names)
    left = list((run.service.folder / "run").glob("*"))
    check(not left, "left in run: %r", left)
    stages = list((run.service.state / "inbox").glob("stage-*"))
    check(not stages, "left in state: %r", stages)


def innocent_mails_stay(run):
    """Only a reader's death may cost a mail a failure."""
    for delivery in run.deliveries:
        row = run.rows[delivery.handle]
        check(row["failures"] == 0 or delivery.mark in run.reader_kills,
              "%s failed without a reader's death: %r", delivery.mark, row)
    return "%d quarantined, %d interrupted, all released" % (
        run.released["quarantined"], run.released["interrupted"])


def end(suite, service):
    """Nobody stays; its folder does, where something is to be seen in it."""
    procs.kill_all()
    if suite.failed:
        print("kept: %s" % service.folder)
    else:
        shutil.rmtree(service.folder, ignore_errors=True)


def options():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bin", nargs="?")
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", action="store_true")
    given = parser.parse_args()
    sys.argv[1:] = [given.bin] if given.bin else []
    return given


def body(suite):
    given = options()
    full = given.full or os.environ.get("TRIZONE_LONG") == "1"
    count = given.count or (COUNT_FULL if full else COUNT)
    service = Service()
    run = None
    try:
        suite.case("adopt orphans", procs.adopt_orphans)
        if suite.skipped:
            return
        service.start()
        run = Run(service, count, given.seed)
        suite.case("%d kills" % count, run.all_kills)
        run.print_table()
        suite.case("every mail comes to its end", run.finish)
        if suite.failed:
            return
        suite.case("orderly stop", service.stop)
        for case in (each_mail_once, intents_have_one_outcome,
                     effects_at_most_once, files_as_recorded, audit_is_whole,
                     nobody_is_left, innocent_mails_stay):
            suite.case(case.__name__.replace("_", " "), case, run)
        service.look_at_logs()
        suite.case("logs are clean", lambda: check(
            not service.problems, "%s", "; ".join(service.problems)))
        print("%d kills, %d missed, %d restarts of the service" % (
            sum(run.table.values()), len(run.missed), service.restarts))
    finally:
        service.thaw()
        for delivery in run.deliveries if run else []:
            delivery.give_up = True
        end(suite, service)


if __name__ == "__main__":
    harness.main(body)
