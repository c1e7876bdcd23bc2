"""The words of the live view, in each language it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rolltrack.core.coaching.pace import State
    from rolltrack.core.events import AlertKind

Lang: TypeAlias = Literal["en", "de"]


@dataclass(frozen=True, slots=True)
class Texts:
    """One language; `decimal` is its decimal separator."""

    decimal: str
    states: Mapping[State, str]
    alerts: Mapping[AlertKind, str]
    waiting: str
    wake_up: str
    pausing: str
    in_target: str
    above_target: str
    near_limit: str
    too_fast: str
    not_judged: str
    link_up: str
    link_down: str
    battery: str
    roller: str
    stroke: str
    strokes: str
    strokes_too_fast: str
    time: str
    limit: str
    length: str
    duration: str
    mean: str
    mean_speed: str
    peak: str
    speed: str
    state: str
    link: str
    session_started: str
    session_ended: str
    session_discarded: str
    ok: str
    fast: str
    not_known: str
    partly_unknown: str

    def verdict(self, *, known: bool, too_fast: bool) -> tuple[str, str]:
        """On a stroke: the word, and its colour."""
        if not known:
            return self.not_known, "yellow"
        return (self.fast, "red") if too_fast else (self.ok, "green")

    def number(self, value: float | None, digits: int = 1) -> str:
        """A number with this language's decimal separator; "?" for None."""
        return "?" if value is None else f"{value:.{digits}f}".replace(".", self.decimal)

    def hundredfold(self, value: float | None) -> str:
        """Metres (per second) as centimetres (per second); "?" for None."""
        return self.number(None if value is None else 100 * value)

    def error(self, sd_mps: float | None, digits: int = 1) -> str:
        """A standard deviation in cm/s, never "0.0": no speed is known without an error."""
        return self.number(None if sd_mps is None else max(100 * sd_mps, 10**-digits), digits)


ENGLISH = Texts(
    decimal=".",
    states={"idle": "at rest", "rolling": "rolling", "hold": "holding", "unknown": "not measured"},
    alerts={
        "too_fast": "faster than your protocol's target",
        "sensor_lost": "the roller's signal is lost",
        "battery_low": "the roller's battery is low",
        "clipping": "the motion is beyond the sensor's range",
        "invalid_motion": "this does not move like a rolling roller",
        "store_full": "there is no room to keep sessions",
    },
    waiting="Waiting for a roller",
    wake_up="Is it awake? Roll it once.",
    pausing="pausing",
    in_target="within your protocol's target",
    above_target="above the target range, below the limit",
    near_limit="close to the limit",
    too_fast="faster than your protocol's target: slow down",
    not_judged="not measured right now",
    link_up="connected",
    link_down="no signal",
    battery="battery",
    roller="roller",
    stroke="stroke",
    strokes="strokes",
    strokes_too_fast="too fast",
    time="time",
    limit="limit",
    length="length",
    duration="duration",
    mean="mean ± sd",
    mean_speed="mean speed",
    peak="peak",
    speed="speed",
    state="state",
    link="link",
    session_started="session started",
    session_ended="session ended",
    session_discarded="nothing was rolled, session dropped",
    ok="ok",
    fast="too fast",
    not_known="speed not known",
    partly_unknown="partly not measured",
)

GERMAN = Texts(
    decimal=",",
    states={"idle": "in Ruhe", "rolling": "rollt", "hold": "hält", "unknown": "nicht messbar"},
    alerts={
        "too_fast": "schneller als das Ziel deines Protokolls",
        "sensor_lost": "das Signal der Rolle ist weg",
        "battery_low": "der Akku der Rolle ist schwach",
        "clipping": "die Bewegung übersteigt den Messbereich",
        "invalid_motion": "das bewegt sich nicht wie eine rollende Rolle",
        "store_full": "es ist kein Platz, um Sitzungen zu behalten",
    },
    waiting="Warte auf eine Rolle",
    wake_up="Ist sie wach? Einmal rollen.",
    pausing="Pause",
    in_target="im Ziel deines Protokolls",
    above_target="über dem Zielbereich, unter der Grenze",
    near_limit="nahe an der Grenze",
    too_fast="schneller als das Ziel deines Protokolls: langsamer",
    not_judged="gerade nicht messbar",
    link_up="verbunden",
    link_down="kein Signal",
    battery="Akku",
    roller="Rolle",
    stroke="Zug",
    strokes="Züge",
    strokes_too_fast="zu schnell",
    time="Zeit",
    limit="Grenze",
    length="Länge",
    duration="Dauer",
    mean="Mittel ± s",
    mean_speed="mittleres Tempo",
    peak="Spitze",
    speed="Tempo",
    state="Zustand",
    link="Funk",
    session_started="Sitzung beginnt",
    session_ended="Sitzung zu Ende",
    session_discarded="nichts gerollt, Sitzung verworfen",
    ok="gut",
    fast="zu schnell",
    not_known="Tempo nicht bekannt",
    partly_unknown="teils nicht gemessen",
)

TEXTS: Mapping[Lang, Texts] = {"en": ENGLISH, "de": GERMAN}


def language_of(environment: Mapping[str, str]) -> Lang:
    """The language a POSIX environment asks for; English unless it is German."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "de" if value.startswith("de") else "en"
    return "en"
