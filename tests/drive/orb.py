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
import socket
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
start | restart) exec /usr/lib/trizone-zone/guard start 2>/dev/null ;;
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
MAC = {"defaults": "#!/bin/sh\necho owner\n",
       "fdesetup": "#!/bin/sh\necho FileVault is Off.\n",
       "pmset": "#!/bin/sh\nprintf ' displaysleep 10\\n sleep  0\\n'\n",
       "id": "#!/bin/sh\n[ \"$*\" != -un ] || exec echo owner\n"
             "exec /usr/bin/id \"$@\"\n",
       "nc": NC}


# whether overlays of this root directory can be had
TRIAL = """
set -e
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work /mnt/usr
mount -t overlay none -o lowerdir=/usr,upperdir=/mnt/upper,workdir=/mnt/work \
	/mnt/usr
"""


def enter():
    missing = [name for name in TOOLS if not shutil.which(name)]
    if os.geteuid() != 0 or missing or sys.platform != "linux":
        print("skipped: not root on Linux, or no " + " ".join(missing))
        sys.exit(77)
    if INSIDE not in os.environ and run(
            ["unshare", "--mount", "--net", "sh", "-c", TRIAL]).returncode:
        print("skipped: no namespaces, or no overlays")
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


def created(host):
    return [line for line in host.calls()
            if line.startswith("create") and "--help" not in line]


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
        made = created(host)
        check("--isolated --isolate-network --cpus 1 --memory 256M alpine "
              "trizone-mail" in made[1], "%r", made)
        check("--user-data" in made[0] and "--cpus 2 --memory 2048M ubuntu "
              "trizone-planner" in made[0], "%r", made)
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
        for command in ("up", "down", "shell"):
            done = host.zone(command, "--dry-run", "mail")
            equal(done.returncode, 0, "dry %s: %r" % (command, done.stderr))
        equal(host.run_orb("list").stdout.decode(), states, "a dry run")
        # what was set up stays, and comes back with its rules
        text = host.up("mail")
        check("is set up" in text and "setting up" not in text, "%s", text)
        sound(host, "mail")


def named(found, *texts):
    """Each text is in a fault, and no fault is without one."""
    for text in texts:
        check(any(text in line for line in found), "%s is not in %r", text,
              found)
    for line in found:
        check(any(text in line for text in texts), "not expected: %s", line)


def old_orb():
    """One that knows no isolated machines: said, called no wall, and refused
    to a zone that wants one."""
    with Mac(cli="old") as host:
        host.start()
        text = host.up("mail")
        for words in ("has no isolated machines", "sets no limit of memory",
                      "cannot isolate the network"):
            check("warning: " in text and words in text, "%s", text)
        equal(created(host), ["create alpine trizone-mail"], "created")
        machine = json.loads(host.machine("mail").read_text())
        equal(machine["isolation"], "process", "announced")
        named(host.faults("mail"), "does not say whether it is isolated",
              "does not say whether it is isolate_network",
              "files of the Mac are in trizone-mail (/mnt/mac)",
              "files of the Mac are in trizone-mail (/Users)",
              "files of other machines are in trizone-mail",
              "commands run on the Mac from trizone-mail",
              "trizone-mail commands other machines")
        host.zone("down", "mail")
        host.set_zones(mail={"isolation": "orb"})
        done = host.zone("up", "mail")
        equal(done.returncode, 77, "refused: %r" % done.stderr)
        check(b"orb isolates as process, and the configuration accepts no "
              b"less than orb for mail" in done.stderr, "%r", done.stderr)


