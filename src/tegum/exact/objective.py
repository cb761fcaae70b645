"""One model's expected loss, with penalties or without, as a function of a flat parameter vector, for optimisers and solvers.

>>> import numpy as np, tegum as tg
>>> objective = tg.exact.Objective(tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.1))
>>> x = objective.flat([[1.0, -1.0]], [0.0, 0.0])                    # W row by row, then b, shape (m n + n,)
>>> loss, gradient = objective(x)
>>> round(loss, 9), gradient.round(4)
(0.003333333, array([-0.0017,  0.0017, -0.0033, -0.0033]))

It keeps its memory between calls: a call costs little more than the arithmetic.
"""

from collections.abc import Sequence
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import real_numbers
from tegum.errors import InvalidInputError
from tegum.exact.distributions import Distributions, distributions_of, is_native
from tegum.exact.evaluate import is_linear
from tegum.exact.kernel.hessian import STEP, differences_for, hessian_at_point
from tegum.exact.kernel.landscape import Landscape, loss_at
from tegum.exact.kernel.model import enter_distribution, point_for
from tegum.exact.kernel.records import require_terms, work_for
from tegum.exact.laws import LawLoss, Laws, laws_for
from tegum.exact.penalties import Penalty, compiled_weights, interpreted, penalties_checked
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


def free_of(net: Net, mask: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Which flat parameters (..., m n + n) may move: weights of a mask (..., m, n), by default all, and biases of the net."""
    mask = np.ones((net.n_hidden, net.n_features), dtype=bool) if mask is None else mask
    weights = mask.reshape(*mask.shape[:-2], mask.shape[-2] * mask.shape[-1])
    biases = np.broadcast_to(np.bool_(net.bias), (*mask.shape[:-2], net.n_features))
    return np.concatenate([weights, biases], axis=-1)


def landscape_for(net: Net, distributions: Distributions, terms: int, penalties: Sequence[Penalty] = ()) -> Landscape:
    """The loss of a net, and penalties that compiled code knows, in memory of its own; it enters one of the distributions."""
    interference, l2 = compiled_weights(penalties)
    return Landscape(
        distribution=distributions.blank(),
        work=work_for(net.n_features),
        point=point_for(net.n_hidden, net.n_features),
        linear=int(is_linear(net)),
        free=free_of(net).astype(np.float64),
        terms=terms,
        interference=interference,
        l2=l2,
    )


def engine_of(net: Net, features: Features) -> Distributions | Laws:
    """What the losses of a batch of distributions are computed with: tables for compiled code, or laws in Python.

    Raises:
        InvalidInputError: for features that neither of them covers.
    """
    return distributions_of(features) if is_native(features) else laws_for(features, is_linear(net))


def any_point(net: Net) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Some W (m, n) and b (n,), always the same, at which functions of them may be tried."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(net.n_hidden, net.n_features)) / 2, generator.normal(size=net.n_features) / 10


@final
class Objective:
    """The expected loss, gradient and Hessian for one distribution, as functions of a flat vector; one thread at a time.

    With ``penalties`` (see `tegum.exact.penalties`) what is minimised: the loss and they.
    """

    def __init__(self, net: Net, features: Features, terms: int = 256, *, penalties: Sequence[Penalty] = ()) -> None:
        """Prepares memory; ``terms`` is fixed, so that loss and gradient belong to one smooth function.

        Raises:
            InvalidInputError: for a net or features the engine cannot treat, features with leading axes, or what is no penalty.
        """
        require_same_features(net, features.n_features)
        is_linear(net)
        require_terms(terms)
        if features.batch_shape:
            raise InvalidInputError(f"the features have leading axes {features.batch_shape}", "give a single distribution")
        self.net, self.features, self.terms = net, features, terms
        self.penalties = tuple(one.on(features) for one in penalties_checked(penalties, *any_point(net)))
        self._free = free_of(net).astype(np.float64)
        tables = engine_of(net, features)
        self._by_law = LawLoss(net, tables, 0, terms) if isinstance(tables, Laws) else None
        self._added = interpreted(self.penalties) if self._by_law is None else self.penalties
        if isinstance(tables, Laws):
            return
        self._landscape = landscape_for(net, tables, terms, self.penalties)
        enter_distribution(self._landscape.distribution, self._landscape.point, tables.weight, tables.importance, 0)
        self._differences = differences_for(self.size)
        if not loss_at.overloads:  # compiled, or loaded, by a thread: numba loses an exception that Ctrl-C raises in it
            x = np.zeros(self.size)
            in_pieces(1, 1, lambda _: None, lambda *_: loss_at(self._landscape, x, np.empty_like(x)))

    @property
    def size(self) -> int:
        """How many parameters there are: m n + n."""
        return (self.net.n_hidden + 1) * self.net.n_features

    def with_terms(self, terms: int) -> "Objective":
        """The same with more terms or fewer."""
        return Objective(self.net, self.features, terms, penalties=self.penalties)

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
        x = np.array(x, dtype=np.float64)
        if self._by_law is not None:
            loss, gradient = self._by_law(x)
        else:
            gradient = np.empty(self.size)
            loss = float(loss_at(self._landscape, x, gradient))
        for penalty in self._added:
            value, by_W, by_b = penalty(*self.parameters(x))
            loss += value
            gradient += flat(by_W, by_b) * self._free
        return loss, gradient

    def loss(self, x: NDArray[np.float64]) -> float:
        """The loss at x (size,), with penalties where there are some."""
        return self(x)[0]

    def gradient(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient (size,) at x (size,)."""
        return self(x)[1]

    def hessian(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The symmetric Hessian (size, size) at x (size,), by 2 size gradients; `hessian_at` also says how exact it is."""
        self._require_size(x)
        x = np.array(x, dtype=np.float64)
        if self._by_law is not None:
            H = self._by_law.hessian(x)
        else:
            H = np.empty((self.size, self.size))
            self._write_hessian(x, H)
        for penalty in self._added:
            H += self._curved(penalty, x)
        return H

    def _write_hessian(self, x: NDArray[np.float64], H: NDArray[np.float64]) -> None:
        self._differences.x[...] = x
        in_pieces(
            1,
            1,
            lambda stop: self._differences._replace(stop=stop),
            lambda memory, *_: hessian_at_point(self._landscape, memory, H),
            brief=bool(hessian_at_point.overloads) and self.size * self.net.n_features**2 * self.terms <= _BRIEF_OPERATIONS,
        )

    def _curved(self, penalty: Penalty, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Second derivatives of a penalty, by central differences of its first."""
        free = self._free
        steps = STEP * np.diag(free)
        rows = [
            (flat(*penalty(*self.parameters(x + v))[1:]) - flat(*penalty(*self.parameters(x - v))[1:])) * free for v in steps
        ]
        H = np.array(rows) / (2 * STEP)
        return (H + H.T) / 2

    def _require_size(self, x: NDArray[np.float64]) -> None:
        x = real_numbers("x", x)
        if np.shape(x) != (self.size,):
            raise InvalidInputError(f"x has shape {np.shape(x)}", f"give ({self.size},): W row by row, then b")
