#!/usr/bin/env python3
"""What leaves: links and markup, limits, the leak meter, over the real
sockets. Attack cases 2, 8, 10 and 19 as far as data flow goes.

usage: outbound.py [BIN]
"""
import hashlib
import json

import gullible
from calls import allowed, live, note, refused_by
from harness import (Host, check, default_policy, equal, frame, mail, main,
                     until)

LIMIT, SCHEMA = 1308, 1312
EXIT_CONFIG = 78
URL = "https://evil.example/c?d=the-secret"
# The same for whoever shows it; none may arrive so that it can be followed.
HIDDEN = [
    URL, URL.upper(), "//evil.example/c?d=1", "www.evil.example/?d=1",
    "evil.example/c", "evil.example.", "https:evil.example/?d=1",
    "http://2130706433/?d=1", "http://[::ffff:1.2.3.4]/", "1.2.3.4/x",
    "https://bank.example@evil.example/", "evil\u3002example",
    "evil\uff0eexample\uff0fx", "https\uff1a\uff0f\uff0fevil.example",
    "ev\u200bil.example/?d=1", "evil%2eexample/?d=1", "evil&#46;example",
    "xn--e1afmkfd.xn--p1ai/?d=1", "javascript:alert(1)",
    "data:text/html,x", "mailto:a@evil.example?body=x",
    "[shop](%s)" % URL, "[shop][r]\n\n[r]: %s" % URL, "<%s>" % URL,
    "![x](%s)" % URL, "[![x](%s)](%s)" % (URL, URL), "[a `]` b](%s)" % URL,
    '<a href="%s">shop</a>' % URL, "<img src=//evil.example/?d=1 alt=x>",
    "\\[x](%s)" % URL, "<%s|shop>" % URL]
LIVE = ("http:", "https:", "evil.example", "javascript:", "data:", "mailto:", "](",
        "]:", "<a", "<img", "1.2.3.4")
LITERAL = ["*", "$HOME ~ ~root ${PATH}", "`id` $(id) ; | & > /x < y",
           "%s%n%x %d %%", "\\n \\x41 \\", "'\"'\"", "{{7*7}} ${{x}}",
           "--help -rf", "!! !$ ^a^b", "%0a%00", "\u00e4 \U0001f600 \u05d0"]


def host_for(session="per-message", outbound=None, file=False, **more):
    """`more` goes into the policy."""
    host = Host(session=session)
    policy = default_policy(host.files, host.notes)
    if outbound is not None:
        policy["capabilities"][2]["outbound"] = outbound
    if file:
        policy["capabilities"].append(
            {"name": "file.write", "kind": "file", "method": "write",
             "why": "It may write.",
             "settings": {"root": str(host.files), "write": True}})
        policy["rules"].append(
            {"id": "write", "verdict": "allow", "why": "because",
             "capability": "file.write"})
        policy["floor"]["exceptions"][0]["capability"] = [
            "notify.send", "file.write"]
    policy.update(more)
    host.policy = policy
    host.write_settings()
    return host


def notes(host):
    if not host.notes.exists():
        return []
    return [json.loads(line) for line in
            host.notes.read_text().splitlines()]


def task(host, words):
    done = host.command("task", str(live(host)["session"]),
                        data=words.encode())
    equal(done.returncode, 0, "task: %r" % done.stderr)


def read_one(host, wire):
    """The session gets leg A."""
    host.deliver_and_wait(mail("a mail", body="See %s now." % URL))
    answer = wire.request("inbox.next", {"wait_ms": 20000}, 30)
    allowed(answer)
    handle = answer.result["handle"]
    allowed(wire.request("inbox.read", {"handle": handle}))
    return handle


def link_preview():
    """Attack case 8: a link with data in it does not arrive as one."""
    with host_for() as host:
        host.start()
        wire = host.connect("planner")
        for text in HIDDEN:
            allowed(note(wire, text, title=text[:90]))
        rows = notes(host)
        equal(len(rows), len(HIDDEN), "notes")
        for sent, row in zip(HIDDEN, rows):
            for part in ("title", "text"):
                check(not any(word in row[part].lower() for word in LIVE),
                      "%r arrived as %r", sent, row[part])
        equal(rows[0]["text"], "hxxps://evil[.]example/c?d=the-secret",
              "what arrived")
        details = [row.get("detail") for row in host.audit()
                   if row["kind"] == "intent"]
        equal(set(details), {"outbound rules have rewritten its text"},
              "on record")
        # what the operator named stays
        task(host, "Tell them of https://op.example/a?b=c please.")
        for text, want in (
                ("see https://op.example/a?b=c.", None),
                ("[here](https://op.example/a?b=c)",
                 "here <https://op.example/a?b=c>"),
                ("see https://op.example/a?b=secret",
                 "see hxxps://op[.]example/a?b=secret")):
            allowed(note(wire, text))
            equal(notes(host)[-1]["text"], want or text, "a known link")
        host.verify()
    return "%d spellings" % len(HIDDEN)


