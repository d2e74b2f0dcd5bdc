#!/usr/bin/env python3
"""Another policy while the service runs (attack case 9).

usage: reload.py [BIN]

What is looked at is the log: each decision in it has to be one of the policy
whose hash was put on record last before it.
"""
import copy
import hashlib
import json
import os
import signal
import sys
import threading
import time

import rig
from harness import Host, check, equal, main, until

DONE, UNAVAILABLE, TEMPORARY, CONFIG = 0, 69, 75, 78
DENIED, SCHEMA, LIMIT, NOT_FOUND = 1301, 1312, 1308, 1306


def put_policy(host, policy):
    """As an editor does it; the sha256 of the file."""
    text = policy if isinstance(policy, bytes) else json.dumps(
        policy).encode()
    path = host.config_path.parent / "policy.json"
    draft = path.with_name("policy.new")
    draft.write_bytes(text)
    draft.rename(path)
    return hashlib.sha256(text).hexdigest()


def reload(host, status=DONE):
    done = host.command("reload")
    said = (done.stdout + done.stderr).decode(errors="replace")
    equal(done.returncode, status, "reload (%s)" % said.strip())
    return said


def in_force(host):
    return host.operate("status")["policy"]


def files_policy(host, *, schema=None, rule=None, limit=1000000, why="Why.",
                 allow="read"):
    """file.read and notify.send; `rule` are the arguments its rule takes."""
    policy = copy.deepcopy(host.policy)
    for capability in policy["capabilities"]:
        if capability["name"] == "file.list":
            capability["why"] = why
            capability["limits"] = {"per_hour": limit}
            if schema is not None:
                capability["arguments"] = schema
    policy["rules"] = [{"id": allow, "verdict": "allow", "why": why,
                        "capability": "file.list"}]
    if rule is not None:
        policy["rules"][0]["arguments"] = rule
    return policy


def path_schema(**value):
    return {"type": "object", "properties": {"path": dict(
        {"type": "string"}, **value)}, "additionalProperties": False}


def look(wire, path=None):
    return wire.request("call", {
        "name": "file.list",
        "arguments": {} if path is None else {"path": path}})


def code(answer):
    return 0 if answer.ok else answer.error["code"]


def decisions(host):
    """(hash in force, record) of every decision and intent on record."""
    known = None
    for row in host.audit():
        if row["kind"] == "config" and row["why"] == "policy":
            known = row["detail"].split()[1]
        elif row["kind"] == "reload" and row["error"] is None:
            known = row["detail"].split()[1]
        elif row["kind"] in ("decision", "intent"):
            yield known, row


def by_signal_and_command(host):
    first = in_force(host)
    equal(first["reloads"], 0, "reloads at start")
    wire = host.connect("planner")
    equal(code(look(wire)), 0, "before")
    policy = files_policy(host)
    policy["rules"] = []
    wanted = put_policy(host, policy)
    equal(code(look(wire)), 0, "the file alone changes nothing")
    check(wanted in reload(host), "the hash is not said")
    equal(in_force(host), {"sha256": wanted, "reloads": 1}, "status")
    equal(code(look(wire)), DENIED, "after")
    wanted = put_policy(host, host.policy)
    os.kill(host.executor.pid, signal.SIGHUP)
    until(lambda: in_force(host)["sha256"] == wanted, 10, "by signal")
    equal(code(look(wire)), 0, "and back")
    equal(in_force(host)["sha256"], first["sha256"], "the same text")
    rows = [row for row in host.audit() if row["kind"] == "reload"]
    equal([(row["why"], row["error"]) for row in rows],
          [("policy", None)] * 2, "on record")
    wire.close()


def bad_files(host):
    """It keeps what was in force, and says so at each place."""
    good = in_force(host)
    wire = host.connect("planner")
    bad = [b"", b"{", b"\xff", b"[]", json.dumps(host.policy).encode()[:-1],
           json.dumps(dict(host.policy, more=1)).encode(),
           b'{"version":1}' + b" " * (1 << 20)]
    policy = copy.deepcopy(host.policy)
    policy["rules"][0]["verdict"] = "perhaps"
    bad.append(json.dumps(policy).encode())
    for text in bad:
        put_policy(host, text)
        said = reload(host, CONFIG)
        check("policy.json" in said, "no place: %s", said)
        equal(in_force(host), good, "in force after %r" % text[:20])
        equal(code(look(wire)), 0, "a call after %r" % text[:20])
    path = host.config_path.parent / "policy.json"
    path.unlink()
    reload(host, CONFIG)
    put_policy(host, host.policy)
    path.chmod(0o666)
    check("chmod" in reload(host, CONFIG), "others can write it")
    path.chmod(0o600)
    rows = [row for row in host.audit() if row["kind"] == "reload"]
    equal(len(rows), len(bad) + 2, "on record")
    check(all(row["why"] == "policy kept" and row["error"] == 1404
              and "policy.json" in row["detail"] for row in rows),
          "records: %r", rows)
    check("ev=reload-refused" in host.log_text(), "nothing in the log")
    reload(host)
    equal(in_force(host), {"sha256": good["sha256"], "reloads": 1}, "good")
    wire.close()


