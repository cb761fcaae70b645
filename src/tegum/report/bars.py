"""A small bar for each number that a claim expects between bounds: what is expected, what was measured, what controls gave.

>>> claim = {"value": 0.94, "bounds": {"low": 0.97, "unit": "%"}, "controls": [{"what": "linear", "value": 0.2}]}
>>> (bar,) = bars(claim)
>>> bar.said, round(bar.low), round(bar.high), [round(place) for place in bar.values], [round(place) for place in bar.controls]
('measured 94 %; expected from 97 %; control 20 %', 93, 100, [90], [7])

Places are in percent of the bar's length.  A bound that there is not lies at the end of the bar.  Numbers above 0 of which one
is more than a hundred times another stand on a logarithmic scale.  A part whose bounds are lists is a bar for each entry.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite, log10
from typing import Any, final

from tegum.claims.words import number

_AIR, _LOGARITHMIC, _MOST_MARKS, _MOST_ENTRIES = 0.08, 100, 16, 8
_SUMMARY = {"share", "min", "max"}
"""What the record of a long array has in its place."""


@final
@dataclass(frozen=True)
class Bar:
    """A bar in percent of its length.

    Attributes:
        label: which part of the measurement; empty where it has one part.
        said: the bar in words, for those who cannot see it.
        low, high: what is expected.
        ends: where the bounds stand, and what they are.
        values, controls: marks.
        logarithmic: whether the scale is.
    """

    label: str
    said: str
    low: float
    high: float
    ends: list[tuple[float, str]]
    values: list[float]
    controls: list[float]
    logarithmic: bool

    @property
    def drawn(self) -> str:
        """The bar as a background in CSS, one element: marks over the controls' circles over the range over a line."""
        marks = [f"linear-gradient(var(--mark), var(--mark)) {at}% 5px / 4px 13px" for at in self.values]
        ring = "radial-gradient(circle, var(--ground) 3px, var(--soft) 3px 4.5px, transparent 4.5px)"
        rings = [f"{ring} {at}% 7px / 9px 9px" for at in self.controls]
        wide = max(self.high - self.low, 0.7)
        place = 50.0 if wide >= 100 else round(min(100.0, 100 * self.low / (100 - wide)), 2)
        band = f"linear-gradient(var(--band), var(--band)) {place}% 4px / {wide:.2f}% 15px"
        line = "linear-gradient(var(--line), var(--line)) 0 11px / 100% 1px"
        return ", ".join(f"{one} no-repeat" for one in (*marks, *rings, band, line))


def bars(claim: Mapping[str, Any]) -> list[Bar]:
    """The bars of a claim; none where nothing is a number between bounds."""
    bounds, value = claim.get("bounds") or {}, claim.get("value")
    parts = bounds.items() if isinstance(value, Mapping) and not _SUMMARY & set(value) else [("", bounds)]
    controls = [control.get("value") for control in claim["controls"]]
    said = str(claim.get("measured", ""))
    found = (_of_part(part, _part(value, part), [_part(one, part) for one in controls], each, said) for part, each in parts)
    return [bar for those in found for bar in those]


def _part(value: Any, part: str) -> Any:
    return value.get(part) if part and isinstance(value, Mapping) else value


def _of_part(part: str, value: Any, controls: list[Any], bounds: Any, said: str) -> list[Bar]:
    """The bar of one part, or where its bounds are lists one for each entry."""
    if not isinstance(bounds, Mapping):
        return []
    exact = bounds.get("target") if not {"low", "high"} & set(bounds) else None
    low, high, unit = bounds.get("low", exact), bounds.get("high", exact), str(bounds.get("unit", ""))
    if not isinstance(low, list) and not isinstance(high, list):
        bar = _bar(part, _numbers(value), _numbers(controls), low, high, unit)
        return [bar] if bar else []
    lows, highs, values = _numbers(low), _numbers(high), _numbers(value)
    if not len(lows) == len(highs) == len(values) <= _MOST_ENTRIES:
        return []
    others = [column for one in controls if len(column := _numbers(one)) == len(values)]
    labels, found = _labels(part, said, len(values)), []
    for k, one in enumerate(values):
        bar = _bar(labels[k], [one], [column[k] for column in others], lows[k], highs[k], unit)
        found += [bar] if bar else []
    return found


def _labels(part: str, said: str, count: int) -> list[str]:
    """What the entries of a part are called: where each stands, as far as the measurement says it in words, else numbers.

    >>> _labels("norms", "norms: 1.00 at density 1, 0.9 at 0.3; others: 2", 2), _labels("", "1, 2", 2)
    (['norms at density 1', 'norms at 0.3'], ['1', '2'])
    """
    mine = next((each for each in said.split("; ") if each.startswith(f"{part}: ")), said).removeprefix(f"{part}: ")
    places = [each.partition(" at ")[2] for each in mine.split(", ")]
    if len(places) != count or not all(places):
        return [f"{part} {k + 1}".strip() for k in range(count)]
    return [f"{part} at {place}".strip() for place in places]


def _bar(label: str, values: list[float], controls: list[float], low: Any, high: Any, unit: str) -> Bar | None:
    """The bar of numbers and bounds; None where there is no number, or no bound."""
    beneath, above = _numbers(low), _numbers(high)
    if not values or not beneath + above:
        return None
    every = [*values, *controls, *beneath, *above]
    logarithmic = min(every) > 0 and max(every) > _LOGARITHMIC * min(every)
    scale = log10 if logarithmic else float
    first, last = scale(min(every)), scale(max(every))
    air = _AIR * (last - first) or 1.0

    def place(one: float) -> float:
        return round(100 * (scale(one) - first + air) / (last - first + 2 * air), 2)

    def said(*those: float) -> str:
        return " to ".join(dict.fromkeys(number(one, 3, unit) for one in sorted(those)[:: len(those) - 1 or 1]))

    expected = [f"{word} {said(*end)}" for word, end in (("from", beneath), ("to", above)) if end]
    words = [f"measured {said(*values)}", f"expected {said(*beneath) if beneath == above else ' '.join(expected)}"]
    return Bar(
        label,
        "; ".join(words + ([f"control {said(*controls)}"] if controls else [])),
        place(beneath[0]) if beneath else 0.0,
        place(above[0]) if above else 100.0,
        [(place(end), said(end)) for end in dict.fromkeys([*beneath, *above])],
        _marks(values, place),
        _marks(controls, place),
        logarithmic,
    )


def _marks(values: list[float], place: Callable[[float], float]) -> list[float]:
    """Where marks stand: those that fall together are one; of many some, first and last among them."""
    places = sorted({round(place(value), 1) for value in values})
    if len(places) <= _MOST_MARKS:
        return places
    return [places[k * (len(places) - 1) // (_MOST_MARKS - 1)] for k in range(_MOST_MARKS)]


def _numbers(value: Any) -> list[float]:
    """All finite numbers in a recorded value; of yes and no the share of yes, of what is summed up the ends."""
    if isinstance(value, Mapping):
        return [number for name in ("share", "min", "max") if name in value for number in _numbers(value[name])]
    if isinstance(value, list):
        if value and all(isinstance(each, bool) for each in value):
            return [sum(value) / len(value)]
        return [number for each in value for number in _numbers(each)]
    return [float(value)] if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) else []
