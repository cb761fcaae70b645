"""Command lines: every command, options with values that nobody should give, `--set` of every field, recipe files."""

import contextlib
import io
import os
import random
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

import tegum as tg
from tegum.cli import run
from tests.fuzz.calls import trained
from tests.fuzz.hostile import Attempt, Through

_SMALL = ["-n", "2", "-m", "1", "--steps", "2", "--set", "recipe.batch_size=64", "--set", "recipe.evaluation_samples=64"]
_NUMBERS = ("0", "-1", "1", "2", "3", "0.5", "1e3", "1e400", "-1e400", "nan", "inf", "1_0", "0x10", "1e-320", "², ", "٣")
_NUMBERS += (
    "2147483648",
    "9223372036854775808",
    "18446744073709551616",
    "99999999999999999999",
    "-99999999999999999999",
    "1" * 5000,
)
_WORDS = (
    "",
    " ",
    "a",
    "true",
    "None",
    "[]",
    "[1]",
    "[1,2]",
    "[[1],[1,2]]",
    "{}",
    "{a=1}",
    '"a"',
    "a=b",
    "--",
    "-",
    "=",
    ".",
    "..",
    "/",
    "*",
)
_WORDS += (
    "\udcff",
    "é",
    "a\nb",
    "../../x",
    "<b>",
    "%s",
    "{0}",
    "0.1,",
    ",",
    "0.1,,0.2",
    "0.1:",
    ":",
    "1:0",
    "0.1:1",
    "0.1,nan",
    "seed:0.1",
)
_WORDS += (
    "geometric:0.9",
    "geometric:",
    "geometric:nan",
    "geometric:1e308",
    "power_law:-1e308",
    "one_odd:-1",
    "a:1",
    "geometric",
    "1,2,3",
)
_WORDS += (
    "correlated:2",
    "correlated:0",
    "correlated:99999999999999999999",
    "anticorrelated:1",
    "exponential:0",
    "exponential:1e300",
    "2020-01-01",
)
VALUES = _NUMBERS + _WORDS
_OPTIONS = {
    "train": [
        "--net",
        "-n",
        "-m",
        "--density",
        "--sparsity",
        "--importance",
        "--seeds",
        "--steps",
        "--threads",
        "--out",
        "--set",
    ],
    "phase": ["-n", "-m", "--density", "--sparsity", "--importance", "--points", "--seeds", "--rounds", "--out", "--threads"],
    "exact-loss": [
        "--density",
        "--importance",
        "--sets",
        "--magnitudes",
        "--activation",
        "--array",
        "--bias",
        "--tol",
        "--out",
    ],
    "identify": ["--array", "--bias", "--rows", "--json"],
    "inspect": [
        "--density",
        "--importance",
        "--sets",
        "--magnitudes",
        "--starts",
        "--seconds",
        "--picture",
        "--array",
        "--bias",
    ],
    "export": ["--format", "--out", "--for", "--width", "--scale", "--font", "--font-size"],
    "report": ["--out"],
    "show": ["--out"],
    "reproduce": ["--profile", "--out"],
    "experiment": ["--out"],
    "list": ["--help", "--version"],
    "doctor": ["--json"],
}
_NET = ("n_features", "n_hidden", "bias", "hidden_bias", "family", "activation", "self", "a")
_FEATURES = (
    "n_features",
    "density",
    "importance",
    "magnitude",
    "signed",
    "distribution",
    "n_sets",
    "set_size",
    "n_active",
    "cls",
)
_FIELDS = [
    *(f"net.{name}" for name in _NET),
    *(f"features.{name}" for name in _FEATURES),
    *(f"recipe.{name}" for name in tg.Recipe.model_fields),
    *(
        f"sweep.{name}"
        for name in ("density", "importance", "learning_rate", "n_features", "seeds", "steps", "seed", "magnitude", "a")
    ),
    *("net", "a.b", "recipe.", ".steps", "recipe.steps.a", "recipe. steps ", "sweep.x.labels", "self.self"),
]


def lines(count: int, seed: int) -> Iterator[Attempt]:
    """One wrong thing in a line that is right without it, or two; each ends with 0, 1 or 2, and says why in one message."""
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        tg.runs.write_dataset(trained(), folder / "result.safetensors")
        np.savez(folder / "plain.npz", W=np.eye(3)[:2], b=np.zeros(3))
        np.savez(folder / "exact.npz", W=np.eye(2), b=np.zeros(2))
        np.savez(folder / "hostile.npz", W=np.full((2, 3), 1e200))
        (folder / "recipe.toml").write_text("[net]\nn_features = 2\nn_hidden = 1\n[recipe]\nsteps = 2\n")
        for _ in range(count):
            words = _line(generator, folder)
            yield f"tegum {' '.join(words)!r:.240}", partial(_run, words, folder)


def settings(count: int, seed: int) -> Iterator[Attempt]:
    """`tegum train` with one or two `--set` of any field to any value."""
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for _ in range(count):
            words = ["train", *_SMALL, "--out", str(folder / "t")]
            for _ in range(generator.choice((1, 1, 2))):
                words += ["--set", f"{generator.choice(_FIELDS)}={generator.choice(VALUES)}"]
            yield f"tegum {' '.join(words[-4:])!r:.240}", partial(_run, words, folder)


def _line(generator: random.Random, folder: Path) -> list[str]:
    command = generator.choice(list(_OPTIONS))
    names = ("result.safetensors", "plain.npz", "exact.npz", "hostile.npz", "recipe.toml", "none", "")
    models = [str(folder / name) for name in names]
    file = generator.choice(models)
    right = {
        "train": [*_SMALL, "--out", str(folder / "t")],
        "phase": ["-n", "2", "-m", "1", "--points", "2", "--seeds", "1", "--rounds", "0", "--out", str(folder / "p")],
        "exact-loss": [file],
        "identify": [file],
        "inspect": [file, "--starts", "2", "--seconds", "1"],
        "export": [generator.choice((file, str(folder)))],
        "report": [generator.choice((file, str(folder)))],
        "show": [generator.choice(("intro", file, "a"))],
        "reproduce": [generator.choice(("a", file, "intr", "./x.py"))],
        "experiment": [generator.choice(VALUES), "--out", str(folder)],
        "list": [],
        "doctor": ["--a"],
    }[command]
    if command in ("exact-loss", "inspect") and generator.random() < 0.5:
        right = [*right, "--density", "0.1"]
    words = [command, *right]
    for _ in range(generator.choice((1, 1, 2))):
        option = generator.choice(_OPTIONS[command])
        value = f"{generator.choice(_FIELDS)}={generator.choice(VALUES)}" if option == "--set" else generator.choice(VALUES)
        words += [option, str(folder / "o" / "x")] if option in ("--out", "--picture") and value else [option, value]
    if generator.random() < 0.1:
        words.insert(generator.randrange(len(words) + 1), generator.choice(VALUES))
    if command != "reproduce" and generator.random() < 0.05:  # without names it would run every experiment
        del words[generator.randrange(len(words))]
    return words


def _run(words: list[str], folder: Path) -> None:
    here, said, wrong = Path.cwd(), io.StringIO(), io.StringIO()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(wrong):
            code = run(words)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        os.chdir(here)
    if code == 130:
        raise KeyboardInterrupt
    if code not in (0, 1, 2) or "Traceback" in wrong.getvalue() or "this machine fails" in wrong.getvalue():
        raise Through(f"ends with {code}: {wrong.getvalue()[-300:]}")
    if code == 2:
        if not wrong.getvalue().strip():
            raise Through("ends with 2 and says nothing")
        raise tg.InvalidInputError(wrong.getvalue(), "")
