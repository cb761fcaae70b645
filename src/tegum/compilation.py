"""Compiling the engines once per machine and version.

Numba stores compiled code on disk and reuses it while the *file of the compiled function* is unchanged.  An engine is several
files, inlined into or linked with each other, so the stored code of one must also be dropped when another changes.  Functions
decorated with `compiled` carry a stamp of all sources of their folder that hold compiled code.

Calls in compiled code may cost more than what they call.  An array is 7 to 11 words to a compiled function, and a call writes
all words of its arguments to the stack: 40 for the product of a matrix with a panel, as many as it has instructions to do where
n is 2.  Worse, a word that lies 4096 bytes above one just written is mistaken for it and waited for; where that is one of the
caller's own arguments, their order alone makes a step of n = 2 take 1.8 or 3.6 microseconds.  So the engines pass pointers
where they can, and small functions are copied into their callers: by numba (`inlined`), or by LLVM (`copied_into_callers`,
1.3 to 1.5 microseconds for that step).  Copies cost compile time; they are for what is called for every panel, row or feature.
"""

import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import numba

COMPILING = "compiling the engine (once on this machine, a minute)"
"""What a progress bar says while functions are compiled."""


@cache
def _sources_stamp(folder: Path) -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for path in (Path(__file__), *sorted(folder.glob("*.py"))):
        source = path.read_bytes()
        if b"import compiled" in source or b"import inlined" in source or b"numba" in source:
            digest.update(source)
    return digest.hexdigest()


def compiled(function: Callable[..., Any]) -> Any:
    """The function compiled on first call, without the interpreter lock, reused by later processes.

    Sums may be reordered and products contracted, so that they vectorise; a division by zero gives infinity.

    A local variable that starts from an integer literal and changes later makes numba compile every function it is passed to
    once more, for the literal, in vain: start it with np.int64(0).
    """
    dispatcher = numba.njit(
        cache=True, nogil=True, _nrt=False, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"}
    )(function)
    index = dispatcher._cache._cache_file
    index._source_stamp = (index._source_stamp, _sources_stamp(Path(function.__code__.co_filename).parent))
    index._load_index = partial(_read_or, {}, index._load_index)
    index._load_data = partial(_read_or, None, index._load_data)
    return dispatcher


def copied_into_callers(dispatcher: Any) -> Any:
    """A function that was just `compiled`, from now on copied into its compiled callers: numba tells LLVM to."""
    dispatcher.targetoptions["forceinline"] = True
    return dispatcher


def _read_or(nothing: Any, read: Callable[..., Any], *name: str) -> Any:
    """What is stored; nothing where the file is damaged, or pickled by classes that are gone: then it is compiled anew."""
    try:
        return read(*name)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - a damaged pickle may raise anything
        return nothing


def is_compiled(function: Any) -> bool:
    """Whether a compiled function has its code, in this process or on disk, so that the first call starts at once."""
    return bool(function.signatures or function._cache._cache_file._load_index())


def inlined(function: Callable[..., Any]) -> Any:
    """The function copied into its compiled callers: passing a table of arrays costs a microsecond, copying nothing.

    For inner loops only: each copy makes the compiler copy the whole caller, a quarter of a second where that is long.
    """
    return numba.njit(inline="always", _nrt=False)(function)
