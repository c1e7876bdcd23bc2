from __future__ import annotations

from support import sample_events as sample

from rolltrack.core.events import BatteryLevel, LinkChanged
from rolltrack.service.alerts import DeviceAlerts


def told(*events):
    alerts = DeviceAlerts(sample.ROLLER)
    return [
        (alert.kind, alert.phase, alert.t_s) for event in events for alert in alerts.follow(event)
    ]


def test_a_low_battery_is_raised_once_and_cleared_when_charged():
    levels = [50, 15, 14, 13, 16, 14, 19, 20, 14]
    assert told(*(BatteryLevel(float(t), level) for t, level in enumerate(levels))) == [
        ("battery_low", "raised", 2.0),
        ("battery_low", "cleared", 7.0),
        ("battery_low", "raised", 8.0),
    ]


def test_a_lost_link_matters_only_during_a_session():
    assert told(LinkChanged(0.0, up=True), LinkChanged(1.0, up=False)) == []
    assert told(
        sample.started(),
        LinkChanged(2.0, up=False),
        LinkChanged(3.0, up=False),
        LinkChanged(4.0, up=True),
        LinkChanged(5.0, up=False),
        sample.ended(),
        LinkChanged(300.0, up=True),
    ) == [
        ("sensor_lost", "raised", 2.0),
        ("sensor_lost", "cleared", 4.0),
        ("sensor_lost", "raised", 5.0),
        ("sensor_lost", "cleared", 276.0),
    ]


def test_raised_and_cleared_belong_together():
    alerts = DeviceAlerts(sample.ROLLER)
    alerts.follow(sample.started())
    (raised,) = alerts.follow(LinkChanged(2.0, up=False))
    (cleared,) = alerts.follow(sample.ended())
    assert raised.alert_id == cleared.alert_id
    assert raised.session_id == cleared.session_id == sample.SESSION_ID
    (battery,) = alerts.follow(BatteryLevel(300.0, 9))
    assert (battery.value, battery.limit, battery.unit) == (9, 15, "%")
    assert battery.session_id is None
    assert battery.alert_id != raised.alert_id
