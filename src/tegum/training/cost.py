"""What a training will cost, before it starts: its time, and its memory.

Formula.  On one core, with n, m, batches in panels of 64 samples, and times in nanoseconds times `slowness`:

    model     = 45,000 + 27 parameters + steps * step + panels of test samples * panel(1 + a) (once, and at each record)
    step      = 150 + 0.2 parameters + panels * panel(4 + a) + 0.34 (3 n + m) * what the last panel lacks of 64
    panel(k)  = 25 + 10 n + 0.5 k n m + what else is asked for: see the constants

where a is the share of features that products do not skip (1 but for very sparse features).  Python of the user's own, a
distribution that NumPy draws or a loss, is timed where it stands, on a few samples.

Those constants are the passes of five sizes, n from 2 to 400, timed one by one on one core of a 2024 server with 512-bit
registers; the others least squares of 383 steps of all kinds, with batches from 16 to 4096.  Other machines take two to four
times as long, hardly one kind of work more than another: `slowness` is how many times as long a training of middle size takes.
So nine of ten trainings take between 2/3 and 3/2 of the estimate (``make bench`` has a table of forty).

Example.  For ``ReluOutput(5, 2)`` and batches of 1024, a step there is 150 + 3 + 16 (25 + 50 + 25) ns = 1.75 microseconds.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tegum.checking import checked, require_memory
from tegum.compilation import is_compiled
from tegum.errors import InvalidInputError, Problems
from tegum.features import Exponential, Features, FiniteLaw, Independent
from tegum.nets import Net, ReluOutput, require_same_features
from tegum.processor import least_seconds, slowness_of, width_here
from tegum.threads import default_threads
from tegum.training.arrays import panels_for, parameter_count, scratch_for, shape_of
from tegum.training.blocks import PANEL_WIDTH
from tegum.training.instances import grid_of, instances_of, is_drawn_outside, skipped_shares
from tegum.training.kernel import advance
from tegum.training.own_loss import OwnLoss
from tegum.training.recipe import Recipe
from tegum.training.stored import trains_stored

# All in seconds.  Of compiled code:
_STEP, _UNTIED, _PANEL, _FEATURE, _PRODUCT = 150e-9, 200e-9, 25e-9, 10e-9, 0.5e-9
_PARAMETER = {"adamw": 0.2e-9, "adam": 0.2e-9, "rmsprop": 0.2e-9, "sgd": 0.1e-9}
_LACKING = 0.34e-9
# what a panel costs more: for each feature, for each hidden unit, and under attack as a whole;
_ACTIVATED = {"identity": 0.0, "relu": 0.0, "gelu": 18e-9, "softplus": 23e-9, "square": 8e-9, "abs": 10e-9, "tanh": 15e-9}
_ACTIVATED_BY_OWN, _TARGET_ENTRY, _ATTACKED = 12e-9, 9e-9, 13e-9
_GATHERED, _GATHERED_FAR, _FAR = 22e-9, 60e-9, 2**20  # from a fixed set, of so many bytes and more
_STORED = 0.1e-9  # for each output and product of a sample of a stored set
# of each drawn feature, x density, and x density x (1 - density): one number at a time, as fast where registers are narrow,
_EXPONENTIAL, _LOGARITHM, _BRANCH = 20e-9, 110e-9, 900e-9
_HIDDEN_RELU, _DROPPED, _L1 = 9e-9, 7e-9, 4e-9
_ATTACK, _ATTACK_PRODUCTS = 220e-9, 3
# and of Python: for a call, a grid point, a model, each of its parameters and each record,
_CALL, _POINT, _MODEL, _DRAWN, _RECORD = 5e-3, 110e-6, 45e-6, 27e-9, 15e-6
# for a step on samples that NumPy draws, each of their numbers, the same in NumPy's loss, and a panel of a loss of one's own.
_STEP_OUTSIDE, _NUMBER_OUTSIDE, _NUMBER_FORWARD, _PRODUCT_FORWARD, _OWN_PANEL = 9e-6, 1.5e-9, 20e-9, 0.3e-9, 20e-6

_TIMED_SAMPLES = 1024
_COMPILING = 12.0
_YEAR = 365 * 86400
_TIMED_STEPS = 20


class _Seconds(NamedTuple):
    """What models cost: compiled work, which all threads share, and Python, of which one runs at a time."""

    compiled: NDArray[np.float64]
    python: NDArray[np.float64]


@checked
def estimated_seconds(
    net: Net,
    features: Features,
    recipe: Recipe | None = None,
    *,
    sweep: Mapping[str, Any] | None = None,
    loss: OwnLoss | None = None,
    threads: int | None = None,
) -> float:
    """About how long `tegum.train` takes with the same arguments, in seconds; compiling is not in it.

    >>> import tegum as tg
    >>> net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5)
    >>> seconds = estimated_seconds(net, features, tg.Recipe(steps=10_000, seeds=10), threads=2)
    >>> round(seconds / slowness(), 2)                                         # as if on the machine of the constants
    0.09

    Raises:
        InvalidInputError: for a sweep or a recipe that `tegum.train` would refuse.
    """
    with Problems() as problems:
        problems.check_least("threads", threads)
    models, seeds = _models(net, features, recipe, sweep, loss)
    parallel = max(models.compiled.sum() * seeds / (threads or default_threads()), models.compiled.max())
    return float(slowness() * (_CALL + models.compiled.size * _POINT) + models.python.sum() * seeds + parallel)


def seconds_on_sets(net: Net, features: Features, recipe: Recipe, sweep: Mapping[str, Any], data: Sequence[FiniteLaw]) -> float:
    """About how long `tegum.train` takes on one core on data sets that it is given, one for all seeds or one for each."""
    sizes = [one.states.shape[0] for one in data]
    seconds, seeds = 0.0, len(recipe.seed_list)
    for one in grid_of(net, features, recipe, sweep)[1]:
        if trains_stored(net, one):
            once = one.replaced(steps=1, warmup_steps=0, seeds=1, record=(), record_steps=0)
            tests = estimated_seconds(net, features, once, threads=1) * _measured(one)
            entries = net.n_features * (1 + net.n_hidden) * one.batch_size
            steps = one.steps * (_STEP + parameter_count(net) * _PARAMETER[one.optimizer] + entries * _STORED)
            records = (_records(one, "training_loss") + 1) * np.sum(np.resize(sizes, seeds)) * net.n_features * _STORED
            seconds += seeds * tests + slowness() * (seeds * steps + records)
        else:
            seconds += estimated_seconds(net, features, one.replaced(data_set_size=max(*sizes, one.batch_size)), threads=1)
    return float(seconds)


@checked
def seconds_of_each(
    net: Net,
    features: Features,
    recipe: Recipe | None = None,
    *,
    sweep: Mapping[str, Any] | None = None,
    loss: OwnLoss | None = None,
) -> NDArray[np.float64]:
    """About how long one model takes on one core, in seconds, at each grid point of a sweep: in the shape of the grid.

    >>> import tegum as tg
    >>> net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5)
    >>> each = seconds_of_each(net, features, tg.Recipe(seeds=8), sweep={"steps": [1000, 100_000]})
    >>> each.shape, bool(50 < each[1] / each[0] < 100)                         # the loss on a test set is common to both
    ((2,), True)
    """
    models, _ = _models(net, features, recipe, sweep, loss)
    return models.compiled + models.python


def compiling_seconds() -> float:
    """About how long the engine is compiled before the first training: 0 where it was, once on this machine."""
    return 0.0 if is_compiled(advance) else _COMPILING


def slowness() -> float:
    """How many times as long as the constants say training takes on this machine, timed once in about 50 ms.

    Where the engine is not compiled yet it is guessed by the width of the processor's registers.
    """
    return slowness_of(advance, _timed_slowness)


@cache
def _timed_slowness() -> float:
    net, features, recipe = ReluOutput(50, 30), Independent(50, density=0.1), Recipe(batch_size=512)
    (one,), scratch = instances_of(net, *grid_of(net, features, recipe, {})), scratch_for(net)

    def train(steps: int) -> None:
        advance(shape_of(net), scratch, one.features, one.recipe, one.state, 0, steps)

    train(1)  # loads it
    return float(least_seconds(lambda: train(_TIMED_STEPS)) / (_TIMED_STEPS * step_seconds(net, recipe.batch_size)))


def _models(
    net: Net, features: Features, recipe: Recipe | None, sweep: Mapping[str, Any] | None, loss: OwnLoss | None
) -> tuple[_Seconds, int]:
    """What one model costs at each grid point, in the shape of the grid, and how many seeds there are of each."""
    require_same_features(net, features.n_features)
    recipe = Recipe() if recipe is None else recipe
    grid, recipes = grid_of(net, features, recipe, sweep or {})
    found, slower = _Seconds(np.zeros(len(recipes)), np.zeros(len(recipes))), slowness()
    for cell in grid.cells:
        outside = loss is not None or is_drawn_outside(cell.features)
        drawn = _seconds_of_drawing(cell.features) if outside else 0.0
        own = 0.0 if loss is None else _seconds_of_own(loss, net, cell.features)
        active = np.resize(1 - skipped_shares(cell.features, net.n_hidden), len(cell.positions))
        density = np.resize(cell.features.feature_density.mean(axis=-1), len(cell.positions))
        drawing = 0.0 * density
        if not outside and isinstance(getattr(cell.features, "magnitude", None), Exponential):
            drawing = (_EXPONENTIAL + density * (_LOGARITHM + (1 - density) * _BRANCH)) * width_here()
        own_recipe = np.array([id(recipes[point]) for point in cell.positions])
        order = np.argsort(own_recipe, kind="stable")
        for alike in np.split(order, np.flatnonzero(np.diff(own_recipe[order])) + 1):
            points = cell.positions[alike]
            recipe = recipes[points[0]]
            found.compiled[points] = slower * _compiled(net, recipe, outside, active[alike], drawing[alike])
            # what was timed here is as slow as it is
            found.python[points] = slower * _python(net, recipe, drawn / slower, own / slower)
    return _Seconds(*(seconds.reshape(grid.shape) for seconds in found)), len(recipes[0].seed_list)


def step_seconds(
    net: Net,
    batch_size: int,
    products: Any = 5,
    feature: Any = 0.0,
    hidden: float = 0.0,
    panel: float = 0.0,
    optimizer: str = "adamw",
) -> Any:
    """One optimizer step where `slowness` is 1: products n m for each panel, and what each feature and so on costs more."""
    n, m, panels = net.n_features, net.n_hidden, panels_for(batch_size)
    each = _PANEL + panel + n * (_FEATURE + feature) + m * hidden + n * m * products * _PRODUCT
    lacking = (panels * PANEL_WIDTH - batch_size) * (3 * n + m) * _LACKING
    once = _STEP + (not net.tied) * _UNTIED + parameter_count(net) * _PARAMETER[optimizer]
    return once + panels * each + lacking


def _compiled(
    net: Net, recipe: Recipe, outside: bool, active: NDArray[np.float64], drawing: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compiled work of one model; each share of features that are not skipped, and what drawing one costs more, is a model."""
    attacked, size = recipe.attack_size > 0, recipe.data_set_size
    feature = _ACTIVATED.get(net.output_activation.name, _ACTIVATED_BY_OWN)
    if net.target_map is not None:
        feature += _TARGET_ENTRY * (1 + sum(map(len, net.target_map.A)) / net.n_features)
    far = (size or 0) * net.n_features * 4 >= _FAR
    gathered = _GATHERED_FAR if far else _GATHERED
    step = step_seconds(
        net,
        recipe.batch_size,
        products=4 + active + attacked * _ATTACK_PRODUCTS,
        feature=feature + (gathered if size or outside else drawing) + attacked * _ATTACKED,
        hidden=net.hidden_relu * _HIDDEN_RELU + (recipe.dropout > 0) * _DROPPED + (recipe.l1 > 0) * _L1,
        panel=attacked * _ATTACK,
        optimizer=recipe.optimizer,
    )
    test_panel = _PANEL + net.n_features * (_FEATURE + feature + drawing + net.n_hidden * (1 + active) * _PRODUCT)
    tests = 0 if outside else panels_for(recipe.evaluation_samples) * _measured(recipe)
    sets = panels_for(size) * (2 + _records(recipe, "training_loss")) if size else 0  # drawn, and measured
    return np.asarray(recipe.steps * step + (tests + sets) * test_panel)


