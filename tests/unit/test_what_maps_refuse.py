"""Maps and theory refuse what they do not know, in words; plurals are words, too."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import tegum as tg
from tegum.datasets import many
from tegum.report.export import _plain
from tegum.theory.candidates import simplex_loss
from tegum.theory.compressed_sensing import recovery_rate

FEATURES = tg.features.Independent(3, density=0.1)


@pytest.mark.parametrize(
    ("name", "plural"),
    [
        ("density", "densities"),
        ("attack_size", "attack sizes"),
        ("loss", "losses"),
        ("steps", "steps"),
        ("warmup_steps", "warmup steps"),
        ("betas", "betas"),
        ("axis", "axes"),
        ("bias", "biases"),
        ("status", "statuses"),
        ("seed", "seeds"),
    ],
)
def test_plurals(name: str, plural: str) -> None:
    assert many(name) == plural


def test_nets_without_a_single_matrix_have_no_map_of_lowest_minima() -> None:
    for net, other in ((tg.nets.Untied(3, 2), "W1"), (tg.nets.UntiedNeurons(3, 2), "W1")):
        with pytest.raises(tg.InvalidInputError, match=f"with {other}: give one of W and b, ReluOutput or Linear"):
            tg.maps.lowest_minima(net, FEATURES, {"density": [0.1]}, seeds=1)


@pytest.mark.parametrize("densities", [[], [0.5, 0.5]])
def test_three_ways_go_from_each_density_once(densities: list[float]) -> None:
    with pytest.raises(tg.InvalidInputError, match=r"densities is .*: give one at least, each once"):
        tg.maps.three_ways(tg.nets.ReluOutput(3, 2), FEATURES, densities, tg.Recipe(steps=1))


def test_the_extra_feature_is_found_by_name() -> None:
    data = xr.Dataset({"W": (("a", "b"), np.eye(2)), "loss": ((), 1.0)})
    with pytest.raises(tg.InvalidInputError, match=r"W of data has dimensions .*: give \(..., hidden, feature\)"):
        tg.maps.extra_feature(data)


def test_sizes_and_decoders_that_there_are_not() -> None:
    with pytest.raises(tg.InvalidInputError, match="a simplex of 1000000 features would need 8,000 GB"):
        simplex_loss(10**6, 0.1)
    with pytest.raises(tg.InvalidInputError, match=r"2 mistakes:\n  decoder is 'xyz': choose among denoiser.*\n  samples is 0"):
        recovery_rate(4, 2, 1, 0, 0, decoder="xyz")  # type: ignore[arg-type]


def test_the_first_feature_of_a_tree_has_no_parent_and_parents_are_whole_numbers() -> None:
    with pytest.raises(tg.InvalidInputError, match="the parent of feature 0 is 0: choose None: there is none before it"):
        tg.features.tree([0], 0.5)
    with pytest.raises(tg.InvalidInputError, match="give several of a whole number or None"):
        tg.features.tree([None, 0.5], 0.5)  # type: ignore[list-item]


def test_a_law_of_ones_own_that_cannot_be_hashed_is_joined() -> None:
    @dataclass
    class Own(tg.features.Magnitude):
        high: float = 2.0

        def quantile(self, u: np.ndarray) -> np.ndarray:
            return self.high * u

        def moment(self, order: int) -> float:
            return self.high**order / (order + 1)

        @property
        def largest(self) -> float:
            return self.high

    own = tg.features.Independent(2, 0.1, magnitude=Own())
    assert tg.features.Joined([own, tg.features.Independent(1, 0.1, magnitude=Own())]).magnitude == Own()
    mixed = tg.features.Joined([own, tg.features.Independent(1, 0.1, magnitude=Own(3.0))])
    assert getattr(mixed, "magnitude", None) is None


def test_large_seeds_stay_apart_in_netcdf(tmp_path: Path) -> None:
    seeds = [2**60 + 1, 2**60 + 3, 5]
    data = _plain(xr.Dataset({"loss": ("seed", [1.0, 2.0, 3.0])}, {"seed": seeds, "step": [2**40]}))
    data.to_netcdf(tmp_path / "found.nc", format="NETCDF3_64BIT", engine="scipy")
    with xr.open_dataset(tmp_path / "found.nc", engine="scipy") as found:
        assert [int(str(one)) for one in found["seed"].values] == seeds
        assert found["step"].values.tolist() == [2**40]
