"""How far a download is: a bar on a terminal, a line at each twentieth elsewhere (a log, a container)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TextIO

from tqdm import tqdm

if TYPE_CHECKING:
    Bar = tqdm[Any]
else:
    Bar = tqdm

MB = 1_000_000
STEPS = 20


class Lines(Bar):
    """A tqdm that prints one line at each twentieth of the way instead of drawing over itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._told = -1
        super().__init__(*args, **kwargs)

    def update(self, n: float | None = 1) -> bool:
        """Count `n` more and print when a twentieth is full."""
        self.n += n or 0
        self._tell()
        return True

    def display(self, *args: Any, **kwargs: Any) -> None:
        """Nothing to draw: lines are printed as they come due."""

    def close(self) -> None:
        """End without the line break that a bar needs."""
        self.disable = True

    def _tell(self) -> None:
        step = int(STEPS * self.n / self.total) if self.total else 0
        if step != self._told:
            self._told = step
            self.fp.write(f"{self.desc.rstrip(': ')}: {self.n / MB:,.0f} of {(self.total or 0) / MB:,.0f} MB\n")
            self.fp.flush()


def progress_for(stream: TextIO = sys.stderr) -> type[Bar]:
    """The tqdm class that suits the stream: the bar itself on a terminal, lines elsewhere."""
    return Bar if stream.isatty() else Lines
