"""The small words of every report: lists of names, plurals, headings with their lines."""

from collections.abc import Iterable


def some_of(number: int, names: list[str]) -> str:
    """Whom to ask where so many of them have to: all of them, or any."""
    if number == 1:
        return either(names)
    return all_of(names) if number >= len(names) else f"{number} of {all_of(names)}"


def all_of(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def plural_s(count: int) -> str:
    return "" if count == 1 else "s"


def section(heading: str, lines: Iterable[str], most: int) -> str:
    """A heading and its lines: the first ``most`` of them, and how many more there are."""
    listed = list(lines)
    shown = [f"- {line}" for line in listed[:most]]
    left = len(listed) - most
    if left > 0:
        shown.append(f"- and {left} more")
    return "\n".join([f"#### {heading}", "", *shown])


def behind(number: str) -> str:
    """How far an older commit is behind the head."""
    return f"{number} commit{plural_s(int(number))}"
