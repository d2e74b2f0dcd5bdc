#!/usr/bin/env python3
"""Receipts: who asks for something to be done is told which record says so,
when that is on disk.

usage: receipts.py [BIN]
"""
import json
import os
import shutil

import gullible
import harness
from harness import Skipped, check, equal, mail, until

DONE, FOUND, USAGE, SYSTEM = 0, 1, 64, 71


class Host(harness.Host):
    def ask(self, *arguments, data=b""):
        done = self.command(*arguments, data=data)
        equal(done.returncode, DONE, "%r: %r" % (arguments, done.stderr))
        return json.loads(done.stdout)

    def check_receipt(self, answer, kind):
        """It is on record at once, not after the next sync."""
        check("receipt" in answer, "no receipt: %r", answer)
        seq, digest = answer["receipt"].split(":")
        row = next(row for row in self.audit() if row["seq"] == seq)
        equal(row["hash"], digest, "hash")
        equal(row["kind"], kind, "kind")
        return row


def each_command():
    with Host() as host:
        host.start()
        given = host.ask("deliver", "--json", "mail", data=mail("one"))
        host.check_receipt(given, "deliver")
        again = host.ask("deliver", "--json", "mail", data=mail("one"))
        check(again["receipt"] != given["receipt"], "the same")
        host.check_receipt(again, "deliver")
        host.check_receipt(host.ask("reload", "--json"), "operator")
        dropped = host.ask("inbox", "drop", "--json", given["handle"])
        equal(host.check_receipt(dropped, "operator")["why"], "drop", "why")
        wire = host.connect("planner")
        try:
            until(lambda: host.operate("session.list")["sessions"], 10,
                  "a session")
            number = host.operate("session.list")["sessions"][0]["session"]
            if harness.is_root():
                task = host.ask("task", "--json", str(number), data=b"do it")
                host.check_receipt(task, "task")
                ended = host.ask("session", "end", "--json", str(number))
                host.check_receipt(ended, "session")
        finally:
            wire.close()
        check("receipt" not in host.operate("status"), "status has one")
        host.verify()


def zones_get_none():
    with Host() as host:
        host.start()
        wire = host.connect("planner")
        answer = wire.request("call", {
            "name": "notify.send", "arguments": {"text": "done"}})
        check(answer.ok and "receipt" not in json.dumps(answer.result),
              "answer: %r", answer.result)
        wire.close()


def kept_in_a_file():
    """Kept, checked, and a log whose end was cut is found out by them."""
    with Host() as host:
        kept = host.folder / "receipts"
        host.start()
        for number in range(5):
            host.ask("deliver", "--json", "--receipts", str(kept), "mail",
                     data=mail("mail %d" % number))
        host.stop_executor()
        equal(kept.stat().st_mode & 0o777, 0o600, "mode")
        lines = kept.read_text().splitlines()
        equal(len(lines), 5, "receipts")
        folder = host.audit_log().parent

        def verify(place, receipts=kept):
            return host.command("audit", "verify", "--receipts",
                                str(receipts), "--dir", str(place))

        done = verify(folder)
        equal(done.returncode, DONE, done.stdout)
        copy = host.folder / "copy"
        shutil.copytree(folder, copy)
        log = copy / host.audit_log().name
        rows = log.read_bytes().rstrip(b"\n").split(b"\n")
        last = int(lines[-1][:16], 16)
        log.write_bytes(b"\n".join(rows[:last - 1]) + b"\n")
        done = verify(copy)
        equal(done.returncode, FOUND, done.stdout)
        check(b"tail-cut" in done.stdout, "says: %r", done.stdout)
        kept.write_text(lines[0] + "\nno receipt\n")
        check(verify(folder).returncode not in (DONE, FOUND), "took a word")
        host.start()
        done = host.command("deliver", "--receipts", "/nonexistent/file",
                            "mail", data=mail("last"))
        equal(done.returncode, SYSTEM, "deliver: %r" % done.stderr)
        check(b"its receipt 0" in done.stderr, "says: %r", done.stderr)


def of_attach():
    """Each instance that a provider starts; a reader's zone has none."""
    with Host() as host:
        kept = host.folder / "receipts"
        host.start()
        for _ in range(3):
            done = host.command("attach", "--receipts", str(kept), "planner",
                                "--", "true")
            equal(done.returncode, DONE, "attach: %r" % done.stderr)
        lines = kept.read_text().splitlines()
        equal(len(lines), 3, "receipts")
        for line in lines:
            row = host.check_receipt({"receipt": line}, "session")
            equal((row["zone"], row["why"]),
                  ("planner", "a new instance is vouched for"), "record")
            check("by user %d" % os.geteuid() in row["detail"],
                  "who: %r", row)
        done = host.command("attach", "--receipts", str(kept), "mail", "--",
                            "true")
        equal(done.returncode, DONE, "attach: %r" % done.stderr)
        equal(len(kept.read_text().splitlines()), 3, "of a reader's zone")
        host.stop_executor()
        done = host.command("audit", "verify", "--receipts", str(kept))
        equal(done.returncode, DONE, done.stdout)


