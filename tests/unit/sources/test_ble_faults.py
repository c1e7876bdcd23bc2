import asyncio

import pytest
from bleak.exc import BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode
from bumble import att, core

from rolltrack.sources.bumble_backend.faults import as_bleak_errors


def up() -> bool:
    return True


def down() -> bool:
    return False


async def test_an_att_error_keeps_its_code():
    with pytest.raises(BleakGATTProtocolError) as caught, as_bleak_errors(up):
        raise att.ATT_Error(att.ErrorCode.INSUFFICIENT_ENCRYPTION)
    assert caught.value.code == BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION


async def test_other_errors_of_bumble_are_bleaks():
    with pytest.raises(BleakError, match="odd"), as_bleak_errors(up):
        raise core.InvalidStateError("odd")


async def test_what_waits_on_a_lost_link_fails():
    with pytest.raises(BleakError, match="Disconnected"), as_bleak_errors(down):
        raise asyncio.CancelledError


async def test_a_cancellation_stays_one_even_on_a_lost_link():
    async def work():
        with as_bleak_errors(down):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_that_was_swallowed_inside_comes_out_again():
    answer = asyncio.get_running_loop().create_future()

    async def work():
        with as_bleak_errors(up):
            try:
                await answer
            except asyncio.CancelledError:
                return

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_earlier_cancellation_is_not_this_blocks_business():
    async def clean_up():
        with as_bleak_errors(up):
            await asyncio.sleep(0)
        return "done"

    async def work():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return await clean_up()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "done"
