"""The folder of results: what is finished in it, and how what is not gets there.

    index.html, claims.json, plotly.min.js       the page and the verdicts of everything finished
    data/ID.safetensors                          what a study returned
    parts/ID.json, figures/ID.js                 its claims and captions; its pictures, as a script that the page loads
    pieces/PROFILE/ID/*.safetensors              finished pieces of studies, from which an interrupted one goes on
    older/                                       results of other code or another profile, set aside and found again

Every file is written whole or not at all.  A study's result is used again where the profile and the code that made it are
the same; claims and pictures where all code is.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import xarray as xr

from tegum.caching import caching
from tegum.errors import InvalidInputError
from tegum.execution import Pieces
from tegum.experiments import Experiment, Profile, code_version, every_description
from tegum.provenance import package_version, science_version
from tegum.report.part import KEY, Part, has_pictures, part_of, read_part, write_part
from tegum.runs import attributes_in, fingerprint, locked, read_dataset, read_or_set_aside, set_aside, write_dataset


@final
@dataclass(frozen=True)
class ResultFolder:
    """A folder of results.

    Args:
        path: where it is.
        notice: receives a line for each thing a user should know, such as a damaged file set aside.
    """

    path: Path
    notice: Callable[[str], Any]

    def data_file(self, name: str) -> Path:
        """Where an experiment's dataset is kept."""
        return self.path / "data" / f"{name}.safetensors"

    def finished(self, experiment: Experiment, profile: Profile) -> bool:
        """Whether the study need not run again."""
        key = _key(experiment, profile)
        return key in (_key_in(self.data_file(experiment.id)), _key_in(self._older(experiment.id, key)))

    def part(self, experiment: Experiment, profile: Profile) -> Part:
        """The experiment's results, from the folder as far as they are in it; afterwards all of them are.

        Raises:
            KeyboardInterrupt: after Ctrl-C; finished pieces are kept.
            InvalidInputError: where a file cannot be written.
        """
        key = _key(experiment, profile)
        part = read_part(self.path, experiment.id, self.notice)
        with locked(self.path):
            data = self._restored(experiment.id, key)
        if data is None:
            return self._judged(experiment, self._made(experiment, profile, key))
        fresh = part is not None and part.code == _code(experiment) and part.key == key
        return part if part is not None and fresh and has_pictures(self.path, part.id) else self._judged(experiment, data)

    def renewed(self, experiment: Experiment) -> Part | None:
        """Claims and pictures by the present code from the data in the folder; None where there are none.

        Raises:
            InvalidInputError: where the data are damaged.
        """
        path = self.data_file(experiment.id)
        if not path.exists():
            return None
        data = read_dataset(path)
        try:
            return self._judged(experiment, data)
        except (KeyError, ValueError, AttributeError, IndexError) as error:
            if _key(experiment, data.attrs.get("profile", "quick")) == data.attrs.get(KEY):
                raise
            raise InvalidInputError(
                f"{path} is of another version of tegum, which this one cannot judge ({type(error).__name__}: {error})",
                f"make it again with `tegum reproduce {experiment.id} --out {self.path}`; the old file is kept",
            ) from error

    def parts(self) -> list[Part]:
        """Everything finished in the folder: experiments in the order of `every_description`, then one's own by name."""
        names = _in_order(path.stem for path in (self.path / "parts").glob("*.json"))
        found = (read_part(self.path, name, self.notice) for name in names)
        return [part for part in found if part is not None]

    def names(self) -> list[str]:
        """The experiments that have data in the folder, in that order."""
        return _in_order(path.stem for path in (self.path / "data").glob("*.safetensors"))

    def _judged(self, experiment: Experiment, data: xr.Dataset) -> Part:
        """The experiment's claims and pictures, written to the folder."""
        part, pictures = part_of(experiment, data, _code(experiment))
        write_part(part, pictures, self.path)
        return part

    def _made(self, experiment: Experiment, profile: Profile, key: str) -> xr.Dataset:
        """The study's dataset as it stands on disk, made now."""
        pieces = Pieces(self.path / "pieces" / profile / experiment.id, self.notice)
        began = time.perf_counter()
        with pieces.pruned():
            with caching(pieces):
                data = experiment.study(profile)
            if data.attrs["interrupted"]:
                raise KeyboardInterrupt
            seconds = time.perf_counter() - began + pieces.seconds_cached
            data.attrs |= {KEY: key, "profile": profile, "seconds": round(seconds, 2), **pieces.made_by()}
            write_dataset(data, self.data_file(experiment.id))
        return read_dataset(self.data_file(experiment.id))

    def _restored(self, name: str, key: str) -> xr.Dataset | None:
        """The result with this key, if it is in the folder; another that lies in its place is set aside, never lost."""
        path, older = self.data_file(name), self._older(name, key)
        if path.exists() and (found := _key_in(path)) not in (key, None):
            place = self._older(name, found or "unmarked")
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():
                set_aside(place, "older")
            path.replace(place)
            theirs = (found or "").partition(" ")[0]
            why = f"the {theirs} profile" if theirs and theirs != key.partition(" ")[0] else "another version of the code"
            self.notice(f"{name}: the results in the folder are of {why}; they are kept as {place}")
        if not path.exists() and _key_in(older) == key:
            older.replace(path)
        return read_or_set_aside(path, self.notice) if path.exists() else None

    def _older(self, name: str, key: str) -> Path:
        return self.path / "older" / f"{name}-{key.replace(' ', '-')}.safetensors"


def _in_order(names: Iterable[str]) -> list[str]:
    place = {experiment.id: number for number, experiment in enumerate(every_description())}
    return sorted(names, key=lambda name: (place.get(name, len(place)), name))


def _key(experiment: Experiment, profile: Profile) -> str:
    """What a study's result depends on: the profile, the experiment's file, and the code that computes."""
    return f"{profile} {fingerprint((code_version(experiment), science_version()))[:12]}"


def _code(experiment: Experiment) -> str:
    return fingerprint((code_version(experiment), package_version()))


def _key_in(path: Path) -> str | None:
    """The key that a dataset's file carries; empty where it carries none, None where it cannot be read."""
    attributes = attributes_in(path)
    return None if attributes is None else str(attributes.get(KEY, ""))
