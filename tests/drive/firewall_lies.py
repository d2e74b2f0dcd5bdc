#!/usr/bin/env python3
"""Resolver and listener that somebody has taken over, and a keeper that cannot
do its work, before a real parent.

usage: firewall_lies.py [BIN]

The service of firewall_service.py; descriptors of its roles are taken by
pidfd_getfd(2), which root may. Needs root on Linux.
"""
import ctypes
import fcntl
import os
import signal
import socket
import sys
import time

import firewall_service as service
import harness
import resolver
from firewall_service import Wall, ask, role_pid
from harness import Skipped, check, equal, until

CONTROL, LINK = 3, 5  # role.h
PIDFD_GETFD = 438
CLOCK = os.sysconf("SC_CLK_TCK")


def descriptor_of(pid, number):
    """One of that process, as our own socket."""
    libc = ctypes.CDLL(None, use_errno=True)
    link = os.pidfd_open(pid)
    fd = libc.syscall(PIDFD_GETFD, link, number, 0)
    os.close(link)
    if fd < 0:
        raise Skipped("the kernel does not give us descriptors of others")
    return socket.socket(fileno=fd)


def processor_seconds(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK


def closed_lines():
    """Who closes a line and lives on is replaced, and the parent does not ask
    that line for ever."""
    with Wall() as host:
        host.start()
        for role, number in (("resolver", LINK), ("resolver", CONTROL),
                             ("blocked", CONTROL)):
            old = host.role_pid(role)
            with descriptor_of(old, number) as line:
                # both ends of it: the role itself may hear of it as well
                line.shutdown(socket.SHUT_WR)
            before = processor_seconds(host.executor.pid)
            until(lambda r=role, o=old: role_pid(host, r) not in (None, o),
                  30, "another %s, after %d" % (role, number))
            time.sleep(1)
            used = processor_seconds(host.executor.pid) - before
            check(used < 0.5, "the parent used %g s", used)
        until(lambda: ask("api.test") == (0, 1), 10, "names")
        host.stop()
        host.verify()


def reload_meets_an_apply():
    """Another command holds the lock for longer than is waited: the policy is
    stored when it can be, and not forgotten, or its hosts would be taken out as
    nobody's."""
    with Wall() as host:
        host.start()
        stored = host.config_path.parent / "firewall" / "applied.json"
        with open(stored.parent / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            host.allow(service.ALLOWED + ["11.8.0.77:443"])
            equal(host.command("reload").returncode, 0, "reload")
            until(lambda: "another apply" in host.log_text(), 30,
                  "the keeper gave up")
        until(lambda: "11.8.0.77" in stored.read_text(), 20, "stored")
        check("11.8.0.77" in host.elements(), "not in the sets")
        host.stop()
        host.verify()


def order_of_an_old_policy():
    """The resolver has not read of the policy in force when it orders: what its
    numbers meant before does not come in under the names of now."""
    with Wall() as host:
        host.start()
        until(lambda: service.GOOD in host.elements(), 15, "names")
        pid = host.role_pid("resolver")
        with descriptor_of(pid, LINK) as line:
            os.kill(pid, signal.SIGSTOP)
            host.allow(["new.test:443", "api.test:443"])
            equal(host.command("reload").returncode, 0, "reload")
            for models in range(2):
                raw = socket.inet_aton("11.8.0.8%d" % models).ljust(16, b"\0")
                rest = [0, b""] * 31
                line.sendall(resolver.ORDER.pack(
                    1, models, 0, 0, 0, 60, 1, 4, raw, *rest))
            until(lambda: "11.8.0.81" in host.elements(), 15, "the new one's")
            check("11.8.0.80" not in host.elements(), "the old one's")
            os.kill(pid, signal.SIGCONT)
        host.stop()
        host.verify()


CASES = (closed_lines, reload_meets_an_apply, order_of_an_old_policy)


def body(suite):
    service.CASES = CASES
    service.body(suite)


if __name__ == "__main__":
    if sys.platform != "linux":
        sys.exit(77)
    harness.main(body)
