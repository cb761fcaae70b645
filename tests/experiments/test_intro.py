"""The introduction figure end to end, as a user runs it; its checks fail where they must."""

import json
from pathlib import Path

import numpy as np
import pytest

from tegum.cli import run
from tegum.experiments.s1_introduction import intro
from tegum.runs import read_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results")
    assert run(["reproduce", "intro", "--out", str(out)]) == 0
    return out


def test_every_claim_held_with_a_control_that_failed(folder: Path) -> None:
    claims = json.loads((folder / "claims.json").read_text())
    assert [claim["claim"] for claim in claims] == ["dense", "digons", "pentagon"]
    for claim in claims:
        assert claim["verdict"] == "held", claim["measured"]
        assert not any(control["holds"] for control in claim["controls"])
        assert claim["unopposed"] == []
        assert claim["experiment"] == "intro"


def test_the_data_behind_the_picture_is_kept(folder: Path) -> None:
    data = read_dataset(folder / "data" / "intro.safetensors")
    assert data.W.sizes == {"net": 2, "density": 3, "seed": 16, "hidden": 2, "feature": 5}
    again = intro.claims(data)
    assert [claim.verdict for claim in again] == ["held"] * 3


def test_checks_know_their_shape_and_no_other(folder: Path) -> None:
    def turned(W: list[list[float]]) -> np.ndarray:
        c, s = np.cos(0.4), np.sin(0.4)
        return np.array([[c, -s], [s, c]]) @ np.array(W)

    angles = np.radians(72 * np.array([0, 2, 4, 1, 3]))
    shapes = {
        "dense": turned([[1, 0, 0.02, 0, 0], [0, 1, 0, 0.03, 0]]),
        "digons": turned([[1, 0, -1, 0, 0], [0, 1, 0, -1, 0.04]]),
        "pentagon": turned([list(1.1 * np.cos(angles)), list(1.1 * np.sin(angles))]),
    }
    claims = {claim.name: claim for claim in intro.claims(read_dataset(folder / "data" / "intro.safetensors"))}
    generator = np.random.default_rng(0)
    for name, claim in claims.items():
        for made_for, W in shapes.items():
            assert claim.applied_to(W).holds == (name == made_for)
        assert not any(claim.applied_to(generator.normal(size=(2, 5))).holds for _ in range(200))


def test_tolerances_are_numbers(folder: Path) -> None:
    bounds = {claim["claim"]: claim["bounds"] for claim in json.loads((folder / "claims.json").read_text())}
    assert bounds["digons"]["norms of features 0 to 3"]["low"] == 0.5
    assert bounds["pentagon"]["gaps"] == {"low": 64.0, "high": 80.0, "target": 72.0, "unit": "°"}
