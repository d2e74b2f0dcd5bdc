#!/usr/bin/env python3
"""Control groups with a real kernel: in a virtual machine, as this one's may
have its controllers elsewhere.

usage: cgroup_vm.py BIN

The machine is that of machine.py. Also shows the locks of its kernel, which is
older than many.
"""
import json
import pathlib
import re
import shutil

import harness
from harness import ACCOUNTS, check, equal, main
from machine import copy_with_libraries, in_machine, own_programs

INIT = r"""#!/bin/sh
export PATH=/bin
if [ "$1" != again ]; then
	mount -t tmpfs none /new
	cp -a /bin /etc /lib /lib64 /usr /init /hog /new/ 2>/dev/null
	mkdir -p /new/proc /new/sys /new/dev /new/tmp /new/run /new/var
	exec switch_root /new /init again
fi
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /var/tmp
chmod 1777 /tmp /var/tmp
G=/sys/fs/cgroup
echo "+memory +pids +cpu" > $G/cgroup.subtree_control
ip link set lo up
say() { echo "== $*"; }
limits() {
	for f in memory.max memory.swap.max pids.max cpu.max; do
		[ -e $1/$f ] && echo "limit $2 $f $(cat $1/$f)"
	done
}
group_of() { echo $G$(sed -n 's/^0:://p' /proc/$1/cgroup); }


say root
mkdir $G/service $G/zone
(
	echo 0 > $G/service/cgroup.procs
	D=/run/t
	trizone-executor init --no-accounts --dir $D.etc --state $D.state \
		--run $D.run >/dev/null
	chown 64803:64803 $D.state/files
	chown 64804:64804 $D.state/notify
	sed -i '1a "accounts": ACCOUNTS,' $D.etc/config.json
	exec trizone-executor run --config $D.etc/config.json
) 2>/tmp/executor.log &
i=0
until grep -q ev=ready /tmp/executor.log || [ $i = 100 ]; do
	i=$((i + 1)); sleep 0.2
done
(
	echo 0 > $G/zone/cgroup.procs
	exec trizone-executor attach --config /run/t.etc/config.json mail -- \
		trizone-reader run --channel stdio --user 64806
) 2>/tmp/reader.log &
sleep 3
trizone-executor status --config /run/t.etc/config.json --json | sed 's/^/status /'
for p in $(ps -o pid,args | sed -n 's/^ *\([0-9]*\).*--role.*/\1/p'); do
	g=$(group_of $p)
	limits $g $(basename $g)
done
for g in $G/zone/trizone-reader*; do
	limits $g reader
	echo "inside reader $(wc -l < $g/cgroup.procs)"
done
echo "left in service: $(cat $G/service/cgroup.procs | wc -l)"
sed 's/^/log /' /tmp/executor.log /tmp/reader.log

say hog
mkdir $G/hog
(
	echo 0 > $G/hog/cgroup.procs
	exec /hog fork 3 64850
) 2>/tmp/hog.log &
sleep 2
for g in $G/hog/trizone-reader*; do
	echo "hog pids $(cat $g/pids.current) of $(cat $g/pids.max)"
done
sed 's/^/log /' /tmp/hog.log

say user
mkdir -p $G/user
chown -R 65534 $G/user
chmod 755 /run
mkdir -m 755 /run/u
chown 65534 /run/u
(
	echo 0 > $G/user/cgroup.procs
	exec su nobody -s /bin/sh -c '
		cd /run/u
		trizone-executor init --dir /run/u/etc --state /run/u/state \
			--run /run/u/run >/dev/null
		exec trizone-executor run --config /run/u/etc/config.json'
) 2>/tmp/user.log &
i=0
until grep -q ev=ready /tmp/user.log || [ $i = 100 ]; do
	i=$((i + 1)); sleep 0.2
done
su nobody -s /bin/sh -c 'trizone-executor status --json \
	--config /run/u/etc/config.json' | sed 's/^/status /'
sed 's/^/log /' /tmp/user.log
say end
poweroff -f
"""


def fill(root):
    for name in ("bin", "etc", "lib", "lib64", "usr", "new", "proc", "sys",
                 "dev", "tmp", "run"):
        (root / name).mkdir(parents=True)
    own_programs(root)
    for keygen in ("age-keygen", "rage-keygen"):
        if shutil.which(keygen):
            copy_with_libraries(pathlib.Path(shutil.which(keygen)), root,
                                "age-keygen")
    copy_with_libraries(harness.folder_of_programs() / "hog", root)
    shutil.move(root / "bin" / "hog", root / "hog")
    (root / "etc" / "passwd").write_text(
        "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    (root / "etc" / "group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (root / "init").write_text(INIT.replace(
        "ACCOUNTS", json.dumps(ACCOUNTS).replace("'", "")))
    (root / "init").chmod(0o755)


def part(text, name):
    text = text[text.index("== %s\n" % name):]
    return text[:text.index("\n== ", 4)]


def processes(text):
    line = re.search(r"^status (.*)$", text, re.M)
    check(line, "no status: %s", text[-3000:])
    return json.loads(line.group(1))


def as_root(text):
    """Each role and the zone in a group of its own, with what was wanted."""
    text = part(text, "root")
    status = processes(text)
    for row in status["processes"]:
        if row["role"] != "parent":
            check("memory" in row["cgroup"] and "pids" in row["cgroup"],
                  "%s: %r\n%s", row["role"], row["cgroup"], text)
            check("limits" not in row["gap"], "%r", row["gap"])
    for role in ("broker", "auditor", "file", "notify"):
        limits = dict(re.findall(
            r"^limit trizone-%s-\d+ (\S+) (.*)$" % role, text, re.M))
        check(limits.get("memory.max", "max").isdigit() and
              limits.get("pids.max") == "32" and
              limits.get("memory.swap.max", "0") == "0", "%s: %r", role,
              limits)
    limits = dict(re.findall(r"^limit reader (\S+) (.*)$", text, re.M))
    equal(limits.get("pids.max"), "24", "pids of the reader")
    equal(limits.get("cpu.max"), "100000 100000", "cpu of the reader")
    zone = [row for row in status["zones"] if row["zone"] == "mail"][0]
    equal(zone["attestation"]["cgroup"], ["memory", "pids", "cpu"],
          "the reader's own words")
    return "Landlock ABI %d here" % zone["attestation"]["landlock"]


def contained(text):
    found = re.findall(r"^hog pids (\d+) of (\d+)$", part(text, "hog"), re.M)
    check(found, "no hog: %s", part(text, "hog"))
    now, most = (int(word) for word in found[0])
    check(1 < now <= most == 24, "%d processes of %d", now, most)
    return "%d processes" % now


def as_user(text):
    """The same for who was given a group."""
    text = part(text, "user")
    for row in processes(text)["processes"]:
        if row["role"] != "parent":
            check("memory" in row["cgroup"], "%s: %r %s\n%s", row["role"],
                  row["cgroup"], row["gap"], text)


def body(suite):
    with in_machine(suite, fill) as text:
        suite.case("as root", as_root, text)
        suite.case("a fork bomb in a group", contained, text)
        suite.case("as an ordinary user", as_user, text)


if __name__ == "__main__":
    main(body)
