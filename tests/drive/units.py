#!/usr/bin/env python3
"""The units for systemd: what they score, and that the programs start under
what they allow.

usage: units.py BIN

No systemd runs here as process 1, so the walls of a unit are put up by hand:
its list of system calls (deny, from tests/confine), its capabilities and user
(setpriv), its network (unshare). Needs root.
"""
import json
import os
import re
import shutil

import harness
from harness import (ACCOUNTS, Failed, Host, check, equal, mail, main, run,
                     until)

UNITS = harness.ROOT / "vm" / "systemd"
BARS = {"trizone-executor": 2.8, "trizone-planner": 0.5,
        "trizone-reader-mail": 0.5, "trizone-eval": 0.5}
LEAST = {"trizone-zone@": 7.1}  # it starts what has walls of its own
ZONES = {"planner": {"kind": "planner", "max_sessions": 16},
         "mail": {"kind": "reader", "channel": "mail"}}  # as by default
NOBODYS = 64820  # a user that no role has


def settings(unit):
    """{key: [values]}, comments left out."""
    found = {}
    for line in (UNITS / (unit + ".service")).read_text().splitlines():
        match = re.match(r"(\w+)=(.*)$", line)
        if match:
            found.setdefault(match.group(1), []).append(match.group(2))
    return found


def scores():
    said = []
    for unit, bar in (*BARS.items(), *LEAST.items()):
        done = run(["systemd-analyze", "security", "--offline=true",
                    "--threshold=%d" % round(bar * 10),
                    UNITS / (unit + ".service")])
        score = re.search(r"exposure level for \S+: ([\d.]+)",
                          done.stdout.decode())
        check(score, "%s: %r", unit, done.stderr)
        check(float(score.group(1)) <= bar, "%s has %s, at most %g", unit,
              score.group(1), bar)
        said.append("%s %s" % (unit, score.group(1)))
    return ", ".join(said)


def crosses():
    """What the tool marks has its reason in docs/HARDENING.md."""
    page = (harness.ROOT / "docs" / "HARDENING.md").read_text()
    rows = [line.replace("\\|", "|") for line in page.splitlines()]
    for unit in BARS:
        mine = " ".join(row for row in rows if row.startswith(
            ("| all ", "| %s " % unit.split("-")[1])))
        for row in json.loads(run(
                ["systemd-analyze", "security", "--offline=true",
                 "--json=short", UNITS / (unit + ".service")]).stdout):
            if row["set"] is not False or not row["exposure"]:
                continue
            key, _, value = row["name"].partition("=")
            within = re.match(r"~CAP_\((.*)\)", value)
            words = [value, value.lstrip("~")]
            if within:
                words += ["CAP_" + name for name in within[1].split("|")]
            if not value.startswith("~"):
                words = [key + "="]
            check(any(word in mine for word in words), "%s: no word on %s",
                  unit, row["name"])


def words_are_known():
    for unit in BARS:
        done = run(["systemd-analyze", "verify",
                    UNITS / (unit + ".service")])
        wrong = [line for line in done.stderr.decode().splitlines()
                 if re.search(r"Unknown|ignoring|Failed to parse", line)]
        check(not wrong, "%r", wrong)


