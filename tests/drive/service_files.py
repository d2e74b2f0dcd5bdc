#!/usr/bin/env python3
"""The files that start the programs: sockets, plists, scripts of OpenRC, logs,
the weekly job, and what vm/install adds and vm/uninstall takes away.

usage: service_files.py BIN

Linux; OpenRC runs for real in a mount namespace, from Debian's package, which
is unpacked and not installed.
"""
import contextlib
import json
import os
import pathlib
import plistlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time

import harness
import review
from harness import (Failed, Host, absent, check, equal, mail, main, run,
                     until)

VM = harness.ROOT / "vm"
GOLDEN = harness.ROOT / "tests" / "data" / "launchd.json"
SCRIPTS = ("eval", "install", "uninstall", "openrc/trizone-executor",
           "openrc/trizone-zone", "openrc/trizone-firewall",
           "openrc/trizone-eval", "deb/postinst", "deb/prerm", "deb/postrm")
PREFIX = "/usr/local"


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="trizone-files.") as name:
        yield pathlib.Path(name)


def must(done, what):
    check(done.returncode == 0, "%s: %d %s %s", what, done.returncode,
          done.stdout[-1500:], done.stderr[-1500:])
    return done.stdout.decode()


#
# Each file by itself.
#

def words_of(path):
    """{key: [values]} of a unit."""
    found = {}
    for line in path.read_text().splitlines():
        match = re.match(r"(\w+)=(.*)$", line)
        if match:
            found.setdefault(match.group(1), []).append(match.group(2))
    return found


def sockets_are_ours():
    """What systemd opens is what the service takes."""
    paths = sorted((VM / "systemd").glob("*.socket"))
    equal([path.stem for path in paths],
          ["trizone-deliver", "trizone-operator", "trizone-zone@"], "sockets")
    for path, name, group in zip(paths, ("deliver", "operator", "%i"),
                                 ("trizone-deliver", "trizone-ops", None)):
        row = words_of(path)
        equal(row["ListenStream"], ["/run/trizone/%s.sock" % name], "place")
        equal(row["FileDescriptorName"], [name], "name")
        equal(row["Service"], ["trizone-executor.service"], "service")
        equal((row["SocketUser"], row["SocketMode"]), (["root"], ["0660"]),
              "owner")
        equal(row.get("SocketGroup"), [group] if group else None, "group")
        check("Accept" not in row, "a process for each connection")
    service = words_of(VM / "systemd" / "trizone-executor.service")
    equal(service["RuntimeDirectoryPreserve"], ["yes"], "sockets are removed")
    equal(service["Type"], ["notify"], "Type")


def units_are_known():
    if shutil.which("systemd-analyze") is None:
        absent("systemd-analyze")
    with folder() as place:
        for path in sorted((VM / "systemd").iterdir()):
            name = path.name.replace("@.", "@mail.")
            (place / name).write_text(path.read_text())
        for path in sorted(place.iterdir()):
            done = run(["systemd-analyze", "verify", "--man=no", path])
            wrong = [line for line in done.stderr.decode().splitlines()
                     if re.search(r"Unknown|ignoring|Failed to parse|[Rr]efus"
                                  r"|Invalid", line)]
            check(not wrong, "%s: %r", path.name, wrong)


def tmpfiles_make_folders():
    if shutil.which("systemd-tmpfiles") is None:
        absent("systemd-tmpfiles")
    with folder() as root:
        must(run(["systemd-tmpfiles", "--root", root, "--create",
                  VM / "tmpfiles" / "trizone.conf"]), "systemd-tmpfiles")
        for name in ("run/trizone", "var/lib/trizone"):
            equal(stat.S_IMODE((root / name).stat().st_mode), 0o711, name)


def plists():
    found = {}
    for path in sorted((VM / "launchd").glob("*.plist")):
        with open(path, "rb") as file:
            found[path.name] = plistlib.load(file)
    return found


def plists_are_golden():
    equal(plists(), json.loads(GOLDEN.read_text()),
          "they differ from tests/data/launchd.json")


