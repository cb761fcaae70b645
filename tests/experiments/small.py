"""An experiment that costs next to nothing, for tests of what is built around experiments.

What </script> is trained.
"""

import numpy as np
import plotly.graph_objects as go
import xarray as xr

import tegum as tg
from tegum.claims import IDENTITY, OURS, Claim, Disagreement, Evidence, below, closed_form, every, near, paper
from tegum.experiments import Experiment, Figure, Profile
from tegum.figures import arrow_panels

RECIPE = tg.Recipe(steps=20, batch_size=64, seeds=8, evaluation_samples=640)
calls: list[str] = []


def study(profile: Profile) -> xr.Dataset:
    """Twenty steps of training."""
    calls.append(profile)
    return tg.train(tg.nets.ReluOutput(3, 2), tg.features.Independent(3), RECIPE, sweep={"density": [1.0, 0.5, 0.1]})


def figures(data: xr.Dataset) -> dict[str, Figure]:
    """The best models as arrows, and a space picture whose slider moves a point."""
    points = [go.Scatter3d(x=[k], y=[k], z=[k], mode="markers") for k in range(3)]
    space = go.Figure(points[:1], frames=[go.Frame(data=[point], name=str(k)) for k, point in enumerate(points)])
    steps = [{"method": "animate", "args": [[str(k)], {"mode": "immediate"}], "label": f"step {k}"} for k in range(3)]
    space.update_layout(sliders=[{"steps": steps}], height=400)
    return {
        "arrows": Figure(arrow_panels(tg.best(data), "density"), "a caption </script> & more"),
        "space": Figure(space, "a point that moves"),
    }


def claims(data: xr.Dataset) -> list[Claim]:
    """One claim of each verdict."""
    models = every(data.sel(density=1.0))
    loss = float(data["loss"].min())
    none = "it is for tests"
    said = paper("Nothing", "<i>less</i> is more")
    differ = Disagreement("2.5", "2.41", "Rounded.")
    return [
        Claim("a", "a <b>marked</b> statement", said, "how", below(1e3), loss, models, against={"noise": np.float64(3e3)}),
        Claim("b", "another", OURS, "how", near(1, 0.1), 2, models, uncontrolled=none, note="read this"),
        Claim("c", "a third", IDENTITY, "how", near(1, 0.1), 1, Evidence("1 model", 1), uncontrolled=none, needs=2),
        Claim("d", "a fourth", said, "how", near(2.5, 0.1), 2.5, closed_form(), uncontrolled=none, disagreement=differ),
    ]


experiment = Experiment(
    __name__,
    title="A small experiment",
    paper="Section 0, nothing (F00)",
    seconds={"quick": 1, "paper": 2},
)
