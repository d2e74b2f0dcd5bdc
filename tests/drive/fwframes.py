"""Every frame that reaches one end of a veth pair, without a tool for it."""
import collections
import contextlib
import socket
import struct
import threading
import time

ETH_P_ALL, OUTGOING = 3, 4
ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86dd
ICMP, IGMP, TCP, UDP, ICMP6 = 1, 2, 6, 17, 58
# neighbour discovery and multicast listeners: the kernel's own
NEUTRAL6 = set(range(130, 138)) | {143}
EXTENSIONS = {0, 43, 60}  # of IPv6, with a length

Frame = collections.namedtuple(
    "Frame", "when protocol source to source_port port flags bytes")


def transport(protocol, data):
    """(source port, port, flags); of ICMP the type as port."""
    if protocol in (TCP, UDP, 136, 132, 33) and len(data) >= 4:
        source, port = struct.unpack_from(">HH", data)
        return source, port, data[13] if protocol == TCP and len(
            data) > 13 else 0
    if protocol in (ICMP, ICMP6) and data:
        return 0, data[0], 0
    return 0, 0, 0


def parse(raw):
    """A Frame; of what is neither family its EtherType as protocol."""
    kind = struct.unpack_from(">H", raw, 12)[0]
    packet = raw[14:]
    if kind == IPV4 and len(packet) >= 20:
        protocol, data = packet[9], packet[(packet[0] & 15) * 4:]
        source, to = (socket.inet_ntop(socket.AF_INET, packet[at:at + 4])
                      for at in (12, 16))
    elif kind == IPV6 and len(packet) >= 40:
        protocol, data = packet[6], packet[40:]
        source, to = (socket.inet_ntop(socket.AF_INET6, packet[at:at + 16])
                      for at in (8, 24))
        while protocol in EXTENSIONS and len(data) >= 8:
            protocol, data = data[0], data[(data[1] + 1) * 8:]
    else:
        return Frame(time.monotonic(), kind, "", "", 0, 0, 0, raw)
    return Frame(time.monotonic(), protocol, source, to,
                 *transport(protocol, data), raw)


def is_neutral(frame):
    """The kernel's own: ARP, neighbour discovery, MLD, IGMP."""
    return (frame.protocol in (ARP, IGMP)
            or frame.protocol == ICMP6 and frame.port in NEUTRAL6)


class Capture:
    """Of the frames that arrive while it is open."""

    def __init__(self, inside, link):
        with inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                        socket.htons(ETH_P_ALL))
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                   1 << 24)
            self.socket.bind((link, ETH_P_ALL))
        self.socket.settimeout(0.05)
        self.frames = []
        self.lock = threading.Lock()
        self.ends = False
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    def _loop(self):
        while not self.ends:
            try:
                raw, origin = self.socket.recvfrom(65536)
            except OSError:
                continue
            if origin[2] != OUTGOING and len(raw) >= 14:
                with self.lock:
                    self.frames.append(parse(raw))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.ends = True
        self.thread.join(5)
        with contextlib.suppress(OSError):
            self.socket.close()

    def take(self, wait=0.2):
        """What arrived since the last time, late ones included."""
        time.sleep(wait)
        with self.lock:
            frames, self.frames = self.frames, []
        return frames

    def leaked(self, allowed=lambda frame: False, wait=0.2):
        """Frames since the last time that are neither the kernel's own nor
        `allowed`."""
        return [frame for frame in self.take(wait)
                if not is_neutral(frame) and not allowed(frame)]


def words(frames):
    """For a message: at most five of them."""
    return "; ".join("protocol %d %s:%d > %s:%d flags %#x, %d bytes" % (
        *frame[1:3], frame.source_port, frame.to, frame.port, frame.flags,
        len(frame.bytes)) for frame in frames[:5])
