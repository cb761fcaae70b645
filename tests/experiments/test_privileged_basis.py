"""Nets with a ReLU on the hidden layer, end to end with few seeds; shuffled weights show none of it."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.experiments.s8_privileged_basis import hidden_bias, hidden_codes, raw_weights
from tegum.experiments.s8_privileged_basis.raw_weights import LINEAR, RELU, dedicated
from tegum.geometry import code_of, hand_built
from tests.experiments.reduced import panels_of, reduced

biased = reduced(hidden_bias, RECIPE=hidden_bias.RECIPE["quick"].replaced(steps=1500, seeds=4), MANY_SEEDS=1, COUNTS=(10, 100))
raw = reduced(raw_weights, RECIPE=raw_weights.RECIPE["quick"].replaced(steps=4000, seeds=6), DENSITIES=[0.5, 0.3])
small = hidden_codes.RECIPE["quick"].replaced(steps=2500, batch_size=256, seeds=24, evaluation_samples=2**16)
coded = reduced(hidden_codes, RECIPE=small, SPARSEST=small)


@pytest.fixture(autouse=True)
def few_samples_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden_codes, "LEAD_SAMPLES", 2**13)
    monkeypatch.setattr(hidden_codes, "ENOUGH", 1)


def test_controls_fail_and_few_models_are_called_few(biased: xr.Dataset, raw: xr.Dataset, coded: xr.Dataset) -> None:
    claims = [*hidden_bias.claims(biased), *raw_weights.claims(raw), *hidden_codes.claims(coded)]
    assert len(claims) == 3 + 2 + 11
    for claim in claims:
        assert not any(control.holds for control in claim.controls), claim.name
        assert claim.verdict == "underpowered"


def test_units_with_a_bias_are_nearly_always_active(biased: xr.Dataset) -> None:
    assert (biased["active"].sel(bias=hidden_bias.BIASED).mean("seed") > 0.9).all()
    assert float(biased["active"].sel(bias=hidden_bias.PLAIN, density=0.05).mean()) < 0.5


def test_a_relu_makes_weights_readable(raw: xr.Dataset) -> None:
    assert dedicated(raw.sel(net=RELU, density=0.5)).mean() > 0.5
    assert dedicated(raw.sel(net=LINEAR)).max() < 0.4


def test_rotations_change_no_share_of_weights_that_are_noise(raw: xr.Dataset) -> None:
    turned = raw.copy()
    turned["W"] = raw["W"].copy(data=np.random.default_rng(0).normal(size=raw["W"].shape).astype(np.float32))
    readable, chance = raw_weights.claims(turned)
    assert not readable.holds
    assert chance.holds


def test_what_stands_beside_fits_has_their_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes built by hand and controls are trained as long as the fits at each density, and the data say how long that is."""
    short = tg.Recipe(steps=3, batch_size=64, learning_rate=1e-3, seeds=2, evaluation_samples=64)
    monkeypatch.setattr(hidden_codes, "RECIPE", {"quick": short})
    monkeypatch.setattr(hidden_codes, "SPARSEST", {"quick": short.replaced(steps=6)})
    used, train = dict[float, list[int]](), tg.train

    def recorded(net: tg.nets.Net, features: tg.features.Features, recipe: tg.Recipe, **options: Any) -> xr.Dataset:
        for density in options["sweep"]["density"]:
            used.setdefault(density, []).append(recipe.steps)
        return train(net, features, recipe, progress=False, **options)

    monkeypatch.setattr(tg, "train", recorded)
    data = hidden_codes.study("quick")
    assert used == {density: [3, 3, 3] for density in hidden_codes.DENSITIES[:-1]} | {0.03: [6, 6, 6]}
    assert [data.attrs[f"recipe_{k}_density"] for k in (1, 2)] == ["0.7, 0.3, 0.15, 0.12, 0.06", "0.03"]


def test_dense_features_are_monosemantic_and_sparser_ones_are_not(coded: xr.Dataset) -> None:
    W = tg.best(coded)["W"].values.astype(np.float64)
    assert code_of(W[0]).name == "all monosemantic"
    assert code_of(W[-1]).alone == 0


def test_the_monosemantic_code_has_the_closed_form_loss(coded: xr.Dataset) -> None:
    built = coded["untrained_loss"].sel(kind_built="all monosemantic")
    np.testing.assert_allclose(built, coded["naive_loss"], rtol=0.03)


def test_shuffled_weights_pass_nothing(coded: xr.Dataset) -> None:
    noise = coded.copy()
    generator = np.random.default_rng(0)
    noise["W"] = coded["W"].copy(data=generator.permuted(coded["W"].values.reshape(6, 24, 50), axis=-1).reshape(6, 24, 5, 10))
    noise["loss"] = xr.ones_like(coded["loss"])
    assert not any(claim.holds for claim in hidden_codes.claims(noise))


def test_importance_decides_which_features_are_there() -> None:
    W = np.zeros((5, 10))
    W[:3, :3], W[3:, 3:6] = np.eye(3), [[1, 1, -1], [1, -1, 1]]
    assert hidden_codes.by_importance(W) == (True, 6, 3)
    assert hidden_codes.by_importance(W[:, [3, 4, 5, 0, 1, 2, 6, 7, 8, 9]]) == (False, 6, 3)
    assert hidden_codes.by_importance(W[:, ::-1]) == (False, 6, 3)


def test_the_order_of_words_is_read_from_the_best_fit_with_the_code(coded: xr.Dataset) -> None:
    def holds(coded: xr.Dataset) -> bool:
        return next(claim for claim in hidden_codes.claims(coded) if claim.name == "important-words").holds

    names = np.full(coded["kind"].shape, "unnamed", dtype="<U16")
    assert not holds(coded.assign(kind=(coded["kind"].dims, names)))
    names[hidden_codes.DENSITIES.index(0.06), :2] = "eight in five"
    ordered = hand_built("eight in five", 10)
    planted = coded.assign(kind=(coded["kind"].dims, names)).copy(deep=True)
    planted["W"].loc[{"density": 0.06}] = ordered
    assert hidden_codes.excited(ordered[None]).tolist() == [[3, 3, 3, 3, 2, 2, 2, 2, 0, 0]]
    assert holds(planted)
    planted["W"].loc[{"density": 0.06}] = ordered[:, [7, *range(1, 7), 0, 8, 9]]
    assert not holds(planted)


def test_a_code_that_lacks_inhibition_says_so(coded: xr.Dataset) -> None:
    here, name = coded.sel(density=0.06).copy(deep=True), "eight in five"
    for W, said in ((hand_built(name, 10), False), (np.maximum(hand_built(name, 10), 0), True)):
        here["W"][:] = W
        note = hidden_codes.regime_claim(here, name, "words").note
        assert ("Not every inhibitory weight of 'eight in five' is there." in note) == said


def test_pictures_show_every_density(coded: xr.Dataset) -> None:
    figures = hidden_codes.figures(coded)
    assert panels_of(figures["neurons"]) == 12
    assert sum(len(trace.x) for trace in figures["census"].picture.data) == 6 * (24 + 6)


def test_the_lead_over_a_code_is_measured_on_other_samples(coded: xr.Dataset) -> None:
    here = coded.sel(density=0.7)
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
