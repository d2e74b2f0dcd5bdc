#!/usr/bin/env python3
"""Zones in machines of OrbStack, by an orb that is ours (fake_orb.py).

usage: orb.py [BIN]

As root, in mount and network namespaces of its own, which are the Mac. What is
done in a machine is done for real, in a root directory and a network of its
own: the set-up scripts, the rules, the probes, planner and reader.
"""
import contextlib
import json
import os
import pathlib
import plistlib
import shutil
import stat
import subprocess
import sys
import tarfile

import harness
from harness import check, equal, run, until
from zone_command import Zones

ROOT = pathlib.Path(__file__).resolve().parents[2]
INSIDE = "TRIZONE_ORB_INSIDE"
PREPARE = """
set -e
mount --make-rprivate /
ip link set lo up
ip addr add 10.77.0.254/32 dev lo
sysctl -q -w net.ipv4.ip_forward=1 || :
exec "$@"
"""
TOOLS = ("unshare", "nsenter", "chroot", "ip", "nft", "setpriv", "busybox",
         "dpkg-deb", "useradd")

SUDO = """#!/bin/sh
# -n COMMAND: for who has a line
grep -qs "^$(id -un) .*NOPASSWD" /etc/sudoers.d/* || exit 1
"""
SYSTEMCTL = """#!/bin/sh
case $1 in
enable) touch /etc/trizone-enabled ;;
start | restart) exec /usr/lib/trizone-zone/guard start ;;
esac
"""
APT_GET = """#!/bin/sh
for word in "$@"; do
	case $word in
	/*) exec dpkg -i "$word" ;;
	esac
done
"""
APK = """#!/bin/sh
for word in "$@"; do
	case $word in
	/*) exec tar -xzf "$word" -C / ;;
	esac
done
"""
ADDUSER = """#!/bin/sh
for name in "$@"; do :; done
exec useradd --system --no-create-home "$name"
"""
DELGROUP = "#!/bin/sh\nexec gpasswd -d \"$1\" \"$2\"\n"
RC_UPDATE = "#!/bin/sh\ntouch /etc/trizone-enabled\n"
RC_SERVICE = ("#!/bin/sh\n. /etc/init.d/trizone-zone\n"
              "ebegin() { :; }\neend() { exit \"$1\"; }\nstart\n")
STAND_INS = {
    "ubuntu": {"sudo": SUDO, "systemctl": SYSTEMCTL, "apt-get": APT_GET},
    "alpine": {"sudo": SUDO, "apk": APK, "rc-update": RC_UPDATE,
               "rc-service": RC_SERVICE, "adduser": ADDUSER,
               "delgroup": DELGROUP}}

# What a Mac has: whether somebody listens, and what it says of itself.
NC = """#!/usr/bin/env python3
import socket, sys
words = [word for word in sys.argv[1:] if not word.startswith("-")]
if "-l" in sys.argv:
    server = socket.create_server(("", int(words[-1])))
    while True:
        server.accept()[0].close()
socket.create_connection((words[-2], int(words[-1])), 1)
"""
MAC = {"defaults": "#!/bin/sh\necho root\n",
       "fdesetup": "#!/bin/sh\necho FileVault is Off.\n",
       "pmset": "#!/bin/sh\nprintf ' displaysleep 10\\n sleep  0\\n'\n",
       "nc": NC}


def enter():
    missing = [name for name in TOOLS if not shutil.which(name)]
    if os.geteuid() != 0 or missing or sys.platform != "linux":
        print("skipped: not root on Linux, or no " + " ".join(missing))
        sys.exit(77)
    if INSIDE not in os.environ:
        os.execvpe("unshare", ["unshare", "--mount", "--net", "sh", "-c",
                               PREPARE, "sh", sys.executable, "-B",
                               *sys.argv],
                   dict(os.environ, **{INSIDE: "1"}))


def write_tool(path, text):
    path.write_text(text)
    path.chmod(0o755)


