#!/usr/bin/env python3
"""Keeping the evidence: backup and restore, keys that are lost or stolen, and
erasing a person.

usage: keep.py [BIN]
"""
import json
import os
import random
import shutil
import subprocess
import time

import audit_tamper
import harness
from harness import Host, check, equal, main, run

DONE, FOUND, DATA, UNAVAILABLE = 0, 1, 65, 69


def command(host, *arguments, status=DONE, data=b""):
    done = host.command(*arguments, data=data)
    equal(done.returncode, status, "%s: %s" % (" ".join(map(
        str, arguments)), (done.stdout[-300:] + done.stderr[-600:]).decode(
            errors="replace")))
    return done


def verify(host, *more, status=DONE):
    return json.loads(command(host, "audit", "verify", "--json", *more,
                              status=status).stdout)


def root_key(host):
    return command(host, "audit", "root").stdout.decode().strip()


def empty(host):
    """As if the disk were new."""
    for name in ("audit", "inbox"):
        shutil.rmtree(host.state / name)


def kinds(host, kind):
    return [row for row in host.audit() if row["kind"] == kind]


def restart(host):
    host.start()
    host.stop()


def while_it_runs(host):
    host.start()
    host.attach_reader()
    for number in range(5):
        host.deliver_and_wait(harness.mail("Mail %d" % number, "x" * 200000))
    archive = host.folder / "running.tar"
    command(host, "backup", archive)
    equal(os.stat(archive).st_mode & 0o777, 0o600, "mode")
    check(not (host.state / "inbox" / "backup.db").exists(), "left behind")
    folder = host.folder / "unpacked"
    folder.mkdir()
    done = run(["tar", "-x", "-f", archive, "-C", folder])
    equal(done.returncode, 0, "tar: %r" % done.stderr)
    equal(run(["sh", "-c", "cd %s && sha256sum -c --quiet SHA256SUMS"
               % folder]).returncode, 0, "sha256sum")
    check(not (folder / "audit" / "key").exists(), "a private key")
    shutil.rmtree(folder)
    host.deliver_and_wait(harness.mail("After the backup"))
    host.stop()
    return "%d bytes" % archive.stat().st_size


def restored(host):
    """The five mails, the chain from its root, and a lineage of its own."""
    root, before = root_key(host), verify(host)
    archive = host.folder / "running.tar"
    command(host, "restore", archive, status=UNAVAILABLE)
    equal(verify(host), before, "nothing was touched")
    empty(host)
    command(host, "restore", archive)
    after = verify(host, "--root", root)
    check(after["starts"] > before["starts"], "no lineage: %r", after)
    row = kinds(host, "operator")[-1]
    equal(row["why"], "restore", "record")
    host.start()
    equal(len(host.items()), 5, "mails")
    host.stop()
    verify(host, "--root", root)
    check(not (host.state / "restore").exists(), "left behind")


def stopped_and_by_pipe(host):
    done = command(host, "backup", "-")
    empty(host)
    command(host, "restore", "-", data=done.stdout)
    host.start()
    equal(len(host.items()), 5, "mails")
    host.stop()


def incomplete(host):
    """A log that lacks a file it needs is not called backed up."""
    folder, kept = host.state / "audit", host.folder / "kept"
    archive = host.folder / "incomplete.tar"
    folder.rename(kept)
    shutil.copytree(harness.ROOT / "tests/data/audit/stub", folder)
    (folder / "salts").touch()
    for path in folder.iterdir():
        path.chmod(0o600)
    folder.chmod(0o700)
    command(host, "backup", archive, status=UNAVAILABLE)
    check(not archive.exists(), "an archive")
    shutil.rmtree(folder)
    kept.rename(folder)


def long_log(audit):
    """Two segments, of which the first one is more than a pipe takes."""
    log = audit_tamper.Log(None, "a", [0])
    for _ in range(2000):
        log.append('stop","why":"%s","detail":""' % ("x" * 200))
    for first, part in ((1, log.lines[:1900]), (1901, log.lines[1900:])):
        path = audit / ("segment-%016x.jsonl" % first)
        path.write_bytes(b"".join(part))
        path.chmod(0o600)
        harness.own(path, "auditor")
    return path