def plists_hold_together():
    """Labels are names, sockets are the service's, and no job leaves
    launchd's hands."""
    for name, row in plists().items():
        label = {"trizone.agent.plist": "trizone.agent.moltbot",
                 "trizone.zone.plist": "trizone.zone.NAME"}.get(
                     name, name[:-len(".plist")])
        equal(row["Label"], label, name)
        check("UserName" not in row and "AbandonProcessGroup" not in row,
              "%s: %r", name, row)
        check(os.path.isabs(row["ProgramArguments"][0]), "%s: path", name)
    sockets = plists()["trizone.executor.plist"]["Sockets"]
    equal(set(sockets), {"operator", "deliver", "planner", "mail"},
          "those of `init`")
    header = (harness.ROOT / "common" / "platform_macos.c").read_text()
    for name, row in sockets.items():
        place = os.path.dirname(row["SockPathName"])
        check('return "%s";' % place in header, "`init` has another: %s",
              place)
        equal(row, {"SockFamily": "Unix", "SockType": "stream",
                    "SockPathName": "%s/%s.sock" % (place, name),
                    "SockPathMode": 0o660}, name)
        check(len(row["SockPathName"]) < 104, "too long")


def newsyslog_knows_each_log():
    rows = [line.split() for line in
            (VM / "newsyslog" / "trizone.conf").read_text().splitlines()
            if line and line[0] != "#"]
    for row in rows:
        equal(len(row), 7, "fields of %r" % row)
        equal(row[1:3], ["root:wheel", "640"], row[0])
        check(row[3].isdigit() and row[4].isdigit(), "%r", row)
        check(re.fullmatch(r"\$W0D\d+", row[5]), "%r", row)
        check(re.fullmatch(r"G?N", row[6]), "%r", row)
    patterns = [re.compile(re.escape(row[0]).replace(r"\*", "[^/]*"))
                for row in rows]
    for name, plist in plists().items():
        for key in ("StandardErrorPath", "StandardOutPath"):
            log = plist.get(key, "")
            check(not log.startswith("/var/log") or any(
                one.fullmatch(log) for one in patterns), "%s: %s", name, log)


def scripts_are_clean():
    if shutil.which("shellcheck") is None:
        absent("shellcheck")
    must(run(["shellcheck", *(VM / name for name in SCRIPTS)]), "shellcheck")


def logs_are_rotated():
    """A log is cut while its writer has it open, and nothing is lost."""
    if shutil.which("logrotate") is None or not harness.is_root():
        absent("logrotate, or not root")
    text = (VM / "logrotate" / "trizone").read_text()
    must(run(["logrotate", "-d", VM / "logrotate" / "trizone"]), "debug")
    with folder() as place:
        for name in ("var/log/trizone", "run/trizone/machines"):
            (place / name).mkdir(parents=True)
        conf = place / "conf"
        conf.write_text(re.sub(r"(?<=[\n ])/(?=(var|run)/)", "%s/" % place,
                               text))
        log = place / "var/log/trizone/executor.log"
        with open(log, "ab", buffering=0) as out:
            out.write(b"one\n")
            must(run(["logrotate", "-f", "-s", place / "state", conf]), "-f")
            out.write(b"two\n")
            equal(log.read_bytes(), b"two\n", "the new one")
            equal(log.with_name("executor.log.1").read_bytes(), b"one\n",
                  "the old one")


#
# The weekly job.
#

def weekly(host, answers):
    host.config["zones"]["mail"]["suspect"] = "withhold"
    host.write_settings()
    host.start()
    host.attach_reader()
    sent = host.folder / "sent"
    mailer = host.folder / "mailer"
    mailer.write_text('#!/bin/sh\nprintf "%%s\\n" "$*" >%s\ncat >>%s\n'
                      % (sent, sent))
    mailer.chmod(0o755)
    for number in range(answers):
        one = host.deliver_and_wait(harness.mail(
            "Urgent %d" % number, review.SUSPECT + "\n"), "held")
        if number % 2:
            host.approve(one)
        else:
            host.review("deny", one)
    env = {"TRIZONE_CONFIG": str(host.config_path),
           "TRIZONE_BIN": str(host.bin), "TRIZONE_SENDMAIL": str(mailer),
           "TMPDIR": str(host.folder)}
    before = set(os.listdir(host.folder))
    said = must(run([VM / "eval"], env=harness.environment(**env)), "eval")
    equal(set(os.listdir(host.folder)) - before, {"sent"}, "left")
    head, _, text = sent.read_text().partition("\n\n")
    equal(head.splitlines()[0], "-oi root", "to whom")
    check("Auto-Submitted: auto-generated" in head, "%r", head)
    equal(["trizone-eval: " + line for line in text.splitlines()],
          said.splitlines(), "said and sent")
    sent.unlink()
    must(run([VM / "eval"], env=harness.environment(**dict(
        env, TRIZONE_SENDMAIL=""))), "without mail")
    must(run([VM / "eval"], env=harness.environment(**dict(
        env, TRIZONE_SENDMAIL="no-such-program"))), "without a program")
    check(not sent.exists(), "it was sent")
    return said, env


