"""Shapes are recognised whatever their position, size and noise, and nothing is recognised where there is none."""

from itertools import permutations, product

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from tegum.errors import InvalidInputError
from tegum.geometry import dimensionality, identification, identify, shape_names
from tegum.geometry.catalogue import catalogue, composite_name, plural, polygon, simplex
from tegum.geometry.graph import learned
from tegum.geometry.identification import THRESHOLDS
from tegum.geometry.matching import least_error, matched, procrustes_distances, root_mean_square
from tests.oracle.polytopes import SHAPES, summed
from tests.oracle.sums import BATTERY, EVERY, OF_THE_PAPER, random_sum, scrambled, with_noise


def names_found(W: np.ndarray) -> list[str]:
    return sorted(component.name for component in identify(W, rows=False).components)


@pytest.mark.parametrize("most_features", [12, 30, 60])
def test_sums_of_the_whole_catalogue_with_noise_of_five_percent(most_features: int) -> None:
    rng = np.random.default_rng(most_features)
    right = []
    for _ in range(300):
        W, names = random_sum(EVERY, rng, most_features)
        right.append(names_found(with_noise(W, 0.05, rng)) == names)
    assert np.mean(right) >= 0.99


def test_sums_of_the_papers_shapes_with_noise_of_five_percent_of_each_weight() -> None:
    rng = np.random.default_rng(1)
    right = []
    for _ in range(300):
        W, names = random_sum(OF_THE_PAPER, rng, 20)
        right.append(names_found(W + 0.05 * rng.normal(size=W.shape)) == names)
    assert np.mean(right) >= 0.99


@pytest.mark.parametrize(("noise", "least"), [(0.05, 1.0), (0.1, 0.996)])
def test_the_battery_of_66_shapes(noise: float, least: float) -> None:
    assert len(BATTERY) == 66
    rng, right = np.random.default_rng(0), []
    for parts, names in BATTERY.values():
        for _ in range(8):
            W = scrambled([part * rng.uniform(0.8, 1.2) for part in parts], rng, int(rng.integers(3)))
            right.append(names_found(rng.uniform(0.01, 100) * with_noise(W, noise, rng)) == names)
    assert np.mean(right) >= least


def test_the_battery_with_noise_in_each_weight() -> None:
    rng, right = np.random.default_rng(0), []
    for parts, names in BATTERY.values():
        for _ in range(2):
            W = scrambled([part * rng.uniform(0.8, 1.2) for part in parts], rng, int(rng.integers(3)))
            right.append(names_found(W + 0.05 * rng.normal(size=W.shape)) == names)
    assert all(right)


@pytest.mark.parametrize(("m", "noise"), [(200, 0.02), (100, 0.02), (20, 0.05)])
def test_many_digons_with_noise_in_each_weight(m: int, noise: float) -> None:
    rng = np.random.default_rng(0)
    W = np.concatenate([np.eye(m), -np.eye(m)], axis=1) + noise * rng.normal(size=(m, 2 * m))
    assert identify(W).label == f"{m} digons"


def test_more_digons_than_dimensions_have_their_name() -> None:
    """100 lines in 80 dimensions, evenly as in a tight frame: 200 features trained at density 0.05 form such digons."""
    waves = 2 * np.pi * np.arange(1, 41)[:, None] * np.arange(100) / 100
    lines = np.concatenate([np.cos(waves), np.sin(waves)]) / np.sqrt(40)
    found = identify(np.concatenate([lines, -lines], axis=1))
    assert found.label == "100 digons"
    assert found.components[0].outside == pytest.approx(2 * (100 / 80 - 1))


def test_what_overlaps_as_much_as_chance_is_no_shape() -> None:
    rng = np.random.default_rng(0)
    lines = rng.normal(size=(20, 100))
    found = identify(np.concatenate([lines, -lines], axis=1))
    assert not any(component.regular for component in found.components)


def test_a_feature_that_overlaps_a_little_with_everything_is_crowded() -> None:
    m = 300
    W = np.concatenate([np.eye(m), np.full((m, 1), m**-0.5)], axis=1)
    found = identify(W)
    assert found.label == f"{m} dedicated + crowded"
    assert not found.components[-1].regular
    assert found.components[-1].outside == pytest.approx(1)


@pytest.mark.parametrize("name", EVERY)
def test_every_shape_is_itself_exactly(name: str) -> None:
    component = identify(scrambled([EVERY[name]], np.random.default_rng(0), spare=2)).components[0]
    assert component.name == name
    assert component.fit_error < 1e-6
    assert component.dimensions == np.linalg.matrix_rank(EVERY[name], tol=1e-6)
    D = dimensionality(EVERY[name])
    assert component.dimensionality == pytest.approx(D.sum())
    assert (component.tightness > 1 - 1e-9) == (D.sum() > component.dimensions - 1e-9)


def test_a_shape_none_of_whose_angles_agree_is_not_near() -> None:
    cube = np.array(list(product((-1.0, 1.0), repeat=3))).T
    found = identify(cube)
    assert found.label == "irregular (8 in 3)"
    assert found.components[0].nearest is None


