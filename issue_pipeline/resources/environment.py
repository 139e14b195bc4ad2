"""From environment variables to validated settings.

A setting is declared once, as a typed field with its default and its bounds: either of a resource
or source (``PREFIX_FIELD`` is its variable), or of a subclass of :class:`FromEnvironment`.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, time
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as bounds
import dagster as dg
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.utils.urls import without_user_info

_CLOCK_CHARS = len("00:00")
_ADDRESS = "_URL"
# Type of an error whose value is not shown.
_HIDDEN = "hidden"
_YES_NO = {"yes": True, "no": False}


class FromEnvironment(BaseSettings):
    """Settings read from the environment when an object is made: a field by its name in capitals.

    Space around a value is dropped, and a blank variable counts as not set.
    """

    model_config = SettingsConfigDict(
        alias_generator=str.upper,
        case_sensitive=True,
        enable_decoding=False,
        extra="ignore",
        validate_default=False,
        frozen=True,
        protected_namespaces=(),
    )

    def __init__(self) -> None:
        """Read and validate.

        Raises:
            ConfigurationError: Variables are malformed; the message names each, with what was
                expected.
        """
        try:
            super().__init__()
        except ValidationError as error:
            # Not chained: pydantic's own message repeats what the variables hold.
            raise ConfigurationError(_message(error, type(self).model_fields)) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment only."""
        return (env_settings,)

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, values: Mapping[str, str]) -> dict[str, str]:
        return {name: text.strip() for name, text in values.items() if text.strip()}


def read_setting(name: str, kind: Any, default: Any) -> Any:  # noqa: ANN401  (any type of value)
    """Return the value of one variable.

    Args:
        name: Of the variable.
        kind: Type to read it as, such as ``Clock``.
        default: Where it is not set.

    Raises:
        ConfigurationError: It is malformed.
    """
    return _read({name: (kind, FieldInfo())}).get(name, default)


def read_fields(
    model: type[BaseModel],
    prefix: str,
    *,
    choices: Mapping[str, Sequence[str]] | None = None,
    without: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the fields of a model that the environment sets, validated; others are left out.

    Args:
        model: A resource, or the configuration of a source. The variable of a field is
            ``PREFIX_FIELD``: a text, a number, a yes or no (``bool``), or names between commas
            (``list[str]``). Fields with ``repr=False`` are secrets: what is returned of them
            carries only the name of their variable.
        prefix: In capitals.
        choices: The values allowed for a field that is typed ``str``.
        without: Fields that are no settings.

    Raises:
        ConfigurationError: A variable is malformed; the message names it.
    """
    variables = {
        f"{prefix}_{name.upper()}": (
            Literal[tuple(choices[name])] if choices and name in choices else field.annotation,
            field,
        )
        for name, field in model.model_fields.items()
        if name not in without
    }
    found = _read(variables)
    return {
        name: found[variable]
        for name in model.model_fields
        if (variable := f"{prefix}_{name.upper()}") in found
    }


def _read(variables: Mapping[str, tuple[Any, FieldInfo]]) -> dict[str, Any]:
    """Return the values of those variables that are set, by name; secrets as ``dg.EnvVar``."""
    fields: dict[str, Any] = {}
    for name, (kind, field) in variables.items():
        limited: Any = Annotated
        read: Any = (
            limited[(_from_text(kind), *field.metadata)] if field.metadata else _from_text(kind)
        )
        if name.endswith(_ADDRESS):
            read = Annotated[read, AfterValidator(check_user_info)]
        fields[name.lower()] = (read, Field(default=None, repr=field.repr))
    values = create_model("Variables", __base__=FromEnvironment, **fields)()
    return {
        name: getattr(values, name.lower()) if field.repr else dg.EnvVar(name)
        for name, (_, field) in variables.items()
        if name.lower() in values.model_fields_set
    }


def _from_text(kind: Any) -> Any:  # noqa: ANN401
    """Return a type that reads text as people write it in a variable."""
    plain = _plain(kind)
    if plain is bool:
        return YesNo
    if plain is float:
        return Annotated[kind, AfterValidator(_finite)]
    if get_origin(plain) is list:
        return Names
    return kind


def _plain(kind: Any) -> Any:  # noqa: ANN401
    """Return the type without ``None`` and annotations."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        others = [one for one in get_args(kind) if one is not type(None)]
        return _plain(others[0]) if len(others) == 1 else kind
    return kind


def wrong(expected: str) -> PydanticCustomError:
    """Return the error of a validator, which says what was expected: "a time such as 06:00"."""
    return PydanticCustomError("expected", "{expected}", {"expected": expected})


def check_user_info(address: object) -> object:
    """Accept an address unless it holds ``user:password@``, which the UI and logs would show."""
    if isinstance(address, str) and without_user_info(address) != address:
        raise PydanticCustomError(
            _HIDDEN,
            "an address without user info (user:password@): the Dagster UI shows addresses. Secrets"
            " have settings of their own",
        )
    return address


def _finite(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ValueError
    return value


def _names(text: object) -> object:
    if not isinstance(text, str):
        return text
    return [part.strip() for part in text.split(",") if part.strip()]


def _yes_or_no(text: object) -> object:
    if isinstance(text, str):
        if text not in _YES_NO:
            raise ValueError
        return _YES_NO[text]
    return text


def _clock(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        if len(text) == _CLOCK_CHARS and text.isascii():
            return time.fromisoformat(text)
    except ValueError:
        pass
    raise wrong("a time (UTC) such as 06:00")


def _day(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise wrong("a day such as 2026-01-01") from None


Names = Annotated[list[str], BeforeValidator(_names)]
YesNo = Annotated[bool, BeforeValidator(_yes_or_no)]
Clock = Annotated[time, BeforeValidator(_clock)]
Day = Annotated[date, BeforeValidator(_day)]


def _message(error: ValidationError, fields: Mapping[str, FieldInfo]) -> str:
    by_variable = {str(field.alias): field for field in fields.values()}
    problems = []
    for problem in error.errors():
        name = str(problem["loc"][0])
        is_shown = by_variable[name].repr and problem["type"] != _HIDDEN
        value = f"is {problem['input']!r}" if is_shown else "has a wrong value"
        problems.append(f"{name} {value}; expected {_expected(problem, by_variable)}.")
    return " ".join(problems)


def _expected(problem: Any, fields: Mapping[str, FieldInfo]) -> str:  # noqa: ANN401
    """Return what a variable should be, from the type and the bounds of its field."""
    if problem["type"] in ("expected", _HIDDEN):
        return str(problem["msg"])
    field = fields[problem["loc"][0]]
    kind = _plain(field.annotation)
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if kind is bool:
        return f"one of {', '.join(_YES_NO)}"
    if kind in (int, float):
        return _number(kind, field.metadata)
    return str(problem["msg"])


def _number(kind: type, limits: Sequence[object]) -> str:
    said = "a whole number" if kind is int else "a number"
    for limit in limits:
        if isinstance(limit, bounds.Gt):
            return f"{said} above {limit.gt}"
        if isinstance(limit, bounds.Ge):
            return f"{said} of at least {limit.ge}"
    return said
