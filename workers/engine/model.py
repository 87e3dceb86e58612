"""A loaded GGUF model and its vocabulary, on llama-cpp-python's low-level binding.

llama.cpp ends the whole process on a wrong argument (GGML_ASSERT), so arguments are checked before a call is made.
"""

from __future__ import annotations

import ctypes
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workers.engine.binding import llama_cpp
from workers.engine.logs import log_to_python
from workers.generation import GenerationFailed
from workers.models.gguf import read_header

log = logging.getLogger(__name__)

PIECE_BYTES = 512
NO_TOKEN = -1
ALL_LAYERS = -1


class Model:
    """The weights and the vocabulary. Tokenising may be done from any thread, but not while it is freed."""

    def __init__(
        self, path: Path, keep_loading: Callable[[], bool] = lambda: True, *, gpu_layers: int | None = None
    ) -> None:
        """Load the file; `keep_loading` is asked again and again, and False gives up.

        Args:
            gpu_layers: how many layers a GPU computes; None: all, where llama.cpp was built for one.

        Raises:
            UnreadableGGUF: it is no GGUF.
            GenerationFailed: llama.cpp cannot load it (its reasons are in the log), or was told to give up.
        """
        self.metadata = read_header(path).metadata
        log_to_python()
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        parameters.progress_callback = llama_cpp.llama_progress_callback(lambda _part, _data: keep_loading())
        # Mapped, the file stays in memory beside its repacked copy: 1.9 GB instead of 1.3 for the default model.
        parameters.load_mode = llama_cpp.LLAMA_LOAD_MODE_NONE
        parameters.n_gpu_layers = _layers_for_gpu(gpu_layers)
        parameters.use_extra_bufts = not _has_amx()
        self.pointer: Any = llama_cpp.llama_model_load_from_file(bytes(path), parameters)
        if not self.pointer:
            raise GenerationFailed(f"llama.cpp could not load {path.name}")
        self._vocabulary: Any = llama_cpp.llama_model_get_vocab(self.pointer)
        self.vocabulary_size: int = llama_cpp.llama_vocab_n_tokens(self._vocabulary)
        self.context_tokens: int = llama_cpp.llama_model_n_ctx_train(self.pointer)
        self._marker_starts = self._find_marker_starts()
        self._piece = ctypes.create_string_buffer(PIECE_BYTES)
        if not llama_cpp.llama_model_has_decoder(self.pointer) or self.vocabulary_size == 0:
            self.close()
            raise GenerationFailed(f"{path.name} is no model that writes text")

    @property
    def chat_template(self) -> str | None:
        """The Jinja template that the file brings, if it brings one."""
        template = llama_cpp.llama_model_chat_template(self.pointer, None)
        return template.decode("utf-8", "replace") if template else None

    @property
    def keeps_every_token(self) -> bool:
        """Whether what was computed of a text's beginning is still there at its end, so that another can go on from it.

        A recurrent model keeps one state, and one with a sliding window lets go of what is far back.
        """
        recurrent = llama_cpp.llama_model_is_recurrent(self.pointer) or llama_cpp.llama_model_is_hybrid(self.pointer)
        return not recurrent and llama_cpp.llama_model_n_swa(self.pointer) == 0

    @property
    def first_token(self) -> int | None:
        """The token that every text of this model must begin with, if there is one."""
        token: int = llama_cpp.llama_vocab_bos(self._vocabulary)
        wanted = llama_cpp.llama_vocab_get_add_bos(self._vocabulary)
        return token if wanted and token != NO_TOKEN else None

    @property
    def bos_text(self) -> str:
        """How a template writes the token that begins a text; empty where there is none."""
        return self._token_text(llama_cpp.llama_vocab_bos(self._vocabulary))

    @property
    def eos_text(self) -> str:
        """How a template writes the token that ends a text; empty where there is none."""
        return self._token_text(llama_cpp.llama_vocab_eos(self._vocabulary))

    def tokenize(self, text: str, *, control: bool) -> list[int]:
        """The text's tokens; names of control tokens become those tokens only where `control` is set."""
        parts = [text] if control else self._apart(text)
        return [token for part in parts for token in self._tokens(part, control=control)]

    def _tokens(self, text: str, *, control: bool) -> list[int]:
        # A lone surrogate, which JSON can carry, has no UTF-8 form.
        raw = text.encode("utf-8", "replace")
        room = len(raw) + 16
        while True:
            tokens = (llama_cpp.llama_token * room)()
            count = llama_cpp.llama_tokenize(self._vocabulary, raw, len(raw), tokens, room, False, control)
            if count >= 0:
                return list(tokens[:count])
            room = -count

    def piece(self, token: int) -> bytes:
        """What the token adds to a text: bytes, maybe a part of a character; nothing for a control token."""
        length = llama_cpp.llama_token_to_piece(self._vocabulary, token, self._piece, PIECE_BYTES, 0, False)
        return self._piece.raw[: max(length, 0)]

    def ends_answer(self, token: int) -> bool:
        """Whether the model says with this token that it has finished."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocabulary, token))

    def close(self) -> None:
        """Free the weights; its contexts must be closed before."""
        if self.pointer:
            llama_cpp.llama_model_free(self.pointer)
            self.pointer = None

    def _apart(self, text: str) -> list[str]:
        """The text, cut within each marker in it."""
        cuts = [match.start() + 1 for match in self._marker_starts.finditer(text)]
        return [text[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]

    def _find_marker_starts(self) -> re.Pattern[str]:
        """Where names of user-defined tokens begin: llama.cpp makes tokens of those in any text.

        Some files call the tokens that begin a turn user-defined, and a document could forge one.
        """
        defined = llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
        marked = (
            t for t in range(self.vocabulary_size) if llama_cpp.llama_vocab_get_attr(self._vocabulary, t) & defined
        )
        names = [name for name in map(self._token_text, marked) if len(name) > 1 and not name.isspace()]
        return re.compile(f"(?={'|'.join(map(re.escape, names))})" if names else r"(?!)")

    def _token_text(self, token: int) -> str:
        if token == NO_TOKEN:
            return ""
        text: bytes = llama_cpp.llama_vocab_get_text(self._vocabulary, token)
        return text.decode("utf-8", "replace")


def _layers_for_gpu(wished: int | None) -> int:
    """As many layers as are wished (None: all), or none where llama.cpp was built without a GPU."""
    if llama_cpp.llama_supports_gpu_offload():
        return ALL_LAYERS if wished is None else wished
    if wished:
        log.warning("llama.cpp was built without a GPU, the processor computes all", extra={"gpu_layers": wished})
    return 0


def _has_amx() -> bool:
    """Whether llama.cpp was built with AMX, whose matrices crash the process when an older GCC built them.

    GCC 12 drops the tile configuration as a dead store: https://github.com/ggml-org/llama.cpp/pull/26954. Without it,
    and with it the other repacked layouts, llama.cpp is slower, so the installation builds it without AMX.
    """
    if b"AMX_INT8 = 1" not in llama_cpp.llama_print_system_info():
        return False
    log.warning("llama.cpp was built with AMX, which is not safe: repacked weights are off, it is slower")
    return True
