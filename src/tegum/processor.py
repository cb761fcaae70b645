"""The processor that compiled code runs on: its vector registers, and how slow it is.

Estimates of costs are constants of one machine, times the `slowness_of` an engine here.  Where that is compiled it is timed at
work of its own; until then it is guessed by the width of the registers.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from numba.core.registry import cpu_target

from tegum.compilation import is_compiled

_WIDE, _NARROW = 16, 2.5
"""So many floats a register holds on the machine of the constants; how slow machines with shorter ones are, at a guess."""
_LONGEST_TIMING = 0.03


class Registers(NamedTuple):
    """The vector registers of a processor: how many there are, and how many floats each holds."""

    number: int
    width: int


def registers_of(triple: str, features: str) -> Registers:
    """The registers of a target of LLVM, by its name and its list of features, such as ``+avx2,-avx512f``.

    >>> registers_of("x86_64-unknown-linux-gnu", "+sse4.2,+avx,+avx2,-avx512f")
    Registers(number=16, width=8)
    """
    if triple.startswith(("aarch64", "arm64")):
        return Registers(32, 4)
    has = set(features.split(","))
    return Registers(32, 16) if "+avx512f" in has else Registers(16, 8 if "+avx" in has else 4)


@cache
def registers() -> Registers:
    """Those of the processor that numba compiles for."""
    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    return registers_of(triple, features)


def slowness_of(engine: Any, timed: Callable[[], float]) -> float:
    """How many times as long an engine takes here as the constants say: ``timed`` where this compiled function has its code."""
    if is_compiled(engine):
        return timed()
    return 1.0 if width_here() >= 1 else _NARROW


def width_here() -> float:
    """How wide registers are beside those of the machine of the constants: work on one number at a time is that less slow."""
    return registers().width / _WIDE


def least_seconds(work: Callable[[], object], times: int = 10) -> float:
    """Seconds that this thread works, the least of so many times, or of fewer where that takes long; above 0."""
    seconds: list[float] = []
    while len(seconds) < times and sum(seconds) < _LONGEST_TIMING:
        began = time.thread_time()
        work()
        seconds.append(max(time.thread_time() - began, 1e-9))
    return min(seconds)