def calls_of(group):
    """The system calls of "@group" or of one name."""
    if not group.startswith("@"):
        return {group}
    lines = run(["systemd-analyze", "syscall-filter", group]
                ).stdout.decode().split("\n")
    found = set()
    for line in lines[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            found |= calls_of(word)
    return found


def allowed(unit):
    calls = set()
    for line in settings(unit)["SystemCallFilter"]:
        words = {call for word in line.lstrip("~").split()
                 for call in calls_of(word)}
        calls = calls - words if line.startswith("~") else calls | words
    calls |= calls_of("@default")
    if settings(unit).get("RestrictNamespaces") == ["yes"]:
        calls -= {"unshare", "setns"}
    return ",".join(sorted(calls))


def rights(unit):
    return settings(unit)["CapabilityBoundingSet"][0].split()


def walls(unit, user=None, without=None):
    """What a command is put behind; without one of its capabilities."""
    capabilities = [name for name in rights(unit) if name != without]
    bounding = ",".join(["-all"] + ["+" + name[4:].lower()
                                    for name in capabilities])
    become = ["--reuid", str(user), "--regid", str(user),
              "--clear-groups", "--inh-caps=-all"] if user else []
    return ["unshare", "--net", "setpriv", *become, "--bounding-set",
            bounding, "--no-new-privs", harness.folder_of_programs() / "deny",
            "=" + allowed(unit)]


def served_behind_them():
    """All three behind their walls: a mail through, with what a zone has to
    attest by default."""
    with Host(zones=ZONES) as host:
        real = host._spawn
        host._spawn = lambda name, command: real(
            name, walls("trizone-executor") + list(command)
            if name == "executor" else command)
        host.start()
        host._spawn = real
        rules = host.folder / "rules.json"
        rules.write_text('{"version":1,"rules":[],"otherwise":[{"call":'
                         '"notify.send","arguments":{"text":"a mail"}}]}')
        for zone, unit, command in (
                ("mail", "trizone-reader-mail", host.reader_command()),
                ("planner", "trizone-planner", host.planner_command(rules))):
            host.attach(zone, *walls(unit, ACCOUNTS[
                "reader" if zone == "mail" else zone]), *command)
            until(lambda: "attestation" in host.zone_status(zone), 20,
                  "%s: %s" % (zone, host.log_text()[-1500:]))
        handle = host.deliver(mail("behind walls"))
        until(lambda: host.items()[handle]["state"] == "done", 20,
              "done: %s" % host.log_text()[-1500:])
        equal(len(host.notes.read_text().splitlines()), 1, "notes")
        said = host.zone_status("mail")["attestation"]
        equal(said["network"], "none", "network")
        equal(said["namespaces"], [], "namespaces of its own")
        check(said["probes"] > 15 and said["landlock"] > 0, "%r", said)
        for row in host.operate("status")["processes"]:
            check(row["role"] == "parent" or row["own_root"], "%r", row)


def all_it_should_be(without=None):
    """The executor with the unit's capabilities: a folder below one that is
    somebody's, every role locked in, and an end that is in time."""
    with Host() as host:
        home = host.folder / "home"
        files = home / "files"
        files.mkdir(parents=True)
        harness.own(files, "file")
        home.chmod(0o700)
        os.chown(home, NOBODYS, NOBODYS)
        host.policy = harness.default_policy(files, host.notes)
        host.write_settings()
        real = host._spawn
        host._spawn = lambda name, command: real(name, walls(
            "trizone-executor", without=without) + list(command))
        host.start()
        host._spawn = real
        processes = host.operate("status")["processes"]
        ended = harness.end_process(host.executor, 5)
        host.executor = None
        equal(ended, 0, "its end")
        for row in processes:
            check(row["role"] == "parent" or row["own_root"] and
                  row["bounding"] == "0" * 16, "%r", row)


def each_right_is_needed():
    all_it_should_be()
    for name in rights("trizone-executor"):
        try:
            all_it_should_be(name)
        except Failed:
            continue
        raise Failed("nothing is missing without " + name)


def accounts_are_the_same():
    """sysusers.d has what `init` makes."""
    source = (harness.ROOT / "executor" / "accounts.c").read_text()
    roles = re.findall(r"^    \[ACCOUNT_\w+\] = \"(\w+)\",$", source, re.M)
    header = (harness.ROOT / "executor" / "accounts.h").read_text()
    first = int(re.search(r"FIRST_NUMBER (\d+)", header).group(1))
    groups = re.findall(r'ACCOUNT_GROUP_\w+ "([\w-]+)"', header)
    want = {("u", "trizone-" + role, str(first + i))
            for i, role in enumerate(roles)}
    want |= {("g", name, str(first + len(roles) + i))
             for i, name in enumerate(groups)}
    path = harness.ROOT / "vm" / "sysusers" / "trizone.conf"
    got = {tuple(line.split()[:3]) for line in path.read_text().splitlines()
           if line and line[0] != "#"}
    equal(sorted(got), sorted(want), "accounts")
    root = harness.short_folder()
    try:
        (root / "etc").mkdir()
        done = run(["systemd-sysusers", "--root", root, path])
        equal(done.returncode, 0, "systemd-sysusers: %r" % done.stderr)
        made, shadow = (
            {line.split(":")[0]: line.split(":")[1:] for line in
             (root / "etc" / name).read_text().splitlines()}
            for name in ("passwd", "shadow"))
        for i, role in enumerate(roles):
            name, number = "trizone-" + role, str(first + i)
            equal(made[name], ["x", number, number, "trizone", "/nonexistent",
                               "/usr/sbin/nologin"], name)
            check(shadow[name][0][:1] in ("!", "*"), "%s: a password", name)
    finally:
        shutil.rmtree(root)


def body(suite):
    if not shutil.which("systemd-analyze") or not harness.is_root() or not (
            harness.folder_of_programs() / "deny").exists():
        print("skipped: needs systemd-analyze, root and Linux")
        raise SystemExit(77)
    for case in (scores, crosses, words_are_known, accounts_are_the_same,
                 served_behind_them, each_right_is_needed):
        suite.case(case.__name__.replace("_", " "), case)


if __name__ == "__main__":
    main(body)
