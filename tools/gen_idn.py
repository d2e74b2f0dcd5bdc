#!/usr/bin/env python3
"""gen_idn.py UCD: executor/idn.def from a folder of the Unicode database.

Which characters a U-label may have (the derivation of RFC 5892 section 3), and
what its rules ask of them; and the pairs of characters that NFC makes one.
Debian has the database in the package unicode-data, as /usr/share/unicode.
"""
import os
import sys

LAST = 0x110000
EXCEPTIONS = {
    **{c: "V" for c in (0xDF, 0x3C2, 0x6FD, 0x6FE, 0xF0B, 0x3007)},
    **{c: "O" for c in (0xB7, 0x375, 0x5F3, 0x5F4, 0x30FB,
                        *range(0x660, 0x66A), *range(0x6F0, 0x6FA))},
    **{c: "" for c in (0x640, 0x7FA, 0x302E, 0x302F, 0x3031, 0x3032, 0x3033,
                       0x3034, 0x3035, 0x303B)}}
LETTER_DIGITS = {"Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc"}
MARKS = {"Mn", "Mc", "Me"}
SCRIPTS = ("Greek", "Hebrew", "Hiragana", "Katakana", "Han")
IGNORABLE_BLOCKS = ("Combining Diacritical Marks for Symbols",
                    "Musical Symbols", "Ancient Greek Musical Notation")


def rows(folder, name):
    """(first, last, fields) of each line of a file."""
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        for line in file:
            fields = [f.strip() for f in line.split("#")[0].split(";")]
            if fields == [""]:
                continue
            ends = [int(x, 16) for x in fields[0].split("..")]
            yield ends[0], ends[-1], fields[1:]


def values(folder, name, column=0, default=None):
    found = [default] * LAST
    for first, last, fields in rows(folder, name):
        for code in range(first, last + 1):
            found[code] = fields[column]
    return found


def having(folder, name, value):
    return {code for first, last, fields in rows(folder, name)
            if fields[0] == value for code in range(first, last + 1)}


def main(folder):
    extracted = os.path.join(folder, "extracted")
    category = values(extracted, "DerivedGeneralCategory.txt", default="Cn")
    bidi = values(extracted, "DerivedBidiClass.txt", default="L")
    joining = values(extracted, "DerivedJoiningType.txt", default="U")
    combining = values(extracted, "DerivedCombiningClass.txt", default="0")
    hangul = values(folder, "HangulSyllableType.txt")
    block = values(folder, "Blocks.txt")
    script = values(folder, "Scripts.txt")
    unstable = having(folder, "DerivedNormalizationProps.txt",
                      "Changes_When_NFKC_Casefolded")
    ignorable = (having(folder, "DerivedCoreProperties.txt",
                        "Default_Ignorable_Code_Point") |
                 having(folder, "PropList.txt", "White_Space") |
                 having(folder, "PropList.txt", "Noncharacter_Code_Point"))
    maybe = {code for first, last, fields in
             rows(folder, "DerivedNormalizationProps.txt")
             if fields[:2] == ["NFC_QC", "M"]
             for code in range(first, last + 1)}
    excluded = having(folder, "DerivedNormalizationProps.txt",
                      "Full_Composition_Exclusion")

    def kind(code):
        if code in EXCEPTIONS:
            return EXCEPTIONS[code]
        if category[code] == "Cn":
            return ""
        if code < 0x80:
            good = code == 0x2D or chr(code) in \
                "abcdefghijklmnopqrstuvwxyz0123456789"
            return "V" if good else ""
        if code in (0x200C, 0x200D):
            return "J"
        if hangul[code] in ("L", "V", "T") or code in unstable or \
                code in ignorable or block[code] in IGNORABLE_BLOCKS:
            return ""
        return "V" if category[code] in LETTER_DIGITS else ""

    kinds = [kind(code) for code in range(LAST)]
    pairs, splits = [], set()
    for first, last, fields in rows(folder, "UnicodeData.txt"):
        parts = fields[4].split()
        if len(parts) == 2 and not parts[0].startswith("<") and \
                first not in excluded:
            a, b = (int(part, 16) for part in parts)
            if kinds[first] and kinds[a] and kinds[b]:
                pairs.append((a, b, first))
                splits.add(first)

    def row(code):
        if not kinds[code]:
            return None
        name = script[code].upper() if script[code] in SCRIPTS else "OTHER"
        flags = [flag for flag, set_ in (
            ("IDN_CONTEXT", kinds[code] != "V"),
            ("IDN_MARK", category[code] in MARKS),
            ("IDN_MAYBE", code in maybe), ("IDN_SPLITS", code in splits))
            if set_]
        return (bidi[code], joining[code], name, int(combining[code]),
                "|".join(flags) or "0")

    print("/*\n * Made by tools/gen_idn.py from the Unicode database %s.\n"
          " * RANGE: first, last, bidi class, joining type, script, combining "
          "class, flags;\n * characters that are not here are in no label. "
          "PAIR: two characters and the one\n * that is their normal form.\n"
          " */" % version(folder))
    print("// clang-format off")
    print("#ifdef RANGE")
    begin, held = 0, None
    for code in range(LAST + 1):
        now = row(code) if code < LAST else None
        if now == held:
            continue
        if held is not None:
            print("RANGE(0x%X,0x%X,%s,%s,%s,%d,%s)" % (begin, code - 1, *held))
        begin, held = code, now
    print("#endif\n#ifdef PAIR")
    for a, b, one in sorted(pairs):
        print("PAIR(0x%X,0x%X,0x%X)" % (a, b, one))
    print("#endif")


def version(folder):
    with open(os.path.join(folder, "Scripts.txt"), encoding="utf-8") as file:
        return file.readline().strip("# \n").split("-")[1].replace(".txt", "")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
