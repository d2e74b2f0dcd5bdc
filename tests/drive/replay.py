#!/usr/bin/env python3
"""The time machine: what was decided is decided again under another policy.

usage: replay.py [BIN]
"""
import copy
import json
import os
import pathlib
import re
import shutil
import signal
import time

import rig
from harness import Host, Skipped, check, equal, main, run, until

DONE, FOUND, USAGE, DATA = 0, 1, 64, 65
UNAVAILABLE, CONFIG = 69, 78
DENIED = 1301
SECRET = "tell-nobody-7f3a"


def make_identity(folder, name="identity"):
    """A file with a secret key, and its recipient."""
    if not shutil.which("age-keygen"):
        raise Skipped("no age")
    path = pathlib.Path(folder) / name
    done = run(["age-keygen", "-o", path])
    check(done.returncode == 0, "age-keygen: %r", done.stderr)
    return path, re.search(r"age1[a-z0-9]+", path.read_text()).group(0)


class Kept(Host):
    """A host that keeps what was decided on."""

    def __init__(self, **more):
        super().__init__()
        self.identity, self.recipient = make_identity(self.folder)
        self.config["audit"] = dict({"recipient": self.recipient}, **more)
        self.policy["capabilities"].append({
            "name": "file.write", "kind": "file", "method": "write",
            "why": "No rule allows it.",
            "settings": {"root": str(self.files), "write": True}})
        self.policy["floor"]["exceptions"].append(
            {"capability": "file.write", "why": "So that rules decide."})
        self.write_settings()

    @property
    def inputs(self):
        return self.state / "audit" / "inputs"

    def segments(self):
        return sorted(self.inputs.glob("segment-*"))

    def replay(self, policy, *more, status=DONE, identity=None):
        """Changes and sums under `policy`."""
        candidate = self.folder / "candidate.json"
        candidate.write_text(json.dumps(policy))
        done = run([self.program("executor"), "policy", "replay",
                    "--config", self.config_path, "--candidate", candidate,
                    "--identity", identity or self.identity, "--json", *more])
        equal(done.returncode, status, "replay (%s)" % (
            done.stdout + done.stderr).decode()[-1000:])
        self.said = done.stderr.decode()
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        if not rows:
            return [], None
        return rows[:-1], rows[-1]

    def make_decisions(self):
        """Three that are allowed, two that are denied, on record."""
        wire = self.connect("planner")
        for path in (".", "sub", SECRET):
            wire.request("call", {"name": "file.list",
                                  "arguments": {"path": path}})
        # where it writes to is a destination, which is on record
        for name, more in (("file.write", {"path": "sub", "text": SECRET}),
                           ("nothing.here", {"path": SECRET})):
            equal(wire.request("call", {
                "name": name, "arguments": more}).error["code"], DENIED, name)
        wire.close()
        return self.settled(5)

    def settled(self, count):
        """As many decisions on record, and their rows written."""
        def rows():
            found = [row for row in self.audit() if row.get("inputs")]
            return found if len(found) >= count else None
        return until(rows, 10, "%d on record" % count)


def with_rules(policy, *rules):
    policy = copy.deepcopy(policy)
    policy["rules"] = [dict({"why": "Why."}, **rule) for rule in rules]
    return policy


def counts(sums):
    return {key: value for key, value in sums.items()
            if isinstance(value, int) and value
            and not isinstance(value, bool)}


def unchanged(host):
    host.make_decisions()
    changes, sums = host.replay(host.policy)
    equal((changes, counts(sums)), ([], {"decisions": 5, "unchanged": 5}),
          "the same policy")
    check(sums["compared_with_audit"] and not sums["damaged"], "%r", sums)


