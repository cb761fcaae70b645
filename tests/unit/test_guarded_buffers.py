"""The engine's buffers are neither left nor read beyond, whatever net, features and recipe it is given."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tegum as tg
from tegum.training import arrays

RECIPE = tg.Recipe(steps=2, batch_size=64, evaluation_samples=64)
GUARD = 64 * 16
FILLS = (0x00, 0xFF)  # zeros, and what reads as NaN or as the largest index


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The engine's buffers with guards around them, filled with the last item of the list; checked at the end."""
    buffers: list[Any] = [FILLS[0]]

    def guarded_zeros(*shape: int) -> Any:
        size = 4 * int(np.prod(shape))
        raw = np.full(size + 2 * GUARD + 64, buffers[0], dtype=np.uint8)
        offset = -raw.ctypes.data % 64 + GUARD
        raw[offset : offset + size] = 0
        buffers.append((raw, offset, size, buffers[0]))
        return raw[offset : offset + size].view(np.float32).reshape(shape)

    monkeypatch.setattr(arrays, "_aligned", guarded_zeros)
    yield buffers
    assert len(buffers) > 10
    for raw, offset, size, fill in buffers[1:]:
        assert (raw[:offset] == fill).all()
        assert (raw[offset + size :] == fill).all()


NETS = (
    tg.nets.Linear(3, 2, bias=False),
    tg.nets.ReluOutput(5, 2),
    tg.nets.ReluHidden(3, 7, hidden_bias=True),
    tg.nets.AbsoluteValue(70, 3),
    tg.nets.ActivationOutput(5, 2, activation="tanh"),
)


@pytest.mark.parametrize("net", NETS, ids=repr)
def test_buffers_are_neither_left_nor_read_beyond(net: tg.nets.Net, guarded: list[Any]) -> None:
    n = net.n_features
    found = []
    for fill in FILLS:
        guarded[0] = fill
        for features in (
            tg.features.Independent(n, density=0.3, signed=True),
            tg.features.KSparse(n, 2),
            tg.features.AnticorrelatedSets(1, n, density=1 / n),
        ):
            fixed = RECIPE.replaced(
                optimizer="sgd", data_set_size=70, l1=0.1, record=("loss", *net.parameter_shapes()), record_steps=2
            )
            dropping = fixed.replaced(optimizer="rmsprop", dropout=0.3, loss_on="active")
            for recipe in (RECIPE, fixed, dropping):
                data = tg.train(net, features, recipe, sweep={"learning_rate": [1e-3, 0.1]}, threads=1)
                found.append({name: data[name].values for name in data if data[name].dtype.kind == "f"})
    half = len(found) // 2
    for first, second in zip(found[:half], found[half:], strict=True):
        for name, values in first.items():
            np.testing.assert_array_equal(values, second[name])
