#!/usr/bin/env python3
"""The resolver as a process, with this program as its parent, as the accounts
that ask, and as a name server that is hostile.

usage: resolver.py BIN

In a network namespace of its own, by loopback alone. Needs root.
"""
import errno
import contextlib
import ctypes
import itertools
import json
import os
import select
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

import fwdns
import harness
import rig
from fwdns import A, AAAA, TXT, Answer, Dns, name_to_wire, question
from fwpeer import IP_PKTINFO, IPV6_RECVPKTINFO
from harness import check, equal, until

NEWNET = 0x40000000
ADDRESS = "B16s"
ORDER = struct.Struct("@7I" + 32 * ADDRESS)
ANSWER = struct.Struct("@Ii")
HEAD = struct.Struct("@II")
NOTE = struct.Struct("@3I" + ADDRESS + "254sx")
LINK_ANSWER, LINK_MODEL, LINK_EMPTIED = range(3)
ANSWERED, NAME_REFUSED, ADDRESS_REFUSED = range(3)
DENIED = -1301
PORT = 580
MEMORY_MOST = 6 << 10  # KiB
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)

AGENT = ["api.test:443", "api.test:8443", "two.test:443", "three.test:443",
         "other.test:443", "11.8.9.9:443"]
ROBOT = ["inner.test:443", "api.test:443"]


def own_network():
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(NEWNET) != 0:
        return False
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return True


def text_of(family, raw):
    return socket.inet_ntop(*(
        (socket.AF_INET, raw[:4]) if family == 4 else
        (socket.AF_INET6, raw)))


class Order:
    def __init__(self, data):
        (self.serial, self.models, self.account, self.host, self.remove,
         self.timeout, count, *rest) = ORDER.unpack(data)
        self.addresses = [text_of(rest[2 * i], rest[2 * i + 1])
                          for i in range(count)]


class Note:
    def __init__(self, data):
        self.what, self.account, self.lost, family, raw, name = NOTE.unpack(
            data)
        self.address = text_of(family, raw) if family else None
        self.name = name.split(b"\0")[0].decode()


def guard_sockets(port):
    made = []
    for family, address, level, option in (
            (socket.AF_INET, "127.0.0.1", socket.IPPROTO_IP,
             IP_PKTINFO),
            (socket.AF_INET6, "::1", socket.IPPROTO_IPV6,
             IPV6_RECVPKTINFO)):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            one = socket.socket(family, kind)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if kind == socket.SOCK_DGRAM:
                one.setsockopt(level, option, 1)
            one.bind((address, port))
            if kind == socket.SOCK_STREAM:
                one.listen(32)
            one.setblocking(False)
            made.append(one)
    return made


def model(agent=None, robot=None):
    return json.dumps([
        {"name": "agent", "uid": 497, "port": PORT, "blocked": False,
         "hosts": AGENT if agent is None else agent, "ranges": []},
        {"name": "robot", "uid": 498, "port": PORT + 1, "blocked": False,
         "hosts": ROBOT if robot is None else robot,
         "ranges": ["10.0.0.0/8"]}]).encode()