def newly(host):
    """What would change, the dangerous first."""
    host.make_decisions()
    allow_all = with_rules(host.policy, {
        "id": "all", "verdict": "allow",
        "capability": ["file.list", "file.write"]})
    changes, sums = host.replay(allow_all, status=FOUND)
    equal(counts(sums), {"decisions": 5, "newly allowed": 1, "unchanged": 4},
          "more is allowed")
    change = changes[0]
    equal((change["class"], change["capability"], change["was"],
           change["was_rule"], change["now"], change["now_rule"]),
          ("newly allowed", "file.write", "deny", "default", "allow", "all"),
          "the change")
    record = next(row for row in host.audit()
                  if int(row["seq"], 16) == change["record"])
    equal(record["capability"], "file.write", "its record")
    ask = with_rules(
        host.policy,
        {"id": "no", "verdict": "deny", "capability": "file.list",
         "arguments": {"properties": {"path": {"const": "sub"}},
                       "required": ["path"]}},
        {"id": "ask", "verdict": "ask", "capability": "file.list"},
        {"id": "yes", "verdict": "allow", "capability": "file.write"})
    changes, sums = host.replay(ask, status=FOUND)
    equal([row["class"] for row in changes],
          ["newly allowed"] + ["newly asked"] * 2 + ["newly denied"],
          "the order")
    nothing = with_rules(host.policy)
    changes, sums = host.replay(nothing)
    equal(counts(sums), {"decisions": 5, "newly denied": 3, "unchanged": 2},
          "nothing is allowed")
    gone = with_rules(host.policy)
    gone["capabilities"] = gone["capabilities"][1:2]
    del gone["floor"]
    changes, sums = host.replay(gone)
    equal(counts(sums), {"decisions": 5, "undecidable": 4, "unchanged": 1},
          "a capability is gone")
    check("no such capability" in changes[0]["reason"], "%r", changes)


def origins(host):
    """A rule over where values came from: as it was found then."""
    host.make_decisions()
    model = with_rules(host.policy, {
        "id": "model", "verdict": "allow", "capability": "file.list",
        "from": {"object": ["model"]}})
    operator = with_rules(host.policy, {
        "id": "operator", "verdict": "allow", "capability": "file.list",
        "from": {"object": ["operator"]}})
    host.replay(model)
    _, sums = host.replay(operator)
    equal(counts(sums), {"decisions": 5, "newly denied": 3, "unchanged": 2},
          "nobody named them")
    # of a call of a capability there was not, nothing is known of its values
    new = copy.deepcopy(operator)
    new["capabilities"].append(dict(new["capabilities"][0],
                                    name="nothing.here", arguments={}))
    new["rules"][0]["capability"] = ["file.list", "nothing.here"]
    _, sums = host.replay(new)
    equal(counts(sums), {"decisions": 5, "newly denied": 3, "undecidable": 1,
                         "unchanged": 1}, "not recorded")


def reload_and_hash(host):
    """Each is compared with what decided it, over a reload too."""
    host.make_decisions()
    path = host.config_path.parent / "policy.json"
    path.write_text(json.dumps(with_rules(host.policy)))
    equal(host.command("reload").returncode, DONE, "reload")
    wire = host.connect("planner")
    wire.request("call", {"name": "file.list", "arguments": {}})
    wire.close()
    host.settled(6)
    changes, sums = host.replay(host.policy, status=FOUND)
    equal((len(changes), changes[0]["was_rule"]), (1, "default"), "one")


def nothing_in_the_clear(host):
    """Not in a file, not in a log, not in an argument or environment."""
    host.make_decisions()
    seen = []
    for pid in [host.executor.pid] + [host.role_pid(role) for role in (
            "broker", "auditor", "courier")]:
        for name in ("cmdline", "environ"):
            place = pathlib.Path("/proc/%d/%s" % (pid, name))
            if place.exists():
                seen.append((place, place.read_bytes()))
    host.stop_executor()
    for place in host.state.rglob("*"):
        if place.is_file():
            seen.append((place, place.read_bytes()))
    seen += [(path, path.read_bytes()) for path in host.logs]
    check(any(b"TZINPUT1" in data for _, data in seen), "no segment")
    for place, data in seen:
        check(SECRET.encode() not in data, "%s has the arguments", place)
    equal({oct(path.stat().st_mode & 0o777) for path in host.segments()},
          {"0o600"}, "modes")


