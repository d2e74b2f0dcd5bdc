#!/usr/bin/env python3
"""Compare the manual pages with the program.

usage: docs.py [BIN]

Methods, sizes, errors and limits of protocol.7 with the tables they come from;
commands and options of the .8 pages with --help of the programs in BIN (or
$TRIZONE_BIN); keys of the .5 pages with the tables of keys in the source;
record kinds of audit.5; the clean object with its schema, and the record with
its header; the numbers of detector.md with the report; local links; and
mandoc's own opinion. What cannot be tried here is skipped, and said. Exit
status: 0, 1, or 77 if all was skipped.
"""
import ast
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SECONDS = 30  # for one program


class Skip(Exception):
    """A check that cannot be made here."""


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def page(name):
    path = DOCS / name
    if not path.exists():
        raise Skip("there is no " + name)
    return path.read_text(encoding="utf-8")


def differ(what, in_page, in_source):
    """Lines for what is in one of two sets only."""
    return (["%s %s is not in the page" % (what, name)
             for name in sorted(in_source - in_page)] +
            ["the page has the %s %s, which is not there" % (what, name)
             for name in sorted(in_page - in_source)])


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=SECONDS,
                          check=False)
    return done.stdout.decode()


# protocol.7

def number(text):
    """The value of a C constant such as (2u << 20)."""
    text = re.sub(r"/\*.*", "", text)
    text = re.sub(r"\b(\d+)[uU]\b", r"\1", text).strip()
    tree = ast.parse(text, mode="eval")
    allowed = (ast.Expression, ast.BinOp, ast.Constant, ast.Mult, ast.LShift,
               ast.Add, ast.Sub)
    if not all(isinstance(node, allowed) for node in ast.walk(tree)):
        raise ValueError(text)
    return eval(compile(tree, "constant", "eval"))  # arithmetic only


def constants(*paths):
    found = {}
    for path in paths:
        for name, text in re.findall(r"^#define (\w+) (.+)$", read(path),
                                     re.M):
            try:
                found[name] = number(text)
            except (SyntaxError, ValueError):
                pass
    return found


def sides(text):
    names = re.findall(r"SIDE_(\w+)", text)
    return " or ".join(sorted(name.lower() for name in names))


def methods():
    """Name and first sentence of each row of method.def."""
    limit = constants("common/limits.h")["FRAME_MAX_BYTES"]
    text = re.sub(r"/\*.*?\*/", "", read("proto/method.def"), flags=re.S)
    rows = {}
    for row in re.findall(r"^METHOD\((.*?)\)$", text, re.M | re.S):
        _, name, senders, receivers, kind, size = [
            part.strip() for part in row.split(",")]
        size = limit if size == "FRAME_MAX_BYTES" else int(size)
        rows[name.strip('"')] = "%s, %s to %s, at most %d bytes." % (
            kind.capitalize(), sides(senders), sides(receivers), size)
    return rows


def check_methods():
    text = page("protocol.7")
    text = text[text.index(".Sh METHODS"):text.index(".Ss The clean object")]
    in_page = dict(re.findall(r"^\.It Ic (\S+)\n(.*)$", text, re.M))
    rows = methods()
    wrong = differ("method", set(in_page), set(rows))
    return wrong + ["%s: the page says \"%s\", method.def \"%s\"" %
                    (name, in_page[name], rows[name])
                    for name in sorted(rows)
                    if name in in_page and in_page[name] != rows[name]]


def check_shapes():
    """Every param of message.c is somewhere in its method's paragraph."""
    text = page("protocol.7")
    rows = re.findall(
        r"static const struct json_field (\w+)_shape\[\] = \{(.*?)^\};",
        read("proto/message.c"), re.M | re.S)
    fields = {name: re.findall(r'"(\w+)", JSON_WANT', body)
              for name, body in rows}
    uses = re.findall(r"SHAPE\((\w+), (\w+)_shape\)", read("proto/message.c"))
    names = dict(re.findall(r'METHOD\((\w+), "([\w.]+)"',
                            read("proto/method.def")))
    wrong = []
    for method, shape in uses:
        found = re.search(r"^\.It Ic %s\n(.*?)^\.(?:It|El)" %
                          re.escape(names[method]), text, re.M | re.S)
        part = found.group(1) if found else ""
        wrong += ["%s: param %s is not described" % (names[method], key)
                  for key in fields[shape]
                  if not re.search(r"^\.Ic .*\b%s\b" % key, part, re.M)]
    return wrong


