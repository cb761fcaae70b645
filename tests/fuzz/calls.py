"""Every public function with one or two arguments that nobody should give.

`right_calls` has for each function arguments that it takes; a public function without an entry is an error, so that none is
forgotten.
"""

import inspect
import random
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr

import tegum as tg
from tests.fuzz.fields import families
from tests.fuzz.hostile import VALUES, Attempt

NET, FEATURES = tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=0.5)
RECIPE = tg.Recipe(steps=2, batch_size=64, evaluation_samples=64)
W, B = np.array([[1.0, -1.0]]), np.zeros(2)
PLANE = tg.geometry.polygon(5)
PACKAGES = ("geometry", "figures", "theory", "exact", "posterior", "features", "maps", "training", "nets", "claims", "lab")
PRECISIONS = ("float32", "float16", "longdouble", ">f8")
QUIET = {"threads": 1, "progress": False}
_MANY = 100
Call = tuple[Callable[..., Any], dict[str, Any]]

_NOT_CALLED = ("CONFIG", "Initialisation", "Parameters", "Verdict", "Net", "Features", "Magnitude", "Penalty", "Constraint")
"""Types, words and abstract classes."""
_OUTSIDE = ("open", "replay", "widget", "write")
"""What opens windows or writes files, of the lab."""

_RETURNED = (
    *("Component", "Event", "FeatureGraph", "Identification", "Motif", "Visit", "Arrangement", "Code"),
    *("Estimate", "ExactCoefficient", "Waic"),
    *("Branch", "Flow", "Objective", "Blocks", "Activation", "Attacked", "Chosen", "Model", "Record", "Setting"),
)
"""What functions return, or what those who write a distribution or a net of their own give; not made by users."""


@cache
def trained() -> xr.Dataset:
    """Models over two densities and two seeds."""
    return tg.train(NET, FEATURES, RECIPE.replaced(seeds=2), sweep={"density": [0.5, 0.1]}, **QUIET)


@cache
def on_the_way() -> xr.Dataset:
    """One model at three steps of its training."""
    recipe = RECIPE.replaced(steps=4, record=("loss", "W", "b"), record_steps=(1, 2, 4))
    return tg.train(NET, FEATURES, recipe, **QUIET)


@cache
def minima() -> xr.Dataset:
    """A phase map of four points."""
    return tg.maps.phase_map(2, 1, [0.1, 0.9], [0.5, 1.0], seeds=2, rounds=1, **QUIET)


def right_calls() -> list[Call]:
    """Every public function with arguments that it takes."""
    calls: list[Call] = [
        *_training(),
        *_exact(),
        *_features(),
        *_geometry(),
        *_theory(),
        *_posterior(),
        *_figures(),
        *_claims(),
        *_lab(),
    ]
    known = {getattr(function, "__wrapped__", function) for function, _ in calls}
    for package in PACKAGES:
        module = import_module(f"tegum.{package}")
        for name in module.__all__:
            public = getattr(module, name)
            if (
                not callable(public)
                or name in (*_NOT_CALLED, *_RETURNED, *(_OUTSIDE if package == "lab" else ()))
                or isinstance(public, tg.nets.Activation)
            ):
                continue
            if getattr(public, "__wrapped__", public) not in known:
                raise LookupError(f"tegum.{package}.{name} has no right call in tests/fuzz/calls.py")
    return calls


def _executing(on: Any, shard: Any, folder: Any) -> None:
    with tg.executing(on, shard=shard, folder=folder):
        pass


