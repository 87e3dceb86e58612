"""Tests of the work."""

import pytest

pytest.register_assert_rewrite(
    "tests.workers.message_path", "tests.workers.people"
)  # so that a step that differs is shown with the difference
