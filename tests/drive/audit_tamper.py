#!/usr/bin/env python3
"""Damage a signed audit log of 1,000 records in every way one can, and check
that the verifier names the first bad record and the kind each time.

usage: audit_tamper.py [--full] BIN

The log is made here, from the description in audit.5 alone, with openssl for
the signatures. docs/audit_verify.py has to agree with `audit verify` in every
case of a sample. audit_damage (C, `audit verify` alone) tries every record,
and cuts; --full every byte and bit, and a larger sample.
"""
import argparse
import functools
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "docs"))
import audit_verify  # noqa: E402

RECORDS = 1000
CHECKPOINT = 100  # every so many records
SEGMENT = 200
PLACES = 40  # tried by both for each kind of damage to whole lines
FLIPS = 300
STRIDE = 97  # bits, and bytes, between those that audit_damage tries
SAME = ("records", "last", "head", "root", "signed", "damage")

audit_verify.signed = functools.lru_cache(None)(audit_verify.signed)


def openssl(folder, *arguments):
    return subprocess.run(("openssl",) + arguments, cwd=folder, check=True,
                          stdout=subprocess.PIPE).stdout


class Keys:
    """Pairs made by openssl, kept by number."""

    def __init__(self, folder):
        self.folder, self.public = folder, []

    def new(self):
        name = "key%d" % len(self.public)
        openssl(self.folder, "genpkey", "-algorithm", "ed25519", "-out", name)
        self.public.append(openssl(self.folder, "pkey", "-in", name, "-pubout",
                                   "-outform", "DER")[-32:].hex())
        return len(self.public) - 1

    def sign(self, number, text):
        (self.folder / "text").write_bytes(text.encode())
        return openssl(self.folder, "pkeyutl", "-sign", "-rawin", "-in",
                       "text", "-inkey", "key%d" % number).hex()


