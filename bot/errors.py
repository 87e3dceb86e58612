"""Everything that the edges raise, as one tree.

MadoguchiError
├── SettingsIncomplete      a platform is half configured; names what is missing
├── PlacesInvalid           madoguchi.toml says something about a place that cannot be followed
├── StoreUnavailable        the store does not answer, refuses to write, or is still loading
├── BadRequest              what came in is refused; carries the HTTP status to answer with
├── LockLost                another worker owns the conversation now: stop, touch nothing
├── LinkUnknown             a link to a cited passage that is not ours
├── LinkEnded               a link to a cited passage that shows nothing any more
├── FileRefused             a platform does not hand over a file that came with a message; carries why
└── DeliveryError           an answer did not reach its reader
    ├── DeliveryDeferred    not delivered, may be tried again after `retry_after_s`
    ├── DeliveryFailed      not delivered and never will be
    └── DeliveryUnknown     the platform may or may not have taken it; settle before sending again
"""

from typing import Literal


class MadoguchiError(Exception):
    """The root of every error of ours."""


class SettingsIncomplete(MadoguchiError):
    """A platform is half configured."""


class PlacesInvalid(MadoguchiError):
    """`madoguchi.toml` says something about a place that cannot be followed."""


class StoreUnavailable(MadoguchiError):
    """The store does not answer, refuses to write, or is still loading."""


class BadRequest(MadoguchiError):
    """What came in is refused.

    Args:
        status: the HTTP status to answer with (400, 401, 413).
        reason: a short word for the log and the body; never content of the request.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class LockLost(MadoguchiError):
    """Another worker owns the conversation now: stop, touch nothing."""


class LinkUnknown(MadoguchiError):
    """A link to a cited passage that is not ours: forged, or cut short on its way."""


class LinkEnded(MadoguchiError):
    """A link to a cited passage whose time is over, or whose passage may not be read there any more."""


class FileRefused(MadoguchiError):
    """A platform does not hand over a file that came with a message, and would not the next time.

    Args:
        why: it is deleted or hidden (`gone`), the app may not have it (`not_permitted`), it is larger than was asked
            for (`too_large`), or the platform only links to it (`elsewhere`).
    """

    def __init__(self, why: Literal["gone", "not_permitted", "too_large", "elsewhere"]) -> None:
        super().__init__(why)
        self.why = why


class DeliveryError(MadoguchiError):
    """An answer did not reach its reader."""


class DeliveryDeferred(DeliveryError):
    """Not delivered; may be tried again after `retry_after_s` seconds (None: the caller's own back-off)."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class DeliveryFailed(DeliveryError):
    """Not delivered and never will be: the platform refuses it for good."""


class DeliveryUnknown(DeliveryError):
    """The platform may or may not have taken it (time-out, reset); settle before sending again."""
