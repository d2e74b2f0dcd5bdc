#!/usr/bin/env python3
"""The service of the firewall: a real one without zones, whose parts are
killed, whose rules are taken away, and whose accounts try what they may not.

usage: firewall_service.py BIN

In a network and a mount namespace of its own, by loopback alone. Needs root
and nft.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import harness
from fwdns import Answer, Dns, question
from harness import Host, Skipped, check, equal, run, until

NEWNET, NEWNS = 0x40000000, 0x00020000
AGENT, UID = "tzagent", 787
PYTHON = "/usr/bin/python3"
PORT, GUARD = 443, 580
GOOD, OTHER, LITERAL = "11.8.0.1", "11.8.0.2", "11.8.0.7"
NOBODY = "11.8.0.9"
ALLOWED = ["api.test:443", "inner.test:443", "gone.test:443",
           LITERAL + ":8443"]
ROLES = {"resolver": 64807, "blocked": 64808}
WITHIN = 1.0  # seconds, until lost rules are back

TRY = """import json, socket, sys
for kind, family, address, port in json.loads(sys.argv[1]):
    s = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET,
                      socket.SOCK_STREAM if kind == "tcp"
                      else socket.SOCK_DGRAM)
    s.settimeout(3)
    try:
        s.connect((address, port))
        if kind == "udp":
            s.send(b"x")
        print("through")
    except OSError as why:
        print(why.errno)
    s.close()
"""


def alone():
    """In namespaces of our own, with an account of our own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform != "linux" or os.geteuid() != 0:
        raise Skipped("needs root on Linux")
    for name in ("nft", "ip", "setpriv", "mount"):
        if shutil.which(name) is None:
            raise Skipped("no " + name)
    if not os.access(PYTHON, os.X_OK):
        raise Skipped("no " + PYTHON)
    if libc.unshare(NEWNET | NEWNS) != 0:
        raise Skipped("no namespaces can be made here")
    for command in (["mount", "--make-rprivate", "/"],
                    ["ip", "link", "set", "lo", "up"],
                    ["ip", "addr", "add", GOOD + "/32", "dev", "lo"],
                    ["ip", "addr", "add", OTHER + "/32", "dev", "lo"],
                    ["ip", "addr", "add", LITERAL + "/32", "dev", "lo"],
                    ["ip", "addr", "add", NOBODY + "/32", "dev", "lo"],
                    ["ip", "-6", "addr", "add", "2600:8::1/128", "dev", "lo"]):
        equal(run(command).returncode, 0, "%r" % command)
    folder = harness.short_folder()
    passwd = folder / "passwd"
    passwd.write_text(pathlib.Path("/etc/passwd").read_text()
                      + "%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n"
                      % (AGENT, UID, UID))
    passwd.chmod(0o644)
    equal(run(["mount", "--bind", passwd, "/etc/passwd"]).returncode, 0,
          "the account")
    shutil.rmtree(folder, ignore_errors=True)


def listen():
    """Whoever comes to these ports is accepted, for the whole of the test."""
    for family, address in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
        for port in (PORT, 8443, 22):
            made = socket.socket(family)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind((address, port))
            made.listen(64)

            def accept(sock=made):
                while True:
                    sock.accept()[0].close()
            threading.Thread(target=accept, daemon=True).start()


