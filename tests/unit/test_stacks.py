"""Stack plots as data: rectangles that add up to the weights, shading where asked."""

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.figures import NeuronPanel, census_dots, stack_panels
from tegum.figures.stacks import rectangles
from tegum.figures.theme import shades


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
    assert [trace.type for trace in figure.data] == ["heatmap", "bar"] * 3 + ["scatter"]
    assert figure.data[-1].marker.colorbar.title.text == "interference"
    assert sum(shape.x1 - shape.x0 for shape in figure.layout.shapes if shape.type == "rect") == 6
    together = {"a": NeuronPanel(generator.normal(size=(4, 6)), np.array([False, True, True, True]))}
    shapes = stack_panels(together).layout.shapes
    spans = [(shape.x0, shape.x1) for shape in shapes if shape.type == "rect"]
    assert sum(after - begins for begins, after in spans) == 3
    assert all(after < begins for (_, after), (begins, _) in pairwise(spans))
    ranges = {tuple(axis.range) for axis in figure.select_yaxes(row=2) if axis.range}
    assert len(ranges) == 1
    assert len(stack_panels(panels, colour="feature", signed=False, columns=1).data) == 4


def test_many_rectangles_are_a_few_outlines_with_the_same_edges_colours_and_words() -> None:
    W = np.random.default_rng(1).normal(size=(50, 50))
    model = NeuronPanel(W, np.zeros(50, bool)).sorted()
    parts = rectangles(model.weights)
    (*outlines, key) = stack_panels({"": model}).data
    assert key.marker.colorbar.title.text == "interference"
    assert len(outlines) <= 24
    assert {trace.fill for trace in outlines} == {"toself"}
    drawn = {}
    for trace in outlines:
        x, y, said = (
            np.array(trace.x).reshape(-1, 6),
            np.array(trace.y).reshape(-1, 6),
            np.array(trace.customdata).reshape(-1, 6, 4),
        )
        for left, right, bottom, top, words in zip(x[:, 0], x[:, 1], y[:, 0], y[:, 2], said[:, 0], strict=True):
            assert right - left == pytest.approx(0.88)
            drawn[int(words[0]), int(words[1])] = (left + 0.44, bottom, top - bottom, trace.fillcolor)
    assert len(drawn) == len(parts["neuron"])
    shade = np.clip(tg.geometry.interference(model.weights), 0, 1)
    for neuron, feature, height, base in zip(*(parts[name] for name in ("neuron", "feature", "height", "base")), strict=True):
        place = drawn[int(neuron), int(feature)]
        np.testing.assert_allclose(place[:3], [neuron, base, height], atol=2e-4)
        assert place[3] == shades("Inferno", np.round(shade[feature] / 1.15 * 23), 23)[0]


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