class Resolver:
    """One resolver, and its parent. `obey` gives what the parent answers to
    an order: 0, an error, or None, then nothing."""

    def __init__(self, servers="127.0.0.1\n", text=None):
        self.folder = harness.short_folder()
        self.log_path = self.folder / "log"
        self.log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT, 0o600)
        self.ours, theirs = socket.socketpair()
        self.notes_fd, notes = os.pipe()
        os.set_blocking(notes, False)
        os.set_blocking(self.notes_fd, False)
        theirs.setblocking(False)
        guards = guard_sockets(PORT) + guard_sockets(PORT + 1)
        setting = rig.setting("auditor", []).replace(
            b"auditor", b"resolver")
        program = harness.folder_of_programs() / "trizone-executor"
        self.orders, self.obey = [], lambda order: 0
        self.role = rig.Role(
            program, "resolver",
            [theirs.fileno(), notes] + [one.fileno() for one in guards],
            [setting, text or model(), servers.encode(), b"8"], self.log)
        theirs.close()
        os.close(notes)
        for one in guards:
            one.close()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def __enter__(self):
        heard = self.role.hear()
        check(heard and heard[0] == "ready", "not ready: %s", self.said())
        return self

    def __exit__(self, *_):
        self.role.end()
        self.ours.close()
        self.thread.join(10)
        os.close(self.notes_fd)
        os.close(self.log)
        text = self.said()
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()
        check(not harness.SANITIZER.search(text), "%s", text[-3000:])
        check(not harness.FAULTY.search(text), "%s", text[-3000:])

    def said(self):
        return self.log_path.read_text(errors="replace")

    def serve(self):
        data = b""
        while True:
            try:
                more = self.ours.recv(65536)
            except OSError:
                return
            if not more:
                return
            data += more
            while len(data) >= ORDER.size:
                order = Order(data[:ORDER.size])
                data = data[ORDER.size:]
                self.orders.append(order)
                error = self.obey(order)
                if error is not None:
                    self.answer(order, error)

    def answer(self, order, error=0):
        self.tell(LINK_ANSWER, ANSWER.pack(order.serial, error))

    def tell(self, what, body=b""):
        self.ours.sendall(HEAD.pack(what, len(body)) + body)

    def notes(self):
        found = []
        while select.select([self.notes_fd], [], [], 0)[0]:
            data = os.read(self.notes_fd, NOTE.size)
            if not data:
                break
            found.append(Note(data))
        return found

    def empty(self):
        """Empty sets; returns when the resolver has heard of it: its link is
        read in order, and the answer to a model comes with an order."""
        count = len(self.orders)
        self.tell(LINK_EMPTIED)
        until(lambda: len(self.orders) > count, 15, "orders")

    def is_released(self):
        return self.role.report[1].split(b"\0")[0] == b"release"

    def memory(self, what="Pss:"):
        """KiB: with its part of what is shared, its own, and all there is;
        what has to be below the bar."""
        found = {}
        with open("/proc/%d/smaps_rollup" % self.role.pid) as file:
            for line in file:
                words = line.split()
                if words[0] in ("Pss:", "Private_Dirty:", "Rss:"):
                    found[words[0]] = int(words[1])
        check(not self.is_released() or found[what] < MEMORY_MOST, "%r",
              found)
        return "%(Pss:)d KiB PSS, %(Private_Dirty:)d private and dirty, " \
            "%(Rss:)d resident" % found

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.role.pid))

    def settled(self):
        """Everything was looked up that is at the start."""
        def quiet():
            count = len(self.orders)
            time.sleep(0.1)
            return len(self.orders) == count
        until(quiet, 30, "the start")


NUMBERS = itertools.count(1)


def send(data, port=PORT, address="127.0.0.1"):
    made = socket.socket(socket.AF_INET6 if ":" in address else
                         socket.AF_INET, socket.SOCK_DGRAM)
    made.connect((address, port))
    made.send(data)
    return made


def receive(made, seconds=20):
    with made:
        made.settimeout(seconds)
        return made.recv(65536)


def ask(name, kind=A, port=PORT, address="127.0.0.1", seconds=20):
    """The guard's answer."""
    number = next(NUMBERS) & 0xffff
    reply = fwdns.parse(receive(send(question(name, kind, number), port,
                                     address), seconds))
    equal(reply.number, number, "number")
    return reply


def addresses(reply):
    return sorted(row[3] for row in reply.rows)


def stream(port=PORT, address="127.0.0.1"):
    made = socket.create_connection((address, port), 5)
    return made


def stream_ask(made, data):
    made.sendall(struct.pack(">H", len(data)) + data)
    head = made.recv(2, socket.MSG_WAITALL)
    if len(head) < 2:
        return None
    return made.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)