class Wall(Host):
    """A service without zones, its rules applied."""

    def __init__(self, allow=None, **config):
        super().__init__(zones={}, deliver={}, resolver={
            "servers": ["127.0.0.1"]}, **config)
        self.config["accounts"] = dict(harness.ACCOUNTS, **ROLES)
        del self.config["deliver"]
        self.allow(ALLOWED if allow is None else allow)

    def allow(self, hosts, name=AGENT):
        self.policy = {"version": 1,
                       "firewall": {"accounts": {name: {"allow": hosts}}}}
        self.write_settings()

    def firewall(self, *arguments):
        return run([self.program("executor"), "firewall", *arguments,
                    "--config", self.config_path], seconds=60)

    def start(self):
        done = self.firewall("apply", AGENT, "--timeout", "0")
        equal(done.returncode, 0, "apply: %r" % done.stderr)
        super().start()
        until(lambda: GOOD in self.elements(), 10, "names are looked up")
        return self

    def __exit__(self, *args):
        run(["nft", "flush", "ruleset"])
        run(["ip", "rule", "flush", "table", "5353"])
        run(["ip", "-6", "rule", "flush", "table", "5353"])
        super().__exit__(*args)

    def elements(self, kind="fresh", family=4):
        done = run(["nft", "list", "set", "inet", "trizone_accounts",
                    "%s%d_%d" % (kind, family, UID)])
        return done.stdout.decode() if done.returncode == 0 else ""

    def status(self):
        return json.loads(self.firewall("status", "--json").stdout)

    def blocked(self, **wanted):
        """Records of what was refused that have these members."""
        found = []
        for row in self.audit():
            if row["kind"] != "blocked":
                continue
            row = dict(json.loads(row["detail"]), why=row["why"],
                       to=row.get("destination"))
            if all(row.get(key) == value for key, value in wanted.items()):
                found.append(row)
        return found


def as_agent(*command, **more):
    return run(["setpriv", "--reuid", str(UID), "--regid", str(UID),
                "--clear-groups", *command], **more)


def tries(*rows):
    """What becomes of connections of the account."""
    done = as_agent(PYTHON, "-c", TRY, json.dumps(rows))
    return [int(word) if word.isdigit() else word
            for word in done.stdout.decode().split()]


def ask(name, family=socket.AF_INET, address="127.0.0.1"):
    """The code and the number of addresses the account gets."""
    done = as_agent(PYTHON, "-c", """import socket, sys
s = socket.socket(int(sys.argv[1]), socket.SOCK_DGRAM)
s.settimeout(3)
s.sendto(bytes.fromhex(sys.argv[3]), (sys.argv[2], 53))
data = s.recv(4096)
print(data[3] & 15, data[7])
""", str(int(family)), address, question(name).hex())
    return tuple(int(word) for word in done.stdout.split())


DNS = None


def zone():
    DNS.zone = {"api.test": Answer(a=[GOOD], aaaa=["2600:8::1"], ttl=120),
                "inner.test": Answer(a=["10.0.0.1"]),
                "gone.test": Answer(a=[OTHER])}


def four_processes():
    """Parent, auditor, resolver and listener; no broker, and no socket."""
    with Wall() as host:
        host.start()
        roles = [row["detail"] for row in host.audit()
                 if row["kind"] in ("start", "attest")]
        equal(sorted(json.loads(row)["role"] for row in roles),
              ["auditor", "blocked", "parent", "resolver"], "roles")
        for row in map(json.loads, roles):
            if row["role"] == "parent":
                check(int(row["capabilities"], 16) & 1 << 12,
                      "no CAP_NET_ADMIN: %r", row)
                continue
            check(row["uid"] not in (0, UID) and row["own_root"] and
                  row["capabilities"] == "0" * 16, "%r", row)
            equal("net" in row["namespaces"], row["role"] != "resolver",
                  "%s: own network" % row["role"])
        equal(list((host.folder / "run").iterdir()), [], "sockets")
        check(not (host.state / "inbox").exists(), "an inbox")
        configs = [row["why"] for row in host.audit()
                   if row["kind"] == "config"]
        equal(configs, ["configuration", "policy"], "texts on record")
        status = host.status()
        check(status["good"] and status["service"], "%r", status)
        (account,) = status["accounts"]
        hosts = {row["host"]: row["addresses"] for row in account["hosts"]}
        check(account["guard"] and not account["blocked"], "%r", account)
        equal([row["address"] for row in hosts["api.test:443"]],
              [GOOD, "2600:8::1"], "addresses")
        check(60 < hosts["api.test:443"][0]["left_s"] <= 135, "%r", hosts)
        equal(hosts["inner.test:443"], [], "an address that is not public")
        equal(hosts[LITERAL + ":8443"], [{"address": LITERAL}], "it stays")
        said = run([host.program("executor"), "doctor", "--config",
                    host.config_path]).stdout.decode()
        check("good  service  it runs, without zones" in said and
              "good  firewall tzagent reaches 4 hosts" in said, "%s", said)
        check(b"without zones" in host.command("status").stdout, "status")
        host.stop()
        host.verify()


