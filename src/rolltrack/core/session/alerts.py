"""Conditions -> alerts: raised once when one begins, cleared once when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from rolltrack.core.events import Alert, AlertKind, Phase


@dataclass(slots=True)
class AlertBook:
    """Which alerts are up."""

    up: dict[AlertKind, str] = field(default_factory=dict)
    count: int = 0

    def update(
        self,
        kind: AlertKind,
        *,
        on: bool,
        t_s: float,
        session_id: str | None,
        value: float | None = None,
        limit: float | None = None,
        unit: str = "",
    ) -> list[Alert]:
        """Report a condition; an alert only when it changed."""
        if on == (kind in self.up):
            return []
        if on:
            self.count += 1
            self.up[kind] = f"{session_id or 'none'}-{self.count}"
            alert_id = self.up[kind]
        else:
            alert_id = self.up.pop(kind)
        phase: Phase = "raised" if on else "cleared"
        return [Alert(t_s, session_id, alert_id, kind, phase, value, limit, unit)]

    def clear_all(self, t_s: float, session_id: str | None) -> list[Alert]:
        """The session is over: nothing stays up."""
        return [
            alert
            for kind in tuple(self.up)
            for alert in self.update(kind, on=False, t_s=t_s, session_id=session_id)
        ]
