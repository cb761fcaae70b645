"""Training many instances at once: threads that take an instance, run a stretch of its steps, and put it back.

The kernel releases the interpreter lock, so plain threads use all cores; Numba's own threading layer is avoided because it
cannot be entered from two Python threads.  Stretches last about a twentieth of a second: short enough for progress and
Ctrl-C, and for few instances to share the cores evenly.  Which thread runs which stretch changes nothing in the result.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import is_compiled
from tegum.interruption import noticing_interruption
from tegum.nets import Net
from tegum.progress import ProgressBar
from tegum.training.arrays import scratch_for, shape_of
from tegum.training.blocks import LANES
from tegum.training.instances import Instances
from tegum.training.kernel import advance, draw_samples, evaluate

FINISHED, DIVERGED, INTERRUPTED = "finished", "diverged", "interrupted"

_STRETCH_SECONDS = 0.05
_FIRST_STRETCH_OPERATIONS = 1e9
_SLOW_SECONDS = 2.0


@final
@dataclass(eq=False)
class Outcome:
    """What became of each instance: status, steps done, and the loss and parameters at the recorded steps."""

    status: NDArray[np.str_]
    steps_done: NDArray[np.int64]
    loss: NDArray[np.float64]
    loss_standard_error: NDArray[np.float64]
    recorded_loss: NDArray[np.float64]
    recorded_parameters: NDArray[np.float32]
    interrupted: bool = False


@final
@dataclass(eq=False)
class _Run:
    """The shared state of the threads of one training."""

    net: Net
    instances: Instances
    record_steps: tuple[int, ...]
    record: tuple[bool, bool]
    panels: int
    outcome: Outcome
    waiting: deque[int]
    stretch: NDArray[np.int64]
    stop: threading.Event = field(default_factory=threading.Event)
    last_loss: float = float("nan")
    steps_run: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def measure(self, k: int, scratch: Any) -> tuple[float, float]:
        """Loss of instance k on its world's test set, and its standard error."""
        instances = self.instances
        mean, error = evaluate(
            shape_of(self.net),
            instances.world,
            instances.state.parameters[k],
            instances.evaluation[k].copy(),
            scratch,
            k,
            self.panels,
        )
        return mean, error

    def note(self, k: int, step: int, scratch: Any) -> None:
        """Records instance k if ``step`` is one of the recorded steps."""
        if step not in self.record_steps:
            return
        row = self.record_steps.index(step)
        if self.record[0]:
            self.outcome.recorded_loss[k, row] = self.measure(k, scratch)[0]
        if self.record[1]:
            self.outcome.recorded_parameters[k, row] = self.instances.state.parameters[k]

    def work(self) -> None:
        """What each thread does until no instance is left or the run is stopped."""
        scratch = scratch_for(self.net)
        try:
            while not self.stop.is_set():
                try:
                    k = self.waiting.popleft()
                except IndexError:
                    return
                if not self.run_stretch(k, scratch):
                    self.waiting.append(k)
        except BaseException:
            self.stop.set()
            raise

    def run_stretch(self, k: int, scratch: Any) -> bool:
        """One stretch of instance k; true once it has ended."""
        shape, instances, outcome = shape_of(self.net), self.instances, self.outcome
        start, steps = int(outcome.steps_done[k]), int(instances.method.steps[k])
        if start == 0:
            size = int(instances.method.data_set_size[k])
            if size:
                used = -(-size // LANES) * LANES * shape.n
                draw_samples(shape, instances.world, instances.data_set[k], scratch, k, instances.state.data[k, :used])
            self.note(k, 0, scratch)
        recorded = next((step for step in self.record_steps if step > start), steps)
        end = min(start + int(self.stretch[k]), steps, recorded)
        began = time.perf_counter()
        done, loss = advance(shape, instances.world, instances.method, instances.state, scratch, k, start, end)
        seconds = time.perf_counter() - began
        if end - start == self.stretch[k]:
            faster = np.clip(_STRETCH_SECONDS / max(seconds, 1e-6), 0.25, 8)
            self.stretch[k] = max(1, int(self.stretch[k] * faster))
        outcome.steps_done[k] = done
        broken = done < end or not np.isfinite(instances.state.parameters[k]).all()
        with self.lock:
            self.last_loss = loss
            self.steps_run += done - start if done == end and not broken else steps - start
        if broken:
            outcome.status[k] = DIVERGED
            return True
        self.note(k, done, scratch)
        if done == steps:
            outcome.loss[k], outcome.loss_standard_error[k] = self.measure(k, scratch)
            outcome.status[k] = FINISHED if np.isfinite(outcome.loss[k]) else DIVERGED
            return True
        return False


def train_instances(
    net: Net,
    instances: Instances,
    record_steps: tuple[int, ...],
    record: tuple[bool, bool],
    evaluation_samples: int,
    threads: int,
    progress: bool | None,
) -> Outcome:
    """Trains every instance to its end; on Ctrl-C stops cleanly with what is done.

    Args:
        net: the family and its sizes.
        instances: their tables; the state is advanced in place.
        record_steps: steps to record, ascending.
        record: whether to record the loss, and the parameters, there.
        evaluation_samples: size of the test set that measures the loss (rounded up to a multiple of 64).
        threads: how many instances train at the same time.
        progress: True shows a bar, False none, None one where standard error is a terminal.
    """
    count, length = instances.count, instances.state.parameters.shape[1]
    operations = 10 * net.n_features * (net.n_hidden + 8) * instances.method.batch_size
    outcome = Outcome(
        status=np.full(count, INTERRUPTED, dtype="<U11"),
        steps_done=np.zeros(count, dtype=np.int64),
        loss=np.full(count, np.nan),
        loss_standard_error=np.full(count, np.nan),
        recorded_loss=np.full((count, len(record_steps) if record[0] else 0), np.nan),
        recorded_parameters=np.full((count, len(record_steps) if record[1] else 0, length), np.nan, dtype=np.float32),
    )
    run = _Run(
        net=net,
        instances=instances,
        record_steps=record_steps,
        record=record,
        panels=-(-evaluation_samples // LANES),
        outcome=outcome,
        waiting=deque(range(count)),
        stretch=np.maximum(1, _FIRST_STRETCH_OPERATIONS // operations).astype(np.int64),
    )
    total = int(instances.method.steps.sum())
    workers = max(1, min(threads, count))
    title = "training" if is_compiled(advance) else "compiling the engine (once on this machine, half a minute)"
    bar = ProgressBar(
        total=total,
        unit="step",
        unit_scale=True,
        desc=title,
        delay=_SLOW_SECONDS,
        disable=None if progress is None else not progress,
    )
    with noticing_interruption() as pressed, bar, ThreadPoolExecutor(workers, thread_name_prefix="tegum") as executor:
        futures = [executor.submit(run.work) for _ in range(workers)]
        try:
            _watch(futures, pressed, lambda: _show(bar, run))
        except KeyboardInterrupt:
            outcome.interrupted = True
        finally:
            run.stop.set()
    for future in futures:
        future.result()
    return outcome


def _watch(futures: list[Future[None]], pressed: list[int], show: Callable[[], None]) -> None:
    pending = set(futures)
    while pending:
        _, pending = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
        if pressed:
            raise KeyboardInterrupt
        show()


def _show(bar: ProgressBar, run: _Run) -> None:
    with run.lock:
        steps, loss = run.steps_run, run.last_loss
    if steps:
        bar.set_description("training", refresh=False)
    bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
    bar.update(steps - bar.n)
