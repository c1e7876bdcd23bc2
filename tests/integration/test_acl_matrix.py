"""Who can read and write what on a real mosquitto, as `rolltrack broker acl` sets it up.

mosquitto acknowledges publishes that it drops and grants subscriptions that it filters, so the
matrix looks only at what is delivered: everybody listens to everything, one account acts, and the
set of those who got the message must be exactly the one intended.
"""

from __future__ import annotations

import contextlib
import itertools
import signal

import pytest
from support import brokers
from support.accounts import Visitor, running

from rolltrack.broker.roles import People, accounts_of
from rolltrack.cli.main import main
from rolltrack.wire import Topics
from rolltrack.wire.topics import shard

pytestmark = pytest.mark.broker

HOME, GYM = Topics("home").prefix, Topics("gym").prefix
ROLLER, OTHER_ROLLER = "rt-aaaa", "rt-bbbb"
IMU = f"{HOME}/imu/{shard(ROLLER)}/{ROLLER}"

SERVICE, GYM_SERVICE, HA = "site-home", "site-gym", "home-assistant"
ALICE, BOB = "athlete-alice", "athlete-bob"
MARIA = "coach-maria"  # alice has agreed to be seen and commanded
TOM = "coach-tom"  # alice and bob have agreed to be seen
ARCHIVE, SECOND_ARCHIVE, SENSOR = "archive-main", "archive-second", f"sensor-{ROLLER}"
EVERYBODY = (
    SERVICE, GYM_SERVICE, HA, ALICE, BOB, MARIA, TOM, ARCHIVE, SECOND_ARCHIVE, SENSOR,
)  # fmt: skip
PEOPLE = (
    "--site", "home", "--site", "gym", "--athlete", "alice", "--athlete", "bob",
    "--coach", "maria:alice", "--coach-commands", "maria:alice", "--coach", "tom:alice,bob",
    "--sensor", ROLLER, "--archive", "main", "--archive", "second", "--home-assistant",
)  # fmt: skip
FILTERS = (
    "#", "+/+/+/+/+/+/live", "rolltrack/#", "rolltrack/v1/+/a/+/+/state", f"{HOME}/#", f"{GYM}/#",
    f"{HOME}/bridge/#", f"{HOME}/bridge/status", f"{HOME}/a/#", f"{HOME}/a/alice/#",
    f"{HOME}/a/bob/#", f"{GYM}/a/alice/#", f"{GYM}/a/bob/#", f"{GYM}/bridge/status",
    f"{HOME}/a/+/session/+", f"{GYM}/a/+/session/+", f"{HOME}/a/+/receipt/+", f"{HOME}/imu/#",
    "homeassistant/#", "homeassistant/device/+/config", "$SYS/#", "$CONTROL/#",
    "$share/thieves/rolltrack/#",
)  # fmt: skip

NOBODY: set[str] = set()
SEE_ALICE = {SERVICE, HA, ALICE, MARIA, TOM}
SEE_BOB = {SERVICE, HA, BOB, TOM}
STATUS = {SERVICE, HA, ALICE, BOB, MARIA, TOM}