def weekly_report():
    with review.Reviewed() as host:
        said, env = weekly(host, 4)
        check(re.search(r"now +score 0\.5000: 2 attacks and 2 benign", said),
              "%s", said)
        check("proposed" in said, "%s", said)
        host.stop_executor()
        done = run([VM / "eval"], env=harness.environment(**env))
        equal(done.returncode, 69, "without a service: %r" % done.stderr)
        equal([name for name in os.listdir(host.folder)
               if name.startswith("trizone-eval")], [], "left")


def weekly_without_answers():
    with review.Reviewed() as host:
        said, _ = weekly(host, 0)
        check("no answers about suspect content yet" in said, "%s", said)


def weekly_in_steps():
    """As the unit does it: fetching and sending are another's."""
    with review.Reviewed() as host:
        said, env = weekly(host, 2)
        place = host.folder / "steps"
        place.mkdir(mode=0o700)
        if harness.is_root():
            os.chown(place, harness.ACCOUNTS["reader"],
                     harness.ACCOUNTS["reader"])
        env = harness.environment(**env)
        must(run([VM / "eval", "fetch", place], env=env), "fetch")
        judged = run([VM / "eval", "judge", place], env=env, **(
            {"user": harness.ACCOUNTS["reader"],
             "group": harness.ACCOUNTS["reader"], "extra_groups": []}
            if harness.is_root() else {}))
        equal(must(judged, "judge"), said, "said")
        # what it leaves may be anything: that is not sent as it is
        (place / "report").unlink()
        (place / "report").write_bytes(b"a\x1b[31m\x00b\xff\n" + b"x" * 99999)
        must(run([VM / "eval", "send", place], env=env), "send")
        text = (host.folder / "sent").read_bytes().split(b"\n\n", 1)[1]
        check(re.fullmatch(rb"[ -~\n]{1,16384}", text) and
              text.startswith(b"a[31mb\n"), "%r", text[:100])
        (place / "report").unlink()
        (place / "report").symlink_to("/etc/hostname")
        equal(run([VM / "eval", "send", place], env=env).returncode, 69,
              "a link")


def limited_without_timeout():
    """Its own limit of time, where a system has no timeout(1)."""
    function = re.search(r"^limited\(\) \{.*?^\}$", (VM / "eval").read_text(),
                         re.M | re.S)[0]
    with tempfile.TemporaryDirectory() as place:
        for name in ("sh", "sleep", "cat", "false"):
            os.symlink(shutil.which(name), os.path.join(place, name))

        def limited(seconds, *command):
            began = time.monotonic()
            done = run([shutil.which("sh"), "-euc",
                        function + '\nlimited "$@"', "-", str(seconds),
                        *command], data=b"a line\n", env={"PATH": place})
            return done.returncode, done.stdout, time.monotonic() - began
        equal(limited(9, "cat")[:2], (0, b"a line\n"), "what it is given")
        equal(limited(9, "false")[0], 1, "its status")
        status, _, took = limited(1, "sleep", "60")
        equal((status, took < 10), (143, True), "a stuck one")
        status, _, took = limited(1, "sh", "-c", "trap '' TERM; exec sleep 60")
        equal((status, took < 30), (137, True), "a stubborn one")


#
# Install and uninstall.
#