def check_errors():
    in_page = set(re.findall(r"^\.It (\d+) Ta (\w+) Ta (.*)$",
                             page("protocol.7"), re.M))
    rows = set(re.findall(r'^ERR\((\d+), (\w+), "([^"]*)"\)',
                          read("common/err.def"), re.M))
    return differ("error", {" ".join(row) for row in in_page},
                  {" ".join(row) for row in rows})


def check_limits():
    is_now = constants("common/limits.h", "proto/channel.h")
    rows = re.findall(r"^\.It Dv (\w+) Ta (\d+) Ta", page("protocol.7"), re.M)
    wrong = [] if rows else ["no limits found"]
    return wrong + ["%s is %s, the page says %s" % (name, is_now.get(name),
                                                    value)
                    for name, value in rows if is_now.get(name) != int(value)]


# Keys

def table_keys(path):
    """The keys of all json_field tables of a source file."""
    text = read(path)
    keys = re.findall(r'\{"(\w+)", JSON_WANT_', text)
    return set(keys + re.findall(r"\bMEMBER\((\w+), JSON_WANT_", text))


def page_keys(name, before=None):
    text = page(name)
    if before is not None:
        text = text[:text.index(before)]
    return set(re.findall(r"^\.It Ic (\w+)$", text, re.M))


def comment_keys(path):
    """Keys of the example in a header's first comment."""
    comment = read(path).split("*/")[0]
    return set(re.findall(r'"(\w+)":', comment))


def missing_words(name, words):
    text = page(name)
    return ["%s is not in the page" % word for word in sorted(words)
            if not re.search(r"\b%s\b" % word, text)]


def check_config_keys():
    keys = set().union(*(table_keys("executor/" + name) for name in (
        "config.c", "config_zones.c", "config_people.c", "config_impl.h")))
    return (differ("key", page_keys("trizone-config.5"), keys) +
            missing_words("trizone-config.5",
                          comment_keys("executor/config.h")))


def check_policy_keys():
    keys = set().union(*(table_keys("executor/%s.c" % name) for name in (
        "policy_parse", "policy_rule", "policy_limit",
        "capability", "firewall/model"))) - {"per_hour"}
    text = page("trizone-policy.5")
    named = set(re.findall(r"^\.(?:It )?Ic (\w+)", text, re.M))
    return (differ("key", page_keys("trizone-policy.5", ".Sh KINDS") |
                   named & keys, keys) +
            missing_words("trizone-policy.5",
                          comment_keys("executor/policy.h")))


def check_kinds():
    """Settings, methods and built-in rules, by name."""
    text = page("trizone-policy.5")
    kinds = set(re.findall(r'^\t\.name = "(\w+)"', read("executor/kind_table.c"),
                           re.M))
    in_page = set(re.findall(r"^\.Ss ([a-z]+)$", text, re.M))
    words = set()
    for kind in kinds:
        source = "executor/kind_%s.c" % kind
        if not (ROOT / source).exists():  # no courier yet: rows of a table
            source = "executor/kind_remote_table.c"
            words |= set(re.findall(r'\{\s*"(\w+)", [A-Z]\w+,', read(source)))
        words |= table_keys(source)
        words |= set(re.findall(r'\.name = "(\w+)"', read(source)))
    ids = re.search(r"reserved_ids\[\] = \{(.*?)\};",
                    read("executor/policy_rule.c"), re.S).group(1)
    rules = set(re.findall(r'"([\w-]+)"', ids))
    listed = set(re.findall(r"^\.It Cm ([\w-]+)$",
                            text[text.index(".Ss Built-in"):
                                 text.index(".Ss Legs")], re.M))
    return (differ("kind", in_page, kinds) +
            missing_words("trizone-policy.5", words) +
            differ("built-in rule", listed, rules))


