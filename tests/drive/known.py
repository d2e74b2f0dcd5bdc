#!/usr/bin/env python3
"""Known bypasses tried on the running service, by the number that
docs/THREATS.md gives them, where no other program of this folder tries them.

usage: known.py [BIN]
"""
import json
import os
import pathlib
import socket
import stat
import sys

import gullible
from calls import allowed, call, live, notes, refused_by, take
from harness import (Host, Skipped, check, default_policy, equal, frame,
                     is_root, mail, main, own, run, until)

DENIED, UNAVAILABLE, LIMIT, PATH, SCHEMA = 1301, 1302, 1308, 1310, 1312
CONFIG = 78
CANARY = "canary-7d1c0e"
CREDENTIAL = CANARY + "-credential"
FILES = ["file.list", "file.read", "file.write"]


def writing(host):
    """All of a folder, to read and to write."""
    policy = default_policy(host.files, host.notes)
    policy["capabilities"].append(
        {"name": "file.write", "kind": "file", "method": "write",
         "why": "It may write.",
         "settings": {"root": str(host.files), "write": True}})
    policy["rules"] = [{"id": "all", "verdict": "allow", "why": "A test.",
                        "capability": FILES + ["notify.send"]}]
    policy["floor"] = {"exceptions": [
        {"capability": ["file.write", "notify.send"], "why": "A test."}]}
    return policy


# Case 2: what is empty means nothing, what is missing stops the service.

def no_policy_file():
    """Without its file there is no policy, and no service."""
    with Host() as host:
        path = host.config_path.parent / "policy.json"
        for make in (path.unlink, path.mkdir):
            make()
            for verb in ("check", "run"):
                done = host.command(verb, seconds=30)
                equal(done.returncode, CONFIG, "%s: %r" % (verb, done.stderr))
                check(b"policy.json" in done.stderr, "%r", done.stderr)
        path.rmdir()


def empty_conditions():
    """A list of nothing is an error or never fits; an object of nothing is no
    condition, which no rule over everything may be, and which lint finds."""
    def rule(**change):
        return [dict({"id": "r", "verdict": "allow", "why": "A test.",
                      "capability": "notify.send"}, **change)]
    for change in ({"capability": []}, {"capability": ""},
                   {"from": {"content": []}}, {"from": {"content": None}},
                   {"zone": ""}, {"arguments": None}, {"hours": {}},
                   {"capability": "*"}, {"capability": "*", "from": {}},
                   {"capability": "*", "effects": {"not": []}}):
        with Host() as host:
            host.policy["rules"] = rule(**change)
            host.write_settings()
            equal(host.command("check").returncode, CONFIG,
                  "check with %r" % change)
    for change in ({"from": {}}, {"effects": {}}, {"without_legs": []}):
        with Host() as host:
            host.policy["rules"] = rule(**change)
            host.write_settings()
            done = run([host.program("executor"), "policy", "lint", "--json",
                        "--config", host.config_path])
            check(any(row["code"] == "wide" for row in json.loads(
                done.stdout)["findings"]), "lint of %r: %r", change,
                  done.stdout)
    never = {"hours": {"from": "00:00", "to": "24:00", "days": []}}
    nobody = {"from": {"content": ["book"]}}
    for change, operator in ((never, {}), (nobody, {}),
                             (nobody, {"book": []})):
        with Host(operator=operator) as host:
            host.policy["rules"] = rule(**change)
            host.write_settings()
            host.start()
            wire = host.connect("planner")
            for text in ("ann@example.org", "@", "*"):
                refused_by(call(wire, "notify.send", text=text), "default")
            wire.close()
            equal(notes(host), "", "notes")


# Case 10: a relay in the zone's place.

RELAY = r'''
import os, select, socket, sys
ours = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
ours.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o600)
ours.listen(1)
peer, _ = ours.accept()
while True:
    ready, _, _ = select.select([0, peer], [], [])
    for source in ready:
        data = os.read(source if source == 0 else source.fileno(), 65536)
        if not data:
            sys.exit(0)
        while data:
            out = peer.fileno() if source == 0 else 1
            data = data[os.write(out, data):]
'''


