#!/usr/bin/env python3
"""From inside each role, the ways out: none gets anybody anywhere.

usage: ways_out.py BIN [--table FOLDER]

BIN has the program `inside`, which locks itself in as a role does, with the
very tables of the shipped programs, and tries what attack_*.c lists. Outside
of every lock each of these gets through (or the kernel does not know it, or
the machine's root may not): that is tried first. As root and as an ordinary
user. --table: which other layer stops what, with each layer taken away, from
programs in FOLDER (see lock_table.c).
"""
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "drive"))
import harness  # noqa: E402
from harness import Skipped, check, main  # noqa: E402

ROLES = ("parent", "broker", "auditor", "file", "notify", "resolver",
         "blocked", "planner", "reader", "filter", "worker")
# Of nobody, and of no other test: limits of processes count for each user.
USER = str(60100 + os.getpid() % 4000)
NOBODY = "65534"
SIGSYS = 31
# Not to be had outside either: what it is, and whether that is why.
NO_CONTROL = {
    "passed-and-read": "a descriptor is dropped by every read",
    "be-traced-by-all": "the kernel has no Yama",
    "raise-limit": "this root may not",
}
NOT_THERE = ("Function not implemented",)
LAYERS = ("limits", "namespaces", "root", "user", "capabilities", "landlock",
          "filter")


def attacks(program):
    """{name: kills} of all there are."""
    rows = harness.run([program, "list"]).stdout.decode().split("\n")[:-1]
    return {row.split()[0]: row.split()[2] == "1" for row in rows}


class Ground:
    """A folder with what lies outside, made anew for each role."""

    def __init__(self, program, user=None):
        self.folder = harness.short_folder()
        self.user = user
        self.program = shutil.copy(program, self.folder / "inside")
        self.folder.chmod(0o755)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def fresh(self):
        place = self.folder / "ground"
        shutil.rmtree(place, ignore_errors=True)
        for name in ("outside/mnt", "outside/mounted", "own"):
            (place / name).mkdir(parents=True)
        (place / "own" / "file").write_text("ours\n")
        for name in ("operator-key.txt", "config.json", "policy.json",
                     "audit.jsonl", "unlinked", "renamed"):
            (place / "outside" / name).write_text("secret\n")
        for path in [place, *place.rglob("*")]:
            path.chmod(0o777)
        return place

    def run(self, role, attack=None):
        """(lines, status) of one process, in namespaces made for it."""
        place = self.fresh()
        user = ["--user", USER] if harness.is_root() and not self.user and (
            role not in ("parent", "none")) else []
        command = [self.program, role, place, *user] + (
            [attack] if attack else [])
        become = ["setpriv", "--reuid", self.user, "--regid", self.user,
                  "--clear-groups", "--inh-caps=-all"] if self.user else []
        script = ("ip link set lo up\n"
                  "sysctl -q -w net.ipv4.ping_group_range='0 2147483647'\n"
                  "mount -t tmpfs none '%s'\n" % (place / "outside/mounted")
                  + 'exec "$@"\n')
        try:
            done = subprocess.run(
                ["unshare", "--net", "--mount", "sh", "-c", script, "sh",
                 *[str(word) for word in become + command]],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                stdin=subprocess.DEVNULL, start_new_session=True, check=False,
                env=harness.environment(CANARY="for /proc/PID/environ"))
        except subprocess.TimeoutExpired as why:
            raise harness.Failed("%s hangs: %r" % (role, why.stdout))
        lines = dict(row.split(" ", 1)
                     for row in done.stdout.decode().split("\n") if row)
        return lines, done.returncode, done.stderr.decode(errors="replace")


def killed(status):
    return status in (-SIGSYS, 128 + SIGSYS)


