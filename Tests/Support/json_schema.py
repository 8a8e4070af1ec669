"""Docs/JSON.schema.json, as far as it uses JSON Schema: for the checks of Tests that are written in Python."""
import json
import os
import re

KNOWN = {
    "$ref", "oneOf", "type", "const", "enum", "properties", "required", "additionalProperties", "minimum", "maximum",
    "pattern", "items"}
TYPES = {
    "null": lambda value: value is None, "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, dict), "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool)}

_path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "Docs", "JSON.schema.json")
with open(_path, encoding="utf-8") as _file:
    ROOT = json.load(_file)


def faults(value, schema=None, place="line"):
    """Why a line is not what the schema says; empty = it is."""
    schema = ROOT if schema is None else schema
    if "$ref" in schema:
        return faults(value, ROOT["$defs"][schema["$ref"].removeprefix("#/$defs/")], place)
    if "oneOf" in schema:
        outcomes = [faults(value, choice, place) for choice in schema["oneOf"]]
        # The choice with the fewest faults is the one that was meant.
        return [] if outcomes.count([]) == 1 else min(outcomes, key=len) or [f"{place}: several choices fit"]
    found = []
    if place != "line":
        found += [f"{place}: the schema's {key} is not checked" for key in set(schema) - KNOWN]
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(TYPES[name](value) for name in types):
        found.append(f"{place}: {value!r} is not {types}")
    allowed = schema.get("enum", []) + ([schema["const"]] if "const" in schema else [])
    if allowed and value not in allowed:
        found.append(f"{place}: {value!r} is none of {allowed}")
    if TYPES["number"](value) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{place}: {value} is out of range")
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{place}: {value} does not match {schema['pattern']}")
    if isinstance(value, list) and "items" in schema:
        for member in value:
            found += faults(member, schema["items"], place + "[]")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{place}: {key} is missing" for key in schema.get("required", []) if key not in value]
        for key, member in value.items():
            if key in properties:
                found += faults(member, properties[key], f"{place}.{key}")
            elif schema.get("additionalProperties") is False:
                found.append(f"{place}: {key} is not in the schema")
    return found