def demanded():
    """A zone that wants such a machine gets its first one, or is refused
    before there is any."""
    with Mac() as host:
        host.start()
        done = host.zone("up", "--dry-run", "mail")
        check(b'"isolation":"orb"' in done.stdout, "%r", done.stdout)
        host.set_zones(mail={"isolation": "orb"})
        done = host.zone("up", "--dry-run", "mail")
        equal(done.returncode, 0, "dry run: %r" % done.stderr)
        named(host.faults("mail"), "there is no machine", "not up")
        equal(created(host), [], "created")
        host.behave(cli="old")
        done = host.zone("up", "mail")
        equal(done.returncode, 77, "by an old one: %r" % done.stderr)
        check(b"orb isolates as process, and the configuration accepts no "
              b"less than orb for mail" in done.stderr, "%r", done.stderr)
        equal(created(host), [], "created by an old one")
        host.behave()
        check("up by orb" in host.up("mail"), "up")
        machine = json.loads(host.machine("mail").read_text())
        equal(machine["isolation"], "orb", "announced")
        sound(host, "mail")
        host.run_orb("config", "set", "machine.trizone-mail.isolated", "false")
        named(host.faults("mail"), "trizone-mail is not isolated")
        host.zone("down", "mail")
        check("setting isolated of" in host.up("mail"), "mended")
        sound(host, "mail")


def set_in_vain():
    """What an orb does not do is not believed, and not promised again."""
    with Mac(config="vain") as host:
        host.start()
        host.run_orb("create", "alpine", "trizone-mail")
        text = host.up("mail")
        check("warning: trizone-mail is not isolated, though it was set" in
              text, "%s", text)
        machine = json.loads(host.machine("mail").read_text())
        equal(machine["isolation"], "process", "announced")
        host.zone("down", "mail")
        host.set_zones(mail={"isolation": "orb"})
        for when in ("then", "again"):
            before = len(host.calls())
            done = host.zone("up", "mail")
            equal(done.returncode, 77, "%s: %r" % (when, done.stderr))
            tried = any("config set" in line for line in host.calls()[before:])
            equal(tried, when == "then", "tried " + when)


def half_created():
    with Mac(create="half") as host:
        host.start()
        done = host.zone("up", "mail")
        equal(done.returncode, 71, "up")
        check(b"nothing is left of it" in done.stderr and
              b"timed out waiting" in done.stderr, "%r", done.stderr)
        check(b"trizone-mail" not in host.run_orb("list").stdout, "left")
        host.behave(create="fail")
        done = host.zone("up", "mail")
        equal(done.returncode, 71, "up: %r" % done.stderr)
        check(b"no space left" in done.stderr, "%r", done.stderr)
        host.behave()
        check("up by orb" in host.up("mail"), "afterwards")


def half_set_up():
    """A package for another processor; then one that runs."""
    with Mac(packages="none") as host:
        host.start()
        done = host.zone("up", "mail")
        equal(done.returncode, 69, "no package")
        check(b"no package for its machine in" in done.stderr, "%r",
              done.stderr)
        (host.folder / "tree" / "usr" / "bin" / "trizone-reader").write_bytes(
            b"\x7fELF of another processor")
        shutil.rmtree(host.folder / "tree" / "DEBIAN", ignore_errors=True)
        tree = host.folder / "tree"
        with tarfile.open(host.packages / "trizone.tar", "w") as out:
            out.add(tree / "usr", "usr")
        done = host.zone("up", "mail")
        equal(done.returncode, 71, "wrong processor")
        check(b"trizone-reader does not run: is trizone.tar for" in
              done.stdout + done.stderr, "%r", done.stderr)
        check(not (host.inside("mail") / "usr/lib/trizone-zone/ready"
                   ).exists(), "said to be ready")
        named(host.faults("mail"), "the zone is not up",
              "was set up with something else, or half", "missing drop rules",
              "drop rules of trizone-mail are gone", "becomes root",
              "reaches the Mac", "reaches the local network",
              "whether rules are closed", "whether account are closed")
        shutil.copy(host.program("reader"), tree / "usr" / "bin")
        with tarfile.open(host.packages / "trizone.tar", "w") as out:
            out.add(tree / "usr", "usr")
        check("up by orb" in host.up("mail"), "afterwards")
        sound(host, "mail")


