"""Feature graphs as networks: components apart, shapes in their colours, the same picture every time."""

import numpy as np
import pytest

from tegum.figures import network_panels, shape_shares
from tegum.figures.networks import component_layout
from tegum.figures.theme import SHAPE_COLOURS, kind_of, log_ticks
from tegum.geometry import feature_graph
from tests.oracle.polytopes import SHAPES, summed

W = summed([SHAPES["pentagon"], SHAPES["digon"], SHAPES["dropped"], SHAPES["tetrahedron"]])


def test_components_do_not_overlap_and_what_is_not_learned_is_not_drawn() -> None:
    graph = feature_graph(W)
    place = component_layout(graph.weights, graph.components)
    assert np.isnan(place[7]).all()
    ends = [place[members] for members in graph.components]
    for k, one in enumerate(ends):
        for other in ends[:k]:
            nearest = np.linalg.norm(one[:, None] - other, axis=2).min()
            assert nearest > 0.6
        assert np.linalg.norm(one[:, None] - one, axis=2)[np.triu_indices(len(one), 1)].min() > 0.3
    np.testing.assert_array_equal(place, component_layout(graph.weights, graph.components))


def test_nodes_have_the_colours_of_their_shapes() -> None:
    figure = network_panels({"a": W, "b": W[:, :5]}, columns=2)
    nodes = [trace for trace in figure.data if trace.mode == "markers"]
    assert [(trace.name, len(trace.x), trace.showlegend) for trace in nodes] == [
        ("tetrahedron", 4, True),
        ("digon", 2, True),
        ("pentagon", 5, True),
        ("pentagon", 5, False),
    ]
    assert all(trace.marker.color == SHAPE_COLOURS[trace.name] for trace in nodes)


def test_a_large_component_is_laid_out_by_forces() -> None:
    random = np.random.default_rng(0).normal(size=(3, 20))
    graph = feature_graph(random)
    place = component_layout(graph.weights, graph.components)
    drawn = place[graph.component >= 0]
    assert np.isfinite(drawn).all()
    assert np.ptp(drawn, axis=0).min() > 1


def test_shares_add_up_to_one() -> None:
    names = np.array([["digon", "digon", "not learned", "irregular (2 in 1)"], ["heptagon", "digon", "digon", "pentagon"]])
    figure = shape_shares([1.0, 5.0], {"training": names}, "x")
    np.testing.assert_allclose(np.sum([trace.y for trace in figure.data], axis=0), 1)
    assert {trace.name for trace in figure.data} == {"digon", "not learned", "irregular", "another shape", "pentagon"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("digon", "digon"), ("irregular (3 in 2)", "irregular"), ("5-simplex", "another shape"), ("not learned", "not learned")],
)
def test_kinds(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_short_logarithmic_axes_are_labelled() -> None:
    assert log_ticks(1, 10)["tickvals"][:7] == [1, 2, 3, 4, 5, 7, 10]
    assert log_ticks(0.1, 10)["ticktext"][:4] == ["0.1", "0.2", "0.5", "1"]
    assert log_ticks(0.001, 1) == {}
    assert log_ticks(0, 1) == {}
