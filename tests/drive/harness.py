"""What the drive programs share: a real executor in a temporary folder.

A Host is one executor with its zones, everything below one folder with a short
path (a socket's path has at most 104 bytes). Every wait has a deadline; what
was started is ended by its process id. A Suite runs cases and prints one line
for each.

    with Host() as host:
        host.start()
        host.attach("mail", *host.reader_command())
        host.deliver(raw)

The folder of the programs is the first argument, or TRIZONE_BIN, or build/bin
of the repository. Sanitizer builds will do: a report in any log is a failure.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import gullible

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY_SECONDS = 120
STOP_SECONDS = 45
SHORT_PATH = 60  # bytes a temporary folder may have, so that sockets fit
SANITIZER = re.compile(r"ERROR: (?:Address|Leak|Memory)Sanitizer"
                       r"|runtime error:|SUMMARY: \w+Sanitizer")
# A process nobody may trace cannot look for its own leaks; that is no report.
UNTRACEABLE = "LeakSanitizer has encountered a fatal error"
FAULTY = re.compile(r"^ev=bug |signal=(?:4|6|7|8|11) ", re.MULTILINE)


class Failed(AssertionError):
    """A case did not hold."""


class Skipped(Exception):
    """A case cannot be tried here."""


def absent(what):
    """Say that something is not here, which in CI it has to be."""
    raise (Failed if os.environ.get("CI") else Skipped)("no " + what)


def check(condition, text, *values):
    if not condition:
        raise Failed(text % values if values else text)


def equal(got, want, what):
    check(got == want, "%s: got %r, wanted %r", what, got, want)


def until(condition, seconds, what):
    """Wait for a true value of condition() and return it."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < deadline, "%s: not within %g s", what,
              seconds)
        time.sleep(0.01)


def folder_of_programs():
    arguments = [arg for arg in sys.argv[1:] if not arg.startswith("-")]
    folder = arguments[0] if arguments else os.environ.get(
        "TRIZONE_BIN", ROOT / "build" / "bin")
    folder = pathlib.Path(folder).resolve()
    if not (folder / "trizone-executor").exists():
        sys.exit("no trizone-executor in %s" % folder)
    return folder


def version_of():
    """The version the programs should name."""
    text = (ROOT / "CMakeLists.txt").read_text()
    return re.search(r"project\(\w+ VERSION ([\d.]+)", text).group(1)


def folder_of_data():
    """The public mail corpus, or None where there is none."""
    place = pathlib.Path(os.environ.get(
        "TRIZONE_DATA", ROOT.parent / "shared" / "data"))
    return place if (place / "injections").is_dir() else None


def short_folder():
    """A new folder with a short path, open to nobody else."""
    for place in ("/run", os.environ.get("XDG_RUNTIME_DIR"),
                  tempfile.gettempdir(), "/tmp"):
        if place and len(os.fsencode(place)) < SHORT_PATH and os.access(
                place, os.W_OK | os.X_OK):
            return pathlib.Path(tempfile.mkdtemp(
                prefix="tzd%d." % os.getpid(), dir=os.path.realpath(place)))
    raise Skipped("no folder with a short path can be written")


def environment(**more):
    env = dict(os.environ)
    env["ASAN_OPTIONS"] = "detect_leaks=0:exitcode=99"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1"
    env.update(more)
    return env


def run(command, data=b"", seconds=60, env=None, **more):
    """Run to the end; the CompletedProcess, output as bytes."""
    return subprocess.run([str(part) for part in command], input=data,
                          capture_output=True, timeout=seconds, check=False,
                          env=env or environment(), **more)


