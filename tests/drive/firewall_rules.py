#!/usr/bin/env python3
"""The commands that put an account behind the firewall, on a machine of their
own (fwnet.py), by nft and by iptables with ipset.

usage: firewall_rules.py [FOLDER]

Every connect and every packet is tried as the account, as another user and as
root; what is refused has to fail at once, with its errno. Needs root; without
it, or without the backend's programs, exit 77.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import fwframes
import fwnet
import harness
from fwnet import AGENT, OTHER, PYTHON, UIDS, Network
from harness import check, equal, until

DONE, FOUND, USAGE, UNAVAILABLE, TEMPORARY = 0, 1, 64, 69, 75
NOT_PERMITTED, CONFIG = 77, 78
BACKENDS = {"nft": ("nft",),
            "iptables": ("iptables-restore", "ip6tables-restore", "ipset")}
HERE = "/etc/trizone/config.json"
STATE = "/etc/trizone/firewall/applied.json"
ALLOWED, ALLOWED6, REFUSED = "11.8.0.1", "2600:8::1", "11.9.0.1"
AT_ONCE = 4  # seconds; a hang would be 5
EXECUTOR = None

# One line for each of argv: WAY ADDRESS PORT; "ok" or the name of the errno,
# and how long it took.
PROBE = r"""
import errno, json, socket, sys, time
out = []
for way, address, port in zip(*[iter(sys.argv[1:])] * 3):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if way == "tcp" else socket.SOCK_DGRAM
    start = time.monotonic()
    try:
        s = socket.socket(family, kind)
        s.settimeout(5)
        s.connect((address, int(port)))
        s.send(b"x")
        got = "ok" if s.recv(1) == b"x" else "nothing"
    except socket.timeout:
        got = "hangs"
    except OSError as e:
        got = errno.errorcode.get(e.errno, str(e))
    out.append([got, time.monotonic() - start])
