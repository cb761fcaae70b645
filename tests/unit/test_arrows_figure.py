"""Arrows are data: one trace for each feature, in the panel of its density."""

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

from tegum.errors import InvalidInputError
from tegum.figures import arrow_panels


def small_data() -> xr.Dataset:
    return xr.Dataset(
        {
            "W": (
                ("density", "hidden", "feature"),
                np.array([[[1, 0, 0.5], [0, 1, 0.5]], [[1, -1, 0], [0, 0, 1]]], dtype=np.float32),
            ),
            "feature_importance": (("density", "feature"), np.array([[1, 0.9, 0.8], [1, 0.9, 0.8]])),
        },
        {"density": [1.0, 0.1]},
        {"recipe": "{}", "net": "ReluOutput </script>"},
    )


def test_arrows_are_data() -> None:
    figure = arrow_panels(small_data(), "density", turn=False)
    arrows = [trace for trace in figure.data if (trace.name or "").startswith("feature")]
    assert len(arrows) == 6
    tips = {(trace.xaxis, trace.name): (trace.x[1], trace.y[1]) for trace in arrows}
    assert tips["x2", "feature 1"] == (-1, 0)
    assert [annotation.text for annotation in figure.layout.annotations] == [
        "density 1<br>sparsity 0 %",
        "density 0.1<br>sparsity 90 %",
    ]
    assert isinstance(figure, go.Figure)
    with pytest.raises(InvalidInputError, match="give a dataset with one model for each density"):
        arrow_panels(small_data().expand_dims(seed=2), "density")
