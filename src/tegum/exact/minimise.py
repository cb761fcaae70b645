"""Every minimum that many random starts find, of the expected loss itself: no batch, no noise, no learning rate.

>>> import tegum as tg
>>> census = tg.exact.minimise(tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1), seeds=16)
>>> census.status.to_series().value_counts().to_dict()     # what each start is
{'minimum': 16}
>>> best = tg.best(census)                                # the lowest at each grid point
>>> round(float(best.loss), 6), tg.geometry.identify(best.W.values).label
(0.026305, 'pentagon')

A start ends as a *minimum* (gradient zero, no direction curves down), a *saddle* (one does) or *not converged*.  Curvatures
are those of the Hessian beyond the directions W -> R W, along which a loss of W^T W cannot change.
`tegum.exact.kernel.descent` tells how a start descends, `tegum.exact.certificate` what its curvature says.
"""

import json
import math
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from tegum.caching import cached
from tegum.checking import checked, require_memory, require_seeds, seeds_of
from tegum.datasets import OWN_STARTS, PARAMETER_DIMS, Status, dataset
from tegum.errors import InvalidInputError, Problems
from tegum.exact.certificate import have_hessians_compiled
from tegum.exact.constraints import Constraint, Support, limits
from tegum.exact.cost import minimising_seconds
from tegum.exact.distributions import Distributions
from tegum.exact.kernel.records import require_terms
from tegum.exact.objective import constraints_of, engine_of, penalties_of
from tegum.exact.parameters import parameters_of, require_exact, shapes_of, size_of
from tegum.exact.penalties import Penalty
from tegum.exact.search import Search
from tegum.exact.starts import EXCHANGES, initial_points, least_size, neighbours_of
from tegum.features import Features
from tegum.nets import Initialisation, Net, require_same_features
from tegum.nets.net import starts_in
from tegum.provenance import provenance
from tegum.recorded import features_of, leading, net_of, over, require_known, said_of
from tegum.sweep import FeatureGrid, feature_grid, model_axes

_SAME_LOSS, _SMALL = 1e-6, 5e-3
_RANDOM, _ROUNDS = 32, 4


def _seconds(
    net: Net,
    features: Features,
    *,
    seeds: int | tuple[int, ...] | None,
    sweep: Mapping[str, Any] | None,
    initial: Mapping[str, ArrayLike] | None,
    certify: bool,
    **_: Any,
) -> float:
    """About how long `minimise` takes on one core."""
    if seeds is None:
        starts = _RANDOM + _ROUNDS * EXCHANGES if initial is None else starts_in(initial, model_axes(features, sweep or {}))
    else:
        starts = max(seeds, 0) if isinstance(seeds, int) else len(seeds)
    points = math.prod(feature_grid(features, sweep or {}).shape)
    return minimising_seconds(net, features, starts, points, certify)


def _warn_of_small_losses(
    net: Net,
    features: Features,
    *,
    sweep: Mapping[str, Any] | None,
    gradient_tolerance: float,
    certify: bool,
    **_: Any,
) -> None:
    """Warns where a gradient may be within the tolerance far from any minimum."""
    if not certify:
        return
    least = min(least_size(net, cell.features) for cell in feature_grid(features, sweep or {}).cells)
    if gradient_tolerance > _SMALL * least:
        what = (
            f"gradient_tolerance is {gradient_tolerance:g}, and a model of zeros loses {least:.2g}: ends may be far from minima"
        )
        warnings.warn(f"{what}; multiply the importances by {1 / least:.1g}, the loss is linear in them", stacklevel=4)


