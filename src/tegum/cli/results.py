"""`tegum report` and `tegum export`: a folder of results, looked at again and handed on."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from tegum.cli.output import require_writable, say, say_verdicts
from tegum.errors import InvalidInputError, Problems
from tegum.experiments import every_experiment
from tegum.report import ResultFolder, read_pictures, write_page
from tegum.report.export import export_data, export_pictures
from tegum.runs import read_dataset


def report(folder: Path, /) -> int:
    """Judge and draw a folder of results anew, without training: after an update, or where its page is lost.

    Parameters
    ----------
    folder
        What `tegum reproduce --out` wrote.
    """
    results = ResultFolder(folder, say)
    _ids_in(folder)
    require_writable(folder)
    problems = Problems()
    for experiment in every_experiment():
        with problems.collecting():
            results.renewed(experiment)
    parts = results.parts()
    path = write_page(parts, folder)
    problems.raise_if_any()
    return say_verdicts((claim for part in parts for claim in part.claims), path)


def export(
    folder: Path,
    ids: Annotated[tuple[str, ...], Parameter(allow_leading_hyphen=False)] = (),
    /,
    *,
    format: Literal["parquet", "csv", "netcdf", "png", "svg", "pdf"] = "csv",  # noqa: A002
    out: Path | None = None,
) -> int:
    """Write results in other formats: the data as parquet, csv or netcdf, the pictures as png, svg or pdf.

    Parameters
    ----------
    folder
        What `tegum reproduce --out` wrote.
    ids
        Which experiments; all in the folder by default.
    format
        parquet, csv, netcdf (data); png, svg, pdf (pictures; they need the package kaleido and Chromium).
    out
        Where to; the folder's own subfolder export by default.
    """
    known, problems = _ids_in(folder), Problems()
    for name in ids:
        if name not in known:
            problems.add(f"{folder} has no results of {name!r}", f"choose among {', '.join(known)}")
    problems.raise_if_any()
    place = folder / "export" if out is None else out
    require_writable(place)
    for name in ids or known:
        if format == "png" or format == "svg" or format == "pdf":
            written = export_pictures(read_pictures(folder, name), place / name, format)
        else:
            written = export_data(read_dataset(ResultFolder(folder, say).data_file(name)), place / name, format)
        for path in written:
            say(str(path))
    return 0


def _ids_in(folder: Path) -> list[str]:
    """The experiments that have data in a folder, in the paper's order."""
    found = {path.stem for path in (folder / "data").glob("*.safetensors")}
    if not found:
        advice = f"make some with `tegum reproduce --out {folder}`"
        raise InvalidInputError(f"the folder {folder} holds no results", advice)
    known = [experiment.id for experiment in every_experiment() if experiment.id in found]
    return known + sorted(found - set(known))
