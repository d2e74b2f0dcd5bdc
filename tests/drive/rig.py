"""The real auditor and couriers, with this program as parent and broker.

Roles are started as executor/role.h says: descriptors by number, start texts
through a pipe, nothing else inherited. Heads are packed as executor/order.h
lays them out, so that a lie can be told in any field.
"""
import fcntl
import hashlib
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import struct
import time

import harness
from harness import check

MAGIC = 0x7a336f72
NO_CAPABILITY = 0xffffffff
COURIERS_MAX, CAPABILITIES_MAX = 32, 256
ENTRY = struct.Struct("@IIQQQQQQQ11I32s65s65s301s200s257s2I0Q")
ORDER = struct.Struct("@IIQQQII32s0Q")
OUTCOME = struct.Struct("@IIQQQII32s200s0Q")
RESULT = struct.Struct("@IIQ4I200s0Q")
# struct lock_report of common/lock.h: role, profile, 6 numbers, capabilities,
# namespaces and what follows up to the first hash, and so on
REPORT = struct.Struct("@16s8s6I2Q4I32s4I32sI200s0Q")
AUDITOR_START = struct.Struct("@2Q2?0Q")  # of executor/auditor.h
CONTROL = struct.Struct("@4IQ2I%ds" % REPORT.size)
CONTROL_WHAT = ("ready", "down", "drained", "up", "stuck", "stop", "attest",
                "offer", "policy", "settle", "drop", "taken", "refused",
                "reload", "reloaded", "user", "grant", "unwritten",
                "record", "listener")
STATUS = ("done", "failed", "refused", "unknown")
HIGH = 256    # above every number a role is given
SECONDS = 10


def _names(path, pattern):
    text = (harness.ROOT / "executor" / path).read_text()
    return re.findall(pattern, text, re.MULTILINE)


KINDS = {name: number for number, name in enumerate(
    _names("record.def", r'^RECORD\(\w+, "(\w+)"'))}


def sha256(data):
    return hashlib.sha256(data).digest()


def entry(body=b"", capability=NO_CAPABILITY, kind="intent", **lies):
    """One entry with what has to follow it; `lies` replaces any field."""
    name = lies.pop("name", b"" if capability == NO_CAPABILITY else b"name")
    fields = {
        "magic": MAGIC, "kind": KINDS.get(kind, kind), "request": 1,
        "session": 1, "message": 0, "grant": 0, "bytes": len(body),
        "receipt": 0, "intent": 0,
        "capability": capability, "verdict": 0, "error": 0,
        "order": int(kind == "intent"), "name_bytes": len(name),
        "name_full": len(name), "body_bytes": len(body), "committed": 1,
        "detail_bytes": 0, "inputs_bytes": 0, "status": 0,
        "hash": sha256(body), "zone": b"planner", "rule": b"r", "why": b"w",
        "detail": b"", "destination": b"", "destination_full": 0,
        "effects": 0}
    check(not set(lies) - set(fields), "no such field: %r", lies)
    fields.update(lies)
    return ENTRY.pack(*fields.values()) + name + body


def order(body, capability, **lies):
    fields = {"magic": MAGIC, "capability": capability, "sequence": 1,
              "request": 1, "grant": 0, "body_bytes": len(body), "unused": 0,
              "hash": sha256(body)}
    fields.update(lies)
    return ORDER.pack(*fields.values()) + body


def setting(profile, places):
    """The first start text: what the new process has to become."""
    lines = ["profile " + profile, "interfaces 0", "cgroup none here"]
    if harness.is_root():
        number = harness.ACCOUNTS[profile]
        lines.append("account %d %d %s" % (number, number, profile))
    lines += ["%s %s" % pair for pair in places]
    return "".join(line + "\n" for line in lines).encode()


def place(capability):
    """Where a capability works, as its kind says."""
    settings = capability["settings"]
    if "root" in settings:
        writes = capability["method"] == "write"
        return ("write" if writes else "read"), settings["root"]
    return "show-write", os.path.dirname(settings["path"])