def _training() -> list[Call]:
    data, x, file = trained(), np.full((3, 2), 0.5), str(Path(__file__).parents[2] / "docs" / "pentagon.safetensors")
    params = {"W": W, "b": B}
    return [
        (tg.expected_loss, {"net": NET, "params": params, "features": FEATURES, "tol": 1e-6, "samples": 2048, "seed": 0}),
        (tg.train, {"net": NET, "features": FEATURES, "recipe": RECIPE, "sweep": None, "initial": None, **QUIET}),
        (
            lambda data, batch_size: tg.train(NET, FEATURES, RECIPE.replaced(batch_size=batch_size), data=data, **QUIET),
            {
                "data": tg.features.data_set(FEATURES, 64),
                "batch_size": 64,
            },
        ),
        (tg.Recipe, {"steps": 2, "seeds": 1, "record": ("loss",), "record_steps": 2, "weight_decay": {"W": 0.1}}),
        (lambda labels, density: tg.Axis(labels, density=density), {"labels": [1], "density": [0.5]}),
        (tg.best, {"data": data, "by": "loss"}),
        (tg.census, {"data": data, "same": 0.01, "descend": False}),
        (tg.show, {"data": data, "title": "a"}),
        (tg.training.OwnLoss, {"name": "a", "value": _quartic, "slope": _quartic_slope}),
        (_own_loss, {"name": "a", "value": _quartic, "slope": _quartic_slope}),
        (tg.features_of, {"data": data}),
        (tg.with_features, {"data": data, "features": FEATURES}),
        (tg.open, {"path": file}),
        (_executing, {"on": None, "shard": "1/2", "folder": "sweep"}),
        (tg.read_weights, {"path": file, "array": "W", "bias": "b", "rows": False}),
        (
            tg.training.loss_and_gradient,
            {"net": NET, "params": params, "x": x, "importance": 1.0, "l1": 0.0, "attack_size": 0.0},
        ),
        (tg.training.attacked_samples, {"net": NET, "params": params, "x": x, "importance": 1.0, "attack_size": 0.1}),
        (tg.training.engine_samples, {"features": FEATURES, "n_samples": 3, "seed": 0}),
        (tg.training.compiling_seconds, {}),
        (tg.training.slowness, {}),
        (tg.training.estimated_seconds, {"net": NET, "features": FEATURES, "recipe": RECIPE, "sweep": None, "threads": 1}),
        (tg.training.seconds_of_each, {"net": NET, "features": FEATURES, "recipe": RECIPE, "sweep": None}),
        (tg.attacks.analytic_attack, {"W": W, "b": B, "x": x, "size": 0.1, "importance": np.ones(2), "maximum": "example"}),
        (tg.attacks.gradient_attack, {"W": W, "b": B, "x": x, "size": 0.1, "steps": 2, "restarts": 1, "initial": x, "seed": 0}),
        (tg.attacks.without_superposition, {"features": FEATURES, "n_hidden": 1}),
        (tg.attacks.average_norm, {"x": x}),
        *((kind, {"n_features": 3, "n_hidden": 2, "bias": True}) for kind in families(tg.nets.Net)),
        (tg.nets.TargetMap, {"A": np.eye(2), "v": 0.5, "relu": True}),
        (tg.nets.active_parameters, {"net": tg.nets.AbsoluteValue(3, 2), "count": 1, "seed": 0, "scale": 1.0}),
        (
            tg.nets.initial_parameters,
            {"net": NET, "generator": np.random.default_rng(0), "initialisation": "normal", "scale": 1.0},
        ),
        (tg.nets.require_same_features, {"net": NET, "n_features": 2}),
        (NET.forward, {"params": params, "x": x}),
        (tg.nets.RELU, {"x": x}),
        (_swept, {"labels": [1], "density": [0.5]}),
        (lambda field, values: tg.train(NET, FEATURES, RECIPE, sweep={field: values}), {"field": "density", "values": [0.5]}),
        (lambda name, value: tg.train(NET, FEATURES, RECIPE, initial={name: value}), {"name": "W", "value": W}),
        (lambda value: tg.exact.minimise(NET, FEATURES, seeds=1, most_steps=5, initial={"W": value}), {"value": W}),
        (
            tg.maps.lowest_minima,
            {"net": NET, "features": FEATURES, "sweep": {"density": [0.5]}, "seeds": 1, "rounds": 1, **QUIET},
        ),
        (
            tg.maps.phase_map,
            {"n_features": 2, "n_hidden": 1, "density": [0.1], "ratio": [1.0], "seeds": 1, "rounds": 0, **QUIET},
        ),
        (tg.maps.three_ways, {"net": NET, "features": FEATURES, "densities": [0.5], "recipe": RECIPE, "slow": [], "times": 1}),
        (tg.maps.importances, {"n_features": 2, "ratio": [1.0]}),
        (tg.maps.ratio_axis, {"n_features": 2, "ratio": [1.0]}),
        (tg.maps.paper_grid, {"n_features": 2, "side": 2}),
        (tg.maps.extra_feature, {"data": data}),
        (tg.maps.extra_phase, {"extra": tg.maps.extra_feature(data)}),
        (tg.maps.transitions_between, {"net": NET, "minima": minima(), "names": minima()["phase"], "along": "density"}),
    ]


