"""Checkpoints: the named points of a message's way, and of a reindexing, at which fault tests make something go wrong.

A checkpoint does nothing by itself. It is an audit event of the interpreter (`sys.audit`), which costs nothing while
nobody listens; `tests/faults/process.py` listens, and kills, freezes or holds the process where it was told to.
"""

from __future__ import annotations

import sys
from typing import Literal

AUDIT_EVENT = "madoguchi.checkpoint"

Point = Literal[
    # web
    "accepting",  # verified, not durable yet
    "accepted",  # durable, nobody has been told
    "hinted",  # a hint is on its way; the webhook is not answered yet
    # replies
    "taken",  # lock and batch are ours, nothing is done
    "fetched",  # a file that came with the message is here, not read
    "file kept",  # what it says is kept for its conversation
    "retrieving",  # about to search the documents
    "previewed",  # what they say is shown where it can be replaced; the model has not been asked
    "generating",  # a piece of the model's words is there
    "streaming",  # the answer has begun to grow before a person's eyes
    "made",  # the whole answer is there, not written down
    "delivering",  # written down, nothing is sent
    "sending",  # about to make the call that shows it
    "sent",  # that call has returned, which is not noted yet
    "delivered",  # all of it is shown or kept; the batch is not finished
    "finished",  # the batch is finished; what waits behind it has no hint
    # clerk
    "ordered",  # a control event is taken, not carried out
    "carried_out",  # carried out, still in the queue
    # knowledge: a step of this stage is done
    "reading",
    "embedding",
    "checking",
]


def checkpoint(point: Point) -> None:
    """Pass this point."""
    sys.audit(AUDIT_EVENT, point)
