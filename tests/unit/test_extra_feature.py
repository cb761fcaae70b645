"""The last feature of importance r: axes of a sweep, its norm and interference, its phase."""

import numpy as np
import xarray as xr

import tegum as tg
from tegum.maps import extra_feature, extra_phase, importances, paper_grid, ratio_axis


def test_the_last_feature_alone_has_importance_r() -> None:
    np.testing.assert_array_equal(importances(3, [0.5, 2.0]), [[1, 1, 0.5], [1, 1, 2.0]])
    axis = ratio_axis(3, np.array([0.5, 2.0]))
    assert axis.labels == (0.5, 2.0)
    assert axis.fields == {"importance": ((1.0, 1.0, 0.5), (1.0, 1.0, 2.0))}


def test_the_papers_grid_is_even_in_the_logarithm_and_reaches_its_ends() -> None:
    grid = paper_grid(2, 5)
    np.testing.assert_allclose(grid["density"].labels, 10 ** np.linspace(-2, 0, 5))
    np.testing.assert_allclose(grid["importance_ratio"].labels, 10 ** np.linspace(-1, 1, 5))
    assert (grid["density"].labels[-1], grid["importance_ratio"].labels[0]) == (1.0, 0.1)


def test_norm_interference_and_phase_are_those_of_the_last_feature_wherever_its_dimension_stands() -> None:
    W = np.array([[[1.0, -1.0]], [[1.0, 0.1]], [[0.0, 0.9]]], dtype=np.float32)
    data = xr.Dataset({"W": (("r", "hidden", "feature"), W), "loss": ("r", [1.0, 2.0, 3.0])}, {"r": [1, 2, 3]})
    found = extra_feature(data.transpose("feature", "r", "hidden"))
    np.testing.assert_array_equal(found["norm"], tg.geometry.feature_norms(W.astype(np.float64))[:, -1])
    np.testing.assert_array_equal(found["interference"], tg.geometry.interference(W.astype(np.float64))[:, -1])
    np.testing.assert_array_equal(found["loss"], data["loss"])
    assert extra_phase(found).sel(r=[3, 2, 1]).values.tolist() == ["dedicated", "not learned", "superposition"]
