"""One visit to the roller: prompt strokes while it lasts, final ones at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rolltrack.core.coaching.rules import RULES
from rolltrack.core.events import EndReason, JudgedStroke, SessionSummary
from rolltrack.core.motion.carried import CarriedWatch
from rolltrack.core.motion.clipping import Range
from rolltrack.core.motion.shapes import SHAPES, Shape, algorithm_of
from rolltrack.core.motion.smoother import Smoother
from rolltrack.core.session.ledger import Ledger
from rolltrack.core.strokes.records import StrokeRecords
from rolltrack.core.strokes.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rolltrack.core.coaching.protocol import RollingProtocol
    from rolltrack.core.motion.axle import AxleFinder
    from rolltrack.core.motion.live import LiveEstimator
    from rolltrack.core.motion.motion import Motion
    from rolltrack.core.sample import ImuSamples
    from rolltrack.core.strokes.stroke import Stroke

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
        shape: what is rolled.
        live: follows the readings as they come, None where nobody looks on.
        ends: of the sensor's ranges; whoever feeds the session keeps them.
        earlier: protocols that were replaced during the session, and until when each was in force.
    """

    session_id: str
    started_s: float
    last_motion_s: float
    radius_m: float
    wanted: bool
    finder: AxleFinder
    shape: Shape = "roller"
    live: LiveEstimator | None = None
    ends: Range = field(default_factory=Range)
    prompt_segmenter: Segmenter = field(default_factory=Segmenter)
    final: Smoother = field(init=False)
    final_segmenter: Segmenter = field(default_factory=Segmenter)
    ledger: Ledger = field(default_factory=Ledger)
    watch: CarriedWatch = field(default_factory=CarriedWatch)
    strokes: StrokeRecords = field(default_factory=StrokeRecords)
    earlier: list[tuple[float, RollingProtocol]] = field(default_factory=list)
    samples: int = 0
    samples_lost: int = 0
    gaps: int = 0

    @property
    def should_be_known(self) -> bool:
        """Whether an unknown live speed is news; of a worn phone there never is one."""
        return self.shape != "body" and self.finder.axle is not None

    def __post_init__(self) -> None:
        final, margin_s = SHAPES[self.shape].final(self.radius_m), SHAPES[self.shape].margin_s
        self.final = Smoother(self.radius_m, _FINAL_SPAN_S, final, margin_s, ends=self.ends)

    def prompt_strokes(
        self, protocol: RollingProtocol, *, all_of_them: bool = False
    ) -> list[JudgedStroke]:
        """Strokes that have just ended, about a second ago."""
        if self.live is None:
            return []
        motion = self.live.settled(self.finder, all_of_it=all_of_them)
        strokes = [] if motion is None else self.prompt_segmenter.feed(motion)
        return self._judged(strokes, protocol)

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
        self.watch.interrupt()
        prompt = self.prompt_strokes(protocol, all_of_them=True)
        ended = self.prompt_segmenter.end_stretch(gap=gap)
        prompt += self._judged(ended, protocol)
        motions = self._settle(self.final.flush(self.finder), protocol)
        self.strokes.add(self.final_segmenter.end_stretch(gap=gap))
        if gap:
            if self.live is not None:
                self.live.interrupt()
            self.gaps += 1
            self.ledger.interrupt()
        return prompt, motions

    def _settle(self, motion: Motion | None, protocol: RollingProtocol) -> list[Motion]:
        if motion is None:
            return []
        start = 0
        for until_s, before in self.earlier:
            stop = int(np.searchsorted(motion.t_s, until_s, side="right"))
            self.ledger.feed(motion[start:stop], before)
            start = max(start, stop)
        self.ledger.feed(motion[start:], protocol)
        self.strokes.add(self.final_segmenter.feed(motion))
        return [motion]

    def final_strokes(self, protocol: RollingProtocol) -> tuple[JudgedStroke, ...]:
        """All strokes of the final estimate; call it after the last `end_stretch`."""
        return tuple(self._judged(self.strokes, protocol))

    def _judged(self, strokes: Iterable[Stroke], protocol: RollingProtocol) -> list[JudgedStroke]:
        """Each by the protocol in force when it ended."""
        return [judge(stroke, self._in_force(stroke.end_s) or protocol) for stroke in strokes]

    def _in_force(self, t_s: float) -> RollingProtocol | None:
        return next((before for until_s, before in self.earlier if t_s <= until_s), None)

    def summary(
        self,
        strokes: Sequence[JudgedStroke],
        *,
        roller: str,
        athlete: str,
        region: str,
        protocol: RollingProtocol,
        epoch_unix_s: float,
        end: EndReason,
    ) -> SessionSummary:
        """The session and its `final_strokes` in numbers."""
        statistics = self.ledger.speed_statistics()
        mean_mps, p95_mps, peak_mps = statistics or (None, None, None)
        # Turning is noticed half a second at a time; strokes know better when it began and ended.
        first, last = self.started_s, self.last_motion_s
        if strokes:
            first = min(first, strokes[0].stroke.start_s)
            last = max(last, strokes[-1].stroke.end_s)
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
            strokes=len(strokes),
            too_fast_strokes=sum(s.too_fast for s in strokes),
            mean_speed_mps=mean_mps,
            p95_speed_mps=p95_mps,
            peak_speed_mps=peak_mps,
            time_too_fast_s=self.ledger.too_fast_s,
            distance_m=self.ledger.travelled_m,
            limit_mps=protocol.max_stroke_speed_mps,
            gaps=self.gaps,
            samples=self.samples,
            samples_lost=self.samples_lost,
            algorithm=algorithm_of(self.shape),
            end=end,
        )
