"""The exact surface of two weights: its minima are minima, and the phases are where they should be."""

import numpy as np
import pytest
import xarray as xr

from tegum.experiments import confused
from tegum.theory import two_in_one_loss, two_in_one_minima


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


def test_the_claims() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confused, "COUNT", {"quick": 40, "paper": 40})
        data = confused.study("quick")
    assert isinstance(data, xr.Dataset)
    verdicts = {claim.name: claim.verdict for claim in confused.claims(data)}
    assert verdicts["confused"] == verdicts["first-order"] == verdicts["two-minima"] == "held"
    assert set(confused.figures(data)) == {"surfaces"}
