#!/usr/bin/env python3
"""The detector in the real reader: score, eval, text, and mails that attack.

usage: detect.py [BIN]

With the public test data also each of its labelled texts (TRIZONE_DATA, or
../shared/data beside the repository).
"""
import hashlib
import json
import os
import pwd
import random
import subprocess

from evasion_texts import ATTACKS, ORDINARY
from evasion_ways import b64, encoded_subject, mail, page, parts
from harness import (Skipped, as_account, check, environment, equal,
                     folder_of_data, folder_of_programs, is_root, main, run,
                     short_folder)

DONE, FOUND, USAGE, DATA, SYSTEM = 0, 1, 64, 65, 71
READER = folder_of_programs() / "trizone-reader"
ATTACK = ATTACKS[0]


def reader(*arguments, data=b"", **more):
    return run([READER, arguments[0], *as_account("reader"), *arguments[1:]],
               data, 300, **more)


def says(done, status, what):
    check(done.returncode == status, "%s: exit %d, wanted %d\n%s%s", what,
          done.returncode, status, done.stdout.decode(errors="replace")[-400:],
          done.stderr.decode(errors="replace")[-400:])
    return done.stdout


def row(text, name="a", channel="doc", **more):
    return json.dumps({"id": name, "channel": channel, "text": text, **more},
                      ensure_ascii=False).encode() + b"\n"


def answers(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def well_formed(answer):
    check(list(answer) == ["id", "score", "verdict"], "answer %r", answer)
    check(0 <= answer["score"] <= 1, "score of %r", answer)
    equal(answer["verdict"], "suspect" if answer["score"] > 0.5 else
          "clean" if answer["score"] < 0.5 else answer["verdict"], "verdict")


# score

def public_rows():
    folder = folder_of_data()
    if folder is None:
        raise Skipped("no test data (set TRIZONE_DATA)")
    lines = [line for path in sorted((folder / "injections").glob("*.jsonl"))
             for line in path.read_bytes().splitlines() if line]
    data = b"\n".join(lines) + b"\n"
    first = reader("score", "--jsonl", data=data)
    says(first, DONE, "score")
    equal([answer["id"] for answer in answers(first)],
          [json.loads(line)["id"] for line in lines], "ids")
    for answer in answers(first):
        well_formed(answer)
    equal(reader("score", data=data).stdout, first.stdout, "a second time")
    found = {"attack": [0, 0], "benign": [0, 0]}
    for answer, line in zip(answers(first), lines):
        count = found[json.loads(line)["label"]]
        count[0] += answer["verdict"] == "suspect"
        count[1] += 1
    return "suspect: %d of %d attacks, %d of %d benign" % (
        *found["attack"], *found["benign"])


def bad_rows():
    data = [row(ATTACK, "1"), b"\n", b"{}\n", b"nonsense\n", row("x", "2"),
            b'{"id":1,"channel":"doc","text":"x"}\n', b"\xff\xfe\n",
            b'{"id":"3","channel":"doc","text":"\\ud800"}\n', b"[" * 5000 +
            b"\n", row("\x00", "4"), row(ATTACK, "5").rstrip()]
    done = reader("score", "--jsonl", data=b"".join(data))
    says(done, DATA, "bad rows")
    got = answers(done)
    equal([a.get("line", a.get("id")) for a in got],
          ["1", 3, 4, "2", 6, 7, 8, 9, 10, "5"], "rows and lines")
    for answer in got:
        check("error" not in answer or answer["error"], "no reason: %r",
              answer)
    equal([a["verdict"] for a in got if "verdict" in a],
          ["suspect", "clean", "suspect"], "verdicts between")


def no_rows():
    for data in (b"", b"\n", b"\n\n\n"):
        done = reader("score", "--jsonl", data=data)
        equal(says(done, DONE, "no rows"), b"", "answers to nothing")
    done = subprocess.run([str(READER), "score", *as_account("reader")],
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, check=False, env=environment())
    equal((done.returncode, done.stdout), (DONE, b""), "no input")


def long_line():
    """Too long for a mail: said, and the end of it."""
    data = row("x", "1") + row("x" * (40 << 20), "2") + row("x", "3")
    done = reader("score", "--jsonl", data=data)
    says(done, DATA, "40 MB")
    got = answers(done)
    equal(got[0]["id"], "1", "the row before")
    equal(got[1].get("line"), 2, "the long line")
    done = reader("score", data=row("word " * (5 << 20), "1"))
    says(done, DONE, "26 MB")
    equal(answers(done)[0]["verdict"], "clean", "26 MB of words")


def garbage():
    dice = random.Random(7)
    data = dice.randbytes(1 << 20)
    done = reader("score", "--jsonl", data=data)
    says(done, DATA, "garbage")
    lines = [i + 1 for i, line in enumerate(data.split(b"\n")) if line]
    equal([answer["line"] for answer in answers(done)], lines, "lines")
    for command in ("text", "mail"):
        done = reader(command, data=data)
        says(done, DONE, command)
        check("injection" in json.loads(done.stdout), "no verdict")


def closed_pipe():
    """Nobody reads the answers: it ends, and not by a signal."""
    for arguments in (("score",), ("text",), ("mail",)):
        process = subprocess.Popen(
            [str(READER), *arguments, *as_account("reader")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=environment())
        process.stdout.close()
        try:
            process.stdin.write(row(ATTACK) * 2000)
            process.stdin.close()
        except BrokenPipeError:
            pass
        equal(process.wait(60), SYSTEM, arguments[0])
    if os.path.exists("/dev/full"):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [str(READER), "score", *as_account("reader")],
                input=row(ATTACK), stdout=full, stderr=subprocess.DEVNULL,
                timeout=60, check=False, env=environment())
        equal(done.returncode, SYSTEM, "a full disk")


def long_names():
    """An id is a name, not a text: it is cut, the answer stays a line."""
    done = reader("score", data=row("x", "i" * 100000) + row("x", "\n\"\\"))
    says(done, DONE, "ids")
    got = answers(done)
    check(("i" * 100000).startswith(got[0]["id"]) and got[0]["id"], "cut")
    equal(got[1]["id"], "\n\"\\", "an odd id")


# eval

class Rows:
    """Files of labelled rows in a folder of their own."""

    def __enter__(self):
        self.folder = short_folder()
        self.folder.chmod(0o755)
        return self

    def __exit__(self, *_):
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()

    def write(self, name, *groups):
        """Groups are (source, language, label, texts)."""
        path = self.folder / name
        path.write_bytes(b"".join(
            row(text, "%s%d" % (source, i), source=source, lang=lang,
                label=label)
            for source, lang, label, texts in groups
            for i, text in enumerate(texts)))
        return path

    def state(self):
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns)
                for path in self.folder.iterdir()}