def _lab() -> list[Call]:
    setting = {"net": NET, "features": FEATURES, "W": W, "b": B, "view": "gram", "how": "flow", "seed": 0, "l2": 0.1}
    address = tg.lab.link(NET, FEATURES, W, B)
    return [
        (tg.lab.link, {**setting, "interference": 0.0, "page": "lab.html"}),
        (tg.lab.read, {"address": address}),
        (tg.lab.page, {"address": address, "record": None, "layout": "small", "more": "lab.html"}),
        (tg.lab.script, {}),
        (tg.lab.style, {}),
        (tg.lab.model_of, {"data": trained(), "features": None, "net": NET}),
        (tg.lab.record_of, {"data": on_the_way(), "features": None, "net": NET}),
    ]


def _quartic(y: Any, x: Any) -> Any:
    return ((y - x) ** 4).sum(axis=1)


def _quartic_slope(y: Any, x: Any) -> Any:
    return 4 * (y - x) ** 3


def _own_loss(name: Any, value: Any, slope: Any) -> None:
    tg.train(NET, FEATURES, RECIPE, loss=tg.training.OwnLoss(name, value, slope), **QUIET)


def _swept(labels: Any, density: Any) -> None:
    tg.train(NET, FEATURES, RECIPE, sweep={"a": tg.Axis(labels, density=density)})


def _exact() -> list[Call]:
    model = {"W": W, "b": B, "features": FEATURES}
    flow = {"net": NET, "features": FEATURES, "W": [[0.3, -0.2]], "b": [0.0, 0.0], "duration": 10.0, "rtol": 1e-5, "atol": 1e-6}
    flow |= {"method": "BDF", "terms": 32, "progress": False}
    limited = {"penalties": [tg.exact.L2(0.01)], "constraints": [tg.exact.NormBudget(5.0)]}
    few = {"seeds": 2, "sweep": None, "initial": None, "scale": 1.0, "root_seed": 0, "warm_starts": 0, "most_steps": 20}
    few |= {"tol": 1e-6, "gradient_tolerance": 1e-6, "certify": True, "terms": 32, **QUIET}
    data, objective = trained(), tg.exact.Objective(NET, FEATURES, terms=32)
    x = objective.flat(W, B)
    sparse = tg.features.Independent(2, density=0.1)
    follow = {"net": NET, "features": sparse, "W": W, "b": B, "values": [0.1, 0.12], "field": "density", "feature": None}
    branch = tg.exact.follow(**follow, progress=False)
    same = {"features": tg.features.Independent(2, importance=[1, 0.1]), "values": [0.17, 0.19], "progress": False}
    pair = tg.exact.follow(**follow | same)
    alone = tg.exact.follow(**follow | same | {"W": [[1.0, 0.0]], "b": [0.0, 0.1]})
    flown = tg.exact.dense_flow(**flow)
    lead = {"W": np.stack([W, W])[None], "b": np.zeros((1, 2, 2)), "values": [[0.1, 0.2]]}
    return [
        (tg.exact.evaluate, {**model, "tol": 1e-6, "net": NET, "gradient": True, "tied": True, "threads": 1, "terms": 32}),
        *((one, {**model, "tol": 1e-6}) for one in (tg.exact.loss, tg.exact.loss_and_gradient, tg.exact.squared_errors)),
        *((lambda W, one=one: one(W), {"W": data}) for one in (tg.exact.loss, tg.exact.evaluate)),
        (tg.exact.best_bias, {"W": W, "features": FEATURES, "net": NET, "tied": True}),
        (tg.exact.minimise, {"net": NET, "features": FEATURES, "initialisation": "normal", "exchanges": 1, **few, **limited}),
        (
            tg.exact.certified_globally,
            {"net": NET, "features": sparse, "sweep": None, "tol": 1e-6, "boxes": 3000, "progress": False},
        ),
        (tg.exact.Interference, {"weight": 0.1}),
        (tg.exact.L1, {"weight": 0.1}),
        (tg.exact.L2, {"weight": 0.1}),
        (tg.exact.Smooth, {"function": _tilt, "name": "tilt", "turns": False}),
        (_penalised, {"function": _tilt, "name": "tilt", "turns": False}),
        (tg.exact.Support, {"mask": [[1, 0], [0, 1]]}),
        (tg.exact.ColumnSparse, {"k": 1}),
        (tg.exact.NormBudget, {"budget": 1.0}),
        (tg.exact.Coherence, {"limit": 0.5}),
        (tg.exact.ablations, {**model, "tol": 1e-6, "net": NET, "tied": True, "threads": 1}),
        (tg.exact.noisy, {**model, "sigma": 0.3, "net": NET, "gradient": True}),
        (tg.exact.hidden_activity, {"W": W, "features": FEATURES}),
        (tg.exact.tails, {**model, "thresholds": [0.1, 0.5], "tied": True}),
        (tg.exact.moments, {**model, "orders": [1, 4], "tied": True}),
        (tg.exact.truncation_error, {"objective": objective, "x": x}),
        (tg.exact.minimise_from, {"data": data, "net": NET, "most_steps": 20, "terms": 32}),
        (tg.exact.gradient_flow, {**flow, "times": 3}),
        (tg.exact.dense_flow, flow),
        (flown.at, {"times": [1.0]}),
        (flown.dataset, {"times": [1.0]}),
        (tg.exact.follow, {**follow, "tolerance": 1e-3, "gradient_tolerance": 1e-9, "terms": 64, "progress": False}),
        (tg.exact.crossing, {"first": pair, "second": alone, "tol": 1e-3, "between": None, "progress": False}),
        (branch.at, {"value": 0.11}),
        (objective, {"x": x}),
        (objective.hessian, {"x": x}),
        (tg.exact.hessian_at, {"objective": objective, "x": x}),
        (tg.exact.hessian_vector_product, {"objective": objective, "x": x, "v": x}),
        (tg.exact.rotation_modes, {"W": W, "biased": True}),
        (tg.exact.curvatures, {"H": np.eye(4), "modes": np.zeros((0, 4))}),
        (
            tg.exact.transitions,
            {"net": NET, "features_at": lambda v: tg.features.Independent(2, density=v[:, None]), **lead, "progress": False},
        ),
    ]