def _python(net: Net, recipe: Recipe, drawn: float, own: float) -> float:
    """Python of one model; ``drawn`` is what NumPy needs for a sample, ``own`` what a loss of one's own needs for a panel."""
    n, m, records = net.n_features, net.n_hidden, len(recipe.recorded_steps())
    seconds = _MODEL + parameter_count(net) * _DRAWN + records * len(recipe.record) * _RECORD
    if drawn:
        sample, forward = drawn + n * _NUMBER_OUTSIDE, drawn + n * (_NUMBER_FORWARD + m * _PRODUCT_FORWARD) + own / PANEL_WIDTH
        fresh = 0 if recipe.data_set_size else recipe.steps
        seconds += fresh * (_STEP_OUTSIDE + recipe.batch_size * sample) + (recipe.data_set_size or 0) * sample
        seconds += _measured(recipe) * recipe.evaluation_samples * forward
    if own:
        seconds += recipe.steps * panels_for(recipe.batch_size) * (_OWN_PANEL + own)
    return seconds


def _records(recipe: Recipe, name: str) -> int:
    """How often something is recorded."""
    return len(recipe.recorded_steps()) if name in recipe.record else 0


def _measured(recipe: Recipe) -> int:
    """How often a loss is measured on the test set."""
    active = 1 + _records(recipe, "active_loss") if recipe.loss_on == "active" else 0
    return 1 + _records(recipe, "loss") + active


