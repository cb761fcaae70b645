"""The weight graph as data: an edge for each weight that counts, at the canonical scale, in readable order."""

import numpy as np

from tegum.figures import WeightGraph, weight_graphs
from tegum.figures.weight_graph import edges


def test_edges_are_the_weights_that_count() -> None:
    drawn = edges(np.array([[1.0, -0.5, 0.05], [0.0, 0.1, -1.0]]), least=0.1)
    found = set(
        zip(drawn["row"].tolist(), drawn["column"].tolist(), drawn["sign"].tolist(), drawn["width"].tolist(), strict=True)
    )
    assert found == {(0, 0, 1, 6), (0, 1, -1, 3), (1, 1, 1, 1), (1, 2, -1, 6)}
    assert len(edges(np.zeros((2, 2)), least=0.0)["row"]) == 0


def test_the_net_is_rescaled_and_sorted_before_it_is_drawn() -> None:
    graph = WeightGraph(
        np.array([[0.0, 4.0], [2.0, 0.0]]), np.array([[0.0, 0.5], [0.25, 0.0]]), np.array([True, False])
    ).settled()
    assert graph.W1.tolist() == [[1, 0], [0, 1]]
    assert graph.W2.tolist() == [[1, 0], [0, 1]]
    assert graph.marked.tolist() == [False, True]


def test_every_weight_that_counts_is_drawn_once() -> None:
    generator = np.random.default_rng(0)
    graph = WeightGraph(generator.normal(size=(4, 3)), generator.normal(size=(3, 4)), np.array([True, False, False, True]))
    figure = weight_graphs({"a": graph, "b": graph}, least=0.0)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert sum(len(trace.x) for trace in lines) == 2 * 4 * 24
    assert sum(bool(trace.showlegend) for trace in lines) == 2
    assert sum("markers" in trace.mode for trace in figure.data) == 6
