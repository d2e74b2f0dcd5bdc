"""What tests/portable/macos and tests/portable/musl share: the headers of the
installed libraries in a folder of their own, an empty stand-in for each
library, and the project's own CMake files run with another compiler.

Only declarations are taken from this system's headers, and only names from
its libraries: a stand-in exports the names of the real library and contains
no code. So every file is compiled and every program linked as on the other
system, and nothing that comes out can run.
"""
import collections
import os
import pathlib
import re
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("TRIZONE_CACHE") or
                     ROOT / "build/cache").resolve()
INCLUDE = pathlib.Path("/usr/include")
SECONDS = 600  # for one step; the whole takes about one minute
SHOWN = 400  # lines of a failed build

# A library: its name for pkg-config, the files to link (lib*.so or lib*.a),
# its headers below /usr/include (or its multiarch folder), and those of them
# that are searched by themselves.
Library = collections.namedtuple("Library", "name files headers searched")
LIBRARIES = (
    Library("libevent_core", ["event_core"], ["event2"], []),
    Library("libcrypto", ["crypto"], ["openssl"], []),
    Library("sqlite3", ["sqlite3"], ["sqlite3.h"], []),
    Library("libpcre2-8", ["pcre2-8"], ["pcre2.h"], []),
    Library("gmime-3.0", ["gmime-3.0", "gio-2.0", "gobject-2.0", "glib-2.0"],
            ["gmime-3.0", "glib-2.0"], ["gmime-3.0", "glib-2.0"]),
    # for the tests
    Library("check", ["check"], ["check.h", "check_stdint.h"], []),
    Library("jansson", ["jansson"], ["jansson.h", "jansson_config.h"], []),
)
EVDNS = Library("libevent_extra", ["event_extra"], ["event2"], [])
MNL = Library("libmnl", ["mnl"], ["libmnl"], [])
SECCOMP = Library("libseccomp", ["seccomp"],
                  ["seccomp.h", "seccomp-syscalls.h"], [])


class Unavailable(Exception):
    """Something this test needs is not here."""


def run(command, **options):
    options.setdefault("timeout", SECONDS)
    return subprocess.run([str(word) for word in command], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, **options)


def need(program):
    found = shutil.which(program)
    if not found:
        raise Unavailable("there is no " + program)
    return found


def must(command, **options):
    done = run(command, **options)
    if done.returncode != 0:
        raise Unavailable("%s failed:\n%s" % (command[0], done.stdout[:2000]))
    return done.stdout


def multiarch():
    """Debian's second folder below /usr/include and /usr/lib, or ''."""
    done = run([need("cc"), "-print-multiarch"])
    return done.stdout.strip() if done.returncode == 0 else ""


def stage_header(name, stage):
    """Copy a header or a folder of headers; times are kept, so that a second
    run compiles nothing again."""
    found = [folder / name for folder in (INCLUDE, INCLUDE / multiarch())
             if (folder / name).exists()]
    if not found:
        raise Unavailable("no headers %s" % name)
    for path in found:
        if path.is_dir():
            shutil.copytree(path, stage / name, dirs_exist_ok=True)
        else:
            shutil.copy2(path, stage / name)


def library_folders():
    return [pathlib.Path("/usr/lib") / multiarch(), pathlib.Path("/usr/lib")]


def exported(name):
    """(name, is it a function) of what a library of this system offers."""
    for folder in library_folders():
        for path, flag in ((folder / ("lib%s.so" % name), "-D"),
                           (folder / ("lib%s.a" % name), "-g")):
            if path.exists():
                text = must([need("nm"), flag, "--defined-only", path])
                rows = re.findall(r"^[0-9a-f]+ ([A-Za-z]) (\w+)", text, re.M)
                return sorted({(word, kind in "TtWiu")
                               for kind, word in rows})
    raise Unavailable("no library lib%s" % name)


