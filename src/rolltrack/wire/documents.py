"""JSON Schemas and the AsyncAPI document, generated from the payload structs and the catalogue."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from rolltrack.wire.catalogue import KINDS, PARAMETERS, Kind, parameters_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ASYNCAPI = "3.0.0"
BINDING = "0.2.0"


def documents() -> dict[str, str]:
    """Every document: file name below docs/mqtt -> its text."""
    found = {f"schemas/{kind.name}.schema.json": _text(schema(kind)) for kind in KINDS}
    return found | {"asyncapi.json": _text(asyncapi())}


def schema(kind: Kind) -> dict[str, Any]:
    """The JSON Schema of one kind's payload. Unknown keys are allowed: they may be added."""
    title = {"$schema": DIALECT, "title": kind.schema or kind.name}
    if kind.payload is None:
        return title | {"description": kind.summary, "enum": list(kind.words)}
    return title | {"description": kind.summary} | msgspec.json.schema(kind.payload)


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3 document of all topics."""
    payloads = [kind.payload for kind in KINDS if kind.payload is not None]
    _, schemas = msgspec.json.schema_components(
        payloads, ref_template="#/components/schemas/{name}"
    )
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "rolltrack",
            "version": "1.0.0",
            "description": "Rolling speed, strokes and sessions over MQTT.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "channels": {kind.name: _channel(kind) for kind in KINDS},
        "operations": {_operation_name(kind): _operation(kind) for kind in KINDS},
        "components": {
            "messages": {kind.name: _message(kind) for kind in KINDS},
            "schemas": schemas,
        },
    }


def _channel(kind: Kind) -> dict[str, Any]:
    return {
        "address": kind.topic,
        "description": kind.summary,
        "parameters": {
            name: {"description": PARAMETERS[name]} for name in parameters_of(kind.topic)
        },
        "messages": {kind.name: {"$ref": f"#/components/messages/{kind.name}"}},
    }


def _operation_name(kind: Kind) -> str:
    verb = "say" if kind.publisher == "service" else "hear"
    return f"{verb}-{kind.name}"


def _operation(kind: Kind) -> dict[str, Any]:
    """As the service sees it: it sends what it says, and receives what others do."""
    binding: dict[str, Any] = {"qos": kind.qos, "retain": kind.retain, "bindingVersion": BINDING}
    if kind.expiry_s is not None:
        binding["messageExpiryInterval"] = kind.expiry_s
    return {
        "action": "send" if kind.publisher == "service" else "receive",
        "channel": {"$ref": f"#/channels/{kind.name}"},
        "summary": kind.summary,
        "messages": [{"$ref": f"#/channels/{kind.name}/messages/{kind.name}"}],
        "bindings": {"mqtt": binding},
    }


def _message(kind: Kind) -> dict[str, Any]:
    if kind.payload is None:
        payload: dict[str, Any] = {"type": "string", "enum": list(kind.words)}
        return {"name": kind.name, "contentType": "text/plain", "payload": payload}
    name = kind.payload.__name__
    payload = {"$ref": f"#/components/schemas/{name}"}
    return {"name": kind.schema, "contentType": "application/json", "payload": payload}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(_tidy(document), indent=1, ensure_ascii=False) + "\n"


def _tidy(value: Any) -> Any:
    """Descriptions come from docstrings, with the indentation and the line breaks of the code."""
    if isinstance(value, list):
        return [_tidy(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _one_paragraph(each) if key == "description" and isinstance(each, str) else _tidy(each)
        for key, each in value.items()
    }


def _one_paragraph(text: str) -> str:
    return " ".join(text.replace("`", "").split())