def tree(root):
    """What is there: kind, mode, owner and bytes by path."""
    found = {}
    for path in sorted(root.rglob("*")):
        row = path.lstat()
        what = os.readlink(path) if path.is_symlink() else \
            path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(root))] = (
            stat.S_IMODE(row.st_mode), row.st_uid, row.st_gid, what)
    return found


def configure(place, services, **more):
    """A build folder of its own, from which nothing is compiled."""
    must(run(["cmake", "-S", harness.ROOT, "-B", place, "-G", "Ninja",
              "-DTRIZONE_TESTS=OFF", "-DTRIZONE_SERVICES=" + services,
              "-DCMAKE_INSTALL_PREFIX=" + PREFIX,
              *("-D%s=%s" % pair for pair in more.items())], seconds=300),
         "cmake")


def stage(place, services):
    """Everything below place/staged as an install of `services` has it: the
    programs of this build, and files of the other manager."""
    built = harness.folder_of_programs().parent
    staged = place / "staged"
    env = harness.environment(DESTDIR=str(staged))
    must(run(["cmake", "--install", built, "--prefix", PREFIX], env=env,
             seconds=120), "cmake --install")
    if services != "systemd":
        for path in sorted(staged.rglob("*")):
            if path.is_file() and re.search(
                    r"/(systemd|sysusers\.d|tmpfiles\.d|logrotate\.d)/",
                    str(path)):
                path.unlink()
        configure(place / "other", services)
        must(run(["cmake", "--install", place / "other", "--component",
                  "services"], env=env), "component")
    return staged


def install(place, *more, status=0):
    done = run([VM / "install", "--staged", place / "staged", "--destdir",
                place / "root", *more], seconds=120)
    equal(done.returncode, status, "install: %r" % done.stderr[-800:])
    return done.stdout.decode() + done.stderr.decode()


def uninstall(place, *more):
    return must(run(["sh", place / ("root" + PREFIX) / "lib" / "trizone" /
                     "uninstall", "--destdir", place / "root", *more]),
                "uninstall")


def prepared(place):
    """A system on which some of the folders are, and files of others."""
    for name in ("etc/logrotate.d", "usr/local/bin", "usr/local/lib", "etc"):
        (place / "root" / name).mkdir(parents=True, exist_ok=True)
    (place / "root/usr/local/bin/other").write_text("x")
    (place / "root/etc/logrotate.d/other").write_text("x")
    return tree(place / "root")


LAYOUT = {
    "systemd": ["usr/local/lib/systemd/system/trizone-executor.service",
                "usr/local/lib/systemd/system/trizone-zone@.socket",
                "usr/local/lib/sysusers.d/trizone.conf",
                "usr/local/lib/tmpfiles.d/trizone.conf",
                "etc/logrotate.d/trizone"],
    "openrc": ["etc/init.d/trizone-executor", "etc/init.d/trizone-zone",
               "etc/init.d/trizone-firewall", "etc/logrotate.d/trizone"],
    "launchd": ["Library/LaunchDaemons/trizone.executor.plist",
                "Library/LaunchDaemons/trizone.eval.plist",
                "usr/local/share/trizone/launchd/trizone.zone.plist",
                "etc/newsyslog.d/trizone.conf"]}


