"""Gradient flow: the path that infinitely small steps of gradient descent take on the expected loss, without noise.

    d(W, b)/dt = - grad L(W, b)                  dL/dt = - ||grad L||^2,   the loss can only fall
                                                 W dW^T/dt is symmetric: nothing turns W -> R W

>>> import tegum as tg
>>> net, features = tg.nets.ReluOutput(3, 1), tg.features.Independent(3, density=0.1)
>>> flow = tg.exact.gradient_flow(net, features, [[0.3, -0.2, 0.1]], [0, 0, 0], duration=1e4, times=[0, 100, 1e4])
>>> flow.loss.values.round(4)
array([0.0914, 0.0339, 0.0339])
>>> path = tg.exact.dense_flow(net, features, [[0.3, -0.2, 0.1]], [0, 0, 0], duration=100)          # as a function of time
>>> W, b = path.at([1.0, 2.5])

The flow is stiff: near a minimum the fast directions have died out and still forbid an explicit method long steps.  The
default is an implicit one (BDF) whose Jacobian is the Hessian.  Measured, gradients and Jacobians until t = 10^4 at a relative
tolerance of 10^-6: 5 features in 2 dimensions BDF 1668 and 23, Radau 2857 and 41, DOP853 45251; 20 in 5 BDF 3010 and 30, Radau
4902 and 73, DOP853 49730.  By inversion a Jacobian costs as much as a few gradients.  By differences, for laws that are not
compiled, it costs 2 d of them: there, from about 300 parameters on or for short durations, ``method="DOP853"`` is cheaper.

A linear net that starts along the axes of its features follows Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear
dynamics of learning in deep linear neural networks" (2014): each singular value of W is a logistic curve in its square.
Source of the solvers: Hairer and Wanner, "Solving Ordinary Differential Equations II" (1996), as in `scipy.integrate`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import Any, Literal, final, get_args

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import BDF, DOP853, OdeSolution, Radau

from tegum.caching import cached
from tegum.checking import checked, real_numbers
from tegum.compilation import COMPILING, is_compiled
from tegum.datasets import PARAMETER_DIMS, Status, dataset
from tegum.errors import MOST, InvalidInputError, Problems
from tegum.exact.constraints import Constraint, Support, allowed
from tegum.exact.kernel.landscape import loss_at
from tegum.exact.kernel.model import LARGEST_WEIGHT
from tegum.exact.objective import Objective, constraints_of
from tegum.exact.parameters import free_of, shapes_of
from tegum.exact.penalties import Penalty
from tegum.exact.sliding import Sliding, least_subgradient
from tegum.features import Features
from tegum.interruption import Interrupted, noticing_interruption
from tegum.nets import Net
from tegum.nets.net import parameter
from tegum.progress import ProgressBar
from tegum.provenance import provenance
from tegum.recorded import said_of
from tegum.sweep import feature_grid

Method = Literal["BDF", "Radau", "DOP853"]
Solution = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_SOLVERS: dict[str, Any] = {"BDF": BDF, "Radau": Radau, "DOP853": DOP853}
_FIRST_TIME = 1e-5
_PATIENCE, _CREEP, _FAR = 2000, 2.0, 1e6
"""Given up where so many steps take the time forward by less than this factor, and so many times as many are still to come."""


@final
@dataclass(frozen=True, eq=False)
class Flow:
    """A solution of the gradient flow, known at every time from 0 to ``reached``.

    Attributes:
        objective: the loss that falls.
        solution: flat parameters as a function of time.
        reached: the last time; before the duration only after Ctrl-C or where the solver gave up.
        attributes: where it comes from and what it cost: ``evaluations`` of the gradient, ``jacobians`` and ``steps``.
        free: which flat parameters move.
    """

    objective: Objective
    solution: Solution
    reached: float
    attributes: dict[str, Any]
    free: NDArray[np.bool_]

    def at(self, times: ArrayLike) -> tuple[NDArray[np.float64], ...]:
        """W (..., m, n) and b (..., n), or all parameters of an untied net, at times (...), to the order of the solver.

        Raises:
            InvalidInputError: for times before 0 or after ``reached``.
        """
        when = real_numbers("times", times)
        if not when.size:
            raise InvalidInputError("there are no times", "give one at least")
        wrong = ~((when >= 0) & (when <= self.reached))
        if wrong.any():
            raise InvalidInputError(f"a time is {when[wrong].flat[0]:g}", f"choose times from 0 to {self.reached:g}")
        x = self.solution(when.reshape(-1)).T
        return self.objective.parameters(x.reshape(*when.shape, self.objective.size))

    def dataset(self, times: int | ArrayLike = 200) -> xr.Dataset:
        """The flow at some times, see `gradient_flow`; those after ``reached`` are left out."""
        problems = Problems()
        when = _recorded(times, self.attributes["duration"], problems)
        problems.raise_if_any()
        when = when[when <= self.reached]
        arrays = self.at(when)
        penalties, points = self.objective.penalties, self.objective.flat(*arrays)
        whole = np.array([self.objective.loss(x) for x in points])
        slopes = [least_subgradient(self.objective, x) for x in points]
        added = np.array([sum(penalty(*one)[0] for penalty in penalties) for one in zip(*arrays, strict=True)])
        names = shapes_of(self.objective.net)
        variables: dict[str, tuple[tuple[str, ...], Any]] = {
            **{name: (("time", *PARAMETER_DIMS[name]), array) for name, array in zip(names, arrays, strict=True)},
            "loss": (("time",), whole - added),
            "gradient_norm": (("time",), [float(np.linalg.norm(gradient * self.free)) for gradient in slopes]),
        }
        if penalties:
            variables["objective"] = ("time",), whole
        return dataset(variables, {"time": when} | feature_grid(self.objective.features, {}).coordinates(), self.attributes)


@checked
@cached()
def gradient_flow(
    net: Net,
    features: Features,
    W: ArrayLike | Mapping[str, ArrayLike],
    b: ArrayLike | None,
    duration: float,
    *,
    times: int | ArrayLike = 200,
    penalties: Sequence[Penalty] = (),
    constraints: Sequence[Constraint] = (),
    rtol: float = 1e-7,
    atol: float = 1e-9,
    method: Method = "BDF",
    terms: int = 256,
    progress: bool | None = None,
) -> xr.Dataset:
    """The gradient flow of one model, recorded along the way.

    Args:
        net: one whose hidden units are linear: `ReluOutput`, `Linear`, `ActivationOutput`, `Untied`; or with one
            hidden ReLU.  Where it has no bias, b stays 0.
        features: one distribution.
        W: weights at time 0, (m, n); or all parameters by name.
        b: biases at time 0, (n,); None where W has all parameters.
        duration: how long; a step of gradient descent at learning rate r takes the time r.
        times: how many times to record, 0 and then evenly on a logarithmic axis over five decades; or a rising list of times.
        penalties: what is added to the loss, see `tegum.exact.penalties`; with `L1` weights that come to 0 may stay there
            (`tegum.exact.sliding`).
        constraints: `Support` alone, whose weights stay 0; a flow along the rim of an inequality is not smooth.
        rtol: relative error that the solver tolerates in a step.
        atol: absolute error that the solver tolerates in a step.
        method: "BDF" and "Radau" take long steps in stiff problems, "DOP853" is cheaper for many parameters and short times.
        terms: terms of the loss, a power of two; more where tolerances are tight or features many: the truncated gradient
            jumps a little (some 1e-9 with 5 features, 1e-6 with 40), and a solver asked to resolve that takes tiny steps.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Returns:
        A dataset with the net's parameters along ``time``, ``W`` (time, hidden, feature) and ``b`` (time, feature), or ``W1``,
        ``W2``, ``b`` and ``b_hidden``; ``loss`` and ``gradient_norm`` (time), and with penalties ``objective``, the loss with
        them, which is what falls.  Attributes carry the solver, its tolerances and what it spent.  After Ctrl-C (see
        `tegum.Interrupted`), and where ``status`` is "gave up" (``reason`` says why), the times after ``reached`` are left out.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments.
    """
    problems = Problems()
    _recorded(times, duration, problems)
    solver: dict[str, Any] = {"rtol": rtol, "atol": atol, "method": method, "terms": terms, "progress": progress}
    solver |= {"penalties": penalties, "constraints": constraints}
    try:
        flow = dense_flow(net, features, W, b, duration, **solver, problems=problems)
    except Interrupted as stop:
        flow = stop.data
    return flow.dataset(times)


@checked
def dense_flow(
    net: Net,
    features: Features,
    W: ArrayLike | Mapping[str, ArrayLike],
    b: ArrayLike | None,
    duration: float,
    *,
    penalties: Sequence[Penalty] = (),
    constraints: Sequence[Constraint] = (),
    rtol: float = 1e-7,
    atol: float = 1e-9,
    method: Method = "BDF",
    terms: int = 256,
    progress: bool | None = None,
    problems: Problems | None = None,
) -> Flow:  # long: what came of the solver is written down where it ran
    """The gradient flow of one model as a function of time.

    Arguments and errors as in `gradient_flow`, but `tegum.Interrupted` has the `Flow` so far; ``problems`` noted before are
    raised with those found here.
    """
    began, problems = time.perf_counter(), problems or Problems()
    if not 0 < duration < np.inf:
        problems.add(f"duration is {duration}", "choose a finite number above 0")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not 1e-13 <= value < 1:
            problems.add(f"{name} is {value}", "choose a tolerance from 1e-13 to below 1, such as 1e-8")
    if method not in get_args(Method):
        problems.add(f"method is {method!r}", f"choose among {', '.join(get_args(Method))}")
    for one in constraints:
        if not isinstance(one, Support):
            problems.add(
                f"a constraint of a flow is {one!r}",
                "give a Support, or tegum.exact.minimise under this constraint: along its rim a flow is not smooth",
            )
    with problems.collecting():
        constraints_of(net, [one for one in constraints if isinstance(one, Support)])
    objective, x = starting_point(net, features, W, b, terms, problems, penalties)
    free = free_of(net, allowed(constraints, objective.parameters(x)[0]) if constraints else None)
    x = x * free
    moments, pieces, status, reason = [0.0], [], Status.FINISHED, ""
    solver: Any = None
    with percent_bar("gradient flow", progress, loss_at) as bar, noticing_interruption() as pressed:
        try:
            begin = partial(_solver, objective, method, float(duration), {"rtol": rtol, "atol": atol})
            kinked = any(penalty.kinked for penalty in objective.penalties)
            solver = Sliding(objective, free, begin, x) if kinked else begin(0.0, x, free)
            while solver.status == "running" and not pressed:
                reason = solver.step() or ""
                if solver.status == "failed":
                    status = Status.GAVE_UP
                    break
                bar.set_description("gradient flow", refresh=False)
                moments.append(float(solver.t))
                pieces.append(solver.dense_output())
                if reason := _stuck(moments, duration):
                    status = Status.GAVE_UP
                    break
                done = np.log1p(solver.t / duration / _FIRST_TIME) / np.log1p(1 / _FIRST_TIME)
                bar.update(int(100 * done) - bar.n)
        except KeyboardInterrupt:
            status = Status.INTERRUPTED
        status = Status.INTERRUPTED if pressed else status
    jacobians = 0 if solver is None else solver.njev
    reached = moments[len(pieces)]
    attributes = {
        "net": repr(net),
        **said_of(features),
        "method": method,
        "rtol": rtol,
        "atol": atol,
        "terms": terms,
        "duration": float(duration),
        "penalties": ", ".join(map(repr, penalties)) or "none",
        "constraints": ", ".join(map(repr, constraints)) or "none",
        "evaluations": 0 if solver is None else solver.nfev,
        "jacobians": jacobians,
        "steps": len(pieces),
        "interrupted": int(status == Status.INTERRUPTED),
        "status": str(status),
        "reason": reason,
        "reached": reached,
        "wall_seconds": round(time.perf_counter() - began, 3),
        **provenance(),
    }
    solution: Solution = lambda times: np.repeat(x[:, None], len(times), axis=1)  # noqa: E731
    if pieces:
        solution = OdeSolution(moments[: len(pieces) + 1], pieces, alt_segment=method == "BDF")
    flow = Flow(objective, solution, reached, attributes, free)
    if status == Status.INTERRUPTED:
        raise Interrupted(flow)
    return flow


def _everywhere(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x


def _solver(
    objective: Objective,
    method: Method,
    duration: float,
    tolerances: dict[str, float],
    t: float,
    x: NDArray[np.float64],
    free: NDArray[np.bool_],
    inside: Solution = _everywhere,
) -> Any:
    """A solver of SciPy from time t at x on, which moves what is ``free`` by the gradients at points ``inside``."""
    moving = free.astype(np.float64)
    jacobian = {} if method == "DOP853" else {"jac": lambda _, at: -objective.hessian(inside(at)) * np.outer(moving, moving)}
    return _SOLVERS[method](lambda _, at: -objective.gradient(inside(at)) * moving, t, x, duration, **tolerances, **jacobian)


def _stuck(moments: list[float], duration: float) -> str:
    """Why a flow would not arrive, of the times of its steps; nothing where it may."""
    if len(moments) <= _PATIENCE or len(moments) % _PATIENCE != 1:
        return ""
    before, now = moments[-1 - _PATIENCE], moments[-1]
    if now >= _CREEP * before or duration - now <= _FAR * (now - before):
        return ""
    return f"{_PATIENCE:,} steps went from the time {before:.6g} to {now:.6g}: the gradient is rounded too coarsely here"


def starting_point(
    net: Net,
    features: Features,
    W: ArrayLike | Mapping[str, ArrayLike],
    b: ArrayLike | None,
    terms: int,
    problems: Problems,
    penalties: Sequence[Penalty] = (),
) -> tuple[Objective, NDArray[np.float64]]:
    """The loss of one model and its flat parameters; raises what was noted before, and everything wrong with the arguments."""
    shapes = shapes_of(net)
    given = dict(W) if isinstance(W, Mapping) else {"W": W, "b": b}
    given |= {name: np.zeros(own) for name, own in shapes.items() if name not in net.parameter_shapes() and name not in given}
    if isinstance(W, Mapping) and b is not None:
        problems.add("b is given beside all parameters", "give None in its place")
    arrays = {name: np.full(0, np.nan) for name in shapes}
    for name in (name for name in given if name not in shapes):
        problems.add(f"{type(net).__name__} has no parameter {name!r}", f"give {', '.join(shapes)}, all by name, in place of W")
    for name in shapes:
        with problems.collecting():
            arrays[name] = parameter(name, given.get(name), name).astype(np.float64)
    for name, array in arrays.items():
        if array.shape != shapes[name]:
            problems.add(f"{name} has shape {array.shape}", f"give one model's, {shapes[name]}")
        elif not (np.abs(array) < LARGEST_WEIGHT).all():
            problems.add(f"{name} holds numbers that are not finite", f"start from numbers below {LARGEST_WEIGHT:g}")
    if not net.bias and arrays["b"].any():
        problems.add("b is given to a net without bias", "give zeros, or a net with bias=True")
    with problems:
        objective = Objective(net, features, terms=terms, penalties=penalties)
    return objective, objective.flat(**arrays)


def _recorded(times: int | ArrayLike, duration: float, problems: Problems) -> NDArray[np.float64]:
    """The times to record; notes what is wrong with them."""
    if isinstance(times, Integral) and not isinstance(times, bool):
        if not 2 <= times <= MOST:
            problems.add(f"times is {times}", f"record 2 to {MOST:,}, or give the times themselves")
            return np.zeros(1)
        if not 0 < duration < np.inf:
            return np.zeros(1)
        when = np.concatenate([[0.0], np.geomspace(_FIRST_TIME * duration, duration, times - 1)])
        when[-1] = duration
        return when
    when = np.zeros(0)
    with problems.collecting():
        when = real_numbers("times", times)
    if when.ndim != 1 or not when.size or not ((when >= 0) & (when <= duration)).all() or not (np.diff(when) > 0).all():
        problems.add(f"times is {times}", f"give a rising list of numbers from 0 to the duration {duration:g}")
    return when


def percent_bar(title: str, progress: bool | None, *engine: Any) -> ProgressBar:
    """A progress bar in per cent, from two seconds on; at once, saying so, where functions of the engine must be compiled."""
    ready = all(is_compiled(function) for function in engine)
    at_once = {} if ready else {"delay": 0}
    return ProgressBar(total=100, unit="%", desc=title if ready else COMPILING, progress=progress, **at_once)
