"""Phases of a feature, the count of the pair regime, and the paper's selection rule."""

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.geometry import phase_of
from tegum.selection import mean_without_worst
from tegum.theory import pair_regime_count, pair_regime_loss


def test_phases() -> None:
    assert list(phase_of(np.array([0.0, 1.0, 1.0, 0.4]), np.array([0.0, 0.1, 1.0, 1.0]))) == [
        "not learned",
        "dedicated",
        "superposition",
        "not learned",
    ]


def test_the_count_is_the_papers_figure_and_the_loss_is_the_least_of_all_counts() -> None:
    importance = 0.7 ** np.arange(20)
    assert [pair_regime_count(importance, 5, p) for p in (1.0, 0.3, 0.1, 0.03)] == [5, 7, 9, 10]
    for p in (0.9, 0.5, 0.3, 0.1, 0.01):
        every = [importance[10 - n : n].sum() * p**2 / 6 + importance[n:].sum() * (p / 3 - p**2 / 4) for n in range(5, 11)]
        assert pair_regime_loss(importance, 5, p) == pytest.approx(min(every))


def test_rising_importances_are_refused() -> None:
    with pytest.raises(tg.InvalidInputError, match="most important first"):
        pair_regime_count([1.0, 2.0], 1, 0.1)
    with pytest.raises(tg.InvalidInputError, match="n_hidden is 3"):
        pair_regime_loss([1.0, 0.5], 3, 0.1)


def test_the_worst_fit_is_dropped_at_each_point() -> None:
    data = xr.Dataset(
        {
            "loss": (("point", "seed"), [[1.0, 3.0, 2.0], [np.nan, 1.0, 2.0]]),
            "norm": (("point", "seed"), np.arange(6.0).reshape(2, 3)),
        },
        {"seed": [0, 1, 2]},
    )
    np.testing.assert_allclose(mean_without_worst(data)["norm"], [1.0, 4.5])


def fits(losses: list[float]) -> xr.Dataset:
    count = len(losses)
    norms = [1.0, 3.0, 1e9, 1e9][:count]
    own = {"loss": ("seed", losses), "norm": ("seed", norms), "status": ("seed", ["finished"] * count)}
    return xr.Dataset(own, {"seed": range(count)})


def test_every_fit_of_unknown_loss_is_among_the_worst() -> None:
    for unknown in (np.nan, np.inf):
        assert mean_without_worst(fits([0.1, 0.2, unknown, unknown])).norm == 2.0
        assert mean_without_worst(fits([0.1, 0.2, unknown])).norm == 2.0
    with pytest.warns(UserWarning, match="no fit is left at 1 of 1 grid points"):
        assert np.isnan(mean_without_worst(fits([np.nan, np.nan])).norm)
    with pytest.raises(tg.InvalidInputError, match=r"loss has dimensions \{'seed': 1\}: give at least two fits"):
        mean_without_worst(fits([0.1]))
    with pytest.raises(tg.InvalidInputError, match=r"data holds .* and no x"):
        mean_without_worst(fits([0.1, 0.2]), by="x")


def test_the_best_of_models_whose_losses_are_unknown() -> None:
    assert tg.best(fits([0.2, np.nan, 0.1])).norm == 1e9
    with pytest.raises(tg.InvalidInputError, match="loss of every finished model is NaN at the only point: choose another"):
        tg.best(fits([np.nan, np.nan]))
    two = xr.concat([fits([np.nan, np.nan]), fits([0.2, 0.1])], xr.Variable("density", [0.5, 0.1]))
    with pytest.warns(UserWarning, match="loss of every finished model is NaN at density 0.5 of 2 grid points: NaN there"):
        chosen = tg.best(two)
    np.testing.assert_array_equal(chosen.norm, [np.nan, 3.0])
