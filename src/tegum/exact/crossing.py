"""Where two branches cost the same: the density, or what they were followed along, at which the other becomes the lower one.

    L_1(v) = L_2(v):     the sign of the difference at all values known, then Brent's method between two of them

>>> import numpy as np, tegum as tg
>>> net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5)
>>> angles = 2 * np.pi * np.arange(5) / 5
>>> starts = [[np.cos(angles), np.sin(angles)], [[1, -1, 0, 0, 0], [0, 0, 1, -1, 0]]]                # a pentagon, two pairs
>>> branches = [tg.exact.follow(net, features, W, np.zeros(5), [0.22, 0.23]) for W in starts]
>>> round(crossing(*branches), 6)
0.224875

Source: Brent, "Algorithms for Minimization without Derivatives" (1973).
"""

import numpy as np
import scipy

from tegum.checking import checked
from tegum.errors import InvalidInputError, Problems
from tegum.exact.follow import Branch
from tegum.features.written import written
from tegum.progress import ProgressBar

_SAME_LOSS, _NEAR = 1e-9, 0.02


@checked
def crossing(
    first: Branch,
    second: Branch,
    *,
    tol: float = 1e-6,
    between: tuple[float, float] | None = None,
    progress: bool | None = None,
) -> float:  # long: two branches may fail to cross in seven ways, and each has its message
    """The value where two branches have the same loss, to ``tol``; their minima are found anew at every value tried.

    Args:
        first: a branch.
        second: another one along the same values, of the same features.
        tol: how exactly to find the value.
        between: where to search, needed where they cross more than once.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Raises:
        InvalidInputError: where they do not cross, or cross more than once, or where their losses are not known exactly enough.
    """
    problems = Problems()
    if first.name != second.name:
        problems.add(f"one branch follows {first.name} and the other {second.name}", "follow both along the same")
    nets = first.tracker.net, second.tracker.net
    if nets[0] != nets[1]:
        problems.add(f"one branch is of {nets[0]!r} and the other of {nets[1]!r}", "follow minima of one net")
    problems.check_fraction("tol", tol)
    problems.raise_if_any()
    ends = [list(first.ends), list(second.ends)] + ([] if between is None else [sorted(between)])
    low, high = max(end[0] for end in ends), min(end[1] for end in ends)
    if not low < high:
        raise InvalidInputError(f"no {first.name} is common to both branches and the search: {ends}", "follow them further")
    for value in (low, high):
        one, other = (branch.tracker.features_at(value) for branch in (first, second))
        if (written(one) or repr(one)) != (written(other) or repr(other)):
            raise InvalidInputError(
                f"the branches have different features at {first.name} {value:g}: {one!r} and {other!r}",
                "follow both with the same",
            )
        one_under, other_under = (branch.tracker.under(value) for branch in (first, second))
        if one_under != other_under:
            raise InvalidInputError(
                f"the branches are of different problems at {first.name} {value:g}: {one_under} and {other_under}",
                "follow both with the same penalties and constraints",
            )
    known = {point.value for branch in (first, second) for point in branch.points if low <= point.value <= high}
    grid = np.array(sorted(known | {low, high}))

    def losses(value: float) -> tuple[float, float]:
        return first.minimum(value).objective, second.minimum(value).objective

    def difference(value: float) -> float:
        return float(np.subtract(*losses(value)))

    costs = np.array([losses(value) for value in ProgressBar(grid, unit="value", desc="comparing", progress=progress)])
    apart = costs[:, 0] - costs[:, 1]
    clear = np.abs(apart) >= _SAME_LOSS * costs.sum(axis=1)  # elsewhere the branches may be in one minimum: signs of rounding
    grid, apart = grid[clear], apart[clear]
    changes = np.flatnonzero(np.diff(np.sign(apart)))
    where = f"between {first.name} {low:g} and {high:g}"
    if not grid.size:
        raise InvalidInputError(f"the branches have the same loss {where}", "compare two different minima")
    if not changes.size:
        lower = "first" if apart[0] < 0 else "second"
        least = np.abs(apart).min()
        raise InvalidInputError(
            f"the branches do not cross {where}: the {lower} is lower by {least:.2g} at least", "follow them further"
        )
    if len(changes) > 1:
        places = ", ".join(f"{grid[k]:g} to {grid[k + 1]:g}" for k in changes)
        raise InvalidInputError(f"the branches cross more than once {where}", f"choose between=(low, high) from {places}")
    k = int(changes[0])
    value = float(scipy.optimize.brentq(difference, grid[k], grid[k + 1], xtol=tol / 2))
    near = [max(grid[k], value - _NEAR * (grid[k + 1] - grid[k])), min(grid[k + 1], value + _NEAR * (grid[k + 1] - grid[k]))]
    slope = abs(difference(near[1]) - difference(near[0])) / (near[1] - near[0])
    doubt = (first.loss_error(value) + second.loss_error(value)) / slope if slope > 0 else np.inf
    if doubt > tol:
        raise InvalidInputError(f"the losses place the crossing at {value:.6g} to {doubt:.1g} only", "follow with more terms")
    return value
