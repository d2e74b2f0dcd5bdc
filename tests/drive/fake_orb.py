#!/usr/bin/env python3
"""Stands in for OrbStack's `orb`, on Linux as root, in namespaces of a test.

A machine is a root directory made of overlays of this one, and a network of
its own with a way to "the Mac", which is the network that this runs in. So
what is executed in a machine is executed for real. FAKE_ORB names a folder on
a tmpfs; FAKE_ORB/settings.json says how it behaves:

    cli       "new" (flags of 2.2) or "old" (those of 1.9)
    create    "ok", "half" (fails when the machine is there), "fail"
    config    "ok", or "vain": what is set does not come into force
    network   how well --isolate-network works: "all" or "none"
    push      never works into an isolated machine

Every call is a line of FAKE_ORB/calls.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HOME = pathlib.Path(os.environ["FAKE_ORB"])
LOGIN = "owner"  # of OrbStack, and the login user of every machine
OLD_HELP = """Usage:
  orb create [flags] DISTRO[:VERSION] [MACHINE_NAME]

Flags:
  -a, --arch string        Override architecture
  -u, --user string        Username for the default user
  -p, --set-password       Set a password for the default user
  -c, --user-data string   Path to Cloud-init user data file
"""
HELP = {"old": OLD_HELP, "new": OLD_HELP + """\
      --isolated           Isolate the machine from the Mac
      --isolate-network    Isolate the machine's network
      --mount strings      Mount a path (SRC[:DEST])
      --forward-ssh-agent  Forward the SSH agent
      --cpus int           CPU limit
      --memory string      Memory limit
      --disk string        Disk limit
