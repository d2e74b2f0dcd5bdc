#!/usr/bin/env python3
"""vm/zone: planner and reader started, looked after and ended by their provider.

usage: zone_command.py [BIN]
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import harness
from harness import Host, check, equal, run, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
ZONE = ROOT / "vm" / "zone"
DEFAULTS = {"planner": (2048, 2), "reader": (256, 1)}


class Zones(Host):
    """An executor, and vm/zone for its zones."""

    def __init__(self, **zones):
        super().__init__()
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        for name in ("executor", "planner", "reader"):
            (self.programs / ("trizone-" + name)).symlink_to(
                self.program(name))
        self.rules = self.config_path.parent / "rules.json"
        self.rules.write_text(
            (ROOT / "vm" / "sample-rules.json").read_text())
        self.set_zones(**zones)

    def set_zones(self, **zones):
        for name, more in zones.items():
            self.config["zones"][name].update(more)
        self.write_settings()

    def __exit__(self, *why):
        self.zone("down")
        super().__exit__(*why)

    def zone(self, command, *words, path=None, **more):
        env = harness.environment(
            TRIZONE_BIN=str(self.programs),
            TRIZONE_STATE=str(self.folder / "machines"), **more)
        if path:
            env["PATH"] = path + os.pathsep + env["PATH"]
        return run([ZONE, command, "--config", self.config_path, *words],
                   env=env, seconds=300)

    def up(self, *words, **more):
        done = self.zone("up", *words, **more)
        equal(done.returncode, 0, "up: %r" % (done.stdout + done.stderr))
        return done.stdout.decode()

    def machine(self, zone):
        return self.folder / "run" / "machines" / (zone + ".json")

    def pid(self, zone):
        path = self.folder / "run" / "machines" / (zone + ".pid")
        return int(path.read_text().split()[0]) if path.exists() else None


def is_alive(pid):
    """Whether it runs; one that nobody has waited for does not."""
    state = run(["ps", "-o", "state=", "-p", str(pid)]).stdout.strip()
    return state not in (b"", b"Z")


def up_and_down():
    with Zones() as host:
        host.start()
        text = host.up("--provider", "process")
        for zone in ("planner", "mail"):
            check("%s: up by process" % zone in text, "%s", text)
            machine = json.loads(host.machine(zone).read_text())
            equal(machine["isolation"], "process", "announced")
            kind = host.config["zones"][zone]["kind"]
            equal((machine["memory_mb"], machine["cpus"]), DEFAULTS[kind],
                  "sizes of " + zone)
        handle = host.deliver((ROOT / "vm" / "sample.eml").read_bytes())
        until(lambda: host.items()[handle]["state"] == "done", 30, "done")
        first = host.pid("mail"), host.pid("planner")
        again = host.up("--provider", "process")
        equal(again.count("already up"), 2, again)
        equal((host.pid("mail"), host.pid("planner")), first, "the same")
        text = host.zone("status").stdout.decode()
        check("supervisor %d" % first[0] in text and
              "zone=mail" in text, "%s", text)
        done = host.zone("down")
        equal(done.returncode, 0, "down: %r" % done.stderr)
        check(not any(is_alive(pid) for pid in first), "supervisors are gone")
        until(lambda: all(host.zone_status(zone)["channels"] == 0
                          for zone in ("mail", "planner")), 10, "channels")
        equal(host.zone("down", "--provider", "process").stdout
              .count(b"not up"), 2, "down again")
        equal(host.zone("status").returncode, 1, "status")


def tree_of(folder):
    return sorted(str(path) for path in folder.rglob("*"))


def dry_run():
    with Zones() as host:
        host.start()
        before = tree_of(host.folder)
        done = host.zone("up", "--dry-run", "--provider", "process", "mail")
        equal(done.returncode, 0, "dry run: %r" % done.stderr)
        for words in ("attach --config", "--respawn", "mail -- ",
                      '"isolation":"process"'):
            check(words in done.stdout.decode(), "%s: %r", words, done.stdout)
        # in quotes where its folder has a space
        check(re.search("vm/provider/process'? exec", done.stdout.decode()),
              "%r", done.stdout)
        equal(tree_of(host.folder), before, "files")
        equal(host.zone_status("mail")["channels"], 0, "channels")


def refused_isolation():
    with Zones(mail={"isolation": "container"},
               planner={"isolation": "process"}) as host:
        host.start()
        done = host.zone("up", "--provider", "process", "mail")
        equal(done.returncode, 77, "status")
        check(b"process isolates as process, and the configuration accepts no "
              b"less than container for mail" in done.stderr, "%r",
              done.stderr)
        equal(host.zone_status("mail")["channels"], 0, "channels")
        equal(host.pid("mail"), None, "supervisor")
        host.up("--provider", "process", "planner")
        done = host.zone("doctor", "--provider", "process", "mail")
        check(b"fault: process isolates as process" in done.stdout, "%r",
              done.stdout)


def named_provider():
    with Zones(mail={"provider": "process"}) as host:
        host.start()
        check("mail: up by process" in host.up("mail"), "configured")
        host.set_zones(mail={"provider": "container"})
        text = host.zone("doctor", "mail").stdout.decode()
        check("fault: it was started by process, and container is wanted; "
              "mend: vm/zone down mail" in text, "%s", text)


def several_at_once():
    """Ten at a time start one supervisor; a lock that was left is taken."""
    with Zones() as host:
        host.start()
        lock = host.folder / "run" / "machines" / "mail.lock"
        lock.parent.mkdir()
        gone = subprocess.Popen(["true"])
        gone.wait()
        lock.symlink_to(str(gone.pid))
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            texts = list(pool.map(lambda _: host.up(
                "--provider", "process", "mail"), range(10)))
        equal(sum("up by" in text for text in texts), 1, "started")
        equal(sum("already up" in text for text in texts), 9, "found")
        check(not lock.is_symlink(), "the lock is left")
        equal(host.zone_status("mail")["channels"], 1, "channels")


def ends_what_is_left():
    """A supervisor that was killed, and an instance that nobody looks after."""
    with Zones() as host:
        host.start()
        host.up("--provider", "process", "mail")
        noted = host.machine("mail").parent / "mail.instances"
        program = host.programs / "trizone-reader"
        orphan = subprocess.Popen([str(program), "run", "--channel", "stdio",
                                   *harness.as_account("reader")],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        begun = run(["sh", "-c", '. "$1"; started "$2"', "sh",
                     ROOT / "vm" / "provider" / "common", str(orphan.pid)])
        (noted / str(orphan.pid)).write_bytes(begun.stdout)
        os.kill(host.pid("mail"), signal.SIGKILL)
        until(lambda: not is_alive(host.pid("mail")), 10, "killed")
        check(b"no supervisor" in host.zone("status", "mail").stdout, "status")
        equal(host.zone("down", "mail").returncode, 0, "down")
        until(lambda: host.zone_status("mail")["channels"] == 0, 10, "channel")
        check(orphan.wait(20) is not None, "the orphan")


def in_foreground():
    """As systemd, launchd and OpenRC start it: one process all the way."""
    with Zones() as host:
        host.start()
        env = harness.environment(TRIZONE_BIN=str(host.programs))
        process = subprocess.Popen(
            [str(ZONE), "up", "--foreground", "--provider", "process",
             "--config", str(host.config_path), "mail"], env=env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: host.zone_status("mail")["channels"] == 1, 20, "channel")
        equal(host.pid("mail"), process.pid, "the supervisor")
        check("already up" in host.up("--provider", "process", "mail"), "up")
        equal(harness.end_process(process, 20), 0, "its end")
        until(lambda: host.zone_status("mail")["channels"] == 0, 10, "channel")


def nothing_of_the_environment():
    """What the operator has in it is not for a zone."""
    if not pathlib.Path("/proc/self/environ").exists():
        raise harness.Skipped("no /proc")
    with Zones() as host:
        host.start()
        host.up("--provider", "process", OPERATORS_SECRET="tell-nobody")
        for zone in ("planner", "mail"):
            kind = host.config["zones"][zone]["kind"]
            noted = host.machine(zone).parent / (zone + ".instances")
            pids = [path.name for path in noted.iterdir()]
            check(pids, "an instance of %s", zone)
            for pid in pids:
                proc = pathlib.Path("/proc") / pid
                check(("trizone-" + kind).encode() in
                      (proc / "cmdline").read_bytes(), "its program")
                check(b"tell-nobody" not in (proc / "environ").read_bytes(),
                      "%s has what the operator's environment has", zone)


def stranger(*words):
    """A process of nobody's, with such words."""
    if not harness.is_root():
        raise harness.Skipped("all processes are of one user")
    process = subprocess.Popen(
        ["setpriv", "--reuid", "64801", "--regid", "64801", "--clear-groups",
         "sh", "-c", "echo; read -r line", *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.read(1)
    return process


def others_have_its_number():
    """A supervisor, a vm/zone and an instance that are gone, and a stranger who
    has got their numbers and says their words: he is none of them."""
    with Zones() as host, stranger(" attach ", " mail -- ") as other:
        host.start()
        host.up("--provider", "process", "mail")
        pid_file = host.machine("mail").with_suffix(".pid")
        noted = pid_file.read_text().split()
        equal(host.zone("down", "mail").returncode, 0, "down")
        pid_file.write_text("\n".join([str(other.pid), *noted[1:], ""]))
        lock = pid_file.with_suffix(".lock")
        lock.symlink_to("%d.%s" % (other.pid, noted[1]))
        check("mail: up by process" in host.up(
            "--provider", "process", "mail"), "it is up")
        equal(host.zone("down", "mail").returncode, 0, "down")
        pid_file.write_text("\n".join([str(other.pid), *noted[1:], ""]))
        instances = pid_file.with_suffix(".instances")
        instances.mkdir()
        (instances / str(other.pid)).write_text(noted[1] + "\n")
        check(b"mail: not up" in host.zone("down", "mail").stdout, "not up")
        equal(other.poll(), None, "the stranger was ended")


def folders_of_others():
    """Where others say what is there, nothing is written or believed."""
    with Zones() as host:
        host.start()
        place = host.folder / "run" / "machines"
        elsewhere = host.folder / "elsewhere"
        elsewhere.mkdir()
        state = host.folder / "machines"

        def refused(path):
            for words in (("up", "--provider", "process"), ("shell",)):
                done = host.zone(*words, "mail")
                equal(done.returncode, 77, "status of " + words[0])
                check(b"%s is not ours alone" % os.fsencode(path) in
                      done.stderr, "%r", done.stderr)
            equal(list(elsewhere.iterdir()), [], "files")

        place.symlink_to(elsewhere)
        refused(place)
        place.unlink()
        for path in (place, state):
            for mode in (0o777, 0o775):
                path.mkdir()
                path.chmod(mode)
                refused(path)
                path.rmdir()
            if harness.is_root():
                path.mkdir()
                os.chown(path, 64801, 64801)
                refused(path)
                path.rmdir()
        check("up by process" in host.up("--provider", "process", "mail"),
              "up")


def attaches(host):
    """How many supervisors there are, noted or not."""
    found = run(["ps", "-eo", "args="]).stdout.decode()
    return found.count("attach --config %s " % host.config_path)


def no_room_for_its_number():
    """Nothing runs that could not be noted, so that down finds it."""
    with Zones() as host:
        host.start()
        tools = host.folder / "tools"
        tools.mkdir()
        (tools / "ln").write_text(
            "#!/bin/sh\ncase $* in\n*.pid) exit 1 ;;\nesac\nexec %s \"$@\"\n"
            % shutil.which("ln"))
        (tools / "ln").chmod(0o755)
        done = host.zone("up", "--provider", "process", "mail",
                         path=str(tools))
        equal(done.returncode, 71, "status")
        check(b"it does not start" in done.stderr, "%r", done.stderr)
        equal((host.pid("mail"), attaches(host)), (None, 0), "supervisors")
        check("up by process" in host.up("--provider", "process", "mail"),
              "up")


def killed_at_any_moment():
    """Whenever an up is killed, the next one and down find what it left."""
    with Zones() as host:
        host.start()
        env = harness.environment(TRIZONE_BIN=str(host.programs))
        for moment in range(12):
            process = subprocess.Popen(
                [str(ZONE), "up", "--provider", "process", "--config",
                 str(host.config_path), "mail"], env=env,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(0.04 * moment)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
            host.up("--provider", "process", "mail")
            equal(host.zone_status("mail")["channels"], 1, "channels")
            equal(host.zone("down", "mail").returncode, 0, "down")
            equal(attaches(host), 0, "left when killed at %d" % moment)


def tools_that_are_missing():
    """Nothing is half done, and no check passes for want of its tool."""
    with Zones() as host:
        host.start()
        tools = host.folder / "tools"
        tools.mkdir()
        names = ("awk cat cmp cp cut dirname env find grep head id ln ls mkdir "
                 "mv ps readlink rm rmdir sed sh sleep sort tail tr uname wc "
                 "sha256sum").split()
        for name in names:
            found = shutil.which(name)
            if found:
                (tools / name).symlink_to(found)
        env = harness.environment(
            TRIZONE_BIN=str(host.programs), PATH=str(tools),
            TRIZONE_STATE=str(host.folder / "machines"))
        for name in ("find", "id", "ln", "mv", "sed", "sh", "tr"):
            tool = tools / name
            tool.rename(host.folder / "aside")
            done = run([shutil.which("sh"), ZONE, "up", "--config",
                        host.config_path, "--provider", "process", "mail"],
                       env=env)
            equal((done.returncode, attaches(host)), (69, 0),
                  "status without %s: %r" % (name, done.stderr))
            check(b"there is no %s in PATH" % name.encode() in done.stderr,
                  "%r", done.stderr)
            (host.folder / "aside").rename(tool)
        done = run([ZONE, "up", "--config", host.config_path, "--provider",
                    "process", "mail"], env=env)
        equal(done.returncode, 0, "with all: %r" % done.stderr)


def what_a_zone_says_is_inert():
    """A program that was taken over writes to the terminal of root."""
    with Zones() as host:
        host.start()
        reader = host.programs / "trizone-reader"
        reader.unlink()
        reader.write_text("#!/bin/sh\nprintf 'said \\033]0;x\\007\\n' >&2\n"
                          "exit 3\n")
        reader.chmod(0o755)
        done = host.zone("up", "--provider", "process", "mail")
        equal(done.returncode, 75, "status")
        check(b"said ]0;x\n" in done.stderr, "%r", done.stderr)


def without_executor():
    with Zones() as host:
        host.start()
        host.stop_executor()
        text = host.up("--provider", "process", "mail")
        check("whether it serves is not known: the executor does not answer"
              in text, "%s", text)
        text = host.zone("doctor", "mail").stdout.decode()
        check("fault: the executor does not answer; mend: trizone-executor run"
              in text, "%s", text)
        host.start()
        until(lambda: host.zone_status("mail")["channels"] == 1, 60, "channel")


def not_an_operator():
    """Who may not ask the executor is told that, and not that it is down."""
    if not harness.is_root():
        raise harness.Skipped("not root")
    with Zones() as host:
        host.start()
        os.chmod(host.folder, 0o755)
        env = harness.environment(
            TRIZONE_BIN=str(host.programs), HOME=str(host.folder))
        config = host.folder / "theirs.json"
        shutil.copy(host.config_path, config)
        os.chown(config, 64812, 64812)
        for command in ("status", "doctor"):
            done = run(["setpriv", "--reuid", "64812", "--regid", "64812",
                        "--clear-groups", ZONE, command, "--config", config,
                        "--provider", "process", "mail"], env=env)
            equal(done.returncode, 1, "%s: %r" % (command, done.stderr))
            check(b"this account may not ask the executor" in done.stdout,
                  "%s: %r", command, done)


def doctor_of_sound():
    if not harness.is_root():
        raise harness.Skipped("as one user there is a fault")
    with Zones(mail={"provider": "process"},
               planner={"provider": "process"}) as host:
        host.start()
        host.up()
        done = host.zone("doctor")
        equal((done.returncode, done.stdout), (0, b"no faults found\n"),
              "doctor")


def wrong_socket():
    with Zones(mail={"provider": "process"}) as host:
        host.start()
        host.up("mail")
        path = host.socket("mail")
        os.chmod(path, 0o666)
        text = host.zone("doctor", "mail").stdout.decode()
        check("fault: %s has the mode srw-rw-rw-; mend: restart the executor"
              % path in text, "%s", text)
        if harness.is_root():
            os.chmod(path, 0o660)
            os.chown(path, 0, 64801)
            text = host.zone("doctor", "mail").stdout.decode()
            check("fault: %s belongs to 0:64801, not to 0:64806; mend: "
                  % path in text, "%s", text)


def stale_image():
    """Programs were installed anew, and what runs is the old one."""
    with Zones(mail={"provider": "process"}) as host:
        host.start()
        host.up("mail")
        reader = host.programs / "trizone-reader"
        reader.unlink()
        reader.write_bytes(host.program("reader").read_bytes() + b"\0")
        reader.chmod(0o755)
        text = host.zone("doctor", "mail").stdout.decode()
        check("fault: it runs from another image or with other settings; mend:"
              " vm/zone down mail && vm/zone up mail" in text, "%s", text)


def not_what_was_announced():
    """What would be started is not what the audit has: it is not started."""
    with Zones(mail={"provider": "process", "recycle_after": 1}) as host:
        host.start()
        host.up("mail")
        reader = host.programs / "trizone-reader"
        reader.rename(host.folder / "aside")
        reader.write_bytes(host.program("reader").read_bytes() + b"\0")
        reader.chmod(0o755)
        host.deliver_and_wait(harness.mail("the old one"), "ready")
        log = host.folder / "run" / "machines" / "mail.log"
        until(lambda: b"is not what was announced" in log.read_bytes(), 20,
              "it says why")
        handle = host.deliver(harness.mail("waits"))
        time.sleep(1)
        equal(host.items()[handle]["state"], "new", "the mail")
        reader.unlink()
        (host.folder / "aside").rename(reader)
        until(lambda: host.items()[handle]["state"] == "ready", 60, "ready")


def believed_hosts():
    """Whose statements about senders a reader believes, is configured."""
    with Zones(mail={"trust_auth": ["mx0.example", "mx.example"]}) as host:
        host.start()
        host.up("--provider", "process", "mail")
        running = run(["ps", "-A", "-ww", "-o", "args="]).stdout.decode()
        check(re.search(
            "trizone-reader run .*--trust-auth mx0.example "
            "--trust-auth mx.example *$", running, re.M), "%s", running)


def root_as_account():
    """A zone is never root, whatever the configuration says."""
    if not harness.is_root():
        raise harness.Skipped("not root")
    with Zones() as host:
        for account in ("root", "0"):
            host.config["accounts"] = dict(host.config["accounts"],
                                           reader=account)
            host.write_settings()
            (host.folder / "run").mkdir(mode=0o711, exist_ok=True)
            for words in (("up", "--provider", "process"), ("shell",)):
                done = host.zone(*words, "mail")
                equal(done.returncode, 77, "status: %r" % done.stderr)
                check(b"its account is root" in done.stderr, "%r",
                      done.stderr)


def accounts_of_zones():
    """Two readers with a user of its own each, who has the socket."""
    if not harness.is_root():
        raise harness.Skipped("not root")
    with Zones() as host:
        host.config["zones"]["mail"].update(channel="mail", account=64811)
        host.config["zones"]["words"] = {"kind": "reader", "channel": "text",
                                         "account": "64812"}
        host.write_settings()
        host.start()
        zones = {"mail": 64811, "words": 64812}
        host.up("--provider", "process", *zones)
        equal({name: (host.zone_status(name)["attestation"]["uid"],
                      os.stat(host.socket(name)).st_gid) for name in zones},
              {name: (uid, uid) for name, uid in zones.items()}, "users")
        text = host.zone("doctor", "--provider", "process",
                         *zones).stdout.decode()
        check("no faults found" in text, "%s", text)
        shown = json.loads(host.command("check", "--json").stdout)
        check("64811" in json.dumps(shown), "%r", shown)
        host.zone("down", *zones)
        host.stop_executor()
        for account, why in (("broker", b"broker and the zone mail have the "
                              b"same user"), (65534, b"which is everybody's"),
                             (1000, b"")):
            host.config["zones"]["mail"]["account"] = harness.ACCOUNTS.get(
                account, account)
            host.write_settings()
            done = host.command("run")
            equal(done.returncode, 78, "%r: %r" % (account, done.stderr))
            check(why in done.stderr, "%r", done.stderr)


def names_that_look_alike():
    """A zone with the name of another's file."""
    with Zones() as host:
        host.config["zones"]["mail"].update(channel="mail")
        host.config["zones"]["mail.pid"] = {"kind": "reader",
                                            "channel": "text", "require": []}
        host.write_settings()
        host.start()
        host.up("--provider", "process", "mail", "mail.pid")
        first = host.pid("mail.pid")
        equal(host.zone("down", "mail").returncode, 0, "down")
        equal((host.pid("mail.pid"), is_alive(first)), (first, True),
              "the other")
        host.zone("down", "mail.pid")


def no_drop_rules():
    """No namespaces to be had, as in a machine that denies them, and no rules
    that drop everything."""
    with Zones(mail={"provider": "process"}) as host:
        host.start()
        host.up("mail")
        tools = host.folder / "tools"
        tools.mkdir()
        tool = tools / "unshare"
        tool.write_text("#!/bin/sh\nexit 1\n")
        tool.chmod(0o755)
        text = host.zone("doctor", "mail", path=str(tools)).stdout.decode()
        check("fault: a process cannot have a network of its own here, and "
              "there are no rules that drop everything; mend: %s firewall "
              "apply --save" % (host.programs / "trizone-reader") in text,
              "%s", text)


def notes_of_many():
    """Instances that start together note themselves, each and for good."""
    with Zones() as host:
        script = (". '%s/common'; note_instance; exec sleep 60"
                  % (ROOT / "vm" / "provider"))
        env = harness.environment(ZONE="mail", ZONE_RUN=str(host.folder))
        for _ in range(5):
            several = [subprocess.Popen(["sh", "-euc", script], env=env)
                       for _ in range(6)]
            notes = host.folder / "mail.instances"
            until(lambda: {str(one.pid) for one in several} <= set(
                os.listdir(notes) if notes.exists() else ()), 20, "six notes")
            for one in several:
                one.kill()
                one.wait()


SYSTEMCTL = """#!/bin/sh
# What vm/zone asks of systemctl, for one zone.
case $1 in
cat) ;;
start)
	rm -f {place}/failed
	( '{zone}' up --foreground mail; echo >{place}/failed ) \\
		</dev/null >>{place}/journal 2>&1 &
	;;
stop) kill "$(head -n 1 {run}/mail.pid)" ;;
is-failed) [ -e {place}/failed ] ;;
esac
"""


def through_systemd():
    """Where zones are units, up waits for the unit and says what it does."""
    if not harness.is_root():
        raise harness.Skipped("not root")
    with Zones(mail={"provider": "process"}) as host:
        host.start()
        etc = host.folder / "etc"
        (etc / "trizone").mkdir(parents=True)
        for name in ("passwd", "group", "nsswitch.conf", "alternatives",
                     "ld.so.cache"):
            if os.path.exists(os.path.join("/etc", name)):
                run(["cp", "-a", os.path.join("/etc", name), etc])
        stub = host.folder / "stub"
        stub.mkdir()
        (stub / "systemctl").write_text(SYSTEMCTL.format(
            place=stub, zone=ZONE, run=host.folder / "run" / "machines"))
        (stub / "systemctl").chmod(0o755)
        env = harness.environment(
            TRIZONE_BIN=str(host.programs), TRIZONE_RULES=str(host.rules),
            TRIZONE_STATE=str(host.folder / "machines"))
        env["PATH"] = "%s:%s" % (stub, env["PATH"])

        def zone(*words):
            shutil.copy(host.config_path, etc / "trizone" / "config.json")
            began = time.monotonic()
            done = run(["unshare", "--mount", "sh", "-euc",
                        "mkdir -p /run/systemd; mount -t tmpfs none "
                        "/run/systemd; mkdir /run/systemd/system; "
                        "mount --bind %s /etc; exec '%s' \"$@\"" % (etc, ZONE),
                        "-", *words], env=env, seconds=120)
            check(time.monotonic() - began < 40, "%r takes long", words)
            return done
        done = zone("down", "mail")
        equal(done.returncode, 0, "down of nothing: %r" % done.stderr)
        check(b"mail: not up" in done.stdout, "%r", done.stdout)
        done = zone("up", "mail")
        equal(done.returncode, 0, "up: %r" % done.stderr)
        check(b"mail: systemctl start trizone-zone@mail.service\n"
              b"mail: up by process" in done.stdout, "%r", done.stdout)
        equal(zone("down", "mail").returncode, 0, "down")
        until(lambda: (stub / "failed").exists(), 20, "its unit has ended")
        host.set_zones(mail={"isolation": "microvm"})
        done = zone("up", "mail")
        equal(done.returncode, 71, "less isolation: %r" % (done,))
        check(b"ended: see journalctl -u trizone-zone@mail" in done.stderr,
              "%r", done.stderr)
        check(b"accepts no less than microvm" in
              (stub / "journal").read_bytes(), "the journal")


def shell_of_another():
    """The shell of what is up is not that of another provider."""
    with Zones() as host:
        host.start()
        host.up("--provider", "process", "mail")
        done = host.zone("shell", "--provider", "microvm", "mail")
        equal(done.returncode, 64, "%r" % done.stderr)
        check(b"it is up by process" in done.stderr, "%r", done.stderr)
        done = host.zone("shell", "--dry-run", "mail")
        equal((done.returncode, done.stdout),
              (0, b"mail: would open a shell by process\n"), "%r" % done.stderr)


def programs_that_do_not_run():
    """What it needs of libraries cannot be told: then nothing is listed."""
    with Zones() as host:
        broken = host.folder / "trizone-reader"
        broken.write_bytes(b"\x7fELF")
        broken.chmod(0o755)
        for words in ((broken,), (host.folder / "none",),
                      (host.folder / "none", host.program("reader"))):
            done = run([ROOT / "vm" / "files", "list", *words])
            equal((done.returncode, done.stdout), (69, b""),
                  "%r: %r" % (words, done.stderr))


def wrong_words():
    with Zones() as host:
        for words, status, text in (
                (("up", "nobody"), 64, "there is no zone nobody"),
                (("down", ""), 64, "there is no zone  in"),
                (("up", "*"), 64, "there is no zone *"),
                (("up", "--provider", "vmware"), 64, "no provider vmware"),
                (("sideways",), 64, "usage"), (("shell",), 64, "usage"),
                (("up", "--foreground"), 64, "usage")):
            done = host.zone(*words)
            equal(done.returncode, status, "status of %r" % (words,))
            check(text in done.stderr.decode(), "%r", done.stderr)


def body(suite):
    suite.case("up, a mail, up again, status, down", up_and_down)
    suite.case("--dry-run changes nothing", dry_run)
    suite.case("less isolation than is accepted", refused_isolation)
    suite.case("the provider that is configured", named_provider)
    suite.case("several at once", several_at_once)
    suite.case("what a killed supervisor leaves", ends_what_is_left)
    suite.case("in the foreground", in_foreground)
    suite.case("nothing of the environment", nothing_of_the_environment)
    suite.case("others have its number", others_have_its_number)
    suite.case("folders of others", folders_of_others)
    suite.case("no room for its number", no_room_for_its_number)
    suite.case("killed at any moment", killed_at_any_moment)
    suite.case("tools that are missing", tools_that_are_missing)
    suite.case("what a zone says is inert", what_a_zone_says_is_inert)
    suite.case("before the executor", without_executor)
    suite.case("not an operator", not_an_operator)
    suite.case("doctor: nothing", doctor_of_sound)
    suite.case("doctor: a socket that is somebody's", wrong_socket)
    suite.case("doctor: a stale program", stale_image)
    suite.case("doctor: missing drop rules", no_drop_rules)
    suite.case("not what was announced", not_what_was_announced)
    suite.case("believed hosts", believed_hosts)
    suite.case("root as account", root_as_account)
    suite.case("accounts of zones", accounts_of_zones)
    suite.case("names that look alike", names_that_look_alike)
    suite.case("notes of many", notes_of_many)
    suite.case("through systemd", through_systemd)
    suite.case("shell of another", shell_of_another)
    suite.case("programs that do not run", programs_that_do_not_run)
    suite.case("wrong words", wrong_words)


if __name__ == "__main__":
    harness.main(body)
