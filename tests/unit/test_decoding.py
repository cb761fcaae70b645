"""Outputs that are compared in registers give what a product and a comparison after it give, and what NumPy gives."""

from itertools import product
from typing import Any

import numba
import numpy as np
import pytest

from tegum.compilation import compiled
from tegum.nets import AbsoluteValue, Linear, Net, ReluOutput
from tegum.processor import Registers
from tegum.training.arrays import Scratch, parameter_count, scratch_for, shape_of
from tegum.training.blocks import PANEL_WIDTH, ROWS, Layout, Place, Rows
from tegum.training.decoding import Decoder, Wanted, decode_and_compare, row_errors
from tegum.training.forward import decode_panel
from tegum.training.outputs import output_panel

KINDS = {"AVX-512": Registers(32, 16), "AVX2": Registers(16, 8), "NEON": Registers(32, 4), "SSE": Registers(16, 4)}


@pytest.fixture(params=KINDS, scope="module")
def compare(request: pytest.FixtureRequest) -> Any:
    """Errors of blocks of rows for one kind of registers; this machine splits or joins them as its own registers need."""
    rows = row_errors(KINDS[request.param])

    @numba.njit(_nrt=False)
    def errors_of(first, height, D, b, weights, layout, hidden, panel, bits, floor, importance, factor, loss, sums):  # type: ignore[no-untyped-def]
        decoder = Decoder(Place(b, 0), weights, layout, hidden.shape[0])
        wanted = Wanted(panel, bits, floor, importance, factor, loss, Place(sums, 0))
        rows(first, height, D, decoder, hidden, wanted)

    return errors_of


def test_blocks_of_errors_are_those_of_numpy(compare: Any) -> None:
    rng = np.random.default_rng(0)
    n, m, first, factor = ROWS + 2, 3, 2, np.float32(2 / PANEL_WIDTH)
    W, H = rng.normal(size=(n, m)).astype(np.float32), rng.normal(size=(m, PANEL_WIDTH)).astype(np.float32)
    b, importance = rng.normal(size=n).astype(np.float32), rng.uniform(0.5, 2, size=n).astype(np.float32)
    x = rng.normal(size=(n, PANEL_WIDTH)).astype(np.float32)
    for height, relu, absolute, by_row in product(range(1, ROWS + 1), (True, False), (True, False), (True, False)):
        layout, weights = (Layout(0, m, 1), W.ravel()) if by_row else (Layout(0, 1, n), W.T.ravel())
        bits, floor = np.uint32(0x7FFFFFFF if absolute else 0xFFFFFFFF), np.float32(0 if relu else -np.inf)
        D, loss, sums = np.full((n, PANEL_WIDTH), 7, np.float32), np.ones(PANEL_WIDTH, np.float32), np.ones(n, np.float32)
        compare(first, height, D, b, weights, layout, H, x, bits, floor, importance, factor, loss, sums)
        rows = slice(first, first + height)
        y = b[rows, None].astype(np.float64) + W[rows].astype(np.float64) @ H
        error = np.where(y > floor, y, 0) - (np.abs(x) if absolute else x)[rows]
        expected = np.where(y > floor, factor * importance[rows, None] * error, 0)
        np.testing.assert_allclose(D[rows], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(loss, 1 + (importance[rows, None] * error**2).sum(axis=0), rtol=1e-5)
        np.testing.assert_allclose(sums[rows], 1 + expected.sum(axis=1), rtol=1e-5)
        others = np.delete(np.arange(n), rows)
        assert (D[others] == 7).all()
        assert (sums[others] == 1).all()


@compiled
def _together(shape: Any, parameters: Any, importance: Any, factor: Any, scratch: Scratch) -> None:
    decode_and_compare(shape, parameters, importance, factor, scratch.inputs[0], scratch, 0)


@compiled
def _apart(shape: Any, parameters: Any, importance: Any, factor: Any, scratch: Scratch) -> None:
    decode_panel(shape, parameters, scratch, 0)
    output_panel(shape, importance, factor, scratch.inputs[0], Rows(scratch.every, shape.n), scratch, 0)


@pytest.mark.parametrize("net", [ReluOutput(13, 5), Linear(7, 3), AbsoluteValue(9, 4), ReluOutput(2, 1)], ids=str)
def test_together_is_one_after_the_other(net: Net) -> None:
    """D and the losses are the same numbers; sums over samples are, but for the order in which they are added."""
    rng = np.random.default_rng(1)
    inputs, hidden = rng.normal(size=(net.n_features, PANEL_WIDTH)), rng.normal(size=(net.n_hidden, PANEL_WIDTH))
    parameters = rng.normal(size=parameter_count(net)).astype(np.float32)
    importance = rng.uniform(0.5, 2, size=net.n_features).astype(np.float32)
    found = []
    for run in (_together, _apart):
        scratch = scratch_for(net)
        scratch.inputs[0], scratch.hidden[0] = inputs, hidden
        run(shape_of(net), parameters, importance, np.float32(0.01), scratch)
        found.append((scratch.outputs[0], scratch.sample_loss, scratch.gradient))
    (D, losses, gradient), (D_apart, losses_apart, gradient_apart) = found
    np.testing.assert_array_equal(D, D_apart)
    np.testing.assert_array_equal(losses, losses_apart)
    np.testing.assert_allclose(gradient, gradient_apart, rtol=1e-5, atol=1e-6)
    assert np.abs(D).max() > 0
    assert np.abs(gradient).max() > 0
