"""The codes of neurons end to end, with few restarts; shuffled weights have none of them."""

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.experiments.s8_privileged_basis import hidden_codes
from tegum.geometry import code_of, hand_built
from tests.experiments.reduced import reduced

small = hidden_codes.SIZE["quick"].replaced(steps=2500, batch_size=256, seeds=24, evaluation_samples=2**16)
data = reduced(hidden_codes, SIZE=small)


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden_codes, "LEAD_SAMPLES", 2**13)


def test_dense_features_are_monosemantic_and_sparser_ones_are_not(data: xr.Dataset) -> None:
    W = tg.best(data)["W"].values.astype(np.float64)
    assert code_of(W[0]).name == "all monosemantic"
    assert code_of(W[-1]).alone == 0


def test_controls_fail_and_few_fits_are_called_few(data: xr.Dataset) -> None:
    claims = hidden_codes.claims(data)
    assert len(claims) == 10
    for claim in claims:
        assert not any(control.holds for control in claim.controls)
        assert claim.verdict == "underpowered"


def test_the_monosemantic_code_has_the_closed_form_loss(data: xr.Dataset) -> None:
    built = data["untrained_loss"].sel(kind_built="all monosemantic")
    np.testing.assert_allclose(built, data["naive_loss"], rtol=0.03)


def test_shuffled_weights_pass_nothing(data: xr.Dataset) -> None:
    noise = data.copy()
    generator = np.random.default_rng(0)
    noise["W"] = data["W"].copy(data=generator.permuted(data["W"].values.reshape(6, 24, 50), axis=-1).reshape(6, 24, 5, 10))
    noise["loss"] = xr.ones_like(data["loss"])
    assert not any(claim.holds for claim in hidden_codes.claims(noise))


def test_importance_decides_which_features_are_there() -> None:
    W = np.zeros((5, 10))
    W[:3, :3], W[3:, 3:6] = np.eye(3), [[1, 1, -1], [1, -1, 1]]
    assert hidden_codes.by_importance(W) == (True, 6, 3)
    assert hidden_codes.by_importance(W[:, [3, 4, 5, 0, 1, 2, 6, 7, 8, 9]]) == (False, 6, 3)
    assert hidden_codes.by_importance(W[:, ::-1]) == (False, 6, 3)


def test_the_order_of_words_is_read_from_the_best_fit_with_the_code(data: xr.Dataset) -> None:
    def holds(data: xr.Dataset) -> bool:
        return next(claim for claim in hidden_codes.claims(data) if claim.name == "important-words").holds

    names = np.full(data["kind"].shape, "unnamed", dtype="<U16")
    assert not holds(data.assign(kind=(data["kind"].dims, names)))
    names[hidden_codes.DENSITIES.index(0.06), :2] = "eight in five"
    ordered = hand_built("eight in five", 10)
    planted = data.assign(kind=(data["kind"].dims, names)).copy(deep=True)
    planted["W"].loc[{"density": 0.06}] = ordered
    assert hidden_codes.excited(ordered[None]).tolist() == [[3, 3, 3, 3, 2, 2, 2, 2, 0, 0]]
    assert holds(planted)
    planted["W"].loc[{"density": 0.06}] = ordered[:, [7, *range(1, 7), 0, 8, 9]]
    assert not holds(planted)


def test_pictures_show_every_density(data: xr.Dataset) -> None:
    figures = hidden_codes.figures(data)
    assert len(figures["neurons"].picture.data) == 12
    assert sum(len(trace.x) for trace in figures["census"].picture.data) == 6 * (24 + 6)


def test_the_lead_over_a_code_is_measured_on_other_samples(data: xr.Dataset) -> None:
    here = data.sel(density=0.7)
    first, second = here["loss"].argsort().values[[0, -1]]
    kinds = np.full(here.sizes["seed"], "unnamed", dtype="<U16")
    assert hidden_codes.lead(here.assign(kind=("seed", kinds)), "pairs") is None
    kinds[second] = "pairs"
    found = hidden_codes.lead(here.assign(kind=("seed", kinds)), "pairs")
    assert found is not None
    ahead, margin = found
    expected = float(here["loss"][int(second)] - here["loss"][int(first)])
    assert abs(ahead - expected) < 0.01
    assert ahead > 4 * margin > 0
    kinds[first] = "pairs"
    assert hidden_codes.lead(here.assign(kind=("seed", kinds)), "pairs") is None
