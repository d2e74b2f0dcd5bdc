#!/usr/bin/env python3
"""An agent behind its firewall under a real systemd, in a virtual machine: it
starts with its rules and without what no rule sees, and ends with the
service.

usage: account_vm.py BIN

The machine is that of machine.py, with this system's systemd as its process 1
and the modules of its kernel that nft needs.
"""
import json
import pathlib
import re
import shutil

import harness
import machine
import units_vm
from harness import check, equal, main

TOOLS = (*units_vm.TOOLS, "nft", "ip", "depmod")
UNITS = ("trizone-executor.service", "trizone-firewall.service",
         "trizone-agent@.service")
ADDRESS, REFUSED, PORT = "10.55.0.1", "10.55.0.2", "8443"
ACCOUNT = "u agent 497 - /var/lib/agent /usr/sbin/nologin\n"

AGENT = r"""#!/bin/sh
export PATH=/bin
say() { echo "agent $*"; }
say user $(id -u) $(grep NoNewPrivs: /proc/self/status)
say allowed $(echo | nc -w 3 @ADDRESS@ @PORT@ >/dev/null 2>&1; echo $?)
say refused $(echo | nc -w 3 @REFUSED@ @PORT@ 2>&1)
say run $(ls -A /run) end
say resolver $(grep nameserver /etc/resolv.conf)
say spool $(ls /var/spool 2>&1)
say listen $(nc -l -p 7001 2>&1 </dev/null)
say config $(cat /etc/trizone/policy.json 2>&1)
say home $(pwd) $(touch mine && echo written) $(touch /etc/x 2>&1)
exec sleep 1000
""".replace("@ADDRESS@", ADDRESS).replace("@REFUSED@", REFUSED).replace(
    "@PORT@", PORT)

STEPS = r"""export PATH=/bin SYSTEMD_COLORS=0
A=trizone-agent@agent
within_60_s() {
	i=0
	until "$@" || [ $i = 40 ]; do i=$((i + 1)); sleep 0.5; done
}
state() { echo "state $1:" $(systemctl is-active trizone-firewall \
    trizone-executor $A); }
modprobe dummy
ip link add d0 type dummy
ip address add @ADDRESS@/32 dev d0
ip address add @REFUSED@/32 dev d0
ip link set d0 up
ip link set lo up
mkdir -p /srv && echo served > /srv/page
httpd -p @PORT@ -h /srv
systemd-sysusers
mkdir -m 0700 -p /var/lib/agent
chown agent:agent /var/lib/agent
trizone-executor firewall apply agent --timeout 0
echo "applied $?"
systemctl daemon-reload
systemctl start $A
within_60_s test -e /var/lib/agent/mine
sleep 1
state started
cat /var/said
systemctl stop trizone-executor
sleep 2
state stopped
echo "== end"
poweroff -f
""".replace("@ADDRESS@", ADDRESS).replace("@REFUSED@", REFUSED).replace(
        "@PORT@", PORT)


def modules(root):
    """The kernel's, with what they need."""
    source = next((root.parent / "kernel" / "lib" / "modules").iterdir())
    target = root / "usr" / "lib" / "modules" / source.name
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(
        "drivers", "sound", "fs"))
    for path in source.rglob("dummy.ko*"):
        shutil.copy(path, target)
    harness.run(["depmod", "-b", root / "usr", source.name])


