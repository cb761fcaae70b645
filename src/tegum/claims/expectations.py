"""What a claim expects of a measured value: a frozen value that decides, and that writes itself.

    near(0.2690, 0.01)                      within 0.01 of it; tolerances may be relative, values and tolerances arrays
    above(3), at_least(0.9, "%"), below(0.05), at_most(1), between(0.2, 0.45)
    rising(), falling(strictly=False)
    equal("digon")
    share_at_least(0.9)                     so many of an array of yes and no
    passes(pentagon, "five features 72° apart", shown=angles)

An array meets an expectation where every entry does; an empty array and NaN meet none.  A measurement of several parts is a
mapping, and so is what is expected of it: ``{"gap": below(0.1), "partners": equal(2)}``.  Parts of which nothing is expected
are shown beside the others.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from tegum.claims.words import fixed, listed, measured, number, plain, with_unit


class Expect(ABC):
    """What is expected of a measured value."""

    @abstractmethod
    def holds(self, value: Any) -> bool:
        """Whether the value is as expected."""

    @abstractmethod
    def shown(self, value: Any) -> str:
        """The value in words, with as many digits as the expectation looks at."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What is expected, in words."""

    @property
    def tolerance(self) -> str:
        """How far from it still counts, in words."""
        return "as stated"

    @property
    def bounds(self) -> dict[str, Any]:
        """What is expected, in numbers: ``low``, ``high``, ``unit`` and whatever else decides."""
        return {}


def _telling_digits(value: float, bounds: list[float]) -> int:
    """Four significant digits, more where fewer would put the value on the other side of a bound."""
    for digits in range(4, 17):
        rounded = float(f"{value:.{digits}g}")
        if all((rounded > bound) == (value > bound) and (rounded < bound) == (value < bound) for bound in bounds):
            return digits
    return 17


def _whole(value: Any) -> Any:
    """The value as an array, None where it is empty: a check of nothing tells nothing."""
    array = np.asarray(value)
    return array if array.size else None


@final
@dataclass(frozen=True)
class _Near(Expect):
    target: Any
    allowed: Any
    relative: bool
    unit: str

    @property
    def _margin(self) -> Any:
        return np.abs(np.asarray(self.target)) * self.allowed if self.relative else np.asarray(self.allowed)

    def holds(self, value: Any) -> bool:
        array = _whole(value)
        return array is not None and bool((np.abs(array - np.asarray(self.target)) <= self._margin).all())

    def shown(self, value: Any) -> str:
        array = _whole(value)
        if array is None:
            return "nothing"
        off = np.abs(array - np.asarray(self.target))
        smallest = float(np.min(np.where(self._margin > 0, self._margin, 1.0)))
        if smallest < 1e-7 or array.size > np.asarray(self.target).size > 1:
            return f"within {number(off.max(), 2, self.unit)}"
        scaled = 100 * smallest if self.unit == "%" else smallest
        # one digit more than the tolerance looks at; none for whole numbers that may be off by one or more
        decimals = 1 - int(np.floor(np.log10(scaled))) if scaled < 1 else int((np.mod(array, 1) != 0).any())
        return measured(value, lambda entry, unit: fixed(entry, decimals, unit), self.unit)

    @property
    def words(self) -> str:
        return measured(self.target, lambda entry, unit: number(entry, 6, unit), self.unit)

    @property
    def tolerance(self) -> str:
        return listed(self.allowed, lambda entry: number(entry, 3, "%" if self.relative else self.unit))

    @property
    def bounds(self) -> dict[str, Any]:
        low, high = np.asarray(self.target) - self._margin, np.asarray(self.target) + self._margin
        return {"low": plain(low), "high": plain(high), "target": plain(np.asarray(self.target)), "unit": self.unit}


def near(target: Any, tolerance: Any, unit: str = "", relative: bool = False) -> Expect:
    """Within ``tolerance`` of the target; both are numbers or arrays that broadcast.

    Args:
        target: what the value should be.
        tolerance: how far from it still counts; with ``relative`` as a share of the target.
        unit: "%" (values are shares), "°" or any word.
        relative: whether the tolerance is relative.
    """
    return _Near(target, tolerance, relative, unit)


