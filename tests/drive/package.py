#!/usr/bin/env python3
"""Debian's package: what is in it, what it asks for, and that it is the same
each time.

usage: package.py BIN

It is made in build/package by the preset of that name. With TRIZONE_LONG=1 all
of it is compiled twice, in folders of their own.
"""
import contextlib
import fcntl
import gzip
import hashlib
import os
import pathlib
import re
import shutil
import tempfile
import time

import harness
from harness import Skipped, absent, check, equal, main, run

BUILD = harness.ROOT / "build" / "package"
PROGRAMS = ("executor", "planner", "reader")
# libraries that have to be asked for, by the start of their packages' names
LIBRARIES = ("libc6", "libevent-core-", "libevent-extra-", "libgmime-3.0-",
             "libmnl0", "libpcre2-8-0", "libseccomp2", "libsqlite3-0",
             "libssl3")
TOOLS = ("cmake", "ninja", "dpkg-deb", "dpkg-shlibdeps", "xz", "strip")


def missing():
    return [name for name in TOOLS if not shutil.which(name)]


def must(done, what):
    check(done.returncode == 0, "%s: %d %s %s", what, done.returncode,
          done.stdout[-1500:], done.stderr[-1500:])
    return done.stdout.decode(errors="replace")


def build(folder, source=harness.ROOT, settings=(), **env):
    """Compile and pack; the path of the package."""
    must(run(["cmake", "-S", source, "-B", folder, "--preset", "package",
              *settings], seconds=300, cwd=source), "cmake")
    for old in folder.glob("*.deb"):
        old.unlink()
    must(run(["cmake", "--build", folder, "--target", "package"],
             seconds=1500, env=harness.environment(**env)), "package")
    made = sorted(folder.glob("*.deb"))
    equal(len(made), 1, "packages in %s" % folder)
    return made[0]


