"""Fields and schemas: what the metadata table of a datasource holds."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pathlake.errors import FieldNotFoundError, InvalidNameError, suggestion

MAX_FIELD_NAME_BYTES = 256

RESERVED_NAMES = frozenset({"path", "datapoint_id", "dagshub_download_url"})
"""Columns of every result that are no fields: they cannot be written and need no definition."""


class FieldType(enum.StrEnum):
    """The type of a field; the first value given to a field fixes it."""

    INTEGER = "INTEGER"
    """64-bit signed integer."""
    FLOAT = "FLOAT"
    """64-bit floating point number; infinities allowed, NaN is "not given"."""
    BOOLEAN = "BOOLEAN"
    STRING = "STRING"
    BLOB = "BLOB"
    """Bytes, stored once by content; the value seen is the SHA-256 as 64 hex digits."""
    DATETIME = "DATETIME"
    """A moment in microseconds, UTC, beside the offset from UTC it was given with."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a datasource's metadata.

    Attributes:
        name: As people write it, case-sensitive.
        type: Type of a value, or of each element when `multiple`.
        multiple: Whether a value is a list.
        tags: What the values stand for (`image`, `annotation`, ...), sorted.
        description: Free text.
        automatic: Whether only scans write it.
    """

    name: str
    type: FieldType
    multiple: bool = False
    tags: tuple[str, ...] = ()
    description: str = ""
    automatic: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.type_name}"

    @property
    def type_name(self) -> str:
        """The type in words, `INTEGER` or `list of INTEGER`."""
        return f"list of {self.type}" if self.multiple else str(self.type)

    def with_tags(self, tags: Iterable[str]) -> Field:
        """Return this field with other tags."""
        return replace(self, tags=tuple(sorted(set(tags))))


PATH_FIELD = Field("path", FieldType.STRING, automatic=True)
DATAPOINT_ID_FIELD = Field("datapoint_id", FieldType.INTEGER, automatic=True)

AUTOMATIC_FIELDS: tuple[Field, ...] = (
    Field("size", FieldType.INTEGER, automatic=True, description="Size of the file in bytes."),
    Field("last_modified", FieldType.DATETIME, automatic=True, description="When the file last changed."),
    Field("media_type", FieldType.STRING, automatic=True, description="IANA media type, from the file's extension."),
    Field("etag", FieldType.STRING, automatic=True, description="Changes whenever the content changes."),
    Field("width", FieldType.INTEGER, automatic=True, description="Width of an image or video in pixels."),
    Field("height", FieldType.INTEGER, automatic=True, description="Height of an image or video in pixels."),
    Field("duration", FieldType.FLOAT, automatic=True, description="Length of audio or video in seconds."),
    Field("frame_rate", FieldType.FLOAT, automatic=True, description="Frames per second of a video."),
    Field("sample_rate", FieldType.INTEGER, automatic=True, description="Samples per second of audio, in Hz."),
    Field("channels", FieldType.INTEGER, automatic=True, description="Channels of audio."),
    Field(
        "pages", FieldType.INTEGER, automatic=True, description="Pages of a document or frames of a multi-page image."
    ),
)
"""The fields scans fill. Their names are taken in every datasource."""

AUTOMATIC_NAMES = frozenset(field.name for field in AUTOMATIC_FIELDS)


def checked_field_name(name: object) -> str:
    """Return `name` if a person may create a field of that name.

    Raises:
        InvalidNameError: It is no string, empty, too long, has control characters, or is reserved.
    """
    if not isinstance(name, str):
        raise InvalidNameError(f"A field name must be a string, not {type(name).__name__} ({name!r}).")
    if not name:
        raise InvalidNameError("A field name must not be empty.")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_FIELD_NAME_BYTES:
        raise InvalidNameError(f"The field name {name[:40]!r}... is longer than {MAX_FIELD_NAME_BYTES} bytes.")
    if any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in name):
        raise InvalidNameError(f"The field name {name!r} holds control characters or broken unicode.")
    if name in RESERVED_NAMES:
        raise InvalidNameError(f"{name!r} is not a metadata field but part of every datapoint; choose another name.")
    return name


@dataclass(frozen=True, slots=True)
class Schema:
    """The fields of a datasource, in the order they came into being."""

    fields: tuple[Field, ...] = ()

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __contains__(self, name: object) -> bool:
        return any(field.name == name for field in self.fields)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fields, in order."""
        return tuple(field.name for field in self.fields)

    def get(self, name: str) -> Field | None:
        """Return the field called `name`, or None."""
        return next((field for field in self.fields if field.name == name), None)

    def resolve(self, name: str) -> Field:
        """Return the field called `name`; `path` and `datapoint_id` resolve too.

        Raises:
            FieldNotFoundError: There is none; the message suggests the nearest name.
        """
        if name == "path":
            return PATH_FIELD
        if name == "datapoint_id":
            return DATAPOINT_ID_FIELD
        found = self.get(name)
        if found is None:
            raise FieldNotFoundError(
                f"There is no field {name!r}.{suggestion(name, ('path', *self.names))}",
                {"field": name, "known": list(self.names[:100])},
            )
        return found

    def with_field(self, field: Field) -> Schema:
        """Return a schema in which `field` is added, or takes the place of the one of its name."""
        if field.name in self:
            return Schema(tuple(field if known.name == field.name else known for known in self.fields))
        return Schema((*self.fields, field))
