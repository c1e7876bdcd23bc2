"""One visit to the roller: prompt strokes while it lasts, final ones at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rolltrack.core.coaching.rules import RULES
from rolltrack.core.events import EndReason, JudgedStroke, SessionSummary
from rolltrack.core.motion.final import ALGORITHM, FinalEstimator
from rolltrack.core.motion.linear import LinearEstimator
from rolltrack.core.motion.smoother import Smoother
from rolltrack.core.session.ledger import Ledger
from rolltrack.core.strokes.segmenter import Segmenter

if TYPE_CHECKING:
    from rolltrack.core.coaching.protocol import RollingProtocol
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.motion.motion import Motion
    from rolltrack.core.sample import ImuSamples
    from rolltrack.core.strokes.stroke import Stroke

_PROMPT_SPAN_S = 0.5
_FINAL_SPAN_S = 120.0
"""Long enough to hold most sessions whole, short enough to bound memory in a ten-hour one."""


def judge(stroke: Stroke, protocol: RollingProtocol) -> JudgedStroke:
    """What the protocol's rules say about a stroke."""
    return JudgedStroke(stroke, tuple(RULES[rule](stroke, protocol) for rule in protocol.rules))


@dataclass(slots=True)
class Session:
    """Two chains over the same readings: one that answers within a second, and the final one.

    Attributes:
        session_id: UUIDv7.
        started_s: stream time of its first instant.
        last_motion_s: stream time until which the roller is known to have turned.
        wanted: opened by a command or a caller; then it is kept even if nothing was rolled.
    """

    session_id: str
    started_s: float
    last_motion_s: float
    radius_m: float
    wanted: bool
    finder: AxleFinder
    linear: LinearEstimator = field(init=False)
    prompt: Smoother = field(init=False)
    prompt_segmenter: Segmenter = field(default_factory=Segmenter)
    final: Smoother = field(init=False)
    final_segmenter: Segmenter = field(default_factory=Segmenter)
    ledger: Ledger = field(default_factory=Ledger)
    strokes: list[JudgedStroke] = field(default_factory=list)
    samples: int = 0
    samples_lost: int = 0
    gaps: int = 0

    def __post_init__(self) -> None:
        self.linear = LinearEstimator(self.radius_m)
        self.prompt = Smoother(self.radius_m, _PROMPT_SPAN_S, self.linear)
        self.final = Smoother(self.radius_m, _FINAL_SPAN_S, FinalEstimator(self.radius_m))

    def feed_prompt(self, samples: ImuSamples, protocol: RollingProtocol) -> list[JudgedStroke]:
        """Strokes that have just ended, about a second ago."""
        motion = self.prompt.feed(samples, self.finder)
        strokes = [] if motion is None else self.prompt_segmenter.feed(motion)
        return [judge(stroke, protocol) for stroke in strokes]

    def feed_final(self, samples: ImuSamples, protocol: RollingProtocol) -> list[Motion]:
        """Keep readings for the final estimate; motion whenever a span of it is ready."""
        self.samples += len(samples)
        return self._settle(self.final.feed(samples, self.finder), protocol)

    def end_stretch(
        self, protocol: RollingProtocol, *, gap: bool
    ) -> tuple[list[JudgedStroke], list[Motion]]:
        """A gap or the end: finish what is open, on both chains.

        Returns:
            The last prompt strokes, and the rest of the final motion.
        """
        motion = self.prompt.flush(self.finder)
        prompt = [] if motion is None else self.prompt_segmenter.feed(motion)
        prompt += self.prompt_segmenter.end_stretch(gap=gap)
        motions = self._settle(self.final.flush(self.finder), protocol)
        final = self.final_segmenter.end_stretch(gap=gap)
        self.strokes += [judge(stroke, protocol) for stroke in final]
        if gap:
            self.gaps += 1
            self.ledger.interrupt()
        return [judge(stroke, protocol) for stroke in prompt], motions

    def _settle(self, motion: Motion | None, protocol: RollingProtocol) -> list[Motion]:
        if motion is None:
            return []
        self.ledger.feed(motion, protocol)
        self.strokes += [judge(stroke, protocol) for stroke in self.final_segmenter.feed(motion)]
        return [motion]

    def summary(
        self,
        *,
        roller: str,
        athlete: str,
        region: str,
        protocol: RollingProtocol,
        epoch_unix_s: float,
        end: EndReason,
    ) -> SessionSummary:
        """The session in numbers; call it after the last `end_stretch`."""
        statistics = self.ledger.speed_statistics()
        mean_mps, p95_mps, peak_mps = statistics or (None, None, None)
        # Turning is noticed half a second at a time; strokes know better when it began and ended.
        first, last = self.started_s, self.last_motion_s
        if self.strokes:
            first = min(first, self.strokes[0].stroke.start_s)
            last = max(last, self.strokes[-1].stroke.end_s)
        return SessionSummary(
            session_id=self.session_id,
            revision=1,
            athlete=athlete,
            roller=roller,
            region=region,
            protocol=protocol.id,
            started_unix_s=epoch_unix_s + first,
            ended_unix_s=epoch_unix_s + last,
            rolling_s=self.ledger.rolling_s,
            hold_s=self.ledger.hold_s,
            unknown_s=self.ledger.unknown_s,
            strokes=len(self.strokes),
            too_fast_strokes=sum(s.too_fast for s in self.strokes),
            mean_speed_mps=mean_mps,
            p95_speed_mps=p95_mps,
            peak_speed_mps=peak_mps,
            time_too_fast_s=self.ledger.too_fast_s,
            distance_m=self.ledger.distance_m,
            limit_mps=protocol.max_stroke_speed_mps,
            gaps=self.gaps,
            samples=self.samples,
            samples_lost=self.samples_lost,
            algorithm=ALGORITHM,
            end=end,
        )
