#!/usr/bin/env python3
"""Reports, exports and metrics: what they say, and that nothing a record holds
gets out of its place.

usage: audit_report.py [BIN]
"""
import base64
import datetime
import hashlib
import html
import json
import pathlib
import re
import subprocess
import tempfile

import harness
from audit_made import MadeLog
from harness import Host, check, equal, main, run, until

EXECUTOR = harness.folder_of_programs() / "trizone-executor"
DAY = "2026-03-0%d"
HOSTILE = (
    "<script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "<img src=http://127.0.0.1:%(port)d/image>",
    "</span></li></ol></section></main><h1>All is well</h1>",
    "</style><style>*{display:none}</style>",
    "</title><meta http-equiv=refresh content='0;url=http://127.0.0.1:"
    "%(port)d/refresh'>",
    "<link rel=stylesheet href=http://127.0.0.1:%(port)d/style>",
    "<iframe src=javascript:alert(1)></iframe>", "<svg onload=alert(1)>",
    "--><!--", "<![CDATA[", "&lt;b&gt;&#60;b&#62;", "\" onmouseover=\"x",
    "' onfocus='x", "\u202eevil\u2066", "a\x00b\x1b[31mc\x7f", "\u2028\n\r\t",
    "<base href=http://127.0.0.1:%(port)d/>", "<textarea>", "<plaintext>",
    "javascript:alert(1)", "{{7*7}}", "x" * 300,
)
def folder():
    return tempfile.TemporaryDirectory(prefix="tzreport")


def audit(*arguments, status=0):
    done = run((EXECUTOR, "audit") + arguments)
    equal(done.returncode, status, "audit %s: %s" % (
        " ".join(map(str, arguments)), done.stderr.decode()))
    check(not harness.SANITIZER.search(done.stderr.decode()), "%s",
          done.stderr)
    return done.stdout.decode()


def busy(path):
    """A log with something for every section, and a quiet day after it."""
    log = MadeLog(path)
    lock = {"role": "broker", "calls": 40}
    log.add("start", DAY % 1 + "T08:00:00", detail={"role": "auditor"})
    log.add("attest", detail=lock)
    log.add("hello", zone="planner", detail={"calls": 30})
    log.add("session", DAY % 2 + "T09:00:00", session=4, zone="planner",
            why="begins")
    log.add("claim", session=4, zone="planner", handle="msg:9")
    log.add("decision", request=1, session=4, capability="mail.send",
            verdict="deny", rule="no-outside", why="It may not write out.",
            zone="planner")
    log.add("decision", request=2, session=4, capability="mail.send",
            verdict="deny", rule="no-outside", why="It may not write out.")
    log.add("decision", request=3, session=4, capability="pay",
            verdict="ask", rule="ask", why="Money.")
    intent = log.add("intent", request=4, session=4, capability="notify.send",
                     rule="note", effects=9, destination="ben@example.org")
    log.add("outcome", intent=intent, request=4, session=4, status="unknown",
            capability="notify.send")
    log.add("intent", request=5, session=4, capability="file.read")
    log.add("blocked", session=4, zone="planner",
            destination="evil.example:443",
            detail={"user": "agent", "count": 3})
    log.add("blocked", detail={
        "user": "agent", "host": "evil.example", "port": 443})
    log.add("blocked", detail={"user": "agent", "host": "b", "port": 22})
    log.add("detect", session=4, handle="msg:9", zone="mail", detail={
        "verdict": "suspect", "score": 0.97, "spans": 1, "found": 2,
        "first": []})
    log.add("detect", session=4, handle="msg:8", zone="mail", detail={
        "verdict": "clean", "score": 0.1, "spans": 0, "found": 1, "first": []})
    log.add("quarantine", zone="mail", handle="msg:7", why="bad MIME")
    log.add("halt", session=4, zone="planner", capability="file.read",
            why="the same call 20 times")
    log.add("attest", detail=lock)
    log.add("hello", zone="planner", detail={"calls": 31})
    log.add("hello", zone="mail", error=1302, detail="no landlock")
    log.add("hello", zone="new", detail={"calls": 1})
    log.add("stop", DAY % 3 + "T10:00:00", why="end")
    return log


