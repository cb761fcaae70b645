"""Initial weights, with an explicit scale.

    xavier_normal     std = scale sqrt(2 / (n + m))          the default; per matrix, whatever is trained beside it
    xavier_uniform    on +-scale sqrt(6 / (n + m))           the same variance
    normal            std = scale
    uniform           on [-scale, scale]

>>> from tegum.nets import ReluOutput
>>> params = initial_parameters(ReluOutput(3, 2), np.random.default_rng(0))
>>> params["W"].round(2), params["b"]
(array([[ 0.08, -0.08,  0.41],
       [ 0.07, -0.34,  0.23]], dtype=float32), array([0., 0., 0.], dtype=float32))

Biases start at 0.  Where features are sparse, a net of two matrices that starts so loses most outputs: x_i alone makes about
half of the output ReLUs negative, and those never become active again.  ``active_parameters`` makes W2 from the sizes in W1, so
that every feature excites its own output, at either sign, more than others.

The authors' notebook applies its Xavier rule to the tensor of *all* instances, so that its scale
shrinks with their number; tegum's never depends on it.

Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010).
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tegum.checking import checked, require_memory, require_range, require_seeds
from tegum.errors import InvalidInputError, Problems
from tegum.nets.net import Net

Initialisation = Literal["xavier_normal", "xavier_uniform", "normal", "uniform"]

_SHARED_PART = 0.8


def _width(initialisation: Initialisation, scale: float, shape: tuple[int, ...]) -> float:
    """The standard deviation of the normal laws, the half width of the uniform ones, for a matrix of ``shape``."""
    if initialisation not in (known := get_args(Initialisation)):
        raise InvalidInputError(f"initialisation is {initialisation!r}", f"choose among {', '.join(known)}")
    require_range("scale", scale, 0, 1e15)
    variance = {"xavier_normal": 2, "xavier_uniform": 6}.get(initialisation)
    return scale if variance is None else scale * float(np.sqrt(variance / sum(shape)))


@checked
def initial_parameters(
    net: Net, generator: np.random.Generator, initialisation: Initialisation = "xavier_normal", scale: float = 1.0
) -> dict[str, NDArray[np.float32]]:
    """The initial parameters of one instance, by name and in the shapes that the net names: matrices drawn, biases zero.

    Raises:
        InvalidInputError: for an initialisation that is not xavier_normal, xavier_uniform, normal or uniform.
    """
    return next(parameters_of_each(net, [generator], initialisation, scale))


def parameters_of_each(
    net: Net, generators: Iterable[np.random.Generator], initialisation: Initialisation, scale: float
) -> Iterator[dict[str, NDArray[np.float32]]]:
    """What `initial_parameters` returns, for one generator after the other: what is asked for is looked at once."""
    shapes = net.parameter_shapes()
    widths = {name: _width(initialisation, scale, shape) for name, shape in shapes.items() if len(shape) > 1}
    for generator in generators:
        draw = partial(generator.uniform, -1, 1) if initialisation.endswith("uniform") else generator.standard_normal
        drawn = {name: np.asarray(width * draw(shapes[name]), dtype=np.float32) for name, width in widths.items()}
        yield {name: drawn[name] if name in drawn else np.zeros(shape, dtype=np.float32) for name, shape in shapes.items()}


@checked
def active_parameters(net: Net, count: int, seed: int, scale: float = 1.0) -> dict[str, NDArray[np.float32]]:
    """Initial parameters of ``count`` nets with two matrices whose outputs are all active: W1, W2 and the biases, which are 0.

    W1 is Xavier normal times ``scale``; W2 is |W1|^T less 0.8 of the mean |W1|, which keeps features from exciting each other.

    Args:
        net: a net with two matrices.
        count: how many nets; it is the first axis of every array, W1 (count, m, n), W2 (count, n, m).
        seed: what W1 is drawn from.
        scale: how large W1 is.

    Raises:
        InvalidInputError: for a net with one matrix.
    """
    if net.tied:
        raise InvalidInputError(f"the net is {net!r}", "choose one with two matrices, such as AbsoluteValue")
    with Problems() as problems:
        problems.check_count("count", count)
    require_seeds(seed)
    require_memory(f"{count} nets", 16 * count * net.n_hidden * net.n_features)
    width = _width("xavier_normal", scale, (net.n_hidden, net.n_features))
    W1 = width * np.random.default_rng(seed).standard_normal((count, net.n_hidden, net.n_features))
    W2 = np.swapaxes(abs(W1) - _SHARED_PART * abs(W1).mean(axis=(1, 2), keepdims=True), 1, 2)
    params = {name: np.zeros((count, *shape)) for name, shape in net.parameter_shapes().items()} | {"W1": W1, "W2": W2}
    return {name: value.astype(np.float32) for name, value in params.items()}
