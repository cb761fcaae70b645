"""Extreme numbers everywhere: a result or one message, and none of NumPy's warnings (overflow, division, invalid value)."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg

NET, FEATURES = tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=0.1)
RECIPE = tg.Recipe(steps=3, seeds=2, batch_size=64, evaluation_samples=64)
HUGE, TINY, NONE, NAN = (np.full((2, 3), value) for value in (1e200, 1e-200, 0.0, np.nan))
QUIET = {"progress": False, "threads": 1}


def diverged() -> xr.Dataset:
    return tg.train(NET, FEATURES, RECIPE.replaced(learning_rate=1e30, optimizer="sgd"), **QUIET)


def measured(W: Any) -> list[Any]:
    geometry = tg.geometry
    measures = (
        *(geometry.feature_norms, geometry.gram, geometry.cosines, geometry.interference, geometry.dimensionality),
        *(geometry.dimensions_per_feature, geometry.frame_spectrum, geometry.tightness, geometry.leverage, geometry.coherence),
        *(geometry.identify, geometry.feature_graph, geometry.participation_ratio, geometry.second_to_first, geometry.left_out),
        *(geometry.spectral_spread, lambda W: geometry.likeness(W, geometry.polygon(3))),
    )
    return [allowed(lambda measure=measure: measure(W)) for measure in measures]


CALLS: dict[str, Callable[[], Any]] = {
    "a power that overflows": lambda: tg.features.power_law(1e300, 5),
    "another": lambda: tg.features.geometric(1e300, 5),
    "a power that underflows": lambda: tg.features.geometric(1e-300, 5),
    "huge importance": lambda: tg.features.Independent(3, importance=1e300),
    "huge importance in double precision": lambda: tg.exact.loss(np.eye(3), np.zeros(3), FEATURES.replaced(importance=1e29)),
    "huge magnitudes": lambda: tg.features.Exponential(1e100),
    "tiny density": lambda: tg.exact.minimise(NET, FEATURES.replaced(density=1e-300), seeds=2, **QUIET),
    "measures of huge weights": lambda: measured(HUGE),
    "measures of tiny weights": lambda: measured(TINY),
    "measures of no weights": lambda: measured(NONE),
    "measures of numbers that are none": lambda: measured(NAN),
    "measures in half precision": lambda: measured(np.full((2, 3), 6e4, np.float16)),
    "the bound of one feature": lambda: tg.geometry.welch_bound(1, 1),
    "a boundary at nothing": lambda: tg.theory.pair_boundary(np.array([1e-300, 1.0, 1e300])),
    "the theory's huge weights": lambda: tg.theory.two_in_one_loss(1e200, -1e200, 0.1, 1.0),
    "the theory's huge norm": lambda: tg.theory.simplex_loss(3, 0.1, 1e200, 0.0),
    "the theory at both ends": lambda: tg.theory.features_per_dimension(np.array([1e-300, 1e300])),
    "the theory at density 0": lambda: tg.theory.two_in_one_minima(0.0, 1.0),
    "a start far out": lambda: tg.exact.minimise(NET, FEATURES, scale=1e30, seeds=2, **QUIET),
    "a descent from far out": lambda: tg.exact.minimise(NET, FEATURES, initial={"W": np.full((2, 3), 1e29)}, seeds=2, **QUIET),
    "a flow from far out": lambda: tg.exact.gradient_flow(
        NET, FEATURES, np.full((2, 3), 2e30), np.zeros(3), 1.0, progress=False
    ),
    "a loss of huge weights": lambda: tg.exact.loss(np.full((2, 3), 9e29), np.zeros(3), FEATURES),
    "the gradient of huge weights": lambda: tg.exact.loss_and_gradient(np.full((2, 3), 9e29), np.zeros(3), FEATURES),
    "an expected loss of huge weights": lambda: tg.expected_loss(NET, {"W": HUGE, "b": np.zeros(3)}, FEATURES),
    "the best bias of huge weights": lambda: tg.exact.best_bias(np.full((2, 3), 9e29), FEATURES),
    "training that diverges": diverged,
    "training from far out": lambda: tg.train(NET, FEATURES, RECIPE, initial={"W": np.full((2, 3), 9e29)}, **QUIET),
    "a gradient of huge weights": lambda: tg.training.loss_and_gradient(
        NET, {"W": np.full((2, 3), 1e30), "b": np.zeros(3)}, np.ones((2, 3))
    ),
    "the best of what diverged": lambda: tg.best(diverged()),
    "a census of what diverged": lambda: tg.census(diverged()),
    "a page of what diverged": lambda: tg.show(diverged()),
    "an attack on huge weights": lambda: tg.attacks.analytic_attack(np.full((2, 3), 1e30), np.zeros(3), np.ones((2, 3)), 1e30),
    "pictures of huge weights": lambda: tg.figures.gram_panels({"a": np.full((2, 3), 9e74)}),
    "pictures of no weights": lambda: tg.figures.arrow_panels({"a": NONE}),
    "a claim about nothing": lambda: tg.claims.near(0.0, 0.0, relative=True).holds(np.nan),
    "a penalty that overflows": lambda: tg.exact.minimise(NET, FEATURES, penalties=[tg.exact.L2(1e15)], seeds=2, **QUIET),
}


OURS = {"tiny density": "multiply the importances"}
"""What tegum itself has to say."""


def allowed(call: Callable[[], Any]) -> Any:
    """What it returns, or what is wrong."""
    try:
        return call()
    except tg.InvalidInputError as mistake:
        return mistake


@pytest.mark.parametrize("name", CALLS)
def test_no_warning_reaches_the_user(name: str) -> None:
    with warnings.catch_warnings(record=True) as warned, np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("always")
        found = allowed(CALLS[name])
    if isinstance(found, tg.attacks.Attacked):
        assert np.isfinite(found.attacked).all()
    ours = [one for one in warned if name in OURS and OURS[name] in str(one.message)]
    assert len(ours) == (name in OURS)
    assert not [f"{one.filename}:{one.lineno}: {one.message}" for one in warned if one not in ours]
