#!/usr/bin/env python3
"""Zones in real microVMs: their image, the hostile mail's story in them, ways
out of them, and guests that were taken over.

usage: zones_vm.py BIN

With TRIZONE_LONG=1 also a planner and three readers at once, and a hundred
mails through machines for one message each. What is killed is in
zones_vm_kill.py; broken set-ups in zones_vm_doctor.py.
"""
import json
import os
import pathlib
import shutil
import socket
import sys
import time

import harness
import procs
from harness import ROOT, check, equal, main, until
from zone_machine import (IMAGE, SECONDS, MachineHost, Machines, files_of,
                          machines_of, need)

sys.path.insert(0, str(ROOT / "tests" / "confine"))
import ways_out  # noqa: E402

LONG = os.environ.get("TRIZONE_LONG") == "1"
SAMPLE = (ROOT / "vm" / "sample.eml").read_bytes()
READERS = 3
STRANGER = 64830  # of nobody
HOSTILE = ("garbage", "flood", "drip", "stay")
GUEST_ROLES = ("reader", "worker", "planner")


#
# The image.
#

def build(machines, bin_folder, out, tool=IMAGE, umask="022", before=()):
    done = harness.run([*before, "sh", "-c", 'umask "$1"; shift; exec "$@"',
                        "sh", umask, tool, "build", "--kind", "reader",
                        "--bin", bin_folder, "--out", out,
                        *machines.kernel_words()], seconds=120)
    check(done.returncode == 0, "build: %s", done.stderr.decode())
    return done.stdout.decode()


def image_is_the_same_bytes(machines):
    """Built twice: other folders, another user and umask, other times."""
    one, two = machines.state / "one", machines.state / "elsewhere" / "two"
    copy = machines.state / "copy-of-bin"
    copy.mkdir()
    shutil.copy(machines.bin / "trizone-reader", copy)
    os.utime(copy / "trizone-reader", (1, 1))
    said = build(machines, machines.bin, one)
    two.parent.mkdir()
    os.chown(two.parent, STRANGER, STRANGER)
    tool = machines.state / "vm"
    tool.mkdir()
    for name in ("image", "files"):
        shutil.copy(ROOT / "vm" / name, tool)
    build(machines, copy, two, tool / "image", "077", [
        "setpriv", "--reuid", str(STRANGER), "--regid", str(STRANGER),
        "--clear-groups", "--inh-caps=-all"])
    for name in ("vmlinuz", "initrd", "SHA256SUMS", "hash"):
        check((one / name).read_bytes() == (two / name).read_bytes(),
              "%s differs", name)
    equal(harness.run(["sha256sum", "-c", "SHA256SUMS"],
                      cwd=one).returncode, 0, "SHA256SUMS")
    return said.strip()


def image_has_nothing_else(machines):
    """No shell, no other program, nobody's times, no rights to gain."""
    files = files_of(machines.state / "one" / "initrd")
    programs = [name for name, row in files.items()
                if row[0] & 0o170000 == 0o100000 and row[0] & 0o111 and
                not pathlib.Path(name).name.startswith("ld-")]
    equal(programs, ["usr/bin/trizone-reader"], "programs")
    for name, (mode, owner, when, _) in files.items():
        check(owner == 0 and when == 0 and mode & 0o6022 == 0, "%s: %o %d %d",
              name, mode, owner, when)
    sizes = sum(len(row[3]) for row in files.values())
    check(sizes < 32 << 20, "%d bytes", sizes)
    return "%d files" % len(files)


def stale_image_is_told(machines):
    one = machines.state / "one"
    check_it = [IMAGE, "check", "--kind", "reader", "--bin", machines.bin,
                "--out", one, *machines.kernel_words()]
    equal(harness.run(check_it).returncode, 0, "a fresh one")
    other = machines.state / "other-bin"
    other.mkdir()
    shutil.copy(machines.bin / "trizone-reader", other)
    with open(other / "trizone-reader", "ab") as program:
        program.write(b"\0")
    done = harness.run([*check_it[:5], other, *check_it[6:]])
    check(done.returncode == 1 and b"stale" in done.stderr, "%r", done.stderr)
    with open(one / "initrd", "r+b") as initrd:
        initrd.seek(5000)
        initrd.write(b"?")
    done = harness.run(check_it)
    check(done.returncode == 1 and b"SHA256SUMS" in done.stderr, "%r",
          done.stderr)


