#!/usr/bin/env python3
"""An account behind the firewall, end to end: the real service and commands on
a machine in namespaces, with a DNS server and a peer of the test.

usage: account_firewall.py BIN
"""
import json
import time

import fwframes
import harness
from fwdns import A, NXDOMAIN, parse, question
from fwnet import (AGENT, HOST4, HOST6, LINK, OTHER, PEER4, PEER6, PYTHON, UIDS,
                   Answer, Network, why_not)
from fwservice import Live, Service, connect
from harness import check, equal, until

FIRST, SECOND = "11.8.0.1", "11.8.0.2"
FIRST6 = "2600:8::1"
MOVING = "11.8.0.5"  # nobody else's, as who has it puts it back
REFUSED = "ECONNREFUSED"
HOSTS = ["api.test:443", "moves.test:443", "inward.test:443", "flaps.test:443",
         "mixed.test:443", "cut.test:443", "empty.test:443", "alias.test:443",
         "udp.test:5353/udp", "11.8.3.3:8443"]
ASK = """
import socket, sys
made = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET,
                     socket.SOCK_DGRAM)
made.settimeout(8)
made.sendto(bytes.fromhex(sys.argv[2]), (sys.argv[1], 53))
print(made.recv(4096).hex())
"""


def ask(net, name, kind=A, server=PEER4, user=AGENT):
    """What the account is told."""
    return parse(bytes.fromhex(net.host(
        PYTHON, "-c", ASK, server, question(name, kind).hex(),
        user=user).stdout.decode()))


def addresses(reply):
    return sorted(row[3] for row in reply.rows if row[1] == A)


def first_answer(net, service):
    """The very first connection after the first answer, and what is out of the
    list at once."""
    for name, want in (("api.test", "works"), ("11.8.3.3", REFUSED)):
        equal(connect(net, name)[0], want, name)
    equal(connect(net, "11.8.3.3", 8443)[0], "works", "literal address")
    equal(connect(net, "api.test", 80)[0], REFUSED, "another port")
    found, seconds, _ = connect(net, "stranger.test")
    equal(found, "no name", "a name that is not in the list")
    check(seconds < 3, "it took %g s", seconds)
    check(FIRST in service.elements(), "not in the kernel's set")
    check(not net.dns.asked("stranger.test"), "a refused name was looked up")
    equal(connect(net, "stranger.test", user=OTHER)[0], "works", "others")


def both_families(net, _):
    equal(connect(net, FIRST6)[0], "works", FIRST6)
    equal(connect(net, "2600:8::99")[0], REFUSED, "another")


def element_before_answer(net, service):
    """Fifty new names: each answer is good for a connection at once."""
    net.dns.zone.update({"n%d.test" % n: Answer(a=["11.8.9.%d" % n])
                         for n in range(50)})
    service.write(**{AGENT: HOSTS + ["n%d.test:443" % n for n in range(50)]})
    service.reload()
    script = ("import socket, sys\n"
              "for n in range(50):\n"
              "    socket.create_connection(('n%d.test' % n, 443), 3).close()")
    net.host(PYTHON, "-c", script, user=AGENT)
    service.write(**{AGENT: HOSTS})
    service.reload()


def moves(net, service):
    """Another address: the old one is for who has it, the new one is in."""
    equal(addresses(ask(net, "moves.test")), [MOVING], "before")
    live = Live(net, "moves.test")
    net.dns.zone["moves.test"] = Answer(a=[SECOND], ttl=1)
    service.age(MOVING, 1)
    until(lambda: addresses(ask(net, "moves.test")) == [SECOND], 90, "move")
    equal(connect(net, SECOND)[0], "works", "the new address")
    equal(live.speak(), "lives", "a connection to the old address")
    live.close()


def expiry(net, service):
    """What ends stops new connections, not those that live."""
    live = Live(net, "api.test")
    net.dns.zone["api.test"] = Answer(rcode=NXDOMAIN)
    service.age(FIRST, 1)
    until(lambda: FIRST not in service.elements(), 10, "expiry")
    equal(connect(net, FIRST)[0], REFUSED, "new connection")
    equal(live.speak(), "lives", "the one that was there")
    net.dns.zone["api.test"] = Answer(a=[FIRST], aaaa=[FIRST6])
    until(lambda: connect(net, "api.test")[0] == "works", 90, "it is back")
    equal(live.speak(), "lives", "still")
    live.close()


