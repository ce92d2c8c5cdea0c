"""The pictures of the documentation are of the real program, can be taken again, and are shown."""

import os
import struct
from pathlib import Path

import pytest

from sandbox.tools.pictures import NAMES, PICTURES, SETUP, browser_binary, take, take_setup
from tests.markdown import PAGES, ROOT

IMAGES = ROOT / "docs/images"


def size(picture: Path) -> tuple[int, int]:
    """Width and height, from the header of a PNG."""
    head = picture.read_bytes()[:24]
    assert head.startswith(b"\x89PNG\r\n\x1a\n"), picture.name
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def test_every_picture_is_made_by_the_tool_and_shown_on_a_page() -> None:
    names = set(NAMES)
    assert {path.name for path in IMAGES.iterdir()} == names
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert not [name for name in names if f"images/{name}" not in text]


@pytest.mark.browser
def test_every_picture_can_be_taken_again(tmp_path: Path) -> None:
    binary = browser_binary()
    if binary is None:
        problem = "no browser on this machine"
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
    take(tmp_path, binary)
    take_setup(tmp_path, binary)
    assert size(tmp_path / SETUP)[1] > 300
    for picture in PICTURES:
        if picture.check_only:  # its height is the text's
            assert size(tmp_path / picture.name)[1] > 300
        else:
            assert size(tmp_path / picture.name) == size(IMAGES / picture.name)
