#!/usr/bin/env python3
"""Kill machines, executor and its parts at random while mails come in: nothing
is lost or done twice, and everything serves again by itself.

usage: zones_vm_kill.py [BIN] [--count N] [--seed N]

Two readers are kept warm, and a planner, each in a microVM of its own; mails
are delivered all the time. Ten kills, 200 with TRIZONE_LONG=1. What has to hold
afterwards is that of kill.py; besides, each effect that may have happened is
known to be done, or is unknown and has a card.
"""
import json
import os
import random
import signal
import sys
import threading
import time

import harness
import kill
import procs
from harness import check, equal, until
from zone_machine import SECONDS, MachineHost, Machines, machines_of, need

COUNT, COUNT_LONG = 10, 200
LOAD_SECONDS = 1.0    # between two mails
SERVING = 0.7         # share of kills for which all zones serve
VICTIMS = 2 * ("reader machine", "planner machine", "parent") + (
    "broker", "auditor", "notify")
WARM = {"mail": 2, "planner": 1}

kill.SETTLE_SECONDS = 3 * SECONDS  # machines start slowly


class MachineService(kill.Service, MachineHost):
    """kill.py's, with its zones in machines."""

    def __init__(self, machines):
        super().__init__()
        self.machines = machines
        self.config["zones"]["mail"]["warm"] = WARM["mail"]
        # else each mail would have a machine started for it
        self.config["zones"]["planner"]["session"] = "standing"
        self.write_settings()

    def start_provider(self, zone):
        with procs.lock:
            self.providers[zone] = self.attach_machine(zone, WARM[zone])

    def _spawn(self, name, command):
        if procs.lock.locked():  # of start_provider
            process = MachineHost._spawn(self, name, command)
            procs.known.add(process.pid)
            return process
        return super()._spawn(name, command)

    def serving(self):
        """Zones whose machines are all attached and attested."""
        try:
            rows = self.operate("status")["zones"]
        except (OSError, kill.gullible.WireLost, harness.Failed):
            return []
        return [row["zone"] for row in rows
                if row["channels"] >= WARM[row["zone"]] and
                row.get("attestation")]

    def await_serving(self):
        def all_serve():
            self.supervise()
            return len(self.serving()) == len(WARM)
        until(all_serve, kill.SETTLE_SECONDS, "everything serves again")


class Load(threading.Thread):
    """Mails, one after another, until it is told to stop."""

    def __init__(self, run):
        super().__init__(daemon=True)
        self.run_ = run
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(LOAD_SECONDS):
            if sum(d.handle is None for d in self.run_.deliveries) < 5:
                self.run_.deliver()

    def stop(self):
        self.over.set()
        self.join(60)
        for delivery in self.run_.deliveries:
            delivery.join(SECONDS)


class LoadedRun(kill.Run):
    @staticmethod
    def make_plan(count):
        plan = []
        while len(plan) < count:
            lap = list(VICTIMS)
            random.shuffle(lap)
            plan += lap
        return plan[:count]

    def strike_at(self, victim):
        if victim.endswith(" machine"):
            zone = {"reader": "mail"}.get(victim.split()[0], "planner")
            pids = machines_of(zone)[:1]
        else:
            pids = self.service.names().get(victim, [])
        procs.send(pids, signal.SIGKILL)
        self.table[victim] = self.table.get(victim, 0) + bool(pids)

    def all_kills(self):
        load = Load(self)
        try:
            for victim in self.plan:
                if random.random() < SERVING:
                    self.service.await_serving()
                time.sleep(random.uniform(0, 2 * LOAD_SECONDS))
                self.strike_at(victim)
                self.service.supervise()
            self.service.await_serving()
        finally:
            load.stop()
        problems = [d.problem for d in self.deliveries if d.problem]
        check(not problems, "%r", problems)
        return "%d mails meanwhile; killed: %s" % (
            len(self.deliveries), ", ".join(
                "%d %s" % (n, word) for word, n in sorted(
                    self.table.items())))


def one_machine_alone(run):
    """One of two warm readers ends; the other does not notice."""
    service = run.service
    service.await_serving()
    # attached before its machine is there
    until(lambda: len(machines_of("mail")) == 2, SECONDS, "warm readers")
    before = set(machines_of("mail"))
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    mail = run.deliver()
    until(lambda: service.state_of(mail.handle) in kill.FINAL, SECONDS,
          "a mail")
    check(before - {victim} <= set(machines_of("mail")), "another one ended")
    service.await_serving()
    until(lambda: len(machines_of("mail")) == 2, SECONDS, "warm readers again")


def cut_off(run):
    """A courier is killed with an order in its hands: nobody knows the end."""
    service = run.service
    service.await_serving()
    until(lambda: all(service.state_of(d.handle) in kill.FINAL
                      for d in run.deliveries), kill.SETTLE_SECONDS,
          "nothing waits")
    service.freeze("notify")
    mail = run.deliver()
    intent = until(lambda: mail.handle and service.intent_of(
        mail.handle, "notify.send"), SECONDS, "its intent")
    procs.send(service.names()["notify"], signal.SIGKILL)
    service.thaw()
    until(lambda: service.outcome_of(intent), SECONDS, "an outcome")
    equal(service.outcome_of(intent)["status"], "unknown", "outcome")


def unknown_ones_have_cards(run):
    """Each effect whose end nobody saw waits for a person."""
    open_ = {}
    for record in run.service.trail():
        if record["kind"] == "outcome":
            open_[record["intent"]] = record["status"]
    unknown = {int(seq, 16) for seq, status in open_.items()
               if status == "unknown"}
    done = run.service.command("review", "list", "--json", "unknown")
    cards = {int(json.loads(line)["intent"][7:])
             for line in done.stdout.splitlines()}
    equal(cards, unknown, "cards")
    check(cards, "there are none, not even of the one that was cut off")
    return "%d cards" % len(cards)


def no_machine_is_left(_):
    until(lambda: not machines_of("mail") + machines_of("planner"), 20,
          "all machines ended")


def options():
    parser = kill.argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bin", nargs="?")
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.argv[1:] = [given.bin] if given.bin else []
    return given


def all_of_it(suite, service, given):
    count = given.count or (
        COUNT_LONG if os.environ.get("TRIZONE_LONG") == "1" else COUNT)
    service.start()
    for zone in WARM:
        service.start_provider(zone)
    run = LoadedRun(service, count, given.seed)
    suite.case("one machine alone", one_machine_alone, run)
    suite.case("%d kills" % count, run.all_kills)
    suite.case("an effect that is cut off", cut_off, run)
    suite.case("unknown ones have cards", unknown_ones_have_cards, run)
    suite.case("every mail comes to its end", run.finish)
    if suite.failed:
        return
    suite.case("orderly stop", service.stop)
    for case in (kill.each_mail_once, kill.intents_have_one_outcome,
                 kill.effects_at_most_once, kill.files_as_recorded,
                 kill.audit_is_whole, kill.nobody_is_left,
                 no_machine_is_left):
        suite.case(case.__name__.replace("_", " "), case, run)


def body(suite):
    given = options()
    need()
    procs.adopt_orphans()
    with Machines() as machines:
        machines.rules.write_text(json.dumps(kill.RULES))
        suite.case("two machines", machines.prepare, *WARM)
        if suite.failed:
            return
        service = MachineService(machines)
        try:
            all_of_it(suite, service, given)
        finally:
            kill.end(suite, service)


if __name__ == "__main__":
    harness.main(body)
