#!/usr/bin/env python3
"""Zones in containers, by the podman of this machine.

usage: container.py [BIN]

As root, in a mount namespace of its own with control groups of the second
version alone, as rootless podman wants them. Needs podman and crun and is
skipped without.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import sys

import harness
from harness import check, equal, run, until
from zone_command import Zones

ROOT = pathlib.Path(__file__).resolve().parents[2]
INSIDE = "TRIZONE_CONTAINER_INSIDE"
PREPARE = """
set -e
mount --make-rshared /
umount -l /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
! command -v catatonit >/dev/null || set -- catatonit -- "$@"
exec "$@"
"""


def enter():
    """Go on in namespaces of our own, or say why not."""
    missing = [name for name in ("podman", "crun", "unshare", "setpriv")
               if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        print("skipped: %s" % (
            "no " + " ".join(missing) if missing else "not root"))
        sys.exit(77)
    if INSIDE not in os.environ:
        # with processes of our own too, which end with us; their small
        # numbers make paths that podman takes
        os.execvpe("unshare", ["unshare", "-m", "--pid", "--fork",
                               "--kill-child", "--mount-proc", "sh", "-c",
                               PREPARE, "sh", sys.executable, "-B",
                               *sys.argv],
                   dict(os.environ, **{INSIDE: "1"}))


class Containers(Zones):
    """What vm/zone starts, by podman or by what stands in for it."""

    def __init__(self, tools=None, **zones):
        super().__init__(**zones)
        (self.folder / "seccomp").symlink_to(
            harness.folder_of_programs().parent / "seccomp")
        self.tools = self.folder / "tools"
        self.tools.mkdir()
        for name, text in (tools or {}).items():
            self.put_tool(name, text)

    def put_tool(self, name, text):
        (self.tools / name).write_text(text)
        (self.tools / name).chmod(0o755)

    def zone(self, command, *words, **more):
        if "--provider" not in words:
            words = ("--provider", "container", *words)
        return super().zone(command, *words, path=str(self.tools), **more)

    def faults(self, zone):
        """What doctor finds, but for limits that this machine cannot have."""
        text = self.zone("doctor", zone).stdout.decode()
        return [line for line in text.splitlines() if "fault: " in line
                and "nobody limits its memory" not in line]


def whole_way():
    with Containers() as host:
        host.start()
        text = host.up()
        for zone in ("planner", "mail"):
            check("%s: up by container" % zone in text, "%s", text)
        machine = json.loads(host.machine("mail").read_text())
        equal((machine["provider"], machine["isolation"],
               len(machine["image"])), ("container", "container", 64),
              "announced")
        check("net" in machine["namespaces"], "%r", machine)
        handle = host.deliver((ROOT / "vm" / "sample.eml").read_bytes())
        until(lambda: host.items()[handle]["state"] == "done", 60, "done")
        attested = host.zone_status("mail")["attestation"]
        equal((attested["uid"], attested["network"], attested["interfaces"],
               attested["profile"]), (64806, "none", 0, "release"),
              "attested")
        equal(host.faults("mail"), [], "doctor")
        equal(host.zone("down").returncode, 0, "down")
        until(lambda: all(host.zone_status(zone)["channels"] == 0
                          for zone in ("planner", "mail")), 20, "channels")
        left = run(["ps", "-Ao", "args="]).stdout.decode()
        check(str(host.folder) not in "\n".join(
            line for line in left.splitlines() if "conmon" in line), "%s",
            left)
        # not by chance, as another podman may have another one as its own
        conf = ROOT / "vm" / "container" / "containers.conf"
        check('\nruntime = "crun"\n' in conf.read_text(), "no runtime")
        equal(run(["podman", "info", "--format", "{{.Host.OCIRuntime.Name}}"],
                  env=harness.environment(CONTAINERS_CONF=str(conf))
                  ).stdout.strip(), b"crun", "runtime")


def same_image():
    """Made twice from the same files it is the same to the byte."""
    with Containers() as host:
        host.start()
        host.up("mail")
        first = json.loads(host.machine("mail").read_text())["image"]
        host.zone("down", "mail")
        shutil.rmtree(host.folder / "machines")
        host.up("mail")
        second = json.loads(host.machine("mail").read_text())["image"]
        equal(second, first, "image")


ESCAPES = """
for name in /sys/class/net/*; do echo "interface ${name##*/}"; done
id -u
touch /x 2>&1; touch /tmp/x 2>&1; touch /etc/x 2>&1
ls /mnt /home /root /var 2>&1 | head -n 3
mount -t tmpfs none /mnt 2>&1
mknod /dev/mem2 c 1 1 2>&1
ping -c 1 -W 1 127.0.0.2 2>&1 | tail -n 1
wget -T 2 -O - http://198.51.100.1/ 2>&1
kill -9 1 2>&1
cat /proc/1/status | grep -E 'CapEff|NoNewPrivs|Seccomp:'
grep -c . /proc/self/uid_map; cat /proc/self/uid_map
"""


def from_inside():
    if run(["ldd", shutil.which("busybox") or "/"]).returncode == 0:
        harness.absent("static busybox")
    with Containers() as host:
        host.start()
        host.up("mail")
        done = run([ROOT / "vm" / "zone", "shell", "--config",
                    host.config_path, "--provider", "container", "mail"],
                   ESCAPES.encode(), env=harness.environment(
                       TRIZONE_BIN=str(host.programs),
                       TRIZONE_STATE=str(host.folder / "machines")))
        text = done.stdout.decode()
        lines = text.splitlines()
        equal([line for line in lines if line.startswith("interface")],
              ["interface lo"], text)
        check("64806" in lines, "%s", text)
        for wall in ("/x: Read-only file system",
                     "/etc/x: Read-only file system",
                     "CapEff:\t0000000000000000", "NoNewPrivs:\t1",
                     "Seccomp:\t2"):
            check(wall in text, "%s in %s", wall, text)
        check(any(line.split() == ["64806", "0", "1"] or
                  line.split() == ["64806", "64806", "1"]
                  for line in lines), "one user: %s", text)


BROKEN = """#!/bin/sh
# an engine that does not do what it is told
n=$#
while [ "$n" -gt 0 ]; do
	word=$1
	shift
	n=$((n - 1))
	case $word in
	%s
	*) set -- "$@" "$word" ;;
	esac
