"""The process that reads PDF and Office files: `python -m knowledge.formats.reader`, started by `apart`.

For each file it is given a line of JSON (`suffix`, `length`) and the bytes, and answers with a line of JSON: `title`,
`text` and `pages`, or the `reason` why there is none. It ends itself when a file takes too long, when nothing comes for
a while, and when its parent is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from knowledge.documents import BREAK
from knowledge.formats.content import Content, NoContent
from knowledge.formats.pdf import from_pdf
from knowledge.formats.slides import from_pptx
from knowledge.formats.word import from_docx
from knowledge.formats.workbook import from_xlsx

MAX_TEXT_CHARS = 20_000_000
_IDLE_S = 10
"""Then it frees what a large file left behind; it starts again within two seconds."""
_READERS: dict[str, Callable[[bytes], Content]] = {
    ".pdf": from_pdf,
    ".docx": from_docx,
    ".pptx": from_pptx,
    ".xlsx": from_xlsx,
}


def main(limit_s: str, limit_bytes: str) -> None:
    """Answer until nothing comes any more."""
    with contextlib.suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (int(limit_bytes), int(limit_bytes)))
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    requests = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    while select.select([requests], [], [], _IDLE_S)[0] and (line := requests.readline()):
        # Not caught: it ends the process even within a library's native code.
        signal.setitimer(signal.ITIMER_REAL, float(limit_s))
        answers.write(json.dumps(_answer(**json.loads(line), requests=requests)).encode() + b"\n")
        answers.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)


def _end_with(parent: int) -> None:
    """End this process within a second of its parent, in the middle of a file too."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _answer(suffix: str, length: int, requests: BinaryIO) -> dict[str, Any]:
    """What is said about one file."""
    try:
        content = _READERS[suffix](_bytes(requests, length))
    except NoContent as error:
        return {"reason": str(error)}
    except MemoryError:
        return {"reason": "needs too much memory"}
    except RecursionError:
        return {"reason": "nested too deeply"}
    except Exception as error:
        # The libraries raise whatever they stumble on; to people it is all the same.
        return {"reason": f"damaged ({type(error).__name__})"}
    if len(content.text) > MAX_TEXT_CHARS:
        return {"reason": f"more than {MAX_TEXT_CHARS // 1_000_000} million characters"}
    text = content.text.replace("\0", "").strip(BREAK)
    return {"title": content.title, "text": text, "pages": content.pages}


def _bytes(requests: BinaryIO, length: int) -> bytes:
    content = bytearray()
    while len(content) < length and (piece := requests.read(length - len(content))):
        content += piece
    return bytes(content)


if __name__ == "__main__":
    main(*sys.argv[1:])