def without_accounts_nothing_is_kept():
    """A policy without a firewall: no such capability, no such roles."""
    with Host() as host:
        host.start()
        rows = [json.loads(row["detail"]) for row in host.audit()
                if row["kind"] in ("start", "attest")]
        (parent,) = [row for row in rows if row["role"] == "parent"]
        check(int(parent["capabilities"], 16) & 1 << 12 == 0, "%r", parent)
        check(not {"resolver", "blocked"} & {row["role"] for row in rows},
              "%r", rows)


def with_zones():
    """The firewall beside the rest of the service."""
    with Wall() as host:
        policy = harness.default_policy(host.files, host.notes)
        policy["firewall"] = host.policy["firewall"]
        host.policy = policy
        host.config.update(Host().config, state=str(host.state),
                           run=str(host.folder / "run"),
                           accounts=host.config["accounts"],
                           resolver=host.config["resolver"])
        host.write_settings()
        host.start()
        roles = {row["role"] for row in host.operate("status")["processes"]}
        equal(roles, {"parent", "broker", "auditor", "file", "notify",
                      "resolver", "blocked"}, "processes")
        equal(tries(("tcp", 4, GOOD, PORT), ("tcp", 4, GOOD, 22)),
              ["through", 111], "connections")
        until(lambda: host.blocked(port=22), 15, "on record")


def attempts_are_on_record():
    with Wall() as host:
        host.start()
        watch = subprocess.Popen(
            [host.program("executor"), "firewall", "watch", "--config",
             host.config_path], stdout=subprocess.PIPE)
        try:
            time.sleep(0.5)
            equal(ask("api.test"), (0, 1), "an allowed name")
            equal(ask("evil.test"), (5, 0), "another one")
            equal(ask("evil6.test", socket.AF_INET6, "::1"), (5, 0), "by IPv6")
            equal(ask("inner.test")[1], 0, "one that leads inside")
            equal(tries(("tcp", 4, GOOD, PORT), ("tcp", 4, LITERAL, 8443),
                        ("tcp", 6, "2600:8::1", PORT),
                        ("tcp", 4, GOOD, 22), ("tcp", 4, OTHER, 22),
                        ("tcp", 6, "2600:8::1", 22), ("udp", 4, OTHER, 123),
                        ("tcp", 4, "127.0.0.1", 22)),
                  ["through"] * 3 + [111, 111, 111, 1, 111], "connections")
            row = until(lambda: host.blocked(address=GOOD, port=22), 15,
                        "on record")[0]
            equal((row["user"], row["uid"], row["protocol"], row["name"],
                   row["to"]), (AGENT, UID, "tcp", "api.test",
                                "api.test:22"), "the record")
            for wanted in (
                    {"address": OTHER, "port": 22, "protocol": "tcp"},
                    {"address": "2600:8::1", "port": 22, "name": "api.test"},
                    {"address": OTHER, "port": 123, "protocol": "udp"},
                    {"address": "127.0.0.1", "port": 22},
                    {"name": "evil.test"}, {"name": "evil6.test"},
                    {"name": "inner.test", "address": "10.0.0.1"}):
                until(lambda w=wanted: host.blocked(user=AGENT, **w), 15,
                      "%r" % wanted)
            check(not DNS.asked("evil.test"), "a refused name was looked up")
            check(not host.blocked(port=PORT), "%r", host.blocked(port=PORT))
            time.sleep(0.5)
        finally:
            watch.terminate()
            said = watch.communicate()[0].decode()
        check(" %s tcp %s 22 api.test:" % (AGENT, GOOD) in said and
              "evil.test" in said, "watch: %r", said)
        said = host.firewall("watch", "--since", "5m", "--json").stdout
        rows = [json.loads(line) for line in said.splitlines()]
        equal({row["kind"] for row in rows}, {"blocked"}, "since")
        equal(len(rows), len(host.blocked()), "records")