print(json.dumps(out))
"""

ASK = r"""
import socket, sys
for address in sys.argv[1:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", (address, 53))
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(0.2)
    s.connect_ex((address, 53))
"""


def probe(net, *ways, user=AGENT):
    words = [word for way in ways for word in way]
    done = net.host(PYTHON, "-c", PROBE, *words, user=user)
    found = json.loads(done.stdout)
    for way, (got, took) in zip(ways, found):
        check(got == "ok" or took < AT_ONCE, "%r: %s after %g s", way, got,
              took)
    return [got for got, _ in found]


def reaches(net, address=ALLOWED, port=443, user=AGENT, way="tcp"):
    return probe(net, (way, address, str(port)), user=user) == ["ok"]


def firewall(net, *words, want=DONE, **more):
    return net.host(EXECUTOR, "firewall", *words, want=want, **more)


def applied(net):
    return json.loads(net.inside(STATE).read_text())


def account_of(net, name=AGENT):
    return {a["name"]: a for a in applied(net)["accounts"]}[name]


def write_policy(net, allow, more=None):
    net.host("mkdir", "-p", "/etc/trizone")
    net.inside(HERE).write_text(json.dumps(
        {"version": 1, "state": "/var/lib/trizone", "run": "/run/trizone",
         "policy": "policy.json"}))
    net.inside("/etc/trizone/policy.json").write_text(json.dumps(
        dict({"version": 1, "firewall": {"accounts": {AGENT: {
            "allow": allow}}}}, **(more or {}))))


def apply(net, backend, *words, allow=(ALLOWED + ":443",), timeout=0, **more):
    if allow is not None:
        write_policy(net, list(allow))
    return firewall(net, "apply", AGENT, "--backend", backend, "--timeout",
                    str(timeout), *words, **more)


STRANGERS = """table inet mine {
 set some { type ipv4_addr; elements = { 192.0.2.99 } }
 chain output { type filter hook output priority 10; ip daddr @some drop; }
}
"""


def strangers(net, backend):
    """Rules of others, which have to be there afterwards, as they were."""
    if backend == "nft":
        net.host("nft", "-f", "-", data=STRANGERS.encode())
        return
    for tool in ("iptables", "ip6tables"):
        net.host(tool, "-N", "MINE")
        net.host(tool, "-A", "MINE", "-p", "tcp", "--dport", "9999", "-j",
                 "DROP")
        net.host(tool, "-A", "OUTPUT", "-j", "MINE")


def others(net, backend):
    """What of the machine's rules is none of ours."""
    if backend == "nft":
        text = net.host("nft", "-s", "list", "ruleset").stdout.decode()
        return [table.strip() for table in ("\n" + text).split("\ntable ")
                if table.strip() and "trizone_accounts" not in table]
    text = ""
    for tool in ("iptables-save", "ip6tables-save"):
        text += net.host(tool, "-t", "filter").stdout.decode()
    return [line for line in text.splitlines()
            if line[:2] == "-A" and "TRIZONE-" not in line]


def flush(net, backend):
    if backend == "nft":
        net.host("nft", "flush", "ruleset")
        return
    for tool in ("iptables", "ip6tables"):
        for table in ("filter", "nat"):
            net.host(tool, "-t", table, "-F")
            net.host(tool, "-t", table, "-X")


class Live:
    """A connection of the account that stays open."""

    SCRIPT = ("import socket, sys\n"
              "s = socket.create_connection((sys.argv[1], 443), 5)\n"
              "s.settimeout(3)\n"
              "print('open', flush=True)\n"
              "for line in sys.stdin:\n"
              " try:\n"
              "  s.sendall(b'x')\n"
              "  print('ok' if s.recv(1) == b'x' else 'end', flush=True)\n"
              " except OSError as e:\n"
              "  print('cut', flush=True)\n")

    def __init__(self, net, address=ALLOWED):
        self.process = net.spawn(
            PYTHON, "-c", self.SCRIPT, address, user=AGENT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        equal(self.process.stdout.readline(), b"open\n", "live connection")

    def says(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip().decode()


# Cases.

def accounts(net, _backend):
    made = firewall(net, "account", "bot").stdout.decode()
    check("no password, no shell" in made, "%s", made)
    again = firewall(net, "account", "bot").stdout.decode()
    check(again in made, "not the same again: %s", again)
    entry = [line for line in net.inside("/etc/shadow").read_text()
             .splitlines() if line.startswith("bot:")]
    check(entry and entry[0].split(":")[1][:1] in "!*", "%r", entry)
    status = net.inside("/var/lib/bot").stat()
    equal(status.st_mode & 0o7777, 0o700, "mode of its home")
    check(0 < status.st_uid < 1000, "number %d", status.st_uid)
    for name in ("/etc/subuid", "/etc/subgid"):
        path = net.inside(name)
        check(not path.exists() or "bot:" not in path.read_text(), name)
    for name in ("root", "nobody", OTHER):
        firewall(net, "account", name, want=CONFIG)
    for name in ("Bot", "-x", "a b", "", "trizone-broker", "1000"):
        firewall(net, "account", name, want=USAGE)
    net.host("usermod", "-s", "/bin/sh", "bot")
    firewall(net, "account", "bot", want=CONFIG)
    net.host("usermod", "-s", "/usr/sbin/nologin", "bot")
    sleeper = net.spawn("setpriv", "--reuid", "bot", "--clear-groups",
                        "sleep", "60")
    until(lambda: harness.run(["grep", "-q", "^Uid:\t%d\t" % status.st_uid,
                               "/proc/%d/status" % sleeper.pid]
                              ).returncode == 0, 15, "a process of its")
    firewall(net, "account", "bot", "--remove", want=TEMPORARY)
    sleeper.kill()
    sleeper.wait(5)
    write_policy(net, [], {"firewall": {"accounts": {
        "bot": {"allow": ["api.test:443"]}}}})
    said = firewall(net, "account", "bot", "--remove").stdout
    check(b"take bot out of" in said, "%r", said)
    check(not net.inside("/var/lib/bot").exists(), "its home is left")
    firewall(net, "account", "bot", "--remove")


def confines(net, backend):
    check(reaches(net, REFUSED), "the network is dead")
    strangers(net, backend)
    before = others(net, backend)
    check(before, "no rules of others")
    apply(net, backend, allow=[
        ALLOWED + ":443", "[%s]:443" % ALLOWED6, ALLOWED + ":5353/udp"])
    equal(others(net, backend), before, "rules of others")
    equal(probe(net, ("tcp", ALLOWED, "443"), ("tcp", ALLOWED6, "443"),
                ("udp", ALLOWED, "5353")), ["ok"] * 3, "allowed")
    equal(probe(net, ("tcp", ALLOWED, "80"), ("tcp", REFUSED, "443"),
                ("tcp", "2600:9::1", "443"), ("tcp", "127.0.0.1", "443"),
                ("tcp", "::1", "443")), ["ECONNREFUSED"] * 5, "refused")
    for got in probe(net, ("udp", ALLOWED, "443"), ("udp", REFUSED, "5353"),
                     ("udp", ALLOWED6, "5353")):
        check(got in ("EPERM", "EACCES", "ECONNREFUSED"), "UDP: %s", got)
    for user in (OTHER, "root"):
        equal(probe(net, ("tcp", REFUSED, "443"), ("udp", REFUSED, "5353"),
                    ("tcp", "2600:9::1", "443"), user=user), ["ok"] * 3, user)


def is_greeting(frame):
    """The end of how both became neighbours, which may come late."""
    return frame.port == fwnet.PORTS[0] and frame.to in (fwnet.PEER4,
                                                         fwnet.PEER6)


def nobody_leaks(net, backend):
    apply(net, backend)
    with net.capture() as frames:
        probe(net, ("tcp", REFUSED, "443"), ("udp", REFUSED, "5353"),
              ("tcp", "2600:9::1", "22"))
        # no guard is here to answer, but they are on the way to it
        net.host(PYTHON, "-c", ASK, REFUSED, "2600:9::1", "127.0.0.1", "::1",
                 user=AGENT)
        time.sleep(0.3)
        left = frames.leaked(is_greeting)
        check(not left, "left the machine: %s", fwframes.words(left))


def ipv6_is_off_on_loopback(net, backend):
    """There alone: elsewhere it would still leave."""
    net.host("sysctl", "-qw", "net.ipv6.conf.lo.disable_ipv6=1")
    apply(net, backend)
    check(reaches(net), "allowed")
    check(reaches(net, "2600:9::1", user=OTHER), "the network is dead")
    net.listeners.take()
    with net.capture() as frames:
        # the reset that tells at once would come by loopback
        net.host(PYTHON, "-c", ASK.replace("53", "443"), "2600:9::1",
                 user=AGENT, want=None)
        time.sleep(0.3)
        left = frames.leaked(is_greeting)
        check(not left, "left the machine: %s", fwframes.words(left))


def stays_alive(net, backend):
    """What is allowed before and after is not cut in between."""
    apply(net, backend, allow=[ALLOWED + ":443"])
    live = Live(net)
    for allow in ([ALLOWED + ":443", REFUSED + ":443"],
                  [ALLOWED + ":443", "api.test:443"], [ALLOWED + ":443"]):
        apply(net, backend, allow=allow)
        equal(live.says(), "ok", "after %r" % allow)
    firewall(net, "apply", "--restore")
    equal(live.says(), "ok", "after restore")
    apply(net, backend, allow=[REFUSED + ":443"])
    check(live.says() in ("cut", "end"), "its host is gone, and it lives")
    check(not reaches(net), "its host is gone")
    check(reaches(net, REFUSED), "the new one is not there")


def put_element(net, backend, name, address):
    uid = UIDS[AGENT]
    for kind in ("fresh", "known"):
        if backend == "nft":
            net.host("nft", "add", "element", "inet", "trizone_accounts",
                     "%s4_%d" % (kind, uid),
                     "{ %s . tcp . 443 timeout 60s comment \"%s\" }" % (
                         address, name))
        else:
            net.host("ipset", "add", "trizone_%s4_%d" % (kind, uid),
                     address + ",tcp:443", "timeout", "60", "comment", name)


def keeps_addresses(net, backend):
    """Those of names that stay; not those of names that are gone."""
    apply(net, backend, allow=["api.test:443", "www.test:443"])
    put_element(net, backend, "api.test", ALLOWED)
    put_element(net, backend, "www.test", REFUSED)
    live, other = Live(net), Live(net, REFUSED)
    apply(net, backend, allow=["api.test:443", "new.test:443"])
    equal(live.says(), "ok", "a name that stays")
    check(reaches(net), "a name that stays")
    check(other.says() in ("cut", "end"), "a name that is gone")
    check(not reaches(net, REFUSED), "a name that is gone")
    put_element(net, backend, "evil.test", REFUSED)
    out = firewall(net, "apply", "--restore").stdout.decode()
    check("put back" in out, "%r", out)
    check(not reaches(net, REFUSED), "an element of nobody's")
    check(reaches(net), "the other one")


def literal_has_no_end(net, backend):
    apply(net, backend, allow=["api.test:443"])
    put_element(net, backend, "api.test", ALLOWED)
    apply(net, backend, allow=["api.test:443", ALLOWED + ":443"])
    uid = UIDS[AGENT]
    if backend == "nft":
        text = net.host("nft", "list", "set", "inet", "trizone_accounts",
                        "fresh4_%d" % uid).stdout.decode()
        check("expires" not in text, "%s", text)
    else:
        text = net.host("ipset", "list",
                        "trizone_fresh4_%d" % uid).stdout.decode()
        check("tcp:443 timeout 0" in text, "%s", text)


def not_confirmed(net, backend):
    strangers(net, backend)
    before = others(net, backend)
    apply(net, backend, timeout=2)
    check(reaches(net), "while it waits")
    check(account_of(net)["blocked"], "on disk it is not blocked")
    until(lambda: "pending" not in applied(net), 10, "the timer")
    until(lambda: not reaches(net), 10, "blocked")
    equal(probe(net, ("tcp", ALLOWED, "443"), ("tcp", REFUSED, "443")),
          ["ECONNREFUSED"] * 2, "blocked")
    equal(others(net, backend), before, "rules of others")
    firewall(net, "confirm", AGENT, want=UNAVAILABLE)
    check(not reaches(net), "too late, and yet")
    apply(net, backend, timeout=60)
    firewall(net, "confirm", AGENT)
    firewall(net, "confirm", AGENT, want=UNAVAILABLE)
    check(reaches(net) and not account_of(net)["blocked"], "confirmed")


def timer_is_alone(net, backend):
    """It outlives the terminal and the group of who applied."""
    write_policy(net, [ALLOWED + ":443"])
    starter = net.spawn("setsid", "sh", "-c", "'%s' firewall apply %s --backend "
                        "%s --timeout 3; kill -9 0" % (
                            EXECUTOR, AGENT, backend))
    starter.wait(20)
    check(reaches(net), "applied")
    until(lambda: not reaches(net), 10, "blocked")
    until(lambda: "pending" not in applied(net), 10, "the timer")


def survives_kill(net, backend):
    """Killed at any moment: as it was, or blocked; never open."""
    apply(net, backend)
    for step in range(24):
        write_policy(net, [ALLOWED + ":443", "11.8.0.%d:443" % (step + 2)])
        command = net.namespaces["host"].command(
            [EXECUTOR, "firewall", "apply", AGENT, "--backend", backend,
             "--timeout", "1"])
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=harness.environment(), start_new_session=True)
        time.sleep(0.004 * step)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        check(not reaches(net, REFUSED), "open after a kill (%d)", step)
    until(lambda: "pending" not in applied(net), 15, "timers")
    flush(net, backend)
    firewall(net, "apply", "--boot")
    check(not reaches(net, REFUSED), "open after a start")
    if account_of(net)["blocked"]:
        check(not reaches(net), "blocked on disk, and it reaches something")
    apply(net, backend)
    check(reaches(net), "cannot be applied again")


def boots(net, backend):
    apply(net, backend)
    flush(net, backend)
    check(reaches(net, REFUSED), "flushed, and yet confined")
    firewall(net, "apply", "--boot")
    check(reaches(net) and not reaches(net, REFUSED), "after a start")
    apply(net, backend, timeout=600)
    flush(net, backend)
    firewall(net, "apply", "--boot")
    check(not reaches(net) and not reaches(net, REFUSED),
          "not confirmed, and not blocked after a start")
    firewall(net, "confirm", AGENT, want=UNAVAILABLE)
    net.inside("/etc/trizone/policy.json").write_text("{ damaged")
    flush(net, backend)
    firewall(net, "apply", "--boot")
    check(not reaches(net, REFUSED), "without a policy")


def restores(net, backend):
    apply(net, backend)
    equal(firewall(net, "apply", "--restore").stdout, b"", "nothing to do")
    flush(net, backend)
    out = firewall(net, "apply", "--restore").stdout.decode()
    check(out.startswith("put back"), "%r", out)
    check(reaches(net) and not reaches(net, REFUSED), "put back")
    equal(firewall(net, "apply", "--restore").stdout, b"", "nothing to do")
    if backend == "nft":
        net.host("ip", "rule", "flush", "table", "5353")
        net.host("ip", "-6", "route", "flush", "table", "5353")
        net.host("nft", "insert", "rule", "inet", "trizone_accounts",
                 "account_%d" % UIDS[AGENT], "accept")
    else:
        net.host("iptables", "-I", "OUTPUT", "-j", "ACCEPT")
        done = firewall(net, "check", want=FOUND).stdout.decode()
        check("stands before a jump of ours" in done, "%s", done)
    check(b"put back" in firewall(net, "apply", "--restore").stdout, "again")
    check(not reaches(net, REFUSED), "put back")
    firewall(net, "apply", "--restore", user=AGENT, want=NOT_PERMITTED)


def blocks_and_removes(net, backend):
    strangers(net, backend)
    before = others(net, backend)
    apply(net, backend)
    live = Live(net)
    firewall(net, "apply", AGENT, "--block")
    check(live.says() in ("cut", "end"), "blocked, and it lives")
    check(not reaches(net), "blocked")
    firewall(net, "apply", "--restore")
    check(not reaches(net), "blocked, and restore opens it")
    apply(net, backend)
    firewall(net, "apply", AGENT, "--remove")
    check(reaches(net, REFUSED), "removed")
    equal(others(net, backend), before, "rules of others")
    equal(net.host("ip", "rule", "list", "table", "5353").stdout, b"", "rules")
    if backend == "iptables":
        equal(net.host("ipset", "list", "-n").stdout, b"", "sets")
        check(b"TRIZONE" not in net.host("iptables-save").stdout, "chains")
    else:
        check(b"trizone" not in net.host("nft", "list", "ruleset").stdout,
              "a table is left")
    firewall(net, "apply", AGENT, "--remove")


def allows(net, backend):
    """A first policy is made; that of an operator is not changed."""
    words = ("--backend", backend, "--timeout", "0")
    net.host("rm", "-rf", "/etc/trizone")
    firewall(net, "apply", AGENT, "--allow", ALLOWED + ":443", *words)
    check(reaches(net) and not reaches(net, REFUSED), "allowed")
    firewall(net, "apply", AGENT, "--allow", REFUSED + ":443", "--allow",
             ALLOWED + ":443", *words)
    check(reaches(net) and reaches(net, REFUSED), "one more")
    for bad in ("x", "a.test", "a.test:0", "*.test:1", "a.test:53", "-1"):
        firewall(net, "apply", AGENT, "--allow", bad, *words, want=USAGE)
    write_policy(net, [ALLOWED + ":443"], {"floor": {"verdict": "deny"}})
    text = net.inside("/etc/trizone/policy.json").read_text()
    done = firewall(net, "apply", AGENT, "--allow", REFUSED + ":443", *words,
                    want=CONFIG)
    check(b'"%s:443"' % REFUSED.encode() in done.stderr, "%r", done.stderr)
    equal(net.inside("/etc/trizone/policy.json").read_text(), text, "policy")
    done = firewall(net, "apply", OTHER, *words, want=CONFIG)
    check(b"no account" in done.stderr, "%r", done.stderr)


def one_at_a_time(net, backend):
    apply(net, backend)
    command = net.namespaces["host"].command(
        [EXECUTOR, "firewall", "apply", AGENT, "--backend", backend,
         "--timeout", "0"])
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE,
                                env=harness.environment()) for _ in range(6)]
    for process in running:
        _, said = process.communicate(timeout=60)
        equal(process.returncode, DONE, said)
    equal(firewall(net, "apply", "--restore").stdout, b"", "after all")
    check(reaches(net) and not reaches(net, REFUSED), "after all")