done
exec %s "$@"
"""


def broken(case):
    return BROKEN % (case, shutil.which("podman"))


def faults_are_named():
    """Each mistake by itself, in a set-up that is sound without."""
    shared = harness.short_folder()
    shared.chmod(0o755)
    try:
        with Containers() as host:
            host.start()
            for case, text in (
                    ("--read-only) ;;", "its files can be written"),
                    ("--hostname) set -- \"$@\" --volume %s:/mnt/shared "
                     "--hostname ;;" % shared,
                     "folders of this machine are in it: /mnt/shared"),
                    ("seccomp=*) set -- \"$@\" seccomp=unconfined ;;",
                     "it has no list of system calls around its own")):
                host.put_tool("podman", broken(case))
                host.up("mail")
                found = host.faults("mail")
                check(len(found) == 1 and "fault: " + text in found[0] and
                      "; mend: " in found[0], "%s: %r", text, found)
                host.zone("down", "mail")
    finally:
        shutil.rmtree(shared)


def extra_network():
    """A container in the machine's network does not serve: its program
    refuses to start, and says why."""
    with Containers({"podman": broken(
            "--network) shift; n=$((n - 1)); "
            "set -- \"$@\" --network host ;;")}) as host:
        host.start()
        done = host.zone("up", "mail")
        equal(done.returncode, 75, "up: %r" % done.stdout)
        check(b"a reader does not start where there is a network"
              in done.stderr, "%r", done.stderr)


def is_stale():
    with Containers() as host:
        host.start()
        host.up("planner")
        equal(host.faults("planner"), [], "doctor")
        host.rules.write_text(host.rules.read_text() + "\n")
        found = host.faults("planner")
        check(len(found) == 1 and "it runs from another image" in found[0],
              "%r", found)


def nothing_is_left():
    """A supervisor that was killed: its container serves on, and down ends
    it."""
    with Containers() as host:
        host.start()
        host.up("mail")
        os.kill(host.pid("mail"), signal.SIGKILL)
        until(lambda: b"no supervisor" in host.zone("status", "mail").stdout,
              20, "killed")
        equal(host.zone("down", "mail").returncode, 0, "down")
        until(lambda: host.zone_status("mail")["channels"] == 0, 20,
              "its channel")


def by_gvisor():
    """A zone that accepts no less than gVisor has it, or is not started; each
    of two of one account its own."""
    with Containers(mail={"isolation": "gvisor"}) as host:
        host.config["zones"]["mail"].update(channel=["mail"])
        host.config["zones"]["text"] = {
            "kind": "reader", "channel": "text", "isolation": "gvisor"}
        host.write_settings()
        host.start()
        if not shutil.which("runsc"):
            done = host.zone("up", "mail")
            equal(done.returncode, 69, "up: %r" % done.stderr)
            check(b"there is no runsc here" in done.stderr, "%r", done.stderr)
            return "refused, as there is no runsc"
        host.up("mail", "text")
        host.up("planner")
        noted = host.machine("mail").parent / "mail.instances"
        for path in noted.iterdir():
            os.kill(int(path.name), signal.SIGKILL)
        until(lambda: host.zone_status("mail")["machines"] == 2, 60,
              "the next one of mail")
        machine = json.loads(host.machine("mail").read_text())
        equal((machine["isolation"], len(machine["image"])), ("gvisor", 64),
              "announced")
        handle = host.deliver((ROOT / "vm" / "sample.eml").read_bytes())
        until(lambda: host.items()[handle]["state"] == "done", 60, "done")
        row = host.zone_status("mail")
        equal((row["attestation"]["uid"], row["attestation"]["network"]),
              (64806, "none"), "attested")
        equal(host.faults("mail"), [], "doctor")
        equal(host.zone("down", "mail", "text").returncode, 0, "down")
        left = run(["ps", "-Ao", "args="]).stdout.decode()
        check(str(host.folder) not in "\n".join(
            line for line in left.splitlines() if "runsc" in line), "%s",
            left)
        return "from announcement to hello %s ms" % row.get("boot_ms")


def long_path():
    """podman's clean-up takes no long path of its own folder."""
    with Containers() as host:
        host.config["run"] = str(host.folder / ("run" + "n" * 20))
        host.write_settings()
        pathlib.Path(host.config["run"]).mkdir()
        done = host.zone("up", "mail")
        equal(done.returncode, 69, "up: %r" % done.stdout)
        check(b"is too long for podman: choose a shorter" in done.stderr,
              "%r", done.stderr)


