#!/usr/bin/env python3
"""Set-ups of microVMs that are broken on purpose: doctor names each fault and
what mends it, and prepare and check refuse what they can see.

usage: zones_vm_doctor.py [BIN]
"""
import contextlib
import os
import pathlib
import platform
import re
import shutil
import subprocess

import harness
from harness import Skipped, check, equal, main, until
from zone_machine import PROVIDER, Machines, machines_of, need

FAULT = re.compile(r"^mail: fault: (.+); mend: (.+)$")
EXTRA = {"network card": "-nic user,model=e1000",
         "shared folder": "-virtfs local,path=/tmp,mount_tag=x,"
                          "security_model=none",
         "disk": "-device virtio-blk-pci,drive=d -blockdev "
                 "null-co,node-name=d",
         "USB": "-device qemu-xhci"}


def faults(machines, **more):
    done = machines.ask("mail", "doctor", **more)
    lines = done.stdout.decode().splitlines()
    found = [FAULT.match(line) for line in lines]
    check(all(found), "no fault and mend: %r %r", lines, done.stderr)
    equal(done.returncode, 1 if found else 0, "status: %r" % lines)
    return [row.groups() for row in found]


def one_fault(machines, words, mend, **more):
    """All that is found is this."""
    found = faults(machines, **more)
    check(found, "nothing found, wanted %r", words)
    for fault, how in found:
        check(words in fault, "%r is not in %r", words, fault)
        check(mend in how, "%r is not in %r", mend, how)


def sound(machines):
    equal(faults(machines), [], "faults of a sound set-up")
    shown = machines.ask("mail", "prepare", ZONE_DRY_RUN="1")
    check(shown.returncode == 0 and b"fresh" in shown.stdout, "%r", shown)


def no_image(machines):
    one_fault(machines, "there is no image", "vm/zone up mail",
              TRIZONE_STATE=str(machines.state / "elsewhere"))


def no_qemu(machines):
    more = {"TRIZONE_QEMU": "qemu-system-nowhere"}
    one_fault(machines, "there is no qemu-system-nowhere",
              "install qemu-system-x86", **more)
    done = machines.ask("mail", "check", **more)
    check(done.returncode == 69 and b"install" in done.stderr, "%r", done)


def too_little_memory(machines):
    one_fault(machines, "so little memory", "128 or more",
              ZONE_MEMORY_MB="96")


@contextlib.contextmanager
def changed(path, change):
    """A file other than it was, for a while."""
    before, stat = path.read_bytes(), path.stat()
    path.write_bytes(change(before))
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def stale_image(machines):
    with changed(machines.bin / "trizone-reader", lambda old: old + b"\0"):
        one_fault(machines, "is stale", "vm/zone up mail")


def damaged_image(machines):
    initrd = machines.state / "microvm" / "mail" / "image" / "initrd"
    with changed(initrd, lambda old: old[:-1] + b"?"):
        one_fault(machines, "SHA256SUMS", "vm/zone up mail")


def kernel_without_virtio(machines):
    """Its modules are there, but not these."""
    version = "9.9-cloud"
    kernel = machines.state / ("vmlinuz-" + version)
    kernel.write_bytes(b"a kernel")
    modules = machines.state / "modules" / version
    (modules / "kernel").mkdir(parents=True)
    (modules / "modules.builtin").write_text("kernel/fs/fat.ko\n")
    one_fault(machines, "the kernel has no virtio_pci",
              "linux-image-cloud-amd64", TRIZONE_KERNEL=str(kernel),
              TRIZONE_MODULES=str(modules))
    done = machines.ask("mail", "prepare", TRIZONE_KERNEL=str(kernel),
                        TRIZONE_MODULES=str(modules))
    check(done.returncode != 0 and b"virtio" in done.stderr, "%r", done)


def machine_that_says_nothing(machines):
    """Its last words are told: here the program is none."""
    other = machines.state / "bin-of-nothing"
    other.mkdir()
    shutil.copy(shutil.which("true"), other / "trizone-reader")
    done = machines.ask("mail", "prepare", TRIZONE_BIN=str(other),
                        TRIZONE_STATE=str(machines.state / "nothing"))
    equal(done.returncode, 69, "prepare: %r" % done.stderr)
    check(b"panic" in done.stderr and b"no machine says hello" in done.stderr,
          "%r", done.stderr)


def wrapper(machines, words):
    """A QEMU that is given more than the provider says."""
    path = machines.state / "qemu-system-more"
    path.write_text('#!/bin/sh\nexec qemu-system-x86_64 "$@" %s\n' % words)
    path.chmod(0o755)
    return {"TRIZONE_QEMU": str(path)}