INWARD = ["127.0.0.1", "10.0.0.7", "169.254.169.254", "192.168.1.1",
          "172.16.0.1", "100.64.0.1", "0.0.0.0", "224.0.0.1", "192.0.2.1",
          "255.255.255.255", "198.18.0.1", "240.0.0.1"]
INWARD6 = ["::1", "::", "fd00::1", "fe80::1", "ff02::1", "::ffff:11.8.0.9",
           "64:ff9b::b08:9", "2001:db8::1", "::11.8.0.9", "2002:a00:7::1"]


def inward(net, service):
    """A name that leads to where it should not leads nowhere."""
    for address in INWARD + INWARD6:
        six = ":" in address
        name = "in%x.test" % (hash(address) & 0xffffff)
        net.dns.zone[name] = Answer(aaaa=[address]) if six else Answer(
            a=[address])
        service.write(**{AGENT: HOSTS + [name + ":443"]})
        service.reload()
        reply = ask(net, name, 28 if six else 1)
        check(not reply.rows, "%s was told: %r", address, reply)
        check(address not in service.elements(6 if six else 4),
              "%s is in the set", address)
    service.write(**{AGENT: HOSTS})
    service.reload()
    return "%d addresses" % len(INWARD + INWARD6)


def rebinding(net, service):
    """Public first, then private; and both in one answer."""
    net.dns.zone["inward.test"] = Answer(a=[FIRST], ttl=1, times=2,
                                         then=Answer(a=["127.0.0.1"], ttl=1))
    ask(net, "inward.test")
    for _ in range(4):
        check("127.0.0.1" not in addresses(ask(net, "inward.test")), "told")
        time.sleep(0.3)
    check("127.0.0.1" not in service.elements(), "in the set")
    net.dns.zone["mixed.test"] = Answer(a=["10.0.0.7", FIRST])
    equal(addresses(ask(net, "mixed.test")), [FIRST], "mixed")
    equal(connect(net, "10.0.0.7")[0], REFUSED, "10.0.0.7")


def flaps(net, _):
    """Now this address, now that: every answer works."""
    turn = [0]

    def answer(_, __):
        turn[0] += 1
        return Answer(a=["11.8.4.%d" % (turn[0] % 5 + 1)], ttl=1)
    net.dns.zone["flaps.test"] = answer
    for _ in range(10):
        found = connect(net, "flaps.test")
        equal(found[0], "works", "flapping: %r" % (found,))


def vanishes(net, _):
    """Empty, truncated both ways, NXDOMAIN: no address, and no hang."""
    for answer in (Answer(), Answer(rcode=NXDOMAIN),
                   Answer(a=[FIRST], truncated=True, always=True),
                   Answer(rcode=2)):
        net.dns.zone["empty.test"] = answer
        reply = ask(net, "empty.test")
        check(not reply.rows, "%r gave %r", answer, reply)
        found, seconds, _ = connect(net, "empty.test")
        equal(found, "no name", "empty")
        check(seconds < 30, "it took %g s", seconds)


def truncated(net, _):
    """Too long for UDP, whole over TCP: either that, or a failure."""
    net.dns.zone["cut.test"] = Answer(a=["11.8.5.1"], truncated=True)
    reply = ask(net, "cut.test")
    if reply.rows:
        equal(connect(net, "11.8.5.1")[0], "works", "what was told")
    return "rcode %d, %d answers" % (reply.rcode, len(reply.rows))


def alias(net, service):
    """A CNAME is followed; its target is no name of the list for that."""
    net.dns.zone["alias.test"] = Answer(cname="real.test", a=["11.8.6.1"])
    net.dns.zone["real.test"] = Answer(a=["11.8.6.1"])
    equal(connect(net, "alias.test")[0], "works", "alias.test")
    equal(ask(net, "real.test").rcode, 5, "real.test")
    check("11.8.6.1" in service.elements(), "not in the set")


def datagrams(net, _):
    net.dns.zone["udp.test"] = Answer(a=["11.8.7.1"])
    script = ("import socket\n"
              "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
              "u.settimeout(3)\n"
              "u.connect((socket.gethostbyname('udp.test'), %s))\n"
              "u.send(b'x'); assert u.recv(1) == b'x'")
    net.host(PYTHON, "-c", script % 5353, user=AGENT)
    done = net.host(PYTHON, "-c", script % 443, user=AGENT, want=None)
    check(b"PermissionError" in done.stderr, "other port: %r", done.stderr)


