"""Sudden events in a training: features that jump from one level of D_i to another, alone or by changing places.

    D (time, n), times, loss  ->  events            each: when, which features rose, which fell, how much the loss fell

1. A feature *jumps* where D_i changes by more than ``size`` within ``window`` decades of time.  A jump lasts from 5 % to 95 %
   of its change.
2. Jumps that overlap in time are one event; those that only touch are two.  Features that meanwhile move against them by half
   of ``size`` belong to it; an event with features that only rise and others that only fall is a *swap*.
3. The loss at an event is compared with its *quiet* change: the larger of what it changes in the nearest stretches of the
   same logarithmic length, before and after, that overlap no event.

Early in a training everything moves.  `settled` says from when on half the features are near where they end; events are
looked for from there on.  Time is logarithmic because gradient descent is: where a direction grows like exp(rate t), what
happens between two saddles takes a constant share of the time so far.

>>> import numpy as np, tegum as tg
>>> D = np.array([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5]])                                       # features 1 and 2 change places
>>> (event,) = tg.geometry.events(D, np.array([1.0, 1.1]), np.array([0.3, 0.2]), since=0)
>>> event.swap, event.risen, event.fallen, round(event.loss_drop, 6)
(True, (2,), (1,), 0.1)

Source: section 6 of `Toy Models of Superposition` ("energy level jumps"), where the events are pointed at.  All thresholds
are ours.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from tegum.arraylike import takes_arrays
from tegum.errors import InvalidInputError, Problems

SIZE, WINDOW, NEAR = 0.2, 0.2, 0.1
_TRIM, _SUDDEN = 0.05, 3.0


@final
@dataclass(frozen=True)
class Jump:
    """One feature's move from row ``first`` to row ``last``; ``change`` is positive where D_i rises."""

    feature: int
    first: int
    last: int
    change: float


@final
@dataclass(frozen=True)
class Event:
    """Jumps that happen together.

    Attributes:
        first, last: the rows between which they happen.
        begins, ends: the times of these rows.
        risen, fallen: the features, ascending.
        loss_drop: by how much the loss falls between them.
        quiet: the quiet change of the loss beside them; NaN where it is unknown.
    """

    first: int
    last: int
    begins: float
    ends: float
    risen: tuple[int, ...]
    fallen: tuple[int, ...]
    loss_drop: float
    quiet: float

    @property
    def swap(self) -> bool:
        """Whether features rise while others fall; one that does both changes places with none."""
        both = {*self.risen} & {*self.fallen}
        return len(self.risen) > len(both) < len(self.fallen)

    @property
    def sudden(self) -> bool:
        """Whether the loss falls more than three times its quiet change; False where that is unknown."""
        return self.loss_drop > _SUDDEN * self.quiet


@takes_arrays
def settled(D: Float[np.ndarray, "time n"], near: float = NEAR) -> int:
    """The first row from which on half the features stay within ``near`` of their last values, of D (time, n)."""
    close = np.median(abs(D - D[-1]), axis=1) <= near
    away = np.flatnonzero(~close)
    return int(away[-1]) + 1 if away.size else 0


def jumps(D: NDArray[np.floating], times: NDArray[Any], size: float = SIZE, window: float = WINDOW) -> list[Jump]:
    """Every jump of every feature, by its beginning; the arguments and errors are those of `events`."""
    problems = Problems()
    if D.ndim != 2 or np.shape(times) != D.shape[:1]:
        problems.add(f"D has shape {D.shape} and times {np.shape(times)}", "give (time, n) and (time,)")
    else:
        with problems.collecting():
            require_rising(times)
    for name, value in (("size", size), ("window", window)):
        if not value > 0:
            problems.add(f"{name} is {value}", "choose a number above 0")
    problems.raise_if_any()
    # The last row within the window of each row, at least the next one.
    log_time, rows = np.log10(times), np.arange(len(times))
    ahead = np.searchsorted(log_time, log_time + window, side="right") - 1
    ahead = np.minimum(np.maximum(ahead, rows + 1), len(rows) - 1)
    change = D[ahead] - D
    found = [
        _trimmed(D[:, feature], feature, sign, begin, int(ahead[end]))
        for feature in range(D.shape[1])
        for sign in (1, -1)
        for begin, end in runs(sign * change[:, feature] > size)
    ]
    return sorted(found, key=lambda jump: (jump.first, jump.feature))


