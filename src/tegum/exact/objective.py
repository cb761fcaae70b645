"""One model's expected loss as a function of a flat parameter vector, for optimisers and solvers.

>>> import numpy as np, tegum as tg
>>> objective = tg.exact.Objective(tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.1))
>>> x = objective.flat([[1.0, -1.0]], [0.0, 0.0])                    # W row by row, then b, shape (m n + n,)
>>> loss, gradient = objective(x)
>>> round(loss, 9), gradient.round(4)
(0.003333333, array([-0.0017,  0.0017, -0.0033, -0.0033]))

It keeps its memory between calls: a call costs little more than the arithmetic.
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import real_numbers
from tegum.errors import InvalidInputError
from tegum.exact.distributions import Distributions, distributions_of, is_native
from tegum.exact.evaluate import is_linear
from tegum.exact.kernel.hessian import differences_for, hessian_at_point
from tegum.exact.kernel.landscape import Landscape, loss_at
from tegum.exact.kernel.model import enter_distribution, point_for
from tegum.exact.kernel.records import require_terms, work_for
from tegum.exact.laws import LawLoss, Laws, laws_for
from tegum.features import Features
from tegum.nets import Net, require_same_features
from tegum.threads import in_pieces

_BRIEF_OPERATIONS = 1e8


def parameters_of(net: Net, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """W (..., m, n) and b (..., n) of flat vectors (..., m n + n)."""
    m, n = net.n_hidden, net.n_features
    return x[..., : m * n].reshape(*x.shape[:-1], m, n), x[..., m * n :]


def flat(W: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """The flat vector (..., m n + n) of W (..., m, n) and b (..., n): W row by row, then b."""
    W, b = np.asarray(W, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return np.concatenate([W.reshape(*W.shape[:-2], W.shape[-2] * W.shape[-1]), b], axis=-1)


def landscape_for(net: Net, distributions: Distributions, terms: int) -> Landscape:
    """The loss of a net in memory of its own; compiled code enters one of the distributions."""
    return Landscape(
        distribution=distributions.blank(),
        work=work_for(net.n_features),
        point=point_for(net.n_hidden, net.n_features),
        linear=int(is_linear(net)),
        biased=int(net.bias),
        terms=terms,
    )


def engine_of(net: Net, features: Features) -> Distributions | Laws:
    """What the losses of a batch of distributions are computed with: tables for compiled code, or laws in Python.

    Raises:
        InvalidInputError: for features that neither of them covers.
    """
    return distributions_of(features) if is_native(features) else laws_for(features, is_linear(net))


@final
class Objective:
    """The expected loss, gradient and Hessian for one distribution, as functions of a flat vector; one thread at a time."""

    def __init__(self, net: Net, features: Features, terms: int = 256) -> None:
        """Prepares memory; ``terms`` is fixed, so that loss and gradient belong to one smooth function.

        Raises:
            InvalidInputError: for a net or features the engine cannot treat, or features with leading axes.
        """
        require_same_features(net, features.n_features)
        is_linear(net)
        require_terms(terms)
        if features.batch_shape:
            raise InvalidInputError(f"the features have leading axes {features.batch_shape}", "give a single distribution")
        self.net, self.features, self.terms = net, features, terms
        tables = engine_of(net, features)
        self._by_law = LawLoss(net, tables, 0, terms) if isinstance(tables, Laws) else None
        if isinstance(tables, Laws):
            return
        self._landscape = landscape_for(net, tables, terms)
        enter_distribution(self._landscape.distribution, self._landscape.point, tables.weight, tables.importance, 0)
        self._differences = differences_for(self.size)
        if not loss_at.overloads:  # compiled, or loaded, by a thread: numba loses an exception that Ctrl-C raises in it
            x = np.zeros(self.size)
            in_pieces(1, 1, lambda _: None, lambda *_: loss_at(self._landscape, x, np.empty_like(x)))

    @property
    def size(self) -> int:
        """How many parameters there are: m n + n."""
        return (self.net.n_hidden + 1) * self.net.n_features

    def parameters(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """W (..., m, n) and b (..., n) of flat vectors (..., size)."""
        return parameters_of(self.net, x)

    def flat(self, W: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
        """The flat vector (..., size) of W (..., m, n) and b (..., n)."""
        return flat(W, b)

    def __call__(self, x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Loss and gradient (size,) at x (size,); of a net without bias the gradient by b is 0.

        Raises:
            InvalidInputError: where x has another size.
        """
        self._require_size(x)
        if self._by_law is not None:
            return self._by_law(np.asarray(x, dtype=np.float64))
        gradient = np.empty(self.size)
        return float(loss_at(self._landscape, np.array(x, dtype=np.float64), gradient)), gradient

    def loss(self, x: NDArray[np.float64]) -> float:
        """The loss at x (size,)."""
        return self(x)[0]

    def gradient(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient (size,) at x (size,)."""
        return self(x)[1]

    def hessian(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The symmetric Hessian (size, size) at x (size,), by 2 size gradients; `hessian_at` also says how exact it is."""
        self._require_size(x)
        if self._by_law is not None:
            return self._by_law.hessian(np.asarray(x, dtype=np.float64))
        H = np.empty((self.size, self.size))
        self._differences.x[...] = x
        in_pieces(
            1,
            1,
            lambda stop: self._differences._replace(stop=stop),
            lambda memory, *_: hessian_at_point(self._landscape, memory, H),
            brief=bool(hessian_at_point.overloads) and self.size * self.net.n_features**2 * self.terms <= _BRIEF_OPERATIONS,
        )
        return H

    def _require_size(self, x: NDArray[np.float64]) -> None:
        x = real_numbers("x", x)
        if np.shape(x) != (self.size,):
            raise InvalidInputError(f"x has shape {np.shape(x)}", f"give ({self.size},): W row by row, then b")
