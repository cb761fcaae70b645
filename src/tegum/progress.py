"""Progress bars: one for each slow call, or one for many calls together.

>>> with Display([("intro", 6.0), ("confused", 15.0)]) as display:         # titles and costs in seconds
...     display.start("intro")
...     steps = list(ProgressBar(range(3), desc="training"))               # becomes a remark at the end of the display's bar
...     display.finish()

The display advances in seconds of the cost: within a part by the clock, at most to the part's cost; at its end by what is
left of it.  So it never runs backwards, and the time it says is left is corrected by how long the parts before it took.
"""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any, Self, final

from tqdm import tqdm

_SLOW_SECONDS = 2.0
_ALMOST = 0.98
_BEAT_SECONDS = 0.5

_display: ContextVar["Display | None"] = ContextVar("display", default=None)


class ProgressBar(tqdm):  # type: ignore[type-arg]
    """A progress bar of one call; inside a `Display` it shows itself there.

    Args:
        args: what is gone through, if anything.
        progress: True shows a bar, False none, None one where standard error is a terminal.
        settings: of tqdm: ``total``, ``desc``, ``unit``, ...; by default nothing is shown within two seconds (``delay``).
    """

    def __init__(self, *args: Any, progress: bool | None = None, **settings: Any) -> None:
        settings = {"delay": _SLOW_SECONDS, "disable": None if progress is None else not progress} | settings
        self._outer = _display.get()
        if self._outer is not None:
            settings["disable"] = True
        super().__init__(*args, **settings)
        self._title = str(settings.get("desc", ""))

    def __del__(self) -> None:
        """Closes the bar, unless Ctrl-C came before it was made."""
        if hasattr(self, "pos"):
            super().__del__()

    def set_description(self, desc: str | None = None, refresh: bool | None = True) -> None:
        """What the bar counts."""
        self._title = desc or ""
        super().set_description(desc, refresh)

    def __iter__(self) -> Iterator[Any]:
        """What is gone through, each counted when it is done."""
        if self._outer is None:
            yield from super().__iter__()
            return
        for item in self.iterable:
            yield item
            self.update()

    def update(self, n: float | None = 1) -> bool | None:
        """Counts n more."""
        if self._outer is None:
            return super().update(n)
        self.n += n or 0
        if self.total:
            self._outer.remark(f"{self._title} {100 * min(self.n / self.total, 1):.0f} %")
        return None


@final
class Display:
    """One progress bar for many parts, each with a title and a cost in seconds; lines are written above it."""

    def __init__(self, parts: Sequence[tuple[str, float]], shown: bool | None = None) -> None:
        self._costs = dict(parts)
        self._title, self._began, self._before = "", 0.0, 0.0
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._bar = tqdm(
            total=sum(self._costs.values()),
            disable=None if shown is None else not shown,
            bar_format="{desc} {percentage:3.0f}%|{bar:20}| {elapsed} so far, {remaining} left{postfix}",
        )
        self._clock = threading.Thread(target=self._beat, name="tegum-progress", daemon=True)

    def __enter__(self) -> Self:
        _display.set(self)
        self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._clock.join()
        _display.set(None)
        self._bar.close()

    def start(self, title: str) -> None:
        """A part begins."""
        with self._lock:
            self._title, self._began = title, time.monotonic()
        self._bar.set_description_str(title)

    def finish(self) -> None:
        """The part has ended, sooner or later than its cost."""
        with self._lock:
            self._before += self._costs.get(self._title, 0.0)
            self._title = ""
        self._bar.set_postfix_str("", refresh=False)
        self._move()

    def remark(self, text: str) -> None:
        """What the part is doing."""
        self._bar.set_postfix_str(text, refresh=False)

    def say(self, text: str) -> None:
        """One line on standard output, above the bar."""
        with self._bar.external_write_mode(file=sys.stdout):
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def _move(self) -> None:
        with self._lock:
            cost = self._costs.get(self._title, 0.0)
            inside = min(time.monotonic() - self._began, _ALMOST * cost) if self._title else 0.0
            self._bar.update(max(0.0, self._before + inside - self._bar.n))
            self._bar.refresh()

    def _beat(self) -> None:
        while not self._stop.wait(_BEAT_SECONDS):
            self._move()
