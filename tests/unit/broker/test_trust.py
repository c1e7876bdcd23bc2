"""The embedded amqtt serves one person."""

from __future__ import annotations

import pytest

from rolltrack.broker.trust import athletes_of, check_trust
from rolltrack.cli.main import main
from rolltrack.config import BleConfig, Config, RollerConfig
from rolltrack.errors import UsageError


def config(*athletes, discover=False, **top):
    rollers = tuple(RollerConfig(id=f"r{i}", athlete=each) for i, each in enumerate(athletes))
    return Config(ble=BleConfig(discover=discover), rollers=rollers, **top)


@pytest.mark.parametrize(
    ("configured", "athletes"),
    [
        (config(), {"me"}),
        (config("a7k2"), {"a7k2"}),
        (config("a7k2", None), {"a7k2", "me"}),
        (config("a7k2", "b3m9"), {"a7k2", "b3m9"}),
        (config("a7k2", discover=True), {"a7k2", "me"}),
        (config("a7k2", discover=True, athlete="a7k2"), {"a7k2"}),
    ],
)
def test_everybody_who_may_be_published_counts(configured, athletes):
    assert athletes_of(configured) == athletes
    check_trust("mosquitto", configured)
    if len(athletes) == 1:
        check_trust("amqtt", configured)
    else:
        with pytest.raises(UsageError, match="Install mosquitto"):
            check_trust("amqtt", configured)


def test_the_service_refuses_a_second_athlete_on_amqtt(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("rolltrack.broker.mosquitto.FOLDERS", ())
    path = tmp_path / "rolltrack.toml"
    path.write_text(
        "[ble]\nenabled = false\n[store]\npath = 'db'\n[phone]\nenabled = true\nport = 0\n"
        "[[rollers]]\nid = 'r1'\nathlete = 'a7k2'\n[[rollers]]\nid = 'r2'\nathlete = 'b3m9'\n"
    )
    assert main(["run", "--config", str(path), "--no-view"]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("rolltrack: The embedded amqtt cannot keep the athletes a7k2, b3m9, me")
