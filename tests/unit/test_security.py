"""Nothing in a file is executed, nothing is asked of a network, nothing is written elsewhere, and markup stays text."""

import base64
import hashlib
import io
import json
import os
import pickle
import re
import socket
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

import tegum as tg
from tegum.cli import run
from tegum.report import Part, ResultFolder, read_pictures, write_page
from tegum.report.export import export_data
from tegum.report.part import write_part
from tegum.report.pictures import export_pictures
from tegum.report.shown import Shown
from tests.experiments import small

MARKUP = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"'&{{7*7}}"


class Runs:
    """What a pickle is made of that makes a folder when it is loaded."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.place),)


def hostile_files(folder: Path, mark: Path) -> list[Path]:
    """A pickle, an array of objects, and one inside an npz, that would each run code."""
    array = np.array([Runs(mark)], dtype=object)
    (folder / "a.pkl").write_bytes(pickle.dumps({"W": Runs(mark)}))
    (folder / "b.pkl").write_bytes(pickle.dumps({"W": np.ones((2, 3)), "more": [Runs(mark)]}, protocol=2))
    np.save(folder / "c.npy", array, allow_pickle=True)
    np.savez(folder / "d.npz", W=np.ones((2, 3)), x=array)
    return sorted(folder.glob("*.*"))


def test_no_pickle_is_executed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mark = tmp_path / "executed"
    for path in hostile_files(tmp_path, mark):
        for reader in (tg.read_weights, tg.open, tg.runs.read_dataset):
            with pytest.raises(tg.InvalidInputError):
                reader(path)
        for command in ("identify", "inspect", "exact-loss", "export", "train"):
            assert run([command, str(path)]) == 2
    assert not mark.exists()
    assert "Traceback" not in capsys.readouterr().err


def test_nothing_is_asked_of_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    folder = ResultFolder(tmp_path, pytest.fail)
    folder.part(small.experiment, "quick")
    write_page(folder.parts(), tmp_path)
    assert run(["list"]) == 0
    few = ["--steps", "2", "--set", "recipe.evaluation_samples=64", "--out", str(tmp_path / "t")]
    assert run(["train", "-n", "2", "-m", "1", *few]) == 0
    assert run(["export", str(tmp_path / "t")]) == 0
    assert (
        run(["inspect", str(tmp_path / "t" / "result.safetensors"), "--starts", "2", "--picture", str(tmp_path / "p.html")])
        == 0
    )


def everything(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file() or path.is_symlink()}


def test_names_with_dots_write_nothing_outside(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    data = xr.Dataset({"W": (("../../x", "/tmp/y"), np.ones((2, 3)))})
    np.savez(inside / "a.npz", **{"../../W": np.ones((2, 3))})
    for kind in ("csv", "parquet"):
        with pytest.raises(tg.InvalidInputError, match="plain names"):
            export_data(data, inside / "a", kind)  # type: ignore[arg-type]
    with pytest.raises(tg.InvalidInputError, match="plain names"):
        export_pictures({"../../x": go.Figure()}, inside / "a", "png")
    tg.read_weights(inside / "a.npz")
    for name in ("../x", "a/b", "/x", "..", "x\0"):
        assert run(["experiment", name, "--out", str(inside)]) == 2
    assert everything(tmp_path) == {inside / "a.npz"}


def test_a_link_in_the_folder_is_replaced_and_not_followed(tmp_path: Path) -> None:
    folder, outside = ResultFolder(tmp_path / "inside", pytest.fail), tmp_path / "precious"
    outside.write_text("precious")
    (tmp_path / "inside").mkdir()
    for name in ("index.html", "claims.json", "plotly.min.js", "lab.js", "lab.html"):
        (tmp_path / "inside" / name).symlink_to(outside)
    folder.part(small.experiment, "quick")
    write_page(folder.parts(), folder.path)
    assert outside.read_text() == "precious"
    assert not (folder.path / "index.html").is_symlink()


def hostile_part() -> Part:
    """A part of which every word is markup."""
    control = {"what": MARKUP, "measured": MARKUP, "holds": False, "value": 1}
    words = ("experiment", "claim", "statement", "section", "quote", "how", "expected", "tolerance", "measured", "evidence")
    claim: dict[str, Any] = dict.fromkeys((*words, "uncontrolled", "note"), MARKUP)
    claim |= {
        "source": "paper",
        "controls": [control],
        "verdict": "held",
        "value": 1,
        "bounds": {},
        "models": 1,
        "unopposed": [],
    }
    claim |= {"disagreement": dict.fromkeys(("paper", "exact", "why"), MARKUP)}
    made = dict.fromkeys(("net", "tegum", "commit", "python", "libraries", "machine", MARKUP), MARKUP)
    caption = {"name": MARKUP, "text": MARKUP, "height": 300, "width": 300, "lab": [{"title": MARKUP, "address": MARKUP}]}
    return Part("a", *[MARKUP] * 4, 1.0, made, [caption], [claim], "quick 1", "code")


class Tags(HTMLParser):
    """The elements of a page, and attributes that would run code or load something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.active: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.active += [name for name, value in attrs if name.startswith("on") or (name == "src" and "data:" not in str(value))]
        self.active += [str(value) for name, value in attrs if name == "href" and str(value).lower().startswith("javascript")]


