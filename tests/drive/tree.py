#!/usr/bin/env python3
"""What `init` and `run` make as root: accounts, and owner, group and mode of
every folder, file and socket, against one table.

usage: tree.py BIN

Accounts are made in a private mount namespace, over copies of the system's
files; nothing of it stays. Needs root.
"""
import contextlib
import grp
import json
import os
import pathlib
import pwd
import shutil
import stat
import subprocess
import sys

import harness
import procs
from harness import check, equal, mail, main, run, until

ROLES = ("broker", "auditor", "file", "notify", "planner", "reader")
FIREWALL = ("resolver", "blocked")  # made too, and run where it is
FILES = [pathlib.Path("/etc") / name
         for name in ("passwd", "group", "shadow", "gshadow")]
# path -> (owner, group, mode): what is there may be narrower and no wider.
TABLE = {
    "etc": ("root", "root", 0o755),
    "etc/config.json": ("root", "root", 0o644),
    "etc/policy.json": ("root", "root", 0o644),
    "etc/rules.json": ("root", "root", 0o600),
    "etc/operator-key.txt": ("root", "root", 0o600),
    "state": ("root", "root", 0o711),
    "state/lock": ("root", "root", 0o600),
    "state/inbox": ("trizone-broker", "trizone-broker", 0o700),
    "state/inbox/inbox.db": ("trizone-broker", "trizone-broker", 0o600),
    "state/inbox/inbox.db-wal": ("trizone-broker", "trizone-broker", 0o600),
    "state/inbox/inbox.lock": ("trizone-broker", "trizone-broker", 0o600),
    "state/inbox/inbox.db-shm": ("trizone-broker", "trizone-broker", 0o600),
    "state/audit": ("trizone-auditor", "trizone-auditor", 0o700),
    "state/audit/segment-0000000000000001.jsonl":
        ("trizone-auditor", "trizone-auditor", 0o600),
    "state/audit/version": ("trizone-auditor", "trizone-auditor", 0o600),
    "state/audit/spare": ("trizone-auditor", "trizone-auditor", 0o600),
    "state/audit/key": ("trizone-auditor", "trizone-auditor", 0o600),
    "state/audit/salts": ("trizone-auditor", "trizone-auditor", 0o600),
    "state/audit/lock": ("trizone-auditor", "trizone-auditor", 0o600),
    "state/files": ("trizone-file", "trizone-file", 0o700),
    "state/notify": ("trizone-notify", "trizone-notify", 0o700),
    "state/notify/notifications.jsonl":
        ("trizone-notify", "trizone-notify", 0o600),
    "run": ("root", "root", 0o711),
    "run/planner.sock": ("root", "trizone-planner", 0o660),
    "run/mail.sock": ("root", "trizone-reader", 0o660),
    "run/operator.sock": ("root", "trizone-ops", 0o660),
    "run/deliver.sock": ("root", "trizone-deliver", 0o660),
}


def init(folder):
    return run([harness.folder_of_programs() / "trizone-executor", "init",
                "--dir", folder / "etc", "--state", folder / "state", "--run",
                folder / "run"])


@contextlib.contextmanager
def as_they_were():
    """Accounts that are made meanwhile are gone again, and folders too."""
    texts = [(path, path.read_bytes()) for path in FILES if path.exists()]
    folder = harness.short_folder()
    try:
        yield folder
    finally:
        for path, text in texts:
            path.write_bytes(text)
        shutil.rmtree(folder, ignore_errors=True)


def accounts(folder):
    done = init(folder)
    equal(done.returncode, 0, "init: %r" % done.stderr)
    made = done.stdout.decode()
    shadow = dict(line.split(":")[:2] for line in
                  pathlib.Path("/etc/shadow").read_text().splitlines())
    numbers = set()
    for role in ROLES + FIREWALL:
        name = "trizone-" + role
        check("made account %s\n" % name in made, "init does not say %s",
              name)
        entry = pwd.getpwnam(name)
        check(0 < entry.pw_uid < 1000, "%s has %d", name, entry.pw_uid)
        numbers.add(entry.pw_uid)
        check(entry.pw_shell.endswith(("nologin", "false")), "%s: shell %s",
              name, entry.pw_shell)
        check(not os.path.exists(entry.pw_dir), "%s has a home: %s", name,
              entry.pw_dir)
        check(shadow[name][:1] in ("!", "*"), "%s: a password", name)
        equal(grp.getgrgid(entry.pw_gid).gr_name, name, "its group")
    equal(len(numbers), len(ROLES + FIREWALL), "numbers of their own")
    for name in ("trizone-ops", "trizone-deliver"):
        equal(grp.getgrnam(name).gr_mem, [], name)
    before = pathlib.Path("/etc/passwd").read_text()
    again = harness.short_folder()
    try:
        done = init(again)
        equal(done.returncode, 0, "init again: %r" % done.stderr)
        check(b"made " not in done.stdout, "made twice: %r", done.stdout)
    finally:
        shutil.rmtree(again)
    equal(pathlib.Path("/etc/passwd").read_text(), before, "passwd")


