/*
 * The style sheet of a report's page, for audit_report_html.c only. Without
 * images, fonts or anything else from elsewhere; colours have a contrast of at
 * least 4.5 in light and in dark.
 */
#ifndef TRIZONE_EXECUTOR_AUDIT_REPORT_STYLE_H
#define TRIZONE_EXECUTOR_AUDIT_REPORT_STYLE_H

static const char style[] =
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1b1b;--dim:#595959;"
    "--line:#d0d0d0;--card:#f6f6f6;--good:#1a6b2f;--ask:#7a5200;--bad:#a8201a;"
    "--out:#15508f}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#161616;--fg:#e8e8e8;"
    "--dim:#a8a8a8;--line:#3d3d3d;--card:#202020;--good:#7fd494;--ask:#e7b95c;"
    "--bad:#ff9a92;--out:#8fc1ff}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:60rem;padding:1rem;background:var(--bg);"
    "color:var(--fg);font:1rem/1.45 system-ui,sans-serif;"
    "overflow-wrap:anywhere}\n"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:0 0 .25rem}\n"
    "a{color:var(--out)}\n"
    "p{margin:.25rem 0}.dim{color:var(--dim)}\n"
    "section{border:1px solid var(--line);border-radius:.5rem;"
    "background:var(--card);padding:.75rem;margin:1rem 0}\n"
    "ul,ol{list-style:none;margin:.5rem 0 0;padding:0}\n"
    "nav li{display:inline-block;margin-right:1rem}\n"
    "ol li{border-top:1px solid var(--line);padding:.4rem 0;display:grid;"
    "grid-template-columns:5.5rem 6.5rem minmax(0,1fr);gap:0 .75rem}\n"
    "time,.count{font-variant-numeric:tabular-nums;color:var(--dim)}\n"
    "ol li.day{display:block;font-weight:600}\n"
    "b{font-weight:600}.more{grid-column:3;color:var(--dim);"
    "font-size:.9rem}\n"
    ".done b,.person b{color:var(--good)}.left b{color:var(--out)}\n"
    ".asked b,.suspect b{color:var(--ask)}\n"
    ".refused b,.failed b,.unknown b,.halted b,.alarm{color:var(--bad)}\n"
    "@media (max-width:36rem){body{padding:.5rem}"
    "ol li{grid-template-columns:5.5rem minmax(0,1fr)}"
    "ol li>span,ol li>.more{grid-column:1/-1}}\n"
    "@media print{:root{--bg:#fff;--fg:#000;--dim:#333;--line:#999;"
    "--card:#fff;--good:#1a6b2f;--ask:#7a5200;--bad:#a8201a;--out:#15508f}"
    "body{max-width:none;padding:0;font-size:10pt}nav{display:none}"
    "section{border:0;padding:0}li{break-inside:avoid}"
    "h2{break-after:avoid}}\n";

#endif