def test_markup_is_text_on_the_page_and_in_the_ledger(tmp_path: Path) -> None:
    plain = write_page([], tmp_path).read_text()
    tags = Tags(write_page([hostile_part()], tmp_path).read_text())
    assert "img" not in tags.elements
    assert tags.elements.count("script") == Tags(plain).elements.count("script") == 1
    assert not tags.active
    assert "49" not in re.findall(r"\{?\{?(\d\d)\}?\}?", MARKUP.replace("7*7", ""))  # nothing evaluates the template
    assert json.loads((tmp_path / "claims.json").read_text())[0]["statement"] == MARKUP


def test_markup_is_text_in_figures_and_exported_files(tmp_path: Path) -> None:
    picture = go.Figure(go.Scatter(x=[1], y=[1], name=MARKUP), layout={"title": {"text": MARKUP}})
    write_part(hostile_part(), {MARKUP.replace("/", ""): picture}, tmp_path)
    script = (tmp_path / "figures" / "a.js").read_text()
    assert script.startswith("// digest")
    assert [line.partition("(")[0] for line in script.splitlines()[1:]] == ["tegum.receive"]
    assert next(iter(read_pictures(tmp_path, "a").values())).data[0].name == MARKUP
    np.savez(tmp_path / "w.npz", W=np.eye(2), b=np.zeros(2))
    name = "<b onclick=alert(1)>.html"
    assert (
        run(["inspect", str(tmp_path / "w.npz"), "--density", "0.1", "--starts", "2", "--picture", str(tmp_path / name)]) == 0
    )
    tags = Tags((tmp_path / name).read_text())
    assert "b" not in tags.elements
    assert not tags.active


def test_no_word_ends_a_script_or_hides_what_follows() -> None:
    hostile = "<!--<script></script>"
    record = tg.lab.Record("#v=1&n=2&m=1", clock=hostile, times=(0.0,), W="", b="")
    picture = go.Figure(go.Scatter(x=[1], y=[1], name=hostile))
    shown = Shown("a picture", [], [], {"a": picture}, {"a": ("", "")}, {})
    pages = [shown.html(), tg.lab.page(layout="small", more=hostile), tg.lab.page(record=record)]
    for text in pages:
        scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
        assert r"\u003c!--\u003cscript>\u003c/script>" in scripts[-1]
        assert not re.search("<!--|<script", scripts[-1])


@pytest.mark.parametrize("kind", ["results", "one dataset"])
def test_the_page_has_a_strict_content_policy(kind: str, tmp_path: Path) -> None:
    text = write_page([hostile_part()], tmp_path).read_text() if kind == "results" else tg.show({MARKUP: np.eye(2)}).html()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].replace("&#39;", "'").split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe-inline" not in rules["script-src"]
    assert not re.search(r"https?:|\*", policy[1])
    inline = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digests = [f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in inline]
    beside = ["'self'", "file:", "'unsafe-eval'"] if kind == "results" else []
    assert rules["script-src"].split() == digests + beside
    assert len(inline) == (1 if kind == "results" else 2)


def test_a_hand_made_part_that_lies_is_set_aside(tmp_path: Path) -> None:
    said: list[str] = []
    for change in ({"claims": [{}]}, {"claims": 5}, {"captions": [{"name": 1}]}, {"seconds": "x"}, {"id": None}, {"made": []}):
        part = tmp_path / "parts" / "a.json"
        write_part(hostile_part(), {}, tmp_path)
        record = json.loads(part.read_text())
        record["part"] |= change
        record["seal"] = tg.runs.UNSEALED
        part.write_bytes(tg.runs.sealed(json.dumps(record)))
        assert not ResultFolder(tmp_path, said.append).parts()
    assert len(said) == 6


def test_an_archive_of_many_zeros_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    np.savez_compressed(file := io.BytesIO(), W=np.zeros((2, 10**6)))
    content = bytearray(file.getvalue())
    at = content.find(b"PK\x01\x02") + 24  # the size that the directory states
    content[at : at + 4] = (2**32 - 2).to_bytes(4, "little")
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(tg.InvalidInputError, match="damaged"):
        tg.read_weights(tmp_path / "a.npz")
