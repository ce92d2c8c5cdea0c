"""Structured logs: one event a line, as JSON. No secret and no foreign raw text gets in.

Foreign text (a branch name, a title) is made one short, visible line; values that look like a
token are replaced, whatever key they came under.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

import structlog

from github_app.judge.text import excerpt

# GitHub's token prefixes, PEM blocks and bearer headers: github-platform section 4.2.
_SECRETS = re.compile(
    r"(gh[pousr]_[A-Za-z0-9_.-]{4,}|github_pat_\w+|eyJ[\w-]{8,}\.[\w.-]+"
    r"|-----BEGIN[^-]*-----.*|(?i:bearer|token)\s+\S{8,}|://[^/\s:@]+:[^/\s@]+@)",
    re.DOTALL,
)
_LONGEST = 300
# For commands whose output is for people: only what is wrong is logged.
QUIET = logging.ERROR


def configure(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Send every log line of this process, libraries' warnings included, to ``stream``."""
    target = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        harmless,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(sort_keys=True)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                harmless,
                structlog.processors.JSONRenderer(sort_keys=True),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


def get_logger(name: str) -> Any:  # noqa: ANN401 -- structlog's own type is Any
    return structlog.get_logger(part=name)


def harmless(
    _logger: object, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Make every value of a line short, one line, visible and free of secrets."""
    return {key: _clean(value) for key, value in line.items()}


def _clean(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in list(value)[:50]]
    return excerpt(_SECRETS.sub("[secret]", str(value)), _LONGEST)


def trace(error: BaseException) -> list[str]:
    """Where an unexpected error came from: files, lines and functions, none of the values."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames[-12:]]
