"""Computing |x| of a hundred features with forty neurons: from one feature a neuron to many as features grow sparser.

Paper: section 9, the sweep over density (F37).  n = 100, m = 40, importance 0.8^i, densities 1 to 0.001, y = ReLU(W2 ReLU(W1
x) + b); the paper says nothing of training.  Initial weights and rates are those of the section's `shared`: Xavier initial
weights leave most outputs dead where features are sparse.  Every seed is judged by itself, the best is shown.  The paper
judges polysemanticity by eye; here a neuron is monosemantic if no second input weight exceeds a tenth of its largest, and other
scores stand beside it.  Neurons whose largest output weight is below 1 % of the net's (at the canonical scale) do not count.
Baseline: the best net without superposition, two neurons for each of the 20 most important features (`tegum.theory.absolute`).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import OURS, Claim, above, at_least, at_most, below, equal, every, falling, in_each_seed, paper, rising
from tegum.claims.words import listed, number
from tegum.experiments import Experiment, Figure, Profile
from tegum.experiments.s9_computation import shared
from tegum.experiments.s9_computation.shared import Nets, best_nets, by_density, relative_loss
from tegum.geometry import left_out, main_features, monosemantic, participation_ratio, weights_above

DENSITIES = [1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]
QUICK = shared.RECIPE.replaced(steps=8000, batch_size=512, seeds=5, evaluation_samples=2**17)
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=30_000, batch_size=1024, evaluation_samples=2**20)}
SCORES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.bool_]]] = {
    "no second weight above 0.1 of the largest": monosemantic,
    "no second weight above 0.3 of the largest": lambda V: monosemantic(V, 0.3),
    "participation ratio below 1.1": lambda V: np.asarray(participation_ratio(V) < 1.1),
    "at least 90 % of the sum of squares in one weight": lambda V: np.asarray(left_out(V) < 0.1),
}
BEFORE = "the same nets before training"


def study(profile: Profile) -> xr.Dataset:
    """The nets at all densities, and the initial weights that they came from."""
    return shared.trained(DENSITIES, RECIPE[profile])


Dealt = dict[float, tuple[NDArray[np.intp], NDArray[np.bool_]]]
"""The rank in importance of each neuron's main feature, and which neurons are called monosemantic, by density."""


def kinds(nets: Nets) -> dict[str, xr.DataArray]:
    """The share of monosemantic neurons, how many are polysemantic, and how many weights the median neuron has."""
    return {
        "monosemantic": by_density(nets, monosemantic),
        "polysemantic neurons": by_density(nets, lambda V: (~monosemantic(V)).sum()),
        "median of weights above a tenth of the largest": by_density(nets, lambda V: np.median(weights_above(V))),
    }


def pairs(V: NDArray[np.float64]) -> dict[str, int]:
    """How many features have two neurons of opposite sign, how many of these are among the 20 most important ones."""
    main = main_features(V)
    held = set(zip(main.tolist(), (V[np.arange(len(V)), main] > 0).tolist(), strict=True))
    both = [i for i in range(V.shape[1]) if {(i, True), (i, False)} <= held]
    return {
        "features with both signs": len(both),
        "of the first 20": sum(i < 20 for i in both),
        "neurons": len(V),
        "neurons that repeat another's": len(V) - len(held),
    }


def both_kinds(nets: Nets) -> Dealt:
    """The neurons, by the rank of their main feature, where features are sparse and there are neurons of both kinds."""
    by_rank = {p: V[np.argsort(main_features(V), kind="stable")] for p, V in nets.items() if p <= 0.03}
    return {p: (main_features(V), monosemantic(V)) for p, V in by_rank.items() if 0 < monosemantic(V).mean() < 1}


def mean_ranks(dealt: Dealt) -> tuple[xr.DataArray, xr.DataArray]:
    """The mean rank in importance of the main feature, of neurons that are called monosemantic and of the others."""
    return by_density(dealt, lambda net: net[0][net[1]]), by_density(dealt, lambda net: net[0][~net[1]])


def shuffled(dealt: Dealt, generator: np.random.Generator) -> Dealt:
    """The same neurons, called monosemantic or not at random."""
    return {p: (rank, generator.permutation(kind)) for p, (rank, kind) in dealt.items()}


def ranks(dealt: Dealt) -> dict[str, xr.DataArray | float]:
    """The mean ranks of both kinds, their difference, and how often random dealings have one as large."""

    def difference(some: Dealt) -> float:
        return float(np.mean([rank[~kind].mean() - rank[kind].mean() for rank, kind in some.values()] or np.nan))

    one, many = mean_ranks(dealt)
    generator = np.random.default_rng(1)
    found, others = difference(dealt), (difference(shuffled(dealt, generator)) for _ in range(1000))
    as_large = [not other < found for other in others]
    return {"monosemantic": one, "polysemantic": many, "difference": many - one, "p": float(np.mean(as_large))}


