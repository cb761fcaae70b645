"""tegum: the laboratory for toy models of superposition.

    import tegum as tg
    data = tg.train(tg.nets.ReluOutput(5, 2), tg.features.Independent(5, density=0.1), tg.Recipe(seeds=8))

Parts load on first use, so that ``import tegum`` costs next to nothing.
"""

from tegum.loading import load_on_first_use

TYPE_CHECKING = False  # that of typing, which is not loaded: until the command line is, Ctrl-C leaves a traceback
if TYPE_CHECKING:
    from typing import Any

    from tegum import (
        attacks,
        claims,
        exact,
        experiments,
        features,
        figures,
        geometry,
        lab,
        maps,
        nets,
        posterior,
        runs,
        theory,
        training,
    )
    from tegum.counting import census
    from tegum.datasets import Status
    from tegum.errors import InvalidInputError
    from tegum.execution import executing
    from tegum.expected import expected_loss
    from tegum.interruption import Interrupted
    from tegum.provenance import tegum_version
    from tegum.recorded import features_of, with_features
    from tegum.report import show
    from tegum.runs import open, read_weights, write_state_dict  # noqa: A004

    __version__ = tegum_version()
    from tegum.selection import best
    from tegum.sweep import Axis
    from tegum.training import Recipe, train

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
    "posterior",
    "read_weights",
    "runs",
    "show",
    "theory",
    "train",
    "training",
    "with_features",
    "write_state_dict",
]


def __getattr__(name: str) -> "Any":
    if name == "__version__":
        from tegum.provenance import tegum_version

        return tegum_version()
    raise AttributeError(f"module 'tegum' has no attribute {name!r}")


load_on_first_use(__name__)
