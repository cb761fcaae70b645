"""Experiments on posteriors: what they count and compare, on small inputs whose answer is plain."""

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.experiments.posterior import learning_plateaus as plateaus
from tegum.experiments.posterior import llc_calibration as calibration
from tegum.experiments.posterior import loss_and_llc
from tegum.experiments.posterior import polygon_phases as phases
from tegum.experiments.posterior.shared import dead, four_gon, ring, world


def test_models_in_common_are_minima_of_known_losses() -> None:
    assert ring(6).loss == pytest.approx(0.04819, abs=6e-6)
    assert ring(5, 6).loss == pytest.approx(0.06180, abs=6e-6)
    assert dead(ring(5, 6)).loss == pytest.approx(0.06874, abs=6e-6)
    assert four_gon().loss == pytest.approx(0, abs=1e-12)


def test_ends_have_the_names_of_what_they_are() -> None:
    points = [ring(6), ring(5, 6), dead(ring(5, 6)), ring(4, 6)]
    W, b = np.array([one.W for one in points]), np.array([one.b for one in points])
    W, b = np.concatenate([W, np.zeros((1, 2, 6))]), np.concatenate([b, np.zeros((1, 6))])
    assert phases.ends_of(W, b).tolist() == ["6-gon", "5-gon, tuned sixth", "5-gon, dead sixth", "4-gon", "at most 3"]


def test_a_crossing_is_where_a_gap_stays_above_zero() -> None:
    n = np.array([1.0, 10.0, 100.0, 1000.0])
    assert phases.crossing(n, np.array([-1.0, -1.0, 1.0, 2.0])) == pytest.approx(np.sqrt(1000))
    assert phases.crossing(n, np.array([1.0, -1.0, 1.0, 2.0])) == pytest.approx(np.sqrt(1000))
    assert phases.crossing(n, np.array([1.0, 1.0, 1.0, 2.0])) == 1
    assert phases.crossing(n, np.array([1.0, 1.0, 1.0, -2.0])) == 1000


def test_estimates_are_compared_in_their_errors() -> None:
    truth, predicted, error = (xr.DataArray(one, dims="point") for one in ([7.0, 7.0], [7.5, 9.0], [0.1, 0.1]))
    assert calibration.agreeing(truth, predicted, error) == 0.5
    data = xr.Dataset({"estimate": truth, "truth": truth + 0.21, "error": error * 0})
    assert calibration.apart(data, "estimate", "error").values == pytest.approx([0.21 / (0.0075 * 7.21)] * 2)


def calibrated() -> xr.Dataset:
    """What a calibration would find if all were as predicted, which is nothing of SGLD with large steps, or at a kink."""
    points = [*calibration.REGULAR, "4-gon", "n = 20, m = 5"]
    settings, measured = list(calibration.SETTINGS), list(calibration.MEASURED)
    truth, volume = np.array([7, 8.5, 10, 5.5, 55]), np.array([7, 2, 5.5, 7, 11 / 6, 1 / 2])
    estimate = np.repeat(truth[:, None], len(settings), axis=1)
    few = [k for k, name in enumerate(settings) if "batches" in name or "gamma = 100" in name]
    estimate[:, few] *= 0.3
    estimate[:, settings.index("HMC, n = 1,000, gamma = 1")] *= 2
    each = ("point", "setting")
    data = xr.Dataset(
        {
            "estimate": (each, estimate),
            "error": (each, np.full(estimate.shape, 0.01)),
            "diverged": (each, np.zeros(estimate.shape)),
            "predicted": (each, estimate.copy()),
            "truth": ("point", truth),
            "volume": ("measured", volume),
            "volume_error": ("measured", np.full(6, 0.02)),
            "multiplicity": ("measured", list(calibration.MEASURED.values())),
            "volume_truth": ("measured", volume),
            "volume_parameters": ("measured", np.array([15, 4, 12, 18, 4, 2])),
        },
        {"point": points, "setting": settings, "measured": measured},
    )
    data["predicted"].loc[{"setting": "SGLD 1e-3, n = 10^5"}] = np.inf
    data["predicted"].loc[{"point": "4-gon"}] = np.nan
    return data


def test_what_was_not_measured_agrees_with_nothing() -> None:
    data = calibrated()
    assert {claim.name for claim in calibration.claims(data) if claim.verdict != "held"} == set()
    missing = data.copy(deep=True)
    missing["estimate"].loc[{"point": "6-gon", "setting": calibration.EXACT[1]}] = np.nan
    missing["volume"].loc[{"measured": "digon"}] = np.nan
    verdicts = {claim.name: claim.verdict for claim in calibration.claims(missing)}
    assert {name for name, one in verdicts.items() if one != "held"} == {"exact-samplers-everywhere", "volumes-agree"}
    missing["estimate"].loc[{"point": "6-gon", "setting": calibration.EXACT[0]}] = np.nan
    assert {claim.name: claim.verdict for claim in calibration.claims(missing)}["defaults"] != "held"


def test_a_claim_says_which_estimates_it_leaves_out() -> None:
    data = calibrated()
    data["diverged"].loc[{"point": "5-gon", "setting": "SGLD 1e-4, n = 10^5"}] = 0.25
    found = next(claim for claim in calibration.claims(data) if claim.name == "biases-are-predicted")
    assert "19 estimates at 4 points; left out: 4 of which none is predicted, 1 that diverged" in found.evidence.words
    assert "of which a finite value is predicted and no chain diverged" in found.how


def test_a_minimum_is_settled_without_a_change_of_its_loss() -> None:
    point = dead(ring(5, 6), bias=-0.01)
    W, b = point.W.copy(), point.b
    W[:, 5] = 0.01
    W, b = plateaus.settled(W, b)
    assert float(tg.exact.loss(W, b, world(6)[1])) == pytest.approx(point.loss)
    assert tg.posterior.exact_coefficient(*world(6), W, b).value == 7


def test_a_census_has_every_minimum_once_with_its_coefficient() -> None:
    rows = loss_and_llc.of_world("one", world(6)[1], 24)
    assert len({row["loss"] for row in rows}) == len(rows) >= 2
    assert sum(int(row["hits"]) for row in rows) <= 24  # type: ignore[call-overload]
    assert {row["coefficient"] for row in rows} <= {8.5, 7.0}
