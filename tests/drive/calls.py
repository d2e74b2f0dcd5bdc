"""A planner's calls and what became of them, as several tests ask for it."""
from harness import check, equal

DENIED = 1301


def call(wire, name, **arguments):
    return wire.request("call", {"name": name, "arguments": arguments})


def note(wire, text, **more):
    return call(wire, "notify.send", **more, text=text)


def allowed(answer):
    """Its result."""
    check(answer.ok, "refused: %r", answer.error)
    return answer.result


def refused_by(answer, rule, code=DENIED):
    """What the refusal says besides."""
    check(not answer.ok, "not refused: %r", answer.result)
    data = answer.error["data"]
    equal((answer.error["code"], data.get("rule")), (code, rule), "refusal")
    return data


def live(host):
    """The newest session."""
    return max(host.operate("session.list")["sessions"],
               key=lambda row: row["session"])


def take(wire):
    """The handle of the next item."""
    handle = allowed(wire.request("inbox.next", {"wait_ms": 20000},
                                  30))["handle"]
    check(handle, "no item")
    return handle


def notes(host):
    return host.notes.read_text() if host.notes.exists() else ""
