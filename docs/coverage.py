"""The table "distribution x net" of docs/exact.md, made by trying every entry.

python docs/coverage.py          # prints it; docs/exact.md has to hold what is printed
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

import tegum as tg
from tegum.exact.distributions import is_native
from tegum.exact.laws import laws_of_net
from tegum.exact.objective import engine_of
from tegum.exact.parameters import is_compiled
from tegum.features import (
    AnticorrelatedSets,
    Constant,
    CorrelatedSets,
    Exponential,
    Features,
    FiniteLaw,
    Independent,
    Joined,
    KSparse,
    Magnitude,
    Mixture,
    Uniform,
    UnitLength,
    tree,
)
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

WAYS = {
    "BlocksLaw": "compiled",
    "StatesLaw": "a finite sum",
    "OneActiveLaw": "closed forms",
    "LatticeLaw": "met in the middle",
    "TransformLaw": "inversion in NumPy",
    "LinearLaw": "second moments",
    "SmoothLaw": "Fourier series",
}


class Triangular(Magnitude):
    """Density 2 u on [0, 1], a law as a user may write it."""

    largest = 1.0

    def moment(self, order: int) -> float:
        """2 / (order + 2)."""
        return 2 / (order + 2)

    def quantile(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """The square root."""
        return np.sqrt(probability)


class WithTransform(Triangular):
    """The same with its moment generating function."""

    def generating(self, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """2 (e^z (z - 1) + 1) / z^2, by its series near 0."""
        near = np.abs(z) < 1e-2
        w = np.where(near, 1, z)
        return np.where(near, 1 + 2 * z / 3 + z**2 / 4 + z**3 / 15 + z**4 / 72, 2 * (np.exp(w) * (w - 1) + 1) / w**2)


_DATA = np.random.default_rng(0).uniform(size=(50, 4))
_PAIR = Mixture([Independent(2, [1, 0.8]), Independent(2, [0, 0.1])], [0.2, 0.8])
ROWS: dict[str, Features] = {
    "`Independent`, uniform on [0, 1] or exponential": Independent(4, 0.2),
    "`CorrelatedSets`, `AnticorrelatedSets`, the same": AnticorrelatedSets(2, 2, 0.2),
    "the same with signs": CorrelatedSets(2, 2, 0.2, magnitude=Exponential(0.5), signed=True),
    "uniform on [low, high], low ≤ 0 ≤ high": Independent(4, 0.2, magnitude=Uniform(-0.5, 1)),
    "uniform on [low, high], away from 0": Independent(4, 0.2, magnitude=Uniform(0.5, 1)),
    "constant magnitudes, up to 9 binary features": Independent(4, 0.2, magnitude=Constant()),
    "constant magnitudes, up to about 40": Independent(12, 0.2, magnitude=Constant()),
    "constant magnitudes, more": Independent(60, 0.2, magnitude=Constant()),
    "`KSparse`, up to 1,000 choices": KSparse(4, 2),
    "`KSparse`, more, bounded magnitudes": KSparse(14, 5),
    "`KSparse`, more, exponential magnitudes": KSparse(14, 5, magnitude=Exponential()),
    "`FiniteLaw`, `Empirical`: tables and data sets": FiniteLaw(_DATA),
    "`Mixture` of any of these, `tree`": tree([None, 0, 0, 1], [0.5, 0.4, 0.3, 0.9]),
    "`Joined`: sets beside features, pairs beside pairs": Joined([_PAIR, _PAIR]),
    "a bounded magnitude of your own, with `generating`": Independent(4, 0.2, magnitude=WithTransform()),
    "a magnitude of your own, without": Independent(4, 0.2, magnitude=Triangular()),
    "`Joined` of uniform and exponential magnitudes": Joined(
        [Independent(2, 0.2), Independent(2, 0.2, magnitude=Exponential())]
    ),
    "`UnitLength` of any of these": UnitLength(Independent(4, 0.2)),
}
NETS: dict[str, Callable[[int], list[Net]]] = {
    "`ReluOutput`, `Untied`": lambda n: [ReluOutput(n, 2), Untied(n, 2, hidden_bias=True)],
    "`Linear`": lambda n: [Linear(n, 2)],
    "outputs \\|s\\|": lambda n: [ActivationOutput(n, 2, activation="abs"), Untied(n, 2, activation="abs")],
    "s², softplus, GELU, tanh": lambda n: [ActivationOutput(n, 2, activation=name) for name in _SMOOTH],
    "a smooth output of your own": lambda n: [ActivationOutput(n, 2, activation=_OWN)],
    "`ReluHidden`, `UntiedNeurons`, m = 1": lambda n: [ReluHidden(n, 1), UntiedNeurons(n, 1, hidden_bias=True)],
    "m > 1, `AbsoluteValue`, targets r(A x + v)": lambda n: [
        ReluHidden(n, 2),
        UntiedNeurons(n, 2),
        AbsoluteValue(n, 2),
        Untied(n, 2, target_map=TargetMap(np.eye(n))),
    ],
}
_SMOOTH = "square", "softplus", "gelu", "tanh"
_OWN = Activation("swish", value=lambda y: y / (1 + np.exp(-y)), slope=lambda y: (1 + y / (1 + np.exp(y))) / (1 + np.exp(-y)))
_BRIEF = tg.Recipe(steps=1, batch_size=64, evaluation_samples=64)


def entry(features: Features, net: Net) -> str:
    """How the loss of a distribution and a net is found: exactly, and by which way, or measured on samples, or not at all."""
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=own) / features.n_features for name, own in net.parameter_shapes().items()}
    try:
        engine_of(net, features)
    except tg.InvalidInputError:
        try:
            tg.expected_loss(net, params, features, samples=1024)
            return "sampled"
        except tg.InvalidInputError:
            return "refused"
    assert np.isfinite(tg.exact.loss(params, features=features, tol=1e-3, net=net))
    if is_native(features) and is_compiled(net):
        return "exact: compiled"
    laws = [law for _, law in laws_of_net(net, features).each[0]]
    laws = [part for law in laws for part in ([one for _, one in law.parts] if hasattr(law, "parts") else [law])]
    copied = any(getattr(law, "copies", None) is not None for law in laws)
    ways = ", ".join(dict.fromkeys(WAYS[type(law).__name__] for law in laws))
    return "exact: " + ways + (", with copies" if copied else "")


def table() -> str:
    """The table as Markdown."""
    lines = [f"| features | {' | '.join(NETS)} |", "|---" * (1 + len(NETS)) + "|"]
    for name, features in ROWS.items():
        cells = [" / ".join(dict.fromkeys(entry(features, net) for net in nets(features.n_features))) for nets in NETS.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