def wrong_identity(host):
    host.make_decisions()
    other, _ = make_identity(host.folder, "other")
    changes, sums = host.replay(host.policy, status=DATA, identity=other)
    equal(counts(sums), {"decisions": 5, "undecidable": 5}, "all of them")
    check("not opened" in host.said and sums["damaged"], "%s", host.said)
    host.replay(host.policy, status=DATA,
                identity=host.folder / "nothing")
    both = host.folder / "both"
    both.write_text(other.read_text() + host.identity.read_text())
    host.replay(host.policy, identity=both)


def flipped(host):
    """Any bit of any row shows."""
    host.make_decisions()
    host.stop_executor()
    segment = host.segments()[-1]
    whole = segment.read_bytes()
    at = whole.index(b"TZIR")
    for place in (3, 12, 30, at + 5, at + 12, at + 20, at + 33, at + 60,
                  at + 100, at + 128, at + 200, len(whole) - 1):
        data = bytearray(whole)
        data[place] ^= 4
        segment.write_bytes(bytes(data))
        _, sums = host.replay(host.policy, status=DATA)
        check(sums["damaged"] and counts(sums).get("undecidable", 0) >= 1
              and sums["decisions"] == 5, "byte %d: %r", place, sums)
    # rows of one place in another, a row twice, a segment twice
    rest = whole[at:]
    size = 128 + int.from_bytes(rest[24:28], "big")
    for data in (whole[:at] + rest[size:] + rest[:size],):
        segment.write_bytes(data)
        _, sums = host.replay(host.policy)
        equal(counts(sums), {"decisions": 5, "unchanged": 5}, "moved")
    segment.write_bytes(whole + rest[:size])
    host.replay(host.policy, status=DATA)
    check("second row" in host.said, "%s", host.said)
    segment.write_bytes(whole)
    copied = segment.with_name("segment-00000000000000ff")
    copied.write_bytes(whole)
    host.replay(host.policy, status=DATA)
    copied.unlink()
    host.replay(host.policy)
    # cut: what is missing is undecidable, by the audit
    segment.write_bytes(whole[:at])
    changes, sums = host.replay(host.policy)
    equal(counts(sums), {"decisions": 5, "undecidable": 5}, "cut")
    # without the audit that cannot show, which is said
    alone = host.folder / "alone" / "inputs"
    alone.mkdir(parents=True)
    (alone / segment.name).write_bytes(whole)
    _, sums = host.replay(host.policy, "--store", alone)
    equal((counts(sums), sums["compared_with_audit"]),
          ({"decisions": 5, "unchanged": 5}, False), "alone")


def cut_audit(host):
    """Rows whose records were cut off the audit; what is no segment."""
    host.make_decisions()
    host.stop_executor()
    time.sleep(10.1)  # until no record can be on its way
    whole = host.audit_log().read_bytes()
    first = next(row for row in host.audit() if row.get("inputs"))
    lines = whole.splitlines(True)
    host.audit_log().write_bytes(b"".join(lines[:int(first["seq"], 16)]))
    _, sums = host.replay(host.policy, status=DATA)
    check(sums["damaged"] and sums["decisions"] >= 4, "%r", sums)
    check("not in the audit any more" in host.said, "%s", host.said)
    host.audit_log().write_bytes(whole)
    host.replay(host.policy)
    # nobody waits for who writes into a pipe
    pipe = host.inputs / "segment-00000000000000ff"
    os.mkfifo(pipe)
    host.replay(host.policy, status=DATA)
    pipe.unlink()


def forged(host):
    """Somebody who can write the folder knows the recipient, too: a segment
    of his opens, and is not what the audit names."""
    host.make_decisions()
    host.stop_executor()
    with Kept() as other:
        other.config["audit"]["recipient"] = host.recipient
        other.write_settings()
        other.start()
        other.make_decisions()
        other.stop_executor()
        theirs = other.segments()[-1].read_bytes()
    host.segments()[-1].write_bytes(theirs)
    changes, sums = host.replay(host.policy, status=DATA)
    check(sums["undecidable"] >= 5 and sums["unchanged"] == 0, "%r", sums)


