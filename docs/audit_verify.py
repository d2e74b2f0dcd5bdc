#!/usr/bin/env python3
"""audit_verify.py FOLDER|FILE [SEQ:HASH]...: check an audit log as audit.5 has it."""
import hashlib, json, pathlib, re, subprocess, sys, tempfile  # noqa: E401
LINE = re.compile(  # hash, what is hashed, prev, seq, whether it is signed
    r'\{"hash":"(H{64})",("prev":"(H{64})","seq":"(H{16})","time":"DD-D-DTD:D:D\.\dDZ",'
    r'"kind":"(?=[a-z]{1,16}")(lineage"|checkpoint")?[ -~]*\})\n'.replace("D", r"\d\d")
    .replace("H", "[0-9a-f]"))
SEAL = re.compile(  # what is signed, by which key, as the first; the next key
    r'(.{141}(?:lineage"K:"(H{64})"(,"why":"first")?|checkpoint"K:"(H{64})","next":"'
    r'(H{64})").*),"sig":"(H{128})"\}'.replace("K", ',"key"').replace("H", "[0-9a-f]"))
GONE = re.compile(r'.{216}removal".*,"detail":"records \d+ to (\d{1,15})"')
DER, CHECK = "302a300506032b6570032100", (
    "openssl pkeyutl -verify -rawin -in t -sigfile s -pubin -keyform DER -inkey k")
def signed(text, key, sig):  # noqa: E302
    with tempfile.TemporaryDirectory() as at:  # the key as DER
        for name, data in zip("tsk", (text.encode().hex(), sig, DER + key)):
            pathlib.Path(at, name).write_bytes(bytes.fromhex(data))
        return not subprocess.call(CHECK.split(), cwd=at, stdout=-3, stderr=-3)
def torn(data, at):  # of the last write only some sectors are there
    end, size = data.find("\n", at), len(data.rstrip("\n")) - at
    if not at <= end < at + size:
        return size < 10240 and (end < 0 or data[end - 1] != "}")
    return size <= 262144 and end in (at, end & -512) and not (
        data[end:(end | 511) + 1].strip("\n"))
def lines(path, stub=True):  # each, if of a stub, the last file's bytes, where there
    files = {p.stem: p for p in sorted(path.glob("*.[js]*"))[::-1]} or {"": path}
    for file in sorted(files.values()):
        data, stub = file.read_bytes().decode("latin1"), stub and file.suffix == ".stub"
        used = len(data.rstrip("\n") if (last := file == max(files.values())) else data)
        for line in re.finditer("[^\n]*\n|[^\n]+", data[:used and used + 1]):
            yield line[0], stub, last and data, line.start()
def bad(path, log, known, line, stub, data, at):  # what is wrong with the next record
    if not (match := LINE.fullmatch(line[:10240])) or match[1] != hashlib.sha256(
            match[2].encode()).hexdigest() or match[5] and not SEAL.fullmatch(match[2]):
        return "torn" if data and torn(data, at) else "changed"
    seq, want, seal = int(match[4], 16), log["last"] + 1, SEAL.fullmatch(match[2])
    key = seal and (seal[2] or seal[4])
    if seq < want or seq > want and not stub:
        same = [o for o, *_ in lines(path) if o[156:172] == "%016x" % min(seq, want)]
        return ("reordered" if same else "cut") if seq > want else (
            "duplicated" if line == same[0] else "spliced")
    forged = seal and (not signed(seal[1], key, seal[6]) or (
        bool(log["root"]) == bool(seal[3]) if seal[2] else key != log["next"]))
    spliced = seq == want and match[3] != log["head"]
    if spliced or forged or known.get(seq, match[1]) != match[1]:
        return "spliced" if spliced else "forged" if forged else "rewritten"
    log.update({"root": log["root"] or key, "signed": seq, "next": seal[5] or key}
               if seal else {}, records=log["records"] + 1, last=seq, head=match[1],
               told=max(log["told"], *map(int, [] if stub else GONE.findall(line)), 0),
               gap=seq - 1 if seq > want else log["gap"])
def verify(path, receipts):
    log = dict(records=0, last=0, head="0" * 64, root=None, signed=0, gap=0, told=0)
    known = {int(seq[:16], 16): seq[17:] for seq in receipts}
    damage = next(filter(None, (bad(path, log, known, *of) for of in lines(path))), 0)
    damage = damage or ("tail-cut" if max([0, *known]) > log["last"] else "none")
    cut = log["gap"] > log["told"] and damage in ("none", "torn", "tail-cut")
    return dict(log, damage="cut" if cut else damage)
if __name__ == "__main__":
    result = verify(pathlib.Path(sys.argv[1]), sys.argv[2:])
    sys.exit(print(json.dumps(result)) or result["damage"] != "none")