def floods_are_counted():
    """As many tries as fit into two seconds: few records, all counted."""
    with Wall() as host:
        host.start()
        done = as_agent(PYTHON, "-c", """import socket, time
begun, n = time.time(), 0
while time.time() < begun + 2:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.sendto(b"x", ("11.8.0.9", 1 + n % 60000))
    except OSError:
        pass
    s.close()
    n += 1
print(n)
""")
        tried = int(done.stdout)
        time.sleep(1)
        records = host.blocked()
        check(len(records) <= 20 + 2 * 5, "%d records", len(records))
        status = host.status()["accounts"][0]
        # but for the one in 60,000 that was a question to the guard
        check(status["refused_packets"] >= tried - 1 - tried // 60000,
              "%r of %d", status, tried)
        equal(tries(("tcp", 4, GOOD, PORT)), ["through"], "others go on")
        return "%d tries, %d records" % (tried, len(records))


def killed(host, role):
    pid = host.role_pid(role)
    os.kill(pid, signal.SIGKILL)
    return pid


def role_pid(host, role):
    try:
        return host.role_pid(role)
    except harness.Failed:
        return None


def helpers_come_back():
    """Again and again; the sets stay, and the others do not notice."""
    with Wall() as host:
        host.start()
        auditor = host.role_pid("auditor")
        for lap in range(4):
            for role in ("resolver", "blocked"):
                old = killed(host, role)
                equal(tries(("tcp", 4, GOOD, PORT), ("tcp", 4, OTHER, 22)),
                      ["through", 111], "while %s is away" % role)
                until(lambda r=role, o=old: role_pid(host, r) not in (None, o),
                      30, "%s is back" % role)
        until(lambda: host.log_text().count("ev=locked") == 3 + 8, 30,
              "all serve again")
        equal(ask("api.test"), (0, 1), "names")
        tries(("tcp", 4, OTHER, 8443))
        until(lambda: host.blocked(port=8443), 10, "on record")
        equal(host.role_pid("auditor"), auditor, "the auditor")
        host.stop()
        host.verify()


def auditor_ends_it():
    """Closed: no resolver is left, and the rules stay."""
    with Wall() as host:
        host.start()
        pids = [host.role_pid(role) for role in ("resolver", "blocked")]
        killed(host, "auditor")
        equal(host.executor.wait(20), 71, "status")
        host.executor = None
        equal(tries(("tcp", 4, OTHER, 22)), [111], "the wall")
        check(not any(os.path.exists("/proc/%d" % pid) for pid in pids),
              "somebody is left")
        check(not host.status()["service"], "it runs")


def parent_ends_it():
    with Wall() as host:
        host.start()
        pids = [host.role_pid(role) for role in ("auditor", "resolver",
                                                 "blocked")]
        host.executor.kill()
        host.executor.wait()
        host.executor = None
        until(lambda: not any(os.path.exists("/proc/%d" % pid)
                              for pid in pids), 20, "all are gone")
        equal(tries(("tcp", 4, OTHER, 22)), [111], "the wall")


LOSSES = {
    "table": ["nft", "delete", "table", "inet", "trizone_accounts"],
    "ruleset": ["nft", "flush", "ruleset"],
    "chain": ["nft", "flush", "chain", "inet", "trizone_accounts", "output"],
    "account's chain": ["nft", "flush", "chain", "inet", "trizone_accounts",
                        "account_%d" % UID],
    "a rule more": ["nft", "insert", "rule", "inet", "trizone_accounts",
                    "output", "accept"],
    "routes": ["ip", "route", "flush", "table", "5353"],
    "rule of the routing": ["ip", "rule", "flush", "table", "5353"],
}


def put_back(host):
    return sum(row["kind"] == "config" and
               row["why"] == "firewall rules put back"
               for row in host.audit())


