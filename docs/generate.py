"""Write the generated parts of the reference: the command line, the C header, and JSON schemas.

MkDocs calls `on_page_markdown` for each page. The function replaces a comment such as
``<!-- generated: C header -->`` with the part of that name.
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

import edgeemo
from edgeemo.card import DetectorCard
from edgeemo.cli import cli

ROOT = Path(__file__).parent.parent
HEADER = ROOT / "cpp" / "include" / "edgeemo" / "edgeemo.h"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
PLAIN = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}

ITEM = re.compile(
    r"""
    (?:/\*(?P<comment>(?:(?!\*/).)*?)\*/[ ]*\n?)?
    (?P<code>
        ^\#define(?:\\\n|[^\n])*(?:\n\#define(?:\\\n|[^\n])*)*
      | ^typedef\ struct\ \w+\ \{.*?^\}\ (?P<struct>\w+);[^\n]*
      | ^typedef[^;{]*?(?P<alias>\w+);[^\n]*
      | ^EDGEEMO_API[^;]*?(?P<function>edgeemo_\w+)\([^;]*;[^\n]*
    )""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
"""One declaration of the header, and the comment right before it."""

Schema = dict[str, Any]


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the marks of generated parts; MkDocs calls this hook with the text of each page."""
    parts: dict[str, Callable[[], str]] = {
        "C header": c_header,
        "command line": command_line,
        "result schema": lambda: fenced(result_schema()),
        "card schema": lambda: fenced(card_schema()),
    }
    return re.sub(r"<!-- generated: (.+?) -->", lambda mark: parts[mark[1]](), markdown)


def fenced(schema: Schema) -> str:
    """Return a schema as a block of code."""
    return f"```json\n{json.dumps(schema, indent=2, ensure_ascii=False)}\n```"


def command_line() -> str:
    """Return a heading and the help of the command line and of each command."""
    context = click.Context(cli, info_name="edgeemo", max_content_width=96, terminal_width=96)
    parts = [f"```text\n{cli.get_help(context)}\n```"]
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context, terminal_width=96)
        parts.append(f"## edgeemo {name}\n\n```text\n{command.get_help(inner)}\n```")
    return "\n\n".join(parts)


def c_header(source: str | None = None) -> str:
    """Return the header as Markdown: a heading, the declaration and the comment before each declaration."""
    text = HEADER.read_text("utf-8") if source is None else source
    opening, body = re.match(r"/\*(.*?)\*/(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    body = re.sub(r"^#if(n?def|\s+defined).*?^#endif[^\n]*$", "", body, flags=re.DOTALL | re.MULTILINE)
    sections: dict[str, list[str]] = {"Constants": [], "Types": [], "Functions": []}
    for found in ITEM.finditer(body):
        code, comment = found["code"].strip(), prose(found["comment"] or "")
        if found["function"]:
            code = code.replace("EDGEEMO_API ", "").replace("\n            ", "\n")
        name = found["struct"] or found["alias"] or found["function"]
        kind = "Functions" if found["function"] else "Types" if name else "Constants"
        heading = f"### {name}\n\n" if name else ""
        about = f"{comment}\n\n" if comment else ""
        sections[kind].append(f"{heading}{about}```c\n{code}\n```")
    parts = [f"## {title}\n\n" + "\n\n".join(blocks) for title, blocks in sections.items()]
    return "\n\n".join([prose(opening), *parts])


def prose(comment: str) -> str:
    """Return the text of a C comment without its stars; paragraphs stay paragraphs."""
    lines = [re.sub(r"^\s*\*? ?", "", line) for line in comment.splitlines()]
    return "\n".join(lines).strip()


def result_schema() -> Schema:
    """Return the JSON schema of ``EmotionResult.to_dict()``, from one result of each modality."""
    found = [_of_value(result.to_dict()) for result in example_results()]
    schema = found[0]
    for other in found[1:]:
        schema = _merged(schema, other)
    names = {kind.__name__: kind for kind in PLAIN} | {"None": type(None)}
    for field, hint in edgeemo.EmotionResult.__annotations__.items():
        kinds = str(hint).split(" | ")
        if field in schema["properties"] and all(kind in names for kind in kinds):
            found_types = [PLAIN[names[kind]] for kind in kinds]
            schema["properties"][field] = {"type": found_types[0] if len(kinds) == 1 else found_types}
    return {"$schema": DRAFT, "title": "EmotionResult", **schema}


def example_results() -> list[edgeemo.EmotionResult]:
    """Return one result of the shipped text, voice and face bundles; the face has a given box.

    A second result of the voice has a burst, whether or not the shipped bundle hears bursts.
    """
    picture = np.full((96, 96, 3), 128, np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", edgeemo.LicenseWarning)
        text, voice, face = (edgeemo.Recognizer.open(name) for name in ("text", "voice", "face"))
    with text, voice, face:
        silence = voice.predict(np.zeros(16000, np.int16), rate_hz=16000)
        burst: dict[str, Any] = {"burst_labels": ("none",), "burst_probabilities": np.ones(1, np.float32)}
        burst |= {"burst_scores": silence.scores, "burst_valence": 0.0, "burst_arousal": 0.0}
        return [
            text.predict("What a day!"),
            silence,
            dataclasses.replace(silence, **burst),
            face.predict(picture, color="rgb", boxes=[(8.0, 8.0, 88.0, 88.0)]),
        ]


def card_schema() -> Schema:
    """Return the JSON schema of the file ``edgeemo.json``, from the types of both kinds of card."""
    kinds = [_of_class(edgeemo.ModelCard), _of_class(DetectorCard)]
    return {"$schema": DRAFT, "title": "edgeemo.json", "oneOf": kinds}


def _of_class(kind: type) -> Schema:
    hints = typing.get_type_hints(kind)
    names = [f for f in dataclasses.fields(kind) if not f.name.startswith("_")]
    needed = [
        f.name for f in names if f.default is f.default_factory is dataclasses.MISSING or f.name == "schema"
    ]
    return {
        "title": kind.__name__,
        "type": "object",
        "properties": {f.name: _of_type(hints[f.name]) for f in names},
        "required": needed,
        "additionalProperties": False,
    }


def _of_type(hint: Any) -> Schema:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _of_class(typing.cast("type", hint))
    if hint in PLAIN:
        return {"type": PLAIN[hint]}
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_of_type(one) for one in inner]}
    if origin is tuple and inner[-1] is Ellipsis:
        return {"type": "array", "items": _of_type(inner[0])}
    if origin is tuple:
        return {"type": "array", "prefixItems": [_of_type(one) for one in inner], "items": False}
    if origin and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of_type(inner[1])}
    return {}


def _of_value(value: Any) -> Schema:
    if isinstance(value, Mapping):
        names = {name: _of_value(inner) for name, inner in value.items()}
        if names and all(one == {"type": "number"} for one in names.values()):
            return {"type": "object", "additionalProperties": {"type": "number"}}
        return {"type": "object", "properties": names, "required": sorted(names)}
    if isinstance(value, list):
        return {"type": "array", "items": _of_value(value[0])} if value else {"type": "array"}
    return {"type": PLAIN[type(value)]}


def _merged(one: Schema, other: Schema) -> Schema:
    """Return a schema that takes what either takes; a field is required if both require it."""
    if one == other:
        return one
    if one.get("type") == other.get("type") == "object" and "properties" in one and "properties" in other:
        mine, theirs = one["properties"], other["properties"]
        names = {
            name: _merged(mine[name], theirs[name])
            if name in mine and name in theirs
            else mine.get(name, theirs.get(name))
            for name in [*mine, *(name for name in theirs if name not in mine)]
        }
        required = sorted({*one["required"]} & {*other["required"]})
        return {"type": "object", "properties": names, "required": required}
    if one.get("type") == other.get("type") == "array":
        return one if "items" in one else other
    kinds = {kind for schema in (one, other) for kind in _kinds(schema)}
    return {"type": sorted(kinds)}


def _kinds(schema: Schema) -> list[str]:
    return [schema["type"]] if isinstance(schema["type"], str) else list(schema["type"])
