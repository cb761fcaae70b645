"""The parameters of a net: by name, as one flat vector, and as the map that an output sees.

    tied      x = (W, b)                         s = G x + c,    G = W^T W,    c = b
    untied    x = (W1, W2, b [, b_hidden])                       G = W2 W1,    c = b + W2 b_hidden

A flat vector has them one after the other, matrices row by row; the bias has a place in those of nets without one, where it is
held at 0.  The loss depends on the map alone, so that it does not change where other parameters have the same one:

    tied      W -> R W, R a rotation                            m (m - 1) / 2 directions
    untied    W1 -> A W1, W2 -> W2 A^-1, b_hidden -> A b_hidden, A invertible         m^2
              b_hidden -> b_hidden + e, b -> b - W2 e                     where both are there, m more

>>> import numpy as np, tegum as tg
>>> net = tg.nets.Untied(2, 1, hidden_bias=True)
>>> shapes_of(net)
{'W1': (1, 2), 'W2': (2, 1), 'b': (2,), 'b_hidden': (1,)}
>>> x = flat(net, [[1.0, -1.0]], [[2.0], [3.0]], [0.0, 0.5], [0.1])
>>> map_of(net, parameters_of(net, x))
(array([[ 2., -2.],
       [ 3., -3.]]), array([0.2, 0.8]))
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum import geometry
from tegum.errors import InvalidInputError
from tegum.nets import ACTIVATIONS, Activation, Net, TargetMap

Array = NDArray[np.float64]

_SINGULAR = 1e-6
_COMPARED = ("relu", "identity", "abs")
"""Activations of outputs that may be compared with a linear map of x."""


def is_neuron(net: Net) -> bool:
    """Whether a net has one hidden ReLU, and ReLUs behind it: y_j = r(w_j r(g x + c) + b_j), compared with x."""
    own = net.target_map is None and not net.absolute_target and net.output_activation is ACTIVATIONS["relu"]
    return net.hidden_relu and net.n_hidden == 1 and own and _is_plain(net)


def has_rows(net: Net) -> bool:
    """Whether second derivatives of a loss are made of those of its rows, by the couplings and the bias of one output each."""
    return net.tied and not is_neuron(net)


def _is_plain(net: Net) -> bool:
    """Whether a net is what its switches say, and no function of a family is another one."""
    return all(getattr(type(net), name) is getattr(Net, name) for name in ("hidden", "forward", "target"))


def require_exact(net: Net) -> None:
    """Raises an `InvalidInputError` for a net that the exact engine cannot treat."""
    if not is_neuron(net):
        outputs_of(net)


def outputs_of(net: Net) -> tuple[Activation, TargetMap | None]:
    """What the outputs of a net that the exact engine can treat are passed through, and compared with where that is not x.

    Raises:
        InvalidInputError: for nets whose outputs are no function of a linear map of x, or are compared with one that is none.
    """
    target = net.target_map
    if target is None:
        return output_of(net), None
    output, sampled = net.output_activation, "tegum.expected_loss samples it"
    if target.relu and min(target.matrix().min(), *target.v) < 0:
        what = "the net is compared with r(A x + v), and A or v has negative entries"
        raise InvalidInputError(what, f"the exact engine knows A x + v, TargetMap(..., relu=False); {sampled}")
    if net.hidden_relu or not _is_plain(net) or output not in [ACTIVATIONS[name] for name in _COMPARED]:
        what = f"the net is {net!r}"
        raise InvalidInputError(
            what, f"the exact engine compares {' and '.join(_COMPARED)} of a linear map with A x + v; {sampled}"
        )
    return output, target


def output_of(net: Net) -> Activation:
    """What the outputs of a net that is compared with x are passed through, s = G x + c before.

    Raises:
        InvalidInputError: for nets whose outputs are no function of a linear map of x, and those compared with something else.
    """
    if net.target_map is not None:
        what = "the net is compared with A x + v in place of x"
        raise InvalidInputError(
            what, "this takes nets that are compared with x; tegum.expected_loss and tegum.exact.loss take others"
        )
    if is_neuron(net):
        what = "this takes nets whose hidden units are linear"
        advice = f"{what}; tegum.exact.loss takes a single hidden ReLU, its parameters by name"
        raise InvalidInputError(f"the net is {net!r}", advice)
    if not _is_plain(net) or net.hidden_relu or net.absolute_target:
        what = "nets whose hidden units are linear, and single hidden ReLUs"
        raise InvalidInputError(f"the net is {net!r}", f"the exact engine knows {what}; tegum.expected_loss samples the others")
    return net.output_activation


def is_compiled(net: Net) -> bool:
    """Whether compiled code knows the net as it is: W and b, with a ReLU or nothing after them."""
    return has_rows(net) and output_of(net) in (ACTIVATIONS["relu"], ACTIVATIONS["identity"])


def require_tied(net: Net) -> None:
    """Raises an `InvalidInputError` where W alone is given of a net that has W1 and W2."""
    if not net.tied:
        raise InvalidInputError(f"W is given, and the net is {net!r}", "give its map W2 @ W1 in place of W, with tied=False")


def shapes_of(net: Net) -> dict[str, tuple[int, ...]]:
    """Name and shape of every part of the flat vector."""
    n, m = net.n_features, net.n_hidden
    matrices: dict[str, tuple[int, ...]] = {"W": (m, n)} if net.tied else {"W1": (m, n), "W2": (n, m)}
    return matrices | {"b": (n,)} | ({"b_hidden": (m,)} if net.has_hidden_bias else {})


def size_of(net: Net) -> int:
    """The length of the flat vector."""
    return sum(int(np.prod(shape)) for shape in shapes_of(net).values())


def parameters_of(net: Net, x: Array) -> tuple[Array, ...]:
    """The parameters, each (..., own shape), of flat vectors (..., d): W and b, or W1, W2, b and so on."""
    found, first = [], 0
    for shape in shapes_of(net).values():
        end = first + int(np.prod(shape))
        found.append(x[..., first:end].reshape(*x.shape[:-1], *shape))
        first = end
    return tuple(found)


def named(net: Net, x: Array) -> dict[str, Array]:
    """The parameters of flat vectors (..., d) by name."""
    return dict(zip(shapes_of(net), parameters_of(net, x), strict=True))


def flat(net: Net, *arrays: ArrayLike) -> Array:
    """The flat vectors (..., d) of parameters, in their order."""
    parts = []
    for array, shape in zip(arrays, shapes_of(net).values(), strict=True):
        part = np.asarray(array, dtype=np.float64)
        parts.append(part.reshape(*part.shape[: part.ndim - len(shape)], int(np.prod(shape))))
    return np.concatenate(parts, axis=-1)


def free_of(net: Net, mask: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Which flat parameters (..., d) may move: of W those of a mask (..., m, n), by default all, and biases of the net."""
    shapes = shapes_of(net)
    lead = () if mask is None else mask.shape[:-2]
    given: dict[str, NDArray[np.bool_]] = {} if mask is None else {"W": mask}
    given["b"] = np.full(net.n_features, net.bias)
    parts = [np.broadcast_to(given.get(name, np.ones(own, dtype=bool)), (*lead, *own)) for name, own in shapes.items()]
    return np.concatenate([part.reshape(*lead, -1) for part in parts], axis=-1)


