"""Arrangements of sets against hand-built models, turned and under noise; near misses and random models are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tegum.errors import InvalidInputError
from tegum.features import CorrelatedSets
from tegum.geometry import arrangement_of, circle_gaps
from tegum.geometry.sets import ANTIPODAL_PAIRS, LOCAL_BASES, POLYGON, UNNAMED_SETS, around_by_sets, collapsed_at, set_relations
from tegum.theory import best_linear, linear_loss

HALF = np.sqrt(0.5)


def circle(*degrees: float, norm: float = 1.0) -> np.ndarray:
    angles = np.radians(degrees)
    return norm * np.array([np.cos(angles), np.sin(angles)])


BUILT = {
    LOCAL_BASES: circle(0, 90, 180, 270),
    ANTIPODAL_PAIRS: circle(0, 180, 90, 270),
    POLYGON: circle(0, 60, 120, 180, 240, 300),
    "1 collapsed": np.hstack([circle(0, 0, norm=HALF), circle(76, 149, 211, 284)]),
    "2 collapsed": np.hstack([circle(0, 0, 95, 95, norm=HALF), circle(184, 270)]),
    "3 collapsed": circle(0, 0, 120, 120, 240, 240, norm=HALF),
    "1 absent": np.hstack([circle(0, norm=0.03), circle(0, 75, 149, 211, 285)]),
}


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(list(BUILT)), seed=st.integers(0, 10_000))
def test_every_arrangement_is_named_however_it_is_turned(name: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(generator.normal(size=(2, 2)))
    n = BUILT[name].shape[1]
    order = generator.permutation(n // 2)
    chosen = [2 * k + j for k in order for j in generator.permutation(2)]
    W = turn @ BUILT[name][:, chosen] + generator.uniform(-0.02, 0.02, (2, n))
    assert arrangement_of(W, 2).name == name


def test_relations_of_sets_beyond_the_plane() -> None:
    W = np.hstack([np.eye(4), -np.roll(np.eye(4), 1, axis=1)])
    assert set_relations(W, 4) == ("orthogonal", "orthogonal")
    assert arrangement_of(W, 4).name == LOCAL_BASES
    assert arrangement_of(np.hstack([np.eye(4), -np.eye(4)]), 2).name == LOCAL_BASES
    assert arrangement_of(np.eye(4), 2).name == UNNAMED_SETS
    both = arrangement_of(np.hstack([circle(0, 0), circle(40, 110, 0, 180)]), 2)
    assert both.relations == ("collapsed", "adjacent", "antipodal")
    assert (both.name, both.collapsed, str(both)) == (UNNAMED_SETS, 1, "1 collapsed, 1 adjacent, 1 antipodal")


def test_near_misses_are_refused() -> None:
    interleaved = circle(0, 60, 120, 180, 240, 300)[:, [0, 2, 1, 3, 4, 5]]
    assert not around_by_sets(interleaved, 2)
    assert around_by_sets(BUILT[POLYGON], 2)
    uneven = circle(0, 40, 120, 180, 240, 300)
    slanted = circle(0, 70, 180, 250)
    unequal = np.hstack([circle(0, norm=0.6), circle(0, norm=0.9), circle(76, 149, 211, 284)])
    for W in (interleaved, uneven, slanted, unequal):
        assert arrangement_of(W, 2).name == UNNAMED_SETS
    np.testing.assert_allclose(np.sort(circle_gaps(uneven)), [40, 60, 60, 60, 60, 80])


@pytest.mark.parametrize(("m", "n", "most"), [(2, 4, 0.02), (2, 6, 0.02), (10, 20, 0.0)])
def test_random_models_have_no_name(m: int, n: int, most: float) -> None:
    generator = np.random.default_rng(0)
    names = [arrangement_of(generator.normal(size=(m, n)), 2).name for _ in range(2000)]
    named = [name for name in names if name != UNNAMED_SETS and "absent" not in name]
    assert len(named) <= most * len(names)


def test_collapsed_pairs_on_their_own_axis_have_a_norm_of_a_root_of_a_half() -> None:
    assert collapsed_at(BUILT["3 collapsed"], 2, HALF) == 3
    assert collapsed_at(BUILT["3 collapsed"] * 0.85, 2, HALF) == 0
    assert arrangement_of(BUILT["3 collapsed"] * 0.85, 2).collapsed == 3
    assert collapsed_at(BUILT["2 collapsed"], 2, HALF) == 2


@pytest.mark.parametrize("size", [0, 1, 4])
def test_sets_must_fill_the_features(size: int) -> None:
    with pytest.raises(InvalidInputError, match=f"set_size is {size} for 6 features: choose a divisor of at least 2"):
        arrangement_of(BUILT[POLYGON], size)


def test_the_best_linear_model_is_lower_than_its_neighbours_and_keeps_sums_of_pairs() -> None:
    features = CorrelatedSets(3, 2, density=0.4)
    W, b = best_linear(features, 2)
    lowest = float(linear_loss(W, b, features))
    generator = np.random.default_rng(0)
    for _ in range(100):
        near = W + 0.05 * generator.normal(size=W.shape)
        assert linear_loss(near, b + 0.01 * generator.normal(size=6), features) > lowest - 1e-12
    np.testing.assert_allclose(W[:, ::2], W[:, 1::2], atol=1e-9)
    with pytest.raises(InvalidInputError, match="importances differ"):
        best_linear(features.replaced(importance=[1, 1, 1, 1, 1, 0.5]), 2)
    with pytest.raises(InvalidInputError, match=r"the features have leading axes \(2,\): give one distribution at a time"):
        best_linear(features.replaced(density=[[0.2] * 3, [0.4] * 3]), 2)