# who acts, on which topic, who gets it
PUBLISHES = [
    # what the service computes reaches those it is for
    (SERVICE, f"{HOME}/a/alice/{ROLLER}/live", SEE_ALICE),
    (SERVICE, f"{HOME}/a/alice/{ROLLER}/state", SEE_ALICE),
    (SERVICE, f"{HOME}/a/alice/{ROLLER}/stroke", SEE_ALICE),
    (SERVICE, f"{HOME}/a/alice/{ROLLER}/alert", SEE_ALICE),
    (SERVICE, f"{HOME}/a/alice/{ROLLER}/availability", SEE_ALICE),
    (SERVICE, f"{HOME}/a/alice/{ROLLER}/cmd-result/calibrate", SEE_ALICE),
    (SERVICE, f"{HOME}/a/alice/{ROLLER}/cmd-result/calibrate/phone", SEE_ALICE),
    (SERVICE, f"{HOME}/a/alice/session/s1", SEE_ALICE | {ARCHIVE, SECOND_ARCHIVE}),
    (SERVICE, f"{HOME}/a/alice/last-session", SEE_ALICE),
    (SERVICE, f"{HOME}/a/bob/{OTHER_ROLLER}/live", SEE_BOB),
    (SERVICE, f"{HOME}/a/bob/session/s2", SEE_BOB | {ARCHIVE, SECOND_ARCHIVE}),
    (SERVICE, f"{HOME}/bridge/status", STATUS),
    (SERVICE, f"{HOME}/bridge/info", {SERVICE, HA}),
    (SERVICE, "homeassistant/device/rolltrack_rt-aaaa/config", {HA, SERVICE, GYM_SERVICE}),
    # the service is no archive, no commander and no Home Assistant
    (SERVICE, f"{HOME}/a/alice/receipt/s1", NOBODY),
    (SERVICE, f"{HOME}/a/alice/{ROLLER}/cmd/start", NOBODY),
    (SERVICE, "homeassistant/status", NOBODY),
    (SERVICE, IMU, NOBODY),
    # another site on the same broker
    (SERVICE, f"{GYM}/a/alice/{ROLLER}/live", NOBODY),
    (SERVICE, f"{GYM}/bridge/status", NOBODY),
    (GYM_SERVICE, f"{HOME}/a/alice/session/s1", NOBODY),
    (GYM_SERVICE, f"{GYM}/a/alice/session/s1",
     {GYM_SERVICE, HA, ALICE, MARIA, TOM, ARCHIVE, SECOND_ARCHIVE}),
    # an athlete forges nothing, neither another's nor the own
    (BOB, f"{HOME}/a/alice/{ROLLER}/live", NOBODY),
    (BOB, f"{HOME}/a/alice/{ROLLER}/state", NOBODY),
    (BOB, f"{HOME}/a/alice/{ROLLER}/availability", NOBODY),
    (BOB, f"{HOME}/a/alice/session/s1", NOBODY),
    (BOB, f"{HOME}/a/alice/last-session", NOBODY),
    (BOB, f"{HOME}/a/alice/receipt/s1", NOBODY),
    (BOB, f"{HOME}/a/alice/{ROLLER}/cmd-result/start", NOBODY),
    (BOB, f"{HOME}/bridge/status", NOBODY),
    (BOB, f"{HOME}/bridge/info", NOBODY),
    (BOB, "homeassistant/device/rolltrack_rt-aaaa/config", NOBODY),
    (BOB, "homeassistant/status", NOBODY),
    (BOB, IMU, NOBODY),
    (BOB, "$CONTROL/dynamic-security/v1", NOBODY),
    (BOB, "anything/else", NOBODY),
    (ALICE, f"{HOME}/a/alice/session/s1", NOBODY),
    (ALICE, f"{HOME}/a/alice/{ROLLER}/live", NOBODY),
    (ALICE, f"{HOME}/a/alice/receipt/s1", NOBODY),
    # commands
    (ALICE, f"{HOME}/a/alice/{ROLLER}/cmd/set-limit", SEE_ALICE),
    (ALICE, f"{GYM}/a/alice/{ROLLER}/cmd/set-limit", {GYM_SERVICE, HA, ALICE, MARIA, TOM}),
    (BOB, f"{HOME}/a/alice/{ROLLER}/cmd/set-limit", NOBODY),
    (MARIA, f"{HOME}/a/alice/{ROLLER}/cmd/stop", SEE_ALICE),
    (MARIA, f"{HOME}/a/bob/{OTHER_ROLLER}/cmd/stop", NOBODY),
    (TOM, f"{HOME}/a/alice/{ROLLER}/cmd/stop", NOBODY),
    (HA, f"{HOME}/a/bob/{OTHER_ROLLER}/cmd/calibrate", SEE_BOB),
    (ARCHIVE, f"{HOME}/a/bob/{OTHER_ROLLER}/cmd/calibrate", NOBODY),
    (SENSOR, f"{HOME}/a/alice/{ROLLER}/cmd/start", NOBODY),
    # coaches only look
    (MARIA, f"{HOME}/a/alice/session/s1", NOBODY),
    (TOM, f"{HOME}/a/bob/last-session", NOBODY),
    # receipts are the archive's
    (ARCHIVE, f"{HOME}/a/alice/receipt/s1", SEE_ALICE),
    (ARCHIVE, f"{HOME}/a/alice/session/s1", NOBODY),
    (ARCHIVE, f"{HOME}/a/alice/{ROLLER}/state", NOBODY),
    (HA, f"{HOME}/a/alice/receipt/s1", NOBODY),
    # Home Assistant says that it is there, and announces nothing
    (HA, "homeassistant/status", {SERVICE, GYM_SERVICE, HA}),
    (HA, "homeassistant/device/rolltrack_rt-aaaa/config", NOBODY),
    (HA, f"{HOME}/a/alice/{ROLLER}/state", NOBODY),
    # raw readings are one sensor's, of one roller
    (SENSOR, IMU, {SERVICE, HA}),
    (SENSOR, f"{HOME}/imu/{shard(OTHER_ROLLER)}/{OTHER_ROLLER}", NOBODY),
    (SENSOR, f"{HOME}/imu/0/{ROLLER}", NOBODY),
    (SENSOR, f"{HOME}/a/alice/{ROLLER}/live", NOBODY),
]  # fmt: skip
RETAINED = [
    (SERVICE, f"{HOME}/a/alice/last-session", SEE_ALICE),
    (SERVICE, f"{HOME}/a/bob/{OTHER_ROLLER}/state", SEE_BOB),
    (SERVICE, f"{HOME}/bridge/status", STATUS),
    (SERVICE, "homeassistant/device/rolltrack_rt-aaaa/config", {HA, SERVICE, GYM_SERVICE}),
    (BOB, f"{HOME}/a/alice/last-session", NOBODY),
    (BOB, "homeassistant/device/rolltrack_rt-aaaa/config", NOBODY),
    (ALICE, f"{HOME}/bridge/status", NOBODY),
]
WILLS = [
    (SERVICE, f"{HOME}/bridge/status", STATUS),
    (HA, "homeassistant/status", {SERVICE, GYM_SERVICE, HA}),
    (BOB, f"{HOME}/a/alice/{ROLLER}/availability", NOBODY),
    (BOB, f"{HOME}/bridge/status", NOBODY),
    (BOB, "homeassistant/device/rolltrack_rt-aaaa/config", NOBODY),
    (MARIA, f"{HOME}/a/alice/session/s1", NOBODY),
]