def lost_rules_come_back():
    with Wall() as host:
        host.start()
        slowest = 0
        for what, command in LOSSES.items():
            DNS.take()
            before = put_back(host)
            begun = time.monotonic()
            equal(run(command).returncode, 0, what)
            until(lambda b=before: put_back(host) > b, 15,
                  "%s: on record" % what)
            slowest = max(slowest, time.monotonic() - begun)
            until(lambda: GOOD in host.elements(), 15, "%s: names" % what)
            until(lambda: LITERAL in host.elements("known"), 15, what)
            equal(tries(("tcp", 4, GOOD, PORT), ("tcp", 4, OTHER, 22)),
                  ["through", 111], what)
            equal(ask("api.test"), (0, 1), what)
            until(lambda: host.status()["good"], 15, "%s: status" % what)
        check(slowest < WITHIN, "it took %.2f s", slowest)
        return "within %.2f s" % slowest


def emptied_sets_are_filled():
    with Wall() as host:
        host.start()
        for kind in ("fresh", "known"):
            equal(run(["nft", "flush", "set", "inet", "trizone_accounts",
                       "%s4_%d" % (kind, UID)]).returncode, 0, kind)
            until(lambda k=kind: GOOD in host.elements(k) and
                  LITERAL in host.elements(k), 15, "%s is filled" % kind)


def another_policy():
    with Wall() as host:
        host.start()
        until(lambda: OTHER in host.elements(), 15, "the second name")
        host.allow(["api.test:443", OTHER + ":8443"])
        time.sleep(1.5)  # an edited file alone changes nothing
        check(LITERAL in host.elements(), "it was taken before its time")
        done = run([host.program("executor"), "reload", "--config",
                    host.config_path])
        equal(done.returncode, 0, "reload: %r" % done.stderr)
        for kind in ("fresh", "known"):
            until(lambda k=kind: OTHER + " . tcp . 8443" in host.elements(k),
                  15, "the new one")
            check(LITERAL not in host.elements(kind), "the old one")
            check(OTHER + " . tcp . 443" not in host.elements(kind),
                  "the old name")
        until(lambda: GOOD in host.elements(), 15, "what stays")
        equal(tries(("tcp", 4, OTHER, 8443), ("tcp", 4, LITERAL, 8443)),
              ["through", 111], "connections")
        equal(ask("gone.test"), (5, 0), "a name that is gone")
        until(lambda: host.status()["good"], 15, "status")
        run(["nft", "flush", "ruleset"])
        until(lambda: OTHER + " . tcp . 8443" in host.elements(), 15,
              "what was stored is the new one")
        host.allow(["api.test:443"], name="games")
        done = run([host.program("executor"), "reload", "--config",
                    host.config_path])
        check(done.returncode == 69 and b"restart" in done.stderr, "%r", done)
        kinds = [(row["why"], row.get("error")) for row in host.audit()
                 if row["kind"] == "reload"]
        equal([why for why, _ in kinds], ["policy", "policy kept"], "records")


def guard_port_is_taken():
    """By somebody who was there first; and nobody can sit beside it."""
    with Wall() as host:
        first = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        first.bind(("0.0.0.0", GUARD))
        done = run([host.program("executor"), "run", "--config",
                    host.config_path])
        first.close()
        check(done.returncode == 69 and b"port %d" % GUARD in done.stderr,
              "%r", done)
        host.start()
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            for address in ("0.0.0.0", "127.0.0.1"):
                second = socket.socket(socket.AF_INET, kind)
                for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                    second.setsockopt(socket.SOL_SOCKET, option, 1)
                try:
                    second.bind((address, GUARD))
                    if kind == socket.SOCK_STREAM:
                        second.listen()
                    taken = kind == socket.SOCK_STREAM
                except OSError:
                    taken = False
                check(not taken, "%r beside the guard", address)
                second.close()
        equal(ask("api.test"), (0, 1), "the guard answers")


