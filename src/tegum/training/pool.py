"""Training many instances at once: threads that take an instance, run a stretch of its steps, and put it back.

The kernel releases the interpreter lock, so plain threads use all cores; Numba's own threading layer is avoided because it
cannot be entered from two Python threads.  Stretches last about a twentieth of a second: short enough for progress and
Ctrl-C, and for few instances to share the cores evenly.  Which thread runs which stretch changes nothing in the result.

What it will cost is told in `cost`.
"""

import copy
import threading
import time
from collections import deque
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tegum.compilation import COMPILING, is_compiled
from tegum.datasets import Status
from tegum.nets import Net
from tegum.progress import ProgressBar
from tegum.threads import Stop, in_threads
from tegum.training.arrays import Scratch, panels_for, parameter_slices, scratch_for, shape_of
from tegum.training.blocks import PANEL_WIDTH
from tegum.training.cost import step_seconds
from tegum.training.instances import Instance
from tegum.training.kernel import advance, draw_samples, evaluate, loss_on_set
from tegum.training.outside import advance_outside, draw_set, measured_outside, steps_at_once
from tegum.training.own_loss import OwnLoss
from tegum.training.recipe import MEASURED, Recipe

_STRETCH_SECONDS = 0.05
_FIRST_STRETCH_SECONDS = 0.005  # by the estimate; the next are as long as this one turns out to allow