TOPICS = {topic for _, topic, _ in (*PUBLISHES, *RETAINED, *WILLS)}

numbers = itertools.count()


def named(case):
    actor, topic, _ = case
    return f"{actor}:{topic}".replace("rolltrack/v1/", "")


def password(folder, account):
    return (folder / "logins" / account).read_text().strip()


@pytest.fixture(scope="module", params=["acl file", "dynamic security"])
def folder(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("broker")
    more = ["--dynamic-security"] if request.param == "dynamic security" else []
    listen = f"127.0.0.1:{brokers.free_port()}"
    assert main(["broker", "acl", "--out", str(out), *PEOPLE, "--listen", listen, *more]) == 0
    return out


@pytest.fixture(scope="module")
def port(folder):
    with running(folder) as (port, _):
        yield port


@pytest.fixture(scope="module")
def everybody(folder, port):
    """One visitor per account, listening to as much as the broker lets it."""
    with contextlib.ExitStack() as stack:
        visitors = {}
        for account in EVERYBODY:
            visitor = Visitor(port, account, password(folder, account))
            visitors[account] = stack.enter_context(visitor)
            visitor.subscribe(*FILTERS, *TOPICS)
        yield visitors


def who_got(visitors, body):
    for visitor in visitors.values():
        visitor.fence()
    return {name for name, v in visitors.items() if any(m[1] == body for m in v.received)}


@pytest.mark.parametrize("case", PUBLISHES, ids=named)
def test_a_message_reaches_exactly_those_it_is_for(everybody, case):
    actor, topic, intended = case
    body = b"message %d" % next(numbers)
    everybody[actor].publish(topic, body)
    assert who_got(everybody, body) == intended


@pytest.mark.parametrize("case", RETAINED, ids=named)
def test_a_retained_message_awaits_exactly_those_it_is_for(folder, port, everybody, case):
    actor, topic, intended = case
    body = b"retained %d" % next(numbers)
    everybody[actor].publish(topic, body, retain=True)
    late = {}
    with contextlib.ExitStack() as stack:
        for account in EVERYBODY:
            visitor = Visitor(port, account, password(folder, account))
            late[account] = stack.enter_context(visitor)
            visitor.subscribe(*FILTERS, *TOPICS)
        assert who_got(late, body) == intended
    everybody[actor].publish(topic, b"", retain=True)


@pytest.mark.parametrize("case", WILLS, ids=named)
def test_a_last_will_reaches_exactly_those_it_is_for(folder, port, everybody, case):
    actor, topic, intended = case
    body = b"will %d" % next(numbers)
    dying = Visitor(
        port, actor, password(folder, actor), client_id="dying", will=(topic, body, False)
    )
    with dying:
        dying.vanish()
    assert who_got(everybody, body) == intended


def test_nobody_sees_the_brokers_own_figures(everybody):
    for visitor in everybody.values():
        visitor.fence()
        assert not [m for m in visitor.received if m[0].startswith("$")]


@pytest.mark.parametrize(
    "login", [("", None), ("", ""), (ALICE, "wrong"), (ALICE, None), ("nobody", "x")]
)
def test_without_the_right_password_nobody_comes_in(port, login):
    with Visitor(port, *login) as visitor:
        assert visitor.reason.is_failure


def test_the_password_of_one_is_not_that_of_another(folder, port):
    with Visitor(port, BOB, password(folder, ALICE)) as visitor:
        assert visitor.reason.is_failure


def test_who_takes_over_a_persistent_session_gets_nothing_of_it(folder, port, everybody):
    """Client ids are no secret; what waits for one account must not go to another."""
    alice = Visitor(port, ALICE, password(folder, ALICE), client_id="phone", clean=False)
    with alice:
        alice.subscribe(f"{HOME}/a/alice/#")
    body = b"waiting %d" % next(numbers)
    everybody[SERVICE].publish(f"{HOME}/a/alice/session/s3", body)
    with Visitor(port, BOB, password(folder, BOB), client_id="phone", clean=False) as bob:
        bob.fence()
        everybody[SERVICE].publish(f"{HOME}/a/alice/session/s4", body)
        bob.fence()
        assert bob.received == []


def test_the_matrix_is_as_large_as_it_should_be():
    assert len(PUBLISHES) + len(RETAINED) + len(WILLS) >= 30
    people = People(
        ("home", "gym"), ("alice", "bob"), {"maria": ("alice",), "tom": ("alice", "bob")},
        {"maria": ("alice",)}, (ROLLER,), ("main", "second"), home_assistant=True,
    )  # fmt: skip
    assert {account.name for account in accounts_of(people)} == set(EVERYBODY)


def test_who_is_no_longer_named_is_thrown_out(tmp_path):
    listen = ["--listen", f"127.0.0.1:{brokers.free_port()}"]
    command = ["broker", "acl", "--out", str(tmp_path), *listen, "--athlete", "alice"]
    assert main([*command, "--coach", "maria:alice"]) == 0
    secret = password(tmp_path, MARIA)
    with running(tmp_path) as (port, process), Visitor(port, MARIA, secret) as maria:
        assert main(command) == 0
        process.send_signal(signal.SIGHUP)
        maria.until_gone()
        with Visitor(port, MARIA, secret) as again:
            assert again.reason.is_failure
        with Visitor(port, ALICE, password(tmp_path, ALICE)) as alice:
            assert not alice.reason.is_failure
