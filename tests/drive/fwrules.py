"""The rules of a confined account as plain text for nft, and a guard that
answers by a list: what the programs are compared with, and what the rules can
be tried by alone.

usage: fwrules.py --guard PORT NAME=ADDRESS...
"""
import selectors
import socket
import struct
import sys

import fwdns
from fwpeer import IP_PKTINFO, IPV6_PKTINFO, IPV6_RECVPKTINFO, \
    IP_TRANSPARENT, IPV6_TRANSPARENT

TABLE = "trizone_accounts"
SO_BINDTODEVICE = 25

TEXT = """
table inet @TABLE@ {
	set fresh4_@UID@ {
		type ipv4_addr . inet_proto . inet_service
		flags timeout
		@FRESH4@
	}
	set fresh6_@UID@ {
		type ipv6_addr . inet_proto . inet_service
		flags timeout
		@FRESH6@
	}
	set known4_@UID@ {
		type ipv4_addr . inet_proto . inet_service
		flags dynamic,timeout
		@FRESH4@
	}
	set known6_@UID@ {
		type ipv6_addr . inet_proto . inet_service
		flags dynamic,timeout
		@FRESH6@
	}
	chain cookies {
		meta cgroup 0-4294967295 return
		drop
	}
	chain refuse {
		limit rate 50/second log group 53 snaplen 128
		counter
		meta l4proto tcp reject with tcp reset
		reject with icmpx admin-prohibited
	}
	chain account_@UID@ {
@ACCOUNT@
	}
	map accounts {
		type uid : verdict
		elements = { @UID@ : jump account_@UID@ }
	}
	chain output {
		type filter hook output priority filter; policy accept
@OUTPUT@
		meta skuid vmap @accounts
@LAST@
	}
}
"""

# Port 53 is the guard's only by loopback and from its address: a socket that
# names another interface or source would leave the machine with the guard's
# port, or have the kernel send something for it that has no owner. A packet to
# the guard's own port is not told with a reset, as that would look like the
# guard's answer. A header with a route in it goes on from where it was allowed.
ACCOUNT = """
		oif "lo" ip saddr 127.0.0.1 udp dport 53 udp dport set @GUARD@ accept
		oif "lo" ip saddr 127.0.0.1 tcp dport 53 tcp dport set @GUARD@ accept
		oif "lo" ip6 saddr ::1 udp dport 53 udp dport set @GUARD@ accept
		oif "lo" ip6 saddr ::1 tcp dport 53 tcp dport set @GUARD@ accept
		oif "lo" tcp dport @GUARD@ reject with icmpx port-unreachable
		ip hdrlength > 5 goto refuse
		exthdr rt exists goto refuse
		tcp flags & (syn|ack) == syn ip daddr . meta l4proto . th dport @fresh4_@UID@ accept
		tcp flags & (syn|ack) == syn ip6 daddr . meta l4proto . th dport @fresh6_@UID@ accept
		tcp flags & (syn|ack) == syn goto refuse
		tcp flags & (syn|ack) == (syn|ack) goto refuse
		meta l4proto tcp ip daddr . meta l4proto . th dport @known4_@UID@ update @known4_@UID@ { ip daddr . meta l4proto . th dport timeout 5d } accept
		meta l4proto tcp ip6 daddr . meta l4proto . th dport @known6_@UID@ update @known6_@UID@ { ip6 daddr . meta l4proto . th dport timeout 5d } accept
		meta l4proto udp ip daddr . meta l4proto . th dport @fresh4_@UID@ accept
		meta l4proto udp ip6 daddr . meta l4proto . th dport @fresh6_@UID@ accept
		goto refuse
"""
# What has no owner: the kernel's own words for sockets that are gone. They
# quote the guard's answer, which quotes the question. The last one is an
# answer with a cookie, for a listener that may be the account's; what is
# queued on such a connection is sent when its owner has left.
OUTPUT = """
		oif "lo" ip daddr 127.0.0.1 udp sport @GUARD@ udp sport set 53
		oif "lo" ip daddr 127.0.0.1 tcp sport @GUARD@ tcp sport set 53
		oif "lo" ip6 daddr ::1 udp sport @GUARD@ udp sport set 53
		oif "lo" ip6 daddr ::1 tcp sport @GUARD@ tcp sport set 53
		oif != "lo" ip saddr 127.0.0.1 tcp dport 53 drop
		oif != "lo" ip saddr 127.0.0.1 meta l4proto icmp drop
		oif != "lo" ip6 saddr ::1 drop
"""
LAST = """
		tcp flags & (syn|ack) == (syn|ack) tcp sport >= 1024 jump cookies
"""


