"""A small picture of each figure function for the reference: of the paper's experiments, and of models trained in seconds."""

import io
from collections.abc import Callable
from pathlib import Path

import plotly.graph_objects as go
from exact_error import measured
from PIL import Image

import tegum as tg
from tegum.experiments import experiment_called
from tegum.report import ResultFolder, read_pictures
from tegum.report.pictures import Look, export_pictures

OF_EXPERIMENTS = {
    "arrow_overlay": ("one-density", "solutions"),
    "arrow_panels": ("intro", "arrows"),
    "branch_scatter": ("one-density", "losses"),
    "category_panels": ("phase-theory", "theory"),
    "census_dots": ("hidden-codes", "census"),
    "curve_panel": ("linear-forces", "forces"),
    "fraction_scatter": ("uniform-geometry", "dots-exact"),
    "gram_panels": ("local-bases", "gram"),
    "level_panels": ("energy-levels", "levels"),
    "level_slider": ("energy-levels", "slider"),
    "network_panels": ("uniform-geometry", "graphs-exact"),
    "path_slider": ("transformations", "flow"),
    "phase_panels": ("phase-n2m1", "phases"),
    "polytope_table": ("polytopes", "table"),
    "set_arrows": ("correlated-pairs", "arrows"),
    "shape_shares": ("uniform-geometry", "shares"),
    "stack_panels": ("hidden-codes", "neurons"),
    "strips": ("sweep-n20", "models"),
    "stuck_panels": ("phase-n2m1", "stuck"),
    "surface_panels": ("confused", "surfaces"),
    "vulnerability_panels": ("adversarial", "vulnerability"),
    "weight_graphs": ("absolute-small", "graph"),
}
"""Function to the experiment and its picture that it drew."""

_LOOK, _COLOURS, _HIGHEST = Look(width=760, scale=1.0), 96, 900


def of_small_models() -> dict[str, Callable[[], go.Figure]]:
    """Function to a picture of models that are trained, or searched, in seconds."""
    net, features = tg.nets.ReluOutput(5, 2), tg.features.Independent(5)
    recipe = tg.Recipe(steps=3000, seeds=16, record=("loss", "W", "b"), record_steps=30)
    data = tg.train(net, features, recipe, sweep={"density": [1.0, 0.2, 0.05]}, progress=False)
    densities = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    phases = tg.maps.phase_map(3, 2, densities, [0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0], seeds=4, progress=False)
    return {
        "arrow_film": lambda: tg.figures.arrow_film(data),
        "census_bars": lambda: tg.figures.census_bars(tg.census(data)),
        "dimensionality_histogram": lambda: tg.figures.dimensionality_histogram(data),
        "error_curves": lambda: tg.figures.error_curves(measured()),
        "geometry_map": lambda: tg.figures.geometry_map(phases),
        "loss_curves": lambda: tg.figures.loss_curves(data),
    }


def draw(results: ResultFolder, place: Path, make: bool = True) -> None:
    """Writes ``NAME.png`` for each figure function, of what lies in a folder of results, or is put there."""
    found = {name: picture() for name, picture in of_small_models().items()}
    for name, (experiment, figure) in OF_EXPERIMENTS.items():
        if make:
            results.part(experiment_called(experiment), "quick")
        found[name] = read_pictures(results.path, experiment)[figure]
    place.mkdir(exist_ok=True)
    for path in export_pictures(found, place / "figures", "png", _LOOK):
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            shown = image.convert("RGB").crop((0, 0, image.width, min(image.height, _HIGHEST)))
            shown.quantize(_COLOURS, dither=Image.Dither.NONE).save(place / path.name.removeprefix("figures-"), optimize=True)
        path.unlink()