def device_more(machines, what):
    more = wrapper(machines, EXTRA[what])
    found = faults(machines, **more)
    check(any("would have a %s" % what in fault or
              "would have %s" % what in fault for fault, _ in found),
          "%r", found)
    done = machines.ask("mail", "prepare", **more)
    check(done.returncode != 0 and b"a device more" in done.stderr, "%r", done)


def machine_that_runs_has_more(machines):
    """One that was started before, with a network card."""
    more = wrapper(machines, EXTRA["network card"])
    process, port = machines.start("mail", **more)
    try:
        until(lambda: machines_of("mail"), 20, "it runs")
        found = faults(machines)
        check(any("was started with a network card" in fault and
                  "vm/zone down mail" in mend for fault, mend in found),
              "%r", found)
    finally:
        port.close()
        machines.ask("mail", "down")
        process.wait(20)
    equal(machines_of("mail"), [], "after down")
    equal(faults(machines), [], "faults afterwards")


def others_can_write(machines):
    image = machines.state / "microvm" / "mail" / "image"
    os.chown(image / "initrd", 64805, 64805)
    try:
        one_fault(machines, "others can write it", "see who changed it")
    finally:
        os.chown(image / "initrd", 0, 0)
    image.chmod(0o777)
    try:
        one_fault(machines, "others can write it", "see who changed it")
    finally:
        image.chmod(0o755)


def kvm_that_hangs(machines):
    """As here, or as a QEMU that says nothing with it: emulated, and told."""
    if not pathlib.Path("/dev/kvm").exists():
        raise Skipped("there is no /dev/kvm")
    path = machines.state / "qemu-system-hangs"
    path.write_text('#!/bin/sh\ncase "$*" in *"-accel kvm"*) exec sleep 600 ;;'
                    '\nesac\nexec qemu-system-x86_64 "$@"\n')
    path.chmod(0o755)
    one_fault(machines, "no machine says hello with it", "TRIZONE_ACCEL=tcg",
              TRIZONE_ACCEL="auto", TRIZONE_QEMU=str(path))


def other_processor(machines):
    """The devices of the board for aarch64, where there is its QEMU."""
    if not shutil.which("qemu-system-aarch64"):
        raise Skipped("there is no qemu-system-aarch64")
    if platform.machine() != "x86_64":
        raise Skipped("this is no x86_64")
    stub = machines.state / "stub"
    stub.mkdir()
    (stub / "uname").write_text("#!/bin/sh\necho aarch64\n")
    (stub / "uname").chmod(0o755)
    found = faults(machines, PATH="%s:%s" % (stub, os.environ["PATH"]))
    equal(found, [], "faults against devices.aarch64")


def tools_of_busybox(machines):
    """They lack what a machine is started with, which is said before."""
    busybox = shutil.which("busybox")
    if not busybox:
        raise Skipped("there is no busybox")
    for tool in ("setpriv", "unshare"):
        stub = machines.state / ("busybox-" + tool)
        stub.mkdir()
        (stub / tool).symlink_to(busybox)
        done = machines.ask("mail", "check", PATH="%s:%s" % (
            stub, os.environ["PATH"]))
        equal(done.returncode, 69, "check with that %s: %r"
              % (tool, done.stderr))
        check(b"install util-linux" in done.stderr, "%r", done.stderr)


def console_of_a_machine(machines):
    """Its last words, in a file; and no fault while it runs."""
    path = machines.state / "console"
    names = ",".join("mx%d.example.org" % i for i in range(16))
    process, port = machines.start("mail", ZONE_CONSOLE=str(path),
                                   ZONE_TRUST_AUTH=names)
    try:
        port.recv(1)
        equal(faults(machines, ZONE_TRUST_AUTH=names), [], "while it runs")
    finally:
        port.close()
        equal(process.wait(30), 0, "its end")
    check("Power down" in path.read_text(errors="replace"), "%r",
          path.read_text(errors="replace")[-500:])


def what_it_sees_of_this_machine(machines):
    """Programs, a few devices and its image: no sockets, no files of others."""
    if not harness.is_root():
        raise Skipped("not root")
    before = [(name, os.stat(name).st_size) for name in (
        shutil.which("qemu-system-x86_64"), "/etc/ld.so.cache")]
    process, port = machines.start("mail")
    try:
        port.recv(1)
        root = pathlib.Path("/proc/%d/root" % machines_of("mail")[0])
        names = set(os.listdir(root))
        check(names >= {"dev", "proc", "usr"}, "%r", names)
        state = machines.state.parts[1]
        equal(names - {"bin", "dev", "etc", "gnu", "lib", "lib32", "lib64",
                       "libx32", "nix", "opt", "proc", "sbin", "usr", state},
              set(), "more")
        check({"null", "urandom"} <= set(os.listdir(root / "dev")) <= {
            "kvm", "null", "random", "urandom"}, "devices")
        equal(os.listdir(root / "etc"), ["ld.so.cache"], "etc")
        place = (machines.state / "microvm").relative_to("/")
        equal([sorted(os.listdir(root / place)),
               os.listdir(root / place / "mail")], [["mail"], ["image"]],
              "of our state")
        equal(os.statvfs(root).f_flag & os.ST_RDONLY, os.ST_RDONLY, "root")
        equal([(name, os.stat(name).st_size) for name, _ in before], before,
              "nothing was changed")
    finally:
        port.close()
        process.wait(30)


