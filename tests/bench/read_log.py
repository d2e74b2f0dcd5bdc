#!/usr/bin/env python3
"""How long reading a large audit log takes, and how much memory.

usage: read_log.py BIN MAKE_LOG [RECORDS]

MAKE_LOG is build/bench/make_log. Prints for each command seconds (median of
three) and the largest resident set; fails if one needs more than 32 MB.
"""
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 3
MEMORY_MOST = 32768  # KiB
COMMANDS = (
    ("show",), ("show", "--json"), ("show", "--tail", "10"),
    ("show", "--unknown"), ("show", "--session", "20000"),
    ("show", "--message", "msg:20000"), ("show", "--since", "2026-08-29T20"),
    ("show", "--kind", "blocked"), ("show", "--destination", "user13@"),
    ("report", "--text"), ("report", "--html"),
    ("export", "--format", "ocsf"), ("export", "--format", "cef"))


def peak(pid):
    """Its largest resident set up to now, in KiB; that of wait4 would be ours,
    as a child begins as a copy."""
    try:
        with open("/proc/%d/status" % pid) as status:
            return next((int(line.split()[1]) for line in status
                         if line.startswith("VmHWM:")), 0)
    except (OSError, ProcessLookupError):
        return 0


def measure(command):
    times, memory = [], 0
    for _ in range(RUNS):
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            memory = max(memory, peak(process.pid))
            time.sleep(0.005)
        times.append(time.monotonic() - start)
        if process.returncode != 0:
            sys.exit("%s: %d" % (command, process.returncode))
    return statistics.median(times), memory


def main():
    program, make = sys.argv[1] + "/trizone-executor", sys.argv[2]
    records = sys.argv[3] if len(sys.argv) > 3 else "1000000"
    too_large = False
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([make, folder, records], check=True)
        for index in (False, True):
            if index:
                seconds, memory = measure(
                    [program, "audit", "index", "--dir", folder])
            print("%s index, %s records" % (
                "with an" if index else "without an", records))
            for command in COMMANDS:
                if index and not (command[0] == "show" and len(command) == 3):
                    continue
                seconds, memory = measure(
                    [program, "audit", *command, "--dir", folder])
                too_large = too_large or memory > MEMORY_MOST
                print("  %-34s %6.2f s  %6d KiB" % (
                    " ".join(command), seconds, memory))
    sys.exit(too_large)


if __name__ == "__main__":
    main()