def _tilt(W: Any, b: Any) -> Any:
    return 0.1 * W.sum(), np.full_like(W, 0.1), np.zeros_like(b)


def _penalised(function: Any, name: Any, turns: Any) -> None:
    penalties = [tg.exact.Smooth(function, name, turns)]
    tg.exact.minimise(NET, FEATURES, seeds=1, most_steps=5, penalties=penalties, **QUIET)


def _features() -> list[Call]:
    one, other = tg.features.Independent(2, 0.1), tg.features.Independent(2, 0.5)
    return [
        (tg.features.FiniteLaw, {"states": [[1.0, 0.0], [0.0, 1.0]], "probabilities": [0.9, 0.1], "importance": 1.0}),
        (tg.features.Mixture, {"components": [one, other], "weights": [0.2, 0.8], "importance": 1.0}),
        (tg.features.Joined, {"parts": [one, other], "importance": 1.0}),
        (tg.features.UnitLength, {"of": one, "importance": 1.0}),
        (tg.features.data_set, {"features": one, "n_samples": 3, "seed": 0}),
        (
            tg.features.tree,
            {"parents": [None, 0], "density": [0.5, 0.4], "importance": 1.0, "magnitude": tg.features.Uniform()}
            | {"signed": False},
        ),
        (FEATURES.sample, {"n_samples": 3, "seed": 0}),
        (lambda field, value: FEATURES.replaced(**{field: value}), {"field": "density", "value": 0.5}),
        (tg.features.geometric, {"ratio": 0.9, "n_features": 3}),
        (tg.features.power_law, {"exponent": 1.0, "n_features": 3}),
        (tg.features.one_odd, {"importance": 2.0, "n_features": 3, "position": -1}),
        (tg.features.constant, {"n_features": 3, "value": 1.0}),
        (tg.features.Independent, {"n_features": 2, "density": 0.5, "importance": 1.0, "signed": False}),
        (tg.features.KSparse, {"n_features": 3, "n_active": 2, "importance": 1.0}),
        (tg.features.CorrelatedSets, {"n_sets": 2, "set_size": 2, "density": 0.5, "importance": 1.0}),
        (tg.features.AnticorrelatedSets, {"n_sets": 2, "set_size": 2, "density": 0.2, "importance": 1.0}),
        (tg.features.Exponential, {"mean": 1.0}),
        (tg.features.Constant, {"value": 1.0}),
        (tg.features.Uniform, {"low": 0.0, "high": 1.0}),
    ]


