"""Processes of a drive program: which there are, and what each is.

Needs Linux: /proc, and that orphans become ours (PR_SET_CHILD_SUBREAPER), so
that nobody we started, however indirectly, can get out of sight.
"""
import ctypes
import os
import re
import signal
import threading

from harness import Skipped

PR_SET_CHILD_SUBREAPER = 36
ROLE = re.compile(r"ev=locked .*?role=(\w+) pid=(\d+)")

lock = threading.Lock()  # held from fork until the child is in `known`
known = set()            # whom somebody else waits for


def adopt_orphans():
    try:
        rc = ctypes.CDLL(None, use_errno=True).prctl(
            PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (OSError, AttributeError):
        rc = -1
    if rc != 0 or not os.path.isdir("/proc/self"):
        raise Skipped("needs Linux: /proc and a subreaper")


def _stat(pid):
    """(parent, state) of a process; None when it is gone."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return int(fields[1]), fields[0].decode()


def _arguments(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as line:
            return line.read().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def snapshot():
    """{pid: (parent, state)} of everybody."""
    found = {int(name): _stat(int(name)) for name in os.listdir("/proc")
             if name.isdigit()}
    return {pid: stat for pid, stat in found.items() if stat}


def descendants():
    """{pid: parent} of whom we started, directly or not, and who lives."""
    everybody, mine = snapshot(), {}
    ring = {os.getpid()}
    while ring:
        ring = {pid for pid, (parent, _) in everybody.items()
                if parent in ring}
        mine.update((pid, everybody[pid][0]) for pid in ring
                    if everybody[pid][1] not in "ZX")
    return mine


def pss(pid):
    """What a process takes of the memory, in KiB, shared pages by their share;
    0 when it is gone."""
    try:
        with open("/proc/%d/smaps_rollup" % pid) as file:
            return int(file.read().split("Pss:")[1].split()[0])
    except (OSError, IndexError):
        return 0


def reap_orphans():
    """Take the exit status of dead children nobody else waits for."""
    with lock:
        for pid, (parent, state) in snapshot().items():
            if parent == os.getpid() and state == "Z" and pid not in known:
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass


def _role(arguments, kinds, pid):
    """What the executor's program is in this process."""
    if arguments[1:2] == ["--role"]:
        return arguments[2] if arguments[2] != "courier" else kinds.get(
            pid, "courier")
    if arguments[1:2] == ["run"]:
        return "parent"
    if arguments[1:2] == ["attach"] and "--" in arguments:
        return "attach " + arguments[arguments.index("--") - 1]
    return arguments[1] if len(arguments) > 1 else "?"


def _inner_pids(pid):
    """The numbers a process has in pid namespaces below ours."""
    try:
        with open("/proc/%d/status" % pid) as status:
            for line in status:
                if line.startswith("NSpid:"):
                    return [int(word) for word in line.split()[2:]]
    except OSError:
        pass
    return []


def _zone(program, pid, above, below):
    """What a zone's program is in this process: the zone itself is the first
    of its pid namespace, where it has one, and its waiter is outside."""
    inner = _inner_pids(pid)
    if inner:
        return program if inner[0] == 1 else "worker"
    if any(_inner_pids(child) for child in below):
        return program + " waiter"
    return "worker" if above else program


def named(log_text):
    """{name: [pid]} of our descendants: parent, broker, auditor, file, notify,
    reader, worker, planner, deliver, "reader waiter", "planner waiter",
    "attach ZONE". A courier is known by what it wrote into the log."""
    kinds = {int(pid): name for name, pid in ROLE.findall(log_text)}
    mine, names = descendants(), {}
    arguments = {pid: _arguments(pid) for pid in mine}
    for pid, parent in mine.items():
        words = arguments[pid]
        program = os.path.basename(words[0]) if words else ""
        if program == "trizone-executor":
            name = _role(words, kinds, pid)
        elif program in ("trizone-reader", "trizone-planner"):
            above = arguments.get(parent)
            name = _zone(program[8:], pid, above and os.path.basename(
                above[0]) == program, [child for child in mine
                                       if mine[child] == pid])
        else:
            continue
        names.setdefault(name, []).append(pid)
    return names


def send(pids, number):
    """Signal processes of ours; those that are gone are no matter."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def kill_all():
    """At the end of a failed run: nobody stays."""
    send(descendants(), signal.SIGCONT)
    send(descendants(), signal.SIGKILL)
