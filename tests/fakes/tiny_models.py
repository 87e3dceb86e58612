"""Tiny chat models with random weights, one of each kind of memory, that llama.cpp loads and runs.

They say nothing of sense: letters, which depend on every letter before them as far as the model remembers. The tensors
and keys of each architecture are those that its loader asks for, `src/models/*.cpp` of llama.cpp.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.fakes.gguf import Value, gguf
from workers.engine.template import CHATML

Tensors = dict[str, NDArray[np.float32]]

WIDTH, HEADS, HEAD_WIDTH, FEED_FORWARD = 32, 2, 16, 64
INNER, STATE, CONVOLVED, STEP_RANK = 2 * WIDTH, 8, 4, 4
CONTEXT_TOKENS = 2048
WINDOW_TOKENS = 32
LAYERS = 2

_CONTROL = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
_BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
_LETTERS = list(string.ascii_letters)
_TOKENS = [*_CONTROL, *_BYTES, *_LETTERS]
_NORMAL, _UNKNOWN, _IS_CONTROL, _IS_BYTE = 1, 2, 3, 6

_HEADS: dict[str, Value] = {
    "attention__head_count": HEADS,
    "attention__key_length": HEAD_WIDTH,
    "attention__value_length": HEAD_WIDTH,
    "rope__dimension_count": HEAD_WIDTH,
}
_STATE_SPACE: dict[str, Value] = {
    "ssm__conv_kernel": CONVOLVED,
    "ssm__inner_size": INNER,
    "ssm__state_size": STATE,
    "ssm__time_step_rank": STEP_RANK,
}


def write_llama(path: Path, template: str = CHATML) -> None:
    """A transformer: it keeps every token."""
    random = _Random(seed=1)
    layers = [_attention(random, n) | _feed_forward(random, n) for n in range(LAYERS)]
    _write(path, "llama", _ends(random), layers, {**_HEADS, "attention__head_count_kv": HEADS}, template)


def write_sliding_window(path: Path) -> None:
    """A gemma3: all of its layers see the last WINDOW_TOKENS tokens only."""
    random = _Random(seed=2)
    layers = [_attention(random, n) | _feed_forward(random, n) | _gemma_norms(n) for n in range(LAYERS)]
    keys: dict[str, Value] = {"attention__head_count_kv": HEADS, "attention__sliding_window": WINDOW_TOKENS}
    _write(path, "gemma3", _ends(random), layers, {**_HEADS, **keys})


def write_recurrent(path: Path) -> None:
    """A mamba: one state of fixed size instead of a cache."""
    random = _Random(seed=3)
    layers = [_state_space(random, n) for n in range(LAYERS)]
    _write(path, "mamba", _ends(random), layers, {**_STATE_SPACE, "feed_forward_length": 0})


def write_hybrid(path: Path) -> None:
    """A jamba: a layer with a recurrent state, then one with attention."""
    random = _Random(seed=4)
    layers = [_state_space(random, 0) | _state_norms(0), _attention(random, 1)]
    layers = [layer | _feed_forward(random, n) for n, layer in enumerate(layers)]
    _write(path, "jamba", _ends(random), layers, {**_HEADS, **_STATE_SPACE, "attention__head_count_kv": [0, HEADS]})


WRITERS: Mapping[str, Callable[[Path], None]] = {
    "llama": write_llama,
    "sliding window": write_sliding_window,
    "recurrent": write_recurrent,
    "hybrid": write_hybrid,
}


class _Random:
    """Weights that neither vanish nor grow from layer to layer."""

    def __init__(self, seed: int) -> None:
        self._numbers = np.random.default_rng(seed)

    def matrix(self, rows: int, columns: int) -> NDArray[np.float32]:
        numbers = self._numbers.standard_normal((rows, columns)) / np.sqrt(columns)
        return np.asarray(numbers, np.float32)


def _ends(random: _Random) -> Tensors:
    """What comes before the first layer and after the last; only letters are ever said."""
    output = random.matrix(len(_TOKENS), WIDTH)
    output[: -len(_LETTERS)] = 0
    embeddings = random.matrix(len(_TOKENS), WIDTH)
    return {"token_embd.weight": embeddings, "output_norm.weight": _ones(WIDTH), "output.weight": output}


def _attention(random: _Random, layer: int) -> Tensors:
    width = HEADS * HEAD_WIDTH
    weights = {f"attn_{name}.weight": random.matrix(width, WIDTH) * 3 for name in "qkv"}
    return _of(layer, {"attn_norm.weight": _ones(WIDTH), "attn_output.weight": random.matrix(WIDTH, width), **weights})


def _feed_forward(random: _Random, layer: int) -> Tensors:
    rising = {f"ffn_{name}.weight": random.matrix(FEED_FORWARD, WIDTH) for name in ("gate", "up")}
    return _of(
        layer, {"ffn_norm.weight": _ones(WIDTH), "ffn_down.weight": random.matrix(WIDTH, FEED_FORWARD), **rising}
    )


def _gemma_norms(layer: int) -> Tensors:
    after = {f"post_{name}_norm.weight": _ones(WIDTH) for name in ("attention", "ffw")}
    # Larger than usual: attention chooses among tokens instead of mixing all of them.
    return _of(layer, {**after, **{f"attn_{name}_norm.weight": 2 * _ones(HEAD_WIDTH) for name in "qk"}})


def _state_space(random: _Random, layer: int) -> Tensors:
    weights = {
        "attn_norm.weight": _ones(WIDTH),
        "ssm_in.weight": random.matrix(2 * INNER, WIDTH),
        "ssm_conv1d.weight": random.matrix(INNER, CONVOLVED),
        "ssm_conv1d.bias": _ones(INNER) * 0,
        "ssm_x.weight": random.matrix(STEP_RANK + 2 * STATE, INNER),
        "ssm_dt.weight": random.matrix(INNER, STEP_RANK),
        "ssm_dt.bias": _ones(INNER) * 0,
        # A small decay: the state remembers a whole prompt.
        "ssm_a": np.full((INNER, STATE), -0.01, np.float32),
        "ssm_d": _ones(INNER),
        "ssm_out.weight": random.matrix(WIDTH, INNER),
    }
    return _of(layer, weights)


def _state_norms(layer: int) -> Tensors:
    widths = {"dt": STEP_RANK, "b": STATE, "c": STATE}
    return _of(layer, {f"ssm_{name}_norm.weight": _ones(width) for name, width in widths.items()})


def _ones(width: int) -> NDArray[np.float32]:
    return np.ones(width, np.float32)


def _of(layer: int, tensors: Tensors) -> Tensors:
    return {f"blk.{layer}.{name}": tensor for name, tensor in tensors.items()}


def _write(
    path: Path,
    architecture: str,
    ends: Tensors,
    layers: list[Tensors],
    keys: Mapping[str, Value],
    template: str = CHATML,
) -> None:
    tensors = {name: tensor for part in (ends, *layers) for name, tensor in part.items()}
    shape: dict[str, Value] = {
        "block_count": LAYERS,
        "context_length": CONTEXT_TOKENS,
        "embedding_length": WIDTH,
        "feed_forward_length": FEED_FORWARD,
        "attention__head_count": 0,
        "attention__layer_norm_rms_epsilon": 1e-5,
        **keys,
    }
    pairs = {f"{architecture}__{key}": value for key, value in shape.items()}
    path.write_bytes(gguf(tensors, general__architecture=architecture, **pairs, **_vocabulary(template)))


def _vocabulary(template: str) -> dict[str, Value]:
    kinds = [_UNKNOWN, *[_IS_CONTROL] * 4, *[_IS_BYTE] * len(_BYTES), *[_NORMAL] * len(_LETTERS)]
    return {
        "tokenizer__ggml__model": "llama",
        "tokenizer__ggml__tokens": _TOKENS,
        "tokenizer__ggml__scores": [0.0] * len(_TOKENS),
        "tokenizer__ggml__token_type": kinds,
        "tokenizer__ggml__bos_token_id": 1,
        "tokenizer__ggml__eos_token_id": _TOKENS.index("<|im_end|>"),
        "tokenizer__ggml__add_bos_token": False,
        "tokenizer__ggml__add_space_prefix": False,
        "tokenizer__chat_template": template,
    }
