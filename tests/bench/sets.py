"""Elements of an account's sets beside `nft -f` and `nft -j list`, each in a
network namespace of its own."""
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

NAMESPACE = "trizone-bench-%d" % os.getpid()
KINDS = [kind + family for kind in ("fresh", "known") for family in "46"]


def table(elements=""):
    sets = ""
    for kind in KINDS:
        sets += ("set %s_4242 { type ipv%s_addr . inet_proto . inet_service; "
                 "flags %stimeout; size 262144; %s }\n" % (
                     kind, kind[-1], "dynamic," * kind.startswith("known"),
                     elements % {"s": "5d" if kind[0] == "k" else "1h"}
                     if kind[-1] == "4" else ""))
    return "table inet trizone_accounts {\n%s}\n" % sets


def elements(count):
    return "elements = { %s }" % ", ".join(
        '10.%d.%d.%d . tcp . 443 timeout %%(s)s comment "api.example.com"'
        % (i >> 16, i >> 8 & 255, i & 255) for i in range(count))


def inside(*command, text=None):
    """Milliseconds that it took."""
    begin = time.monotonic()
    subprocess.run(["ip", "netns", "exec", NAMESPACE, *command], check=True,
                   input=text, text=True, stdout=subprocess.DEVNULL)
    return (time.monotonic() - begin) * 1000


class Sets:
    """The measurements of one count."""

    def __init__(self, program, directory, count):
        self.program = program
        self.count = count
        self.path = os.path.join(directory, "sets-%d.nft" % count)
        with open(self.path, "w") as file:
            file.write(table(elements(count)))

    def empty(self):
        inside("nft", "flush", "ruleset")

    def ours(self, mode):
        self.empty()
        inside("nft", "-f", "-", text=table())
        return inside(self.program, mode, str(self.count))

    def theirs(self, back):
        self.empty()
        taken = inside("nft", "-f", self.path)
        if back:
            taken += inside("nft", "-j", "list", "ruleset")
        return taken


def rows(bench, rounds_of, case):
    found = rounds_of(bench.rounds, {
        "load": lambda: case.ours("load"),
        "nft": lambda: case.theirs(False),
        "back": lambda: case.ours("back"),
        "nft_back": lambda: case.theirs(True)})
    for name, text, peer, bar in (
            ("load", "load", "nft -f", 1.3),
            ("back", "load, read back, compare", "nft -f, nft -j list", 1.2)):
        theirs = "nft" if name == "load" else "nft_back"
        bench.table.row(
            "%s %d addresses" % (text, case.count),
            statistics.median(r[name] for r in found), "ms",
            statistics.median(r[name] / r[theirs] for r in found), peer,
            ("<=", bar))


def one(bench, case):
    """A single one among `case.count`: half are new, half once more."""
    case.ours("load")
    command = ["ip", "netns", "exec", NAMESPACE, case.program, "one", "2000"]
    found = json.loads(subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    for name, text in (("median_us", "median"), ("p99_us", "p99")):
        bench.table.row("one more beside %d, %s" % (case.count, text),
                        found[name], "us", found[name] / 1000, "1 ms",
                        ("<=", 1))


def measure(bench, rounds_of):
    bench.table.title("Elements of an account's sets, both sets; whole "
                      "processes")
    if why_not() is not None:
        bench.table.note(why_not())
        return
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    try:
        with tempfile.TemporaryDirectory() as directory:
            for count in (10, 1000, 100000):
                case = Sets(bench.program("set_own"), directory, count)
                rows(bench, rounds_of, case)
                one(bench, case)
    finally:
        subprocess.run(["ip", "netns", "delete", NAMESPACE], check=True)


def why_not():
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("nft") is None or shutil.which("ip") is None:
        return "needs nft and ip"
    return None
