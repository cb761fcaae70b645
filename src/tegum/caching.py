"""Where expensive results are cached: a mark on the functions that train and minimise, and a cache that is asked first.

>>> @cached()
... def squares(n):
...     return xr.Dataset({"square": ("k", [k * k for k in range(n)])})
>>> def cache(call):
...     print("asked for", call.function.__name__, call.arguments)
...     return call.run()                               # or a result from disk
>>> with caching(cache):
...     squares(3).square.values
asked for squares {'n': 3}
array([0, 1, 4])

Without a cache, which is the normal case, a marked function is called as it stands.  The cache of `tegum reproduce` is
`tegum.execution.Pieces`.  A study therefore needs to know nothing of files to be resumable.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, ParamSpec, final

import xarray as xr

from tegum.interruption import Interrupted

P = ParamSpec("P")

_NOT_PART_OF_A_RESULT = ("threads", "progress")
_WRONG = (ValueError, TypeError, LookupError, ArithmeticError, MemoryError)
"""What wrong arguments may end in, `InvalidInputError` among them, and sizes that no memory holds."""


@final
@dataclass(frozen=True, eq=False)
class Call:
    """One call of a marked function: what to call, with which arguments, whether it may be cut, along what, what it costs."""

    function: Callable[..., xr.Dataset]
    arguments: dict[str, Any]
    splittable: bool
    cost: Callable[..., float] | None = None
    along: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def defining(self) -> dict[str, Any]:
        """The arguments that define the result: all but the number of threads and the progress bar."""
        return {name: value for name, value in self.arguments.items() if name not in _NOT_PART_OF_A_RESULT}

    def seconds(self) -> float:
        """About how long the call takes on one core; 0 where that is not known."""
        return 0.0 if self.cost is None else self.cost(**self.arguments)

    def replaced(self, **changes: Any) -> "Call":
        """The same call with other arguments."""
        return replace(self, arguments=self.arguments | changes)

    def run(self) -> xr.Dataset:
        """The result, computed now; nothing that it calls is cached on its own."""
        with caching(None):
            return self.function(**self.arguments)


Cache = Callable[[Call], xr.Dataset]
"""What is asked for the result of a call before it is computed, and returns it, cached or computed."""

_cache: ContextVar[Cache | None] = ContextVar("cache", default=None)


@contextmanager
def caching(cache: Cache | None) -> Iterator[None]:
    """A block in which marked functions ask ``cache``, or none."""
    token = _cache.set(cache)
    try:
        yield
    finally:
        _cache.reset(token)


def cached(
    *,
    splittable: bool = False,
    along: Mapping[str, tuple[str, ...]] | None = None,
    whole_with: tuple[str, ...] = (),
    cost: Callable[..., float] | None = None,
    warn: Callable[..., None] | None = None,
) -> Callable[[Callable[P, xr.Dataset]], Callable[P, xr.Dataset]]:
    """Marks a function whose result depends on its arguments alone and is worth caching.

    Args:
        splittable: the instances of its ``sweep`` do not depend on each other, so it may be cut along its first axis.
        along: beside a sweep, an axis of the result and the arguments that have an entry for each of its positions, such as the
            numbers of chains and where each starts.
        whole_with: arguments that, where they are given, forbid the cut.
        cost: of the same arguments, about how many seconds the call takes on one core.
        warn: of the same arguments, warns where a result will be doubtful: before the cache is asked, so that who calls is told
            each time, wherever the pieces are computed.
    """

    def mark(function: Callable[P, xr.Dataset]) -> Callable[P, xr.Dataset]:
        signature = inspect.signature(function)

        def bound_to(*args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            return dict(bound.arguments)

        @wraps(function)
        def asking(*args: P.args, **kwargs: P.kwargs) -> xr.Dataset:
            cache = _cache.get()
            if warn is not None:
                with suppress(*_WRONG):  # the function says of all arguments together what is wrong
                    warn(**bound_to(*args, **kwargs))
            if cache is None:
                data = function(*args, **kwargs)
            else:
                arguments = bound_to(*args, **kwargs)
                whole = any(_given(arguments[name]) for name in whole_with)
                data = cache(Call(function, arguments, splittable and not whole, cost, along or {}))
            if data.attrs.get("interrupted"):
                raise Interrupted(data)
            return data

        return asking

    return mark


def _given(value: Any) -> bool:
    return value is not None and not (isinstance(value, int) and value == 0)
