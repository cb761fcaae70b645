"""The error of the packed code: exact against sampling, against a reference table, and where it is known."""

import numpy as np
import pytest

from tegum.errors import InvalidInputError
from tegum.theory.nonlinear_compression import LINEAR_ERROR, SHIFTS, Placement, compression_error, ramped_floor, unpacked

REFERENCE = {
    2: {0: 0.0208, 0.01: 0.0235, 0.02: 0.0261, 0.05: 0.0334, 0.1: 0.0440},
    3: {0: 0.0093, 0.01: 0.0143, 0.02: 0.0190, 0.05: 0.0318, 0.1: 0.0482},
    4: {0: 0.0052, 0.02: 0.0194, 0.05: 0.0367, 0.1: 0.0565},
    8: {0.1: 0.0759},
}
"""Computed once before, by other means, to about a unit of the last digit."""


@pytest.mark.parametrize("placement", SHIFTS)
@pytest.mark.parametrize(("segments", "epsilon"), [(1, 0.3), (2, 0.0), (2, 0.4), (3, 0.1), (4, 0.25), (8, 0.02)])
def test_the_exact_error_is_the_sampled_one(segments: int, epsilon: float, placement: Placement) -> None:
    x, y = np.random.default_rng(segments).random((2, 200_000))
    width = segments * epsilon
    x_back, y_back = unpacked(ramped_floor(segments * x, segments, width, placement) + y, segments, width, placement)
    errors = (x - x_back) ** 2 + (y - y_back) ** 2
    exact = compression_error(segments, epsilon, placement)
    assert abs(errors.mean() - exact) < 4 * errors.std() / np.sqrt(errors.size)


def test_the_reference_table() -> None:
    for segments, row in REFERENCE.items():
        for epsilon, error in row.items():
            assert compression_error(segments, epsilon) == pytest.approx(error, abs=1e-4)


def test_known_errors() -> None:
    assert compression_error(1, 0.5) == pytest.approx(LINEAR_ERROR, rel=1e-14)
    for segments in (2, 3, 9):
        assert compression_error(segments, 0) == pytest.approx(1 / (12 * segments**2), rel=1e-12)
    assert compression_error(3, 0.1, "before") == pytest.approx(compression_error(3, 0.1, "after"), rel=1e-12)


def test_a_ramp_replaces_each_step() -> None:
    u = np.array([0, 0.94, 1.0, 1.06, 1.5, 2.02, 3.0])
    np.testing.assert_allclose(ramped_floor(u, 3, 0.1), [0, 0, 0.5, 1, 1, 1.7, 2])
    np.testing.assert_allclose(ramped_floor(u, 3, 0), np.minimum(np.floor(u), 2))


def test_ramps_do_not_overlap() -> None:
    with pytest.raises(InvalidInputError, match=r"a ramp is 1\.2 wide"):
        compression_error(3, 0.4)
    with pytest.raises(InvalidInputError, match="segments is 0"):
        ramped_floor(0.5, 0, 0.1)
