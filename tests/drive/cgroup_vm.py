#!/usr/bin/env python3
"""Control groups with a real kernel: in a virtual machine, as this one's may
have its controllers elsewhere.

usage: cgroup_vm.py BIN [KERNEL]

The kernel is Debian's for clouds, from the package linux-image-cloud-amd64 (it
is unpacked, not installed), the rest is our programs and BusyBox. Started with
QEMU, without network and disk. Also shows the locks of that kernel, which is
older than many. Skips where one of these is missing.
"""
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess

import harness
from harness import ACCOUNTS, check, equal, main

SECONDS = 240  # by emulation
TOOLS = ("qemu-system-x86_64", "busybox", "cpio", "dpkg-deb", "apt-get")

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


def copy_with_libraries(program, root, name=None):
    target = root / "bin" / (name or program.name)
    shutil.copy(program, target)
    done = harness.run(["ldd", program])
    for path in re.findall(r"(/\S+) \(0x", done.stdout.decode()):
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copy(path, place)


def kernel(folder):
    """Unpacked from Debian's package."""
    done = harness.run(["apt-cache", "depends", "linux-image-cloud-amd64"])
    name = re.search(r"Depends: (\S+)", done.stdout.decode())
    if not name:
        return None
    harness.run(["apt-get", "download", "-q", name.group(1)], seconds=300,
                cwd=folder)
    packages = list(folder.glob("linux-image*.deb"))
    if not packages:
        return None
    harness.run(["dpkg-deb", "-x", packages[0], folder / "kernel"])
    return next((folder / "kernel" / "boot").glob("vmlinuz*"), None)


def image(folder, programs):
    root = folder / "root"
    for name in ("bin", "etc", "lib", "lib64", "usr", "new", "proc", "sys",
                 "dev", "tmp", "run"):
        (root / name).mkdir(parents=True)
    busybox = shutil.which("busybox")
    copy_with_libraries(pathlib.Path(busybox), root, "busybox")
    for applet in harness.run([busybox, "--list"]).stdout.decode().split():
        if not (root / "bin" / applet).exists():
            (root / "bin" / applet).symlink_to("busybox")
    for name in ("executor", "planner", "reader"):
        copy_with_libraries(programs / ("trizone-" + name), root)
    for keygen in ("age-keygen", "rage-keygen"):
        if shutil.which(keygen):
            copy_with_libraries(pathlib.Path(shutil.which(keygen)), root,
                                "age-keygen")
    copy_with_libraries(programs / "hog", root)
    shutil.move(root / "bin" / "hog", root / "hog")
    (root / "etc" / "passwd").write_text(
        "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    (root / "etc" / "group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (root / "init").write_text(INIT.replace(
        "ACCOUNTS", json.dumps(ACCOUNTS).replace("'", "")))
    (root / "init").chmod(0o755)
    packed = folder / "initrd"
    with open(packed, "wb") as out:
        subprocess.run("find . | cpio -o -H newc --quiet", shell=True,
                       cwd=root, stdout=out, check=True)
    return packed


def boot(folder, linux, packed):
    done = subprocess.run(
        ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-m", "1024",
         "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
         "-kernel", linux, "-initrd", packed, "-append",
         "console=ttyS0 quiet panic=-1 lsm=landlock"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS,
        check=False)
    text = done.stdout.decode(errors="replace").replace("\r", "")
    (folder / "console").write_text(text)
    check("== end" in text, "the machine did not come to its end: %s",
          text[-3000:])


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
    missing = [name for name in TOOLS if not shutil.which(name)]
    if missing or platform.machine() != "x86_64":
        print("skipped: no %s" % " ".join(missing or ["x86_64"]))
        raise SystemExit(77)
    folder = pathlib.Path(harness.tempfile.mkdtemp(prefix="trizone-vm."))
    folder.chmod(0o755)
    try:
        linux = kernel(folder)
        if linux is None:
            print("skipped: no package linux-image-cloud-amd64 to be had")
            raise SystemExit(77)
        packed = image(folder, harness.folder_of_programs())
        suite.case("a machine", boot, folder, linux, packed)
        text = (folder / "console").read_text()
        suite.case("as root", as_root, text)
        suite.case("a fork bomb in a group", contained, text)
        suite.case("as an ordinary user", as_user, text)
    finally:
        if os.environ.get("TRIZONE_KEEP"):
            print("kept: %s" % folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(body)
