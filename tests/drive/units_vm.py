#!/usr/bin/env python3
"""The units under a real systemd, in a virtual machine: what they serve, and
who comes back after what.

usage: units_vm.py BIN

The machine is that of machine.py, with this system's systemd as its process
1.
"""
import json
import pathlib
import re
import shutil

import harness
from harness import check, equal, main
from machine import copy_with_libraries, in_machine, own_programs

UNITS = ("trizone-executor", "trizone-reader-mail", "trizone-planner")
SYSTEMD = pathlib.Path("/lib/systemd")
PROGRAMS = [SYSTEMD / name for name in (
    "systemd", "systemd-executor", "systemd-journald", "systemd-shutdown")]
TOOLS = ("systemctl", "systemd-sysusers", "journalctl", "age-keygen")
TARGETS = ("multi-user", "basic", "sysinit", "sockets", "timers", "paths",
           "slices", "local-fs", "local-fs-pre", "shutdown", "umount")
JOURNAL = ("systemd-journald.service", "systemd-journald.socket",
           "systemd-journald-dev-log.socket")

INIT = """#!/bin/sh
export PATH=/bin
mount -t tmpfs none /new
cp -a /bin /etc /lib /lib64 /root /sbin /usr /var /new/
mkdir /new/proc /new/sys /new/dev /new/run
mkdir -m 1777 /new/tmp
exec switch_root /new /lib/systemd/systemd
"""

STEPS = r"""export PATH=/bin SYSTEMD_COLORS=0
UNITS="@UNITS@"
C=/etc/trizone/config.json
within_30_s() { # of tries: the machine is slow
	i=0
	until "$@" || [ $i = 60 ]; do i=$((i + 1)); sleep 0.5; done
}
all_up() {
	for unit in $UNITS; do
		systemctl -q is-active $unit || return 1
	done
}
told() { # what systemd heard of the executor
	systemctl show -p Type -p ActiveState -p StatusText trizone-executor |
		tr '\n' ' ' | sed "s/^/told $1: /"
	echo
}
state() { echo "state $1:" $(systemctl is-active $UNITS); }
later() { within_30_s all_up; sleep 3; within_30_s all_up; state $1; }
refused() { systemctl show -p StatusText trizone-executor | grep -q refused; }
is_done() { trizone-executor inbox list | grep -q ' done '; }

systemd-sysusers
trizone-executor init > /root/said || poweroff -f
grep made /root/said
ls -l /etc/trizone/rules.json | sed 's/^/rules /'
systemctl -q enable $UNITS
systemctl start trizone-executor
# it is up only when it serves: the command came back, so it has to answer
told start
trizone-executor status > /dev/null && echo "answers at once"
later start
systemctl reload trizone-executor && told reload
cp /etc/trizone/policy.json /root/policy
echo '{' > /etc/trizone/policy.json
systemctl reload trizone-executor
within_30_s refused
told refused
cat /root/policy > /etc/trizone/policy.json
systemctl reload trizone-executor
trizone-executor deliver mail < /root/mail
within_30_s is_done
trizone-executor inbox list | sed 's/^/inbox /'
trizone-executor status --json | sed 's/^/status /'

systemctl stop trizone-executor
sleep 1
state stopped
systemctl start trizone-executor
later started

systemctl kill -s KILL trizone-executor
sleep 1
later killed

sed -i 's/"version": 1/"version": 9/' $C
systemctl kill -s KILL trizone-executor
within_30_s systemctl -q is-failed trizone-executor
sleep 1
state broken
sed -i 's/"version": 9/"version": 1/' $C
systemctl reset-failed trizone-executor
systemctl start trizone-executor
later mended

for i in 1 2 3 4 5 6 7; do
	systemctl kill -s KILL trizone-reader-mail
	sleep 0.7
done
later reader
journalctl --no-pager -o cat | tail -40 | sed 's/^/log /'
echo "== end"
poweroff -f
""".replace("@UNITS@", " ".join(UNITS))

STEPS_UNIT = """[Service]
Type=oneshot
ExecStart=/bin/sh /root/steps
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
"""