def _geometry() -> list[Call]:
    g, times = tg.geometry, np.array([1.0, 10.0, 100.0])
    path, levels = np.linspace(0.1, 1, 3)[:, None, None] * np.eye(3, 6), np.array([[0.1, 0.2], [0.5, 0.2], [1.0, 0.2]])
    simple = (
        *(g.feature_norms, g.gram, g.cosines, g.interference, g.dimensionality, g.dimensions_per_feature, g.frame_spectrum),
        *(
            g.tightness,
            g.spectral_spread,
            g.leverage,
            g.coherence,
            g.polar_angles,
            g.feature_graph,
            g.identify,
            g.shape_names,
            g.aligned,
        ),
        *(g.code_of, g.left_out, g.main_features, g.monosemantic, g.neuron_order, g.participation_ratio, g.second_to_first),
        *(g.weights_above, g.circle_gaps),
    )
    nets = {"W1": np.eye(5, 3), "W2": np.eye(3, 5)}
    return [
        *((one, {"W": PLANE}) for one in simple),
        (g.interference, {"W": PLANE, "root": True}),
        *((one, {"W": PLANE, "x": np.eye(5)}) for one in (g.sample_vectors, g.sample_dimensionality)),
        (g.feature_graph, {"W": PLANE, "threshold": 0.1}),
        (g.aligned, {"W": PLANE, "order": [0], "axes": [1]}),
        (g.aligned_to, {"W": PLANE, "reference": PLANE, "groups": [[0, 3]], "whole": False}),
        (g.likeness, {"W": PLANE, "target": PLANE}),
        (g.likeness_by_chance, {"W": PLANE, "target": PLANE, "permutations": 9, "seed": 0}),
        (g.arrangement_of, {"W": np.eye(2, 4), "set_size": 2}),
        (g.code_of, {"W": np.eye(5), "weighty": 0.3}),
        (g.monosemantic, {"W": np.eye(5), "share": 0.1}),
        (g.weights_above, {"W": np.eye(5), "share": 0.1}),
        (g.events, {"D": levels, "times": times, "loss": np.array([3.0, 2.0, 1.0]), "size": 0.2, "window": 0.2, "since": None}),
        (g.hand_built, {"name": "six in four", "n": 10}),
        (g.hand_built_motif, {"ratio": 2.0, "inhibited": True}),
        (g.ignoring, {"vectors": np.ones((1, 3))}),
        (g.motifs, nets),
        (g.rescaled_neurons, nets),
        (g.phase_of, {"norm": np.ones(2), "interference": np.zeros(2)}),
        (g.polygon, {"k": 5}),
        (g.simplex, {"k": 3}),
        (g.relu_energy, {"U": PLANE}),
        (g.visits, {"W": path, "times": times, "set_size": 3}),
        (g.welch_bound, {"n_features": 3, "n_hidden": 2}),
    ]


def _theory() -> list[Call]:
    t, p, falling = tg.theory, {"density": 0.1}, np.array([1.0, 0.5, 0.2])
    return [
        (t.absolute_without_superposition, {**p, "importance": falling, "n_hidden": 3}),
        (t.best_linear, {"features": FEATURES, "n_hidden": 1}),
        (t.bound_units, {"n": 10, "k": 2}),
        (t.features_per_dimension, {"x": 10.0}),
        (t.dropped_loss, {**p, "importance": 1.0}),
        (t.linear_loss, {"W": W, "b": B, "features": FEATURES}),
        (t.pair_boundary, {"ratio": 0.5}),
        (t.pair_regime_count, {"importance": falling, "n_hidden": 2, **p}),
        (t.pair_regime_loss, {"importance": falling, "n_hidden": 2, **p}),
        (t.paired_loss, {**p, "importance": 1.0, "other": 1.0}),
        (t.simplex_loss, {"size": 3, **p, "norm": 1.0, "bias": 0.0}),
        (t.sparse_loss, {"G": np.eye(2), "b": B, "features": FEATURES}),
        (t.two_in_one_loss, {"w1": 1.0, "w2": -1.0, **p, "ratio": 1.0}),
        (t.two_in_one_minima, {**p, "ratio": 1.0}),
    ]