@final
@dataclass(frozen=True)
class _Range(Expect):
    low: float
    high: float
    included: bool
    unit: str

    def holds(self, value: Any) -> bool:
        array = _whole(value)
        if array is None:
            return False
        inside = (array >= self.low) & (array <= self.high) if self.included else (array > self.low) & (array < self.high)
        return bool(inside.all())

    def shown(self, value: Any) -> str:
        return measured(value, lambda entry, unit: number(entry, self._digits(entry), unit), self.unit)

    def _digits(self, entry: Any) -> int:
        return _telling_digits(float(entry), self._limits)

    @property
    def _limits(self) -> list[float]:
        return [bound for bound in (self.low, self.high) if np.isfinite(bound)]

    @property
    def words(self) -> str:
        low, high = (number(bound, 6, self.unit) if np.isfinite(bound) else "" for bound in (self.low, self.high))
        if low and high:
            return f"{low} to {high}" if self.included else f"above {low} and below {high}"
        if low:
            return f"{'at least' if self.included else 'above'} {low}"
        return f"{'at most' if self.included else 'below'} {high}"

    @property
    def bounds(self) -> dict[str, Any]:
        ends = {name: bound for name, bound in (("low", self.low), ("high", self.high)) if np.isfinite(bound)}
        return ends | {"included": self.included, "unit": self.unit}


def above(bound: float, unit: str = "") -> Expect:
    """More than the bound."""
    return _Range(bound, np.inf, False, unit)


def at_least(bound: float, unit: str = "") -> Expect:
    """The bound or more."""
    return _Range(bound, np.inf, True, unit)


def below(bound: float, unit: str = "") -> Expect:
    """Less than the bound."""
    return _Range(-np.inf, bound, False, unit)


def at_most(bound: float, unit: str = "") -> Expect:
    """The bound or less."""
    return _Range(-np.inf, bound, True, unit)


def between(low: float, high: float, unit: str = "", included: bool = True) -> Expect:
    """From ``low`` to ``high``; without ``included`` strictly between."""
    return _Range(low, high, included, unit)


@final
@dataclass(frozen=True)
class _Trend(Expect):
    sign: int
    strictly: bool
    unit: str

    def holds(self, value: Any) -> bool:
        steps = self.sign * np.diff(np.atleast_1d(np.asarray(value, dtype=np.float64)), axis=-1)
        return bool(steps.size and ((steps > 0) if self.strictly else (steps >= 0)).all())

    def shown(self, value: Any) -> str:
        return measured(value, lambda entry, unit: number(entry, 4, unit), self.unit)

    @property
    def words(self) -> str:
        up = self.sign > 0
        return ("rising" if up else "falling") if self.strictly else ("never falling" if up else "never rising")

    @property
    def bounds(self) -> dict[str, Any]:
        return {"trend": self.words, "unit": self.unit}


def rising(unit: str = "", strictly: bool = True) -> Expect:
    """Each entry above the one before it, along the last axis; without ``strictly`` none below."""
    return _Trend(1, strictly, unit)


def falling(unit: str = "", strictly: bool = True) -> Expect:
    """Each entry below the one before it, along the last axis; without ``strictly`` none above."""
    return _Trend(-1, strictly, unit)


@final
@dataclass(frozen=True)
class _Equal(Expect):
    target: Any
    unit: str

    def holds(self, value: Any) -> bool:
        if isinstance(self.target, set | frozenset | str | bool) or self.target is None:
            return bool(value == self.target)
        array = _whole(value)
        target = np.asarray(self.target)
        return array is not None and array.shape[array.ndim - target.ndim :] == target.shape and bool((array == target).all())

    def shown(self, value: Any) -> str:
        return _any_words(value, self.unit)

    @property
    def words(self) -> str:
        return _any_words(self.target, self.unit)

    @property
    def tolerance(self) -> str:
        return "exact"

    @property
    def bounds(self) -> dict[str, Any]:
        return {"target": plain(self.target), "unit": self.unit}


