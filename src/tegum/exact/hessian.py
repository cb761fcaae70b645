"""Second derivatives of the exact loss at a point, the directions that cannot curve, and the smallest curvature.

The Hessian is found by inversion (`tegum.exact.kernel.curvature`) where features are independent or in sets, of uniform or
exponential magnitudes, and no kink is near: no step, and an error that falls like that of the loss.  Of finitely many states it
is a sum.  Elsewhere it is made of differences, of other distributions' row by row (`tegum.exact.laws.curvature`),

    H v  =  [gradient(x + h v) - gradient(x - h v)] / (2 h)  +  O(h^2)

The gradient is exact for its own loss, so differences of it are good to about eight digits: those of two step sizes are
combined (Richardson), and how well they agree is the error estimate.  Two things can spoil them, and both show in it: a *kink*,
where the Hessian itself jumps (a ReLU whose bias is 0, when its feature has a dimension to itself): there
[g(x + h v) - 2 g(x) + g(x - h v)] / h does not vanish with h; and a tiny jump of the truncated gradient somewhere between the
points: then smaller steps are tried.

The terms of the inversion fade out, so that errors of the Hessian fall like those of the loss, about 1 / terms^5.  What
they leave out is in every error, judged by half and a quarter as many; `truncation_error` says what eight times would change.

The loss depends on W through W^T W, so it is constant along the rotations W -> R W.  Their directions E W, E skew, are
orthogonal to every gradient, and zero modes of the Hessian at every critical point.  With W = sum_a s_a u_a v_a^T,

    s_b u_a v_b^T - s_a u_b v_a^T      for every pair a < b of which not both s are 0

are an orthogonal basis: m (m - 1) / 2 of them, (m - r)(m - r - 1) / 2 fewer where W has rank r < m.

>>> import numpy as np, tegum as tg
>>> objective = tg.exact.Objective(tg.nets.Linear(2, 1), tg.features.Independent(2))
>>> x = objective.flat(W=[[1.0, 0.0]], b=[0.0, 0.5])                   # the second feature dropped, its mean as bias
>>> H, error = tg.exact.hessian_at(objective, x)
>>> tg.exact.curvatures(H, tg.exact.rotation_modes(x[None, :2])).round(4) + 0.0      # ascending; m = 1: no rotations
array([0.    , 0.3372, 2.4123, 4.9171])

Sources: Weyl's inequality, for what an error of H does to its eigenvalues; Clarke, "Optimization and Nonsmooth Analysis"
(1983), for second derivatives that jump; Hutchinson (1990), for norms from random directions.
"""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.checking import require_range
from tegum.errors import InvalidInputError
from tegum.exact.kernel.hessian import STEP
from tegum.exact.kernel.records import MOST_TERMS
from tegum.exact.laws import CurvedBy
from tegum.exact.objective import Objective
from tegum.exact.parameters import gauge_directions, parameters_of
from tegum.nets import Net

_STEPS = (STEP, 1e-5, 1e-6, 1e-7)
_AGREES, _KINK = 1e-7, 1e-4
_RANK_TOLERANCE, _FLAT = 1e-7, 1e-8
_CONE_STARTS, _TURNS, _BESIDE, _SETTLED = 3, 12, 1e-2, 1e-7
_SHARES = (1.0, 0.5, 0.2, 0.05)
_SHARPER, _STEP_OF_TERMS, _FEW_TERMS = 8, 4, 32
_ROUNDING, _ROUNDED, _MOST_WHOLE, _CAUTION = 1e-13, 2e-15, 600, 2.0


@runtime_checkable
class HasGradient(Protocol):
    """Anything with a gradient: `Objective`, or a function written down in a test."""

    def gradient(self, x: NDArray[np.float64], /) -> NDArray[np.float64]:
        """The gradient (d,) at x (d,)."""
        ...


