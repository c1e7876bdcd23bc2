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


@given(st.lists(st.integers(-2, 40), max_size=60))
def test_messages_come_out_once_and_in_order_and_few_wait(arrivals):
    buffer = ReorderBuffer(wait_s=1e9, depth=4)
    out = []
    for k, n in enumerate(arrivals):
        out += numbers(buffer.push(n, n, float(k)))
    assert out == sorted(set(out))
    assert len({n for n in arrivals if n > max(out, default=-3)}) <= 4