def the_account_itself(net, backend):
    """What it may do about its rules: nothing."""
    apply(net, backend)
    for words in (("apply", AGENT, "--remove"), ("apply", AGENT),
                  ("confirm", AGENT), ("account", AGENT, "--remove"),
                  ("apply", AGENT, "--block"), ("apply", "--boot")):
        firewall(net, *words, user=AGENT, want=NOT_PERMITTED)
    for words in (("cat", STATE), ("ls", "/etc/trizone/firewall"),
                  ("touch", "/etc/trizone/policy.json"),
                  ("rm", "-f", "/etc/trizone/policy.json")):
        check(net.host(*words, user=AGENT, want=None).returncode != 0,
              "it may %s", " ".join(words))
    check(not reaches(net, REFUSED), "afterwards")


def refuses_damage(net, backend):
    apply(net, backend)
    for text in ("", "{", "[]", '{"version":1}'):
        net.inside(STATE).write_text(text)
        apply(net, backend, want=CONFIG)
        firewall(net, "apply", "--restore", want=CONFIG)
        check(not reaches(net, REFUSED), "open by a damaged file")
    net.host("rm", STATE)
    net.host("chmod", "0777", "/etc/trizone/firewall")
    apply(net, backend, want=CONFIG)
    net.host("chmod", "0700", "/etc/trizone/firewall")
    apply(net, backend)
    for text in ("{}", '{"version":1,"firewall":[]}'):
        net.inside("/etc/trizone/policy.json").write_text(text)
        apply(net, backend, allow=None, want=CONFIG)
    check(not reaches(net, REFUSED), "open by a damaged policy")
    write_policy(net, [])
    apply(net, backend, allow=None)
    check(not reaches(net), "an empty list")