def what_the_provider_says(machines):
    done = harness.run([PROVIDER], env=machines.environment("mail"))
    equal(done.returncode, 64, "no command")
    for name, value in (("ZONE", "../x"), ("ZONE_MEMORY_MB", "1;reboot"),
                        ("ZONE_TRUST_AUTH", "a rdinit=/x"),
                        ("TRIZONE_STATE", "/x\n-netdev\nuser,id=x"),
                        ("ZONE_CONSOLE", "/x,path=/etc/passwd"),
                        ("ZONE_CONSOLE", "/x\n-netdev")):
        done = machines.ask("mail", "describe", **{name: value})
        equal(done.returncode, 64, "%s=%s" % (name, value))


def console_of_others(machines):
    """What is given to the zone's account is no file by a link, nor in a
    folder where somebody could make it one."""
    kept = machines.state / "kept"
    kept.write_text("root's")
    link = machines.state / "link"
    link.symlink_to(kept)
    shared = machines.state / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    for path in (link, shared / "console"):
        done = machines.ask("mail", "exec", ZONE_CONSOLE=str(path))
        equal(done.returncode, 77, "status of %s" % path)
    equal((kept.stat().st_uid, kept.read_text()), (0, "root's"), "the file")
    equal(list(shared.iterdir()), [], "files")


def another_image_than_announced(machines):
    said = machines.run / "mail.json"
    said.write_text('{"image":"%s"}' % ("0" * 64))
    try:
        done = machines.ask("mail", "exec")
    finally:
        said.unlink()
    check(done.returncode == 69 and b"is not what was announced" in
          done.stderr, "%r", done)


def stranger_with_its_words(machines):
    """He is neither ended nor in the way of down."""
    image = machines.state / "microvm" / "mail" / "image" / "vmlinuz"
    process = subprocess.Popen(
        ["setpriv", "--reuid", "64801", "--regid", "64801", "--clear-groups",
         "sh", "-c", "read -r line", "-name", "trizone.mail", "-virtfs",
         str(image)], stdin=subprocess.PIPE)
    try:
        until(lambda: b"trizone.mail" in pathlib.Path(
            "/proc/%d/cmdline" % process.pid).read_bytes(), 10, "it is there")
        equal(faults(machines), [], "faults")
        equal(machines.ask("mail", "down").returncode, 0, "down")
        equal(process.poll(), None, "the stranger was ended")
    finally:
        process.stdin.close()
        process.wait(10)


def no_kernel_at_all(machines):
    """What is read for ever, and names that would be others'."""
    pipe = machines.state / "a-pipe"
    os.mkfifo(pipe)
    two = machines.state / "modules-x\ny"
    (two / "kernel").mkdir(parents=True)
    for status, more in (
            (69, {"TRIZONE_KERNEL": str(pipe)}),
            (69, {"TRIZONE_KERNEL": str(machines.state)}),
            (64, {"TRIZONE_KERNEL": str(machines.rules),
                  "TRIZONE_MODULES": str(two)})):
        done = machines.ask("mail", "prepare", **more)
        equal(done.returncode, status, "status with %r: %r" %
              (more, done.stderr))
    folder = machines.state / "packed"
    folder.mkdir()
    (folder / "a\nb").touch()
    equal(harness.run([harness.ROOT / "vm" / "image", "pack", folder])
          .returncode, 65, "a name of two lines")


def body(suite):
    need()
    with Machines() as given:
        # a copy, as one case changes it
        copy = given.state / "bin"
        copy.mkdir()
        shutil.copy(given.bin / "trizone-reader", copy)
        given.bin = copy
        given.prepare("mail")
        for case in (sound, no_image, no_qemu, too_little_memory, stale_image,
                     damaged_image, kernel_without_virtio,
                     machine_that_says_nothing):
            suite.case(case.__name__.replace("_", " "), case, given)
        for what in EXTRA:
            suite.case("a %s more" % what, device_more, given, what)
        for case in (machine_that_runs_has_more, others_can_write,
                     kvm_that_hangs, tools_of_busybox, console_of_a_machine,
                     what_it_sees_of_this_machine,
                     other_processor, what_the_provider_says,
                     console_of_others, another_image_than_announced,
                     stranger_with_its_words, no_kernel_at_all):
            suite.case(case.__name__.replace("_", " "), case, given)


if __name__ == "__main__":
    main(body)