def erased(host):
    """Row and key are gone, a stub stays, and the rest is as it was."""
    rows = host.make_decisions()
    segment = host.segments()[-1]
    before = segment.read_bytes()
    done = host.command("audit", "erase", rows[1]["seq"])
    equal(done.returncode, DONE, "erase %r" % done.stderr)
    after = segment.read_bytes()
    equal(len(before), len(after), "length")
    check(before != after, "nothing was erased")
    changes, sums = host.replay(host.policy)
    equal(counts(sums), {"decisions": 5, "undecidable": 1, "unchanged": 4},
          "one is undecidable")
    equal((changes[0]["record"], changes[0]["reason"]),
          (int(rows[1]["seq"], 16), "its row was erased"), "which one")
    for number in (rows[1]["seq"], str(int(rows[1]["seq"], 16))):
        equal(host.command("audit", "erase", number).returncode, DONE,
              "again, as " + number)
    equal(host.command("audit", "erase", "ffffffffffffffff").returncode,
          UNAVAILABLE, "what is not there")
    equal(host.command("audit", "erase", "x").returncode, USAGE, "no number")
    host.verify()
    wire = host.connect("planner")
    wire.request("call", {"name": "file.list", "arguments": {}})
    wire.close()
    host.settled(6)
    host.stop_executor()
    host.start()
    _, sums = host.replay(host.policy)
    equal(counts(sums), {"decisions": 6, "undecidable": 1, "unchanged": 5},
          "and goes on")


def crash_and_torn(host):
    """Killed while it writes, and a tail that is torn."""
    for _ in range(3):
        wire = host.connect("planner")
        for number in range(200):
            wire.request("call", {"name": "file.list", "arguments": {
                "path": "p%d" % number}})
        os.kill(host.role_pid("auditor"), signal.SIGKILL)
        host.executor.wait(60)
        wire.close()
        host.executor = None
        with open(host.segments()[-1], "ab") as segment:
            segment.write(b"TZIR" + b"\0" * 300)
        host.start()
    equal(len(host.segments()), 4, "segments")
    equal(len(list(host.inputs.iterdir())), 4, "files")
    _, sums = host.replay(host.policy)
    check(sums["unchanged"] >= 550, "%r", sums)
    print("  %r" % sums)


def bounded(host):
    """Segments end by size, and the oldest go."""
    wire = host.connect("planner")
    filler = "x" * 700000
    for number in range(60):
        wire.request("call", {"name": "nothing.here", "arguments": {
            "n": number, "text": filler}})
    wire.close()
    host.settled(60)
    host.stop_executor()
    sizes = [path.stat().st_size for path in host.segments()]
    check(len(sizes) > 5 and sum(sizes) <= 32 << 20, "%r", sizes)
    changes, sums = host.replay(host.policy)
    equal(sums["decisions"], 60, "decisions")
    check(sums["undecidable"] > 10 and sums["unchanged"] > 10, "%r", sums)
    check(all("not kept" in row["reason"] for row in changes), "reasons")


def since(host):
    host.make_decisions()
    _, sums = host.replay(host.policy, "--since", "2999")
    equal(counts(sums), {}, "nothing yet")
    _, sums = host.replay(host.policy, "--since", "2020-01-01")
    equal(sums["decisions"], 5, "all")
    host.replay(host.policy, "--since", "yesterday", status=USAGE)


def words(host):
    """The other output, and what is wrong said in words."""
    host.make_decisions()
    candidate = host.folder / "candidate.json"
    candidate.write_text(json.dumps(with_rules(host.policy)))
    def ask(*more):
        done = run([host.program("executor"), "policy", "replay",
                    "--config", host.config_path, *more])
        return done.returncode, (done.stdout + done.stderr).decode()
    status, text = ask("--candidate", candidate, "--identity", host.identity)
    check(status == DONE and "newly denied" in text
          and "allow by read-files -> deny by default" in text
          and "5 decisions: 0 newly allowed" in text, "%d %s", status, text)
    equal(ask()[0], USAGE, "no candidate")
    equal(ask("--candidate", host.folder / "none", "--identity",
              host.identity)[0], CONFIG, "no file")
    candidate.write_text("{")
    status, text = ask("--candidate", candidate, "--identity", host.identity)
    check(status == CONFIG and "candidate.json:1:" in text, "%s", text)
    check(host.operate("status")["decision_inputs"]["kept"], "status")
    check(b"kept sealed for age1" in host.command("check").stdout, "check")