def _posterior() -> list[Call]:
    p = tg.posterior
    point = {"net": tg.nets.ReluOutput(2, 1), "features": tg.features.AnticorrelatedSets(1, 2, density=0.5)}
    model = point | {"W": [[1.0, -1.0]], "b": [0.0, 0.0]}
    few = {"chains": 2, "draws": 8, "warm_up": 4, "thinning": 1, "root_seed": 0, "terms": 32, "threads": 1, "progress": False}
    drawn = p.sample(**model, n_beta=10.0, **few)
    how = {"localisation": 1.0, "sampler": p.HMC()}
    both = ([[1.0, -1.0]], [0.0, 0.0])
    return [
        (p.HMC, {"leaps": 2, "accept": 0.8, "metric": "hessian"}),
        (p.MALA, {"accept": 0.5, "metric": "identity"}),
        (p.Langevin, {"step_size": 0.1, "batch_size": 2, "metric": "identity"}),
        (p.RMSProp, {"step_size": 0.1, "batch_size": 2, "decay": 0.9, "stability": 0.1, "metric": "identity"}),
        (p.sample, {**model, "n_beta": 10.0, "prior_deviation": 1.0, **how, **few}),
        (p.llc, {**model, "n_beta": 1e3, "confidence": 0.9, **how, **few}),
        (p.exact_coefficient, model),
        (p.diagnostics, {"data": drawn}),
        (
            p.volume_scaling,
            {**model, "radius": 0.1, "lowest": 1e-7, "groups": 4, "points": 16, "moves": 2, "root_seed": 0, "terms": 32},
        ),
        (p.free_energy, {**model, "n_samples": [1e3], "prior_deviation": 1.0, "images": 2}),
        (
            p.sample_size_of_change,
            {**point, "few": both, "many": both, "images": (2, 1), "prior_deviation": 1.0, "between": (100.0, 1e4)},
        ),
        (p.waic, {"net": point["net"], "features": tg.features.FiniteLaw([[0.5, 0.0]]), "data": drawn}),
    ]