# A system that is this one with a layer over it, and its systemd as process 1.
# No chroot: in one there are no user namespaces.
SYSTEM = r"""
set -eu
place=$1
mount --make-rprivate /
mkdir "$place/layer"
mount -t tmpfs none "$place/layer"
cd "$place/layer"
mkdir up work system
mount -t overlay -o lowerdir=/,upperdir=up,workdir=work none system
cd system
rm -rf etc/systemd/system etc/trizone var/lib/trizone
(cd "$place/extra" && tar -cf - .) | tar -xf - --keep-directory-symlink
mkdir -p var/lib/trizone etc/systemd/system
for name in systemd-udevd systemd-udev-trigger systemd-networkd \
	systemd-timesyncd systemd-resolved systemd-logind systemd-journald \
	getty@tty1 console-getty; do
	ln -s /dev/null etc/systemd/system/$name.service
done
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 none sys/fs/cgroup
mount -t tmpfs -o mode=755 none dev
for name in null zero full random urandom tty; do
	: >dev/$name
	mount --bind /dev/$name dev/$name
done
ln -s /proc/self/fd dev/fd
mkdir dev/pts dev/shm old
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for folder in dev/shm tmp var/lib/trizone; do
	mount -t tmpfs none $folder
done
mount -t tmpfs -o mode=755 none run
chmod 711 var/lib/trizone
mkdir mnt/told
mount --bind "$place/told" mnt/told
pivot_root . old
cd /
umount -l /old
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --system --unit=steps.service
"""

STEPS_UNIT = """[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/sh /root/steps
ExecStopPost=/bin/systemctl --force exit 0
StandardOutput=append:/mnt/told/said
StandardError=append:/mnt/told/said
"""

LOGGED = """[Service]
StandardOutput=append:/mnt/told/zones
StandardError=append:/mnt/told/zones
"""

