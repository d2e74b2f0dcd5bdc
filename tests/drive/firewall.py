#!/usr/bin/env python3
"""The firewall of zones, in network namespaces of its own.

usage: firewall.py PROGRAM        trizone-planner or trizone-reader

Three namespaces in a row, left - zone - right. What gets through is tried with
TCP, UDP and ping sockets of both families, in, out, forwarded and by loopback:
before any rules all of it does, and after they have been taken away it does
again. So what did not get through in between was dropped by the rules.

Nothing is loaded outside of these namespaces. Needs root, ip, nft, iptables;
without them exit 77.
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

import harness
from harness import check, equal

DONE, FOUND, USAGE, UNAVAILABLE = 0, 1, 64, 69
SKIPPED = 77
PORT = 7070
WORKS_SECONDS = 5.0  # a packet may be asked for its neighbour first
DROPPED_SECONDS = 0.7
BACKENDS = ("nft", "iptables")
TABLES = ("nft", "iptables", "ip6tables")

ZONE, LEFT, RIGHT = ("tzf%d-%s" % (os.getpid(), name)
                     for name in ("zone", "left", "right"))
# name -> IPv4, IPv6
ADDRESSES = {
    "zone.left": ("10.77.1.1", "fd77:1::1"), "left": ("10.77.1.2", "fd77:1::2"),
    "zone.right": ("10.77.2.1", "fd77:2::1"),
    "right": ("10.77.2.2", "fd77:2::2"), "loopback": ("127.0.0.1", "::1")}
# from, to
PATHS = {"out": (ZONE, "left"), "out, other side": (ZONE, "right"),
         "in": (LEFT, "zone.left"), "forward": (LEFT, "right"),
         "forward back": (RIGHT, "left"), "loopback": (ZONE, "loopback")}
WAYS = ("tcp4", "tcp6", "udp4", "udp6", "ping4", "ping6")
PROGRAM = None


# What runs inside of a namespace: this file again, as listener or as prober.

def family_of(way):
    return socket.AF_INET if way.endswith("4") else socket.AF_INET6


def answer_stream(server):
    while True:
        peer, _ = server.accept()
        threading.Thread(target=echo, args=(peer,), daemon=True).start()


def echo(peer):
    with peer:
        while True:
            got = peer.recv(100)
            if not got:
                return
            peer.sendall(got)


def answer_datagrams(server):
    while True:
        got, peer = server.recvfrom(100)
        server.sendto(got, peer)


def listen():
    for way in WAYS[:4]:
        stream = way.startswith("tcp")
        server = socket.socket(family_of(way), socket.SOCK_STREAM if stream
                               else socket.SOCK_DGRAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if way.endswith("6"):
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind(("", PORT))
        if stream:
            server.listen(16)
        threading.Thread(target=answer_stream if stream else answer_datagrams,
                         args=(server,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


def try_once(way, address, seconds):
    """Whether something comes back."""
    if way.startswith("ping"):
        six = way.endswith("6")
        client = socket.socket(family_of(way), socket.SOCK_DGRAM,
                               socket.IPPROTO_ICMPV6 if six
                               else socket.IPPROTO_ICMP)
        message = bytes([128 if six else 8, 0, 0, 0, 0, 0, 0, 1]) + b"x" * 8
    else:
        client = socket.socket(family_of(way), socket.SOCK_STREAM
                               if way.startswith("tcp") else socket.SOCK_DGRAM)
        message = b"hello"
    with client:
        client.settimeout(seconds)
        try:
            client.connect((address, PORT))
            client.send(message)
            return len(client.recv(100)) >= len(message)
        except OSError:
            return False


def probe(addresses, seconds):
    found = {}

    def one(way):
        found[way] = try_once(way, addresses[way.endswith("6")], seconds)
    threads = [threading.Thread(target=one, args=(way,)) for way in WAYS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(sorted(way for way in WAYS if found[way])))


# What runs outside.

def inside(name, *command, data=b"", want=0):
    done = harness.run(["ip", "netns", "exec", name, *command], data)
    if want is not None:
        equal(done.returncode, want, "%s: %s" % (
            " ".join(str(word) for word in command),
            (done.stdout + done.stderr).decode(errors="replace")))
    return done


def ip(*words):
    done = harness.run(["ip", *words])
    check(done.returncode == 0, "ip %s: %s", " ".join(words),
          done.stderr.decode())


def firewall(*words, want=DONE, name=ZONE):
    return inside(name, PROGRAM, "firewall", *words, want=want)


def connect(side, other):
    """A pair of interfaces between the zone and a side."""
    ip("link", "add", "to-" + side, "netns", ZONE, "type", "veth", "peer",
       "name", "eth0", "netns", other)
    for name, device, who in ((ZONE, "to-" + side, "zone." + side),
                              (other, "eth0", side)):
        four, six = ADDRESSES[who]
        ip("-n", name, "link", "set", device, "up")
        ip("-n", name, "addr", "add", four + "/24", "dev", device)
        ip("-n", name, "addr", "add", six + "/64", "dev", device, "nodad")
    for family, gateway in (("-4", ADDRESSES["zone." + side][0]),
                            ("-6", ADDRESSES["zone." + side][1])):
        ip("-n", other, family, "route", "add", "default", "via", gateway)


class Network:
    def __init__(self):
        self.listeners = []

    def __enter__(self):
        try:
            for name in (ZONE, LEFT, RIGHT):
                ip("netns", "add", name)
                ip("-n", name, "link", "set", "lo", "up")
                inside(name, "sysctl", "-qw",
                       "net.ipv4.ping_group_range=0 1000000")
            connect("left", LEFT)
            connect("right", RIGHT)
            inside(ZONE, "sysctl", "-qw", "net.ipv4.ip_forward=1",
                   "net.ipv6.conf.all.forwarding=1")
            for name in (ZONE, LEFT, RIGHT):
                self.listen(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def listen(self, name):
        process = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-B", __file__,
             "--listen"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.listeners.append(process)
        equal(process.stdout.readline(), b"ready\n", "listener")

    def __exit__(self, *_):
        for process in self.listeners:
            process.stdin.close()
            harness.end_process(process, 10)
            process.stdout.close()
        for name in (ZONE, LEFT, RIGHT):
            harness.run(["ip", "netns", "delete", name])


def passes(path, seconds):
    name, target = PATHS[path]
    done = inside(name, sys.executable, "-B", __file__, "--probe",
                  json.dumps(ADDRESSES[target]), str(seconds))
    return json.loads(done.stdout)


def all_pass(*paths):
    for path in paths:
        equal(passes(path, WORKS_SECONDS), sorted(WAYS), path)


def none_pass(*paths):
    for path in paths:
        equal(passes(path, DROPPED_SECONDS), [], path)


def take_away():
    """No rules at all in the zone."""
    inside(ZONE, "nft", "flush", "ruleset")


def ruleset():
    return inside(ZONE, "nft", "list", "ruleset").stdout.decode()


def hash_of(done):
    return done.stdout.split(b"rule hash ")[1].split()[0]


def everything_passes():
    take_away()
    all_pass(*PATHS)
    firewall("check", want=FOUND)


def closes(*options):
    """With these options nothing passes, but loopback if it may."""
    take_away()
    firewall("apply", *options)
    none_pass(*(path for path in PATHS if path != "loopback"))
    (all_pass if "--loopback" in options else none_pass)("loopback")
    firewall("check")
    take_away()
    all_pass(*PATHS)


def open_connection_closes(backend):
    """One that was there before the rules is not spared."""
    take_away()
    script = ("import socket, sys\n"
              "s = socket.create_connection((%r, %d), 5)\n"
              "s.sendall(b'a'); assert s.recv(1) == b'a'\n"
              "print('open', flush=True); sys.stdin.readline()\n"
              "s.settimeout(1.5)\n"
              "try:\n"
              "    s.sendall(b'b'); sys.exit(s.recv(1) == b'b')\n"
              "except OSError:\n"
              "    sys.exit(0)\n" % (ADDRESSES["left"][0], PORT))
    with subprocess.Popen(["ip", "netns", "exec", ZONE, sys.executable, "-c",
                           script], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process:
        equal(process.stdout.readline(), b"open\n", "connection")
        firewall("apply", "--backend", backend)
        process.stdin.write(b"\n")
        process.stdin.flush()
        equal(process.wait(10), 0, "an answer came through")


def first_choice():
    take_away()
    done = firewall("apply")
    check(done.stdout.startswith(b"nft drops everything\n"), "%r", done.stdout)


def others_stay():
    """A table of somebody else is as it was, and its accept opens nothing."""
    take_away()
    rules = ("table inet other {\n"
             " set s { type ipv4_addr; elements = { 192.0.2.7 }; }\n"
             " chain in { type filter hook input priority -300;"
             " policy accept; accept; }\n"
             " chain late { type filter hook output priority 300;"
             " policy accept; accept; }\n"
             " chain through { type filter hook forward priority 300;"
             " policy accept; accept; }\n}\n"
             "table ip trizone {\n chain c {\n }\n}\n")
    inside(ZONE, "nft", "-f", "-", data=rules.encode())
    before = ruleset()
    all_pass("out")
    for backend in BACKENDS:
        firewall("apply", "--backend", backend)
        check(ruleset().startswith(before), "changed: %s", ruleset())
        none_pass("out", "in", "forward")
        firewall("check")
        for table in ("inet trizone", "ip filter", "ip6 filter"):
            inside(ZONE, "nft", "delete", "table", *table.split(), want=None)


def iptables_others_stay():
    take_away()
    for program in ("iptables", "ip6tables"):
        inside(ZONE, program, "-t", "mangle", "-A", "PREROUTING", "-j",
               "ACCEPT")
        inside(ZONE, program, "-A", "INPUT", "-j", "ACCEPT")
    firewall("apply", "--backend", "iptables")
    for program in ("iptables-save", "ip6tables-save"):
        saved = inside(ZONE, program).stdout
        check(b"-A PREROUTING -j ACCEPT" in saved, "mangle: %r", saved)
        check(b"-A INPUT" not in saved, "filter: %r", saved)


def twice(backend):
    """The same a second time, and again after a detour by the other model."""
    take_away()
    hashes = set()
    listings = set()
    for options in ([], [], ["--loopback"], []):
        done = firewall("apply", "--backend", backend, *options)
        if not options:
            hashes.add(hash_of(done))
            listings.add(ruleset())
            equal(hash_of(firewall("check")), hash_of(done), "hash")
    equal(len(hashes), 1, "hashes")
    equal(len(listings), 1, "listings")


# What somebody did to our rules -> words of check.
CHANGES = {
    "nft": [
        ("nft delete table inet trizone", "nft: "),
        ("nft add rule inet trizone output tcp dport 443 accept",
         "tcp dport 443 accept"),
        ("nft insert rule inet trizone input accept", "accept"),
        ("nft add rule inet trizone forward oif to-left return", "return"),
        ("nft add chain inet trizone output { policy accept ; }",
         "policy accept"),
        ("nft delete chain inet trizone forward", "chain output"),
        ("nft add chain inet trizone more", "chain more"),
        ("nft add set inet trizone s { type ipv4_addr ; }", "set s"),
        ("nft add table inet trizone { flags dormant ; }", "flags dormant"),
        ("nft flush ruleset", "nft: ")],
    "iptables": [
        ("iptables -P OUTPUT ACCEPT", ":OUTPUT ACCEPT"),
        ("ip6tables -P FORWARD ACCEPT", ":FORWARD ACCEPT"),
        ("iptables -A INPUT -j ACCEPT", "-A INPUT -j ACCEPT"),
        ("ip6tables -I OUTPUT -p udp -j ACCEPT", "-A OUTPUT -p udp"),
        ("iptables -N more", ":more -"),
        ("nft delete table ip6 filter", "iptables lists"),
        ("nft flush ruleset", "iptables lists")]}


def changes_are_noticed(backend):
    for change, words in CHANGES[backend]:
        for options in ([], ["--loopback"]):
            take_away()
            firewall("apply", "--backend", backend, *options)
            inside(ZONE, *change.split())
            before = ruleset()
            done = firewall("check", want=FOUND)
            check(words.encode() in done.stdout, "%s: %r", change, done.stdout)
            check(b"firewall apply --save" in done.stdout, "no way to mend it")
            answer = json.loads(firewall("check", "--json",
                                         want=FOUND).stdout)
            equal(answer["loaded"], False, "loaded")
            equal(ruleset(), before, "check changed something")
            # and apply mends it
            firewall("apply", "--backend", backend, *options)
            firewall("check")
    none_pass("out", "in", "forward")
    return "%d" % (2 * len(CHANGES[backend]))


def says_in_json():
    take_away()
    answer = json.loads(firewall("check", "--json", want=FOUND).stdout)
    equal(sorted(answer["names"].split()), ["to-left", "to-right"], "names")
    equal(answer["interfaces"], 2, "interfaces")
    done = firewall("apply", "--loopback")
    answer = json.loads(firewall("check", "--json").stdout)
    equal((answer["loaded"], answer["backend"], answer["loopback"]),
          (True, "nft", True), "answer")
    equal(answer["rules"].encode(), hash_of(done), "hash")


def only_loopback():
    """In a namespace of its own there is nothing to drop."""
    name = ZONE + "0"
    ip("netns", "add", name)
    try:
        done = firewall("check", name=name)
        equal(done.stdout, b"there is only loopback\n", "check")
        answer = json.loads(firewall("check", "--json", name=name).stdout)
        equal((answer["loaded"], answer["interfaces"]), (False, 0), "answer")
        # down is no matter, it can be up the next moment
        ip("-n", name, "link", "add", "d0", "type", "veth", "peer", "d1")
        done = firewall("check", name=name, want=FOUND)
        check(b"d0" in done.stdout and b"d1" in done.stdout, "%r", done.stdout)
    finally:
        ip("netns", "delete", name)


def without_root():
    take_away()
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
             PROGRAM, "firewall"]
    done = inside(ZONE, *words, "apply", want=UNAVAILABLE)
    check(b"we are not root" in done.stderr, "%r", done.stderr)
    done = inside(ZONE, *words, "check", want=FOUND)
    check(b"as root" in done.stdout, "%r", done.stdout)
    all_pass("out")


def environment_is_not_asked():
    """A program called nft in PATH is not run."""
    take_away()
    with tempfile.TemporaryDirectory() as folder:
        mark = pathlib.Path(folder, "mark")
        for name in ("nft", "iptables-restore", "ip6tables-restore"):
            path = pathlib.Path(folder, name)
            path.write_text("#!/bin/sh\ntouch %s\n" % mark)
            path.chmod(0o755)
        inside(ZONE, "env", "PATH=%s:/nonexistent" % folder, PROGRAM,
               "firewall", "apply")
        check(not mark.exists(), "it was run")


def prints_what_it_loads():
    for options in ([], ["--loopback"]):
        for backend in TABLES:
            take_away()
            text = firewall("print", "--backend", backend, *options).stdout
            loader = (["nft", "-f", "-"] if backend == "nft"
                      else [backend + "-restore"])
            inside(ZONE, *loader, data=text)
            if backend == "ip6tables":
                inside(ZONE, "iptables-restore", data=text)
            firewall("check", want=FOUND if backend == "iptables" else DONE)
        firewall("print", "--backend", "pf", *options)


def wrong_words():
    for words in ([], ["up"], ["apply", "--backend", "ipfw"], ["apply", "x"],
                  ["apply", "--json"], ["print", "--save"],
                  ["check", "--loopback"], ["apply", "--root", "/tmp"],
                  ["apply", "--backend"]):
        done = firewall(*words, want=USAGE)
        check(b"usage: " in done.stderr, "%r: %r", words, done.stderr)
    for words in (["--help"], ["apply", "--help"]):
        check(b"usage: " in firewall(*words).stdout, "%r", words)
    done = firewall("apply", "--backend", "pf", want=UNAVAILABLE)
    check(b"pfctl" in done.stderr, "%r", done.stderr)


def after_a_restart(backend, options):
    """What was saved closes the machine again, whatever stood before it."""
    take_away()
    with tempfile.TemporaryDirectory() as folder:
        etc = pathlib.Path(folder, "etc")
        (etc / "iptables").mkdir(parents=True)
        (etc / "debian_version").write_text("12\n")
        (etc / "nftables.conf").write_text(
            "#!/usr/sbin/nft -f\nflush ruleset\n"
            "table inet filter {\n chain input {\n"
            "  type filter hook input priority 0; accept\n }\n}\n")
        (etc / "iptables/rules.v4").write_text(
            "*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
            "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n")
        done = firewall("apply", "--backend", backend, "--save", "--root",
                        folder, *options)
        check(b"wrote " in done.stdout, "%r", done.stdout)
        take_away()
        all_pass("out")
        # /etc is that of the test in a mount namespace that is gone after;
        # iptables-restore may be a link through this folder
        if os.path.isdir("/etc/alternatives"):
            shutil.copytree("/etc/alternatives", etc / "alternatives",
                            symlinks=True)
        boot = ("nft -f /etc/nftables.conf" if backend == "nft" else
                "iptables-restore </etc/iptables/rules.v4 &&"
                " ip6tables-restore </etc/iptables/rules.v6")
        for _ in range(2):
            inside(ZONE, "unshare", "-m", "sh", "-c",
                   "mount --bind %s /etc && %s" % (etc, boot))
            equal(hash_of(firewall("check")), hash_of(done), "hash")
        none_pass("out", "in", "forward")


def body(suite):
    with Network():
        suite.case("everything passes without rules", everything_passes)
        for backend in BACKENDS:
            suite.case(backend + " closes", closes, "--backend", backend)
            suite.case(backend + " closes but loopback", closes, "--backend",
                       backend, "--loopback")
            suite.case(backend + " ends open connections",
                       open_connection_closes, backend)
            suite.case(backend + " twice is once", twice, backend)
            suite.case(backend + " changes are noticed", changes_are_noticed,
                       backend)
            suite.case(backend + " after a restart", after_a_restart, backend,
                       [])
            suite.case(backend + " after a restart, loopback",
                       after_a_restart, backend, ["--loopback"])
        suite.case("nft comes first", first_choice)
        suite.case("tables of others stay", others_stay)
        suite.case("other tables of iptables stay", iptables_others_stay)
        suite.case("check in JSON", says_in_json)
        suite.case("only loopback", only_loopback)
        suite.case("without root", without_root)
        suite.case("PATH is not asked", environment_is_not_asked)
        suite.case("print is what apply loads", prints_what_it_loads)
        suite.case("wrong words", wrong_words)
        suite.case("everything passes at last", everything_passes)


def missing():
    """Why nothing can be tried here, or None."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root and Linux"
    for name in ("ip", "nft", "iptables-restore", "ip6tables-restore",
                 "iptables-save", "ip6tables-save", "setpriv", "sysctl",
                 "unshare"):
        if shutil.which(name) is None:
            return "no " + name
    name = ZONE + "t"
    if harness.run(["ip", "netns", "add", name]).returncode != 0:
        return "network namespaces cannot be made"
    harness.run(["ip", "netns", "delete", name])
    return None


if __name__ == "__main__":
    if sys.argv[1:] == ["--listen"]:
        listen()
    elif sys.argv[1:2] == ["--probe"]:
        probe(json.loads(sys.argv[2]), float(sys.argv[3]))
    else:
        PROGRAM = pathlib.Path(sys.argv[1]).resolve()
        why = missing()
        if why is not None:
            print("skipped: " + why)
            sys.exit(SKIPPED)
        harness.main(body)