WANTED = """2026-03-02 to 2026-03-02 (UTC): 19 records, 1 sessions

Blocked connections by user, host and port: 5
      4  user agent host evil.example port 443
      1  user agent host b port 22

Refusals by rule: 2
      2  rule no-outside: "It may not write out."

Suspect content: 2
  09:00:00  msg:9 session 4 score 0.97 places 2
  09:00:00  msg:7 set aside: "bad MIME"

Halted loops: 1
  09:00:00  session 4 zone planner capability file.read: "the same call 20 times"

Changes of what processes attest: 3
  09:00:00  zone planner is locked in another way: calls was 30 and is 31
  09:00:00  zone mail was refused: "no landlock"
  09:00:00  zone new was not there before

Unknown outcomes: 2
  09:00:00  session 4 capability notify.send request 4
  09:00:00  session 4 capability file.read request 5, no outcome yet
"""


def text_sections():
    with folder() as place:
        log = busy(pathlib.Path(place) / "log")
        equal(audit("report", "--text", "--since", DAY % 2, "--until",
                    DAY % 2, log.path), WANTED, "report")
        equal(audit("report", "--text", "--since", DAY % 3, log.path),
              "2026-03-03 to now (UTC): 1 records, 0 sessions, nothing to "
              "report\n", "a quiet day")


def settled():
    """An unknown outcome that a person has settled is told no more, whenever
    he did; and no text passes for a settlement, or for an unknown outcome."""
    with folder() as place:
        log = MadeLog(pathlib.Path(place) / "log")
        log.add("start", DAY % 1 + "T08:00:00")
        intents = []
        for name in ("notify.one", "notify.two"):
            intents.append(log.add("intent", session=1, capability=name))
            log.add("outcome", intent=intents[-1], session=1, capability=name,
                    status="unknown")
        lie = 'settlement","intent":"%016x"' % intents[1]
        done = log.add("intent", session=1, capability="notify.three",
                       detail=',"status":"unknown"')
        log.add("outcome", intent=done, session=1, capability="notify.three",
                status="done", detail=',"status":"unknown" ' + lie)
        log.add("operator", why=lie, detail=lie)
        log.add("settlement", DAY % 5 + "T08:00:00", intent=intents[0],
                session=1, capability="notify.one", status="failed")
        for more in ((), ("--until", DAY % 2)):
            text = audit("report", "--text", *more, log.path)
            check("notify.two" in text and "notify.one" not in text and
                  "notify.three" not in text, "report %r:\n%s", more, text)
        shown = [json.loads(line) for line in audit(
            "show", "--unknown", "--json", log.path).splitlines()]
        equal([row["capability"] for row in shown], ["notify.two"], "shown")
        shown = audit("show", "--unknown", log.path)
        check("unknown" in shown, "line: %s", shown)


def sections_left_out():
    """One that nothing was written for and that nothing writes yet."""
    with folder() as place:
        log = MadeLog(pathlib.Path(place) / "log")
        log.add("decision", verdict="deny", rule="r", why="w")
        text = audit("report", "--text", log.path)
        check("Blocked" not in text and "Halted" not in text, "%s", text)
        check("Suspect content: none" in text, "%s", text)


def since_yesterday():
    with folder() as place:
        log = MadeLog(pathlib.Path(place) / "log")
        today = datetime.datetime.now(datetime.timezone.utc)
        for days in (3, 1, 0):
            day = today - datetime.timedelta(days=days)
            log.add("decision", day.strftime("%Y-%m-%dT00:00:00"),
                    verdict="deny", rule="day-%d" % days, why="w")
        text = audit("report", "--text", "--since", "yesterday", log.path)
        equal(re.findall(r"rule (\S+):", text), ["day-1", "day-0"], "days")


def damaged():
    with folder() as place:
        log = busy(pathlib.Path(place) / "log")
        data = log.path.read_bytes()
        log.path.write_bytes(data.replace(b"evil.example", b"good.example", 1))
        text = audit("report", "--text", log.path, status=1)
        check("Damage of the log: 1" in text, "%s", text)
        page = audit("report", "--html", log.path, status=1)
        check("Damage of the log</a>" in page and "see audit verify" in page,
              "%s", page)


def flood():
    """A section is bounded, and says what it does not name."""
    with folder() as place:
        log = MadeLog(pathlib.Path(place) / "log")
        for i in range(1200):
            log.add("blocked", detail={"user": "a", "host": "h%d" % i,
                                       "port": i})
        text = audit("report", "--text", log.path)
        check("port: 1200\n" in text and
              "  and 1160 more: audit show --kind blocked\n" in text, "%s",
              text[-300:])