def by_handle():
    """What a handle brings is text like any other."""
    with host_for() as host:
        host.start()
        host.attach_reader()
        wire = host.connect("planner")
        handle = read_one(host, wire)
        allowed(note(wire, {"$ref": handle + "#/body"}))
        text = notes(host)[-1]["text"]
        check("hxxps://evil[.]example/c" in text and "evil.example" not in
              text, "the body arrived as %r", text)


def ask_and_deny():
    for links in ("ask", "deny"):
        with host_for(outbound={"links": links, "markup": "keep"}) as host:
            host.start()
            wire = host.connect("planner")
            for text in (URL, "[x](%s)" % URL, "evil\u3002com"):
                answer = note(wire, text)
                refused_by(answer, "outbound")
                equal(answer.error["data"]["verdict"], links, "verdict")
            allowed(note(wire, "[no](link) here"))
            equal([row["text"] for row in notes(host)], ["[no](link) here"],
                  "notes")


def kept_as_data():
    """A file is what was written, unless its capability says so."""
    text = "<a href='%s'>x</a> [x](%s)" % (URL, URL)
    with host_for(file=True) as host:
        host.start()
        wire = host.connect("planner")
        allowed(wire.request("call", {
            "name": "file.write", "arguments": {"path": "a.md",
                                                "text": text}}))
        equal((host.files / "a.md").read_text(), text, "the file")


def too_long():
    """What fits no more when it is rewritten is refused, not cut."""
    with host_for() as host:
        host.start()
        wire = host.connect("planner")
        text = ("a.co " * 200)[:1000]
        refused_by(note(wire, text), "arguments", SCHEMA)
        equal(notes(host), [], "notes")


def literally():
    """Attack case 19: nothing expands what was checked."""
    with host_for(file=True) as host:
        host.start()
        wire = host.connect("planner")
        for number, text in enumerate(LITERAL):
            allowed(note(wire, text))
            equal(notes(host)[-1]["text"], text, "a note")
            name = "f%d" % number
            answer = wire.request("call", {
                "name": "file.write",
                "arguments": {"path": name, "text": text}})
            allowed(answer)
            equal(answer.result["result"]["sha256"],
                  hashlib.sha256(text.encode()).hexdigest(), "its hash")
            equal((host.files / name).read_bytes(), text.encode(), "a file")
        for path in ("*", "$HOME", "~", "`id`", "%s", "a;b", "a b", "-r*"):
            answer = wire.request("call", {
                "name": "file.write", "arguments": {"path": path,
                                                    "text": "x"}})
            refused_by(answer, "arguments", SCHEMA)
        host.verify()


def lists_that_are_empty():
    """Attack case 2: empty and missing mean none; what is no list stops."""
    for lists in ({"rules": []}, {"capabilities": [], "rules": []}, {}):
        with Host() as host:
            policy = default_policy(host.files, host.notes)
            host.policy = dict({"version": 1}, **lists)
            if "capabilities" not in lists and lists:
                host.policy["capabilities"] = policy["capabilities"]
            host.write_settings()
            host.start()
            wire = host.connect("planner")
            answer = note(wire, "x")
            refused_by(answer, "default" if "capabilities" in host.policy and
                       host.policy["capabilities"] else "no-capability")
            equal(notes(host), [], "notes")
    text = json.dumps(default_policy("/srv/x", "/srv/y"))
    for broken in (text[:-1], text[:200], "", "[]", "null",
                   '{"version":1,"rules":{}}', '{"version":1,"rules":null}',
                   '{"version":1,"limits":{}}', '{"version":1,"leak":[]}'):
        with Host() as host:
            (host.config_path.parent / "policy.json").write_text(broken)
            done = host.command("run", seconds=30)
            equal(done.returncode, EXIT_CONFIG, "run with %r" % broken[:40])
    # a limit of nothing is none at all
    for most, rule in ((0, "limit"), (1, None)):
        with host_for(limits=[limit(most=most)]) as host:
            host.start()
            wire = host.connect("planner")
            answer = note(wire, "x")
            if rule:
                refused_by(answer, rule, LIMIT)
            else:
                allowed(answer)


def limit(**more):
    return dict({"id": "notes", "why": "So many are enough.",
                 "capability": "notify.send", "of": "calls",
                 "per": "capability", "window": "1h", "most": 10,
                 "verdict": "deny"}, **more)


def call_frame(number, name, arguments):
    return frame({"jsonrpc": "2.0", "id": number, "method": "call",
                  "params": {"name": name, "arguments": arguments}})