def installed_and_gone(services):
    """What is added is gone afterwards, and nothing else."""
    with folder() as place:
        stage(place, services)
        before = prepared(place)
        would = install(place, "--dry-run")
        equal(tree(place / "root"), before, "a dry run")
        install(place)
        now = tree(place / "root")
        added = {path for path in now if path not in before}
        for path in (*LAYOUT[services], "usr/local/bin/trizone-executor",
                     "usr/local/lib/trizone/eval",
                     "usr/local/lib/trizone/uninstall"):
            check(path in added, "%s is missing", path)
        for path in added:
            check("%s/root/%s\n" % (place, path) in would, "not told: %s",
                  path)
        for path, (mode, uid, gid, what) in now.items():
            if path in before:
                equal(now[path], before[path], path)
                continue
            equal((uid, gid), (os.geteuid(), os.getegid()), path)
            program = "/bin/" in path or "/init.d/" in path or \
                re.search(r"trizone/(eval|uninstall|vm/)", path) or \
                "cron.weekly/" in path
            check(what is None or mode == (0o755 if program else 0o644)
                  or "trizone/vm/" in path, "%s has mode %o", path, mode)
            check(what is None or b"/usr/bin/trizone" not in what or
                  services == "systemd" and "uninstall" in path or
                  "/man/" in path or "/bin/" in path or
                  "trizone/vm/" in path, "%s names /usr/bin",
                  path)
        install(place)
        equal(tree(place / "root"), now, "installed again")
        # what the service writes is nobody's to remove but by --purge
        for name in ("etc/trizone", "var/lib/trizone/audit", "run/trizone",
                     "var/log/trizone"):
            (place / "root" / name).mkdir(parents=True)
            (place / "root" / name / "file").write_text("x")
        uninstall(place)
        left = tree(place / "root")
        check("var/lib/trizone/audit/file" in left, "state is gone")
        check("usr/local/bin/trizone-executor" not in left, "not gone")
        equal({path for path in left if "/init.d" in path}, set(), "scripts")
        install(place)
        # what systemd and its operator add beside our units
        units = place / "root/etc/systemd/system"
        wants = units / "trizone-executor.service.wants"
        wants.mkdir(parents=True)
        for link in (wants / "trizone-zone@mail.service",
                     units / "trizone-zone@text.service"):
            link.symlink_to(PREFIX +
                            "/lib/systemd/system/trizone-zone@.service")
        (units / "trizone-zone@mail.service.d").mkdir()
        (units / "trizone-zone@mail.service.d/own.conf").write_text("x")
        (units / "other.service.d").mkdir()
        (units / "other.service").symlink_to("/lib/systemd/system/its")
        timers = place / "root/var/lib/systemd/timers"
        timers.mkdir(parents=True)
        (timers / "stamp-trizone-eval.timer").write_text("")
        uninstall(place, "--purge")
        left = tree(place / "root")
        for path in ("etc/systemd/system/other.service.d",
                     "etc/systemd/system/other.service",
                     "etc/systemd/system", "etc/systemd",
                     "var/lib/systemd/timers", "var/lib/systemd"):
            check(left.pop(path, None), "%s is gone", path)
        for path in ("var/lib", "var/log", "var", "run"):
            left.pop(path, None)  # made by this test
        equal(left, before, "left behind")
        return "%d files and folders" % len(added)


def newer_version():
    """Files that a newer version has not are gone; those of others stay."""
    with folder() as place:
        staged = stage(place, "systemd")
        before = prepared(place)
        extra = staged / "usr/local/share/trizone/old/file"
        extra.parent.mkdir()
        extra.write_text("x")
        install(place)
        shutil.rmtree(extra.parent)
        install(place)
        check("usr/local/share/trizone/old/file" not in tree(place / "root"),
              "it is still there")
        uninstall(place)
        left = tree(place / "root")
        equal({path for path in left if "trizone" in path}, set(), "left")
        check(set(before) <= set(left), "taken from others")


CUT = """#!/bin/sh
# the last time it is called it ends as it is told
echo >>%(count)s
[ "$(wc -l <%(count)s)" -lt %(last)d ] || {
	%(end)s
}
exec %(tool)s "$@"
"""


def cut_off():
    """An install that was killed, or had no more room: the next one goes on,
    and uninstall leaves nothing, of a newer version over an older one too."""
    with folder() as place:
        staged = stage(place, "systemd")
        before = prepared(place)
        tools = place / "tools"
        tools.mkdir()

        def cut(tool, last, end):
            (place / "count").write_text("")
            (tools / tool).write_text(CUT % {
                "count": place / "count", "last": last, "end": end,
                "tool": shutil.which(tool)})
            (tools / tool).chmod(0o755)
            done = run(["sh", VM / "install", "--staged", staged,
                        "--destdir", place / "root"],
                       env=harness.environment(
                           PATH="%s:%s" % (tools, os.environ["PATH"]),
                           TMPDIR=str(place)))
            (tools / tool).unlink()
            check(done.returncode not in (0, 78), "cut off: %r", done)

        ends = (("cp", 20, 'head -c 9 "$2" >"$3"; echo full >&2; exit 1'),
                ("cp", 2, "kill -9 $PPID; exit 1"),
                ("mv", 1, "kill -9 $PPID; exit 1"),
                ("mv", 30, "kill -9 $PPID; exit 1"))
        for end in ends:
            for again in (False, True):
                cut(*end)
                if again:
                    install(place)
                elif end == ("mv", 1, end[2]):
                    continue  # nothing was installed yet
                must(run(["sh", VM / "uninstall", "--prefix", PREFIX,
                          "--destdir", place / "root"]), "uninstall")
                left = tree(place / "root")
                equal(set(left) - set(before), set(), "left by %r" % (end,))
        for end in ends:
            extra = staged / "usr/local/share/trizone/old/file"
            extra.parent.mkdir()
            extra.write_text("x")
            install(place)
            shutil.rmtree(extra.parent)
            cut(*end)
            uninstall(place)
            equal(tree(place / "root"), before, "of an older one, %r" % (end,))


