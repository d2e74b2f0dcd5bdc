#!/usr/bin/env python3
"""Print reader/confusable.def: characters that look like ASCII letters.

Usage: python3 tools/gen_confusable.py confusables.txt > reader/confusable.def
The input is the table of UTS 39 (unicode.org/Public/security). A row is
(code point, ASCII text in lower case, whether a word made of such letters
only is read as Latin), sorted by code point. Rows are for characters as
fold.c looks them up: after compatibility decomposition, in lower case and
without marks. Beside UTS 39, which compares single fonts, a row comes from
the capital ("T" for Cyrillic te, whose small letter is no small t) and from
the name of a Latin letter ("SMALL CAPITAL K", "B WITH HOOK", "TURNED E").
"""
import re
import sys
import unicodedata

ALIKE = {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC",
         "LISU", "DESERET", "WARANG"}
# They stand next to Latin letters without blanks, or are joined.
NOT = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC",
       "MASU"}
# Shapes that UTS 39 has not, or has as something less like.
OWN = {0x00df: "ss", 0x0254: "c", 0x025f: "f", 0x0561: "w", 0x057d: "u",
       0x0578: "n", 0x03c9: "w", 0x0448: "w", 0x0449: "w", 0x0438: "u",
       0x043f: "n", 0x0434: "d", 0x0444: "f", 0x03b7: "n", 0x03bc: "u",
       0x03b2: "b", 0x03b4: "d", 0x03bb: "l", 0x03c0: "n", 0x03b8: "o",
       0x03b5: "e", 0x0454: "e", 0x0437: "e", 0x043b: "n"}
# Too far from the Latin letter to read a whole word by them.
LOOSE = {0x03b3, 0x03c3, 0x0433, 0x044b, 0x044c, 0x044e}
LATIN = re.compile(
    r"^LATIN (?:SMALL LETTER|LETTER SMALL CAPITAL) (?:(?:DOTLESS|TURNED|"
    r"REVERSED|SCRIPT|OPEN|CLOSED|INVERTED|BLACKLETTER|BARRED|LONG|SIDEWAYS|"
    r"SAKHA|INSULAR|VISIGOTHIC|LENIS) )*([A-Z])(?: WITH .*| ROTUNDA| BAR)?$")


def read(path):
    """The table, as code point to text."""
    table = {}
    with open(path, encoding="utf-8-sig") as lines:
        for line in lines:
            parts = line.split("#")[0].split(";")
            if len(parts) < 3 or " " in parts[0].strip():
                continue
            table[int(parts[0], 16)] = "".join(
                chr(int(code, 16)) for code in parts[1].split())
    return table


def plain(text):
    """Without marks, in lower case."""
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    return text.lower()


def latin(code):
    found = LATIN.match(unicodedata.name(chr(code), ""))
    return found.group(1).lower() if found else ""


def is_ascii(text):
    return bool(re.match("^[a-z]{1,3}$", text))


def direct(code, table):
    """What UTS 39 has the character look like, if that is ASCII."""
    text = plain(table.get(code, ""))
    return text if is_ascii(text) else ""


def second(code, table):
    """The same over one character that is not ASCII."""
    text = plain(table.get(code, ""))
    if len(text) != 1:
        return ""
    return latin(ord(text)) or direct(ord(text), table)


def row(code, table):
    char = chr(code)
    name = unicodedata.name(char, "").split(" ")[0]
    if (name in NOT or unicodedata.category(char)[0] != "L"
            or plain(char) != char):
        return None
    capital = ord(char.upper()) if len(char.upper()) == 1 else code
    strict = name in ALIKE and code not in LOOSE
    if name == "LATIN" and (code in OWN or latin(code)):
        text = OWN.get(code) or latin(code)
    elif direct(code, table) and code not in OWN:
        text = direct(code, table)
    else:
        strict = name in ("CHEROKEE", "LATIN", "ARMENIAN")
        text = (OWN.get(code) or direct(capital, table)
                or second(code, table))
    if text == "" or len(text) > len(char.encode("utf-8")):
        return None
    return text, strict


def letters():
    """Enclosed and regional letters that have no decomposition."""
    for first in (0x1f150, 0x1f170, 0x1f1e6):
        for i in range(26):
            yield first + i, chr(ord("a") + i)


def main():
    table = read(sys.argv[1])
    rows = {}
    for code in range(0x80, 0x20000):
        if 0xd800 <= code < 0xe000:
            continue
        found = row(code, table)
        if found:
            rows[code] = found
    for code, text in letters():
        rows[code] = (text, True)
    print("/* Made by tools/gen_confusable.py; do not edit. */")
    for code in sorted(rows):
        text, strict = rows[code]
        print('CONFUSABLE(0x%04x, "%s", %s)'
              % (code, text, "true" if strict else "false"))


main()
