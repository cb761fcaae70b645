"""What every experiment must be, whoever wrote it: whole, drawn, and made of claims that can fail.

The experiments are found by their paths, so that a new file is checked without a word here.  Studies run at their smallest.
"""

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

import tegum as tg
from tegum.caching import Call, caching
from tegum.claims import OURS, Claim, Evidence, Expect, above, at_least, between, near, passes, share_at_least
from tegum.claims.words import recorded
from tegum.experiments import Figure, Profile, every_description, every_experiment, experiment_called, experiment_files
from tegum.experiments.discovery import code_files
from tegum.provenance import PACKAGE, science_version, source_files, tegum_version
from tegum.recorded import features_of, leading, said_net, written_net
from tegum.runs import write_dataset
from tests.contracts.smallest import smallest
from tests.contracts.sources import QUOTATIONS, claim_has_a_source
from tests.contracts.verdicts import recorded as recorded_verdicts
from tests.contracts.verdicts import with_verdict
from tests.contracts.wrong_values import is_finite, wrong_values

IDS = list(experiment_files())
HARDLY_TRAINED = {
    "sweep-n20": {"order: change", "order: the most important"}
    | {f"pairs-{density:g}: the most important are alone" for density in (0.3, 0.1)},
    "three-pairs": {"independent-trained: "},
    "hidden-codes": {"monosemantic-neurons: neurons alone"},
    "absolute-sweep": {"few-at-a-tenth: polysemantic neurons", "sparse-polysemantic: monosemantic"},
}
"""Parts of claims that 40 steps do not tell from their controls, because no feature, or every neuron, is as it is asked for."""
NUMBER = re.compile(r"(?<![\w.^])[-−]?\d[\d,]*\.?\d*(?:e[-+]?\d+)?")


def test_every_file_of_a_section_is_an_experiment_or_what_its_section_shares() -> None:
    folder = Path(importlib.import_module("tegum.experiments").__file__ or "").parent
    found = {path for path in folder.glob("*/*.py") if path.stem not in ("__init__", "shared")}
    assert found == set(experiment_files().values())
    assert not list(folder.glob("*/*/*.py"))
    assert len({experiment.id for experiment in every_experiment()}) == len(found)


def test_what_is_read_off_a_file_is_what_its_experiment_says() -> None:
    for said, experiment in zip(every_description(), every_experiment(), strict=True):
        for name in ("id", "file", "title", "paper", "seconds", "order", "describe"):
            assert getattr(said, name) == getattr(experiment, name), (experiment.id, name)


def test_experiments_of_a_section_stand_in_an_order() -> None:
    places = Counter((re.sub(r"^(s\d+).*", r"\1", each.file.parent.name), each.order) for each in every_experiment())
    assert [place for place, count in places.items() if count > 1] == []


@pytest.mark.parametrize("name", IDS)
def test_it_says_what_it_is(name: str) -> None:
    experiment = experiment_called(name)
    assert experiment.id == name
    assert len(experiment.describe.splitlines()) >= 3
    assert 10 < len(experiment.title) < 120
    assert set(experiment.seconds) == set(get_args(Profile))
    assert experiment.seconds["quick"] <= experiment.seconds["paper"]


@pytest.mark.parametrize("name", IDS)
def test_its_figures_are_data_and_its_claims_can_fail(name: str, tmp_path: Path) -> None:
    experiment = experiment_called(name)
    trained = []

    def hardly(call: Call) -> xr.Dataset:
        trained.append("recipe" in call.arguments)
        return smallest(call)

    with caching(hardly):
        data = experiment.study("quick")
    assert not data.attrs.get("interrupted", 0)
    assert data.attrs["tegum"] == tegum_version()
    its_models_are_what_its_file_says(data, tmp_path / f"{name}.safetensors")
    figures = experiment.figures(data)
    assert figures
    for title, figure in figures.items():
        figure_is_data(title, figure)
    claims = experiment.claims(data)
    assert len({claim.name for claim in claims}) == len(claims) > 0
    assert {claim.name for claim in claims} == set(recorded_verdicts()[name])
    assert [claim.name for claim in claims if claim.not_run] == with_verdict("not run", recorded_verdicts()[name])
    for claim in claims:
        claim_has_a_source(claim)
        if claim.of is not None:
            judged = replace(claim, not_run="")
            claim_can_fail(judged)
            controls_oppose_every_part(judged, HARDLY_TRAINED.get(name, set()), trained=any(trained))
            words_and_numbers_agree(judged, judged.as_record(name))


