#!/usr/bin/env python3
"""Several accounts behind the firewall, and who lives beside them: no account
asks another's guard, and no other user is in the way or is stood in his.

usage: account_several.py BIN
"""
import subprocess
import time

import harness
from fwdns import question
from fwnet import AGENT, OTHER, PYTHON, Answer, Network, why_not
from fwservice import Service, connect
from harness import check, equal, until

API, TWO = "11.8.0.1", "11.8.0.2"
# Numbers in another order than names; all behind AGENT's by name but the first.
MORE = {"aaa": 700, "bot": 400, "carl": 401, "dora": 402, "emil": 403,
        "fred": 404, "gina": 405, "hans": 406, "ida": 407}
MAIL = 587

ASK = """
import socket, sys
made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
made.settimeout(2)
try:
    made.connect(("127.0.0.1", int(sys.argv[1])))
    for _ in range(int(sys.argv[3])):
        made.send(bytes.fromhex(sys.argv[2]))
    made.recv(4096)
    print("told")
except OSError as why:
    print(why.errno)
"""
SERVE = """
import socket
made = socket.socket()
made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
made.bind(("127.0.0.1", %d))
made.listen()
print("ready", flush=True)
while True:
    one, _ = made.accept()
    one.sendall(b"220 mail")
    one.close()
""" % MAIL
CALL = """
import socket
made = socket.create_connection(("127.0.0.1", %d), 3)
print(made.recv(100).decode())
""" % MAIL


def ask_port(net, port, name, user, times=1):
    return net.host(PYTHON, "-c", ASK, port, question(name).hex(), times,
                    user=user).stdout.decode().strip()


def numbers_in_any_order(net, service):
    """Names sort one way, numbers the other."""
    service.write(aaa=["two.test:443"])
    service.apply("aaa")
    service.apply()
    service.start()
    for name, host, user in (("aaa", "two.test", 700),
                             (AGENT, "api.test", AGENT)):
        until(lambda h=host, u=user: connect(net, h, user=u)[0] == "works", 10,
              name)
    for host, user in (("api.test", 700), ("two.test", AGENT)):
        equal(connect(net, host, user=user)[0], "no name", "another's name")
    status = service.command("firewall", "status").stdout
    check(b"NOT" not in status, "%r", status)


def strangers_ask_nothing(net, service):
    """Nobody else gets an answer, spends an account's, or is on record as
    one."""
    for user in (OTHER, "root", 700):
        for name in ("api.test", "forged.test"):
            equal(ask_port(net, 581, name, user, 3), "1", "%s" % user)
    process = net.spawn(PYTHON, "-c", "import socket\n"
                        "made = socket.socket(socket.AF_INET,"
                        " socket.SOCK_DGRAM)\n"
                        "while True:\n"
                        "    try:\n"
                        "        made.sendto(bytes.fromhex('%s'),"
                        " ('127.0.0.1', 581))\n"
                        "    except OSError:\n"
                        "        pass\n" % question("forged.test").hex(),
                        user=OTHER)
    time.sleep(1)
    try:
        for _ in range(5):
            equal(connect(net, "api.test")[0], "works", "in a flood")
    finally:
        process.kill()
        process.wait()
    time.sleep(1)
    found = [row for row in service.blocked() if "forged" in str(row)]
    check(not found, "said by somebody else: %r", found)


def comes_before_others(net, service):
    """A policy with another account, and a restart: guards have other ports,
    and so have the rules of accounts that were there."""
    service.write(aaa0=["two.test:443"])
    net.host("sed", "-i", "$a aaa0:x:398:398::/nonexistent:/usr/sbin/nologin",
             "/etc/passwd")
    service.stop()
    service.start()
    until(lambda: connect(net, "api.test")[0] == "works", 10, "api.test")
    until(lambda: connect(net, "two.test", user=700)[0] == "works", 10,
          "two.test")
    equal(connect(net, "two.test")[0], "no name", "another's name")
    del service.accounts["aaa0"]
    service.write()
    service.stop()
    service.start()
    until(lambda: connect(net, "api.test")[0] == "works", 10, "and back")


def mail_goes_on(net, service):
    """A service of somebody else, whatever the number of accounts is."""
    process = net.spawn(PYTHON, "-c", SERVE, user=OTHER,
                        keep="net_bind_service", stdout=subprocess.PIPE)
    equal(process.stdout.readline(), b"ready\n", "mail")
    try:
        equal(net.host(PYTHON, "-c", CALL, user=OTHER).stdout, b"220 mail\n",
              "two accounts")
        service.write(**{name: ["two.test:443"] for name in MORE})
        for name in MORE:
            service.apply(name)
        service.stop()
        service.start()
        equal(net.host(PYTHON, "-c", CALL, user=OTHER).stdout, b"220 mail\n",
              "%d accounts" % len(service.accounts))
        for name, uid in MORE.items():
            until(lambda u=uid: connect(net, "two.test", user=u)[0] == "works",
                  10, name)
            equal(connect(net, "api.test", user=uid)[0], "no name", name)
        until(lambda: connect(net, "api.test")[0] == "works", 10, AGENT)
        for port in (580, 586, 588, 590):
            equal(ask_port(net, port, "two.test", OTHER), "1", "a guard")
    finally:
        process.kill()
        process.wait()


CASES = (numbers_in_any_order, strangers_ask_nothing, comes_before_others,
         mail_goes_on)


def body(suite):
    if why_not() is not None:
        print("skipped: " + why_not())
        raise SystemExit(77)
    with Network() as net:
        net.host("tee", "-a", "/etc/passwd", data="".join(
            "%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n" % (name, uid, uid)
            for name, uid in MORE.items()).encode())
        net.dns.zone.update({"api.test": Answer(a=[API]),
                             "two.test": Answer(a=[TWO])})
        with Service(net, {AGENT: ["api.test:443"]}) as service:
            for case in CASES:
                suite.case(case.__name__.replace("_", " "), case, net, service)


if __name__ == "__main__":
    harness.main(body)
