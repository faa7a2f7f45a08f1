"""Media types by extension, and header probes on real files of every type."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
import time
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from pathlake.engine import header_reader, media
from pathlake.engine.header_reader import HeaderReader
from pathlake.engine.media import PROBEABLE, is_probeable, media_type_of, probe
from pathlake.errors import MediaHeaderError, ObjectMissingError
from pathlake.storage import open_folder
from pathlake.types import AUTOMATIC_NAMES
from tests.support.media import (
    RATE,
    audio_bytes,
    image_bytes,
    many_frames_bytes,
    video_bytes,
    write_every_type,
)

SOUND = {"sample_rate": RATE, "channels": 1}
VIDEO = {"width": 64, "height": 48, "frame_rate": 10.0, "duration": 2.0}

EXPECTED: dict[str, dict[str, int | float]] = {
    "a.wav": {"sample_rate": RATE, "channels": 2, "duration": 0.5},
    "a.flac": {**SOUND, "duration": 2.0},
    "a.ogg": {"sample_rate": RATE, "channels": 2, "duration": 2.0},
    "a.opus": {"sample_rate": 48_000, "channels": 1, "duration": 2.0},
    "a.mp3": {**SOUND, "duration": 2.0},
    "a.m4a": {**SOUND, "duration": 2.0},
    "a.mp4": {**VIDEO, **SOUND},
    "a.mov": VIDEO,
    "a.mkv": VIDEO,
    "a.webm": VIDEO,
    "a.pdf": {"pages": 3},
    **{f"a.{kind}": {"width": 31, "height": 17} for kind in ("png", "jpg", "gif", "webp", "tiff", "bmp")},
}


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    write_every_type(folder)
    return folder


def probed(content: bytes, name: str, folder: Path) -> dict[str, int | float]:
    (folder / name).write_bytes(content)
    return probe(open_folder(folder), name, len(content), media_type_of(name))


def cost(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, int | float], int]:
    """Probe a file, and return the bytes that were read of it too."""
    readers: list[HeaderReader] = []

    class Noted(HeaderReader):
        def __init__(self, *args: object) -> None:
            super().__init__(*args)  # type: ignore[arg-type]
            readers.append(self)

    monkeypatch.setattr(media, "HeaderReader", Noted)
    values = probe(open_folder(path.parent), path.name, path.stat().st_size, media_type_of(path.name))
    return values, readers[0].bytes_read


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.png", "image/png"),
        ("deep/er/IMG_1.JPG", "image/jpeg"),
        ("x.tar.gz", "application/gzip"),
        ("a.WebP", "image/webp"),
        ("a.avif", "image/avif"),
        ("a.heic", "image/heic"),
        ("a.flac", "audio/flac"),
        ("a.opus", "audio/ogg"),
        ("a.m4a", "audio/mp4"),
        ("a.mkv", "video/x-matroska"),
        ("a.webm", "video/webm"),
        ("a.parquet", "application/vnd.apache.parquet"),
        ("a.jsonl", "application/jsonl"),
        ("README.md", "text/markdown"),
        ("a.yml", "application/yaml"),
        ("a.npy", "application/x-npy"),
        ("a.csv", "text/csv"),
        ("a.txt", "text/plain"),
        ("no_extension", None),
        (".png", None),
        ("dir/.png", None),
        ("dir.png/file", None),
        ("trailing.", None),
        ("a.unheard-of", None),
        ("a.\u0130", None),
        (".hidden.png", "image/png"),
        ("new\nline.png", "image/png"),
    ],
)
def test_media_types(path: str, expected: str | None) -> None:
    assert media_type_of(path) == expected


def test_media_types_do_not_depend_on_the_machine() -> None:
    code = (
        "import mimetypes; mimetypes.init(); mimetypes.add_type('image/wrong', '.png');"
        "from pathlake.engine.media import media_type_of as m; print(m('a.png'), m('a.wav'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["image/png", "audio/wav"]


def test_a_million_paths_take_less_than_a_few_seconds() -> None:
    paths = [f"dir{i % 100}/file{i}.{'jpg' if i % 2 else 'JPG'}" for i in range(100_000)]
    start = time.perf_counter()
    assert {media_type_of(path) for path in paths} == {"image/jpeg"}
    assert time.perf_counter() - start < 0.4


@pytest.mark.parametrize("name", EXPECTED)
def test_reads_the_header_of_every_type(gallery: Path, name: str) -> None:
    media_type = media_type_of(name)
    assert is_probeable(media_type)
    values = probe(open_folder(gallery), name, (gallery / name).stat().st_size, media_type)
    # Lossy encoders pad: mp3 and aac are some frames longer than what went in.
    duration = values.pop("duration", None)
    assert (
        duration == pytest.approx(EXPECTED[name].get("duration"), abs=0.2)
        if duration
        else "duration" not in EXPECTED[name]
    )
    assert values == {key: value for key, value in EXPECTED[name].items() if key != "duration"}
    assert set(values) <= AUTOMATIC_NAMES


def test_every_probeable_type_is_tested_here() -> None:
    assert {media_type_of(name) for name in EXPECTED} | {"image/apng", "video/3gpp"} == PROBEABLE


def test_values_have_the_types_of_their_fields(gallery: Path) -> None:
    values = probe(open_folder(gallery), "a.mp4", (gallery / "a.mp4").stat().st_size, "video/mp4")
    assert {name: type(value) for name, value in values.items()} == {
        "width": int,
        "height": int,
        "duration": float,
        "frame_rate": float,
        "sample_rate": int,
        "channels": int,
    }


def test_other_types_have_no_header(tmp_path: Path) -> None:
    assert not is_probeable("text/plain")
    assert not is_probeable(None)
    assert probe(open_folder(tmp_path), "not-even-there", 5, "text/plain") == {}
    assert probe(open_folder(tmp_path), "not-even-there", 5, None) == {}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_as_wide_as_they_are_displayed(tmp_path: Path, kind: str, orientation: int) -> None:
    name = f"x.{kind.lower()}"
    values = probed(image_bytes(kind, size=(40, 20), orientation=orientation), name, tmp_path)
    assert values == ({"width": 20, "height": 40} if orientation >= 5 else {"width": 40, "height": 20})


@pytest.mark.parametrize(("kind", "frames"), [("GIF", 5), ("TIFF", 4)])
def test_counts_frames_and_pages(tmp_path: Path, kind: str, frames: int) -> None:
    values = probed(many_frames_bytes(kind, frames), f"x.{kind.lower()}", tmp_path)
    assert values == {"width": 12, "height": 9, "pages": frames}


def test_lossless_and_animated_webp(tmp_path: Path) -> None:
    images = [Image.new("RGBA", (300, 200), (i, 0, 0, 100)) for i in range(3)]
    images[0].save(tmp_path / "a.webp", save_all=True, append_images=images[1:])
    images[0].save(tmp_path / "l.webp", lossless=True)
    Image.new("RGB", (300, 200)).save(tmp_path / "r.webp", lossless=True)
    for name in ("a.webp", "l.webp", "r.webp"):
        values = probed((tmp_path / name).read_bytes(), name, tmp_path)
        assert (values["width"], values["height"]) == (300, 200)


def test_big_tiff_and_flac_in_ogg_and_tagged_flac(tmp_path: Path) -> None:
    Image.new("RGB", (70, 50)).save(tmp_path / "big.tif", big_tiff=True)
    assert probed((tmp_path / "big.tif").read_bytes(), "big.tif", tmp_path) == {"width": 70, "height": 50}
    assert probed(audio_bytes("ogg", "flac"), "x.ogg", tmp_path) == {**SOUND, "duration": 2.0}
    tagged = b"ID3\x04\0\0\0\0\x02\x00" + bytes(256) + audio_bytes("flac", "flac")
    assert probed(tagged, "x.flac", tmp_path) == {**SOUND, "duration": 2.0}


def test_a_large_jpeg_costs_one_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = image_bytes("JPEG", size=(3200, 2700), noise=True)
    assert len(content) > 5_000_000
    (tmp_path / "x.jpg").write_bytes(content)
    values, read = cost(tmp_path / "x.jpg", monkeypatch)
    assert values == {"width": 3200, "height": 2700}
    assert read < 300_000


@pytest.mark.parametrize(("container", "name"), [("mp4", "x.mp4"), ("mov", "x.mov"), ("matroska", "x.mkv")])
def test_a_large_video_costs_a_few_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, container: str, name: str
) -> None:
    content = video_bytes(container, size=(640, 480), seconds=2)
    assert len(content) > 3_000_000
    if container != "matroska":
        assert content.rindex(b"moov") > len(content) - 10_000
    (tmp_path / name).write_bytes(content)
    values, read = cost(tmp_path / name, monkeypatch)
    assert (values["width"], values["height"]) == (640, 480)
    assert values["duration"] == pytest.approx(2.0, abs=0.1)
    assert read < 300_000


def test_pictures_in_tags_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = audio_bytes("mp3", "libmp3lame", seconds=20)
    start = 10 + (plain[6] << 21 | plain[7] << 14 | plain[8] << 7 | plain[9])
    size = 3_000_000
    picture = b"ID3\x04\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + bytes(size)
    (tmp_path / "x.mp3").write_bytes(picture + plain[start:])
    values, read = cost(tmp_path / "x.mp3", monkeypatch)
    assert values == {**SOUND, "duration": pytest.approx(20, abs=0.3)}
    assert read < 300_000


@pytest.mark.parametrize("name", EXPECTED)
def test_every_type_but_its_own_is_refused(gallery: Path, tmp_path: Path, name: str) -> None:
    # A file named .mp4 may well be QuickTime, and audio in MP4 is MP4.
    families = [{"a.mp4", "a.mov", "a.m4a"}, {"a.mkv", "a.webm"}, {"a.ogg", "a.opus"}]
    kin = next((family for family in families if name in family), {name})
    for other in EXPECTED:
        if other not in kin:
            with pytest.raises(MediaHeaderError) as caught:
                probed((gallery / other).read_bytes(), name, tmp_path)
            assert 5 < len(caught.value.message) < 250


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("kind", ["empty", "one byte", "cut", "zeros", "text"])
def test_what_is_no_media_is_refused(gallery: Path, tmp_path: Path, name: str, kind: str) -> None:
    content = (gallery / name).read_bytes()
    broken = {"empty": b"", "one byte": content[:1], "cut": content[:11], "zeros": bytes(5000), "text": b"hello " * 500}
    with pytest.raises(MediaHeaderError):
        probed(broken[kind], name, tmp_path)


@pytest.mark.parametrize("name", EXPECTED)
def test_damaged_files_never_hang_crash_or_warn(
    gallery: Path, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    content = (gallery / name).read_bytes()
    dice = random.Random(name)
    start = time.monotonic()
    for _ in range(60):
        damaged = bytearray(content[: dice.choice([len(content), dice.randrange(len(content))])])
        for _ in range(dice.choice([1, 5, 50])):
            if damaged:
                damaged[dice.randrange(min(len(damaged), dice.choice([100, 10**6])))] = dice.choice(
                    [0, 255, dice.randrange(256)]
                )
        try:
            values = probed(bytes(damaged), name, tmp_path)
        except MediaHeaderError:
            continue
        assert all(value > 0 for value in values.values())
    assert time.monotonic() - start < 30
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_decompression_bomb_is_harmless(tmp_path: Path) -> None:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 2_000_000, 1_000_000, 8, 2, 0, 0, 0))
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000)))
    body = png_chunk(b"IDAT", zlib.compress(bytes(100)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        values = probed(b"\x89PNG\r\n\x1a\n" + header + body, "x.png", tmp_path)
        assert values == {"width": 2_000_000, "height": 1_000_000}
        with pytest.raises(MediaHeaderError):
            probed(b"\x89PNG\r\n\x1a\n" + header + text + body, "x.png", tmp_path)
    assert [one for one in caught if "PIL" in one.filename] == []


def test_tiff_pages_in_a_circle_end(tmp_path: Path) -> None:
    entry = struct.pack("<HHII", 256, 4, 1, 5) + struct.pack("<HHII", 257, 4, 1, 7)
    content = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 2) + entry + struct.pack("<I", 8)
    assert probed(content, "x.tif", tmp_path) == {"width": 5, "height": 7}


def test_a_header_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_reader, "MAX_HEADER_BYTES", 300_000)
    endless = b"\xff\xd8" + (b"\xff\xe1\xff\xff" + bytes(65_533)) * 20
    with pytest.raises(MediaHeaderError, match="not within"):
        probed(endless, "x.jpg", tmp_path)


def test_a_slow_parser_is_stopped(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_reader, "MAX_SECONDS", 0.0)
    monkeypatch.setattr(header_reader, "_READS_BETWEEN_LOOKS_AT_THE_CLOCK", 1)
    for name in ("a.jpg", "a.pdf", "a.mp3", "a.mp4"):
        with pytest.raises(MediaHeaderError, match="within"):
            probe(open_folder(gallery), name, (gallery / name).stat().st_size, media_type_of(name))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_that_cannot_be_read_is_not_called_corrupt(tmp_path: Path, name: str) -> None:
    with pytest.raises(ObjectMissingError):
        probe(open_folder(tmp_path), name, 5000, media_type_of(name))


def test_leaves_no_file_open_and_runs_on_many_threads(gallery: Path) -> None:
    storage = open_folder(gallery)
    before = len(list(Path("/proc/self/fd").iterdir()))

    def look(name: str) -> int:
        return len(probe(storage, name, (gallery / name).stat().st_size, media_type_of(name)))

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(look, list(EXPECTED) * 6))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_two_thousand_small_images_take_less_than_a_second(tmp_path: Path) -> None:
    content = image_bytes("PNG", size=(28, 28))
    for i in range(2_000):
        (tmp_path / f"{i}.png").write_bytes(content)
    storage = open_folder(tmp_path)
    probe(storage, "0.png", len(content), "image/png")
    start = time.process_time()
    for i in range(2_000):
        assert probe(storage, f"{i}.png", len(content), "image/png") == {"width": 28, "height": 28}
    assert time.process_time() - start < 1.0
