"""Pieces on a Dask cluster: this program hands them out, and writes what comes back; the workers need no shared disk.

A worker computes a piece on one thread and returns its dataset.  It needs the same version of tegum, which is asked before
anything is sent.  Where a worker dies, Dask gives its piece to another one; a scheduler that dies ends the command, and the
same command goes on when there is one again.

So few pieces are under way that their results never fill the memory: four for each of the workers' threads.
"""

import concurrent.futures
import logging
import math
import pickle
import re
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from typing import Any, final

import xarray as xr
from tqdm import tqdm

from tegum.caching import Call, caching
from tegum.errors import InvalidInputError
from tegum.execution.executors import ON_CLUSTER, OWN_EXPERIMENTS, Outcome, Piece
from tegum.progress import ProgressBar
from tegum.provenance import git_commit, science_version, tegum_version
from tegum.threads import default_threads

_ADDRESS, _LOCAL = re.compile(r"dask://((\[[^\]]+\]|[^\s:/]+):\d{1,5})/?"), "dask"
_AHEAD, _BEAT_SECONDS, _PATIENCE_SECONDS, _VIEW_SECONDS, _SHOWN = 4, 0.5, 20.0, 1.0, 4


@final
class Cluster:
    """The workers of a `distributed.Client`."""

    least, said = 1, ON_CLUSTER

    def __init__(self, client: Any) -> None:
        self._client = client
        self._seen = self._manned = time.monotonic()
        self._asked, self._said, self._shown = -math.inf, "", sys.stderr.isatty()

    def takes(self, number: int) -> bool:
        """Every piece."""
        return True

    def compute(self, pieces: Iterator[Piece]) -> Iterator[tuple[Piece, Outcome]]:
        """Keeps all workers busy, and yields what is done."""
        from distributed import CancelledError, wait

        under_way: dict[Any, Piece] = {}
        ours = _version()
        view = ProgressBar(bar_format="{desc}", leave=False)
        try:
            while True:
                while len(under_way) < self._room() and (piece := next(pieces, None)) is not None:
                    under_way[self._submitted(piece, ours)] = piece
                if not under_way:
                    return
                self._require_alive(under_way)
                with suppress(TimeoutError, CancelledError):  # the last where the scheduler has gone, which is seen below
                    wait(list(under_way), timeout=_BEAT_SECONDS, return_when="FIRST_COMPLETED")
                view.set_description_str(self._doing(under_way))
                # one that is lost is no longer done: its worker died with the result, and another computes it again
                for future in [one for one in under_way if one.done() and one.status != "lost"]:
                    yield under_way.pop(future), self._outcome(future)
        finally:
            view.close()
            with suppress(Exception):  # where there is no scheduler any more nothing is left to be told
                self._client.cancel(list(under_way), force=True)

    def _submitted(self, piece: Piece, ours: tuple[str, str]) -> Any:
        """The future of a piece; what Dask says of large arguments, such as data sets, is not for who calls tegum."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            return self._client.submit(_result, _sent(piece.call), *ours, pure=False, key=_key(piece))

    def _doing(self, under_way: Mapping[Any, Piece]) -> str:
        """What each worker has in hand, in words."""
        if not self._shown or time.monotonic() < self._asked + _VIEW_SECONDS:
            return self._said
        self._asked = time.monotonic()
        titles = {future.key: piece.title for future, piece in under_way.items()}
        with suppress(Exception):  # a view may be missing, while the scheduler is
            hands = {
                worker: [titles[key] for key in keys if key in titles] for worker, keys in self._client.processing().items()
            }
            said = [f"{worker.rpartition('/')[2]} {', '.join(keys) or 'idle'}" for worker, keys in hands.items()]
            shown = [*said[:_SHOWN], *([f"{len(said) - _SHOWN} more"] if len(said) > _SHOWN else [])]
            self._said = " | ".join(shown) or "waiting for a worker"
        return self._said

    def _room(self) -> int:
        """How many pieces may be under way; says it once where nobody comes to compute them."""
        threads = 0
        with suppress(OSError, TimeoutError):  # the scheduler may be gone: `_require_alive` sees that
            threads = sum(int(n) for n in self._client.nthreads().values()) if self._client.status == "running" else 0
        if threads:
            self._manned = time.monotonic()
        elif time.monotonic() - self._manned > _PATIENCE_SECONDS and self._client.status == "running":
            self._manned = math.inf
            tqdm.write("the cluster has no workers: pieces wait until `dask worker ADDRESS` starts some", file=sys.stderr)
        return max(1, _AHEAD * threads)

    def _require_alive(self, under_way: Mapping[Any, Piece]) -> None:
        """Raises an `InvalidInputError` where the scheduler has gone."""
        cancelled = any(future.status == "cancelled" for future in under_way)
        if self._client.status == "running" and not cancelled:
            self._seen = time.monotonic()
        elif cancelled or time.monotonic() - self._seen > _PATIENCE_SECONDS:
            raise self._gone()

    def _outcome(self, future: Any) -> Outcome:
        """A result, or what went wrong with it; what the user has to mend is raised."""
        from distributed import CancelledError

        if future.status in ("finished", "lost"):
            try:
                result = future.result()  # of one that was lost in this moment the next one
            except (CancelledError, OSError):
                raise self._gone() from None
            if isinstance(result, xr.Dataset):
                return result
            raise TypeError(f"a worker returned {type(result).__name__}")
        if future.status == "cancelled":
            raise self._gone()
        try:
            error = future.exception(timeout=_PATIENCE_SECONDS)
        except (CancelledError, TimeoutError, OSError):
            raise self._gone() from None
        if isinstance(error, InvalidInputError):
            raise error
        return error if isinstance(error, Exception) else RuntimeError(str(error))

    def _gone(self) -> InvalidInputError:
        """What is said where the scheduler has died."""
        place = f" at {self._client.scheduler.address}" if self._client.scheduler else ""
        advice = "start it, and call the same command again: what is finished is kept"
        return InvalidInputError(f"the scheduler{place} does not answer any more", advice)


def _key(piece: Piece) -> str:
    return f"{piece.title} {time.monotonic_ns():x}"


def _sent(call: Call) -> bytes:
    """A call as it travels: its function by name, for one thread, and classes of an experiment of one's own with their code."""
    import cloudpickle

    own = {"threads": 1, "progress": False}
    arguments = call.arguments | {name: value for name, value in own.items() if name in call.arguments}
    for name, module in list(sys.modules.items()):
        if name.startswith(OWN_EXPERIMENTS):
            cloudpickle.register_pickle_by_value(module)
    return bytes(cloudpickle.dumps((call.function.__module__, call.function.__qualname__, arguments)))


