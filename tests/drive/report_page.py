#!/usr/bin/env python3
"""The page of a report in a browser: hostile texts are inert, it fits a phone,
it can be read in light, in dark and on paper.

usage: report_page.py [BIN]
Exits 77 (skipped) without Chromium or without pdftotext and pdftoppm.
"""
import base64
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import sys
import threading

from audit_made import MadeLog
from audit_report import HOSTILE, audit, busy, folder
from harness import check, equal, main

SKIPPED = 77
PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
SECONDS = 120
WIDTHS = (280, 320, 360, 390, 800, 1200)
CONTRAST_LEAST = 4.5
PAPER_LEAST = 200  # of 255: mean of a page that is white but for its text
TAGS = set("HTML HEAD META TITLE STYLE BODY HEADER FOOTER H1 H2 P MAIN NAV "
           "SECTION UL OL LI A SPAN BDI B TIME DIV".split())
ATTRIBUTES = """A href, DIV class, FOOTER class, H2 id, HTML lang, LI class,
META charset, META content, META http-equiv, META name, NAV aria-label,
OL class, P class, SECTION aria-labelledby, SECTION id, SPAN class, UL class"""
LOOK = """
const page = JSON.parse(new TextDecoder().decode(
    Uint8Array.from(atob('%s'), c => c.charCodeAt(0)))), found = {};
const frame = document.createElement('iframe');
frame.srcdoc = page.html;
frame.style.border = '0';
document.body.append(frame);
const numbers = text => text.match(/[\\d.]+/g).map(Number);
const light = c => {
  const [r, g, b] = c.map(v => v / 255).map(
      v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const ratio = (a, b) => {
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
  return (x + .05) / (y + .05);
};
const behind = e => {
  for (; e; e = e.parentElement) {
    const c = numbers(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] === 1) return c.slice(0, 3);
  }
  return [255, 255, 255];
};
frame.onload = () => {
  const d = frame.contentDocument, all = [...d.querySelectorAll('*')];
  const words = all.filter(e => [...e.childNodes].some(
      n => n.nodeType === 3 && n.data.trim()) && d.body.contains(e));
  found.tags = [...new Set(all.map(e => e.tagName))];
  found.attributes = [...new Set(all.flatMap(e => [...e.attributes].map(
      a => e.tagName + ' ' + a.name)))];
  found.links = [...d.querySelectorAll('[href]')].map(
      e => e.getAttribute('href'));
  found.ids = all.filter(e => e.id).map(e => e.id);
  found.labels = [...d.querySelectorAll('[aria-labelledby]')].map(
      e => e.getAttribute('aria-labelledby'));
  found.headings = [...d.querySelectorAll('h1,h2,h3,h4')].map(e => e.tagName);
  found.landmarks = [...d.body.children].map(e => e.tagName);
  found.title = d.title;
  found.text = d.body.textContent;
  found.background = getComputedStyle(d.body).backgroundColor;
  found.contrast = Math.min(...words.map(e => ratio(
      numbers(getComputedStyle(e).color).slice(0, 3), behind(e))));
  found.smallest = Math.min(...words.map(
      e => parseFloat(getComputedStyle(e).fontSize)));
  found.wide = [];
  for (const width of %s) {
    frame.style.width = width + 'px';
    const root = d.documentElement;
    if (root.scrollWidth > width || words.some(
        e => e.getBoundingClientRect().right > width + 1))
      found.wide.push(width);
  }
  found.outer = document.title;
  found.taken = frame.contentWindow.taken || window.taken || null;
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


def chromium(place, dark, *more):
    return subprocess.run(
        [PROGRAM, "--headless", "--no-sandbox", "--disable-gpu",
         "--user-data-dir=%s/profile" % place, "--no-first-run",
         "--disable-extensions", "--disable-background-networking",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
         "--blink-settings=preferredColorScheme=%d" % (0 if dark else 1),
         "--window-size=1300,900", "--virtual-time-budget=20000", *more],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
        timeout=SECONDS).stdout


def look(page, dark=False):
    """What a browser with scripts makes of it, in a frame of ours."""
    data = base64.b64encode(json.dumps({"html": page}).encode()).decode()
    with folder() as place:
        outer = pathlib.Path(place) / "look.html"
        outer.write_text(
            "<!doctype html><meta charset=utf-8><title>outer</title><body>"
            "<script>%s</script>" % (LOOK % (data, json.dumps(WIDTHS))))
        out = chromium(place, dark, "--dump-dom", outer.as_uri())
    found = re.search(rb"<pre>([A-Za-z0-9+/=]*)</pre>", out)
    check(found, "no answer from %s: %s", PROGRAM, out[:500])
    return json.loads(base64.b64decode(found.group(1)))


def inert(text):
    """As the page shows it."""
    def one(c):
        code = ord(c)
        if code < 0x20:
            return chr(0x2400 + code)
        if code == 0x7f:
            return "\u2421"
        return "\ufffd" if c in "\u202e\u2066\u2028\u200b\ufeff" else c
    return "".join(map(one, text))


def hostile_log(place, texts):
    """Each text in each place that takes one."""
    log = busy(pathlib.Path(place) / "log")
    for text in texts:
        log.add("decision", session=5, capability=text[:64], verdict="deny",
                rule=text[:64], why=text, zone=text[:64],
                destination=text[:200], detail=text)
        log.add("blocked", session=5, destination=text[:200],
                detail={"user": text, "count": 2})
        log.add("blocked", detail={"user": text, "host": text, "port": text})
        intent = log.add("intent", session=5, capability="notify.send",
                         effects=9, destination=text[:200], detail=text)
        log.add("outcome", intent=intent, session=5, capability=text[:64],
                status="failed", detail=text)
        log.add("detect", session=5, detail={
            "verdict": "suspect", "score": text, "found": text})
        log.add("attest", detail={"role": text[:64], "calls": text})
        log.add("attest", detail={"role": text[:64], "calls": text + "x"})
        log.add("hello", zone=text[:64], error=1302, detail=text)
        log.add("halt", session=5, zone=text[:64], why=text)
        log.add("damage", why=text, detail=text)
    return log


def in_a_browser():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    texts = [text.replace("%(port)d", str(server.server_port)).replace(
        "\x00", "") for text in HOSTILE]
    texts += ["a\u200bb\ufeffc", "\u0644\u0627 " * 20, "w" * 1000]
    with folder() as place:
        log = hostile_log(place, texts)
        page = audit("report", "--html", log.path)
        # 64 KiB are no record: the rest is shown, and that it is damaged
        with log.path.open("ab") as out:
            out.write(b"<script>" * 8192 + b"\n")
        log.add("stop", why="behind it")
        cut = audit("report", "--html", log.path, status=1)
        check("records are damaged" in cut and "<script" not in cut, "cut")
    try:
        light, dark = (look(page, dark) for dark in (False, True))
        equal(Canary.asked, [], "what the page asked for")
        # the same texts as they are do ask: so it would have been seen
        look("<body>" + "".join(
            t for t in texts if "image" in t or "/style" in t))
        check(Canary.asked, "the control asked for nothing")
    finally:
        server.shutdown()
    equal(set(light["tags"]) - TAGS, set(), "elements")
    equal(set(light["attributes"]) - set(re.split(r",\s+", ATTRIBUTES)),
          set(), "attributes")
    check(all(re.fullmatch(r"#(?:s\d+|[a-z]+)", link) and
              link[1:] in light["ids"] for link in light["links"]),
          "links: %r", light["links"])
    equal((light["title"], light["outer"], light["taken"]),
          ("Audit report", "outer", None), "titles")
    for text in texts:
        check(inert(text) in light["text"], "not shown: %r", text)
    for text in ("Session 4", "Refused", "Asked", "ben@example.org",
                 "no-outside", "It may not write out.", "Halted",
                 "evil.example:443"):
        check(text in light["text"], "not shown: %s", text)
    return looks(light, dark)


def looks(light, dark):
    """For eyes, for a phone, and for who has it read out."""
    check(light["background"] != dark["background"], "dark is as light")
    for name, found in (("light", light), ("dark", dark)):
        equal(found["wide"], [], "widths the page does not fit in, " + name)
        check(found["contrast"] >= CONTRAST_LEAST, "contrast %.2f in %s",
              found["contrast"], name)
        check(found["smallest"] >= 12, "letters of %g px", found["smallest"])
    equal(light["headings"][0], "H1", "first heading")
    equal(light["headings"].count("H1"), 1, "titles of the page")
    equal(light["landmarks"], ["HEADER", "NAV", "MAIN", "FOOTER"],
          "landmarks")
    equal(len(light["ids"]), len(set(light["ids"])), "ids")
    equal(set(light["labels"]) - set(light["ids"]), set(), "labels")
    return "contrast %.1f and %.1f" % (light["contrast"], dark["contrast"])


def quiet_page():
    with folder() as place:
        log = MadeLog(pathlib.Path(place) / "log")
        log.add("stop", why="end")
        found = look(audit("report", "--html", log.path))
        check("Nothing to report." in found["text"], "%s", found["text"])
        equal(found["wide"], [], "widths")
        empty = pathlib.Path(place) / "empty"
        empty.write_bytes(b"")
        found = look(audit("report", "--html", empty))
        equal(found["landmarks"], ["HEADER", "MAIN", "FOOTER"], "landmarks")


def pages(place):
    """Each page of the PDF as grey bytes."""
    subprocess.run(["pdftoppm", "-gray", "-r", "36", place / "out.pdf",
                    place / "page"], check=True, timeout=SECONDS)
    for path in sorted(place.glob("page*.pgm")):
        head = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", path.read_bytes())
        yield (int(head[1]), int(head[2]),
               path.read_bytes()[head.end():])


def on_paper():
    """Nothing is cut, and it is white, whatever the reader prefers."""
    with folder() as name:
        place = pathlib.Path(name)
        texts = ["w" * 900, "<b>", "\u202eevil"]
        log = hostile_log(place, texts)
        for i in range(60):
            log.add("decision", session=7, verdict="deny", rule="r%03dend" % i,
                    why="because %d" % i)
        page = place / "page.html"
        page.write_text(audit("report", "--html", log.path))
        chromium(place, True, "--no-pdf-header-footer",
                 "--print-to-pdf=%s" % (place / "out.pdf"), page.as_uri())
        text = subprocess.run(
            ["pdftotext", "-raw", place / "out.pdf", "-"], check=True,
            stdout=subprocess.PIPE, timeout=SECONDS).stdout.decode()
        for i in range(60):
            check("r%03dend" % i in text, "not on paper: r%03dend", i)
        equal(len(re.findall("w", re.sub(r"\s", "", text))) >= 900 * 8, True,
              "a long word on paper")
        count = 0
        for wide, high, grey in pages(place):
            count += 1
            mean = sum(grey) / len(grey)
            check(mean > PAPER_LEAST, "page %d is dark: %d", count, mean)
            rows = [grey[y * wide:(y + 1) * wide] for y in range(high)]
            check(all(min(row[:3] + row[-3:]) > 200 for row in rows),
                  "page %d: something at its edge", count)
        check(count > 3, "%d pages", count)
        return "%d pages" % count


def body(suite):
    for name, function in (("in a browser", in_a_browser),
                           ("a quiet page", quiet_page),
                           ("on paper", on_paper)):
        suite.case(name, function)


if __name__ == "__main__":
    missing = [name for name, path in (
        ("chromium", PROGRAM), ("pdftotext", shutil.which("pdftotext")),
        ("pdftoppm", shutil.which("pdftoppm"))) if path is None]
    if missing:
        print("skipped: no %s" % ", ".join(missing))
        sys.exit(SKIPPED)
    main(body)
