"""Who may read and write what: the table, and the accounts that follow from a list of people.

Rights hang on topics only. Computed data has one writer, the service of its site, so nobody can
forge it. Whoever may read an athlete's tree was named for that athlete.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from rolltrack.config import RESERVED_ROLLER_IDS
from rolltrack.config.settings import PREFIX_PATTERN
from rolltrack.errors import UsageError
from rolltrack.wire import Topics
from rolltrack.wire.topics import check_id, shard

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Action: TypeAlias = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Grant:
    """One right: to read or to write what a topic filter matches."""

    action: Action
    topic: str


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who logs in.

    Attributes:
        name: user name at the broker.
        about: what it is for, in a few words.
    """

    name: str
    about: str
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class People:
    """Whom a broker serves; an athlete's id means the same person at every site.

    Attributes:
        sites: each has a service of its own, the only writer of what it computes.
        athletes: who read their own tree and command their own rollers.
        coaches: name -> athletes whose tree they read.
        commands: name of a coach -> athletes whose rollers they command.
        sensors: rollers (phones, remote sensors) that send raw readings.
        archives: names of archives.
        home_assistant: whether there is one.
        announced: where it looks for announcements.

    Raises:
        UsageError: one of them is not a valid id.
    """

    sites: tuple[str, ...] = ("home",)
    athletes: tuple[str, ...] = ()
    coaches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sensors: tuple[str, ...] = ()
    archives: tuple[str, ...] = ()
    home_assistant: bool = False
    announced: str = "homeassistant"

    def __post_init__(self) -> None:
        coached = [*self.coaches.values(), *self.commands.values()]
        for athlete in {*self.athletes, *(each for group in coached for each in group)}:
            check_id(athlete, "athlete")
        for coach in {*self.coaches, *self.commands}:
            check_id(coach, "coach")
        if not re.fullmatch(PREFIX_PATTERN, self.announced):
            raise UsageError(
                f'"{self.announced}" is not a valid discovery prefix.', hint="It names a topic."
            )
        for archive in self.archives:
            check_id(archive, "archive")
        for roller in self.sensors:
            check_id(roller, "roller", reserved=RESERVED_ROLLER_IDS)


# {site} stands for the beginning of a site's topics, `rolltrack/v1/SITE`, {announced} for where
# Home Assistant looks for announcements.
SERVICE = (
    Grant("read", "{site}/#"),  # commands, receipts, raw readings; what it said before a restart
    Grant("read", "{announced}/status"),
    Grant("read", "{announced}/device/+/config"),  # to see what it has to take back
    Grant("write", "{site}/bridge/+"),
    Grant("write", "{site}/a/+/+/availability"),
    Grant("write", "{site}/a/+/+/state"),
    Grant("write", "{site}/a/+/+/live"),
    Grant("write", "{site}/a/+/+/stroke"),
    Grant("write", "{site}/a/+/+/alert"),
    Grant("write", "{site}/a/+/+/cmd-result/#"),
    Grant("write", "{site}/a/+/session/+"),
    Grant("write", "{site}/a/+/last-session"),
    Grant("write", "{announced}/device/+/config"),
)
EVERYBODY = (Grant("read", "{site}/bridge/status"),)  # not bridge/info, which lists all athletes
READ_ATHLETE = (Grant("read", "{site}/a/{athlete}/#"),)
COMMAND_ATHLETE = (Grant("write", "{site}/a/{athlete}/+/cmd/+"),)
SENSOR = (Grant("write", "{site}/imu/{shard}/{roller}"),)
ARCHIVE = (
    Grant("read", "{site}/a/+/session/+"),
    Grant("write", "{site}/a/+/receipt/+"),
)
HOME_ASSISTANT = (
    Grant("read", "{site}/#"),
    Grant("read", "{announced}/#"),
    Grant("write", "{site}/a/+/+/cmd/+"),
    Grant("write", "{announced}/status"),  # its birth and its last will
)
ADMINISTRATOR = (
    Grant("read", "$CONTROL/dynamic-security/#"),
    Grant("write", "$CONTROL/dynamic-security/#"),
    Grant("read", "$SYS/#"),
)


def accounts_of(people: People) -> tuple[Account, ...]:
    """Everybody's account, sites first."""
    return tuple(_accounts(people))


def administrator() -> Account:
    """Who changes accounts while the broker runs (dynamic security only)."""
    return Account("admin", "changes accounts with mosquitto_ctrl", ADMINISTRATOR)


def _accounts(people: People) -> Iterator[Account]:
    def at_sites(*grants: Grant, **ids: str) -> tuple[Grant, ...]:
        return _at(people.sites, grants, announced=people.announced, **ids)

    for site in people.sites:
        service = _at((site,), SERVICE, announced=people.announced)
        yield Account(f"site-{site}", f"the service of {site}", service)
    for athlete in people.athletes:
        own = at_sites(*EVERYBODY, *READ_ATHLETE, *COMMAND_ATHLETE, athlete=athlete)
        yield Account(f"athlete-{athlete}", f"athlete {athlete}, who sees only that", own)
    for coach in sorted({*people.coaches, *people.commands}):
        commanded = people.commands.get(coach, ())
        seen = dict.fromkeys((*people.coaches.get(coach, ()), *commanded))
        grants = at_sites(*EVERYBODY)
        for athlete in seen:
            grants += at_sites(*READ_ATHLETE, athlete=athlete)
        for athlete in commanded:
            grants += at_sites(*COMMAND_ATHLETE, athlete=athlete)
        yield Account(f"coach-{coach}", f"coach of {', '.join(seen)}", grants)
    for roller in people.sensors:
        raw = at_sites(*SENSOR, shard=str(shard(roller)), roller=roller)
        yield Account(f"sensor-{roller}", f"raw readings of {roller}", raw)
    for archive in people.archives:
        yield Account(f"archive-{archive}", "an archive of sessions", at_sites(*ARCHIVE))
    if people.home_assistant:
        yield Account("home-assistant", "Home Assistant", at_sites(*HOME_ASSISTANT))


def _at(sites: tuple[str, ...], grants: tuple[Grant, ...], **ids: str) -> tuple[Grant, ...]:
    """The same rights at each site, each once."""
    at_each = (
        Grant(grant.action, grant.topic.format(site=Topics(site).prefix, **ids))
        for site in sites
        for grant in grants
    )
    return tuple(dict.fromkeys(at_each))