class Mac(Zones):
    """A Mac with OrbStack, and what belongs to it."""

    def __init__(self, packages="native", **settings):
        super().__init__()
        self.orb = self.folder / "orb"
        self.orb.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none",
                        self.orb], check=True)
        self.tools = self.folder / "tools"
        self.tools.mkdir()
        (self.tools / "orb").symlink_to(
            pathlib.Path(__file__).with_name("fake_orb.py"))
        for name, text in MAC.items():
            write_tool(self.tools / name, text)
        for distro, tools in STAND_INS.items():
            (self.orb / "stand-ins" / distro).mkdir(parents=True)
            for name, text in tools.items():
                write_tool(self.orb / "stand-ins" / distro / name, text)
        self.packages = self.folder / "machines" / "packages"
        self.packages.mkdir(parents=True)
        self.pack(packages)
        self.behave(**settings)

    def __exit__(self, *why):
        self.behave()
        self.zone("down")
        for machine in ("trizone-planner", "trizone-mail", "other"):
            self.run_orb("delete", "--force", machine)
        subprocess.run(["umount", "-l", self.orb], check=False)
        super().__exit__(*why)

    def behave(self, **settings):
        (self.orb / "settings.json").write_text(json.dumps(settings))

    def pack(self, kind):
        """Our package for the machines: native ones, or a tree."""
        tree = self.folder / "tree"
        (tree / "usr" / "bin").mkdir(parents=True)
        for name in ("planner", "reader"):
            shutil.copy(self.program(name), tree / "usr" / "bin")
        if kind == "tree":
            with tarfile.open(self.packages / "trizone.tar", "w") as out:
                out.add(tree / "usr", "usr")
        elif kind == "native":
            with tarfile.open(self.packages / "trizone.apk", "w:gz") as out:
                out.add(tree / "usr", "usr")
            (tree / "DEBIAN").mkdir()
            (tree / "DEBIAN" / "control").write_text(
                "Package: trizone-zone-test\nVersion: 0.1.0\n"
                "Architecture: all\nMaintainer: nobody <nobody@localhost>\n"
                "Description: programs of a zone\n")
            subprocess.run(["dpkg-deb", "--build", "--root-owner-group",
                            "-Znone", tree, self.packages / "trizone.deb"],
                           check=True, stdout=subprocess.DEVNULL)

    def zone(self, command, *words, **more):
        return super().zone(command, "--provider", "orb", *words,
                            path=str(self.tools),
                            FAKE_ORB=str(self.orb), **more)

    def run_orb(self, *words):
        return run([self.tools / "orb", *words],
                   env=harness.environment(FAKE_ORB=str(self.orb)))

    def calls(self):
        path = self.orb / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def inside(self, zone):
        return self.orb / "machines" / ("trizone-" + zone) / "root"

    def faults(self, zone):
        done = self.zone("doctor", zone)
        lines = done.stdout.decode().splitlines()
        found = [line for line in lines if "fault: " in line]
        check((done.returncode != 0) == bool(found), "status %d of %r",
              done.returncode, lines)
        check(all("; mend: " in line for line in found), "%r", found)
        return found


def sound(host, zone):
    equal(host.faults(zone), [], "doctor of " + zone)


def whole_way():
    with Mac() as host:
        host.start()
        text = host.up()
        for zone in ("planner", "mail"):
            check("%s: up by orb" % zone in text, "%s", text)
            machine = json.loads(host.machine(zone).read_text())
            equal((machine["isolation"], len(machine["image"])), ("orb", 64),
                  "announced")
        handle = host.deliver((ROOT / "vm" / "sample.eml").read_bytes())
        until(lambda: host.items()[handle]["state"] == "done", 60, "done")
        created = [line for line in host.calls()
                   if line.startswith("create") and "--help" not in line]
        check("--isolated --isolate-network --cpus 1 --memory 256M alpine "
              "trizone-mail" in created[1], "%r", created)
        check("--user-data" in created[0] and "--cpus 2 --memory 2048M ubuntu "
              "trizone-planner" in created[0], "%r", created)
        check(not any(line.startswith("push") for line in host.calls()),
              "pushed")
        text = host.zone("doctor", "mail").stdout.decode()
        check("OrbStack's machines share one kernel" in text, "%s", text)
        for zone in ("planner", "mail"):
            sound(host, zone)
        before = len(host.calls())
        check(host.up().count("already up") == 2, "again")
        check(not any("create" in line or "setup" in line
                      for line in host.calls()[before:]), "made again")
        equal(host.zone("down").returncode, 0, "down")
        states = host.run_orb("list").stdout.decode()
        equal(states.count("stopped"), 2, states)
        # what was set up stays, and comes back with its rules
        text = host.up("mail")
        check("is set up" in text and "setting up" not in text, "%s", text)
        sound(host, "mail")


def body(suite):
    suite.case("a mail through machines of OrbStack", whole_way)


if __name__ == "__main__":
    enter()
    harness.main(body)
