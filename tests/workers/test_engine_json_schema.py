"""What a JSON schema becomes, and which ones are refused, without a model."""

from __future__ import annotations

from typing import Any

import pytest

from workers.engine.json_schema import gbnf_of
from workers.generation import ConstraintInvalid


def root(schema: dict[str, Any]) -> str:
    first = gbnf_of(schema).splitlines()[0]
    assert first.startswith("root ::= ")
    return first.removeprefix("root ::= ")


def test_object_has_its_keys_in_the_order_of_the_schema_and_in_their_own_letters() -> None:
    schema = {"type": "object", "properties": {"窓口": {"type": "string"}, "a": {"type": "null"}}}

    rule = root({**schema, "required": ["a", "窓口"], "additionalProperties": False})

    assert rule == r'"{" "\"窓口\"" colon string comma "\"a\"" colon null "}"'


@pytest.mark.parametrize(
    ("lengths", "rule"),
    [
        ({}, '"[" (integer (comma integer){0,})? "]"'),
        ({"minItems": 1}, '"[" integer (comma integer){0,} "]"'),
        ({"minItems": 2, "maxItems": 3}, '"[" integer (comma integer){1,2} "]"'),
        ({"maxItems": 0}, '"[" "]"'),
        ({"maxItems": 1}, '"[" (integer (comma integer){0,0})? "]"'),
    ],
)
def test_array_has_as_many_items_as_it_may(lengths: dict[str, int], rule: str) -> None:
    assert root({"type": "array", "items": {"type": "integer"}, **lengths}) == rule


def test_string_has_as_many_characters_as_it_may() -> None:
    assert root({"type": "string", "maxLength": 9}) == r'"\"" char{0,9} "\""'


def test_value_is_written_exactly_so() -> None:
    assert root({"enum": ['a"\\\n', 1, None]}) == r'("\"a\\\"\\\\\\n\"" | "1" | "null")'


def test_definition_may_refer_to_itself() -> None:
    tree = {"type": "array", "items": {"$ref": "#/$defs/tree"}}

    rules = gbnf_of({"$ref": "#/$defs/tree", "$defs": {"tree": tree}}).splitlines()

    assert rules[:2] == ["root ::= definition-0", 'definition-0 ::= "[" (definition-0 (comma definition-0){0,})? "]"']


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "date"},
        {"type": "integer", "minimum": 3},
        {"type": "string", "pattern": "^a$"},
        {"type": ["string", "null"], "maxLength": 3},
        {"type": "string", "minLength": 3, "maxLength": 2},
        {"type": "string", "maxLength": "many"},
        {"type": "array"},
        {"type": "object", "properties": {"a": {"type": "null"}}},
        {"type": "object", "properties": {}, "required": ["a"]},
        {"type": "object", "properties": {}, "additionalProperties": True},
        {"enum": []},
        {"const": float("nan")},
        {"$ref": "https://example.com/schema"},
        {"$ref": "#/$defs/missing"},
        {"anyOf": [3]},
        [],
        None,
    ],
)
def test_schema_that_cannot_be_kept_to_is_refused(schema: Any) -> None:
    with pytest.raises(ConstraintInvalid):
        gbnf_of(schema)
