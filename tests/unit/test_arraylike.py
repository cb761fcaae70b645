"""Geometry takes what users have: whatever training returns, lists, integers, tensors; and NaN stays NaN."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.geometry.identification import level_distance, purity
from tegum.nets.net import parameter

MEASURES = {
    "coherence": (),
    "cosines": ("output", "feature"),
    "dimensionality": ("feature",),
    "dimensions_per_feature": (),
    "feature_norms": ("feature",),
    "frame_spectrum": ("hidden",),
    "gram": ("output", "feature"),
    "interference": ("feature",),
    "left_out": ("hidden",),
    "leverage": ("feature",),
    "participation_ratio": ("hidden",),
    "polar_angles": ("feature",),
    "relu_energy": (),
    "second_to_first": ("hidden",),
    "spectral_spread": ("feature",),
    "tightness": (),
}
WHOLE = [[3, 0, -3], [0, 2, 0]]


class Tensor:
    """What a tensor of PyTorch with a gradient looks like from outside."""

    def __init__(self, values: Any, grad: bool = True) -> None:
        self.values, self.grad = values, grad

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        if self.grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return np.asarray(self.values, dtype)

    def detach(self) -> "Tensor":
        return Tensor(self.values, grad=False)

    def cpu(self) -> "Tensor":
        return self

    def double(self) -> "Tensor":
        return Tensor(np.asarray(self.values, np.float64), self.grad)


@pytest.mark.parametrize("name", MEASURES)
def test_every_kind_of_array_gives_the_same(name: str) -> None:
    measure = getattr(tg.geometry, name)
    expected = measure(np.array(WHOLE, np.float64))
    for given in (WHOLE, np.array(WHOLE), tuple(map(tuple, WHOLE)), Tensor(WHOLE), [Tensor(row) for row in WHOLE]):
        np.testing.assert_array_equal(measure(given), expected)


@pytest.mark.parametrize("name", MEASURES)
def test_names_are_kept_and_nan_stays_nan(name: str) -> None:
    values = np.array([WHOLE, np.full((2, 3), np.nan)], np.float64)
    W = xr.DataArray(values, {"density": [1.0, 0.1], "p": ("density", [5, 6])}, ("density", "hidden", "feature"))
    measure = getattr(tg.geometry, name)
    for given in (W, W.transpose("feature", "density", "hidden")):
        found = measure(given)
        assert found.dims == ("density", *MEASURES[name])
        assert found.p.sel(density=0.1).item() == 6
        assert found.name == name
        np.testing.assert_array_equal(found.sel(density=1.0).values, measure(values[0]))
        assert np.isnan(found.sel(density=0.1)).all()


def test_a_diverged_model_is_no_shape_and_no_phase() -> None:
    broken = np.full((1, 2, 4), np.nan)
    assert tg.geometry.shape_names(broken).tolist() == ["diverged"]
    assert tg.geometry.phase_of([np.nan, 1.0], [0.0, 0.0]).tolist() == ["diverged", "dedicated"]
    assert tg.geometry.arrangement_of(broken[0], set_size=2).name == "diverged"
    assert np.isnan([purity(broken), level_distance(broken)]).all()


def test_shapes_of_what_training_returns() -> None:
    W = xr.DataArray(tg.geometry.polygon(5)[None], {"seed": [7]}, ("seed", "hidden", "feature"))
    assert tg.geometry.shape_names(W).sel(seed=7).item() == "pentagon"
    assert tg.geometry.identify(W[0]).label == tg.geometry.identify(W[0].T).label == "pentagon"
    assert tg.geometry.identify([[1, -1]]).label == "digon"
    assert tg.geometry.feature_graph(W[0]).component.tolist() == [0] * 5


@pytest.mark.parametrize("m", [3, 5])
def test_a_decoder_with_names_is_feature_by_hidden_whatever_its_shape(m: int) -> None:
    generator = np.random.default_rng(m)
    W1, W2 = generator.normal(size=(2, m, 3)), generator.normal(size=(2, 3, m))
    encoder, decoder = (
        xr.DataArray(W1, dims=("seed", "hidden", "feature")),
        xr.DataArray(W2, dims=("seed", "feature", "hidden")),
    )
    expected = tg.geometry.rescaled_neurons(W1, W2)
    assert np.abs(expected[1] @ np.maximum(expected[0], 0) - W2 @ np.maximum(W1, 0)).max() < 1e-12
    for turned in (decoder, decoder.transpose("hidden", "seed", "feature"), list(decoder)):
        for found, right in zip(tg.geometry.rescaled_neurons(encoder, turned), expected, strict=True):
            np.testing.assert_array_equal(found, right)
    unnamed = decoder.rename(hidden="i"), decoder.rename(feature="i")
    for one in (decoder, *unnamed):
        np.testing.assert_array_equal(parameter("W2", one), W2)
        np.testing.assert_array_equal(tg.geometry.rescaled_neurons(W1, one)[1], expected[1])


def test_motifs_of_weights_with_names_are_those_without() -> None:
    for n, m in ((3, 5), (5, 5)):
        W1, W2 = np.zeros((m, n)), np.zeros((n, m))
        W1[:5, :3], W2[:3, :5] = tg.geometry.hand_built_motif(4)
        named = xr.DataArray(W1, dims=("hidden", "feature")), xr.DataArray(W2, dims=("feature", "hidden"))
        (expected,) = tg.geometry.motifs(W1, W2)
        assert (expected.neuron, expected.inhibitor, expected.culprit, expected.victim) == (0, 1, 0, 1)
        for decoder in (named[1], named[1].T):
            assert tg.geometry.motifs(named[0], decoder) == [expected]


def test_hidden_alone_is_found_by_name_and_is_never_the_axis_of_features() -> None:
    W = xr.DataArray(tg.geometry.polygon(5), dims=("hidden", "i"))
    for given in (W, W.T):
        found = tg.geometry.dimensionality(given)
        assert found.dims == ("i",)
        np.testing.assert_allclose(found, [0.4] * 5)
        features = tg.features.Independent(5, density=0.1)
        plain = tg.exact.evaluate(W.values, np.zeros(5), features).loss
        assert tg.exact.evaluate(given, np.zeros(5), features).loss == plain
        np.testing.assert_array_equal(parameter("W", given), W.values)
        assert tg.geometry.identify(given).label == "pentagon"


def test_words_are_refused() -> None:
    with pytest.raises(tg.InvalidInputError, match="W is no array of real numbers: give numbers with rows of equal length"):
        tg.geometry.dimensionality([["a", "b"]])
    with pytest.raises(tg.InvalidInputError, match="W is no array of real numbers"):
        tg.geometry.gram([[1.0], [1.0, 2.0]])


def test_named_arrays_are_paired_by_names_and_labels() -> None:
    norms = xr.DataArray(np.full((2, 2), 0.9), {"seed": [7, 8]}, ("seed", "density"))
    mixed = xr.DataArray([[0.0, 0.0], [0.9, 0.0]], {"seed": [7, 8]}, ("seed", "density"))
    right = [["dedicated", "dedicated"], ["superposition", "dedicated"]]
    for same in (mixed, mixed.transpose(), mixed[::-1], mixed.transpose()[:, ::-1], mixed.values):
        assert tg.geometry.phase_of(norms, same).values.tolist() == right
    by_density = mixed.isel(seed=1)
    assert tg.geometry.phase_of(norms, by_density).values.tolist() == [right[1]] * 2
    assert tg.geometry.phase_of(norms, mixed[:, 0]).values.tolist() == [[right[0][0]] * 2, [right[1][0]] * 2]
    with_more = tg.geometry.phase_of(norms[0], mixed.transpose())
    np.testing.assert_array_equal(with_more, right)


def test_named_arrays_that_are_no_pair_are_refused() -> None:
    density, ratio = xr.DataArray([0.1, 0.2], dims="density"), xr.DataArray([0.5, 1.0], dims="ratio")
    for loss in (tg.theory.dropped_loss, tg.theory.paired_loss):
        with pytest.raises(tg.InvalidInputError, match="importance has the axes ratio, and density density: give density all"):
            loss(density, ratio)
        both = xr.broadcast(density, ratio)
        np.testing.assert_array_equal(loss(*both), loss(density.values[:, None], ratio.values))
        np.testing.assert_array_equal(loss(both[0], ratio), loss(*both))
    here, there = (density.assign_coords(density=labels) for labels in ([0, 1], [0, 2]))
    with pytest.raises(tg.InvalidInputError, match=r"along density, importance has the labels \[0, 2\] and density \[0, 1\]"):
        tg.theory.dropped_loss(here, there)
