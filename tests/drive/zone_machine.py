"""Zones in real microVMs, for tests: prepared and started by vm/provider/microvm.

Machines keeps the images of a test in a folder that the zones' users can read.
The kernel is the installed one of Debian for clouds, or is unpacked from its
package. Everything is emulated: a host whose KVM works would be tested
elsewhere. Who uses it is skipped where QEMU or the kernel is missing, but not
in CI, which has to have them.
"""
import json
import os
import pathlib
import platform
import shutil
import socket
import subprocess
import tempfile

import harness
import procs
from harness import ACCOUNTS, ROOT, check

PROVIDER = ROOT / "vm" / "provider" / "microvm"
IMAGE = ROOT / "vm" / "image"
SECONDS = 240  # for a machine to start, by emulation, on a busy host
KINDS = {"planner": "planner"}  # other zones are readers
MEMORY = {"planner": 2048, "reader": 256}  # as by default
CPUS = {"planner": 2, "reader": 1}
TOOLS = ("qemu-system-x86_64", "setpriv", "unshare")


def missing():
    """What is not there, in words; "" if all is."""
    if platform.machine() != "x86_64" or not harness.is_root():
        return "x86_64 and root"
    absent = [name for name in TOOLS if not shutil.which(name)]
    return " ".join(absent)


def need():
    why = missing()
    if why and os.environ.get("CI"):
        raise SystemExit("not here, and has to be: " + why)
    if why:
        print("skipped: no " + why)
        raise SystemExit(77)


def find_kernel(folder):
    """Into `folder`, unless one is installed. False if there is none."""
    if list(pathlib.Path("/boot").glob("vmlinuz-*cloud*")):
        return True
    done = harness.run([IMAGE, "kernel", folder / "kernel"], seconds=300)
    return done.returncode == 0


def files_of(archive):
    """{name: (mode, owner, time, bytes)} of an archive of cpio -H newc."""
    data, at, found = archive.read_bytes(), 0, {}
    while True:
        check(data[at:at + 6] == b"070701", "no entry at %d", at)
        field = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16)
                 for i in range(13)]
        name = data[at + 110:at + 109 + field[11]].decode()
        if name == "TRAILER!!!":
            return found
        at += (110 + field[11] + 3) // 4 * 4
        found[name] = (field[1], field[2], field[5],
                       data[at:at + field[6]])
        at += (field[6] + 3) // 4 * 4


class Machines:
    """`bin` has the programs that become the zones'."""

    def __init__(self, bin_folder=None):
        self.bin = pathlib.Path(bin_folder or harness.folder_of_programs())
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="tzm."))
        self.state.chmod(0o755)
        self.run = self.state / "run"
        self.run.mkdir()
        self.rules = self.state / "rules.json"
        shutil.copy(ROOT / "vm" / "sample-rules.json", self.rules)
        if not find_kernel(self.state):
            self.done()
            if os.environ.get("CI"):
                raise SystemExit("no kernel, and there has to be one")
            print("skipped: no package linux-image-cloud-amd64 to be had")
            raise SystemExit(77)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.done()

    def done(self):
        shutil.rmtree(self.state, ignore_errors=True)

    def kernel_words(self):
        """For vm/image, where the kernel is not the installed one."""
        kernel = next((self.state / "kernel" / "boot").glob("vmlinuz-*"), None)
        if kernel is None:
            return []
        return ["--kernel", kernel, "--modules", self.state / "kernel" /
                "lib" / "modules" / kernel.name.replace("vmlinuz-", "")]

    def environment(self, zone, **more):
        kind = KINDS.get(zone, "reader")
        return {"ZONE": zone, "ZONE_KIND": kind,
                "ZONE_MEMORY_MB": str(MEMORY[kind]),
                "ZONE_CPUS": str(CPUS[kind]),
                "ZONE_USER": str(ACCOUNTS[kind]),
                "ZONE_RULES": str(self.rules), "ZONE_TRUST_AUTH": "",
                "ZONE_SESSION": "-",
                "ZONE_RUN": str(self.run), "ZONE_DRY_RUN": "",
                "TRIZONE_BIN": str(self.bin),
                "TRIZONE_STATE": str(self.state), "TRIZONE_ACCEL": "tcg",
                "PATH": os.environ["PATH"], **more}

    def ask(self, zone, command, **more):
        """The CompletedProcess of one sub-command."""
        return harness.run([PROVIDER, command], seconds=2 * SECONDS,
                           env=self.environment(zone, **more))

    def prepare(self, *zones):
        for zone in zones:
            done = self.ask(zone, "prepare")
            check(done.returncode == 0, "prepare %s: %s%s", zone,
                  done.stdout.decode(), done.stderr.decode())

    def announcement(self, zone, **more):
        """A file of what the provider says of the zone's machine."""
        done = self.ask(zone, "describe")
        if done.returncode != 0:  # of a single case, see TRIZONE_CASE
            self.prepare(zone)
            done = self.ask(zone, "describe")
        check(done.returncode == 0, "describe: %s", done.stderr.decode())
        said = dict(json.loads(done.stdout), **more)
        path = self.run / (zone + ".json")
        # as the provider writes it, which looks at it at each start
        path.write_text(json.dumps(said, separators=(",", ":")))
        return path

    def command(self, zone, **more):
        """What attach starts."""
        return ["env", *("%s=%s" % row for row in self.environment(
            zone, **more).items()), PROVIDER, "exec"]

    def start(self, zone, **more):
        """A machine without an executor: (process, socket at its port)."""
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [PROVIDER, "exec"], env=self.environment(zone, **more),
            stdin=theirs, stdout=theirs, start_new_session=True)
        theirs.close()
        ours.settimeout(SECONDS)
        return process, ours


def machines_of(zone):
    """Numbers of the QEMU processes of a zone that we started, sorted."""
    found = []
    for pid in procs.descendants():
        try:
            words = pathlib.Path("/proc", str(pid), "cmdline").read_bytes()
        except OSError:
            continue
        words = words.split(b"\0")
        if b"qemu-system" in words[0] and b"trizone." + zone.encode() in words:
            found.append(pid)
    return sorted(found)


class MachineHost(harness.Host):
    """An executor whose zones are machines."""

    def __init__(self, machines=None, **config):
        super().__init__(**config)
        self.machines = machines

    def attach_machine(self, zone, warm=1, announced=None, machines=None,
                       runs=None, **more):
        """`runs`: another zone of `machines` than that it serves."""
        machines = machines or self.machines
        path = machines.announcement(runs or zone, **(announced or {}))
        process = self._spawn(zone, [
            self.program("executor"), "attach", "--config", self.config_path,
            "--machine", path, "--warm", str(warm), "--respawn", zone, "--",
            *machines.command(runs or zone, **more)])
        self.attached.append(process)
        return process

    def await_zone(self, zone, count=1):
        """`count` of its machines have said hello."""
        harness.until(
            lambda: self.zone_status(zone)["channels"] >= count and
            self.zone_status(zone).get("attestation"), SECONDS,
            "%d machines of %s" % (count, zone))
        return self.zone_status(zone)["attestation"]
