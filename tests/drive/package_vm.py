#!/usr/bin/env python3
"""Debian's package in a Debian of its own: installed, started by systemd for
who connects, served, upgraded, removed and purged.

usage: package_vm.py BIN

mmdebstrap makes the system (variant minbase, with systemd and what our package
asks for) from the machine's own mirror; it is started as process 1 of a virtual
machine as in machine.py, without network and disk.
"""
import pathlib
import re
import shutil
import subprocess

import harness
import package
import review
from harness import check, equal, main, run
from machine import in_machine, skip

SECONDS = 1500  # by emulation
MEMORY = 1536
TOOLS = ("mmdebstrap", "tar")
# of the system, which are of no use in there
HEAVY = ("usr/share/doc", "usr/share/locale", "usr/share/i18n",
         "usr/share/info", "var/cache/apt", "var/lib/apt/lists",
         "usr/share/zoneinfo", "usr/lib/udev/hwdb.d", "usr/lib/udev/hwdb.bin")

INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t tmpfs -o size=90% none /new
cp -a /bin /etc /home /lib /lib64 /opt /root /sbin /srv /usr /var /new/
mkdir /new/proc /new/sys /new/dev /new/run
mkdir -m 1777 /new/tmp
exec switch_root /new /lib/systemd/systemd
"""

STEPS_UNIT = """[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=/bin/sh /root/steps
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
"""

STEPS = r"""export PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_COLORS=0 HOME=/root
export DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER=
C=/etc/trizone/config.json
ALL="trizone-executor trizone-planner trizone-reader-mail"
within() { # of a minute: the machine is slow
	i=0
	until "$@"; do
		i=$((i + 1))
		[ $i -lt 120 ] || { echo "late: $*"; return 1; }
		sleep 0.5
	done
}
files() { # kinds, modes, owners and names; what every system writes is left out
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run \
		-o -path /tmp -o -path /root -o -path /var/lib/dpkg \
		-o -path /var/lib/systemd/random-seed -o -path /var/log \
		-o -path /var/cache -o -path '/var/tmp/systemd-private-*' \
		-o -path '/etc/*[dw]-' -o -path '/etc/group-' \) -prune -o -printf '%y %m %u %g %p\n' |
		LC_ALL=C sort
	find /run/trizone* /run/systemd/transient /run/credentials /var/log \
		/var/cache/trizone* -name '*trizone*' 2>/dev/null
	# accounts; copies of before a change are the tools' own
	LC_ALL=C sort /etc/passwd /etc/group /etc/shadow /etc/gshadow
}
is_active() { systemctl -q is-active "$1"; }
state() { echo "state $1:" $(systemctl is-active $ALL); }
inbox() { trizone-executor inbox list | sed "s/^/inbox $1: /"; }
done_are() { [ "$(trizone-executor inbox list | grep -c ' done ')" = "$1" ]; }
all_up() { for unit in $ALL; do is_active $unit || return 1; done; }
later() { within all_up; sleep 2; within all_up; state $1; }
main() { systemctl show -p MainPID --value trizone-executor; }
mail() { sed "s/@NUMBER@/$1/" /root/mail; }
problem() { systemctl --no-pager status $ALL; journalctl --no-pager -n 60; }

files > /root/before
dpkg -i /root/trizone.deb 2>&1 | sed 's/^/install /'
dpkg -s trizone | grep '^Status' | sed 's/^/after install: /'
for unit in $ALL trizone-operator.socket trizone-eval.timer; do
	echo "unit $unit:" $(systemctl is-enabled $unit) $(systemctl is-active $unit)
done
for role in broker auditor file notify planner reader resolver blocked; do
	id -u trizone-$role > /dev/null || echo "no account $role"
done
ls -ld /var/lib/trizone /run/trizone | sed 's/^/folder /'
systemctl start trizone-executor 2>/dev/null
state unconfigured
sleep 3 # it is not tried again
state still
journalctl --no-pager -u trizone-executor -o cat | grep ev=die | tail -1 |
	sed 's/^/why /'
systemctl reset-failed trizone-executor

trizone-executor init > /root/said
ls -l /etc/trizone/rules.json | sed 's/^/rules /'
systemctl -q enable --now trizone-operator.socket trizone-deliver.socket \
	trizone-zone@planner.socket trizone-zone@mail.socket
