"""Every mistake a user can make, and the message as the user reads it: one message, exit code 2, no traceback.

The messages are stored in ``messages.toml`` beside this file and compared word for word.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
import xarray as xr
from jaxtyping import config

import tegum as tg
from tegum.cli import run
from tegum.figures.clouds import Cloud, clouds
from tests.oracle import own

STORED = tomllib.loads(Path(__file__).with_name("messages.toml").read_text(encoding="utf-8"))

COMMANDS = STORED["command"]
POSTERIOR = tg.nets.ReluOutput(2, 1), tg.features.AnticorrelatedSets(1, 2, density=0.5), [[1.0, -1.0]], [0.0, 0.0]
FOUR_GON = (
    tg.nets.ReluOutput(4, 2),
    tg.features.AnticorrelatedSets(1, 4, density=0.25),
    [[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, -1.0]],
    np.zeros(4),
)
SHORT = tg.Recipe(steps=1, batch_size=64, evaluation_samples=64)


def loss_of(features: tg.features.Features) -> Any:
    n = features.n_features
    return tg.exact.loss(np.full((1, n), 0.1), np.zeros(n), features)


@pytest.mark.parametrize("case", COMMANDS, ids=[case["words"] for case in COMMANDS])
def test_a_wrong_command(
    case: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "damaged.npz").write_text("")
    if "arrays" in case:
        np.savez(tmp_path / "weights.npz", **case["arrays"])
    if "file" in case:
        (tmp_path / "recipe.toml").write_text(case["file"])
    assert run(case["words"].split()) == 2
    shown = capsys.readouterr()
    assert shown.err.strip() == case["says"].strip()
    assert shown.out == ""


CALLS = {
    "initial-nan": lambda: tg.train(
        tg.nets.ReluOutput(3, 2),
        tg.features.Independent(3),
        tg.Recipe(seeds=2),
        initial={"W": np.array([[[1, 2, 3], [4, np.nan, 6]]])},
    ),
    "initial-shape": lambda: tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), initial={"W": np.zeros((3, 2))}),
    "initial-axes": lambda: tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), initial={"W": np.zeros((7, 2, 3))}),
    "sizes-differ": lambda: tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(4), tg.Recipe(record=("V",)), threads=0),
    "sweep-many": lambda: tg.train(
        tg.nets.ReluOutput(3, 2),
        tg.features.Independent(3),
        sweep={"densty": [0.1], "seeds": [1, 2], "l1": 0.1, "step": tg.Axis([1], epsilon=[1e-8])},
    ),
    "sweep-values": lambda: tg.train(
        tg.nets.ReluOutput(3, 2), tg.features.Independent(3), sweep={"density": [0.5, -0.5], "steps": [10, 0]}
    ),
    "sweep-shape": lambda: tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), sweep={"importance": [(1, 2)]}),
    "axis-lengths": lambda: tg.Axis([1, 2], density=[0.1]),
    "two-batches": lambda: tg.train(
        tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=[[0.1], [0.2]]), sweep={"l1": [0.0, 0.1]}
    ),
    "recipe-many": lambda: tg.Recipe(steps=0, learning_rate=-1, optimizer="adagrad", momentum=2, lr=0.1, batch_size="many"),
    "recipe-kinds": lambda: tg.Recipe(learning_rate=True, l1="0.1", initialisation_scale=1e20, beta2=0.9999999, momentum=1.0),
    "recipe-together": lambda: tg.Recipe(
        steps=10, warmup_steps=20, seeds=(1, 1), record_steps=(5, 50), batch_size=9, data_set_size=8
    ),
    "recipe-records": lambda: tg.train(
        tg.nets.Linear(2, 1), tg.features.Independent(2), tg.Recipe(record=("training_loss", "active_loss"), record_steps=2)
    ),
    "recipe-names": lambda: tg.train(
        tg.nets.Linear(2, 1), tg.features.Independent(2), tg.Recipe(weight_decay={"W1": 0.1}, record=("loss", "h"))
    ),
    "recipe-names-swept": lambda: tg.train(
        tg.nets.Linear(2, 1), tg.features.Independent(2), sweep={"weight_decay": [{"w": 0.1}, {"W": 0.1}, 0.0]}
    ),
    "data-unlike": lambda: tg.train(
        tg.nets.ReluOutput(3, 1),
        tg.features.Independent(3, importance=[1, 2, 3]),
        tg.Recipe(batch_size=9, data_set_size=9, seeds=3),
        data=[tg.features.FiniteLaw([[1, 0], [0, 1]], [0.2, 0.8]), tg.features.FiniteLaw(np.eye(3))],
        sweep={"density": [0.1, 0.2]},
    ),
    "data-of-a-batch": lambda: tg.features.data_set(tg.features.Independent(2, density=[[0.1], [0.2]]), 5),
    "data-of-nothing": lambda: tg.features.data_set(tg.features.Independent(2), 0),
    "data-complex": lambda: tg.features.FiniteLaw(scipy.sparse.csr_array(np.eye(2) * 1j)),
    "unit-length-of": lambda: tg.features.UnitLength(3),
    "unit-length-batch": lambda: tg.features.UnitLength(tg.features.Independent(2, density=[[0.1], [0.2]])),
    "unit-length-weighted": lambda: tg.features.UnitLength(tg.features.Independent(2, importance=[1, 2])),
    "unit-length-exactly": lambda: loss_of(tg.features.UnitLength(tg.features.Independent(2))),
    "activation-name": lambda: tg.nets.ActivationOutput(2, 1, activation="swish"),
    "activation-taken": lambda: tg.nets.ActivationOutput(
        2, 1, activation=tg.nets.Activation("gelu", value=lambda y: y, slope=lambda y: 1.0)
    ),
    "activation-slope": lambda: tg.nets.Activation("cube", value=lambda y: y**3, slope=lambda y: y**2),
    "activation-infinite": lambda: tg.nets.Activation("log", value=np.log, slope=lambda y: 1 / y),
    "activation-fails": lambda: tg.nets.Activation("pair", value=lambda y: y[0], slope=lambda y: 1.0),
    "activation-uncompiled": lambda: tg.train(
        tg.nets.ActivationOutput(
            2, 1, activation=tg.nets.Activation("words", value=lambda y: float(f"{y}"), slope=lambda y: 1.0)
        ),
        tg.features.Independent(2),
    ),
    "features-many": lambda: tg.features.Independent(3, density=[0.5, 1.5, 0.5], importance=[1, -1, 1]),
    "density-negative": lambda: tg.features.Independent(3, density=-0.5),
    "density-nan": lambda: tg.features.CorrelatedSets(2, 2, density=np.nan),
    "importance-length": lambda: tg.features.Independent(3, importance=[1, 2]),
    "anticorrelated": lambda: tg.features.AnticorrelatedSets(2, 3, density=0.4),
    "k-sparse": lambda: tg.features.KSparse(3, 4),
    "distributions": lambda: tg.features.Independent(2, density=np.full((2, 1), 0.1), importance=np.ones((3, 2))),
    "exponential": lambda: tg.features.Exponential(0.0),
    "samples": lambda: tg.features.Independent(2).sample(0, seed=1),
    "gradient-samples": lambda: tg.training.loss_and_gradient(tg.nets.Linear(2, 1), {"W": np.ones((1, 2))}, np.ones((5, 3))),
    "gradient-attacked": lambda: tg.training.loss_and_gradient(
        tg.nets.AbsoluteValue(2, 2), {"W1": np.eye(2), "W2": np.eye(2), "b": [0.0, 0.0]}, np.eye(2), attack_size=0.5
    ),
    "samples-attacked": lambda: tg.training.attacked_samples(
        tg.nets.AbsoluteValue(2, 2), {"W1": np.eye(2), "W2": np.eye(2), "b": [0.0, 0.0]}, np.eye(2), attack_size=0.5
    ),
    "exact-l1-behind-relu": lambda: tg.exact.minimise(
        tg.nets.ReluHidden(2, 1), tg.features.Independent(2), penalties=[tg.exact.L1(0.1)]
    ),
    "exact-bias-of-none": lambda: tg.exact.loss(
        np.ones((1, 2)), np.ones(2), tg.features.Independent(2), net=tg.nets.ReluOutput(2, 1, bias=False)
    ),
    "exact-best-bias-untied": lambda: tg.exact.best_bias(np.ones((1, 2)), tg.features.Independent(2), net=tg.nets.Untied(2, 1)),
    "exact-many": lambda: tg.exact.evaluate(
        np.ones((3, 3)),
        np.ones(4),
        tg.features.Independent(2),
        tied=False,
        net=tg.nets.ReluHidden(2, 1),
        tol=0,
        terms=100,
        threads=0,
    ),
    "exact-globally": lambda: tg.exact.certified_globally(tg.nets.Linear(5, 2), tg.features.Independent(5, density=0.0), tol=0),
    "exact-globally-laws": lambda: tg.exact.certified_globally(
        tg.nets.ReluOutput(4, 1), tg.features.AnticorrelatedSets(1, 4, density=0.2, signed=True)
    ),
    "exact-globally-sizes": lambda: tg.exact.certified_globally(
        tg.nets.ReluOutput(4, 1), tg.features.AnticorrelatedSets(1, 4, density=0.2)
    ),
    "exact-shapes": lambda: tg.exact.loss(np.ones((2, 3)), 0.0, tg.features.Independent(2)),
    "exact-tol": lambda: tg.exact.loss(np.ones((1, 2)), np.zeros(2), tg.features.Independent(2), tol=0),
    "exact-terms": lambda: tg.exact.squared_errors(np.ones((1, 2)), np.zeros(2), tg.features.Independent(2), terms=100),
    "exact-axes": lambda: tg.exact.loss(
        np.ones((3, 1, 2)), np.zeros((4, 2)), tg.features.Independent(2, density=[[0.1], [0.2], [0.3]])
    ),
    "exact-unbounded": lambda: loss_of(tg.features.KSparse(20, 5, magnitude=tg.features.Exponential())),
    "exact-constants": lambda: loss_of(tg.features.Independent(60, 0.5, magnitude=tg.features.Constant())),
    "exact-own-law": lambda: loss_of(tg.features.Independent(2, 0.5, magnitude=own.Peaked())),
    "exact-own-features": lambda: loss_of(own.Echo()),
    "exact-signed-sets": lambda: loss_of(tg.features.CorrelatedSets(1, 12, 0.1, signed=True)),
    "exact-beside": lambda: loss_of(tg.features.Joined([tg.features.FiniteLaw([[1.0]]), tg.features.Independent(2, 0.1)])),
    "finite-states": lambda: tg.features.FiniteLaw([[0.0, 1.0], [np.nan, 0.0]]),
    "finite-shape": lambda: tg.features.FiniteLaw([1.0, 2.0, 3.0]),
    "finite-probabilities": lambda: tg.features.FiniteLaw([[1.0], [0.0]], [0.6, 0.5]),
    "finite-negative": lambda: tg.features.FiniteLaw([[1.0], [0.0]], [1.5, -0.5]),
    "finite-count": lambda: tg.features.FiniteLaw([[1.0], [0.0]], [0.2, 0.3, 0.5]),
    "mixture-parts": lambda: tg.features.Mixture(
        ["Independent", tg.features.Independent(2, [[0.1], [0.2]]), tg.features.Independent(2, 0.1, [1, 2])]  # type: ignore[list-item]
    ),
    "mixture-none": lambda: tg.features.Mixture([]),
    "mixture-sizes": lambda: tg.features.Mixture([tg.features.Independent(2), tg.features.Independent(3)], [1.0]),
    "tree-parents": lambda: tg.features.tree([None, 2, 0], 0.5),
    "tree-many": lambda: tg.features.tree([None, *range(13)], 0.5),
    "uniform": lambda: tg.features.Uniform(1.0, 1.0),
    "magnitude-falls": own.Falls,
    "magnitude-fails": own.Fails,
    "features-incomplete": own.Empty,
    "features-forgets": lambda: own.Forgets(2.0),
    "recorded-other-law": lambda: tg.exact.loss(
        tg.train(tg.nets.ReluOutput(2, 1), tg.features.FiniteLaw([[1.0, 0.5]]), SHORT),
        features=tg.features.FiniteLaw([[1.0, 0.6]]),
    ),
    "exact-nan": lambda: tg.exact.loss_and_gradient(
        np.array([[[1.0, 2.0]], [[3.0, np.nan]]]), np.zeros(2), tg.features.Independent(2)
    ),
    "exact-infinite": lambda: tg.exact.loss(np.ones((1, 2)), np.array([0.0, -np.inf]), tg.features.Independent(2)),
    "exact-too-large": lambda: tg.exact.loss(np.full((2, 3, 1, 2), 1e60), np.zeros(2), tg.features.Independent(2)),
    "exact-penalties": lambda: tg.exact.minimise(
        tg.nets.ReluOutput(3, 2),
        tg.features.Independent(3),
        penalties=[0.02, tg.exact.Smooth(lambda W, b: (float((W**2).sum()), W, 0 * b), "half")],
        constraints=["sparse", tg.exact.Support(np.ones((3, 3))), tg.exact.ColumnSparse(3), *[tg.exact.Coherence(0.5)] * 2],
    ),
    "exact-penalty-shape": lambda: tg.exact.Objective(
        tg.nets.ReluOutput(3, 2), tg.features.Independent(3), penalties=[tg.exact.Smooth(lambda W, b: (0.0, b, W), "mixed up")]
    ),
    "exact-penalty-alone": lambda: tg.exact.minimise(
        tg.nets.ReluOutput(2, 1), tg.features.Independent(2), penalties=tg.exact.L1(0.1)
    ),
    "objective-penalty-alone": lambda: tg.exact.Objective(
        tg.nets.ReluOutput(2, 1), tg.features.Independent(2), penalties=tg.exact.L1(0.1)
    ),
    "features-sparsity": lambda: tg.features.Independent(5, sparsity=0.9),
    "net-fields": lambda: tg.nets.ReluOutput(5, activation="gelu"),
    "magnitude-field": lambda: tg.features.Uniform(0, 1, hight=2),
    "penalty-field": lambda: tg.exact.L1(strength=0.1),
    "too-many-values": lambda: tg.features.Uniform(0, 1, 2),
    "too-many-values-of-a-method": lambda: tg.features.Independent(2).sample(3, 1, 4),
    "value-twice": lambda: tg.features.Uniform(0, low=1),
    "call-argument": lambda: tg.train(tg.nets.ReluOutput(5, 2), tg.features.Independent(5), sparsity=[0.9]),
    "exact-loss-argument": lambda: tg.exact.loss([[1.0, 0.0]], [0, 0], tg.features.Independent(2), progress=True),
    "exact-loss-argument-by-name": lambda: tg.exact.loss_and_gradient(
        {"W": [[1.0, 0.0]], "b": [0, 0]}, features=tg.features.Independent(2), net=tg.nets.ReluOutput(2, 1), term=64
    ),
    "exact-penalty-weight": lambda: tg.exact.Interference(-0.02),
    "exact-coherence": lambda: tg.exact.Coherence(1.5),
    "exact-support": lambda: tg.exact.Support([0.5, 1]),
    "exact-flow-rim": lambda: tg.exact.gradient_flow(
        tg.nets.ReluOutput(2, 1), tg.features.Independent(2), [[1, 0]], [0, 0], 1.0, constraints=[tg.exact.NormBudget(1.0)]
    ),
    "exact-l1-beside": lambda: tg.exact.minimise(
        tg.nets.ReluOutput(2, 1),
        tg.features.Independent(2),
        penalties=[tg.exact.L1(0.1)],
        constraints=[tg.exact.NormBudget(1.0)],
    ),
    "exact-l1-alone": lambda: tg.exact.L1(0.1)(np.eye(2), np.zeros(2)),
    "exact-l1-values": lambda: tg.exact.minimise(
        tg.nets.ReluOutput(2, 1), tg.features.Independent(2, magnitude=tg.features.Constant(1.0)), penalties=[tg.exact.L1(0.1)]
    ),
    "exact-activity": lambda: tg.exact.hidden_activity(np.eye(3), tg.features.Independent(2)),
    "exact-hessian-tol": lambda: tg.exact.hessian_at(
        tg.exact.Objective(tg.nets.ReluOutput(2, 1), tg.features.Independent(2)), np.zeros(4), tol=0.0
    ),
    "target-shape": lambda: tg.nets.TargetMap([[1.0, 0.0]]),
    "target-column": lambda: tg.nets.TargetMap([{0: 1.0}, {2: 1.0}]),
    "target-shift": lambda: tg.nets.TargetMap(np.eye(2), v=[1.0, 2.0, 3.0]),
    "target-size": lambda: tg.nets.Untied(3, 2, target_map=tg.nets.TargetMap(np.eye(2))),
    "target-finite": lambda: tg.nets.TargetMap([{0: np.inf}]),
    "exact-target": lambda: tg.exact.Objective(
        tg.nets.Untied(2, 1, target_map=tg.nets.TargetMap(-np.eye(2))), tg.features.Independent(2)
    ),
    "exact-target-signed": lambda: tg.exact.Objective(
        tg.nets.Untied(2, 1, target_map=tg.nets.TargetMap(np.eye(2))), tg.features.Independent(2, density=0.1, signed=True)
    ),
    "exact-target-net": lambda: tg.exact.Objective(
        tg.nets.UntiedNeurons(2, 1, target_map=tg.nets.TargetMap(np.eye(2))), tg.features.Independent(2)
    ),
    "untied-W": lambda: tg.exact.loss(np.ones((1, 2)), np.zeros(2), tg.features.Independent(2), net=tg.nets.Untied(2, 1)),
    "untied-penalty": lambda: tg.exact.minimise(
        tg.nets.Untied(2, 1), tg.features.Independent(2), penalties=[tg.exact.L2(0.1)], constraints=[tg.exact.NormBudget(1.0)]
    ),
    "parameters-without-net": lambda: tg.exact.loss({"W": np.ones((1, 2)), "b": np.zeros(2)}, None, tg.features.Independent(2)),
    "output-kink": lambda: tg.exact.loss(
        np.ones((1, 2)),
        np.zeros(2),
        tg.features.Independent(2),
        net=tg.nets.ActivationOutput(
            2, 1, activation=tg.nets.Activation("leaky", value=lambda y: max(y, 0.1 * y), slope=lambda y: 1.0 if y > 0 else 0.1)
        ),
    ),
    "exact-net": lambda: tg.exact.Objective(tg.nets.AbsoluteValue(2, 1), tg.features.Independent(2)),
    "exact-distributions": lambda: tg.exact.Objective(
        tg.nets.ReluOutput(2, 1), tg.features.Independent(2, density=[[0.1], [0.2]])
    ),
    "figure-four-dimensions": lambda: tg.figures.arrow_panels({"": np.eye(4)}),
    "figure-other-weights": lambda: tg.figures.strips(xr.Dataset({"loss": 0.1})),
    "figure-not-recorded": lambda: tg.figures.arrow_film(xr.Dataset({"W": (("hidden", "feature"), np.eye(2))})),
    "figure-sets": lambda: tg.figures.set_arrows({"": np.eye(2)}),
    "figure-curves": lambda: tg.figures.curve_panel({"loss": xr.DataArray(np.eye(2), dims=["a", "b"])}, "x", "y"),
    "census-one-model": lambda: tg.census(xr.Dataset({"W": (("hidden", "feature"), np.eye(2))})),
    "posterior-numbers": lambda: tg.posterior.sample(*POSTERIOR, n_beta=[3, 1], chains=0, draws=2, prior_deviation=0.0),
    "posterior-tempered": lambda: tg.posterior.sample(*POSTERIOR, n_beta=[1, 3], sampler=tg.posterior.Langevin(0.1)),
    "posterior-start": lambda: tg.posterior.sample(*POSTERIOR[:2], np.zeros((3, 1, 2)), n_beta=10.0),
    "posterior-axes": lambda: tg.posterior.sample(*POSTERIOR[:2], np.zeros((3, 1, 2)), np.zeros((2, 2)), n_beta=10.0),
    "posterior-point": lambda: tg.posterior.exact_coefficient(*POSTERIOR[:2], np.zeros((3, 1, 2))),
    "posterior-no-temperature": lambda: tg.posterior.llc(*POSTERIOR, n_beta=0),
    "posterior-other-net": lambda: tg.posterior.waic(
        tg.nets.ReluOutput(2, 2),
        tg.features.FiniteLaw([[1.0, 0.0]]),
        tg.posterior.sample(*POSTERIOR, n_beta=10.0, draws=4, warm_up=0),
    ),
    "posterior-creases": lambda: tg.posterior.exact_coefficient(
        POSTERIOR[0], tg.features.FiniteLaw([[1.0, 1.0], [1.0, -1.0]]), [[0.5, 0.5]], [0.0, 0.0]
    ),
    "posterior-shape": lambda: tg.posterior.llc(*POSTERIOR[:2], [[1.0, np.nan]], [0.0]),
    "posterior-net": lambda: tg.posterior.sample(tg.nets.Untied(2, 1), *POSTERIOR[1:], n_beta=10.0),
    "posterior-features": lambda: tg.posterior.sample(
        POSTERIOR[0], tg.features.Independent(2, signed=True), *POSTERIOR[2:], n_beta=10.0
    ),
    "posterior-steps": lambda: tg.posterior.sample(*POSTERIOR, n_beta=10.0, thinning=10**8),
    "posterior-sampler": lambda: tg.posterior.HMC(leaps=0, accept=2.0, metric="round"),  # type: ignore[arg-type]
    "posterior-step-size": lambda: tg.posterior.RMSProp(-1.0, batch_size=-1, decay=1.0),
    "posterior-not-critical": lambda: tg.posterior.exact_coefficient(*POSTERIOR[:2], [[0.7, -0.9]], [0.0, 0.0]),
    "posterior-kinked": lambda: tg.posterior.free_energy(*FOUR_GON, n_samples=100),
    "posterior-volumes": lambda: tg.posterior.volume_scaling(*POSTERIOR, lowest=10.0, groups=2, points=7, moves=0),
    "posterior-levels": lambda: tg.posterior.volume_scaling(*POSTERIOR, lowest=1e-4, groups=4, points=64, moves=10),
    "posterior-rounded": lambda: tg.posterior.volume_scaling(*POSTERIOR, radius=1e-7, groups=4, points=64, moves=10),
    "posterior-constant": lambda: tg.posterior.volume_scaling(*POSTERIOR[:2], [[0.0, 0.0]], [-1.0, -1.0]),
    "posterior-few": lambda: tg.posterior.volume_scaling(
        tg.nets.Linear(1, 1, bias=False), tg.features.FiniteLaw([[1.0]]), [[1.0]], radius=0.5, groups=64, points=4
    ),
    "posterior-between": lambda: tg.posterior.sample_size_of_change(
        *POSTERIOR[:2], POSTERIOR[2:], POSTERIOR[2:], between=(10.0, 5.0)
    ),
    "posterior-no-draws": lambda: tg.posterior.diagnostics(xr.Dataset({"loss": ("step", [1.0])})),
    "clouds-none": lambda: clouds({}, "point", "value"),
    "cloud-lengths": lambda: Cloud("a", ["p", "q"], np.zeros(3)),
    "lab-size": lambda: tg.lab.link(tg.nets.ReluOutput(40, 6), tg.features.Independent(40)),
    "lab-net": lambda: tg.lab.link(tg.nets.ReluHidden(3, 2), tg.features.Independent(3)),
    "lab-features": lambda: tg.lab.link(tg.nets.ReluOutput(3, 2), tg.features.KSparse(3, 1)),
    "lab-magnitudes": lambda: tg.lab.link(
        tg.nets.ReluOutput(3, 2), tg.features.Independent(3, magnitude=tg.features.Exponential())
    ),
    "lab-many": lambda: tg.lab.link(tg.nets.ReluOutput(3, 2), tg.features.Independent(3, density=[[0.1], [0.2]])),
    "lab-weights": lambda: tg.lab.link(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), np.ones((4, 2, 3)), np.zeros(3)),
    "lab-version": lambda: tg.lab.read("lab.html#n=5"),
    "lab-keys": lambda: tg.lab.read("#v=1&density=0.1"),
    "lab-values": lambda: tg.lab.read("#v=1&net=gelu&how=sgd"),
    "lab-array": lambda: tg.lab.read("#v=1&n=2&m=1&W=AAAA"),
    "lab-sets": lambda: tg.lab.read("#v=1&n=5&sets=correlated:2"),
    "lab-nothing": lambda: tg.lab.model_of(xr.Dataset({"loss": 0.0})),
    "lab-layout": lambda: tg.lab.widget(layout="big"),
}


@pytest.fixture
def _as_users() -> Iterator[None]:
    """Without the tests' check of annotations, which tries one entry of a list, by chance."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.mark.usefixtures("_as_users")
@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call(name: str) -> None:
    with pytest.raises(tg.InvalidInputError) as caught:
        CALLS[name]()
    assert str(caught.value) == STORED["call"][name].strip()


def test_every_stored_message_has_its_case() -> None:
    assert set(STORED["call"]) == set(CALLS)


def test_the_installed_command_ends_with_code_2_and_no_traceback() -> None:
    done = subprocess.run([sys.executable, "-m", "tegum", "reproduce", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("tegum: there is no experiment 'nothing'")
    assert "Traceback" not in done.stderr