def _result(sent: bytes, said: str, version: str) -> xr.Dataset:
    """What a worker does, where it has the version of who sent the call: it may have come after these were compared."""
    if version != science_version():
        raise _another_version(said, _version()[0])
    module, name, arguments = pickle.loads(sent)
    function = getattr(import_module(module), name)
    with caching(None):
        data: xr.Dataset = function(**arguments)
    return data.load()


def _version() -> tuple[str, str]:
    """Which code computes here: what it is called, and what tells it apart."""
    version = science_version()
    return f"{tegum_version()} {git_commit()}".strip() + f" (code {version[:8]})", version


@contextmanager
def cluster_on(on: Any) -> Iterator[Cluster]:
    """The cluster that ``on`` names, see `tegum.executing`, while the block lasts.

    Raises:
        InvalidInputError: where Dask is not installed, nobody answers, or its workers have another version of tegum.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        what = "Dask is not installed, which clusters need"
        raise InvalidInputError(what, "pip install 'tegum[distributed]', or leave --on out") from None
    with ExitStack() as stack:
        stack.enter_context(_quiet("distributed"))
        if isinstance(on, Client):
            client = on
            if client.status != "running":
                what = f"the client of the cluster is {client.status}, not running"
                raise InvalidInputError(what, "make a new one with Client(...) of a cluster that runs")
        elif on == _LOCAL:
            local = LocalCluster(n_workers=default_threads(), threads_per_worker=1, dashboard_address=":0", silence_logs=50)
            client = stack.enter_context(Client(stack.enter_context(local)))
        elif isinstance(on, str) and (address := _ADDRESS.fullmatch(on)):
            try:
                client = stack.enter_context(Client(f"tcp://{address[1]}", timeout=_PATIENCE_SECONDS))
            except (OSError, TimeoutError, ValueError) as error:
                what = f"no scheduler answers at {on} ({type(error).__name__})"
                raise InvalidInputError(what, "check its address; `dask scheduler` starts one and says it") from None
        else:
            raise InvalidInputError(f"on is {on!r:.80}", "give dask, dask://host:port, or a Client of dask.distributed")
        _require_same_version(client)
        yield Cluster(client)


@contextmanager
def _quiet(library: str) -> Iterator[None]:
    """A block in which Dask says nothing of what is said better here: a lost connection, a worker that was killed."""
    names = [
        name for name in logging.root.manager.loggerDict if name.partition(".")[0] == library
    ]  # each has a level of its own
    before = {name: logging.getLogger(name).level for name in names}
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _require_same_version(client: Any) -> None:
    """Raises an `InvalidInputError` where workers that are there compute with other code, naming them."""
    ours = _version()
    try:
        theirs = _versions(client)
    except ModuleNotFoundError as error:
        raise InvalidInputError(f"the workers cannot import tegum ({error})", "install tegum where they run") from None
    except OSError as error:
        what = f"the cluster of the client does not answer ({type(error).__name__})"
        raise InvalidInputError(what, "start one, and make a new client") from None
    others = Counter(said for said, version in theirs.values() if version != ours[1])
    if others:
        raise _another_version(ours[0], ", ".join(f"{count} with {said}" for said, count in others.items()))


def _versions(client: Any) -> dict[str, tuple[str, str]]:
    """What the workers compute with, by their addresses; nothing, and a line that says so, where they take too long to say."""
    answer = concurrent.futures.Future[dict[str, tuple[str, str]]]()

    def ask() -> None:
        try:
            answer.set_result(client.run(_version))
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            answer.set_exception(error)

    threading.Thread(target=ask, name="tegum-versions", daemon=True).start()
    if concurrent.futures.wait([answer], timeout=_PATIENCE_SECONDS).done:
        return answer.result()
    silent = [name for name, one in client.scheduler_info()["workers"].items() if _is_silent(one)]
    who = ", ".join(silent[:_SHOWN]) or "some"
    tqdm.write(f"workers do not answer ({who}): pieces that go to them wait until they do, or are ended", file=sys.stderr)
    return {}


def _is_silent(worker: Mapping[str, Any]) -> bool:
    """Whether the scheduler has heard nothing of a worker for about as long as it was asked."""
    return time.time() - float(worker.get("last_seen", 0)) > _PATIENCE_SECONDS / 2


def _another_version(ours: str, theirs: str) -> InvalidInputError:
    what = f"the workers compute with another version of tegum than this one, {ours}: {theirs}"
    return InvalidInputError(what, "install one version on all machines, and start the workers again")
