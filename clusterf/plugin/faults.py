"""pydantic's errors as faults of a document: each at its place, in words for people."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NoReturn, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from clusterf.model.problem import Code
from clusterf.model.quoting import quoted
from clusterf.plugin.document import Fault
from clusterf.plugin.positions import KeyPath

_KIND = "clusterf_fault"
_MANY = 12
"""More choices than this are not listed."""

_WANTED = {
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "a string",
    "list_type": "an array",
    "tuple_type": "an array",
    "set_type": "an array",
    "frozen_set_type": "an array",
    "dict_type": "a table",
    "mapping_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dataclass_type": "a table",
    "date_type": "a date",
    "datetime_type": "a date and time",
}
"""What was expected where a value is of another type."""

_BOUNDS = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "greater than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "multiple_of": "a multiple of {multiple_of}",
}

_SIZES = {
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
}


def did_you_mean(word: object, choices: Iterable[str], *, prefix: str = "") -> str:
    """A hint: the nearest choice, or all of them where there are few.

    What all choices begin with makes none of them nearer: it is given as ``prefix``.
    """
    names = sorted(choices)
    ends = [name.removeprefix(prefix) for name in names]
    near = difflib.get_close_matches(str(word).lower().removeprefix(prefix), ends, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{prefix}{near[0]}"?'
    if not names or len(names) > _MANY:
        return ""
    return "one of " + ", ".join(names) if len(names) > 1 else f"only {names[0]}"


def value_error(message: str, *, hint: str = "", code: str = Code.MALFORMED) -> PydanticCustomError:
    """For validators: what to raise so that message, hint and code reach the operator."""
    return PydanticCustomError(
        _KIND, "{message}", {"message": message, "hint": hint, "code": str(code)}
    )


def raise_faults(title: str, faults: Iterable[Fault]) -> NoReturn:
    """For validators of a whole structure: raise many faults, each with its place below."""
    raise ValidationError.from_exception_data(
        title,
        [
            InitErrorDetails(
                type=PydanticCustomError(
                    _KIND,
                    "{message}",
                    {"message": fault.message}
                    | {
                        "hint": fault.hint,
                        "code": str(fault.code),
                        "fault": fault,
                    },
                ),
                loc=fault.at,
                input=None,
            )
            for fault in faults
        ],
    )


def faults_of(error: ValidationError, model: type[BaseModel], data: object) -> list[Fault]:
    """Every fault that pydantic found in ``data``, at its path inside of it."""
    found: dict[tuple[KeyPath, str], Fault] = {}
    for details in error.errors(include_url=False):
        fault = _fault(details, model, data)
        key = (fault.at, fault.missing)
        before = found.get(key)
        if before is None:
            found[key] = fault
        elif before.code == fault.code == Code.WRONG_TYPE and fault.message != before.message:
            # One value, refused by each member of a union.
            wanted = fault.message.removeprefix("must be ")
            found[key] = Fault(
                fault.at, f"{before.message} or {wanted}", before.hint, Code.WRONG_TYPE
            )
        elif fault.code != Code.WRONG_TYPE and before.code == Code.WRONG_TYPE:
            found[key] = fault
    return list(found.values())


def _fault(details: ErrorDetails, model: type[BaseModel], data: object) -> Fault:
    kind, location = details["type"], details["loc"]
    context: Mapping[str, Any] = details.get("ctx", {})
    path, value = _follow(location, data)
    if kind == _KIND:
        carried = context.get("fault")
        if isinstance(carried, Fault):
            # The path of a carried fault ends the location; what is above is this location's.
            return Fault(
                path,
                carried.message,
                carried.hint,
                carried.code,
                carried.severity,
                carried.on_key,
                carried.missing,
            )
        return Fault(path, context["message"], context["hint"], context["code"])
    last = str(location[-1]) if location else ""
    if kind == "missing":
        return Fault(path, f'missing key "{last}"', code=Code.MISSING_KEY, missing=last)
    if kind == "extra_forbidden":
        hint = did_you_mean(last, _field_names(model, location[:-1]))
        return Fault(path, "unknown key", hint, Code.UNKNOWN_KEY, on_key=True)
    if kind in {"literal_error", "enum"}:
        choices = [choice.strip("'") for choice in _listed(str(context.get("expected", "")))]
        return Fault(
            path, f"unknown value {shown(value)}", did_you_mean(value, choices), Code.UNKNOWN_CHOICE
        )
    message, code = _worded(kind, details["msg"], context, value)
    return Fault(path, message, code=code, on_key=last == "[key]")


def _worded(kind: str, message: str, context: Mapping[str, Any], value: object) -> tuple[str, Code]:
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {shown(value)}", Code.WRONG_TYPE
    if kind in _BOUNDS:
        return f"must be {_BOUNDS[kind].format(**context)}, not {shown(value)}", Code.OUT_OF_RANGE
    if kind in _SIZES:
        return _SIZES[kind].format(**context), Code.OUT_OF_RANGE
    if "error" in context:
        return str(context["error"]) or message, Code.MALFORMED
    message = message.replace("Input should be", "must be").rstrip(".")
    return message[:1].lower() + message[1:], Code.MALFORMED


def shown(value: object) -> str:
    """A value as TOML would write it; tables and arrays by their kind only."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, (int, float)):
        # str() refuses integers of thousands of digits.
        return "a huge number" if isinstance(value, int) and abs(value) > 10**40 else str(value)
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    return str(value)


def _follow(location: Iterable[int | str], data: object) -> tuple[KeyPath, object]:
    """The part of a location that exists in the data, and the value there.

    pydantic puts the names of union members and of validators between the keys.
    """
    path: list[int | str] = []
    for part in location:
        table = isinstance(data, dict) and part in data
        array = isinstance(data, list) and isinstance(part, int) and 0 <= part < len(data)
        if table or array:
            data = data[part]  # type: ignore[index]
            path.append(part)
    return tuple(path), data


def _field_names(model: type[BaseModel], location: Iterable[int | str]) -> Collection[str]:
    """Names of the fields of the model (or models) at a location."""
    models = [model]
    for part in location:
        if not isinstance(part, str):
            continue
        below = [
            found
            for one in models
            if part in one.model_fields
            for found in _models_in(one.model_fields[part].annotation)
        ]
        models = below or models
    return {name for one in models for name in one.model_fields}


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _listed(expected: str) -> list[str]:
    return [word for part in expected.split(", ") for word in part.split(" or ") if word]
