"""A rolling protocol: what was prescribed, and on what evidence."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from rolltrack.errors import UsageError

Grade: TypeAlias = Literal["A", "B", "C"]

LIMITS: Mapping[str, tuple[str, ...]] = {
    "speed": ("target_min_mps", "target_max_mps", "max_stroke_speed_mps"),
    "hold": ("max_speed_mps", "min_s"),
    "dose": (
        "region_min_s",
        "region_max_s",
        "sessions_per_week_min",
        "sessions_per_week_max",
    ),
}
LEAST_LIMIT_MPS, MOST_LIMIT_MPS = 0.01, 0.5
"""Where a speed limit for strokes may be: below is hardly rolling, above nobody rolls."""
_MOST: Mapping[str, float] = {
    "_mps": MOST_LIMIT_MPS,
    "_s": 3600.0,
    "_per_week_min": 100.0,
    "_per_week_max": 100.0,
}
"""By the ending of a key: far beyond what is prescribed, so that a wrong unit does not pass."""
_SHOWN = 40
_TOP_LEVEL = ("name", "description", "rules", *LIMITS, "evidence")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a limit has the value it has.

    Attributes:
        limit: which one, as "table.key" of the protocol file.
        grade: A trial or meta-analysis supports the number, B expert commentary or one small
            trial, C practice.
        says: what the source says, in a sentence.
        source: the source, citable.
        url: where to read it; may be empty.
    """

    limit: str
    grade: Grade
    says: str
    source: str
    url: str


_ORDERED = Evidence(
    "speed.max_stroke_speed_mps",
    "C",
    "Asked for while the service ran.",
    "set by a command",
    "",
)


@dataclass(frozen=True, slots=True)
class RollingProtocol:
    """What to keep to while rolling; speeds are surface speeds along the tissue.

    Attributes:
        id: file name without its ending.
        name: for people.
        description: for people, a sentence.
        rules: ids of the rules that judge each stroke.
        target_min_mps: slower than this is hardly rolling.
        target_max_mps: upper edge of the target band.
        max_stroke_speed_mps: a stroke whose mean speed is above it is too fast.
        hold_max_speed_mps: slower than this counts as staying on the spot.
        hold_min_s: shorter stops are pauses, not holds.
        region_min_s: rolling and holding time from which a region counts as done.
        region_max_s: time beyond which no benefit is known.
        sessions_per_week_min: fewest sessions per region and week.
        sessions_per_week_max: most sessions per region and week.
        evidence: one entry for every limit.
    """

    id: str
    name: str
    description: str
    rules: tuple[str, ...]
    target_min_mps: float
    target_max_mps: float
    max_stroke_speed_mps: float
    hold_max_speed_mps: float
    hold_min_s: float
    region_min_s: float
    region_max_s: float
    sessions_per_week_min: float
    sessions_per_week_max: float
    evidence: tuple[Evidence, ...]

    def evidence_for(self, limit: str) -> Evidence:
        """The evidence for a limit, for example "speed.max_stroke_speed_mps"."""
        return next(e for e in self.evidence if e.limit == limit)

    def with_limit(self, limit_mps: float) -> RollingProtocol:
        """The same with another `max_stroke_speed_mps`, for which somebody here is responsible.

        The target band ends there at the latest, and begins lower only where none would be left.

        Raises:
            UsageError: it is out of range, or not above the speed of a hold.
        """
        if not LEAST_LIMIT_MPS <= limit_mps <= MOST_LIMIT_MPS:
            raise UsageError(
                f"a speed limit of {1000 * limit_mps:g} mm/s is out of range.",
                hint=f"Give {1000 * LEAST_LIMIT_MPS:g} to {1000 * MOST_LIMIT_MPS:g} mm/s.",
            )
        if limit_mps <= self.hold_max_speed_mps:
            raise UsageError(
                f"a speed limit of {1000 * limit_mps:g} mm/s is none: up to"
                f" {1000 * self.hold_max_speed_mps:g} mm/s {self.id!r} calls it a hold.",
                hint="Give a higher one.",
            )
        target_min_mps, target_max_mps = self.target_min_mps, min(self.target_max_mps, limit_mps)
        return replace(
            self,
            target_min_mps=target_min_mps if target_min_mps < target_max_mps else limit_mps / 2,
            target_max_mps=target_max_mps,
            max_stroke_speed_mps=limit_mps,
            evidence=tuple(
                _ORDERED if each.limit == _ORDERED.limit else each for each in self.evidence
            ),
        )

    @classmethod
    def from_table(cls, protocol_id: str, table: Mapping[str, Any]) -> RollingProtocol:
        """Check the content of a protocol file.

        Raises:
            UsageError: a key is missing, unknown or out of range, limits contradict each other, or
                one has no evidence.
        """
        where = f"rolling protocol {protocol_id!r}"
        _refuse_unknown(where, table, _TOP_LEVEL)
        for section, keys in LIMITS.items():
            if isinstance(values := table.get(section), Mapping):
                _refuse_unknown(f"{where}, [{section}]", values, keys)
        limits = {
            (section, key): _limit(where, table, section, key)
            for section, keys in LIMITS.items()
            for key in keys
        }
        _check_order(where, limits)
        return cls(
            id=protocol_id,
            name=_text(where, table, "name"),
            description=_text(where, table, "description"),
            rules=_rules(where, table),
            target_min_mps=limits["speed", "target_min_mps"],
            target_max_mps=limits["speed", "target_max_mps"],
            max_stroke_speed_mps=limits["speed", "max_stroke_speed_mps"],
            hold_max_speed_mps=limits["hold", "max_speed_mps"],
            hold_min_s=limits["hold", "min_s"],
            region_min_s=limits["dose", "region_min_s"],
            region_max_s=limits["dose", "region_max_s"],
            sessions_per_week_min=limits["dose", "sessions_per_week_min"],
            sessions_per_week_max=limits["dose", "sessions_per_week_max"],
            evidence=_all_evidence(where, table, [f"{section}.{key}" for section, key in limits]),
        )


