#!/usr/bin/env python3
"""Every mail of the test data through the real reader: one valid object each.

usage: mail_corpus.py READER [FOLDER]

FOLDER is the data folder (with mail/ and injections/ below it); without it
TRIZONE_DATA, or ../shared/data beside the repository. Exits 77 (skipped) when
there is none. Checks, for each mail: exit status 0, one line, an object with
exactly the keys of proto/clean.h, sizes, no character that may not be there,
and a record that is JSON. The reader itself ran the executor's own check on it.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

KEYS = ["v", "channel", "from", "to", "cc", "reply_to", "authentication",
        "date", "message_id", "subject", "body", "links", "attachments", "hidden", "injection",
        "findings", "truncated", "sanitized"]
CLEAN_MAX_BYTES = 512 * 1024
RECORD_MAX_BYTES = 96 * 1024
BODY_CHARS = 100000
SECONDS = 60  # for one mail under sanitizers on a busy machine
UNSEEN = [(0x00, 0x09), (0x0b, 0x1f), (0x7f, 0x9f), (0x200b, 0x200f),
          (0x2028, 0x202e), (0x2060, 0x206f), (0xe0000, 0xe0fff)]
SKIPPED = 77


def no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("duplicate key")
    return dict(pairs)


def unseen(text):
    return any(low <= ord(char) <= high for char in text
               for low, high in UNSEEN)


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)


def problem(run, record):
    """What is wrong with one result, or None."""
    if run.returncode != 0:
        return "exit status %d: %s" % (run.returncode, run.stderr[-300:])
    if run.stderr:
        return "said %r" % run.stderr[-300:]
    if len(run.stdout) > CLEAN_MAX_BYTES + 1 or not run.stdout.endswith(b"}\n"):
        return "not one line of the right size"
    clean = json.loads(run.stdout.decode(), object_pairs_hook=no_duplicates)
    if list(clean) != KEYS:
        return "keys %s" % list(clean)
    if len(clean["body"]) > BODY_CHARS:
        return "body too long"
    if any(unseen(text) for text in texts(clean)):
        return "an unseen character"
    if len(record) > RECORD_MAX_BYTES + 1:
        return "record too large"
    if not isinstance(json.loads(record.decode()), dict):
        return "record is no object"
    return None


def mails(folder):
    for path in sorted((folder / "mail").rglob("*.eml")):
        yield str(path.relative_to(folder)), path.read_bytes()
    for path in sorted((folder / "injections").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["channel"] == "email":
                yield row["id"], row["text"].encode()


def run_reader(reader, raw, record):
    run = subprocess.run([reader, "mail", "--record", record], input=raw,
                         capture_output=True, timeout=SECONDS, check=False)
    return problem(run, pathlib.Path(record).read_bytes())


def find_folder(arguments):
    if arguments:
        return pathlib.Path(arguments[0])
    root = pathlib.Path(__file__).resolve().parents[2]
    return pathlib.Path(os.environ.get("TRIZONE_DATA",
                                       root.parent / "shared" / "data"))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = find_folder(sys.argv[2:])
    if not (folder / "mail").is_dir():
        print("skipped: no test data in %s (set TRIZONE_DATA)" % folder)
        return SKIPPED
    count, bad, slowest = 0, 0, (0.0, "")
    with tempfile.TemporaryDirectory() as place:
        for name, raw in mails(folder):
            start = time.monotonic()
            wrong = run_reader(sys.argv[1], raw, place + "/record")
            slowest = max(slowest, (time.monotonic() - start, name))
            count += 1
            if wrong is not None:
                bad += 1
                print("%s: %s" % (name, wrong))
    print("%d mails, %d wrong, slowest %.2f s (%s)" % (count, bad, *slowest))
    return 1 if bad or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
