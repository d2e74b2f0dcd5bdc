"""A real executor in a folder of its own, and how its processes are measured.

Everything listens inside that folder; every process is one this file started,
and is ended by its number.
"""
import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

START_S = 20
STOP_S = 20
CHUNK = 48 * 1024  # bytes of a mail in one message; less than the credit


# Started as root, each role runs under a user of its own; numbers will do.
ACCOUNTS = {"broker": 64811, "auditor": 64812, "file": 64813, "notify": 64814,
            "planner": 64815, "reader": 64816}


def as_account(role):
    return ["--user", str(ACCOUNTS[role])] if os.geteuid() == 0 else []


def pin(pid, cores):
    os.sched_setaffinity(pid, cores)


def pinned(cores):
    """For a new process: runs on these cores only."""
    return (lambda: os.sched_setaffinity(0, cores)) if cores else None


def capability(name, method, settings):
    return {"name": name, "kind": name.split(".")[0], "method": method,
            "why": "The benchmark calls it.", "settings": settings,
            "limits": {"per_hour": 1000000}}


def rule(number, hard):
    """Rules 1 to 49 do not match the call that is measured, each for one of
    the reasons there are: another capability, another zone, a schema that the
    arguments do not fit. `hard`: always the last of these."""
    how = 2 if hard else number % 3
    made = {"id": "rule-%03d" % number, "verdict": "deny",
            "why": "Rule %d of a hundred, which refuses." % number,
            "capability": "notify.send"}
    if how == 0:
        made["capability"] = "file.list"
    elif how == 1:
        made["zone"] = "other-%d" % number
    else:
        made["arguments"] = {"properties": {"title": {
            "type": "string", "pattern": "^Invoice %d " % number}},
            "required": ["title"]}
    return made


def hundred_rules(hard):
    """The fiftieth is the first that matches notify.send; the last one lets
    file.folder through: a call with a result and nothing for a reader."""
    rules = [rule(n, hard) for n in range(1, 100)]
    rules[49] = {"id": "rule-050", "verdict": "deny",
                 "why": "The fiftieth rule of a hundred refuses this.",
                 "capability": "notify.send"}
    rules.append({"id": "rule-100", "verdict": "allow",
                  "why": "The last one allows a list.",
                  "capability": "file.folder"})
    return rules


def request(call, arguments, pad):
    """A call of 500 bytes; the argument `pad` is filled up."""
    body = {"jsonrpc": "2.0", "id": 1000000000, "method": "call",
            "params": {"name": call, "arguments": arguments}}
    text = json.dumps(body, separators=(",", ":"))
    words = "the quick brown fox jumps over the lazy dog "
    fill = (words * 20)[:500 - len(text)] if pad else ""
    if pad:
        arguments[pad] += fill
    return json.dumps(body, separators=(",", ":")).encode()


