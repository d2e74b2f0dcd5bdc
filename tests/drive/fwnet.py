"""A machine and the internet, for tests of the firewall of accounts.

Two network namespaces and a veth pair. "host" is the machine that is tested:
it has /etc, /run, /var and /home of its own, and the accounts AGENT (the
confined one) and OTHER in it. "peer" is everything else: whatever address a
packet is sent to, peer has it, with listeners on PORTS for TCP and UDP of both
families, a DNS server that says what the test wants, and a capture of every
frame that arrives. Nothing of it is outside of the two namespaces, which are
gone when the process that holds them is, whatever becomes of the test.

    with Network() as net:
        net.dns.zone["api.test"] = Answer(a=["11.8.0.1"])
        net.host("nft", "-f", "-", data=RULES)
        with net.capture() as frames:
            net.host("curl", ..., user=AGENT)
        check(not frames.leaked(), ...)

Sockets of the peer are made by threads of the test that have entered its
namespace for that moment, so that the test has everything at hand.
"""
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import harness
from fwdns import Answer, Dns  # noqa: F401, for who imports us
from fwframes import Capture
from fwpeer import Listeners
from harness import Skipped, check, equal, until

AGENT, OTHER = "agent", "other"
UIDS = {AGENT: 497, OTHER: 1500, "root": 0}
PYTHON = "/usr/bin/python3"  # one that every account may run

HOST4, PEER4 = "11.7.0.2", "11.7.0.1"
HOST6, PEER6 = "2600:7::2", "2600:7::1"
LINK = "tzveth"
# Listened on at every address, TCP and UDP; 53 is the DNS server's besides.
PORTS = (22, 53, 80, 443, 580, 853, 5353, 8443)

CLONE_NEWNET = 0x40000000
NEEDED = ("ip", "nsenter", "unshare", "setpriv", "sysctl", "mount")

# What the process that holds the namespaces does: a file system that is the
# machine's own where things are changed; the real one is only read. It ends
# when its standard input does.
HOLD_HOST = r"""set -e
mount -t tmpfs -o mode=0755 none "$1"
for at in etc var home root; do
	mkdir "$1/$at" "$1/$at.work"
	[ -d /$at ] || continue
	chmod --reference=/$at "$1/$at"
	mount -t overlay -o \
	    lowerdir=/$at,upperdir="$1/$at",workdir="$1/$at.work" none /$at
done
mount -t tmpfs -o mode=0755 none /run
mkdir -p /run/lock
mount -t sysfs none /sys
umount -l "$1"
echo ready
read -r end
"""
HOLD_PEER = "mount -t sysfs none /sys; echo ready; read -r end"

ACCOUNTS = "".join("%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n" % (
    name, UIDS[name], UIDS[name]) for name in (AGENT, OTHER))
GROUPS = "".join("%s:x:%d:\n" % (name, UIDS[name]) for name in (AGENT, OTHER))


def why_not():
    """Why none of this can be had here, or None."""
    if sys.platform != "linux":
        return "needs Linux"
    if os.geteuid() != 0:
        return "needs root (accounts other than ours are tried)"
    for name in NEEDED:
        if shutil.which(name) is None:
            return "no " + name
    if not os.access(PYTHON, os.X_OK):
        return "no " + PYTHON
    done = harness.run(["unshare", "--net", "--mount", "true"])
    if done.returncode != 0:
        return "namespaces cannot be made: %r" % done.stderr
    return None


def enter(fd):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """Held by a process that ends when we do, or when asked to."""

    def __init__(self, script, *arguments):
        self.process = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private",
             "/bin/sh", "-c", script, "hold", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        if self.process.stdout.readline() != b"ready\n":
            raise Skipped("no namespaces: %r" % self.process.stderr.read(500))
        self.pid = self.process.pid
        self.fd = os.open("/proc/%d/ns/net" % self.pid, os.O_RDONLY)
        self.inode = os.fstat(self.fd).st_ino

    def command(self, words, user=None, keep=None):
        """What runs it in here, as `user`: no groups, no capabilities but the
        one to `keep`."""
        become = []
        if user is not None:
            uid = str(UIDS.get(user, user))
            become = ["setpriv", "--reuid", uid, "--regid", uid,
                      "--clear-groups", "--inh-caps=-all" + (
                          ",+" + keep if keep else ""),
                      *(["--ambient-caps=+" + keep] if keep else []), "--"]
        return ["nsenter", "-t", str(self.pid), "--net", "--mount",
                "--wd=/", "--", *become, *(str(word) for word in words)]

    def processes(self):
        """Everything that runs in here but the holder."""
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) in (self.pid, os.getpid()):
                continue
            try:
                if os.stat("/proc/%s/ns/net" % name).st_ino == self.inode:
                    found.append(int(name))
            except OSError:
                pass
        return found

    def close(self):
        """End what runs in here, what was left behind included."""
        for _ in range(100):
            left = self.processes()
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if not left:
                break
            time.sleep(0.01)
        self.process.stdin.close()
        harness.end_process(self.process, 5)
        self.process.stdout.close()
        self.process.stderr.close()
        os.close(self.fd)


