"""Five sparse features in two dimensions: first two are represented, then two pairs, then a pentagon of all five.

Paper: the figure of the introduction (F01).  ReLU-output models, n = 5, m = 2, importance 0.9^i, at densities 1, 0.2 and 0.1
(sparsity 0, 80 and 90 %).  The paper gives neither its importances nor its training: 0.9^i and AdamW at 1e-3 with decay 0.01
are those of the authors' notebook.  Every seed is kept; what is shown and judged is the best at each density by loss on a
common test set, with how many of the others agree.  Linear models and untrained ones are negative controls.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import Claim, Expect, Source, above, all_of, at_least, below, best_of, near, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.recorded import of_several_nets

QUICK = tg.Recipe(steps=10_000, seeds=16, record=("W",), record_steps=(0,))
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=30_000, seeds=64)}
Measure = Callable[[NDArray[np.floating]], dict[str, Any]]
Models = dict[str, NDArray[np.floating]]


def study(profile: Profile) -> xr.Dataset:
    """ReLU-output models at the three densities, and linear ones beside them."""
    features = tg.features.Independent(5, importance=tg.features.geometric(0.9, 5))
    nets = {"ReluOutput": tg.nets.ReluOutput(5, 2), "Linear": tg.nets.Linear(5, 2)}
    sweep = {"density": [1.0, 0.2, 0.1]}
    return of_several_nets({name: tg.train(net, features, RECIPE[profile], sweep=sweep) for name, net in nets.items()})


def dedication(W: NDArray[np.floating]) -> dict[str, Any]:
    """The norms, and how far the directions of features 0 and 1 are from right angles."""
    return {"norms": tg.geometry.feature_norms(W), "|cos| of features 0 and 1": abs(tg.geometry.cosines(W)[0, 1])}


def pairing(W: NDArray[np.floating]) -> dict[str, Any]:
    """The norms, and of features 0 to 3 the cosines among one another: the lowest of each, and the other two in size."""
    norms, angles = tg.geometry.feature_norms(W), np.sort(tg.geometry.cosines(W)[:4, :4], axis=1)
    return {
        "norms of features 0 to 3": norms[:4],
        "norm of feature 4": norms[4],
        "cos with the partner": angles[:, 0],
        "|cos| with the others": abs(angles[:, 1:3]).max(),
    }


def spacing(W: NDArray[np.floating]) -> dict[str, Any]:
    """The norms, the gaps between neighbours around the circle, and the largest overlap of two features."""
    overlaps = tg.geometry.gram(W)[np.triu_indices(5, 1)]
    return {"norms": tg.geometry.feature_norms(W), "gaps": tg.geometry.circle_gaps(W), "largest overlap": overlaps.max()}


TWO_DEDICATED = {"norms": near([1, 1, 0, 0, 0], 0.1), "|cos| of features 0 and 1": below(0.05)}
TWO_DIGONS = {
    "norms of features 0 to 3": at_least(0.5),
    "norm of feature 4": below(0.1),
    "cos with the partner": below(-0.98),
    "|cos| with the others": below(0.1),
}
PENTAGON = {"norms": at_least(0.5), "gaps": near(72, 8, "°"), "largest overlap": above(0.1)}


def claims(data: xr.Dataset) -> list[Claim]:
    """The three statements of the figure."""
    relu, linear = (data.sel(net=net) for net in ("ReluOutput", "Linear"))

    def linear_model(density: float) -> Models:
        return {"the linear model trained on the same data": tg.best(linear.sel(density=density)).W.values}

    def claim(
        name: str, density: float, statement: str, source: Source, measure: Measure, expect: dict[str, Expect], against: Models
    ) -> Claim:
        models = relu.sel(density=density)
        best = tg.best(models)
        loss = f"{float(best.loss):.5f} ± {float(best.loss_standard_error):.5f}"
        agreeing = sum(all_of(expect).holds(measure(W)) for W in models.W.values)
        return Claim(
            name,
            statement,
            source=source,
            how=f"columns of W of the model with the lowest loss at density {density:g}",
            measure=measure,
            expect=expect,
            of=best.W.values,
            against=against,
            evidence=best_of(models, f"loss on a common test set ({loss})").adding(f"{agreeing} have this form"),
            needs=8,
        )

    return [
        claim(
            "dense",
            1.0,
            "Without sparsity the two most important features get a dimension each and the others are not represented.",
            paper("Introduction", "The two most important features are given dedicated orthogonal dimensions"),
            dedication,
            TWO_DEDICATED,
            {"the same model before training": tg.best(relu.sel(density=1.0)).W_history.sel(step=0).values},
        ),
        claim(
            "digons",
            0.2,
            "At 80 % sparsity four features are stored as two antipodal pairs; the least important is not represented.",
            paper("Introduction", "The four most important features are represented as antipodal pairs"),
            pairing,
            TWO_DIGONS,
            linear_model(0.2) | {"the model of density 0.1": tg.best(relu.sel(density=0.1)).W.values},
        ),
        claim(
            "pentagon",
            0.1,
            "At 90 % sparsity all five features are stored as a pentagon, at the cost of some positive interference.",
            paper("Introduction", "All five features are embedded as a pentagon"),
            spacing,
            PENTAGON,
            linear_model(0.1),
        ),
    ]


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The best model at each density as arrows."""
    models = data.sel(net="ReluOutput")
    caption = (
        "Each arrow is a feature's direction in the two hidden dimensions (a column of W); yellow matters most. From left to "
        "right the features become sparser, and the model stores first two of them, then four as two opposite pairs, then "
        f"all five. Shown is the best of {models.sizes['seed']} models at each density, by loss, turned so that feature 0 "
        "points to the right."
    )
    return {"arrows": Figure(tg.figures.arrow_panels(tg.best(models), "density"), caption)}


experiment = Experiment(
    __name__,
    title="Five features in two dimensions: as they grow sparser, more of them fit",
    paper="Introduction, first figure (F01)",
    seconds={"quick": 4, "paper": 35},
    order=1,
)
