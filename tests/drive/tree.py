#!/usr/bin/env python3
"""What `init` and `run` make as root: accounts, and owner, group and mode of
every folder, file and socket, against one table.

usage: tree.py BIN

Accounts are made in a private mount namespace, over copies of the system's
files; nothing of it stays. Needs root.
"""
import grp
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
# path -> (owner, group, mode): what is there may be narrower and no wider.
TABLE = {
    "etc": ("root", "root", 0o755),
    "etc/config.json": ("root", "root", 0o644),
    "etc/policy.json": ("root", "root", 0o644),
    "etc/rules.json": ("root", "root", 0o644),
    "etc/operator-key.txt": ("root", "root", 0o600),
    "state": ("root", "root", 0o711),
    "state/lock": ("root", "root", 0o600),
    "state/inbox": ("trizone-broker", "trizone-broker", 0o700),
    "state/inbox/inbox.db": ("trizone-broker", "trizone-broker", 0o600),
    "state/inbox/inbox.db-wal": ("trizone-broker", "trizone-broker", 0o600),
    "state/inbox/inbox.lock": ("trizone-broker", "trizone-broker", 0o600),
    "state/inbox/inbox.db-shm": ("trizone-broker", "trizone-broker", 0o600),
    "state/audit": ("trizone-auditor", "trizone-auditor", 0o700),
    "state/audit/audit.jsonl": ("trizone-auditor", "trizone-auditor", 0o600),
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


def accounts(folder):
    done = init(folder)
    equal(done.returncode, 0, "init: %r" % done.stderr)
    made = done.stdout.decode()
    shadow = dict(line.split(":")[:2] for line in
                  pathlib.Path("/etc/shadow").read_text().splitlines())
    numbers = set()
    for role in ROLES:
        name = "trizone-" + role
        check("made %s\n" % name in made, "init does not say %s", name)
        entry = pwd.getpwnam(name)
        check(0 < entry.pw_uid < 1000, "%s has %d", name, entry.pw_uid)
        numbers.add(entry.pw_uid)
        check(entry.pw_shell.endswith(("nologin", "false")), "%s: shell %s",
              name, entry.pw_shell)
        check(not os.path.exists(entry.pw_dir), "%s has a home: %s", name,
              entry.pw_dir)
        check(shadow[name][:1] in ("!", "*"), "%s: a password", name)
        equal(grp.getgrgid(entry.pw_gid).gr_name, name, "its group")
    equal(len(numbers), len(ROLES), "numbers of their own")
    for name in ("trizone-ops", "trizone-deliver"):
        equal(grp.getgrnam(name).gr_mem, [], name)
    before = pathlib.Path("/etc/passwd").read_text()
    again = harness.short_folder()
    try:
        done = init(again)
        equal(done.returncode, 0, "init again: %r" % done.stderr)
        check("made trizone" not in done.stdout.decode(), "made twice: %r",
              done.stdout)
    finally:
        shutil.rmtree(again)
    equal(pathlib.Path("/etc/passwd").read_text(), before, "passwd")


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
        users = {}
        for role, pids in procs.named((folder / "log").read_text()).items():
            for pid in pids:
                users.setdefault(os.stat("/proc/%d" % pid).st_uid,
                                 set()).add(role)
        seen = look(folder)
        for role in ROLES:
            number = pwd.getpwnam("trizone-" + role).pw_uid
            names = {name.split()[0] for name in users.get(number, set())}
            check(names <= {role, "worker"}, "user of %s has %r", role, names)
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
    for name in ("state/inbox/inbox.db", "state/audit/audit.jsonl",
                 "run/planner.sock", "run/operator.sock"):
        if not (folder / name).exists():
            wrong.append("%s is not there" % name)
    check(not wrong, "%s", "; ".join(wrong))
    return seen


def body(suite):
    folder = harness.short_folder()
    try:
        suite.case("accounts", accounts, folder)
        suite.case("owners and modes", tree, folder)
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
                  'exec "$@"\n')
        sys.exit(subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", sys.executable,
             "-B", __file__, sys.argv[1], "--inside"], check=False
            ).returncode)