def equal(target: Any, unit: str = "") -> Expect:
    """Exactly the target: a word, a number, a set, an array (the last axes of the value)."""
    return _Equal(target, unit)


@final
@dataclass(frozen=True)
class _ShareAtLeast(Expect):
    share: float

    def holds(self, value: Any) -> bool:
        array = _whole(value)
        return array is not None and bool(array.astype(bool).mean() >= self.share)

    def shown(self, value: Any) -> str:
        array = np.asarray(value, dtype=bool)
        if not array.size:
            return "nothing"
        share = float(array.mean())
        return f"{number(share, max(3, _telling_digits(share, [self.share]) - 1), '%')} of {array.size}"

    @property
    def words(self) -> str:
        return "all" if self.share == 1 else f"at least {number(self.share, 4, '%')}"

    @property
    def bounds(self) -> dict[str, Any]:
        return {"low": self.share, "included": True, "unit": "%"}


def share_at_least(share: float) -> Expect:
    """At least this share of an array of true and false is true."""
    return _ShareAtLeast(share)


@final
@dataclass(frozen=True)
class _Passes(Expect):
    predicate: Callable[[Any], bool]
    said: str
    within: str
    show: Callable[[Any], str]

    def holds(self, value: Any) -> bool:
        return bool(self.predicate(value))

    def shown(self, value: Any) -> str:
        return self.show(value)

    @property
    def words(self) -> str:
        return self.said

    @property
    def tolerance(self) -> str:
        return self.within


def passes(
    predicate: Callable[[Any], bool], words: str, tolerance: str = "as stated", shown: Callable[[Any], str] | None = None
) -> Expect:
    """A predicate that no other expectation says.

    Args:
        predicate: decides.
        words: what it asks for.
        tolerance: how far from it still counts.
        shown: the value in words; by default entry by entry.
    """
    return _Passes(predicate, words, tolerance, shown or _any_words)


def says_itself(expect: Expect) -> bool:
    """Whether a value is shown in words of the expectation's own."""
    return isinstance(expect, _Passes) and expect.show is not _any_words


@final
@dataclass(frozen=True)
class _Parts(Expect):
    """Several expectations, each of the part of a measured mapping that has its name; see `all_of`."""

    parts: Mapping[str, Expect]

    def holds(self, value: Any) -> bool:
        return all(expect.holds(value[name]) for name, expect in self.parts.items())

    def shown(self, value: Any) -> str:
        words = {name: self.parts[name].shown(item) if name in self.parts else _any_words(item) for name, item in value.items()}
        return "; ".join(f"{name}: {text}" for name, text in words.items())

    @property
    def words(self) -> str:
        return "; ".join(f"{name}: {expect.words}" for name, expect in self.parts.items())

    @property
    def tolerance(self) -> str:
        each = {name: expect.tolerance for name, expect in self.parts.items()}
        if len(set(each.values())) == 1:
            return next(iter(each.values()))
        told = (f"{name}: {words}" for name, words in each.items() if words not in ("as stated", "exact"))
        return "; ".join(told) or "as stated"

    @property
    def bounds(self) -> dict[str, Any]:
        return {name: expect.bounds for name, expect in self.parts.items()}


def all_of(parts: Mapping[str, Expect]) -> Expect:
    """Each part of a measured mapping as the expectation of the same name says."""
    return _Parts(parts)


def _any_words(value: Any, unit: str = "") -> str:
    """A value of any kind in words."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_any_words(item, unit)}" for name, item in value.items())
    if isinstance(value, set | frozenset):
        return ", ".join(sorted(map(str, value))) or "none"
    if isinstance(value, list | tuple) and any(isinstance(item, str | list | tuple | set | frozenset | None) for item in value):
        return "; ".join(_any_words(item, unit) for item in value) or "none"

    def show(entry: Any) -> str:
        if isinstance(entry, str | bool | np.bool_) or entry is None:
            return with_unit(_any_words(entry), unit)
        return number(entry, 4, unit)

    return listed(value, show)