class Role:
    """One process."""

    def __init__(self, program, role, descriptors, texts, log):
        self.control, theirs = socket.socketpair()
        start_read, start_write = os.pipe()
        order_of = [theirs.fileno(), start_read] + list(descriptors)
        self.pid = os.fork()
        if self.pid == 0:
            self._become(program, role, order_of, log)
        theirs.close()
        os.close(start_read)
        with open(start_write, "wb") as out:
            for text in texts:
                out.write(struct.pack("@I", len(text)) + text)
        self.status = None

    @staticmethod
    def _become(program, role, descriptors, log):
        try:
            os.setsid()
            os.dup2(log, 2)
            moved = [fcntl.fcntl(fd, fcntl.F_DUPFD, HIGH)
                     for fd in descriptors]
            for number, fd in enumerate(moved, 3):
                os.dup2(fd, number)
            os.closerange(3 + len(moved), resource.getrlimit(
                resource.RLIMIT_NOFILE)[0])
            os.execve(str(program), ["trizone-executor", "--role", role],
                      {"ASAN_OPTIONS": "detect_leaks=0:exitcode=99"})
        finally:
            os._exit(71)

    def poll(self):
        """Exit status, -signal, or None while it lives."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def wait(self, seconds=SECONDS):
        harness.until(lambda: self.poll() is not None, seconds, "its end")
        return self.status

    def end(self):
        if self.poll() is None:
            os.kill(self.pid, signal.SIGCONT)
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
        self.control.close()

    def tell(self, what, courier=0, text=b"", **lies):
        fields = {"magic": MAGIC, "what": CONTROL_WHAT.index(what),
                  "courier": courier, "bytes": len(text), "number": 0,
                  "error": 0, "asked": 0, "report": b""}
        fields.update(lies)
        self.control.sendall(CONTROL.pack(*fields.values()) + text)

    def hear(self, seconds=SECONDS):
        """(what, courier), or None at the end of it."""
        self.control.settimeout(seconds)
        data = self.control.recv(CONTROL.size)
        if len(data) != CONTROL.size:
            return None
        _, what, courier, _, self.number, *_, report = CONTROL.unpack(data)
        self.report = REPORT.unpack(report)
        return CONTROL_WHAT[what], courier


def read_all(fd, count, seconds=SECONDS):
    """Exactly so many bytes; None if they do not come."""
    data, deadline = b"", time.monotonic() + seconds
    while len(data) < count:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return None
        more = os.read(fd, count - len(data))
        if not more:
            return None
        data += more
    return data


class Result:
    def __init__(self, head, body, content):
        self.request, self.error = head[2], head[3]
        self.status = STATUS[head[1]]
        self.detail = head[7].split(b"\0")[0].decode(errors="replace")
        self.body = body
        self.content = content


class Rig:
    """Auditor and couriers for a policy's capabilities. `real` names the
    couriers that are processes; the others' sockets are ours to play with."""

    def __init__(self, capabilities, real=None):
        self.program = harness.folder_of_programs() / "trizone-executor"
        self.folder = harness.short_folder()
        self.audit_folder = self.folder / "audit"
        self.audit_folder.mkdir(0o700)
        harness.own(self.audit_folder, "auditor")
        self.folder.chmod(0o711)
        self.log_path = self.folder / "log"
        self.log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT
                           | os.O_APPEND, 0o600)
        self.capabilities = capabilities(self.folder)
        self.kinds = list(dict.fromkeys(
            row["kind"] for row in self.capabilities))
        self.real = self.kinds if real is None else real
        self.next_request = 0
        self.anchors = b""    # their start text, and what it has open
        self.anchor_files = []

    def __enter__(self):
        self.entries_read, self.entries = os.pipe()
        self.receipts, self.receipts_write = os.pipe()
        self.refusals_read, self.refusals = os.pipe()
        self.orders = [socket.socketpair() for _ in self.kinds]
        self.results = [os.pipe() for _ in self.kinds]
        self.couriers = {}
        self.start_auditor()
        for index, kind in enumerate(self.kinds):
            if kind in self.real:
                self.start_courier(index)
            self.auditor.tell("up", index)
        return self

    def __exit__(self, *_):
        for role in [self.auditor] + list(self.couriers.values()):
            role.end()
        for fd in [self.entries_read, self.entries, self.receipts,
                   self.receipts_write, self.refusals_read, self.refusals,
                   self.log] + [
                fd for pair in self.results for fd in pair]:
            try:
                os.close(fd)
            except OSError:
                pass
        for pair in self.orders:
            for end in pair:
                end.close()
        text = self.log_path.read_text(errors="replace")
        shutil.rmtree(self.folder, ignore_errors=True)
        check(not harness.SANITIZER.search(text), "%s", text[-3000:])

    def plan(self):
        numbers = [self.kinds.index(row["kind"]) for row in self.capabilities]
        numbers += [0] * (CAPABILITIES_MAX - len(numbers))
        return struct.pack("@I%dP%dI" % (COURIERS_MAX, CAPABILITIES_MAX),
                           len(self.kinds), *[0] * COURIERS_MAX, *numbers)

    def start_auditor(self):
        self.auditor = Role(
            self.program, "auditor",
            [self.entries_read, self.receipts_write, self.refusals_read] +
            [ours.fileno() for ours, _ in self.orders] + self.anchor_files,
            [setting("auditor", [("write", self.audit_folder)]),
             str(self.audit_folder).encode(), self.plan(),
             AUDITOR_START.pack(0, 0, False, False), self.anchors], self.log)
        self.expect_ready(self.auditor, "auditor")

    def start_courier(self, index):
        mine = [(number, row) for number, row in enumerate(self.capabilities)
                if row["kind"] == self.kinds[index]]
        texts = [setting(self.kinds[index], [place(row) for _, row in mine])]
        texts += [b"%d\n%s" % (number, json.dumps(row).encode())
                  for number, row in mine]
        role = Role(self.program, "courier",
                    [self.orders[index][1].fileno(), self.results[index][1]],
                    texts, self.log)
        self.couriers[self.kinds[index]] = role
        self.expect_ready(role, self.kinds[index])

    def expect_ready(self, role, what):
        heard = role.hear()
        check(heard and heard[0] == "ready", "%s: not ready: %s", what,
              self.log_path.read_text(errors="replace")[-1000:])

    # Playing the broker.

    def send(self, data):
        """Into the entries pipe, whole; gives up when nobody reads."""
        view, deadline = memoryview(data), time.monotonic() + SECONDS
        os.set_blocking(self.entries, False)
        while view:
            check(time.monotonic() < deadline, "the auditor does not read")
            if not select.select([], [self.entries], [], 0.1)[1]:
                if self.auditor.poll() is not None:
                    return
                continue
            try:
                view = view[os.write(self.entries, view):]
            except BlockingIOError:
                pass
            except BrokenPipeError:
                return

    def ask(self, body, capability, **lies):
        """An order; its number."""
        self.next_request += 1
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        lies.setdefault("request", self.next_request)
        self.send(entry(body, capability, **lies))
        return lies["request"]

    def result(self, kind, seconds=SECONDS):
        """The next answer of a courier, or None."""
        fd = self.results[self.kinds.index(kind)][0]
        head = read_all(fd, RESULT.size, seconds)
        if head is None:
            return None
        head = RESULT.unpack(head)
        return Result(head, read_all(fd, head[4], seconds),
                      read_all(fd, head[5], seconds))

    def call(self, body, capability, **lies):
        """An order and its answer."""
        kind = self.capabilities[capability]["kind"]
        request = self.ask(body, capability, **lies)
        result = self.result(kind)
        check(result is not None, "no answer: %s",
              self.log_path.read_text(errors="replace")[-1000:])
        check(result.request == request, "answer to another request")
        return result

    # Looking.

    def audit(self):
        return harness.audit_records(self.audit_folder)

    def await_outcome(self, request, seconds=SECONDS):
        """The outcome on record for a request, after its intent."""
        def find():
            rows = [row for row in self.audit()
                    if row.get("request") == request]
            kinds = [row["kind"] for row in rows]
            if "outcome" not in kinds:
                return None
            check("intent" in kinds and kinds.index("intent") <
                  kinds.index("outcome"), "records: %r", rows)
            return rows[kinds.index("outcome")]
        return harness.until(find, seconds, "outcome")

    def tree(self):
        """{path: bytes' hash or link} of all but audit and log."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            if path == self.log_path or self.audit_folder in path.parents:
                continue
            name = str(path.relative_to(self.folder))
            if path.is_symlink():
                found[name] = os.readlink(path)
            elif path.is_file():
                found[name] = sha256(path.read_bytes()).hex()
            else:
                found[name] = "other"
        return found

    def verify(self):
        done = harness.run([self.program, "audit", "verify", "--dir",
                            self.audit_folder])
        return done.returncode, done.stdout + done.stderr
