"""Compiling the engines once per machine and version.

Numba stores compiled code on disk and reuses it while the *file of the compiled function* is unchanged.  An engine is several
files, inlined into or linked with each other, so the stored code of one must also be dropped when another changes.  Functions
decorated with `compiled` carry a stamp of all sources of their folder that hold compiled code, and of each folder called
``kernel`` from which these import.

Calls in compiled code may cost more than what they call.  An array is 7 to 11 words to a compiled function, and a call writes
all words of its arguments to the stack: 40 for the product of a matrix with a panel, as many as it has instructions to do where
n is 2.  Worse, a word that lies 4096 bytes above one just written is mistaken for it and waited for; where that is one of the
caller's own arguments, their order alone makes a step of n = 2 take 1.8 or 3.6 microseconds.  So the engines pass pointers
where they can, and small functions are copied into their callers: by numba (`inlined`), or by LLVM (`copied_into_callers`,
1.3 to 1.5 microseconds for that step).  Copies cost compile time; they are for what is called for every panel, row or feature.

Every call costs compile time: numba puts the code of all that a function calls, and of what those call, into the function's
own, and optimises the whole again.  A function at the head of much code is therefore kept `apart_from_callers`: they are linked
to it when they are loaded, as to the C library.  Which ones code needs, and under which symbol, is stored with it.

Compiled code on disk carries a hash of itself, because a flipped bit of it would crash whoever runs it; what is damaged is
compiled anew.  It lies beside the sources or in the user's cache; where neither can be written, in a private temporary folder.

Of processes that need the same code at the same time one compiles it; the others wait, and load it.  So a second process can
take a part of the first's work: `compile_beside` starts one, on another core, for code that its caller needs last.
"""

import gc
import hashlib
import importlib
import os
import pickle
import re
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numba
from llvmlite import binding as llvm
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

from tegum.byte_locks import taken_for_life, waited_for
from tegum.errors import InvalidInputError
from tegum.interruption import never_losing_interruption
from tegum.threads import default_threads

if numba.config.DISABLE_JIT:
    raise InvalidInputError("NUMBA_DISABLE_JIT is set", "unset it: the engines cannot run uncompiled")

COMPILING = "compiling the engine (once on this machine, a minute)"
"""What a progress bar says while functions are compiled."""

_HASH_SIZE = 32
_PATIENCE_SECONDS = 120.0
_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "_nrt": False,
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "nsz", "arcp"},
}
_SELDOM = 200_000
"""So many objects more are looked through for garbage while functions are compiled; Python's own number is 700."""
_sizes: dict[str, int] = {}
_with_a_second: set[Path] = set()

_BESIDE = "TEGUM_COMPILES_BESIDE"
"""What the environment of a process holds that compiles for another, and the lock of whoever has started one."""
_FROM_A_KERNEL = re.compile(rb"^from tegum\.([\w.]*kernel)\.", re.MULTILINE)
"""What compiled code imports from the compiled code of another folder."""


@cache
def _sources_stamp(folder: Path) -> str:
    """A hash of the sources of a folder that hold compiled code, and of other folders' that its compiled code calls."""
    digest = hashlib.sha256(numba.__version__.encode())
    called = set[Path]()
    for path in (Path(__file__), *sorted(folder.glob("*.py"))):
        source = path.read_bytes()
        if b"tegum.compilation import" in source or b"numba" in source:
            digest.update(source)
            names = {name.decode().replace(".", "/") for name in _FROM_A_KERNEL.findall(source)}
            called |= {Path(__file__).parent / name for name in names}
    for other in sorted(called - {folder}):
        digest.update(_sources_stamp(other).encode())
    return digest.hexdigest()


def compiled(function: Callable[..., Any]) -> Any:
    """The function compiled on first call, without the interpreter lock, reused by later processes.

    Sums may be reordered and products contracted, so that they vectorise; a division by zero gives infinity.

    A local variable that starts from an integer literal and changes later makes numba compile every function it is passed to
    once more, for the literal, in vain: start it with np.int64(0).
    """
    return _kept(numba.njit(**_OPTIONS)(function))


def inner(function: Callable[..., Any]) -> Any:
    """The function `compiled` for compiled callers alone: a way in from Python takes an eighth of the time to compile.

    Raises:
        TypeError: where Python calls it.
    """

    def refuse(*_: object) -> None:
        raise TypeError(f"{function.__qualname__} is called by compiled code only: decorate it with compiled instead of inner")

    dispatcher = numba.njit(**_OPTIONS, no_cpython_wrapper=True)(function)
    dispatcher._compile_for_args = refuse
    dispatcher.add_overload = partial(_without_a_way_in, dispatcher)
    return _kept(dispatcher)


def _without_a_way_in(dispatcher: Any, result: Any) -> None:
    """What numba does with code, but for telling Python's calls of it."""
    dispatcher.overloads[tuple(result.signature.args)] = result


