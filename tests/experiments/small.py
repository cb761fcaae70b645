"""An experiment that costs next to nothing, for tests of what is built around experiments."""

import numpy as np
import plotly.graph_objects as go
import xarray as xr

import tegum as tg
from tegum.claims import Claim, Control, Disagreement
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
    loss = f"{float(data['loss'].min()):.6f}"
    return [
        Claim(
            "a",
            "a statement with <b>marks</b>",
            "how",
            "1",
            "0.1",
            loss,
            True,
            "8 models",
            control=Control("noise", "3", np.bool_(False)),
        ),
        Claim("b", "another", "how", "1", "0.1", "2", False, "8 models", note="read this"),
        Claim("c", "a third", "how", "1", "0.1", "2", True, "1 model", enough=False),
        Claim(
            "d", "a fourth", "how", "2.5", "0.1", "2.5", True, "theory", disagreement=Disagreement("2.5", "2.41", "Rounded.")
        ),
    ]


experiment = Experiment(
    id="small",
    title="A small experiment",
    paper="Section 0, nothing (F00)",
    describe="What </script> is trained.",
    seconds={"quick": 1, "paper": 2},
    study=study,
    figures=figures,
    claims=claims,
)