def log_group_is_taken():
    with Wall() as host, Wall() as other:
        host.start()
        other.policy = host.policy
        other.write_settings()
        done = run([other.program("executor"), "run", "--config",
                    other.config_path])
        check(done.returncode == 69 and
              (b"nflog" in done.stderr or b"port" in done.stderr), "%r", done)


def hostile_packets():
    """A raw socket writes what it likes into the log; nobody falls over."""
    with Wall() as host:
        host.start()
        script = """import random, socket
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
six = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 59)
random.seed(1)
for lap in range(3000):
    body = random.randbytes(random.randint(0, 200))
    head = bytes([0x45, 0, 0, 0, 0, 0, 0x20 if lap % 5 == 0 else 0, lap & 7,
                  64, random.choice([1, 2, 6, 17, 47, 255]), 0, 0,
                  0, 0, 0, 0, 11, 8, 0, 9])
    for sock, data, to in ((s, head + body, ("11.8.0.9", 0)),
                           (six, body, ("2600:8::9", 0))):
        try:
            sock.sendto(data, to)
        except OSError:
            pass
"""
        # with a right that no account of ours has
        equal(run(["setpriv", "--reuid", str(UID), "--clear-groups",
                   "--inh-caps", "+net_raw", "--ambient-caps", "+net_raw",
                   PYTHON, "-c", script]).returncode, 0, "raw sockets")
        time.sleep(1)
        check(host.blocked(address="11.8.0.9"), "nothing on record")
        tries(("tcp", 4, OTHER, 8443))
        equal(host.log_text().count("what=blocked"), 0, "the listener died")
        host.stop()
        host.verify()


def resolver_passes_descriptors():
    """Who has taken the resolver over passes the parent descriptors, and
    half an order: nothing of it stays. By a debugger, which root may use."""
    with Wall() as host:
        host.start()
        pid = host.role_pid("resolver")
        before = len(os.listdir("/proc/%d/fd" % host.executor.pid))
        link = os.pidfd_open(pid)
        libc = ctypes.CDLL(None, use_errno=True)
        fd = libc.syscall(438, link, 5, 0)  # pidfd_getfd
        os.close(link)
        if fd < 0:
            raise Skipped("the kernel does not give us the resolver's link")
        made = socket.socket(fileno=fd)
        devices = [os.open("/dev/null", os.O_RDONLY) for _ in range(8)]
        for _ in range(20):
            socket.send_fds(made, [b"x" * 100], devices)
        made.settimeout(10)
        made.sendall(b"\xff" * 6000)
        for _ in range(2000):
            made.sendall(b"\xff" * 568)
        made.close()
        for device in devices:
            os.close(device)
        time.sleep(0.5)
        after = len(os.listdir("/proc/%d/fd" % host.executor.pid))
        check(after <= before, "%d descriptors, then %d", before, after)
        said = host.log_text().count("ev=resolver-refused")
        check(said > 0, "it was believed")
        check(said < 20, "%d lines of the log", said)
        equal(tries(("tcp", 4, OTHER, 22)), [111], "the wall")
        old = killed(host, "resolver")  # its orders are out of step now
        until(lambda: role_pid(host, "resolver") not in (None, old), 30,
              "another one")
        until(lambda: ask("api.test") == (0, 1), 10, "names")


CASES = (
    four_processes, without_accounts_nothing_is_kept, with_zones,
    attempts_are_on_record, floods_are_counted, helpers_come_back,
    auditor_ends_it, parent_ends_it, lost_rules_come_back,
    emptied_sets_are_filled, another_policy, guard_port_is_taken,
    log_group_is_taken, hostile_packets, resolver_passes_descriptors)


def body(suite):
    global DNS
    try:
        alone()
    except Skipped as why:
        print("skipped: %s" % why)
        sys.exit(77)
    DNS = Dns(contextlib.nullcontext, ("127.0.0.1", "::1"))
    listen()
    for case in CASES:
        zone()
        suite.case(case.__name__.replace("_", " "), case)


if __name__ == "__main__":
    harness.main(body)
