#!/usr/bin/env python3
"""Attacks written in other ways: how many the detector still catches.

usage: evasion.py [BIN]

Sixty attacks of our own that the detector catches as they stand go through
each way of evasion_ways.py, as bare text or as a mail, and through `score
--jsonl` of the real reader. What is caught in clear and not after it is lost;
the share that is kept has to be at least the row's floor. Ordinary texts that
are written the same ways have to stay clean.
"""
import json

from evasion_texts import ATTACKS, ORDINARY
from evasion_ways import LOW, ROWS
from harness import as_account, check, folder_of_programs, main, run

READER = folder_of_programs() / "trizone-reader"
CLEAR_FLOOR = 0.9    # of the attacks have to be caught as they stand
ORDINARY_MOST = 0.002  # of ordinary texts may be suspect


def verdicts(texts):
    """Which of them are suspect."""
    rows = "".join(json.dumps({"id": str(i), "text": text, "channel":
                               "email" if text.startswith("From: ")
                               else "doc"}) + "\n"
                   for i, text in enumerate(texts))
    done = run([READER, "score", "--jsonl", *as_account("reader")],
               rows.encode(), 600)
    check(done.returncode == 0, "score: exit %d\n%s", done.returncode,
          done.stderr.decode(errors="replace")[-600:])
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    check([row["id"] for row in answers] == [str(i) for i in
                                             range(len(texts))],
          "answers of another order")
    return [row["verdict"] == "suspect" for row in answers]


def in_clear(texts):
    caught = verdicts(texts)
    missed = [text for text, yes in zip(texts, caught) if not yes]
    print("      %d of %d caught in clear" % (sum(caught), len(texts)))
    for text in missed:
        print("      missed: %s" % text)
    check(sum(caught) >= CLEAR_FLOOR * len(texts), "%d missed in clear",
          len(missed))
    return [text for text, yes in zip(texts, caught) if yes]


def kept(texts, transform, floor):
    caught = verdicts([transform(text) for text in texts])
    share = sum(caught) / len(texts)
    lost = next((text for text, yes in zip(texts, caught) if not yes), "")
    check(share >= floor, "kept %.2f, floor %.2f; lost: %s", share, floor,
          lost)
    return "kept %.2f%s" % (share, "" if floor else ", a known gap"
                            if share < LOW else ", no gap any more")


def ordinary(texts):
    """The same ways of writing make nothing of texts that are nothing."""
    found = []
    for _, name, transform, _ in ROWS:
        suspect = verdicts([transform(text) for text in texts])
        found += ["%s: %s" % (name, text) for text, yes in
                  zip(texts, suspect) if yes]
    check(len(found) <= ORDINARY_MOST * len(texts) * len(ROWS), "suspect: %s",
          "; ".join(found))
    return "%d of %d suspect" % (len(found), len(texts) * len(ROWS))


def body(suite):
    texts = suite.case("in clear", in_clear, ATTACKS)
    if suite.only:
        texts = ATTACKS
    for number, name, transform, floor in ROWS:
        if texts:
            suite.case("%s %s" % (number, name), kept, texts, transform,
                       floor)
    suite.case("ordinary texts", ordinary, [text for text in ORDINARY
                                            if " " in text])


if __name__ == "__main__":
    main(body)
