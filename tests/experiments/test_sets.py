"""Correlated and anticorrelated sets end to end, with few seeds; shuffled and independent models pass nothing."""

import numpy as np
import pytest
import xarray as xr

from tegum import Recipe
from tegum.experiments.s5_correlated_features import anticorrelated_pairs, collapse, correlated_pairs, local_bases, three_pairs
from tegum.experiments.s5_correlated_features.shared import best_model, optimum

SHORT = Recipe(steps=2500, batch_size=256, learning_rate=5e-3, schedule="cosine", weight_decay=0, seeds=8)


@pytest.fixture(scope="module")
def pairs() -> xr.Dataset:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(correlated_pairs, "RECIPE", {"quick": SHORT})
        patch.setattr(correlated_pairs, "STARTS", 8)
        return correlated_pairs.study("quick")


def test_partners_are_orthogonal_and_eight_seeds_do_not_tell_correlated_from_independent_pairs(pairs: xr.Dataset) -> None:
    verdicts = {claim.name: claim.verdict for claim in correlated_pairs.claims(pairs)}
    assert verdicts.pop("square-law") == "held"
    assert set(verdicts.values()) == {"underpowered"}


def test_the_best_model_is_the_lowest_by_exact_loss_and_the_optimum_is_not_above_it(pairs: xr.Dataset) -> None:
    for density in pairs["density"].values:
        model = best_model(pairs, density)
        assert model["exact_loss"] == pairs["exact_loss"].sel(density=density).min()
        assert optimum(pairs, density)["minima_loss"] <= model["exact_loss"] + 1e-9


def test_the_papers_pairs_are_told_from_other_pairs() -> None:
    def like_the_paper(W: np.ndarray) -> bool:
        return bool(correlated_pairs.orthogonal(W) & correlated_pairs.opposed(W) & correlated_pairs.in_full(W))

    assert like_the_paper(np.array([[1.0, 0, -1, 0], [0, 1, 0, -1]]))
    assert not like_the_paper(np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]]))
    assert not like_the_paper(np.array([[1.0, 0, -1, 0], [0, 0.8, 0, -1]]))
    generator = np.random.default_rng(0)
    assert not any(like_the_paper(generator.normal(size=(2, 4))) for _ in range(100))


def test_a_kind_that_no_start_found_has_no_weights(pairs: xr.Dataset) -> None:
    nowhere = optimum(pairs, 0.05, "7 collapsed")
    assert np.isnan(nowhere["minima_loss"])
    assert np.isnan(nowhere["minima_W"]).all()
    assert np.isnan(nowhere["minima_b"]).all()


def test_anticorrelated_partners_are_opposites_and_lose_nothing() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anticorrelated_pairs, "RECIPE", {"quick": SHORT})
        patch.setattr(anticorrelated_pairs, "DENSITIES", [0.1, 0.5])
        patch.setattr(anticorrelated_pairs, "STARTS", 8)
        data = anticorrelated_pairs.study("quick")
    claims = {claim.name: claim for claim in anticorrelated_pairs.claims(data)}
    assert [claims[name].verdict for name in ("opposites", "axes", "norms", "lossless")] == ["held"] * 4
    assert claims["every-run"].verdict == "underpowered"


def test_six_features_form_a_hexagon_correlated_or_not_but_only_correlated_ones_are_trained_into_it() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(three_pairs, "RECIPE", {"quick": SHORT.replaced(seeds=12)})
        patch.setattr(three_pairs, "DENSITIES", [0.05, three_pairs.DENSER])
        data = three_pairs.study("quick")
    claims = {claim.name: claim for claim in three_pairs.claims(data)}
    assert [claims[name].holds for name in ("hexagon", "independent-trained", "independent-optimum")] == [True] * 3
    assert len(three_pairs.figures(data)["arrows"].picture.data) == 5 * 7


def test_hexagons_are_told_from_other_six() -> None:
    angles = np.radians(60.0 * np.arange(6))
    W = 0.95 * np.array([np.cos(angles), np.sin(angles)])
    assert three_pairs.even_hexagon(W)
    assert three_pairs.paper_hexagons(np.stack([W, 1.2 * W, W[:, [0, 2, 4, 1, 3, 5]]])) == [True, False, False]
    generator = np.random.default_rng(0)
    assert sum(three_pairs.even_hexagon(generator.normal(size=(2, 6))) for _ in range(500)) <= 5


def test_pairs_collapse_one_after_another_and_the_crossings_are_where_they_should_be() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collapse, "RECIPE", {"quick": SHORT.replaced(steps=300, seeds=2)})
        patch.setattr(collapse, "STARTS", {"quick": 24})
        data = collapse.study("quick")
    claims = {claim.name: claim for claim in collapse.claims(data)}
    assert claims["one-after-another"].verdict == claims["first-and-second"].verdict == "held"
    assert (claims["norm"].verdict, claims["all-from-a-quarter"].verdict) == ("held", "failed")
    np.testing.assert_allclose(data["meeting"], [0.07133, 0.14055, 0.39362], atol=2e-5)
    assert claims["dense-limit"].holds
    found = collapse.over_density(data, collapse.collapsed)
    assert claims["one-after-another"].applied_to(found).holds
    assert not claims["one-after-another"].applied_to(found.where(found["density"] < 0.9, 2)).holds
    assert not claims["one-after-another"].applied_to(found + 1).holds


def test_the_norms_of_collapsed_pairs_are_compared_and_no_others() -> None:
    W = np.array([[0.7, 0.74, 0, 0, -1, -0.5], [0, 0, 1, -0.2, 0, 0.8]])
    assert collapse.unevenness(W) == pytest.approx(0.04)
    assert collapse.unevenness(W[:, 2:]) == 0


def test_local_bases_know_their_blocks_and_no_other() -> None:
    generator = np.random.default_rng(0)
    order = generator.permutation(10)
    W = np.hstack([np.eye(10), -np.eye(10)[:, order]]) + generator.uniform(-0.01, 0.01, (10, 20))
    assert local_bases.permuted(W)
    assert local_bases.basis_error(W) < 0.1
    assert local_bases.represented(W) == {"represented": 20, "rank": 10}
    assert local_bases.represented(np.tile(W[:, :10], 2)) == {"represented": 20, "rank": 10}
    assert local_bases.represented(np.tile(W[:5, :10], 2)) == {"represented": 10, "rank": 5}
    turned, _ = np.linalg.qr(generator.normal(size=(10, 10)))
    assert not local_bases.permuted(np.hstack([np.eye(10), turned]))
    assert not local_bases.permuted(np.hstack([np.eye(10), -np.eye(10)[:, [0] * 10]]))
    assert local_bases.basis_error(generator.normal(size=(10, 20))) > 0.1
