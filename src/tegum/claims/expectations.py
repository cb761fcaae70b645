"""What a claim expects of a measured value: a check that decides, and that writes itself.

    near(0.2690, 0.01)                      within 0.01 of it; tolerances may be relative, values and tolerances arrays
    above(3), at_least(0.9, "%"), below(0.05), at_most(1), between(0.2, 0.45)
    rising(), falling(strictly=False)
    equal("digon")
    share_at_least(0.9)                     so many of an array of yes and no
    passes(pentagon, "five features 72° apart", shown=angles)
    **in_each_seed(measure, below(0.05))    both of a claim whose data are one entry for each seed

An array meets an expectation where every entry does; an empty array and NaN meet none.  A measurement of several parts is a
mapping, and so is what is expected of it.  Parts of which nothing is expected are shown beside the others:

>>> check = all_of({"gap": below(0.1), "partners": equal(2)}, units={"share": "%"})
>>> measured_parts = {"gap": 0.04321, "partners": [2, 2], "share": 0.75}
>>> check.holds(measured_parts), check.shown(measured_parts)
(True, 'gap: 0.04321; partners: 2, 2; share: 75 %')
>>> check.words
'gap: below 0.1; partners: 2'
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from numbers import Real
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.checking import Checked, checked, numbers, shown
from tegum.claims.words import fixed, listed, measured, number, recorded
from tegum.errors import MOST, InvalidInputError


@final
@dataclass(frozen=True)
class Expect(metaclass=Checked):
    """What is expected of a measured value, see `tegum.claims.expectations`.

    Attributes:
        holds: whether a value is as expected.
        shown: a value in words, with as many digits as the expectation looks at.
        words: what is expected, in words.
        tolerance: how far from it still counts, in words.
        bounds: what is expected, in numbers: ``low``, ``high``, ``unit`` and whatever else decides.
        says_itself: whether ``shown`` is the caller's own.
        of_one: what is expected of each seed, where values are lists of one for each, see `in_each_seed`.
    """

    holds: Callable[[Any], bool]
    shown: Callable[[Any], str]
    words: str
    tolerance: str = "as stated"
    bounds: Mapping[str, Any] = field(default_factory=dict)
    says_itself: bool = False
    of_one: "Expect | None" = None


def _all_entries(meet: Callable[[NDArray[Any]], Any]) -> Callable[[Any], bool]:
    """Whether all entries of a value meet a condition; never where there are none: a check of nothing tells nothing."""

    def holds(value: Any) -> bool:
        array = np.asarray(value)
        return bool(array.size) and bool(np.all(meet(array)))

    return holds


@checked
def near(target: Any, tolerance: Any, unit: str = "", relative: bool = False) -> Expect:
    """Within ``tolerance`` of the target, numbers or arrays that broadcast; with ``relative`` it is a share of the target.

    The unit is "%" (values are shares), "°" or any word.
    """
    aim = numbers("target", target)
    tolerance = numbers("tolerance", tolerance)
    if not np.isfinite(aim).all():
        raise InvalidInputError(f"target is {shown(aim.tolist())}", "give finite numbers")
    if not ((tolerance >= 0) & (tolerance < np.inf)).all():
        raise InvalidInputError(f"tolerance is {shown(tolerance.tolist())}", "give 0 or more, a finite number")
    margin = np.abs(aim) * tolerance if relative else np.asarray(tolerance)

    def in_words(value: Any) -> str:
        array = np.asarray(value)
        if not array.size:
            return "nothing"
        smallest = float(np.min(np.where(margin > 0, margin, 1.0)))
        if smallest < 1e-7 or array.size > aim.size > 1:
            furthest = float(np.abs(array - aim).max())
            return f"within {number(furthest, _telling_digits(furthest, np.unique(margin), 2), unit)}"
        scaled = 100 * smallest if unit == "%" else smallest
        # one digit more than the tolerance looks at; none for whole numbers that may be off by one or more
        decimals = 1 - int(np.floor(np.log10(scaled))) if scaled < 1 else int((np.mod(array, 1) != 0).any())
        factor = 100 if unit == "%" else 1
        told = (k for k in range(decimals, 16) if _same_side(array, np.round(factor * array, k) / factor, aim, margin))
        return measured(value, partial(fixed, decimals=next(told, decimals)), unit)

    said = listed(tolerance, partial(number, digits=3, unit="%" if relative else unit))
    return Expect(
        holds=_all_entries(lambda array: np.abs(array - aim) <= margin),
        shown=in_words,
        words=measured(target, partial(number, digits=6), unit) if aim.any() else f"within {said} of 0",
        tolerance=said,
        bounds={"low": recorded(aim - margin), "high": recorded(aim + margin), "target": recorded(aim), "unit": unit},
    )


def _same_side(array: NDArray[Any], rounded: NDArray[Any], aim: NDArray[Any], margin: NDArray[Any]) -> bool:
    """Whether rounded values are within the margin where the values are; a rounding error on its edge is no difference."""
    edge = margin * (1 + 1e-9)
    return np.array_equal(np.abs(rounded - aim) <= edge, np.abs(array - aim) <= edge)


def _range(low: float, high: float, included: bool, unit: str) -> Expect:
    if not low < high or not (np.isfinite(low) or np.isfinite(high)):
        raise InvalidInputError(f"the range is {low:g} to {high:g}", "choose finite numbers, the lower first")
    ends = {name: bound for name, bound in (("low", low), ("high", high)) if np.isfinite(bound)}
    said = {name: number(bound, 6, unit) for name, bound in ends.items()}
    if len(said) == 2:
        words = f"{said['low']} to {said['high']}" if included else f"above {said['low']} and below {said['high']}"
    elif "low" in said:
        words = f"{'at least' if included else 'above'} {said['low']}"
    else:
        words = f"{'at most' if included else 'below'} {said['high']}"

    def inside(array: NDArray[Any]) -> Any:
        return (array >= low) & (array <= high) if included else (array > low) & (array < high)

    def show(entry: Any, unit: str = "") -> str:
        return number(entry, _telling_digits(float(entry), ends.values()), unit)

    return Expect(
        holds=_all_entries(inside),
        shown=lambda value: measured(value, show, unit),
        words=words,
        bounds={**ends, "included": included, "unit": unit},
    )


def _telling_digits(value: float, bounds: Iterable[float], fewest: int = 4) -> int:
    """So many significant digits, more where fewer would put the value on the other side of a bound."""
    for digits in range(fewest, 17):
        rounded = float(f"{value:.{digits}g}")
        if all((rounded > bound) == (value > bound) and (rounded < bound) == (value < bound) for bound in bounds):
            return digits
    return 17


@checked
def above(bound: float, unit: str = "") -> Expect:
    """More than the bound."""
    return _range(bound, np.inf, False, unit)


@checked
def at_least(bound: float, unit: str = "") -> Expect:
    """The bound or more."""
    return _range(bound, np.inf, True, unit)


@checked
def below(bound: float, unit: str = "") -> Expect:
    """Less than the bound."""
    return _range(-np.inf, bound, False, unit)


@checked
def at_most(bound: float, unit: str = "") -> Expect:
    """The bound or less."""
    return _range(-np.inf, bound, True, unit)


@checked
def between(low: float, high: float, unit: str = "", included: bool = True) -> Expect:
    """From ``low`` to ``high``; without ``included`` strictly between."""
    return _range(low, high, included, unit)


def _trend(words: str, sign: int, strictly: bool, unit: str) -> Expect:
    def holds(value: Any) -> bool:
        steps = sign * np.diff(np.atleast_1d(np.asarray(value, dtype=np.float64)), axis=-1)
        return bool(steps.size and (steps > 0 if strictly else steps >= 0).all())

    return Expect(holds, lambda value: measured(value, number, unit), words, bounds={"trend": words, "unit": unit})


@checked
def rising(unit: str = "", strictly: bool = True) -> Expect:
    """Each entry above the one before it, along the last axis; without ``strictly`` none below."""
    return _trend("rising" if strictly else "never falling", 1, strictly, unit)


@checked
def falling(unit: str = "", strictly: bool = True) -> Expect:
    """Each entry below the one before it, along the last axis; without ``strictly`` none above."""
    return _trend("falling" if strictly else "never rising", -1, strictly, unit)


@checked
def equal(target: Any, unit: str = "") -> Expect:
    """Exactly the target: a word, a number, a set, an array (the last axes of the value); of an array every entry."""
    try:
        aim = np.asarray(target)
    except (TypeError, ValueError):  # ragged lists, a whole dataset
        raise InvalidInputError(f"target is {shown(target)}", "give numbers, words, or a set of them") from None
    each = aim.dtype.kind in "biufU" or (aim.size <= MOST and all(isinstance(one, str | Real | None) for one in aim.flat))
    plain = aim.size <= MOST and each
    if not (isinstance(target, set | frozenset | Mapping) or plain):
        raise InvalidInputError(f"target is {shown(target)}", "give numbers, words, or a set of them")

    def holds(value: Any) -> bool:
        single = isinstance(value, set | frozenset | Mapping) or np.ndim(value) == 0
        if isinstance(target, set | frozenset) or (single and (isinstance(target, str | bool) or target is None)):
            return bool(value == target)
        array = np.asarray(value)
        return array.size > 0 and array.shape[array.ndim - aim.ndim :] == aim.shape and bool((array == aim).all())

    return Expect(
        holds=holds,
        shown=partial(_any_words, unit=unit),
        words=_any_words(target, unit),
        tolerance="exact",
        bounds={"target": recorded(target), "unit": unit},
    )


@checked
def share_at_least(share: float) -> Expect:
    """At least this share, 0 to 1, of an array of true and false is true."""
    if not 0 <= share <= 1:
        raise InvalidInputError(f"share is {share:g}", "give a number from 0 to 1")

    def in_words(value: Any) -> str:
        array = np.asarray(value)
        if not array.size:
            return "nothing"
        unknown = array.size - int(_known(array).sum())
        if unknown:
            return f"{unknown} of {array.size} are no numbers"
        found = float(array.astype(bool).mean())
        return f"{number(found, _telling_digits(found, [share], 3), '%')} of {array.size}"

    return Expect(
        holds=_all_entries(lambda array: _known(array).all() and array.astype(bool).mean() >= share),
        shown=in_words,
        words="all" if share == 1 else f"at least {number(share, 4, '%')}",
        bounds={"low": share, "included": True, "unit": "%"},
    )


def _known(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Which entries are true or false: NaN is neither."""
    return np.asarray(array == array)