def _seconds_of_drawing(features: Features) -> float:
    """What NumPy needs for one sample of a distribution, timed."""
    one, generator = features.singles()[0], np.random.default_rng(0)
    return least_seconds(lambda: one.draw(_TIMED_SAMPLES, generator)) / _TIMED_SAMPLES


def _seconds_of_own(loss: OwnLoss, net: Net, features: Features) -> float:
    """What a loss of the user's own needs for a panel, timed where outputs are half of what they should be."""
    loss.require_usable(net.n_features)
    x = net.target(features.singles()[0].draw(PANEL_WIDTH, np.random.default_rng(0)))
    return least_seconds(lambda: (loss.value(x / 2, x), loss.slope(x / 2, x)))


def require_affordable(net: Net, recipes: Sequence[Recipe], threads: int) -> None:
    """Raises an `InvalidInputError`, before anything is made, for what would take years, or more memory than there is."""
    require_memory(f"a training of {sum(len(one.seed_list) for one in recipes)} models", bytes_of(net, recipes))
    require_time(net, recipes, threads)


def require_room(net: Net, recipes: Sequence[Recipe], sets: Sequence[FiniteLaw]) -> None:
    """Raises an `InvalidInputError` where data sets have no room as panels, of which each model has its own."""
    if sets and not all(trains_stored(net, one) for one in recipes):
        most = max(one.states.shape[0] for one in sets)
        models = sum(len(one.seed_list) for one in recipes)
        what = f"a training of {models} models on {most:,} samples of {net.n_features:,} features, zeros and all,"
        require_memory(what, bytes_of(net, [one.replaced(data_set_size=most) for one in recipes]))


