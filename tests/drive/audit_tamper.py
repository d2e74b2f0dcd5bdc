#!/usr/bin/env python3
"""Damage an audit log of 1,000 records in every way one can, and check that
the verifier names the first bad record each time.

usage: audit_tamper.py [--log FILE] COMMAND...

COMMAND... is the verifier (`trizone-executor audit verify`); docs/
audit_verify.py must agree with it in every case. Without --log the records
are made here, from the description in audit.5 alone.
"""
import argparse
import hashlib
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "docs"))
import audit_verify  # noqa: E402

RECORDS = 1000
PLACES = 60  # tried for each kind of damage to whole lines
FLIPS = 400


def make_line(seq, prev, why):
    """One record and its hash."""
    rest = ('"prev":"%s","seq":"%016x","time":"2026-01-02T03:04:05.%03dZ",'
            '"kind":"stop","why":"%s","detail":"%s"}'
            % (prev, seq, seq % 1000, why, "x" * (seq % 37)))
    digest = hashlib.sha256(rest.encode()).hexdigest()
    return ('{"hash":"%s",%s\n' % (digest, rest)).encode(), digest


def make_log(why):
    lines, head = [], "0" * 64
    for seq in range(1, RECORDS + 1):
        line, head = make_line(seq, head, why)
        lines.append(line)
    return lines


class Tamper:
    """Runs both verifiers on damaged logs and counts."""

    def __init__(self, command, folder):
        self.command = command
        self.path = pathlib.Path(folder) / "audit.jsonl"
        self.tried, self.missed = 0, 0

    def verify(self, data, receipt=None):
        self.path.write_bytes(data)
        extra = [] if receipt is None else ["--receipt", receipt]
        run = subprocess.run(
            self.command + ["--json"] + extra + [str(self.path)],
            stdout=subprocess.PIPE, check=False)
        ours = json.loads(run.stdout)
        theirs = audit_verify.verify(io.BytesIO(data), receipt)
        if ours != theirs or run.returncode != (ours["damage"] != "none"):
            raise SystemExit("the verifiers differ: exit status %d\n%s\n%s"
                             % (run.returncode, ours, theirs))
        return ours

    def expect(self, what, data, bad, kinds, receipt=None):
        result = self.verify(data, receipt)
        self.tried += 1
        if result["bad_record"] != bad or result["damage"] not in kinds:
            self.missed += 1
            print("%s: expected record %s, got %s" % (what, bad, result))


def damage_lines(tamper, lines, other, rng):
    """Delete, double, swap and replace whole records."""
    order = {"sequence"}
    for i in rng.sample(range(RECORDS - 1), PLACES):
        tamper.expect("delete", b"".join(lines[:i] + lines[i + 1:]), i + 1,
                      order)
        tamper.expect("swap", b"".join(lines[:i] + [lines[i + 1], lines[i]]
                                       + lines[i + 2:]), i + 1, order)
        tamper.expect("double", b"".join(lines[:i + 1] + lines[i:]), i + 2,
                      order)
        tamper.expect("splice", b"".join(lines[:i] + other[i:]),
                      i + 1 if i else None, {"prev"} if i else {"none"})
        tamper.expect("one of another log", b"".join(
            lines[:i] + [other[i]] + lines[i + 1:]), i + 1 if i else 2,
            {"prev"})
        tamper.expect("empty line", b"".join(lines[:i] + [b"\n"] + lines[i:]),
                      i + 1, {"malformed"})


def damage_end(tamper, lines):
    """Cut at each byte of the last two records."""
    whole = b"".join(lines)
    receipt = "%016x:%s" % (RECORDS, lines[-1][9:73].decode())
    for cut in range(1, len(lines[-1]) + len(lines[-2]) + 1):
        last = RECORDS if cut < len(lines[-1]) else RECORDS - 1
        if cut in (len(lines[-1]), len(lines[-1]) + len(lines[-2])):
            tamper.expect("cut between", whole[:-cut], None, {"none"})
            tamper.expect("cut, receipt", whole[:-cut], RECORDS, {"receipt"},
                          receipt)
        else:
            tamper.expect("cut", whole[:-cut], last, {"torn"})
    tamper.expect("receipt", whole, None, {"none"}, receipt)


def damage_bits(tamper, lines, rng):
    whole = b"".join(lines)
    for _ in range(FLIPS):
        at = rng.randrange(len(whole))
        data = bytearray(whole)
        data[at] ^= 1 << rng.randrange(8)
        tamper.expect("bit of byte %d" % at, bytes(data),
                      whole.count(b"\n", 0, at) + 1,
                      {"malformed", "hash", "torn"})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=pathlib.Path)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    rng = random.Random(2026)
    lines = make_log("no reason")
    if args.log:
        lines = args.log.read_bytes().splitlines(keepends=True)[:RECORDS]
    with tempfile.TemporaryDirectory() as folder:
        tamper = Tamper(args.command, folder)
        tamper.expect("untouched", b"".join(lines), None, {"none"})
        damage_lines(tamper, lines, make_log("another"), rng)
        damage_end(tamper, lines)
        damage_bits(tamper, lines, rng)
    print("%d damaged logs of %d records, %d not named rightly"
          % (tamper.tried, RECORDS, tamper.missed))
    sys.exit(tamper.missed != 0)


if __name__ == "__main__":
    main()
