"""One progress display for many parts: it moves forward only, names the part, and says what the part is doing."""

import io
import sys

import pytest

from tegum.progress import Display, ProgressBar


def test_the_bars_of_the_parts_show_in_the_display(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    with Display([("first", 3.0), ("second", 1.0)], shown=True) as display:
        display.start("first")
        with ProgressBar(total=10, desc="compiling") as bar:
            bar.set_description("training", refresh=False)
            bar.update(4)
            assert bar.n == 4
        said: list[str] = []
        monkeypatch.setattr(display, "remark", said.append)
        assert list(ProgressBar(range(3), desc="comparing")) == [0, 1, 2]
        assert said == ["comparing 33 %", "comparing 67 %", "comparing 100 %"]
        display.say("a line")
        display.finish()
        display.start("second")
    assert capsys.readouterr().out == "a line\n"
    text = screen.getvalue()
    assert "first   0%" in text
    assert "75%" in text
    assert "second" in text


def test_a_bar_outside_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    with ProgressBar(total=10, desc="training", progress=True, delay=0) as bar:
        bar.update(10)
    assert "training: 100%" in screen.getvalue()


def test_nothing_is_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with Display([("first", 3.0)]) as display:
        display.start("first")
        display.finish()
    assert capsys.readouterr().err == ""


def test_a_bar_that_was_interrupted_while_it_was_made_goes_without_a_word() -> None:
    """Python prints what `__del__` raises: Ctrl-C in the constructor left a traceback once in five hundred times."""
    bar = ProgressBar.__new__(ProgressBar)
    bar.disable = False
    bar.__del__()
