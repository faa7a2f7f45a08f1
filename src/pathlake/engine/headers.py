"""The header parsers, one for each kind of media file.

Each takes a file object at its beginning and returns what the header says; None, zero and nonsense are sorted out by
`pathlake.engine.media.probe`. Libraries do the parsing, through their parts that leave pixels, samples and tags
alone. Only GIF and WebP, whose sizes lie in the first bytes, are read by hand: Pillow reads a WebP file whole, and a
GIF with its checks against decompression bombs, which no header read can be hurt by.
"""

from __future__ import annotations

import logging
import re
import struct
import warnings
from typing import TYPE_CHECKING, Any

from pathlake.errors import MediaHeaderError

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

    from pathlake.engine.header_reader import HeaderReader

Values = dict[str, float | None]

_MAX_TIFF_PAGES = 1_000
_MAX_GIF_BYTES = 256 << 10
_SKETCHY_MP3_BYTES = 64 << 10
_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})
_MUTED = ("ignore", None, UserWarning, re.compile(r"PIL\.(Tiff|Png|Jpeg)ImagePlugin"), 0)


def png(file: HeaderReader) -> Values:
    """PNG, also animated; an EXIF block behind the pixels is not looked for."""
    from PIL.PngImagePlugin import PngImageFile

    return _pillow_size(PngImageFile, file)


def jpeg(file: HeaderReader) -> Values:
    """JPEG."""
    from PIL.JpegImagePlugin import JpegImageFile

    return _pillow_size(JpegImageFile, file)


def bmp(file: HeaderReader) -> Values:
    """Windows bitmap."""
    from PIL.BmpImagePlugin import BmpImageFile

    return _pillow_size(BmpImageFile, file)