def test_the_errata_quote_from_the_list_and_all_of_it_is_quoted() -> None:
    errata = (Path(__file__).resolve().parents[2] / "docs" / "errata.md").read_text(encoding="utf-8")
    listed = {quote for section in QUOTATIONS.values() for quotes in section.values() for quote in quotes}
    quoted = set(re.findall("“([^”]*)”", errata))
    assert quoted <= listed, quoted - listed
    claims = "".join(path.read_text(encoding="utf-8") for path in experiment_files().values())
    shared = "".join(path.read_text(encoding="utf-8") for path in every_experiment()[0].file.parents[1].glob("*/shared.py"))
    assert [quote for quote in listed - quoted if quote not in claims + shared] == []


def its_models_are_what_its_file_says(data: xr.Dataset, path: Path) -> None:
    """Weights that are read from its file as models have their b, net and features, and the losses that stand beside them."""
    write_dataset(data, path)
    try:
        models = tg.read_weights(path)
    except tg.InvalidInputError:  # of nets of many kinds or sizes, or of none
        return
    for one in [models.sel(net=label) for label in models["net"].values] if "net" in models.dims else [models]:
        net = written_net(said_net(one))
        assert "b" in one
        assert np.isfinite(one[next(name for name in ("W", "W1") if name in one)]).all()
        if "features" not in one.attrs:
            continue
        features_of(one)
        assert net is not None
        if net.hidden_relu or net.absolute_target or "loss" not in one or set(one["loss"].dims) != set(leading(one)):
            continue
        error = 6 * one["loss_standard_error"] if "loss_standard_error" in one else 0.0
        assert (abs(tg.exact.loss(one) - one["loss"]) <= error + 1e-4 * one["loss"]).all()


def figure_is_data(title: str, figure: Figure) -> None:
    """A picture with something drawn in it, and a caption that says more than its title."""
    assert re.fullmatch(r"[a-z0-9-]+( [a-z0-9-]+)*", title)
    assert isinstance(figure.picture, go.Figure)
    assert len(figure.picture.data) > 0
    assert len(figure.caption) > 40


def claim_can_fail(claim: Claim) -> None:
    """It has controls or says why not, and each of its expectations refuses some finite value of the kind that was measured."""
    assert claim.against or claim.uncontrolled, claim.name
    assert claim.found is not None
    each = claim.expect if isinstance(claim.expect, Mapping) else {"": claim.expect}
    for part, expect in each.items():
        value = claim.found.value[part] if part else claim.found.value
        assert any(_fails(expect, wrong) for wrong in wrong_values(value) if is_finite(wrong)), (
            f"{claim.name} {part}: {value!r}"
        )


def controls_oppose_every_part(claim: Claim, hardly_trained: set[str], trained: bool) -> None:
    """Every part fails on some control; where models were hardly trained it may be that a control only has another value."""
    assert claim.found is not None
    for part in claim.unopposed:
        values = [recorded(each.value[part] if part else each.value) for each in (claim.found, *claim.controls)]
        differs = trained and any(value != values[0] for value in values[1:])
        assert differs or f"{claim.name}: {part}" in hardly_trained, f"{claim.name}: no control fails in {part or 'it'!r}"


@pytest.mark.parametrize(
    ("expect", "value"),
    [
        (at_least(-1e300), 0.5),
        (between(-1e300, 1e300), xr.DataArray([0.5, 0.7], dims="density")),
        (near(0, 1e300), np.array([])),
        (share_at_least(0), [True, False]),
        (passes(lambda value: not np.isnan(value), "any number"), 3.0),
    ],
)
def test_a_claim_that_every_number_meets_cannot_fail(expect: Expect, value: Any) -> None:
    claim = Claim("c", "statement", OURS, "how", expect, value, Evidence("8 models", 8), uncontrolled="it is for tests")
    with pytest.raises(AssertionError):
        claim_can_fail(claim)


def test_a_part_that_no_control_opposes_is_found() -> None:
    claim = Claim(
        "c",
        "statement",
        OURS,
        "how",
        {"gap": above(0), "count": at_least(3)},
        {"gap": 1.0, "count": 3},
        Evidence("8 models", 8),
        against={"no gap": {"gap": 0.0, "count": 3}},
    )
    with pytest.raises(AssertionError, match="no control fails in 'count'"):
        controls_oppose_every_part(claim, set(), trained=True)
    controls_oppose_every_part(claim, {"c: count"}, trained=True)


