import numpy as np

from rolltrack.core.motion.phase import in_plane, plane_across, roller_phase

G = 9.80665


def test_the_plane_is_seen_against_any_axle():
    for axle in np.random.default_rng(1).normal(size=(50, 3)):
        unit = axle / np.linalg.norm(axle)
        e1, e2 = plane_across(unit).T
        np.testing.assert_allclose(np.cross(e2, e1), unit, atol=1e-12)


def test_the_phase_runs_with_the_roller():
    t_s = np.arange(0, 5, 0.01)
    angle = 2.0 * t_s
    # Up, seen from a body that has turned by `angle` about +z.
    up = G * np.column_stack([np.sin(angle), np.cos(angle), 0 * angle])
    phase = roller_phase(in_plane(up, plane_across(np.array([0.0, 0.0, 1.0]))), 0.01, 0.087)
    np.testing.assert_allclose(np.diff(phase) / 0.01, 2.0, rtol=1e-9)


def test_an_impact_that_makes_gravity_vanish_loses_no_turn():
    t_s = np.arange(0, 4, 0.01)
    z = G * np.exp(1j * 6.0 * t_s)
    z[200:206] = 0.3 * np.exp(1j * np.linspace(0, 5, 6))
    phase = roller_phase(z, 0.01, 0.087)
    assert abs(phase[-1] - phase[0] - 6.0 * (t_s[-1] - t_s[0])) < 1e-6