def removal_cuts(net, service):
    """A host that is taken out is cut at once, and no other."""
    live, other = Live(net, "api.test"), Live(net, "11.8.3.3", 8443)
    service.write(**{AGENT: [row for row in HOSTS if "11.8.3.3" in row]})
    service.reload()
    check(live.speak() in (REFUSED, "ECONNRESET", "EPIPE"), "it lives")
    equal(other.speak(), "lives", "another host")
    equal(connect(net, FIRST)[0], REFUSED, "the address")
    equal(connect(net, "api.test")[0], "no name", "the name")
    service.write(**{AGENT: HOSTS})
    service.reload()
    until(lambda: connect(net, "api.test")[0] == "works", 10, "it is back")
    live.close()
    other.close()


def sets_are_full(net, service):
    """A name with other addresses each minute has filled the set: the other
    names go on, and so do connections that are in use."""
    live = Live(net, "api.test")
    name = "add element inet trizone_accounts known4_%d" % UIDS[AGENT]
    rows = ["12.%d.%d.%d . tcp . 443 timeout 4d comment \"api.test\"" % (
        n >> 16, n >> 8 & 255, n & 255) for n in range(131072)]
    at = 0
    for many in (4096, 64, 1):
        while net.host("nft", "-f", "-", want=None, data=("%s { %s }\n" % (
                name, ", ".join(rows[at:at + many]))).encode()
                       ).returncode == 0:
            at += many
    net.dns.zone["full.test"] = Answer(a=["11.8.77.1"])
    service.write(**{AGENT: HOSTS + ["full.test:443"]})
    service.reload()
    until(lambda: connect(net, "full.test")[0] == "works", 60, "another name")
    equal(live.speak(), "lives", "a connection")
    live.close()
    service.write(**{AGENT: HOSTS})
    service.reload()


def hundred(net, service):
    names = ["h%d.test" % n for n in range(100)]
    net.dns.zone.update({name: Answer(a=["11.8.8.%d" % (n + 1)])
                         for n, name in enumerate(names)})
    service.write(**{AGENT: [name + ":443" for name in names]})
    service.reload()
    until(lambda: len(service.elements()) >= 100, 30, "100 addresses")
    script = ("import socket\n"
              "for n in range(100):\n"
              "    socket.create_connection(('h%d.test' % n, 443), 3).close()")
    began = time.monotonic()
    net.host(PYTHON, "-c", script, user=AGENT)
    took = time.monotonic() - began
    equal(connect(net, FIRST)[0], REFUSED, "not one of them")
    service.write(**{AGENT: HOSTS})
    service.reload()
    return "%.1f s for all" % took


def others_untouched(net, _):
    """Another user, who connects to us, and what goes through us."""
    for user in (OTHER, "root"):
        equal(connect(net, "11.9.0.9", user=user)[0], "works", user)
    server = net.spawn(PYTHON, "-c", "import socket\n"
                       "s = socket.create_server(('0.0.0.0', 2222))\n"
                       "print('ready', flush=True)\n"
                       "c, _ = s.accept()\n"
                       "while True:\n"
                       "    b = c.recv(9)\n"
                       "    if not b: break\n"
                       "    c.sendall(b)\n", user=OTHER,
                       stdout=harness.subprocess.PIPE)
    equal(server.stdout.readline(), b"ready\n", "a service of another user")
    import socket
    with net.in_peer():
        made = socket.socket()
    with made:
        made.settimeout(3)
        made.connect((HOST4, 2222))
        made.sendall(b"ssh")
        equal(made.recv(9), b"ssh", "a connection from outside")


def refusals_are_on_record(net, service):
    """Attempts of the account with what it wanted; none of another user."""
    before = len(service.blocked())
    connect(net, "11.9.1.2", 8443)
    connect(net, "2600:9::12", 443)
    connect(net, "11.9.1.3", 8443, user=OTHER)
    ask(net, "secret-word.test")

    def rows():
        return [json.dumps(row) for row in service.blocked()[before:]]
    until(lambda: any("secret-word" in row for row in rows()) and any(
        "11.9.1.2" in row and "8443" in row for row in rows()) and any(
            "2600:9::12" in row for row in rows()), 10, "on record")
    check(not any("11.9.1.3" in row for row in rows()), "another user's")
    check(all(AGENT in row for row in rows()), "the user's name")
    service.command("audit", "verify")


def taken_away(net, service):
    """Somebody flushes everything: it is put back."""
    net.host("nft", "flush", "ruleset")
    until(lambda: net.host("nft", "list", "table", "inet", "trizone_accounts",
                           want=None).returncode == 0, 10, "rules are back")
    until(lambda: connect(net, "api.test")[0] == "works", 30, "names are back")
    equal(connect(net, "11.9.0.9")[0], REFUSED, "a stranger")


