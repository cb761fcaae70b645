"""`tegum show`: pictures of any result or file of weights, or what an experiment of the paper does."""

from difflib import get_close_matches
from pathlib import Path

from tegum.cli.experiments import show_experiment
from tegum.cli.options import AS_IT_IS, FILES_OWN, Reading, Wanted, given
from tegum.cli.output import say
from tegum.errors import InvalidInputError
from tegum.experiments import described_in, experiment_files


def show(
    what: str,
    /,
    *,
    wanted: Wanted = FILES_OWN,
    reading: Reading = AS_IT_IS,
    page: Path | None = None,
    out: Path | None = None,
) -> int:
    """Show a result or anyone's weights in pictures, or what an experiment trains, with its verdicts if it has run.

    Example: tegum show weights.npz --density 0.1

    Args:
        what: A folder of `tegum train` or `tegum phase`, a file of weights; or an id from `tegum list`, a Python file that
            defines an experiment.
        wanted: Options of features, for models.
        reading: Options of reading, for models.
        page: Where the page of a result goes; by default index.html in its folder, or beside a file, named like it.
        out: The folder of results to look for verdicts of an experiment in, by default results.
    """
    path = Path(what)
    if not path.exists() and path.suffix != ".py" and (path.suffix or len(path.parts) > 1):
        raise InvalidInputError(f"there is no {what}", "name a folder of tegum train or tegum phase, or a file of weights")
    if what in experiment_files() or described_in(what) or path.suffix == ".py":
        options = given(wanted, reading) + ([] if page is None else ["--page"])
        if options:
            them = "it" if len(options) == 1 else "them"
            says = f"{' and '.join(options)} {'is' if them == 'it' else 'are'} given, and {what} is an experiment"
            raise InvalidInputError(says, f"leave {them} out, or name a folder or a file of models")
        code = show_experiment(what, Path("results") if out is None else out)
        if path.exists() and path.suffix != ".py":
            say(f"\n{'a folder' if path.is_dir() else 'a file'} here is called {what}, too: tegum show ./{what}")
        return code
    if not path.exists():
        close = get_close_matches(what, experiment_files(), n=1)
        other = "give a folder of tegum train or tegum phase, a file of weights, or an id from `tegum list`"
        what = f"there is neither a file nor an experiment called {what!r}"
        raise InvalidInputError(what, f"did you mean {close[0]!r}?" if close else other)
    if out is not None:
        raise InvalidInputError(f"--out is {out}, and {what} is no experiment", "say where the page goes with --page")
    from tegum.cli.drawing import draw  # an experiment is shown before the libraries that draw could be loaded

    return draw(path, wanted, reading, page)