def map_of(net: Net, parameters: Sequence[Array]) -> tuple[Array, Array]:
    """G (..., n, n) and c (..., n) of s = G x + c."""
    if net.tied:
        W, b = parameters
        return np.swapaxes(W, -1, -2) @ W, b
    W1, W2, b, *hidden = parameters
    return W2 @ W1, b + (W2 @ hidden[0][..., None])[..., 0] if hidden else b


def pulled_back(net: Net, parameters: Sequence[Array], dG: Array, dc: Array) -> tuple[Array, ...]:
    """The derivatives by the parameters of what has the derivatives dG (..., n, n) and dc (..., n) by their map."""
    if net.tied:
        return parameters[0] @ (dG + np.swapaxes(dG, -1, -2)), dc
    W1, W2, _, *hidden = parameters
    back = np.swapaxes(W2, -1, -2)
    by_W2 = dG @ np.swapaxes(W1, -1, -2)
    if not hidden:
        return back @ dG, by_W2, dc
    return back @ dG, by_W2 + dc[..., :, None] * hidden[0][..., None, :], dc, (back @ dc[..., None])[..., 0]


def exchanged(net: Net, x: Array, order: NDArray[np.int64]) -> Array:
    """The flat vector x (d,) with its features in other orders (k, n), shape (k, d)."""
    axes = {"W": 1, "W1": 1, "W2": 0, "b": 0}
    parts = []
    for array, (name, shape) in zip(parameters_of(net, x), shapes_of(net).items(), strict=True):
        if name in axes:
            parts.append(np.moveaxis(np.take(array, order, axis=axes[name]), axes[name], 0))
        else:
            parts.append(np.broadcast_to(array, (len(order), *shape)))
    return flat(net, *parts)


def gauge_directions(net: Net, x: Array) -> Array:
    """The directions (k, d) in which a net that is not of W and b alone changes without its outputs.

    A W1, -W2 A, A b_hidden for A = e_k e_l^T; and where both biases are free, b_hidden + e_k, b - W2 e_k.  A hidden ReLU may be
    scaled, and no more.
    """
    if net.tied:
        return np.zeros((0, x.size))
    W1, W2, b, *hidden = parameters_of(net, x)
    m = net.n_hidden
    found = [
        flat(net, A @ W1, -W2 @ A, np.zeros_like(b), *(A @ one for one in hidden)) for A in np.eye(m * m).reshape(-1, m, m)
    ]
    if hidden and net.bias and not net.hidden_relu:
        found += [flat(net, np.zeros_like(W1), np.zeros_like(W2), -W2 @ e, e) for e in np.eye(m)]
    return np.array(found)


def turned_onto(net: Net, x: Array, onto: Array) -> Array:
    """The flat vector x (d,) brought near another one without a change of its map: W rotated, or W1 by least squares."""
    first, *others = parameters_of(net, x)
    target = parameters_of(net, onto)[0]
    if net.tied:
        return x if net.hidden_relu else flat(net, geometry.aligned_to(first, target)[0], *others)
    A = np.linalg.lstsq(first.T, target.T, rcond=None)[0].T
    size = np.linalg.svd(A, compute_uv=False)
    if not size.min() > _SINGULAR * size.max() or (net.hidden_relu and A.min() < 0):
        return x
    W2, b, *hidden = others
    return flat(net, A @ first, W2 @ np.linalg.inv(A), b, *(A @ one for one in hidden))
