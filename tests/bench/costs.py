"""What each provider of zones costs: a reader of mail, started by vm/zone.

In namespaces of its own, as podman needs them (tests/drive/container.py), so
the measuring is a run of this file that prints a line of JSON for each row.
"""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "drive"))
import container  # noqa: E402
import harness  # noqa: E402
import procs  # noqa: E402

SECONDS = 240  # for a machine to start, by emulation
MAILS, QUICK_MAILS = 20, 5
POLL_S = 0.001
SIZE_MB = 256  # of a reader, by default
# name, provider, programs it needs, keys of the zone
WAYS = (("process", "process", (), {}),
        ("container", "container", ("podman", "crun"), {}),
        ("gVisor", "container", ("runsc",), {"isolation": "gvisor"}),
        ("microVM", "microvm", ("qemu-system-x86_64",), {}))


def guest(pids):
    """MiB that a machine has touched of what it was given, None if none of
    them is one: QEMU has it in one mapping, which is of that size."""
    for pid in pids:
        try:
            text = pathlib.Path("/proc", str(pid), "smaps").read_text()
        except OSError:
            continue
        part = re.search(r"^Size: +%d kB\n(?:.*\n)*?Rss: +(\d+) kB"
                         % (SIZE_MB * 1024), text, re.M)
        if part:
            return int(part.group(1)) / 1024
    return None


def cleaned(host, text):
    """Seconds from a raw mail in our hands to its object in the inbox."""
    raw = harness.mail(text)
    begin = time.monotonic()
    handle = host.deliver(raw)
    while host.items()[handle]["state"] != "ready":
        if time.monotonic() - begin > SECONDS:
            raise RuntimeError("%s is not clean" % handle)
        time.sleep(POLL_S)
    return time.monotonic() - begin


def measure_way(name, provider, zone, mails):
    with container.Containers(mail=zone) as host:
        host.start()
        before = set(procs.descendants())
        host.up("--provider", provider, "mail")
        harness.until(lambda: host.zone_status("mail").get("attestation"),
                      SECONDS, "the hello of " + name)
        took = [cleaned(host, "cost %d" % number) for number in range(mails)]
        started = set(procs.descendants()) - before
        row = {"name": name, "ready_ms": host.zone_status("mail")["boot_ms"],
               "clean_ms": 1000 * statistics.median(took),
               "memory_mb": sum(procs.pss(pid) for pid in started) / 1024}
        inside = guest(started)
        return dict(row, guest_mb=inside) if inside else row


def main():
    container.enter()
    procs.adopt_orphans()
    mails = int(sys.argv[2])
    for name, provider, programs, zone in WAYS:
        lacks = [word for word in programs if not shutil.which(word)]
        row = {"name": name, "lacks": lacks} if lacks else measure_way(
            name, provider, zone, mails)
        print(json.dumps(row), flush=True)


def measure(bench):
    table = bench.table
    table.title("Providers of zones: a reader of mail; memory of the host is "
                "of all that was started, shared pages divided")
    done = subprocess.run(
        [sys.executable, "-B", __file__, bench.binaries,
         str(QUICK_MAILS if bench.quick else MAILS)],
        stdout=subprocess.PIPE, text=True, timeout=10 * SECONDS, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()
            if line.startswith("{")]
    if done.returncode != 0 or not rows:
        table.note("not here: " + done.stdout.strip()[-300:])
    base = rows[0] if rows and "ready_ms" in rows[0] else None
    for row in rows:
        if "lacks" in row:
            table.row(row["name"], "missing", " ".join(row["lacks"]))
            continue
        for key, text in (("ready_ms", "announced to attested hello"),
                          ("clean_ms", "raw mail to clean object"),
                          ("memory_mb", "memory of the host"),
                          ("guest_mb", "memory its guest has touched")):
            if key not in row:
                continue
            table.row("%s, %s" % (row["name"], text), row[key],
                      "MiB" if key.endswith("_mb") else "ms",
                      row[key] / base[key] if base and base.get(key) else None,
                      "process")


if __name__ == "__main__":
    main()
