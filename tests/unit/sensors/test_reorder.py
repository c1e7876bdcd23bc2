from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolltrack.sensors.reorder import ReorderBuffer


def numbers(due):
    return [d.message for d in due]


def test_nothing_waits_while_messages_come_in_order():
    buffer = ReorderBuffer()
    assert [numbers(buffer.push(n, n, 0.0)) for n in range(3)] == [[0], [1], [2]]


def test_a_missing_message_is_given_up_after_the_wait():
    buffer = ReorderBuffer(wait_s=1.0, depth=10)
    buffer.push(0, 0, 0.0)
    assert buffer.push(2, 2, 0.2) == []
    assert buffer.push(3, 3, 1.1) == []
    due = buffer.push(4, 4, 1.2)
    assert numbers(due) == [2, 3, 4]
    assert [d.skipped for d in due] == [1, 0, 0]
    assert buffer.push(1, 1, 1.3) == []


def test_a_stream_may_be_joined_in_the_middle():
    buffer = ReorderBuffer()
    assert numbers(buffer.push(500, 500, 0.0)) == [500]


@pytest.mark.parametrize("wrong", [10**9, 60])
def test_one_wrong_number_costs_no_other_message(wrong):
    buffer = ReorderBuffer(wait_s=1.0)
    arrived = [*range(10), wrong, *range(10, 50)]
    due = [each for k, n in enumerate(arrived) for each in buffer.push(n, n, 0.2 * k)]
    assert sorted(numbers(due)) == sorted(arrived)
    assert [n for n in numbers(due) if n != wrong] == list(range(50))
    assert sum(each.skipped for each in due if each.message != wrong) == 0


def test_counting_may_begin_anew():
    buffer = ReorderBuffer(wait_s=1.0)
    arrived = [*range(100, 200), 3, 3, 4, 5, 7, 8, 9]
    due = [each for k, n in enumerate(arrived) for each in buffer.push(n, n, 0.2 * k)]
    assert numbers(due) == [*range(100, 200), 3, 4, 5, 7, 8, 9]
    assert [each.skipped for each in due if each.skipped] == [1]


def test_what_waited_when_counting_begins_anew_is_not_lost():
    buffer = ReorderBuffer(wait_s=1e9)
    arrived = [*range(100, 150), 152, 3, 4, 5, 6]
    due = [each for n in arrived for each in buffer.push(n, n, 0.0)]
    assert numbers(due) == arrived


def test_copies_in_a_row_are_dropped():
    buffer = ReorderBuffer()
    arrived = [*range(100), *range(80, 100), *range(80, 100), 100]
    due = [each for n in arrived for each in buffer.push(n, n, 0.0)]
    assert numbers(due) == list(range(101))


def test_a_few_that_were_given_up_are_dropped_when_they_come():
    buffer = ReorderBuffer(depth=4)
    arrived = [0, 4, 5, 6, 7, 1, 2, 3, 8]
    due = [each for n in arrived for each in buffer.push(n, n, 0.0)]
    assert numbers(due) == [0, 4, 5, 6, 7, 8]


@given(st.lists(st.integers(-2, 40), max_size=60))
def test_messages_come_out_in_order_unless_several_say_otherwise_and_few_wait(arrivals):
    depth = 4
    buffer = ReorderBuffer(wait_s=1e9, depth=depth)
    out, begun_anew, last = [], 0, 0
    for k, n in enumerate(arrivals):
        due = numbers(buffer.push(n, n, float(k)))
        backwards = sum(after <= before for before, after in pairwise([*out[-1:], *due]))
        if backwards:
            assert backwards == 1
            assert k - last >= depth - 1
            begun_anew, last = begun_anew + 1, k
        out += due
    assert set(out) <= set(arrivals)
    assert begun_anew <= len(arrivals) // depth
    if not begun_anew:
        assert len({n for n in arrivals if n > max(out, default=-1)}) <= depth
