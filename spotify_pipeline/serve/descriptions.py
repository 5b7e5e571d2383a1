"""What routes take and give, for the OpenAPI document.

Belongs here: schemas and examples. Does not belong here: the routes.
"""

from typing import Any

import msgspec

from spotify_pipeline.serve.problems import PROBLEM_SCHEMA

__all__ = ["AUDIO_BODY", "ERRORS", "described", "json_of"]

_BINARY = {"type": "string", "format": "binary"}

_DOCUMENT_EXAMPLE = {"echoprintstring": "", "rhythmstring": "eJwzMFAwAAACQADh", "duration": 10.0}

AUDIO_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": _BINARY},
            "audio/*": {"schema": _BINARY},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": _BINARY},
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "echoprintstring": {"type": "string"},
                        "rhythmstring": {"type": "string"},
                        "duration": {"type": "number"},
                    },
                },
                "example": _DOCUMENT_EXAMPLE,
            },
        },
    }
}
"""A body that is a recording."""

_PROBLEM = {"content": {"application/problem+json": {"schema": dict(PROBLEM_SCHEMA)}}}

ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "The request can't be answered.", **_PROBLEM},
    "5XX": {"description": "The server can't answer.", **_PROBLEM},
}
"""What any route may answer."""


def json_of(record: type) -> dict[str, Any]:
    """Give the JSON Schema of a record, by itself."""
    (schema,), components = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    return {**schema, "$defs": components}


def described(
    schema: type | dict[str, Any], meaning: str, media_type: str = "application/json"
) -> dict[int | str, dict[str, Any]]:
    """Describe a route's answers: the good one's schema, and errors."""
    shape = schema if isinstance(schema, dict) else _inlined(json_of(schema))
    return {200: {"description": meaning, "content": {media_type: {"schema": shape}}}, **ERRORS}


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Put definitions where they are referred to: in OpenAPI, references are to the document."""
    definitions = schema.pop("$defs")

    def resolved(part: Any) -> Any:  # noqa: ANN401  # any JSON
        if isinstance(part, dict):
            if "$ref" in part:
                return resolved(definitions[part["$ref"].rpartition("/")[2]])
            return {key: resolved(value) for key, value in part.items()}
        return [resolved(each) for each in part] if isinstance(part, list) else part

    found: dict[str, Any] = resolved(schema)
    return found
