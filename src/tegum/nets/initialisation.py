"""First weights, with an explicit scale.

    xavier_normal     std = scale sqrt(2 / (n + m))          the default; per matrix, whatever is trained beside it
    xavier_uniform    on +-scale sqrt(6 / (n + m))           the same variance
    normal            std = scale
    uniform           on [-scale, scale]

Biases start at 0.  In sparse worlds a net of two matrices that starts so loses most outputs: x_i alone makes about half of the
output ReLUs negative, and those never wake.  ``alive_parameters`` makes W2 from the sizes in W1, so that every feature excites
its own output, at either sign, more than others.

The authors' notebook applies its Xavier rule to the tensor of *all* instances, so that its scale
shrinks with their number; tegum's never depends on it.

Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010).
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tegum.errors import InvalidInputError
from tegum.nets.net import Net

Initialisation = Literal["xavier_normal", "xavier_uniform", "normal", "uniform"]


def spread_of(initialisation: Initialisation, scale: float, shape: tuple[int, ...]) -> float:
    """The standard deviation of the normal laws, the half width of the uniform ones, for a matrix of ``shape``.

    Raises:
        InvalidInputError: for an initialisation that is not xavier_normal, xavier_uniform, normal or uniform.
    """
    if initialisation == "xavier_normal":
        return scale * float(np.sqrt(2 / sum(shape)))
    if initialisation == "xavier_uniform":
        return scale * float(np.sqrt(6 / sum(shape)))
    if initialisation in ("normal", "uniform"):
        return scale
    raise InvalidInputError(f"initialisation is {initialisation!r}", f"choose among {', '.join(get_args(Initialisation))}")


def initial_parameters(
    net: Net,
    generator: np.random.Generator,
    initialisation: Initialisation = "xavier_normal",
    scale: float = 1.0,
) -> dict[str, NDArray[np.float32]]:
    """The first parameters of one instance, by name and in the shapes that the net names: matrices drawn, biases zero.

    Raises:
        InvalidInputError: for an initialisation that is not xavier_normal, xavier_uniform, normal or uniform.
    """
    params = {}
    for name, shape in net.parameter_shapes().items():
        if len(shape) == 1:
            params[name] = np.zeros(shape, dtype=np.float32)
            continue
        width = spread_of(initialisation, scale, shape)
        draw = generator.uniform(-1, 1, shape) if initialisation.endswith("uniform") else generator.standard_normal(shape)
        params[name] = (width * draw).astype(np.float32)
    return params


_SHARED_PART = 0.8


def alive_parameters(net: Net, count: int, seed: int, scale: float = 1.0) -> dict[str, NDArray[np.float32]]:
    """First parameters of ``count`` nets with two matrices whose outputs are all alive: W1, W2 and the biases, which are 0.

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
    width = spread_of("xavier_normal", scale, (net.n_hidden, net.n_features))
    W1 = width * np.random.default_rng(seed).standard_normal((count, net.n_hidden, net.n_features))
    size = abs(W1)
    W2 = np.swapaxes(size - _SHARED_PART * size.mean(axis=(1, 2), keepdims=True), 1, 2)
    shapes = {name: shape for name, shape in net.parameter_shapes().items() if len(shape) == 1}
    params = {"W1": W1, "W2": W2} | {name: np.zeros((count, *shape)) for name, shape in shapes.items()}
    return {name: value.astype(np.float32) for name, value in params.items()}
