"""Public calls with one or two arguments that nobody should give."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import tegum as tg
from tests.fuzz.hostile import VALUES, Attempt

NET, FEATURES = tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.5)
RECIPE = tg.Recipe(steps=2, batch_size=64, evaluation_samples=64)
W, B = np.array([[1.0, -1.0]]), np.zeros(2)

CALLS: tuple[tuple[Callable[..., Any], dict[str, Any]], ...] = (
    (
        tg.train,
        {"net": NET, "features": FEATURES, "recipe": RECIPE, "sweep": None, "initial": None, "threads": 1, "progress": False},
    ),
    (
        tg.exact.minimise,
        {
            "net": NET,
            "features": FEATURES,
            "seeds": 2,
            "sweep": None,
            "initial": None,
            "scale": 1.0,
            "root_seed": 0,
            "warm_starts": 0,
        }
        | {"most_steps": 20, "tol": 1e-6, "gradient_tolerance": 1e-6, "certify": True, "terms": 32, "threads": 1},
    ),
    (
        tg.exact.evaluate,
        {"W": W, "b": B, "features": FEATURES, "tol": 1e-6, "net": NET, "gradient": True, "tied": True, "threads": 1},
    ),
    (FEATURES.sample, {"n_samples": 3, "seed": 0}),
    (tg.features.geometric, {"ratio": 0.9, "n_features": 3}),
    (tg.features.power_law, {"exponent": 1.0, "n_features": 3}),
    (tg.features.one_odd, {"importance": 2.0, "n_features": 3, "position": -1}),
    (tg.features.constant, {"n_features": 3, "value": 1.0}),
    (
        lambda labels, density: tg.train(NET, FEATURES, RECIPE, sweep={"a": tg.Axis(labels, density=density)}),
        {"labels": [1], "density": [0.5]},
    ),
    (lambda field, values: tg.train(NET, FEATURES, RECIPE, sweep={field: values}), {"field": "density", "values": [0.5]}),
    (lambda name, value: tg.train(NET, FEATURES, RECIPE, initial={name: value}), {"name": "W", "value": W}),
    (lambda value: tg.exact.minimise(NET, FEATURES, seeds=1, most_steps=5, initial={"W": value}), {"value": W}),
)


def calls(count: int, seed: int) -> Iterator[Attempt]:
    """Each returns, or says what is wrong."""
    generator, words = random.Random(seed), [value for value in VALUES if isinstance(value, str)]
    for _ in range(count):
        function, right = generator.choice(CALLS)
        names = generator.sample(list(right), k=min(len(right), generator.choice((1, 1, 2))))
        wrong = {name: generator.choice(words if name in ("name", "field") else VALUES) for name in names}
        yield f"{getattr(function, '__name__', function)}({wrong!r:.150})", partial(function, **right | wrong)
