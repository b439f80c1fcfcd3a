# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a drill as one page that needs nothing else: it can be mailed, kept and printed. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from html import escape

from ansible_collections.steady.redis.plugins.plugin_utils._drill_picture import numbered, picture
from ansible_collections.steady.redis.plugins.plugin_utils._drill_report import seconds

Json = Mapping[str, t.Any]

STYLE = """
:root { --ink: #1c2733; --soft: #5c6b7a; --line: #dfe5ea; --good: #1d7a4c; --bad: #b3261e; --news: #3a5fa8; }
* { box-sizing: border-box; }
body { font: 16px/1.55 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: var(--ink); background: #f4f6f8;
  margin: 0; padding: 2rem 1rem; }
main { max-width: 1180px; margin: auto; background: #fff; border: 1px solid var(--line); border-radius: 12px;
  padding: 2rem 2.25rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.soft { color: var(--soft); margin: 0; }
.verdict { border-left: 6px solid; border-radius: 6px; padding: .8rem 1.1rem; margin: 1.4rem 0; font-size: 1.05rem; }
.verdict.good { border-color: var(--good); background: #edf7f1; }
.verdict.bad { border-color: var(--bad); background: #fcefee; }
.verdict strong { display: block; font-size: 1.2rem; }
.verdict ul { margin: .4rem 0 0; padding-left: 1.2rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: .8rem; margin: 0; }
.tiles div { border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; }
.tiles dt { color: var(--soft); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.6rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.tiles small { display: block; font-size: .8rem; font-weight: 400; color: var(--soft); }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; font-size: .85rem; }
td.at, th.at { text-align: right; width: 7rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.no { width: 2.6rem; }
td.no b { display: inline-block; min-width: 1.5rem; text-align: center; border-radius: 1rem; background: var(--news);
  color: #fff; font-size: .8rem; line-height: 1.5rem; }
td.no b.broken, td.no b.begun { background: var(--bad); }
td.no b.served { background: var(--good); }
td.yes { color: var(--good); font-weight: 600; } td.not { color: var(--bad); font-weight: 600; }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
svg .panel { fill: #fafbfc; stroke: var(--line); }
svg .grid { stroke: var(--line); } svg .axis { stroke: #93a1af; }
svg .gap { fill: #b3261e; opacity: .1; }
svg .acked, svg .failed { shape-rendering: crispEdges; } svg .acked { fill: #7fa6d9; } svg .failed { fill: #d9534a; }
svg .slow { fill: #3d6aa8; }
svg .title, svg .lane { fill: var(--ink); } svg .title { font-weight: 600; font-size: 13px; }
svg .unit, svg .tick { fill: var(--soft); }
svg .is-master { fill: #2c4f86; } svg .on-master { fill: #fff; font-weight: 600; }
svg .is-replica { fill: #cfe0f5; } svg .on-replica { fill: #22405f; }
svg .is-unlinked { fill: #fbf1d7; } svg .on-unlinked { fill: #6b5312; }
svg .is-syncing { fill: #f3d488; } svg .on-syncing { fill: #5d4708; }
svg .is-watching { fill: #e3e9e4; } svg .on-watching { fill: #43514a; }
svg .is-silent { fill: #fff; stroke: #b3261e; stroke-dasharray: 3 2; } svg .on-silent { fill: #b3261e; }
svg .mark { stroke-width: 1.2; stroke-dasharray: 4 3; } svg .mark.bad { stroke: var(--bad); stroke-dasharray: none; }
svg .mark.good { stroke: var(--good); } svg .mark.news { stroke: var(--news); opacity: .75; }
svg .dot.bad { fill: var(--bad); } svg .dot.good { fill: var(--good); } svg .dot.news { fill: var(--news); }
svg .number { fill: #fff; font-weight: 600; font-size: 11px; }
footer { color: var(--soft); font-size: .85rem; margin-top: 2rem; border-top: 1px solid var(--line);
  padding-top: .8rem; }
@media print {
  body { background: #fff; padding: 0; font-size: 11px; } main { border: 0; padding: 0; max-width: none; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  svg, tr, .tiles, .verdict { break-inside: avoid; } h2 { break-after: avoid; }
}
@page { margin: 14mm; size: A4 landscape; }
"""


def page(report: Json) -> str:
    """The whole page."""
    title = f"Drill {report['drill']} on {report['group']}"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{escape(title)}</h1>