class Network:
    def __init__(self):
        self.folder = None
        self.namespaces = {}
        self.listeners = self.dns = None
        self.started = []
        self.captures = []

    def __enter__(self):
        why = why_not()
        if why is not None:
            raise Skipped(why)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tzfw", dir="/tmp"))
        try:
            self.make()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def make(self):
        self.folder.chmod(0o755)
        (self.folder / "layer").mkdir()
        self.namespaces["peer"] = Namespace(HOLD_PEER)
        self.namespaces["host"] = Namespace(HOLD_HOST,
                                            str(self.folder / "layer"))
        for name, text in (("passwd", ACCOUNTS), ("group", GROUPS)):
            self.host("tee", "-a", "/etc/" + name, data=text.encode())
        self.host("ip", "link", "add", LINK, "type", "veth", "peer", "name",
                  LINK, "netns", str(self.namespaces["peer"].pid))
        for name, mine4, mine6 in (("host", HOST4, HOST6),
                                   ("peer", PEER4, PEER6)):
            self.plug(name, mine4, mine6)
        for family, far in (("-4", PEER4), ("-6", PEER6)):
            self.host("ip", family, "route", "add", "default", "via", far,
                      "dev", LINK)
            # whatever is asked for is here
            self.peer("ip", family, "route", "add", "local", "default", "dev",
                      "lo", "table", "main")
        self.host("ip", "route", "add", "multicast", "224.0.0.0/4", "dev",
                  LINK)
        self.host("sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647")
        self.dns = Dns(self.in_peer, (PEER4, PEER6))
        self.listeners = Listeners(self.in_peer, PORTS)
        self.meet()

    def plug(self, name, mine4, mine6):
        run = self.host if name == "host" else self.peer
        run("ip", "link", "set", "lo", "up")
        run("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0",
            "net.ipv6.conf.%s.accept_dad=0" % LINK,
            "net.ipv6.conf.%s.accept_ra=0" % LINK)
        run("ip", "address", "add", mine4 + "/24", "broadcast", "+", "dev",
            LINK)
        run("ip", "address", "add", mine6 + "/64", "dev", LINK, "nodad")
        run("ip", "link", "set", LINK, "up")

    def meet(self):
        """Both are neighbours before anything is counted."""
        for address in (PEER4, PEER6):
            def answered():
                with self.in_host():
                    made = socket.socket(socket.AF_INET6 if ":" in address
                                         else socket.AF_INET)
                with made, contextlib.suppress(OSError):
                    made.settimeout(0.3)
                    if made.connect_ex((address, PORTS[0])) != 0:
                        return False
                    # an answer comes when it has been counted
                    made.sendall(b"x")
                    return made.recv(1) == b"x"
            until(answered, 10, address)
        self.listeners.take()

    def close(self):
        for capture in self.captures:
            capture.close()
        for part in (self.listeners, self.dns):
            if part is not None:
                part.close()
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait(10)
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        for space in reversed(list(self.namespaces.values())):
            space.close()
        self.namespaces = {}
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    # Running things.

    def _run(self, name, words, data=b"", want=0, user=None, seconds=60):
        done = harness.run(self.namespaces[name].command(words, user), data,
                           seconds)
        if want is not None:
            check(done.returncode == want, "%s as %s: %d, %r %r",
                  " ".join(str(word) for word in words), user or "root",
                  done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done

    def host(self, *words, **more):
        return self._run("host", words, **more)

    def peer(self, *words, **more):
        return self._run("peer", words, **more)

    def spawn(self, *words, user=None, name="host", keep=None, **more):
        """Started in there, and ended with the rest."""
        process = subprocess.Popen(
            self.namespaces[name].command(words, user, keep),
            env=harness.environment(), **more)
        self.started.append(process)
        return process

    def inside(self, path):
        """The machine's file, as the test opens it."""
        return pathlib.Path("/proc/%d/root%s" % (
            self.namespaces["host"].pid, path))

    # Sockets in there.

    @contextlib.contextmanager
    def _in(self, name):
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        enter(self.namespaces[name].fd)
        try:
            yield
        finally:
            enter(own)
            os.close(own)

    def in_peer(self):
        return self._in("peer")

    def in_host(self):
        return self._in("host")

    def capture(self):
        """Of what reaches the peer, from now on."""
        capture = Capture(self.in_peer, LINK)
        self.captures.append(capture)
        return capture


def smoke(suite):
    """The network by itself: a test of the tests."""
    def reaches():
        with Network() as net, net.capture() as frames:
            script = ("import socket\n"
                      "for a in ('11.8.0.1', '2600:8::1', '10.0.0.7'):\n"
                      " s = socket.create_connection((a, 443), 5)\n"
                      " s.sendall(b'x'); assert s.recv(1) == b'x'\n"
                      " f = socket.AF_INET6 if ':' in a else socket.AF_INET\n"
                      " u = socket.socket(f, socket.SOCK_DGRAM)\n"
                      " u.settimeout(5); u.connect((a, 5353))\n"
                      " u.send(b'y'); assert u.recv(9) == b'y'\n")
            net.host(PYTHON, "-c", script, user=AGENT)
            equal(len(net.listeners.seen), 6, "arrived")
            check(len(frames.leaked()) > 6, "nothing was captured")
            pid = net.namespaces["host"].pid
            net.spawn("sleep", "600")
        check(not os.path.exists("/proc/%d" % pid), "the holder is left")
        check(threading.active_count() == 1, "threads are left: %r",
              threading.enumerate())
    suite.case("everything is reached, nothing is left", reaches)


if __name__ == "__main__":
    if why_not() is not None:
        print("skipped: " + why_not())
        sys.exit(77)
    harness.main(smoke)
