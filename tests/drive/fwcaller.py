"""A caller that makes its own segments: for connections that a TCP of the
kernel would not have."""
import socket
import struct

import fwframes

SYN, ACK, RST = 2, 16, 4
STRANGE = "11.9.0.50"  # nothing at the peer answers for it


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Caller:
    """Calls `to` from STRANGE. Frames of the other side are in a capture."""

    def __init__(self, net, to, port):
        net.peer("ip", "route", "replace", "blackhole", STRANGE + "/32")
        with net.in_peer():
            self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                     socket.IPPROTO_RAW)
        self.to, self.port = to, port
        self.capture = net.capture()

    def close(self):
        self.raw.close()
        self.capture.close()

    def send(self, source_port, flags, seq, ack=0, window=65535):
        here, there = (socket.inet_aton(a) for a in (STRANGE, self.to))
        head = struct.pack(">HHIIBBHHH", source_port, self.port, seq, ack,
                           5 << 4, flags, window, 0, 0)
        check = checksum(here + there + struct.pack(">BBH", 0, 6, len(head))
                         + head)
        head = head[:16] + struct.pack(">H", check) + head[18:]
        packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(head), 1, 0,
                             64, 6, 0, here, there)
        self.raw.sendto(packet + head, (self.to, 0))

    def answers(self, wait=0.1):
        """(port here, flags, seq, payload) of each segment since."""
        found = []
        for frame in self.capture.take(wait):
            if frame.protocol != fwframes.TCP or frame.to != STRANGE:
                continue
            packet = frame.bytes[14:]
            segment = packet[(packet[0] & 15) * 4:struct.unpack(
                ">H", packet[2:4])[0]]
            found.append((frame.port, segment[13],
                          struct.unpack_from(">I", segment, 4)[0],
                          segment[(segment[12] >> 4) * 4:]))
        return found
