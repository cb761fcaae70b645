"""Stack plots as data: rectangles that add up to the weights, shading where asked."""

import numpy as np
import xarray as xr

from tegum.figures import NeuronPanel, census_dots, stack_panels
from tegum.figures.stacks import rectangles


def test_rectangles_stand_on_each_other_on_their_side_of_the_axis() -> None:
    W = np.array([[1.0, -0.5, 0.25, -0.125], [0.0, 0.0, 2.0, 0.001]])
    parts = rectangles(W)
    assert list(zip(parts["neuron"], parts["feature"], strict=True)) == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 2)]
    assert parts["base"].tolist() == [0, 0, 1, -0.5, 0]
    assert parts["height"].tolist() == [1, -0.5, 0.25, -0.125, 2]
    assert rectangles(W, signed=False)["base"].tolist() == [0, 1, 1.5, 1.75, 0]


def test_panels_share_their_scale_and_shade_polysemantic_neurons() -> None:
    generator = np.random.default_rng(0)
    panels = {
        name: NeuronPanel(generator.normal(size=(4, 6)), np.array([True, False, True, False])) for name in ("a", "b", "c")
    }
    figure = stack_panels(panels, matrix=True)
    assert [trace.type for trace in figure.data] == ["heatmap", "bar"] * 3
    assert sum(shape.type == "rect" for shape in figure.layout.shapes) == 6
    ranges = {tuple(axis.range) for axis in figure.select_yaxes(row=2) if axis.range}
    assert len(ranges) == 1
    assert len(stack_panels(panels, colour="feature", signed=False, columns=1).data) == 3


def test_neurons_are_shown_in_readable_order() -> None:
    model = NeuronPanel(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([True, False])).sorted()
    assert model.weights.tolist() == [[1, 0], [0, 1]]
    assert model.polysemantic.tolist() == [False, True]


def test_the_census_has_every_fit() -> None:
    data = xr.Dataset(
        {
            "relative_loss": (("density", "seed"), np.arange(6.0).reshape(2, 3)),
            "kind": (("density", "seed"), np.array([["one", "two", "?"], ["one", "one", "?"]])),
            "built_loss": (("density", "kind_built"), np.ones((2, 2))),
        },
        {"density": [0.5, 0.1], "kind_built": ["one", "two"]},
    )
    figure = census_dots(data, ["one", "two"], "?", "exact minimum")
    assert [len(trace.x) for trace in figure.data] == [2, 3, 1, 2, 2]
    assert figure.data[-1].hovertemplate.startswith("two, exact minimum: ")
