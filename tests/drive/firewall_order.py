#!/usr/bin/env python3
"""Applies, confirmations and timers that meet each other or fail half way: an
account that nobody confirmed is never left open, and nobody's word brings what
another has not applied.

usage: firewall_order.py [FOLDER]

On a machine of its own (fwnet.py), by nft and by iptables. Needs root; without
it, or without the backend's programs, exit 77.
"""
import json
import os
import pathlib
import shutil
import sys
import time

import firewall_rules as rules
import fwnet
import harness
from firewall_rules import ALLOWED, BACKENDS, REFUSED
from firewall_rules import applied, apply, firewall, reaches, write_policy
from fwnet import AGENT, Network
from harness import check, equal, until

SECOND = "second"
DROP_IN = "/etc/systemd/system/trizone-executor.service.d/firewall.conf"
SECOND_UID = 617


def add_second(net):
    net.host("tee", "-a", "/etc/passwd", data=(
        "%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n" % (
            SECOND, SECOND_UID, SECOND_UID)).encode())


def write_both(net, first, second):
    write_policy(net, [])
    net.inside("/etc/trizone/policy.json").write_text(json.dumps(
        {"version": 1, "firewall": {"accounts": {
            AGENT: {"allow": first}, SECOND: {"allow": second}}}}))


def others_do_not_confirm(net, backend):
    """Blocking or removing one account is no word about another that waits."""
    add_second(net)
    words = ("--backend", backend, "--timeout")
    for change in ("--block", "--remove"):
        write_both(net, [ALLOWED + ":443"], [ALLOWED + ":443"])
        firewall(net, "apply", SECOND, *words, "0")
        firewall(net, "apply", AGENT, *words, "4")
        firewall(net, "apply", SECOND, change)
        check(reaches(net), "while it waits")
        until(lambda: not reaches(net), 15, "blocked after " + change)
        until(lambda: "pending" not in applied(net), 15, "the timer")


def taking_back_is_tried_again(net, backend):
    """A timer that cannot load the rules has not done its work."""
    tool = "nft" if backend == "nft" else "iptables-restore"
    apply(net, backend, timeout=3)
    place = shutil.which(tool)
    net.host("mount", "--bind", "/bin/false", os.path.realpath(place))
    check(reaches(net), "while it waits")
    time.sleep(5)
    check("pending" in applied(net), "it says that it has taken it back")
    net.host("umount", os.path.realpath(place))
    until(lambda: not reaches(net), 20, "blocked in the end")
    until(lambda: "pending" not in applied(net), 20, "the timer")


def policy_comes_by_apply(net, backend):
    """To confirm, remove or take back brings no policy into force."""
    add_second(net)
    words = ("--backend", backend, "--timeout")
    write_both(net, [ALLOWED + ":443"], [ALLOWED + ":443"])
    firewall(net, "apply", SECOND, *words, "0")
    firewall(net, "apply", AGENT, *words, "60")
    write_both(net, [REFUSED + ":443"], [REFUSED + ":443"])
    firewall(net, "confirm", AGENT)
    check(reaches(net), "confirmed, and not what was applied")
    check(not reaches(net, REFUSED), "confirmed with another policy")
    check(not reaches(net, REFUSED, user=SECOND_UID), "and the other one")
    firewall(net, "apply", SECOND, "--remove")
    check(not reaches(net, REFUSED), "another was removed")


def a_unit_is_no_start(net, backend):
    """Starting the unit of the boot takes back nothing that still waits; where
    the rules are gone it does."""
    apply(net, backend, timeout=30)
    firewall(net, "apply", "--boot")
    check(reaches(net) and "pending" in applied(net), "it was taken back")
    firewall(net, "confirm", AGENT)
    apply(net, backend, timeout=30)
    rules.flush(net, backend)
    firewall(net, "apply", "--boot")
    check(not reaches(net) and "pending" not in applied(net), "a start")


SYSTEMCTL = """#!/bin/sh
echo "$@" >> /var/systemctl
case "$*" in
*is-active*) test -e /var/runs ;;
*--now*) touch /var/runs ;;
esac
"""