def not_written_over():
    """What is there and not ours is named, and nothing is done."""
    with folder() as place:
        stage(place, "systemd")
        prepared(place)
        theirs = place / "root/usr/local/bin/trizone-reader"
        theirs.write_text("another's")
        before = tree(place / "root")
        said = install(place, status=78)
        check(str(theirs) in said and "move it away" in said, "%s", said)
        equal(tree(place / "root"), before, "something was done")
        theirs.unlink()
        theirs.symlink_to("/nowhere")
        install(place, status=78)
        theirs.unlink()
        share = place / "root/usr/local/share"
        share.write_text("a file")
        check("no folder" in install(place, status=78), "%s", said)
    for words in (["--prefix"], ["--prefix", "usr"], ["--what"], ["x"],
                  ["--destdir", "/a b"], ["-DX=a b"]):
        equal(run([VM / "install", *words]).returncode, 64, "%r" % words)
    done = run(["sh", VM / "uninstall", "--destdir", "/nowhere"])
    equal(done.returncode, 66, "uninstall of nothing: %r" % done.stderr)


def by_busybox():
    """With the tools of Alpine alone, and its shell."""
    busybox = shutil.which("busybox")
    if busybox is None:
        absent("busybox")
    with folder() as place:
        tools = place / "tools"
        tools.mkdir()
        for name in run([busybox, "--list"]).stdout.decode().split():
            (tools / name).symlink_to(busybox)
        env = harness.environment(PATH=str(tools))
        stage(place, "systemd")
        before = prepared(place)
        must(run(["sh", VM / "install", "--staged", place / "staged",
                  "--destdir", place / "root"], env=env,
                 executable=tools / "sh"), "install")
        equal((place / "root/usr/local/bin/trizone-reader").read_bytes(),
              (place / "staged/usr/local/bin/trizone-reader").read_bytes(),
              "a program")
        must(run(["sh", place / "root/usr/local/lib/trizone/uninstall",
                  "--destdir", place / "root", "--purge"], env=env,
                 executable=tools / "sh"), "uninstall")
        equal(tree(place / "root"), before, "left behind")


def accounts_of_macos():
    """What is purged there is what `init` makes."""
    function = re.search(r"^remove_accounts\(\) \{.*?^\}$",
                         (VM / "uninstall").read_text(), re.M | re.S)[0]
    done = must(run(["sh", "-euc", "uname() { echo Darwin; }\n"
                     "try() { echo \"$@\"; }\n" + function +
                     "\nremove_accounts"]), "remove_accounts")
    prefix = re.search(r'return "(_\w+)";', (
        harness.ROOT / "common" / "platform_macos.c").read_text())[1]
    roles = re.findall(r"^    \[ACCOUNT_\w+\] = \"(\w+)\",$", (
        harness.ROOT / "executor" / "accounts.c").read_text(), re.M)
    want = {"dscl . -delete /%s/%s%s" % (kind, prefix, role)
            for role in roles for kind in ("Users", "Groups")}
    want |= {"dscl . -delete /Groups/trizone-" + name
             for name in ("ops", "deliver")}
    equal(set(done.splitlines()), want, "accounts")