def restart_is_said(host):
    """What somebody has open, or what has a number, stays."""
    good = in_force(host)

    def change(make):
        policy = copy.deepcopy(host.policy)
        make(policy["capabilities"])
        return policy

    def other_root(all_of_them):
        all_of_them[0]["settings"]["root"] = str(host.state)

    def more_settings(all_of_them):
        all_of_them[1]["settings"]["max_bytes"] = 4096

    def other_method(all_of_them):
        all_of_them[0]["method"] = "read"

    changes = [other_root, more_settings, other_method,
               lambda c: c.reverse(), lambda c: c.append(dict(
                   c[0], name="file.other"))]
    for make in changes:
        put_policy(host, change(make))
        said = reload(host, UNAVAILABLE)
        check("restart" in said, "not said: %s", said)
        equal(in_force(host), good, "in force")
    policy = copy.deepcopy(host.policy)
    gone = policy["capabilities"].pop()
    policy["rules"] = [rule for rule in policy["rules"]
                       if rule["capability"] != gone["name"]]
    policy["floor"] = {}
    put_policy(host, policy)
    check(gone["name"] in reload(host, UNAVAILABLE), "which one is gone")
    # the same settings in another order are the same
    policy = change(lambda c: c.__setitem__(0, dict(
        reversed(list(c[0].items())))))
    put_policy(host, policy)
    reload(host)


def limits_and_counters(host):
    """Counters survive, in the broker and in the courier."""
    wire = host.connect("planner")
    put_policy(host, files_policy(host, limit=5))
    reload(host)
    for _ in range(5):
        equal(code(look(wire)), 0, "up to the limit")
    equal(code(look(wire)), LIMIT, "above it")
    put_policy(host, files_policy(host, limit=5, why="Other words."))
    reload(host)
    equal(code(look(wire)), LIMIT, "the same limit again")
    put_policy(host, files_policy(host, limit=7))
    reload(host)
    equal([code(look(wire)) for _ in range(3)], [0, 0, LIMIT], "two more")
    put_policy(host, files_policy(host, limit=6))
    reload(host)
    equal(code(look(wire)), LIMIT, "a lower one")
    put_policy(host, files_policy(host, schema=path_schema(const="x")))
    reload(host)
    equal(code(look(wire, "y")), SCHEMA, "another schema")
    wire.close()


