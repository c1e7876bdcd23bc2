from hypothesis import given
from hypothesis import strategies as st

from rolltrack.sinks.mqtt_outbox import Outbox
from rolltrack.wire import Message


def retained(topic, body):
    return Message(topic, body, retain=True)


def drain(outbox):
    messages = []
    while (message := outbox.take()) is not None:
        messages.append(message)
    return messages


def test_messages_leave_in_the_order_they_came():
    outbox = Outbox()
    sent = [Message("stroke", bytes([n])) for n in range(5)]
    for message in sent:
        outbox.put(message)
    assert drain(outbox) == sent


def test_a_retained_message_replaces_the_one_that_still_waits():
    outbox = Outbox()
    outbox.put(retained("state", b"rolling"))
    outbox.put(Message("stroke", b"1"))
    outbox.put(retained("state", b"idle"))
    assert [m.body for m in drain(outbox)] == [b"1", b"idle"]


def test_a_full_outbox_drops_its_oldest_stroke_but_never_a_session_or_a_state():
    outbox = Outbox(room=2)
    outbox.put(retained("state", b"idle"))
    for n in range(4):
        outbox.put(Message("session", b"s%d" % n, keep=True))
        outbox.put(Message("stroke", b"%d" % n))
    assert outbox.dropped == 2
    assert [m.body for m in drain(outbox)] == [b"idle", b"s0", b"s1", b"s2", b"2", b"s3", b"3"]


def test_a_new_connection_hears_what_is_retained_then_the_unacknowledged_then_the_rest():
    outbox = Outbox()
    for message in (
        retained("status", b"online"),
        Message("stroke", b"1"),
        Message("stroke", b"2"),
    ):
        outbox.put(message)
    in_flight = [outbox.take(), outbox.take()]
    outbox.put(retained("state", b"rolling"))
    outbox.restate(in_flight)
    assert [m.body for m in drain(outbox)] == [b"online", b"rolling", b"1", b"2"]


@given(st.lists(st.sampled_from(["put", "keep", "take", "restate"]), max_size=60))
def test_sessions_are_delivered_at_least_once_and_in_order_whatever_happens(steps):
    outbox = Outbox(room=3)
    in_flight, put, delivered = [], [], []
    for number, step in enumerate(steps):
        body = str(number).encode()
        if step == "put":
            outbox.put(Message("stroke", body))
        elif step == "keep":
            outbox.put(Message("session", body, keep=True))
            put.append(body)
        elif step == "take":
            message = outbox.take()
            in_flight += [message] if message else []
        else:  # the first half was acknowledged before the connection broke
            half = len(in_flight) // 2
            delivered += [m.body for m in in_flight[:half] if m.keep]
            outbox.restate(in_flight[half:])
            in_flight = []
    delivered += [m.body for m in in_flight + drain(outbox) if m.keep]
    assert delivered == put
