"""A rolling protocol: what was prescribed, and on what evidence."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
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

        The target band ends there at the latest.
        """
        target_max_mps = min(self.target_max_mps, limit_mps)
        return replace(
            self,
            target_min_mps=min(self.target_min_mps, target_max_mps / 2),
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
            UsageError: a key is missing, unknown or out of range, or a limit has no evidence.
        """
        where = f"rolling protocol {protocol_id!r}"
        _refuse_unknown(where, table, _TOP_LEVEL)
        limits = {
            (section, key): _positive(where, table, section, key)
            for section, keys in LIMITS.items()
            for key in keys
        }
        for section, keys in LIMITS.items():
            _refuse_unknown(f"{where}, [{section}]", table[section], keys)
        if not (
            limits["speed", "target_min_mps"]
            < limits["speed", "target_max_mps"]
            <= limits["speed", "max_stroke_speed_mps"]
        ):
            raise UsageError(
                f"{where}: [speed] wants target_min_mps < target_max_mps <= max_stroke_speed_mps."
            )
        rules = table.get("rules", [])
        if not isinstance(rules, list) or not all(isinstance(r, str) for r in rules):
            raise UsageError(f"{where}: rules is not a list of rule ids.")
        return cls(
            id=protocol_id,
            name=_text(where, table, "name"),
            description=_text(where, table, "description"),
            rules=tuple(rules),
            target_min_mps=limits["speed", "target_min_mps"],
            target_max_mps=limits["speed", "target_max_mps"],
            max_stroke_speed_mps=limits["speed", "max_stroke_speed_mps"],
            hold_max_speed_mps=limits["hold", "max_speed_mps"],
            hold_min_s=limits["hold", "min_s"],
            region_min_s=limits["dose", "region_min_s"],
            region_max_s=limits["dose", "region_max_s"],
            sessions_per_week_min=limits["dose", "sessions_per_week_min"],
            sessions_per_week_max=limits["dose", "sessions_per_week_max"],
            evidence=tuple(
                _evidence(where, table.get("evidence", {}), f"{section}.{key}")
                for section, key in limits
            ),
        )


def _positive(where: str, table: Mapping[str, Any], section: str, key: str) -> float:
    values = table.get(section)
    value = values.get(key) if isinstance(values, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise UsageError(f"{where}: [{section}] {key} wants a number above 0, not {value!r}.")
    return float(value)


def _text(where: str, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{where}: {key} wants a text, not {value!r}.")
    return value


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
        raise UsageError(f"{here}: grade is one of A, B, C, not {grade!r}.")
    return Evidence(
        limit, grade, _text(here, entry, "says"), _text(here, entry, "source"), entry.get("url", "")
    )


def _refuse_unknown(where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise UsageError(
                f"{where}: unknown key {key!r}.",
                hint=f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}.",
            )
