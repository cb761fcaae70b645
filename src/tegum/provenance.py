"""Where a result comes from: versions, commit, machine, time.

Every dataset and report carries these, so that a number can be traced to the code that made it.

>>> list(provenance())
['tegum', 'commit', 'python', 'libraries', 'machine', 'created']
"""

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
_NO_SCIENCE_FOLDERS = ("experiments", "figures", "claims", "execution", "runs", "report", "cli")
_NO_SCIENCE_FILES = ("interruption.py", "caching.py", "progress.py", "__main__.py")
_SOURCE = (".py", ".json", ".csv", ".toml", ".npz", ".safetensors", ".txt", ".html", ".css", ".js")
_LIBRARIES = ("numpy", "scipy", "numba", "xarray", "plotly")


@cache
def tegum_version() -> str:
    """The installed version of tegum."""
    try:
        return version("tegum")
    except PackageNotFoundError:
        return "unknown"


@cache
def git_commit() -> str:
    """The commit of the source tree that tegum runs from, with ``+`` where it is changed; empty if it is installed."""
    root = PACKAGE.parents[1]
    if not (root / ".git").exists():
        return ""
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git(root, "status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(root: Path, *words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, text=True, check=True, timeout=10
    ).stdout.strip()


def source_files(folder: Path) -> list[Path]:
    """The Python files under a folder, and the data and texts that they read; nothing compiled or left by an editor."""
    return sorted(path for path in folder.rglob("*") if path.suffix in _SOURCE)


def source_version(paths: Iterable[Path]) -> str:
    """A hash of source files: equal exactly where the code is."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes()
        name = path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else path.name
        digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]


def _version_without(*parts: str) -> str:
    """A hash of the package's code and data but for these folders and files."""
    return source_version(path for path in source_files(PACKAGE) if path.relative_to(PACKAGE).parts[0] not in parts)


@cache
def science_version() -> str:
    """A hash of the code that computes results: everything but experiments, pictures, claims and interfaces."""
    return _version_without(*_NO_SCIENCE_FOLDERS, *_NO_SCIENCE_FILES)


@cache
def package_version() -> str:
    """A hash of all of tegum's code but the experiments."""
    return _version_without("experiments")


@cache
def _processor() -> str:
    """The kind of processor, as the compiler calls it: the last bits of a result depend on it."""
    from llvmlite.binding import get_host_cpu_name  # a large library, which is loaded before anything is computed

    return str(get_host_cpu_name())


@cache
def _libraries() -> str:
    """The libraries that results depend on, with their versions."""
    return ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)


def provenance() -> dict[str, str]:
    """Version, commit, libraries, machine and the time now, as text."""
    return {
        "tegum": tegum_version(),
        "commit": git_commit(),
        "python": platform.python_version(),
        "libraries": _libraries(),
        "machine": f"{platform.system()} {platform.machine()}, {_processor()}, {os.cpu_count()} cores",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
