"""Five sparse features in two dimensions: first two are kept, then two pairs, then all five as a pentagon.

Paper: the figure of the introduction (F01).  ReLU-output models, n = 5, m = 2, importance 0.9^i, at densities 1, 0.2 and 0.1
(sparsity 0, 80 and 90 %).  The paper gives neither its importances nor its training: 0.9^i and AdamW at 1e-3 with decay 0.01
are those of the authors' notebook.  Every seed is kept; what is shown and judged is the best at each density by loss on a
common test set, with how many of the others agree.  Linear models and untrained ones are the negative controls.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import Claim, Source, best_of, paper, passes
from tegum.experiments import Experiment, Figure, Profile

QUICK = tg.Recipe(steps=10_000, seeds=16, record=("W",), record_steps=(0,))
RECIPE = {"quick": QUICK, "paper": QUICK.replaced(steps=30_000, seeds=64)}
ABSENT, PRESENT = 0.1, 0.5
Check = Callable[[NDArray[np.floating]], bool]


def study(profile: Profile) -> xr.Dataset:
    """ReLU-output models at the three densities, and linear ones beside them."""
    features = tg.features.Independent(5, importance=tg.features.geometric(0.9, 5))
    nets = {"ReluOutput": tg.nets.ReluOutput(5, 2), "Linear": tg.nets.Linear(5, 2)}
    runs = [tg.train(net, features, RECIPE[profile], sweep={"density": [1.0, 0.2, 0.1]}) for net in nets.values()]
    return xr.concat(runs, "net", combine_attrs="drop_conflicts", join="exact").assign_coords(net=list(nets))


def two_dedicated(W: NDArray[np.floating]) -> bool:
    """Features 0 and 1 alone are represented, with norm 1, at right angles."""
    norms, cosines = tg.geometry.feature_norms(W), tg.geometry.cosines(W)
    return bool((norms[2:] < ABSENT).all() and (abs(norms[:2] - 1) < 0.1).all() and abs(cosines[0, 1]) < 0.05)


def two_digons(W: NDArray[np.floating]) -> bool:
    """Features 0 to 3 form two antipodal pairs on axes at right angles; feature 4 is absent."""
    norms, cosines = tg.geometry.feature_norms(W), tg.geometry.cosines(W)[:4, :4]
    opposite = cosines < -0.98
    across = cosines[~opposite & ~np.eye(4, dtype=bool)]
    represented = norms[4] < ABSENT and (norms[:4] >= PRESENT).all()
    return bool(represented and (opposite.sum(axis=1) == 1).all() and (abs(across) < 0.1).all())


def pentagon(W: NDArray[np.floating]) -> bool:
    """All five features are represented, 72 +- 8 degrees apart, so that some overlap positively."""
    overlaps = tg.geometry.gram(W)[np.triu_indices(5, 1)]
    apart = abs(tg.geometry.circle_gaps(W) - 72)
    return bool((tg.geometry.feature_norms(W) >= PRESENT).all() and (apart < 8).all() and (overlaps > 0).any())


def shown(W: NDArray[np.floating]) -> str:
    """The norms and directions of a model, as a reader would compare them."""
    norms, angles = tg.geometry.feature_norms(W), tg.geometry.polar_angles(W)
    directions = (f"{angle:.0f}°" if norm >= ABSENT else "-" for angle, norm in zip(angles, norms, strict=True))
    return f"norms {', '.join(f'{norm:.2f}' for norm in norms)}; angles {', '.join(directions)}"


def claims(data: xr.Dataset) -> list[Claim]:
    """The three statements of the figure."""
    relu, linear = (data.sel(net=net) for net in ("ReluOutput", "Linear"))

    def claim(name: str, density: float, statement: str, check: Check, words: str, within: str, source: Source) -> Claim:
        models, expect = relu.sel(density=density), passes(check, words, within, shown)
        best = tg.best(models)
        against = {"the linear model trained on the same data": tg.best(linear.sel(density=density)).W.values}
        if check is two_dedicated:  # which linear models are, too
            against = {"the same model before training": best.W_history.sel(step=0).values}
        loss = f"{float(best.loss):.5f} ± {float(best.loss_standard_error):.5f}"
        agreeing = sum(expect.holds(W) for W in models.W.values)
        return Claim(
            name,
            statement,
            source=source,
            how=f"columns of W of the model with the lowest loss at density {density:g}",
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
            two_dedicated,
            "norms 1, 1, 0, 0, 0; features 0 and 1 at right angles",
            "norms ± 0.1, |cos| < 0.05",
            source=paper(
                "Introduction",
                "The two most important features are given dedicated orthogonal dimensions",
            ),
        ),
        claim(
            "digons",
            0.2,
            "At 80 % sparsity four features are stored as two antipodal pairs; the least important is not represented.",
            two_digons,
            "features 0 to 3 in two pairs at 180°, the axes at 90°; feature 4 absent",
            "cos < -0.98 within, |cos| < 0.1 across pairs; absent: norm < 0.1",
            source=paper("Introduction", "The four most important features are represented as antipodal pairs"),
        ),
        claim(
            "pentagon",
            0.1,
            "At 90 % sparsity all five features are stored as a pentagon, at the cost of some positive interference.",
            pentagon,
            "five features 72° apart",
            "gaps ± 8°, some overlap above 0",
            source=paper("Introduction", "All five features are embedded as a pentagon"),
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