def without_recipient():
    with Host() as host:
        host.start()
        wire = host.connect("planner")
        wire.request("call", {"name": "file.list", "arguments": {}})
        wire.close()
        check(not host.operate("status")["decision_inputs"]["kept"], "status")
        check(b"is not kept" in host.command("check").stdout, "check")
        check(not (host.state / "audit" / "inputs").exists(), "a store")
        identity, _ = make_identity(host.folder)
        done = run([host.program("executor"), "policy", "replay", "--config",
                    host.config_path, "--candidate",
                    host.config_path.parent / "policy.json", "--identity",
                    identity])
        equal(done.returncode, UNAVAILABLE, "replay")
        check(b"audit recipient" in done.stderr, "%r", done.stderr)


def bad_recipient():
    """It does not start without what it was told to do."""
    with Kept() as host:
        for recipient in ("age1qqqqqqqqqqqqqqqqqqqqq",
                          host.recipient[:-1] + (
                              "p" if host.recipient[-1] == "q" else "q")):
            host.config["audit"]["recipient"] = recipient
            host.write_settings()
            process = host._spawn("executor", [
                host.program("executor"), "run", "--config",
                host.config_path])
            equal(process.wait(30), CONFIG, "exit status")
        check("audit recipient: " in host.log_text(), "reason")


def counted():
    """Counters are recorded, so what limits decided is decided again; and
    whose words a link is."""
    with Kept() as host:
        limit = {"id": "notes", "why": "So many are enough.",
                 "capability": "notify.send", "of": "calls",
                 "per": "capability", "window": "1h", "most": 1,
                 "verdict": "deny"}
        host.policy["limits"] = [limit]
        host.policy["capabilities"][2]["outbound"] = {"links": "deny"}
        host.write_settings()
        host.start()
        wire = host.connect("planner")
        session = str(host.operate("session.list")["sessions"][-1]["session"])
        done = host.command("task", session,
                            data=b"Say https://op.example/ to them.")
        equal(done.returncode, 0, "task: %r" % done.stderr)
        for text in ("https://evil.example/", "https://op.example/", "two"):
            wire.request("call", {"name": "notify.send",
                                  "arguments": {"text": text}})
        wire.close()
        until(lambda: len([row for row in host.audit() if row["kind"] in
                           ("decision", "intent")]) == 3, 10, "records")
        equal(host.replay(host.policy)[0], [], "the same policy")
        limit["most"] = 2
        changes, _ = host.replay(host.policy, status=FOUND)
        equal([(row["was_rule"], row["class"]) for row in changes],
              [("limit", "newly allowed")], "a higher limit")
        limit["id"] = "other"
        changes, _ = host.replay(host.policy)
        equal([row["class"] for row in changes], ["undecidable"] * 3,
              "a limit that was not counted")


def lying_broker():
    """Inputs where none belong, or too many: it is not believed."""
    def one(folder):
        root = folder / "files"
        root.mkdir()
        rig.harness.own(root, "file")
        return [{"name": "file.list", "kind": "file", "method": "list",
                 "why": "w", "settings": {"root": str(root)}}]
    for lies in ({"kind": "decision", "inputs_bytes": 4},
                 {"kind": "hello", "inputs_bytes": 4, "committed": 0},
                 {"kind": "decision", "inputs_bytes": 1 << 30}):
        with rig.Rig(one) as r:
            r.send(rig.entry(**lies) + b"abcd")
            check(r.auditor.wait() not in (0, None), "it went on: %r", lies)


def with_kept(body, **more):
    def case():
        with Kept(**more) as host:
            host.start()
            body(host)
    return case


def cases(suite):
    for body in (unchanged, newly, origins, reload_and_hash,
                 nothing_in_the_clear, wrong_identity, flipped, cut_audit, forged,
                 erased, crash_and_torn, since, words):
        suite.case(body.__name__, with_kept(body))
    suite.case("bounded", with_kept(bounded, max_bytes=32 << 20))
    for body in (without_recipient, bad_recipient, counted, lying_broker):
        suite.case(body.__name__, body)


main(cases)