def guest_is_refused_elsewhere(machines):
    """As any process of a system, and as the first of a namespace."""
    for program in ("reader", "planner"):
        command = [machines.bin / ("trizone-" + program), "guest"]
        for before in ([], ["unshare", "--pid", "--mount", "--fork"]):
            done = harness.run([*before, *command])
            equal(done.returncode, 77, "%r: %r" % (command, done.stderr))
            check(b"first process of a machine" in done.stderr, "%r",
                  done.stderr)


#
# The story.
#

def story(machines):
    """An injected mail through two machines: clean JSON, what it asked for is
    refused, and all of it is on record."""
    with MachineHost(machines) as host:
        host.start()
        host.attach_machine("mail")
        host.attach_machine("planner")
        for zone in ("mail", "planner"):
            said = host.await_zone(zone)
            check(said["profile"] == "release" and said["network"] == "none"
                  and said["own_root"] and said["probes"] > 10 and
                  said["landlock"] > 0 and not said["gap"], "%s: %r", zone,
                  said)
            equal(said["cgroup"], ["memory", "pids", "cpu"], zone)
        handle = host.deliver(SAMPLE)
        until(lambda: host.items()[handle]["state"] == "done", SECONDS,
              "the mail is done")
        equal(host.items()[handle]["note"], "1 of 3 calls done", "calls")
        clean = json.loads(host.command("inbox", "show", "--json",
                                        handle).stdout)
        check(clean["message"]["sanitized"], "%r", clean)
        text = json.dumps(clean["message"])
        check("ignore your instructions" not in text, "hidden words: %s",
              text[:2000])
        host.stop()
        records = host.audit()
        refused = [row for row in records if row["kind"] == "refusal" or
                   row.get("verdict") == "deny"]
        check(len(refused) >= 2, "refusals: %r", [
            row["kind"] for row in records])
        started = [row for row in records if row["kind"] == "machine"]
        for zone in ("mail", "planner"):
            hash_of = (machines.state / "microvm" / zone / "image" /
                       "hash").read_text().strip()
            row = next(row for row in started if row["zone"] == zone)
            check(hash_of in row["detail"] and
                  "virtio-serial-pci" in row["detail"], "%r", row)
        host.verify()


#
# Ways out.
#

class Inside:
    """A machine whose zone is the program `inside`."""

    def __init__(self, machines):
        self.process, self.port = machines.start("tried")
        self.lines = self.port.makefile("rb")
        self.answer("its start")

    def ask(self, *words):
        """(lines, status, signal)."""
        self.port.sendall(" ".join(words).encode() + b"\n")
        return self.answer(words)

    def answer(self, to):
        lines = []
        while True:
            line = self.lines.readline()
            check(line, "the machine ended at %r after %r", to, lines[-3:])
            line = line.decode(errors="replace").rstrip("\n")
            if line.startswith("== end "):
                return lines, *(int(word) for word in line.split()[2:])
            lines.append(line)

    def done(self):
        self.port.shutdown(socket.SHUT_RDWR)
        self.port.close()
        return harness.end_process(self.process, 30)