def check_keywords():
    """Every keyword and format of the schema checker."""
    words = re.findall(r'^    \{"(\$?\w+)", (?:0|TYPE_)',
                       read("executor/schema.c"), re.M)
    text = page("trizone-policy.5")
    text = text[text.index(".Ss Schemas"):text.index(".Sh KINDS")]
    listed = set(re.findall(r"[$\w]+", " ".join(
        re.findall(r"^\.Cm (.*)$", text, re.M))))
    formats = re.findall(r'^    \{"([\w-]+)", \w+, (?:true|false)\}',
                         read("executor/format.c"), re.M)
    named = set(" ".join(re.findall(r"^\.Ic (.*)$", text, re.M)).split())
    return (differ("keyword", listed, set(words)) +
            differ("format", named - {",", "."}, set(formats)))


def check_lint_codes():
    """What lint finds, and the members of calls and tests."""
    codes = re.findall(r'^\t    \[LINT_\w+\] = "([\w-]+)"',
                       read("executor/policy_lint.c"), re.M)
    text = page("trizone-policy.5")
    listed = re.findall(r"^\.It ([\w-]+)$", text[text.index(".Sh LINT"):
                                              text.index(".Sh CALLS")], re.M)
    return (differ("finding", set(listed), set(codes)) +
            missing_words("trizone-policy.5",
                          table_keys("executor/policy_call.c") |
                          table_keys("executor/command_policy_test.c")))


def check_records():
    kinds = set(re.findall(r'^RECORD\(\w+, "(\w+)"',
                           read("executor/record.def"), re.M))
    items = "\n".join(re.findall(r"^\.It .*$", page("audit.5"), re.M))
    return ["record kind %s has no item in the page" % kind
            for kind in sorted(kinds)
            if not re.search(r"\b%s\b" % kind, items)]


# Commands

def program(name):
    folder = sys.argv[1] if len(sys.argv) > 1 else os.environ.get(
        "TRIZONE_BIN", "")
    path = pathlib.Path(folder) / name
    if folder == "" or not path.exists():
        raise Skip("there is no %s to ask" % name)
    return str(path)


def options_of(text):
    return set(re.findall(r"--([a-z][\w-]*)", text)) - {"help", "version"}


def page_options(name):
    text = page(name)
    return set(re.findall(r"Fl -([a-z][\w-]*)", text)) - {"help", "version"}


def page_commands(name):
    return set(re.findall(r"^\.It Ic (\w+)", page(name), re.M))


def check_executor():
    path = program("trizone-executor")
    commands = set(re.findall(r"^  (\w+) ", run(path, "--help"), re.M))
    options = set()
    for command in sorted(commands):
        options |= options_of(run(path, command, "--help"))
    for command in ("init", "lint", "explain", "test"):
        options |= options_of(run(path, "policy", command, "--help"))
    for command in ("show", "verify", "report", "export", "index"):
        options |= options_of(run(path, "audit", command, "--help"))
    options |= options_of(run(path, "policy", "replay", "--help"))
    name = "trizone-executor.8"
    return (differ("command", page_commands(name), commands) +
            differ("option", page_options(name), options))


def check_firewall():
    """Parts and options of `trizone-executor firewall`, which has a page."""
    path = program("trizone-executor")
    listed = run(path, "firewall", "--help")
    parts = set(re.findall(r"^  (\w+)  +\S", listed, re.M))
    options = set()
    for part in sorted(parts):
        options |= options_of(run(path, "firewall", part, "--help"))
    name = "trizone-firewall.8"
    in_page = set(re.findall(r"^\.It Cm (\w+)", page(name), re.M))
    return (differ("part", in_page, parts) +
            differ("option", page_options(name), options))


def check_program(name):
    text = run(program(name), "--help")
    commands = set(re.findall(r"^(\w+)  +\S", text, re.M))
    options = options_of(text)
    if name == "trizone-planner":  # the other page points to this one
        options |= options_of(run(program(name), "firewall", "--help"))
    return (differ("command", page_commands(name + ".8"), commands) +
            differ("option", page_options(name + ".8"), options))


def check_planner():
    return check_program("trizone-planner")


def check_reader():
    return check_program("trizone-reader")


# All pages

def nested(part):
    """Names of the members of all objects in a part of a schema."""
    if isinstance(part, dict):
        yield from part.get("properties", ())
        for value in part.values():
            yield from nested(value)