<p class="soft">Environment {escape(report["env"])}, {escape(report["when"])}.
What was done: {escape(report["what"])}.</p>
{_verdict(report["verdict"], report["notes"])}
{_tiles(report["numbers"])}
<h2>The picture</h2>
{picture(report)}
<h2>What happened</h2>
{_timeline(report["moments"])}
<h2>Who became what</h2>
{_table(("after", "node", "was", "became"), _role_rows(report["roles"]))}
<h2>Afterwards</h2>
{_table(("", "what must hold", "", ""), _invariant_rows(report["invariants"]))}
<h2>How it was measured</h2>
{_method(report)}
<footer>Written by drill.yml of the Ansible collection steady.redis. The same as data: the JSON file beside this
page.</footer>
</main>
</body>
</html>
"""


def _verdict(verdict: Json, notes: Iterable[str]) -> str:
    kind, headline = ("good", "Nothing was lost.") if verdict["good"] else ("bad", "Not as promised.")
    more = "".join(f"<li>{escape(each)}</li>" for each in (*verdict["complaints"], *notes))
    listed = f"<ul>{more}</ul>" if more else ""
    return f'<div class="verdict {kind}"><strong>{headline}</strong>{escape(verdict["sentence"])}{listed}</div>'


def _tiles(numbers: Json) -> str:
    lost = "unknown" if numbers["lost"] is None else f"{numbers['lost']:,}"
    tiles = (
        ("acknowledged writes", f"{numbers['acknowledged']:,}", f"of {numbers['written']:,} sent"),
        ("of these lost", lost, "each one was looked for"),
        ("longest without a write", seconds(numbers["gap_ms"]), f"allowed: {seconds(numbers['gap_allowed_ms'])}"),
        ("noticed after", seconds(numbers["detected_ms"]), "by the first Sentinel"),
        ("new master after", seconds(numbers["new_master_ms"]), "announced by a Sentinel"),
    )
    return (
        '<dl class="tiles">'
        + "".join(
            f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(about)}</small></dd></div>"
            for name, value, about in tiles
        )
        + "</dl>"
    )


def _timeline(moments: Iterable[Json]) -> str:
    rows = []
    for number, each in numbered(list(moments)):
        dot = f'<b class="{escape(each["kind"].strip("+-"))}">{number}</b>' if number else ""
        cells = f'<td class="no">{dot}</td><td class="at">{_after(each["at"])}</td><td>{escape(each["words"])}</td>'
        rows.append(f"<tr>{cells}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _after(at: float) -> str:
    return f"{at:+.2f} s"


def _role_rows(roles: Iterable[Json]) -> Iterable[str]:
    words = {"silent": "no answer", "syncing": "replica, copies the data", "unlinked": "replica without a link"}
    for each in roles:
        before, after = (words.get(str(each[key]), str(each[key])) for key in ("before", "after"))
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in (each["node"], before, after))
        yield f'<td class="at">{_after(each["at"])}</td>{cells}'


def _invariant_rows(invariants: Iterable[Json]) -> Iterable[str]:
    for each in invariants:
        kind, word = ("yes", "holds") if each["holds"] else ("not", "does not hold")
        yield (
            f"<td>{each['name']}</td><td>{escape(each['says'])}</td>"
            f'<td class="{kind}">{word}</td><td>{escape(each["seen"])}</td>'
        )


def _table(head: Iterable[str], rows: Iterable[str]) -> str:
    cells = "".join(f'<th class="{"at" if each == "after" else ""}">{escape(each)}</th>' for each in head)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{body}</table>" if body else "<p>Nobody changed.</p>"


def _method(report: Json) -> str:
    errors = ", ".join(f"{count:,} {escape(kind)}" for kind, count in report["numbers"]["errors"].items()) or "none"
    return f"""<p>A program wrote {report["rate"]:g} keys a second, one after the other, as a well-tuned
application does: time-outs of 250 ms, no retries, and after any error it asks the Sentinels for the master again. It
kept a list of every key that the server had acknowledged. Afterwards each was looked for on the master. Lost is what
was acknowledged and is not there.</p>
<p>Errors it met: {errors}. Nodes and Sentinels were asked ten times a second what they are, so the times of
changes are true to a tenth of a second or two. What Sentinels announce was heard as they said it.</p>"""