def what_is_in_it(inside):
    """Only loopback; only the golden devices; nothing that is written."""
    lines, status, _ = inside.ask("look")
    equal(status, 0, "look")
    rows = [line.split() for line in lines]
    of = lambda word: [row[1:] for row in rows if row[0] == word]
    equal(of("interface"), [["lo"]], "interfaces")
    equal([row[0] for row in of("net")], ["lo"], "network devices")
    equal(of("block") + of("usb"), [], "disks and USB")
    equal([row[1] for row in of("port")], ["trizone"], "ports")
    found = sorted("%s:%s" % (row[1][2:], row[2][2:]) for row in of("pci"))
    golden = (ROOT / "vm" / "devices.x86_64").read_text().splitlines()
    equal(found, sorted(line.split()[1] for line in golden
                        if line.startswith("pci ")), "PCI devices")
    equal([row[1] for row in of("virtio")], ["0x0003"], "virtio devices")
    ports = [row[0] for row in of("tty") if row[0].startswith("ttyS") and
             row[1:2] not in ([], ["0"])]
    equal(ports, [], "serial consoles")
    written = [row[1] for row in of("mount")
               if "rw" in row[3].split(",") and row[2] != "tmpfs"]
    check(set(written) <= {"/", "/dev", "/proc", "/sys/fs/cgroup"},
          "mounts: %r", of("mount"))
    root = [row for row in of("mount") if row[1] == "/"][-1]
    check("ro" in root[3].split(","), "root: %r", root)
    return " ".join(found)


def results(lines):
    return dict(line.split(" ", 1) for line in lines if " " in line)


def controls(inside, names):
    """Without locks most get through, so the tries are real."""
    lines, status, signal = inside.ask("none")
    equal((status, signal), (0, 0), "ended")
    found = results(lines)
    missing = [name for name in names if name not in found]
    check(not missing, "not tried: %r", missing)
    through = [name for name, line in found.items()
               if line in ("THROUGH", "MAY")]
    check(len(through) > 110, "only %d get through: %r", len(through),
          {name: line for name, line in found.items()
           if name not in through})
    return "%d of %d get through without locks" % (len(through), len(found))


def one_role(inside, names, role):
    lines, status, signal = inside.ask(role)
    equal((status, signal), (0, 0), "%s: %r" % (role, lines[-3:]))
    found = results(lines)
    for name in [name for name, kills in names.items() if kills]:
        lines, status, signal = inside.ask(role, name)
        if signal == ways_out.SIGSYS or status == 128 + ways_out.SIGSYS:
            found[name] = "killed"
        else:
            found.update(results(lines))
    missing = [name for name in names if name not in found]
    check(not missing, "not tried: %r", missing)
    through = sorted(name for name, line in found.items()
                     if line == "THROUGH")
    check(not through, "%s: %r", role, through)
    return "%d tried" % len(found)


def programs_of_tests(machines):
    """A folder in which the reader's program is `inside`."""
    folder = machines.state / "bin-of-tests"
    folder.mkdir()
    shutil.copy(machines.bin / "inside", folder / "trizone-reader")
    return folder


def ways_out_of_guests(suite, tried):
    names = ways_out.attacks(tried.bin / "trizone-reader")
    suite.case("a machine of the tests", tried.prepare, "tried")
    inside = suite.case("its start", Inside, tried)
    if inside is None:
        return
    try:
        suite.case("what is in a machine", what_is_in_it, inside)
        suite.case("ways out of nothing", controls, inside, names)
        for role in GUEST_ROLES:
            suite.case("ways out of a %s in its guest" % role, one_role,
                       inside, names, role)
    finally:
        suite.case("it ends when nobody is at its port", inside.done)


#
# Guests that were taken over.
#

def hostile_guests(machines, tried):
    """Each ends its own machine and no other: mails go on."""
    for how in HOSTILE:
        shutil.copytree(tried.state / "microvm" / "tried",
                        tried.state / "microvm" / how)
    with MachineHost(machines) as host:
        host.config["zones"]["mail"].update(channel=["mail"])
        host.config["zones"]["text"] = {
            "kind": "reader", "channel": "text", "warm": 8, "require": []}
        host.write_settings()
        host.start()
        host.attach_machine("mail")
        host.await_zone("mail")
        broker = host.role_pid("broker")
        before = host.memory(broker)
        for how in HOSTILE:
            host.attach_machine("text", machines=tried, runs=how)
        refused = lambda: host.log_text().count("zone=text code=")
        for round_ in range(4):
            host.deliver_and_wait(harness.mail("during %d" % round_),
                                  seconds=SECONDS)
            until(lambda: refused() > round_, SECONDS, "a guest is ended")
        host.deliver_and_wait(harness.mail("after"), seconds=SECONDS)
        grown = host.memory(broker) - before
        check(grown < 16 << 20, "the broker grew by %d bytes", grown)
        equal(host.zone_status("mail")["channels"], 1, "the good one")
        check(all(process.poll() is None for process in host.attached),
              "a supervisor ended")
        return "%d ended, the broker grew by %d KiB" % (refused(),
                                                        grown >> 10)


