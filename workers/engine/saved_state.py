"""The system prompt's state on the disk, so that a restart does not read it again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path

import numpy as np

from workers.engine.prefixes import Kept, as_tokens

log = logging.getLogger(__name__)


def read(path: Path, made_with: str) -> Kept | None:
    """The saved state, or None: there is none, it was made with another model or setting, or the file is damaged.

    Args:
        made_with: everything that a state depends on, beside its tokens; llama.cpp itself would take any bytes.
    """
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline())
            body = file.read()
        if header["made_with"] != made_with or hashlib.sha256(body).hexdigest() != header["sha256"]:
            log.info("saved state not used")
            return None
        tokens = [int(token) for token in header["tokens"]]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        log.warning("saved state unreadable", extra={"reason": type(error).__name__})
        return None
    return Kept(as_tokens(tokens), np.frombuffer(body, np.uint8).copy())


def write(path: Path, made_with: str, kept: Kept) -> None:
    """Save a state in place of the one before; a disk that does not take it is logged."""
    body = kept.state.tobytes()
    header = {
        "made_with": made_with,
        "tokens": kept.tokens.tolist(),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(json.dumps(header).encode() + b"\n" + body)
        draft.replace(path)
    except OSError as error:
        log.warning("state not saved", extra={"reason": type(error).__name__})
        draft.unlink(missing_ok=True)
