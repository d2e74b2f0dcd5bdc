#!/usr/bin/env python3
"""Every way out of a confined account: fwattack.py runs as the account, each
attempt has to fail at once with the errno that is listed, and what reaches the
peer is captured.

usage: account_attacks.py BIN [--plain | --iptables]

--plain: under the rules of fwrules.py alone, with no program of ours;
--iptables: by that backend in place of nft.
"""
import json
import re
import subprocess
import sys
import time

import fwattack
import fwcaller
import fwframes
import fwrules
import harness
from fwcaller import Caller
from fwnet import (AGENT, HOST4, HOST6, LINK, OTHER, PEER4, PEER6, PYTHON, UIDS,
                   Answer, Network, why_not)
from fwservice import Service, connect
from harness import check, equal, until

GUARD = 580
ALLOWED = {"api.allowed.test": ("11.8.0.1", "2600:8::1")}
AT_ONCE = 1.9  # seconds; a hang would be 2

REFUSED = {"ECONNREFUSED"}
NOT_SENT = {"EPERM", "EACCES", "ECONNREFUSED", "EHOSTUNREACH"}
NO_SOCKET = {"EPERM", "EACCES", "EAFNOSUPPORT", "EPROTONOSUPPORT",
             "ESOCKTNOSUPPORT", "EINVAL"}
NOT_RUN = {"ENOENT", "EACCES"}
# What is taken without an error, and must leave no frame.
QUIET = {"done"}

WANT = [  # the first pattern that fits
    (r"undo-(files|trace)", {"EACCES", "EPERM"}),
    (r"undo-kill", {"EPERM", "ESRCH"}),
    (r"undo-ports", {"EACCES", "EADDRINUSE"}),
    (r"undo-pfctl", NOT_RUN),
    (r"undo-.*", NOT_RUN | {"exit %d" % n for n in range(1, 256)}),
    (r"socket-.*|upper-protocol", NO_SOCKET | {"ENOENT"}),
    (r"dccp|sctp\d", NO_SOCKET | REFUSED),
    (r"vsock", NO_SOCKET | {"ENODEV", "ECONNRESET", "ETIMEDOUT"}),
    (r"mark|from-guard-port|from-port-53", {"EPERM", "EACCES"}),
    (r"labels.*", {"rcode 5, 0 answers"}),
    (r"not-dns-to-guard", {"0 bytes back", "ECONNRESET", "nothing back",
                           "EPIPE"}),
    (r"question-and-gone.*|stream-and-gone.*|not-waiting|corked", QUIET),
    # to the guard, by loopback
    (r"dns-broadcast", {"sent"}),
    # the kernel does not tell the sender of ICMPv6
    (r"ping6", NOT_SENT | {"sent"}),
    (r"foreign-source", NOT_SENT | {"ENETUNREACH"}),
    (r"simultaneous-open", REFUSED | {"timed out"}),
    (r"(strict-)?source-route4|routing-header6|timestamp-option4",
     REFUSED | NO_SOCKET | {"ENOPROTOOPT"}),
    (r"serve-tcp.", {"timed out", "ECONNABORTED", "ECONNRESET"}),
    (r"serve-udp.", NOT_SENT | {"timed out"}),
    (r"link-local", REFUSED | {"EHOSTUNREACH", "ENETUNREACH"}),
    (r"compatible-tcp", REFUSED | {"ENETUNREACH", "EINVAL"}),
    (r"(tcp|mptcp)\d.*|.*tcp.*|allowed-other.*|neighbour-.*|spoofed-.*"
     r"|own-address.*|any-address|nat64|reconnected|fast-open.*", REFUSED),
    (r"ping-program", NOT_RUN | {"exit 1", "exit 2"}),
    (r".*", NOT_SENT)]
# They wait for somebody else by design.
PATIENT = re.compile(r"serve-.*|simultaneous-open|stream-and-gone.*|undo-.*"
                     r"|not-dns-to-guard|ping-program|labels-many|vsock")
CALLED = {"serve-tcp4": ("tcp", HOST4, 7001), "serve-tcp6":
          ("tcp", HOST6, 7001), "serve-udp4": ("udp", HOST4, 7001),
          "serve-udp6": ("udp", HOST6, 7001)}