state listening
ls -l /run/trizone | sed 's/^/before service /'
mail 1 | trizone-executor deliver mail | sed 's/^/first: /'
within is_active trizone-executor
state activated
systemctl show -p Type -p ActiveState -p StatusText trizone-executor |
	tr '\n' ' ' | sed 's/^/notify /'
echo
ls -l /run/trizone | sed 's/^/with service /'
systemctl -q enable $ALL
systemctl start $ALL
later start
within done_are 1 || problem
inbox first
tr '\0' ' ' < /proc/$(systemctl show -p MainPID --value trizone-planner)/cmdline |
	sed 's/^/planner runs /'
echo
runuser -u trizone-planner -- cat /etc/trizone/rules.json > /dev/null 2>&1 &&
	echo "the planner may read the file"
trizone-executor status --json | sed 's/^/status /'

old=$(main)
systemctl kill -s KILL trizone-executor
mail 2 | trizone-executor deliver mail | sed 's/^/while it starts: /'
within done_are 2 || problem
[ "$(main)" != "$old" ] && echo "another process"
later killed
old=$(systemctl show -p MainPID --value trizone-reader-mail)
systemctl kill -s KILL trizone-reader-mail
mail 3 | trizone-executor deliver mail > /dev/null
within done_are 3 || problem
[ "$(systemctl show -p MainPID --value trizone-reader-mail)" != "$old" ] &&
	echo "another reader"
sed -i 's/"per_hour": 60/"per_hour": 61/' /etc/trizone/policy.json
systemctl reload trizone-executor && echo "reloaded"
journalctl --no-pager -u trizone-executor -o cat | grep ev=reloaded | tail -1 |
	sed 's/^/reload /'

sed -i 's/"kind": "reader"/"provider": "process", "kind": "reader"/' $C
systemctl stop trizone-executor
systemctl disable -q trizone-reader-mail
systemctl -q enable trizone-zone@mail
systemctl start trizone-executor
ALL="trizone-executor trizone-planner trizone-zone@mail"
later zone
mail 4 | trizone-executor deliver mail > /dev/null
within done_are 4 || problem
/usr/lib/trizone/vm/zone status mail 2>&1 | sed 's/^/zone /'
systemctl kill -s KILL trizone-zone@mail
mail 5 | trizone-executor deliver mail > /dev/null
within done_are 5 || problem
inbox zone

trizone-executor deliver mail < /root/suspect | sed 's/^/suspect: /'
held() { trizone-executor inbox list | grep -q ' held '; }
within held || problem
trizone-executor review deny $(trizone-executor inbox list | sed -n 's/^\(msg:[0-9]*\) .* held .*/\1/p') |
	sed 's/^/denied /'
systemctl -q enable --now trizone-eval.timer
systemctl list-timers --no-pager trizone-eval.timer | sed 's/^/timer /'
systemctl start trizone-eval && echo "weekly done"
journalctl --no-pager -u trizone-eval -o cat | sed 's/^/weekly /'
sed 's/^/sent /' /root/sent
ls -d /run/trizone-eval /run/private/trizone-eval 2>/dev/null | sed 's/^/weekly left /'

old=$(main)
dpkg -i /root/trizone.deb > /dev/null 2>&1 && echo "upgraded"
later upgraded
[ "$(main)" != "$old" ] && echo "runs anew"
mail 6 | trizone-executor deliver mail > /dev/null
within done_are 6 || problem

dpkg -r trizone > /root/removed 2>&1 && echo "removed"
ps -Ao args= | grep '[t]rizone-\(executor\|planner\|reader\)' | sed 's/^/runs on /'
ls -d /run/trizone /usr/bin/trizone-* /usr/lib/trizone /lib/systemd/system/trizone* \
	2>/dev/null | sed 's/^/still /'
ls -d /etc/trizone/config.json /var/lib/trizone/audit | sed 's/^/kept /'
systemctl list-units --no-legend --plain 'trizone-*' | sed 's/^/unit left /'
dpkg -i /root/trizone.deb > /dev/null 2>&1 && echo "installed again"
systemctl start trizone-executor
later again
done_are 6 && echo "mails are there"
trizone-executor audit verify | sed 's/^/audit /'