def table_rows(text):
    return [(f[0], f[-6], int(f[-5]), int(f[-4])) for f in
            (line.split() for line in text.decode().splitlines()[1:])]


def evaluates():
    with Rows() as rows:
        files = [rows.write("a", ("own", "en", "attack", ATTACKS[:30]),
                            ("own", "en", "benign", ORDINARY[:5])),
                 rows.write("b", ("other", "en", "attack", ATTACKS[30:]),
                            ("own", "en", "benign", ORDINARY[5:10]))]
        before = rows.state()
        done = reader("eval", *files, cwd=rows.folder)
        says(done, DONE, "above the bar")
        table = table_rows(done.stdout)
        equal([r[:3] for r in table],
              [("own", "attack", 30), ("own", "benign", 10),
               ("other", "attack", len(ATTACKS) - 30),
               ("(all)", "attack", len(ATTACKS)), ("(all)", "benign", 10)],
              "table")
        for label in ("attack", "benign"):
            part = [r for r in table if r[1] == label]
            equal(sum(r[3] for r in part[:-1]), part[-1][3], label)
        done = reader("eval", "--json", *files, cwd=rows.folder)
        says(done, DONE, "--json")
        parsed = answers(done)
        equal([(r["source"], r["label"], r["rows"], r["suspect"])
               for r in parsed], table, "--json beside the table")
        for r in parsed:
            check(r["low"] <= r["share"] <= r["high"], "interval of %r", r)
        equal(rows.state(), before, "files")


