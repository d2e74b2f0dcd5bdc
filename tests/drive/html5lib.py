#!/usr/bin/env python3
"""The public html5lib tokenizer tests against our tokenizer.

usage: html5lib.py HTML_TOKENS [FOLDER]

FOLDER is a checkout of https://github.com/html5lib/html5lib-tests; without it
TRIZONE_HTML5LIB, or html5lib-tests in the data folder (TRIZONE_DATA, or
../shared/data beside the repository). Exits 77 (skipped) without one.

Compared is what the reader depends on: which bytes are text, which are a tag,
its name and attributes, a comment, a doctype, and whether a tag closes itself;
references in text and attributes. Not compared, since no token of ours keeps
it or a later step does it:
- the parts of a doctype and the parse errors: nobody reads them
- attributes without a value that mean nothing to the reader
- NUL and CR: the sink counts the one and makes line ends of the other, so here
  both sides get U+FFFD and LF; the standard drops NUL from text
- xmlViolation.test: for programs that write XML
"""
import json
import os
import pathlib
import re
import subprocess
import sys

STATES = {"Data state": "data", "RCDATA state": "rcdata",
          "RAWTEXT state": "rawtext", "Script data state": "script",
          "PLAINTEXT state": "plaintext", "CDATA section state": "cdata"}
XML = "xmlViolation.test"
SHOWN = 20
SKIPPED = 77


def find_folder(arguments):
    if arguments:
        return pathlib.Path(arguments[0])
    if "TRIZONE_HTML5LIB" in os.environ:
        return pathlib.Path(os.environ["TRIZONE_HTML5LIB"])
    root = pathlib.Path(__file__).resolve().parents[2]
    data = os.environ.get("TRIZONE_DATA", root.parent / "shared" / "data")
    return pathlib.Path(data) / "html5lib-tests"


def unescaped(value):
    """The second round of \\uHHHH that some tests ask for."""
    if isinstance(value, str):
        return re.sub(r"\\u([0-9A-Fa-f]{4})",
                      lambda m: chr(int(m.group(1), 16)), value)
    if isinstance(value, list):
        return [unescaped(item) for item in value]
    if isinstance(value, dict):
        return {unescaped(k): unescaped(v) for k, v in value.items()}
    return value


def plain(text):
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace(
        "\0", "\ufffd")


def add(tokens, token):
    """Text that follows text is one token."""
    if token[0] == "Character" and tokens and tokens[-1][0] == "Character":
        tokens[-1] = ("Character", tokens[-1][1] + token[1])
    else:
        tokens.append(token)


def wanted(output, known):
    tokens = []
    for kind, *rest in output:
        if kind == "StartTag":
            kept = {plain(k): plain(v) for k, v in rest[1].items()
                    if v or k in known}
            token = (kind, plain(rest[0]), kept, len(rest) > 2)
        elif kind == "DOCTYPE":
            token = (kind,)
        else:
            token = (kind, plain(rest[0]))
        add(tokens, token)
    return tokens


def text_of(digits):
    return plain(bytes.fromhex(digits).decode("utf-8", "surrogatepass"))


def lower(text):
    return "".join(c.lower() if c.isascii() else c for c in text)


def start_tag(rest, known):
    name, *strings = [text_of(s) for s in rest.rstrip("/").split(",")]
    kept = {}
    for key, value in zip(strings[::2], strings[1::2]):
        kept.setdefault(lower(key), value)
    return ("StartTag", lower(name), kept, rest.endswith("/"))


def given(line, known):
    tokens = []
    for word in line.split():
        kind, rest = word[0], word[1:]
        if kind == "S":
            add(tokens, start_tag(rest, known))
        elif kind == "E":
            add(tokens, ("EndTag", lower(text_of(rest))))
        elif kind == "C":
            add(tokens, ("Comment", text_of(rest)))
        elif kind == "D":
            add(tokens, ("DOCTYPE",))
        elif kind == "T" and rest:
            add(tokens, ("Character", text_of(rest)))
    return tokens


def cases(folder):
    for path in sorted(folder.glob("*.test")):
        if path.name == XML:
            continue
        tests = json.loads(path.read_text(encoding="utf-8"))["tests"]
        for test in tests:
            if test.get("doubleEscaped"):
                test["input"] = unescaped(test["input"])
                test["output"] = unescaped(test["output"])
            for state in test.get("initialStates", ["Data state"]):
                yield path.name, state, test


def known_names():
    root = pathlib.Path(__file__).resolve().parents[2]
    rows = (root / "reader" / "html_attr.def").read_text()
    return set(re.findall(r'^ATTR\(\w+, "([^"]+)"', rows, re.M))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder = find_folder(sys.argv[2:]) / "tokenizer"
    if not folder.is_dir():
        print("skipped: no html5lib tests in %s (set TRIZONE_HTML5LIB)" %
              folder)
        return SKIPPED
    known = known_names()
    todo = list(cases(folder))
    lines = ["%s %s %s\n" % (
        STATES[state], test.get("lastStartTag", "-"),
        test["input"].encode("utf-8", "surrogatepass").hex())
        for _, state, test in todo]
    run = subprocess.run([sys.argv[1]], input="".join(lines), check=True,
                         stdout=subprocess.PIPE, text=True)
    answers = run.stdout.split("\n")[:-1]
    wrong = len(answers) != len(todo)
    for (name, state, test), answer in zip(todo, answers):
        want, got = wanted(test["output"], known), given(answer, known)
        if want == got:
            continue
        wrong += 1
        if wrong <= SHOWN:
            print("%s: %s, %r\n  want %r\n  got  %r" % (
                name, state, test["input"], want, got))
    print("%d cases, %d wrong" % (len(todo), wrong))
    return 1 if wrong or not todo else 0


if __name__ == "__main__":
    sys.exit(main())