def hostile_texts():
    """No control character, and nothing that begins a line of ours."""
    with folder() as place:
        log = MadeLog(pathlib.Path(place) / "log")
        for text in HOSTILE:
            log.add("decision", verdict="deny", rule=text[:64], why=text)
            log.add("blocked", detail={"user": text, "host": text})
            log.add("halt", session=1, why="\nSuspect content: none\n" + text)
            log.add("blocked", destination=text[:64], detail={"user": text})
        out = audit("report", "--text", log.path)
        check(not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e"
                            r"\u2028\u2029\u2066-\u2069]", out), "%r", out)
        equal(out.count("\nSuspect content: none\n"), 1, "sections")


def page_alone():
    """What can be told without a browser."""
    with folder() as place:
        log = busy(pathlib.Path(place) / "log")
        page = audit("report", "--html", log.path)
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    policy = "style-src 'sha256-%s'" % base64.b64encode(
        hashlib.sha256(style.encode()).digest()).decode()
    check(policy in page and "default-src 'none'" in page, "policy")
    check("<script" not in page and "://" not in page, "from elsewhere")
    check("url(" not in style and "@import" not in style, "style")
    check("@media print" in style, "print")


def of_a_service():
    with Host() as host:
        host.start()
        wire = host.connect("planner")
        wire.request("call", {"name": "nope", "arguments": {}})
        wire.request("call", {"name": "file.list", "arguments": {}})
        wire.close()
        reach = lambda *a: audit("report", *a, "--config", host.config_path)
        until(lambda: "rule no-capability" in reach("--text"), 15, "refusal")
        text = html.unescape(re.sub(r"<[^>]*>", "", reach("--html")))
        for words in ("Session 1", "Refused", "nope", "rule no-capability",
                      "file.list", "Read", "done, "):
            check(words in text, "%s: %s", words, text)
        audit("index", "--config", host.config_path)
        check((host.state / "audit" / "index").is_dir(), "no index")
        host.stop()
        host.start()  # which the index does not keep from it


def follow():
    """From one segment into the next, until nobody reads on."""
    with folder() as place:
        name = "segment-%016x.jsonl"
        log = MadeLog(pathlib.Path(place) / (name % 1))
        log.add("stop", why="one")
        with subprocess.Popen(
                [EXECUTOR, "audit", "show", "--json", "--follow", place],
                stdout=subprocess.PIPE, text=True) as show:
            equal(json.loads(show.stdout.readline())["why"], "one", "first")
            for why in ("two", "three", "four"):
                if why == "three":
                    log.path = pathlib.Path(place) / (name % 3)
                log.add("stop", why=why)
                equal(json.loads(show.stdout.readline())["why"], why, "next")
            show.stdout.close()
            until(lambda: show.poll() is not None, 10, "end with the reader")


# What schema 1.4.0 knows of the two classes, with profile security_control:
# members, those that must be there, and the captions of numbers.
OCSF_NEEDED = {
    None: "category_uid class_uid activity_id type_uid time severity_id "
          "metadata",
    6003: "actor api src_endpoint", 2004: "finding_info"}
OCSF_KNOWN = {
    None: "category_uid category_name class_uid class_name activity_id "
          "activity_name type_uid type_name time severity_id severity "
          "status_id status status_detail message metadata unmapped action_id "
          "action disposition_id disposition policy",
    6003: "actor api src_endpoint dst_endpoint resources",
    2004: "finding_info evidences resources is_alert count"}
OCSF_NAMES = {
    "severity": {1: "Informational", 2: "Low", 3: "Medium", 4: "High",
                 5: "Critical"},
    "action": {1: "Allowed", 2: "Denied"},
    "disposition": {1: "Allowed", 2: "Blocked"},
    "activity": {6003: {1: "Create", 2: "Read", 3: "Update", 4: "Delete"},
                 2004: {1: "Create", 2: "Update", 3: "Close"}},
    "status": {6003: {0: "Unknown", 1: "Success", 2: "Failure"},
               2004: {1: "New", 2: "In Progress"}}}
