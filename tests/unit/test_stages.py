"""Stages of two sets of features on paths that are built to visit them, and on random walks, which visit nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

import tegum as tg
from tegum.geometry import visits
from tegum.geometry.stages import axis_frame, between_sets, plateaus, stages

SIDE = np.sqrt(2 / 3)


def two_triangles(radius: float, height: float, twist: float) -> np.ndarray:
    """W (3, 6): corners of a triangle above, and of one below, turned against its opposites by ``twist`` degrees."""
    angles = np.radians([0, 120, 240])
    below = angles + np.pi + np.radians(twist)
    top = np.stack([radius * np.cos(angles), radius * np.sin(angles), np.full(3, height)])
    return np.concatenate([top, np.stack([radius * np.cos(below), radius * np.sin(below), np.full(3, -height)])], axis=1)


def built_path() -> tuple[np.ndarray, np.ndarray]:
    """A hundred rows: 20 near zero, 20 to bundles, 15 at rest, 15 to triangles 50 degrees off, 20 of turning, 10 at rest."""
    up, flat = 1 / np.sqrt(3), 0.05
    near = [two_triangles(0.002, 0.01, 50)] * 20
    grow = [two_triangles(flat, 0.01 + (up - 0.01) * s, 50) for s in np.linspace(0, 1, 20)]
    rest = [two_triangles(flat, up, 50)] * 15
    open_ = [two_triangles(flat + (SIDE - flat) * s, up, 50) for s in np.linspace(0, 1, 15)]
    turn = [two_triangles(SIDE, up, 50 * (1 - s)) for s in np.linspace(0, 1, 20)]
    return np.array(near + grow + rest + open_ + turn + [two_triangles(SIDE, up, 0)] * 10), np.geomspace(1, 1e4, 100)


def test_a_path_built_of_all_stages_is_read_as_it_was_built() -> None:
    W, times = built_path()
    found = visits(W, times, 3)
    assert [visit.stage for visit in found] == ["A", "B", "C", "D"]
    near, bundles, triangles, pairs = found
    assert (near.first, near.last) == (0, 29)
    assert bundles.last in (55, 56, 57, 58)
    assert bundles.one_axis
    assert 60 < triangles.first < 70 < triangles.last < pairs.first < 90
    assert pairs.last == 99


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_rotations_and_orders_within_sets_change_nothing(seed: int) -> None:
    W, times = built_path()
    generator = np.random.default_rng(seed)
    turned = ortho_group.rvs(3, random_state=generator) @ W
    order = np.concatenate([generator.permutation(3), 3 + generator.permutation(3)])
    assert visits(turned[..., order], times, 3) == visits(W, times, 3)
    np.testing.assert_allclose(between_sets(turned, 3), between_sets(W, 3), atol=1e-12)


def test_opposites_within_a_set_are_no_octahedron() -> None:
    W = two_triangles(SIDE, 1 / np.sqrt(3), 0)[None]
    assert stages(W, 3)[0] == "D"
    assert stages(W[..., [0, 3, 1, 4, 2, 5]], 3)[0] == ""


def test_bundles_on_two_axes_are_bundles_but_not_on_one_axis() -> None:
    W = np.zeros((30, 3, 6))
    W[:, 0, :3] = W[:, 1, 3:] = 1
    (visit,) = visits(W, np.geomspace(1, 10, 30), 3)
    assert visit.stage == "B"
    assert not visit.one_axis


@pytest.mark.parametrize("seed", range(40))
def test_random_walks_visit_no_stage(seed: int) -> None:
    generator = np.random.default_rng(seed)
    W = generator.normal(size=(300, 3, 6)).cumsum(axis=0) * 0.05 + generator.normal(size=(3, 6))
    assert not set("BCD") & {visit.stage for visit in visits(W, np.geomspace(1, 1e4, 300), 3)}


def test_plateaus_of_a_staircase() -> None:
    times = np.geomspace(1, 1e6, 400)
    decades = np.log10(times)
    loss = 1 - 0.5 / (1 + np.exp(-20 * (decades - 2))) - 0.4 / (1 + np.exp(-20 * (decades - 4)))
    first, second, third = plateaus(loss, times)
    assert [round(p.loss, 2) for p in (first, second, third)] == [1.0, 0.5, 0.1]
    assert times[first.last] < 100 < times[second.first] < times[second.last] < 1e4 < times[third.first]


def test_power_laws_have_no_plateau_and_ripples_are_one() -> None:
    times = np.geomspace(1, 1e4, 300)
    assert plateaus(times**-0.3, times) == ()
    assert len(plateaus(1 + 0.02 * np.sin(np.arange(300)), times)) == 1


def test_the_axis_between_the_sets_points_upwards() -> None:
    for seed in range(5):
        W = ortho_group.rvs(3, random_state=np.random.default_rng(seed)) @ two_triangles(SIDE, 0.6, 10)
        frame = axis_frame(W, 3)
        np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(frame) == pytest.approx(1)
        turned = frame @ W
        np.testing.assert_allclose(turned[2], [0.6] * 3 + [-0.6] * 3, atol=1e-12)
        assert turned[1, 0] == pytest.approx(0, abs=1e-12)
        assert turned[0, 0] > 0


def test_what_is_wrong_is_said() -> None:
    W, times = built_path()
    with pytest.raises(tg.InvalidInputError, match="set_size is 1"):
        stages(W, 1)
    with pytest.raises(tg.InvalidInputError, match=r"give \(time, m, 4\)"):
        stages(W, 2)
    with pytest.raises(tg.InvalidInputError, match="one time for each row"):
        visits(W, times[:5], 3)
    with pytest.raises(tg.InvalidInputError, match="leave out step 0"):
        plateaus(np.ones(3), np.arange(3))
