"""`rolltrack run` as its users start and stop it: a process, options, signals."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from support.brokers import free_port, skip_without
from support.mqtt_listener import listening
from support.service_process import ended, rolltrack_run, until_line

import rolltrack.traces
from rolltrack.broker import embedded_broker
from rolltrack.store import SessionStore
from rolltrack.traces.reader import read_trace

CALF = Path(rolltrack.traces.__file__).parent / "samples" / "calf.csv.gz"

pytestmark = pytest.mark.process


@pytest.mark.broker
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_the_session_publishes_and_stores_it(tmp_path, by):
    skip_without("mosquitto")
    async with embedded_broker("mosquitto") as broker, listening(broker.port) as listener:
        options = [
            "--replay",
            str(CALF),
            "--speed",
            "10",
            "--store",
            "sessions.db",
            "--site",
            "gym",
        ]
        options += ["--mqtt", f"127.0.0.1:{broker.port}"]
        async with rolltrack_run(tmp_path, *options) as process:
            await listener.until(lambda m: m.leaf == "stroke")
            process.send_signal(by)
            code, out, err = await ended(process)
        published = await listener.until(lambda m: "/session/" in m.topic)
    assert (code, out) == (0, "")
    assert "Traceback" not in err
    assert published.topic.startswith("rolltrack/v1/gym/a/me/session/")
    (stored,) = SessionStore(tmp_path / "sessions.db").newest()
    assert stored.session_id == published.json()["session_id"]
    assert stored.end == "user"


async def test_a_replay_with_its_own_broker_ends_by_itself(tmp_path):
    options = ["--replay", str(CALF), "--speed", "0", "--store", "sessions.db", "--record", "raw"]
    options += ["--radius-mm", "150", "--athlete", "a7k2", "--log", "json"]
    async with rolltrack_run(tmp_path, *options) as process:
        code, _, err = await ended(process)
    assert code == 0, err
    assert "on this machine" in err
    assert "mosquitto_sub -h 127.0.0.1" in err
    assert '"message":"roller' in err
    (stored,) = SessionStore(tmp_path / "sessions.db").newest()
    assert stored.athlete == "a7k2"
    assert stored.distance_m > 2.0
    (recording,) = (tmp_path / "raw").iterdir()
    assert len(read_trace(recording).samples) == len(read_trace(CALF).samples)


async def test_a_secret_that_others_can_read_is_logged_once(tmp_path):
    (tmp_path / "token").write_text("open sesame\n")
    (tmp_path / "token").chmod(0o644)
    (tmp_path / "mine.toml").write_text("[phone]\ntoken_file = 'token'\n")
    options = ["--config", "mine.toml", "--replay", str(CALF), "--speed", "0", "--mqtt", "off"]
    async with rolltrack_run(tmp_path, *options, "--store", "s.db") as process:
        code, _, err = await ended(process)
    assert code == 0, err
    assert err.count("phone.token_file") == 1
    assert f"chmod 600 {tmp_path / 'token'}" in err


async def test_a_second_signal_ends_it_at_once(tmp_path):
    """The first one waits a few seconds for a broker that is not there."""
    options = ["--replay", str(CALF), "--speed", "10", "--view", "--store", "s.db"]
    options += ["--mqtt", f"127.0.0.1:{free_port()}"]
    async with rolltrack_run(tmp_path, *options) as process:
        await until_line(process.stdout, b"stroke 1")
        process.send_signal(signal.SIGTERM)
        await until_line(process.stdout, b"session ended")
        process.send_signal(signal.SIGTERM)
        code, _, _ = await ended(process)
    assert code == -signal.SIGTERM


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--no-ble"], 2, "there is nothing to listen to."),
        (["--no-ble", "--ble", "os"], 2, "--ble and --no-ble contradict each other."),
        (["--replay", "nowhere.csv"], 3, "nowhere.csv: cannot be read"),
        (["--replay", str(CALF), "--mqtt", "a:b"], 2, '--mqtt: "a:b" is not a broker address.'),
        (["--replay", str(CALF), "--site", "My Gym"], 2, '--site: "My Gym" is not an id.'),
        (["--replay", str(CALF), "--protocol", "none"], 2, "no rolling protocol 'none'."),
        (["--config", "nowhere.toml"], 2, "nowhere.toml: no such configuration file."),
        (["--replay", str(CALF), "--speed", "-1"], 2, "--speed"),
    ],
)
async def test_what_cannot_work_is_said_in_one_line(tmp_path, options, code, message):
    mqtt = [] if "--mqtt" in options else ["--mqtt", "off"]
    async with rolltrack_run(tmp_path, *options, *mqtt, "--store", "s.db") as process:
        exit_code, out, err = await ended(process)
    assert (exit_code, out) == (code, "")
    last = err.strip().splitlines()[-1]
    assert last.startswith("rolltrack: ")
    assert message in last
    assert "Traceback" not in err