def through_a_relay():
    """What is refused is refused through a relay of the zone's, alone, in one
    frame behind another and inside of one."""
    with Host() as host:
        host.policy["capabilities"][2]["outbound"] = {"links": "deny"}
        host.write_settings()
        host.start()
        path = str(host.folder / "relay.sock")
        host.attach("planner", sys.executable, "-c", RELAY, path,
                    respawn=False)
        until(lambda: os.path.exists(path), 10, "the relay")
        wire = until(lambda: try_connect(path), 10, "its socket")
        wire.hello("planner", "relayed")
        refused = {"text": "https://evil.example/?d=1"}
        for turn in range(2):
            refused_by(call(wire, "notify.send", **refused), "outbound")
            refused_by(call(wire, "file.write", path="x", text="x"),
                       "no-capability")
            inner = {"jsonrpc": "2.0", "id": 99, "method": "call",
                     "params": {"name": "notify.send", "arguments": refused}}
            refused_by(call(wire, "notify.send", text=inner), "arguments",
                       SCHEMA)
            allowed(call(wire, "notify.send", text="fine %d" % turn))
        wire.send_bytes(b"".join(frame(dict(inner, id=number))
                                 for number in (901, 902)))
        for _ in range(2):
            equal(wire.receive(10)["error"]["data"]["rule"], "outbound",
                  "one behind the other")
        wire.close()
        check("evil" not in notes(host), "notes: %r", notes(host))
        equal(notes(host).count("\n"), 2, "notes")
        host.verify()


def try_connect(path):
    try:
        return gullible.Wire.connect(path, 30)
    except OSError:
        return None


# Case 12: who is on the other side, and what he can have told.

def forked():
    """A child that has its parent's connection has its parent's session: no
    new one, and no fewer legs."""
    with Host() as host:
        host.start()
        host.attach_reader()
        host.deliver_and_wait(mail("hello"))
        wire = host.connect("planner")
        allowed(wire.request("inbox.read", {"handle": take(wire)}))
        before = live(host)
        check("A" in before["legs"], "legs: %r", before)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                answer = wire.request("inbox.list", {})
                status = 0 if answer.ok else 2
            finally:
                os._exit(status)
        equal(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0,
              "the child's request")
        rows = [row for row in host.operate("session.list")["sessions"]
                if not row["ended_ms"]]
        equal([(row["session"], row["legs"]) for row in rows],
              [(before["session"], before["legs"])], "sessions")
        wire.close()


def nothing_secret_is_told():
    """No request of a planner's brings what its capabilities are made of:
    credentials, hosts, roots."""
    with Host() as host:
        host.policy["capabilities"].append(
            {"name": "mail.send", "kind": "smtp", "method": "send",
             "why": "It may write mails.",
             "settings": {"host": CANARY + ".example", "port": 465,
                          "credential": CREDENTIAL,
                          "from": "me@a.example"}})
        host.policy["rules"].append(
            {"id": "send", "verdict": "allow", "why": "A test.",
             "capability": "mail.send", "from": {"destination": ["model"]}})
        host.write_settings()
        host.start()
        wire = host.connect("planner")
        said = []

        def ask(method, params):
            answer = wire.request(method, params)
            said.append(json.dumps(answer.result if answer.ok
                                   else answer.error))
        for method, params in (
                ("capability.list", {}), ("inbox.list", {}),
                ("inbox.next", {"wait_ms": 0}), ("task.next", {"after": 0})):
            ask(method, params)
        send = {"to": ["a@a.example"], "subject": "s", "text": "t"}
        for name, arguments in (
                ("mail.send", send), ("mail.send", dict(send, credential="")),
                ("mail.send", {}), ("file.read", {"path": "none"}),
                ("file.read", {"path": "../x"}), ("file.list", {}),
                ("secret.list", {})):
            ask("call", {"name": name, "arguments": arguments})
        for text in said:
            for word in (CANARY, str(host.folder)):
                check(word not in text, "%r in %s", word, text)
        wire.close()
        # nor is a credential's name on record, or in a log; where a call was
        # to go is, for the operator
        check(CREDENTIAL not in host.audit_log().read_text(), "on record")
        check(CANARY not in host.log_text(), "in the log")