OCSF_CLASS = {6003: "API Activity", 2004: "Detection Finding"}
OTHER = 99  # whose caption is the source's word


def ocsf_event(event):
    """One event against the schema."""
    number = event["class_uid"]
    needed = (OCSF_NEEDED[None] + " " + OCSF_NEEDED[number]).split()
    equal([key for key in needed if key not in event], [], "members")
    known = (OCSF_KNOWN[None] + " " + OCSF_KNOWN[number]).split()
    equal(set(event) - set(known), set(), "unknown members")
    equal((event["type_uid"], event["category_uid"], event["class_name"]),
          (number * 100 + event["activity_id"], number // 1000,
           OCSF_CLASS[number]), "numbers")
    for name, table in OCSF_NAMES.items():
        table = table.get(number, table)
        at = event.get(name + "_id")
        caption = event.get("activity_name" if name == "activity" else name)
        check(at is None or at == OTHER or table.get(at) == caption,
              "%s: %r is not %r", name, at, caption)
    check(isinstance(event["time"], int) and event["time"] > 10 ** 12, "time")
    equal(event["metadata"]["version"], "1.4.0", "version")
    check({"name", "vendor_name", "version"} <= set(
        event["metadata"]["product"]), "product")
    control = "security_control" in event["metadata"].get("profiles", [])
    equal("disposition_id" in event, control, "profile")


CEF_HEADER = re.compile(r"CEF:0\|((?:[^\\|]|\\[\\|])*\|){5}(?:10|\d)\|")
CEF_FIELD = re.compile(r"(?:^| )(\w+)=((?:[^\\=]|\\[\\=])*?)(?= \w+=|$)")


def hostile_log(place):
    log = busy(pathlib.Path(place) / "log")
    for text in HOSTILE + ("a=b c=d", "a|b\\", "\\=", "x\ny rt=1"):
        log.add("decision", session=6, capability=text[:64], verdict="deny",
                rule=text[:64], why=text, zone=text[:64], detail=text)
        log.add("blocked", why=text, detail={"user": text, "host": text,
                                             "port": 70000})
    return log


def export_ocsf():
    with folder() as place:
        log = hostile_log(place)
        out = audit("export", "--format", "ocsf", log.path)
    events = [json.loads(line) for line in out.split("\n")[:-1]]
    equal(len(events), log.seq, "events")
    for event in events:
        ocsf_event(event)
    effects = [e for e in events if e["metadata"]["event_code"] == "intent"]
    equal((effects[0]["activity_id"], effects[0]["dst_endpoint"]),
          (3, {"name": "ben@example.org"}), "an effect")
    blocked = [e for e in events if e["metadata"]["event_code"] == "blocked"]
    equal(blocked[0]["evidences"][0]["dst_endpoint"],
          {"hostname": "evil.example", "port": 443}, "evidence")
    equal(blocked[0]["time"], 1772442000000, "time")
    denied = [e for e in events if e.get("unmapped", {}).get("verdict")
              == "deny"]
    equal((denied[0]["disposition_id"], denied[0]["action_id"],
           denied[0]["policy"]["name"], denied[0]["api"]["operation"]),
          (2, 2, "no-outside", "mail.send"), "a refusal")
    equal(denied[-1]["message"], "x\ny rt=1", "a text")


def export_cef():
    with folder() as place:
        log = hostile_log(place)
        out = audit("export", "--format", "cef", log.path)
    lines = out.split("\n")[:-1]
    equal(len(lines), log.seq, "events")
    for line in lines:
        check(not re.search(r"[\x00-\x1f\x7f]", line), "%r", line)
        header = CEF_HEADER.match(line)
        check(header, "header: %s", line)
        fields = dict(CEF_FIELD.findall(line[header.end():]))
        equal("".join(" %s=%s" % f for f in CEF_FIELD.findall(
            line[header.end():]))[1:], line[header.end():], "fields")
        check("externalId" in fields and fields["rt"] > "17", "fields: %r",
              fields)
    first = dict(CEF_FIELD.findall(lines[11].split("|", 7)[7]))
    equal((first["dhost"], first["dpt"], first["suser"], first["cnt"]),
          ("evil.example", "443", "agent", "3"), "a blocked connection")


