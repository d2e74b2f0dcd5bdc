#!/usr/bin/env python3
"""What README.md tells a new user to type, and what it says comes of it.

usage: first_steps.py [BIN]

vm/try builds where it stands, so BIN has to be build/bin of this checkout.
"""
import glob
import json
import re

import harness
from harness import ROOT, check, equal, main, run

README = (ROOT / "README.md").read_text()


def left():
    return set(glob.glob("/run/trizone-try.*") + glob.glob("/tmp/trizone-try.*"))


def blocks():
    """The indented blocks of the section."""
    section = README.split("## Five minutes")[1].split("### One account")[0]
    return re.findall(r"(?:^    .*\n)+", section, re.M)


def main_job():
    before = left()
    done = run([ROOT / "vm" / "try"], seconds=600)
    said = done.stdout.decode()
    equal(done.returncode, 0, "vm/try: %r" % done.stderr[-2000:])
    shown = next(block for block in blocks() if "2  Reader" in block)
    wanted = [re.split(r"score|landlock|\.\.\.", line)[0].strip()
              for line in shown.splitlines()]
    for line in filter(None, wanted):
        line = line.split(": what")[0]
        # its user is one's own where one is not root
        line = re.sub(r": user \d+.*", ": user ", line)
        check(re.search(re.sub(r"(\\ )+", r".*", re.escape(line)), said),
              "README says %r: %s", line, said)
    check("no damage" in said, "%s", said)
    equal(left() - before, set(), "left behind")


def as_a_filter():
    block = next(block for block in blocks() if "trizone-reader mail" in block)
    done = run(["sh", "-euc", "cd '%s'\n%s" % (ROOT, block)])
    equal(done.returncode, 0, "%r" % done.stderr)
    mail, text, row = map(json.loads, done.stdout.decode().splitlines())
    equal([mail["injection"]["verdict"], text["injection"]["verdict"]],
          ["suspect", "suspect"], "verdicts")
    check("score" in row, "%r", row)


def body(suite):
    if harness.folder_of_programs().resolve() != (
            ROOT / "build" / "bin").resolve():
        print("skipped: vm/try has programs of its own")
        raise SystemExit(77)
    suite.case("the main job", main_job)
    suite.case("as a filter", as_a_filter)


if __name__ == "__main__":
    main(body)
