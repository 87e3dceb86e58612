"""Tables on Slack: a list whose items name their columns."""

import time

import pytest

from bot.slack.blocks import message
from bot.slack.tables import MAX_CHARS, with_lists_for_tables

TABLE = "| 等級 | 日当 | 宿泊 |\n|:--|--:|---|\n| 一般 | 2,500円 | 12,000円 |\n| 役員 | 5,000円 | |"


def test_each_row_is_an_item_that_names_its_columns():
    assert with_lists_for_tables(f"上限です。\n\n{TABLE}\n\n以上です。") == (
        "上限です。\n\n- **一般** — 日当: 2,500円 / 宿泊: 12,000円\n- **役員** — 日当: 5,000円\n\n以上です。"
    )


def test_what_is_sent_to_slack_has_no_table():
    assert "|" not in message(TABLE, [])["blocks"][0]["text"]


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{TABLE}\n```",
        "| 行 | だけ |",
        "| 見出し |\n| --- |",
        "a | b\n--- | ---\nc | d",
        "**太字**と`コード`\n\n- 一\n- 二\n  1. 三",
        "",
    ],
)
def test_anything_else_stays_as_it_is(text):
    assert with_lists_for_tables(text) == text


def test_bars_within_cells_and_rows_of_other_lengths_lose_nothing():
    listed = with_lists_for_tables("| a | b |\n|---|---|\n| 1 \\| 2 | 3 | 4 |\n| 5 |")

    assert listed == "- **1 | 2** — b: 3 / 4\n- **5**"


def test_a_table_whose_list_would_be_too_long_stays():
    text = f"| x | {'長い見出し' * 100} |\n|---|---|\n" + "| 1 | 2 |\n" * 300

    assert with_lists_for_tables(text) == text
    assert len(text) < MAX_CHARS


@pytest.mark.parametrize("text", ["|" * 8_000, "| a |\n|---|\n" * 900, "|-" * 4_000 + "\n" + "|-" * 4_000])
def test_hostile_text_takes_no_time(text):
    began = time.process_time()

    with_lists_for_tables(text)

    assert time.process_time() - began < 0.5
