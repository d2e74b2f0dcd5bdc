#!/usr/bin/env python3
"""What the programs are started with: closed, full or foreign descriptors,
records that are not written to, signals that are ignored.

usage: descriptors.py [BIN]
"""
import json
import os
import pathlib
import subprocess
import sys

from commands import (DATA, DONE, EXECUTOR, PLANNER, READER, SYSTEM, USAGE,
                      Place, row, says)
from harness import check, equal, mail, main, run


def refused_records():
    """Where a record is not written to, and what is there is left alone."""
    with Place() as place:
        record = place.folder / "record"

        def refused(what, path=record, raw=mail("r")):
            done = run([READER, "mail", "--record", path], raw, seconds=20)
            said = says(done, USAGE, what)
            check(str(path) in said, "%s: %s", what, said)
            equal(done.stdout, b"", what)

        record.write_text("old")
        record.chmod(0o640)
        refused("open to others")
        equal(record.read_text(), "old", "a file open to others")
        record.chmod(0o600)
        says(run([READER, "mail", "--record", record], mail("r")), DONE,
             "a file of ours")
        equal(json.loads(record.read_text())["v"], 1, "record")
        os.link(record, place.folder / "other")
        refused("two names")
        record.unlink()
        (place.folder / "other").unlink()
        os.mkfifo(record)
        refused("a FIFO")
        record.unlink()
        refused("a device", pathlib.Path("/dev/null"))
        record.write_bytes(mail("r"))
        record.chmod(0o600)
        for mode, which in (("rb", "stdin"), ("ab", "stdout")):
            with record.open(mode) as file:
                done = subprocess.run(
                    [READER, "mail", "--record", record], check=False,
                    stderr=subprocess.PIPE, timeout=20,
                    **{"stdin": subprocess.DEVNULL, which: file})
            equal(done.returncode, USAGE, "the file of " + which)
            equal(record.read_bytes(), mail("r"), "the file of " + which)


def closed_standard():
    """Closed or full, with a message and no success."""
    for arguments, status in (
            ("mail >&-", USAGE), ("mail <&-", USAGE), ("text >&-", USAGE),
            ("score >&-", USAGE), ("score <&-", USAGE),
            ("eval '%s' >&-" % __file__, USAGE), ("mail >/dev/full", SYSTEM),
            ("text >/dev/full", SYSTEM), ("score >/dev/full", SYSTEM),
            ("eval '%s' >/dev/full" % __file__, SYSTEM),
            ("--help >/dev/full", SYSTEM), ("--version >/dev/full", SYSTEM),
            ("mail </", SYSTEM), ("score </", SYSTEM), ("eval /", DATA)):
        done = run(["sh", "-c", "exec '%s' %s" % (READER, arguments)],
                   row("a", "b"))
        equal(done.returncode, status, arguments)
        check(done.stderr.startswith(b"ev="), "%s: no message", arguments)


def closed_descriptors():
    """Started without standard descriptors, nothing lands in a file."""
    with Place() as place:
        script = 'exec "$0" "$@" <&- >&- 2>&-'
        for call in ((EXECUTOR, "--version"), (PLANNER, "--help"),
                     (READER, "mail"), (EXECUTOR, "status", "--config",
                                        place.folder / "none")):
            done = run(["sh", "-c", script, *call])
            check(done.returncode in (0, 64, 65, 71, 74, 78), "%s: %d",
                  done.returncode)


def children_ignored():
    """Started by somebody who ignores the end of children."""
    script = ("import os, signal, sys\n"
              "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
              "os.execv(sys.argv[1], sys.argv[1:])\n")
    done = run([sys.executable, "-c", script, READER, "mail"],
               mail("a subject"))
    says(done, DONE, "mail")
    equal(json.loads(done.stdout)["subject"], "a subject", "subject")


def body(suite):
    for name, function in (("records that are refused", refused_records),
                           ("closed and full", closed_standard),
                           ("closed descriptors", closed_descriptors),
                           ("children ignored", children_ignored)):
        suite.case(name, function)


if __name__ == "__main__":
    main(body)
