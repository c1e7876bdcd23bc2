"""Raw readings into trace files: one per roller and start, readable even after a crash."""

from __future__ import annotations

import logging
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rolltrack.core.sample import ImuSamples
from rolltrack.errors import InputError, StoreError
from rolltrack.traces.trace import TraceMeta
from rolltrack.traces.writer import TraceWriter

if TYPE_CHECKING:
    from rolltrack.sinks.sink import Outgoing, Roller

PAUSE_S = 30.0

log = logging.getLogger(__name__)


class TraceSink:
    """Records everything each roller sends.

    A roller that gains or loses a gyroscope goes on in a new file. When the disk refuses, the
    recording pauses, with a line in the log, and then tries a new file.

    Args:
        folder: where the traces go, as ROLLER-START.csv; it is made if missing.
    """

    name = "recorder"
    wants_samples = True

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder).expanduser()
        self._writers: dict[str, TraceWriter] = {}
        self._not_before_s: dict[str, float] = {}

    async def open(self) -> None:
        """Make the folder.

        Raises:
            StoreError: it cannot be made.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{self._folder}: no recordings can be written there: {error.strerror}.",
                hint="Set folder in [record].",
            ) from error

    async def handle(self, roller: Roller, outgoing: Outgoing) -> None:
        """Append readings; a gap shows as a jump of the times, so nothing is written for it."""
        if not isinstance(outgoing, ImuSamples) or not len(outgoing):
            return
        starts_s = float(outgoing.t_s[0])
        if starts_s < self._not_before_s.get(roller.id, -math.inf):
            return
        try:
            self._append(roller, outgoing)
        except StoreError as error:
            log.warning("recording of %s pauses for %.0f s: %s", roller.id, PAUSE_S, error)
            self._end(roller.id, known_fault=True)
            self._not_before_s[roller.id] = starts_s + PAUSE_S

    async def close(self) -> None:
        """Finish all files."""
        for roller_id in list(self._writers):
            self._end(roller_id)

    def _append(self, roller: Roller, samples: ImuSamples) -> None:
        writer = self._writers.get(roller.id)
        try:
            if writer is not None:
                writer.append(samples)
                return
        except InputError as error:
            log.info("recording of %s goes on in a new file: %s", roller.id, error)
            self._end(roller.id)
        self._writers[roller.id] = self._begin(roller, float(samples.t_s[0]))
        self._writers[roller.id].append(samples)

    def _begin(self, roller: Roller, first_s: float) -> TraceWriter:
        started = datetime.fromtimestamp(roller.epoch_unix_s + first_s, UTC)
        stem = f"{roller.id}-{started:%Y%m%dT%H%M%S.%f}"[:-3] + "Z"
        meta = TraceMeta(
            started_at_unix_s=roller.epoch_unix_s,
            radius_m=roller.radius_m,
            other={"roller": roller.id, "sensor": roller.sensor},
        )
        path = self._folder / f"{stem}.csv"
        log.info("recording %s into %s", roller.id, path)
        return TraceWriter(path, meta)

    def _end(self, roller_id: str, *, known_fault: bool = False) -> None:
        writer = self._writers.pop(roller_id, None)
        if writer is None:
            return
        try:
            writer.close()
        except StoreError as error:
            if not known_fault:
                log.warning("recording of %s lacks its end: %s", roller_id, error)