@checked
def passes(
    predicate: Callable[[Any], bool], words: str, tolerance: str = "as stated", shown: Callable[[Any], str] | None = None
) -> Expect:
    """A predicate that no other expectation says, and what it asks for in words; ``shown`` gives the value in words."""
    return Expect(lambda value: bool(predicate(value)), shown or _any_words, words, tolerance, says_itself=shown is not None)


@checked
def in_each_seed(measure: Callable[[Any], Any], expect: Expect | Mapping[str, Expect]) -> dict[str, Any]:
    """``measure`` and ``expect`` of a claim that judges every seed by itself; data are then lists, one entry for each seed.

    It holds where every seed is as expected; where only some are it is underpowered. What all seeds show alike is said once;
    parts of which nothing is expected are those of the first seed.

    >>> claim_of_seeds = in_each_seed(np.sum, below(3))
    >>> sums = claim_of_seeds["measure"]([[1, 1], [2, 2]])
    >>> claim_of_seeds["expect"].shown(sums), claim_of_seeds["expect"].holds(sums)
    ('2 | 4', False)
    """
    judged = {"": expect} if isinstance(expect, Expect) else dict(expect)

    def one(part: Expect) -> Expect:
        def shown(values: Any) -> str:
            words = [part.shown(value) for value in values]
            return " | ".join(words[:1] if len(set(words)) == 1 else words) or "nothing"

        return Expect(
            holds=lambda values: bool(len(values)) and all(part.holds(value) for value in values),
            shown=shown,
            words=part.words,
            tolerance=part.tolerance,
            bounds=part.bounds,
            says_itself=True,
            of_one=part,
        )

    def each(data: Any) -> Any:
        values = [measure(seed) for seed in data]
        if isinstance(expect, Expect):
            return values
        names = values[0] if values else judged
        return {name: [value[name] for value in values] if name in judged else values[0][name] for name in names}

    wrapped = {name: one(part) for name, part in judged.items()}
    return {"measure": each, "expect": wrapped[""] if isinstance(expect, Expect) else wrapped}


