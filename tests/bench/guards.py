"""The DNS guard of a confined account: from the name server's answer to the
account's, with the element in place between them, and the resolver's memory.
The real service in namespaces of its own (tests/drive/fwnet.py)."""
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "drive"))
import fwnet  # noqa: E402
import harness  # noqa: E402
import stage  # noqa: E402

NAMES = 100
EMPTY_S = 31  # as long as it is told that there is no such name, and more
ROLES = ("broker", "auditor", "file", "notify", "planner", "reader",
         "resolver", "blocked")

# As the account: when each answer came.
CLIENT = r"""
import json, socket, struct, sys, time
came = {}
for name in json.loads(sys.argv[1]):
    wire = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(5)
    made.connect(("192.0.2.1", 53))
    made.send(b"\1\2\1\0\0\1\0\0\0\0\0\0" + wire + b"\0\0\1\0\1")
    answer = made.recv(4096)
    came[name] = time.monotonic()
    assert answer[3] & 15 == 0 and answer[7] == 1, (name, answer)
    made.close()
print(json.dumps(came))
"""


def service(net, program, names):
    for path, line in (("passwd", "trizone-%s:x:%d:%d::/nonexistent:"
                        "/usr/sbin/nologin\n"), ("group",
                                                 "trizone-%s:x:%d:\n")):
        rows = [line % ((role,) + (440 + i,) * line.count("%d"))
                for i, role in enumerate(ROLES)]
        net.host("tee", "-a", "/etc/" + path, data="".join(rows).encode())
    net.host("tee", "/etc/resolv.conf",
             data=b"nameserver %s\n" % fwnet.PEER4.encode())
    allow = [word for name in names for word in ("--allow", name + ":443")]
    net.host(program, "firewall", "apply", fwnet.AGENT, "--timeout", "0",
             *allow)
    process = net.spawn(program, "run", stderr=subprocess.PIPE)
    for line in process.stderr:
        if line.startswith(b"ev=ready"):
            return
    raise RuntimeError("the service does not start")


def resolver_of(net):
    for pid in net.namespaces["host"].processes():
        with open("/proc/%d/cmdline" % pid) as file:
            if "\0resolver\0" in file.read():
                return pid
    raise RuntimeError("no resolver")


def answers(net, names):
    """Milliseconds for each name, once it exists."""
    sent = {}

    def remember(name):
        def change(data):
            sent[name] = time.monotonic()
            return data
        return change
    for i, name in enumerate(names):
        net.dns.zone[name] = fwnet.Answer(
            a=["11.30.0.%d" % (i + 1)], change=remember(name))
    done = net.host(fwnet.PYTHON, "-c", CLIENT, json.dumps(names),
                    user=fwnet.AGENT)
    came = json.loads(done.stdout)
    return sorted((came[name] - sent[name]) * 1000 for name in names)


def measure(bench):
    bench.table.title("The DNS guard, %d names, each asked once" % NAMES)
    why = fwnet.why_not()
    if why is not None:
        bench.table.note(why)
        return
    names = ["host-%d.allowed.test" % i for i in range(NAMES)]
    program = os.path.join(bench.binaries, "trizone-executor")
    with fwnet.Network() as net:
        service(net, program, names)
        harness.until(lambda: len({q.name.lower() for q in net.dns.queries})
                      == NAMES, 20, "names of the start")
        time.sleep(EMPTY_S)
        took = answers(net, names)
        pss, dirty, resident = stage.memory_kib(resolver_of(net))
    middle, most = statistics.median(took), took[len(took) * 99 // 100]
    bench.table.row("from the server's answer to the account's", middle, "ms",
                    middle / 1, "1 ms", ("<=", 1))
    bench.table.row("  of the slowest", most, "ms")
    bench.table.row("resolver's memory", pss, "KiB PSS", pss / 6144, "6 MiB",
                    ("<=", 1))
    bench.table.note("private and dirty %d, resident %d" % (dirty, resident))
