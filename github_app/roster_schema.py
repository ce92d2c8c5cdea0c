"""The JSON Schema of ``reviewers.yaml``, made from the table that the loader reads by.

A schema cannot say everything: that a level exists, that days are in order, that a pattern is one.
Where it cannot, it accepts and the loader refuses; it never refuses what the loader accepts.
"""

from typing import Any

from github_app.judge.roster_model import LAYER, ROSTER
from github_app.judge.shape import (
    Choice,
    Either,
    Flag,
    Listed,
    Named,
    Record,
    Shape,
    Text,
    Whole,
)

Schema = dict[str, Any]


def schema(*, layer: bool = False) -> Schema:
    """JSON Schema 2020-12 for an organisation's roster, or for a repository's layer."""
    title = "A repository's own reviewers.yaml" if layer else "reviewers.yaml"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{title} of Countersign",
        **_schema(LAYER if layer else ROSTER),
    }


def _schema(shape: Shape) -> Schema:
    said: Schema = {"description": shape.about} if shape.about else {}
    return said | _form(shape)


def _form(shape: Shape) -> Schema:
    match shape:
        case Text():
            return _text(shape)
        case Whole(least=least, most=most) if least == most:
            return {"const": least}
        case Whole():
            return {"type": "integer", "minimum": shape.least, "maximum": shape.most}
        case Flag():
            return {"type": "boolean"}
        case Choice():
            return {"enum": list(shape.values)}
        case Listed():
            unique = {"uniqueItems": True} if shape.distinct else {}
            return {"type": "array", "items": _schema(shape.of), "minItems": 1} | unique
        case Named():
            return {
                "type": "object",
                "propertyNames": _text(shape.names),
                "additionalProperties": _schema(shape.of),
                "minProperties": 1,
            }
        case Either():
            return {"anyOf": [_schema(shape.short), _schema(shape.full)]}
        case Record():
            return _record(shape)


def _text(shape: Text) -> Schema:
    if shape.flowing:  # its line breaks are folded before it is measured
        return {"type": "string"}
    limits = {"type": "string", "minLength": 1, "maxLength": shape.longest}
    return limits if shape.pattern == ".+" else {**limits, "pattern": f"^(?:{shape.pattern})$"}


def _record(shape: Record) -> Schema:
    required = {"required": list(shape.required)} if shape.required else {}
    return {
        "type": "object",
        "properties": {key: _schema(field) for key, field in shape.fields.items()},
        "additionalProperties": False,
    } | required