@final
class _Run:
    """One training: its instances, what is found of each, and what else its threads share.

    Before training all are interrupted at step 0, and what was not measured is nan.
    """

    def __init__(self, net: Net, instances: list[Instance], recipe: Recipe, own: OwnLoss | None) -> None:
        self.own = own
        self.net, self.shape, self.instances = net, shape_of(net), instances
        self.slices, shapes = parameter_slices(net), net.parameter_shapes()
        self.recipe, self.recorded_steps = recipe, recipe.recorded_steps()
        count, records = len(instances), (len(instances), len(self.recorded_steps))
        self.found: dict[str, NDArray[Any]] = {
            "loss": np.full(count, np.nan),
            "loss_standard_error": np.full(count, np.nan),
            "status": np.full(count, Status.INTERRUPTED, dtype="<U11"),
            "steps_done": np.zeros(count, dtype=np.int64),
        }
        sizes = [one.recipe.data_set_size for one in instances]
        if any(sizes):
            self.found["training_loss"] = np.full(count, np.nan)
        if any(sizes) and not instances[0].has_set:
            self.found["data_set"] = np.full((count, max(sizes), net.n_features), np.nan, np.float32)
        if any(one.recipe.active_only for one in instances):
            self.found["active_loss"] = np.full(count, np.nan)
        for name in recipe.record if self.recorded_steps else ():
            kind = np.float64 if name in MEASURED else np.float32
            self.found[f"{name}_history"] = np.full((*records, *shapes.get(name, ())), np.nan, kind)
        self.waiting = deque(range(count))
        sizes = [one.recipe.batch_size for one in instances]
        by_size = {size: step_seconds(net, size) for size in set(sizes)}
        step = np.array([by_size[size] for size in sizes])
        self.stretch = np.maximum(1, _FIRST_STRETCH_SECONDS / step).astype(np.int64)
        self.last_loss, self.steps_run = float("nan"), 0
        self.lock = threading.Lock()

    def measure(self, k: int, scratch: Scratch, name: str = "loss") -> tuple[float, float]:
        """A loss of instance k and its standard error, on the test set of its features or on its own data set; NaN for none."""
        one, panels, active = self.instances[k], panels_for(self.recipe.evaluation_samples), name == "active_loss"
        unknown = not one.recipe.data_set_size if name == "training_loss" else active and not one.recipe.active_only
        if unknown:
            return np.nan, np.nan
        if name == "training_loss":
            return loss_on_set(self.shape, scratch, one.features, one.recipe, one.state), 0.0
        if one.drawn is not None:
            return measured_outside(self.net, one, panels * PANEL_WIDTH, self.own, active)
        stream = one.evaluation_stream.copy()
        mean, error = evaluate(self.shape, scratch, one.features, one.state.parameters, stream, panels, int(active))
        return mean, error

    def draw_data_set(self, k: int, scratch: Scratch) -> None:
        """Draws the samples that instance k is trained on, and keeps them."""
        one, size = self.instances[k], self.instances[k].recipe.data_set_size
        if one.drawn is not None:
            draw_set(one)
        else:
            draw_samples(scratch, one.features, one.data_set_stream, one.state.data_set)
        self.found["data_set"][k, :size] = one.state.data_set.swapaxes(1, 2).reshape(-1, self.net.n_features)[:size]

    def note(self, k: int, step: int, scratch: Scratch) -> None:
        """Records instance k if ``step`` is one of the recorded steps."""
        if step not in self.recorded_steps:
            return
        row = self.recorded_steps.index(step)
        for name in self.recipe.record:
            values = self.found[f"{name}_history"]
            if name in MEASURED:
                values[k, row] = self.measure(k, scratch, name)[0]
            else:
                values[k, row] = self.instances[k].state.parameters[self.slices[name]].reshape(values.shape[2:])

    def work(self, stop: Stop) -> None:
        """What each thread does until no instance is left or the run is stopped."""
        scratch = scratch_for(self.net)
        while not stop.is_set():
            try:
                k = self.waiting.popleft()
            except IndexError:
                return
            if not self.run_stretch(k, scratch):
                self.waiting.append(k)

    def run_stretch(self, k: int, scratch: Scratch) -> bool:
        """One stretch of instance k; true once it has ended."""
        one, found = self.instances[k], self.found
        start, steps = int(found["steps_done"][k]), one.recipe.steps
        fresh_outside = one.drawn is not None and not one.recipe.data_set_size
        if start == 0 and one.recipe.data_set_size and not one.has_set:
            self.draw_data_set(k, scratch)
        if start == 0:
            self.note(k, 0, scratch)
        recorded = next((step for step in self.recorded_steps if step > start), steps)
        end = min(start + int(self.stretch[k]), steps, recorded)
        if fresh_outside:  # samples that are drawn together are used in one stretch
            end = min((start // steps_at_once(one) + 1) * steps_at_once(one), steps, recorded)
        began = time.perf_counter()
        if fresh_outside:
            done, loss = advance_outside(self.shape, scratch, one, start, end, self.own)
        else:
            done, loss = advance(self.shape, scratch, one.features, one.recipe, one.state, start, end)
        seconds = time.perf_counter() - began
        if end - start == self.stretch[k]:
            faster = np.clip(_STRETCH_SECONDS / max(seconds, 1e-6), 0.25, 8)
            self.stretch[k] = max(1, int(self.stretch[k] * faster))
        found["steps_done"][k] = done
        broken = done < end or not np.isfinite(one.state.parameters).all()
        with self.lock:
            self.last_loss = loss
            self.steps_run += steps - start if broken else done - start
        if broken:
            found["status"][k] = Status.DIVERGED
            return True
        self.note(k, done, scratch)
        if done == steps:
            found["loss"][k], found["loss_standard_error"][k] = self.measure(k, scratch)
            for name in found.keys() & {"training_loss", "active_loss"}:
                found[name][k] = self.measure(k, scratch, name)[0]
            found["status"][k] = Status.FINISHED if np.isfinite(found["loss"][k]) else Status.DIVERGED
        return bool(done == steps)


def train_instances(
    net: Net, instances: list[Instance], recipe: Recipe, threads: int, progress: bool | None, own: OwnLoss | None = None
) -> tuple[dict[str, NDArray[Any]], bool]:
    """Trains every instance, in place, to its end or to Ctrl-C; returns what is found of each, and whether Ctrl-C came.

    Parameters, loss, status and records have their names in the dataset and a row for each instance.  The recipe says what to
    record, at which steps, and how many samples measure the loss (rounded up to a multiple of 64).
    """
    run = _Run(net, instances, recipe, own)
    title = "training" if is_compiled(advance) else COMPILING
    total = sum(one.recipe.steps for one in instances)
    with ProgressBar(total=total, unit="step", unit_scale=True, desc=title, progress=progress) as bar:
        whole = in_threads(run.work, max(1, min(threads, len(instances))), lambda: _show(bar, run))
    found = run.found if whole else copy.deepcopy(run.found)  # a step that lasts, or compiling, may go on after Ctrl-C
    trained = {name: np.empty((len(instances), *shape), np.float32) for name, shape in net.parameter_shapes().items()}
    for name, values in trained.items():
        for row, one in zip(values, instances, strict=True):
            row[:] = one.state.parameters[run.slices[name]].reshape(row.shape)
    return trained | found, not whole


def _show(bar: ProgressBar, run: _Run) -> None:
    with run.lock:
        steps, loss = run.steps_run, run.last_loss
    if steps:
        bar.set_description("training", refresh=False)
    bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
    bar.update(steps - bar.n)