NAME, LABEL = r"[a-zA-Z_:][a-zA-Z0-9_:]*", r"[a-zA-Z_][a-zA-Z0-9_]*"
VALUE = r"[+-]?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Inf|NaN)"
ONE = r'%s="(?:[^"\\\n]|\\[\\"n])*"' % LABEL
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (%s)" % (
    NAME, ONE, ONE, VALUE))


def exposition(text):
    """Prometheus' text format 0.0.4, strictly: {series: value} and types. Each
    family is one group: HELP, TYPE, then its samples, no series twice."""
    check(text.endswith("\n"), "the last line has no line feed")
    helps, types, series, family = {}, {}, {}, None
    for line in text.split("\n")[:-1]:
        words = line.split(" ", 3)
        if line.startswith("# HELP "):
            family = words[2]
            check(re.fullmatch(NAME, family) and family not in helps,
                  "help: %s", line)
            check(re.fullmatch(r"(?:[^\\]|\\[\\n])+", words[3]), "%s", line)
            helps[family] = words[3]
        elif line.startswith("# TYPE "):
            check(words[2] == family and family not in types and
                  words[3] in ("counter", "gauge"), "type: %s", line)
            check((words[3] == "counter") == family.endswith("_total"),
                  "a counter's name: %s", line)
            types[family] = words[3]
        else:
            found = SAMPLE.fullmatch(line)
            check(found, "sample: %r", line)
            check(found[1] == family and family in types,
                  "out of its group: %s", line)
            labels = tuple(sorted(re.findall(ONE, found[2] or "")))
            names = [one.split("=")[0] for one in labels]
            check(len(names) == len(set(names)), "a label twice: %s", line)
            check((family, labels) not in series, "twice: %s", line)
            series[family, labels] = float(found[3])
            check(types[family] == "gauge" or float(found[3]) >= 0, "%s", line)
    check(set(types) == {name for name, _ in series}, "an empty family")
    return {name + "{%s}" % ",".join(labels): value
            for (name, labels), value in series.items()}


def metrics():
    with folder() as place:
        anchors = [{"file": place + '/an "anchor" \\'}]
        with Host(audit={"anchors": anchors}) as host:
            host.start()
            host.deliver(harness.mail("one"))
            wire = host.connect("planner")
            wire.request("call", {"name": "nope", "arguments": {}})
            for _ in range(3):
                wire.request("call", {"name": "file.list", "arguments": {}})

            def read():
                done = host.command("status", "--metrics")
                equal(done.returncode, 0, "status")
                return exposition(done.stdout.decode())

            def settled():
                found = read()
                return found if found.get(
                    "trizone_audit_checkpoint_age_seconds{}") is not None \
                    and found["trizone_audit_last_sequence{}"] == len(
                        host.audit()) else None
            found = until(settled, 30, "a checkpoint is told")
            wire.close()
            for name, value in (
                    ("up{}", 1), ('calls_total{verdict="allow"}', 3),
                    ('calls_total{verdict="deny"}', 1),
                    ("audit_open_intents{}", 0), ("reviews_waiting{}", 0),
                    ("outcomes_unknown{}", 0),
                    ('courier_up{kind="file",number="0"}', 1),
                    ('inbox_items{state="new"}', 1),
                    ('audit_anchor_up{kind="file",number="0",place="%s/an '
                     '\\"anchor\\" \\\\"}' % place, 1)):
                equal(found.get("trizone_" + name), value, name)
            for name in ("uptime_seconds", "start_time_seconds",
                         "audit_log_bytes", "audit_disk_free_bytes",
                         "audit_records_written_total",
                         "audit_checkpoint_timestamp_seconds"):
                check(found["trizone_" + name + "{}"] > 0, "%s", name)
            check(0 <= found["trizone_audit_checkpoint_age_seconds{}"] < 60,
                  "age")
            equal(host.command("status", "--metrics", "--json").returncode,
                  64, "both")


CASES = [
    ("text", text_sections), ("sections left out", sections_left_out),
    ("since yesterday", since_yesterday), ("damaged log", damaged),
    ("flood", flood), ("hostile texts", hostile_texts),
    ("page", page_alone),
    ("a service", of_a_service), ("follow", follow), ("settled", settled),
    ("OCSF", export_ocsf), ("CEF", export_cef), ("metrics", metrics),
]

def body(suite):
    for name, function in CASES:
        suite.case(name, function)


if __name__ == "__main__":
    main(body)