@checked
def all_of(parts: Mapping[str, Expect], units: Mapping[str, str] | None = None) -> Expect:
    """Each part of a measured mapping as the expectation of the same name says; ``units`` are of parts that are shown only."""
    tolerances = {name: expect.tolerance for name, expect in parts.items()}
    different = set(tolerances.values())
    told = [f"{name}: {words}" for name, words in tolerances.items() if words not in ("as stated", "exact")]

    def shown(value: Any) -> str:
        words = {
            name: parts[name].shown(item) if name in parts else _any_words(item, (units or {}).get(name, ""))
            for name, item in value.items()
        }
        return "; ".join(f"{name}: {text}" for name, text in words.items())

    return Expect(
        holds=lambda value: all(expect.holds(value[name]) for name, expect in parts.items()),
        shown=shown,
        words="; ".join(f"{name}: {expect.words}" for name, expect in parts.items()),
        tolerance=different.pop() if len(different) == 1 else "; ".join(told) or "as stated",
        bounds={name: expect.bounds for name, expect in parts.items()},
    )


def _any_words(value: Any, unit: str = "") -> str:
    """A value of any kind in words."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_any_words(item, unit)}" for name, item in value.items())
    if isinstance(value, set | frozenset):
        return ", ".join(sorted(map(str, value))) or "none"
    if isinstance(value, list | tuple) and any(isinstance(item, str | list | tuple | set | frozenset | None) for item in value):
        return "; ".join(_any_words(item, unit) for item in value) or "none"

    def show(entry: Any) -> str:
        if isinstance(entry, bool | np.bool_):
            return "yes" if entry else "no"
        if entry is None or isinstance(entry, str):
            return "none" if entry is None else entry
        return number(entry, 4, unit)

    return listed(value, show)