def package():
    """The package of this tree, made once; others wait for who makes it."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return build(BUILD)


@contextlib.contextmanager
def unpacked(path):
    """Its files and, in DEBIAN, its scripts."""
    with tempfile.TemporaryDirectory(prefix="trizone-package.") as name:
        must(run(["dpkg-deb", "-R", path, name]), "dpkg-deb")
        yield pathlib.Path(name)


def fields(path):
    text = must(run(["dpkg-deb", "-f", path]), "dpkg-deb")
    return dict(re.findall(r"^(\S+): (.*(?:\n .*)*)", text, re.M))


def asks_for(path):
    """A dependency for each library that the programs load, and for what the
    scripts run."""
    row = fields(path)
    equal(row["Package"], "trizone", "name")
    check(row["Version"].startswith(harness.version_of() + "-"), "%s",
          row["Version"])
    depends = [one.strip().split(" ")[0]
               for one in row["Depends"].split(",")]
    for library in LIBRARIES:
        check(any(one.startswith(library) for one in depends), "no %s: %r",
              library, depends)
    check("systemd" in depends, "no systemd: %r", depends)
    check("age" in row["Recommends"], "no age: %r", row)
    return "%d dependencies" % len(depends)


def holds(path):
    """Owners, modes, pages that are compressed, nothing outside its places."""
    text = must(run(["dpkg-deb", "-c", path]), "dpkg-deb")
    times = set()
    for line in text.splitlines():
        mode, owner, _, day, clock, name = line.split(None, 5)
        equal(owner, "root/root", name)
        times.add((day, clock))
        check(re.match(r"\./(etc/(apparmor|logrotate)\.d/|usr/(bin|share)/|"
                       r"usr/lib/(systemd/system|sysusers\.d|tmpfiles\.d|"
                       r"trizone)/)", name) or mode[0] == "d",
              "%s is elsewhere", name)
        program = re.search(r"/usr/bin/|trizone/(eval|vm/)", name) and \
            not re.search(r"/(devices\.|common)", name)
        check(mode[0] == "d" and mode == "drwxr-xr-x" or
              mode == "-rw-r--r--" or program and mode == "-rwxr-xr-x",
              "%s has %s", name, mode)
        check(not re.search(r"man/man./.*\.[0-9]$", name), "%s is not "
              "compressed", name)
    equal(len(times), 1, "times: %r" % times)
    with unpacked(path) as root:
        pages = sorted((root / "usr/share/man").rglob("*.gz"))
        docs = [page for page in (harness.ROOT / "docs").iterdir()
                if re.search(r"\.[1-9]$", page.name)]
        equal(len(pages), len(docs), "pages")
        for page in pages:
            raw = page.read_bytes()
            equal(raw[4:8], bytes(4), "%s has a time" % page.name)
            equal(gzip.decompress(raw),
                  (harness.ROOT / "docs" / page.stem).read_bytes(),
                  page.name)
        listed = (root / "DEBIAN/conffiles").read_text().split()
        equal(sorted(listed), sorted(
            "/" + str(one.relative_to(root)) for one in
            (root / "etc").rglob("*") if one.is_file()), "conffiles")
        words = (root / "usr/share/doc/trizone/copyright").read_text()
        for name in ("LICENSE", "docs/LICENSE-unicode"):
            for line in (harness.ROOT / name).read_text().splitlines():
                check(line in words, "copyright has not %r", line)
        unit = (root / "usr/lib/systemd/system/trizone-executor.service"
                ).read_text()
        check("ExecStart=/usr/bin/trizone-executor run" in unit, "%s", unit)


def programs_are_the_same(path):
    """Compiled in another folder they have the same bytes, but for the number
    that goes by what a debugger wants to know, such as the folder."""
    here = harness.folder_of_programs()
    with unpacked(path) as root, tempfile.TemporaryDirectory() as other:
        for name in PROGRAMS:
            hashes = set()
            for program in (here / ("trizone-" + name),
                            root / "usr/bin" / ("trizone-" + name)):
                out = pathlib.Path(other, "program")
                must(run(["strip", "-R", ".note.gnu.build-id", "-o", out,
                          program]), "strip")
                hashes.add(hashlib.sha256(out.read_bytes()).hexdigest())
            equal(len(hashes), 1, "trizone-%s: kinds of bytes" % name)


def same_each_time(path):
    """Packed at another time, in another place of the world, with another
    mask, it has the same bytes."""
    before = path.read_bytes()
    time.sleep(1.1)  # files have another second
    for each in BUILD.glob("_CPack_Packages"):
        shutil.rmtree(each)
    old = os.umask(0o077)
    try:
        again = build(BUILD, TZ="Asia/Kolkata", LC_ALL="C", USER="x",
                      HOME="/nonexistent")
    finally:
        os.umask(old)
    check(again.read_bytes() == before, "other bytes")
    return hashlib.sha256(before).hexdigest()[:16]


def same_from_the_start(path):
    """Compiled anew, from copies of the tree in folders of two names, too. A
    cache of the compiler's would put other folders' names into it."""
    del path
    if os.environ.get("TRIZONE_LONG") != "1":
        raise Skipped("two compilations: with TRIZONE_LONG=1")
    listed = must(run(["git", "-C", harness.ROOT, "ls-files"]),
                  "git").split("\n")
    hashes = set()
    for folder in ("one", "another-name"):
        with tempfile.TemporaryDirectory() as name:
            copy = pathlib.Path(name, folder)
            for each in filter(None, listed):
                if (harness.ROOT / each).is_file():
                    (copy / each).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(harness.ROOT / each, copy / each)
            made = build(copy / "build" / "package", copy,
                         ["-DCMAKE_C_COMPILER_LAUNCHER="])
            hashes.add(hashlib.sha256(made.read_bytes()).hexdigest())
    equal(len(hashes), 1, "kinds of bytes")


def lintian_has_nothing(path):
    if shutil.which("lintian") is None:
        absent("lintian")
    done = run(["lintian", "--fail-on", "error,warning", "--allow-root",
                path], seconds=120)
    equal(done.returncode, 0, done.stdout.decode())
    equal(done.stdout, b"", "said")


def body(suite):
    if missing():
        print("skipped: no %s" % " ".join(missing()))
        raise SystemExit(77)
    path = suite.case("is made", lambda: str(package()))
    if path is None:
        return
    path = pathlib.Path(path)
    for case in (asks_for, holds, programs_are_the_same, lintian_has_nothing,
                 same_each_time, same_from_the_start):
        suite.case(case.__name__.replace("_", " "), case, path)


if __name__ == "__main__":
    main(body)