def below_the_bar():
    with Rows() as rows:
        alarm = rows.write("alarm", ("own", "en", "benign", ATTACKS[:10]))
        missed = rows.write("missed", ("own", "en", "attack", ORDINARY))
        for path in (alarm, missed):
            says(reader("eval", path), FOUND, path.name)
            says(reader("eval", "--json", path), FOUND, path.name)


def nothing_to_evaluate():
    with Rows() as rows:
        empty, bare = rows.write("empty"), rows.folder / "bare"
        bare.write_bytes(row("no label") + b"nonsense\n" + row(ATTACK))
        done = reader("eval", empty)
        says(done, DATA, "no rows")
        done = reader("eval", bare)
        text = says(done, DATA, "no labels")
        check(b"3 rows left out" in text, "left out: %r", text)
        check(b"benign" not in text, "a group of no label: %r", text)
        labelled = rows.write("labelled", ("", "", "attack", ATTACKS[:3]))
        done = reader("eval", "--json", bare, labelled)
        says(done, DONE, "some labels")
        equal([r["rows"] for r in answers(done)], [3, 3], "those with one")
        long = rows.folder / "long"
        long.write_bytes(row("x" * (40 << 20)))
        says(reader("eval", long), DATA, "a long line")
        says(reader("eval", rows.folder / "none"), SYSTEM, "no file")
        says(reader("eval", rows.folder), DATA, "a folder")


def proposes_only():
    with Rows() as rows:
        path = rows.write("a", ("own", "en", "attack", ATTACKS),
                          ("own", "en", "benign", ORDINARY))
        before = rows.state()
        done = reader("eval", "--feedback", path, cwd=rows.folder)
        text = says(done, DONE, "--feedback").decode()
        check("proposed" in text and "Nothing was changed" in text, "%r",
              text)
        done = reader("eval", "--feedback", "--json", path, cwd=rows.folder)
        says(done, DONE, "--feedback --json")
        now, proposed = answers(done)
        equal((now["threshold"], now["score"]), ("now", 0.5), "now")
        equal(proposed["threshold"], "proposed", "proposed")
        equal(proposed["benign"], 0, "benign rows above the proposal")
        check(proposed["attacks"] > 0, "no attacks above the proposal")
        equal(rows.state(), before, "files")
        equal(reader("eval", path).returncode, DONE, "eval afterwards")


# accounts

def accounts():
    """As root it is somebody else; an ordinary user needs nothing."""
    data = row(ATTACK) + row("x")
    want = reader("score", data=data).stdout
    check(want, "no answers")
    if not is_root():
        raise Skipped("needs root to become somebody else")
    nobody = pwd.getpwnam("nobody")
    done = run([READER, "score", "--jsonl"], data)
    equal(says(done, DONE, "root, no account"), want, "answers")
    for command in (("score",), ("text",), ("mail",)):
        done = run([READER, *command], data, user=nobody.pw_uid,
                   group=nobody.pw_gid, extra_groups=[])
        says(done, DONE, "%s as nobody" % command)
    with Rows() as rows:
        path = rows.write("a", ("own", "en", "attack", ATTACKS))
        done = run([READER, "eval", path], user=nobody.pw_uid,
                   group=nobody.pw_gid, extra_groups=[])
        says(done, DONE, "eval as nobody")
        path.chmod(0o600)
        says(reader("eval", path), DONE, "a file that only root reads")


# text

def text_and_record():
    before = "Thank you for the photos of the gärden, they are lovely.\n" * 6
    text = before + ATTACK + "\n" + before
    with Rows() as rows:
        record = rows.folder / "record"
        done = reader("text", "--record", record, data=text.encode())
        says(done, DONE, "text")
        clean = json.loads(done.stdout)
        equal(clean["channel"], "text", "channel")
        in_body(clean)
        found = json.loads(record.read_text())["injection"]
        check(found and found[0]["where"] == "seen", "record: %r", found)
        equal(record.stat().st_mode & 0o777, 0o600, "mode of the record")
        start, end = clean["injection"]["spans"][0]
        digest = hashlib.sha256(clean["body"][start:end].encode())
        equal(found[0]["sha256"], digest.hexdigest(), "hash of the span")
        done = reader("text", "--record", record, data=b"x")
        equal(json.loads(record.read_text())["injection"], [], "of nothing")