def many(net, backend):
    """16 accounts of 100 hosts each; a packet asks none of them but its own."""
    accounts = {}
    for number in range(16):
        name = AGENT if number == 0 else "many%02d" % number
        if number:
            net.host("tee", "-a", "/etc/passwd", data=(
                "%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n" % (
                    name, 600 + number, 600 + number)).encode())
        accounts[name] = {"allow": ["11.%d.0.%d:443" % (8 + number, host + 1)
                                    for host in range(50)] + [
            "h%d.test:443" % host for host in range(50)]}
    write_policy(net, [])
    net.inside("/etc/trizone/policy.json").write_text(json.dumps(
        {"version": 1, "firewall": {"accounts": accounts}}))
    for name in accounts:
        firewall(net, "apply", name, "--backend", backend, "--timeout", "0")
    equal(firewall(net, "apply", "--restore").stdout, b"", "all of them")
    equal(probe(net, ("tcp", "11.8.0.50", "443"), ("tcp", "11.9.0.1", "443")),
          ["ok", "ECONNREFUSED"], "the first")
    equal(probe(net, ("tcp", "11.23.0.50", "443"), ("tcp", ALLOWED, "443"),
                user=615), ["ok", "ECONNREFUSED"], "the last")
    accounts.pop("many07")
    net.inside("/etc/trizone/policy.json").write_text(json.dumps(
        {"version": 1, "firewall": {"accounts": accounts}}))
    equal(firewall(net, "apply", "--restore").stdout, b"", "not reloaded")
    equal(probe(net, ("tcp", "11.15.0.1", "443"), user=607), ["ok"],
          "what was applied")
    firewall(net, "apply", "--refresh")
    equal(probe(net, ("tcp", "11.15.0.1", "443"), user=607),
          ["ECONNREFUSED"], "gone from the policy")
    for name in list(accounts) + ["many07"]:
        firewall(net, "apply", name, "--remove")


