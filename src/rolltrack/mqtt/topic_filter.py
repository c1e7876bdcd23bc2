"""MQTT topic filters."""

from __future__ import annotations


def matches(topic_filter: str, topic: str) -> bool:
    """Whether a topic fits a filter with + and # (MQTT 5.0, section 4.7)."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    for i, level in enumerate(wanted):
        if level == "#":
            return True
        if i >= len(levels) or level not in ("+", levels[i]):
            return False
    return len(wanted) == len(levels)