def _figures() -> list[Call]:
    f, run, recorded = tg.figures, trained(), on_the_way()
    axes = {"density": [0.1, 1.0], "importance_ratio": [0.5, 1.0]}
    share = xr.DataArray([[0.0, 0.25], [0.5, 1.0]], axes, list(axes))
    names = xr.DataArray([["pair", "pair"], ["ignored", "pair"]], axes, list(axes))
    curve = xr.DataArray([0.3, 0.1], {"density": [1.0, 0.1]}, ["density"])
    phase = xr.Dataset({"norm": share, "interference": share})
    runs = xr.Dataset({"loss": (("value", "seed"), [[0.02], [0.04]]), "kind": (("value", "seed"), [["a"], ["b"]])})
    runs = runs.assign_coords(value=[0.5, 2.0])
    lines = xr.Dataset({"loss": (("branch", "value"), [[0.02, 0.03]])}, {"value": [0.5, 2.0], "branch": ["a"]})
    lines = lines.assign(lost_at=("branch", [np.nan]), lost_loss=("branch", [np.nan]))
    dots = xr.Dataset({"relative_loss": (("density", "seed"), [[0.5, 1.0]]), "kind": (("density", "seed"), [["pair", "?"]])})
    dots = dots.assign_coords(density=[0.1])
    dots["built_loss"] = xr.DataArray([[0.4]], {"density": [0.1], "kind_built": ["pair"]})
    kinds, effort = ("kind", "curve", "case", "effort"), np.full((1, 1, 2, 2), 0.1)
    errors = xr.Dataset(
        {"error": (kinds, effort), "terms": (kinds, effort * np.array([1, 2]))}, {"kind": ["a"], "curve": ["b"]}
    )
    plane = np.linspace(0.1, 1, 3)[:, None, None] * np.eye(2, 2)
    levels = xr.Dataset({"W": (("time", "hidden", "feature"), plane), "D": (("time", "feature"), plane[:, 0] + 0.1)})
    levels = levels.assign(loss=("time", [3.0, 2.0, 1.0])).assign_coords(time=[1.0, 10.0, 100.0])
    event = tg.geometry.Event(0, 1, begins=1, ends=10, risen=(0,), fallen=(), loss_drop=0.1, quiet=0.0)
    path = xr.Dataset({"W": (("time", "hidden", "feature"), np.linspace(0.1, 1, 3)[:, None, None] * np.eye(3, 6))})
    path = path.assign(loss=("time", [3.0, 2.0, 1.0])).assign_coords(time=[1.0, 10.0, 100.0])
    model = xr.Dataset({"W": (("hidden", "feature"), [[1.0, -1.0]]), "b": ("feature", [0.0, 0.5])})
    weights = np.array([-1.0, 0.0, 1.0])
    surface = xr.DataArray((weights[:, None] - weights) ** 2, {"w1": weights, "w2": weights}, ["w1", "w2"])
    plane5 = xr.DataArray(PLANE[None], {"value": [0.5]}, ["value", "hidden", "feature"])
    graph = f.WeightGraph(np.eye(5, 3), np.eye(3, 5), np.zeros(5, bool))
    stack = f.NeuronPanel(np.eye(3, 5), np.zeros(3, bool))
    one = run.isel(seed=0)
    two = xr.Dataset({"W": (("density", "hidden", "feature"), np.stack([PLANE, PLANE]))}, {"density": [0.1, 0.5]})
    two["feature_importance"] = ("feature", np.ones(5))
    words = np.array([["triangle", "digon"], ["digon", "digon"]])
    marks = {"a": f.Marks(np.ones(1), np.ones(1), ["a"])}
    return [
        (f.arrow_panels, {"models": two, "along": "density", "turn": True}),
        (f.arrow_film, {"data": recorded}),
        (f.drawn_models, {"models": run, "most": 3, "name": "W"}),
        (f.dimensionality_histogram, {"models": run}),
        (f.loss_curves, {"data": recorded, "exact": None}),
        (f.census_bars, {"census": tg.census(run, descend=False)}),
        *((one, {"models": run}) for one in (f.gram_panels, f.strips, f.network_panels, f.polytope_table, f.arrow_panels)),
        (f.stack_panels, {"panels": run}),
        (f.weight_graphs, {"graphs": run}),
        (f.fraction_scatter, {"places": run}),
        (f.shape_shares, {"places": run}),
        (f.level_panels, {"models": recorded}),
        (f.level_slider, {"model": recorded}),
        (f.arrow_overlay, {"panels": two}),
        (f.phase_panels, {"panels": phase}),
        (f.category_panels, {"panels": names}),
        (f.stuck_panels, {"panels": share}),
        (f.arrow_overlay, {"panels": {"a": plane5}, "label": "a", "between": (0.1, 1.0)}),
        (f.set_arrows, {"models": {"a": PLANE[:, :4]}, "set_size": 2, "radii": (1.0,), "columns": 2}),
        (f.branch_scatter, {"runs": runs, "branches": lines, "kinds": ["a"], "label": "a", "places": {"b": 1.0}}),
        (
            f.category_panels,
            {"panels": {"a": names}, "colours": {"pair": "#dddddd", "ignored": "#000000"}, "marks": marks}
            | {"across": "importance_ratio", "label": "a"},
        ),
        (f.colours_of, {"names": ["a"]}),
        (f.Marks, {"x": np.ones(1), "y": np.ones(1), "texts": ["a"]}),
        (f.census_dots, {"data": dots, "names": ["pair"], "other": "?", "crosses": "a", "baseline": "b"}),
        (f.curve_panel, {"curves": {"a": curve}, "x_label": "x", "y_label": "y", "log_x": True, "points": {"b": curve}}),
        (f.vulnerability_panels, {"ratios": {"a": curve}, "per_dimension": curve}),
        (f.error_curves, {"data": errors}),
        (f.level_panels, {"models": {"a": (levels, [event])}, "clock": {"a": "time"}}),
        (f.level_slider, {"model": levels, "found": [event], "clock": "time"}),
        (f.path_slider, {"model": path, "found": [], "set_size": 3, "clock": "steps"}),
        (
            f.fraction_scatter,
            {"places": [0.1, 0.2], "D": [np.array([0.5, 0.5]), np.array([0.4])], "x_title": "x", "labels": ["a", "b"]}
            | {"line": [0.1, 0.2], "line_name": "a", "log": False, "marks": {"a": 0.1}, "height": 460},
        ),
        (f.shape_shares, {"places": [1.0, 2.8], "names": {"exact": words}, "x_title": "x"}),
        (f.geometry_map, {"data": minima()}),
        (f.transition_marks, {"found": minima()}),
        (f.gram_panels, {"models": {"a": PLANE}, "set_size": 5}),
        (f.strips, {"models": {"a": model}}),
        (f.network_panels, {"models": {"a": PLANE}, "columns": 3}),
        (f.phase_panels, {"panels": {"a": phase}, "lines": {"b": (np.ones(2), np.ones(2))}, "label": "a"}),
        (f.stuck_panels, {"panels": {"a": share}, "across": "importance_ratio"}),
        (f.polytope_table, {"models": {"a": PLANE}, "ignored": {"a": [(1, 1)]}}),
        (
            f.stack_panels,
            {"panels": {"a": stack}, "colour": "interference", "signed": True, "columns": 1, "matrix": False}
            | {"row_height": 260, "ordered_by": np.eye(3, 5), "own_scale": False},
        ),
        (f.NeuronPanel, {"weights": np.eye(3, 5), "polysemantic": np.zeros(3, bool)}),
        (f.surface_panels, {"panels": {"a": surface}, "minima": {"a": np.array([[1.0, 1.0, 0.0]])}}),
        (f.weight_graphs, {"graphs": {"a": graph}, "least": 0.1, "columns": 1, "row_height": 420}),
        (f.WeightGraph, {"W1": np.eye(5, 3), "W2": np.eye(3, 5), "marked": np.zeros(5, bool)}),
        (f.strips, {"models": {"a": one.isel(density=0)}}),
    ]