STEPS = r"""export PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_COLORS=0 SYSTEMD_PAGER=
systemd-sysusers
trizone-executor init >/dev/null
sed -i 's/"kind": "planner"/"provider": "process", &/
	s/"kind": "reader"/"provider": "container", &/
	s/\["mail", "text"\]/"mail" }, "text": { "provider": "microvm", \
		"kind": "reader", "channel": "text"/' /etc/trizone/config.json
systemctl start trizone-executor || exit
within() { # seconds COMMAND...
	i=$((4 * $1))
	shift
	until "$@"; do
		i=$((i - 1))
		[ "$i" -gt 0 ] || return 1
		sleep 0.25
	done
}
serves() { trizone-executor status | grep -q "^locked  *$1:"; }
is_done() { trizone-executor inbox list | grep -q ' done '; }
for zone in @ZONES@; do
	systemctl start trizone-zone@$zone
	within 40 serves $zone || exit
	echo "serves $zone"
	pid=$(systemctl show -p MainPID --value trizone-zone@$zone)
	cut -d ' ' -f 5 /proc/$pid/mountinfo | grep '^/proc/' |
		sed "s/^/over $zone /"
	/usr/lib/trizone/vm/zone doctor $zone | sed "s/^/doctor $zone: /"
done
trizone-executor deliver mail </root/mail
within 20 is_done && echo "a mail is done" || trizone-executor inbox list
systemctl stop 'trizone-zone@*'
echo "== end"
"""


def under_its_unit():
    """Zones by trizone-zone@, under all that it sets, with this machine's
    systemd. A newer one leaves the namespace's old /proc nowhere, so that no
    container has one when something lies over the unit's: nothing may."""
    if not pathlib.Path("/lib/systemd/systemd").exists():
        harness.absent("systemd")
    zones = {"mail": "container", "planner": "process"}
    if shutil.which("qemu-system-x86_64") and list(
            pathlib.Path("/boot").glob("vmlinuz-*cloud*")):
        zones["text"] = "microvm"
    place = harness.short_folder()
    try:
        extra = place / "extra"
        (place / "told").mkdir()
        equal(run(["cmake", "--install",
                   harness.folder_of_programs().parent, "--prefix", "/usr"],
                  env=harness.environment(DESTDIR=str(extra))).returncode, 0,
              "install")
        units = extra / "usr/lib/systemd/system"
        units.mkdir(parents=True, exist_ok=True)
        for path in (ROOT / "vm/systemd").iterdir():
            shutil.copy(path, units)  # the build may have another prefix
        (units / "steps.service").write_text(STEPS_UNIT)
        (units / "trizone-zone@.service.d").mkdir()
        (units / "trizone-zone@.service.d/log.conf").write_text(LOGGED)
        (extra / "root").mkdir()
        (extra / "root/mail").write_bytes(harness.mail("under its unit"))
        (extra / "root/steps").write_text(
            STEPS.replace("@ZONES@", " ".join(zones)))
        done = run(["unshare", "--mount", "--pid", "--fork", "--kill-child",
                    "--net", "--ipc", "--uts", "--cgroup", "sh", "-c", SYSTEM,
                    "sh", place], seconds=240)
        check((place / "told/said").exists(), "no systemd: %r", done)
        text = (place / "told/said").read_text()
        for line in (*("serves " + zone for zone in zones), "a mail is done",
                     "== end"):
            check("\n%s\n" % line in text, "%r is not in %s\n%s", line, text,
                  run(["tail", "-n", "20", place / "told/zones"]).stdout)
        for line in text.splitlines():
            check(not line.startswith("over "), "%s", line)
            check("fault: " not in line, "%s", line)
        return ", ".join(sorted(zones.values()))
    finally:
        shutil.rmtree(place)


SEES = """#!/bin/sh
# the environment that the account may read from here on
echo "${TRIZONE_TEST_SECRET-none} ${CONTAINERS_CONF-none}" >>%s
exec %s "$@"
"""


def nothing_of_the_environment():
    """Neither before nor after it is the account's."""
    with Containers(mail={"provider": "container"}) as host:
        host.start()
        told = host.folder / "told"
        host.put_tool("setpriv", SEES % (told, shutil.which("setpriv")))
        (host.folder / "machines" / (
            "containers.%d" % harness.ACCOUNTS["reader"])).mkdir(parents=True)
        (host.folder / "run" / "machines").mkdir(mode=0o711)
        done = host.zone("down", "mail", TRIZONE_TEST_SECRET="secret")
        equal(done.returncode, 0, "down: %r" % done.stderr)
        lines = told.read_text().splitlines()
        check(lines and all(re.fullmatch("none /.*/containers.conf", line)
                            for line in lines), "%r", lines)