def made_by_hand(stopped):
    """A machine of that name, neither isolated nor set up."""
    with Mac() as host:
        host.set_zones(mail={"isolation": "orb"})
        host.start()
        host.run_orb("create", "--forward-ssh-agent", "alpine",
                     "trizone-mail")
        if stopped:
            host.run_orb("stop", "trizone-mail")
        made = len(host.calls())
        text = host.up("mail")
        calls = [line for line in host.calls()[made:]
                 if line.split()[0] in ("stop", "start", "config")]
        equal([line.split()[0] for line in calls if "isolate" in line or
               line.startswith("st")],
              ["stop"] * (not stopped) + ["config", "config", "start"],
              "%r" % calls)
        for words in ("setting isolated of", "setting isolate_network of",
                      "setting forward_ssh_agent of", "setting up"):
            check(words in text, "%s in %s", words, text)
        check(not any(line.startswith("create --isolated")
                      for line in host.calls()), "made anew")
        sound(host, "mail")
        host.zone("down", "mail")
        named(host.faults("mail"), "trizone-mail is stopped", "not up")


def put_socket(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    return server


def every_hatch():
    """Each way out of the list, opened in a machine that is sound without."""
    with Mac() as host, contextlib.ExitStack() as stack:
        host.start()
        host.up("mail")
        root = host.inside("mail")
        sound(host, "mail")
        (root / "mnt/mac").mkdir()
        (root / "mnt/machines/other").mkdir(parents=True)
        guest = root / "opt/orbstack-guest"
        (guest / "bin").mkdir(parents=True)
        for name in ("mac", "macctl", "orb"):
            write_tool(guest / "bin" / name, "#!/bin/sh\nexit 0\n")
        for name in ("hcontrol", "hostssh", "host-ssh-agent", "docker"):
            stack.enter_context(put_socket(guest / "run" / (name + ".sock")))
        stack.enter_context(put_socket(root / "run/docker.sock"))
        (root / "etc/environment").write_text("SSH_AUTH_SOCK=/run/agent\n")
        (root / "dev/snd").mkdir()
        (root / "etc/sudoers.d/90-orb").write_text(
            "owner ALL=(ALL) NOPASSWD:ALL\n")
        (root / "tmp").chmod(0o1777)
        (root / "etc/hosts").open("a").write("198.51.100.1 example.com\n")
        (root / "etc/trizone/zone.nft").unlink()
        host.run_orb("-m", "trizone-mail", "-u", "root", "nft", "delete",
                     "table", "inet", "trizone")
        run(["ip", "addr", "add", "1.1.1.1/32", "dev", "lo"])
        stack.callback(run, ["ip", "addr", "del", "1.1.1.1/32", "dev", "lo"])
        listener = subprocess.Popen([host.tools / "nc", "-l", "-k", "443"],
                                    stderr=subprocess.DEVNULL)
        stack.callback(harness.end_process, listener)
        host.run_orb("config", "set", "machine.trizone-mail.mounts",
                     "/Users/owner:/work")
        host.run_orb("config", "set",
                     "machine.trizone-mail.forward_ssh_agent", "true")
        host.run_orb("create", "alpine", "other")
        (root / "etc/hosts").open("a").write(
            "10.77.0.254 other.orb.local\n")
        named(host.faults("mail"),
              "files of the Mac are in trizone-mail",
              "files of other machines are in trizone-mail",
              "commands run on the Mac from trizone-mail (/opt/orbstack-guest/"
              "bin/mac)", "(/opt/orbstack-guest/bin/macctl)",
              "trizone-mail commands other machines (/opt/orbstack-guest/bin/"
              "orb)", "(/opt/orbstack-guest/run/hcontrol.sock)",
              "(/opt/orbstack-guest/run/hostssh.sock)",
              "your SSH agent is in trizone-mail (/opt/orbstack-guest/run/"
              "host-ssh-agent.sock)", "(set for logins in",
              "a container engine answers in trizone-mail (/run/docker.sock)",
              "(/var/run/docker.sock)", "(/opt/orbstack-guest/run/docker.sock)",
              "devices of the Mac are in trizone-mail (/dev/snd)",
              "the login user of trizone-mail becomes root",
              "what an instance writes outlives it in trizone-mail (/tmp",
              "trizone-mail has names looked up",
              "drop rules of trizone-mail are gone after its next start",
              "missing drop rules in trizone-mail",
              "trizone-mail reaches the Mac (host.orb.internal:",
              "trizone-mail reaches the Mac (10.77.",
              "trizone-mail reaches the internet (1.1.1.1:443)",
              "trizone-mail reaches the local network (10.77.1.1:",
              "trizone-mail reaches another machine (other.orb.local:",
              "folders of the Mac are mounted in trizone-mail: "
              "/users/owner:/work", "your SSH agent is forwarded",
              "the machine other is not isolated")


LEFT = "may write here: /srv/left"


def left_to_the_next():
    """No instance starts where one could leave something for the next, unless
    the zone is one session anyway."""
    with Mac() as host:
        (host.folder / "run").mkdir(mode=0o711, exist_ok=True)
        host.run_orb("create", "ubuntu", "trizone-planner")
        place = host.inside("planner") / "srv" / "left"
        place.mkdir(parents=True)
        place.chmod(0o777)
        done = host.zone("up", "planner")
        equal(done.returncode, 71, "up: %r" % done.stdout)
        said = (done.stdout + done.stderr).decode()
        check("trizone-planner " + LEFT in said and "session standing" in said,
              "%s", said)
        host.set_zones(planner={"session": "standing"})
        host.start()
        host.up("mail", "planner")
        text = host.zone("doctor", "planner").stdout.decode()
        check("note: what an instance writes outlives it in trizone-planner "
              "(/srv/left)" in text, "%s", text)
        sound(host, "planner")
        # the reader's own, where it cannot look, and a find without -writable
        uid = int(host.run_orb("-m", "trizone-mail", "id", "-u",
                               "trizone-reader").stdout)
        host.zone("down", "mail")
        hidden = host.inside("mail") / "srv" / "hidden"
        hidden.mkdir(parents=True)
        hidden.chmod(0o711)
        (hidden / "left").touch()
        os.chown(hidden / "left", uid, 0)
        (hidden / "left").chmod(0o400)
        host.zone("up", "mail")
        log = host.machine("mail").with_suffix(".log")
        until(lambda: "may write here: /srv/hidden/left; close it as root" in
              log.read_text(), 30, "it is said")
        equal(host.zone_status("mail")["attached"], 0, "instances")
        named(host.faults("mail"), "what an instance writes outlives it in "
              "trizone-mail (/srv/hidden/left)")
        host.zone("down", "mail")
        (hidden / "left").unlink()
        # nor is there anything in a folder of root's alone
        closed = host.inside("mail") / "srv" / "closed"
        closed.mkdir()
        closed.chmod(0o700)
        (closed / "left").mkdir()
        (closed / "left").chmod(0o777)
        check("up by orb" in host.up("mail"), "closed")
        sound(host, "mail")


def untried_is_a_fault():
    """A try that cannot succeed proves nothing."""
    with Mac() as host:
        host.start()
        host.up("planner")
        root = host.inside("planner")
        write_tool(root / "usr/local/sbin/unshare", "#!/bin/sh\nexit 1\n")
        named(host.faults("planner"), "whether connections are closed in "
              "trizone-planner cannot be tried")
        (root / "usr/local/sbin/unshare").unlink()
        write_tool(root / "usr/local/sbin/find", "#!/bin/sh\nexit 1\n")
        named(host.faults("planner"), "whether account are closed in "
              "trizone-planner cannot be tried")
        host.zone("down", "planner")
        done = host.zone("up", "planner")
        check(b"whether trizone-planner may write somewhere cannot be seen"
              in done.stderr, "%r", done.stderr)
        (root / "usr/local/sbin/find").unlink()
        host.zone("down", "planner")
        host.up("planner")
        (host.tools / "nc").unlink()
        named(host.faults("planner"), "nobody can listen on this Mac")


def before_the_machine():
    with Mac() as host:
        host.start()
        for tool, text, words in (
                ("defaults", "exit 1", "nobody is logged in automatically"),
                ("defaults", "echo ann", "ann is logged in automatically, and "
                 "OrbStack is owner's"),
                ("fdesetup", "echo FileVault is On.", "FileVault is on: after "
                 "a restart zones are absent"),
                ("pmset", "echo ' sleep  10 (imposed)'", "this Mac sleeps "
                 "after 10 minutes")):
            write_tool(host.tools / tool, "#!/bin/sh\n%s\n" % text)
            named(host.faults("mail"), words, "there is no machine",
                  "not up")
            write_tool(host.tools / tool, MAC[tool])
        done = host.zone("up", "--dry-run", "mail")
        equal(done.returncode, 0, "dry run: %r" % done.stderr)
        text = done.stdout.decode()
        for words in ("orb create --isolated", "alpine trizone-mail",
                      "/usr/lib/trizone-zone/setup reader", "attach"):
            check(words in text, "%s in %s", words, text)
        check(b"trizone-mail" not in host.run_orb("list").stdout, "made")
        host.behave(down=True)
        done = host.zone("up", "mail")
        equal(done.returncode, 69, "down")
        check(b"OrbStack does not answer: log in as its owner" in done.stderr,
              "%r", done.stderr)


LAUNCHCTL = """#!/bin/sh
echo "$@" >>%s
[ "$1" != print ] || [ -e %s ]
"""


def by_launchd():
    """The agent of OrbStack's owner: what its plist says is run as it is, and
    vm/zone leaves a zone that has one to launchd."""
    plist = plistlib.loads((ROOT / "vm" / "launchd" / "trizone.zone.plist"
                            ).read_bytes())
    equal(plist["ProgramArguments"], [
        "/usr/local/lib/trizone/vm/zone", "up", "--foreground", "NAME"],
          "arguments")
    equal((plist["RunAtLoad"], plist["KeepAlive"], "UserName" in plist),
          (True, True, False), "an agent that is kept")
    with Mac() as host:
        host.start()
        words = [str(ROOT / "vm" / "zone"), *plist["ProgramArguments"][1:-1],
                 "--provider", "orb", "--config", str(host.config_path),
                 "mail"]
        env = harness.environment(
            TRIZONE_BIN=str(host.programs), FAKE_ORB=str(host.orb),
            TRIZONE_STATE=str(host.folder / "machines"),
            PATH=str(host.tools) + os.pathsep + os.environ["PATH"])

        def start():
            agent = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            until(lambda: host.zone_status("mail").get("attestation"), 120,
                  "it serves")
            return agent
        agent = start()
        equal(harness.end_process(agent, plist["ExitTimeOut"]), 0, "its end")
        until(lambda: host.zone_status("mail")["channels"] == 0, 20, "channel")
        # what launchctl would start, which is not the real one here
        agent = start()
        agents = host.folder / "Library" / "LaunchAgents"
        agents.mkdir(parents=True)
        (agents / "trizone.zone.mail.plist").touch()
        said, loaded = host.folder / "said", host.folder / "loaded"
        write_tool(host.tools / "uname", "#!/bin/sh\necho Darwin\n")
        write_tool(host.tools / "launchctl", LAUNCHCTL % (said, loaded))
        for command in ("up", "up", "down", "down"):
            done = Zones.zone(host, command, "mail", path=str(host.tools),
                              FAKE_ORB=str(host.orb), HOME=str(host.folder))
            equal(done.returncode, 0, "%s: %r" % (command, done.stderr))
            if command == "up":
                loaded.touch()
            else:
                loaded.unlink(missing_ok=True)
        equal(agent.wait(20), 0, "the end of the agent")
        target = "gui/0/trizone.zone.mail"
        equal([line for line in said.read_text().splitlines()
               if not line.startswith("print")],
              ["bootstrap gui/0 %s" % (agents / "trizone.zone.mail.plist"),
               "kickstart " + target, "bootout " + target], "launchctl")


def body(suite):
    suite.case("a mail through machines of OrbStack", whole_way)
    suite.case("an orb without isolated machines", old_orb)
    suite.case("create fails half-way", half_created)
    suite.case("a package that is none, or another's", half_set_up)
    suite.case("a machine that is there already", made_by_hand, True)
    suite.case("a machine that runs already", made_by_hand, False)
    suite.case("a zone that wants a machine", demanded)
    suite.case("an orb that takes no switches", set_in_vain)
    suite.case("as launchd starts it", by_launchd)
    suite.case("doctor: every way out", every_hatch)
    suite.case("what one leaves for the next", left_to_the_next)
    suite.case("doctor: what cannot be tried", untried_is_a_fault)
    suite.case("doctor: the Mac; nothing there yet", before_the_machine)


if __name__ == "__main__":
    enter()
    harness.main(body)
