"""Audit logs that a test makes: records of any kind, chained, not signed."""
import hashlib
import json

NONE = dict.fromkeys(("zone", "capability", "destination", "rule", "why",
                      "detail"), "")
CALL = ("request session zone capability number effects destination rule why "
        "error handle grant")
KINDS = {
    "start": "detail", "attest": "detail", "stop": "why detail",
    "config": "why bytes commit detail", "hello": "session zone error detail",
    "machine": "zone why error detail",
    "clean": "request session zone error handle bytes commit detail",
    "quarantine": "zone why error handle detail",
    "claim": "session zone handle detail",
    "decision": "request session zone capability number effects destination "
                "verdict rule why error handle bytes commit inputs detail",
    "intent": "request session zone capability number effects destination "
              "rule why handle grant bytes commit inputs detail",
    "outcome": "intent request session zone capability number status error "
               "handle bytes commit detail",
    "session": "session zone why handle detail",
    "settlement": "intent session zone capability number status why handle "
                  "detail",
    "operator": "session capability number why error handle grant detail",
    "task": "session bytes commit detail",
    "damage": "why error bytes commit detail",
    "detect": "request session zone handle detail",
    "ticket": CALL + " bytes commit detail",
    "approval": CALL + " bytes commit detail",
    "denial": CALL + " bytes commit detail",
    "blocked": "session zone destination why error detail",
    "halt": "session zone capability number rule why handle detail",
}


class MadeLog:
    """A log in a file. Times are what the test says, or go on by a second."""

    def __init__(self, path):
        self.path, self.seq, self.head = path, 0, "0" * 64
        self.time = "2026-01-01T00:00:00"
        path.write_bytes(b"")

    def add(self, kind, time=None, **members):
        """Append a record; its sequence."""
        self.seq += 1
        self.time = time or self.time
        row = {name: members.pop(name, NONE.get(name))
               for name in KINDS[kind].split()}
        if "destination_bytes" in members:
            row["destination_bytes"] = members.pop("destination_bytes")
        assert not members, members
        for name, value in row.items():
            if name == "detail" and isinstance(value, (dict, list)):
                row[name] = json.dumps(value)
            if name == "intent":
                row[name] = "%016x" % value
        front = {"prev": self.head, "seq": "%016x" % self.seq,
                 "time": self.time + ".000Z", "kind": kind}
        text = json.dumps({**front, **row}, separators=(",", ":"))
        text = text.replace("\x7f", "\\u007f").replace(
            "\\u0000", "\\ufffd")[1:]  # as the auditor does
        self.head = hashlib.sha256(text.encode()).hexdigest()
        with self.path.open("ab") as out:
            out.write(b'{"hash":"%s",%s\n' % (
                self.head.encode(), text.encode()))
        return self.seq
