"""Tests of the work."""

import pytest

pytest.register_assert_rewrite("tests.workers.message_path")  # so that a step that differs is shown with the difference