LOOKS = """#!/bin/sh
# what another zone of the account starts with, while this one is asked
case $1 in
info)
	echo "$(cat %(ours)s/limits) $(sed -n 's/driver = //p' %(ours)s/storage.conf)" \
		>>%(told)s
	exec %(podman)s "$@"
	;;
*) exec %(podman)s "$@" ;;
esac
"""


def others_start_meanwhile():
    """What they read is there as it was until there is another."""
    with Containers() as host:
        host.start()
        host.up("mail")
        told = host.folder / "told"
        told.touch()
        told.chmod(0o666)
        host.folder.chmod(0o711)
        ours = host.folder / "machines" / (
            "containers.%d" % harness.ACCOUNTS["reader"])
        (ours / "limits").write_text("before\n")
        (ours / "storage.conf").write_text('driver = "another"\n')
        host.put_tool("podman", LOOKS % {
            "ours": ours, "told": told, "podman": shutil.which("podman")})
        equal(host.zone("down", "mail").returncode, 0, "down")
        host.up("mail")
        lines = told.read_text().splitlines()
        equal(lines[0], 'before "another"', "while the driver is tried")
        check(all(line.startswith("before ") for line in lines) and
              len(lines) > 1, "%r", lines)
        check((ours / "limits").read_text() in ("engine\n", "none\n",
                                                "scope\n"), "limits")
        equal([path.name for path in ours.iterdir() if "~" in path.name], [],
              "left")


# as BusyBox says it
UNKNOWN = """#!/bin/sh
echo "%s: unrecognized option '--%s'" >&2
exit 1
"""


def tools_that_are_missing():
    """Each is named, with what to install; BusyBox's do not do."""
    with Containers() as host:
        host.start()
        for name, option in (("setsid", "wait"), ("setpriv", "reuid")):
            host.put_tool(name, UNKNOWN % (name, option))
            done = host.zone("up", "mail")
            equal(done.returncode, 69, "%s: %r" % (name, done.stdout))
            check(b"there is no %s that knows --%s: install util-linux" % (
                name.encode(), option.encode()) in done.stderr, "%r",
                done.stderr)
            (host.tools / name).unlink()
        for place in os.environ["PATH"].split(":"):
            for path in pathlib.Path(place).glob("*"):
                if path.name != "crun" and not (
                        host.tools / path.name).exists():
                    (host.tools / path.name).symlink_to(path)
        done = run([ROOT / "vm" / "zone", "up", "--provider", "container",
                    "--config", host.config_path, "mail"],
                   env=harness.environment(
                       TRIZONE_BIN=str(host.programs), PATH=str(host.tools),
                       TRIZONE_STATE=str(host.folder / "machines")))
        equal(done.returncode, 69, "without crun: %r" % done.stdout)
        check(b"there is no crun, by which podman starts zones: install crun"
              in done.stderr, "%r", done.stderr)


DOCKER = """#!/bin/sh
# stands in for docker: a daemon that runs what it is asked for right here, and
# takes no option that docker has not
has() { # OPTIONS WORD...
	options=" $1 "
	shift 2
	for word in "$@"; do
		case $word in
		--*) case $options in
			*" ${word%%%%=*} "*) ;;
			*) echo "unknown flag: $word" >&2 && exit 125 ;;
			esac ;;
		*/trizone-*) break ;; # options of the program
		esac
	done
}
case $1 in
info) exit 0 ;;
build)
	has "--quiet --file --tag" "$@"
	echo sha256:1
	;;
image)
	has --format "$@"
	echo sha256:%s
	;;
images) has --format "$@" ;;
rmi) has "" "$@" ;;
ps)
	has "--all --quiet --filter" "$@"
	[ ! -e %s ] || echo 0123456789ab
	;;
rm)
	has --force "$@"
	rm %s
	;;
inspect) has --format "$@" ;;
run)
	has "--rm --interactive --network --read-only --cap-drop --security-opt \
--pull --log-driver --hostname --user --label --memory --cpus --memory-swap \
--pids-limit --ipc" "$@"
	printf '%%s\n' "$@" >>%s
	while [ "${1#/usr/bin/}" = "$1" ]; do shift; done
	program=%s/${1#/usr/bin/}
	shift
	exec "$program" "$@" --user 64806
	;;
esac
"""