def reload_of_newer_systemd():
    """The unit waits for a reload by itself where that is known."""
    with folder() as place:
        for version, kind, reload in (("252", "notify", True),
                                      ("253", "notify-reload", False),
                                      ("257", "notify-reload", False),
                                      ("0", "notify", True)):
            configure(place / "b", "systemd", TRIZONE_SYSTEMD=version)
            row = words_of(place / "b" / "services" / "systemd" /
                           "trizone-executor.service")
            equal(row["Type"], [kind], "Type for " + version)
            equal("ExecReload" in row, reload, "ExecReload for " + version)
            equal(row["ExecStart"], [PREFIX + "/bin/trizone-executor run"],
                  "ExecStart")


#
# OpenRC, for real.
#

OPENRC = r"""
set -eu
mount -t proc proc /proc
mount -t tmpfs -o mode=755 none /run
mkdir /run/lock
for name in starting started stopping inactive wasinactive failed hotplugged \
	daemons options exclusive scheduled tmp init.d; do
	mkdir -p /run/openrc/$name
done
touch /run/openrc/softlevel
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
say() { printf '%s\n' "$*"; }
within() { # of 30 seconds
	i=0
	until "$@"; do
		i=$((i + 1))
		[ $i -lt 300 ] || {
			say "late: $*"
			trizone-executor inbox list
			trizone-executor status
			cat /var/log/trizone/*
			return 1
		}
		sleep 0.1
	done
}
child() { cat /run/openrc/options/$1/child_pid; }
is_done() { trizone-executor inbox list | grep -q ' done '; }
is_new() { [ "$(child $1)" != "$2" ]; }
up() { rc-service "$1" status | grep -q started; }

if rc-service trizone-executor start >/run/said 2>&1; then
	say "no configuration: started"
else
	say "no configuration: refused"
fi
trizone-executor init >/dev/null
sed -i 's/"kind": /"provider": "process", "kind": /' /etc/trizone/config.json
rc-service trizone-executor start
say "status $(rc-service trizone-executor status | tr -d ' *')"
ln -s trizone-zone /etc/init.d/trizone-zone.mail
ln -s trizone-zone /etc/init.d/trizone-zone.planner
rc-service trizone-zone.mail start
rc-service trizone-zone.planner start
rc-service trizone-zone start >/run/said 2>&1 || say "a zone without a name: refused"
trizone-executor deliver mail </root/mail
within is_done
trizone-executor inbox list | sed 's/^/inbox /'
rc-service trizone-executor reload && say reloaded
echo '{' >/etc/trizone/policy.json.bad
cp /etc/trizone/policy.json /etc/trizone/policy.json.good
cp /etc/trizone/policy.json.bad /etc/trizone/policy.json
rc-service trizone-executor reload || say "a bad policy: refused"
cp /etc/trizone/policy.json.good /etc/trizone/policy.json

for name in trizone-executor trizone-zone.mail; do
	old=$(child $name)
	kill -9 "$old"
	within is_new $name "$old"
	within trizone-executor status >/dev/null 2>&1
	say "again $name"
done
sed 's/under/again under/; s/^Message-ID: </&2/' </root/mail >/root/mail2
trizone-executor deliver mail </root/mail2
all_done() { [ "$(trizone-executor inbox list | grep -c ' done ')" = 2 ]; }
within all_done && say "mail after that"
sh /etc/cron.weekly/trizone-eval
sed 's/^/weekly /' /var/log/trizone/eval.log
for name in trizone-zone.planner trizone-zone.mail trizone-executor; do
	rc-service $name stop
	say "stopped $name: $(rc-service $name status 2>/dev/null | tr -d ' *')"
done
left=$(ps -Ao args= | grep -c '[t]rizone-executor \(run\|attach\)\|[t]rizone-\(reader\|planner\)' || :)
say "left $left"
ls /run/trizone | sed 's/^/socket /'
say "== end"
"""


def unpacked_openrc(place):
    done = run(["apt-get", "download", "-q", "openrc", "librc1", "libeinfo1"],
               cwd=place, seconds=120)
    packages = sorted(place.glob("*.deb"))
    if len(packages) != 3:
        absent("package openrc to be had: %r" % done.stderr[-200:])
    for package in packages:
        run(["dpkg-deb", "-x", package, place / "openrc"])
    return place / "openrc"


