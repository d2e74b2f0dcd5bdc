#!/usr/bin/env python3
"""policy init, lint, explain and test, with real files, and a call of a kind
that no courier performs.

usage: policy.py [BIN]
"""
import contextlib
import copy
import json
import os
import shutil
import time

from harness import (Host, check, equal, folder_of_programs, is_root, main,
                     own, run, short_folder, until)

DONE, FOUND, USAGE, DATA, SYSTEM, CONFIG = 0, 1, 64, 65, 71, 78
EXECUTOR = folder_of_programs() / "trizone-executor"
STARTERS = ("mail-triage", "telegram-assistant", "coding-agent",
            "search-and-file")
UNAVAILABLE = 1302
SLOW = 20 if b"__asan_init" in EXECUTOR.read_bytes() else 1


@contextlib.contextmanager
def folder():
    place = short_folder()
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def policy(*arguments, seconds=30, **more):
    return run([EXECUTOR, "policy", *arguments], seconds=seconds, **more)


def says(done, status, what):
    check(done.returncode == status, "%s: exit %d, wanted %d\n%s%s", what,
          done.returncode, status, done.stdout.decode(errors="replace")[-600:],
          done.stderr.decode(errors="replace")[-600:])
    return done.stdout.decode() + done.stderr.decode()


def as_json(done, status, what):
    says(done, status, what)
    return json.loads(done.stdout)