def check_object():
    """Each member of the clean object, in the pages that describe it."""
    schema = json.loads(read("docs/clean.schema.json"))
    keys = schema["properties"]
    text = page("trizone-reader.8")
    text = text[text.index(".Sh THE CLEAN OBJECT"):
                text.index(".Sh THE RECORD")]
    items = re.split(r"^\.It Cm (.*)$", text, flags=re.M)
    parts = {}
    for names, part in zip(items[1::2], items[2::2]):
        parts.update(dict.fromkeys(names.split(" , "), part))
    inner = {name for key in keys for name in nested(keys[key])}
    found = [name for name in parts if name in keys]
    wrong = differ("member", set(parts) - inner, set(keys) - inner)
    if found != list(keys):
        wrong.append("members in another order than in the schema")
    wire = page("protocol.7")
    wire = wire[wire.index(".Ss The clean object"):
                wire.index(".Sh THE ATTESTATION")]
    inner |= set(nested(schema["$defs"]["person"])) | set(keys)
    for name in sorted(inner):
        if not re.search(r"^\.(?:It )?Cm .*\b%s\b" % name, text, re.M):
            wrong.append("%s is not in the page" % name)
        if not re.search(r"^\.(?:Ic|Pq Ic) .*\b%s\b" % name, wire, re.M):
            wrong.append("%s is not in protocol.7" % name)
    return wrong


def check_record():
    """The members of the record, from its header."""
    text = page("trizone-reader.8")
    text = text[text.index(".Sh THE RECORD"):text.index(".Sh LOCKS")]
    comment = read("reader/record.h").split("*/")[0]
    words = set(re.findall(r'"(\w+)"', comment)) - {"mail"}
    return ["%s is not in the page" % word for word in sorted(words)
            if not re.search(r"^\.(?:It )?Cm .*\b%s\b" % word, text, re.M)]


# detector.md

REPORT_ROW = re.compile(r"^(\S+) +(\w+ +)?(attack|benign) +(\d+)"
                        r"((?: +\d+ [\d.]+ \[[\d.,]+\])+)$", re.M)


def report_rows(part):
    """(source, language, label, texts, [suspect, ...]) of a table."""
    return [(source, lang.strip(), label, int(texts),
             [int(n) for n in re.findall(r"(\d+) [\d.]+ \[", counts)])
            for source, lang, label, texts, counts in
            REPORT_ROW.findall(part)]


def share(hits, texts):
    """"44.6 %" and "41.2 to 48.0", the 95 % interval (Wilson)."""
    z, part = 1.96, hits / texts
    middle = part + z * z / (2 * texts)
    half = z * math.sqrt(part * (1 - part) / texts + (z / (2 * texts)) ** 2)
    whole = 1 + z * z / texts
    return "%.1f %%" % (100 * part), "%.1f to %.1f" % (
        100 * (middle - half) / whole, 100 * (middle + half) / whole)


def pooled(rows, want):
    rows = [row for row in rows if want(row)]
    return (sum(row[3] for row in rows),
            [sum(counts) for counts in zip(*(row[4] for row in rows))])


def detector_lines():
    """What detector.md has to say, as the report has it."""
    parts = read("docs/detector-report.txt").split("\n\n")
    public = report_rows(parts[1])
    held = report_rows(parts[parts.index(
        "Our own texts that were held apart, scored by the final model.") + 1])
    own = "self-written"
    texts, found = pooled(public, lambda r: r[2] == "attack" and r[0] != own)
    benign, false = pooled(public, lambda r: r[2] == "benign" and
                           r[0] not in (own, "spam"))
    lines = ["all public attacks together (%d" % texts,
             "benign texts but spam (%s)" % format(benign, ","),
             "%d spam mails %d are suspect" % (pooled(
                 public, lambda r: r[0] == "spam")[0], pooled(
                     public, lambda r: r[0] == "spam")[1][0])]
    lines += ["| %s | %s | %s | %d |" % (name, *share(hits, texts), bad)
              for name, hits, bad in zip(("as frozen", "at 0.1 %", "at 1 %"),
                                         found, false)]
    for label, words in (("attack", "attacks"), ("benign", "benign ones")):
        texts, hits = pooled(held, lambda r, label=label: r[2] == label)
        lines.append("%d of %d %s (%s, %s)" % (hits[0], texts, words,
                                               *share(hits[0], texts)))
    lines += ["| %s | %d of %d |" % (row[1], row[4][0], row[3])
              for row in held if row[2] == "attack"]
    lines.append("%d sets of up to" % len(re.findall(
        r"^RULE\(", read("reader/detect_rule.def"), re.M)))
    lines.append("of one of %d classes" % len(re.findall(
        r"^WORD_CLASS\(", read("reader/word_class.def"), re.M)))
    return lines


