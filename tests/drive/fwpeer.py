"""Listeners that answer at every address of a namespace, and remember who
came."""
import contextlib
import selectors
import socket
import struct
import threading

IP_PKTINFO, IPV6_RECVPKTINFO, IPV6_PKTINFO = 8, 49, 50
IP_TRANSPARENT, IPV6_TRANSPARENT = 19, 75  # answer from any address


def bound(kind, family, address, port):
    """A socket at that address; a more exact one beside it may be."""
    made = socket.socket(family, kind)
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        made.setsockopt(socket.SOL_SOCKET, option, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind((address, port))
    if kind == socket.SOCK_STREAM:
        made.listen(64)
    made.setblocking(False)
    return made


class Server:
    """One thread over sockets; what a derived class does with them is in
    readable(). Ends by close()."""

    def __init__(self):
        self.lock = threading.Lock()
        self.selector = selectors.DefaultSelector()
        self.wake, self.woken = socket.socketpair()
        self.selector.register(self.woken, selectors.EVENT_READ, None)
        self.thread = threading.Thread(target=self._loop, daemon=True)

    def add(self, sock, what):
        self.selector.register(sock, selectors.EVENT_READ, what)

    def drop(self, sock):
        self.selector.unregister(sock)
        sock.close()

    def _loop(self):
        while True:
            for key, _ in self.selector.select():
                if key.data is None:
                    return
                with contextlib.suppress(OSError):
                    self.readable(key.fileobj, key.data)

    def readable(self, sock, what):
        raise NotImplementedError

    def close(self):
        self.wake.close()
        self.thread.join(10)
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


class Listeners(Server):
    """Echo on these ports, TCP and UDP, both families, all addresses."""

    def __init__(self, inside, ports):
        super().__init__()
        self.seen = []  # (protocol, address that was called, port, caller)
        self.streams = {}  # accepted and not closed: socket -> its row
        with inside():
            for port in ports:
                for family in (socket.AF_INET, socket.AF_INET6):
                    self.listen(family, port)
        self.thread.start()

    def listen(self, family, port):
        everywhere = "" if family == socket.AF_INET else "::"
        self.add(bound(socket.SOCK_STREAM, family, everywhere, port),
                 ("listen", port))
        sock = bound(socket.SOCK_DGRAM, family, everywhere, port)
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            sock.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
        self.add(sock, ("datagram", port))

    def readable(self, sock, what):
        if what[0] == "listen":
            self.accept(sock)
        elif what[0] == "datagram":
            self.answer(sock, what[1])
        else:
            self.echo(sock)

    def accept(self, sock):
        peer, caller = sock.accept()
        peer.setblocking(False)
        here = peer.getsockname()
        row = ("tcp", here[0], here[1], caller[:2])
        with self.lock:
            self.seen.append(row)
            self.streams[peer] = row
        self.add(peer, ("stream",))

    def echo(self, sock):
        try:
            got = sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            got = b""
        if got:
            with contextlib.suppress(OSError):
                sock.sendall(got)
            return
        with self.lock:
            self.streams.pop(sock, None)
        self.drop(sock)

    def answer(self, sock, port):
        got, extra, _, caller = sock.recvmsg(65536, 256)
        for level, kind, value in extra:
            if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
                here = socket.inet_ntop(socket.AF_INET, value[8:12])
                back = struct.pack("i4s4s", 0, value[8:12], bytes(4))
            elif (level, kind) == (socket.IPPROTO_IPV6, IPV6_PKTINFO):
                here = socket.inet_ntop(socket.AF_INET6, value[:16])
                back = value[:16] + bytes(4)
            else:
                continue
            with self.lock:
                self.seen.append(("udp", here, port, caller[:2]))
            sock.sendmsg([got], [(level, kind, back)], 0, caller)

    def take(self):
        """What was seen since the last time."""
        with self.lock:
            seen, self.seen = self.seen, []
        return seen