def tiff(file: HeaderReader) -> Values:
    """TIFF and BigTIFF; size of the first page, and the number of pages up to 1,000."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    _mute_pillow()
    head = file.read(16)
    if head[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        raise MediaHeaderError("it does not begin like a TIFF file")
    pages = ImageFileDirectory_v2(head if head[2:4] in (b"+\0", b"\0+") else head[:8])
    values: Values = {}
    seen: set[int] = set()
    while pages.next and pages.next not in seen and len(seen) < _MAX_TIFF_PAGES:
        seen.add(pages.next)
        file.seek(pages.next)
        if not values:
            pages.load(file)  # type: ignore[arg-type]
            values = _displayed(_tag(pages, 256), _tag(pages, 257), _tag(pages, 274))
        else:
            pages.next = _next_tiff_page(file, head)
    if not values.get("width") or not values.get("height"):
        raise MediaHeaderError("its first page is cut off or states no size")
    if len(seen) > 1 and len(seen) < _MAX_TIFF_PAGES:
        values["pages"] = len(seen)
    return values


def gif(file: HeaderReader) -> Values:
    """GIF; frames are counted in files of up to 256 KiB, for that takes reading all of it."""
    head = file.read(13)
    if head[:6] not in (b"GIF87a", b"GIF89a") or len(head) < 13:
        raise MediaHeaderError("it does not begin like a GIF file")
    width, height, flags = struct.unpack("<HHB", head[6:11])
    values: Values = {"width": width, "height": height}
    if file.size <= _MAX_GIF_BYTES:
        frames = _gif_frames(file.read(), 3 << ((flags & 7) + 1) if flags & 0x80 else 0)
        values["pages"] = frames if frames > 1 else None
    return values


def webp(file: HeaderReader) -> Values:
    """WebP: plain, lossless and extended; the EXIF block behind the pixels is found by its chunk header."""
    head = file.read(30)
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 25:
        raise MediaHeaderError("it does not begin like a WebP file")
    kind = head[12:16]
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a" and len(head) == 30:
        width, height = struct.unpack("<HH", head[26:30])
        return {"width": width & 0x3FFF, "height": height & 0x3FFF}
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return {"width": (bits & 0x3FFF) + 1, "height": (bits >> 14 & 0x3FFF) + 1}
    if kind == b"VP8X" and len(head) == 30:
        width = int.from_bytes(head[24:27], "little") + 1
        height = int.from_bytes(head[27:30], "little") + 1
        exif = _riff_chunk(file, b"EXIF") if head[20] & 0x08 else b""
        return _displayed(width, height, _exif_orientation(exif))
    raise MediaHeaderError("its first chunk holds no WebP image")


def wav(file: HeaderReader) -> Values:
    """RIFF WAVE; the duration of a file that is shorter than it says is what it holds."""
    from mutagen.wave import WaveStreamInfo

    info: Any = WaveStreamInfo(file)
    length = info.length
    if info.bitrate > 0:
        length = min(length, file.size * 8 / info.bitrate)
    return _audio(info, length)


def flac(file: HeaderReader) -> Values:
    """FLAC: the stream information that comes first, also behind an ID3 tag."""
    from mutagen.flac import StreamInfo

    file.seek(_id3_bytes(file.read(10)))
    head = file.read(42)
    if head[:4] != b"fLaC" or len(head) < 42 or head[4] & 0x7F:
        raise MediaHeaderError("it does not begin like a FLAC file")
    info: Any = StreamInfo(head[8:])  # type: ignore[no-untyped-call]
    return _audio(info, info.length)


def ogg(file: HeaderReader) -> Values:
    """Ogg with Vorbis, Opus or FLAC; the last page gives the duration."""
    from mutagen.flac import StreamInfo
    from mutagen.ogg import OggPage

    first: Any = OggPage(file)  # type: ignore[no-untyped-call]
    packet: bytes = first.packets[0]
    skipped = 0
    if packet.startswith(b"\x01vorbis") and len(packet) >= 16:
        channels, rate = struct.unpack("<BI", packet[11:16])
    elif packet.startswith(b"OpusHead") and len(packet) >= 19:
        channels, skipped = struct.unpack("<BH", packet[9:12])
        rate = 48_000  # what Opus decodes to, and what its positions count
    elif packet.startswith(b"\x7fFLAC") and len(packet) >= 51:
        info: Any = StreamInfo(packet[17:51])  # type: ignore[no-untyped-call]
        channels, rate = info.channels, info.sample_rate
    else:
        raise MediaHeaderError("its first stream is neither Vorbis, Opus nor FLAC")
    last: Any = OggPage.find_last(file, first.serial, finishing=True)  # type: ignore[no-untyped-call]
    duration = (last.position - skipped) / rate if last is not None and rate else None
    return {"duration": duration, "sample_rate": rate, "channels": channels}


def mp3(file: HeaderReader) -> Values:
    """MPEG audio: the first frames behind any ID3 tags, and their index of the whole where there is one."""
    from mutagen.mp3 import MPEGInfo

    info: Any = MPEGInfo(file)
    if info.sketchy and file.size > _SKETCHY_MP3_BYTES:
        raise MediaHeaderError("it has no row of MPEG audio frames")
    return _audio(info, info.length)


def m4a(file: HeaderReader) -> Values:
    """Audio in an MP4 container."""
    from mutagen.mp4 import MP4Info
    from mutagen.mp4._atom import Atoms

    info: Any = MP4Info(Atoms(file), file)  # type: ignore[no-untyped-call]
    return _audio(info, info.length)


def mp4(file: HeaderReader) -> Values:
    """MP4, QuickTime and 3GPP video."""
    return _video(file, "mov")


def matroska(file: HeaderReader) -> Values:
    """Matroska and WebM video."""
    return _video(file, "matroska")


def pdf(file: HeaderReader) -> Values:
    """PDF: the page count that the root of the page tree states."""
    from pypdf import PdfReader

    # pypdf tells of every oddity in its log, which Python shows on stderr where nobody has set up logging.
    logger = logging.getLogger("pypdf")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    if b"%PDF-" not in file.read(1024):
        raise MediaHeaderError("it does not begin like a PDF file")
    file.seek(0)
    reader = PdfReader(file, strict=False)  # type: ignore[arg-type]
    root: Any = reader.trailer["/Root"]
    pages: Any = root.get_object()["/Pages"].get_object()["/Count"].get_object()
    if not isinstance(pages, int):
        raise MediaHeaderError("its page tree states no count")
    return {"pages": pages}


def _mute_pillow() -> None:
    """Keep Pillow's remarks on odd headers out of the program's output.

    Scans run on threads of the user's program, where `warnings.catch_warnings` would mix up the filters of others.
    One narrow filter, which stays, does no such harm; a test runner may take it away, hence the look each time.
    """
    if _MUTED not in warnings.filters:
        warnings.filterwarnings("ignore", category=UserWarning, module=_MUTED[3].pattern)


def _pillow_size(kind: type[ImageFile], file: HeaderReader) -> Values:
    """Let one of Pillow's readers parse the header; called directly, it neither decodes nor minds the size."""
    _mute_pillow()
    image = kind(file)  # type: ignore[arg-type]
    width, height = image.size
    exif = image.info.get("exif")
    return _displayed(width, height, _exif_orientation(exif) if isinstance(exif, bytes) else 1)