@pytest.mark.parametrize(("m", "n"), [(3, 10), (5, 20), (10, 20), (20, 80), (30, 60), (30, 400)])
def test_random_weights_are_irregular(m: int, n: int) -> None:
    rng = np.random.default_rng(n)
    for _ in range(40 if n < 400 else 3):
        found = identify(rng.normal(size=(m, n)), rows=False).components
        assert found
        assert not any(component.regular for component in found)
        assert all(np.isnan(component.fit_error) for component in found)


def test_a_shape_beside_what_is_none() -> None:
    rng = np.random.default_rng(0)
    W = with_noise(scrambled([rng.normal(size=(4, 12)), EVERY["pentagon"], EVERY["digon"]], rng), 0.02, rng)
    found = identify(W)
    assert found.label.startswith("pentagon + digon + irregular (")
    assert found.polytope is None
    assert set(found.names[found.components[0].features]) == {"pentagon"}


@pytest.mark.parametrize("name", ["triangle", "square", "pentagon", "tetrahedron"])
def test_rows_that_form_shapes_are_asked_about(name: str) -> None:
    W = np.stack([SHAPES[name].T * scale for scale in np.linspace(0.5, 1.2, 10)])
    label = identify(SHAPES[name]).label
    with pytest.raises(InvalidInputError, match="its rows form shapes where its columns form none: give rows=True if a row is"):
        shape_names(W)
    with pytest.raises(InvalidInputError, match="its rows form shapes where its columns form none"):
        identify(W[0].tolist())
    assert shape_names(W, rows=True).tolist() == [label] * 10
    assert identify(W[0], rows=True).label == label
    assert shape_names(W, rows=False).tolist() == [identify(W[0], rows=False).label] * 10
    named = xr.DataArray(W, dims=("instance", "feature", "hidden"))
    assert shape_names(named).values.tolist() == [label] * 10
    assert shape_names(xr.DataArray(W, dims=("instance", "hidden", "feature"))).dims == ("instance",)


@pytest.mark.parametrize("dims", [("feature", "hidden"), ("hidden", "feature"), ("feature", "x"), ("x", "feature")])
def test_rows_of_a_named_array_are_what_its_names_say(dims: tuple[str, str]) -> None:
    turned = dims[0] == "feature"
    pentagon = xr.DataArray(SHAPES["pentagon"].T if turned else SHAPES["pentagon"], dims=dims)
    for each in (pentagon, xr.Dataset({"W": pentagon})):
        assert identify(each, rows=turned).label == identify(each).label == "pentagon"
        assert shape_names(each, turned).item() == "pentagon"
        for function in (identify, shape_names):
            with pytest.raises(InvalidInputError, match=f"a {'row' if turned else 'column'} is a feature: leave rows out"):
                function(each, rows=not turned)


def test_fewer_features_than_dimensions_may_be() -> None:
    rng = np.random.default_rng(2)
    assert identify(np.eye(5)[:, :3]).label == "3 dedicated"
    assert identify(scrambled([SHAPES["pentagon"]], rng, spare=5)).label == "pentagon"


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), scale=st.floats(1e-3, 1e3))
def test_names_do_not_change_under_rotation_reflection_renumbering_and_scale(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    W, _ = random_sum(EVERY, rng, 15)
    W = with_noise(W, 0.03, rng)
    m, n = W.shape
    turn, order = np.linalg.qr(rng.normal(size=(m, m)))[0], rng.permutation(n)
    here, there = identify(W), identify(scale * turn @ W[:, order])
    assert there.label == here.label
    assert there.names.tolist() == here.names[order].tolist()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), m=st.integers(1, 5), n=st.integers(1, 9))
def test_components_share_out_the_learned_features_and_the_rank(seed: int, m: int, n: int) -> None:
    W = np.random.default_rng(seed).normal(size=(m, n))
    found = identify(W, rows=False)
    features = sorted(int(i) for component in found.components for i in component.features)
    assert features == np.flatnonzero(learned(W)).tolist()
    for component in found.components:
        assert component.dimensions <= min(m, len(component.features))
        assert 0 <= component.tightness <= 1 + 1e-9


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 100_000), noise=st.floats(0, 0.08))
def test_matching_finds_the_best_numbering(seed: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    template = rng.normal(size=(3, 6))
    template /= np.linalg.norm(template, axis=0)
    W = with_noise(scrambled([template], rng), noise, rng)
    U = W / np.linalg.norm(W, axis=0)
    every = (root_mean_square(procrustes_distances(U, template[:, list(order)])) for order in permutations(range(6)))
    assert root_mean_square(matched(U, template)) == pytest.approx(min(every), abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), k=st.integers(3, 12), m=st.integers(3, 6))