dpkg -P trizone > /root/purged 2>&1 && echo "purged"
sed 's/^/purge says /' /root/purged
files > /root/after
diff /root/before /root/after | sed 's/^/left /'
echo "compared $(wc -l < /root/before)"
systemctl list-unit-files --no-legend 'trizone-*' | sed 's/^/file left /'
systemctl --no-legend --plain --failed | sed 's/^/failed /'
echo "== end"
poweroff -f
"""


def system(root, path):
    """A Debian with what the package asks for, and not the package."""
    names = [one.split("|")[0].split()[0]
             for one in package.fields(path)["Depends"].split(",")]
    archive = root.parent / "system.tar"
    done = run(["mmdebstrap", "--variant=minbase", "--format=tar",
                "--include=" + ",".join(
                    ["systemd-sysv", "procps", "age", *names]),
                "bookworm", archive], seconds=600)
    if done.returncode != 0:
        skip("mmdebstrap: %r" % done.stderr[-300:])
    subprocess.run(["tar", "-xf", archive, "-C", root, "--exclude=./dev/*"],
                   check=True)
    archive.unlink()
    for name in HEAVY:
        target = root / name
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
    (root / "usr/share/doc").mkdir()
    (root / "var/cache/apt").mkdir(exist_ok=True)


def fill(root, path):
    system(root, path)
    own = root / "etc/systemd/system"
    for name in ("apt-daily.timer", "apt-daily-upgrade.timer",
                 "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
                 "e2scrub_reap.service",
                 "systemd-networkd.service", "systemd-timesyncd.service",
                 "getty@tty1.service", "serial-getty@ttyS0.service",
                 "systemd-udevd.service", "systemd-udev-trigger.service"):
        (own / name).unlink(missing_ok=True)
        (own / name).symlink_to("/dev/null")
    (own / "steps.service").write_text(STEPS_UNIT)
    (own / "multi-user.target.wants").mkdir(exist_ok=True)
    (own / "multi-user.target.wants/steps.service").symlink_to(
        "/etc/systemd/system/steps.service")
    # that of timers which are kept over a restart, of any package
    (root / "var/lib/systemd/timers").mkdir(parents=True, exist_ok=True)
    (own / "default.target").unlink(missing_ok=True)
    (own / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    (root / "etc/systemd/journald.conf").write_text(
        "[Journal]\nStorage=volatile\n")
    (root / "etc/machine-id").write_text("0123456789abcdef" * 2 + "\n")
    # another agent for mail than those there are
    mailer = root / "usr/sbin/sendmail"
    mailer.write_text("#!/bin/sh\ncat >/root/sent\n")
    mailer.chmod(0o755)
    (root / "root/steps").write_text(STEPS)
    (root / "root/mail").write_bytes(harness.mail(
        "packed @NUMBER@", "Number @NUMBER@."))
    (root / "root/suspect").write_bytes(harness.mail("Urgent",
                                                     review.SUSPECT))
    shutil.copy(path, root / "root/trizone.deb")
    (root / "new").mkdir()
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)


#
# What the machine said.
#

def line(text, start):
    found = re.search(r"^%s(.*)$" % re.escape(start), text, re.M)
    check(found, "%r was not said: %s", start, text[-3000:])
    return found.group(1)


def said(text, *lines):
    for each in lines:
        check(re.search(r"^%s$" % re.escape(each), text, re.M),
              "%r was not said: %s", each, text[-3000:])


def silent(text, *starts):
    for start in starts:
        found = re.findall(r"^%s.*$" % re.escape(start), text, re.M)
        equal(found, [], start)


def states(text, name, want):
    equal(line(text, "state %s: " % name).split(), want, name)


def installed(text):
    """Accounts and folders, and nothing that runs."""
    said(text, "after install: Status: install ok installed",
         "install trizone: next: trizone-executor init; see "
         "trizone-executor(8)")
    for unit in ("trizone-executor", "trizone-planner", "trizone-reader-mail",
                 "trizone-operator.socket", "trizone-eval.timer"):
        equal(line(text, "unit %s: " % unit), "disabled inactive", unit)
    silent(text, "no account")
    for name in ("/var/lib/trizone", "/run/trizone"):
        check(re.search(r"^folder drwx--x--x .* root +root .*%s$" % name,
                        text, re.M), "%s", name)
    check("no configuration at /etc/trizone/config.json: trizone-executor "
          "init" in line(text, "why "), "%s", line(text, "why "))
    for name in ("unconfigured", "still"):
        states(text, name, ["failed", "inactive", "inactive"])


def activated(text):
    """The first who connects starts it, and it is up when all of it is."""
    states(text, "listening", ["inactive"] * 3)
    check(re.search(r"^before service srw-rw---- .* root +trizone-deliver .*"
                    r"deliver\.sock$", text, re.M), "deliver.sock")
    check(re.search(r"^before service srw-rw---- .* root +root .*mail\.sock$",
                    text, re.M), "mail.sock")
    check(re.match(r"msg:1\b", line(text, "first: ")), "not taken")
    states(text, "activated", ["active", "inactive", "inactive"])
    for word in ("Type=notify", "ActiveState=active",
                 "StatusText=serves 2 zones, 2 couriers"):
        check(word in line(text, "notify "), "%s", line(text, "notify "))
    check(re.search(r"^with service srw-rw---- .* root +trizone-reader .*"
                    r"mail\.sock$", text, re.M), "its group")


def served(text):
    states(text, "start", ["active"] * 3)
    check(re.search(r"^inbox first: msg:1 +done .* 1 of 1 calls done$", text,
                    re.M), "%s", text[-3000:])


def credential(text):
    """The rules are root's alone, and the planner has them."""
    check(re.match(r"-rw------- .* root +root ", line(text, "rules ")),
          "%s", line(text, "rules "))
    silent(text, "the planner may read the file")
    check("--rules /run/credentials/trizone-planner.service/rules" in
          line(text, "planner runs "), "%s", line(text, "planner runs "))


