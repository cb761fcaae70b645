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
from typing import final

import numpy as np

from tegum.compilation import is_compiled
from tegum.interruption import noticing_interruption
from tegum.nets import Net
from tegum.progress import ProgressBar
from tegum.training.arrays import Scratch, scratch_for, shape_of
from tegum.training.blocks import PANEL_WIDTH
from tegum.training.instances import Instances
from tegum.training.kernel import advance, draw_samples, evaluate
from tegum.training.recipe import Recipe

FINISHED, DIVERGED, INTERRUPTED = "finished", "diverged", "interrupted"

_STRETCH_SECONDS = 0.05
_FIRST_STRETCH_OPERATIONS = 1e9
_SLOW_SECONDS = 2.0


@final
class Outcome:
    """What became of each instance: status, steps done, and the loss and parameters at the recorded steps.

    Before training all are interrupted at step 0, and what was not measured is nan.
    """

    def __init__(self, instances: Instances, recipe: Recipe) -> None:
        count, length = instances.parameters.shape
        steps = len(recipe.recorded_steps())
        self.status = np.full(count, INTERRUPTED, dtype="<U11")
        self.steps_done = np.zeros(count, dtype=np.int64)
        self.loss, self.loss_standard_error = np.full(count, np.nan), np.full(count, np.nan)
        self.recorded_loss = np.full((count, steps if "loss" in recipe.record else 0), np.nan)
        with_parameters = bool(set(recipe.record) - {"loss"})
        self.recorded_parameters = np.full((count, steps if with_parameters else 0, length), np.nan, dtype=np.float32)
        self.interrupted = False


@final
class _Run:
    """The shared state of the threads of one training."""

    def __init__(self, net: Net, instances: Instances, recipe: Recipe) -> None:
        self.net, self.shape, self.instances = net, shape_of(net), instances
        self.record_steps = recipe.recorded_steps()
        self.test_panels = -(-recipe.evaluation_samples // PANEL_WIDTH)
        self.outcome = Outcome(instances, recipe)
        self.waiting = deque(range(instances.count))
        operations = 10 * net.n_features * (net.n_hidden + 8) * np.array([numbers.batch_size for numbers in instances.recipes])
        self.stretch = np.maximum(1, _FIRST_STRETCH_OPERATIONS // operations).astype(np.int64)
        self.stop = threading.Event()
        self.last_loss, self.steps_run = float("nan"), 0
        self.lock = threading.Lock()

    def measure(self, k: int, scratch: Scratch) -> tuple[float, float]:
        """Loss of instance k on the test set of its features, and its standard error."""
        instances = self.instances
        stream = instances.evaluation_streams[k].copy()
        mean, error = evaluate(self.shape, scratch, instances.features[k], instances.parameters[k], stream, self.test_panels)
        return mean, error

    def note(self, k: int, step: int, scratch: Scratch) -> None:
        """Records instance k if ``step`` is one of the recorded steps."""
        if step not in self.record_steps:
            return
        row = self.record_steps.index(step)
        if self.outcome.recorded_loss.size:
            self.outcome.recorded_loss[k, row] = self.measure(k, scratch)[0]
        if self.outcome.recorded_parameters.size:
            self.outcome.recorded_parameters[k, row] = self.instances.parameters[k]

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

    def begin(self, k: int, scratch: Scratch) -> None:
        """Draws instance k's data set, if it has one, and records its initial weights."""
        instances, size = self.instances, self.instances.recipes[k].data_set_size
        if size:
            used = -(-size // PANEL_WIDTH) * PANEL_WIDTH * self.shape.n
            draw_samples(scratch, instances.features[k], instances.data_set_streams[k], instances.data_sets[k, :used])
        self.note(k, 0, scratch)

    def run_stretch(self, k: int, scratch: Scratch) -> bool:
        """One stretch of instance k; true once it has ended."""
        instances, outcome = self.instances, self.outcome
        start, steps = int(outcome.steps_done[k]), instances.recipes[k].steps
        if start == 0:
            self.begin(k, scratch)
        recorded = next((step for step in self.record_steps if step > start), steps)
        end = min(start + int(self.stretch[k]), steps, recorded)
        began = time.perf_counter()
        done, loss = advance(self.shape, scratch, instances.features[k], instances.recipes[k], instances.state(k), start, end)
        seconds = time.perf_counter() - began
        if end - start == self.stretch[k]:
            faster = np.clip(_STRETCH_SECONDS / max(seconds, 1e-6), 0.25, 8)
            self.stretch[k] = max(1, int(self.stretch[k] * faster))
        outcome.steps_done[k] = done
        broken = done < end or not np.isfinite(instances.parameters[k]).all()
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


def train_instances(net: Net, instances: Instances, recipe: Recipe, threads: int, progress: bool | None) -> Outcome:
    """Trains every instance to its end; on Ctrl-C stops cleanly with what is done.

    Args:
        net: the family and its sizes.
        instances: advanced in place.
        recipe: what to record, at which steps, and how many samples measure the loss (rounded up to a multiple of 64).
        threads: how many instances train at the same time.
        progress: True shows a bar, False none, None one where standard error is a terminal.
    """
    run = _Run(net, instances, recipe)
    workers = max(1, min(threads, instances.count))
    bar = ProgressBar(
        total=sum(numbers.steps for numbers in instances.recipes),
        unit="step",
        unit_scale=True,
        desc="training" if is_compiled(advance) else "compiling the engine (once on this machine, half a minute)",
        delay=_SLOW_SECONDS,
        disable=None if progress is None else not progress,
    )
    with noticing_interruption() as pressed, bar, ThreadPoolExecutor(workers, thread_name_prefix="tegum") as executor:
        futures = [executor.submit(run.work) for _ in range(workers)]
        try:
            _watch(futures, pressed, lambda: _show(bar, run))
        except KeyboardInterrupt:
            run.outcome.interrupted = True
        finally:
            run.stop.set()
    for future in futures:
        future.result()
    return run.outcome


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