def end_process(process, seconds=STOP_SECONDS):
    """Ask it to end, then make it; its exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
            return None
    return process.returncode


def frame(body):
    if isinstance(body, (dict, list)):
        body = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    if isinstance(body, str):
        body = body.encode()
    return len(body).to_bytes(4, "big") + body


def mail(subject, body="A line.", sender="ann@example.org"):
    """A small raw mail of our own."""
    return ("From: Ann <%s>\r\nTo: ben@example.org\r\n"
            "Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nSubject: %s\r\n"
            "Message-ID: <%s@example.org>\r\n\r\n%s\r\n"
            % (sender, subject, abs(hash((subject, body))), body)).encode()


def default_policy(files, notes):
    """Two kinds, three capabilities, and no more."""
    return {
        "version": 1,
        "capabilities": [
            {"name": "file.list", "kind": "file", "method": "list",
             "why": "It may see which files it has.",
             "settings": {"root": str(files)},
             "limits": {"per_hour": 1000000}},
            {"name": "file.read", "kind": "file", "method": "read",
             "why": "It may read the files put there for it.",
             "settings": {"root": str(files)},
             "limits": {"per_hour": 1000000}},
            {"name": "notify.send", "kind": "notify", "method": "send",
             "why": "It may leave its operator a note.",
             "settings": {"to": "file", "path": str(notes)},
             "limits": {"per_hour": 1000000}}],
        "rules": [
            {"id": "read-files", "verdict": "allow",
             "why": "What was put there is meant to be read.",
             "capability": ["file.list", "file.read"]},
            {"id": "note", "verdict": "allow",
             "why": "A note stays on this machine.",
             "capability": "notify.send"}],
        "floor": {"exceptions": [
            {"capability": "notify.send",
             "why": "Only the operator gets it."}]}}


# Started as root, each role runs under a user of its own; numbers will do.
ACCOUNTS = {"broker": 64801, "auditor": 64802, "file": 64803, "notify": 64804,
            "planner": 64805, "reader": 64806}


def is_root():
    return os.geteuid() == 0


def own(path, role):
    """Give a folder or file to a role, where roles have users."""
    if is_root():
        os.chown(path, ACCOUNTS[role], ACCOUNTS[role])


def as_account(role):
    """Arguments that make a zone's program, or a filter, that user."""
    return ["--user", str(ACCOUNTS[role])] if is_root() else []


def folders_of_roles(state):
    """What `init` makes: the agent's files and the notes' folder."""
    for name, role in (("files", "file"), ("notify", "notify")):
        (state / name).mkdir(mode=0o700)
        own(state / name, role)
    state.chmod(0o711 if is_root() else 0o700)


