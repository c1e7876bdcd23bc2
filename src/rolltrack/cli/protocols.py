"""`rolltrack protocols`: what can be prescribed, and on what evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rolltrack.cli.output import cm_per_s, print_json, stdout
from rolltrack.cli.safety_texts import SAFETY
from rolltrack.core.coaching.protocol import LIMITS
from rolltrack.protocols import bundled_protocols, load_protocol

if TYPE_CHECKING:
    from rolltrack.core.coaching.protocol import RollingProtocol

GRADES = {
    "A": "a trial or meta-analysis supports the number",
    "B": "expert commentary or one small trial",
    "C": "practice",
}

LABELS = {
    "speed.target_min_mps": "Target speed from",
    "speed.target_max_mps": "Target speed to",
    "speed.max_stroke_speed_mps": "A stroke is too fast above",
    "hold.max_speed_mps": "Holding means slower than",
    "hold.min_s": "A hold lasts at least",
    "dose.region_min_s": "A region counts as done from",
    "dose.region_max_s": "No known benefit beyond",
    "dose.sessions_per_week_min": "Sessions per region and week, at least",
    "dose.sessions_per_week_max": "Sessions per region and week, at most",
}

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.callback()
def protocols() -> None:
    """List and show rolling protocols and their evidence."""


@app.command("list")
def list_protocols(*, as_json: AsJson = False) -> None:
    """List the protocols that come with rolltrack."""
    known = bundled_protocols()
    if as_json:
        print_json([{"id": each.id, "name": each.name} for each in known])
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("id", "target", "too fast above", "name"):
        table.add_column(heading)
    for each in known:
        target = f"{cm_per_s(each.target_min_mps)}-{cm_per_s(each.target_max_mps)} cm/s"
        table.add_row(each.id, target, f"{cm_per_s(each.max_stroke_speed_mps)} cm/s", each.name)
    stdout().print(table)


@app.command()
def show(
    protocol: Annotated[str, typer.Argument(help="Id of a bundled protocol, or a TOML file.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show every limit of a protocol with its evidence and source."""
    chosen = load_protocol(protocol)
    if as_json:
        print_json({**_as_document(chosen), "safety": SAFETY["en"]})
        return
    console = stdout()
    console.print(f"{chosen.name} ({chosen.id})", style="bold", markup=False)
    console.print(chosen.description, markup=False)
    for limit in _limits():
        evidence = chosen.evidence_for(limit)
        value = _for_people(chosen, limit)
        console.print(f"\n{LABELS[limit]}: {value} (grade {evidence.grade})", style="bold")
        for line in (evidence.says, evidence.source):
            console.print(Padding.indent(Text(line), 2))
        if evidence.url:
            console.print(f"  {evidence.url}", style="dim", markup=False, soft_wrap=True)
    console.print("\nGrades:", "; ".join(f"{key} {says}" for key, says in GRADES.items()) + ".")
    console.print(f"\n{SAFETY['en']}", markup=False)


def _limits() -> list[str]:
    return [f"{section}.{key}" for section, keys in LIMITS.items() for key in keys]


def _value(protocol: RollingProtocol, limit: str) -> float:
    """A limit's value; `max_speed_mps` and `min_s` of a hold carry its name in the protocol."""
    section, _, key = limit.partition(".")
    value: float = getattr(protocol, f"hold_{key}" if section == "hold" else key)
    return value


def _for_people(protocol: RollingProtocol, limit: str) -> str:
    value = _value(protocol, limit)
    if limit.endswith("_mps"):
        return f"{cm_per_s(value)} cm/s"
    return f"{value:g} s" if limit.endswith("_s") else f"{value:g}"


def _as_document(protocol: RollingProtocol) -> dict[str, object]:
    return {
        "v": 1,
        "id": protocol.id,
        "name": protocol.name,
        "description": protocol.description,
        "rules": protocol.rules,
        "limits": {limit: _value(protocol, limit) for limit in _limits()},
        "evidence": {
            evidence.limit: {
                "grade": evidence.grade,
                "says": evidence.says,
                "source": evidence.source,
                "url": evidence.url,
            }
            for evidence in protocol.evidence
        },
    }