class Stage:
    """One executor; use it with `with`."""

    def __init__(self, binaries, where=None):
        self.bin = binaries
        self.dir = tempfile.mkdtemp(prefix="tz", dir=where)
        os.chmod(self.dir, 0o755)
        self.etc = os.path.join(self.dir, "etc")
        self.state = os.path.join(self.dir, "state")
        self.run = os.path.join(self.dir, "run")
        self.config = os.path.join(self.etc, "config.json")
        self.notes = os.path.join(self.state, "notify",
                                  "notifications.jsonl")
        self.lines = []
        self.others = []
        self.process = None
        self.init()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def program(self, name):
        return os.path.join(self.bin, "trizone-" + name)

    def init(self):
        subprocess.run([self.program("executor"), "init", "--no-accounts",
                        "--dir", self.etc, "--state", self.state, "--run",
                        self.run],
                       check=True, stdout=subprocess.DEVNULL, timeout=START_S)
        self.edit("config.json", self.for_benches)
        if os.geteuid() == 0:
            for name, role in (("files", "file"), ("notify", "notify")):
                os.chown(os.path.join(self.state, name), ACCOUNTS[role],
                         ACCOUNTS[role])

    @staticmethod
    def for_benches(config):
        """Its client attests nothing, and asks often."""
        config["zones"]["planner"].update(max_calls_per_minute=10000000,
                                          require=[])
        if os.geteuid() == 0:
            config["accounts"] = ACCOUNTS

    def edit(self, name, change):
        path = os.path.join(self.etc, name)
        with open(path) as file:
            what = json.load(file)
        change(what)
        with open(path, "w") as file:
            json.dump(what, file, indent=1)

    def use_hundred_rules(self, hard=False):
        files = os.path.join(self.state, "files")
        with open(os.path.join(files, "note.txt"), "w") as file:
            file.write("a note of some length\n" * 10)

        def change(policy):
            policy["rules"] = hundred_rules(hard)
            policy["capabilities"] = [
                capability("notify.send", "send",
                           {"to": "file", "path": self.notes}),
                capability("file.folder", "list", {"root": files}),
                capability("file.list", "list", {"root": files})]
        self.edit("policy.json", change)

    def read_log(self):
        for line in self.process.stderr:
            self.lines.append(line)
            if line.startswith("ev=ready"):
                self.ready.set()

    def start(self):
        """Seconds until it says that it is ready."""
        self.ready = threading.Event()
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [self.program("executor"), "run", "--config", self.config],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self.read_log, daemon=True).start()
        if not self.ready.wait(START_S):
            raise RuntimeError("no executor: " + "".join(self.lines[-5:]))
        return time.monotonic() - begin

    def attach(self, zone, *command):
        self.others.append(subprocess.Popen(
            [self.program("executor"), "attach", "--config", self.config,
             "--respawn", zone, "--"] + list(command),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True))
        return self.others[-1]

    def attach_zones(self):
        self.attach("mail", self.program("reader"), "run", "--channel",
                    "stdio", *as_account("reader"))
        self.attach("planner", self.program("planner"), "run", "--channel",
                    "stdio", "--rules", os.path.join(self.etc, "rules.json"),
                    *as_account("planner"))

    def stop(self):
        for other in self.others:
            try:
                os.killpg(other.pid, signal.SIGTERM)
                other.wait(STOP_S)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                other.kill()
        self.others = []
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process = None

    def roles(self):
        """Process numbers by role; couriers are counted."""
        found = {"parent": self.process.pid}
        for pid in children(self.process.pid):
            role = command_line(pid)[-1]
            if role == "courier":
                role += " %d" % (1 + sum("courier" in r for r in found))
            found[role] = pid
        return found

    def socket(self, name):
        return os.path.join(self.run, name + ".sock")

    def audit_lines(self):
        """Records as they are in the log, without its unused room."""
        folder = os.path.join(self.state, "audit")
        for name in sorted(os.listdir(folder)):
            if name.endswith(".jsonl"):
                with open(os.path.join(folder, name), "rb") as file:
                    for line in file:
                        if line == b"\n":
                            break
                        yield line


class Channel:
    """The protocol, as a program in any language would speak it."""

    def __init__(self, path, zone):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(30)
        self.socket.connect(path)
        self.id = 0
        self.send({"method": "hello", "params": {
            "protocol": 1, "zone": zone, "program": "bench",
            "attestation": {}}})
        self.receive()

    def send(self, message):
        body = json.dumps(dict(message, jsonrpc="2.0")).encode()
        self.socket.sendall(struct.pack(">I", len(body)) + body)

    def exactly(self, count):
        parts = b""
        while len(parts) < count:
            part = self.socket.recv(count - len(parts))
            if not part:
                raise RuntimeError("the channel was closed")
            parts += part
        return parts

    def receive(self):
        length = struct.unpack(">I", self.exactly(4))[0]
        return json.loads(self.exactly(length))

    def ask(self, method, params):
        self.begin(method, params)
        return self.answer()

    def begin(self, method, params):
        self.id += 1
        self.send({"id": self.id, "method": method, "params": params})

    def answer(self):
        while True:
            message = self.receive()
            if message.get("id") == self.id:
                if "error" in message:
                    raise RuntimeError(str(message["error"]))
                return message["result"]


def deliver(channel, raw):
    """One mail, durable when this returns."""
    channel.begin("deliver", {"stream": 1, "channel": "mail",
                              "bytes": len(raw)})
    for at in range(0, len(raw), CHUNK):
        channel.send({"method": "chunk", "params": {
            "stream": 1,
            "data": base64.b64encode(raw[at:at + CHUNK]).decode()}})
    channel.send({"method": "end", "params": {
        "stream": 1, "sha256": hashlib.sha256(raw).hexdigest()}})
    return channel.answer()


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return [int(word) for word in file.read().split()]


def command_line(pid):
    with open("/proc/%d/cmdline" % pid) as file:
        return file.read().rstrip("\0").split("\0")


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child] + descendants(child)
    return found


def cpu_us(pid):
    """Time a process has run, in microseconds."""
    with open("/proc/%d/schedstat" % pid) as file:
        return int(file.read().split()[0]) / 1000


def memory_kib(pid):
    """(PSS, of that private and dirty, resident) in KiB."""
    wanted = {"Pss": 0, "Private_Dirty": 0, "Rss": 0}
    with open("/proc/%d/smaps_rollup" % pid) as file:
        for line in file:
            name = line.split(":")[0]
            if name in wanted:
                wanted[name] = int(line.split()[1])
    return wanted["Pss"], wanted["Private_Dirty"], wanted["Rss"]
