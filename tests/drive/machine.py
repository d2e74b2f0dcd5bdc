"""A virtual machine for tests that want a kernel of their own.

The kernel is Debian's for clouds, from the package linux-image-cloud-amd64 (it
is unpacked, not installed); the rest is an archive of files: our programs,
BusyBox, and what a test adds. Started with QEMU, without network and disk. Who
uses it is skipped where one of these is missing.
"""
import contextlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile

import harness
from harness import check

SECONDS = 240  # by emulation
TOOLS = ("qemu-system-x86_64", "busybox", "cpio", "dpkg-deb", "apt-get")


def copy_with_libraries(program, root, name=None):
    target = root / "bin" / (name or program.name)
    shutil.copy(program, target)
    done = harness.run(["ldd", program])
    for path in re.findall(r"(/\S+) \(0x", done.stdout.decode()):
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copy(path, place)


def own_programs(root):
    """Ours, and BusyBox for all that is not there."""
    copy_with_libraries(pathlib.Path(shutil.which("busybox")), root)
    for applet in harness.run(["busybox", "--list"]).stdout.decode().split():
        if not (root / "bin" / applet).exists():
            (root / "bin" / applet).symlink_to("busybox")
    for name in ("executor", "planner", "reader"):
        copy_with_libraries(
            harness.folder_of_programs() / ("trizone-" + name), root)


def kernel(folder):
    """Unpacked from Debian's package; None where that is not to be had."""
    done = harness.run(["apt-cache", "depends", "linux-image-cloud-amd64"])
    name = re.search(r"Depends: (\S+)", done.stdout.decode())
    if not name:
        return None
    harness.run(["apt-get", "download", "-q", name.group(1)], seconds=300,
                cwd=folder)
    packages = list(folder.glob("linux-image*.deb"))
    if not packages:
        return None
    harness.run(["dpkg-deb", "-x", packages[0], folder / "kernel"])
    return next((folder / "kernel" / "boot").glob("vmlinuz*"), None)


def packed(folder):
    archive = folder / "initrd"
    with open(archive, "wb") as out:
        subprocess.run("find . | cpio -o -H newc --quiet", shell=True,
                       cwd=folder / "root", stdout=out, check=True)
    return archive


def boot(folder, linux, memory, seconds):
    console = folder / "console"
    with open(console, "wb") as out, contextlib.suppress(
            subprocess.TimeoutExpired):
        subprocess.run(
            ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-m",
             str(memory), "-nodefaults", "-no-reboot", "-display", "none",
             "-serial", "stdio", "-kernel", linux, "-initrd", packed(folder),
             "-append", "console=ttyS0 quiet panic=-1 audit=0 "
             "lsm=landlock"],
            stdin=subprocess.DEVNULL, stdout=out, timeout=seconds,
            check=False)
    text = console.read_bytes().decode(errors="replace").replace("\r", "")
    console.write_text(text)
    check("== end" in text, "the machine did not come to its end: %s",
          text[-3000:])


def skip(reason):
    print("skipped: " + reason)
    raise SystemExit(77)


@contextlib.contextmanager
def in_machine(suite, fill, tools=(), files=(), memory=1024,
               seconds=SECONDS):
    """What it wrote to its console, up to the line "== end". `fill` puts /init
    and more into a folder that becomes its root. `tools` have to be in the
    search path, `files` have to be there."""
    missing = [name for name in (*TOOLS, *tools) if not shutil.which(name)]
    missing += [str(path) for path in files if not path.exists()]
    if missing or platform.machine() != "x86_64":
        skip("no %s" % " ".join(missing or ["x86_64"]))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="trizone-vm."))
    folder.chmod(0o755)
    try:
        linux = kernel(folder)
        if linux is None:
            skip("no package linux-image-cloud-amd64 to be had")
        (folder / "root").mkdir()
        fill(folder / "root")
        suite.case("a machine", boot, folder, linux, memory, seconds)
        console = folder / "console"
        yield console.read_text() if console.exists() else ""
    finally:
        if os.environ.get("TRIZONE_KEEP"):
            print("kept: %s" % folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