def write(path, text):
    """Write only what differs, so that nothing is built again for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    return path


def option(letter, path):
    """As pkg-config wants it where the path has a space in it."""
    return letter + str(path).replace(" ", "\\ ")


def stage_library(library, stage, stand_in):
    """Headers, stand-ins and the pkg-config file of one library."""
    include = stage / "include"
    for header in library.headers:
        stage_header(header, include)
    for file in library.files:
        stand_in(stage / "lib", file, exported(file))
    version = must([need("pkg-config"), "--modversion", library.name]).strip()
    searched = [include] + [include / folder for folder in library.searched]
    write(stage / "pkgconfig" / (library.name + ".pc"),
          "Name: %s\nDescription: stand-in\nVersion: %s\n"
          "Cflags: %s\nLibs: %s %s\n" % (
              library.name, version,
              " ".join(option("-I", folder) for folder in searched),
              option("-L", stage / "lib"),
              " ".join("-l" + file for file in library.files)))


def stage_glib_config(stage):
    """glib keeps one header beside its library."""
    for folder in library_folders():
        path = folder / "glib-2.0/include/glibconfig.h"
        if path.exists():
            shutil.copy2(path, stage / "include/glib-2.0")
            return
    raise Unavailable("no glibconfig.h")


def stage_all(stage, libraries, stand_in):
    (stage / "include").mkdir(parents=True, exist_ok=True)
    for library in libraries:
        stage_library(library, stage, stand_in)
    stage_glib_config(stage)


def wrapper(path, *words, without=""):
    """A program that runs these words with its own arguments, except
    `without`, behind them."""
    quoted = " ".join(shlex.quote(str(word)) for word in words)
    drop = ('for word; do\n\tshift\n\t[ "$word" = "%s" ] || '
            'set -- "$@" "$word"\ndone\n' % without if without else "")
    write(path, '#!/bin/sh\n%sexec %s "$@"\n' % (drop, quoted))
    path.chmod(0o755)
    return path


def control(cc, work, name, expect):
    """Whether a program that calls `name`, a function it declares itself, can
    be linked must be `expect`; else a good result would mean nothing."""
    source = write(work / (name + ".c"),
                   "int %s(void);\n\nint\nmain(void)\n{\n"
                   "\treturn %s();\n}\n" % (name, name))
    done = run([cc, "-fno-builtin", "-o", work / name, source])
    if (done.returncode == 0) != expect:
        raise RuntimeError("the compiler is of no use: %s %s\n%s" % (
            name, "is missing" if expect else "was found", done.stdout))


def forget_other(build, settings):
    """CMake cannot go on with a folder that was made from other sources, by
    another compiler, or elsewhere."""
    made = build / "made-with"
    now = "".join("%s=%s\n" % pair for pair in
                  sorted(settings.items()) + [("from", ROOT), ("in", build)])
    if not made.exists() or made.read_text(encoding="utf-8") != now:
        shutil.rmtree(build, ignore_errors=True)
    write(made, now)


def configure(build, stage, settings):
    """CMake looks for libraries in `stage` alone."""
    forget_other(build, settings)
    environment = dict(os.environ,
                       PKG_CONFIG_LIBDIR=str(stage / "pkgconfig"),
                       PKG_CONFIG_ALLOW_SYSTEM_CFLAGS="1")
    for name in ("PKG_CONFIG_PATH", "CFLAGS", "CPPFLAGS", "LDFLAGS"):
        environment.pop(name, None)
    settings = dict({
        "CMAKE_BUILD_TYPE": "RelWithDebInfo",
        "CMAKE_FIND_ROOT_PATH": stage,
        "CMAKE_FIND_ROOT_PATH_MODE_PROGRAM": "NEVER",
        "CMAKE_FIND_ROOT_PATH_MODE_LIBRARY": "ONLY",
        "CMAKE_FIND_ROOT_PATH_MODE_INCLUDE": "ONLY",
        "TRIZONE_TESTS": "ON",
        "TRIZONE_WERROR": "ON",
    }, **settings)
    done = run([need("cmake"), "-G", "Ninja", "-S", ROOT, "-B", build] +
               ["-D%s=%s" % pair for pair in settings.items()],
               env=environment)
    if done.returncode != 0:
        raise RuntimeError("CMake failed:\n" + done.stdout)


def outputs(build, rule):
    """What the build makes by this rule, in files below `build`."""
    listed = run([need("ninja"), "-C", build, "-t", "targets", "all"]).stdout
    return set(re.findall(r"^(\S+): " + rule, listed, re.M))


def build_all(build):
    """Build as far as it goes. Returns (failed files, text)."""
    wanted = ["all"]
    if "bench-programs" in outputs(build, "phony"):
        wanted.append("bench-programs")
    done = run([need("cmake"), "--build", build, "-j",
                os.environ.get("TRIZONE_JOBS", "2"), "--target", *wanted,
                "--", "-k", "0"])
    failed = set()
    for line in re.findall(r"^FAILED: (.*)$", done.stdout, re.M):
        failed |= set(line.split())
    if done.returncode != 0 and not failed:
        raise RuntimeError("the build failed:\n" + done.stdout)
    return failed, done.stdout


def show_failure(text):
    lines = [line for line in text.splitlines()
             if not re.match(r"\[\d+/\d+\] |ninja: ", line)]
    print("\n".join(lines[:SHOWN]), flush=True)
    if len(lines) > SHOWN:
        print("(%d more lines)" % (len(lines) - SHOWN))


def report(title, build):
    """Build and say how it went: (passed, failed, skipped) in files. Skipped
    is a program that cannot be linked because a file of it failed."""
    failed, text = build_all(build)
    objects = outputs(build, "C_COMPILER_")
    programs = outputs(build, "C_EXECUTABLE_LINKER_")
    if failed:
        show_failure(text)
    for name in sorted(failed):
        print("%s: FAILED %s" % (title, name))
    made = {name for name in (objects | programs) - failed
            if (build / name).exists()}
    print("%s: %d of %d files compiled, %d of %d programs linked" % (
        title, len(made & objects), len(objects),
        len(made & programs), len(programs)), flush=True)
    return len(made), len(failed), len((objects | programs) - made - failed)


def main(name, parts):
    """Run parts(), which yields what report() returns; the exit status."""
    total = [0, 0, 0]
    try:
        for part in parts():
            total = [sum(pair) for pair in zip(total, part)]
    except Unavailable as why:
        print("%s: skipped: %s" % (name, why))
        return 77
    except (RuntimeError, subprocess.TimeoutExpired) as why:
        print("%s: %s" % (name, why))
        total[1] += 1
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] else 0
