#!/usr/bin/env python3
"""What a service manager hands over and hears: sockets that it opened, and
what the service tells of itself; played here without one.

usage: services.py BIN
"""
import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import harness
from harness import Host, Skipped, check, equal, mail, main, run, until

ROLES = ("broker", "auditor", "courier")
NAMES = ("planner", "mail", "operator", "deliver")
FOREIGN = 64820  # a user and group that nobody of ours has
# becomes the program, with descriptors from 3 on and its own number
HAND_OVER = """
import os, sys
fds = [int(word) for word in sys.argv[1].split()]
moved = [os.dup(fd) for fd in fds]
moved = [os.dup2(fd, 200 + i) for i, fd in enumerate(moved)]
for i, fd in enumerate(moved):
    os.dup2(fd, 3 + i, inheritable=True)
os.closerange(3 + len(fds), 1000)
for name in ("LISTEN_PID", "WATCHDOG_PID"):
    if os.environ.get(name) == "own":
        os.environ[name] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class Ear:
    """The socket of NOTIFY_SOCKET; what was told there, each datagram as a
    list of lines, with the process that told it."""

    def __init__(self, place):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(place)
        self.socket.setblocking(False)
        self.told = []
        self.pids = set()

    def listen(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                data, control, _, _ = self.socket.recvmsg(8192, 256)
                self.told.append(data.decode().splitlines())
                for level, kind, raw in control:
                    if (level, kind) == (socket.SOL_SOCKET,
                                         socket.SCM_CREDENTIALS):
                        self.pids.add(struct.unpack("3i", raw)[0])

    def forget(self):
        """What those said who are gone."""
        self.listen()
        self.told = []

    def words(self):
        self.listen()
        return [line for lines in self.told for line in lines]

    def hear(self, line, times=1):
        until(lambda: self.words().count(line) >= times, 20,
              "told %s" % line)

    def after(self, start):
        """The first datagram from there on that has a line like that."""
        return until(lambda: next(
            (lines for lines in (self.listen(), self.told)[1]
             if any(line.startswith(start) for line in lines)), None), 20,
            "told %s..." % start)

    def close(self):
        self.socket.close()


def listening(path, mode=0o660, kind=socket.SOCK_STREAM, listens=True):
    """A socket as a service manager opens it."""
    path.parent.mkdir(mode=0o711, exist_ok=True)
    path.unlink(missing_ok=True)
    one = socket.socket(socket.AF_UNIX, kind)
    one.bind(str(path))
    path.chmod(mode)
    if listens and kind == socket.SOCK_STREAM:
        one.listen(64)
    return one


def start(host, sockets=(), wait=True, **env):
    """The executor with those sockets, {name: socket}, and environment."""
    sockets = dict(sockets)
    fds = [one.fileno() for one in sockets.values()]
    words = {"LISTEN_PID": "own", "LISTEN_FDS": str(len(fds)),
             "LISTEN_FDNAMES": ":".join(sockets)} if fds else {}
    words.update(env)
    log = host.folder / ("executor.%d.log" % len(host.logs))
    host.logs.append(log)
    with open(log, "wb") as out:
        host.executor = subprocess.Popen(
            [sys.executable, "-c", HAND_OVER, " ".join(map(str, fds)),
             host.program("executor"), "run", "--config", host.config_path],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, pass_fds=fds,
            env=harness.environment(**words))
    if wait:
        until(lambda: "ev=ready" in log.read_text(errors="replace") or
              host.executor.poll() is not None, 30, "ready")
        check(host.executor.poll() is None, "ended: %s",
              log.read_text()[-2000:])
    return log


def refused(host, words, sockets=(), status=78, **env):
    """It ends and says why."""
    log = start(host, sockets, wait=False, **env)
    try:
        equal(host.executor.wait(30), status, "status (%s): %s" % (
            words, log.read_text()[-800:]))
        check(words in log.read_text(), "%r is not said: %s", words,
              log.read_text()[-800:])
    finally:
        if host.executor.poll() is None:
            host.executor.kill()
            host.executor.wait(10)
        host.executor = None


def all_sockets(host):
    return {name: listening(host.folder / "run" / (name + ".sock"))
            for name in NAMES}


def close(sockets):
    for one in sockets.values():
        one.close()


#
# What is told.
#

def tells(host, ear):
    ear.hear("READY=1")
    check("STATUS=serves 2 zones, 2 couriers" in ear.words(), "%r",
          ear.words())
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    signal_to = host.executor.pid
    os.kill(signal_to, signal.SIGHUP)
    ear.hear("RELOADING=1")
    ear.hear("READY=1", 2)
    stamp = next(line for line in ear.after("MONOTONIC_USEC=")
                 if line.startswith("MONOTONIC_USEC="))
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    check(before <= int(stamp.split("=")[1]) <= after, "%s is not between "
          "%d and %d", stamp, before, after)
    equal(host.command("reload").returncode, 0, "reload by command")
    ear.hear("RELOADING=1", 2)
    ear.hear("READY=1", 3)
    policy = host.config_path.parent / "policy.json"
    text = policy.read_text()
    policy.write_text("{ broken \x7f\n")
    check(host.command("reload").returncode != 0, "a broken policy is taken")
    ear.hear("READY=1", 4)
    policy.write_text(text)
    check(any("the last reload was refused: " in line
              for line in ear.told[-1]), "%r", ear.told[-1])
    host.stop_executor()
    ear.hear("STOPPING=1")
    equal(ear.pids, {signal_to}, "who told")
    for lines in ear.told:
        check(all(re.fullmatch(r"[A-Z_]+=[ -~]*", line) for line in lines),
              "%r", lines)


def ready_and_reload():
    with Host() as host:
        ear = Ear(str(host.folder / "notify"))
        start(host, NOTIFY_SOCKET=str(host.folder / "notify"))
        tells(host, ear)
        ear.close()


def abstract_name():
    with Host() as host:
        name = "trizone-test-%d" % os.getpid()
        ear = Ear("\0" + name)
        start(host, NOTIFY_SOCKET="@" + name)
        tells(host, ear)
        ear.close()


def watchdog():
    with Host() as host:
        ear = Ear(str(host.folder / "notify"))
        place = {"NOTIFY_SOCKET": str(host.folder / "notify")}
        for env in ({}, {"WATCHDOG_PID": "own"}):
            ear.forget()
            start(host, WATCHDOG_USEC="100000", **env, **place)
            ear.hear("WATCHDOG=1", 5)
            host.stop_executor()
        for env in ({"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
                    {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "-5"},
                    {"WATCHDOG_USEC": "1e3"}, {"WATCHDOG_PID": "own"},
                    {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "x"}):
            ear.forget()
            start(host, **env, **place)
            host.operate("status")
            host.stop_executor()
            ear.hear("STOPPING=1")
            check("WATCHDOG=1" not in ear.words(), "%r: told", env)
        ear.close()


def nobody_hears():
    """It serves, and says that it is not heard."""
    with Host() as host:
        (host.folder / "file").write_text("")
        for place in (host.folder / "none" / "notify", host.folder / "file",
                      "notify", "@", "/", "vsock:2:1", "/" + 200 * "x",
                      "/" + 5000 * "x"):
            log = start(host, NOTIFY_SOCKET=str(place))
            host.operate("status")
            check("ev=not-told" in log.read_text(), "%s: %s", place,
                  log.read_text())
            host.stop_executor()
        log = start(host, NOTIFY_SOCKET="")
        check("ev=not-told" not in log.read_text(), "nobody was to hear")


def nobody_reads():
    """Who has to hear but does not read stops nothing."""
    with Host() as host:
        ear = Ear(str(host.folder / "notify"))
        with contextlib.suppress(BlockingIOError):
            filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            filler.setblocking(False)
            while True:
                filler.sendto(b"x", str(host.folder / "notify"))
        log = start(host, NOTIFY_SOCKET=str(host.folder / "notify"))
        until(lambda: "it does not read" in log.read_text(), 20, "said so")
        host.operate("status")
        host.stop_executor()
        filler.close()
        ear.close()


#
# What is handed over.
#

def activated():
    """Who connects before there is a service is served by it; the sockets
    stay when it ends, and the next one goes on with them."""
    with Host() as host:
        sockets = all_sockets(host)
        waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        waiting.connect(host.socket("operator"))
        waiting.sendall(harness.frame({
            "v": 1, "id": 1, "method": "hello", "params": {
                "role": "operator", "zone": "operator", "program": "test"}}))
        for lap in range(2):
            start(host, sockets)
            reader = host.attach_reader()
            host.deliver_and_wait(mail("lap %d" % lap))
            equal(len(host.items()), lap + 1, "mails")
            if lap == 0:
                waiting.settimeout(20)
                check(len(waiting.recv(65536)) > 4, "no answer to who waited")
                waiting.close()
            harness.end_process(reader)
            host.attached = []
            host.stop_executor()
            for name in NAMES:
                check(os.path.exists(host.socket(name)), "%s is gone", name)
        close(sockets)


def some_are_handed_over():
    """The others it makes itself, and removes those alone."""
    with Host() as host:
        path = host.folder / "run" / "operator.sock"
        sockets = {"operator": listening(path)}
        start(host, sockets)
        host.operate("status")
        equal(sorted(os.listdir(host.folder / "run")),
              sorted(name + ".sock" for name in NAMES), "sockets")
        host.stop_executor()
        equal(os.listdir(host.folder / "run"), ["operator.sock"], "left")
        close(sockets)


def groups_are_given():
    """A socket that is root's alone gets the group of its zone."""
    if not harness.is_root():
        raise Skipped("not root")
    with Host() as host:
        sockets = all_sockets(host)
        start(host, sockets)
        for zone, role in (("mail", "reader"), ("planner", "planner")):
            equal(os.stat(host.socket(zone)).st_gid, harness.ACCOUNTS[role],
                  zone)
        host.stop_executor()
        close(sockets)


