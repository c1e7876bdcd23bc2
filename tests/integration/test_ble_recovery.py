"""The simulator, a process of its own, is killed, restarted, frozen and thawed."""

import asyncio
import logging
import signal

import numpy as np
import pytest
from support.virtual_ble import Heard, SimProcess, running

from rolltrack.config import BleConfig
from rolltrack.core.events import LinkChanged
from rolltrack.sources.ble import BleSource
from rolltrack.sources.source import TimePassed

pytestmark = pytest.mark.process

TRACE = "src/rolltrack/traces/samples/calf.csv.gz"
ROLLER = "rt-sim-1"


@pytest.fixture
async def simulators():
    started = []

    async def start(where="tcp:127.0.0.1:0", options=()):
        started.append(await SimProcess.start(TRACE, "--loop", *options, where=where))
        return started[-1]

    yield start
    for simulator in started:
        await simulator.end()


def is_down(heard: Heard) -> bool:
    return not heard.of(ROLLER, LinkChanged)[-1].up


async def test_a_killed_simulator_that_starts_again_goes_on_after_a_gap(simulators):
    heard = Heard()
    simulator = await simulators()
    async with running(BleSource(BleConfig(link=simulator.where)), heard):
        await heard.until_samples(ROLLER, 50)
        simulator.send(signal.SIGKILL)
        await heard.until(lambda: is_down(heard))
        await heard.until(lambda: heard.of(ROLLER, TimePassed) != [])
        before = heard.samples(ROLLER)
        await simulators(simulator.where)
        await heard.until_samples(ROLLER, before + 50)
    (gap,) = heard.gaps(ROLLER)
    assert gap.reason == "link_lost"
    assert np.all(np.diff(heard.times(ROLLER)) > 0)
    assert all(gap.start_s < told.t_s < gap.end_s for told in heard.of(ROLLER, TimePassed))


async def test_a_frozen_simulator_is_noticed_by_its_silence_and_comes_back(simulators):
    heard = Heard()
    simulator = await simulators()
    async with running(BleSource(BleConfig(link=simulator.where)), heard):
        await heard.until_samples(ROLLER, 50)
        simulator.send(signal.SIGSTOP)
        await heard.until(lambda: is_down(heard))
        await heard.until(lambda: len(heard.of(ROLLER, TimePassed)) >= 2)
        before = heard.samples(ROLLER)
        simulator.send(signal.SIGCONT)
        await heard.until_samples(ROLLER, before + 50, timeout_s=60)
    (gap,) = heard.gaps(ROLLER)
    assert gap.reason == "no_data"
    assert gap.end_s - gap.start_s > 2.0
    assert np.all(np.diff(heard.times(ROLLER)) > 0)


async def test_when_a_frozen_adapter_is_given_up_all_its_rollers_come_back(
    simulators, monkeypatch, caplog
):
    monkeypatch.setattr("rolltrack.sources.bumble_backend.radio.COMMAND_TIMEOUT_S", 0.5)
    monkeypatch.setattr("rolltrack.sources.bumble_backend.radio.OPEN_TIMEOUT_S", 1.0)
    caplog.set_level(logging.WARNING)
    heard = Heard()
    simulator = await simulators(options=("--count", "3"))
    rollers = [f"rt-sim-{number}" for number in (1, 2, 3)]
    async with running(BleSource(BleConfig(link=simulator.where)), heard):
        for roller in rollers:
            await heard.until_samples(roller, 50)
        simulator.send(signal.SIGSTOP)
        await heard.until(lambda: "No Bluetooth simulator answers" in caplog.text)
        before = {roller: heard.samples(roller) for roller in rollers}
        simulator.send(signal.SIGCONT)
        for roller in rollers:
            await heard.until_samples(roller, before[roller] + 50)
    for roller in rollers:
        assert len(heard.gaps(roller)) == 1
        assert np.all(np.diff(heard.times(roller)) > 0)


async def test_a_short_freeze_costs_nothing_but_time(simulators):
    heard = Heard()
    simulator = await simulators()
    async with running(BleSource(BleConfig(link=simulator.where)), heard):
        await heard.until_samples(ROLLER, 50)
        simulator.send(signal.SIGSTOP)
        await asyncio.sleep(0.7)  # shorter than what counts as silence
        simulator.send(signal.SIGCONT)
        await heard.until_samples(ROLLER, 200)
        assert [each.up for each in heard.of(ROLLER, LinkChanged)] == [True]
    assert np.all(np.diff(heard.times(ROLLER)) > 0)
