"""Editing fields: type, tags and description."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from pathlake.errors import AutomaticFieldError, FieldNotFoundError, FieldTypeError, UsageError
from pathlake.types import AUTOMATIC_NAMES, Field, FieldType, checked_field_name

if TYPE_CHECKING:
    from pathlake.client.source import Source

ThumbnailType = Literal["video", "audio", "image", "pdf", "text"]
THUMBNAIL_TYPES: tuple[ThumbnailType, ...] = get_args(ThumbnailType)

_BY_CLASS: dict[object, FieldType] = {
    int: FieldType.INTEGER,
    float: FieldType.FLOAT,
    bool: FieldType.BOOLEAN,
    str: FieldType.STRING,
    bytes: FieldType.BLOB,
    dt.datetime: FieldType.DATETIME,
}


class MetadataFieldBuilder:
    """Collects changes to one field until `apply` sends them; `ds.metadata_field(name)` makes one.

    Example:
        >>> ds.metadata_field("labels").set_type(list[str]).set_description("what is seen").apply()
    """

    def __init__(self, source: Source, field_name: str) -> None:
        self._source = source
        self._name = checked_field_name(field_name)
        if field_name in AUTOMATIC_NAMES:
            raise AutomaticFieldError(f"The field {field_name!r} is filled by scans and cannot be changed.")
        self._stored = source.refresh().schema.get(field_name)
        self._field = self._stored

    def __repr__(self) -> str:
        return f"<MetadataFieldBuilder {self._field or self._name}>"

    @property
    def schema(self) -> Field:
        """The field with the changes so far.

        Raises:
            FieldNotFoundError: The field is new and has no type yet.
        """
        if self._field is None:
            raise FieldNotFoundError(
                f"There is no field {self._name!r} in {self._source.name!r}. To create it, call set_type() first."
            )
        return self._field

    def set_type(self, t: object) -> MetadataFieldBuilder:
        """Set the type of a new field.

        Args:
            t: `int`, `float`, `bool`, `str`, `bytes`, `datetime`, a `FieldType` or its name; `list[...]` of these.

        Raises:
            FieldTypeError: The field exists with another type; that never changes.
        """
        kind, multiple = _type_of(t)
        if self._stored is not None and (self._stored.type, self._stored.multiple) != (kind, multiple):
            wanted = Field(self._name, kind, multiple)
            raise FieldTypeError(
                f"The field {self._name!r} is {self._stored.type_name} and cannot become {wanted.type_name}: "
                "the type of a field never changes."
            )
        self._field = self._field or Field(self._name, kind, multiple)
        return self

    def set_description(self, text: str) -> MetadataFieldBuilder:
        """Set what people should know of the field."""
        self._field = replace(self.schema, description=text)
        return self

    def set_tags(self, tags: Iterable[str]) -> MetadataFieldBuilder:
        """Set the tags, in place of all others."""
        self._field = self.schema.with_tags(tags)
        return self

    def set_annotation(self, is_annotation: bool = True) -> MetadataFieldBuilder:  # noqa: FBT001, FBT002 - official
        """Say whether the field holds annotations."""
        return self._tagged({"annotation"} if is_annotation else set(), without={"annotation"})

    def set_thumbnail(
        self,
        thumbnail_type: ThumbnailType | None = None,
        is_thumbnail: bool = True,  # noqa: FBT001, FBT002 - the official signature
    ) -> MetadataFieldBuilder:
        """Say whether the field is shown as a thumbnail, and of which type."""
        if is_thumbnail and thumbnail_type not in THUMBNAIL_TYPES:
            raise UsageError(f"The type of a thumbnail is one of {', '.join(THUMBNAIL_TYPES)}, not {thumbnail_type!r}.")
        tags = {"thumbnail_viz", str(thumbnail_type)} if is_thumbnail else set()
        return self._tagged(tags, without={"thumbnail_viz", *THUMBNAIL_TYPES})

    def apply(self) -> None:
        """Send the changes."""
        self._source.api.update_fields(self._source.id, [self.schema])
        self._source.refresh()

    def _tagged(self, tags: set[str], *, without: set[str]) -> MetadataFieldBuilder:
        return self.set_tags((set(self.schema.tags) - without) | tags)


def _type_of(given: object) -> tuple[FieldType, bool]:
    multiple = get_origin(given) is list
    inner = (get_args(given) or (None,))[0] if multiple else given
    found = _BY_CLASS.get(inner) if isinstance(inner, type) else None
    if found is None and isinstance(inner, str) and inner.upper() in FieldType.__members__:
        found = FieldType[inner.upper()]
    if found is None:
        raise UsageError(
            f"{given!r} is no type of a field. Use int, float, bool, str, bytes, datetime, or list[...] of one of them."
        )
    return found, multiple