def wrong_sockets():
    """Each is refused, with the reason."""
    with Host() as host:
        path = host.folder / "run" / "operator.sock"
        path.parent.mkdir(mode=0o711)
        net = socket.socket()
        net.bind(("127.0.0.1", 0))
        net.listen()
        there = host.folder / "elsewhere.sock"
        unnamed = socket.socketpair()[0]
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind("\0trizone-%d" % os.getpid())
        abstract.listen()
        with open("/dev/null", "rb") as null:
            for one, words in ((net, "not a Unix socket"),
                               (null, "it is no socket"),
                               (unnamed, "nobody listens on it"),
                               (abstract, "not a Unix socket with a path")):
                refused(host, words, {"operator": one})
                one.close()
        for words, place, ways in (
                ("not for streams", path, {"kind": socket.SOCK_DGRAM}),
                ("not for streams", path, {"kind": socket.SOCK_SEQPACKET}),
                ("nobody listens on it", path, {"listens": False}),
                ("it is at %s, not at" % there, there, {}),
                ("has mode 666", path, {"mode": 0o666}),
                ("has mode 770", path, {"mode": 0o770})):
            with listening(place, **ways) as one:
                refused(host, words, {"operator": one})
        gone = listening(path)
        path.unlink()
        refused(host, "there is no socket at", {"operator": gone})
        path.write_text("")
        refused(host, "there is no socket at", {"operator": gone})
        gone.close()
        path.unlink()
        stranger = {"spare": listening(host.folder / "run" / "spare.sock")}
        refused(host, 'a socket "spare" was handed over', stranger)
        close(stranger)


