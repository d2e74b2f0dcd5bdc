#!/usr/bin/env python3
"""The list of system calls that a container of a zone has.

usage: seccomp_list.py [BIN]

A mail goes through planner and reader behind the lists that containers get, as
JSON beside BIN, here without a container: loaded by libseccomp and executed.
Each call that is admitted for their start alone has to be made there, or the
list says who else needs it.
"""
import ctypes
import ctypes.util
import errno
import json
import os
import pathlib
import re
import shutil
import socket
import sys

import harness
from harness import ACCOUNTS, Host, absent, check, equal, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALLOW, KILL, ERRNO = 0x7fff0000, 0x80000000, 0x00050000
COMPARE = {"SCMP_CMP_EQ": 4, "SCMP_CMP_MASKED_EQ": 7}
# another C library, another architecture, another way to do it
OTHERS = ("older C libraries", "32 bits", "musl", "newer C libraries",
          "other architectures", "older kernels", "no vDSO")
REFUSED = ("unshare", "setns", "mount", "umount2", "pivot_root", "chroot",
           "setuid", "setgid", "setresuid", "setgroups", "connect", "listen",
           "accept4", "shmget", "inotify_init1", "fanotify_init", "quotactl",
           "swapon", "reboot", "sethostname", "settimeofday", "syslog")


class Argument(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int),
                ("datum_a", ctypes.c_uint64), ("datum_b", ctypes.c_uint64)]


def action(rule):
    return {"SCMP_ACT_ALLOW": ALLOW, "SCMP_ACT_KILL_PROCESS": KILL,
            "SCMP_ACT_ERRNO": ERRNO | rule.get("errnoRet", 1)}[rule["action"]]


def load(path):
    """What a container's runtime does with the JSON."""
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    document = json.loads(pathlib.Path(path).read_text())
    equal(document["defaultAction"], "SCMP_ACT_ERRNO", "default")
    context = ctypes.c_void_p(library.seccomp_init(
        ctypes.c_uint32(ERRNO | document["defaultErrnoRet"])))
    for rule in document["syscalls"]:
        arguments = (Argument * len(rule.get("args", [])))(*[
            (row["index"], COMPARE[row["op"]], row["value"], row["valueTwo"])
            for row in rule.get("args", [])])
        for name in rule["names"]:
            number = library.seccomp_syscall_resolve_name(name.encode())
            if number < 0:
                continue
            rc = library.seccomp_rule_add_array(
                context, ctypes.c_uint32(action(rule)), number,
                len(arguments), arguments)
            check(rc == 0, "%s cannot be listed: %d", name, rc)
    check(library.seccomp_load(context) == 0, "the list is not taken")


def behind():
    """Become a user, and execute words behind a list, or try what is refused:
    seccomp_list.py --load JSON USER [WORD...]"""
    path, user, words = sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    libc = ctypes.CDLL(None, use_errno=True)
    equal(libc.prctl(38, 1, 0, 0, 0), 0, "no new privileges")
    if not words:
        attempts = [numbered(name) for name in REFUSED]
    load(path)
    if words:
        os.execv(words[0], words)
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX,
                   socket.AF_VSOCK, socket.AF_PACKET):
        try:
            socket.socket(family, socket.SOCK_DGRAM)
        except PermissionError:
            continue
        raise AssertionError("a socket of family %d" % family)
    for name, number in zip(REFUSED, attempts):
        ctypes.set_errno(0)
        equal((libc.syscall(number, 0, 0, 0, 0, 0, 0), ctypes.get_errno()),
              (-1, errno.EPERM), name)
    os.write(1, b"refused\n")
    os._exit(0)


def numbered(name):
    number = ctypes.CDLL("libseccomp.so.2").seccomp_syscall_resolve_name(
        name.encode())
    check(number >= 0, "no call %s", name)
    return number


def lists():
    folder = harness.folder_of_programs().parent / "seccomp"
    if not folder.exists():
        absent(str(folder))
    return folder


def walled(host, kind, *words, trace=()):
    """A zone's program behind the list, as its account, without a network."""
    alone = ["unshare", "--net"] if harness.is_root() else [
        "unshare", "--user", "--map-current-user", "--net"]
    return [*alone, *trace, sys.executable, "-B", __file__, "--load",
            lists() / ("trizone-%s.json" % kind),
            ACCOUNTS[kind] if harness.is_root() else 0,
            host.program(kind), "run", "--channel", "stdio", *words]


def through(trace=False):
    """Names of the calls that were made behind the list, by kind."""
    with Host() as host:
        rules = host.folder / "rules.json"
        rules.write_text((ROOT / "vm" / "sample-rules.json").read_text())
        rules.chmod(0o644)
        traces = host.folder / "traces"
        traces.mkdir()
        host.start()
        for zone, kind, more in (("mail", "reader", ()),
                                 ("planner", "planner", ("--rules", rules))):
            host.attach(zone, *walled(host, kind, *more, trace=(
                "strace", "-f", "-qq", "-o", traces / kind) if trace else ()),
                        respawn=False)
        handle = host.deliver((ROOT / "vm" / "sample.eml").read_bytes())
        until(lambda: host.items()[handle]["state"] == "done", 60, "done")
        locked = host.zone_status("mail")["attestation"]
        equal(locked["namespaces"], [], "namespaces behind the list")
        equal(locked["probes"], 21, "probes")
        if not trace:
            return None
        host.stop()
        return {kind: made(traces / kind) for kind in ("reader", "planner")}


def made(path):
    """From the program's own execve on."""
    text = path.read_text(errors="replace")
    text = text[text.rindex("execve(\"" + str(
        harness.folder_of_programs())):]
    return set(re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", text, re.M))


def start_rows():
    text = (ROOT / "tools" / "start.def").read_text()
    return re.findall(r"^START\((\w+), \w+, \"([^\"]*)\"\)", text, re.M)


def none_too_many():
    if not shutil.which("strace"):
        absent("strace")
    calls = through(trace=True)
    both = calls["reader"] | calls["planner"]
    rows = start_rows()
    check(len(rows) > 50, "rows")
    previous, idle = "", []
    for name, why in rows:
        previous = why if not why.startswith("the same") else \
            previous + why[len("the same"):]
        if name not in both and not any(other in previous
                                        for other in OTHERS):
            idle.append(name)
    equal(idle, [], "calls that no start makes")
    return "%d of %d made" % (len(both & {name for name, _ in rows}),
                              len(rows))


def refuses():
    """A program that does not lock itself in finds the same doors closed."""
    for kind in ("reader", "planner"):
        done = harness.run([sys.executable, "-B", __file__, "--load",
                            lists() / ("trizone-%s.json" % kind), 0])
        equal(done.stdout, b"refused\n", "%s: %r" % (kind, done.stderr))


def body(suite):
    if ctypes.util.find_library("seccomp") is None or \
            harness.run(["unshare", "--user", "--net", "true"]).returncode:
        print("skipped: no libseccomp, or no network namespaces")
        sys.exit(77)
    suite.case("a mail behind the lists of containers", through)
    suite.case("no call is listed that no start makes", none_too_many)
    suite.case("what they refuse to another program", refuses)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--load"]:
        behind()
    harness.main(body)