def text(uid, guard, fresh4, fresh6):
    """Rules of one account; fresh4 and fresh6 are lists of (address, port)
    for TCP."""
    def elements(rows):
        return "elements = { %s }" % ", ".join(
            "%s . tcp . %d" % row for row in rows) if rows else ""
    out = TEXT
    for name, value in (("OUTPUT", OUTPUT), ("LAST", LAST), ("ACCOUNT", ACCOUNT),
                        ("FRESH4", elements(fresh4)),
                        ("FRESH6", elements(fresh6)), ("TABLE", TABLE),
                        ("UID", str(uid)), ("GUARD", str(guard))):
        out = out.replace("@%s@" % name, value)
    return out


def routes(uid, table=5353, pref=50):
    """Commands of ip(8) that bring port 53 of the account here."""
    found = []
    for family, everything, source in (("-4", "default", "127.0.0.1"),
                                       ("-6", "::/0", "::1")):
        found.append(["ip", family, "route", "add", "local", everything,
                      "dev", "lo", "src", source, "table", str(table)])
        found += [["ip", family, "rule", "add", "pref", str(pref), "uidrange",
                   "%d-%d" % (uid, uid), "ipproto", protocol, "dport", "53",
                   "lookup", str(table)] for protocol in ("udp", "tcp")]
    return found


def guard_socket(kind, family, port):
    made = socket.socket(family, kind)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b"lo")
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
    else:
        made.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
        made.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
    made.bind(("", port))
    if kind == socket.SOCK_STREAM:
        made.listen(16)
    return made


def reply(query, zone):
    name = fwdns.name_from_wire(query, 12)[0].lower()
    return fwdns.build(query, "tcp", zone.get(name, fwdns.Answer(
        rcode=fwdns.REFUSED)))


def answer_datagram(sock, zone):
    query, extra, _, caller = sock.recvmsg(4096, 256)
    for level, kind, value in extra:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            value = struct.pack("i4s4s", 0, value[8:12], bytes(4))
        elif (level, kind) == (socket.IPPROTO_IPV6, IPV6_PKTINFO):
            value = value[:16] + bytes(4)
        sock.sendmsg([reply(query, zone)], [(level, kind, value)], 0, caller)


def answer_stream(sock, zone):
    peer, _ = sock.accept()
    with peer:
        peer.settimeout(1)
        size = struct.unpack(">H", peer.recv(2, socket.MSG_WAITALL))[0]
        got = reply(peer.recv(size, socket.MSG_WAITALL), zone)
        peer.sendall(struct.pack(">H", len(got)) + got)


def guard(port, zone):
    selector = selectors.DefaultSelector()
    for family in (socket.AF_INET, socket.AF_INET6):
        selector.register(guard_socket(socket.SOCK_DGRAM, family, port),
                          selectors.EVENT_READ, answer_datagram)
        selector.register(guard_socket(socket.SOCK_STREAM, family, port),
                          selectors.EVENT_READ, answer_stream)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            try:
                key.data(key.fileobj, zone)
            except (OSError, ValueError, IndexError, struct.error):
                pass


if __name__ == "__main__":
    answers = {}
    for word in sys.argv[3:]:
        host, address = word.split("=")
        answers.setdefault(host, fwdns.Answer())
        where = answers[host]
        if ":" in address:
            where.aaaa = [*where.aaaa, address]
        else:
            where.a = [*where.a, address]
    guard(int(sys.argv[2]), answers)
