"""What everybody should read once before rolling."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolltrack.sinks.live_texts import Lang

SAFETY: Mapping[Lang, str] = {
    "en": (
        "rolltrack gives pacing feedback for self-massage. It is not a medical device and does not "
        "diagnose or treat pain. If you have severe, new or worsening pain, numbness, weakness, "
        "fever, a recent injury, or bladder or bowel problems, stop and see a doctor first. Do not "
        "roll over open wounds, fractures, inflamed areas, a suspected blood clot, joints, or "
        "directly on the lumbar spine."
    ),
    "de": (
        "rolltrack gibt Tempo-Rückmeldung für die Selbstmassage. Es ist kein Medizinprodukt, "
        "stellt keine Diagnose und behandelt keine Schmerzen. Bei starken, neuen oder zunehmenden "
        "Schmerzen, Taubheit, Schwäche oder Lähmung, Fieber, frischer Verletzung oder Blasen- oder "
        "Darmstörung: abbrechen und erst ärztlich abklären lassen. Nicht über offene Wunden, "
        "Brüche, entzündete Stellen, bei Thromboseverdacht, über Gelenke oder direkt auf der "
        "Lendenwirbelsäule rollen."
    ),
}
