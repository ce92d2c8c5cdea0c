"""Reads the catalogue of AI tools that ships with the package."""

from functools import cache
from importlib.resources import files

import yaml

from github_app.judge.catalogue import Catalogue
from github_app.judge.catalogue_reader import parse_catalogue
from github_app.judge.errors import CatalogueError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def shipped_catalogue() -> Catalogue:
    """``judge/signatures.yaml``, checked. Raises :class:`CatalogueError` if it is damaged."""
    return read_catalogue(files("github_app.judge").joinpath("signatures.yaml").read_text("utf-8"))


def read_catalogue(text: str) -> Catalogue:
    """The catalogue in ``text``. Raises :class:`CatalogueError` for bad YAML and bad content."""
    try:
        data = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, written in C
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "somewhere"
        raise CatalogueError(f"not YAML, {where}") from error
    return parse_catalogue(data)