class Load:
    """Planners that ask all the time; the codes each question got."""

    def __init__(self, host, questions, planners=3):
        self.host, self.questions = host, questions
        self.codes = {question: {} for question in questions}
        self.problems = []
        self.running = True
        self.threads = [threading.Thread(target=self.ask)
                        for _ in range(planners)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        try:
            wire = self.host.connect("planner")
            while self.running:
                for question in self.questions:
                    got = code(look(wire, question))
                    count = self.codes[question]
                    count[got] = count.get(got, 0) + 1
            wire.close()
        except Exception as problem:  # told by end()
            self.problems.append(problem)

    def end(self):
        self.running = False
        for thread in self.threads:
            thread.join(60)
        check(not self.problems, "load: %r", self.problems)
        return self.codes


def thousand(host):
    """1,000 reloads of a reason while three planners ask: what is denied by
    each of these policies is never allowed, what is allowed always is."""
    def policy(number):
        return files_policy(host, rule=path_schema(enum=["."]),
                            why="Reason %d." % number)
    put_policy(host, policy(0))
    reload(host)
    load = Load(host, (".", "sub"))
    wire = host.connect("operator")
    began = time.monotonic()
    for number in range(1000):
        wanted = put_policy(host, policy(number % 7))
        answer = wire.request("policy.reload", {})
        check(answer.ok, "reload %d: %r", number, answer.error)
        equal(answer.result["sha256"], wanted, "its hash")
    took = time.monotonic() - began
    codes = load.end()
    print("  1,000 reloads in %.1f s; %r" % (took, codes))
    equal(set(codes["."]), {0}, "allowed by all of them")
    equal(set(codes["sub"]), {DENIED}, "denied by all of them")
    check(min(codes["."][0], codes["sub"][DENIED]) > 500, "no load")
    equal(in_force(host)["reloads"], 1001, "reloads")
    wire.close()


def never_a_mixture(host):
    """Of two policies, the schema of one with the rules of the other would
    allow what neither does; each record is of the policy in force."""
    one = files_policy(host, schema=path_schema(const="one"), allow="first")
    two = files_policy(host, rule=path_schema(const="three"), allow="second")
    (host.files / "one").mkdir()
    (host.files / "two").mkdir()
    (host.files / "three").mkdir()
    for name in ("one", "two", "three"):
        rig.harness.own(host.files / name, "file")
    names = {put_policy(host, one): "first"}
    reload(host)
    load = Load(host, ("one", "two", "three"))
    wire = host.connect("operator")
    for number in range(300):
        policy = one if number % 2 else two
        names[put_policy(host, policy)] = "first" if number % 2 else "second"
        check(wire.request("policy.reload", {}).ok, "reload %d", number)
    codes = load.end()
    print("  %r" % codes)
    check(0 not in codes["two"], "allowed by nobody: %r", codes["two"])
    # an order that was allowed by the old one and reaches its courier late
    # may be refused by it; both policies let some of theirs through
    check(codes["one"].get(0) and codes["three"].get(0), "no load")
    wrong = [row for known, row in decisions(host)
             if row["kind"] == "intent" and known in names
             and row["rule"] != names[known]]
    check(not wrong, "%d not of the policy in force: %r", len(wrong),
          wrong[:1])
    wire.close()


def deaths(host):
    """A courier killed while policies come and go: its successor has the one
    in force, and the service goes on."""
    closed = files_policy(host, schema=path_schema(const="never"))
    wire, operator = host.connect("planner"), host.connect("operator")
    for number in range(4):
        policy = closed if number % 2 == 0 else host.policy
        wanted = put_policy(host, policy)
        pid = host.role_pid("courier")
        os.kill(pid, signal.SIGKILL)
        answer = operator.request("policy.reload", {})
        check(answer.ok, "reload: %r", answer.error)
        equal(in_force(host)["sha256"], wanted, "in force")
        until(lambda: all(row["up"] for row in host.operate("status")[
            "couriers"]), 60, "couriers")
        equal(code(look(wire)), 0, "a call")
        equal(code(look(wire, "x")), SCHEMA if number % 2 == 0 else NOT_FOUND,
              "a path")
    wire.close()
    operator.close()


def broker_dies(host):
    """It takes the service down, closed; the next start has the file."""
    policy = files_policy(host, why="After a crash.")
    wanted = put_policy(host, policy)
    os.kill(host.role_pid("broker"), signal.SIGSTOP)
    os.kill(host.executor.pid, signal.SIGHUP)
    time.sleep(0.3)
    os.kill(host.role_pid("broker"), signal.SIGKILL)
    host.executor.wait(60)
    host.executor = None
    host.start()
    equal(in_force(host), {"sha256": wanted, "reloads": 0}, "in force")
    wire = host.connect("planner")
    equal(code(look(wire)), 0, "a call")
    wire.close()


def signals_in_a_row(host):
    """Many at once are one, or a few; the last text is what holds."""
    for number in range(50):
        wanted = put_policy(host, files_policy(host, why="No. %d." % number))
        os.kill(host.executor.pid, signal.SIGHUP)
    until(lambda: in_force(host)["sha256"] == wanted, 20, "the last one")


def courier_alone():
    """The courier's own part, with lies in the parent's place."""
    def one(folder):
        root = folder / "files"
        root.mkdir()
        rig.harness.own(root, "file")
        return [{"name": "file.list", "kind": "file", "method": "list",
                 "why": "w", "settings": {"root": str(root)},
                 "limits": {"per_hour": 2}}]
    with rig.Rig(one) as r:
        def offer(number, changed, count=1):
            text = b"%d\n" % number + json.dumps(
                dict(r.capabilities[0], **changed)).encode()
            return (len(text).to_bytes(4, sys.byteorder) + text) * count

        def status():
            r.ask({}, 0)
            return r.result("file").status
        courier = r.couriers["file"]
        for text, says in (
                (offer(0, {"limits": {"per_hour": 3}}, 2), "refused"),
                (offer(0, {"limits": {"per_hour": 0}}), "refused"),
                (offer(1, {}), "refused"),
                (offer(0, {"name": "file.other"}), "refused"),
                (b"", "refused"),
                (offer(0, {"limits": {"per_hour": 3}}), "taken")):
            courier.tell("offer", text=text, number=7)
            equal(courier.hear()[0], says, "an offer")
        equal([status() for _ in range(4)],
              ["done"] * 3 + ["refused"], "either of them")
        courier.tell("drop")
        equal(status(), "refused", "the old one alone")
        courier.tell("offer", text=offer(0, {"limits": {"per_hour": 1}}))
        equal(courier.hear()[0], "taken", "a lower ceiling")
        courier.tell("settle")
        equal(courier.hear()[0], "taken", "settled")
        equal(status(), "refused", "the new one alone")
        check(courier.poll() is None, "it lives")


def with_host(body):
    def case():
        with Host() as host:
            host.start()
            body(host)
    return case


def cases(suite):
    for body in (by_signal_and_command, bad_files, restart_is_said,
                 limits_and_counters, thousand, never_a_mixture, deaths,
                 broker_dies, signals_in_a_row):
        suite.case(body.__name__, with_host(body))
    suite.case("courier_alone", courier_alone)


main(cases)