# Case 15: ways out of the agent's folder.

def plant(host):
    """Hostile names in the folder, and a secret beside it."""
    secret = host.state / "secret"
    secret.write_text(CANARY)
    secret.chmod(0o644)
    folder = host.files
    for name, target in (("link", secret), ("up", ".."), ("magic",
                         "/proc/self/root"), ("own", "/proc/self/fd/0"),
                         ("loop", "loop"), ("dangling", host.state / "made")):
        (folder / name).symlink_to(target)
    os.link(secret, folder / "hard")
    os.mkfifo(folder / "fifo")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(folder / "socket"))
    names = ["link", "up/secret", "magic/etc/passwd", "own", "loop",
             "dangling", "hard", "fifo", "socket", "../secret",
             "/etc/passwd", "a/../../secret", "./../secret", "up", ""]
    if is_root():
        os.mknod(folder / "device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        names.append("device")
    return secret, listening, names


def out_of_the_folder():
    """Links, magic links, hard links, pipes, sockets and devices are not
    read, written or listed, by any of three calls."""
    with Host() as host:
        host.policy = writing(host)
        host.write_settings()
        secret, listening, names = plant(host)
        (host.files / "plain").write_text("plain")
        own(host.files / "plain", "file")
        host.start()
        host.attach_reader()
        wire = host.connect("planner")
        allowed(call(wire, "file.read", path="plain"))
        for name in names:
            for way, more in (("file.read", {}), ("file.write",
                              {"text": "overwritten"}), ("file.list", {})):
                answer = call(wire, way, path=name, **more)
                if way == "file.write" and answer.ok:
                    # a name that is exchanged, and not what it led to
                    check("/" not in name and ".." not in name,
                          "written to %r", name)
                else:
                    check(not answer.ok, "%s of %r: %r", way, name,
                          answer.result)
                    check(CANARY not in json.dumps(answer.error), "%r",
                          answer.error)
        equal(secret.read_text(), CANARY, "the secret")
        check(not (host.state / "made").exists(), "through a link")
        check(pathlib.Path("/dev/null").is_char_device(), "/dev/null")
        allowed(call(wire, "file.read", path="plain"))
        wire.close()
        listening.close()
        host.verify()
        return "%d names" % len(names)


def policy_is_not_made():
    """No call makes a policy where there is none, and a file of its name in
    the agent's folder is none."""
    with Host() as host:
        host.policy = writing(host)
        host.write_settings()
        host.start()
        wire = host.connect("planner")
        path = host.config_path.parent / "policy.json"
        path.unlink()
        outside = os.path.relpath(path, host.files)
        for name in (str(path), outside, "./" + outside, "a/" + outside):
            refused_by(call(wire, "file.write", path=name, text="{}"), "kind",
                       PATH)
        check(not path.exists(), "a policy was made")
        allowed(call(wire, "file.write", path="policy.json", text="{}"))
        equal(host.command("reload").returncode, CONFIG, "reload")
        allowed(call(wire, "file.write", path="still.txt", text="served"))
        wire.close()


def policy_as_the_root():
    """Nor where somebody made its folder the agent's: it is not the
    courier's user's."""
    if not is_root():
        raise Skipped("without accounts of their own all is one user's")
    with Host() as host:
        host.policy = writing(host)
        for capability in host.policy["capabilities"]:
            if capability["kind"] == "file":
                capability["settings"]["root"] = str(host.config_path.parent)
        host.write_settings()
        path = host.config_path.parent / "policy.json"
        before = path.read_bytes()
        host.start()
        wire = host.connect("planner")
        for name in ("policy.json", "config.json", "new.json"):
            answer = call(wire, "file.write", path=name, text="{}")
            check(not answer.ok, "%s was written", name)
        wire.close()
        equal(path.read_bytes(), before, "the policy")
        equal(sorted(os.listdir(path.parent)), ["config.json", "policy.json"],
              "the folder")


# Provenance and budgets.

def endorsed_number():
    """A number out of a stranger's mail spares leg A and stays a stranger's,
    however it is written: a rule over the operator's or the model's amounts
    does not take it. (llm.complete has a number; no courier performs it.)"""
    extract = {"name": "bill", "why": "Bills are sorted.", "fields": [
        {"name": "total", "type": "number", "in": "/body",
         "after": "total:", "least": 0, "most": 10000}]}
    model = {"name": "ask", "kind": "llm", "method": "complete",
             "why": "It may ask a model.",
             "settings": {"host": "a.example", "port": 443, "model": "m",
                          "max_tokens": 10000}}
    for origins, own_number, number in ((["operator"], False, False),
                                        (["model"], True, False),
                                        (["operator", "model", "verified"],
                                         True, False),
                                        (["prose"], False, True)):
        with Host() as host:
            host.policy["extracts"] = [extract]
            host.policy["capabilities"].append(model)
            host.policy["rules"] = [
                {"id": "pay", "verdict": "allow", "why": "A test.",
                 "capability": "ask", "from": {"selector": origins}}]
            host.write_settings()
            host.start()
            host.attach_reader()
            host.deliver_and_wait(mail("Bill", "Total: 4711\r\n"))
            wire = host.connect("planner")
            got = allowed(wire.request("inbox.extract", {
                "handle": take(wire), "name": "bill"}))
            equal(got["values"], {"total": 4711}, "values")
            equal(live(host)["legs"], [], "an extract adds no leg")
            # that kind takes no other spelling of an integer at all
            for amount, ok in (("4712", own_number), ("4711", number),
                               ("4711.0", False), ("4711e0", False),
                               ("47.11e2", False)):
                equal(decided(wire, amount), ok,
                      "%s as an amount of %r" % (amount, origins))
            wire.close()


def decided(wire, amount):
    """Whether an amount is allowed, in just this spelling."""
    wire.next_id += 1
    text = ('{"jsonrpc":"2.0","id":%d,"method":"call","params":{"name":"ask",'
            '"arguments":{"messages":[{"role":"user","text":"x"}],'
            '"max_tokens":%s}}}' % (wire.next_id, amount)).encode()
    wire.send_bytes(len(text).to_bytes(4, "big") + text)
    error = wire.receive(30)["error"]
    check(error["code"] in (DENIED, UNAVAILABLE, SCHEMA), "%r", error)
    return error["code"] == UNAVAILABLE


def racing_the_leak_meter():
    """64 calls at once, of one session and to one destination, let out no
    byte more than its cap."""
    with Host(session="standing") as host:
        host.policy["leak"] = {"bytes_per_destination": 100,
                               "verdict": "deny"}
        host.write_settings()
        host.start()
        host.attach_reader()
        host.deliver_and_wait(mail("hello"))
        wire = host.connect("planner")
        allowed(wire.request("inbox.read", {"handle": take(wire)}))
        wire.send_bytes(b"".join(frame(
            {"jsonrpc": "2.0", "id": number, "method": "call",
             "params": {"name": "notify.send",
                        "arguments": {"text": "0123456789"}}})
            for number in range(901, 965)))
        done = 0
        for _ in range(64):
            answer = wire.receive(30)
            if "result" in answer:
                done += 1
            else:
                equal((answer["error"]["code"],
                       answer["error"]["data"]["rule"]), (LIMIT, "leak"),
                      "refusal")
        equal((done, live(host)["leak"]["bytes"], notes(host).count("\n")),
              (10, 100, 10), "of 64")
        wire.close()
        host.verify()


def body(suite):
    for name, function in (
            ("case 2: no policy file", no_policy_file),
            ("case 2: empty conditions", empty_conditions),
            ("case 10: through a relay", through_a_relay),
            ("case 12: a forked process", forked),
            ("case 12: nothing secret is told", nothing_secret_is_told),
            ("case 15: out of the folder", out_of_the_folder),
            ("case 15: a policy is not made", policy_is_not_made),
            ("case 15: the policy's folder as the root", policy_as_the_root),
            ("endorsed number as an amount", endorsed_number),
            ("calls race the leak meter", racing_the_leak_meter)):
        suite.case(name, function)


if __name__ == "__main__":
    main(body)
