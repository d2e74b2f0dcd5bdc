#!/usr/bin/env python3
"""Check a trizone audit log (audit.5) without any code of trizone's.

usage: audit_verify.py audit.jsonl [SEQ:HASH]

Prints what `trizone-executor audit verify --json` prints. SEQ:HASH is a
receipt, as it stands in the record. Exit status: 0 no damage, 1 damage.
"""
import hashlib
import json
import re
import sys

LINE_MAX = 10240
HEX64 = rb"([0-9a-f]{64})"
TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
LINE = re.compile(
    rb'\{"hash":"' + HEX64 + rb'",("prev":"' + HEX64
    + rb'","seq":"([0-9a-f]{16})","time":"' + TIME
    + rb'","kind":"[a-z]{1,16}"[ -~]*\})')


def damage_of(line, count, head):
    """What is wrong with the next record; None, and its hash, if nothing."""
    match = LINE.fullmatch(line) if len(line) < LINE_MAX else None
    if match is None:
        return "malformed", None
    claimed, hashed, prev, seq = match.groups()
    if hashlib.sha256(hashed).hexdigest().encode() != claimed:
        return "hash", None
    if int(seq, 16) != count + 1:
        return "sequence", None
    return ("prev", None) if prev != head else (None, claimed)


def verify(log, receipt=None):
    count, offset, head, found = 0, 0, b"0" * 64, receipt is None
    damage = None
    while damage is None and (line := log.readline(LINE_MAX + 1)):
        if line.endswith(b"\n") or len(line) >= LINE_MAX:
            damage, claimed = damage_of(line.rstrip(b"\n"), count, head)
        else:
            damage = "torn"
        if damage is None:
            count, offset, head = count + 1, offset + len(line), claimed
            found = found or receipt == f"{count:016x}:{head.decode()}"
    bad = None if damage is None else count + 1
    if damage is None and not found:
        damage, bad = "receipt", int(receipt[:16], 16)
    return {"records": count, "first": f"{min(count, 1):016x}",
            "last": f"{count:016x}", "head": head.decode(),
            "damage": damage or "none", "bad_record": bad,
            "bad_offset": None if bad is None else offset}


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as opened:
        result = verify(opened, *sys.argv[2:3])
    print(json.dumps(result, separators=(",", ":")))
    sys.exit(result["damage"] != "none")