class Case:
    """A name server at 127.0.0.1 and ::1 for all cases."""

    def __init__(self):
        self.dns = Dns(contextlib.nullcontext, ("127.0.0.1", "::1"))
        self.reset()

    def reset(self):
        self.dns.zone = {
            "api.test": Answer(a=["11.8.0.1", "11.8.0.2"],
                               aaaa=["2600:8::1"]),
            "two.test": Answer(a=["11.8.0.3"]),
            "inner.test": Answer(a=["10.1.2.3"]),
            "other.test": Answer(a=["11.8.0.4"]),
        }
        self.dns.take()


def in_place_first(case):
    """No answer before the parent says that the sets have it."""
    with Resolver() as r:
        r.settled()
        r.obey = lambda order: None
        r.tell(LINK_EMPTIED)
        until(lambda: any(len(o.addresses) == 2 and o.account == 0
                          for o in r.orders[-8:]), 15, "an order")
        time.sleep(0.1)
        made = send(question("api.test"))
        check(not select.select([made], [], [], 0.5)[0],
              "an answer before its element")
        order = [o for o in r.orders if o.account == 0 and
                 "11.8.0.1" in o.addresses][-1]
        equal((order.host, order.remove, order.timeout,
               sorted(order.addresses)),
              (0, 0, 315, ["11.8.0.1", "11.8.0.2"]), "order")
        r.answer(order)
        reply = fwdns.parse(receive(made))
        equal((reply.rcode, addresses(reply)),
              (NOERROR, ["11.8.0.1", "11.8.0.2"]), "answer")
        check(0 < reply.rows[0][2] <= 300, "ttl %d", reply.rows[0][2])


def order_fails(case):
    with Resolver() as r:
        r.settled()
        r.obey = lambda order: DENIED
        r.empty()
        equal(ask("api.test").rcode, SERVFAIL, "refused by the parent")
        r.obey = lambda order: None
        r.empty()
        equal(ask("api.test").rcode, SERVFAIL, "no answer of the parent")


def kinds(case):
    with Resolver() as r:
        for address in ("127.0.0.1", "::1"):
            equal(addresses(ask("api.test", A, PORT, address)),
                  ["11.8.0.1", "11.8.0.2"], "A at " + address)
            equal(addresses(ask("api.test", AAAA, PORT, address)),
                  ["2600:8::1"], "AAAA at " + address)
        reply = ask("two.test", AAAA)
        equal((reply.rcode, reply.rows), (NOERROR, []), "no AAAA")
        equal(ask("three.test").rcode, NXDOMAIN, "no such name")
        r.settled()
        case.dns.take()
        for kind in (TXT, 15, 33, 65, 255):
            reply = ask("api.test", kind)
            equal((reply.rcode, reply.rows), (NOERROR, []), kind)
        equal(case.dns.take(), [], "asked for other types")
        # of that account alone
        equal(ask("two.test", A, PORT + 1).rcode, REFUSED, "the other's")


def names_refused(case):
    with Resolver() as r:
        r.settled()
        case.dns.take()
        r.notes()
        for name in ("c2VjcmV0.api.test", "test", "", "api.test.evil.test",
                     "xapi.test", "11.8.9.9", "api.test\0.test", "api test"):
            equal(ask(name).rcode, REFUSED, name)
        # a dot inside of a label
        data = question("x").replace(name_to_wire("x"), b"\x08api.test\0")
        equal(fwdns.parse(receive(send(data))).rcode, REFUSED, "label")
        equal(case.dns.take(), [], "upstream was asked")
        notes = r.notes()
        equal([note.what for note in notes], [NAME_REFUSED] * 9, "notes")
        equal([note.name for note in notes][:3],
              ["c2vjcmv0.api.test", "test", "."], "names")
        check(all(0x20 < ord(c) < 0x7f for note in notes
                  for c in note.name), "not printable")


