from __future__ import annotations

from rolltrack.service.wall import WallClock


class Clocks:
    """Two clocks that a test sets."""

    wall_s = 1_000_000.0
    steady_s = 50.0

    def pass_by(self, seconds: float) -> None:
        self.wall_s += seconds
        self.steady_s += seconds


def test_time_that_passes_is_no_jump():
    clocks = Clocks()
    clock = WallClock(lambda: clocks.wall_s, lambda: clocks.steady_s)
    clocks.pass_by(86400.0)
    assert clock.look() == 0.0
    assert clock.shift_s == 0.0


def test_a_clock_that_is_set_is_noticed_once_in_either_direction():
    clocks = Clocks()
    clock = WallClock(lambda: clocks.wall_s, lambda: clocks.steady_s)
    clocks.pass_by(10.0)
    clocks.wall_s += 3600.0
    assert clock.look() == 3600.0
    assert clock.look() == 0.0
    clocks.wall_s -= 600.0
    assert clock.look() == -600.0
    assert clock.shift_s == 3000.0


def test_small_corrections_wait_until_they_add_up():
    clocks = Clocks()
    clock = WallClock(lambda: clocks.wall_s, lambda: clocks.steady_s)
    jumps = []
    for _ in range(7):
        clocks.pass_by(600.0)
        clocks.wall_s += 0.3
        jumps.append(clock.look())
    assert [round(jump, 6) for jump in jumps if jump] == [1.2]
