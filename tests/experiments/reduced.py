"""Studies of reduced size: the code of an experiment with smaller constants."""

from types import ModuleType
from typing import Any

import pytest
import xarray as xr

from tegum.experiments import Figure


def reduced(experiment: ModuleType, **constants: Any) -> Any:
    """A fixture: the quick study with some constants of its module replaced, of those that differ by profile the quick one."""

    @pytest.fixture(scope="module")
    def data() -> xr.Dataset:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in constants.items():
                given = getattr(experiment, name)
                patch.setattr(experiment, name, {"quick": value} if isinstance(given, dict) and "quick" in given else value)
            return experiment.study("quick")

    return data


def panels_of(figure: Figure) -> int:
    """In how many panels something is drawn that says what it is."""
    return len({trace.xaxis for trace in figure.picture.data if trace.hovertemplate is not None})
