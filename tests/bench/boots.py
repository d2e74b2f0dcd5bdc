"""MicroVMs: from the start of a machine to its attested hello, beside machines
of the same kernel that do less or more; and the hand-over to a warm one. By
emulation; the machines are those of tests/drive/zone_machine.py."""
import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "drive"))
import harness  # noqa: E402
import zone_machine  # noqa: E402

SECONDS = 180
ROUNDS, QUICK_ROUNDS = 5, 2
MAILS = 15
QEMU = ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=single",
        "-smp", "1", "-nodefaults", "-no-user-config", "-display", "none",
        "-no-reboot"]
PORT = ["-device", "virtio-serial-pci", "-device",
        "virtserialport,chardev=c,name=z"]


def receive(port, count):
    data = b""
    while len(data) < count:
        piece = port.recv(count - len(data))
        if not piece:
            raise RuntimeError("the machine ended: %r" % data[:200])
        data += piece
    return data


def hello(machines, zone):
    """Seconds to the hello of a zone's machine, which has to attest."""
    begin = time.monotonic()
    process, port = machines.start(zone)
    try:
        length, = struct.unpack(">I", receive(port, 4))
        said = json.loads(receive(port, length))
        took = time.monotonic() - begin
    finally:
        port.close()
        process.wait(30)
    attested = said["params"]["attestation"]
    if attested["profile"] != "release" or attested["network"] != "none":
        raise RuntimeError("attests %r" % attested)
    return took


def console(command, word):
    """Seconds until the machine writes `word`."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    seen = b""
    try:
        while word not in seen:
            piece = os.read(process.stdout.fileno(), 4096)
            if not piece or time.monotonic() - begin > SECONDS:
                raise RuntimeError("no %r: %r" % (word, seen[-500:]))
            seen += piece
        return time.monotonic() - begin
    finally:
        process.kill()
        process.wait()


def pack(folder, name):
    archive = folder.parent / name
    with open(archive, "wb") as out:
        subprocess.run([zone_machine.IMAGE, "pack", folder], stdout=out,
                       check=True)
    return archive


def modules_of(image):
    return {os.path.basename(name): row[3]
            for name, row in zone_machine.files_of(image / "initrd").items()
            if name.startswith("modules/") and row[3]}


def least(bench, machines, kernel, modules):
    """Our own peer: its port goes to standard output."""
    root = machines.state / "least"
    (root / "modules").mkdir(parents=True)
    shutil.copy(bench.program("peer_boot"), root / "init")
    for name, data in modules.items():
        (root / "modules" / name).write_bytes(data)
    archive = pack(root, "least.img")
    command = [*QEMU, "-m", "128", "-kernel", kernel, "-initrd", archive,
               "-append", "console=ttyS0 quiet", "-serial", "null", "-chardev",
               "stdio,id=c,signal=off", *PORT]
    return lambda: console(command, b"READY")


def shared(bench, machines, kernel, modules):
    """microvm.py of --peers, a run of it each round; None where it is not."""
    script = os.path.join(bench.options.peers, "microvm.py")
    source = os.path.join(bench.options.peers, "vminit.c")
    if not os.path.exists(script) or not shutil.which("cc"):
        return None
    root = machines.state / "shared"
    (root / "m").mkdir(parents=True)
    subprocess.run(["cc", "-O2", "-w", "-static", "-o", root / "init", source],
                   check=True)
    for name, data in modules.items():
        (root / "m" / name.split("-", 1)[1]).write_bytes(data)
    archive = pack(root, "shared.img")

    def once():
        done = subprocess.run(
            [sys.executable, script, "1", "peer", "128", archive, "ports"],
            env=dict(os.environ, Q35="1", K=str(kernel)), cwd=machines.state,
            stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=True)
        found = re.search(r"boot median ([\d.]+) s", done.stdout)
        if not found:
            raise RuntimeError("microvm.py: " + done.stdout)
        return float(found.group(1))
    return once


def stock(machines, kernel):
    """Debian's initramfs of this kernel, made for any machine, to the first
    shell that it offers; None where it cannot be made."""
    version = os.path.basename(kernel).replace("vmlinuz-", "")
    archive = machines.state / "stock.img"
    if not shutil.which("mkinitramfs") or not os.path.isdir(
            "/lib/modules/" + version):
        return None
    subprocess.run(["mkinitramfs", "-o", archive, version], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    command = [*QEMU, "-m", "512", "-kernel", kernel, "-initrd", archive,
               "-append", "console=ttyS0 quiet break=top", "-serial", "stdio"]
    return lambda: console(command, b"(initramfs)")


def installed_kernel(image):
    """The file that the image's kernel is a copy of."""
    first = (image / "inputs").read_text().split("\n", 1)[0]
    return re.search(r"kernel=(\S+)", first).group(1)


def boots(bench, machines):
    image = machines.state / "microvm" / "mail" / "image"
    kernel = installed_kernel(image)
    modules = modules_of(image)
    tasks = {"planner": lambda: hello(machines, "planner"),
             "reader": lambda: hello(machines, "mail"),
             "least": least(bench, machines, kernel, modules),
             "shared": shared(bench, machines, kernel, modules),
             "stock": stock(machines, kernel)}
    tasks = {name: task for name, task in tasks.items() if task}
    rounds = []
    for number in range(QUICK_ROUNDS if bench.quick else ROUNDS):
        names = sorted(tasks, reverse=number % 2 == 1)
        rounds.append({name: tasks[name]() for name in names})
    table = bench.table
    peers = (("shared", "microvm.py", {"planner": 1.15, "reader": 1.3}),
             ("least", "a first process that only opens its port",
              {"planner": 1.15, "reader": 1.3}),
             ("stock", "Debian's initramfs to its shell",
              {"planner": 0.7, "reader": 0.7}))
    for zone, memory in (("planner", "2048 MB"), ("reader", "256 MB")):
        for peer, text, bars in peers:
            if peer not in tasks:
                table.row("%s, %s" % (zone, memory), "missing", text)
                continue
            table.row("%s, %s, to its attested hello" % (zone, memory),
                      statistics.median(r[zone] for r in rounds), "s",
                      statistics.median(r[zone] / r[peer] for r in rounds),
                      text, ("<=", bars[zone]))
    for peer, text, _ in peers:
        if peer in tasks:
            table.row("  " + text, statistics.median(
                r[peer] for r in rounds), "s")


def handover(bench, machines):
    """From a mail that is ready, with a warm reader, to its first byte."""
    took = []
    with zone_machine.MachineHost(machines) as host:
        host.start()
        host.attach_machine("mail")
        host.await_zone("mail")
        for number in range(MAILS):
            host.deliver_and_wait(harness.mail("warm %d" % number),
                                  seconds=SECONDS)
            took.append(host.zone_status("mail")["handover_ms"])
    median = statistics.median(took)
    bench.table.row("a mail waits for a warm reader, of %d" % MAILS, median,
                    "ms", median / 10, "10 ms", ("<=", 1))


def measure(bench):
    bench.table.title("MicroVMs by emulation, in turns; medians")
    why = zone_machine.missing()
    if why:
        bench.table.note("not here: " + why)
        return
    sys.argv[1:] = [bench.binaries]  # where harness looks for programs
    with zone_machine.Machines(bench.binaries) as machines:
        machines.prepare("planner", "mail")
        boots(bench, machines)
        handover(bench, machines)
