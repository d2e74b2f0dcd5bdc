#!/usr/bin/env python3
"""HTML mails as our reader shows them against what Chromium lays out.

usage: render.py READER [FOLDER] [--words NAME]

Each newsletter and each HTML mail that is not spam of the test data (FOLDER,
TRIZONE_DATA, or ../shared/data beside the repository) goes through the reader
and through headless Chromium, without network and with scripts off. From the
page the text nodes are taken that a person sees by computed style and layout;
render.js decides that, and shares no code with the reader. Compared are the
words of both, as multisets after NFKC. The addresses the
reader puts behind the texts of links are left out. Prints the worst five; fails if the median of F1 is below 0.99.
--words prints the words that differ in one mail.

The worst five are one footer: <font color="#ffffff"> around a table, on white,
in a page without a doctype. By the rules of old browsers ("quirks mode") a
table does not inherit that colour, and the text is seen; in a mail program that
puts the mail into a page of its own it is white on white. So it counts as
hidden.

Exits 77 (skipped) without Chromium or without the data.
"""
import base64
import collections
import email
import email.policy
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import unicodedata

import mail_corpus

GROUPS = ["newsletter", "benign"]
MEDIAN_LEAST = 0.99
MAILS_LEAST = 60
WORST = 5
BATCH = 40
BATCH_SECONDS = 300
ADDRESS = re.compile(r"\s?<(https?:[^\s<>]*|[^\s<>@]*@[^\s<>]*)>", re.I)
SKIPPED = 77


def html_of(raw):
    """The HTML a mail program shows, or None if there is other text too."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    found = []
    todo = [mail]
    while todo:
        part = todo.pop(0)
        kind = part.get_content_type()
        if kind == "multipart/alternative":
            todo = list(part.iter_parts())[-1:] + todo
        elif part.is_multipart():
            todo = list(part.iter_parts()) + todo
        elif kind.startswith("text/") and not part.is_attachment():
            found.append(part)
    if len(found) != 1 or found[0].get_content_type() != "text/html":
        return None
    raw_html = found[0].get_payload(decode=True)
    charset = found[0].get_content_charset() or "utf-8"
    if charset == "us-ascii":
        charset = "windows-1252"  # as browsers read it
    try:
        return raw_html.decode(charset, "replace")
    except LookupError:
        return None


def mails(folder):
    for group in GROUPS:
        for path in sorted((folder / "mail" / group).rglob("*.eml")):
            raw = path.read_bytes()
            try:
                html = html_of(raw)
            except (AttributeError, KeyError, ValueError):
                continue  # Python's parser fails on it
            if html:
                yield str(path.relative_to(folder / "mail")), raw, html


def chromium(program, pages, place):
    """The visible text of each page."""
    script = pathlib.Path(__file__).with_name("render.js").read_text()
    data = base64.b64encode(json.dumps(pages).encode()).decode()
    harness = pathlib.Path(place) / "harness.html"
    harness.write_text("<!doctype html><meta charset=utf-8><body><script>"
                       "const data = '%s';\n%s</script>" % (data, script))
    run = subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu",
         "--user-data-dir=" + place + "/profile", "--window-size=1000,800",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--disable-extensions",
         "--no-first-run", "--disable-background-networking",
         "--virtual-time-budget=600000", "--dump-dom", harness.as_uri()],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
        timeout=BATCH_SECONDS)
    found = re.search(rb"<pre>([A-Za-z0-9+/=]*)</pre>", run.stdout)
    if found is None:
        raise RuntimeError("no answer from %s" % program)
    return json.loads(base64.b64decode(found.group(1)))


def words(text):
    text = unicodedata.normalize("NFKC", ADDRESS.sub("", text))
    return collections.Counter(re.findall(r"\w+", text))


def f1(ours, theirs):
    both = sum((ours & theirs).values())
    total = sum(ours.values()) + sum(theirs.values())
    return 1.0 if total == 0 else 2 * both / total


def our_body(reader, raw):
    run = subprocess.run([reader, "mail"], input=raw, capture_output=True,
                         check=True, timeout=mail_corpus.SECONDS)
    return json.loads(run.stdout)["body"]


def compare(reader, program, todo):
    results = []
    with tempfile.TemporaryDirectory() as place:
        for start in range(0, len(todo), BATCH):
            batch = todo[start:start + BATCH]
            seen = chromium(program, [html for _, _, html in batch], place)
            for (name, raw, _), text in zip(batch, seen):
                ours, theirs = words(our_body(reader, raw)), words(text)
                results.append((f1(ours, theirs), name, ours, theirs))
    return sorted(results, key=lambda r: r[:2])


def report(results, asked):
    for score, name, ours, theirs in results:
        if asked in name:
            print("%s: %.4f\n  only ours: %s\n  only Chromium: %s" % (
                name, score, dict(ours - theirs), dict(theirs - ours)))


def main():
    arguments = sys.argv[1:]
    asked = None
    if "--words" in arguments:
        at = arguments.index("--words")
        asked = arguments[at + 1]
        del arguments[at:at + 2]
    if not arguments:
        sys.exit(__doc__)
    folder = mail_corpus.find_folder(arguments[1:])
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None or not (folder / "mail").is_dir():
        print("skipped: no %s" % ("chromium" if program is None else
                                  "test data in %s" % folder))
        return SKIPPED
    todo = [m for m in mails(folder) if asked is None or asked in m[0]]
    results = compare(arguments[0], program, todo)
    if asked is not None:
        report(results, asked)
        return 0
    median = statistics.median(score for score, *_ in results)
    for score, name, *_ in results[:WORST]:
        print("%.4f %s" % (score, name))
    print("%d mails, median %.4f, %d below 0.99" % (
        len(results), median, sum(s < 0.99 for s, *_ in results)))
    good = median >= MEDIAN_LEAST and len(results) >= MAILS_LEAST
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
