from rolltrack.sources.ble_finder import Backoff, RollerFinder
from rolltrack.sources.ble_link import BleLink


def finder() -> RollerFinder:
    return RollerFinder(BleLink("os"), ["180f"])


def test_waits_double_up_to_a_limit():
    backoff = Backoff(longest_s=3.0)
    assert [backoff.failed() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]


async def test_a_roller_that_failed_is_tried_later_and_forgiven_when_it_works():
    rollers = finder()
    assert rollers._may_try("A")
    assert rollers.failed("A") == 0.5
    assert rollers.failed("A") == 1.0
    assert not rollers._may_try("A")
    assert rollers._may_try("B")
    rollers.succeeded("A")
    assert rollers.failed("A") == 0.5


async def test_busy_and_strange_rollers_are_left_alone():
    rollers = finder()
    rollers.busy.add("A")
    rollers.leave_alone("B")
    assert not rollers._may_try("A")
    assert not rollers._may_try("B")
