from __future__ import annotations

import gzip
import time
from pathlib import Path

import numpy as np
import pytest

import rolltrack.traces
from rolltrack.core.events import LinkChanged
from rolltrack.core.sample import ImuSamples
from rolltrack.errors import InputError
from rolltrack.sources.replay import ReplaySource
from rolltrack.traces.reader import read_trace

CALF = Path(rolltrack.traces.__file__).parent / "samples" / "calf.csv.gz"


async def played(path: Path, speed: float | None):
    delivered = []
    await ReplaySource(path, speed).run(lambda sensor, item: delivered.append((sensor, item)))
    return delivered


def joined(delivered) -> ImuSamples:
    return ImuSamples.join([item for _, item in delivered if isinstance(item, ImuSamples)])


@pytest.mark.parametrize("speed", [None, 400.0])
async def test_every_reading_arrives_once_and_in_order(speed):
    delivered = await played(CALF, speed)
    expected = read_trace(CALF).samples
    assert isinstance(delivered[0][1], LinkChanged)
    assert delivered[0][1].up
    readings = joined(delivered)
    np.testing.assert_array_equal(readings.t_s, expected.t_s)
    np.testing.assert_array_equal(readings.accel_mps2, expected.accel_mps2)
    np.testing.assert_array_equal(readings.gyro_radps, expected.gyro_radps)


async def test_paced_readings_come_in_packets_of_a_tenth_of_a_second():
    delivered = await played(CALF, 400.0)
    lengths = [len(item) for _, item in delivered[1:]]
    assert max(lengths) <= 11
    assert len(lengths) > 390


async def test_the_sensor_is_the_trace_and_says_what_its_metadata_say():
    sensor = (await played(CALF, None))[0][0]
    assert (sensor.kind, sensor.sensor_id) == ("trace", "calf")
    assert sensor.radius_m == 0.075
    assert sensor.axle == (0, 0, 1)
    assert sensor.epoch_unix_s == 1_795_428_800.0


async def test_a_trace_without_a_date_starts_now(tmp_path):
    path = tmp_path / "bare.csv"
    path.write_text(
        "t_s,ax_mps2,ay_mps2,az_mps2\n" + "".join(f"{5 + n},0,0,9.81\n" for n in range(3))
    )
    before = time.time()
    sensor = (await played(path, None))[0][0]
    assert before <= sensor.epoch_unix_s + 5.0 <= time.time()
    assert sensor.radius_m is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02", "not a text file"),
        (b"t_s,ax_mps2\n0,1\n", "ay_mps2"),
        (b"t_s,ax_mps2,ay_mps2,az_mps2\n" + b"%d,0,0,1\n" * 99 % tuple(range(99)), "as if in g"),
    ],
)
async def test_what_is_no_trace_is_refused(tmp_path, content, message):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        await played(path, None)


async def test_a_damaged_trace_is_played_as_far_as_it_goes(tmp_path):
    """A reading error in the middle of a long trace must not undo what came before it."""
    rows = [f"{n / 100:.2f},0,0,9.81" for n in range(12_000)]
    rows[11_000] = "0.00,0,0,9.81"
    path = tmp_path / "long.csv.gz"
    path.write_bytes(gzip.compress("\n".join(["t_s,ax_mps2,ay_mps2,az_mps2", *rows]).encode()))
    delivered = []
    with pytest.raises(InputError, match="line 11002"):
        await ReplaySource(path, None).run(lambda sensor, item: delivered.append((sensor, item)))
    assert len(joined(delivered)) >= 10_000
