"""One model's expected loss as a function of a flat parameter vector, for optimisers and solvers.

    objective = Objective(net, features)
    loss, gradient = objective(x)                 # x: W then b, row by row, shape (m n + n,)
    W, b = objective.parameters(x)

It keeps its memory between calls: a call costs little more than the arithmetic.
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.errors import InvalidInputError
from tegum.exact.model import enter_world, model_loss, point_for
from tegum.exact.product import require_terms, work_for
from tegum.exact.worlds import worlds_of
from tegum.features import Features
from tegum.nets import Linear, Net, ReluOutput, require_same_features


def activation_of(net: Net) -> bool:
    """Whether a net that the exact engine can treat is linear.

    Raises:
        InvalidInputError: for every other family.
    """
    if not isinstance(net, ReluOutput | Linear):
        raise InvalidInputError(
            f"the net is {net!r}", "the exact engine knows Linear and ReluOutput; train the others with tegum.train"
        )
    return isinstance(net, Linear)


@final
class Objective:
    """The expected loss and gradient of one world, as a function of a flat vector; one thread at a time."""

    def __init__(self, net: Net, features: Features, terms: int = 256) -> None:
        """Prepares memory; ``terms`` is fixed, so that loss and gradient belong to one smooth function.

        Raises:
            InvalidInputError: for a net or a world the engine cannot treat, or features with leading axes.
        """
        require_same_features(net, features.n_features)
        self._linear = int(activation_of(net))
        require_terms(terms)
        if features.batch_shape:
            raise InvalidInputError(f"the features have leading axes {features.batch_shape}", "give a single world")
        self.net, self.features, self.terms = net, features, terms
        worlds = worlds_of(features)
        self._world, self._work = worlds.blank(), work_for(net.n_features)
        self._point = point_for(net.n_hidden, net.n_features)
        enter_world(self._world, self._point, worlds.weight, worlds.importance, 0)

    @property
    def size(self) -> int:
        """How many parameters there are: m n + n."""
        return (self.net.n_hidden + 1) * self.net.n_features

    def parameters(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """W (..., m, n) and b (..., n) of flat vectors (..., size)."""
        m, n = self.net.n_hidden, self.net.n_features
        return x[..., : m * n].reshape(*x.shape[:-1], m, n), x[..., m * n :]

    def flat(self, W: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
        """The flat vector (..., size) of W (..., m, n) and b (..., n)."""
        W, b = np.asarray(W, dtype=np.float64), np.asarray(b, dtype=np.float64)
        return np.concatenate([W.reshape(*W.shape[:-2], -1), b], axis=-1)

    def __call__(self, x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Loss and gradient (size,) at x (size,); of a net without bias the gradient by b is 0.

        Raises:
            InvalidInputError: where x has another size.
        """
        if np.shape(x) != (self.size,):
            raise InvalidInputError(f"x has shape {np.shape(x)}", f"give ({self.size},): W row by row, then b")
        point = self._point
        W, b = self.parameters(x)
        point.W[...] = W
        point.b[...] = b
        loss, _, _ = model_loss(
            self._world,
            self._work,
            point.W,
            point.b,
            point.importance,
            1,
            self._linear,
            1,
            self.terms,
            self.terms,
            0.0,
            point.squared_error,
            point.dW,
            point.db,
        )
        by_b = point.db if self.net.bias else np.zeros_like(point.db)
        return float(loss), np.concatenate([point.dW.ravel(), by_b])

    def loss(self, x: NDArray[np.float64]) -> float:
        """The loss at x (size,)."""
        return self(x)[0]

    def gradient(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient (size,) at x (size,)."""
        return self(x)[1]