def skeleton(root):
    """Folders of a system with one /usr, and who root is."""
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to("usr/" + name)
    for name in ("etc/systemd/system/multi-user.target.wants", "new", "root",
                 "usr/lib/sysusers.d", "usr/lib/systemd/system", "var/lib",
                 "var/tmp"):
        (root / name).mkdir(parents=True)
    (root / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (root / "etc" / "group").write_text("root:x:0:\n")
    (root / "etc" / "machine-id").write_text("0123456789abcdef" * 2 + "\n")


def units(root):
    folder = root / "usr" / "lib" / "systemd" / "system"
    for name in (*(name + ".target" for name in TARGETS), *JOURNAL):
        shutil.copy(SYSTEMD / "system" / name, folder)
    for name in UNITS:
        shutil.copy(harness.ROOT / "vm" / "systemd" / (name + ".service"),
                    folder)
    shutil.copy(harness.ROOT / "vm" / "sysusers" / "trizone.conf",
                root / "usr" / "lib" / "sysusers.d")
    (folder / "steps.service").write_text(STEPS_UNIT)
    (root / "root" / "steps").write_text(STEPS)
    own = root / "etc" / "systemd" / "system"
    for link, target in (("default.target", "multi-user.target"),
                         ("multi-user.target.wants/steps.service",
                          "steps.service")):
        (own / link).symlink_to("/usr/lib/systemd/system/" + target)


def programs(root):
    for path in PROGRAMS:
        if path.exists():
            copy_with_libraries(path, root)
            shutil.move(root / "bin" / path.name,
                        root / "usr" / "lib" / "systemd" / path.name)
    for name in TOOLS:
        copy_with_libraries(pathlib.Path(shutil.which(name)), root)
    own_programs(root)


def fill(root):
    skeleton(root)
    units(root)
    programs(root)
    (root / "root" / "mail").write_bytes(harness.mail("under systemd"))
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)


def served(text):
    """One mail; each process with what its unit leaves it."""
    check(re.search(r"^inbox msg:1 +done .* 1 of 1 calls done$", text, re.M),
          "no mail was served: %s", text[-3000:])
    check(not re.search("^made ", text, re.M), "init makes what there is")
    status = json.loads(re.search(r"^status (.*)$", text, re.M).group(1))
    for row in status["processes"]:
        equal(row["network"], "none", row["role"])
        if row["role"] != "parent":
            check(row["own_root"] and "memory" in row["cgroup"] and
                  "pids" in row["cgroup"] and not row["gap"], "%r", row)
            check(450 <= row["uid"] < 456, "%r", row)
    for zone, user in (("planner", 454), ("mail", 455)):
        row = next(row for row in status["zones"] if row["zone"] == zone)
        said = row["attestation"]
        equal((said["uid"], said["gid"], said["network"], said["bounding"]),
              (user, user, "none", "0" * 16), zone)
        check(said["probes"] > 15 and said["landlock"] > 0, "%r", said)


def told(text):
    """systemd knows when it serves, and what came of a reload."""
    check("\nanswers at once\n" in text, "not ready when it says so")
    rows = dict(re.findall(r"^told (\w+): (.*?) *$", text, re.M))
    for name, words in (("start", "serves 2 zones, 2 couriers"),
                        ("reload", "serves 2 zones, 2 couriers"),
                        ("refused", "the last reload was refused: ")):
        for word in ("Type=notify", "ActiveState=active", words):
            check(word in rows.get(name, ""), "%s: %r", name, rows)
    check(re.search(r"^rules -rw------- .* root +root ", text, re.M),
          "the rules are not root's alone")


def state(text, name, want):
    """Of executor, reader and planner."""
    found = re.search(r"^state %s: (.*)$" % name, text, re.M)
    check(found, "%s: %s", name, text[-3000:])
    equal(found.group(1).split(), want, "%s: %s" % (name, text[-3000:]))


def body(suite):
    with in_machine(suite, fill, TOOLS, PROGRAMS[:1]) as text:
        up, down = ["active"] * 3, ["inactive"] * 2
        suite.case("served", served, text)
        suite.case("told", told, text)
        for words, name, want in (
                ("the executor brings its zones", "start", up),
                ("and ends them", "stopped", ["inactive"] + down),
                ("and brings them again", "started", up),
                ("all come back when it is killed", "killed", up),
                ("none serves when it cannot", "broken", ["failed"] + down),
                ("all do when it is mended", "mended", up),
                ("a reader that ends often", "reader", up)):
            suite.case(words, state, text, name, want)


if __name__ == "__main__":
    main(body)
