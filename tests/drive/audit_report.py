#!/usr/bin/env python3
"""Reports, exports and metrics: what they say, and that nothing a record holds
gets out of its place.

usage: audit_report.py [BIN]
"""
import base64
import datetime
import hashlib
import html
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading

import harness
from audit_made import MadeLog
from harness import Host, Skipped, check, equal, main, run, until

EXECUTOR = harness.folder_of_programs() / "trizone-executor"
DAY = "2026-03-0%d"
CHROMIUM_SECONDS = 120
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
TAGS = {"HTML", "HEAD", "META", "TITLE", "STYLE", "BODY", "HEADER", "H1",
        "H2", "P", "MAIN", "NAV", "SECTION", "UL", "OL", "LI", "A", "SPAN",
        "BDI", "B", "TIME", "DIV", "BR"}
LOOK = """
const page = JSON.parse(atob('%s')), found = {};
const frame = document.createElement('iframe');
frame.srcdoc = page.html;
frame.style.border = '0';
document.body.append(frame);
frame.onload = () => {
  const d = frame.contentDocument, all = [...d.querySelectorAll('*')];
  found.tags = [...new Set(all.map(e => e.tagName))];
  found.attributes = [...new Set(all.flatMap(e => [...e.attributes].map(
      a => e.tagName + ' ' + a.name)))];
  found.links = [...d.querySelectorAll('[href]')].map(
      e => e.getAttribute('href'));
  found.title = d.title;
  found.text = d.body.textContent;
  found.background = getComputedStyle(d.body).backgroundColor;
  found.wide = [];
  for (const width of [320, 390, 800, 1200]) {
    frame.style.width = width + 'px';
    if (d.documentElement.scrollWidth > width) found.wide.push(width);
  }
  found.outer = document.title;
  const pre = document.createElement('pre');
  pre.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(found))));
  document.body.replaceChildren(pre);
};
"""


class Canary(http.server.BaseHTTPRequestHandler):
    """Counts who asks for anything."""
    asked = []

    def do_GET(self):
        Canary.asked.append(self.path)
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_):
        pass


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
                     rule="note", detail="leak: 5 bytes in 1 fields to "
                     "ben@example.org, 5 in this session")
    log.add("outcome", intent=intent, request=4, session=4, status="unknown",
            capability="notify.send")
    log.add("intent", request=5, session=4, capability="file.read")
    log.add("blocked", session=4, zone="planner", detail={
        "user": "agent", "host": "evil.example", "port": 443, "count": 3})
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
      1  msg:7 set aside: "bad MIME"
      1  msg:9 session 4 score 0.97 places 2

Halted loops: 1
      1  session 4 zone planner capability file.read: "the same call 20 times"

Changes of what processes attest: 3
      1  zone mail was refused: "no landlock"
      1  zone new was not there before
      1  zone planner is locked in another way: "{\\"calls\\": 31}"

Unknown outcomes: 2
      1  session 4 capability file.read request 5, no outcome yet
      1  session 4 capability notify.send request 4
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
        equal(re.findall(r"rule (\S+):", text), ["day-0", "day-1"], "days")


def damaged():
    with folder() as place:
        log = busy(pathlib.Path(place) / "log")
        data = log.path.read_bytes()
        log.path.write_bytes(data.replace(b"evil.example", b"good.example", 1))
        text = audit("report", "--text", log.path, status=1)
        check("Damage of the log: 1" in text, "%s", text)
        page = audit("report", "--html", log.path, status=1)
        check("Damage of the log: 1" in page, "%s", page)


def flood():
    """A section is bounded, and says what it does not name."""
    with folder() as place:
        log = MadeLog(pathlib.Path(place) / "log")
        for i in range(1200):
            log.add("blocked", detail={"user": "a", "host": "h%d" % i,
                                       "port": i})
        text = audit("report", "--text", log.path)
        check("port: 1200\n" in text and "   1160  others\n" in text, "%s",
              text[-300:])


def hostile_texts():
    """No control character, and nothing that begins a line of ours."""
    with folder() as place:
        log = MadeLog(pathlib.Path(place) / "log")
        for text in HOSTILE:
            log.add("decision", verdict="deny", rule=text[:64], why=text)
            log.add("blocked", detail={"user": text, "host": text})
            log.add("halt", session=1, why="\nSuspect content: none\n" + text)
        out = audit("report", "--text", log.path)
        check(not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e"
                            r"\u2028\u2029\u2066-\u2069]", out), "%r", out)
        equal(out.count("\nSuspect content: none\n"), 1, "sections")


def chromium(program, page, dark=False):
    """What a browser with scripts makes of it, in a frame of ours."""
    data = base64.b64encode(json.dumps({"html": page}).encode()).decode()
    with folder() as place:
        outer = pathlib.Path(place) / "look.html"
        outer.write_text("<!doctype html><meta charset=utf-8><title>outer"
                         "</title><body><script>%s</script>" % (LOOK % data))
        done = subprocess.run(
            [program, "--headless", "--no-sandbox", "--disable-gpu",
             "--user-data-dir=%s/profile" % place, "--no-first-run",
             "--disable-extensions", "--disable-background-networking",
             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
             "--blink-settings=preferredColorScheme=%d" % (0 if dark else 1),
             "--window-size=1300,900", "--virtual-time-budget=20000",
             "--dump-dom", outer.as_uri()], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, check=False, timeout=CHROMIUM_SECONDS)
    found = re.search(rb"<pre>([A-Za-z0-9+/=]*)</pre>", done.stdout)
    check(found, "no answer from %s: %s", program, done.stdout[:500])
    return json.loads(base64.b64decode(found.group(1)))