def tested(net, service):
    net.dns.zone["wall.test"] = Answer(a=["11.9.0.1"], aaaa=["2600:9::1"])
    service.write(**{AGENT: ["api.test:443", "11.8.3.3:8443"]})
    service.reload()
    done = service.command("firewall", "test", AGENT, "--refused",
                           "wall.test:443", "--json")
    rows = json.loads(done.stdout)
    equal(rows["verdict"], "good", "verdict")
    check({"ECONNREFUSED", "EPERM"} <= {row["result"]
                                        for row in rows["tries"]}, "errnos")
    done = service.command("firewall", "test", AGENT, "--refused",
                           "api.test:443", want=64)
    check(b"may reach" in done.stderr, "%r", done.stderr)
    # a network that is dead is no wall
    net.host("ip", "link", "set", LINK, "down")
    done = service.command("firewall", "test", AGENT, "--refused",
                           "11.9.0.1:443", want=1)
    net.host("ip", "link", "set", LINK, "up")
    check(b"unknown" in done.stdout, "%r", done.stdout)
    net.host("ip", "address", "replace", HOST6 + "/64", "dev", LINK, "nodad")
    for family, far in (("-4", PEER4), ("-6", PEER6)):
        net.host("ip", family, "route", "replace", "default", "via", far,
                 "dev", LINK)
    net.meet()
    service.write(**{AGENT: HOSTS})
    service.reload()


def closed_without_service(net, service):
    """The service is gone: what ends is closed, nothing opens."""
    service.stop()
    try:
        for address in (FIRST, SECOND):
            if address in service.elements():
                service.age(address, 1)
        until(lambda: FIRST not in service.elements(), 10, "expiry")
        equal(connect(net, FIRST)[0], REFUSED, "an allowed host")
        equal(connect(net, "11.9.0.9")[0], REFUSED, "a stranger")
        found, _, _ = connect(net, "api.test")
        equal(found, "no name", "a name")
    finally:
        service.start()
    until(lambda: connect(net, "api.test")[0] == "works", 30, "it is back")


def unconfirmed(net, service):
    """Nobody says that all is well: the account is blocked."""
    service.command("firewall", "apply", AGENT, "--timeout", "2")
    equal(connect(net, "11.8.3.3", 8443)[0], "works", "until then")
    until(lambda: connect(net, "11.8.3.3", 8443)[0] == REFUSED, 15, "blocked")
    equal(connect(net, "api.test")[0], "no name", "the guard")
    equal(connect(net, "11.9.0.9", user=OTHER)[0], "works", "others")
    service.command("firewall", "confirm", AGENT, want=69)
    # and after a start of the machine
    net.host("nft", "flush", "ruleset")
    service.command("firewall", "apply", "--boot")
    equal(connect(net, "11.8.3.3", 8443)[0], REFUSED, "after a start")
    service.command("firewall", "apply", AGENT, "--timeout", "30")
    service.command("firewall", "confirm", AGENT)
    time.sleep(1)
    equal(connect(net, "11.8.3.3", 8443)[0], "works", "confirmed")


def boot(net, service):
    """What is stored closes before anything runs."""
    service.stop()
    net.host("nft", "flush", "ruleset")
    for family in ("-4", "-6"):
        net.host("ip", family, "rule", "flush")
        for pref, table in (("0", "local"), ("32766", "main"),
                            ("32767", "default")):
            net.host("ip", family, "rule", "add", "pref", pref, "lookup",
                     table, want=None)
    equal(connect(net, "11.9.0.9")[0], "works", "without rules")
    service.command("firewall", "apply", "--boot")
    equal(connect(net, "11.9.0.9")[0], REFUSED, "after the boot's step")
    equal(connect(net, "11.8.3.3", 8443)[0], "works", "a literal address")
    done = service.command("firewall", "check", AGENT, "--exec", "--",
                           "/usr/bin/id", "-u")
    equal(int(done.stdout), UIDS[AGENT], "who is started")
    service.start()


