#!/usr/bin/env python3
"""What a zone costs by its provider: a row each for those of this machine.

usage: zones.py [BIN] [PROVIDER...]        (process, container, gvisor, microvm)

Ready: from the announcement to the attested hello, as `status` has it, median
of the starts that a planner of one message makes. Mail: from `deliver` to done,
reader and planner warm, median. Memory: what the reader's instance and all that
is around it hold on the host, shared pages by halves (PSS). As root, in
namespaces like tests/drive/container.py; microvm needs a kernel, see
docs/microvm.md.
"""
import os
import pathlib
import re
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "drive"))
import container  # noqa: E402
import harness  # noqa: E402
from harness import run, until  # noqa: E402

MAILS = 11
PROVIDERS = ("process", "container", "gvisor", "microvm")


def processes():
    """Parent and words of every process, by number."""
    found = {}
    for row in run(["ps", "-Ao", "pid=,ppid=,args="]).stdout.decode(
            errors="replace").splitlines():
        pid, parent, words = row.split(None, 2)
        found[int(pid)] = (int(parent), words)
    return found


def memory(host, zone):
    """Bytes, of what was started for an instance."""
    everybody = processes()
    mine = {pid for pid, (_, words) in everybody.items()
            if str(host.folder) in words and "trizone-executor" not in words
            and "trizone-planner" not in words and ".planner" not in words
            and "/planner" not in words and "trizone.zone=planner" not in words}
    before = None
    while before != len(mine):
        before = len(mine)
        mine |= {pid for pid, (parent, _) in everybody.items()
                 if parent in mine or parent == host.pid(zone)}
    total = 0
    for pid in mine:
        try:
            text = pathlib.Path("/proc/%d/smaps_rollup" % pid).read_text()
        except OSError:
            continue
        found = re.search(r"^Pss: +(\d+) kB", text, re.M)
        total += int(found.group(1)) * 1024 if found else 0
    return total


def measure(name):
    provider = "container" if name == "gvisor" else name
    keys = {"provider": provider}
    if name == "gvisor":
        keys["isolation"] = "gvisor"
    with container.Containers(mail=dict(keys), planner=dict(keys)) as host:
        host.start()
        done = container.Zones.zone(host, "up")
        if done.returncode != 0:
            print("%-10s not here: %s" % (
                name, done.stderr.decode().strip().splitlines()[-1]))
            return
        mails, boots = [], []
        for i in range(MAILS):
            until(lambda: host.zone_status("planner").get("attached"), 120,
                  "a planner")
            boots.append(host.zone_status("planner")["boot_ms"])
            began = time.monotonic()
            handle = host.deliver(harness.mail("number %d" % i))
            until(lambda: host.items()[handle]["state"] == "done", 120,
                  "done")
            mails.append((time.monotonic() - began) * 1000)
            time.sleep(0.5)
        print("%-10s ready %4d ms  mail %4d ms  memory %5.1f MB" % (
            name, statistics.median(boots), statistics.median(mails),
            memory(host, "mail") / 1e6), flush=True)
        container.Zones.zone(host, "down")


if __name__ == "__main__":
    container.enter()
    for each in [word for word in sys.argv[1:] if word in PROVIDERS] or \
            PROVIDERS:
        measure(each)
