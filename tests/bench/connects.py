"""The connects section of tests/bench/run: connect() under the rules of
accounts beside connect() without any, in a network of its own.

Client and server are on one core, on loopback and between two namespaces;
rounds alternate between no rules and ours. The client is once the confined
account, for which the rules are, and once another user, for whom they should
cost nothing.
"""
import os
import statistics
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "drive"))
import fwnet  # noqa: E402
import harness  # noqa: E402

BAR = ("<=", 1.1)
PORT = "7777"
PLACES = {"loopback": "127.0.0.1", "another machine": fwnet.PEER4}


class Stage:
    def __init__(self, bench, net):
        self.net = net
        self.program = net.folder / "connect_own"
        self.program.write_bytes(
            open(bench.program("connect_own"), "rb").read())
        self.program.chmod(0o755)

    def serve(self, address):
        name = "host" if address.startswith("127.") else "peer"
        process = self.net.spawn("taskset", "-c", "0", self.program, "serve",
                                 address, PORT, name=name,
                                 stdout=harness.subprocess.PIPE)
        process.stdout.readline()
        return process

    def load(self, accounts, address, addresses):
        rest = [str(accounts), str(fwnet.UIDS[fwnet.AGENT]), address, PORT,
                str(addresses)]
        for family in "46":
            text = self.net.host(self.program, "ip", family, *rest).stdout
            self.net.host("ip", "-" + family, "-batch", "-", data=text)
        text = self.net.host(self.program, "nft", *rest).stdout
        self.net.host("nft", "-f", "-", data=text)

    def unload(self):
        self.net.host("nft", "flush", "ruleset")
        for family in "46":
            rules = self.net.host("ip", "-" + family, "rule").stdout.decode()
            for row in rules.splitlines():
                if "uidrange" in row:
                    self.net.host("ip", "-" + family, "rule", "del",
                                  *row.split(":\t")[1].split())

    def connect(self, address, user, count):
        done = self.net.host("taskset", "-c", "0", self.program, "connect",
                             address, PORT, str(count), user=user,
                             seconds=120)
        return harness.json.loads(done.stdout)["median_us"]


def rows(bench, stage, accounts, addresses):
    count = 2000 if bench.quick else 10000
    for place, address in PLACES.items():
        server = stage.serve(address)
        rounds = []
        for _ in range(bench.rounds):
            one = {}
            for loaded in (False, True):
                if loaded:
                    stage.load(accounts, address, addresses)
                for user in (fwnet.AGENT, fwnet.OTHER):
                    one[user, loaded] = stage.connect(address, user, count)
            stage.unload()
            rounds.append(one)
        server.kill()
        for user, words in ((fwnet.AGENT, "the account"),
                            (fwnet.OTHER, "another user")):
            bench.table.row(
                "%s, %s" % (place, words),
                statistics.median(one[user, True] for one in rounds), "us",
                statistics.median(one[user, True] / one[user, False]
                                  for one in rounds), "no rules", BAR)


def measure(bench):
    why = fwnet.why_not()
    if why is not None:
        bench.table.row("connect()", "skipped", why)
        return
    with fwnet.Network() as net:
        stage = Stage(bench, net)
        for accounts, addresses in ((1, 1), (16, 1000)):
            bench.table.title(
                "connect() under the rules of %d account%s with %d addresses"
                " each" % (accounts, "s" if accounts > 1 else "", addresses))
            rows(bench, stage, accounts, addresses)
