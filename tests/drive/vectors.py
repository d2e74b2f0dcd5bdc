#!/usr/bin/env python3
"""Sanitizer vectors through the real reader: no payload becomes text.

usage: vectors.py READER [FOLDER]

FOLDER is the data folder (with html/dompurify.jsonl below it); without it
TRIZONE_DATA, or ../shared/data beside the repository. Exits 77 (skipped) when
there is none. Each vector is the body of a mail. Python's own HTML parser takes
it apart; what it finds in scripts, styles, comments, declarations and
attributes, and nowhere in text, must not be in the body of the clean object.
Where an attribute is the address of a link the body may show it.
"""
import html.parser
import json
import re
import subprocess
import sys

import mail_corpus

HEADER = (b"From: a@example.org\r\nSubject: v\r\nMIME-Version: 1.0\r\n"
          b"Content-Type: text/html; charset=utf-8\r\n\r\n")
PIECE_LEAST = 4
# Vectors which Python's parser reads in another way than the standard says;
# what is text in a browser, by that vector, is not looked for.
OTHERWISE = {
    "dompurify-203": ("<b title='",),  # in <xmp>, where markup is text
}
SKIPPED = 77


class Parts(html.parser.HTMLParser):
    """What of a page is text, and what is not."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.text, self.payload = [], []
        self.raw = None

    def handle_starttag(self, tag, attrs):
        self.raw = tag if tag in ("script", "style") else None
        for name, value in attrs:
            address = name == "href" and re.match(r"\s*(https?|mailto):",
                                                  value or "", re.I)
            if value and not address:
                self.payload.append(value)

    def handle_endtag(self, tag):
        self.raw = None

    def handle_data(self, data):
        (self.payload if self.raw else self.text).append(data)

    def handle_comment(self, data):
        self.payload.append(data)

    def handle_decl(self, decl):
        self.payload.append(decl)

    def handle_pi(self, data):
        self.payload.append(data)

    def unknown_decl(self, data):
        self.payload.append(data)


def squeezed(text):
    return " ".join(text.split())


def pieces(page):
    parts = Parts()
    try:
        parts.feed(page)
        parts.close()
    except AssertionError:
        pass  # of Python's parser, at a declaration; what it found so far
    text = squeezed(" ".join(parts.text))
    for piece in parts.payload:
        piece = squeezed(piece)
        if len(piece) >= PIECE_LEAST and piece not in text:
            yield piece


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    path = mail_corpus.find_folder(sys.argv[2:]) / "html" / "dompurify.jsonl"
    if not path.is_file():
        print("skipped: no %s (set TRIZONE_DATA)" % path)
        return SKIPPED
    vectors = looked_for = wrong = 0
    for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
        row = json.loads(line)
        raw = HEADER + row["payload"].encode("utf-8", "surrogatepass")
        run = subprocess.run([sys.argv[1], "mail"], input=raw, check=True,
                             capture_output=True, timeout=mail_corpus.SECONDS)
        body = squeezed(json.loads(run.stdout)["body"])
        vectors += 1
        for piece in pieces(row["payload"]):
            looked_for += 1
            if piece in body and piece not in OTHERWISE.get(row["id"], ()):
                wrong += 1
                print("%s: %r in %r" % (row["id"], piece, body))
    print("%d vectors, %d payloads, %d in a body" % (
        vectors, looked_for, wrong))
    return 1 if wrong or vectors == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