def test_the_bound_from_below_is_one(seed: int, k: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    U, template = rng.normal(size=(m, k)), rng.normal(size=(3, k))
    U, template = U / np.linalg.norm(U, axis=0), template / np.linalg.norm(template, axis=0)
    bound = least_error(np.linalg.svd(U, compute_uv=False), np.linalg.svd(template, compute_uv=False))
    assert bound <= root_mean_square(procrustes_distances(U, template)) + 1e-9


def test_simplices_and_polygons() -> None:
    for k in (2, 3, 5, 8):
        G = simplex(k).T @ simplex(k)
        np.testing.assert_allclose(G, (np.eye(k) * k - 1) / (k - 1), atol=1e-12)
    np.testing.assert_allclose(dimensionality(polygon(7)), 2 / 7)
    assert list(catalogue(2)) == ["digon", "parallel pair"]


@pytest.mark.parametrize("n", [2, 5, 40])
def test_components_at_every_threshold_are_those_of_single_linkage(n: int) -> None:
    generator = np.random.default_rng(n)
    for ties in (False, True):
        similar = generator.choice(THRESHOLDS, (n, n)) if ties else generator.random((n, n)) ** 6
        similar = np.maximum(similar, similar.T)
        np.fill_diagonal(similar, 0)
        tree = linkage(squareform(1 - similar, checks=False), "single")
        for threshold, labels in zip(THRESHOLDS, identification._labels(similar, THRESHOLDS), strict=True):
            twin = fcluster(tree, 1 - threshold, "distance")
            np.testing.assert_array_equal(labels[:, None] == labels, twin[:, None] == twin)


@pytest.mark.parametrize(
    ("parts", "label", "polytope", "D"),
    [
        (["digon", "digon"], "2 digons", "square", [1 / 2] * 4),
        (["digon"] * 3, "3 digons", "octahedron", [1 / 2] * 6),
        (["digon"] * 4, "4 digons", "4-dimensional cross-polytope", [1 / 2] * 8),
        (["triangle", "digon"], "triangle + digon", "triangular bipyramid", [2 / 3] * 3 + [1 / 2] * 2),
        (["pentagon", "digon"], "pentagon + digon", "pentagonal bipyramid", [2 / 5] * 5 + [1 / 2] * 2),
    ],
)
def test_tegum_products_fall_into_their_factors(parts: list[str], label: str, polytope: str, D: list[float]) -> None:
    W = summed([SHAPES[name] for name in parts])
    found = identify(W)
    assert (found.label, found.polytope) == (label, polytope)
    np.testing.assert_allclose(dimensionality(W), D)


def test_the_square_is_two_digons() -> None:
    assert identify(SHAPES["square"]).label == "2 digons"
    assert identify(polygon(3)).polytope == "triangle"
    assert composite_name(["pentagon", "pentagon"]) is None


def test_labels_of_a_batch() -> None:
    W = np.zeros((2, 3, 2, 5))
    W[0, 0, :, :5] = polygon(5)
    W[0, 1, :, 1:5] = SHAPES["square"]
    W[0, 2, :, :2] = np.eye(2)
    W[1, 0, 0, 3] = np.nan
    W[1, 1, 0, 3] = 0.9
    labels = shape_names(W)
    assert labels.tolist() == [["pentagon", "2 digons", "2 dedicated"], ["diverged", "dedicated", "nothing"]]
    assert shape_names(W[0, 0]).item() == "pentagon"
    assert shape_names(W.astype(np.float32)).tolist() == labels.tolist()
    assert identify(np.zeros((2, 3))).names.tolist() == ["not learned"] * 3


def test_plurals() -> None:
    named = [
        "dedicated",
        "crowded",
        "line of 3 (2 against 1)",
        "icosahedron",
        "24-cell",
        "triangle",
        "tetrahedron",
        "4-simplex",
        "square antiprism",
        "Thomson 12 in 3",
        "irregular (4 in 2)",
    ]
    assert [plural(name, 1) for name in named] == named
    assert [plural(name, 2) for name in named] == [
        "2 dedicated",
        "2 crowded",
        "2 lines of 3 (2 against 1)",
        "2 icosahedra",
        "2 24-cells",
        "2 triangles",
        "2 tetrahedra",
        "2 4-simplices",
        "2 square antiprisms",
        "2 Thomson 12 in 3",
        "2 irregular (4 in 2)",
    ]


def test_what_cannot_be_identified() -> None:
    with pytest.raises(InvalidInputError, match="shape_names takes"):
        identify(np.zeros((2, 2, 3)))
    with pytest.raises(InvalidInputError, match="a column for each feature"):
        shape_names(np.zeros(3))
    with pytest.raises(InvalidInputError, match="a model that diverged has no geometry"):
        identify(np.array([[1.0, np.inf]]))


@pytest.mark.parametrize("k", [32, 33, 40])
def test_lines_may_be_longer_than_other_shapes(k: int) -> None:
    assert identify(np.ones((1, k))).label == f"line of {k} (parallel)"
    assert identify(np.random.default_rng(k).normal(size=(2, k))).label.startswith("irregular (")
