"""Mails that break readers, made on the spot; each is (name, bytes, text).

`text` is what a person would see in it, or None where the reader may refuse
with a finding. For mail_torture.py and tests/bench/run.
"""
import base64
import random

HEAD = (b"From: a@example.org\r\nTo: b@example.org\r\nSubject: %s\r\n"
        b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMIME-Version: 1.0\r\n")
PLAIN = b"Content-Type: text/plain\r\n\r\n"


def head(name):
    return HEAD % name.encode()


def attachments(count=5, size=3750000):
    """25 MB: a line of text and five files."""
    source = random.Random(1)
    parts = [b"--B\r\n" + PLAIN + b"see the attachments\r\n"]
    for number in range(count):
        lines = base64.encodebytes(source.randbytes(size))
        parts.append(b"--B\r\nContent-Type: application/octet-stream\r\n"
                     b"Content-Disposition: attachment; filename=%d.bin\r\n"
                     b"Content-Transfer-Encoding: base64\r\n\r\n" % number +
                     lines.replace(b"\n", b"\r\n"))
    return (head("files") + b"Content-Type: multipart/mixed; boundary=B\r\n"
            b"\r\n" + b"".join(parts) + b"--B--\r\n")


def nested(levels):
    opening = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" %
        (level, level) for level in range(levels))
    closing = b"".join(b"--b%d--\r\n" % level
                       for level in reversed(range(levels)))
    return head("nested") + opening + PLAIN + b"at the bottom\r\n" + closing


def flat(parts):
    return (head("flat") + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
            + (b"--b\r\n" + PLAIN + b"x\r\n") * parts + b"--b--\r\n")


def page(size):
    rows, done = [], 0
    while done < size:
        row = (b'<tr><td style="color:#fff">Item %d</td><td><a href="https://'
               b'example.org/x?id=%d&amp;y=1">link</a> price &euro;%d <b>bold '
               b'<i>it</i></b></td></tr>\r\n' % ((len(rows),) * 3))
        rows.append(row)
        done += len(row)
    return (head("page") + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
            b"<html><head><style>p{margin:0}</style></head><body><table>" +
            b"".join(rows) + b"</table></body></html>\r\n")


def deep_page(levels):
    return (head("deep page") + b"Content-Type: text/html\r\n\r\n<html><body>"
            + b"<div>\r\n" * levels + b"at the bottom")


def words(count):
    return (head("words") + b"X-A: " + b"=?utf-8?Q?=E2=82=AC?=\r\n " * count +
            b"z\r\n" + PLAIN + b"body\r\n")


def addresses(count):
    list_of = b",\r\n ".join(b'"User %d" <u%d@example.org>' % (n, n)
                             for n in range(count))
    return head("addresses") + b"Cc: " + list_of + b"\r\n" + PLAIN + b"body\r\n"


def comments(count):
    return head("c") + b"Cc: " + b"(" * count + b" x@y\r\n" + PLAIN + b"body\r\n"


def bombs():
    yield "25 MB of attachments", attachments(), "see the attachments"
    yield "1,000 levels", nested(1000), "at the bottom"
    yield "10,000 levels", nested(10000), "at the bottom"
    yield "100,000 parts", flat(100000), "x"
    yield "10 MB of HTML", page(10000000), "link"
    yield "1,000,000 levels of HTML", deep_page(1000000), "at the bottom"
    yield "250,000 encoded words", words(250000), "body"
    yield "100,000 addresses", addresses(100000), "body"
    yield "100,000 brackets", comments(100000), "body"