def inward(case):
    zone = case.dns.zone
    zone["two.test"] = Answer(a=["127.0.0.1", "169.254.169.254", "10.0.0.1",
                                 "0.0.0.0", "224.0.0.1", "100.64.0.1"])
    zone["three.test"] = Answer(a=["10.0.0.1", "11.8.0.5"], aaaa=[
        "::1", "fe80::1", "fd00::1", "::ffff:11.8.0.1", "64:ff9b::b08:1"])
    with Resolver() as r:
        equal(ask("two.test").rcode, SERVFAIL, "private alone")
        equal(addresses(ask("three.test")), ["11.8.0.5"], "one is public")
        equal(ask("three.test", AAAA).rcode, SERVFAIL, "private, IPv6")
        equal(addresses(ask("inner.test", A, PORT + 1)), ["10.1.2.3"],
              "a range of the policy")
        noted = {(n.account, n.name, n.address) for n in r.notes()
                 if n.what == ADDRESS_REFUSED}
        check((0, "two.test", "169.254.169.254") in noted and
              (0, "three.test", "::ffff:11.8.0.1") in noted, "%r", noted)
        check(all(not {"10.0.0.1", "127.0.0.1", "::1"} & set(o.addresses)
                  for o in r.orders), "ordered")
        # rebinding: what was public a moment ago
        zone["api.test"] = Answer(a=["192.168.0.1"])
        r.empty()
        equal(ask("api.test").rcode, SERVFAIL, "rebound")


def changed_bytes(number=None, name=None, tail=b"", cut=None):
    def change(data):
        if number is not None:
            data = struct.pack(">H", number(data)) + data[2:]
        if name is not None:
            data = data[:12] + name + data[12 + len(name):]
        data += tail
        return data[:cut] if cut is not None else data
    return change


def loop_of_names(data):
    """CNAMEs that lead to each other, without an address."""
    head = data[:6] + struct.pack(">H", 2) + data[8:12]
    _, end = fwdns.name_from_wire(data, 12)
    row = struct.pack(">HHIH", 5, 1, 60, 2)
    return head + data[12:end + 4] + b"\xc0\x0c" + row + b"\xc0\x0c" \
        + b"\xc0\x0c" + row + b"\xc0\x0c"


def pointer_loop(data):
    _, end = fwdns.name_from_wire(data, 12)
    at = end + 4
    return data[:at] + struct.pack(">H", 0xc000 | at) + data[at + 2:]


HOSTILE = {
    "truncated": Answer(truncated=True),
    "truncated, with an address": Answer(
        a=["11.8.0.1"], change=lambda d: d[:2] + b"\x83\x80" + d[4:]),
    "server failure": Answer(rcode=2),
    "refused": Answer(rcode=5),
    "not implemented": Answer(rcode=4),
    "format error": Answer(rcode=1),
    "wrong number": Answer(a=["11.8.0.1"], change=changed_bytes(
        number=lambda d: struct.unpack_from(">H", d)[0] ^ 1)),
    "another name": Answer(a=["11.8.0.1"],
                           change=changed_bytes(name=b"\3twx")),
    "other letters": Answer(a=["11.8.0.1"], change=lambda d: d[:12]
                            + d[12:21].swapcase() + d[21:]),
    "no answer": Answer(silent=True),
    "a question back": Answer(change=lambda d: d[:2] + b"\x01\x00" + d[4:]),
    "cut": Answer(a=["11.8.0.1"], change=changed_bytes(cut=30)),
    "empty": Answer(change=lambda d: b""),
    "header alone": Answer(a=["11.8.0.1"], change=changed_bytes(cut=12)),
    "65,000 bytes of it": Answer(change=changed_bytes(
        tail=bytes(60000))),
    "10,000 answers said": Answer(change=lambda d: d[:6] + b"\x27\x10"
                                  + d[8:]),
    "length beyond its end": Answer(a=["11.8.0.1"], change=lambda d:
                                    d[:-6] + b"\xff\xff" + d[-4:]),
    "pointer to itself": Answer(a=["11.8.0.1"], change=pointer_loop),
    "names in a circle": Answer(change=loop_of_names),
}
# What may come of one: no address in any case.
MILD = {"names in a circle", "empty", "65,000 bytes of it",
        "a question back"}