def removed_meanwhile(host):
    """A segment that goes while it is copied: no archive, not half of one."""
    audit, saved = host.state / "audit", host.state / "saved"
    audit.rename(saved)
    audit.mkdir(0o700)
    shutil.copy(saved / "salts", audit)
    for path in (audit, audit / "salts"):
        harness.own(path, "auditor")
    last = long_log(audit)
    whole = command(host, "backup", "-").stdout
    with subprocess.Popen(
            [host.program("executor"), "backup", "--config", host.config_path,
             "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as done:
        done.stdout.read(whole.index(b"audit/segment-") + 65536)
        time.sleep(0.5)  # it waits for us, in the first one
        last.unlink()
        done.communicate(timeout=60)
    shutil.rmtree(audit)
    saved.rename(audit)
    equal(done.returncode, UNAVAILABLE, "backup of half a log")


def damaged_archives(host):
    whole = command(host, "backup", "-").stdout
    saved = host.folder / "saved"
    saved.mkdir()
    for name in ("audit", "inbox"):
        os.rename(host.state / name, saved / name)
    tries = [whole[:n] for n in (0, 100, 512, 1024, len(whole) // 2,
                                 len(whole) - 1024)]
    for _ in range(12):
        other = bytearray(whole)
        other[random.randrange(len(whole) - 2048)] ^= 1 << random.randrange(8)
        tries.append(bytes(other))
    evil = bytearray(whole)
    at = whole.index(b"inbox/inbox.db\0")
    evil[at:at + 14] = b"../../../etc/x"
    tries.append(bytes(evil))
    for text in tries:
        command(host, "restore", "-", data=text, status=DATA)
        check(not (host.state / "audit").exists() and
              not (host.state / "inbox").exists() and
              not (host.state / "restore").exists(), "something is left")
    for name in ("audit", "inbox"):
        os.rename(saved / name, host.state / name)
    return "%d of them" % len(tries)


def key_lost(host):
    """The next start begins a lineage that says so."""
    root, before = root_key(host), verify(host)
    (host.state / "audit" / "key").unlink()
    restart(host)
    equal(kinds(host, "lineage")[-1]["why"], "lost", "why")
    after = verify(host, "--root", root)
    equal(after["starts"], before["starts"] + 1, "starts")
    anchors = host.folder / "anchors"
    anchors.write_text("")
    lone = verify(host, "--root", root, "--anchors", anchors, status=FOUND)
    equal(lone["damage"], "unanchored-start", "without an anchor")


def key_stolen(host):
    """It signs what comes, and nothing that was: what is older than the
    checkpoint before cannot be changed unseen. It is good for one start."""
    root = root_key(host)
    key = host.state / "audit" / "key"
    stolen = key.read_bytes()
    path = sorted((host.state / "audit").glob("segment-*.jsonl"))[-1]
    text = path.read_bytes()
    at = text.index(b'"kind":"start"')
    path.write_bytes(text[:at] + b'"kind":"stqrt"' + text[at + 14:])
    equal(verify(host, "--root", root, status=FOUND)["damage"], "changed",
          "an old record")
    path.write_bytes(text)
    restart(host)
    new = key.read_bytes()
    check(new != stolen, "the key is the same")
    key.write_bytes(stolen)
    restart(host)
    equal(kinds(host, "lineage")[-1]["why"], "lost", "an old key")
    verify(host, "--root", root)


def root_lost(host):
    """It can be read from the log again, but then only says that the log is
    one; another root is refused."""
    equal(verify(host)["root"], root_key(host), "root")
    equal(verify(host, "--root", "0" * 64, status=FOUND)["damage"], "root",
          "another one")


def retention_in_the_service(host):
    host.config["audit"] = {"log_days": 1, "log_bytes": 32 << 20}
    host.write_settings()
    restart(host)
    verify(host)


def salts(host):
    """{seq: salt}"""
    rows = (host.state / "audit" / "salts").read_bytes().split(b"\n")[:-1]
    return {int(row[:16], 16): row[17:] for row in rows}


def about(host, handles):
    return {int(row["seq"], 16) for row in host.audit()
            if row.get("handle") in handles and row.get("commit")}


def one_person(host):
    """The mails, and what shows what records about them stand for."""
    root, address, marker = root_key(host), "Eve@Example.org", "kx81-only-eve"
    host.start()
    host.attach_reader()
    mine = {host.deliver_and_wait(harness.mail(
        "Number %d" % number, marker, sender=address)) for number in range(3)}
    other = host.deliver_and_wait(harness.mail("Other", sender="x" + address))
    command(host, "audit", "erase", "--person", address, status=UNAVAILABLE)
    host.stop()
    kept = {seq: salts(host)[seq] for seq in about(host, {other})}
    command(host, "audit", "erase", "--person", "nobody@example.org",
            status=UNAVAILABLE)
    done = command(host, "audit", "erase", "--person", address)
    check(b"3 items" in done.stdout, "said: %r", done.stdout)
    verify(host, "--root", root)
    gone = about(host, mine)
    check(len(gone) >= 3, "records: %r", gone)
    for seq in gone:
        equal(salts(host)[seq], b"-" * 32, "salt of %d" % seq)
    for seq, salt in kept.items():
        check(salt != b"-" * 32 and salts(host)[seq] == salt, "%d", seq)
    row = kinds(host, "operator")[-1]
    equal(row["why"], "erase", "record")
    check("eve" not in json.dumps(row).lower(), "%r", row)
    for path in host.state.rglob("*"):
        if path.is_file():
            check(marker.encode() not in path.read_bytes(), "%s", path)
    host.start()
    states = {handle: item["state"] for handle, item in host.items().items()}
    host.stop()
    for handle in mine:
        equal(states[handle], "dropped", handle)
    equal(states[other], "ready", other)
    return "%d salts" % len(gone)


def one_mail(host):
    command(host, "audit", "erase", "--handle", "msg:1")
    verify(host)
    for seq in about(host, {"msg:1"}):
        equal(salts(host)[seq], b"-" * 32, "salt of %d" % seq)
    command(host, "audit", "erase", "--session", "99", status=UNAVAILABLE)
    for bad in (("--handle", "17"), ("--session", "x"), ("--person", "ann"),
                ("--person", 'a"@b'), ("--all", "1")):
        command(host, "audit", "erase", *bad, status=64)


def body(suite):
    random.seed(1)
    with Host() as host:
        for case in (while_it_runs, restored, stopped_and_by_pipe,
                     incomplete, removed_meanwhile, damaged_archives, key_lost,
                     key_stolen, root_lost, one_person, one_mail,
                     retention_in_the_service):
            suite.case(case.__name__.replace("_", " "), case, host)


if __name__ == "__main__":
    main(body)