def wrong_owners():
    if not harness.is_root():
        raise Skipped("not root")
    with Host() as host:
        path = host.folder / "run" / "operator.sock"
        for user, group, words in ((FOREIGN, 0, "belongs to user"),
                                   (0, FOREIGN, "has group %d" % FOREIGN)):
            sockets = {"operator": listening(path)}
            os.chown(path, user, group)
            refused(host, words, sockets)
            close(sockets)


def wrong_words():
    """An environment that cannot be right is refused whole."""
    with Host() as host:
        sockets = {"operator": listening(
            host.folder / "run" / "operator.sock")}
        for words, env in (
                ("LISTEN_FDS is not a number", {"LISTEN_FDS": "x"}),
                ("LISTEN_FDS is not a number", {"LISTEN_FDS": "-1"}),
                ("LISTEN_FDS is not a number", {"LISTEN_FDS": "1 "}),
                ("LISTEN_FDS is not a number", {"LISTEN_FDS": ""}),
                ("LISTEN_FDS is not a number", {"LISTEN_FDS": "65"}),
                ("LISTEN_FDS is not a number",
                 {"LISTEN_FDS": "18446744073709551617"}),
                ("fewer are open", {"LISTEN_FDS": "2",
                                    "LISTEN_FDNAMES": "operator:deliver"}),
                ("not a name for each", {"LISTEN_FDS": "2"}),
                ("not a name for each", {"LISTEN_FDNAMES": ""}),
                ("two have the same name",
                 {"LISTEN_FDS": "2", "LISTEN_FDNAMES": "mail:mail"}),
                ("more names than", {"LISTEN_FDNAMES": "operator:deliver"}),
                ("too long", {"LISTEN_FDNAMES": "x" * 5000})):
            refused(host, words, sockets, **env)
        close(sockets)
        many = {"s%d" % i: socket.socket() for i in range(65)}
        refused(host, "LISTEN_FDS is not a number of at most 64", many)
        close(many)


