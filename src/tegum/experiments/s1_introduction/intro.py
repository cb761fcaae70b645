"""Five sparse features in two dimensions: first two are kept, then two pairs, then all five as a pentagon.

Paper: the figure of the introduction (F01).  ReLU-output models, n = 5, m = 2, importance 0.9^i, at densities 1, 0.2 and 0.1
(sparsity 0, 80 and 90 %).  The paper gives neither its importances nor its training: 0.9^i and AdamW at 1e-3 with decay 0.01
are those of the authors' notebook.  Every seed is kept; what is shown and judged is the best at each density by loss on a
common test set, with how many of the others agree.  Linear models and untrained ones are the negative controls.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import tegum as tg
from tegum.claims import Claim, Expect, best_of, passes
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import arrow_panels

DENSITIES = [1.0, 0.2, 0.1]
SEEDS: dict[Profile, int] = {"quick": 16, "paper": 64}
STEPS: dict[Profile, int] = {"quick": 10_000, "paper": 30_000}
ABSENT, PRESENT = 0.1, 0.5


def study(profile: Profile) -> xr.Dataset:
    """ReLU-output models at the three densities, and linear ones beside them."""
    features = tg.features.Independent(5, importance=tg.features.geometric(0.9, 5))
    recipe = tg.Recipe(steps=STEPS[profile], seeds=SEEDS[profile], record=("W",), record_steps=(0,))
    nets = {"ReluOutput": tg.nets.ReluOutput(5, 2), "Linear": tg.nets.Linear(5, 2)}
    runs = [tg.train(net, features, recipe, sweep={"density": DENSITIES}) for net in nets.values()]
    return xr.concat(runs, "net", combine_attrs="drop_conflicts", join="exact").assign_coords(net=list(nets))


def two_dedicated(W: NDArray[np.floating]) -> bool:
    """Features 0 and 1 alone are represented, with norm 1, at right angles."""
    norms, cosines = tg.geometry.feature_norms(W), tg.geometry.cosines(W)
    return bool((norms[2:] < ABSENT).all() and (abs(norms[:2] - 1) < 0.1).all() and abs(cosines[0, 1]) < 0.05)


def two_digons(W: NDArray[np.floating]) -> bool:
    """Features 0 to 3 form two antipodal pairs on axes at right angles; feature 4 is absent."""
    norms, cosines = tg.geometry.feature_norms(W), tg.geometry.cosines(W)[:4, :4]
    if norms[4] >= ABSENT or (norms[:4] < PRESENT).any():
        return False
    opposite = cosines < -0.98
    across = ~opposite & ~np.eye(4, dtype=bool)
    return bool((opposite.sum(axis=1) == 1).all() and (abs(cosines[across]) < 0.1).all())


def pentagon(W: NDArray[np.floating]) -> bool:
    """All five features are represented, 72 +- 8 degrees apart, so that some overlap positively."""
    if (tg.geometry.feature_norms(W) < PRESENT).any():
        return False
    angles = np.sort(tg.geometry.polar_angles(W))
    gaps = np.diff(angles, append=angles[0] + 360)
    overlaps = tg.geometry.gram(W)[np.triu_indices(5, 1)]
    return bool((abs(gaps - 72) < 8).all() and (overlaps > 0).any())


def shown(W: NDArray[np.floating]) -> str:
    """The norms and directions of a model, as a reader would compare them."""
    norms = tg.geometry.feature_norms(W)
    angles = ", ".join(
        f"{angle:.0f}°" if norm >= ABSENT else "-" for angle, norm in zip(tg.geometry.polar_angles(W), norms, strict=True)
    )
    return f"norms {', '.join(f'{norm:.2f}' for norm in norms)}; angles {angles}"


def claims(data: xr.Dataset) -> list[Claim]:
    """The three statements of the figure."""

    def best(density: float, net: str = "ReluOutput") -> xr.Dataset:
        return tg.best(data.sel(density=density, net=net))

    def claim(name: str, density: float, statement: str, expect: Expect, against: dict[str, NDArray[np.floating]]) -> Claim:
        model, everyone = best(density), data.sel(density=density, net="ReluOutput")
        loss = f"{float(model.loss):.5f} ± {float(model.loss_standard_error):.5f}"
        agreeing = sum(expect.holds(W) for W in everyone.W.values)
        return Claim(
            name,
            statement,
            how=f"columns of W of the model with the lowest loss at density {density:g}",
            expect=expect,
            of=model.W.values,
            against=against,
            evidence=best_of(everyone, f"loss on a common test set ({loss})").adding(f"{agreeing} have this form"),
            needs=8,
        )

    linear = "the linear model trained on the same data"
    return [
        claim(
            "dense",
            1.0,
            "Without sparsity the two most important features get a dimension each and the others are not represented.",
            passes(
                two_dedicated,
                "norms 1, 1, 0, 0, 0; features 0 and 1 at right angles",
                "norms ± 0.1, |cos| < 0.05",
                shown,
            ),
            {"the same model before training": best(1.0).W_history.sel(step=0).values},
        ),
        claim(
            "digons",
            0.2,
            "At 80 % sparsity four features are stored as two antipodal pairs; the least important is not represented.",
            passes(
                two_digons,
                "features 0 to 3 in two pairs at 180°, the axes at 90°; feature 4 absent",
                "cos < -0.98 within, |cos| < 0.1 across pairs; absent: norm < 0.1",
                shown,
            ),
            {linear: best(0.2, "Linear").W.values},
        ),
        claim(
            "pentagon",
            0.1,
            "At 90 % sparsity all five features are stored as a pentagon, at the price of some positive interference.",
            passes(pentagon, "five features 72° apart", "gaps ± 8°, some overlap above 0", shown),
            {linear: best(0.1, "Linear").W.values},
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
    return {"arrows": Figure(arrow_panels(tg.best(models), "density"), caption)}


experiment = Experiment(
    __name__,
    title="Five features in two dimensions: as they grow sparser, more of them fit",
    paper="Introduction, first figure (F01)",
    seconds={"quick": 4, "paper": 35},
    order=1,
)