def _fails(expect: Expect, value: Any) -> bool:
    """Whether a check refuses a value; one that it cannot be asked of is no answer."""
    try:
        with np.errstate(all="ignore"):
            return not expect.holds(value)
    except (TypeError, ValueError, IndexError, AttributeError, KeyError, ZeroDivisionError):
        return False


def words_and_numbers_agree(claim: Claim, record: dict[str, Any]) -> None:
    """Every number in the words of a value is one of its numbers, rounded; a predicate may show its value as it likes."""
    json.dumps(record, allow_nan=False)
    each = claim.expect if isinstance(claim.expect, Mapping) else {"": claim.expect}
    for measured in (claim.found, *claim.controls):
        assert measured is not None
        for part, expect in each.items():
            value = measured.value[part] if part else measured.value
            if not expect.says_itself:
                numbers = list(_numbers([recorded(value), _labels(value), _deviation(value, expect)]))
                for text in NUMBER.findall(words := expect.shown(value)):
                    assert _is_rounded(text, numbers), f"{claim.name}: {text} of {words!r} is not in {value}"


def _labels(value: Any) -> list[Any]:
    """The labels that the words put beside entries."""
    return [recorded(value[dim].values) for dim in value.indexes] if isinstance(value, xr.DataArray) else []


def _deviation(value: Any, expect: Expect) -> list[float]:
    """How far a value is from its target, which is what the words say where that is tiny."""
    if "target" not in expect.bounds or np.asarray(value).dtype.kind not in "biuf" or not np.size(value):
        return []
    off = np.abs(np.asarray(value, dtype=np.float64) - np.asarray(expect.bounds["target"]))
    return [float(off.max())]


def _numbers(value: Any) -> Any:
    """Every number in a value, also those in its words, and the counts and shares that words are made of."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield float(value)
    elif isinstance(value, str):
        yield from (_parsed(text) for text in NUMBER.findall(value))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(str(key))
            yield from _numbers(item)
    elif isinstance(value, list):
        yield float(len(value))
        if value and all(isinstance(item, bool) for item in value):
            yield sum(value) / len(value)
        for item in value:
            yield from _numbers(item)


def _parsed(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def _is_rounded(text: str, numbers: list[float]) -> bool:
    mantissa = text.lower().partition("e")[0]
    exponent = int(text.lower().partition("e")[2] or 0)
    tolerance = 0.51 * 10.0 ** (exponent - len(mantissa.partition(".")[2]))
    shown = _parsed(text)
    return any(abs(shown - scale * number) <= tolerance for number in numbers for scale in (1, 100))


def test_the_code_version_covers_every_file_that_is_loaded() -> None:
    code = """
import importlib, json, sys
from tegum.experiments import experiment_files

def sections():
    return {name: str(module.__file__) for name, module in sys.modules.items() if name.startswith("tegum.experiments.")}

ground, found = set(sections()), {}
for name, path in experiment_files().items():
    for loaded in set(sections()) - ground:
        del sys.modules[loaded]
    importlib.import_module(f"tegum.experiments.{path.parent.name}.{path.stem}")
    found[name] = [file for module, file in sections().items() if module not in ground]
print(json.dumps(found))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name, loaded in json.loads(done.stdout).items():
        assert set(loaded) <= {str(path) for path in code_files(experiment_called(name))}, name


def test_versions_cover_the_data_that_code_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {path.name for path in inside - set(source_files(PACKAGE))} == {"py.typed"}
    shutil.copytree(PACKAGE, tmp_path / "tegum", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("tegum.provenance.PACKAGE", tmp_path / "tegum")
    before = science_version.__wrapped__()
    (tmp_path / "tegum" / "geometry" / "thomson.json").write_text("{}")
    assert science_version.__wrapped__() != before


def test_adding_an_experiment_is_one_file(tmp_path: Path) -> None:
    package = Path(importlib.import_module("tegum").__file__ or "").parent
    shutil.copytree(package, tmp_path / "tegum", ignore=shutil.ignore_patterns("__pycache__"))
    section = tmp_path / "tegum" / "experiments" / "s1_introduction"
    (section / "once_more.py").write_text((section / "intro.py").read_text().replace("order=1", "order=2"))
    code = """
from tegum.cli import run
from tegum.experiments import code_version, every_experiment, experiment_called
assert [each.id for each in every_experiment()][:2] == ["intro", "once-more"]
assert code_version(experiment_called("once-more")) != code_version(experiment_called("intro"))
raise SystemExit(run(["show", "once-more"]))
"""
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("once-more: Five features")
