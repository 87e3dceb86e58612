"""The service that the tests of the whole run against."""

from tests.faults.fixtures import *  # noqa: F403 - pytest finds fixtures here only