# It has an allowed connection first.
MAY_LEAVE = {"reconnected": lambda frame: frame.to == ALLOWED[
    "api.allowed.test"][0] and frame.port == 443}


def wanted(name):
    return next(found for pattern, found in WANT
                if re.fullmatch(pattern, name))


class Attack:
    def __init__(self, net, guard=GUARD, **more):
        self.net = net
        first = ALLOWED["api.allowed.test"]
        self.it = {"allowed4": [first[0], 443], "allowed6": [first[1], 443],
                   "own4": HOST4, "own6": HOST6, "link": LINK,
                   "guard": guard, "seconds": 2, **more}
        self.capture = net.capture()
        self.may_leave = lambda frame: False

    def command(self, ways):
        net = self.net
        script = net.folder / "fwattack.py"
        script.write_text(open(fwattack.__file__).read())
        return [PYTHON, "-B", script, json.dumps(dict(self.it, ways=ways))]

    def run(self, ways, user=AGENT, seconds=120):
        done = self.net.host(*self.command(ways), user=user, seconds=seconds,
                             want=None)
        check(done.returncode == 0, "attacker: %r", done.stderr[-2000:])
        return json.loads(done.stdout)

    def call(self, name):
        """Somebody calls the account while it serves."""
        import socket
        kind, address, port = CALLED[name]
        process = self.net.spawn(*self.command([name]), user=AGENT,
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        equal(process.stderr.readline(), b"ready\n", name)
        with self.net.in_peer():
            made = socket.socket(
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        got = b""
        with made:
            made.settimeout(0.7)
            try:
                made.connect((address, port))
                made.send(b"are you there")
                got = made.recv(100)
            except OSError:
                pass
        result = json.loads(process.communicate(timeout=20)[0])[name]
        check(b"secret" not in got, "%s: told %r", name, got)
        return result

    def one(self, name):
        self.capture.take(0)
        self.net.listeners.take()
        self.net.dns.take()
        result, took = (self.call(name) if name in CALLED
                        else self.run([name])[name])
        frames = self.capture.leaked(
            MAY_LEAVE.get(name, self.may_leave), wait=0.15)
        check(not frames, "%s (%s): %s", name, result, fwframes.words(frames))
        check(result in wanted(name), "%s gave %s, wanted one of %s", name,
              result, ", ".join(sorted(wanted(name))))
        check(took < AT_ONCE or PATIENT.fullmatch(name),
              "%s took %g s to fail", name, took)
        if name not in MAY_LEAVE:
            equal(self.net.listeners.take(), [], "arrived by " + name)
        asked = [query.name for query in self.net.dns.take()
                 if query.name and query.name.lower() not in ALLOWED]
        equal(asked, [], "asked by " + name)
        return result


def all_ways(suite, attack):
    for name in fwattack.WAYS:
        if name != "serve-and-leave":
            suite.case("refused: " + name, attack.one, name)
    suite.case("nothing is left to the kernel to send", cookies, attack)
    suite.case("nor where the first answer is a cookie", first_cookies, attack)


def cookies(attack):
    """The account listens, does not hear that its answers are refused, and
    somebody outside calls until one answer has no owner."""
    net = attack.net
    # not every kernel lets everybody have a filter
    process = net.spawn(*attack.command(["serve-and-leave"]), user=AGENT,
                        keep="net_admin", stdout=subprocess.PIPE,
                        stderr=subprocess.PIPE)
    equal(process.stderr.readline(), b"ready\n", "serve-and-leave")
    caller = Caller(net, HOST4, 7002)
    said = b""
    try:
        for number in range(8):
            caller.send(40000 + number, fwcaller.SYN, 1000)
        for port, flags, seq, _ in caller.answers(0.2):
            if flags != fwcaller.SYN | fwcaller.ACK:
                continue
            caller.send(port, fwcaller.ACK, 1001, seq + 1, window=0)
            time.sleep(1)
            caller.send(port, fwcaller.ACK, 1001, seq + 1, window=30000)
            said += b"".join(row[3] for row in caller.answers(0.3))
    finally:
        caller.close()
    result = json.loads(process.communicate(timeout=20)[0])
    check(not said, "it said %r (%r)", said, result)
    return result["serve-and-leave"][0]


def first_cookies(attack):
    """As kernels before 6.14 do for listen(0)."""
    attack.net.host("sysctl", "-qw", "net.ipv4.tcp_syncookies=2")
    try:
        return cookies(attack)
    finally:
        attack.net.host("sysctl", "-qw", "net.ipv4.tcp_syncookies=1")


def control(attack):
    """What the attackers do does reach the peer where nothing refuses it."""
    ways = ["tcp4-443", "tcp6-443", "udp4-443", "udp6-443", "ping4", "ping6",
            "mapped-tcp", "multicast4", "multicast6", "broadcast",
            "spoofed-name", "fast-open", "mptcp4", "dns4-by-device",
            "udp4-fragments", "loopback4-tcp"]
    attack.capture.take(0)
    results = attack.run(ways, user=OTHER)
    frames = attack.capture.leaked()
    reached = {frame.to for frame in frames}
    for address in (fwattack.STRANGER4, fwattack.STRANGER6, "224.0.0.251",
                    "ff02::fb", "255.255.255.255"):
        check(address in reached, "nothing reached %s: %r", address, results)
    equal(results["tcp4-443"][0], "connected", "tcp4-443")


def allowed_works(attack, user=AGENT):
    for address in ALLOWED["api.allowed.test"]:
        got = attack.net.host(PYTHON, "-c", "import socket, sys\n"
                              "s = socket.create_connection(%r, 3)\n"
                              "s.sendall(b'x' * 5000)\n"
                              "print(len(s.recv(9000)))" % ((address, 443),),
                              user=user).stdout
        check(int(got) > 0, "no echo from %s", address)
    # nothing of it is taken for what comes next
    until(lambda: not attack.capture.leaked(wait=0.3), 20, "its last frame")


def plain(net):
    first = ALLOWED["api.allowed.test"]
    net.host("nft", "-f", "-", data=fwrules.text(
        UIDS[AGENT], GUARD, [(first[0], 443)], [(first[1], 443)]).encode())
    for command in fwrules.routes(UIDS[AGENT]):
        net.host(*command)
    process = net.spawn(sys.executable, "-B", fwrules.__file__, "--guard",
                        str(GUARD), *("api.allowed.test=" + address
                                      for address in first),
                        stdout=subprocess.PIPE)
    equal(process.stdout.readline(), b"ready\n", "guard")
    return Attack(net)


def real(net, service, *words):
    """By our own commands, with the service."""
    first = ALLOWED["api.allowed.test"]
    net.dns.zone["api.allowed.test"] = Answer(a=[first[0]], aaaa=[first[1]])
    service.apply(AGENT, *words)
    service.start()
    until(lambda: all(connect(net, address)[0] == "works"
                      for address in first), 10, "the host's addresses")
    files = ["/etc/trizone/policy.json", "/etc/trizone/config.json",
             "/etc/trizone/firewall/applied.json", str(service.program)]
    children = net.host("ps", "-o", "pid=", "--ppid",
                        str(service.process.pid)).stdout.split()
    attack = Attack(net, files=files, pids=[
        service.process.pid, *(int(pid) for pid in children)])
    # names are looked up again on their own
    attack.may_leave = lambda frame: frame.port == 53 and frame.to in (
        PEER4, PEER6)
    return attack


def all_on_record(service):
    """Each way that has an address of its own is in the audit."""
    rows = json.dumps(service.blocked())
    for word in (fwattack.STRANGER4, fwattack.STRANGER6, "224.0.0.251",
                 "exfil.test", "127.0.0.1"):
        check(word in rows, "%s is not on record", word)
    service.command("audit", "verify")
    return "%d records" % len(service.blocked())


def body(suite):
    if why_not() is not None:
        print("skipped: " + why_not())
        raise SystemExit(77)
    with Network() as net:
        if "--plain" in sys.argv:
            tried(suite, plain(net))
            return
        with Service(net, {AGENT: ["api.allowed.test:443"]}) as service:
            tried(suite, real(net, service, *(
                ["--backend", "iptables"] if "--iptables" in sys.argv
                else [])))
            suite.case("all of it is on record", all_on_record, service)


def tried(suite, attack):
    suite.case("others reach everything", control, attack)
    suite.case("the allowed host answers", allowed_works, attack)
    all_ways(suite, attack)
    suite.case("the allowed host answers still", allowed_works, attack)
    suite.case("others reach everything still", control, attack)


if __name__ == "__main__":
    harness.main(body)