def check_detector():
    """The numbers of detector.md are those of the report."""
    text = " ".join(page("detector.md").split())
    return ["detector.md does not say \"%s\"" % line
            for line in detector_lines() if line not in text]


def check_lint():
    if shutil.which("mandoc") is None:
        raise Skip("there is no mandoc")
    wrong = []
    for path in sorted(DOCS.glob("*.[1-9]")):
        text = run("mandoc", "-Tlint", str(path))
        wrong += [line.replace(str(DOCS) + "/", "")
                  for line in text.splitlines()
                  if "referenced manual not found" not in line
                  and "outdated mandoc.db" not in line]
    return wrong


# Pages of the system that ours may link to.
OTHERS = {"setrlimit.2", "nft.8", "iptables-restore.8", "ip6tables-restore.8",
          "pf.conf.5"}


def check_names():
    """A page's title is its file's name, and its links lead somewhere."""
    pages = {path.name for path in DOCS.glob("*.[1-9]")}
    wrong = []
    for name in sorted(pages):
        title = re.search(r"^\.Dt (\S+) (\d)$", page(name), re.M)
        if title is None or "%s.%s" % (title.group(1).lower(),
                                       title.group(2)) != name:
            wrong.append("%s has another title" % name)
        for other, section in re.findall(r"^\.Xr (\S+) (\d)", page(name),
                                         re.M):
            if "%s.%s" % (other, section) not in pages | OTHERS:
                wrong.append("%s links to %s(%s)" % (name, other, section))
    return wrong


def check_links():
    """Local links of the Markdown pages."""
    wrong = []
    for path in sorted(list(ROOT.glob("*.md")) + list(DOCS.glob("*.md"))):
        text = path.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#]+)", text):
            if "://" not in link and not link.startswith("mailto:") and \
                    not (path.parent / link).exists():
                wrong.append("%s links to %s" % (path.name, link))
    return wrong


def check_threats():
    """Every way out that is tried has a row, and every row is tried."""
    tried = set()
    for path in sorted((ROOT / "tests/confine").glob("attack_*.c")):
        tried |= set(re.findall(r'^    \{"([\w-]+)", \w+, ',
                                path.read_text(), re.M))
    text = page("THREATS.md")
    rows = set(re.findall(r"^\| ([\w-]+) \|", text[text.index("## Ways"):],
                          re.M)) - {"way"}
    tests = set(re.findall(r"`(?:drive|unit)\.(\w+)`", text))
    known = {path.stem for folder in ("drive", "unit")
             for path in (ROOT / "tests" / folder).iterdir()}
    return (differ("way out", rows, tried) +
            ["THREATS.md names the test %s" % name
             for name in sorted(tests - known)])


CHECKS = [check_methods, check_shapes, check_errors, check_limits,
          check_config_keys, check_policy_keys, check_kinds, check_keywords,
          check_lint_codes,
          check_records, check_executor, check_firewall, check_planner, check_reader,
          check_object, check_record, check_detector, check_lint,
          check_names, check_links, check_threats]


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for check in CHECKS:
        name = check.__name__[len("check_"):]
        try:
            wrong = check()
        except Skip as reason:
            counts["skipped"] += 1
            print("skip  %s: %s" % (name, reason))
            continue
        counts["failed" if wrong else "passed"] += 1
        print("%s  %s" % ("FAIL" if wrong else "ok  ", name))
        for line in wrong:
            print("      " + line)
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % counts)
    if counts["failed"]:
        return 1
    return 0 if counts["passed"] else 77


if __name__ == "__main__":
    sys.exit(main())
