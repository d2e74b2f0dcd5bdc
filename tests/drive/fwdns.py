"""A DNS server that says what a test wants, and remembers every question."""
import collections
import dataclasses
import socket
import struct
import time
import typing

from fwpeer import Server, bound

A, CNAME, TXT, AAAA = 1, 5, 16, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5

Query = collections.namedtuple("Query", "when protocol name type raw")


@dataclasses.dataclass
class Answer:
    """What a name has. `then` follows after this was given `times` times."""
    a: typing.Sequence[str] = ()
    aaaa: typing.Sequence[str] = ()
    cname: typing.Optional[str] = None  # the addresses are that name's
    ttl: int = 300
    rcode: int = NOERROR
    truncated: bool = False  # over UDP; over TCP too if `always`
    always: bool = False
    silent: bool = False
    slow: float = 0.0  # seconds until the answer
    change: typing.Optional[typing.Callable] = None  # bytes -> bytes
    times: int = 0
    then: typing.Optional["Answer"] = None


def name_to_wire(name):
    out = b""
    for label in name.rstrip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode("latin-1")
    return out + b"\0"


def name_from_wire(data, at):
    """(name, where it ends)"""
    labels, end = [], None
    for _ in range(128):
        size = data[at]
        if size == 0:
            return ".".join(labels), end or at + 1
        if size >= 192:
            end = end or at + 2
            at = struct.unpack_from(">H", data, at)[0] & 0x3fff
            continue
        labels.append(data[at + 1:at + 1 + size].decode("latin-1"))
        at += 1 + size
    raise ValueError("name")


def question(name, kind=A, number=0x5a5a, flags=0x0100):
    """A query, as a resolver's client asks it."""
    return (struct.pack(">HHHHHH", number, flags, 1, 0, 0, 0)
            + name_to_wire(name) + struct.pack(">HH", kind, 1))


Reply = collections.namedtuple("Reply", "number rcode truncated rows")


def parse(data):
    """A Reply; its rows are (name, type, ttl, address or raw bytes)."""
    number, flags, questions, answers, _, _ = struct.unpack_from(
        ">HHHHHH", data)
    at, rows = 12, []
    for _ in range(questions):
        at = name_from_wire(data, at)[1] + 4
    for _ in range(answers):
        name, at = name_from_wire(data, at)
        kind, _, ttl, size = struct.unpack_from(">HHIH", data, at)
        raw = data[at + 10:at + 10 + size]
        at += 10 + size
        if kind in (A, AAAA):
            raw = socket.inet_ntop(socket.AF_INET if kind == A
                                   else socket.AF_INET6, raw)
        rows.append((name, kind, ttl, raw))
    return Reply(number, flags & 15, bool(flags & 0x0200), rows)


def build(query, protocol, answer):
    """The bytes of an Answer to the query."""
    name, end = name_from_wire(query, 12)
    kind = struct.unpack_from(">H", query, end)[0]
    rows, owner = [], b"\xc0\x0c"
    if answer.cname is not None:
        rows.append((owner, CNAME, name_to_wire(answer.cname)))
        owner = name_to_wire(answer.cname)
    for wanted, family, texts in ((A, socket.AF_INET, answer.a),
                                  (AAAA, socket.AF_INET6, answer.aaaa)):
        if kind == wanted:
            rows += [(owner, kind, socket.inet_pton(family, text))
                     for text in texts]
    cut = answer.truncated and (protocol == "udp" or answer.always)
    if cut:
        rows = []
    flags = 0x8180 | answer.rcode | (0x0200 if cut else 0)
    out = query[:2] + struct.pack(">HHHHH", flags, 1, len(rows), 0, 0)
    out += query[12:end + 4]
    for owner, kind, data in rows:
        out += owner + struct.pack(">HHIH", kind, 1, answer.ttl,
                                   len(data)) + data
    return answer.change(out) if answer.change else out


class Dns(Server):
    """Port 53, UDP and TCP, at these addresses. zone: name -> Answer, or a
    function of (name, type) that gives one; names that are not in it do not
    exist."""

    def __init__(self, inside, addresses):
        super().__init__()
        self.zone = {}
        self.queries = []
        self.given = collections.Counter()
        with inside():
            for address in addresses:
                family = (socket.AF_INET6 if ":" in address
                          else socket.AF_INET)
                self.add(bound(socket.SOCK_DGRAM, family, address, 53),
                         ("datagram",))
                self.add(bound(socket.SOCK_STREAM, family, address, 53),
                         ("listen",))
        self.thread.start()

    def readable(self, sock, what):
        if what[0] == "listen":
            peer, _ = sock.accept()
            peer.settimeout(5)
            self.add(peer, ("stream",))
        elif what[0] == "datagram":
            query, caller = sock.recvfrom(65536)
            reply = self.reply(query, "udp")
            if reply:
                sock.sendto(reply, caller)
        else:
            self.stream(sock)

    def stream(self, sock):
        head = sock.recv(2, socket.MSG_WAITALL)
        if len(head) < 2:
            self.drop(sock)
            return
        query = sock.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
        reply = self.reply(query, "tcp")
        if reply:
            sock.sendall(struct.pack(">H", len(reply)) + reply)

    def reply(self, query, protocol):
        try:
            name, end = name_from_wire(query, 12)
            kind = struct.unpack_from(">H", query, end)[0]
        except (ValueError, IndexError, struct.error):
            name, kind = None, None
        with self.lock:
            self.queries.append(Query(time.monotonic(), protocol, name, kind,
                                      query))
        if name is None:
            return None
        answer = self.answer(name.lower(), kind)
        if answer.slow:
            time.sleep(answer.slow)
        return None if answer.silent else build(query, protocol, answer)

    def answer(self, name, kind):
        found = self.zone.get(name, Answer(rcode=NXDOMAIN))
        if callable(found):
            return found(name, kind)
        with self.lock:
            while found.times and found.then:
                if self.given[id(found), kind] < found.times:
                    self.given[id(found), kind] += 1
                    break
                found = found.then
        return found

    def take(self):
        """The questions since the last time."""
        with self.lock:
            queries, self.queries = self.queries, []
        return queries

    def asked(self, name, kind=None):
        with self.lock:
            return [query for query in self.queries
                    if query.name and query.name.lower() == name
                    and kind in (None, query.type)]
