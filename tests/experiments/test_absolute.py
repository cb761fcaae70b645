"""The absolute-value experiments end to end at small sizes: three features, a shorter sweep of many, the motif."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.experiments.s9_computation import absolute_close_up, absolute_small, absolute_sweep, asymmetric_motif
from tegum.experiments.s9_computation import shared as absolute_study
from tests.experiments.reduced import panels_of, reduced

SHORT = {"steps": 1500, "batch_size": 256, "seeds": 1, "evaluation_samples": 2**14}

small = reduced(absolute_small, RECIPE=absolute_small.RECIPE["quick"].replaced(steps=4000, seeds=24))
sweep = reduced(absolute_sweep, RECIPE=absolute_sweep.RECIPE["quick"].replaced(**SHORT))
close_up = reduced(absolute_close_up, RECIPE=absolute_close_up.RECIPE["quick"].replaced(**SHORT), SAMPLES=2**14)
few = asymmetric_motif.RECIPE["quick"].replaced(steps=3000, seeds=12, evaluation_samples=2**15)
nets = reduced(asymmetric_motif, RECIPE=few, DENSITIES=[0.2, 0.35])


def test_three_features_get_a_neuron_for_each_sign(small: xr.Dataset) -> None:
    for claim in absolute_small.claims(small):
        assert claim.verdict == "held", claim.name
        assert not any(control.holds for control in claim.controls)
    assert panels_of(absolute_small.figures(small)["stacks"]) == 4


def test_a_missing_or_doubled_neuron_is_seen(small: xr.Dataset) -> None:
    structure, summed, _ = absolute_small.claims(small)

    def net(W1: NDArray[np.float64], W2: NDArray[np.float64]) -> xr.Dataset:
        return xr.Dataset({"W1": (("hidden", "feature"), W1), "W2": (("feature", "hidden"), W2)})

    W1, W2 = np.vstack([np.eye(3), -np.eye(3)]), np.hstack([np.eye(3), np.eye(3)])
    assert structure.applied_to(net(W1, W2)).holds
    assert not structure.applied_to(net(abs(W1), W2)).holds
    assert not structure.applied_to(net(W1 + 0.2, W2)).holds
    assert summed.applied_to(net(W1, W2)).holds
    assert not summed.applied_to(net(W1, W2 + 0.06)).holds


def test_controls_of_the_sweep_fail_and_few_seeds_are_called_few(sweep: xr.Dataset) -> None:
    claims = absolute_sweep.claims(sweep)
    assert len(claims) == 8
    for claim in claims:
        assert not any(control.holds for control in claim.controls), claim.name
        assert claim.verdict == "underpowered"


def test_neurons_share_features_only_where_features_are_sparse(sweep: xr.Dataset) -> None:
    monosemantic = absolute_sweep.kinds(absolute_study.best_nets(sweep))["monosemantic"]
    assert monosemantic[:2].min() > 0.6
    assert monosemantic[-1] == 0
    figures = absolute_sweep.figures(sweep)
    assert panels_of(figures["neurons"]) == 7
    assert len(figures["scores"].picture.data) == len(absolute_sweep.SCORES)


def test_nets_that_train_badly_are_no_evidence_of_superposition(sweep: xr.Dataset) -> None:
    """Losses of dense features decide nothing, however high or low; those of sparse ones do."""
    dense, sparse = sweep["density"] >= 0.3, sweep["density"] <= 0.01
    for factor, where, holds in ((1.0, dense, True), (1e3, dense, True), (1e-3, dense, True), (1e3, sparse, False)):
        losses = sweep["naive"] * (factor * where + 0.5 * ~where) * xr.ones_like(sweep["loss"])
        changed = sweep.assign(loss=losses.transpose(*sweep["loss"].dims))
        claim = next(claim for claim in absolute_sweep.claims(changed) if claim.name == "computes-in-superposition")
        assert claim.holds == holds


def test_the_code_without_superposition_is_recognised(sweep: xr.Dataset) -> None:
    claim = next(claim for claim in absolute_sweep.claims(sweep) if claim.name == "pairs-at-one")
    V = np.zeros((40, 100))
    V[np.arange(20), np.arange(20)], V[np.arange(20, 40), np.arange(20)] = 1, -1
    assert claim.applied_to([V]).holds
    assert not claim.applied_to([V[:, ::-1]]).holds
    assert not claim.applied_to([abs(V)]).holds
    assert not claim.applied_to([np.vstack([V, V[:1]])]).holds


def test_initial_weights_differ_by_density_and_neurons_without_output_do_not_count(sweep: xr.Dataset) -> None:
    assert float(abs(sweep["start_W1"].sel(density=0.001)).mean()) > 3 * float(abs(sweep["start_W1"].sel(density=1)).mean())
    model = tg.best(sweep.sel(density=1)).copy(deep=True)
    model["W2"][:, 0] = 0
    assert len(absolute_study.neurons(model)) < absolute_study.M


def test_the_close_up_sees_mixed_middles(close_up: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in absolute_close_up.claims(close_up)}
    assert len(claims) == 6
    for name in ("middle-is-mixed-0.03", "top-looks-monosemantic", "primary-and-secondary"):
        assert not any(control.holds for control in claims[name].controls)
    assert len(absolute_close_up.figures(close_up)["activations"].picture.data) == 4


def test_ratios_have_the_mode_that_they_have() -> None:
    V = np.array([[1, 0.32, 0.1], [1, 0.35, 0], [1, 0.9, 0]])
    found = absolute_close_up.fullest_tenth({0.1: V, 0.03: V[[2, 2, 0]], 0.01: V[:0]})
    np.testing.assert_array_equal(found["fullest tenth around"], [0.35, 0.95, np.nan])
    np.testing.assert_array_equal(found["neurons in it"], [2, 2, 0])


def test_the_motif_beats_its_symmetric_version_and_few_seeds_are_called_few(nets: xr.Dataset) -> None:
    claims = {claim.name: claim for claim in asymmetric_motif.claims(nets)}
    assert claims["better-than-symmetric"].verdict == "held"
    assert claims["rate-6"].verdict == claims["rate-10"].verdict == "underpowered"
    assert not any(control.holds for claim in claims.values() for control in claim.controls)
    assert (np.diff(nets["built"].sel(density=0.2)[:5]) < 0).all()
    assert (nets["trained_on"] < nets["built"]).all()


def test_the_net_that_is_drawn_has_a_motif(nets: xr.Dataset) -> None:
    figures = asymmetric_motif.figures(nets)
    assert len(figures["ratio"].picture.data) == 4
    assert "disturbs" in figures["graph"].caption