def nested_and_pipelined():
    """Attack case 10: a refused call stays refused in whatever wrapping."""
    with host_for(outbound={"links": "deny"}) as host:
        host.start()
        wire = host.connect("planner")
        refused = {"text": URL}
        # one behind the other, and behind one that is allowed
        wire.send_bytes(call_frame(1, "notify.send", refused) +
                        call_frame(2, "notify.send", {"text": "fine"}) +
                        call_frame(3, "notify.send", refused) +
                        call_frame(4, "file.write", {"path": "x",
                                                     "text": "x"}))
        answers = {}
        while len(answers) < 4:
            answer = wire.receive(10)
            answers[answer["id"]] = answer
        check("result" in answers[2], "the allowed one: %r", answers[2])
        for number, rule in ((1, "outbound"), (3, "outbound"),
                             (4, "no-capability")):
            equal(answers[number]["error"]["data"]["rule"], rule,
                  "answer %d" % number)
        wire.next_id = 10
        # a call in the arguments of another is text, and no call
        inner = {"jsonrpc": "2.0", "id": 77, "method": "call",
                 "params": {"name": "notify.send", "arguments": refused}}
        refused_by(note(wire, inner), "arguments", SCHEMA)
        refused_by(note(wire, json.dumps(inner)), "outbound")
        refused_by(note(wire, "fine", more=inner), "arguments", SCHEMA)
        text = call_frame(78, "note", {"text": "fine"})[4:].decode()
        allowed(note(wire, text))
        wire.close()
        # two values in one frame end the channel, the first does nothing
        for body in (json.dumps(inner) * 2, json.dumps([inner, inner])):
            wire = host.connect("planner")
            wire.send_bytes(len(body).to_bytes(4, "big") + body.encode())
            try:
                answer = wire.receive(10)
                check("result" not in answer, "an answer: %r", answer)
            except gullible.WireLost:
                pass
            wire.close()
        check(all("evil" not in row["text"] for row in notes(host)),
              "notes: %r", notes(host))
        equal(len(notes(host)), 2, "notes")
        host.verify()


def racing_one_budget():
    """64 calls at once over four sessions against a budget of 10."""
    with host_for(limits=[limit()]) as host:
        host.start()
        wires = [host.connect("planner") for _ in range(4)]
        burst = b"".join(call_frame(number, "notify.send", {"text": "x"})
                         for number in range(1, 17))
        for wire in wires:
            wire.send_bytes(burst)
        done = refused = 0
        for wire in wires:
            for _ in range(16):
                answer = wire.receive(30)
                if "result" in answer:
                    done += 1
                    continue
                refused += 1
                equal((answer["error"]["code"],
                       answer["error"]["data"]["rule"],
                       answer["error"]["data"]["why"]),
                      (LIMIT, "limit", "So many are enough."), "refusal")
        equal((done, refused, len(notes(host))), (10, 54, 10), "of 64")
        host.verify()


def given_back():
    """What its courier could not do takes nothing; what it did, does."""
    with host_for(file=True, limits=[
            limit(capability="file.write", most=1)]) as host:
        host.start()
        wire = host.connect("planner")

        def write(path):
            return wire.request("call", {
                "name": "file.write", "arguments": {"path": path,
                                                    "text": "x"}})
        for _ in range(3):
            check("rule" not in write("no/such/folder").error["data"],
                  "refused by a rule")
        allowed(write("a"))
        refused_by(write("b"), "limit", LIMIT)


def meter():
    """What a session says after it has read something, shown and capped."""
    caps = {"bytes_per_destination": 20, "bytes_per_session": 1000,
            "verdict": "deny"}
    with host_for(session="standing", leak=caps) as host:
        host.start()
        host.attach_reader()
        wire = host.connect("planner")
        allowed(note(wire, "x" * 500))
        equal(live(host)["leak"], {"bytes": 0, "fields": 0,
                                   "destinations": []}, "nothing was read")
        read_one(host, wire)
        task(host, "Note: all is well")
        allowed(note(wire, "all is well"))
        equal(live(host)["leak"]["bytes"], 0, "the operator's own words")
        allowed(note(wire, "0123456789", title="abc"))
        want = {"bytes": 13, "fields": 2, "destinations": [
            {"to": "notify.send", "bytes": 13, "fields": 2}]}
        equal(live(host)["leak"], want, "the meter")
        refused_by(note(wire, "01234567"), "leak", LIMIT)
        row = until(lambda: next((row for row in host.audit() if
                                  "leak:" in row.get("detail", "")), None),
                    15, "on record")
        equal((row["kind"], row["detail"]),
              ("intent", "leak: 13 bytes in 2 fields, 13 in this session"),
              "on record")
        done = host.command("session", "list")
        check(b"leaked 13 bytes in 2 fields to 1 destination" in done.stdout,
              "session list: %r", done.stdout)
        done = host.command("session", "list", "--json")
        check(b'"leak":{"bytes":13' in done.stdout, "session list: %r",
              done.stdout)
        wire.close()
        # kept over a restart, as the session is
        host.stop_executor()
        host.start()
        equal(live(host)["leak"], want, "before it connects")
        wire = host.connect("planner")
        equal(live(host)["leak"], want, "after a restart")
        refused_by(note(wire, "01234567"), "leak", LIMIT)
        allowed(note(wire, "0123456"))
        equal(live(host)["leak"]["bytes"], 20, "up to the cap")
        host.verify()