def controls(ground, names):
    lines, status, said = ground.run("none")
    check(status == 0, "the controls ended with %d: %s", status, said)
    missing = [name for name in names if name not in lines]
    check(not missing, "not tried: %r", missing)
    closed = {name: line for name, line in lines.items()
              if line not in ("THROUGH", "MAY") and name not in NO_CONTROL
              and not line.endswith(NOT_THERE)}
    check(not closed, "no way out even outside: %r", closed)
    absent = [name for name, line in lines.items()
              if line not in ("THROUGH", "MAY")]
    return "%d ways, %d not to be had here: %s" % (
        len(lines), len(absent), " ".join(sorted(absent)))


def one_role(ground, role, names):
    """All in one process, and each that kills in one of its own."""
    lines, status, said = ground.run(role)
    check(status == 0, "%s ended with %d: %s", role, status, said)
    missing = [name for name, kills in names.items()
               if not kills and name not in lines]
    check(not missing, "not tried: %r", missing)
    ends = 0
    for name in [name for name, kills in names.items() if kills]:
        more, status, said = ground.run(role, name)
        if killed(status):
            more = {name: "killed"}
            ends += 1
        check(name in more, "%s: %s ended with %d: %s", role, name, status,
              said)
        lines.update(more)
    through = {name: line for name, line in lines.items()
               if line == "THROUGH"}
    check(not through, "%s: %r", role, sorted(through))
    may = sorted(name for name, line in lines.items() if line == "MAY")
    return "%d tried: %d trapped, %d killed; may: %s" % (
        len(lines), sum(line == "trapped" for line in lines.values()), ends,
        " ".join(may) or "nothing")


def without(folder, layer, names):
    """{(role, attack)} that get through with one layer taken away."""
    place = harness.short_folder()
    through = set()
    off = place / ("off-%s-probes" % layer)
    off.mkdir()
    try:
        with Ground(folder / "inside") as ground:
            ground.program = shutil.copy(folder / "inside", off / "inside")
            place.chmod(0o755)
            for role in ROLES:
                lines, _, said = ground.run(role)
                check(lines, "%s without %s: %s", role, layer, said)
                for name in [name for name, kills in names.items() if kills]:
                    if layer == "filter":
                        lines.update(ground.run(role, name)[0])
                through |= {(role, name) for name, line in lines.items()
                            if line == "THROUGH"}
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return through


def expected():
    """{layer: {(role, attack)}} that nothing else stops."""
    found = {}
    path = pathlib.Path(__file__).parent / "layers.expect"
    for line in path.read_text().splitlines():
        if line and line[0] != "#":
            layer, role, names = line.split(None, 2)
            found.setdefault(layer, set()).update(
                (role, name) for name in names.split())
    return found


def one_layer(folder, layer, names, want):
    through = without(folder, layer, names)
    if os.environ.get("TRIZONE_PRINT"):
        for role in ROLES:
            mine = sorted(name for who, name in through if who == role)
            if mine:
                print("%s %s %s" % (layer, role, " ".join(mine)))
    more = through - want.get(layer, set())
    check(not more, "without %s also: %r", layer, sorted(more))
    tried = len(ROLES) * len(names)
    return "%d of %d got through, all others met another layer" % (
        len(through), tried)


def body(suite):
    folder = harness.folder_of_programs()
    program = folder / "inside"
    if not program.exists() or not shutil.which("unshare"):
        raise SystemExit(77)
    if not harness.is_root():
        print("skipped: needs root to make what lies outside")
        raise SystemExit(77)
    names = attacks(program)
    if "--table" in sys.argv:
        table = pathlib.Path(sys.argv[sys.argv.index("--table") + 1])
        want = expected()
        for layer in LAYERS:
            suite.case("without " + layer, one_layer, table, layer, names,
                       want)
        return
    with Ground(program) as ground:
        suite.case("outside", controls, ground, names)
        for role in ROLES:
            suite.case(role, one_role, ground, role, names)
    with Ground(program, NOBODY) as ground:
        for role in ROLES:
            suite.case(role + " of an ordinary user", one_role, ground, role,
                       names)


if __name__ == "__main__":
    main(body)