def starter(net, service):
    """Nothing is started without rules."""
    script = ("exec timeout 3 %s firewall check %s --exec -- /usr/bin/id"
              % (service.program, AGENT))
    for words in (["/usr/bin/touch", "/tmp/tz-ran"], ["touch", "/tmp/x"]):
        done = service.command("firewall", "check", "nosuch", "--exec", "--",
                               *words, want=None) if words[0][0] != "/" \
            else service.command("firewall", "check", AGENT, "--exec", "--",
                                 "/bin/sh", "-c", "id -u; grep NoNewPrivs: "
                                 "/proc/self/status; echo $HOME")
        if words[0][0] != "/":
            check(done.returncode != 0, "a relative path was run")
        else:
            lines = done.stdout.decode().split("\n")
            equal(lines[0], str(UIDS[AGENT]), "user")
            check("1" in lines[1], "privileges can be had: %r", lines)
    service.stop()
    net.host("nft", "flush", "ruleset")
    done = net.host("sh", "-c", script, want=None)
    check(done.returncode != 0 and b"uid=" not in done.stdout,
          "it was started: %r", done.stdout)
    service.command("firewall", "apply", "--boot")
    service.start()


def block(net, service):
    live = Live(net, "11.8.3.3", 8443)
    service.command("firewall", "apply", AGENT, "--block")
    check(live.speak() in (REFUSED, "ECONNRESET", "EPIPE"), "it lives")
    equal(connect(net, "11.8.3.3", 8443)[0], REFUSED, "blocked")
    live.close()
    service.apply()
    equal(connect(net, "11.8.3.3", 8443)[0], "works", "applied again")


def block_with_full_disk(net, service):
    """Whoever is to be stopped may have filled the disk."""
    service.apply()
    until(lambda: connect(net, "api.test")[0] == "works", 30, "it works")
    folder = "/etc/trizone/firewall"
    net.host("sh", "-c", "cp -a %s /run/kept; mount -t tmpfs -o "
             "size=4k,mode=0700 none %s; cp /run/kept/applied.json %s" % (
                 (folder,) * 3))
    try:
        service.command("firewall", "apply", AGENT, want=69)
        equal(connect(net, FIRST)[0], "works", "what was is left")
        service.command("firewall", "apply", AGENT, "--block")
        equal(connect(net, FIRST)[0], REFUSED, "blocked")
        net.host("nft", "flush", "ruleset")
        until(lambda: net.host("nft", "list", "table", "inet",
                               "trizone_accounts", want=None).returncode == 0,
              10, "rules are back")
        equal(connect(net, FIRST)[0], REFUSED, "it stays so")
        net.host("mount", "-o", "remount,ro", folder)
        service.command("firewall", "apply", AGENT, "--block", want=69)
    finally:
        until(lambda: net.host("umount", folder, want=None).returncode == 0,
              10, "nobody has a file of it open")
    service.apply()
    until(lambda: connect(net, "api.test")[0] == "works", 30, "it is back")


def removed(net, service):
    """All of ours goes, and nothing else."""
    net.host("nft", "add", "table", "inet", "of_others")
    service.stop()
    service.command("firewall", "apply", AGENT, "--remove")
    rules = net.host("nft", "list", "ruleset").stdout.decode()
    check("trizone" not in rules and "of_others" in rules, "%s", rules)
    for family in ("-4", "-6"):
        check("uidrange" not in net.host("ip", family, "rule").stdout.decode(),
              "rules of the routing are left")
    equal(connect(net, "11.9.0.9")[0], "works", "no rules")


def quiet(net, _):
    """While the account tries, nothing reaches the peer but what it may."""
    with net.capture() as frames:
        for host in ("11.9.0.1", "2600:9::1", "stranger.test", "10.1.1.1"):
            connect(net, host)
        connect(net, "11.8.3.3", 8443)
        leaked = frames.leaked(lambda frame: (frame.to, frame.port) == (
            "11.8.3.3", 8443) or (frame.to, frame.port) == (PEER4, 53))
    check(not leaked, "%s", fwframes.words(leaked))


CASES = (first_answer, both_families, quiet, element_before_answer, expiry,
         moves, inward, rebinding, flaps, vanishes, truncated, alias,
         datagrams, removal_cuts, hundred, others_untouched,
         refusals_are_on_record, taken_away, tested, closed_without_service,
         block, block_with_full_disk, unconfirmed, boot, starter,
         sets_are_full, removed)


def zone(net):
    net.dns.zone.update({
        "api.test": Answer(a=[FIRST], aaaa=[FIRST6]),
        "moves.test": Answer(a=[MOVING], ttl=1),
        "stranger.test": Answer(a=["11.9.0.1"])})


def body(suite):
    if why_not() is not None:
        print("skipped: " + why_not())
        raise SystemExit(77)
    with Network() as net:
        zone(net)
        with Service(net, {AGENT: HOSTS}) as service:
            service.apply()
            service.start()
            for case in CASES:
                suite.case(case.__name__.replace("_", " "), case, net, service)


if __name__ == "__main__":
    harness.main(body)
