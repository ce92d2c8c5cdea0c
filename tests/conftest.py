"""What every test begins with."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A command configures the logs of its process; in tests that process is everybody's."""
    yield
    structlog.reset_defaults()
