#!/usr/bin/env python3
"""What a session has seen, in its ledger: before the bytes leave, over kills,
with the values of this very call; and grants over reloads.

usage: ledger.py [BIN]
"""
import json
import os
import signal

import gullible
from harness import (Host, check, default_policy, equal, frame, mail, main,
                     own, until)

DENIED, NOT_FOUND, WRONG_STATE, CODE = 1301, 1306, 1307, 1322
URL = "https://evil.example/c?d=the-secret"
ALL = [{"id": "all", "verdict": "allow", "why": "a test",
        "capability": ["file.list", "file.read", "file.write",
                       "notify.send"]}]
ASK = {"id": "ask", "verdict": "ask", "why": "Somebody should look.",
       "capability": ["file.read", "notify.send"]}


def host_for(rules, session="per-message", excepted=True):
    host = Host(session=session)
    host.policy = default_policy(host.files, host.notes)
    host.policy["capabilities"].append(
        {"name": "file.write", "kind": "file", "method": "write",
         "why": "It may write.",
         "settings": {"root": str(host.files), "write": True}})
    host.policy["rules"] = rules
    if not excepted:
        del host.policy["floor"]
    host.write_settings()
    return host


def call(wire, name, **arguments):
    return wire.request("call", {"name": name, "arguments": arguments})


def allowed(answer):
    check(answer.ok, "refused: %r", answer.error)
    return answer.result


def refused_by(answer, rule, code=DENIED):
    check(not answer.ok, "not refused: %r", answer.result)
    equal((answer.error["code"], answer.error["data"]["rule"]), (code, rule),
          "refusal")
    return answer.error["data"]


def live(host):
    return max(host.operate("session.list")["sessions"],
               key=lambda row: row["session"])


def take(wire):
    answer = wire.request("inbox.next", {"wait_ms": 20000}, 30)
    handle = allowed(answer)["handle"]
    check(handle, "no item")
    return handle


def notes(host):
    return host.notes.read_text() if host.notes.exists() else ""


def crash(host):
    """The broker is gone at once, and with it the service."""
    os.kill(host.role_pid("broker"), signal.SIGKILL)
    host.executor.wait(60)
    host.executor = None
    host.start()


def before_the_bytes():
    """Whoever has the words has the leg, though the broker is killed as soon
    as they are there: by reading, by a handle, by what a call brings."""
    def read(wire, handle):
        allowed(wire.request("inbox.read", {"handle": handle}))
        return {"A"}

    def by_handle(wire, handle):
        allowed(call(wire, "notify.send", text={"$ref": handle + "#/subject"}))
        return {"A", "C"}

    def by_call(wire, handle):
        del handle
        allowed(call(wire, "file.list"))
        return {"A", "B"}
    for way in (read, by_handle, by_call):
        with host_for(ALL, session="standing") as host:
            host.start()
            host.attach_reader()
            host.deliver_and_wait(mail("hello"))
            wire = host.connect("planner")
            handle = take(wire)
            number = live(host)["session"]
            equal(live(host)["legs"], [], "before")
            want = way(wire, handle)
            crash(host)
            wire.close()
            wire = host.connect("planner")
            equal((live(host)["session"], set(live(host)["legs"])),
                  (number, want), "after a kill, " + way.__name__)
            wire.close()


def cut_before_the_answer():
    """An answer that nobody waits for has been given all the same."""
    with host_for(ALL, session="standing") as host:
        host.start()
        host.attach_reader()
        host.deliver_and_wait(mail("hello"))
        wire = host.connect("planner")
        handle = take(wire)
        wire.send_bytes(frame({"jsonrpc": "2.0", "id": 99,
                               "method": "inbox.read",
                               "params": {"handle": handle}}))
        wire.close()
        until(lambda: host.zone_status("planner")["channels"] == 0, 10,
              "the channel is gone")
        wire = host.connect("planner")
        equal(live(host)["legs"], ["A"], "legs")
        wire.close()


def third_leg_by_a_handle():
    """Legs are of the call too: a session that has seen private data, and no
    stranger's words, gets them with the handle in the call that leaves."""
    with host_for(ALL, excepted=False) as host:
        for capability in host.policy["capabilities"]:
            if capability["name"] == "file.list":
                capability["settings"]["trusted"] = True
        host.policy["capabilities"] = [
            row for row in host.policy["capabilities"]
            if row["name"] not in ("file.read", "file.write")]
        host.policy["rules"] = [dict(ALL[0], capability=["file.list",
                                                         "notify.send"])]
        host.write_settings()
        host.start()
        host.attach_reader()
        host.deliver_and_wait(mail("hello"))
        wire = host.connect("planner")
        handle = take(wire)
        allowed(call(wire, "file.list"))
        equal(live(host)["legs"], ["B"], "private data")
        allowed(call(wire, "notify.send", text="two legs"))
        equal(live(host)["legs"], ["B", "C"], "two legs")
        data = refused_by(call(wire, "notify.send",
                               text={"$ref": handle + "#/subject"}), "floor")
        equal(data["verdict"], "ask", "the floor asks")
        equal(live(host)["legs"], ["A", "B", "C"], "it was resolved")
        equal(notes(host).count("\n"), 1, "notes")
        refused_by(call(wire, "notify.send", text="two legs"), "floor")
        wire.close()