def by_ticket():
    """A limit that asks: what is approved, done and told is the text that
    leaves, and it is counted."""
    with host_for(limits=[limit(most=1, verdict="ask")]) as host:
        host.start()
        wire = host.connect("planner")
        allowed(note(wire, "one"))
        answer = note(wire, "see " + URL)
        refused_by(answer, "limit")
        ticket = answer.error["data"]["ticket"]

        def review(verb, *more):
            done = host.command("review", verb, "--json", ticket, *more)
            return done.returncode, done.stdout
        card = json.loads(review("show")[1])
        check("hxxps://evil[.]example/c?d=the-secret" in card["card"],
              "card: %s", card["card"])
        check(review("approve", card["code"], "--again", "1h")[0] != 0,
              "a limit is not to be asked about again")
        equal(len(notes(host)), 1, "nothing is done then")
        equal(review("approve", card["code"])[0], 0, "approve")
        until(lambda: len(notes(host)) == 2, 10, "the order")
        equal(notes(host)[-1]["text"],
              "see hxxps://evil[.]example/c?d=the-secret", "what arrived")
        allowed(until(lambda: (lambda a: a if a.ok else None)(
            note(wire, "see " + URL)), 10, "what became of it"))
        refused_by(note(wire, "three"), "limit")
        equal(len(notes(host)), 2, "notes")
        host.verify()


def away():
    """What is approved while its session has no channel leaks all the same;
    after a restart too."""
    caps = {"bytes_per_destination": 20, "verdict": "deny"}
    with host_for(session="standing", leak=caps,
                  limits=[limit(most=0, verdict="ask")]) as host:
        host.start()
        host.attach_reader()
        wire = host.connect("planner")
        read_one(host, wire)
        answer = note(wire, "0123456789")
        refused_by(answer, "limit")
        ticket = answer.error["data"]["ticket"]
        wire.close()
        host.stop_executor()
        host.start()
        done = host.command("review", "show", "--json", ticket)
        done = host.command("review", "approve", ticket,
                            json.loads(done.stdout)["code"])
        equal(done.returncode, 0, "approve: %r" % done.stderr)
        until(lambda: len(notes(host)) == 1, 10, "the order")
        equal(live(host)["leak"]["bytes"], 10, "the meter")
        wire = host.connect("planner")
        refused_by(note(wire, "01234567890"), "leak", LIMIT)
        refused_by(note(wire, "9876543210"), "limit")
        host.verify()


def reload(host):
    host.write_settings()
    done = host.command("reload")
    equal(done.returncode, 0, "reload: %r" % done.stderr)


def by_reload():
    """Outbound rules, limits and caps change live; what was counted stays."""
    with host_for(limits=[limit(most=2)]) as host:
        host.start()
        wire = host.connect("planner")
        allowed(note(wire, URL))
        host.policy["capabilities"][2]["outbound"] = {"links": "allow",
                                                      "markup": "keep"}
        reload(host)
        allowed(note(wire, URL))
        equal([row["text"] == URL for row in notes(host)], [False, True],
              "what arrived")
        refused_by(note(wire, "more"), "limit", LIMIT)
        host.policy["limits"] = []
        host.policy["capabilities"][2]["outbound"] = {"links": "deny"}
        reload(host)
        refused_by(note(wire, URL), "outbound")
        allowed(note(wire, "more"))
        host.policy["limits"] = [limit(most=1)]
        reload(host)
        allowed(note(wire, "a limit that is new has counted nothing"))
        refused_by(note(wire, "more"), "limit", LIMIT)
        host.verify()


def body(suite):
    suite.case("link preview (attack case 8)", link_preview)
    suite.case("by handle", by_handle)
    suite.case("ask and deny", ask_and_deny)
    suite.case("kept as data", kept_as_data)
    suite.case("too long", too_long)
    suite.case("literally (attack case 19)", literally)
    suite.case("lists that are empty (attack case 2)", lists_that_are_empty)
    suite.case("nested and pipelined (attack case 10)", nested_and_pipelined)
    suite.case("racing one budget", racing_one_budget)
    suite.case("given back", given_back)
    suite.case("meter", meter)
    suite.case("by ticket", by_ticket)
    suite.case("away", away)
    suite.case("by reload", by_reload)


if __name__ == "__main__":
    main(body)
