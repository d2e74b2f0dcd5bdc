#!/usr/bin/env python3
"""Check the AppArmor profiles that the build made.

usage: apparmor.py [BIN]

They are in BIN/../apparmor. apparmor_parser compiles each with all that ABI
3.0 knows, without loading it; it has to find a mistake that is put in; and
the text has to name each role, namespace and capability of the tables in the
source. Exit status: 0, 1, or 77 where there is no parser or no profile.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(sys.argv[1] if len(sys.argv) > 1
                   else os.environ["TRIZONE_BIN"]).resolve()
NAMES = ("executor", "planner", "reader")
FEATURES = "/etc/apparmor.d/abi/3.0"
SECONDS = 60
# A worker has no profile of its own, as it is forked and not executed.
FORKED = {"worker"}


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def parse(text, *options):
    """(status, what it said); nothing is loaded (-Q) or cached (-K)."""
    done = subprocess.run(
        [PARSER, "-QK", "-M", FEATURES, "--warn=rule-not-enforced",
         "--Werror=rule-not-enforced", *options], input=text.encode(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
        check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def rows(name):
    """{role: {namespaces}} of the program's profile.c."""
    source = read(name + "/profile.c")
    own = re.search(r"#define OWN \(?([^)\n]*)\)?", source)
    found = {}
    for part in source.split(".role = ")[1:]:
        role = re.match(r'"(\w+)"', part).group(1)
        words = re.search(r"\.namespaces = ([^,]*),", part)
        words = words.group(1) if words else ""
        if own:
            words = words.replace("OWN", own.group(1))
        found[role] = set(re.findall(r"LOCK_(\w+)", words))
    return {role: found[role] for role in set(found) - FORKED}


def compiles(name, text):
    status, said = parse(text)
    yield status == 0, "%s is refused: %s" % (name, said)
    status, said = parse(text, "-d")
    yield ("trizone-" + name) in said, "the dump has no " + name
    status, said = parse(text.replace("network unix,", "network nonsense,"))
    yield status != 0, "a wrong rule in %s is taken" % name


def names_all(name, text):
    listed = dict(re.findall(r"^# (\w+): namespaces (.*)$", text, re.M))
    table = rows(name)
    yield set(listed) == set(table), "%s names the roles %s" % (
        name, sorted(listed))
    for role, words in sorted(table.items()):
        named = {word.upper() for word in listed.get(role, "").split()}
        yield named - {"-"} == words, "%s: %s has the namespaces %s" % (
            name, role, sorted(named))
    kept = re.search(r"privilege_parent\(void\)\n\{(.*?)\n\}",
                     read("common/privilege_linux.c"), re.S).group(1)
    wanted = {"SETUID", "SETGID", "SETPCAP", "SYS_ADMIN"}
    if name == "executor":
        wanted |= set(re.findall(r"CAP_(\w+)", kept))
    given = {word.upper() for word in
             re.findall(r"^  capability (\w+),$", text, re.M)}
    yield wanted <= given, "%s lacks %s" % (name, sorted(wanted - given))


def keeps_shut(name, text):
    """Rights that no program of ours needs."""
    rules = "\n".join(line for line in text.splitlines()
                      if not line.lstrip().startswith("#"))
    for word in (r"\bnetwork,", r"\bnetwork (inet|packet|vsock)",
                 r"\bcapability,", r"\bmount,", r"\bptrace\b", r"\bU?x,",
                 r"/\*\* [rwk]*w"):
        yield re.search(r"^\s*" + word, rules, re.M) is None, \
            "%s has %s" % (name, word)


def newer(name, text):
    """The text for 4.0 is this one and a word that 3.0 does not know."""
    path = re.search(r"^profile \S+ (\S+)", text, re.M).group(1)
    made = subprocess.run([BIN / "apparmor_print", name, path, "userns"],
                          stdout=subprocess.PIPE, timeout=SECONDS,
                          check=True).stdout.decode()
    yield ("\n  userns,\n" in made and
           made.replace("\n  userns,\n", "\n", 1).replace(
               "abi/4.0", "abi/3.0") == text), \
        "%s for 4.0 differs in more than that" % name


def main():
    passed = failed = skipped = 0
    for name in NAMES:
        path = BIN.parent / "apparmor" / ("trizone-" + name)
        if not path.exists():
            print("skipped: there is no %s" % path.name)
            skipped += 1
            continue
        text = path.read_text(encoding="utf-8")
        for check in (compiles, names_all, keeps_shut, newer):
            for good, why in check(name, text):
                passed += good
                failed += not good
                if not good:
                    print("FAILED " + why)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0 if passed else 77


if __name__ == "__main__":
    PARSER = shutil.which("apparmor_parser",
                          path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if PARSER is None or not os.path.exists(FEATURES):
        print("skipped: there is no apparmor_parser with its features")
        print("0 passed, 0 failed, 1 skipped")
        sys.exit(77)
    sys.exit(main())