def merge(source, target):
    """Files into a system whose /lib and /sbin may be links."""
    for path in sorted(source.rglob("*")):
        to = target / path.relative_to(source)
        if path.is_dir() and not path.is_symlink():
            to.mkdir(parents=True, exist_ok=True)
        else:
            to.parent.mkdir(parents=True, exist_ok=True)
            to.unlink(missing_ok=True)
            shutil.copy2(path, to, follow_symlinks=False)


def openrc_runs():
    """Executor and zones under supervise-daemon, in a system of their own that
    is this one with a layer over it."""
    if not harness.is_root() or shutil.which("apt-get") is None:
        absent("apt-get, or not root")
    with folder() as place:
        openrc = unpacked_openrc(place)
        stage(place, "openrc")
        (place / "extra").mkdir()
        merge(openrc, place / "extra")
        (place / "root").mkdir()
        install(place)
        merge(place / "root", place / "extra")
        # one of the system's own, which the package has not
        (place / "extra/etc/init.d/localmount").write_text(
            "#!/sbin/openrc-run\nstart() { :; }\n")
        (place / "extra/etc/init.d/localmount").chmod(0o755)
        (place / "extra/etc/insserv.conf").write_text("")
        (place / "extra/root").mkdir()
        (place / "extra/root/mail").write_bytes(mail("under OpenRC"))
        (place / "extra/root/steps").write_text(OPENRC)
        # what makes the system, outside of which nothing is changed
        script = r"""
set -eu
mkdir "$1/layer"
mount -t tmpfs none "$1/layer"
cd "$1/layer"
mkdir up work system
mount -t overlay -o lowerdir=/,upperdir=up,workdir=work none system
rm -rf system/etc/trizone system/var/lib/trizone system/etc/init.d
(cd "$1/extra" && tar -cf - .) | tar -xf - -C system --keep-directory-symlink
mount -t tmpfs -o mode=755 none system/dev
for name in null zero full random urandom tty; do
	: >system/dev/$name
	mount --bind /dev/$name system/dev/$name
done
ln -s /proc/self/fd system/dev/fd
exec chroot system /bin/sh /root/steps
"""
        done = run(["unshare", "--mount", "--pid", "--fork", "--kill-child",
                    "--net", "--ipc", "--uts", "sh", "-c", script, "sh",
                    place], seconds=240)
        text = done.stdout.decode(errors="replace")
        said = text + done.stderr.decode(errors="replace")[-3000:]
        check("== end" in text, "not to its end: %s", said[-9000:])
        for line in ("no configuration: refused", "status status:started",
                     "a zone without a name: refused", "reloaded",
                     "a bad policy: refused", "again trizone-executor",
                     "again trizone-zone.mail", "mail after that",
                     "weekly trizone-eval: no answers about suspect content "
                     "yet",
                     "stopped trizone-executor: status:stopped",
                     "stopped trizone-zone.mail: status:stopped", "left 0"):
            check(re.search(r"(^|[ .])%s$" % re.escape(line), text, re.M),
                  "%r is not in %s", line, said[-9000:])
        check(re.search(r"^inbox msg:1 +done .* 1 of 1 calls done$", text,
                        re.M), "%s", said)
        check(not re.search(r"^socket .*\.sock$", text, re.M), "%s", text)


def body(suite):
    if sys.platform != "linux" or shutil.which("cmake") is None:
        print("skipped: Linux with cmake")
        raise SystemExit(77)
    for case in (sockets_are_ours, units_are_known, tmpfiles_make_folders,
                 plists_are_golden, plists_hold_together,
                 newsyslog_knows_each_log, scripts_are_clean,
                 logs_are_rotated, weekly_report, weekly_without_answers,
                 weekly_in_steps, limited_without_timeout, newer_version, cut_off,
                 not_written_over, by_busybox, accounts_of_macos,
                 reload_of_newer_systemd,
                 openrc_runs):
        suite.case(case.__name__.replace("_", " "), case)
    for services in LAYOUT:
        suite.case("installed and gone: " + services, installed_and_gone,
                   services)


if __name__ == "__main__":
    main(body)
