"""JSON inside a model's answer: found, parsed, and checked against its schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from automation.errors import ModelFailed

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


def fitting_json(text: str, schema: Mapping[str, object]) -> str:
    """Return the first JSON value in a text that fits a schema, as compact JSON text.

    Parameters
    ----------
    text : str
        A model's answer: JSON alone, in a code fence, or between other words.
    schema : mapping
        A JSON schema.

    Raises
    ------
    ModelFailed
        When there is none, with the first reason; or when the schema itself is wrong.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ModelFailed(f"the JSON schema of the question is not valid: {error.message}") from None
    validator = Draft202012Validator(schema)
    reason = "it holds no JSON"
    for place, value in enumerate(_values(text)):
        failure = next(validator.iter_errors(value), None)
        if failure is None:
            return json.dumps(value, ensure_ascii=False)
        if place == 0:
            where = ".".join(str(part) for part in failure.absolute_path)
            reason = f"{where}: {failure.message[:200]}" if where else failure.message[:200]
    raise ModelFailed(f"the model's answer does not fit the JSON schema: {reason}")


def _values(text: str) -> Iterator[object]:
    for candidate in (text.strip(), *(match[1].strip() for match in _FENCE.finditer(text))):
        try:
            yield json.loads(candidate)
        except json.JSONDecodeError:
            continue
    decoder = json.JSONDecoder()
    place = 0
    while match := re.compile(r"[{\[]").search(text, place):
        try:
            value, place = decoder.raw_decode(text, match.start())
        except json.JSONDecodeError:
            place = match.end()
        else:
            yield value