def _kept(dispatcher: Any) -> Any:
    """A compiled function whose code is kept on disk, where there is a place for it."""
    compile_ = partial(_with_less_effort, dispatcher.compile)
    has_place = _enable_cache(dispatcher)
    dispatcher.compile = never_losing_interruption()(partial(_by_one_process, dispatcher, compile_) if has_place else compile_)
    dispatcher.add_overload = partial(_with_needs, dispatcher.add_overload)
    if not has_place:
        return dispatcher
    index = dispatcher._cache._cache_file
    index._source_stamp = (index._source_stamp, _sources_stamp(Path(dispatcher.py_func.__code__.co_filename).parent))
    index._dump = partial(_with_hash, index._dump)
    index._load_index = partial(_read_or, {}, index._load_index, lambda: index._index_path)
    index._load_data = partial(_read_or, None, index._load_data, index._data_path)
    dispatcher._cache.save_overload = partial(_written_or_said, dispatcher._cache.save_overload)
    impl, has_way_in = dispatcher._cache._impl, "no_cpython_wrapper" not in dispatcher.targetoptions
    impl.reduce, impl.rebuild = partial(_stored, impl.reduce), partial(_restored, impl.rebuild, has_way_in)
    return dispatcher


def _with_less_effort(compile_: Callable[[Any], Any], signature: Any) -> Any:
    """Compiles in five sixths of the time.

    Numba makes millions of objects, among which Python looks for garbage again and again; and it has LLVM parse a program for
    the size of each variable's type.
    """
    with global_compiler_lock:
        context, often = cpu_target.target_context, gc.get_threshold()
        if "get_abi_sizeof" in vars(context):  # within another function
            return compile_(signature)
        try:
            gc.set_threshold(_SELDOM if often[0] else 0, *often[1:])
            context.get_abi_sizeof = partial(_size_of, context.target_data)
            return compile_(signature)
        finally:
            vars(context).pop("get_abi_sizeof", None)
            gc.set_threshold(*often)


def _size_of(target_data: Any, kind: Any) -> int:
    """The bytes of a value of one of LLVM's types."""
    name = str(kind)
    if name not in _sizes:
        _sizes[name] = kind.get_abi_size(target_data)
    return _sizes[name]


def copied_into_callers(dispatcher: Any) -> Any:
    """A function that was just `compiled`, from now on copied into its compiled callers: numba tells LLVM to."""
    dispatcher.targetoptions["forceinline"] = True
    return dispatcher


class _Need(NamedTuple):
    """A function kept apart that code calls: where it is found, for which types, and its symbol."""

    module: str
    name: str
    signature: Any
    symbol: str


def apart_from_callers(dispatcher: Any) -> Any:
    """A function that was just `compiled`, from now on linked to its compiled callers, which do not get a copy of its code."""
    dispatcher.add_overload = partial(_kept_apart, dispatcher.py_func, dispatcher.add_overload)
    return dispatcher


def _kept_apart(function: Callable[..., Any], add: Callable[[Any], None], result: Any) -> None:
    """In place of its code callers get an empty module; its own object lies in the process under its symbol."""
    add(result)
    library = result.library
    library._shared_module = llvm.parse_assembly(str(library.codegen._create_empty_module(library.name)))
    library.needs = {_Need(function.__module__, function.__qualname__, result.signature.args, result.fndesc.llvm_func_name)}


def _with_needs(add: Callable[[Any], None], result: Any) -> None:
    """Code needs what the code that was copied into it needs."""
    add(result)
    library = result.library
    if not hasattr(library, "needs"):
        library.needs = _needs_inside(library)


def _needs_inside(library: Any) -> set[_Need]:
    """What all the code needs that was copied into a library."""
    return set[_Need]().union(*(getattr(called, "needs", ()) for called in library._linking_libraries))


def _stored(reduce: Callable[[Any], Any], result: Any) -> Any:
    """What is written of compiled code: which functions it is linked to, all in all, and what numba writes."""
    return _needs_inside(result.library), reduce(result)


def _restored(rebuild: Callable[..., Any], has_way_in: bool, target: Any, stored: Any) -> Any:
    """Compiled code linked to what it needs; None, so that it is compiled anew, where that has another symbol by now."""
    needs, content = stored
    for need in needs:
        function = getattr(importlib.import_module(need.module), need.name)
        function.compile(need.signature)
        if function.overloads[need.signature].fndesc.llvm_func_name != need.symbol:
            return None
    # Numba finds in the engine only what it has noted, and notes what callers get a copy of: nothing of what is apart.
    symbols, noted = content[1], target.codegen()._engine._defined_symbols
    noted.add(symbols.llvm_func_name)
    if has_way_in:
        noted.add(symbols.llvm_cpython_wrapper_name)
    result = rebuild(target, content)
    result.library.needs = needs
    return result


