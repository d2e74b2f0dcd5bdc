#!/usr/bin/env python3
"""Starting behind the firewall: units, plists, and the files that come with
them, and the examples of policies.

usage: account_units.py BIN

systemd-analyze reads the units; the walls of an agent's unit that matter here
are put up by hand and tried. Linux; what is not there is skipped.
"""
import json
import plistlib
import re
import shutil
import tempfile
import pathlib

import fwnet
import harness
import units
from fwservice import Service, connect
from harness import Skipped, check, equal, run, until

UNITS = harness.ROOT / "vm" / "systemd"
PLISTS = harness.ROOT / "vm" / "launchd"
AGENT = harness.ROOT / "vm" / "agent"
EXAMPLES = harness.ROOT / "docs" / "examples" / "firewall"
BARS = {"trizone-firewall": 2.9, "trizone-agent@": 2.0}


def text_of(unit):
    return (UNITS / (unit + ".service")).read_text()


def lines_of(unit, key):
    return re.findall(r"^%s=(.*)$" % key, text_of(unit), re.M)


def instance(folder, unit):
    """The unit as systemd-analyze takes it, with programs that are there."""
    name = unit + ("moltbot" if unit.endswith("@") else "") + ".service"
    path = pathlib.Path(folder, name)
    path.write_text(text_of(unit))
    return path


def units_are_known():
    if shutil.which("systemd-analyze") is None:
        raise Skipped("no systemd-analyze")
    said = []
    with tempfile.TemporaryDirectory() as folder:
        for unit, bar in BARS.items():
            path = instance(folder, unit)
            done = run(["systemd-analyze", "verify", path])
            wrong = [line for line in done.stderr.decode().splitlines()
                     if re.search(r"Unknown|ignoring|Failed to parse", line)]
            check(not wrong, "%r", wrong)
            done = run(["systemd-analyze", "security", "--offline=true", path])
            score = float(re.search(r"exposure level for \S+: ([\d.]+)",
                                    done.stdout.decode()).group(1))
            check(score <= bar, "%s has %g, at most %g", unit, score, bar)
            said.append("%s %g" % (unit, score))
    return ", ".join(said)


def order_is_right():
    """Rules before the network; the agent after rules and service, and only
    with them."""
    unit = text_of("trizone-firewall")
    check("network-pre.target" in " ".join(
        lines_of("trizone-firewall", "Before")), "not before the network")
    check("DefaultDependencies=no" in unit, "it waits for what is later")
    equal(lines_of("trizone-firewall", "ExecStop"), [], "rules are dropped")
    agent = "trizone-agent@"
    check("trizone-firewall.service" in lines_of(agent, "Requires"),
          "starts without rules")
    equal(lines_of(agent, "BindsTo"), ["trizone-executor.service"], "BindsTo")
    after = " ".join(lines_of(agent, "After"))
    check("trizone-firewall.service" in after
          and "trizone-executor.service" in after, "After=%s", after)
    check(lines_of(agent, "ExecStartPre")[0].startswith("+"),
          "the check does not run as root")
    equal(lines_of(agent, "User"), ["%i"], "User")


def agent_is_alone():
    """What no rule sees is closed."""
    agent = "trizone-agent@"
    equal(lines_of(agent, "NoNewPrivileges"), ["yes"], "NoNewPrivileges")
    equal(lines_of(agent, "CapabilityBoundingSet"), [""], "capabilities")
    equal(set(lines_of(agent, "RestrictAddressFamilies")[0].split()),
          {"AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"}, "families")
    check("listen" in lines_of(agent, "SystemCallFilter")[0], "it may serve")
    equal(lines_of(agent, "TemporaryFileSystem"), ["/run:ro"], "/run")
    hidden = " ".join(lines_of(agent, "InaccessiblePaths"))
    for path in ("/var/spool", "/var/lib/docker", "/etc/trizone"):
        check("-" + path in hidden.split(), "%s is in sight", path)
    for name in ("resolv.conf", "nsswitch.conf"):
        check("/usr/share/trizone/agent/%s:/etc/%s" % (name, name) in
              lines_of(agent, "BindReadOnlyPaths"), "no %s of its own", name)


def files_of_an_agent():
    servers = re.findall(r"^nameserver (\S+)$",
                         (AGENT / "resolv.conf").read_text(), re.M)
    equal(servers, ["127.0.0.1"], "servers")
    hosts = re.search(r"^hosts:\s*(.*)$",
                      (AGENT / "nsswitch.conf").read_text(), re.M).group(1)
    equal(hosts.split(), ["files", "dns"], "hosts")


def plists_are_read():
    for name in ("trizone.agent.plist", "trizone.executor.plist",
                 "trizone.firewall.plist"):
        with open(PLISTS / name, "rb") as file:
            plist = plistlib.load(file)
        words = plist["ProgramArguments"]
        equal(words[0], "/usr/local/bin/trizone-executor", name)
        check(plist["Label"].startswith("trizone."), "%s: %s", name,
              plist["Label"])
        equal(plist["Umask"], 0o077, "Umask")
        check("UserName" not in plist, "%s: launchd would become the user "
              "before the rules were looked at", name)
        # launchd wants neither forks nor sessions of a service, so no shell
        check(not any(word in ("sh", "/bin/sh", "nohup") for word in words),
              "%r", words)
    with open(PLISTS / "trizone.agent.plist", "rb") as file:
        words = plistlib.load(file)["ProgramArguments"]
    equal(words[1:3] + words[4:6], ["firewall", "check", "--exec", "--"],
          "the starter")


def executor_serves_accounts():
    """The executor with the rights of its unit and of the drop-in, and no
    other: names are answered, rules that are taken away are put back."""
    if fwnet.why_not() is not None:
        raise Skipped(fwnet.why_not())
    rights = units.rights("trizone-executor") + re.findall(
        r"^CapabilityBoundingSet=(.+)$", (AGENT / "executor.conf").read_text(),
        re.M)[0].split()
    bounding = ",".join(["-all"] + ["+" + name[4:].lower()
                                    for name in rights])
    name = fwnet.AGENT
    with fwnet.Network() as net, Service(net, {name: ["api.test:443"]}) as s:
        net.dns.zone["api.test"] = fwnet.Answer(a=["11.8.0.1"])
        s.apply()
        s.start("setpriv", "--bounding-set", bounding, "--no-new-privs")
        equal(connect(net, "api.test")[0], "works", "a name")
        net.host("nft", "flush", "ruleset")
        until(lambda: b"trizone" in net.host("nft", "list", "tables").stdout,
              15, "rules are put back")
        equal(connect(net, "11.9.0.1")[0], "ECONNREFUSED", "another host")


def examples_are_good():
    paths = sorted(EXAMPLES.glob("*.json"))
    check(paths, "no examples")
    program = harness.folder_of_programs() / "trizone-executor"
    for path in paths:
        done = run([program, "policy", "lint", path])
        equal(done.returncode, 0, "%s: %r" % (path.name, done.stdout))
        for account in json.loads(path.read_text())["firewall"][
                "accounts"].values():
            for host in account["allow"]:
                name, port = host.rsplit(":", 1)
                check(port != "443" or not name.startswith("smtp."),
                      "mail by 443: %s", host)
                check(name != "api.slack.com", "the Web API is slack.com")
    return ", ".join(path.name for path in paths)


def body(suite):
    for case in (units_are_known, order_is_right, agent_is_alone,
                 files_of_an_agent, plists_are_read, executor_serves_accounts,
                 examples_are_good):
        suite.case(case.__name__.replace("_", " "), case)


if __name__ == "__main__":
    harness.main(body)