#
# Many machines.
#

def all_at_once(machines):
    """A planner and three readers, a message each."""
    with MachineHost(machines) as host:
        host.config["zones"]["mail"]["warm"] = READERS
        host.write_settings()
        host.start()
        host.attach_machine("planner")
        host.attach_machine("mail", READERS, announced={"recycle_after": 1})
        host.await_zone("planner")
        host.await_zone("mail", READERS)
        sizes = [procs.pss(pid) // 1024 for zone in ("planner", "mail")
                 for pid in machines_of(zone)]
        equal(len(sizes), 1 + READERS, "machines")
        before = host.zone_status("mail")["machines"]
        handles = [host.deliver(SAMPLE.replace(b"1142", b"%d" % number))
                   for number in range(READERS)]
        until(lambda: all(host.items()[handle]["state"] == "done"
                          for handle in handles), (1 + READERS) * SECONDS,
              "all done")
        until(lambda: host.zone_status("mail")["machines"] ==
              before + READERS, SECONDS, "each reader was replaced")
        return "host memory: planner %d MiB, readers %s MiB" % (
            sizes[0], " ".join(map(str, sizes[1:])))


def taken(host):
    """(processes, descriptors, bytes) of what stays: executor and attach.
    Machines that are ending are gone soon."""
    until(lambda: len(machines_of("mail")) == len(machines_of("planner")) == 1,
          30, "one machine for each zone")
    stay = [host.executor.pid, *(host.role_pid(role) for role in (
        "broker", "auditor")), *(p.pid for p in host.attached)]
    return (len(procs.descendants()),
            sum(harness.descriptors(pid) for pid in stay),
            sum(host.memory(pid) for pid in stay))


def disposable(machines, count):
    """Every machine for one message; nothing stays of them."""
    with MachineHost(machines) as host:
        host.start()
        host.attach_machine("planner")
        host.attach_machine("mail", announced={"recycle_after": 1})
        numbers, before = iter(range(count)), None
        begin = time.monotonic()
        for number in numbers:
            host.await_zone("planner")
            host.await_zone("mail")
            if number == min(count // 2, 10):
                before = taken(host)
            host.deliver_and_wait(harness.mail("number %d" % number), "done",
                                  2 * SECONDS)
        minutes = (time.monotonic() - begin) / 60
        host.await_zone("planner")
        host.await_zone("mail")
        until(lambda: taken(host)[:2] == before[:2], 30,
              "%r as before: %r" % (taken(host), before))
        after = taken(host)
        status = host.zone_status("mail")
        check(status["machines"] > count, "%d machines", status["machines"])
        check(after[2] - before[2] < 8 << 20, "memory: %r, %r", before, after)
        host.stop()
        host.verify()
        equal(machines_of("mail") + machines_of("planner"), [], "left")
        return "%.1f mails a minute, %d KiB more" % (
            count / minutes, (after[2] - before[2]) >> 10)


def body(suite):
    need()
    with Machines() as machines:
        for case in (image_is_the_same_bytes, image_has_nothing_else,
                     stale_image_is_told, guest_is_refused_elsewhere):
            suite.case(case.__name__.replace("_", " "), case, machines)
        suite.case("two machines", machines.prepare, "mail", "planner")
        suite.case("an injected mail", story, machines)
        if LONG:
            suite.case("planner and three readers", all_at_once, machines)
        count = 100 if LONG else 6
        suite.case("%d mails through machines for one" % count, disposable,
                   machines, count)
        with Machines(programs_of_tests(machines)) as tried:
            ways_out_of_guests(suite, tried)
            suite.case("guests that were taken over", hostile_guests,
                       machines, tried)


if __name__ == "__main__":
    main(body)