@checked
@cached(splittable=True, whole_with=("warm_starts",), cost=_seconds, warn=_warn_of_small_losses)
def minimise(
    net: Net,
    features: Features,
    *,
    seeds: int | tuple[int, ...] | None = None,
    sweep: Mapping[str, Any] | None = None,
    penalties: Sequence[Penalty] = (),
    constraints: Sequence[Constraint] = (),
    initialisation: Initialisation = "xavier_normal",
    scale: float = 1.0,
    root_seed: int = 0,
    initial: Mapping[str, ArrayLike] | None = None,
    warm_starts: int = 0,
    exchanges: int | None = None,
    gradient_tolerance: float = 1e-8,
    most_steps: int = 5000,
    terms: int = 256,
    tol: float = 1e-9,
    certify: bool = True,
    threads: int | None = None,
    progress: bool | None = None,
) -> xr.Dataset:  # long: most of it says what each of its many arguments means
    """Minimises the expected loss from many starts at every grid point and returns them all.

    Args:
        net: one whose hidden units are linear: `ReluOutput`, `Linear`, `ActivationOutput`, `Untied`; or one hidden
            ReLU, `ReluHidden` or `UntiedNeurons` with m = 1.
        features: their distribution; leading axes of its density and importance are grid points too.
        seeds: how many random starts, or which.  A start is a function of (root_seed, seed, net), the same everywhere.  By
            default 64 starts: 32 random ones and four rounds of exchanges; with ``initial`` those that it has, along the last
            of its leading axes.
        sweep: axes of the features by name, see `tegum.sweep`; they become the first dimensions, in this order.
        penalties: what is added to the loss, such as ``[Interference(0.02)]``; see `tegum.exact.penalties`.
        constraints: what W has to fulfil, such as ``[Coherence(0.5)]``; see `tegum.exact.constraints`.
        initialisation: the law of the initial weights; biases start at 0.
        scale: its scale.
        root_seed: names the family of random starts.
        initial: initial parameters by name, (..., m, n) and (..., n), leading axes broadcast to the grid and the seeds,
            those of a DataArray by their names; those not given start at 0.
        warm_starts: rounds of further starts, from the best that each neighbouring grid point has found; they follow the seeds.
        exchanges: rounds of up to 8 further starts from the two lowest ends at each point, two features of which have changed
            places; they follow the seeds.  By default none where ``seeds`` or ``initial`` is given.
        gradient_tolerance: a start has converged where the norm of its gradient is at most this; that it is small beside the
            losses is for you to see to, and where it clearly is not a warning says so.
        most_steps: quasi-Newton steps before a start is given up.
        terms: terms of the loss that is minimised, a power of two; a start that gets stuck is tried again with four times more.
        tol: relative error of the losses returned.
        certify: whether to look for the smallest curvature; for thousands of parameters that costs far more than the descent.
            Where it is not sought, or there are more than 500 features of no finite law, it is NaN, and a start that
            converged is ``converged``.
        threads: how many starts at a time; by default one per core.  It never changes a result.
        progress: True for a progress bar, False for none; by default one if standard error is a terminal.

    Returns:
        A dataset with the grid's dimensions, then ``seed``, and ``W`` (..., hidden, feature), ``b`` (..., feature), or of other
        nets ``W1``, ``W2`` (..., feature, hidden), ``b`` and ``b_hidden`` (..., hidden); ``loss``, ``loss_error`` (estimated
        error), ``gradient_norm`` (with ``terms`` terms, as it was brought down), ``rechecked_gradient_norm`` (with as many as
        ``tol`` asks for), ``curvature`` (smallest beyond what leaves the outputs as they are, such as rotations of W; of ends
        on kinks that are alike, turned or with equal features exchanged, one is looked at for all),
        ``status`` (minimum, saddle, converged, not converged, or interrupted), ``steps``, ``evaluations``; over the grid alone
        ``hits``: how many random or given starts reached the lowest loss found, to 1e-6 of it and its error.  Where that is at
        most one of several, more may find a lower one: the attribute ``found_once`` counts these points.
        With penalties or constraints also ``objective``, the loss with all penalties, which is what is minimised and compared.
        With constraints ``gradient_norm`` is that of the gradient beyond the multipliers, ``curvature`` that along what they
        allow, ``multiplier`` (..., constraint) says by how much the objective falls per unit of each limit, ``violation`` how
        far the worst of them is missed, ``held_gradient`` (..., hidden, feature) is the derivative by weights held at 0, as
        they are with an L1 penalty too (there the mean of both sides).
        Coordinates are ``feature_density``, ``feature_importance``, and ``start``, which says where each seed began.

    Raises:
        InvalidInputError: naming everything that is wrong with the arguments.
        Interrupted: after Ctrl-C, a KeyboardInterrupt that has the dataset so far in ``data``: starts that converged are not
            certified, and their loss is the one with ``terms`` terms.
    """
    problems = Problems()
    with problems.collecting():
        require_same_features(net, features.n_features)
    with problems.collecting():
        require_exact(net)
    with problems.collecting():
        require_terms(terms)
    if exchanges is None:
        exchanges = _ROUNDS if seeds is None and initial is None else 0
    named = seeds is not None
    if seeds is None:
        seeds = _RANDOM if initial is None else starts_in(initial, model_axes(features, sweep or {}))
    seed_list: tuple[int, ...] = (0,)
    with problems.collecting():
        require_seeds(root_seed)
        seed_list = seeds_of(seeds)
    if not seed_list:
        problems.add(f"seeds is {seeds}", "give at least 1 start")
    problems.check_number("scale", scale, 0, 1e15)
    gradient_tolerance = float(gradient_tolerance)
    if not gradient_tolerance > 0:
        problems.add(f"gradient_tolerance is {gradient_tolerance}", "choose a number above 0, such as 1e-8")
    problems.check_fraction("tol", tol)
    with problems.collecting():
        penalties = penalties_of(net, penalties)
    with problems.collecting():
        constraints = constraints_of(net, constraints)
    beside = [one for one in constraints if not isinstance(one, Support)]
    if beside and any(one.kinked for one in penalties if isinstance(one, Penalty)):
        problems.add(f"L1 stands beside {beside[0]!r}", "give L1 alone or beside a Support; or the other without L1")
    for name, value, least in (
        ("most_steps", most_steps, 1),
        ("warm_starts", warm_starts, 0),
        ("exchanges", exchanges, 0),
        ("threads", threads, 1),
    ):
        problems.check_least(name, value, least)
    with problems:
        grid = feature_grid(features, sweep or {})
        starts = math.prod(grid.shape) * len(seed_list)
        require_memory(f"a search from {starts} starts", 8 * starts * size_of(net))
        neighbours = neighbours_of(grid) if warm_starts else None
        distributions = tuple(engine_of(net, cell.features) for cell in grid.cells)
    if certify and any(isinstance(one, Distributions) for one in distributions):
        have_hessians_compiled()
    began = time.perf_counter()
    how = gradient_tolerance, most_steps, terms, tol, certify, threads, progress, tuple(penalties), tuple(constraints)
    search = Search(net, grid, distributions, *how)
    axes = model_axes(features, sweep or {}, seed_list if named else None)
    x = initial_points(net, grid, seed_list, initialisation, scale, root_seed, initial, axes)
    found = search.run(x)
    origins = ["given" if initial is not None else "random"] * len(seed_list)
    if neighbours is not None:
        places, names = neighbours
        found = search.warmer(found, places, warm_starts)
        origins += names
        first = max(seed_list, default=-1) + 1
        seed_list += tuple(range(first, first + len(names)))
    if exchanges and net.n_features > 1:
        before = found["loss"].shape[1]
        found = search.exchanged(found, exchanges)
        more = found["loss"].shape[1] - before
        first = max(seed_list, default=-1) + 1
        origins += ["two features of the best exchanged"] * more
        seed_list += tuple(range(first, first + more))
    settings = {
        "seeds": len(seed_list),
        "initialisation": initialisation,
        "scale": scale,
        "root_seed": root_seed,
        "warm_starts": warm_starts,
        "exchanges": exchanges,
        "gradient_tolerance": gradient_tolerance,
        "most_steps": most_steps,
        "terms": terms,
        "tol": tol,
        "certify": certify,
        "penalties": [repr(one) for one in penalties],
        "constraints": [repr(one) for one in constraints],
    }
    return _dataset(net, grid, seed_list, origins, found, [repr(one) for one in limits(constraints)]).assign_attrs(
        net=repr(net),
        minimise=json.dumps(settings),
        **said_of(features),
        sweep=", ".join(grid.axes) or "none",
        not_converged=float((found["status"] == Status.NOT_CONVERGED).mean()),
        interrupted=int(bool(search.stopped)),
        found_once=_found_once(found, origins),
        wall_seconds=round(time.perf_counter() - began, 3),
        **provenance(),
    )


