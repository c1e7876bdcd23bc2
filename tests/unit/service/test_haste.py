"""When live speed has to come less often."""

import asyncio
import logging
import time

from rolltrack.service.haste import CALM_LOOKS, LOOK_S, Haste


def test_one_late_look_hurries_and_only_a_long_calm_ends_it(caplog):
    caplog.set_level(logging.INFO)
    haste = Haste()
    for late_s in [0.01, 0.25, 0.01]:
        haste.see(late_s)
    assert not haste.hurried
    haste.see(0.5)
    assert haste.hurried
    for _ in range(CALM_LOOKS - 1):
        haste.see(0.01)
    haste.see(0.15)
    for _ in range(CALM_LOOKS - 1):
        haste.see(0.01)
    assert haste.hurried
    haste.see(0.01)
    assert not haste.hurried
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_loop_that_is_held_up_is_seen():
    haste = Haste()
    watching = asyncio.create_task(haste.watch())
    while not haste.hurried:
        await asyncio.sleep(0)
        time.sleep(2 * LOOK_S)  # noqa: ASYNC251  # holding the loop up is what this is about
    watching.cancel()
