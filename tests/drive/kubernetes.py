#!/usr/bin/env python3
"""The pod of vm/kubernetes, by the podman of this machine.

usage: kubernetes.py [BIN]

Run as container.py is, under a user that has more numbers than his own. podman
passes over what a cluster does (Namespace, NetworkPolicy, probes without
systemd); that those are in the file is checked as text.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import container
import harness
from harness import check, equal, run, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
YAML = ROOT / "vm" / "kubernetes" / "trizone.yaml"
USER = 64806
SETTINGS = """[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
cgroups = "disabled"
log_driver = "k8s-file"
"""


class Cluster:
    """A user with podman and our files."""

    def __init__(self):
        self.folder = harness.short_folder()
        self.home = self.folder / "home"
        self.run_folder = self.folder / "run"
        for path in (self.home, self.run_folder):
            path.mkdir(mode=0o700)
            os.chown(path, USER, USER)
        self.folder.chmod(0o755)
        for name, text in (("subuid", "%d:10000000:65536\n" % USER),
                           ("subgid", "%d:10000000:65536\n" % USER),
                           ("passwd", pathlib.Path("/etc/passwd").read_text()
                            + "tzkube:x:%d:%d::%s:/bin/sh\n"
                            % (USER, USER, self.home))):
            (self.folder / name).write_text(text)
            target = pathlib.Path("/etc") / name
            target.touch()
            subprocess.run(["mount", "--bind", self.folder / name, target],
                           check=True)
        shutil.copytree(ROOT / "vm", self.home / "vm")
        shutil.copytree(harness.folder_of_programs(), self.home / "bin",
                        ignore=lambda _, names: [
                            name for name in names if name not in (
                                "trizone-executor", "trizone-planner",
                                "trizone-reader")])
        (self.home / "containers.conf").write_text(SETTINGS)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.podman("kube", "down", "vm/kubernetes/trizone.yaml")
        pause = self.run_folder / "libpod" / "tmp" / "pause.pid"
        if pause.exists():
            os.kill(int(pause.read_text()), 15)
        for name in ("subuid", "subgid", "passwd"):
            subprocess.run(["umount", "-l", "/etc/" + name], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, *words, data=b""):
        return run(["setpriv", "--reuid", str(USER), "--regid", str(USER),
                    "--clear-groups", *words], data, seconds=300,
                   cwd=self.home,
                   env={"PATH": "/usr/bin:/bin:/usr/sbin",
                        "HOME": str(self.home),
                        "XDG_RUNTIME_DIR": str(self.run_folder),
                        "CONTAINERS_CONF": str(
                            self.home / "containers.conf")})

    def podman(self, *words, data=b""):
        return self.call("podman", *words, data=data)

    def executor(self, *words, data=b""):
        return self.podman("exec", "--interactive", "trizone-executor",
                           "/usr/bin/trizone-executor", *words,
                           data=data).stdout.decode()


def as_a_pod():
    with Cluster() as cluster:
        done = cluster.call("sh", "vm/kubernetes/images", "--bin", "bin")
        equal(done.returncode, 0, "images: %r" % done.stderr)
        done = cluster.podman("kube", "play", "--network", "none",
                              "vm/kubernetes/trizone.yaml")
        equal(done.returncode, 0, "kube play: %r" % done.stderr)
        until(lambda: cluster.executor("status").count("attached=1") == 2, 60,
              "both zones attached")
        handle = cluster.executor(
            "deliver", "mail",
            data=(ROOT / "vm" / "sample.eml").read_bytes()).split()[0]
        until(lambda: handle + "    held" in cluster.executor(
            "inbox", "list"), 30, "cleaned, and suspect")
        locked = [line for line in cluster.executor("status").splitlines()
                  if line.startswith("locked")]
        for zone, user in (("planner", 454), ("mail", 455)):
            check(any("%s: user %d" % (zone, user) in line and
                      "network none" in line for line in locked), "%r",
                  locked)


def is_restricted():
    """What the profile "restricted" and ours ask of each container."""
    text = YAML.read_text()
    containers = text.split("  volumes:\n")[0].split("    - name: ")[1:]
    equal([part.split("\n")[0] for part in containers],
          ["executor", "planner", "mail"], "containers")
    for part in containers:
        for words in ("runAsNonRoot: true", "allowPrivilegeEscalation: false",
                      "readOnlyRootFilesystem: true",
                      "capabilities: { drop: [ALL] }", "seccompProfile:",
                      "requests:", "limits:", "livenessProbe:"):
            check(words in part, "%s in %s", words, part)
    for part in containers[1:]:
        # else a zone could put a folder of its own in place of the sockets'
        check("mountPath: /run/trizone, readOnly: true }" in part, "%s", part)
    for words in ("pod-security.kubernetes.io/enforce: restricted",
                  "automountServiceAccountToken: false",
                  "kind: NetworkPolicy", "podSelector: {}",
                  "policyTypes: [Ingress, Egress]"):
        check(words in text, "%s", words)
    for words in ("hostPath", "privileged", "ingress:", "egress:"):
        check(words not in text.lower().replace("hostnetwork", ""), "%s",
              words)
    for name in ("planner", "reader"):
        path = harness.folder_of_programs().parent / "seccomp" / (
            "trizone-%s-unix.json" % name)
        check("trizone/%s" % path.name in text and path.exists(), "%s", path)


def body(suite):
    suite.case("what a cluster looks at", is_restricted)
    suite.case("a mail through a pod", as_a_pod)


if __name__ == "__main__":
    container.enter()
    if not shutil.which("catatonit") or not shutil.which("newuidmap"):
        print("skipped: no catatonit or uidmap")
        sys.exit(77)
    harness.main(body)
