"""The real service and commands on the machine of fwnet.py.

    with Network() as net, Service(net, {AGENT: ["api.test:443"]}) as service:
        service.apply()
        service.start()
        check(connects(net, "api.test", 443), ...)
"""
import json

import harness
from fwnet import AGENT, PEER4, PYTHON, UIDS
from harness import check, equal, until

CONFIG, POLICY = "/etc/trizone/config.json", "/etc/trizone/policy.json"
AUDIT = "/var/lib/trizone/audit"
NUMBERS = dict(harness.ACCOUNTS, resolver=64807, blocked=64808)

# Resolve as programs do, connect to each address in turn; say what came of it.
CONNECT = """
import errno, json, socket, sys, time
host, port = sys.argv[1], int(sys.argv[2])
began = time.monotonic()
try:
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
except socket.gaierror as why:
    print(json.dumps(["no name", time.monotonic() - began, ""]))
    sys.exit()
for row in rows:
    made = socket.socket(row[0], row[1])
    made.settimeout(3)
    try:
        made.connect(row[4])
        made.sendall(b"x")
        assert made.recv(1) == b"x"
        found = "works"
    except OSError as why:
        found = errno.errorcode.get(why.errno, str(why))
    made.close()
    if found == "works":
        break
print(json.dumps([found, time.monotonic() - began, row[4][0]]))
"""

# A connection that is asked to say something whenever a line comes.
LIVE = """
import errno, socket, sys
made = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
made.settimeout(2)
print("open", flush=True)
for line in sys.stdin:
    try:
        made.sendall(b"x")
        print("lives" if made.recv(1) == b"x" else "closed", flush=True)
    except OSError as why:
        print(errno.errorcode.get(why.errno, "hangs"), flush=True)
"""


def connect(net, host, port=443, user=AGENT):
    """(what came of it, seconds, address)"""
    return json.loads(net.host(PYTHON, "-c", CONNECT, host, str(port),
                               user=user).stdout)


class Live:
    """A connection of the account that stays."""

    def __init__(self, net, host, port=443, user=AGENT):
        self.process = net.spawn(
            PYTHON, "-c", LIVE, host, str(port), user=user,
            stdin=harness.subprocess.PIPE, stdout=harness.subprocess.PIPE)
        equal(self.process.stdout.readline(), b"open\n", "live connection")

    def speak(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class Service:
    def __init__(self, net, accounts, **config):
        self.net = net
        self.program = harness.folder_of_programs() / "trizone-executor"
        self.accounts = dict(accounts)
        self.config = {"version": 1, "state": "/var/lib/trizone",
                       "run": "/run/trizone", "policy": "policy.json",
                       "accounts": NUMBERS,
                       "resolver": {"servers": [PEER4]}, **config}
        self.process = None
        self.log = net.folder / "service.log"

    def __enter__(self):
        net = self.net
        net.host("sh", "-c", "rm -rf /etc/trizone /var/lib/trizone /run/trizone"
                 " /etc/resolv.conf; mkdir /etc/trizone; "
                 "echo nameserver %s >/etc/resolv.conf; "
                 "echo 'hosts: files dns' >/etc/nsswitch.conf" % PEER4)
        net.host("tee", CONFIG, data=json.dumps(self.config).encode())
        self.write()
        return self

    def __exit__(self, kind, *_):
        self.stop()
        for name in self.accounts:
            self.command("firewall", "apply", name, "--remove", want=None)
        text = self.log.read_text(errors="replace") if self.log.exists() \
            else ""
        if kind is None:
            found = harness.SANITIZER.search(text) or harness.FAULTY.search(
                text)
            check(not found, "log: %s", text[-3000:])

    def write(self, **accounts):
        """The policy, with these lists in place of what was."""
        self.accounts.update(accounts)
        policy = {"version": 1, "firewall": {"accounts": {
            name: (rows if isinstance(rows, dict) else {"allow": rows})
            for name, rows in self.accounts.items()}}}
        self.net.host("tee", POLICY, data=json.dumps(policy).encode())

    def command(self, *words, want=0, **more):
        return self.net.host(self.program, *words, want=want, **more)

    def apply(self, name=AGENT, *words):
        return self.command("firewall", "apply", name, "--timeout", "0",
                            *words)

    def start(self, *walls):
        self.log.write_bytes(b"")
        with open(self.log, "ab") as log:
            self.process = self.net.spawn(*walls, self.program, "run",
                                          stdout=log, stderr=log)

        def is_ready():
            text = self.log.read_text(errors="replace")
            check(self.process.poll() is None, "it ended: %s", text[-2000:])
            return "ev=ready" in text
        until(is_ready, harness.READY_SECONDS, "service ready")
        return self

    def stop(self):
        if self.process is not None:
            equal(harness.end_process(self.process), 0, "end of the service")
            self.process = None

    def reload(self, want=0):
        return self.command("reload", want=want)

    def blocked(self):
        """Records of what was refused, as objects."""
        return [row for row in self.records() if row["kind"] == "blocked"]

    def records(self):
        return harness.audit_records(self.net.inside(AUDIT))

    def elements(self, family=4, which="fresh", uid=UIDS[AGENT]):
        """address -> seconds left, of what is in the kernel."""
        text = self.net.host("nft", "-j", "list", "set", "inet",
                             "trizone_accounts", "%s%d_%d" % (
                                 which, family, uid)).stdout
        rows = json.loads(text)["nftables"][1]["set"].get("elem", [])
        found = {}
        for row in rows:
            row = row.get("elem", row) if isinstance(row, dict) else {
                "val": row}
            value = row.get("val", row)
            found[value["concat"][0]] = row.get("expires")
        return found

    def age(self, address, seconds, family=4, uid=UIDS[AGENT], port=443):
        """Let what is known of the address end so soon."""
        name = "fresh%d_%d" % (family, uid)
        what = "%s . tcp . %d" % (address, port)
        self.net.host("nft", "delete", "element", "inet", "trizone_accounts",
                      name, "{ %s }" % what)
        self.net.host("nft", "add", "element", "inet", "trizone_accounts",
                      name, "{ %s timeout %ds }" % (what, seconds))