def links(pid):
    found = {}
    for fd in os.listdir("/proc/%d/fd" % pid):
        with contextlib.suppress(OSError):
            found[int(fd)] = os.readlink("/proc/%d/fd/%s" % (pid, fd))
    return found


def inodes(sockets):
    return {"socket:[%d]" % os.fstat(one.fileno()).st_ino
            for one in sockets.values()}


def meant_for_another():
    """Sockets that are not ours are closed, and not looked at."""
    with Host() as host:
        sockets = {"operator": listening(host.folder / "other.sock")}
        for env in ({"LISTEN_PID": "1"}, {"LISTEN_PID": ""},
                    {"LISTEN_PID": "own", "LISTEN_FDS": "0"},
                    {"LISTEN_PID": "99999999999999"},
                    {"LISTEN_PID": "1", "LISTEN_FDS": "zzz"}):
            start(host, sockets, **env)
            host.operate("status")
            equal(inodes(sockets) & set(links(host.executor.pid).values()),
                  set(), "held with %r" % env)
            host.stop_executor()
        close(sockets)


def a_second_one():
    """Who is handed the same sockets again does not serve."""
    with Host() as host, Host() as other:
        sockets = all_sockets(host)
        start(host, sockets)
        other.config["run"] = host.config["run"]
        other.write_settings()
        refused(other, "another executor serves in", sockets, 69)
        refused(other, "another executor serves in", (), 69)
        host.operate("status")
        host.stop_executor()
        equal(sorted(os.listdir(host.folder / "run")),
              sorted(name + ".sock" for name in NAMES), "sockets")
        # nobody serves, but somebody would start one
        refused(other, "somebody listens on", (), 69)
        close(sockets)


#
# What others see of it.
#

def nothing_is_inherited():
    """A role has of what was handed over what it would have had otherwise:
    the broker the sockets to listen on, all others none."""
    with Host() as host:
        host.start()
        before = {role: len(links(host.role_pid(role))) for role in ROLES}
        host.stop_executor()
        sockets = all_sockets(host)
        ear = Ear(str(host.folder / "notify"))
        start(host, sockets, NOTIFY_SOCKET=str(host.folder / "notify"),
              WATCHDOG_USEC="60000000")
        for role in ROLES:
            pid = host.role_pid(role)
            seen = links(pid)
            equal(len(seen), before[role], "descriptors of " + role)
            equal(len(inodes(sockets) & set(seen.values())),
                  len(sockets) if role == "broker" else 0, role + " holds")
            with open("/proc/%d/environ" % pid, "rb") as file:
                equal(file.read(), b"", "environment of " + role)
        check(inodes(sockets) <= set(links(host.executor.pid).values()),
              "the parent has them not")
        ear.close()
        host.stop_executor()
        close(sockets)


def nothing_is_passed_on():
    """What a manager says to a command is not said to what it starts."""
    with Host() as host:
        host.start()
        out = host.folder / "said"
        done = run([host.program("executor"), "attach", "--config",
                    host.config_path, "mail", "--", "sh", "-c",
                    "env >%s; ls /proc/self/fd >>%s" % (out, out)],
                   env=harness.environment(
                       NOTIFY_SOCKET="/x", LISTEN_PID="1", LISTEN_FDS="1",
                       LISTEN_FDNAMES="x", LISTEN_PIDFDID="1",
                       WATCHDOG_USEC="1", WATCHDOG_PID="1"))
        check(out.exists(), "%r", done.stderr)
        found = re.findall(r"^(LISTEN_\w+|NOTIFY_SOCKET|WATCHDOG_\w+)=",
                           out.read_text(), re.M)
        equal(found, [], "passed on")


def body(suite):
    if sys.platform != "linux":
        print("skipped: launchd cannot be played")
        raise SystemExit(77)
    for case in (ready_and_reload, abstract_name, watchdog, nobody_hears,
                 nobody_reads, activated, some_are_handed_over,
                 groups_are_given, wrong_sockets, wrong_owners, wrong_words,
                 meant_for_another, a_second_one, nothing_is_inherited,
                 nothing_is_passed_on):
        suite.case(case.__name__.replace("_", " "), case)


if __name__ == "__main__":
    main(body)