@checked
def minimise_from(data: xr.Dataset, *, net: Net | None = None, **settings: Any) -> xr.Dataset:
    """Where each model of a dataset descends to, on its own distribution.

    >>> import tegum as tg
    >>> recipe = tg.Recipe(steps=100, batch_size=64, seeds=2, evaluation_samples=64)
    >>> features = tg.features.Independent(2)
    >>> data = tg.train(tg.nets.ReluOutput(2, 1), features, recipe, sweep={"density": [1, 0.1]}, progress=False)
    >>> (minimise_from(data).loss < tg.exact.loss(data)).values.all()
    np.True_

    Args:
        data: models with ``W`` and ``b``, or all parameters of another net, as training returns them.
        net: by default what the dataset says.
        settings: those of `minimise` that say how to descend, not where.

    Returns:
        What `minimise` returns, on the axes of the models; without its ``steps`` where these are models of different steps.

    Raises:
        InvalidInputError: where the dataset does not say what its features are, or models have diverged; where they were
            minimised with penalties or under constraints, and none are given here.
    """
    _require_problem(data, settings)
    lead, features = leading(data), features_of(data)
    net = net or net_of(data)
    require_known(data, net)
    missing = [name for name, shape in shapes_of(net).items() if len(shape) > 1 and name not in data]
    if missing:
        held = ", ".join(map(str, data.data_vars))
        raise InvalidInputError(f"the dataset holds {held}, and {net!r} has {missing[0]}", "give a dataset with its weights")
    arrays = {name: over(data, data[name], PARAMETER_DIMS[name]) for name in shapes_of(net) if name in data}
    batch = np.broadcast_shapes(*(array.shape[: -len(PARAMETER_DIMS[name])] for name, array in arrays.items()))
    initial = {
        name: np.expand_dims(np.broadcast_to(array, (*batch, *shapes_of(net)[name])), len(batch))
        for name, array in arrays.items()
    }
    fields = features.batched().items()
    each = features.replaced(**{name: np.broadcast_to(one, (*batch, one.shape[-1])) for name, one in fields})
    found = minimise(net, each, seeds=1, initial=initial, **settings).isel(seed=0, drop=True)
    axes = dict(zip(found["loss"].dims, lead, strict=True))
    named = found.drop_vars(lead, errors="ignore").rename(axes).drop_vars(lead, errors="ignore")
    said = {name: data.attrs[name] for name in ("features", "feature_law", "sweep") if name in data.attrs}
    main = data[next(iter(arrays))]
    return named.assign_coords(dict(main.coords.items())).assign_attrs(said)


