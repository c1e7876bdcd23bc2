"""What of a command's payload becomes an order; the way over a broker is an integration test."""

from __future__ import annotations

import pytest

from rolltrack.core.coaching.protocol import LEAST_LIMIT_MPS, MOST_LIMIT_MPS
from rolltrack.errors import InputError
from rolltrack.sources.mqtt_orders import _decoded, _id_in

NOW_MS = 1_763_900_000_123
NESTED = "[" * 100_000 + "]" * 100_000


def command(**values: str) -> bytes:
    """A payload; values are JSON as written."""
    keys = {"id": '"1"', "ts": str(NOW_MS), **values}
    return ("{" + ",".join(f'"{key}":{value}' for key, value in keys.items()) + "}").encode()


@pytest.mark.parametrize("limit", ["0", "-50", "9.99", "500.1", "1e999", "9" * 400, '"60"', "true"])
def test_a_limit_out_of_range_is_refused_with_its_range(limit):
    with pytest.raises(InputError, match='"limit_mm_s" must be a number from 10 to 500'):
        _decoded(command(limit_mm_s=limit))


@pytest.mark.parametrize("limit_mps", [LEAST_LIMIT_MPS, MOST_LIMIT_MPS])
def test_the_range_on_the_wire_is_that_of_a_protocol(limit_mps):
    inside, least = 1000 * limit_mps, limit_mps == LEAST_LIMIT_MPS
    assert _decoded(command(limit_mm_s=str(inside))).limit_mm_s == inside
    with pytest.raises(InputError):
        _decoded(command(limit_mm_s=str(inside - 0.01 if least else inside + 0.01)))


@pytest.mark.parametrize("word", ["NaN", "Infinity", "nan"])
def test_what_is_no_json_number_is_no_command(word):
    with pytest.raises(InputError, match="not JSON"):
        _decoded(command(limit_mm_s=word))


@pytest.mark.parametrize("ts", ["-1", "9" * 400, "9" * 5000, "1e300", "1.5"])
def test_a_time_that_is_none_is_refused(ts):
    with pytest.raises(InputError, match='"ts" must be when it was sent'):
        _decoded(command(ts=ts))


def test_a_payload_nested_without_end_is_refused():
    body = command(more=NESTED)
    with pytest.raises(InputError, match="not JSON"):
        _decoded(body)
    assert _id_in(body) == ""