def comes_back(text):
    """Nobody is turned away while it starts again."""
    check(re.match(r"msg:2\b", line(text, "while it starts: ")), "refused")
    said(text, "another process", "another reader", "reloaded")
    line(text, "reload ")
    states(text, "killed", ["active"] * 3)
    silent(text, "late:")


def zone_unit(text):
    states(text, "zone", ["active"] * 3)
    for number in (4, 5):
        check(re.search(r"^inbox zone: msg:%d +done .* 1 of 1 calls done$"
                        % number, text, re.M), "msg:%d", number)
    check("process" in line(text, "zone mail"), "%s", text[-2000:])


def weekly(text):
    said(text, "weekly done")
    check(re.search(r"^weekly .*trizone-eval: now +score 0\.5000: 1 attacks "
                    r"and 0 benign", text, re.M), "no report in the journal")
    check(re.search(r"^sent now +score 0\.5000: 1 attacks", text, re.M),
          "no report by mail")
    check("trizone-eval.timer" in text and re.search(
        r"^timer .*trizone-eval\.service", text, re.M), "no timer")
    silent(text, "weekly left")


def upgraded(text):
    said(text, "upgraded", "runs anew")
    states(text, "upgraded", ["active"] * 3)


def removed(text):
    """What ran does not, and what it knew is there."""
    said(text, "removed", "kept /etc/trizone/config.json",
         "kept /var/lib/trizone/audit", "installed again", "mails are there")
    silent(text, "runs on", "still", "unit left")
    check(line(text, "audit ").endswith("records, no damage"), "%s",
          line(text, "audit "))


def purged(text):
    said(text, "purged")
    silent(text, "left", "file left", "failed trizone")
    check(int(line(text, "compared ")) > 1000, "nothing was compared")
    return line(text, "compared ") + " files"


def body(suite):
    if not harness.is_root():
        skip("not root")
    if package.missing():
        skip("no %s" % " ".join(package.missing()))
    path = suite.case("a package", lambda: str(package.package()))
    if path is None:
        return
    path = pathlib.Path(path)
    with in_machine(suite, lambda root: fill(root, path), TOOLS,
                    memory=MEMORY, seconds=SECONDS) as text:
        for case in (installed, activated, served, credential, comes_back,
                     zone_unit, weekly, upgraded, removed, purged):
            suite.case(case.__name__.replace("_", " "), case, text)


if __name__ == "__main__":
    main(body)
