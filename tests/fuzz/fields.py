"""Every field of every net, recipe, distribution, magnitude, limit times every wrong value, and sizes that no machine has."""

import inspect
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import tegum as tg
from tests.fuzz.hostile import VALUES, Attempt

_FEW = 1500


def families(kind: type) -> list[type]:
    """The public families of nets."""
    found = [one for below in kind.__subclasses__() for one in (below, *families(below))]
    return [one for one in found if getattr(tg.nets, one.__name__, None) is one]


RIGHT: dict[Any, dict[str, Any]] = {
    **{family: {"n_features": 3, "n_hidden": 2} for family in families(tg.nets.Net)},
    tg.features.Independent: {"n_features": 3},
    tg.features.CorrelatedSets: {"n_sets": 2, "set_size": 2},
    tg.features.AnticorrelatedSets: {"n_sets": 2, "set_size": 2, "density": 0.2},
    tg.features.KSparse: {"n_features": 3, "n_active": 2},
    tg.features.FiniteLaw: {"states": [[1.0, 0.0], [0.0, 1.0]]},
    tg.features.Mixture: {"components": [tg.features.Independent(2, 0.1), tg.features.Independent(2, 0.5)]},
    tg.features.UnitLength: {"of": tg.features.Independent(2, 0.1)},
    tg.features.Joined: {"parts": [tg.features.Independent(2, 0.1), tg.features.Independent(1)]},
    tg.features.Uniform: {},
    tg.features.Exponential: {},
    tg.features.Constant: {},
    tg.exact.Interference: {"weight": 0.1},
    tg.exact.L2: {"weight": 0.1},
    tg.exact.Support: {"mask": [[1, 0]]},
    tg.exact.ColumnSparse: {"k": 1},
    tg.exact.NormBudget: {"budget": 1.0},
    tg.exact.Coherence: {"limit": 0.5},
    tg.Recipe: {"steps": 2, "batch_size": 64, "evaluation_samples": 64},
}
KINDS = {
    **dict.fromkeys(("bias", "hidden_bias", "signed"), bool),
    **dict.fromkeys(("n_features", "n_hidden", "n_sets", "set_size", "n_active"), int),
}
for family in (tg.features.Features, tg.features.Magnitude):
    assert {*family.__subclasses__()} < set(RIGHT)


def fields(count: int, seed: int) -> Iterator[Attempt]:
    """All, or of a small count a part that is drawn.

    Made, a field is of its own kind: what compiled code multiplies by is a number, what it asks is true or false.
    """
    every = [
        (kind, right, field, value)
        for kind, right in RIGHT.items()
        for field in (tg.Recipe.model_fields if kind is tg.Recipe else inspect.signature(kind).parameters)
        for value in VALUES
    ]
    for kind, right, field, value in random.Random(seed).sample(every, _FEW) if count < _FEW else every:
        yield f"{kind.__name__}({field}={value!r})", partial(_make, kind, right | {field: value}, field)


def _make(kind: Any, given: dict[str, Any], field: str) -> None:
    made = kind(**given)
    if field in KINDS:
        assert type(getattr(made, field)) is KINDS[field]
    repr(made)


def sizes() -> Iterator[Attempt]:
    """Each of these is refused before memory is taken."""
    net, features = tg.nets.ReluOutput(3, 2), tg.features.Independent(3)
    recorded = tg.Recipe(steps=10**9, record_steps=10**6, record=("W",), seeds=10**6)
    wide, many = tg.features.Independent(10**4), tg.Recipe(seeds=10**6)
    calls = (
        lambda: tg.nets.ReluOutput(10**6, 10**6),
        lambda: tg.features.CorrelatedSets(10**6, 10**6),
        lambda: features.sample(10**12, seed=0),
        lambda: tg.train(net, features, tg.Recipe(data_set_size=10**14)),
        lambda: tg.train(tg.nets.ReluOutput(10**4, 10**4), wide, many),
        lambda: tg.train(net, features, recorded),
        lambda: tg.exact.minimise(net, features, seeds=10**9),
        lambda: tg.exact.minimise(tg.nets.ReluOutput(10**4, 10**4), wide, seeds=10**6),
    )
    for number, call in enumerate(calls):
        yield f"size {number}", call
