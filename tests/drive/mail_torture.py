#!/usr/bin/env python3
"""Mails that break readers through the real reader: each gives its text.

usage: mail_torture.py READER

Time and memory are in tests/bench/run; here only that there is a valid object
with the text that a person would have seen, within a bound that holds on a
busy machine with sanitizers.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import bombs
import mail_corpus


def wrong(reader, place, raw, text):
    """What is wrong with one mail's result, or None."""
    record = pathlib.Path(place) / "record"
    run = subprocess.run([reader, "mail", "--record", str(record)], input=raw,
                         capture_output=True, check=False,
                         timeout=mail_corpus.SECONDS)
    found = mail_corpus.problem(run, record.read_bytes())
    if found is None and text not in json.loads(run.stdout.decode())["body"]:
        found = "its text is not there"
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    count = bad = 0
    with tempfile.TemporaryDirectory() as place:
        for name, raw, text in bombs.bombs():
            start = time.monotonic()
            found = wrong(sys.argv[1], place, raw, text)
            count += 1
            bad += found is not None
            print("%-26s %6.2f s  %s" % (name, time.monotonic() - start,
                                         found or "as it should be"))
    print("%d mails, %d wrong" % (count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
