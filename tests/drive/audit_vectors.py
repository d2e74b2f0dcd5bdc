#!/usr/bin/env python3
"""Small audit logs, whole and damaged, and what verifiers have to say of them.

usage: audit_vectors.py BIN
       audit_vectors.py --make

The logs are in tests/data/audit, one folder each, with a file `expected`:
what both verifiers find, and the receipts that they are given. --make makes
all of them anew (with new keys).
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import audit_tamper  # noqa: E402
from audit_tamper import Keys, Log, audit_verify, receipt  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "data" / "audit"
audit_tamper.RECORDS, audit_tamper.CHECKPOINT, SEGMENT = 12, 4, 4


def write(name, lines, expected, bad=None, receipts=(), stubs=0, room=3000):
    folder = FOLDER / name
    folder.mkdir(parents=True)
    for at in range(0, len(lines), SEGMENT):
        part = lines[at:at + SEGMENT]
        ending = "jsonl"
        if stubs > at // SEGMENT:
            part = [line for line in part if b'"sig":"' in line]
            ending = "stub"
        if at + SEGMENT >= len(lines):
            part = part + [b"\n" * room]
        (folder / ("segment-%016x.%s" % (at + 1, ending))).write_bytes(
            b"".join(part))
    (folder / "expected").write_text(json.dumps(
        {"damage": expected, "bad_record": bad, "receipts": list(receipts)})
        + "\n")


def make():
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(pathlib.Path(folder))
        log, other = (audit_tamper.make_log(keys, why) for why in ("a", "b"))
        lines, last = log.lines, receipt(12, log.lines[-1])
        write("good", lines, "none", receipts=[last])
        write("changed", lines[:5] + [lines[5].replace(b'"a"', b'"c"')]
              + lines[6:], "changed", 6)
        write("reordered", lines[:5] + [lines[6], lines[5]] + lines[7:],
              "reordered", 6)
        write("duplicated", lines[:6] + lines[5:], "duplicated", 7)
        write("spliced", lines[:5] + other.lines[5:], "spliced", 6)
        write("cut", lines[:5] + lines[6:], "cut", 6)
        write("tail-cut", lines[:10], "tail-cut", 11, [last])
        write("tail-unknown", lines[:10], "none")
        write("rewritten", lines, "rewritten", 6, [receipt(6, other.lines[5])])
        write("torn", lines[:11] + [lines[11][:200]], "torn", 12)
        write("stub-untold", lines, "cut", 7, stubs=2, receipts=[last])
        told = Log(keys, "a", log.chain)
        for seq in range(1, 13):
            if seq == 10:
                told.append('removal","why":"","bytes":1,"detail":"'
                            'records 5 to 8"')
            else:
                told.add()
        write("stub", told.lines, "none", stubs=2,
              receipts=[receipt(12, told.lines[-1])])
        write("stub-one-more", told.lines, "cut", 11, stubs=3)
        write("stub-middle", lines, "cut", 5, stubs=0)
        middle = FOLDER / "stub-middle" / ("segment-%016x.jsonl" % 5)
        middle.with_suffix(".stub").write_bytes(lines[7])
        middle.unlink()
        forged = Log(keys, "a", log.chain)
        forged.lines, forged.head = lines[:5], lines[4][9:73].decode()
        while len(forged.lines) < 12:
            forged.add("forged" if len(forged.lines) == 5 else "",
                       log.chain[-1])
        write("forged", forged.lines, "forged", 8)
        two = Log(keys, "a", log.chain)
        two.lines, two.head = lines[:6], lines[5][9:73].decode()
        new, successor = keys.new(), keys.new()
        two.append('lineage","key":"%s","why":"crash"' % keys.public[new], new)
        two.append('stop","why":"a","detail":""')
        two.append('checkpoint","key":"%s","next":"%s","detail":"end"' % (
            keys.public[new], keys.public[successor]), new)
        write("two-lineages", two.lines, "none")
        old = Log(keys, "a", log.chain)
        for _ in range(5):  # by a version that did not sign
            old.append('stop","why":"a","detail":""')
        write("old", [], "none")
        (FOLDER / "old" / "audit.jsonl").write_bytes(b"".join(old.lines))


def main():
    if sys.argv[1:] == ["--make"]:
        make()
        return
    program, wrong = pathlib.Path(sys.argv[1]) / "trizone-executor", 0
    names = sorted(path.name for path in FOLDER.iterdir())
    for name in names:
        expected = json.loads((FOLDER / name / "expected").read_text())
        receipts = expected.pop("receipts")
        run = subprocess.run(
            [program, "audit", "verify", "--json", "--dir", FOLDER / name] + [
                word for one in receipts for word in ("--receipt", one)],
            stdout=subprocess.PIPE, check=False)
        ours = json.loads(run.stdout)
        theirs = audit_verify.verify(FOLDER / name, receipts)
        good = (ours["damage"], ours["bad_record"], theirs["damage"]) == (
            expected["damage"], expected["bad_record"], expected["damage"]
        ) and (ours["records"], ours["head"], ours["root"]) == (
            theirs["records"], theirs["head"], theirs["root"])
        if not good:
            wrong += 1
            print("%s: expected %s\n%s\n%s" % (name, expected, ours, theirs))
    print("%d logs, %d not named rightly" % (len(names), wrong))
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
