#!/usr/bin/env python3
"""What zones attest, what is required of them, and who is turned away.

usage: attest.py [BIN]

Release and test programs do not serve each other: the latter are those of the
folder "layers" beside BIN, where a build has them.
"""
import json

import gullible
from harness import (ACCOUNTS, Host, Skipped, as_account, check, equal, frame,
                     is_root, mail, main, run, until)

ATTESTATION = 1116
GOOD = {"role": "planner", "uid": 64805, "calls": 80, "landlock": 7,
        "seatbelt": False, "namespaces": ["net", "mount", "pid"],
        "own_root": True, "cgroup": ["memory", "pids"], "network": "none",
        "probes": 20}
LESS = {"filter": {"calls": 0}, "landlock": {"landlock": 0},
        "no-network": {"network": "host"},
        "namespaces": {"namespaces": ["net", "mount"]},
        "own-root": {"own_root": False}, "own-user": {"uid": 0},
        "cgroup": {"cgroup": ["cpu"]}, "probes": {"probes": 0},
        "profile": {"profile": None}}


def requiring(needs):
    zones = {"planner": {"kind": "planner", "max_sessions": 16},
             "mail": {"kind": "reader", "channel": "mail"}}
    for zone in zones.values():
        if needs is not None:
            zone["require"] = needs
    return Host(zones=zones)


def profile_of(host):
    return host.operate("status")["processes"][0]["profile"]


def hello(host, zone, attestation):
    """What the executor says to such a hello: None, or an error's code."""
    wire = gullible.Wire.connect(host.socket(zone), 10)
    try:
        said = frame({"jsonrpc": "2.0", "method": "hello", "params": {
            "protocol": 1, "zone": zone, "program": "p",
            "attestation": attestation}})
        if zone == "planner":
            said += frame({"jsonrpc": "2.0", "id": 1,
                           "method": "capability.list", "params": {}})
        wire.send_bytes(said)
        while True:
            got = wire.receive()
            if got is None or "error" in got:
                return got["error"]["code"] if got else "closed"
            if "result" in got:
                return None
    finally:
        wire.close()


def each_need():
    """One that attests all is served; one that lacks what is required is
    turned away with the reason, which is on record."""
    for need, less in LESS.items():
        with requiring([need]) as host:
            host.start()
            good = dict(GOOD, profile=profile_of(host))
            bad = {key: value for key, value in dict(good, **less).items()
                   if value is not None}
            equal(hello(host, "planner", good), None, need)
            equal(hello(host, "planner", bad), ATTESTATION, need)
            equal(hello(host, "planner", {}), ATTESTATION, need + ", nothing")
            equal(hello(host, "mail", bad), ATTESTATION, need + ", reader")
            host.stop_executor()
            rows = [row for row in host.audit() if row["kind"] == "hello"
                    and row.get("error") == ATTESTATION]
            equal(len(rows), 3, "records of %s" % need)
            check(need in rows[0]["detail"], "%s: %r", need, rows[0])


def nothing_is_required():
    with requiring([]) as host:
        host.start()
        equal(hello(host, "planner", {}), None, "one that attests nothing")
        equal(hello(host, "planner", {"profile": "other"}), ATTESTATION,
              "one with another table")


def whole_attestation_is_on_record():
    with requiring(None) as host:
        host.start()
        host.attach_reader()
        host.deliver_and_wait(mail("one"))
        status = host.operate("status")
        host.stop()
        roles = ["broker", "parent", "auditor", "file", "notify"]
        equal(sorted(row["role"] for row in status["processes"]),
              sorted(roles), "processes")
        for row in status["processes"]:
            check(row["calls"] > 0 and row["probes"] > 0 and
                  row["no_new_privs"] and not row["dumpable"] and
                  not row["core_dumps"], "%r", row)
            if is_root() and row["role"] != "parent":
                equal(row["uid"], ACCOUNTS[row["role"]], "user")
                equal(row["capabilities"], "0" * 16, "capabilities")
                check(row["own_root"] and row["network"] == "none", "%r", row)
        rows = host.audit()
        equal([row["kind"] for row in rows[:2]], ["lineage", "start"],
              "first records")
        equal(json.loads(rows[1]["detail"])["role"], "auditor", "its role")
        attested = [json.loads(row["detail"])["role"] for row in rows
                    if row["kind"] == "attest"]
        equal(sorted(attested), sorted(set(roles) - {"auditor"}), "attested")
        first_zone = next(i for i, row in enumerate(rows)
                          if row["kind"] == "hello")
        check(sum(row["kind"] == "attest" for row in rows[:first_zone]) == 4,
              "a zone came before all were on record")
        said = json.loads(rows[first_zone]["detail"])
        equal(said["role"], "reader", "the zone's own")
        check(said["network"] == "none" and "pid" in said["namespaces"],
              "%r", said)


def tables_do_not_mix():
    """A test program is not served by a release one, nor serves one."""
    with requiring([]) as host:
        test = host.bin.parent / "layers"
        if host.bin.name != "bin" or not (test / "trizone-planner").exists():
            raise Skipped("no folder layers beside the programs")
        host.start()
        if profile_of(host) != "release":
            raise Skipped("these are test programs themselves")
        call = ["call", "--channel", "unix:" + host.socket("planner"),
                *as_account("planner"), "file.list", "{}"]
        equal(run([host.program("planner"), *call]).returncode, 0, "ours")
        done = run([test / "trizone-planner", *call])
        equal(done.returncode, 69, "a test planner: %r" % done.stderr)
        log = host.attach("mail", test / "trizone-reader", "run", "--channel",
                          "stdio", *as_account("reader"), respawn=False)
        equal(log.wait(20), 69, "a test reader")
        host.attached.remove(log)
        host.stop_executor()
        host.bin = test
        host.start()
        equal(run([test / "trizone-planner", *call]).returncode, 0, "theirs")
        done = run([host.bin.parent / "bin" / "trizone-planner", *call])
        equal(done.returncode, 69, "a release planner: %r" % done.stderr)


def attestation_is_no_way_in():
    """Hostile attestations: deep, wide, long, of other shapes."""
    deep = {"a": None}
    for _ in range(9):
        deep = {"a": deep}
    with requiring([]) as host:
        host.start()
        for attestation in (deep, {"gap": "\x1b[2J" * 500},
                            {str(i): i for i in range(64)},
                            {"namespaces": ["x" * 15000]}):
            hello(host, "planner", attestation)
        done = host.command("status")
        equal(done.returncode, 0, "status")
        check(b"\x1b" not in done.stdout, "a zone's escapes in %r",
              done.stdout[:400])
        host.verify()
        until(lambda: host.zone_status("planner")["channels"] == 0, 15,
              "channels closed")


def body(suite):
    for case in (each_need, nothing_is_required,
                 whole_attestation_is_on_record, tables_do_not_mix,
                 attestation_is_no_way_in):
        suite.case(case.__name__.replace("_", " "), case)


if __name__ == "__main__":
    main(body)