def finds(net, backend):
    """What check says of the account and of the machine."""
    write_policy(net, [ALLOWED + ":443"])
    done = firewall(net, "check", AGENT, "--backend", backend, "--json",
                    want=FOUND)
    text = "\n".join(row["text"] for row in json.loads(done.stdout))
    check("not behind the firewall" in text, "%s", text)
    check("does not take the rules" not in text, "%s", text)
    check(b"trizone" not in net.host("nft", "list", "ruleset").stdout,
          "check has loaded something")
    apply(net, backend)
    net.host("mkdir", "-p", "/run/podman")
    for path in ("/run/docker.sock", "/run/podman/podman.sock"):
        with net.in_host():
            net.host(PYTHON, "-c", "import socket, sys; socket.socket("
                     "socket.AF_UNIX).bind(sys.argv[1])", path)
    net.host("chmod", "0666", "/run/docker.sock")
    net.host("chmod", "0660", "/run/podman/podman.sock")
    net.host("tee", "-a", "/etc/subuid", data=b"agent:100000:65536\n")
    net.host("tee", "-a", "/etc/group", data=b"docker:x:998:agent\n")
    done = firewall(net, "check", AGENT, "--json", want=FOUND)
    faults = [row["text"] for row in json.loads(done.stdout)
              if row["level"] == "fault"]
    for word in ("/run/docker.sock", "/etc/subuid", "the group docker"):
        check(any(word in fault for fault in faults), "%s not in %r", word,
              faults)
    check(not any("podman" in fault for fault in faults), "%r", faults)
    net.host("rm", "/run/docker.sock", "/run/podman/podman.sock")


CASES = [accounts, confines, nobody_leaks, ipv6_is_off_on_loopback,
         stays_alive, keeps_addresses,
         literal_has_no_end, not_confirmed, timer_is_alone, survives_kill,
         boots, restores, blocks_and_removes, allows, one_at_a_time,
         the_account_itself, refuses_damage, many, finds]


def suite_of(suite):
    for backend, programs in BACKENDS.items():
        missing = [name for name in programs if shutil.which(name) is None]
        for case in CASES:
            if case is accounts and backend != "nft":
                continue

            def one(case=case, backend=backend, missing=missing):
                if missing:
                    raise harness.Skipped("no " + missing[0])
                with Network() as net:
                    case(net, backend)
            suite.case("%s: %s" % (backend, case.__name__.replace("_", " ")),
                       one)


if __name__ == "__main__":
    EXECUTOR = pathlib.Path(harness.folder_of_programs()) / "trizone-executor"
    if fwnet.why_not() is not None:
        print("skipped: " + fwnet.why_not())
        sys.exit(77)
    harness.main(suite_of)
