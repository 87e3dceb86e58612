"""GGUF headers, also hostile ones, and the memory that follows from them."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.gguf import gguf, llama, text
from workers.models.catalogue import CATALOGUE, Geometry
from workers.models.errors import UnreadableGGUF
from workers.models.gguf import geometry, read_header
from workers.models.memory import catalogue_table, local_row, memory_needed
from workers.models.progress import Lines, progress_for


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    return path


def test_geometry_is_read_from_the_header(tmp_path: Path) -> None:
    header = read_header(written(tmp_path, llama()))

    assert geometry(header) == Geometry(
        context_tokens=512, cached_per_token=2 * 2 * (8 + 8), vocabulary=3, embedding=32
    )


def test_heads_may_differ_from_layer_to_layer(tmp_path: Path) -> None:
    header = read_header(written(tmp_path, llama(llama__attention__head_count_kv=[1, 0])))

    assert geometry(header).cached_per_token == 16


def test_keys_and_values_may_have_lengths_of_their_own(tmp_path: Path) -> None:
    lengths = {"llama__attention__key_length": 16, "llama__attention__value_length": 4}

    assert geometry(read_header(written(tmp_path, llama(**lengths)))).cached_per_token == 2 * 2 * (16 + 4)


def test_long_arrays_are_counted_and_not_kept(tmp_path: Path) -> None:
    many = [f"token {n}" for n in range(5_000)]

    assert geometry(read_header(written(tmp_path, llama(tokenizer__ggml__tokens=many)))).vocabulary == 5_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cut off"),
        (b"PK\x03\x04" + bytes(40), "does not begin with GGUF"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 62), "pairs"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 62), "bytes where at most"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<IIQ", 9, 8, 1 << 62), "items"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<IIQ", 9, 9, 1), "array of arrays"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("k") + struct.pack("<I", 77), "unknown kind"),
    ],
)
def test_header_that_lies_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableGGUF, match=reason):
        read_header(written(tmp_path, content))


@pytest.mark.parametrize("cut", range(0, len(llama()), 7))
def test_header_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(UnreadableGGUF):
        read_header(written(tmp_path, llama()[:cut]))


@given(at=st.integers(0, len(llama()) - 1), byte=st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_one_wrong_byte_gives_a_header_or_a_clear_error(tmp_path: Path, at: int, byte: int) -> None:
    content = bytearray(llama())
    content[at] = byte

    with suppress(UnreadableGGUF):  # any other error fails the test
        assert geometry(read_header(written(tmp_path, bytes(content)))).cached_per_token >= 0


def test_missing_keys_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableGGUF, match=r"llama\.block_count"):
        geometry(read_header(written(tmp_path, gguf(general__architecture="llama"))))


def test_cache_grows_with_the_context_and_weights_do_not() -> None:
    shape = Geometry(context_tokens=8192, cached_per_token=14_336, vocabulary=1000, embedding=64)

    small, large = (memory_needed(1_000_000, shape, context) for context in (1024, 4096))

    assert small.weights == large.weights == 1_000_000
    assert large.kv_cache == 4 * small.kv_cache == 14_336 * 2 * 4096


def test_table_has_every_model_and_says_which_are_there(tmp_path: Path) -> None:
    (tmp_path / f"{CATALOGUE[1].name}.gguf").write_bytes(b"x")

    rows = list(catalogue_table(tmp_path, 4096))

    assert [row.name for row in rows] == [model.name for model in CATALOGUE]
    assert [row.is_there for row in rows] == [False, True, False]
    assert all(row.memory.total > row.file_bytes for row in rows)


def test_context_in_the_table_is_at_most_the_models_own(tmp_path: Path) -> None:
    assert local_row(written(tmp_path, llama()), 4096).context_tokens == 512


def test_what_is_larger_than_any_memory_does_not_fit(tmp_path: Path) -> None:
    row = local_row(
        written(tmp_path, llama(llama__context_length=1 << 24, llama__attention__head_count_kv=1 << 24)), 1 << 24
    )

    assert row.fits is False


def test_outside_a_terminal_progress_is_a_line_at_each_twentieth() -> None:
    stream = io.StringIO()

    with Lines(total=100_000_000, desc="model", file=stream) as bar:
        for _ in range(1000):
            bar.update(100_000)

    lines = stream.getvalue().splitlines()
    assert len(lines) == 21
    assert lines[-1] == "model: 100 of 100 MB"
    assert progress_for(stream) is Lines
