"""Every net family with every option, and random parameters for them: the battery that a new family joins."""

import numpy as np

from tegum.nets import (
    AbsoluteValue,
    Activation,
    ActivationOutput,
    Linear,
    Net,
    ReluHidden,
    ReluOutput,
    TargetMap,
    Untied,
    UntiedNeurons,
)

LEAKY = Activation("leaky", value=lambda y: max(y, 0.1 * y) + 0.2, slope=lambda y: 1.0 if y > 0 else 0.1)
"""A function of a user's own, not 0 at 0, so that lanes past the end of a batch would show."""

SIZES = [(1, 1), (2, 1), (5, 2), (6, 7), (20, 5), (33, 12)]


def families(n: int, m: int) -> list[Net]:
    """One net of each kind."""
    return [
        Linear(n, m),
        Linear(n, m, bias=False),
        ReluOutput(n, m),
        ReluOutput(n, m, bias=False),
        ActivationOutput(n, m, activation="softplus"),
        ActivationOutput(n, m, activation=LEAKY),
        Untied(n, m),
        Untied(n, m, hidden_bias=True, activation="tanh"),
        Untied(n, m, activation="identity", target_map=TargetMap(2 * np.eye(n)[::-1] - 0.1, 0.3, relu=False)),
        UntiedNeurons(n, m, hidden_bias=True, target_map=TargetMap(np.eye(n) - 0.5 * np.eye(n, k=1), 0.1)),
        ReluHidden(n, m),
        ReluHidden(n, m, hidden_bias=True),
        AbsoluteValue(n, m),
        AbsoluteValue(n, m, bias=False),
    ]


def random_parameters(net: Net, seed: int) -> dict[str, np.ndarray]:
    """Parameters large enough to open and close every ReLU."""
    generator = np.random.default_rng(seed)
    return {
        name: generator.normal(size=shape) * (0.8 if len(shape) == 2 else 0.3) / np.sqrt(shape[-1] if len(shape) == 2 else 1)
        for name, shape in net.parameter_shapes().items()
    }


def label(value: object) -> str:
    """A short name for a test's parameter."""
    if isinstance(value, Net):
        options = [name for name in ("bias", "hidden_bias") if getattr(value, name, False)]
        options += [value.output_activation.name] if isinstance(value, ActivationOutput | Untied | UntiedNeurons) else []
        return f"{type(value).__name__}-{value.n_features}-{value.n_hidden}-{'+'.join(options)}"
    return type(value).__name__ if hasattr(value, "importance") else str(value)