def a_fresh_machine(net, backend):
    """apply installs the service without zones, whole: its configuration, its
    accounts, its unit with what that needs; and says when it is to be told."""
    prefix = net.folder / "usr"
    share = prefix / "share" / "trizone" / "agent"
    (prefix / "bin").mkdir(parents=True)
    share.mkdir(parents=True)
    program = prefix / "bin" / "trizone-executor"
    shutil.copy(rules.EXECUTOR, program)
    shutil.copy(harness.ROOT / "vm" / "agent" / "executor.conf", share)
    fake = net.folder / "systemctl"
    fake.write_text(SYSTEMCTL)
    fake.chmod(0o755)
    net.host("mount", "--bind", fake, shutil.which("systemctl"))
    net.host("mkdir", "-p", "/run/systemd/system")
    net.host("rm", "-rf", "/etc/trizone", DROP_IN)
    words = ("firewall", "apply", AGENT, "--backend", backend, "--timeout",
             "0", "--allow", ALLOWED + ":443")
    out = net.host(program, *words).stdout.decode()
    check("started trizone-executor.service" in out, "%s", out)
    equal(net.inside(DROP_IN).read_bytes(),
          (share / "executor.conf").read_bytes(), "the drop-in")
    for word in ("daemon-reload", "enable trizone-firewall.service",
                 "enable --now trizone-executor.service"):
        check(word in net.inside("/var/systemctl").read_text(), "not %s", word)
    passwd = net.inside("/etc/passwd").read_text()
    for role in ("auditor", "resolver", "blocked"):
        check("\ntrizone-%s:" % role in passwd, "no account for %s", role)
    out = net.host(program, *words).stdout.decode()
    check("restart" in out and "started" not in out, "%s", out)
    # beside the unit's own configuration nothing of it is touched
    net.host("rm", "-rf", "/var/systemctl", DROP_IN)
    other = "/etc/other/mine.json"
    net.host(program, *words, "--config", other)
    check(net.inside(other).exists(), "no " + other)
    check(not net.inside("/var/systemctl").exists() and
          not net.inside(DROP_IN).exists(), "units of another configuration")


def seen_from_the_unit(net, backend):
    """The service's unit has nothing but processes in /proc: IPv6 counts there
    too, for what is lost as for what is loaded."""
    apply(net, backend, allow=[ALLOWED + ":443", "[2600:8::1]:443"])
    net.host("mount", "-t", "proc", "-o", "subset=pid", "proc", "/proc")
    equal(firewall(net, "apply", "--restore").stdout, b"", "nothing to do")
    for lost in ((("ip", "-6", "rule", "flush", "table", "5353"),)
                 if backend == "nft" else
                 (("ip6tables", "-F"), ("ip6tables", "-t", "nat", "-F"))):
        net.host(*lost)
        check(b"put back" in firewall(net, "apply", "--restore").stdout,
              "after %r", lost)
    check(not reaches(net, "2600:9::1"), "IPv6 is open")
    check(reaches(net, "2600:8::1"), "allowed")


CASES = [others_do_not_confirm, taking_back_is_tried_again,
         policy_comes_by_apply, a_unit_is_no_start, seen_from_the_unit, a_fresh_machine]


def suite_of(suite):
    for backend, programs in BACKENDS.items():
        missing = [name for name in programs if shutil.which(name) is None]
        for case in CASES:
            def one(case=case, backend=backend, missing=missing):
                if missing:
                    raise harness.Skipped("no " + missing[0])
                if case is a_fresh_machine and not shutil.which("systemctl"):
                    raise harness.Skipped("no systemctl")
                with Network() as net:
                    case(net, backend)
            suite.case("%s: %s" % (backend, case.__name__.replace("_", " ")),
                       one)


if __name__ == "__main__":
    rules.EXECUTOR = (pathlib.Path(harness.folder_of_programs()) /
                      "trizone-executor")
    if fwnet.why_not() is not None:
        print("skipped: " + fwnet.why_not())
        sys.exit(77)
    harness.main(suite_of)
