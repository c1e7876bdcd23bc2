"""The simulator writes the bytes that were worked out by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from firmware_sim import packets

GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "roller_v1.json").read_text())
AXLES = {code: axle for axle, code in packets.AXLE_CODES.items()}


def golden(characteristic):
    return [
        pytest.param(entry["fields"], bytes.fromhex(entry["hex"]), id=entry["name"])
        for entry in GOLDEN[characteristic]
    ]


@pytest.mark.parametrize(("fields", "value"), golden("motion"))
def test_motion(fields, value):
    counts = [fields["accel"]] + ([fields["gyro"]] if fields["gyro_present"] else [])
    encoded = packets.encode_motion(
        fields["seq"],
        fields["t_us"],
        np.hstack([np.array(part, dtype=np.int16) for part in counts]),
        overrun=fields["overrun"],
        clipped=fields["clipped"],
    )
    assert encoded == value


@pytest.mark.parametrize(("fields", "value"), golden("config"))
def test_config_both_ways(fields, value):
    config = packets.Config(**fields)
    assert packets.encode_config(config) == value
    assert packets.decode_config(value) == config


@pytest.mark.parametrize(("fields", "value"), golden("info"))
def test_info(fields, value):
    encoded = packets.encode_info(
        period_ns=fields["period_ns"],
        accel_mps2_per_lsb=fields["accel_mps2_per_lsb"],
        gyro_radps_per_lsb=fields["gyro_radps_per_lsb"],
        axle=AXLES[fields["axle"]],
        radius_m=fields["radius_tenth_mm"] / 1e4 or None,
        clock_us=fields["clock_us"],
    )
    assert encoded == value


@pytest.mark.parametrize(("fields", "value"), golden("status"))
def test_status(fields, value):
    assert packets.encode_status(**fields) == value


def test_sequence_and_clock_wrap_in_the_packet():
    one = np.zeros((1, 3), dtype=np.int16)
    assert packets.encode_motion(65536, 2**32, one) == packets.encode_motion(0, 0, one)


@pytest.mark.parametrize(
    ("att_mtu", "axes", "samples"),
    [(23, 6, 1), (23, 3, 2), (185, 6, 14), (247, 6, 19), (517, 6, 42)],
)
def test_a_notification_never_exceeds_the_mtu(att_mtu, axes, samples):
    assert packets.samples_that_fit(att_mtu, axes) == samples
    packet = packets.encode_motion(0, 0, np.zeros((samples, axes), dtype=np.int16))
    assert len(packet) <= att_mtu - 3 < len(packet) + 2 * axes
