#!/usr/bin/env python3
"""Mails that break readers through the real reader: each gives its text.

usage: mail_torture.py READER

Time and memory are in tests/bench/run; here only that there is a valid object
with the text that a person would have seen, within a bound that holds on a
busy machine with sanitizers. And what --trust-auth lets in.
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


def trusted(reader):
    """Results of the operator's mail server come only where they are asked
    for."""
    raw = (b"Authentication-Results: mx.example; dkim=pass header.d=a.example"
           b"\r\nFrom: a@a.example\r\n\r\nx\r\n")
    want = [{"method": "dkim", "result": "pass", "domain": "a.example"}]
    for options, there in (([], []), (["--trust-auth", "mx.example"], want),
                           (["--trust-auth", "other.example"], [])):
        run = subprocess.run([reader, "mail", *options], input=raw, check=True,
                             stdout=subprocess.PIPE,
                             timeout=mail_corpus.SECONDS)
        if json.loads(run.stdout)["authentication"] != there:
            return "%s: %s" % (options, run.stdout)
    refused = subprocess.run([reader, "mail", "--trust-auth", "a b"],
                             stdin=subprocess.DEVNULL, capture_output=True,
                             check=False, timeout=mail_corpus.SECONDS)
    return None if refused.returncode == 64 else "a host that is none"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = trusted(sys.argv[1])
    print("%-26s %s" % ("--trust-auth", found or "as it should be"))
    count, bad = 1, found is not None
    with tempfile.TemporaryDirectory() as place:
        for name, raw, text in bombs.bombs():
            start = time.monotonic()
            found = wrong(sys.argv[1], place, raw, text)
            count += 1
            bad += found is not None
            print("%-26s %6.2f s  %s" % (name, time.monotonic() - start,
                                         found or "as it should be"))
    print("%d tried, %d wrong" % (count, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
