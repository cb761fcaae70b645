"""The code matcher against hand-built nets in any order of neurons and features, and against random ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tegum.errors import InvalidInputError
from tegum.geometry.codes import BLOCK_CODES, CODES, FIVE_IN_THREE, THREE_IN_TWO, UNNAMED, code_of, hand_built, sign_pattern

ALONE = dict(zip(CODES, (5, 3, 2, 1, 0, 0), strict=True))
FEATURES = dict(zip(CODES, (5, 6, 7, 7, 8, 10), strict=True))


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(CODES), seed=st.integers(0, 10_000))
def test_every_code_is_named_in_any_order_and_under_noise(name: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    W = hand_built(name, 10) * generator.uniform(0.8, 1.2, 10)
    W = (W + generator.uniform(-0.05, 0.05, W.shape))[generator.permutation(5)][:, generator.permutation(10)]
    code = code_of(W)
    assert code.name == name
    assert code.inhibits
    assert (code.alone, code.features) == (ALONE[name], FEATURES[name])


def test_the_words_are_those_of_the_paper() -> None:
    words = {name: {frozenset(np.flatnonzero(word > 0)) for word in code.T} for name, code in BLOCK_CODES.items()}
    assert words["pairs"] == words["pairs"] | {frozenset({i, j}) for i in range(5) for j in range(i)}
    assert [len(words[name]) for name in CODES[1:]] == [3, 5, 6, 8, 10]
    eight = sorted(len(word - {0}) for word in words["eight in five"])
    assert eight == [1] * 4 + [3] * 4
    assert all((0 in word) == (len(word - {0}) == 1) for word in words["eight in five"])


def test_inhibition_is_told_apart_but_only_three_in_two_needs_it() -> None:
    for name in CODES:
        W = np.maximum(hand_built(name, 10), 0)
        expected = UNNAMED if name == THREE_IN_TWO else name
        assert code_of(W).name == expected
    assert not code_of(np.maximum(hand_built("eight in five", 10), 0)).inhibits


def test_near_misses_and_random_nets_are_refused() -> None:
    generator = np.random.default_rng(0)
    for name in CODES[3:]:
        W = hand_built(name, 10)
        W[:, -1 if name == "pairs" else 1] = W[:, 0]
        assert code_of(W).name == UNNAMED, name
    assert code_of(np.eye(5, 10) * ([1, 1, 1, 1, 0] + [0] * 5)).name == UNNAMED
    assert code_of(np.eye(6, 10)).name == UNNAMED
    named = [code_of(generator.normal(size=(5, 10))).name for _ in range(2000)]
    assert set(named) == {UNNAMED}
    sparse = [code_of(generator.normal(size=(5, 10)) * (generator.random((5, 10)) < 0.3)).name for _ in range(2000)]
    assert sum(name != UNNAMED for name in sparse) <= 5


def test_signs_and_blocks_of_a_small_net() -> None:
    W = np.array([[1.0, 0.1, 0.2, -0.4], [-0.31, 0.9, 0.2, 0.5], [0.0, -0.2, -0.1, 0.4]])
    assert sign_pattern(W).tolist() == [[1, 0, 0, -1], [-1, 1, 0, 1], [0, 0, 0, 1]]
    assert str(code_of(np.array([[1.0, 0, 0], [0, 1, -1], [0, 1, 1]]))) == "1 alone + 2 in 2"
    assert str(code_of(np.zeros((2, 2)))) == "nothing"
    assert str(code_of(-np.eye(2))) == "nothing"


def test_unknown_codes_and_too_few_features_are_told() -> None:
    with pytest.raises(InvalidInputError, match="seven in six"):
        hand_built("seven in six", 10)
    with pytest.raises(InvalidInputError, match="at least 10"):
        hand_built("pairs", 9)
    assert hand_built("all monosemantic", 5).shape == (5, 5)


@pytest.mark.parametrize("name", CODES)
def test_hand_built_features_have_norm_one_where_they_excite(name: str) -> None:
    W = np.maximum(hand_built(name, 10), 0)
    norms = np.linalg.norm(W, axis=0)
    assert np.allclose(norms[: FEATURES[name]], 1)
    assert not norms[FEATURES[name] :].any()
    assert name != FIVE_IN_THREE or len(np.unique(W[2:, 2:7] > 0, axis=1).T) == 5