def require_time(net: Net, recipes: Sequence[Recipe], threads: int) -> None:
    """Raises an `InvalidInputError` for what would take years."""
    models = sum(len(one.seed_list) for one in recipes)
    samples = sum(len(one.seed_list) * (one.steps * one.batch_size + one.evaluation_samples) for one in recipes)
    test_panel = step_seconds(net, PANEL_WIDTH)
    seconds = sum(
        len(one.seed_list) * (one.steps * step_seconds(net, one.batch_size) + panels_for(one.evaluation_samples) * test_panel)
        for one in recipes
    )
    years = slowness() * seconds / min(threads, models) / _YEAR
    if years > 1:
        what = f"a training of {models} models with {samples:,} samples would take about {years:,.1f} years"
        raise InvalidInputError(what, "choose fewer steps, samples or models")


def _most_records(recipe: Recipe) -> int:
    """How many steps a recipe records at most."""
    asked = recipe.record_steps
    return min(asked + 1, recipe.steps + 1) if isinstance(asked, int) else len(asked)


def bytes_of(net: Net, recipes: Sequence[Recipe]) -> int:
    """About how much memory a training takes: weights, averages, fixed data and what is recorded, of every recipe and seed."""
    weights = 2 * (net.n_hidden + 1) * net.n_features + net.n_hidden
    return sum(
        4 * len(one.seed_list) * (weights * (4 + _most_records(one)) + 2 * (one.data_set_size or 0) * net.n_features)
        for one in recipes
    )


def result_bytes(net: Net, recipes: Sequence[Recipe]) -> int:
    """About how large a training's result is: the weights at the end, and those recorded."""
    weights = sum(int(np.prod(shape)) for shape in net.parameter_shapes().values())
    recorded = [len({*one.record} & {*net.parameter_shapes()}) > 0 for one in recipes]
    each = (1 + _most_records(one) * also for one, also in zip(recipes, recorded, strict=True))
    return sum(4 * weights * len(one.seed_list) * times for one, times in zip(recipes, each, strict=True))
