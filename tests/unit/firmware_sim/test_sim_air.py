"""Packets that are lost or come twice, firmware that hangs or reboots."""

import asyncio
import struct

import numpy as np
import pytest
from bumble import hci
from support.central import PATIENCE_S, Received, central_on, counting_trace, roller_on

from firmware_sim.air import Air, Faults
from firmware_sim.firmware import WATCHDOG_RESET, Firmware
from firmware_sim.link import SimLink
from firmware_sim.packets import Config
from firmware_sim.profile import STATUS

MTU = 247


def faults(seed=1, **air):
    return Faults(Air(**air), np.random.default_rng(seed))


def packets(count):
    return [n.to_bytes(4, "little") for n in range(count)]


def test_without_faults_everything_passes_once():
    assert faults().pass_on(packets(100)) == packets(100)


def test_loss_and_duplicates_have_the_share_asked_for_and_keep_the_order():
    sent = packets(20_000)
    lost = faults(loss=0.05).pass_on(sent)
    assert 1 - len(lost) / len(sent) == pytest.approx(0.05, abs=0.005)
    order = [int.from_bytes(packet, "little") for packet in lost]
    assert order == sorted(set(order))
    twice = faults(duplicates=0.1).pass_on(sent)
    assert len(twice) / len(sent) == pytest.approx(1.1, abs=0.01)
    assert list(dict.fromkeys(twice)) == sent


def test_the_same_seed_loses_the_same_packets():
    one, same, other = (faults(seed, loss=0.2).pass_on(packets(500)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_it_hangs_for_as_long_as_asked_and_reboots_once():
    bad = faults(freeze_at_s=2.0, freeze_s=1.0, reboot_at_s=5.0)
    assert [bad.frozen(t) for t in (1.9, 2.0, 2.9, 3.0)] == [False, True, True, False]
    assert [bad.reboots(t) for t in (4.9, 5.0, 6.0)] == [False, True, False]


def test_a_reboot_starts_counters_clock_and_configuration_again():
    firmware = Firmware(counting_trace(500), config=Config(max_samples=5))
    firmware.begin(0.0)
    firmware.advance(1.0, MTU)
    firmware.take(99)
    firmware.configure(Config(rate_hz=200, max_samples=5))
    firmware.reboot(2.0)
    firmware.advance(2.1, MTU)
    seq, t_us, _, n = struct.unpack_from("<HIBB", firmware.take(1)[0])
    assert (seq, n) == (0, 5)
    assert t_us == pytest.approx(10_000, abs=10_000)
    assert firmware.config.rate_hz == 100
    assert firmware.status()[-1] == WATCHDOG_RESET


def faulty_roller(link, *, wait=True, **air):
    return roller_on(link, config=Config(max_samples=5), wait=wait, faults=faults(**air))


async def test_a_central_sees_holes_and_repeats_in_the_sequence():
    link = SimLink()
    async with faulty_roller(link, loss=0.1, duplicates=0.1), central_on(link) as central:
        motion = await (await central.connect()).subscribe()
        await motion.until(lambda: len(motion.seqs) >= 100)
        assert motion.seqs == sorted(motion.seqs)
        assert len(set(motion.seqs)) < len(motion.seqs)
        assert set(range(max(motion.seqs))) - set(motion.seqs)


async def test_a_frozen_roller_stays_connected_and_has_measured_nothing_meanwhile():
    link = SimLink()
    async with faulty_roller(link, freeze_at_s=1.0, freeze_s=1.5), central_on(link) as central:
        motion = await (await central.connect()).subscribe()
        await motion.until(lambda: len(motion.counts) >= 200)
        assert motion.seqs == list(range(len(motion.seqs)))
        steps = [b - a for a, b in zip(motion.counts, motion.counts[1:], strict=False)]
        assert 145 <= max(steps) <= 160
        assert not central.gone.done()


async def test_a_reboot_that_nobody_saw_leaves_the_next_link_alone():
    """Roller time runs twenty times as fast: the reboot is due long before anybody connects."""
    link = SimLink()
    async with faulty_roller(link, reboot_at_s=0.0, wait=False), central_on(link) as central:
        motion = await (await central.connect()).subscribe()
        await motion.until(lambda: len(motion.counts) >= 50)
        assert not central.gone.done()
        assert (await central.read(STATUS))[-1] == WATCHDOG_RESET


async def test_a_reboot_drops_the_link_and_the_next_stream_begins_at_zero():
    link = SimLink()
    async with faulty_roller(link, reboot_at_s=1.5), central_on(link) as central:
        first = await (await central.connect()).subscribe()
        assert await asyncio.wait_for(central.gone, PATIENCE_S) == hci.HCI_CONNECTION_TIMEOUT_ERROR
        assert first.seqs[-1] > 20
        central.motion = Received()
        second = await (await central.connect()).subscribe()
        await second.until(lambda: len(second.counts) >= 20)
        assert second.seqs[0] == 0
        assert second.counts[0] >= first.counts[-1]
        assert (await central.read(STATUS))[-1] == WATCHDOG_RESET