def in_body(clean, text=ATTACK):
    """Suspect, with a place in the body that holds the attack."""
    equal(clean["injection"]["verdict"], "suspect", "verdict")
    held = [clean["body"][start:end] for start, end in
            clean["injection"]["spans"]]
    check(any(text in part for part in held), "spans: %r", held)
    check(len(max(held, key=len)) < len(clean["body"]) or
          len(clean["body"]) < 400, "all of it is a span")


# mails

def read_mail(raw, record):
    done = reader("mail", "--record", record, data=raw.encode())
    says(done, DONE, "mail")
    return json.loads(done.stdout), json.loads(record.read_text())


PLAIN = "\n".join(ORDINARY)
SEEN = {
    "body": mail(PLAIN + "\n\n" + ATTACK + "\n\n" + PLAIN),
    "HTML": page("<p>%(text)s</p>")(ATTACK),
    "base64 part": parts(
        ("Content-Type: text/plain", PLAIN),
        ("Content-Type: text/plain; charset=utf-8\n"
         "Content-Transfer-Encoding: base64", b64(ATTACK)))}
BESIDE = {
    "subject": mail(PLAIN, subject=ATTACK),
    "encoded subject": encoded_subject("q")(ATTACK),
    "sender": mail(PLAIN).replace("From: Ben", 'From: "%s"' % ATTACK),
    "recipient": mail(PLAIN).replace("To: ", 'To: "%s" ' % ATTACK).replace(
        '" ann@example.org', '" <ann@example.org>'),
    "attachment's name": parts(
        ("Content-Type: text/plain", PLAIN),
        ("Content-Type: application/pdf\nContent-Disposition: attachment; "
         'filename="%s"' % ATTACK, "x"))}
HIDDEN = {
    "comment": page("<!-- %(raw)s -->")(ATTACK),
    "display: none": page("<div style='display:none'>%(text)s</div>")(ATTACK),
    "white": page("<div style='color:#fff'>%(text)s</div>")(ATTACK),
    "alt": page("<img src=a.png alt='%(text)s'>")(ATTACK),
    "tags": mail(PLAIN + "".join(chr(0xe0000 + ord(c)) for c in ATTACK))}


def mails():
    with Rows() as rows:
        record = rows.folder / "record"
        for name, raw in SEEN.items():
            clean, notes = read_mail(raw, record)
            in_body(clean)
            equal(notes["injection"][0]["where"], "seen", name)
        for name, raw in BESIDE.items():
            clean, notes = read_mail(raw, record)
            equal(clean["injection"]["verdict"], "suspect", name)
            check(notes["injection"], "%s: no record", name)
        for name, raw in HIDDEN.items():
            clean, notes = read_mail(raw, record)
            equal(clean["injection"]["verdict"], "suspect", name)
            check(ATTACK not in clean["body"], "%s: seen", name)
            check(clean["hidden"], "%s: nothing hidden", name)
            check("hidden" in [i["where"] for i in notes["injection"]],
                  "%s: record %r", name, notes["injection"])
            equal(clean["injection"]["spans"], [], name)
        for text in ORDINARY:
            clean, notes = read_mail(mail(text), record)
            equal(clean["injection"]["verdict"], "clean", text)
            equal(notes["injection"], [], text)
    return "%d" % (len(SEEN) + len(BESIDE) + len(HIDDEN) + len(ORDINARY))


def body(suite):
    for name, function in (
            ("public rows", public_rows), ("bad rows", bad_rows),
            ("no rows", no_rows), ("a line of 40 MB", long_line),
            ("garbage", garbage), ("closed output", closed_pipe),
            ("long names", long_names), ("eval", evaluates),
            ("eval below the bar", below_the_bar),
            ("eval of nothing", nothing_to_evaluate),
            ("eval --feedback", proposes_only), ("accounts", accounts),
            ("text --record", text_and_record), ("mails", mails)):
        suite.case(name, function)


if __name__ == "__main__":
    main(body)