def hostile(case, kind):
    case.dns.zone["two.test"] = HOSTILE[kind]
    with Resolver() as r:
        reply = ask("two.test")
        if kind in MILD:
            check(reply.rcode in (SERVFAIL, NOERROR) and not reply.rows,
                  "%r", reply)
        else:
            equal((reply.rcode, reply.rows), (SERVFAIL, []), "answer")
        equal(addresses(ask("other.test")), ["11.8.0.4"], "others")
        # and when it is well again
        case.dns.zone["two.test"] = Answer(a=["11.8.0.9"])
        r.empty()
        equal(addresses(ask("two.test")), ["11.8.0.9"], "well again")


def many_addresses(case):
    case.dns.zone["two.test"] = Answer(
        a=["11.9.%d.%d" % (i // 200, i % 200 + 1) for i in range(80)])
    with Resolver() as r:
        reply = ask("two.test")
        check(reply.rcode in (NOERROR, SERVFAIL), "%r", reply)
        check(len(reply.rows) <= 32, "%d", len(reply.rows))
        check(all(len(o.addresses) <= 32 for o in r.orders), "orders")


def moves_and_vanishes(case):
    """Each time the sets are empty: a name that moves, flaps, vanishes."""
    zone = case.dns.zone
    with Resolver() as r:
        for number in range(1, 60):
            gone = number % 3 == 0
            zone["two.test"] = Answer(rcode=3) if gone else Answer(
                a=["11.9.0.%d" % number], ttl=number % 2)
            r.empty()
            reply = ask("two.test")
            if gone:
                equal((reply.rcode, reply.rows), (NXDOMAIN, []), number)
            else:
                equal(addresses(reply), ["11.9.0.%d" % number], number)
                check(1 <= reply.rows[0][2] <= 60, "ttl")


def letters_and_edns(case):
    with Resolver() as r:
        del r
        data = question("ApI.tEsT", A, 7)
        raw = receive(send(data))
        check(raw[12:].startswith(data[12:]), "the question: %r", raw)
        opt = b"\0\0\x29\x10\0\0\0\0\0\0\0"
        raw = receive(send(data[:10] + b"\0\1" + data[12:] + opt))
        equal(raw[-11:], b"\0\0\x29\x04\xd0\0\0\0\0\0\0", "OPT")
        equal(receive(send(data + b"x"))[3] & 15, FORMERR, "trailing")
        equal(receive(send(b"\0\1\x28\0" + data[4:]))[3] & 15, NOTIMP,
              "update")


def no_answer(case):
    with Resolver() as r:
        del r
        for data in (b"", b"short", question("api.test")[:2] + b"\x81\x80"
                     + question("api.test")[4:], bytes(1100)):
            made = send(data)
            check(not select.select([made], [], [], 0.3)[0],
                  "answered %r", data[:20])
            made.close()


def by_stream(case):
    case.dns.zone["two.test"] = Answer(
        aaaa=["2600:9::%x" % i for i in range(1, 16)])
    with Resolver() as r:
        for address in ("127.0.0.1", "::1"):
            with stream(PORT, address) as made:
                for _ in range(5):
                    equal(addresses(fwdns.parse(stream_ask(
                        made, question("api.test")))),
                        ["11.8.0.1", "11.8.0.2"], "one after another")
        with stream() as made:  # two at once, in pieces
            data = b"".join(struct.pack(">H", len(q)) + q for q in (
                question("api.test", A, 1), question("no.test", A, 2)))
            for at in range(len(data)):
                made.sendall(data[at:at + 1])
            for number, code in ((1, NOERROR), (2, REFUSED)):
                size = struct.unpack(">H", made.recv(2))[0]
                reply = fwdns.parse(made.recv(size, socket.MSG_WAITALL))
                equal((reply.number, reply.rcode), (number, code), "piped")
        # one that waits, and the next behind it
        r.empty()
        with stream() as made:
            first, second = question("two.test", AAAA, 1), question(
                "api.test", A, 2)
            made.sendall(struct.pack(">H", len(first)) + first
                         + struct.pack(">H", len(second)) + second)
            for number, count in ((1, 15), (2, 2)):
                size = struct.unpack(">H", made.recv(2))[0]
                reply = fwdns.parse(made.recv(size, socket.MSG_WAITALL))
                equal((reply.number, len(reply.rows)), (number, count),
                      "one waits")
        for bad in (struct.pack(">H", 65535) + bytes(2000),
                    struct.pack(">H", 3) + b"abc" + b"\0\0", b"\0\0" * 600):
            with stream() as made:
                made.settimeout(3)
                try:
                    made.sendall(bad)
                    made.shutdown(socket.SHUT_WR)
                    while made.recv(4096):
                        pass
                except OSError as error:
                    check(error.errno in (errno.ENOTCONN, errno.ECONNRESET,
                                          errno.EPIPE), "%r", error)


def stream_bounds(case):
    with Resolver() as r:
        r.settled()
        open_before = r.descriptors()
        kept = [stream() for _ in range(8)]
        time.sleep(0.2)
        extra = stream()
        equal(extra.recv(1), b"", "a ninth")
        with stream(PORT + 1) as other:
            check(stream_ask(other, question("api.test")), "the other's")
        began = time.monotonic()
        kept[0].settimeout(30)
        equal(kept[0].recv(1), b"", "idle")
        check(time.monotonic() - began > 8, "at %g s",
              time.monotonic() - began)
        for made in kept + [extra]:
            made.close()
        until(lambda: r.descriptors() == open_before, 15, "closed")


def waiting_bound(case):
    """70 questions that wait: above 64 SERVFAIL at once; all are answered."""
    case.dns.zone["two.test"] = Answer(silent=True)
    with Resolver() as r:
        r.settled()
        r.empty()
        made = [send(question("two.test", A, i)) for i in range(70)]
        answered = lambda: len(select.select(made, [], [], 0)[0])
        until(lambda: answered() >= 6, 4, "answers before a look-up ends")
        equal(answered(), 6, "answered at once")
        # the other account is served meanwhile
        equal(ask("api.test", A, PORT + 1, seconds=3).rcode, NOERROR, "other")
        for one in made:
            equal(fwdns.parse(receive(one)).rcode, SERVFAIL, "the rest")


def flood(case):
    """As fast as can be: refused names, allowed ones, noise. It lives, stays
    small, and serves the other account."""
    with Resolver() as r:
        r.settled()
        made = send(b"x")
        made.setblocking(False)
        until_time, sent, worst = time.monotonic() + 5, 0, 0
        noise = [question("a%d.evil.test" % i) for i in range(50)] + [
            question("api.test"), os.urandom(300), bytes(40)]
        while time.monotonic() < until_time:
            for data in noise:
                try:
                    made.send(data)
                except OSError:
                    pass
                sent += 1
            if sent % (len(noise) * 400) == 0:
                began = time.monotonic()
                equal(ask("api.test", A, PORT + 1).rcode, NOERROR, "other")
                worst = max(worst, time.monotonic() - began)
        made.close()
        time.sleep(0.2)
        memory = r.memory()
        notes = r.notes()
        check(len(notes) > 100, "%d notes", len(notes))
        until(lambda: ask("api.test").rcode == NOERROR, 15, "the flooder")
        ask("again.test")
        check(sum(note.lost for note in r.notes()) > 100, "lost notes")
        check("ev=guard-lost" in r.said(), "it says nothing")
        return "%d questions, other account %.1f ms at most; %s" % (
            sent, worst * 1000, memory)


def another_model(case):
    with Resolver() as r:
        equal(ask("new.test").rcode, REFUSED, "before")
        case.dns.zone["new.test"] = Answer(a=["11.8.7.7"])
        r.settled()
        count = len(r.orders)
        r.tell(LINK_MODEL, model(["new.test:443", "api.test:443"], []))
        equal(addresses(ask("new.test")), ["11.8.7.7"], "new")
        equal(addresses(ask("api.test")), ["11.8.0.1", "11.8.0.2"], "kept")
        equal(ask("two.test").rcode, REFUSED, "gone")
        equal(ask("api.test", A, PORT + 1).rcode, REFUSED, "the other's")
        hosts = {(o.models, o.account, o.host) for o in r.orders[count:]}
        equal(hosts, {(1, 0, 0)}, "orders")
        equal({o.models for o in r.orders[:count]}, {0}, "orders before")


def servers(case):
    """The first is dead, the second is IPv6; and a name of no configured kind
    is never asked for."""
    with Resolver("127.0.0.1:5399\n[::1]:53\n") as r:
        equal(addresses(ask("two.test")), ["11.8.0.3"], "the second")
        r.settled()
        allowed = {row.rsplit(":", 1)[0] for row in AGENT + ROBOT}
        asked = {q.name.lower() for q in case.dns.take()}
        check(asked <= allowed, "asked for %r", asked - allowed)


def ports(case):
    """Each question comes from a port of its own, in letters of its own."""
    seen, spelled = set(), set()
    case.dns.zone["two.test"] = Answer(rcode=3)
    original = case.dns.readable

    def readable(sock, what):
        if what[0] == "datagram":
            query, caller = sock.recvfrom(65536, socket.MSG_PEEK)
            seen.add(caller[1])
            name, end = fwdns.name_from_wire(query, 12)
            spelled.add((name, struct.unpack_from(">H", query, end)[0]))
        original(sock, what)
    case.dns.readable = readable
    try:
        with Resolver() as r:
            for _ in range(20):
                r.empty()
                ask("two.test")
        check(len(seen) >= 20, "%d ports", len(seen))
        for kind in (A, AAAA):
            check(len([name for name, asked in spelled if asked == kind
                       and name.lower() == "two.test"]) > 5, "%r", spelled)
    finally:
        case.dns.readable = original


def again_and_again(case):
    """Thousands of look-ups leave nothing behind: no memory, no sockets."""
    def own(r):
        with open("/proc/%d/smaps_rollup" % r.role.pid) as file:
            return next(int(line.split()[1]) for line in file
                        if line.startswith("Private_Dirty:"))
    with Resolver() as r:
        r.settled()
        for number in range(600):
            r.empty()
            if number == 100:
                before = own(r)
        r.settled()
        # a sanitizer keeps freed memory for a while
        check(own(r) < before + (128 if r.is_released() else 32768),
              "%d KiB, %d before", own(r), before)
        check(r.descriptors() < 30, "%d descriptors", r.descriptors())
        return "%d orders, %+d KiB" % (len(r.orders), own(r) - before)


def thousand(case):
    """As many names as there can be; each is looked up once at the start."""
    hosts = ["h%d.test:443" % i for i in range(1000)]
    for i in range(1000):
        case.dns.zone["h%d.test" % i] = Answer(
            a=["11.%d.%d.%d" % (20 + i // 250, i % 250, k + 1)
               for k in range(8)], ttl=600)
    with Resolver(text=model(hosts)) as r:
        began = time.monotonic()
        until(lambda: len(r.orders) >= 1000, 60, "1,000 names")
        took = time.monotonic() - began
        r.settled()
        check(r.descriptors() < 60, "%d descriptors", r.descriptors())
        equal(len(addresses(ask("h999.test"))), 8, "the last")
        return "%.1f s, %s" % (took, r.memory())


def hundred(case):
    """Memory with 100 hosts, in use."""
    hosts = ["h%d.test:443" % i for i in range(100)]
    for i in range(100):
        case.dns.zone["h%d.test" % i] = Answer(
            a=["11.20.%d.%d" % (i, k + 1) for k in range(8)],
            aaaa=["2600:20::%x:%x" % (i, k) for k in range(8)])
    with Resolver(text=model(hosts)) as r:
        until(lambda: len(r.orders) >= 200, 30, "100 names")
        for i in range(100):
            equal(len(ask("h%d.test" % i).rows), 8, i)
        return r.memory("Rss:")


def quick(case):
    """From the parent's word to the answer, and from what is known."""
    with Resolver() as r:
        r.settled()
        known, after = [], []
        for _ in range(300):
            began = time.monotonic()
            ask("api.test")
            known.append(time.monotonic() - began)
        held = []
        r.obey = lambda order: held.append(order)
        for _ in range(60):
            held.clear()
            r.tell(LINK_EMPTIED)
            made = send(question("two.test"))
            until(lambda: any(o.account == 0 and "11.8.0.3" in o.addresses
                              for o in held), 15, "order")
            order = [o for o in held if "11.8.0.3" in o.addresses][-1]
            began = time.monotonic()
            r.answer(order)
            receive(made)
            after.append(time.monotonic() - began)
        known, after = statistics.median(known), statistics.median(after)
        check(after < 4 * known, "%g of %g s", after, known)
        return "known %.2f ms, after the element %.2f ms" % (
            known * 1000, after * 1000)


def ends(case):
    with Resolver() as r:
        r.settled()
        r.ours.shutdown(socket.SHUT_RDWR)
        equal(r.role.wait(5), 0, "the link is gone")
    with Resolver() as r:
        r.role.control.shutdown(socket.SHUT_RDWR)
        equal(r.role.wait(5), 0, "the parent is gone")


def listener_gone(case):
    with Resolver() as r:
        os.close(r.notes_fd)
        r.notes_fd = os.open("/dev/null", os.O_RDONLY)
        equal(ask("evil.test").rcode, REFUSED, "name")
        equal(ask("api.test").rcode, NOERROR, "name")


CASES = [
    ("the element is in place before the answer", in_place_first),
    ("an order that fails is a failure", order_fails),
    ("A, AAAA, and other types", kinds),
    ("other names are refused and not looked up", names_refused),
    ("addresses that are not public", inward),
    ("80 addresses", many_addresses),
    ("a name that moves, flaps, vanishes", moves_and_vanishes),
    ("letters, OPT, broken questions", letters_and_edns),
    ("what is not answered", no_answer),
    ("by TCP", by_stream),
    ("bounds of TCP", stream_bounds),
    ("bound of questions that wait", waiting_bound),
    ("a flood", flood),
    ("another model", another_model),
    ("servers", servers),
    ("ports and letters of the questions", ports),
    ("look-ups leave nothing behind", again_and_again),
    ("1,000 names", thousand),
    ("memory with 100 hosts", hundred),
    ("time to the answer", quick),
    ("the listener is gone", listener_gone),
    ("whoever started it is gone", ends),
]


def body(suite):
    if not own_network():
        print("skipped: needs root")
        raise SystemExit(77)
    case = Case()

    def one(function, *more):
        case.reset()
        return function(case, *more)
    for name, function in CASES:
        suite.case(name, one, function)
    for kind in HOSTILE:
        suite.case("a name server: " + kind, one, hostile, kind)
    case.dns.close()


if __name__ == "__main__":
    if sys.platform != "linux":
        print("skipped: needs Linux")
        sys.exit(77)
    harness.main(body)
