"""What a server's refusal means for the generation; no I/O."""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping

from workers.generation import GenerationError, GenerationFailed, GeneratorBusy, PromptTooLong

MOST_RETRY_AFTER_S = 60.0
_TOO_LONG = re.compile(
    r"maximum context length"  # vLLM: "This model's maximum context length is N tokens. However, you requested …"
    r"|available context size|exceed_context_size_error"  # llama-server, and Ollama, which passes its words on
    r"|exceeds (the|maximum) context length"  # Ollama
    r"|context_length_exceeded",  # the code of OpenAI's own
    re.IGNORECASE,
)
_BUSY = {429, 503}
"""llama-server answers 503 while it loads its model, Ollama when its queue is full."""


class ServerBusy(GeneratorBusy):
    """The server took nothing in; it may be asked again after `retry_after_s`."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class ServerFailed(GenerationFailed):
    """The server, or the way to it, failed; it may be asked again."""


def refusal(status: int, headers: Mapping[str, str], body: str) -> GenerationError:
    """The error that an answer other than 200 means; nothing of its text goes further, it may quote the prompt."""
    if status >= 400 and _TOO_LONG.search(body):  # older llama-servers say it with 500
        return PromptTooLong("the prompt does not fit the context of the language model's server")
    if status in _BUSY:
        return ServerBusy(f"the language model's server is busy ({status})", retry_after_s(headers))
    if status >= 500:
        return ServerFailed(f"the language model's server failed ({status})")
    return GenerationFailed(f"the language model's server refused ({status})")


def retry_after_s(headers: Mapping[str, str]) -> float:
    """What Retry-After asks for, in seconds or as a date, within reason; 0.0 when it asks for nothing."""
    asked = headers.get("retry-after", "").strip()
    try:
        seconds = (
            float(asked) if asked.isdigit() else email.utils.parsedate_to_datetime(asked).timestamp() - time.time()
        )
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), MOST_RETRY_AFTER_S)
