#!/usr/bin/env python3
"""Print reader/html_entity.def: the named character references of HTML.

Usage: python3 tests/data/gen_entities.py > reader/html_entity.def
The facts are those of Python's html.entities.html5, which holds the WHATWG
table. A row is (name without semicolon, UTF-8 text, whether the semicolon
may be missing), sorted by name as strcmp(3) does.
"""
from html.entities import html5


def literal(text):
    """A C string of octal escapes, which cannot run into what follows."""
    return "".join("\\%03o" % byte for byte in text.encode("utf-8"))


def main():
    names = {name.rstrip(";") for name in html5}
    print("/* Made by tests/data/gen_entities.py; do not edit. */")
    for name in sorted(names):
        text = html5[name + ";"]
        legacy = "true" if name in html5 else "false"
        print('ENTITY("%s", "%s", %s)' % (name, literal(text), legacy))


main()