class Log:
    """Records from first to last; `change` makes one of them another."""

    def __init__(self, keys, why, chain=None):
        self.keys, self.why = keys, why
        self.lines, self.head = [], "0" * 64
        self.chain = chain or [keys.new() for _ in
                               range(RECORDS // CHECKPOINT + 1)]

    def seal(self, seq, members):
        """The members of a lineage or checkpoint, and who signs it."""
        at = 0 if seq == 1 else seq // CHECKPOINT - 1
        public = [self.keys.public[number] for number in self.chain]
        if seq == 1:
            return ('lineage","key":"%s","why":"first"' % public[0], at)
        return ('checkpoint","key":"%s","next":"%s","detail":"%s"'
                % (members or public[at], public[at + 1], self.why), at)

    def append(self, members, signer=None):
        """A record with these members from kind on; signed, if it is."""
        seq = len(self.lines) + 1
        rest = ('"prev":"%s","seq":"%016x","time":"2026-01-02T03:04:05.%03dZ",'
                '"kind":"%s' % (self.head, seq, seq % 1000, members))
        if signer is not None:
            rest += ',"sig":"%s"' % self.keys.sign(signer, rest)
        self.head = hashlib.sha256((rest + "}").encode()).hexdigest()
        self.lines.append(('{"hash":"%s",%s}\n' % (self.head, rest)).encode())

    def add(self, change="", signer=None, key=None):
        seq = len(self.lines) + 1
        if seq == 1 or seq % CHECKPOINT == 0:
            members, at = self.seal(seq, key)
            self.append(members, self.chain[at] if signer is None else signer)
        else:
            self.append('stop","why":"%s","detail":"%s"' % (
                self.why, change + "x" * (seq % 37)))


def make_log(keys, why, chain=None):
    log = Log(keys, why, chain)
    for _ in range(RECORDS):
        log.add()
    return log


def receipt(seq, line):
    return "%016x:%s" % (seq, line[9:73].decode())


class Tamper:
    """Runs both verifiers on damaged logs and counts."""

    def __init__(self, program, folder, full):
        self.program, self.full = program, full
        self.folder = pathlib.Path(folder) / "log"
        self.tried, self.missed = 0, 0

    def write(self, lines):
        """Segments of so many lines, the last one with unused room."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for at in range(0, max(len(lines), 1), SEGMENT):
            (self.folder / ("segment-%016x.jsonl" % (at + 1))).write_bytes(
                b"".join(lines[at:at + SEGMENT]) +
                (b"\n" * 5000 if at + SEGMENT >= len(lines) else b""))

    def verify(self, receipts, options=()):
        extra = [word for one in receipts for word in ("--receipt", one)]
        run = subprocess.run(
            [self.program, "audit", "verify", "--json", *extra, *options,
             "--dir", self.folder], stdout=subprocess.PIPE, check=False)
        ours = json.loads(run.stdout)
        for name in ("last", "signed"):
            ours[name] = int(ours[name], 16)
        theirs = audit_verify.verify(self.folder, receipts)
        if not options and any(ours[name] != theirs[name] for name in SAME):
            raise SystemExit("the verifiers differ:\n%s\n%s" % (ours, theirs))
        if run.returncode != (ours["damage"] != "none"):
            raise SystemExit("exit status %d: %s" % (run.returncode, ours))
        return ours

    def expect(self, what, bad, kinds, receipts=(), options=()):
        result = self.verify(receipts, options)
        self.tried += 1
        if result["bad_record"] != bad or result["damage"] not in kinds:
            self.missed += 1
        if self.missed <= 10 and (result["bad_record"] != bad or
                                  result["damage"] not in kinds):
            print("%s: expected record %s, got %s" % (what, bad, result))

    def lines(self, what, lines, bad, *kinds, receipts=(), options=()):
        self.write(lines)
        self.expect(what, bad, kinds, receipts, options)


def damage_lines(tamper, log, other, rng):
    """Delete, double, swap and replace whole records."""
    lines = log.lines
    for i in rng.sample(range(1, RECORDS - 1),
                        PLACES * (5 if tamper.full else 1)):
        tamper.lines("delete", lines[:i] + lines[i + 1:], i + 1, "cut")
        tamper.lines("swap", lines[:i] + [lines[i + 1], lines[i]]
                     + lines[i + 2:], i + 1, "reordered")
        tamper.lines("double", lines[:i + 1] + lines[i:], i + 2, "duplicated")
        tamper.lines("splice", lines[:i] + other[i:], i + 1, "spliced")
        tamper.lines("one of another log", lines[:i] + [other[i]]
                     + lines[i + 1:], i + 1, "spliced")
        tamper.lines("an older one of another log", lines[:i]
                     + [other[i - 1]] + lines[i:], i + 1, "spliced")
        tamper.lines("empty line", lines[:i] + [b"\n"] + lines[i:], i + 1,
                     "changed")
    tamper.lines("the first deleted", lines[1:], 1, "cut")
    tamper.lines("the last doubled", lines + lines[-1:], RECORDS + 1,
                 "duplicated")


def damage_files(tamper, log):
    """Whole segments gone, renamed, in the place of another."""
    names = ["segment-%016x.jsonl" % at
             for at in range(1, RECORDS, SEGMENT)]

    def stub(name):
        path = tamper.folder / name
        path.with_suffix(".stub").write_bytes(b"".join(
            line for line in path.read_bytes().splitlines(keepends=True)
            if b'"kind":"lineage"' in line or b'"kind":"checkpoint"' in line))
        path.unlink()

    for i in range(len(names) - 2):
        first = 1 + i * SEGMENT
        tamper.write(log.lines)
        (tamper.folder / names[i]).unlink()
        tamper.expect("segment %d gone" % i, first, {"cut"})
        tamper.write(log.lines)
        (tamper.folder / names[i]).rename(tamper.folder / "keep")
        (tamper.folder / names[i + 1]).rename(tamper.folder / names[i])
        (tamper.folder / "keep").rename(tamper.folder / names[i + 1])
        tamper.expect("segments swapped", first, {"reordered"})
        tamper.write(log.lines)
        shutil.copy(tamper.folder / names[i],
                    tamper.folder / ("segment-%016x.jsonl" % 650))
        tamper.expect("segment doubled", 801, {"duplicated"})
        tamper.write(log.lines)
        for name in names[:i + 1]:
            stub(name)
        tamper.expect("the oldest %d made stubs" % (i + 1),
                      (i + 1) * SEGMENT - 1, {"cut"})
        if i > 0:
            tamper.write(log.lines)
            stub(names[i])
            tamper.expect("stub %d" % i, first, {"cut"})


def damage_end(tamper, log, rng):
    """Cut at each byte of the last two records; and at any."""
    lines = log.lines
    whole = b"".join(lines[800:])
    last = receipt(RECORDS, lines[-1])
    cuts = list(range(1, len(lines[-1]) + len(lines[-2]) + 1))
    if not tamper.full:
        cuts = [1, 2, 3] + rng.sample(cuts, 100) + [
            len(lines[-1]), len(lines[-1]) + len(lines[-2])]
    for cut in cuts + rng.sample(range(1, len(whole)), 50):
        tamper.write(lines)
        kept = whole[:-cut]
        # the newline behind a whole record is that of unused room
        good = 800 + kept.count(b"\n") + (whole[len(kept):][:1] == b"\n")
        path = tamper.folder / ("segment-%016x.jsonl" % 801)
        path.write_bytes(kept + b"\n" * 5000)
        clean = kept.endswith(b"\n") or whole[len(kept):][:1] == b"\n"
        tamper.expect("cut %d" % cut, None if clean else good + 1,
                      {"none"} if clean else {"torn"})
        tamper.expect("cut %d, receipt" % cut,
                      None if good == RECORDS else good + 1, {"none"}
                      if good == RECORDS else {"tail-cut" if clean else
                                               "torn"}, [last])
    tamper.lines("receipt", lines, None, "none", receipts=[last])
    tamper.lines("another's receipt", lines, 500, "rewritten",
                 receipts=["%016x:%064x" % (500, 5)])


def damage_bits(tamper, log, rng):
    whole = b"".join(log.lines)
    for _ in range(FLIPS):
        at = rng.randrange(len(whole))
        data = bytearray(whole)
        data[at] ^= 1 << rng.randrange(8)
        tamper.write([bytes(data)])
        tamper.expect("bit of byte %d" % at,
                      whole.count(b"\n", 0, at) + 1, {"changed", "torn"}
                      if at + len(log.lines[-1]) >= len(whole)
                      else {"changed"})


def damage_all(tamper, log, other, program):
    """In C, with our verifier alone."""
    folder = tamper.folder.parent
    other_folder = folder / "other"
    tamper.write(other)
    tamper.folder.rename(other_folder)
    tamper.write(log.lines)
    subprocess.run([program, tamper.folder, other_folder, folder / "damaged",
                    "1" if tamper.full else str(STRIDE)], check=True)


def stolen_key(tamper, log, rng):
    """Who has today's key, that of the next checkpoint, rewrites the log from
    some record on."""
    keys, thief = log.keys, log.chain[-1]
    for i in rng.sample(range(2, RECORDS - CHECKPOINT), 6):
        bad = (i + CHECKPOINT - 1) // CHECKPOINT * CHECKPOINT
        for key in (None, keys.public[thief]):
            forged = Log(keys, log.why, log.chain)
            forged.lines, forged.head = log.lines[:i - 1], log.lines[i - 2][
                9:73].decode()
            while len(forged.lines) < RECORDS:
                forged.add("forged" if len(forged.lines) == i - 1 else "",
                           thief, key)
            tamper.lines("record %d with today's key" % i, forged.lines,
                         bad, "forged")
    tail = Log(keys, log.why, log.chain)
    tail.lines, tail.head = log.lines[:950], log.lines[949][9:73].decode()
    while len(tail.lines) < RECORDS - 1:
        tail.add("forged")
    tamper.lines("behind the last checkpoint", tail.lines, None, "none")
    tamper.lines("and with a receipt", tail.lines, 970, "rewritten",
                 receipts=[receipt(970, log.lines[969])])


def another_root(tamper, log, other):
    root = ["--root", log.keys.public[log.chain[0]]]
    tamper.lines("the root", log.lines, None, "none", options=root)
    tamper.lines("a log of its own", other.lines, 1, "root", options=root)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("bin", type=pathlib.Path)
    args = parser.parse_args()
    if shutil.which("openssl") is None:
        print("there is no openssl")
        sys.exit(77)
    rng = random.Random(2026)
    full = args.full or os.environ.get("TRIZONE_LONG") == "1"
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(pathlib.Path(folder))
        log, other = make_log(keys, "no reason"), make_log(keys, "another")
        tamper = Tamper(args.bin / "trizone-executor", folder, full)
        tamper.lines("untouched", log.lines, None, "none")
        damage_lines(tamper, log, other.lines, rng)
        damage_files(tamper, log)
        damage_end(tamper, log, rng)
        damage_bits(tamper, log, rng)
        damage_all(tamper, log, other.lines, args.bin / "audit_damage")
        stolen_key(tamper, log, rng)
        another_root(tamper, log, other)
    print("%d damaged logs of %d records, %d not named rightly"
          % (tamper.tried, RECORDS, tamper.missed))
    sys.exit(tamper.missed != 0)


if __name__ == "__main__":
    main()