def is_taken(number):
    return any(":%d:" % number in line.split(":", 1)[1]
               for path in FILES[:2]
               for line in path.read_text().splitlines())


def in_the_way():
    """A number that somebody has, and a group that is left of before."""
    with as_they_were() as folder:
        with FILES[0].open("a") as passwd, FILES[1].open("a") as group:
            passwd.write("somebody:x:450:450::/:/bin/false\n")
            group.write("trizone-auditor:x:451:\n")
        number = next(n for n in range(460, 500, 10) if not is_taken(n))
        done = init(folder)
        equal(done.returncode, 0, "init: %r" % done.stderr)
        equal(pwd.getpwnam("trizone-broker").pw_uid, number,
              "the next number")
        equal(pwd.getpwnam("trizone-auditor").pw_gid, 451, "its own group")
        check(b"made group trizone-auditor\n" not in done.stdout,
              "a group twice: %r", done.stdout)


def bad_places():
    """Where somebody else could change it nothing is put, and what a link
    names is given to nobody."""
    with as_they_were() as folder:
        (folder / "etc").mkdir()
        (folder / "etc").chmod(0o777)
        done = init(folder)
        equal(done.returncode, 78, "a wide folder: %r" % done.stderr)
        check(b"can be written by others" in done.stderr, "%r", done.stderr)
        (folder / "etc").chmod(0o755)
        os.chown(folder / "etc", 61000, 61000)
        done = init(folder)
        equal(done.returncode, 78, "somebody's folder: %r" % done.stderr)
        equal(done.stdout, b"", "what it made")
        equal(list((folder / "etc").iterdir()), [], "what it wrote")
        os.chown(folder / "etc", 0, 0)
        (folder / "state").mkdir()
        (folder / "other").mkdir(mode=0o700)
        (folder / "state" / "files").symlink_to(folder / "other")
        done = init(folder)
        equal(done.returncode, 71, "a link: %r" % done.stderr)
        for path in (folder / "other", folder / "state" / "files"):
            equal(path.lstat().st_uid, 0, "owner of %s" % path.name)


@contextlib.contextmanager
def tools_are(folder, target):
    """Of those that make accounts there are these, links to `target`."""
    tools = folder / "sbin"
    tools.mkdir()
    for name in ("adduser", "addgroup") if target else ():
        (tools / name).symlink_to(target)
    equal(run(["mount", "--bind", tools, "/usr/sbin"]).returncode, 0, "mount")
    try:
        if any(os.path.exists(place + "/useradd")
               for place in ("/usr/sbin", "/sbin", "/usr/bin", "/bin")):
            raise harness.Skipped("useradd is elsewhere too")
        yield
    finally:
        run(["umount", "/usr/sbin"])


def by_none():
    """Only what is missing needs a tool."""
    with as_they_were() as folder, as_they_were() as other:
        equal(init(folder).returncode, 0, "init")
        with tools_are(folder, None):
            done = init(other)
            equal(done.returncode, 0, "nothing is missing: %r" % done.stderr)
            FILES[0].write_text("".join(
                line for line in FILES[0].read_text().splitlines(True)
                if not line.startswith("trizone-file:")))
            shutil.rmtree(other / "etc")
            done = init(other)
            equal(done.returncode, 69, "one is missing: %r" % done.stderr)
            check(b"useradd" in done.stderr, "%r", done.stderr)


def by_busybox():
    """The same where there is no useradd."""
    busybox = shutil.which("busybox")
    if not busybox or "\nadduser\n" not in run([busybox, "--list"]
                                              ).stdout.decode():
        raise harness.Skipped("no adduser in BusyBox")
    with as_they_were() as folder, tools_are(folder, busybox):
        accounts(folder)