def put(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    path.chmod(0o644)
    return path


# 1. Starters.

def starters():
    with folder() as place:
        for name in STARTERS:
            where = place / name
            where.mkdir()
            out = says(policy("init", name, "--dir", where), DONE, name)
            check(str(where / "policy.json") in out, "%s: %r", name, out)
            own_policy = where / "policy.json"
            tests = where / "policy-tests.json"
            for path in (own_policy, tests):
                equal(path.stat().st_mode & 0o777, 0o644, "mode")
            found = as_json(policy("lint", "--json", own_policy), DONE, "lint")
            equal(found["found"], 0, name)
            told = as_json(policy("test", "--json", own_policy, tests), DONE,
                           "test")
            check(told["failed"] == 0 and told["passed"] > 7, "%r", told)
            words = says(policy("explain", own_policy), DONE, "table")
            check(all(len(line) <= 80 for line in words.splitlines()),
                  "%s: a table over 80 columns:\n%s", name, words)
            for row in json.loads(own_policy.read_text())["rules"]:
                check(row["id"] + ":" in words, "%s is not in the table",
                      row["id"])
            table = as_json(policy("explain", "--json", own_policy), DONE,
                            "table")
            equal(len(table["capabilities"]), len(json.loads(
                own_policy.read_text())["capabilities"]), "rows")
    return "%d" % len(STARTERS)


def init_overwrites_nothing():
    with folder() as place:
        for name in ("policy.json", "policy-tests.json"):
            where = place / name.split(".")[0]
            where.mkdir()
            (where / name).symlink_to(place / "elsewhere")
            says(policy("init", "mail-triage", "--dir", where), CONFIG, name)
            equal([path.name for path in where.iterdir()], [name], "written")
            check(not (place / "elsewhere").exists(), "through a link")
        says(policy("init", "mail-triage", "--dir", place / "none"), SYSTEM,
             "no folder")
        says(policy("init", "--dir", place, "coding-agent"), DONE,
             "the name last")
        says(policy("init", "coding-agent", "--dir", place), CONFIG, "again")


def first_policy():
    """What `trizone-executor init` writes has nothing wrong with it."""
    with folder() as place:
        done = run([EXECUTOR, "init", "--no-accounts", "--dir", place / "etc",
                    "--state", place / "state", "--run", place / "run"])
        if done.returncode == 69:
            return "no age-keygen"
        says(done, DONE, "init")
        config = place / "etc" / "config.json"
        says(policy("lint", "--config", config), DONE, "lint")
        says(policy("explain", "--config", config), DONE, "explain")
        put(place / "tests.json", {"version": 1, "tests": [
            {"why": "a note", "call": {
                "capability": "notify.send", "arguments": {"text": "x"},
                "legs": ["A", "B"]},
             "expect": {"verdict": "allow", "rule": "note-to-operator"}}]})
        says(policy("test", "--config", config, place / "tests.json"), DONE,
             "test")
        return ""


# 2. Lint: each finding, and what is nearly one.

def base():
    return {"version": 1, "capabilities": [
        {"name": "mail.send", "kind": "smtp", "method": "send", "why": "w",
         "settings": {"host": "a.example", "port": 465, "credential": "out",
                      "from": "me@a.example"}, "limits": {"per_hour": 5}},
        {"name": "notes.read", "kind": "file", "method": "read", "why": "w",
         "settings": {"root": "/srv/notes"}}],
            "rules": [
        {"id": "send", "why": "w", "verdict": "allow",
         "capability": "mail.send", "from": {"destination": ["operator"]}},
        {"id": "read", "why": "w", "verdict": "allow",
         "capability": "notes.read"}]}


def codes_of(place, value):
    done = policy("lint", "--json", put(place / "policy.json", value))
    told = json.loads(done.stdout)
    codes = sorted(row["code"] for row in told["findings"]
                   if row["level"] == "found")
    equal(done.returncode, FOUND if codes else DONE, "status of %r" % codes)
    equal(told["found"], len(codes), "count")
    return codes


def rule(number, **more):
    return dict({"id": "x%d" % number, "why": "w", "verdict": "allow",
                 "capability": "mail.send"}, **more)


def lint_finds():
    with folder() as place:
        tried = [0]

        def look(change, *codes):
            value = base()
            change(value)
            equal(codes_of(place, value), sorted(codes), "findings")
            tried[0] += 1

        def before(new):
            return lambda value: value["rules"].insert(0, new)

        def after(new):
            return lambda value: value["rules"].insert(1, new)
        known = {"destination": ["operator", "book"]}
        look(lambda value: None)
        # a rule behind one that takes at least as much
        look(before(rule(1, verdict="deny", **{"from": known})),
             "unreachable", "unused")
        look(before(rule(1, verdict="deny", **{"from": {
            "destination": ["book"]}})))
        look(before(rule(1, verdict="ask", zone="planner")))
        look(before(rule(1, verdict="ask", without_legs=["A"])))
        look(before(rule(1, verdict="ask", hours={"from": "00:00",
                                                  "to": "24:00",
                                                  "days": ["mon"]})))
        look(before(rule(1, verdict="ask", arguments={
            "properties": {"text": {"maxLength": 9}}})))
        look(after(rule(1, zone="planner", **{"from": {
            "destination": ["operator"]}})), "unreachable")
        look(after(rule(1, hours={"from": "08:00", "to": "18:00"}, **{"from": {
            "destination": ["operator"], "links": ["operator"]}})),
             "unreachable")
        look(after(rule(1, **{"from": {"destination": ["operator", "self"]}})))
        # model: with leg A it is less than it looks
        look(before(rule(1, verdict="ask", **{"from": {
            "destination": ["operator", "model"]}})), "unreachable")
        look(lambda value: value["rules"][0].update(
            {"from": {"destination": ["model"]},
             "model_after_untrusted": "w"}) or value["rules"].insert(
                 0, rule(1, verdict="ask", **{"from": {
                     "destination": ["model"]}})), "model-destination")
        # never matches: no such value, no such effect
        look(after(rule(1, capability="notes.read",
                        **{"from": {"destination": ["operator"]}})),
             "unreachable")
        look(after(rule(1, capability="notes.read",
                        effects={"has": ["leaves"]})), "unreachable")
        look(after(rule(1, verdict="deny", capability="*",
                        effects={"has": ["transacts"]})))
        # no condition at all
        look(lambda value: value["rules"][0].pop("from") and None, "wide")
        look(lambda value: value["rules"][0].update(
            {"effects": {"not": ["transacts"]}}) or value["rules"][0].pop(
                "from") and None, "wide")
        # nothing calls it
        look(lambda value: value["rules"][0].update(verdict="deny"), "unused")
        look(lambda value: value["rules"][0].update(verdict="ask"))
        look(lambda value: value["rules"].pop(0) and None, "unused")

        def second(credential):
            def change(value):
                other = copy.deepcopy(value["capabilities"][0])
                other["name"] = "mail.other"
                other["settings"]["credential"] = credential
                value["capabilities"].append(other)
                value["rules"][0]["capability"] = ["mail.send", "mail.other"]
            return change
        look(second("out"), "shared-secret")
        look(second("other"))
        # the floor
        excepted = {"exceptions": [{"capability": "mail.send", "why": "w"}]}
        look(lambda value: value.update(floor=excepted))

        def undone(more):
            def change(value):
                value["floor"] = excepted
                value["rules"][0].pop("from")
                value["rules"][0].update(more)
            return change
        look(undone({"zone": "planner"}), "undone-floor")
        look(undone({"zone": "planner", "without_legs": ["A"]}))
        look(undone({"from": {"destination": ["model"]}}))
        look(undone({"from": {"destination": ["model"]},
                     "model_after_untrusted": "w"}),
             "model-destination", "undone-floor")
        listed = {"properties": {
            "to": {"items": {"enum": ["a@a.example"]}},
            "cc": {"items": {"enum": ["a@a.example"]}}}}
        look(undone({"arguments": listed}))
        look(undone({"arguments": {"properties": {
            "to": listed["properties"]["to"]}}}), "undone-floor")
        # how often
        look(lambda value: value["capabilities"][0].pop("limits") and None,
             "unlimited")
        look(lambda value: value["capabilities"][0].update(limits={}),
             "unlimited")
        look(lambda value: value.update(capabilities=[], rules=[]))
        out = says(policy("lint", put(place / "policy.json", base())), DONE,
                   "words")
        check("note  no-courier: capability mail.send" in out, "%r", out)
        return "%d" % tried[0]


# 3. Explain.

def call_with(call, change):
    """The call with the change of its explanation applied, as a file has it."""
    new = dict(call, legs=change["legs"], origins=change["origins"],
               week_minute=change["week_minute"],
               used_hour=change["used_hour"])
    new.pop("time", None)
    new["zone"] = change.get("zone", "elsewhere")
    return new


def changes_hold():
    """Of every call of the starters: the change that is told, written into
    the call, does what is said."""
    tried = 0
    with folder() as place:
        for name in STARTERS:
            where = place / name
            where.mkdir()
            says(policy("init", name, "--dir", where), DONE, name)
            own_policy = where / "policy.json"
            for test in json.loads(
                    (where / "policy-tests.json").read_text())["tests"]:
                told = as_json(policy("explain", "--json", own_policy,
                                      "--call", json.dumps(test["call"])),
                               DONE, test["why"])
                equal((told["verdict"], told["rule"]),
                      (test["expect"]["verdict"], test["expect"]["rule"]),
                      test["why"])
                if told["change"] is None:
                    check(told["rule"] in ("kind", "arguments", "default"),
                          "no change: %r", told)
                    continue
                new = call_with(test["call"], told["change"])
                again = as_json(policy("explain", "--json", own_policy,
                                       "--call", put(place / "call.json",
                                                     new)), DONE, "again")
                equal((again["verdict"], again["rule"]),
                      (told["change"]["verdict"], told["change"]["rule"]),
                      test["why"])
                check(again["verdict"] != told["verdict"], "no change")
                tried += 1
    check(tried > 20, "only %d", tried)
    return "%d" % tried


def options_are_a_call():
    with folder() as place:
        value = base()
        value["rules"].insert(1, {
            "id": "day", "why": "w", "verdict": "ask", "zone": "helper",
            "capability": "mail.send", "without_legs": ["A"],
            "hours": {"from": "08:00", "to": "18:00", "days": ["tue"]},
            "from": {"destination": ["party"]}})
        path = put(place / "policy.json", value)
        arguments = {"to": ["ann@a.example"], "subject": "s", "text": "t"}
        call = {"capability": "mail.send", "arguments": arguments,
                "zone": "guest", "legs": ["A", "B"], "words": "nobody",
                "known": [{"value": "ann@a.example",
                           "origins": ["prose", "cited"]}],
                "origins": {"content": ["operator"]}, "time": "mon 07:00",
                "used_hour": 5}
        options = ("--capability", "mail.send", "--arguments",
                   json.dumps(arguments), "--zone", "guest", "--legs", "AB",
                   "--words", "nobody", "--known",
                   "ann@a.example=prose,cited", "--origins",
                   "content=operator", "--time", "mon 07:00", "--used", "5")
        one = says(policy("explain", path, *options), DONE, "options")
        equal(one, says(policy("explain", path, "--call", json.dumps(call)),
                        DONE, "JSON"), "options and JSON")
        equal(one, says(policy("explain", path, "--call",
                               put(place / "call.json", call)), DONE, "file"),
              "options and file")
        for words in (
                "destination comes from cited and prose, not from operator",
                "it is for zone helper", "the session has leg A",
                "it is for 08:00 to 18:00 tue", "not from party",
                "used 5 of 5 times", "It would be"):
            check(words in one, "%r is not in\n%s", words, one)


def only_times():
    with folder() as place:
        value = base()
        value["rules"][1]["hours"] = {"from": "08:00", "to": "18:00",
                                      "days": ["mon", "fri"]}
        path = put(place / "policy.json", value)
        for now, then in (("mon 07:59", "mon 08:00"),
                          ("mon 18:00", "fri 08:00"),
                          ("sat 12:00", "mon 08:00")):
            out = says(policy("explain", path, "--capability", "notes.read",
                              "--arguments", '{"path":"a"}', "--time", now),
                       DONE, now)
            check("It would be allowed by read if it was %s." % then in out,
                  "%s: %s", now, out)


def inert_words():
    with folder() as place:
        path = put(place / "policy.json", base())
        call = {"capability": "x\u001b[2J\u202e\u0007y", "arguments": {},
                "zone": "z\u001b]0;t\u0007"}
        done = policy("explain", path, "--call", json.dumps(call))
        says(done, DONE, "hostile words")
        check(b"\x1b" not in done.stdout and b"\x07" not in done.stdout and
              "\u202e".encode() not in done.stdout, "%r", done.stdout)
        tests = {"version": 1, "tests": [
            {"why": "w", "call": {"capability": "x", "arguments": {}},
             "expect": {"verdict": "deny", "rule": "\u001b[2J"}}]}
        done = policy("test", path, put(place / "t.json", tests))
        says(done, FOUND, "hostile rule")
        check(b"\x1b" not in done.stdout, "%r", done.stdout)


# 4. Tests.

def tests_that_fail():
    with folder() as place:
        path = put(place / "policy.json", base())
        call = {"capability": "notes.read", "arguments": {"path": "a"}}
        tests = {"version": 1, "tests": [
            {"why": "right", "call": call, "expect": {"verdict": "allow"}},
            {"why": "another rule", "call": call,
             "expect": {"verdict": "allow", "rule": "send"}},
            {"why": "another verdict", "call": call,
             "expect": {"verdict": "ask", "rule": "read"}}]}
        out = says(policy("test", path, put(place / "t.json", tests)), FOUND,
                   "two wrong")
        check("test 2 (another rule): allow by read, expected allow by send"
              in out and "1 passed, 2 failed" in out, "%r", out)
        told = as_json(policy("test", "--json", path, place / "t.json"),
                       FOUND, "JSON")
        equal([row["number"] for row in told["failures"]], [2, 3], "numbers")
        for wrong in (
                {"version": 2, "tests": []}, {"version": 1}, [],
                {"version": 1, "tests": [], "more": 1},
                {"version": 1, "tests": [{"why": "w", "call": call}]},
                {"version": 1, "tests": [dict(tests["tests"][0], more=1)]},
                {"version": 1, "tests": [dict(tests["tests"][0], why="")]},
                {"version": 1, "tests": [dict(tests["tests"][0], expect={
                    "verdict": "maybe"})]},
                {"version": 1, "tests": [dict(tests["tests"][0], expect={
                    "verdict": "allow", "error": 1})]}):
            says(policy("test", path, put(place / "t.json", wrong)), DATA,
                 "tests %r" % wrong)
        for more in ({"more": 1}, {"legs": "A"}, {"legs": ["D"]},
                     {"legs": ["A", "A"]}, {"time": "mon 24:00"},
                     {"time": "8:00"}, {"time": "mon 08:00",
                                        "week_minute": 1},
                     {"week_minute": 10080}, {"week_minute": -1},
                     {"used_hour": -1}, {"known": [{"value": "x"}]},
                     {"known": [{"value": "x", "origins": ["friend"]}]},
                     {"known": [{"value": "x", "origins": ["book"],
                                 "type": "colour"}]},
                     {"origins": {"colour": ["book"]}},
                     {"origins": {"destination": []}},
                     {"objects": [{"what": "mail"}]},
                     {"words": "x" * 20000}, {"capability": 1}):
            says(policy("explain", path, "--call", json.dumps(
                dict(call, **more))), DATA, "call with %r" % more)
        for words in ("{", "{}", '{"capability":"a"}', "{" + "[" * 60):
            says(policy("explain", path, "--call", words), DATA, words[:20])
        says(policy("explain", path, "--capability", "x", "--arguments", "{"),
             DATA, "arguments that are no JSON")
        says(policy("explain", path, "--capability", "\udcff\udcfe"), DATA,
             "no UTF-8")


# 5. Files that are none.

def bad_files():
    with folder() as place:
        good = put(place / "policy.json", base())
        tests = put(place / "t.json", {"version": 1, "tests": []})
        call = put(place / "call.json", {"capability": "x", "arguments": {}})
        put(place / "text", "no JSON")
        (place / "nul").write_bytes(b'{"version":1,\0"rules":[]}')
        put(place / "twice", '{"version":1,"version":1}')
        (place / "empty").write_bytes(b"")
        (place / "huge").write_bytes(b"[" + b" " * (17 << 20) + b"]")
        with open(place / "sparse", "wb") as sparse:
            sparse.truncate(1 << 40)
        os.mkfifo(place / "fifo")
        (place / "folder").mkdir()
        (place / "loop").symlink_to(place / "loop")
        (place / "dangling").symlink_to(place / "none")
        put(place / "wide", base()).chmod(0o666)
        (place / "link").symlink_to(good)
        says(policy("lint", place / "link"), DONE, "a link to a good one")
        places = (("none", DATA), ("text", DATA), ("nul", DATA),
                  ("twice", DATA), ("empty", DATA), ("huge", DATA),
                  ("sparse", DATA), ("fifo", CONFIG), ("folder", CONFIG),
                  ("loop", DATA), ("dangling", DATA), ("wide", CONFIG),
                  ("none/policy.json", DATA))
        for name, status in places:
            path = place / name
            for part in (("lint", path), ("explain", path),
                         ("explain", path, "--call", call),
                         ("test", path, tests)):
                out = says(policy(*part), CONFIG, "%s %s" % (part[0], name))
                check(str(place) in out, "%s: no place in %r", name, out)
            says(policy("explain", good, "--call", path), status,
                 "call " + name)
            says(policy("test", good, path), status, "tests " + name)
        place.chmod(0o777)
        says(policy("lint", good), CONFIG, "a wide folder")
        place.chmod(0o700)
        says(policy("lint", "--config", place / "none"), CONFIG, "no config")
        if is_root():
            own(good, "planner")
            says(policy("lint", good), CONFIG, "somebody else's")
        return "%d" % len(places)


def wrong_usage():
    calls = [(), ("nope",), ("--nope",), ("init",), ("init", "nope"),
             ("init", "mail-triage", "more"), ("init", "--nope"),
             ("init", "mail-triage", "--dir"), ("lint", "a", "b"),
             ("lint", "--nope"), ("test",), ("test", "a", "b", "c"),
             ("test", "--nope"), ("explain", "a", "b"), ("explain", "--nope"),
             ("explain", "--call"), ("explain", "--known", "x",
                                     "--capability", "a"),
             ("explain", "--call", "{}", "--capability", "a")]
    for call in calls:
        done = policy(*call)
        says(done, USAGE, "policy " + " ".join(call))
        equal(done.stdout, b"", "on standard output")
    return "%d" % len(calls)


# 6. Large ones.

def large():
    rules = [{"id": "r%d" % i, "why": "w", "verdict": "allow",
              "capability": "mail.send", "zone": "z%d" % i}
             for i in range(9000)]
    value = base()
    value["rules"] = rules
    value["capabilities"].pop()
    with folder() as place:
        path = put(place / "policy.json", value)
        took = []
        for part in (("lint", path), ("explain", path),
                     ("explain", path, "--capability", "mail.send",
                      "--arguments", '{"to":["a@a.example"],"subject":"s",'
                      '"text":"t"}')):
            began = time.monotonic()
            says(policy(*part, seconds=60 * SLOW), DONE, "large " + part[0])
            took.append("%s %.1f s" % (part[0], time.monotonic() - began))
        return "9,000 rules: " + ", ".join(took)


# 7. Live: decided, on record, and not done.

def no_courier():
    value = base()
    value["rules"][0]["from"] = {"destination": ["model"]}
    with Host() as host:
        value["capabilities"][1]["settings"]["root"] = str(host.files)
        host.policy = value
        host.write_settings()
        done = host.command("check")
        says(done, DONE, "check")
        check(b"no courier performs this kind yet" in done.stdout, "%r",
              done.stdout)
        host.start()
        kinds = [row["kind"] for row in host.operate("status")["couriers"]]
        equal(kinds, ["file"], "couriers")
        wire = host.connect("planner")
        arguments = {"to": ["a@a.example"], "subject": "s", "text": "t"}
        answer = wire.request("call", {"name": "mail.send",
                                       "arguments": arguments})
        equal(answer.error["code"], UNAVAILABLE, "code")
        data = answer.error["data"]
        equal((data["verdict"], data["rule"]), ("allow", "send"), "decision")
        check("no courier" in data["detail"], "%r", data)
        row = until(lambda: [row for row in host.audit()
                             if row.get("request") == data["request"]], 10,
                    "on record")[0]
        equal((row["kind"], row["rule"]), ("decision", "send"), "record")
        answer = wire.request("call", {"name": "mail.send", "arguments": dict(
            arguments, password="x")})
        equal(answer.error["data"]["rule"], "arguments", "a credential")
        wire.close()
        host.verify()


def body(suite):
    for name, function in (
            ("starters", starters),
            ("init overwrites nothing", init_overwrites_nothing),
            ("the first policy", first_policy), ("lint finds", lint_finds),
            ("changes hold", changes_hold),
            ("options are a call", options_are_a_call),
            ("the next time", only_times), ("inert words", inert_words),
            ("tests that fail", tests_that_fail), ("bad files", bad_files),
            ("wrong usage", wrong_usage), ("large", large),
            ("no courier", no_courier)):
        suite.case(name, function)


if __name__ == "__main__":
    main(body)
