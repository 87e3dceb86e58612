"""Text from the bytes of tokens: never a part of a character, nothing of a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

# Bytes that are no UTF-8 are left out: a reader can do nothing with them.
_Decoder = codecs.getincrementaldecoder("utf-8")


class TextStream:
    """Feed it the bytes of each token; it gives the text that can be shown by now."""

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = tuple(filter(None, stop))
        self._decoder = _Decoder(errors="ignore")
        self._held = ""
        self.stopped = False

    def feed(self, piece: bytes) -> str:
        """What may be shown after this piece; what could be the beginning of a stop string is held back."""
        self._held += self._decoder.decode(piece)
        found = [at for at in map(self._held.find, self._stop) if at >= 0]
        if found:
            self.stopped = True
            return self._release(min(found), dropping_rest=True)
        return self._release(len(self._held) - self._beginning_of_stop())

    def flush(self) -> str:
        """What was held back, once nothing follows."""
        return self._release(len(self._held))

    def _release(self, count: int, *, dropping_rest: bool = False) -> str:
        text = self._held[:count]
        self._held = "" if dropping_rest else self._held[count:]
        return text

    def _beginning_of_stop(self) -> int:
        """How many characters at the end are the beginning of a stop string."""
        longest = max(map(len, self._stop), default=1) - 1
        lengths = range(min(longest, len(self._held)), 0, -1)
        return next((n for n in lengths if any(s.startswith(self._held[-n:]) for s in self._stop)), 0)