def refused(folder):
    """Accounts that no role gets."""
    path = folder / "etc" / "config.json"
    text = path.read_text()
    with FILES[0].open("a") as passwd:
        passwd.write("alice:x:1000:1000::/:/bin/sh\n"
                     "bob:x:61000:61000::/:/bin/sh\n"
                     "carol:x:200000:200000::/:/bin/sh\n"
                     "toor:x:0:7::/:/bin/sh\n")
    try:
        for name, words in (("alice", "person"), ("bob", "person"),
                            ("carol", "person"), (61000, "person"),
                            ("toor", "root's"), ("dave", "does not exist"),
                            ("trizone-file", "same user")):
            config = json.loads(text)
            config["accounts"] = {"broker": name}
            path.write_text(json.dumps(config))
            done = run([harness.folder_of_programs() / "trizone-executor",
                        "run", "--config", path])
            said = done.stderr.decode()
            equal(done.returncode, 78, "%s: %s" % (name, said))
            check(words in said, "%s: %s", name, said)
    finally:
        path.write_text(text)


def users(log):
    """{role: user} of the executor's processes and the zones."""
    found = {}
    for role, pids in procs.named(log.read_text()).items():
        for pid in pids:
            with contextlib.suppress(FileNotFoundError):
                found[role] = os.stat("/proc/%d" % pid).st_uid
    return found


def tree(folder):
    """Serve a mail, then look at everything."""
    programs = harness.folder_of_programs()
    executor = programs / "trizone-executor"
    config = ["--config", folder / "etc" / "config.json"]
    folder.chmod(0o711)
    log = open(folder / "log", "wb")
    started = []

    def start(*command):
        started.append(subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, env=harness.environment()))
    try:
        start(executor, "run", *config)
        until(lambda: b"ev=ready" in (folder / "log").read_bytes(), 30,
              "ready")
        start(executor, "attach", *config, "--respawn", "mail", "--",
              programs / "trizone-reader", "run", "--channel", "stdio")
        start(executor, "attach", *config, "--respawn", "planner", "--",
              programs / "trizone-planner", "run", "--channel", "stdio",
              "--rules", folder / "etc" / "rules.json")
        done = run([executor, "deliver", *config, "mail"], mail("a tree"))
        equal(done.returncode, 0, "deliver: %r" % done.stderr)
        until(lambda: b" done " in run([executor, "inbox", "list", *config]
                                       ).stdout, 30,
              "done: %r" % (folder / "log").read_bytes()[-1500:])
        want = {role: pwd.getpwnam("trizone-" + role).pw_uid
                for role in ROLES}
        # a planner of one message is gone now and then
        until(lambda: want.items() <= users(folder / "log").items(), 30,
              "users: %r" % users(folder / "log"))
        seen = look(folder)
    finally:
        for process in reversed(started):
            harness.end_process(process)
        log.close()
    return "%d things" % seen


def look(folder):
    wrong, seen = [], 0
    for top in ("etc", "state", "run"):
        for path in [folder / top, *(folder / top).rglob("*")]:
            name = str(path.relative_to(folder))
            st = path.lstat()
            seen += 1
            if name not in TABLE:
                wrong.append("%s is not in the table" % name)
                continue
            owner, group, mode = TABLE[name]
            is_ = (pwd.getpwuid(st.st_uid).pw_name,
                   grp.getgrgid(st.st_gid).gr_name)
            if is_ != (owner, group):
                wrong.append("%s is of %s:%s" % (name, *is_))
            if stat.S_IMODE(st.st_mode) & ~mode:
                wrong.append("%s has %o" % (name, stat.S_IMODE(st.st_mode)))
            if stat.S_ISLNK(st.st_mode):
                wrong.append("%s is a link" % name)
    for name in ("state/inbox/inbox.db", "state/audit/segment-0000000000000001.jsonl",
                 "run/planner.sock", "run/operator.sock"):
        if not (folder / name).exists():
            wrong.append("%s is not there" % name)
    check(not wrong, "%s", "; ".join(wrong))
    return seen


def body(suite):
    suite.case("in the way", in_the_way)
    suite.case("bad places", bad_places)
    suite.case("without tools", by_none)
    suite.case("by BusyBox", by_busybox)
    folder = harness.short_folder()
    try:
        suite.case("accounts", accounts, folder)
        suite.case("owners and modes", tree, folder)
        suite.case("refused", refused, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if "--inside" in sys.argv:
        main(body)
    elif not harness.is_root() or not shutil.which("unshare") or not (
            shutil.which("useradd")):
        print("skipped: needs root, Linux and useradd")
        sys.exit(77)
    else:
        # copies, and a folder for the locks of who writes them
        script = ("set -e\nd=$(mktemp -d)\nmount -t tmpfs none $d\n"
                  "cp -a /etc/. $d/\nmount --bind $d /etc\n"
                  "umount $d\nrmdir $d\n"
                  'exec "$@"\n')
        sys.exit(subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", sys.executable,
             "-B", __file__, sys.argv[1], "--inside"], check=False
            ).returncode)