def of_a_backup():
    with Host() as host:
        kept = host.folder / "receipts"
        host.start()
        host.deliver(mail("one"))
        done = host.command("backup", "--receipts", str(kept),
                            str(host.folder / "archive"))
        if not harness.is_root() and done.returncode != DONE:
            raise Skipped("%r" % done.stderr)
        equal(done.returncode, DONE, "backup: %r" % done.stderr)
        row = host.check_receipt({"receipt": kept.read_text().strip()},
                                 "operator")
        equal((row["why"], row["detail"]),
              ("copy of the inbox", "by user %d" % os.geteuid()), "record")


def bad_places():
    """A receipt goes into a regular file or nowhere; then nothing is started,
    and what was done is said."""
    with Host() as host:
        host.start()
        target = host.folder / "target"
        target.write_text("mine\n")
        places = {"link": host.folder / "link", "fifo": host.folder / "fifo",
                  "folder": host.folder, "full": "/dev/full"}
        places["link"].symlink_to(target)
        os.mkfifo(places["fifo"])
        proof = host.folder / "started"
        for name, place in places.items():
            done = host.command("attach", "--receipts", str(place), "planner",
                                "--", "touch", str(proof), seconds=20)
            equal(done.returncode, SYSTEM, "%s: %r" % (name, done.stderr))
            check(not proof.exists(), "%s: it was started", name)
            done = host.command("deliver", "--receipts", str(place), "mail",
                                data=mail(name), seconds=20)
            equal(done.returncode, SYSTEM, "%s: %r" % (name, done.stderr))
            check(b"its receipt 0" in done.stderr, "says: %r", done.stderr)
        equal(target.read_text(), "mine\n", "what the link points to")
        # a receipt that was cut short by a crash spoils no other
        torn = host.folder / "torn"
        torn.write_text("0000000000")
        given = host.ask("deliver", "--json", "--receipts", str(torn), "mail",
                         data=mail("torn"))
        equal(torn.read_text().splitlines()[1], given["receipt"], "its line")


def full_disk():
    """All of a receipt, or nothing of it."""
    if not harness.is_root():
        raise Skipped("needs root")
    with Host() as host:
        place = host.folder / "small"
        place.mkdir()
        done = harness.run(["mount", "-t", "tmpfs", "-o", "size=8k", "none",
                            place])
        if done.returncode != 0:
            raise Skipped("no mount: %r" % done.stderr)
        try:
            host.start()
            (place / "fill").write_bytes(b"x" * 4096)
            kept = place / "receipts"
            refused = 0
            for number in range(60):
                done = host.command("deliver", "--receipts", str(kept),
                                    "mail", data=mail("mail %d" % number))
                refused += done.returncode == SYSTEM
            check(refused > 0, "never full")
            text = kept.read_text()
            check(text.endswith("\n"), "cut: %r", text[-100:])
            check(all(len(line) == 81 for line in text.splitlines()),
                  "lines: %r", text[-200:])
            host.stop_executor()
            done = host.command("audit", "verify", "--receipts", str(kept))
            equal(done.returncode, DONE, done.stdout)
            return "%d of 60 kept" % len(text.splitlines())
        finally:
            harness.run(["umount", place])


def many_at_once():
    """Each answer has its own."""
    with Host() as host:
        host.start()
        wire = host.connect("operator", vouched=False)
        wire.close()
        seen = set()
        for number in range(40):
            answer = host.ask("deliver", "--json", "mail",
                              data=mail("mail %d" % number))
            row = host.check_receipt(answer, "deliver")
            equal(row["handle"], answer["handle"], "whose it is")
            seen.add(answer["receipt"])
        equal(len(seen), 40, "receipts")


def body(suite):
    suite.case("each command", each_command)
    suite.case("zones get none", zones_get_none)
    suite.case("kept in a file", kept_in_a_file)
    suite.case("many at once", many_at_once)
    suite.case("of attach", of_attach)
    suite.case("of a backup", of_a_backup)
    suite.case("bad places", bad_places)
    suite.case("full disk", full_disk)


if __name__ == "__main__":
    harness.main(body)
