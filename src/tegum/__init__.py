"""tegum: the laboratory for toy models of superposition.

    import tegum as tg
    data = tg.train(tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1), tg.Recipe(seeds=8))

Parts load on first use, so that ``import tegum`` costs next to nothing.
"""

from importlib import import_module

TYPE_CHECKING = False  # that of typing, which is not loaded: until the command line is, Ctrl-C leaves a traceback
if TYPE_CHECKING:
    from typing import Any

    from tegum import attacks, claims, exact, experiments, features, figures, geometry, lab, maps, nets, runs, theory, training
    from tegum.counting import census
    from tegum.datasets import Status
    from tegum.errors import InvalidInputError
    from tegum.execution import executing
    from tegum.expected import expected_loss
    from tegum.interruption import Interrupted
    from tegum.provenance import tegum_version
    from tegum.recorded import features_of
    from tegum.report import show
    from tegum.runs import open, read_weights, write_state_dict  # noqa: A004

    __version__ = tegum_version()
    from tegum.selection import best
    from tegum.sweep import Axis
    from tegum.training.recipe import Recipe
    from tegum.training.train import train

__all__ = [
    "Axis",
    "Interrupted",
    "InvalidInputError",
    "Recipe",
    "Status",
    "attacks",
    "best",
    "census",
    "claims",
    "exact",
    "executing",
    "expected_loss",
    "experiments",
    "features",
    "features_of",
    "figures",
    "geometry",
    "lab",
    "maps",
    "nets",
    "open",
    "read_weights",
    "runs",
    "show",
    "theory",
    "train",
    "training",
    "write_state_dict",
]

_HOME = {
    "Interrupted": "tegum.interruption",
    "InvalidInputError": "tegum.errors",
    "Axis": "tegum.sweep",
    "Status": "tegum.datasets",
    "best": "tegum.selection",
    "census": "tegum.counting",
    "executing": "tegum.execution",
    "expected_loss": "tegum.expected",
    "features_of": "tegum.recorded",
    "open": "tegum.runs",
    "read_weights": "tegum.runs",
    "show": "tegum.report",
    "Recipe": "tegum.training",
    "train": "tegum.training",
    "write_state_dict": "tegum.runs",
}


def __getattr__(name: str) -> "Any":
    if name == "__version__":
        return import_module("tegum.provenance").tegum_version()
    if name not in __all__:
        raise AttributeError(f"module 'tegum' has no attribute {name!r}")
    try:
        value = getattr(import_module(_HOME[name]), name) if name in _HOME else import_module(f"tegum.{name}")
    except ImportError as error:
        if import_module("tegum.interruption").came_of_interruption(error):
            raise KeyboardInterrupt from error
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