"""}
VALUED = {"-a": "arch", "--arch": "arch", "-u": "user", "--user": "user",
          "-c": "data", "--user-data": "data", "--cpus": "cpu",
          "--memory": "memory_mib", "--disk": "disk", "--mount": "mounts"}
NEW = {"--isolated", "--isolate-network", "--mount", "--forward-ssh-agent",
       "--cpus", "--memory", "--disk"}


def settings():
    path = HOME / "settings.json"
    return json.loads(path.read_text()) if path.exists() else {}


def fail(text, status=1):
    print("Error: " + text, file=sys.stderr)
    sys.exit(status)


def sh(*words, **more):
    return subprocess.run([str(word) for word in words], check=False,
                          capture_output=True, **more)


class Machine:
    def __init__(self, name):
        self.name = name
        self.place = HOME / "machines" / name
        self.root = self.place / "root"
        self.info_path = self.place / "info.json"

    def exists(self):
        return self.info_path.exists()

    @property
    def info(self):
        return json.loads(self.info_path.read_text())

    def change(self, **values):
        info = dict(self.info, **values)
        self.info_path.write_text(json.dumps(info))

    @property
    def index(self):
        """A small number of its own, for addresses."""
        return self.info["index"]

    @property
    def net(self):
        return "/proc/%d/ns/net" % self.info["holder"]

    def make(self, info):
        self.place.mkdir(parents=True)
        info["index"] = len(list((HOME / "machines").iterdir()))
        self.info_path.write_text(json.dumps(dict(info, state="stopped")))
        for name in ("run", "tmp", "var/tmp", "var/lib/dpkg", "home", "root",
                     "proc", "sys", "dev", "mnt", "opt", "usr", "etc",
                     "var/lock", "var/cache/apt", "var/lib/apt",
                     "var/log/apt"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        for name in ("tmp", "var/tmp", "var/lock"):
            (self.root / name).chmod(0o1777)
        (self.root / "var" / "run").symlink_to("/run")
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.root / name).symlink_to("usr/" + name)

    def start(self):
        if self.info["state"] == "running":
            return
        sh("mount", "--bind", self.root, self.root)
        for name in ("usr", "etc", "var/lib/dpkg"):
            upper = self.place / "upper" / name
            work = self.place / "work" / name
            upper.mkdir(parents=True, exist_ok=True)
            work.mkdir(parents=True, exist_ok=True)
            sh("mount", "-t", "overlay", "none", "-o",
               "lowerdir=/%s,upperdir=%s,workdir=%s" % (name, upper, work),
               self.root / name)
        for name, kind in (("run", "tmpfs"), ("dev", "tmpfs"),
                           ("proc", "proc"), ("sys", "sysfs")):
            sh("mount", "-t", kind, "none", self.root / name,
               *(["-o", "mode=755"] if kind == "tmpfs" else []))
        for name, minor in (("null", 3), ("zero", 5), ("urandom", 9),
                            ("random", 8), ("full", 7)):
            sh("mknod", "-m", "666", self.root / "dev" / name, "c", "1",
               str(minor))
        (self.root / "dev" / "shm").mkdir(mode=0o1777)
        (self.root / "dev" / "shm").chmod(0o1777)
        (self.root / "run" / "lock").mkdir(mode=0o1777)
        (self.root / "run" / "lock").chmod(0o1777)
        (self.root / "etc" / "hosts").write_text(
            "127.0.0.1 localhost\n10.77.0.254 host.orb.internal\n"
            + "".join("10.77.%d.2 %s.orb.local\n" % (other.index, other.name)
                      for other in machines()))
        (self.root / "etc" / "resolv.conf").write_text("")
        (self.root / "etc" / "nsswitch.conf").write_text(
            "passwd: files\ngroup: files\nhosts: files\n")
        holder = subprocess.Popen(
            ["unshare", "--net", "sleep", "3600"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        time.sleep(0.2)
        self.change(state="running", holder=holder.pid)
        open_hatches(self)
        self.connect()
        rules = self.root / "etc" / "trizone" / "zone.nft"
        if rules.exists():  # what nftables.service does
            self.run("root", ["nft", "-f", "/etc/trizone/zone.nft"])
        # what systemd or OpenRC start
        if (self.root / "etc" / "trizone-enabled").exists():
            self.run("root", ["/usr/lib/trizone-zone/guard", "start"])

    def connect(self):
        """A link to the Mac, who has all addresses that are tried."""
        near, far = "m%d" % self.index, "e%d" % self.index
        sh("ip", "link", "add", near, "type", "veth", "peer", "name", far)
        sh("ip", "addr", "add", "10.77.%d.1/24" % self.index, "dev", near)
        sh("ip", "link", "set", near, "up")
        sh("ip", "link", "set", far, "netns", str(self.info["holder"]))
        inside = ["nsenter", "--net=" + self.net]
        sh(*inside, "ip", "link", "set", "lo", "up")
        sh(*inside, "ip", "link", "set", far, "up")
        sh(*inside, "ip", "addr", "add", "10.77.%d.2/24" % self.index, "dev",
           far)
        sh(*inside, "ip", "route", "add", "default", "via",
           "10.77.%d.1" % self.index)

    def stop(self):
        if self.info["state"] != "running":
            return
        for path in pathlib.Path("/proc").iterdir():
            try:
                if path.name.isdigit() and os.readlink(
                        path / "root") == str(self.root):
                    os.kill(int(path.name), signal.SIGKILL)
            except OSError:
                pass
        os.kill(self.info["holder"], signal.SIGKILL)
        sh("ip", "link", "delete", "m%d" % self.index)
        for _ in range(50):
            mounted = [line.split()[4] for line in open(
                "/proc/self/mountinfo") if line.split()[4].startswith(
                    str(self.root))]
            for place in reversed(mounted):
                sh("umount", "-l", place)
            if not mounted:
                break
        self.change(state="stopped")

    def words(self, user, command):
        inside = ["nsenter", "--net=" + self.net, "chroot"]
        if user != "root":
            inside.append("--userspec=" + user)
        return inside + [str(self.root), "env", "-i", "HOME=/root",
                         "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
                         "/usr/bin:/sbin:/bin", *command]

    def run(self, user, command, **more):
        return subprocess.run(self.words(user, command), check=False, **more)


def machines():
    folder = HOME / "machines"
    found = [Machine(path.name) for path in sorted(folder.iterdir())] \
        if folder.exists() else []
    return [machine for machine in found if machine.exists()]


def fill(machine):
    """What OrbStack puts into a machine: a login user who may become root,
    and, where it is not isolated, ways to the Mac."""
    info, root = machine.info, machine.root
    stand_ins = HOME / "stand-ins" / info["distro"].split(":")[0]
    if stand_ins.exists():
        for path in stand_ins.iterdir():
            target = root / "usr/local/sbin" / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    if info["distro"].startswith("alpine"):  # its shell, and no systemd
        shutil.copy(shutil.which("busybox"), root / "usr/bin/sh.new")
        (root / "usr/bin/sh.new").rename(root / "usr/bin/sh")
        (root / "usr/bin/systemctl").unlink(missing_ok=True)
        (root / "etc/alpine-release").write_text("3.22.0\n")
        (root / "etc/debian_version").unlink()
    name = LOGIN
    machine.run("root", ["groupadd", "--force", "sudo"], capture_output=True)
    machine.run("root", ["useradd", "--create-home", "--groups", "sudo",
                         name], capture_output=True)
    (root / "etc/sudoers.d").mkdir(exist_ok=True)
    (root / "etc/sudoers.d/90-orb").write_text(
        "%s ALL=(ALL) NOPASSWD:ALL\n" % name)


def open_hatches(machine):
    """What a machine has that is not isolated, and the other has not."""
    root = machine.root
    hatches = [root / "mnt/mac", root / "mnt/machines", root / "Users",
               root / "opt/orbstack-guest"]
    if machine.info["isolated"]:
        for path in hatches:
            shutil.rmtree(path, ignore_errors=True)
        return
    (root / "mnt/mac").mkdir(parents=True, exist_ok=True)
    (root / "mnt/mac/secret").write_text("of the Mac\n")
    (root / "mnt/machines/other").mkdir(parents=True, exist_ok=True)
    (root / "Users").mkdir(exist_ok=True)
    guest = root / "opt/orbstack-guest"
    (guest / "bin").mkdir(parents=True, exist_ok=True)
    (guest / "run").mkdir(exist_ok=True)
    for command in ("mac", "orb"):
        write_program(guest / "bin" / command, "#!/bin/sh\nexit 0\n")


def write_program(path, text):
    path.write_text(text)
    path.chmod(0o755)


def create(words):
    cli = settings().get("cli", "new")
    if "--help" in words:
        print(HELP[cli], end="")
        return
    info = {"isolated": False, "isolate_network": False,
            "forward_ssh_agent": False, "mounts": "", "cpu": 0,
            "memory_mib": 0}
    plain = []
    while words:
        word = words.pop(0)
        if word in NEW and cli == "old":
            fail("unknown flag: " + word)
        if word in VALUED:
            info[VALUED[word]] = words.pop(0)
        elif word in ("--isolated", "--isolate-network",
                      "--forward-ssh-agent"):
            info[word[2:].replace("-", "_")] = True
        elif word.startswith("-"):
            fail("unknown flag: " + word)
        else:
            plain.append(word)
    info["distro"], name = plain
    machine = Machine(name)
    if machine.exists():
        fail("machine already exists: " + name)
    if settings().get("create") == "fail":
        fail("no space left")
    if "data" in info and not pathlib.Path(info["data"]).read_text(
            ).startswith("#cloud-config\n"):
        fail("invalid user data")
    machine.make(info)
    if settings().get("create") == "half":
        fail("timed out waiting for the machine")
    machine.start()
    fill(machine)


def show(machine):
    info = machine.info
    print("Name: %s\nState: %s\nDistro: %s\nArch: arm64" % (
        machine.name, info["state"], info["distro"]))
    if settings().get("cli", "new") == "new":
        print("Isolated: %s\nIsolate network: %s\nForward SSH agent: %s\n"
              "Mounts: %s" % tuple(
                  str(info[key]).lower() for key in (
                      "isolated", "isolate_network", "forward_ssh_agent",
                      "mounts")))
        print("isolate_network: %s\nforward_ssh_agent: %s" % (
            str(info["isolate_network"]).lower(),
            str(info["forward_ssh_agent"]).lower()))


def configure(words):
    if words[0] != "set" or not words[1].startswith("machine."):
        fail("unknown key")
    _, name, key = words[1].split(".", 2)
    machine = Machine(name)
    if key not in machine.info:
        fail("unknown key: " + words[1])
    value = words[2]
    if settings().get("config") == "vain":
        return
    machine.change(**{key: {"true": True, "false": False}.get(value, value)})


def execute(words):
    name, user = "", "root"
    while words and words[0].startswith("-"):
        flag = words.pop(0)
        value = words.pop(0)
        if flag == "-m":
            name = value
        elif flag == "-u":
            user = value
    machine = Machine(name)
    if not machine.exists():
        fail("machine not found: " + name)
    machine.start()
    command = machine.words(user, words)
    os.execvp(command[0], command)


def main():
    words = sys.argv[1:]
    with open(HOME / "calls", "a", encoding="utf-8") as log:
        log.write(" ".join(words) + "\n")
    if settings().get("down"):
        fail("could not connect to OrbStack")
    if not words:
        fail("no command")
    if words[0].startswith("-"):
        return execute(words)
    command, rest = words[0], words[1:]
    if command == "create":
        return create(rest)
    if command == "list":
        print("NAME  STATE  DISTRO")
        for machine in machines():
            print(machine.name, machine.info["state"], machine.info["distro"])
        return None
    if command == "config":
        return configure(rest)
    machine = Machine([word for word in rest if not word.startswith("-")][-1])
    if not machine.exists():
        fail("machine not found: " + machine.name)
    if command == "info":
        show(machine)
    elif command == "push":
        if machine.info["isolated"]:
            fail("push is not supported for isolated machines")
    elif command == "start":
        machine.start()
    elif command == "stop":
        machine.stop()
    elif command == "restart":
        machine.stop()
        machine.start()
    elif command == "delete":
        machine.stop()
        shutil.rmtree(machine.place)
    else:
        fail("unknown command: " + command)
    return None


if __name__ == "__main__":
    main()
