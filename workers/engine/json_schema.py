"""From a JSON schema to the GBNF grammar of the texts that it describes.

llama-cpp-python brings a converter, but that one passes over what it does not know (`minimum`, `maxLength` beside a
list of types), lets line breaks into strings, which is no JSON, and has Japanese keys written as escapes. Here every
text of the grammar is valid, and a schema that cannot be kept to is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from workers.generation import ConstraintInvalid

Schema = Mapping[str, Any]

_PLAIN_RULES = r"""
char ::= [^"\\\x00-\x1F\x7F] | "\\" ["\\/bfnrt]
string ::= "\"" char* "\""
integer ::= "-"? ("0" | [1-9] [0-9]{0,14})
number ::= integer ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?
boolean ::= "true" | "false"
null ::= "null"
comma ::= "," " "?
colon ::= ":" " "?
"""
_SAYS_NOTHING = {"title", "description", "$schema", "$defs", "default", "examples"}
_MEANS = {
    "string": {"minLength", "maxLength"},
    "array": {"items", "minItems", "maxItems"},
    "object": {"properties", "required", "additionalProperties"},
    **dict.fromkeys(("integer", "number", "boolean", "null"), frozenset[str]()),
}
"""The keywords that can be kept to, by type."""
_DEFINITIONS = "#/$defs/"


def gbnf_of(schema: Schema) -> str:
    """The grammar of the JSON texts that a schema describes, on one line each, keys in the order of the schema.

    Known are const, enum, anyOf, $ref into $defs, strings and arrays with their lengths, numbers, and objects of which
    every property is required (what may be missing is `anyOf` it and null).

    Raises:
        ConstraintInvalid: it says something else too, which could not be kept to.
    """
    try:
        return _Rules(schema).text
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise ConstraintInvalid(f"no JSON schema: {error}") from error


class _Rules:
    """The rules of a grammar, one for each definition that is referred to."""

    def __init__(self, schema: Schema) -> None:
        self._definitions: Schema = schema.get("$defs", {})
        self._names: dict[str, str] = {}
        self._rules = [f"root ::= {self._form(schema)}"]
        for definition, name in self._names.items():  # a definition may name further ones meanwhile
            self._rules.append(f"{name} ::= {self._form(self._definitions[definition])}")

    @property
    def text(self) -> str:
        return "\n".join(self._rules) + _PLAIN_RULES

    def _form(self, schema: Schema) -> str:
        """The right side of a rule for a schema."""
        match {key: value for key, value in schema.items() if key not in _SAYS_NOTHING}:
            case {"const": value, **rest} if not rest:
                return _literal(value)
            case {"enum": [_, *_] as values, **rest} if not rest.keys() - {"type"}:
                return _either(_literal(value) for value in values)
            case {"anyOf": [_, *_] as schemas, **rest} if not rest:
                return _either(self._form(one) for one in schemas)
            case {"$ref": str(reference), **rest} if not rest:
                return self._reference(reference)
            case {"type": [_, *_] as types, **rest} if not rest:
                return _either(self._form({"type": one}) for one in types)
            case {"type": str(kind), **rest} if kind in _MEANS and not rest.keys() - _MEANS[kind]:
                return self._of_type(kind, rest)
            case said:
                raise ConstraintInvalid(f"a schema with {', '.join(said) or 'nothing'} cannot be kept to")

    def _of_type(self, kind: str, said: Schema) -> str:
        if kind == "object":
            return self._object(said)
        if kind == "array":
            return self._array(said)
        if said:
            return rf'"\"" char{_times(said.get("minLength", 0), said.get("maxLength"))} "\""'
        return kind

    def _object(self, said: Schema) -> str:
        properties: Schema = said.get("properties", {})
        if set(said.get("required", ())) != set(properties) or said.get("additionalProperties", False) is not False:
            raise ConstraintInvalid("every property of an object must be required, and others are not possible")
        pairs = [f"{_literal(name)} colon {self._form(value)}" for name, value in properties.items()]
        return " ".join(['"{"', " comma ".join(pairs), '"}"'])

    def _array(self, said: Schema) -> str:
        least, most = said.get("minItems", 0), said.get("maxItems")
        item = self._form(said["items"])
        if most == 0:
            return '"[" "]"'
        more = _times(max(least - 1, 0), None if most is None else most - 1)
        items = f"{item} (comma {item}){more}"
        return f'"[" {items} "]"' if least else f'"[" ({items})? "]"'

    def _reference(self, reference: str) -> str:
        definition = reference.removeprefix(_DEFINITIONS)
        if not reference.startswith(_DEFINITIONS) or definition not in self._definitions:
            raise ConstraintInvalid(f"{reference} is not among the $defs")
        return self._names.setdefault(definition, f"definition-{len(self._names)}")


def _literal(value: object) -> str:
    """A value's JSON, to be written exactly so."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'


def _either(forms: Iterable[str]) -> str:
    return f"({' | '.join(forms)})"


def _times(least: int, most: int | None) -> str:
    """How often what stands before may come."""
    if not (isinstance(least, int) and least >= 0 and (most is None or (isinstance(most, int) and most >= least))):
        raise ConstraintInvalid(f"from {least} to {most} is no length")
    return f"{{{least},{'' if most is None else most}}}"