def anothers_handle():
    """A handle is resolved in the session it was issued to, and in no other;
    whoever tries has seen nothing."""
    with host_for(ALL) as host:
        host.start()
        host.attach_reader()
        for subject in ("first", "second"):
            host.deliver_and_wait(mail(subject))
        one, two = host.connect("planner"), host.connect("planner")
        mine, others = take(one), take(two)
        check(mine != others, "one item for two")
        refused_by(call(one, "notify.send", text={"$ref": others +
                                                  "#/subject"}),
                   "reference", NOT_FOUND)
        equal([row["legs"] for row in host.operate("session.list")[
            "sessions"]], [[], []], "legs")
        # nor once it is done with
        allowed(one.request("inbox.done", {"handle": mine,
                                           "outcome": "ok"}))
        refused_by(call(one, "notify.send", text={"$ref": mine +
                                                  "#/subject"}),
                   "reference", NOT_FOUND)
        equal(notes(host), "", "notes")
        one.close()
        two.close()


def failure_keeps_legs():
    """What a courier could not do gives back its counters, and no leg."""
    with host_for(ALL) as host:
        for capability in host.policy["capabilities"]:
            capability["limits"] = {"per_hour": 1}
        host.write_settings()
        host.start()
        wire = host.connect("planner")
        for _ in range(3):
            answer = call(wire, "file.write", path="no/folder", text="x")
            check(not answer.ok and "rule" not in answer.error["data"],
                  "not the courier's failure: %r", answer.error)
            check("C" in live(host)["legs"], "legs: %r", live(host)["legs"])
        allowed(call(wire, "file.write", path="a", text="x"))
        wire.close()


def executors_own_values():
    """inbox.list has nothing of a stranger's in it."""
    with host_for(ALL) as host:
        host.start()
        host.attach_reader()
        host.deliver_and_wait(mail("a stranger's subject"))
        wire = host.connect("planner")
        take(wire)
        answer = wire.request("inbox.list", {})
        items = allowed(answer)["items"]
        equal([set(row) for row in items],
              [{"handle", "channel", "state", "bytes", "arrived_ms"}],
              "members")
        text = json.dumps(answer.result)
        for word in ("stranger", "example", "Ann", "line"):
            check(word not in text, "%r in %s", word, text)
        equal(live(host)["legs"], [], "legs")
        wire.close()


def not_by_saying_so():
    """A zone that says a value is the operator's is not believed."""
    rules = [dict(ALL[0], capability="notify.send",
                  **{"from": {"content": ["operator"]}})]
    with host_for(rules) as host:
        host.start()
        for more in ({"from": "operator"}, {"labels": ["operator"]},
                     {"origins": {"text": "operator"}}):
            wire = host.connect("planner")
            try:
                answer = wire.request("call", dict(
                    {"name": "notify.send", "arguments": {"text": "x"}},
                    **more))
                check(not answer.ok, "%r was taken", more)
            except gullible.WireLost:
                pass
            wire.close()
        wire = host.connect("planner")
        for text in ({"$ref": "op:1"}, {"$ref": "op:1#/words"},
                     {"value": "x", "from": "operator"}):
            answer = call(wire, "notify.send", text=text)
            check(not answer.ok, "%r was taken", text)
        refused_by(call(wire, "notify.send", text="x"), "default")
        wire.close()
        equal(notes(host), "", "notes")


# Grants.

def review(host, verb, ticket, *more):
    done = host.command("review", verb, "--json", ticket, *more)
    check(done.returncode in (0, 1), "%s: %r", verb, done.stderr)
    return json.loads(done.stdout)


def reload(host):
    host.write_settings()
    done = host.command("reload")
    equal(done.returncode, 0, "reload: %r" % done.stderr)


def grant_over_reload():
    """Attack case 20: at execution the policy of then decides: the same rule
    still asks, and the grant is good; another one denies or asks, and it is
    not."""
    with host_for([ASK]) as host:
        host.start()
        host.attach_reader()
        for name in ("a", "b", "c"):
            (host.files / name).write_text("file " + name)
            own(host.files / name, "file")
        wire = host.connect("planner")
        tickets = {}
        for name in ("a", "b", "c"):
            ticket = refused_by(call(wire, "file.read", path=name),
                                "ask")["ticket"]
            code = review(host, "show", ticket)["code"]
            equal(review(host, "approve", ticket, code)["state"], "approved",
                  "approved")
            tickets[name] = ticket
        # one more rule behind it changes nothing of this decision
        host.policy["rules"] = [ASK, dict(ALL[0], capability="file.list")]
        reload(host)
        allowed(call(wire, "file.read", path="a"))
        other = refused_by(call(wire, "file.read", path="a"), "ask")
        check(other["ticket"] != tickets["a"], "the grant is used twice")
        # another rule asks
        host.policy["rules"] = [dict(ASK, id="other")]
        reload(host)
        other = refused_by(call(wire, "file.read", path="b"), "other")
        check(other["ticket"] != tickets["b"], "by another rule")
        # none does
        host.policy["rules"] = [dict(ASK, id="no", verdict="deny")]
        reload(host)
        refused_by(call(wire, "file.read", path="c"), "no")
        wire.close()
        host.verify()


