"""The service that the fault tests run against."""

from tests.faults.fixtures import *  # noqa: F403 - pytest finds fixtures here only
