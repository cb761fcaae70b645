"""A cache sees the outer call, and calls are told apart by everything that defines their result."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.caching import Call, cached, caching
from tegum.execution import Pieces
from tegum.features import Independent
from tegum.nets import ReluOutput
from tegum.runs import fingerprint

RECIPE = tg.Recipe(steps=30, batch_size=64, seeds=4, evaluation_samples=640)
NET, FEATURES = ReluOutput(4, 2), Independent(4)


def test_threads_and_progress_define_no_result() -> None:
    def function() -> xr.Dataset:
        return xr.Dataset()

    call = Call(function, {"net": NET, "threads": 2, "progress": None}, True)
    assert call.defining == {"net": NET}


def test_a_cache_sees_the_outer_call_only() -> None:
    seen: list[str] = []

    @cached()
    def inner() -> xr.Dataset:
        return xr.Dataset()

    @cached()
    def outer() -> xr.Dataset:
        return inner()

    def cache(call: Call) -> xr.Dataset:
        seen.append(call.function.__name__)
        return call.run()

    with caching(cache):
        outer()
    inner()
    assert seen == ["outer"]


def test_what_was_interrupted_is_never_called_finished(tmp_path: Path) -> None:
    """Also of a call that cannot be named, such as a training on a loss of one's own, and in a cache that computes."""

    @cached()
    def study(function: Any) -> xr.Dataset:
        return xr.Dataset({"a": function(2)}, attrs={"interrupted": 1})

    for cache in (None, Pieces(tmp_path, pytest.fail), Call.run):
        with caching(cache), pytest.raises(tg.Interrupted) as caught:
            study(lambda x: x + 1)
        assert caught.value.data["a"] == 3


VALUES: list[Any] = [
    1,
    1.0,
    True,
    "1",
    None,
    np.float32(1),
    np.array([1.0]),
    np.array([1]),
    np.array([[1.0]]),
    [1],
    (1,),
    [1, [2]],
    [[1], 2],
    {"a": 1},
    {"a": 2},
    {"b": 1},
    RECIPE,
    RECIPE.replaced(steps=31),
    FEATURES,
    Independent(4, density=0.5),
    Independent(4, density=np.nextafter(0.5, 1)),
    NET,
    ReluOutput(4, 3),
    tg.Axis(["x"], density=[0.5]),
    tg.Axis(["y"], density=[0.5]),
    xr.DataArray([1.0], dims="x"),
    xr.DataArray([1.0], dims="y"),
    xr.Dataset({"a": ("x", [1.0])}),
]


def own_class(share: float) -> type[tg.features.Features]:
    class Own(tg.features.Features):
        def __init__(self) -> None:
            self.set_fields(2, 0.5, 1.0)

        def active(self, n_samples: int, generator: np.random.Generator) -> Any:
            return generator.random((n_samples, 2)) < share * self.half

        @property
        def half(self) -> float:
            return 0.5

    return Own


def test_the_code_of_a_class_of_ones_own_is_part_of_a_fingerprint() -> None:
    """Else a study whose class was mended would go on with pieces of the wrong one."""
    one, other = own_class(1.0), own_class(0.9)
    assert fingerprint(one()) == fingerprint(own_class(1.0)()) != fingerprint(other())
    changed = own_class(1.0)
    changed.half = property(lambda self: 0.4)  # type: ignore[attr-defined]
    assert fingerprint(changed()) != fingerprint(one())


class Power(tg.features.Magnitude):
    """The largest of so many uniform numbers."""

    largest = 1.0

    def __init__(self, of: int) -> None:
        self.of = of

    def moment(self, order: int) -> float:
        return self.of / (self.of + order)

    def quantile(self, probability: Any) -> Any:
        return probability ** (1 / self.of)


def test_a_law_of_ones_own_has_a_fingerprint() -> None:
    prints = [fingerprint(Independent(4, magnitude=Power(of))) for of in (2, 3, 2)]
    assert prints[0] == prints[2] != prints[1]


def test_different_values_have_different_fingerprints() -> None:
    prints = [fingerprint(value) for value in VALUES]
    assert len(set(prints)) == len(VALUES)
    assert prints == [fingerprint(value) for value in VALUES]
    with pytest.raises(TypeError, match="function has no fingerprint"):
        fingerprint({"a": [lambda: 1]})


def test_order_is_content_and_attributes_are_none() -> None:
    assert fingerprint({"a": 1, "b": 2}) != fingerprint({"b": 2, "a": 1})
    data = xr.Dataset({"W": ("x", [1.0, 2.0])}, {"x": [0, 1]}, {"net": "Linear"})
    for other in (data.assign_attrs(net="ReluOutput"), data.assign(W=data.W.assign_attrs(units="1"))):
        assert fingerprint(other) == fingerprint(data)
    assert fingerprint(data.assign_coords(x=[1, 2])) != fingerprint(data)
    assert fingerprint({"steps": 100, "density": np.array([0.1])}) == "31779b2623d3fd06cfaa86e10f3a4551"  # of stored results


def test_what_makes_a_result_doubtful_is_said_wherever_it_comes_from(tmp_path: Path) -> None:
    """By a search as it stands, by one in pieces, and by one whose pieces are there already; to the line that calls it."""

    def warned() -> None:
        with pytest.warns(UserWarning, match="gradient_tolerance is 1e-08") as said:
            tg.exact.minimise(ReluOutput(2, 1), Independent(2, importance=1e-9), seeds=2)
        assert [Path(one.filename) for one in said] == [Path(__file__)]

    warned()
    for _ in range(2):
        with tg.executing(folder=tmp_path):
            warned()
    with pytest.raises(tg.InvalidInputError, match="importance is -1"):
        tg.exact.minimise(ReluOutput(2, 1), Independent(2), seeds=2, sweep={"importance": [-1]})