def inert(text):
    """As the page shows it."""
    def one(c):
        code = ord(c)
        if code < 0x20:
            return chr(0x2400 + code)
        if code == 0x7f:
            return "\u2421"
        return "\ufffd" if c in "\u202e\u2066\u2028" else c
    return "".join(map(one, text))


def page_in_browser():
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise Skipped("no chromium")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    texts = [text.replace("%(port)d", str(server.server_port))
             for text in HOSTILE]
    with folder() as place:
        log = busy(pathlib.Path(place) / "log")
        for text in texts:
            text = text.replace("\x00", "")
            log.add("decision", session=5, capability=text[:64],
                    verdict="deny", rule=text[:64], why=text, zone=text[:64])
            log.add("blocked", session=5, detail={"user": text, "host": text})
            log.add("intent", session=5, capability="notify.send", detail=(
                "leak: 5 bytes in 1 fields to %s, 5 in this session" % text))
        page = audit("report", "--html", log.path)
    try:
        light, dark = (chromium(program, page, dark) for dark in (False, True))
        equal(Canary.asked, [], "what the page asked for")
        # the same texts as they are do ask: so it would have been seen
        chromium(program, "<body>" + "".join(
            t for t in texts if "image" in t or "/style" in t))
        check(Canary.asked, "the control asked for nothing")
    finally:
        server.shutdown()
    equal(set(light["tags"]) - TAGS, set(), "elements")
    equal(sorted(set(light["attributes"])), sorted([
        "HTML lang", "META charset", "META http-equiv", "META content",
        "META name", "P class", "SECTION id", "A href", "SPAN class",
        "LI class", "DIV class"]), "attributes")
    check(all(re.fullmatch(r"#s\d+", link) for link in light["links"]),
          "links: %r", light["links"])
    equal((light["title"], light["outer"]), ("Audit report", "outer"),
          "titles")
    equal(light["wide"], [], "widths the page does not fit in")
    check(light["background"] != dark["background"], "dark is as light")
    for text in texts:
        check(inert(text.replace("\x00", "")) in light["text"],
              "not shown: %r", text)
    for text in ("Session 4", "Refused", "Asked", "ben@example.org", "Left",
                 "rule no-outside: It may not write out.", "Halted"):
        check(text in light["text"], "not shown: %s", text)


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
        until(lambda: "rule no-capability" in reach("--text"), 5, "refusal")
        text = html.unescape(re.sub(r"<[^>]*>", "", reach("--html")))
        for words in ("Session 1", "Refused", "nope", "rule no-capability",
                      "file.list", "Done"):
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


OCSF_NEEDED = {  # of every event; of the two classes (schema 1.3)
    None: "category_uid class_uid activity_id type_uid time severity_id "
          "metadata",
    6003: "actor api src_endpoint", 2004: "finding_info"}
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
        needed = (OCSF_NEEDED[None] + " " + OCSF_NEEDED[
            event["class_uid"]]).split()
        equal([key for key in needed if key not in event], [], "members")
        equal((event["type_uid"], event["category_uid"]),
              (event["class_uid"] * 100 + event["activity_id"],
               event["class_uid"] // 1000), "numbers")
        equal(event["metadata"]["version"], "1.3.0", "version")
        check("name" in event["metadata"]["product"], "product")
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


def metrics():
    sample = re.compile(r'(trizone_\w+)(\{(?:[a-z_]\w*="'
                        r'(?:[^"\\\n]|\\[\\"n])*",?)+\})? (-?\d+)')
    with Host() as host:
        host.start()
        host.deliver(harness.mail("one"))
        done = host.command("status", "--metrics")
        equal(done.returncode, 0, "status")
        text, types, seen = done.stdout.decode(), {}, set()
        for line in text.split("\n")[:-1]:
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                check(name not in types, "twice: %s", name)
                types[name] = kind
            elif not line.startswith("# HELP "):
                found = sample.fullmatch(line)
                check(found, "sample: %r", line)
                check(found[1] in types, "without a type: %s", line)
                check(line.rsplit(" ", 1)[0] not in seen, "twice: %s", line)
                seen.add(line.rsplit(" ", 1)[0])
        check(text.endswith("\n") and "trizone_up 1\n" in text, "up")
        for name in ("trizone_courier_up{", "trizone_zone_channels{",
                     "trizone_inbox_items{", "trizone_policy_info{",
                     "trizone_process_lock_gap{"):
            check("\n" + name in text, "%s: %s", name, text)
        equal(types["trizone_policy_reloads_total"], "counter", "type")
        equal(host.command("status", "--metrics", "--json").returncode, 64,
              "both")


CASES = [
    ("text", text_sections), ("sections left out", sections_left_out),
    ("since yesterday", since_yesterday), ("damaged log", damaged),
    ("flood", flood), ("hostile texts", hostile_texts),
    ("page", page_alone), ("page in a browser", page_in_browser),
    ("a service", of_a_service), ("follow", follow), ("settled", settled),
    ("OCSF", export_ocsf), ("CEF", export_cef), ("metrics", metrics),
]

def body(suite):
    for name, function in CASES:
        suite.case(name, function)


if __name__ == "__main__":
    main(body)