class Host:
    """One executor and what is attached to it. Clients of these tests are
    Python and attest nothing, so zones require nothing unless a test says."""

    def __init__(self, session="per-message", policy=None, **config):
        self.bin = folder_of_programs()
        self.folder = short_folder()
        self.state = self.folder / "state"
        self.files = self.state / "files"
        self.notes = self.state / "notify" / "notes.jsonl"
        self.config_path = self.folder / "etc" / "config.json"
        # freed memory of a sanitizer build is kept for a while
        self.slack = 512 << 20 if b"__asan_init" in self.program(
            "executor").read_bytes() else 0
        self.executor = None
        self.attached = []
        self.logs = []
        self.problems = []
        self.folder.chmod(0o711)
        self.state.mkdir()
        folders_of_roles(self.state)
        self.config_path.parent.mkdir()
        self.config = {
            "version": 1, "state": str(self.state),
            "run": str(self.folder / "run"), "policy": "policy.json",
            "zones": {"planner": {"kind": "planner", "session": session,
                                  "max_sessions": 16,
                                  "max_calls_per_minute": 10000000,
                                  "require": []},
                      "mail": {"kind": "reader",
                               "channel": ["mail", "text"],
                               "suspect": "pass", "require": []}},
            "deliver": {"channels": ["mail"], "max_per_minute": 100000}}
        if is_root():
            self.config["accounts"] = ACCOUNTS
        self.config.update(config)
        self.policy = policy or default_policy(self.files, self.notes)
        self.write_settings()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        self.look_at_logs()
        shutil.rmtree(self.folder, ignore_errors=True)
        if kind is None:
            check(not self.problems, "%s", "; ".join(self.problems))

    def write_settings(self):
        self.config_path.write_text(json.dumps(self.config))
        (self.config_path.parent / "policy.json").write_text(
            json.dumps(self.policy))

    def program(self, name):
        return self.bin / ("trizone-" + name)

    def reader_command(self):
        return [self.program("reader"), "run", "--channel", "stdio",
                *as_account("reader")]

    def planner_command(self, rules):
        return [self.program("planner"), "run", "--channel", "stdio",
                "--rules", rules, *as_account("planner")]

    def _spawn(self, name, command):
        path = self.folder / ("%s.%d.log" % (name, len(self.logs)))
        self.logs.append(path)
        with open(path, "wb") as log:
            return subprocess.Popen([str(part) for part in command],
                                    stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log, env=environment())

    def start(self):
        self.executor = self._spawn("executor", [
            self.program("executor"), "run", "--config", self.config_path])
        log = self.logs[-1]

        def is_ready():
            check(self.executor.poll() is None, "executor ended: %s",
                  log.read_text(errors="replace")[-2000:])
            return "ev=ready" in log.read_text(errors="replace")
        until(is_ready, READY_SECONDS, "executor ready")
        return self

    def attach(self, zone, *command, respawn=True):
        process = self._spawn(zone, [
            self.program("executor"), "attach", "--config", self.config_path]
            + (["--respawn"] if respawn else []) + [zone, "--", *command])
        self.attached.append(process)
        return process

    def attach_reader(self):
        process = self.attach("mail", *self.reader_command())
        # it serves from its hello on, which tells what it attests; clients of
        # the tests in its place attest nothing
        until(lambda: self.zone_status("mail")["channels"] > 0
              and self.zone_status("mail").get("attestation"),
              READY_SECONDS, "reader attached")
        return process

    def zone_status(self, zone):
        return next(row for row in self.operate("status")["zones"]
                    if row["zone"] == zone)

    def stop_executor(self):
        if self.executor is None:
            return
        status = end_process(self.executor)
        if status != 0:
            self.problems.append("executor ended with %r" % status)
        self.executor = None

    def stop(self):
        for process in self.attached:
            process.terminate()
        self.stop_executor()
        for process in self.attached:
            if end_process(process, 10) is None:
                self.problems.append("attach did not end")
        self.attached = []

    def log_text(self):
        return "\n".join(path.read_text(errors="replace")
                         for path in self.logs if path.exists())

    def look_at_logs(self):
        text = self.log_text()
        found = SANITIZER.search(text.replace(UNTRACEABLE, ""))
        fault = FAULTY.search(text)
        for hit in (found, fault):
            if hit:
                self.problems.append("log: " + text[max(0, hit.start() - 200):
                                                   hit.start() + 3000])

    # Talking to it.

    def socket(self, name):
        return str(self.folder / "run" / (name + ".sock"))

    def connect(self, name, hello=True, timeout=30.0, vouched=True):
        if vouched and self.config["zones"].get(name, {}).get(
                "kind") == "planner":
            self.operate("session.new", {"zone": name})
        wire = gullible.Wire.connect(self.socket(name), timeout)
        if hello:
            wire.hello(name, "drive")
        return wire

    def operate(self, method, params=None):
        """One request on the operator's socket; its result."""
        answer = self.operator_answer(method, params)
        check(answer.ok, "%s refused: %r", method, answer.error)
        return answer.result

    def operator_answer(self, method, params=None):
        wire = self.connect("operator")
        try:
            return wire.request(method, params or {})
        finally:
            wire.close()

    def items(self):
        """Every item of the inbox, by handle."""
        found, after = {}, 0
        while True:
            rows = self.operate("item.list", {"after": after,
                                              "limit": 1000})["items"]
            for row in rows:
                found[row["handle"]] = row
            if len(rows) < 1000:
                return found
            after = int(rows[-1]["handle"][4:])

    def counts(self):
        return self.operate("status")["inbox"]

    def command(self, *arguments, data=b"", seconds=60, env=None):
        """trizone-executor COMMAND --config ... ARGUMENT..."""
        name = list(arguments[:2]) if arguments[0] in (
            "inbox", "session", "audit", "review") else list(arguments[:1])
        return run([self.program("executor"), *name, "--config",
                    self.config_path, *arguments[len(name):]], data, seconds,
                   env)

    def deliver(self, raw):
        """Through the program; the handle."""
        done = self.command("deliver", "mail", data=raw)
        check(done.returncode == 0, "deliver: %d %r", done.returncode,
              done.stderr)
        return done.stdout.split()[0].decode()

    def deliver_and_wait(self, raw, state="ready", seconds=120):
        handle = self.deliver(raw)
        until(lambda: self.items()[handle]["state"] == state, seconds,
              "%s %s" % (handle, state))
        return handle

    # Looking at it.

    def role_pid(self, role):
        """Process of a role: the parent's child with that name in its
        arguments."""
        for row in run(["ps", "-Ao", "pid=,ppid=,args="]).stdout.decode(
                errors="replace").splitlines():
            pid, parent, args = row.split(None, 2)
            if int(parent) == self.executor.pid and args.endswith(
                    "--role " + role):
                return int(pid)
        raise Failed("no %s" % role)

    def memory(self, pid):
        """Resident bytes."""
        out = run(["ps", "-o", "rss=", "-p", str(pid)]).stdout
        return int(out.split()[0]) * 1024

    def audit_log(self):
        """The segment that is being written."""
        return audit_segments(self.state / "audit")[-1]

    def audit(self):
        """Every record, as objects."""
        return audit_records(self.state / "audit")

    def verify(self):
        done = self.command("audit", "verify", seconds=300)
        check(done.returncode == 0, "audit verify: %r %r", done.stdout,
              done.stderr)