def _by_one_process(dispatcher: Any, compile_: Callable[[Any], Any], signature: Any) -> Any:
    """Compiles, or loads what another process has compiled until then.

    Functions wait for what they call and never for what calls them: no two processes wait for each other.
    """
    if signature in dispatcher.overloads:
        return compile_(signature)
    index = dispatcher._cache._cache_file
    key = dispatcher._cache._index_key(signature, dispatcher.targetctx.codegen())
    folder, name = Path(index._index_path).parent, repr((index._index_name, key[1]))  # of this function, for this processor
    with global_compiler_lock, waited_for(folder, name, lambda: key in index._load_index(), _PATIENCE_SECONDS):
        return compile_(signature)


def compile_beside(task: str, *needed: Any) -> None:
    """Has a second process compile code that this one needs later, where it is not compiled and another core is there.

    Args:
        task: a function of a module that compiles it, such as ``"tegum.exact.certificate:compile_hessians"``.
        needed: compiled functions: without one of them there is something to do.
    """
    folder = folder_of(needed[0])
    alone = default_threads() == 1 or not sys.executable or _BESIDE in os.environ
    if alone or folder is None or folder in _with_a_second or all(is_compiled(function) for function in needed):
        return
    if not taken_for_life(folder, _BESIDE):
        return
    _with_a_second.add(folder)
    module, function = task.split(":")
    place = {"NUMBA_CACHE_DIR": numba.config.CACHE_DIR} if numba.config.CACHE_DIR else {}
    threading.Thread(
        target=subprocess.run,
        args=([sys.executable, "-P", "-c", f"from {module} import {function}; {function}()"],),
        kwargs={
            "env": {**os.environ, _BESIDE: "1", "PYTHONPATH": os.pathsep.join(sys.path), **place},
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
        },
        daemon=True,
    ).start()


def _enable_cache(dispatcher: Any) -> bool:
    """Whether there is a place for compiled code: beside the sources, the user's cache, or a temporary folder."""
    for place in (lambda: None, _private_folder):
        try:
            numba.config.CACHE_DIR = place() or numba.config.CACHE_DIR
            dispatcher.enable_caching()
            return True
        except (RuntimeError, OSError):  # numba found no place; nor did we
            continue
    return False


@cache
def _private_folder() -> str:
    """A temporary folder that nobody else can write: what lies in it is executed."""
    folder = Path(tempfile.gettempdir()) / f"tegum-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    except OSError:
        ours = False
    place = str(folder) if ours else tempfile.mkdtemp(prefix="tegum-")
    _say_once(f"tegum: compiled code can be kept neither beside the package nor in your cache; it is in {place}\n")
    return place


def _with_hash(dump: Callable[[Any], bytes], content: Any) -> bytes:
    """A pickle and its hash, which whoever reads a pickle does not notice."""
    pickled = dump(content)
    return pickled + hashlib.sha256(pickled).digest()


def _read_or(nothing: Any, read: Callable[..., Any], path_of: Callable[..., str], *name: str) -> Any:
    """What is stored; nothing where the file is damaged, or pickled by classes that are gone: then it is compiled anew."""
    try:
        content = Path(path_of(*name)).read_bytes()
        begin = len(_pickled_version()) if nothing is not None else 0
        if hashlib.sha256(content[begin:-_HASH_SIZE]).digest() != content[-_HASH_SIZE:]:
            return nothing
        return read(*name)
    except Exception:  # noqa: BLE001 - a damaged pickle may raise anything
        return nothing


@cache
def _pickled_version() -> bytes:
    """What numba writes before an index."""
    return pickle.dumps(numba.__version__, protocol=-1)


def _written_or_said(write: Callable[..., None], *what: Any) -> None:
    """Compiled code that cannot be written, such as on a full disk, is used all the same."""
    try:
        write(*what)
    except OSError as error:
        _say_once(f"tegum: compiled code cannot be kept ({error.strerror}); the next start compiles it again\n")


@cache
def _say_once(line: str) -> None:
    sys.stderr.write(line)


def is_compiled(function: Any) -> bool:
    """Whether a compiled function has its code, in this process or on disk, so that the first call starts at once."""
    stored = getattr(function._cache, "_cache_file", None)
    return bool(function.overloads or (stored is not None and stored._load_index()))


def folder_of(function: Any) -> Path | None:
    """The folder that a compiled function is kept in; None where it is not."""
    stored = getattr(function._cache, "_cache_file", None)
    return None if stored is None else Path(stored._index_path).parent


def inlined(function: Callable[..., Any]) -> Any:
    """The function copied into its compiled callers: passing a table of arrays costs a microsecond, copying nothing.

    For inner loops only: each copy makes the compiler copy the whole caller, a quarter of a second where that is long.
    """
    return numba.njit(inline="always", _nrt=False)(function)