def _displayed(width: int, height: int, orientation: int) -> Values:
    return {"width": height, "height": width} if orientation in _TURNED else {"width": width, "height": height}


def _exif_orientation(exif: bytes) -> int:
    """Return the orientation an EXIF block asks for, 1 where it asks for none or makes no sense."""
    data = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", data, entry)
            if tag == _ORIENTATION:
                return int(value)
    except struct.error:
        pass  # the block ends early: an image without an orientation, not one without a size
    return 1


def _tag(page: Any, tag: int) -> int:
    value = page.get(tag, 1 if tag == 274 else 0)
    return value if isinstance(value, int) else 0


def _next_tiff_page(file: HeaderReader, head: bytes) -> int:
    """Return where the page after the one at the file's position lies; 0 for none."""
    order = "<" if head[:2] == b"II" else ">"
    big = 0x2B in head[2:4]
    count_code, entry_bytes, offset_code = ("Q", 20, "Q") if big else ("H", 12, "I")
    (count,) = struct.unpack(order + count_code, file.read(struct.calcsize(count_code)))
    file.seek(count * entry_bytes, 1)
    following = file.read(struct.calcsize(offset_code))
    return int(struct.unpack(order + offset_code, following)[0]) if following else 0


def _gif_frames(data: bytes, position: int) -> int:
    """Count the images in the blocks of a GIF file from `position` on; a file that ends early has those it has."""
    frames = 0
    while position < len(data) and data[position] in (0x21, 0x2C):
        if data[position] == 0x2C:  # an image: its descriptor, perhaps a palette, the size of its codes
            if position + 9 >= len(data):
                break
            frames += 1
            flags = data[position + 9]
            position += 11 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
        else:  # an extension: its label
            position += 2
        while position < len(data) and data[position]:
            position += data[position] + 1
        position += 1
    return frames


def _riff_chunk(file: HeaderReader, wanted: bytes) -> bytes:
    """Return the content of the first chunk of that name, empty where there is none within 1,000 chunks."""
    position = 12
    for _ in range(1_000):
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            return b""
        name, length = struct.unpack("<4sI", head)
        if name == wanted:
            return file.read(min(length, 64 << 10))
        position += 8 + length + (length & 1)
    return b""


def _id3_bytes(head: bytes) -> int:
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + (10 if head[5] & 0x10 else 0)


def _audio(info: Any, length: float) -> Values:
    return {"duration": length, "sample_rate": info.sample_rate, "channels": info.channels}


def _video(file: HeaderReader, container_format: str) -> Values:
    import av

    # The container's header holds all that is asked for; without these limits FFmpeg reads on and decodes frames.
    options = {"probesize": "32768", "analyzeduration": "1", "fpsprobesize": "0"}
    with av.open(file, "r", format=container_format, container_options=options, buffer_size=8192) as container:
        values: Values = {"duration": container.duration / 1_000_000 if container.duration else None}
        videos, audios = container.streams.video, container.streams.audio
        if not videos and not audios:
            raise MediaHeaderError("it holds neither video nor audio")
        if videos:
            rate = videos[0].average_rate or videos[0].guessed_rate
            values |= {"width": videos[0].width, "height": videos[0].height}
            values["frame_rate"] = float(rate) if rate else None
        if audios:
            values |= {"sample_rate": audios[0].sample_rate, "channels": audios[0].channels}
        return values