def audit_segments(folder):
    """The files of a log, the oldest first."""
    segments = sorted(folder.glob("segment-*.jsonl"))
    check(segments, "no segments in %s", folder)
    return segments


def audit_records(folder):
    """Every record of a log, as objects; unused room is empty lines."""
    records = []
    for path in audit_segments(folder):
        with open(path, "rb") as log:
            for line in log:
                if line == b"\n" or not line.endswith(b"\n"):
                    break
                records.append(json.loads(line))
    return records


def descriptors(pid):
    """How many descriptors a process has; None where nobody tells."""
    try:
        return len(os.listdir("/proc/%d/fd" % pid))
    except OSError:
        return None


def signal_process(pid, number):
    os.kill(pid, number)


class Suite:
    """Runs cases; one line each, and a last line with the sums."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.only = os.environ.get("TRIZONE_CASE", "")

    def case(self, name, function, *arguments):
        if self.only not in name:
            return None
        began = time.monotonic()
        word, text, value = "pass", "", None
        try:
            value = function(*arguments)
            text = value if isinstance(value, str) else ""
            self.passed += 1
        except Skipped as why:
            word, text = "skip", str(why)
            self.skipped += 1
        except Failed as why:
            word, text = "FAIL", str(why)
            self.failed += 1
        except (Exception, subprocess.TimeoutExpired) as why:
            word = "FAIL"
            text = "%s\n%s" % (why, traceback.format_exc())
            self.failed += 1
        print("%s  %-44s %6.2f s  %s" % (word, name,
                                         time.monotonic() - began, text),
              flush=True)
        return value

    def end(self):
        print("%d passed, %d failed, %d skipped"
              % (self.passed, self.failed, self.skipped), flush=True)
        return 1 if self.failed else 0


def main(body):
    """Run body(suite); SIGTERM ends it as an exception, so that what was
    started is ended too."""
    def stop(number, _):
        raise KeyboardInterrupt("signal %d" % number)
    signal.signal(signal.SIGTERM, stop)
    suite = Suite()
    body(suite)
    sys.exit(suite.end())