def docker_where_podman_is_not():
    folder = harness.short_folder()
    try:
        log, left = folder / "words", folder / "left"
        with Containers({"docker": DOCKER % (
                "ab" * 32, left, left, log, harness.folder_of_programs())}) as host:
            host.start()
            done = host.zone("up", "mail", TRIZONE_CONTAINER_ENGINE="docker")
            equal(done.returncode, 0, "up: %r" % (done.stdout + done.stderr))
            check(b"warning: docker's daemon is root" in done.stdout, "%r",
                  done.stdout)
            words = log.read_text().split()
            for word in ("--network", "none", "--read-only", "--cap-drop",
                         "all", "no-new-privileges", "--memory", "256m",
                         "--pids-limit", "--log-driver", "64806:64806",
                         "ab" * 32):
                check(word in words, "%s in %r", word, words)
            check(any(word.startswith("seccomp=") for word in words), "%r",
                  words)
            text = host.zone("doctor", "mail",
                             TRIZONE_CONTAINER_ENGINE="docker").stdout
            check(b"fault: docker's daemon is root, and so is who may talk to "
                  b"it; mend: install podman" in text, "%r", text)
            left.touch()
            done = host.zone("down", "--dry-run", "mail",
                             TRIZONE_CONTAINER_ENGINE="docker")
            check(b"  docker rm --force 0123456789ab" in done.stdout and
                  left.exists(), "dry: %r", done)
            done = host.zone("down", "mail", TRIZONE_CONTAINER_ENGINE="docker")
            equal((done.returncode, left.exists()), (0, False),
                  "down: %r" % done.stderr)
    finally:
        shutil.rmtree(folder)


LIES = """#!/bin/sh
ps -o sid= -p $$ >>%(told)s
printf '%%s\n' "$*" >>%(told)s
case "$1 $2" in
"ps --all") printf '%%s\n' '*' --all ../x 0123456789ab ;;
"inspect --format") printf '1/../self\033[31m\n' ;;
"rm --force") read -r line && printf 'was typed: %%s\n' "$line" ;;
esac >&1
exit 0
"""


def engine_that_lies():
    """The account is a zone's, and its engine and files are the account's."""
    with Containers(mail={"provider": "container"}) as host:
        host.start()
        told = host.folder / "told"
        told.touch()
        told.chmod(0o666)
        host.folder.chmod(0o711)
        host.put_tool("podman", LIES % {"told": told})
        host.tools.chmod(0o755)
        user = harness.ACCOUNTS["reader"]
        (host.folder / "machines" / ("containers.%d" % user)).mkdir(
            parents=True)
        keeper = (host.folder / "run" / "machines" /
                  ("containers.%d" % user) / "libpod" / "tmp" / "pause.pid")
        keeper.parent.mkdir(parents=True)
        os.mkfifo(keeper)
        done = host.zone("doctor", "mail")
        check(b"\033" not in done.stdout + done.stderr and
              b"process 1/" not in done.stdout, "%r", done)
        equal(host.zone("down", "mail").returncode, 0, "down")
        lines = told.read_text().splitlines()
        equal([line for line in lines if line.startswith("rm ")],
              ["rm --force --time 2 0123456789ab"], "what is removed")
        check("was typed" not in told.read_text(), "it reads what we read")
        sessions = {line.strip() for line in lines if line.strip().isdigit()}
        check(sessions and str(os.getsid(0)) not in sessions,
              "it has our terminal: %r", sessions)


def body(suite):
    suite.case("a mail through containers", whole_way)
    suite.case("an image is the same when made again", same_image)
    suite.case("from inside", from_inside)
    suite.case("doctor: what an engine leaves out", faults_are_named)
    suite.case("a network", extra_network)
    suite.case("doctor: stale rules", is_stale)
    suite.case("what a killed supervisor leaves", nothing_is_left)
    suite.case("gVisor", by_gvisor)
    suite.case("a path that is too long", long_path)
    suite.case("an engine that lies", engine_that_lies)
    suite.case("under its unit", under_its_unit)
    suite.case("nothing of the environment", nothing_of_the_environment)
    suite.case("others start meanwhile", others_start_meanwhile)
    suite.case("tools that are missing", tools_that_are_missing)
    suite.case("docker", docker_where_podman_is_not)


if __name__ == "__main__":
    enter()
    harness.main(body)