@takes_arrays
def events(
    D: Float[np.ndarray, "time n"],
    times: NDArray[np.floating],
    loss: NDArray[np.floating],
    size: float = SIZE,
    window: float = WINDOW,
    since: int | None = None,
) -> list[Event]:
    """Every event from row ``since`` on (by default from where the features have settled), in order.

    Args:
        D: dimensionality, or any other measure, of every feature, (time, n).
        times: rising, above 0, (time,).
        loss: (time,); an exact one, or one with little noise.
        size: the least change of D_i.
        window: in decades of time; records further apart than that are compared with the next one.
        since: jumps that begin before this row are left out.

    Raises:
        InvalidInputError: for times that do not rise, for D or a loss that do not belong to them, and thresholds not above 0.
    """
    if np.shape(loss) != np.shape(times):
        what = f"the loss has shape {np.shape(loss)} and times {np.shape(times)}"
        raise InvalidInputError(what, "give one loss for each time")
    start = settled(D) if since is None else since
    groups: list[list[Jump]] = []
    reach = -1
    for jump in [jump for jump in jumps(D, times, size, window) if jump.first >= start]:
        if groups and jump.first < reach:
            groups[-1].append(jump)
        else:
            groups.append([jump])
        reach = max(reach, jump.last)
    spans = [(group[0].first, max(jump.last for jump in group)) for group in groups]
    found = []
    for group, (first, last) in zip(groups, spans, strict=True):
        risen, fallen = _movers(D[last] - D[first], group, size / 2)
        drop, quiet = float(loss[first] - loss[last]), quiet_change(loss, np.log10(times), first, last, spans)
        found.append(Event(first, last, float(times[first]), float(times[last]), risen, fallen, drop, quiet))
    return found


def _movers(change: NDArray[np.floating], group: list[Jump], least: float) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Who rises and who falls in an event: those that jump, and those that move against all of them."""
    up, down = ({jump.feature for jump in group if sign * jump.change > 0} for sign in (1, -1))
    risen, fallen = up or np.flatnonzero(change > least).tolist(), down or np.flatnonzero(change < -least).tolist()
    return tuple(sorted(risen)), tuple(sorted(fallen))


def quiet_change(
    loss: NDArray[np.floating], log_time: NDArray[Any], first: int, last: int, spans: list[tuple[int, int]]
) -> float:
    """How much the loss changes in the nearest stretches as long as rows (first, last), before and after, that overlap no span.

    The larger of the two; NaN where there is neither.  Loss and log10 of the time have shape (time,).
    """
    ends = np.searchsorted(log_time, log_time + (log_time[last] - log_time[first]) - 1e-12)
    begins = np.arange(len(loss))
    quiet = np.all([ends < len(loss), *((ends <= low) | (begins >= high) for low, high in spans)], axis=0)
    before, after = np.flatnonzero(quiet & (ends <= first)), np.flatnonzero(quiet & (begins >= last))
    return max((abs(float(loss[k] - loss[ends[k]])) for k in [*before[-1:], *after[:1]]), default=np.nan)


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last row of every unbroken run of True."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))


def require_rising(times: NDArray[np.floating]) -> None:
    """Raises an `InvalidInputError` unless times rise above 0, where they have a logarithm."""
    if not (np.diff(times) > 0).all() or times[0] <= 0:
        raise InvalidInputError(f"times begin with {times[:3]}", "give rising times above 0, so leave out step 0")


def _trimmed(path: NDArray[np.floating], feature: int, sign: int, begin: int, end: int) -> Jump:
    """The jump within rows begin to end, cut to the rows between 5 % and 95 % of its change, without rows of NaN."""
    stretch = sign * path[begin : end + 1]
    low = int(np.nanargmin(stretch))
    high = low + int(np.nanargmax(stretch[low:]))
    share = (stretch[low : high + 1] - stretch[low]) / max(stretch[high] - stretch[low], np.finfo(float).tiny)
    last = low + int((share >= 1 - _TRIM).argmax())
    first = low + int(np.flatnonzero(share[: last - low + 1] <= _TRIM)[-1])
    return Jump(feature, begin + first, begin + last, float(sign * (stretch[high] - stretch[low])))
