"""The codes of neurons end to end, with few restarts; shuffled weights have none of them."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments.s8_privileged_basis import hidden_codes


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    small = hidden_codes.SIZE["quick"].replaced(steps=2500, batch_size=256, seeds=24, evaluation_samples=2**16)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hidden_codes, "SIZE", {"quick": small})
        return hidden_codes.study("quick")


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden_codes, "LEAD_SAMPLES", 2**13)


def test_dense_worlds_are_monosemantic_and_sparser_ones_are_not(data: xr.Dataset) -> None:
    assert hidden_codes.code_at(data, 0.7).name == "all monosemantic"
    assert hidden_codes.code_at(data, 0.03).alone == 0
    verdicts = {claim.name: claim.verdict for claim in hidden_codes.claims(data)}
    assert len(verdicts) == 10
    assert set(verdicts.values()) == {"underpowered"}


def test_every_claim_has_a_control_that_fails(data: xr.Dataset) -> None:
    for claim in hidden_codes.claims(data):
        assert claim.control is not None
        assert not claim.control.holds


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
    assert hidden_codes.by_importance(W) == ("[0, 1, 2, 3, 4, 5], alone [0, 1, 2]", True)
    assert not hidden_codes.by_importance(W[:, [3, 4, 5, 0, 1, 2, 6, 7, 8, 9]])[1]
    assert not hidden_codes.by_importance(W[:, ::-1])[1]


def test_the_order_of_words_is_read_from_the_best_fit_with_the_code(data: xr.Dataset) -> None:
    names = np.full(data["kind"].shape, "unnamed", dtype="<U16")
    assert not hidden_codes.important_words(data.assign(kind=(data["kind"].dims, names))).holds
    names[list(hidden_codes.PRINTED).index(0.06), :2] = "eight in five"
    ordered = hidden_codes.hand_built("eight in five", 10)
    planted = data.assign(kind=(data["kind"].dims, names)).copy(deep=True)
    planted["W"].loc[{"density": 0.06}] = ordered
    assert hidden_codes.important_words(planted).holds
    planted["W"].loc[{"density": 0.06}] = ordered[:, [7, *range(1, 7), 0, 8, 9]]
    assert not hidden_codes.important_words(planted).holds


def test_pictures_show_every_density(data: xr.Dataset) -> None:
    figures = hidden_codes.figures(data)
    assert len(figures["neurons"].picture.data) == 12
    assert sum(len(trace.x) for trace in figures["census"].picture.data) == 6 * (24 + 6)


def test_the_lead_over_a_code_is_measured_on_other_samples(data: xr.Dataset) -> None:
    here = data.sel(density=0.7)
    first, second = here["loss"].argsort().values[[0, -1]]
    kinds = np.full(here.sizes["seed"], "unnamed", dtype="<U16")
    assert hidden_codes.lead(here.assign(kind=("seed", kinds)), "pairs", 0.7) == ""
    kinds[second] = "pairs"
    words = hidden_codes.lead(here.assign(kind=("seed", kinds)), "pairs", 0.7)
    ahead = float(words.split(" by ")[1].split(" +-")[0])
    expected = float(here["loss"][int(second)] - here["loss"][int(first)])
    assert abs(ahead - expected) < 0.01
    assert ahead > 0
    kinds[first] = "pairs"
    assert hidden_codes.lead(here.assign(kind=("seed", kinds)), "pairs", 0.7) == ""
