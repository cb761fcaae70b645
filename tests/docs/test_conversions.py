"""The lines of docs/conversions.md give the numbers that other programs report, on small files of their layouts.

Each twin is the other program's own arithmetic in its own layout, on samples that it draws: no line of it is tegum's.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

Array = NDArray[np.float64]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "conversions.md"
SECTIONS = {
    title: blocks
    for title, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    if (blocks := re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))
}
BATCHES, BATCH = 40, 4000
MADE = np.random.default_rng(7)


def weights(*shape: int) -> Array:
    return MADE.normal(size=shape) * 0.6


def relu(values: Array) -> Array:
    return np.maximum(values, 0)


def uniform_where(active: NDArray[np.bool_], rng: np.random.Generator) -> Array:
    return active * rng.random(active.shape)


def summed_over_instances(error: Array) -> float:
    """Of (batch, instance, feature): the mean over batch and features, summed over instances."""
    return float(error.mean(axis=(0, 2)).sum())


Twin = Callable[[np.random.Generator], float]


def notebook() -> Twin:
    W, b = weights(3, 5, 2), weights(3, 5) / 5
    np.savez("notebook.npz", W=W, b_final=b)

    def twin(rng: np.random.Generator) -> float:
        probability = (20.0 ** -np.linspace(0, 1, 3))[:, None]
        x = uniform_where(rng.random((BATCH, 3, 5)) <= probability, rng)
        y = relu(np.einsum("bih,ifh->bif", np.einsum("bif,ifh->bih", x, W), W) + b)
        return summed_over_instances(0.9 ** np.arange(5) * (abs(x) - y) ** 2) / 3

    return twin


def by_columns(x: Array, W: Array, b: Array) -> Array:
    """ReLU(W^T W x + b), for W (instance, hidden, feature)."""
    return relu(np.einsum("bih,ihf->bif", np.einsum("bif,ihf->bih", x, W), W) + b)


def arena() -> Twin:
    W, b = weights(3, 2, 5), weights(3, 5) / 5
    save_file({"W": W, "b_final": b}, "arena.pt")

    def twin(rng: np.random.Generator) -> float:
        x = uniform_where(rng.random((BATCH, 3, 5)) <= np.array([[0.3], [0.1], [0.02]]), rng)
        return summed_over_instances(np.array([1, 0.9, 0.8, 0.7, 0.6]) * (x - by_columns(x, W, b)) ** 2)

    return twin


def occhio() -> Twin:
    W, b = weights(2, 5), weights(5) / 5
    save_file({"W": W, "b": b}, "TiedLinearRelu_5x2.safetensors", metadata={"class": "TiedLinearRelu"})

    def twin(rng: np.random.Generator) -> float:
        x = (rng.random((BATCH, 5)) < 0.2) * -(1 / 4) * np.log(1 - rng.random((BATCH, 5)))
        return float(np.mean(np.sum((x - relu(x @ W.T @ W + b)) ** 2, axis=-1)))

    return twin


def tms_kit() -> Twin:
    W, b = weights(2, 2, 4), weights(2, 4) / 5
    save_file({"W": W, "b_final": b}, "tms_kit.pt")

    def twin(rng: np.random.Generator) -> float:
        present = rng.random((BATCH, 2, 2)) <= np.array([[0.3], [0.1]])
        x = uniform_where(np.repeat(present, 2, axis=2), rng)
        return summed_over_instances((x - by_columns(x, W, b)) ** 2)

    return twin


def spd() -> Twin:
    first, bias, hidden, last = weights(2, 5), weights(5) / 5, weights(2, 2), weights(5, 2)
    save_file({"linear1.weight": first, "linear2.weight": first.T.copy(), "linear2.bias": bias}, "tms.pth")
    untied = {"linear1.weight": first, "linear2.weight": last, "linear2.bias": bias, "hidden_layers.0.weight": hidden}
    save_file(untied, "tms_id.pth")

    def twin(rng: np.random.Generator) -> Any:
        x = uniform_where(rng.random((BATCH, 5)) < 0.05, rng)
        tied, other = relu(x @ first.T @ first + bias), relu(x @ first.T @ hidden.T @ last.T + bias)
        return np.array([((x - tied) ** 2).mean(), ((x - other) ** 2).mean()])

    return twin


def devinterp() -> Twin:
    embedding, bias = weights(2, 6), weights(6) / 5
    tied = {"embedding.weight": embedding, "unembedding.weight": embedding.T.copy(), "unembedding.bias": bias}
    save_file(tied, "toy_autoencoder.pt")

    def twin(rng: np.random.Generator) -> float:
        x = 1.0 * (rng.random((BATCH, 6)) < 1 - 0.9)
        return float(((x - relu(x @ embedding.T @ embedding + bias)) ** 2).mean())

    return twin


def wattenberg() -> Twin:
    def twin(rng: np.random.Generator) -> Any:
        x = uniform_where(rng.random((BATCH, 3)) < 0.1, rng)
        maps = (np.diag([1, 1, 0]), [0, 0, 0.05]), ([[1, 0, 0], [0, 1, -1], [0, -1, 1]], [0, 0, 0])
        return np.array([((x - relu(x @ np.transpose(G) + b)) ** 2 @ [1, 1, 3]).mean() for G, b in maps])

    return twin


def adonath() -> Twin:
    w, b = weights(3, 5, 2), weights(3, 5) / 5
    save_file({"w": w, "b_final": b, "losses": np.ones(10)}, "features-5-hidden-2-instances-3.safetensors")

    def twin(rng: np.random.Generator) -> float:
        x = uniform_where(rng.random((BATCH, 3, 5)) <= np.array([[1], [0.3], [0.1]]), rng)
        y = relu(np.einsum("bih,ifh->bif", np.einsum("bif,ifh->bih", x, w), w) + b)
        return summed_over_instances(np.array([1, 0.9, 0.8, 0.7, 0.6]) * (abs(x) - y) ** 2)

    return twin


def persian_rug() -> Twin:
    first, last, bias = weights(2, 5), weights(5, 2), weights(5) / 5
    save_file({"initial_layer.weight": first, "final_layer.weight": last, "final_layer.bias": bias}, "rug.pt")

    def twin(rng: np.random.Generator) -> float:
        x = uniform_where(rng.random((BATCH, 5)) < 0.1, rng)
        scale = np.arange(1.0, 6) ** (-0.5 / 2)
        return float(((relu(x @ first.T @ last.T + bias) * scale - x * scale) ** 2).mean())

    return twin


def one_hot() -> Twin:
    W, b = weights(6, 2), weights(6) / 5
    np.savez("one_hot.npz", W=W, b=b)
    x = np.eye(6)
    return lambda rng: float(((relu(x @ W @ W.T + b) - x) ** 2).mean())


PROJECTS: dict[str, Callable[[], Twin]] = {
    "The authors' notebook": notebook,
    "ARENA": arena,
    "occhio": occhio,
    "tms-kit": tms_kit,
    "SPD": spd,
    "devinterp": devinterp,
    "wattenberg": wattenberg,
    "adonath's JAX": adonath,
    "PersianRug": persian_rug,
    "One-hot vectors": one_hot,
}


def test_every_project_has_one_block_and_a_test() -> None:
    assert {title: len(blocks) for title, blocks in SECTIONS.items()} == dict.fromkeys(PROJECTS, 1)


@pytest.mark.parametrize("project", PROJECTS)
def test_the_number_is_the_one_that_the_other_program_reports(
    project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    twin = PROJECTS[project]()
    names: dict[str, Any] = {}
    exec(compile(SECTIONS[project][0], f"conversions.md, {project}", "exec"), names)
    ours = names["theirs"]
    ours = (ours, names["theirs_with_hidden_layer"]) if project == "SPD" else ours
    ours = (names["ignore_last"], ours) if project == "wattenberg" else ours
    rng = np.random.default_rng(1)
    batches = np.array([twin(rng) for _ in range(BATCHES)])
    mean, error = batches.mean(axis=0), batches.std(axis=0) / np.sqrt(BATCHES)
    assert (error < 0.04 * mean).all()  # a convention missed by a fifth would be seen
    assert (np.abs(np.array(ours, dtype=float) - mean) < 5 * error + 1e-12).all()


def test_closed_forms_of_the_theory_notebook() -> None:
    names: dict[str, Any] = {}
    exec(SECTIONS["wattenberg"][0], names)
    s, r = names["s"], names["r"]
    assert names["ignore_last"] == pytest.approx(r * (s / 3 - s**2 / 4), rel=1e-9)
    assert names["theirs"] == pytest.approx((1 + r) * s**2 / 6, rel=1e-9)