def claims(data: xr.Dataset) -> list[Claim]:  # long: one declaration after the other
    """The shift, who makes it, and that it pays."""
    seeds = [data.sel(seed=[seed]) for seed in data["seed"].values]
    nets, first = ([best_nets(each, initial) for each in seeds] for initial in (False, True))
    claim = partial(Claim, evidence=every(data["loss"], "net"), needs=5)
    shift = partial(claim, how="monosemantic share of the neurons in use")
    losses, late = list(map(relative_loss, seeds)), [p for p in nets[0] if p <= 0.1]
    dense, between, sparse = slice(None, 0.3), slice(0.29, 0.011), slice(0.01, None)
    dealt, best = list(map(both_kinds, nets)), best_nets(data)
    others = "; ".join(f"{name}: {listed(by_density(best, score), number)}" for name, score in list(SCORES.items())[1:])

    def at(*densities: float) -> dict[str, Any]:
        """The nets at these densities, and as a control what they were before training."""
        mine, untrained = ([{p: net[p] for p in densities} for net in each] for each in (nets, first))
        return {"of": mine, "against": {BEFORE: untrained}, "evidence": every(data["loss"].sel(density=list(densities)), "net")}

    return [
        shift(
            "dense-monosemantic",
            "At densities 1 and 0.3 all neurons are monosemantic.",
            source=paper(
                "Superposition vs Sparsity", "In the dense regime, all neurons are monosemantic, dedicated to a single feature"
            ),
            **in_each_seed(kinds, {"monosemantic": at_least(0.95, "%")}),
            note=f"The best net by other scores: {others}.",
            **at(1.0, 0.3),
        ),
        shift(
            "few-at-a-tenth",
            "At density 0.1 a few neurons are slightly polysemantic.",
            source=paper("Superposition vs Sparsity", "Eventually, we start to see a few slightly polysemantic neurons"),
            **in_each_seed(kinds, {"monosemantic": at_least(0.6, "%"), "polysemantic neurons": at_least(1)}),
            **at(0.1) | {"against": at(0.1)["against"] | {"one feature to a neuron": [{0.1: np.eye(shared.M, shared.N)}]}},
        ),
        shift(
            "ever-fewer",
            "From there to density 0.01 ever more neurons are polysemantic.",
            source=paper("Superposition vs Sparsity", "The number of polysemantic neurons grows"),
            **in_each_seed(kinds, {"monosemantic": falling("%")}),
            **at(*(p for p in late if p >= 0.01)),
        ),
        claim(
            "ever-more-features",
            "Neurons hold ever more features as features grow sparser.",
            source=paper("Superposition vs Sparsity", "And they become even more polysemantic"),
            how="participation ratio (sum w^2)^2 / sum w^4 of input weights, mean over the neurons in use",
            **in_each_seed(lambda nets: by_density(nets, participation_ratio), rising()),
            note="A graded score, where the share of monosemantic neurons is 0 at more than one density.",
            **at(*late),
        ),
        shift(
            "sparse-polysemantic",
            "At density 0.001 all neurons are highly polysemantic.",
            source=paper("Superposition vs Sparsity", "Eventually, all neurons are highly polysemantic"),
            **in_each_seed(kinds, {"monosemantic": at_most(0.05, "%")}),
            **at(0.001) | {"against": {"density 1": at(1.0)["of"]}},
        ),
        claim(
            "pairs-at-one",
            "At density 1 the 20 most important features have two neurons each.",
            source=OURS,
            how="largest input weight of every neuron, and its sign",
            **in_each_seed(
                pairs,
                {
                    "features with both signs": equal(20),
                    "of the first 20": equal(20),
                    "neurons that repeat another's": equal(0),
                },
            ),
            of=[net[1.0] for net in nets],
            evidence=every(data["loss"].sel(density=1.0), "net"),
            against={BEFORE: [net[1.0] for net in first]},
            note="A neuron that repeats another's leaves half a feature out; the lowest loss is "
            f"{relative_loss(data).values[0]:.2f} times the code's.",
        ),
        claim(
            "important-ones-alone",
            "Polysemantic neurons hold the less important features.",
            source=paper(
                "Superposition vs Sparsity",
                "a small number of highly polysemantic neurons representing low importance features",
            ),
            how="mean rank in importance of the main feature, of either kind of neuron, at 0.03 and less where both are there; "
            "p: share of 1,000 random dealings of the kinds with as large a mean difference",
            **in_each_seed(ranks, {"difference": above(0), "p": below(0.05)}),
            of=dealt,
            against={"kinds dealt out at random": [shuffled(each, np.random.default_rng(0)) for each in dealt]},
        ),
        claim(
            "computes-in-superposition",
            "Where features are sparse the nets compute more than one function a neuron: no net with one loses as little.",
            source=paper(
                "Superposition vs Sparsity",
                "this model, too, uses superposition to represent more features than it has neurons",
            ),
            how="loss over that of the best net without superposition (closed form), at densities of 0.01 and less",
            **in_each_seed(lambda loss: {"sparse": loss}, {"sparse": below(0.99)}),
            of=[loss.sel(density=sparse) for loss in losses],
            against={
                BEFORE: [relative_loss(each, "start_loss").sel(density=sparse) for each in seeds],
                "densities in between": [loss.sel(density=between) for loss in losses],
            },
            note=f"Lowest in between: {listed(relative_loss(data).sel(density=between), number)}; at 0.3 and more: "
            f"{listed(relative_loss(data).sel(density=dense), number)}. Above 1 training did not reach the code with one "
            "feature a neuron, which can be built by hand; it does not say what neurons compute.",
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """All neurons at all densities, and the scores."""
    nets = best_nets(data)
    scores = {name: by_density(nets, score) for name, score in SCORES.items()}
    return {
        "neurons": Figure(
            tg.figures.stack_panels(shared.panels(data), signed=False, columns=1, row_height=150, own_scale=True),
            "Every neuron's input weights as a stack of |W1| at the canonical scale, coloured by the feature's interference, "
            "sorted by the importance of its largest feature; polysemantic neurons on grey. Features grow sparser downwards: "
            f"single blocks give way to towers (each row has its own scale). The best of {data.sizes['seed']} at each density.",
        ),
        "scores": Figure(
            tg.figures.curve_panel(scores, "density", "share of monosemantic neurons", log_x=True),
            "The share of monosemantic neurons by four scores. They differ where neurons have a large weight and small ones.",
        ),
    }


experiment = Experiment(
    __name__,
    title="|x| of a hundred features with forty neurons",
    paper="Section 9, the sweep over density (F37)",
    seconds={"quick": 33, "paper": 240},
    order=2,
)