OPEN = {"links": "allow", "markup": "keep"}


def rendered_bytes_change():
    """Attack case 20: what is sent is what was shown, or nothing, whatever a
    reload has made of the rules that write it."""
    safe = "hxxps://evil[.]example/c"
    for before, after, sent in (({}, OPEN, safe), (OPEN, {}, None),
                                (OPEN, {"links": "deny"}, None),
                                (OPEN, {"links": "ask"}, URL)):
        with host_for([ASK]) as host:
            where = host.policy["capabilities"][2]
            where["outbound"] = before
            host.write_settings()
            host.start()
            wire = host.connect("planner")
            ticket = refused_by(call(wire, "notify.send", text="see " + URL),
                                "ask")["ticket"]
            shown = review(host, "show", ticket)
            equal(URL in shown["card"], before is OPEN, "shown:\n%s"
                  % shown["card"])
            where["outbound"] = after
            reload(host)
            answer = host.operator_answer("review.approve", {
                "handle": ticket, "code": shown["code"]})
            if sent:
                equal(allowed(answer)["state"], "spent", "approved")
                until(lambda: notes(host), 10, "its note")
                check(sent in notes(host), "sent: %r", notes(host))
            if sent is safe:  # the same call is another one now
                other = refused_by(call(wire, "notify.send",
                                        text="see " + URL), "ask")
                check(other["ticket"] != ticket, "the same ticket")
            if not sent:
                if answer.ok:
                    equal(answer.result["state"], "stale",
                          "approved with %r" % after)
                else:
                    check(answer.error["code"] in (CODE, WRONG_STATE), "%r",
                          answer.error)
                equal(review(host, "show", ticket)["state"], "stale",
                      "its state")
                equal(notes(host), "", "notes with %r" % after)
            wire.close()
            host.verify()


def named_link_is_approved():
    """What the operator named stays, from the card to what is sent."""
    with host_for([ASK]) as host:
        host.start()
        wire = host.connect("planner")
        done = host.command("task", str(live(host)["session"]),
                            data=b"Tell them of https://op.example/a?b=c now.")
        equal(done.returncode, 0, "task: %r" % done.stderr)
        for text, sent in (
                ("see https://op.example/a?b=c.", None),
                ("[here](https://op.example/a?b=c) & <b>there</b>",
                 "here <https://op.example/a?b=c> & < b>there< /b>"),
                ("both " + URL + " and https://op.example/a?b=c", None)):
            ticket = refused_by(call(wire, "notify.send", text=text),
                                "ask")["ticket"]
            answer = review(host, "approve", ticket,
                            review(host, "show", ticket)["code"])
            equal(answer["state"], "spent", "approved: %r" % answer)
            until(lambda: review(host, "show", ticket)["state"] == "done", 10,
                  "done")
            last = json.loads(notes(host).splitlines()[-1])["text"]
            check("https://op.example/a?b=c" in last, "sent: %r", last)
            if sent:
                equal(last, sent, "sent")
        wire.close()


def approver_dies():
    """Attack case 21: who shows a card and is gone has said no."""
    with host_for([ASK]) as host:
        host.start()
        wire = host.connect("planner")
        ticket = refused_by(call(wire, "notify.send", text="wait"),
                            "ask")["ticket"]
        code = review(host, "show", ticket)["code"]
        body = frame({"jsonrpc": "2.0", "id": 1, "method": "review.approve",
                      "params": {"handle": ticket, "code": code}})
        for cut in (0, 3, 4, 20, len(body) - 1):
            operator = host.connect("operator")
            operator.send_bytes(body[:cut])
            operator.close()
        equal(review(host, "show", ticket)["state"], "open", "its state")
        equal(notes(host), "", "notes")
        refused_by(call(wire, "notify.send", text="wait"), "ask")
        wire.close()


def body(suite):
    suite.case("legs are there before the bytes", before_the_bytes)
    suite.case("an answer nobody waits for", cut_before_the_answer)
    suite.case("the third leg by a handle", third_leg_by_a_handle)
    suite.case("another's handle", anothers_handle)
    suite.case("a failure keeps legs", failure_keeps_legs)
    suite.case("inbox.list", executors_own_values)
    suite.case("not by saying so", not_by_saying_so)
    suite.case("grant after a reload (attack case 20)", grant_over_reload)
    suite.case("rendered bytes change (attack case 20)",
               rendered_bytes_change)
    suite.case("a named link is approved", named_link_is_approved)
    suite.case("approver dies (attack case 21)", approver_dies)


if __name__ == "__main__":
    main(body)