def fill(root):
    units_vm.skeleton(root)
    units_vm.units(root)
    modules(root)
    for path in units_vm.PROGRAMS:
        if path.exists():
            machine.copy_with_libraries(path, root)
            shutil.move(root / "bin" / path.name,
                        root / "usr" / "lib" / "systemd" / path.name)
    for name in TOOLS:
        machine.copy_with_libraries(pathlib.Path(shutil.which(name)), root)
    machine.own_programs(root)
    # the kernel loads what nft asks for
    (root / "usr" / "sbin" / "modprobe").symlink_to("../bin/modprobe")
    folder = root / "usr" / "lib" / "systemd" / "system"
    for name in UNITS:
        shutil.copy(harness.ROOT / "vm" / "systemd" / name, folder)
    for name in ("network-pre", "network-online", "network"):
        shutil.copy(units_vm.SYSTEMD / "system" / (name + ".target"), folder)
    (root / "usr" / "lib" / "sysusers.d" / "agent.conf").write_text(ACCOUNT)
    share = root / "usr" / "share" / "trizone" / "agent"
    share.mkdir(parents=True)
    for path in (harness.ROOT / "vm" / "agent").iterdir():
        shutil.copy(path, share)
    drop_in = root / "etc/systemd/system/trizone-executor.service.d"
    drop_in.mkdir()
    shutil.copy(share / "executor.conf", drop_in / "firewall.conf")
    agent = root / "etc/systemd/system/trizone-agent@.service.d"
    agent.mkdir()
    for folder in (drop_in, agent):
        (folder / "console.conf").write_text(
            "[Service]\nStandardOutput=append:/var/said\n"
            "StandardError=append:/var/said\n")
    # as where systemd-resolved is: a link into what the agent does not see
    (root / "etc" / "resolv.conf").symlink_to("/run/systemd/resolve/stub")
    shutil.copy("/etc/protocols", root / "etc")
    (root / "etc" / "nsswitch.conf").write_text("hosts: files dns\n")
    libexec = root / "usr" / "local" / "libexec" / "trizone"
    libexec.mkdir(parents=True)
    (libexec / "agent").write_text(AGENT)
    (libexec / "agent").chmod(0o755)
    (root / "var" / "spool").mkdir()
    (root / "etc" / "trizone").mkdir()
    (root / "etc" / "trizone" / "config.json").write_text(json.dumps(
        {"version": 1, "state": "/var/lib/trizone", "run": "/run/trizone",
         "policy": "policy.json", "resolver": {"servers": [REFUSED]}}))
    (root / "etc" / "trizone" / "policy.json").write_text(json.dumps(
        {"version": 1, "firewall": {"accounts": {
            "agent": {"allow": [ADDRESS + ":" + PORT]}}}}))
    (root / "root" / "steps").write_text(STEPS)
    (root / "init").write_text(units_vm.INIT.replace(
        "mkdir /new/proc", "mkdir /new/srv /new/proc"))
    (root / "init").chmod(0o755)


def said(text, word):
    found = re.search(r"^agent %s(.*)$" % word, text, re.M)
    check(found, "no word of the agent about %s: %s", word, text[-4000:])
    return found.group(1).strip()


def starts(text):
    check("applied 0" in text, "apply: %s", text[-3000:])
    equal(said(text, "user"), "497 NoNewPrivs: 1", "user")
    equal(said(text, "allowed"), "0", "an allowed host")
    check("refused" in said(text, "refused"), "a refused one: %s",
          said(text, "refused"))


def sees_little(text):
    check("docker" not in said(text, "run"), "run")
    words = said(text, "run").split()
    check(set(words) <= {"systemd", "end"}, "/run has %r", words)
    equal(said(text, "resolver"), "nameserver 127.0.0.1", "resolver")
    for word in ("spool", "config"):
        check(re.search("denied|No such", said(text, word)), "%s: %s", word,
              said(text, word))
    check("not permitted" in said(text, "listen"), "it serves: %s",
          said(text, "listen"))
    home = said(text, "home")
    check(home.startswith("/var/lib/agent written"), "home: %s", home)
    check("Read-only" in home or "denied" in home, "/etc: %s", home)


def state(text, name, want):
    found = re.search(r"^state %s: (.*)$" % name, text, re.M)
    check(found, "%s: %s", name, text[-4000:])
    words = found.group(1).split()
    check(all(re.fullmatch(b, a) for a, b in zip(words, want)),
          "%s: %r, wanted %r: %s", name, words, want, text[-4000:])


def body(suite):
    with machine.in_machine(suite, fill, TOOLS,
                            units_vm.PROGRAMS[:1]) as text:
        suite.case("it starts behind its rules", starts, text)
        suite.case("it sees its home, and no helper", sees_little, text)
        for words, name, want in (
                ("all run", "started", ["active"] * 3),
                ("it ends with the service", "stopped",
                 ["active", "inactive", "inactive"])):
            suite.case(words, state, text, name, want)


if __name__ == "__main__":
    main(body)
