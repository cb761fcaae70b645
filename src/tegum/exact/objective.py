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
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tegum.checking import misfit, real_numbers
from tegum.errors import InvalidInputError
from tegum.exact.constraints import Constraint, constraints_checked
from tegum.exact.distributions import Distributions, distributions_of, is_native
from tegum.exact.kernel.hessian import STEP, Differences, differences_for, hessian_at_point
from tegum.exact.kernel.landscape import Landscape, loss_at
from tegum.exact.kernel.model import enter_distribution, point_for
from tegum.exact.kernel.records import require_terms, work_for
from tegum.exact.laws import CurvedBy, LawLoss, Laws, laws_of_net
from tegum.exact.parameters import flat, free_of, is_compiled, output_of, parameters_of, require_exact, shapes_of, size_of
from tegum.exact.penalties import L1, Penalty, compiled_weights, interpreted, penalties_checked
from tegum.features import Features
from tegum.nets import ACTIVATIONS, Net, require_same_features
from tegum.threads import in_pieces

_BRIEF_OPERATIONS = 1e8


def landscape_for(net: Net, distributions: Distributions, terms: int, penalties: Sequence[Penalty] = ()) -> Landscape:
    """The loss of a net, and penalties that compiled code knows, in memory of its own; it enters one of the distributions."""
    interference, l2 = compiled_weights(penalties)
    return Landscape(
        distribution=distributions.blank(),
        work=work_for(net.n_features),
        point=point_for(net.n_hidden, net.n_features),
        linear=int(output_of(net) is ACTIVATIONS["identity"]),
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
    compiled = is_compiled(net) and is_native(features)
    return distributions_of(features) if compiled else laws_of_net(net, features)


def penalties_of(net: Net, penalties: Sequence[Penalty]) -> tuple[Penalty, ...]:
    """The penalties, tried at some point of the net that is always the same.

    Raises:
        InvalidInputError: for what is no penalty, for nets that have no W and b alone, of which penalties are functions, and
            for `L1` behind a hidden ReLU.
    """
    if problem := misfit("penalties", penalties, Sequence[Penalty]):
        raise InvalidInputError([problem])
    if not penalties:
        return ()
    require_weights(net, "penalties", penalties)
    active = next((one for one in penalties if isinstance(one, L1)), None)
    if net.hidden_relu and active is not None:
        what = f"{active!r} is asked of {net!r}, whose hidden unit is r(W x)"
        raise InvalidInputError(what, "leave it out, it is E |W x|; or train with tegum.Recipe(l1=...), which takes E r(W x)")
    generator = np.random.default_rng(0)
    W, b = generator.normal(size=(net.n_hidden, net.n_features)) / 2, generator.normal(size=net.n_features) / 10
    return penalties_checked(penalties, W, b)


def constraints_of(net: Net, constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """The constraints, refused where they are none, or the net has no W and b alone, of which they are conditions."""
    require_weights(net, "constraints", constraints)
    return constraints_checked(constraints, (net.n_hidden, net.n_features))


def require_weights(net: Net, name: str, given: Sequence[Any]) -> None:
    """Raises an `InvalidInputError` where something is given that only nets of one matrix W can have."""
    if given and set(shapes_of(net)) != {"W", "b"}:
        raise InvalidInputError(
            f"{name} are given to {net!r}", f"leave the {name} out: they are of W and b, in nets that have no others"
        )


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
        require_exact(net)
        require_terms(terms)
        if features.batch_shape:
            raise InvalidInputError(f"the features have leading axes {features.batch_shape}", "give a single distribution")
        self.net, self.features, self.terms = net, features, terms
        self.penalties = tuple(one.on(features) for one in penalties_of(net, penalties))
        self._free = free_of(net).astype(np.float64)
        tables = engine_of(net, features)
        self._by_law = LawLoss(net, tables, 0, terms) if isinstance(tables, Laws) else None
        self._added = interpreted(self.penalties) if self._by_law is None else self.penalties
        if isinstance(tables, Laws):
            return
        self._landscape = landscape_for(net, tables, terms, self.penalties)
        enter_distribution(self._landscape.distribution, self._landscape.point, tables.weight, tables.importance, 0)
        self._differences = differences_for(net.n_hidden, net.n_features)
        if not loss_at.overloads:  # compiled, or loaded, by a thread: numba loses an exception that Ctrl-C raises in it
            x = np.zeros(self.size)
            in_pieces(1, 1, lambda _: None, lambda *_: loss_at(self._landscape, x, np.empty_like(x)))

    @property
    def curved_by(self) -> CurvedBy:
        """How `hessian_by_rows` finds the Hessian: a sum over states, an inversion, or differences of gradients."""
        return "inversion" if self._by_law is None else self._by_law.curved_by

    @cached_property
    def size(self) -> int:
        """How many parameters there are: m n + n, or all of W1, W2, b and b_hidden."""
        return size_of(self.net)

    def with_terms(self, terms: int) -> "Objective":
        """The same with more terms or fewer."""
        return Objective(self.net, self.features, terms, penalties=self.penalties)

    def parameters(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """W (..., m, n) and b (..., n), or W1, W2, b and b_hidden of an untied net, of flat vectors (..., size)."""
        return parameters_of(self.net, x)

    def flat(self, *arrays: ArrayLike, **named: ArrayLike) -> NDArray[np.float64]:
        """The flat vector (..., size) of W (..., m, n) and b (..., n), or of W1, W2, b and b_hidden of an untied net."""
        names = list(shapes_of(self.net))
        given = dict(zip(names, arrays, strict=False)) | named
        if set(given) != set(names) or len(arrays) + len(named) != len(names):
            what = f"{len(arrays)} parameters are given" + "".join(f", and {name}" for name in named)
            raise InvalidInputError(what, f"give {', '.join(names)}")
        return flat(self.net, *(given[name] for name in names))

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
            gradient += self.flat(by_W, by_b) * self._free
        return loss, gradient

    def loss(self, x: NDArray[np.float64]) -> float:
        """The loss at x (size,), with penalties where there are some."""
        return self(x)[0]

    def gradient(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient (size,) at x (size,)."""
        return self(x)[1]

    def hessian(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The symmetric Hessian (size, size) at x (size,).

        Beside a kink, where second derivatives jump, it is of both sides together; `tegum.exact.hessian_at` says by how much.
        """
        self._require_size(x)
        x = np.array(x, dtype=np.float64)
        H = self._by_law.hessian(x) if self._by_law is not None else self._write_hessian(x, STEP, self.terms)[0]
        for penalty in self._added:
            H += self._curved(penalty, x)
        return H

    def hessian_by_rows(
        self, x: NDArray[np.float64], step: float = STEP, terms: int | None = None
    ) -> tuple[NDArray[np.float64], float] | None:
        """The Hessian with so many ``terms``, and how it jumps within ``step``, put together row by row.

        Where nothing in it is a difference of gradients, the jump is 0.  None of untied nets, of penalties that compiled code
        does not know, and of finite laws next to a kink.
        """
        if self._added:
            return None
        if self._by_law is not None:
            return self._by_law.hessian_by_rows(x, step, terms)
        return self._write_hessian(x, step, terms or self.terms)

    def _write_hessian(self, x: NDArray[np.float64], step: float, terms: int) -> tuple[NDArray[np.float64], float]:
        self._differences.x[...] = x
        H, jump, landscape = np.empty((self.size, self.size)), np.zeros(1), self._landscape._replace(terms=terms)

        def work(memory: Differences, *_: int) -> None:
            jump[0] = hessian_at_point(landscape, memory, step, H)

        brief = bool(hessian_at_point.overloads) and self.size * self.net.n_features**2 * terms <= _BRIEF_OPERATIONS
        in_pieces(1, 1, lambda stop: self._differences._replace(stop=stop), work, brief=brief)
        return H, float(jump[0])

    def _curved(self, penalty: Penalty, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Second derivatives of a penalty, by central differences of its first."""
        free = self._free
        steps = STEP * np.diag(free)
        rows = [
            (self.flat(*penalty(*self.parameters(x + v))[1:]) - self.flat(*penalty(*self.parameters(x - v))[1:])) * free
            for v in steps
        ]
        H = np.array(rows) / (2 * STEP)
        return (H + H.T) / 2

    def _require_size(self, x: NDArray[np.float64]) -> None:
        x = real_numbers("x", x)
        if np.shape(x) != (self.size,):
            order = ", ".join(f"{name} row by row" if len(own) == 2 else name for name, own in shapes_of(self.net).items())
            raise InvalidInputError(f"x has shape {np.shape(x)}", f"give ({self.size},): {order.replace(', b', ', then b', 1)}")