@runtime_checkable
class HasRows(HasGradient, Protocol):
    """Anything whose Hessian is known row by row: `Objective`.

    It is a ``sum`` over states, which knows no terms, an ``inversion`` in compiled code, or made of ``differences`` of rows.
    """

    terms: int

    @property
    def curved_by(self) -> CurvedBy:
        """As `tegum.exact.Objective.curved_by`."""
        ...

    def hessian_by_rows(
        self, x: NDArray[np.float64], step: float = STEP, terms: int | None = None
    ) -> tuple[NDArray[np.float64], float] | None:
        """As `tegum.exact.Objective.hessian_by_rows`."""
        ...


class Curvature(NamedTuple):
    """The smallest curvature at a point: its value, its estimated error, and the direction (d,) of length 1."""

    value: float
    error: float
    direction: NDArray[np.float64]


@takes_arrays
def hessian_vector_product(
    objective: HasGradient, x: Float[np.ndarray, " d"], v: Float[np.ndarray, " d"]
) -> tuple[Float[np.ndarray, " d"], float]:
    """H v at x and the estimated norm of its error: from the Hessian where it is known, or by 5 to 17 gradients, taken twice.

    Args:
        objective: anything with a ``gradient(x)``, such as `tegum.exact.Objective`.
        x: the point, as `Objective.flat` lays out W and b.
        v: the direction.

    At a kink H v is the mean over both sides, and the error is as large as half their difference.
    """
    length = float(np.linalg.norm(v))
    if length == 0:
        return np.zeros_like(x), 0.0
    rows = objective if isinstance(objective, HasRows) and objective.curved_by != "differences" else None
    if rows is not None and x.size <= _MOST_WHOLE and (found := _by_rows(rows, x, None)) is not None:
        return found[0] @ v, length * (found[1] + _left_out(objective, x, found[0]))
    product, error = _product(objective, x, v / length, objective.gradient(x))
    left = 0.0
    if isinstance(objective, Objective):
        other = objective.with_terms(objective.terms // 2 if objective.terms > _FEW_TERMS else 2 * objective.terms)
        change = product - _product(other, x, v / length, other.gradient(x))[0]
        left = 2 * _CAUTION * float(np.linalg.norm(change))  # of one direction it may be small by chance
    return length * product, length * (float(np.linalg.norm(error)) + left)


@takes_arrays
def hessian_at(
    objective: HasGradient, x: Float[np.ndarray, " d"], tol: float | None = None
) -> tuple[Float[np.ndarray, "d d"], float]:
    """The symmetric Hessian at x, and the estimated Frobenius norm of its error: no eigenvalue is off by more.

    Objective and x are as in `hessian_vector_product`.  Where it is neither found by inversion nor a sum it takes 4 n + 6
    gradients, at kinks and of untied nets 4 d + 1, and as many with half and with a quarter of the terms, more where steps have
    to be tried again.  A parameter whose derivative is always 0, such as a bias of a net that has none, is taken to be fixed.

    Args:
        objective: anything with a ``gradient(x)``; with a tolerance an `Objective`.
        x: the point.
        tol: without it there are as many terms as the objective has; what more would change is in the error.  With it there
            are four times as many terms, and again, until that is below this share of the Hessian's norm.
    """
    if tol is not None:
        return _converged(objective, x, tol)
    H, error = differentiated(objective, x)
    return H, error + _left_out(objective, x, H)


def differentiated(
    objective: HasGradient, x: NDArray[np.float64], terms: int | None = None
) -> tuple[NDArray[np.float64], float]:
    """The Hessian with so many terms, and the error of what was differentiated: `hessian_at` without what terms leave out."""
    if isinstance(objective, HasRows) and (found := _by_rows(objective, x, terms)) is not None:
        return found
    if terms is not None and isinstance(objective, Objective):
        objective = objective.with_terms(terms)
    d = x.size
    gradient = objective.gradient(x)
    products, errors = np.empty((d, d)), np.empty((d, d))
    for i, v in enumerate(np.eye(d)):
        products[i], errors[i] = _product(objective, x, v, gradient)
    fixed = ~products.any(axis=0)
    products[fixed], errors[fixed] = 0.0, 0.0
    uneven = np.abs(products - products.T)
    return (products + products.T) / 2, float(np.linalg.norm(np.maximum((errors + errors.T) / 2, uneven / 2)))


def _by_rows(objective: HasRows, x: NDArray[np.float64], terms: int | None) -> tuple[NDArray[np.float64], float] | None:
    """The Hessian row by row and the error of what was differentiated; None where it jumps, or there is none."""
    best, least = None, np.inf
    for step in _STEPS:
        found = objective.hessian_by_rows(x, step, terms)
        if found is None:
            return None
        H, jump = found
        rounding, size = _ROUNDING * float(np.linalg.norm(H)), float(np.abs(H).max())
        if jump == 0:
            return H, rounding
        finer = objective.hessian_by_rows(x, step / 2, terms)
        if finer is None:
            return None
        close, kink = finer[0], abs(2 * finer[1] - jump) / 2
        # gradients are rounded, and that is divided by the step; both may be rounded alike by chance
        rounding += _ROUNDED / step * float(np.linalg.norm(H))
        error = rounding + float(np.linalg.norm(close - H)) + np.sqrt(x.size) * kink
        if error < least:
            least, best = error, None if kink > _KINK * size else ((4 * close - H) / 3, error)
        if error <= _AGREES * size:
            break
    return best


def _left_out(objective: HasGradient, x: NDArray[np.float64], H: NDArray[np.float64]) -> float:
    """By how much half of the terms would change the Hessian H, in Frobenius norm; 0 of what has no terms, or hides its rows.

    Or a third of what a quarter of them would, where that is more: half as many may be wrong by as much, to the same side.  Of
    few terms it is what four times as many would change.  Of these, and of differences, which converge slower, twice that.
    """
    if not isinstance(objective, HasRows) or objective.curved_by == "sum":
        return 0.0
    terms = objective.terms

    def change(others: int) -> float:
        found = _by_rows(objective, x, others)
        if found is None and not isinstance(objective, Objective):
            return 0.0
        other = differentiated(objective, x, others)[0] if found is None else found[0]
        return float(np.linalg.norm(H - other))

    if terms <= _FEW_TERMS:
        return _CAUTION * change(_STEP_OF_TERMS * terms)
    return (1.0 if objective.curved_by == "inversion" else _CAUTION) * max(change(terms // 2), change(terms // 4) / 3)


def _converged(objective: HasGradient, x: NDArray[np.float64], tol: float) -> tuple[NDArray[np.float64], float]:
    """The Hessian with as many terms as the tolerance asks for, or as there may be."""
    if not isinstance(objective, Objective):
        raise InvalidInputError("tol is given and the objective has no terms", "give a tegum.exact.Objective, or leave tol out")
    if not 0 < tol < 1:
        raise InvalidInputError(f"tol is {tol}", "choose a number between 0 and 1, such as 1e-6")
    terms = objective.terms
    while True:
        H, error = differentiated(objective, x, terms)
        left = _left_out(objective.with_terms(terms), x, H)
        if left <= tol * np.linalg.norm(H) or terms >= MOST_TERMS:
            return H, error + left
        terms = min(_STEP_OF_TERMS * terms, MOST_TERMS)


def _product(
    objective: HasGradient, x: NDArray[np.float64], v: NDArray[np.float64], gradient: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """H v for a v of length 1 and the error of each entry, by the first of `_STEPS` that agrees with half of it."""
    best, smallest = np.zeros_like(x), np.full_like(x, np.inf)
    for step in _STEPS:
        slopes, bends = [], []
        for h in (step, step / 2):
            up, down = objective.gradient(x + h * v), objective.gradient(x - h * v)
            slopes.append((up - down) / (2 * h))
            bends.append((up - 2 * gradient + down) / h)
        extrapolated, jump = (4 * slopes[1] - slopes[0]) / 3, np.abs(2 * bends[1] - bends[0]) / 2
        error = np.abs(extrapolated - slopes[1]) + jump
        product = np.where(jump > _KINK * np.abs(slopes[1]).max(), slopes[1], extrapolated)
        if error.sum() < smallest.sum():
            best, smallest = product, error
        if error.max() <= _AGREES * (1e-2 + np.abs(product).max()):
            break
    return best, smallest


@takes_arrays
def truncation_error(objective: Objective, x: Float[np.ndarray, " d"]) -> float:
    """By how much the Hessian at x changes with eight times the terms, or from an eighth of them, in Frobenius norm."""
    more = _SHARPER * objective.terms
    other = more if more <= MOST_TERMS else objective.terms // _SHARPER
    return float(np.linalg.norm(differentiated(objective, x, other)[0] - differentiated(objective, x, objective.terms)[0]))


@takes_arrays
def rotation_modes(W: Float[np.ndarray, "m n"], biased: bool = True) -> Float[np.ndarray, "modes d"]:
    """An orthonormal basis of the directions of W -> R W in flat parameters (W row by row, then b), d = m n + n.

    Shape (m (m - 1) / 2 - (m - r)(m - r - 1) / 2, d) for W of rank r; of a net that is not biased, n more: those of b.
    """
    require_range("W", W, -1e30, 1e30)
    modes = padded_modes(W[None], biased)[0]
    return np.asarray(modes[modes.any(axis=1)])


def still_directions(
    net: Net, x: Float[np.ndarray, " d"], free: NDArray[np.bool_], turns: bool = True
) -> Float[np.ndarray, "modes d"]:
    """An orthonormal basis of the directions along which nothing changes at x, where some flat parameters are held.

    Those of the parameters that are not ``free`` (d,), and of the rotations, where the objective ``turns`` with W, those that
    leave held weights as they are.  Of an untied net, those that leave its map as it is (`tegum.exact.parameters`).
    """
    d = free.size
    held = np.eye(d)[~free]
    if not net.tied or net.hidden_relu:
        directions = gauge_directions(net, x)
        _, size, right = np.linalg.svd(directions / max(float(np.linalg.norm(x)), 1.0), full_matrices=False)
        modes = right[: size.size][size > _RANK_TOLERANCE]
    else:
        modes = rotation_modes(parameters_of(net, x)[0]) if turns else np.zeros((0, d))
    if len(modes) and len(held):
        left, size, _ = np.linalg.svd(modes[:, ~free])
        rank = int((size > _RANK_TOLERANCE).sum())
        modes = left[:, rank:].T @ modes
    return np.concatenate([modes * free, held])


def padded_modes(W: Float[np.ndarray, "batch m n"], biased: bool = True) -> Float[np.ndarray, "batch modes d"]:
    """`rotation_modes` of each model, as many rows as for full rank, those of 0 where W has less."""
    count, m, n = W.shape
    U, s, V = np.linalg.svd(W, full_matrices=True)
    size, right = np.zeros((count, m)), np.zeros((count, m, n))
    kept = min(m, n)
    size[:, :kept], right[:, :kept] = s, V[:, :kept]
    a, b = np.triu_indices(m, 1)
    length = np.hypot(size[:, a], size[:, b])
    ranked = length > _RANK_TOLERANCE * (1 + size.max(axis=1, initial=0, keepdims=True))
    share_a, share_b = (np.where(ranked, size[:, some] / np.where(ranked, length, 1), 0) for some in (a, b))
    ahead = np.einsum("zk,zik,zkj->zkij", share_b, U[:, :, a], right[:, b])
    back = np.einsum("zk,zik,zkj->zkij", share_a, U[:, :, b], right[:, a])
    modes = np.zeros((count, len(a) + (0 if biased else n), m * n + n))
    modes[:, : len(a), : m * n] = (ahead - back).reshape(count, len(a), m * n)
    modes[:, len(a) :, m * n :] = np.eye(n)[: 0 if biased else n]
    return modes


@takes_arrays
def curvatures(H: Float[np.ndarray, "d d"], modes: Float[np.ndarray, "*modes d"]) -> Float[np.ndarray, " rest"]:
    """The eigenvalues of a symmetric H beyond the modes, orthonormal rows as of `rotation_modes`, ascending, (d - modes,)."""
    rest = complement(modes)
    return np.asarray(np.linalg.eigvalsh(rest @ H @ rest.T))


def pseudo_inverse(H: Float[np.ndarray, "d d"], modes: Float[np.ndarray, "modes d"]) -> Float[np.ndarray, "d d"]:
    """The inverse H^+ of H beyond the modes, 0 along them and along what is flat besides: Newton's step is -H^+ gradient."""
    rest = complement(modes)
    values, vectors = np.linalg.eigh(rest @ H @ rest.T)
    bent = np.abs(values) > _FLAT * np.abs(values).max(initial=0)
    basis = vectors[:, bent].T @ rest
    return np.asarray(basis.T @ (basis / values[bent, None]))


def complement(modes: Float[np.ndarray, "modes d"]) -> Float[np.ndarray, "rest d"]:
    """An orthonormal basis of everything orthogonal to the orthonormal modes, shape (d - modes, d)."""
    basis, _ = np.linalg.qr(modes.T, mode="complete")
    return np.ascontiguousarray(basis[:, len(modes) :].T)


def smallest_curvature(
    objective: HasGradient,
    x: Float[np.ndarray, " d"],
    modes: Float[np.ndarray, "modes d"],
    hessian: tuple[Float[np.ndarray, "d d"], float] | None = None,
) -> Curvature:
    """The smallest curvature at a critical point x beyond the modes; NaN where there is no other direction.

    ``hessian`` is what `hessian_at` says there, if it is known already.

    Where the Hessian jumps, the curvature of a direction v is that of the side it points to,

        c(v) = lim  v . [gradient(x + h v) - gradient(x)] / h      for h -> 0 from above,

    and its minimum over all v is sought from both ends of the eigenvectors of the mean Hessian that curve least.
    """
    H, error = hessian or hessian_at(objective, x)
    rest = complement(modes)
    values, vectors = np.linalg.eigh(rest @ H @ rest.T)
    if not values.size:
        return Curvature(np.nan, 0.0, np.zeros_like(x))
    smooth = Curvature(float(values[0]), error, vectors[:, 0] @ rest)
    if error <= _KINK * np.abs(values).max():
        return smooth
    sides = [_least_in_cone(objective, x, rest, sign * v) for v in vectors[:, :_CONE_STARTS].T for sign in (1, -1)]
    return min(sides, key=lambda side: side.value)


def _least_in_cone(
    objective: HasGradient, x: NDArray[np.float64], rest: NDArray[np.float64], start: NDArray[np.float64]
) -> Curvature:
    """A local minimum of c(v) over directions in the rows of ``rest``, from one of them (coefficients).

    Next to x on the side of v the Hessian H_v is an ordinary one, and c(v) = v . H_v v: the eigenvector of H_v that curves
    least is the next v, or as much of it as lowers c, until none does.
    """
    gradient = objective.gradient(x)

    def curved(v: NDArray[np.float64], h: float) -> float:
        return float((v @ rest) @ (objective.gradient(x + h * (v @ rest)) - gradient)) / h

    v, lowest = start, curved(start, STEP)
    for _ in range(_TURNS):
        there = x + STEP * (v @ rest)
        H = _beside(objective, there, rest)
        least = np.linalg.eigh(H + H.T)[1][:, 0]
        least = least if least @ v >= 0 else -least
        before = lowest
        for share in _SHARES:
            turned = (1 - share) * v + share * least
            turned /= np.linalg.norm(turned)
            if (there_curved := curved(turned, STEP)) < lowest:
                v, lowest = turned, there_curved
                break
        if before - lowest <= _SETTLED * (abs(lowest) + _SETTLED):
            break
    fine = curved(v, STEP / 2)
    return Curvature(2 * fine - lowest, abs(fine - lowest), v @ rest)


def _beside(objective: HasGradient, x: NDArray[np.float64], rest: NDArray[np.float64]) -> NDArray[np.float64]:
    """The Hessian along the rows of ``rest`` at a point beside a kink, with steps that stay on its side."""
    small = _BESIDE * STEP
    if isinstance(objective, HasRows) and (known := objective.hessian_by_rows(x, small)) is not None:
        return np.asarray(rest @ known[0] @ rest.T)
    rows = [rest @ (objective.gradient(x + small * r) - objective.gradient(x - small * r)) for r in rest]
    return np.array(rows) / (2 * small)
