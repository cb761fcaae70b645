"""Pictures and films as files: as large, and in letters as large, as a slide, a column or a page needs.

    png, svg, pdf       one file for each picture, by kaleido and the Chromium of this machine
    gif, mp4            one for each picture that moves, by Pillow or ffmpeg besides

A picture is laid out in so many pixels across, in letters of 14 pixels: the fewer the pixels, the larger the letters beside it.
Buttons and sliders, which nobody can press in a file, are left out.

>>> look_for("slides").width, look_for("slides", width=500, size=20).size
(760, 20.0)
>>> frames = [go.Frame(data=[go.Scatter(x=[k], y=[k])], name=str(k)) for k in (1, 2)]
>>> moving = go.Figure(go.Scatter(x=[0], y=[0]), frames=frames)
>>> slider = {"steps": [{"method": "animate", "args": [[name]]} for name in ("1", "2")]}
>>> [list(moment.data[0].x) for moment in moments(moving.update_layout(sliders=[slider]))]
[[1], [2]]
"""

import asyncio
import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, final, get_args

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from tegum.errors import InvalidInputError, Problems
from tegum.progress import ProgressBar
from tegum.report.export import beside, required
from tegum.report.part import height_of, width_of
from tegum.runs import write_atomically

PictureFormat = Literal["png", "svg", "pdf"]
FilmFormat = Literal["gif", "mp4"]
Purpose = Literal["page", "slides", "column"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_SIZE, _FRAME_MS, _REST_MS = 14.0, 120, 1500
"""The size of letters in pixels; how long a moment of a film lasts, and the last one."""

_BELOW, _BUTTONS = 62, 40
"""The margin in pixels below a picture without its slider, and how much of that above it buttons take."""


@final
@dataclass(frozen=True)
class Look:
    """How pictures are drawn.

    Attributes:
        width: how many pixels across they are laid out in; more where their panels need more.
        scale: dots for each pixel, in png and films.
        font: the family of the letters; empty: that of the page.
        size: of the letters in pixels.
    """

    width: int = 1000
    scale: float = 2.0
    font: str = ""
    size: float = _SIZE


_LOOKS: dict[Purpose, Look] = {"page": Look(), "slides": Look(760, 1920 / 760), "column": Look(480, 3.0)}


def look_for(
    purpose: Purpose = "page",
    width: int | None = None,
    scale: float | None = None,
    font: str | None = None,
    size: float | None = None,
) -> Look:
    """The look for a purpose, with what is given in place of its own.

    Raises:
        InvalidInputError: for sizes that nobody could read.
    """
    with Problems() as problems:
        for name, value, least, most in (("width", width, 200, 5000), ("scale", scale, 0.2, 10), ("font-size", size, 4, 100)):
            if value is not None and not least <= value <= most:
                problems.add(f"--{name} is {value:g}", f"choose {least:g} to {most:g}")
    given = {"width": width, "scale": scale, "font": font, "size": None if size is None else float(size)}
    return replace(_LOOKS[purpose], **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


def export_pictures(
    pictures: Mapping[str, go.Figure],
    stem: Path,
    kind: PictureFormat,
    look: Look | None = None,
    browser: Callable[[str], str | None] = shutil.which,
) -> list[Path]:
    """Draws pictures as ``stem-NAME.kind``, 1000 pixels wide unless the look says otherwise; returns the files.

    Raises:
        InvalidInputError: where kaleido or a browser is missing, or a file cannot be written.
    """
    drawn = _drawn([still(picture) for picture in pictures.values()], kind, look or Look(), browser)
    written = [beside(stem, f"-{name}.{kind}") for name in pictures]
    for content, place in zip(drawn, written, strict=True):
        write_atomically(place, content)
    return written


def export_films(
    pictures: Mapping[str, go.Figure],
    stem: Path,
    kind: FilmFormat,
    look: Look | None = None,
    browser: Callable[[str], str | None] = shutil.which,
) -> list[Path]:
    """Films of those of the pictures that move, as ``stem-NAME.kind``; returns the files.

    Raises:
        InvalidInputError: where kaleido, a browser, Pillow (gif) or ffmpeg (mp4) is missing, or a file cannot be written.
    """
    found = {name: each for name, picture in pictures.items() if (each := moments(picture))}
    write = _gif if kind == "gif" else _mp4(browser)
    written = []
    for name, each in found.items():
        written.append(beside(stem, f"-{name}.{kind}"))
        write_atomically(written[-1], write(_drawn(each, "png", look or Look(scale=1.0), browser)))
    return written


def still(picture: go.Figure) -> go.Figure:
    """The picture without buttons and sliders, and without the room that was theirs; as ``player.js`` does it."""
    layout = picture.layout.to_plotly_json()
    sliders, menus = layout.pop("sliders", ()), layout.pop("updatemenus", ())
    top = layout.get("margin", {}).get("t", 0)
    above = min(_BUTTONS, top) if any(menu.get("y", 0) > 1 for menu in menus) else 0
    figure = go.Figure(picture.data, layout).update_layout(margin={"b": _BELOW} if sliders else {})
    if above:
        figure.update_layout(margin={"t": top - above})
    for note in figure.layout.annotations:
        if (note.yref, note.yanchor) == ("paper", "top") and note.yshift:  # hangs from the upper edge of the picture
            note.yshift -= above
    return figure


def moments(picture: go.Figure) -> list[go.Figure]:
    """The picture at each stop of its slider; none where it has no slider."""
    steps = picture.layout.sliders[0].steps if picture.layout.sliders else ()
    frames = {str(frame.name): frame for frame in picture.frames}
    found, now = [], still(picture)
    for step in steps:
        now = go.Figure(now)
        if step.method == "animate":
            frame = frames[str(step.args[0][0])]
            for number, trace in zip(frame.traces or range(len(frame.data)), frame.data, strict=True):
                now.data[number].update(trace.to_plotly_json())
        else:
            _restyle(now, step.args[0], step.args[1] if len(step.args) > 1 else range(len(now.data)))
        found.append(now)
    return found


def _restyle(picture: go.Figure, changes: Mapping[str, Sequence[Any]], traces: Sequence[int]) -> None:
    """Changes traces as plotly.js's ``restyle`` does: for each attribute a value for each trace, None to leave it."""
    for name, values in changes.items():
        for number, value in zip(traces, values, strict=True):
            if value is not None:
                picture.data[number].update({name: value})


def lettered(picture: go.Figure, look: Look) -> go.Figure:
    """The picture in the look's letters; margins, and what is written at a distance, grow with them."""
    factor, drawn = look.size / _SIZE, picture.to_plotly_json()

    def grown(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: grown(one, f"{key}.{name}") for name, one in value.items()}
        if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
            return [grown(one, key) for one in value]
        letters = key.lower().endswith("font.size") or key.endswith((".standoff", ".xshift", ".yshift"))
        return value * factor if (letters or ".margin." in key) and isinstance(value, int | float) else value

    drawn = grown(drawn, "")
    if look.font:
        drawn["layout"].setdefault("font", {})["family"] = look.font
    return go.Figure(drawn, skip_invalid=True)


def _drawn(pictures: Sequence[go.Figure], kind: str, look: Look, browser: Callable[[str], str | None]) -> list[bytes]:
    """Pictures as files in a format of kaleido's."""
    kaleido = required("kaleido", kind)
    found = next((path for name in BROWSERS if (path := browser(name))), None)
    if found is None:
        advice = "install Chromium (Debian: apt install chromium), or export csv, parquet or netcdf, which need none"
        raise InvalidInputError(f"there is no browser to draw {kind} pictures ({', '.join(BROWSERS)})", advice)
    with tempfile.TemporaryDirectory() as temporary:
        script = Path(temporary) / "plotly.min.js"
        script.write_text(get_plotlyjs(), encoding="utf-8")
        files = [Path(temporary) / f"{number}.{kind}" for number in range(len(pictures))]
        jobs = []
        for picture, file in zip(pictures, files, strict=True):
            size = {"width": max(look.width, width_of(picture)), "height": height_of(picture)}
            dots = look.scale if kind == "png" else 1
            plain = look.size == _SIZE and not look.font
            jobs.append(
                {
                    "fig": picture if plain else lettered(picture, look),
                    "path": file,
                    "opts": {"format": kind, "scale": dots, **size},
                }
            )
        settings = {"path": found, "plotlyjs": script, "mathjax": False}
        with ProgressBar(total=len(jobs), desc=f"drawing {kind}", unit="picture") as bar, ThreadPoolExecutor(1) as apart:
            # In a thread of its own, for a notebook has an event loop already.
            written = apart.submit(lambda: asyncio.run(_write(kaleido.Kaleido(**settings), jobs, bar)))
            try:
                written.result()
            except BaseException:
                jobs.clear()  # After Ctrl-C the picture under way is the last.
                raise
        return [file.read_bytes() for file in files]


async def _write(kaleido: Any, jobs: Sequence[dict[str, Any]], bar: ProgressBar) -> None:
    """Draws one picture after another in one browser."""
    async with kaleido:
        for job in jobs:
            await kaleido.write_fig_from_object([job], cancel_on_error=True)
            bar.update()


def _gif(pictures: Sequence[bytes]) -> bytes:
    """A film that begins again after a rest."""
    image = required("PIL.Image", "gif", "pillow")
    first, *rest = [image.open(io.BytesIO(each)).convert("RGB").quantize(128) for each in pictures]
    lasting, film = [*[_FRAME_MS] * len(rest), _REST_MS], io.BytesIO()
    first.save(film, "GIF", save_all=True, append_images=rest, duration=lasting, loop=0, optimize=True)
    return film.getvalue()


def _mp4(browser: Callable[[str], str | None]) -> Callable[[Sequence[bytes]], bytes]:
    """What makes a film with ffmpeg; an `InvalidInputError` where that is missing."""
    program = browser("ffmpeg")
    if program is None:
        raise InvalidInputError(
            "there is no ffmpeg, which writes mp4", "install it (Debian: apt install ffmpeg), or export gif"
        )

    def film(pictures: Sequence[bytes]) -> bytes:
        with tempfile.TemporaryDirectory() as temporary:
            for number, content in enumerate(pictures):
                (Path(temporary) / f"{number:04}.png").write_bytes(content)
            even = ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2,format=yuv420p"]
            place = f"{temporary}/film.mp4"
            command = [program, "-loglevel", "error", "-framerate", f"{1000 / _FRAME_MS:.3f}", "-i", f"{temporary}/%04d.png"]
            done = subprocess.run([*command, *even, place], capture_output=True, text=True, check=False)
            if done.returncode:
                raise InvalidInputError(f"ffmpeg cannot write mp4: {done.stderr.strip()[:200]}", "export gif")
            return Path(place).read_bytes()

    return film


KINDS: tuple[str, ...] = (*get_args(PictureFormat), *get_args(FilmFormat))
