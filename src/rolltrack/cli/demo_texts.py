"""What the demo says, in each language."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolltrack.sinks.live_texts import Lang

INTRODUCTION: Mapping[Lang, str] = {
    "en": (
        'A simulated roller replays the synthetic session "{trace}" ({duration_s:.0f} s) over '
        "virtual Bluetooth. Speeds are published by MQTT on this machine only; watch them in "
        "another terminal while this runs:"
    ),
    "de": (
        "Eine simulierte Rolle spielt die synthetische Sitzung „{trace}“ ({duration_s:.0f} s) über "
        "virtuelles Bluetooth ab. Das Tempo wird per MQTT nur auf diesem Rechner veröffentlicht; "
        "in einem zweiten Terminal mitlesen, solange dies läuft:"
    ),
}

SUMMARY: Mapping[Lang, str] = {
    "en": "The session, as it came back over MQTT:",
    "de": "Die Sitzung, wie sie über MQTT zurückkam:",
}

NEXT_STEPS: Mapping[Lang, tuple[tuple[str, str], ...]] = {
    "en": (
        ("Is this computer ready?", "rolltrack doctor"),
        ("Your own roller with a sensor:", "rolltrack scan, then rolltrack run"),
        ("A phone inside the roller:", "rolltrack run --phone (app: Sensor Logger)"),
        ("A recording you already have:", "rolltrack convert EXPORT.zip roll.csv"),
        ("What it says about a recording:", "rolltrack analyse roll.csv"),
    ),
    "de": (
        ("Ist dieser Rechner bereit?", "rolltrack doctor"),
        ("Eigene Rolle mit Sensor:", "rolltrack scan, dann rolltrack run"),
        ("Ein Handy in der Rolle:", "rolltrack run --phone (App: Sensor Logger)"),
        ("Eine vorhandene Aufnahme:", "rolltrack convert EXPORT.zip roll.csv"),
        ("Was sie hergibt:", "rolltrack analyse roll.csv"),
    ),
}
