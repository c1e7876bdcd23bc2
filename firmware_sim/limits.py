"""What a number in a scenario may be: what lies beyond is a slip, most often of the unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from msgspec import Meta

if TYPE_CHECKING:
    import msgspec

Positive: TypeAlias = Annotated[float, Meta(gt=0, le=1e6)]
NotNegative: TypeAlias = Annotated[float, Meta(ge=0, le=1e6)]
Number: TypeAlias = Annotated[float, Meta(ge=-1e6, le=1e6)]
Angle: TypeAlias = Annotated[float, Meta(ge=-7, le=7)]
Share: TypeAlias = Annotated[float, Meta(ge=0, lt=1)]
Part: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
MeanGap: TypeAlias = Annotated[float, Meta(ge=0.1, le=1e6)]
Drift: TypeAlias = Annotated[float, Meta(ge=-1e5, le=1e5)]
Hertz: TypeAlias = Annotated[float, Meta(gt=0, le=400)]
"""Motion is worked out 800 times a second and holds nothing faster than half of that."""


def check_pairs(owner: msgspec.Struct, *names: str) -> None:
    """Refuse limits of which the first is the larger one.

    Raises:
        ValueError: which pair, and what to write.
    """
    for name in names:
        low, high = getattr(owner, name)
        if low > high:
            raise ValueError(f"`{name}` = [{low:g}, {high:g}]: write the smaller number first")


def check_band(owner: msgspec.Struct, name: str = "band_hz") -> None:
    """Refuse a band of frequencies that has no width.

    Raises:
        ValueError: which band.
    """
    low, high = getattr(owner, name)
    if low >= high:
        raise ValueError(f"`{name}` = [{low:g}, {high:g}] must go from a lower to a higher one")
