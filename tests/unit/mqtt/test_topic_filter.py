import pytest

from rolltrack.mqtt.topic_filter import matches


@pytest.mark.parametrize(
    ("topic_filter", "topic", "fits"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("+/+/session/+", "x/y/session/z", True),
        ("+/+/session/+", "x/y/receipt/z", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("#", "a/b", True),
    ],
)
def test_filters(topic_filter, topic, fits):
    assert matches(topic_filter, topic) == fits
