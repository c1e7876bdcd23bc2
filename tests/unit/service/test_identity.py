from __future__ import annotations

import re

import pytest

from rolltrack.config import ID_PATTERN, Config, RollerConfig
from rolltrack.config.settings import BleConfig
from rolltrack.errors import UsageError
from rolltrack.service.identity import Register, fits, wanted_sensor
from rolltrack.sources.source import Sensor


def ble(sensor_id="RT-1", name="Roller", **more) -> Sensor:
    return Sensor("ble", sensor_id, name, epoch_unix_s=100.0, **more)


def admitted(config: Config, *sensors: Sensor, **options) -> list[str | None]:
    register = Register(config, **options)
    admissions = [register.admit(sensor) for sensor in sensors]
    return [None if each is None else each.roller.id for each in admissions]


@pytest.mark.parametrize(
    ("selector", "sensor", "fit"),
    [
        ("serial:RT-1", ble(), True),
        ("serial:rt-1", ble(), True),
        ("serial:RT-2", ble(), False),
        ("ble:AA:BB:CC:DD:EE:FF", ble("aa:bb:cc:dd:ee:ff"), True),
        ("ble:AA:BB:CC:DD:EE:FF", ble("RT-1", address="AA:BB:CC:DD:EE:FF"), True),
        ("ble:AA:BB:CC:DD:EE:FF", ble("RT-1"), False),
        ("name:Roller", ble(), True),
        ("name:Roller", Sensor("phone", "x", "Roller", 0.0), True),
        ("phone:d1", Sensor("phone", "d1", "", 0.0), True),
        ("phone:d1", Sensor("trace", "d1", "", 0.0), False),
        ("trace:calf", Sensor("trace", "calf", "calf", 0.0), True),
        ("serial:calf", Sensor("trace", "calf", "calf", 0.0), False),
    ],
)
def test_selectors(selector, sensor, fit):
    assert fits(selector, sensor) is fit


def test_an_entry_is_kept_by_its_first_sensor_and_the_second_is_refused(caplog):
    config = Config(rollers=(RollerConfig(id="calf", sensor="name:Roller"),))
    assert admitted(config, ble("RT-1"), ble("RT-2")) == ["calf", None]
    assert 'ble sensor Roller (RT-2) is refused: roller "calf" is in use' in caplog.text


def test_of_two_fitting_entries_the_first_wins_and_the_log_says_so(caplog):
    entries = (
        RollerConfig(id="one", sensor="serial:RT-1"),
        RollerConfig(id="two", sensor="name:Roller"),
    )
    assert admitted(Config(rollers=entries), ble()) == ["one"]
    assert 'fits the entries "one" and "two" of [[rollers]]; it is "one"' in caplog.text


def test_an_entry_without_a_sensor_takes_the_first_that_no_other_names():
    entries = (RollerConfig(id="any"), RollerConfig(id="mine", sensor="serial:RT-1"))
    ids = admitted(Config(rollers=entries), ble("RT-1"), ble("RT-2"), ble("RT-3"))
    assert ids[:2] == ["mine", "any"]
    assert ids[2].startswith("rt-")


def test_unknown_sensors_get_stable_distinct_valid_ids():
    sensors = [ble(f"AA:BB:{n:02X}") for n in range(200)]
    ids = admitted(Config(), *sensors)
    assert ids == admitted(Config(), *sensors)
    assert len(set(ids)) == 200
    assert all(re.fullmatch(ID_PATTERN, each) for each in ids)


def test_an_automatic_id_never_takes_a_configured_one():
    (automatic,) = admitted(Config(), ble("RT-2"))
    entry = RollerConfig(id=automatic, sensor="serial:RT-1")
    ids = admitted(Config(rollers=(entry,)), ble("RT-2"), ble("RT-1"))
    assert ids[1] == automatic
    assert ids[0].startswith(automatic)
    assert ids[0] != automatic


def test_without_discovery_only_named_rollers_come_in(caplog):
    config = Config(ble=BleConfig(discover=False), rollers=(RollerConfig(id="a", sensor="ble:X"),))
    phone = Sensor("phone", "d1", "", 0.0)
    ids = admitted(config, ble("Y"), ble("X"), phone)
    assert ids[:2] == [None, "a"]
    assert ids[2] is not None, "a phone has shown its token"
    assert "no entry of [[rollers]] names it" in caplog.text


@pytest.mark.parametrize(
    ("forced_m", "entry_m", "sensor_m", "used_m"),
    [
        (0.31, 0.05, 0.06, 0.31),
        (None, 0.05, 0.06, 0.05),
        (None, None, 0.06, 0.06),
        (None, None, None, 0.07),
        (None, None, 0.0001, 0.07),
        (None, None, 6.5, 0.07),
    ],
)
def test_where_the_radius_comes_from(forced_m, entry_m, sensor_m, used_m):
    config = Config(default_radius_m=0.07, rollers=(RollerConfig(id="a", radius_m=entry_m),))
    admission = Register(config, radius_m=forced_m).admit(ble(radius_m=sensor_m))
    assert admission.roller.radius_m == used_m


def test_what_an_entry_leaves_out_comes_from_the_top():
    config = Config(
        athlete="club",
        rollers=(RollerConfig(id="a"), RollerConfig(id="b", athlete="b3m9", region="back")),
    )
    register = Register(config)
    first, second, third = (register.admit(ble(f"RT-{n}")).roller for n in range(3))
    assert (first.athlete, first.region) == ("club", "")
    assert (second.athlete, second.region) == ("b3m9", "back")
    assert third.athlete == "club"
    assert third.epoch_unix_s == 100.0


def test_each_roller_may_have_its_own_protocol(tmp_path):
    with pytest.raises(UsageError, match="no-such"):
        Register(Config(rollers=(RollerConfig(id="a", protocol="no-such"),)))
    admission = Register(Config(rollers=(RollerConfig(id="a", protocol="slow-release"),))).admit(
        ble()
    )
    assert admission.protocol.id == "slow-release"


@pytest.mark.parametrize(
    ("sensor", "discover", "wanted"),
    [
        ("serial:RT-1", False, {"RT-1"}),
        ("name:rt-2", False, {"RT-2"}),
        ("phone:x", False, set()),
        (None, False, {"RT-1", "RT-2"}),
        ("serial:RT-1", True, {"RT-1", "RT-2"}),
    ],
)
def test_only_wanted_rollers_are_worth_a_connection(sensor, discover, wanted):
    entry = RollerConfig(id="a", sensor=sensor)
    decide = wanted_sensor(Config(ble=BleConfig(discover=discover), rollers=(entry,)))
    assert {each for each in ("RT-1", "RT-2") if decide(each)} == wanted