def _limit(where: str, table: Mapping[str, Any], section: str, key: str) -> float:
    values = table.get(section)
    value = values.get(key) if isinstance(values, Mapping) else None
    here = f"{where}: [{section}] {key}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise UsageError(f"{here} wants a number above 0, not {_shown(value)}.")
    least = LEAST_LIMIT_MPS if key == "max_stroke_speed_mps" else 0.0
    most = next(most for ending, most in _MOST.items() if key.endswith(ending))
    if not least <= value <= most:
        bound = f"at least {least:g}" if value < least else f"at most {most:g}"
        raise UsageError(
            f"{here} wants {bound}, not {_shown(value)}.",
            hint="The end of its name says the unit." if key.endswith(("_mps", "_s")) else "",
        )
    return float(value)


def _check_order(where: str, limits: Mapping[tuple[str, str], float]) -> None:
    speed, dose = (
        {key: value for (of, key), value in limits.items() if of == section}
        for section in ("speed", "dose")
    )
    if not speed["target_min_mps"] < speed["target_max_mps"] <= speed["max_stroke_speed_mps"]:
        raise UsageError(
            f"{where}: [speed] wants target_min_mps < target_max_mps <= max_stroke_speed_mps."
        )
    if limits["hold", "max_speed_mps"] >= speed["max_stroke_speed_mps"]:
        raise UsageError(
            f"{where}: [hold] max_speed_mps wants to be below [speed] max_stroke_speed_mps."
        )
    for least, most in (
        ("region_min_s", "region_max_s"),
        ("sessions_per_week_min", "sessions_per_week_max"),
    ):
        if dose[least] > dose[most]:
            raise UsageError(f"{where}: [dose] wants {least} <= {most}.")


def _rules(where: str, table: Mapping[str, Any]) -> tuple[str, ...]:
    rules = table.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
        raise UsageError(f"{where}: rules is not a list of rule ids.")
    if not rules:
        raise UsageError(
            f"{where}: no rule judges its strokes.", hint='Write rules = ["too_fast"].'
        )
    twice = next((rule for rule in rules if rules.count(rule) > 1), None)
    if twice is not None:
        raise UsageError(f"{where}: rules names {twice!r} twice.", hint="Name each rule once.")
    return tuple(rules)


def _text(where: str, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{where}: {key} wants a text, not {_shown(value)}.")
    return value


def _all_evidence(
    where: str, table: Mapping[str, Any], limits: Sequence[str]
) -> tuple[Evidence, ...]:
    evidence = table.get("evidence", {})
    if not isinstance(evidence, Mapping):
        raise UsageError(
            f"{where}: evidence wants a table for each limit, not {_shown(evidence)}.",
            hint=f'Write [evidence."{limits[0]}"] with grade, says and source.',
        )
    found = tuple(_evidence(where, evidence, limit) for limit in limits)
    _refuse_unknown(f"{where}, [evidence]", evidence, tuple(limits))
    return found


def _evidence(where: str, table: Mapping[str, Any], limit: str) -> Evidence:
    entry = table.get(limit)
    if not isinstance(entry, Mapping):
        raise UsageError(
            f"{where}: the limit {limit} has no evidence.",
            hint=f'Add [evidence."{limit}"] with grade, says and source.',
        )
    here = f"{where}, evidence for {limit}"
    _refuse_unknown(here, entry, ("grade", "says", "source", "url"))
    grade = entry.get("grade")
    if grade not in ("A", "B", "C"):
        raise UsageError(f"{here}: grade is one of A, B, C, not {_shown(grade)}.")
    url = entry.get("url", "")
    if not isinstance(url, str):
        raise UsageError(
            f"{here}: url wants a text, not {_shown(url)}.", hint="Leave it out if there is none."
        )
    return Evidence(limit, grade, _text(here, entry, "says"), _text(here, entry, "source"), url)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _refuse_unknown(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise UsageError(
                f"{where}: unknown key {key!r}.",
                hint=f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}.",
            )
