"""The mail section of tests/bench/run: the reader beside other programs.

Times are processor time of a whole process, with its start, its files and the
processes it waits for, so that a busy machine changes them little. Memory is
the largest resident set of any of those processes, which counts the mail and
the pages of shared libraries too.
"""
import glob
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "drive"))
import bombs  # noqa: E402

PEER_BAR = (">=", 2)


def run(bench, command, cwd=None, stdin=None):
    """(processor seconds, peak MiB, standard output) of a process, or None
    where it failed."""
    with tempfile.NamedTemporaryFile() as used:
        done = subprocess.run(
            [bench.program("usage"), used.name, *command], cwd=cwd,
            stdin=open(stdin, "rb") if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
            timeout=600)
        if done.returncode != 0:
            return None
        usage = json.loads(used.read())
        return usage["cpu_s"], usage["peak_mib"], done.stdout


def peers(bench):
    """Name and command without files, of those that are here."""
    where, node = bench.options.peers, bench.options.node
    script = os.path.join
    rows = [("Python email", [sys.executable, script(where, "mail_py.py")],
             None, True),
            ("Perl MIME::Parser", ["perl", script(where, "mail_perl.pl")],
             None, module("MIME::Parser")),
            ("mailparser, html-to-text",
             ["node", script(where, "mail_node.mjs"), "mailparser"], node,
             installed(node, "mailparser")),
            ("postal-mime, html-to-text",
             ["node", script(where, "mail_node.mjs"), "postal"], node,
             installed(node, "postal-mime")),
            ("rspamadm", ["rspamadm", "mime", "extract", "-t", "-H"], None,
             True)]
    for name, command, cwd, there in rows:
        missing = (not there or shutil.which(command[0]) is None or
                   (len(command) < 4 and not os.path.exists(command[1])))
        yield name, command, cwd, missing


def module(name):
    return shutil.which("perl") is not None and subprocess.run(
        ["perl", "-M" + name, "-e", "1"], stderr=subprocess.DEVNULL,
        check=False).returncode == 0


def installed(folder, name):
    return os.path.isdir(os.path.join(folder, "node_modules", name))


def ratio_of(rounds, over, under):
    return statistics.median(r[over][0] / r[under][0] for r in rounds)


def corpus(bench, files):
    """All mails of the test data in one process each."""
    t = bench.table
    own = [bench.program("mail_own"), "one"]
    gmime = [bench.program("peer_gmime")]
    size = sum(os.path.getsize(path) for path in files)
    count = 3 if bench.quick else 9
    rounds = []
    for number in range(count):
        tasks = [("own", own), ("gmime", gmime)]
        done = {name: run(bench, command + files)
                for name, command in (tasks if number % 2 else tasks[::-1])}
        rounds.append(done)
    t.title("%d mails of %.1f MB, each in one process" % (
        len(files), size / 1e6))
    ms = [statistics.median(r[k][0] for r in rounds) * 1000
          for k in ("own", "gmime")]
    t.row("GMime alone", ms[1], "ms")
    t.row("our reader, locked as a worker", ms[0], "ms",
          ratio_of(rounds, "own", "gmime"), "GMime", ("<=", 5))
    rate = statistics.median(json.loads(r["own"][2])["mb_per_s"]
                             for r in rounds)
    t.row("  the cleaning alone", rate, "MB/s", rate, "1 MB/s", (">=", 20))
    for name, command, cwd, missing in peers(bench):
        beside(bench, name, command, cwd, missing, files, own)


def beside(bench, name, command, cwd, missing, files, own):
    t = bench.table
    if missing:
        t.row(name, "missing", "")
        return
    paths = [os.path.abspath(path) for path in files]
    theirs = run(bench, command + paths, cwd)
    ours = run(bench, own + files)
    if theirs is None:
        t.row(name, "failed", "")
        return
    t.row(name, theirs[0] * 1000, "ms", theirs[0] / ours[0], "ours", PEER_BAR)


def disposable(bench, files):
    t = bench.table
    rounds = []
    for _ in range(3 if bench.quick else 9):
        own = bench.program("mail_own")
        each = json.loads(run(bench, [own, "each"] + files[::5])[2])
        fork = json.loads(run(bench, [own, "fork",
                                      str(len(files) // 5)])[2])
        rounds.append((each["median_us"], fork["median_us"]))
    t.title("A process for each mail (wall clock, median of mails)")
    t.row("fork and exit of the same parent",
          statistics.median(r[1] for r in rounds) / 1000, "ms")
    t.row("a worker with its locks, one mail, results checked",
          statistics.median(r[0] for r in rounds) / 1000, "ms",
          statistics.median(r[0] / r[1] for r in rounds), "fork and exit")


def large(bench, path):
    t = bench.table
    rounds = []
    for _ in range(3 if bench.quick else 9):
        rounds.append({
            "own": run(bench, [bench.program("mail_own"), "one", path]),
            "gmime": run(bench, [bench.program("peer_gmime"), path])})
    t.title("One mail with 25 MB of attachments, in one process")
    t.row("GMime alone", statistics.median(
        r["gmime"][0] for r in rounds) * 1000, "ms")
    t.row("our reader, with SHA-256 of each file", statistics.median(
        r["own"][0] for r in rounds) * 1000, "ms",
          ratio_of(rounds, "own", "gmime"), "GMime", ("<=", 1.5))
    peak = json.loads(run(bench, [bench.program("mail_own"), "peak",
                                  path])[2])["peak_mib"]
    t.row("  the worker, resident at most, with the mail", peak, "MiB",
          peak / 32, "32 MiB", ("<=", 1))


def torture(bench, folder):
    t = bench.table
    reader = os.path.join(bench.binaries, "trizone-reader")
    t.title("Mails that break readers: parent and worker as shipped "
            "(processor seconds, largest resident set)")
    for name, raw, _ in bombs.bombs():
        path = os.path.join(folder, "bomb")
        with open(path, "wb") as file:
            file.write(raw)
        done = [run(bench, [reader, "mail"], stdin=path) for _ in range(3)]
        if None in done:
            t.row(name, "failed", "")
            continue
        t.row(name, statistics.median(d[0] for d in done), "s",
              statistics.median(d[0] for d in done) / 2, "2 s", ("<=", 1))
        t.row("  memory", statistics.median(d[1] for d in done), "MiB",
              max(d[1] for d in done) / 64, "64 MiB", ("<=", 1))


def measure(bench):
    files = sorted(glob.glob(os.path.join(bench.options.data, "mail", "**",
                                          "*.eml"), recursive=True))
    if files:
        corpus(bench, files)
        disposable(bench, files)
    else:
        bench.table.title("No mails in %s (--data)" % bench.options.data)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "large.eml")
        with open(path, "wb") as file:
            file.write(bombs.attachments())
        large(bench, path)
        torture(bench, folder)
