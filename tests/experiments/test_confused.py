"""The exact surface of two weights: its minima are minima, and the phases are where they should be."""

import numpy as np
import pytest
import scipy
import xarray as xr

from tegum.experiments.s3_phase_change import confused
from tegum.theory import two_in_one_loss, two_in_one_minima
from tegum.theory.two_in_one import basin_shares, every_two_in_one_minimum


@pytest.mark.parametrize(("density", "ratio"), [(0.9, 1.0), (0.5, 1.0), (0.2, 0.3), (0.6, 2.0)])
def test_minima_are_lower_than_everything_around_them(density: float, ratio: float) -> None:
    minima = two_in_one_minima(density, ratio)
    generator = np.random.default_rng(0)
    for w1, w2, loss in minima:
        assert loss == pytest.approx(float(two_in_one_loss(w1, w2, density, ratio)))
        near = generator.normal(size=(2, 200)) * 1e-3
        assert (two_in_one_loss(w1 + near[0], w2 + near[1], density, ratio) >= loss - 1e-12).all()
    everywhere = generator.uniform(-1.5, 1.5, size=(2, 4000))
    assert (two_in_one_loss(everywhere[0], everywhere[1], density, ratio) >= minima[0, 2]).all()


def test_many_densities_and_importances_at_once_are_the_same_as_one_by_one() -> None:
    density, ratio = np.array([[0.2], [0.58]]), np.array([0.1, 0.3, 1.0])
    together = every_two_in_one_minimum(density, ratio)
    for i, k in np.ndindex(2, 3):
        alone = two_in_one_minima(float(density[i, 0]), float(ratio[k]))
        np.testing.assert_array_equal(together[i, k, : len(alone)], alone)
        assert np.isnan(together[i, k, len(alone) :]).all()


def test_the_shallow_minimum_of_a_hardly_learned_feature_is_found() -> None:
    minima = two_in_one_minima(0.2, 0.1)
    np.testing.assert_allclose(minima[:, :2], [[1.0302, -0.6891], [0.9987, 0.0171]], atol=1e-3)


def test_basins_are_shares_and_equal_where_only_signs_tell_minima_apart() -> None:
    shares = basin_shares(0.35, 1.0, side=12)
    assert shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(shares, [0.5, 0.5], atol=0.05)
    np.testing.assert_allclose(basin_shares(0.05, 0.1, side=6), [0.5, 0.5], atol=0.15)
    np.testing.assert_array_equal(basin_shares(0.5, 0.1, side=6), [1.0])


@pytest.mark.parametrize(("density", "ratio"), [(0.05, 0.1), (0.02, 3.0), (0.1, 0.05), (0.1, 0.1)])
def test_a_shallow_minimum_beside_an_axis_is_found(density: float, ratio: float) -> None:
    def loss(logs: np.ndarray) -> float:  # both weights above 0
        return float(two_in_one_loss(*np.exp(logs), density, ratio))

    start = [0.0, -5.0] if ratio < 1 else [-5.0, 0.0]
    end = np.exp(scipy.optimize.minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-16}).x)
    assert 1e-3 < end.min() < 0.02
    np.testing.assert_allclose(two_in_one_minima(density, ratio)[1, :2], end, atol=1e-5)


def test_the_claims() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confused, "COUNT", {"quick": 40, "paper": 40})
        patch.setattr(confused, "MAP", {"quick": (30, 8), "paper": (30, 8)})
        patch.setattr(confused, "FOLLOWED", 8)
        data = confused.study("quick")
    assert isinstance(data, xr.Dataset)
    verdicts = {claim.name: claim.verdict for claim in confused.claims(data)}
    assert set(verdicts.values()) == {"held"}


def test_solutions_are_told_apart_by_their_weights() -> None:
    weights = xr.DataArray([[1.0, 0.4], [0.9, -0.8], [0.7, 0.7], [-0.7, -0.7]], dims=("density", "feature"))
    assert confused.kinds(weights).values.tolist() == ["second dropped", "antipodal", "confused", "confused"]


def test_an_extent_of_nothing_has_no_ends() -> None:
    cells = xr.DataArray([False, True, True, False], {"density": [0.1, 0.2, 0.3, 0.4]}, ["density"])
    assert confused.extent(cells) == {"from": 0.2, "to": 0.3, "densities": 2, "of": 4}
    assert np.isnan([confused.extent(cells & False)[end] for end in ("from", "to")]).all()
