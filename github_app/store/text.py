"""Text and JSON as both databases can keep them: what is stored is what is read back."""

import hashlib
import json
from collections.abc import Mapping, Sequence

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


def clean(text: str) -> str:
    """``text`` with NUL and lone surrogates replaced by U+FFFD.

    PostgreSQL refuses the first and UTF-8 the second; both may come in a payload's escapes.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\x00", "\ufffd")


def canonical(value: Json) -> str:
    """The one JSON text of ``value``: sorted keys, no white space, not escaped beyond need.

    Equal values give equal bytes, so that a digest of it can be checked anywhere. NaN and
    infinities raise ValueError; what is not JSON raises TypeError.
    """
    return json.dumps(
        _cleaned(value),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def sha256(text: str) -> str:
    """64 hex digits over the UTF-8 bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def _cleaned(value: Json) -> Json:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_cleaned(item) for item in value]
    return value
