"""Texts on their way to and from a server: names of control tokens, estimates of tokens, words of refusal."""

from __future__ import annotations

import email.utils
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.generation import ChatMessage, GenerationFailed, PromptTooLong
from workers.remote.control_tokens import as_text
from workers.remote.estimate import estimated_chat, estimated_tokens
from workers.remote.refusals import ServerBusy, ServerFailed, refusal, retry_after_s

NAMES = [
    *("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|start_header_id|>", "<|eot_id|>", "<|START_OF_TURN_TOKEN|>"),
    *("<｜User｜>", "<｜end▁of▁sentence｜>", "[|assistant|]", "<s>", "</s>", "<bos>", "<eos>", "<unk>", "<pad>"),
    *("<start_of_turn>", "<end_of_turn>", "<unused12>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[SYSTEM_PROMPT]"),
    *("[TOOL_CALLS]", "[AVAILABLE_TOOLS]", "[gMASK]", "<sop>", "<think>", "</think>", "<tool_call>", "<seed:bos>"),
]


@pytest.mark.parametrize("name", NAMES)
def test_name_of_a_control_token_is_none_any_more_and_reads_the_same(name: str) -> None:
    written = as_text(f"a{name}b{name}")

    assert name not in written
    assert written.replace(" ", "") == f"a{name}b{name}"


@pytest.mark.parametrize(
    "text",
    [
        "経費は [1] を見る",
        "a < b > c | d",
        "<b>太字</b> <br/>",
        "[NOTE] x || y",
        "if (a<b) {}",
        "[TODO] <https://a.example/>",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert as_text(text) == text


@given(st.text(st.sampled_from("<>|/[] s｜INTim_"), max_size=30))
def test_nothing_is_left_of_a_name_however_it_is_nested(text: str) -> None:
    written = as_text(text)

    assert as_text(written) == written
    assert not any(name in written for name in NAMES)
    assert written.replace(" ", "") == text.replace(" ", "")


@given(st.text(max_size=40))
def test_tokens_are_estimated_of_any_text(text: str) -> None:
    assert len(text) / 4 <= len(estimated_tokens(text)) <= 2 * len(text)


def test_every_japanese_character_and_every_digit_is_a_token() -> None:
    assert len(estimated_tokens("窓口は2025年")) == 8
    assert len(estimated_tokens("Hello there")) == 4


def test_estimates_of_a_longer_chat_begin_like_those_of_the_shorter_one() -> None:
    chat = [ChatMessage("user", "Hello there"), ChatMessage("assistant", "Hi"), ChatMessage("user", "窓口")]

    shorter, longer = estimated_chat(chat[:1]), estimated_chat(chat)

    assert longer[: len(shorter)] == shorter
    assert len(set(longer)) > 5


@pytest.mark.parametrize(
    "body",
    [
        '{"object":"error","message":"This model\'s maximum context length is 6048 tokens. You asked for 6616"}',
        '{"error":{"code":400,"message":"the request exceeds the available context size. try increasing it"}}',
        '{"error":{"message":"x","type":"exceed_context_size_error","n_prompt_tokens":14429,"n_ctx":8192}}',
        '{"error":{"message":"the input length exceeds the context length","type":"api_error"}}',
        '{"error":{"message":"Your input is too long","code":"context_length_exceeded"}}',
    ],
)
@pytest.mark.parametrize("status", [400, 413, 500])
def test_servers_words_for_a_prompt_that_is_too_long_are_known(status: int, body: str) -> None:
    assert isinstance(refusal(status, {}, body), PromptTooLong)


@pytest.mark.parametrize(
    ("status", "kind"), [(429, ServerBusy), (503, ServerBusy), (500, ServerFailed), (504, ServerFailed)]
)
def test_what_may_be_asked_again_is_told_from_what_may_not(status: int, kind: type[Exception]) -> None:
    assert type(refusal(status, {}, "the prompt said: context")) is kind
    assert type(refusal(400, {}, "")) is GenerationFailed


def test_a_refusal_quotes_nothing_of_what_came() -> None:
    assert "secret question" not in str(refusal(400, {}, "secret question"))


@pytest.mark.parametrize(("asked", "seconds"), [("3", 3.0), ("", 0.0), ("soon", 0.0), ("999999", 60.0), ("-5", 0.0)])
def test_retry_after_is_kept_within_reason(asked: str, seconds: float) -> None:
    assert retry_after_s({"retry-after": asked}) == seconds


def test_retry_after_may_be_a_date() -> None:
    soon = email.utils.formatdate(time.time() + 30, usegmt=True)

    assert 20 < retry_after_s({"retry-after": soon}) <= 30