def _require_problem(data: xr.Dataset, settings: Mapping[str, Any]) -> None:
    """Raises where models are of a problem with penalties or constraints that are not given again."""
    recorded = json.loads(data.attrs.get("minimise", "{}"))
    with Problems() as problems:
        for name in ("penalties", "constraints"):
            said = ", ".join(recorded.get(name, ())) or data.attrs.get(name, "none")  # as branches and flows have it
            if said != "none" and name not in settings:
                problems.add(
                    f"the models were found with the {name} {said}",
                    f"give {name}=[...] again, or {name}=() for the loss without them",
                )


def _found_once(found: dict[str, NDArray[Any]], origins: list[str]) -> int:
    """At how many grid points one start of its own alone, of several, or none reached the lowest: more may find a lower one."""
    reached = _reached(found, origins)
    return int((reached.sum(axis=1) <= 1).sum()) if reached.shape[1] > 1 else 0


def _reached(found: dict[str, NDArray[Any]], origins: list[str]) -> NDArray[np.bool_]:
    """Which starts of their own reached the lowest of all at their grid point, (points, starts), as far as is known."""
    score = found["objective" if "objective" in found else "loss"]
    losses = np.where(np.isfinite(score), score, np.inf)
    least = losses.min(axis=1, keepdims=True, initial=np.inf)
    known = np.where(np.isfinite(score), found["loss_error"], 0)
    reached = np.isfinite(losses) & (losses <= least + _SAME_LOSS * np.abs(least) + known)
    return np.asarray(reached[:, np.isin(origins, OWN_STARTS)])


def _dataset(
    net: Net,
    grid: FeatureGrid,
    seeds: tuple[int, ...],
    origins: list[str],
    found: dict[str, NDArray[Any]],
    constraints: list[str],
) -> xr.Dataset:
    lead, shape = (*grid.axes, "seed"), (*grid.shape, len(seeds))
    arrays = parameters_of(net, found["x"].reshape(*shape, found["x"].shape[-1]))
    variables: dict[str, tuple[tuple[str, ...], NDArray[Any]]] = {
        name: ((*lead, *PARAMETER_DIMS[name]), array) for name, array in zip(shapes_of(net), arrays, strict=True)
    }
    own = {"multiplier": ("constraint",), "held_gradient": ("hidden", "feature")}
    for name, values in found.items():
        if name != "x":
            dims = own.get(name, ())
            variables[name] = (*lead, *dims), values.reshape(*shape, *values.shape[values.ndim - len(dims) :])
    variables["hits"] = tuple(grid.axes), _reached(found, origins).sum(axis=-1).reshape(shape[:-1])
    labels = {"seed": list(seeds), "start": ("seed", origins)} | ({"constraint": constraints} if constraints else {})
    return dataset(variables, grid.coordinates() | labels)