def _claims() -> list[Call]:
    c, data = tg.claims, trained()
    claim = {"name": "a", "statement": "b", "source": c.OURS, "how": "c", "expect": c.below(1.0), "of": 0.5}
    claim |= {"evidence": c.closed_form(a=1), "uncontrolled": "d"}
    figure = tg.experiments.Figure
    return [
        (c.Claim, claim),
        (c.Disagreement, {"paper": "a", "exact": "b", "why": "c"}),
        (c.Evidence, {"words": "a", "models": 1}),
        (c.Source, {"kind": "paper", "section": "1", "quote": "a"}),
        (c.paper, {"section": "1", "quote": "a"}),
        (c.comment, {"author": "a", "quote": "b"}),
        (c.later, {"work": "A, 2026", "quote": "more is less"}),
        *((one, {"bound": 1.0, "unit": "a"}) for one in (c.above, c.at_least, c.at_most, c.below)),
        (c.between, {"low": 1.0, "high": 2.0, "unit": "a", "included": True}),
        (c.equal, {"target": 1, "unit": "a"}),
        (c.near, {"target": 1.0, "tolerance": 0.1, "unit": "a", "relative": False}),
        *((one, {"unit": "a", "strictly": True}) for one in (c.rising, c.falling)),
        (c.share_at_least, {"share": 0.5}),
        (c.passes, {"predicate": bool, "words": "a", "tolerance": "b", "shown": str}),
        (c.all_of, {"parts": {"a": c.below(1.0)}, "units": {"a": "b"}}),
        (c.in_each_seed, {"measure": np.sum, "expect": c.below(3)}),
        (c.answer, {"problem": "O49"}),
        (c.Expect, {"holds": bool, "shown": str, "words": "a", "tolerance": "b"}),
        (c.every, {"data": data, "unit": "model", "over": "seed", "places": {"density": "densities"}}),
        (c.best_of, {"data": data, "by": "loss", "unit": "model", "over": "seed"}),
        (c.closed_form, {"densities": 3}),
        (c.fisher, {"found": [True], "control": [False]}),
        (figure, {"picture": go.Figure(), "caption": "a"}),
    ]


def calls(count: int, seed: int) -> Iterator[Attempt]:
    """Each returns, or says what is wrong; at first all right ones, which must return, and these in other precisions.

    Where few are asked for, as in every run of the tests, each function has one of the precisions, in turn.
    """
    generator, words = random.Random(seed), [value for value in VALUES if isinstance(value, str)]
    right_ones = right_calls()
    tg.training.loss_and_gradient(NET, {"W": W, "b": B}, np.ones((1, 2)))  # what is compiled here is not waited for below
    for number, (function, right) in enumerate(right_ones):
        yield f"{_called(function)}: the right call", partial(_right, function, right)
        for precision in PRECISIONS if count >= _MANY else PRECISIONS[number % len(PRECISIONS) :][:1]:
            narrow = {name: _narrowed(value, precision) for name, value in right.items()}
            yield f"{_called(function)}: arrays of {precision}", partial(function, **narrow)
    for _ in range(count):
        function, right = generator.choice(right_ones)
        names = generator.sample(list(right), k=min(len(right), generator.choice((1, 1, 2))))
        wrong = {name: generator.choice(words if name in ("name", "field") else VALUES) for name in names}
        yield f"{_called(function)}({wrong!r:.200})", partial(function, **right | wrong)


def _called(function: Callable[..., Any]) -> str:
    inner = getattr(function, "__wrapped__", function)
    name = getattr(inner, "__name__", repr(inner))
    return f"the call in line {inspect.getsourcelines(inner)[1]}" if name == "<lambda>" else name


def _narrowed(value: Any, precision: str) -> Any:
    """Arrays of floats, also those in a mapping or a dataset, in another precision."""
    if isinstance(value, np.ndarray | xr.DataArray):
        return value.astype(precision) if value.dtype.kind == "f" else value
    if isinstance(value, xr.Dataset):
        return value.assign({name: _narrowed(one, precision) for name, one in value.data_vars.items()})
    return {key: _narrowed(one, precision) for key, one in value.items()} if isinstance(value, dict) else value


def _right(function: Callable[..., Any], right: dict[str, Any]) -> None:
    try:
        function(**right)
    except tg.InvalidInputError as mistake:
        raise AssertionError(f"refused: {mistake}") from None
