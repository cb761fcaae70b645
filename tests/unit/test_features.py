"""What distributions say of themselves: moments, blocks, curves, batches."""

from collections.abc import Iterator

import numpy as np
import pytest
from jaxtyping import config

from tegum.errors import InvalidInputError
from tegum.features import (
    AnticorrelatedSets,
    Blocks,
    Constant,
    CorrelatedSets,
    Exponential,
    Features,
    Independent,
    KSparse,
    Uniform,
    constant,
    geometric,
    one_odd,
    power_law,
)
from tests.oracle.distributions import distributions
from tests.oracle.families import label


def test_importance_curves() -> None:
    np.testing.assert_allclose(geometric(0.9, 3), [1, 0.9, 0.81])
    np.testing.assert_allclose(power_law(1, 4), [1, 1 / 2, 1 / 3, 1 / 4])
    np.testing.assert_allclose(one_odd([0.1, 10], 3), [[1, 1, 0.1], [1, 1, 10]])
    np.testing.assert_allclose(one_odd(2, 3, position=0), [2, 1, 1])
    np.testing.assert_allclose(constant(2, 3.0), [3, 3])
    with pytest.raises(InvalidInputError, match="position is 7"):
        one_odd(1.0, 3, position=7)
    with pytest.raises(InvalidInputError, match="n_features is 0"):
        geometric(0.9, 0)


@pytest.mark.parametrize("law", [Uniform(), Exponential(0.7), Constant(1.5)], ids=label)
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_magnitude_moments_are_those_of_the_quantiles(law: Uniform | Exponential | Constant, order: int) -> None:
    grid = (np.arange(2_000_000) + 0.5) / 2_000_000
    assert law.moment(order) == pytest.approx((law.quantile(grid) ** order).mean(), rel=1e-3)
    assert law.largest >= law.quantile(np.array([0.999])).max()


@pytest.mark.parametrize("features", distributions(), ids=label)
def test_moments_are_consistent(features: Features) -> None:
    np.testing.assert_allclose(np.diagonal(features.joint_density()), features.feature_density)
    np.testing.assert_allclose(np.diagonal(features.second_moment()), features.feature_density * features.magnitude.moment(2))
    assert np.linalg.eigvalsh(features.covariance()).min() > -1e-12


def test_blocks_say_which_features_exclude_each_other() -> None:
    blocks = AnticorrelatedSets(2, 2, density=[0.5, 0.25, 0.1, 0.2]).blocks()
    assert blocks.component_of_feature.tolist() == [0, 1, 2, 3]
    assert blocks.block_of_component.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(blocks.lower_edges(), [0, 0.5, 0, 0.1])
    sets = CorrelatedSets(2, 3, density=[0.1, 0.2]).blocks()
    assert sets.component_of_feature.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_allclose(sets.probability, [0.1, 0.2])
    with pytest.raises(InvalidInputError, match="KSparse has no independent blocks"):
        KSparse(4, 2).blocks()


def test_a_distribution_alone_is_one_in_a_batch() -> None:
    both = Independent(3, density=[[0.5], [0.1]], importance=[1, 2, 3])
    assert both.batch_shape == (2,)
    assert both.sample(50, 1).shape == (2, 50, 3)
    np.testing.assert_array_equal(both.sample(50, 1)[1], Independent(3, density=0.1).sample(50, 1))


def test_a_changed_copy_is_checked() -> None:
    features = CorrelatedSets(2, 2, density=0.1)
    assert features.replaced(density=0.3).feature_density.tolist() == [0.3] * 4
    with pytest.raises(InvalidInputError, match="has no field 'sparsity'"):
        features.replaced(sparsity=0.3)
    with pytest.raises(InvalidInputError, match="density is 3"):
        features.replaced(density=3)
    for name in ("cls", "self"):  # words that constructors use themselves
        with pytest.raises(InvalidInputError, match=f"Independent has no field '{name}'"):
            Independent(3, **{name: 1})


def test_distributions_cannot_be_changed_in_place() -> None:
    features = Independent(2, density=0.5)
    with pytest.raises(AttributeError):
        features.density = np.ones(2)  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        features.density[0] = 1.0


def test_distributions_show_what_they_are() -> None:
    assert repr(Independent(2, density=0.5)) == (
        "Independent(n_features=2, density=0.5, importance=1, magnitude=Uniform(), signed=False)"
    )


@pytest.mark.parametrize("size", [3, 6, 7, 600])
def test_densities_of_a_set_that_are_advised_are_taken(size: int) -> None:
    with pytest.raises(InvalidInputError, match="at most one member can be active") as caught:
        AnticorrelatedSets(1, size, density=1.2 / size)
    advised = float(str(caught.value).split()[-2])
    assert AnticorrelatedSets(1, size, density=advised).density.sum() == pytest.approx(1, abs=1e-3 * size / 10)


@pytest.fixture
def as_users_run() -> Iterator[None]:
    """Without the types that tests check beforehand."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.mark.parametrize(
    ("component", "block", "probability", "says"),
    [
        ([0, 1, 0, 1], [0, 1], [0.1, 0.1], r"component_of_feature is \[0, 1, 0, 1\]: count up from 0, what belongs"),
        ([0, 1, 2], [0, 1, 0], [0.1, 0.1, 0.1], r"block_of_component is \[0, 1, 0\]: count up from 0, what belongs"),
        ([1, 2], [0, 1], [0.1, 0.1], "count up from 0"),
        ([0, 2], [0, 0, 1], [0.1, 0.1, 0.1], "count up from 0"),
        ([[0]], [0], [0.1], "give a list of whole numbers"),
        ([0.0, 1.0], [0, 1], [0.1, 0.1], "component_of_feature is no array of whole numbers"),
        ([0, 1], [0], [0.1], "there are 2 components and the blocks of 1"),
        ([0, 1], [0, 1], [0.1, 0.1, 0.1], r"probability has shape \(3,\): give one for each component, \(..., 2\)"),
        ([0, 1], [0, 1], [0.1, -0.1], "the probability of a component is -0.1"),
        ([0, 1], [0, 1], [0.1, np.nan], "the probability of a component is nan"),
        ([0, 1, 2], [0, 0, 1], [[0.1, 0.9, 1.0], [0.1, 0.95, 1.0]], "components sum to 1.05"),
    ],
)
@pytest.mark.usefixtures("as_users_run")
def test_blocks_that_are_not_as_they_say_are_refused(
    component: list[int], block: list[int], probability: list[float], says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says):
        Blocks(np.array(component), np.array(block), np.array(probability))


@pytest.mark.usefixtures("as_users_run")
def test_blocks_are_read_from_lists() -> None:
    blocks = Blocks([0, 1, 1], [0, 0], [0.5, 0.25])  # type: ignore[arg-type]
    np.testing.assert_array_equal(blocks.joint_density(), [[0.5, 0, 0], [0, 0.25, 0.25], [0, 0.25, 0.25]])
