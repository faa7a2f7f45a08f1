"""Media types by extension, and what a media header says of its file."""

from __future__ import annotations

import math
import mimetypes
from collections.abc import Callable
from typing import TYPE_CHECKING

from pathlake.engine import headers
from pathlake.engine.header_reader import HeaderReader
from pathlake.errors import MediaHeaderError

if TYPE_CHECKING:
    from pathlake.storage.base import Storage

_OWN_TYPES = {
    "image": "apng avif bmp dng=x-adobe-dng exr=x-exr gif heic heif ico=vnd.microsoft.icon jp2 jpe=jpeg jpeg jpg=jpeg "
    "jxl png psd=vnd.adobe.photoshop svg=svg+xml tif=tiff tiff webp",
    "audio": "aac aif=aiff aifc=aiff aiff amr flac m4a=mp4 mid=midi midi mp3=mpeg oga=ogg ogg opus=ogg wav wave=wav "
    "weba=webm",
    "video": "3gp=3gpp avi=x-msvideo flv=x-flv m2ts=mp2t m4v=mp4 mkv=x-matroska mov=quicktime mp4 mpeg mpg=mpeg "
    "mts=mp2t ogv=ogg qt=quicktime webm wmv=x-ms-wmv",
    "text": "cfg=plain conf=plain css csv htm=html html ini=plain js=javascript log=plain markdown md=markdown "
    "mjs=javascript py=x-python rst=x-rst srt=x-subrip tsv=tab-separated-values txt=plain vtt",
    "application": "7z=x-7z-compressed arrow=vnd.apache.arrow.file avro=vnd.apache.avro bz2=x-bzip2 dcm=dicom "
    "doc=msword docx=vnd.openxmlformats-officedocument.wordprocessingml.document epub=epub+zip "
    "feather=vnd.apache.arrow.file geojson=geo+json gz=gzip h5=x-hdf5 hdf5=x-hdf5 ipynb=x-ipynb+json json "
    "jsonl ndjson=x-ndjson npy=x-npy npz=x-npz onnx=x-onnx orc=x-orc parquet=vnd.apache.parquet pdf pickle=x-pickle "
    "pkl=x-pickle pptx=vnd.openxmlformats-officedocument.presentationml.presentation rar=vnd.rar rtf "
    "safetensors=x-safetensors sqlite=vnd.sqlite3 tar=x-tar tfrecord=x-tfrecord tgz=gzip toml xhtml=xhtml+xml "
    "xls=vnd.ms-excel xlsx=vnd.openxmlformats-officedocument.spreadsheetml.sheet xml xz=x-xz yaml yml=yaml zip "
    "zst=zstd",
    "model": "glb=gltf-binary gltf=gltf+json obj ply stl",
}


def _table() -> dict[str, str]:
    """Build the table: Python's own list, never that of the machine, with ours on top."""
    table = {ext[1:]: media_type for ext, media_type in mimetypes.MimeTypes(filenames=()).types_map[True].items()}
    for kind, names in _OWN_TYPES.items():
        for name in names.split():
            extension, _, subtype = name.partition("=")
            table[extension] = f"{kind}/{subtype or extension}"
    return table


_TYPES = _table()

_PROBES: dict[str, Callable[[HeaderReader], dict[str, float | None]]] = {
    "image/png": headers.png,
    "image/apng": headers.png,
    "image/jpeg": headers.jpeg,
    "image/gif": headers.gif,
    "image/webp": headers.webp,
    "image/tiff": headers.tiff,
    "image/bmp": headers.bmp,
    "audio/wav": headers.wav,
    "audio/flac": headers.flac,
    "audio/ogg": headers.ogg,
    "audio/mpeg": headers.mp3,
    "audio/mp4": headers.m4a,
    "video/mp4": headers.mp4,
    "video/quicktime": headers.mp4,
    "video/3gpp": headers.mp4,
    "video/x-matroska": headers.matroska,
    "video/webm": headers.matroska,
    "application/pdf": headers.pdf,
}

PROBEABLE = frozenset(_PROBES)
"""Media types whose headers `probe` reads."""

_FLOATS = frozenset({"duration", "frame_rate"})
_LARGEST = 2**31


def media_type_of(path: str) -> str | None:
    """Return the media type that the extension of `path` stands for, or None; the same on every machine.

    Example:
        >>> media_type_of("photos/IMG_0042.JPG")
        'image/jpeg'
    """
    stem, dot, extension = path.rpartition(".")
    if not dot or not stem or "/" in extension or stem[-1] == "/":
        return None
    return _TYPES.get(extension) or _TYPES.get(extension.lower())


def is_probeable(media_type: str | None) -> bool:
    """Whether `probe` can read the header of files of this type."""
    return media_type in _PROBES


def probe(storage: Storage, path: str, size: int, media_type: str | None) -> dict[str, int | float]:
    """Read what the header of a media file says, by ranged reads of a few blocks.

    Width and height of an image are those it is displayed with, after the rotation that its EXIF orientation asks
    for. What a header does not say, or says absurdly, is left out. `pages` of an image counts its frames where it has
    several and counting is cheap. The duration of an mp3 without an index is reckoned from its bit rate.

    Args:
        storage: Where the file lies.
        path: The file's path there.
        size: Its size in bytes, as the listing gave it.
        media_type: As `media_type_of` gave it; a type that is not `PROBEABLE` gives no values.

    Returns:
        Some of `width`, `height`, `duration` (s), `frame_rate`, `sample_rate` (Hz), `channels`, `pages`.

    Raises:
        MediaHeaderError: The file is corrupt, cut off, or not of its type; or its header is absurdly large.
        StorageError: The file could not be read, which says nothing of its header.

    Example:
        >>> probe(storage, "005.png", 1024, "image/png")
        {'width': 28, 'height': 28}
    """
    parse = _PROBES.get(media_type or "")
    if parse is None:
        return {}
    with HeaderReader(storage, path, size) as reader:
        try:
            if size == 0:
                raise MediaHeaderError("the file is empty")
            found = parse(reader)
        except Exception as error:
            # Parsers raise anything on hostile input, and some wrap what the storage raised.
            if reader.failure is not None:
                raise reader.failure from None
            if isinstance(error, MediaHeaderError):
                raise
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise MediaHeaderError(f"no readable {media_type} header: {reason}", {"path": path}) from error
    return _sane(found)


def _sane(found: dict[str, float | None]) -> dict[str, int | float]:
    values: dict[str, int | float] = {}
    for name, value in found.items():
        if value is not None and math.isfinite(value) and 0 < value < _LARGEST:
            values[name] = float(value) if name in _FLOATS else int(value)
    return values
