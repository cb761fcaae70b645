"""`tegum reproduce`, `tegum report` and `tegum export`: a folder of results, made, looked at again and handed on."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from cyclopts import Parameter

from tegum.cli.elsewhere import Where
from tegum.cli.output import at_paper_sizes, duration, say, say_interrupted, say_verdicts
from tegum.cli.pages import make_room
from tegum.errors import InvalidInputError, PiecesFailed, Problems
from tegum.execution import Elsewhere
from tegum.experiments import (
    Experiment,
    Profile,
    every_description,
    experiment_called,
    experiments_called,
    faults_of,
    heading_of,
)
from tegum.progress import Display
from tegum.report import Part, ResultFolder, read_pictures, write_page
from tegum.report.export import export_data
from tegum.report.pictures import FilmFormat, Look, PictureFormat, Purpose, export_films, export_pictures, look_for
from tegum.runs import locked, require_writable
from tegum.runs import open as opened
from tegum.runs.opening import result_file
from tegum.training import compiling_seconds, slowness


def reproduce(
    ids: Annotated[tuple[str, ...], Parameter(allow_leading_hyphen=False)] = (),
    /,
    *,
    profile: Profile = "quick",
    out: Path = Path("results"),
    where: Where = Where(),  # noqa: B008
) -> int:
    """Rebuild the paper's figures and judge its claims; ends with exit code 1 where a claim failed.

    What is finished is kept: the same command again, after Ctrl-C or worse, goes on where it was stopped.

    Args:
        ids: Which experiments or groups, from `tegum list`, or Python files that define one; all of the `paper` by default.
        profile: quick (minutes) or paper (the paper's sizes).
        out: Folder for index.html, claims.json and the data.
        where: Where the pieces are computed.
    """
    chosen: dict[str, Experiment] = {}
    with Problems() as problems:
        for name in ids:
            with problems.collecting():
                chosen |= {each.id: each for each in experiments_called(name)}
    experiments = (
        list(chosen.values()) if ids else [experiment_called(each.id) for each in every_description() if not heading_of(each)]
    )
    require_writable(out)
    make_room(out)
    costs = _plan(experiments, profile, ResultFolder(out, say))
    claims: list[dict[str, Any]] = []
    left_to_others, failed = 0, list[str]()
    try:
        with where.computing(), Display(costs) as display:
            folder = ResultFolder(out, display.say)
            for number, experiment in enumerate(experiments, start=1):
                display.start(experiment.id)
                display.say(f"[{number}/{len(experiments)}] {experiment.id}: {experiment.title}")
                try:
                    part = _part(folder, experiment, profile)
                except Elsewhere as left:
                    display.say(where.done(left))
                    left_to_others += 1
                    display.finish()
                    continue
                except PiecesFailed as why:
                    failed.append(f"{experiment.id}: {why}")
                    display.say(failed[-1])
                    display.finish()
                    continue
                for claim in part.claims:
                    display.say(f"  {claim['verdict']:<12} {claim['statement']}")
                    if known := at_paper_sizes(claim, part.profile):
                        display.say(f"  {'':<12} {known}")
                claims += part.claims
                with locked(out):
                    page = write_page(folder.parts(), out)
                display.finish()
    except KeyboardInterrupt:
        return say_interrupted()
    if failed:
        raise PiecesFailed("\n".join(failed))
    if left_to_others:
        return where.say_how_to_gather()
    return say_verdicts(claims, page)


def _part(folder: ResultFolder, experiment: Experiment, profile: Profile) -> Part:
    """The experiment's results; what is wrong in the file of an experiment of one's own is a wrong use."""
    try:
        return folder.part(experiment, profile)
    except PiecesFailed:
        raise
    except (Exception, SystemExit, GeneratorExit) as error:
        if not (problems := faults_of(experiment, error)):
            raise
        raise InvalidInputError(problems) from error


def _plan(experiments: list[Experiment], profile: Profile, folder: ResultFolder) -> list[tuple[str, float]]:
    """Says what will be done and what it costs here; each experiment with its cost in seconds.

    Half of the work of most is compiled code, which takes longer on slow machines; the other half, Python, hardly does.
    """
    finished = [folder.finished(experiment, profile) for experiment in experiments]
    here = (1 + slowness()) / 2
    costs = [0.5 if done else here * each.seconds[profile] for each, done in zip(experiments, finished, strict=True)]
    ahead = sum(cost for cost, done in zip(costs, finished, strict=True) if not done)
    count = "1 experiment" if len(experiments) == 1 else f"{len(experiments)} experiments"
    before = f" ({sum(finished)} finished before)" if any(finished) else ""
    first = ", and a minute in which engines are compiled" if ahead and compiling_seconds() else ""
    say(f"{count}, {profile} profile, about {duration(ahead) if ahead else 'no time'}{first}{before}")
    if ahead:
        from tegum.exact.certificate import have_hessians_compiled  # an engine, for which reports and exports wait in vain

        have_hessians_compiled()
    return [(each.id, cost) for each, cost in zip(experiments, costs, strict=True)]


def report(folder: Path, /) -> int:
    """Judge and draw a folder of results anew, without training: after an update, or where its page is lost.

    Experiments in files of your own stay as they were judged: `tegum reproduce FILE` judges those anew.

    Args:
        folder: What `tegum reproduce --out` wrote.
    """
    results = _results_in(folder)
    require_writable(folder, "copy it to where you may write")
    with Problems() as problems:
        for each in every_description():
            with problems.collecting():
                if results.data_file(each.id).exists():
                    results.renewed(experiment_called(each.id))
        parts = results.parts()
        path = write_page(parts, folder)
    known = {each.id for each in every_description()}
    if own := [name for name in results.names() if name not in known]:
        say(f"not judged anew, as `tegum reproduce FILE --out {folder}` does: {', '.join(own)}")
    return say_verdicts((claim for part in parts for claim in part.claims), path)


def export(
    folder: Path,
    ids: Annotated[tuple[str, ...], Parameter(allow_leading_hyphen=False)] = (),
    /,
    *,
    format: Literal["parquet", "csv", "netcdf", "state-dict", "png", "svg", "pdf", "gif", "mp4"] = "csv",  # noqa: A002
    out: Path | None = None,
    purpose: Annotated[Purpose | None, Parameter(name="--for")] = None,
    width: int | None = None,
    scale: float | None = None,
    font: str | None = None,
    font_size: float | None = None,
) -> int:
    """Write results in other formats: the data as tables, the pictures as files for a page, a column or slides, or as films.

    Args:
        folder: What `tegum reproduce`, `tegum train` or `tegum phase` wrote to --out, or one file.
        ids: Which experiments; all in the folder by default.
        format: parquet, csv, netcdf (data); state-dict (W and b for PyTorch); png, svg, pdf (pictures; they
            need the package kaleido and Chromium); gif, mp4 (those that move; they need Pillow, or ffmpeg, as well).
        out: Where to; the folder's own subfolder export by default.
        purpose: What pictures are for, which says how large their letters are: page, column (of a paper) or slides.
        width: How many pixels across pictures are laid out in, letters having 14; more where panels need more.
        scale: Dots for each of these pixels, in png and films.
        font: The family of the letters, such as Times.
        font_size: The size of the letters in pixels.
    """
    look = _look(format, purpose, width, scale, font, font_size)
    alone, results = _alone(folder), ResultFolder(folder, say)
    known = {name: results.data_file(name) for name in results.names()}
    if not known and alone is None:
        _results_in(folder, "name a folder that `tegum reproduce`, `train` or `phase` wrote, or the file of a result")
    drawable = list(known)
    known |= {} if alone is None else {alone.stem: alone}
    with Problems() as problems:
        for name in ids:
            if name not in known:
                problems.add(f"{folder} has no results of {name!r}", f"choose among {', '.join(known)}")
    place = (folder if folder.is_dir() else folder.parent) / "export" if out is None else out
    require_writable(place)
    count = 0
    pictured = format in get_args(PictureFormat) + get_args(FilmFormat)
    for name in ids or (pictured and drawable) or known:
        if pictured:
            if known[name] == alone:
                advice = f"draw it: tegum inspect {alone} --picture it.{'png' if format in get_args(FilmFormat) else format}"
                raise InvalidInputError(f"{alone} is data without pictures", advice)
            pictures = read_pictures(folder, name)
        if format == "gif" or format == "mp4":
            written = export_films(pictures, place / name, format, look)
        elif format == "png" or format == "svg" or format == "pdf":
            written = export_pictures(pictures, place / name, format, look)
        else:
            written = export_data(opened(known[name]), place / name, format)
        count += len(written)
        for path in written:
            say(str(path))
    if not count:
        raise InvalidInputError(f"no picture of {', '.join(ids or known)} moves", "export png, svg or pdf")
    return 0


def _look(
    format: str,  # noqa: A002
    purpose: Purpose | None,
    width: int | None,
    scale: float | None,
    font: str | None,
    size: float | None,
) -> Look:
    """How pictures are drawn; options of pictures are for pictures."""
    said = {"for": purpose, "width": width, "scale": scale, "font": font, "font-size": size}
    given = [f"--{name}" for name, value in said.items() if value is not None]
    if given and format not in get_args(PictureFormat) + get_args(FilmFormat):
        raise InvalidInputError(
            f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} given, and {format} is no format of pictures",
            f"add --format png, or leave {'it' if len(given) == 1 else 'them'} out",
        )
    if scale is not None and format in ("svg", "pdf"):
        raise InvalidInputError(f"--scale is given, and {format} has no dots", "add --format png, or leave it out")
    return look_for(purpose or "page", width, scale, font, size)


def _alone(folder: Path) -> Path | None:
    """The file of a result without experiments, or the list of its pieces; None where there is none."""
    with suppress(InvalidInputError):
        file = result_file(folder)
        return file if file.is_file() else None
    return None


def _results_in(folder: Path, advice: str = "name a folder that `tegum reproduce --out FOLDER` wrote") -> ResultFolder:
    if not folder.is_dir():
        raise InvalidInputError(f"{folder} is a file" if folder.exists() else f"there is no folder {folder}", advice)
    results = ResultFolder(folder, say)
    if results.names():
        return results
    if (alone := _alone(folder)) is not None:
        advice = f"look at it with `tegum inspect {alone}`, or export it with `tegum export {folder}`"
        raise InvalidInputError(f"the folder {folder} holds a result without experiments, which has no claims", advice)
    raise InvalidInputError(f"the folder {folder} holds no results", f"make some with `tegum reproduce --out {folder}`")
