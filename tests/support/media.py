"""Small real media files of every type whose header Pathlake reads."""

from __future__ import annotations

import io
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

RATE = 8_000
"""Samples a second of every audio file here but Opus, which is always 48,000."""


def image_bytes(kind: str, *, size: tuple[int, int] = (31, 17), orientation: int = 1, noise: bool = False) -> bytes:
    """Return an image file.

    Args:
        kind: Pillow's name of the format: `PNG`, `JPEG`, `GIF`, `WEBP`, `TIFF`, `BMP`.
        size: Width and height as stored, in pixels.
        orientation: EXIF orientation; 1 writes none.
        noise: Whether the pixels are random, so that the file is large.
    """
    if noise:
        pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        image = Image.fromarray(pixels)
    else:
        image = Image.new("RGB", size, (200, 30, 90))
    out = io.BytesIO()
    if orientation == 1:
        image.save(out, kind)
    else:
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.save(out, kind, exif=exif)
    return out.getvalue()


def many_frames_bytes(kind: str, frames: int) -> bytes:
    """Return a GIF or TIFF of several frames, each different."""
    images = [Image.new("RGB", (12, 9), (index * 40 % 256, index * 90 % 256, 7)) for index in range(frames)]
    out = io.BytesIO()
    images[0].save(out, kind, save_all=True, append_images=images[1:])
    return out.getvalue()


def wav_bytes(*, seconds: float = 0.5, channels: int = 2) -> bytes:
    """Return a 16-bit PCM file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(b"\1\0" * int(seconds * RATE) * channels)
    return out.getvalue()


def audio_bytes(container: str, codec: str, *, seconds: float = 2.0, rate: int = RATE, layout: str = "mono") -> bytes:
    """Return a file encoded by FFmpeg: `("flac", "flac")`, `("ogg", "flac")`, `("mp3", "libmp3lame")`, ..."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        # FFmpeg's own Vorbis encoder counts as experimental, and knows stereo alone.
        stream = file.add_stream(codec, rate=rate, layout=layout, options={"strict": "experimental"})
        assert isinstance(stream, av.AudioStream)
        _encode_sound(file, stream, int(seconds * rate))
    return out.getvalue()


def video_bytes(
    container: str, *, codec: str = "mpeg4", size: tuple[int, int] = (64, 48), seconds: int = 2, sound: bool = False
) -> bytes:
    """Return a video of noise at 10 frames a second; an mp4 has its `moov` box at the end."""
    out = io.BytesIO()
    noise = np.random.default_rng(0)
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=Fraction(10))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 20_000_000
        audio = file.add_stream("aac", rate=RATE, layout="mono") if sound else None
        for _ in range(10 * seconds):
            pixels = noise.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode(None))
        if audio is not None:
            assert isinstance(audio, av.AudioStream)
            _encode_sound(file, audio, seconds * RATE)
    return out.getvalue()


def pdf_bytes(pages: int) -> bytes:
    """Return a PDF of empty pages."""
    from pypdf import PdfWriter

    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=72, height=72)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def write_every_type(folder: Path) -> dict[str, str]:
    """Write one small file of every type into `folder`; return their media types by name."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "a.png": (image_bytes("PNG"), "image/png"),
        "a.jpg": (image_bytes("JPEG"), "image/jpeg"),
        "a.gif": (image_bytes("GIF"), "image/gif"),
        "a.webp": (image_bytes("WEBP"), "image/webp"),
        "a.tiff": (image_bytes("TIFF"), "image/tiff"),
        "a.bmp": (image_bytes("BMP"), "image/bmp"),
        "a.wav": (wav_bytes(), "audio/wav"),
        "a.flac": (audio_bytes("flac", "flac"), "audio/flac"),
        "a.ogg": (audio_bytes("ogg", "vorbis", layout="stereo"), "audio/ogg"),
        "a.opus": (audio_bytes("ogg", "libopus", rate=48_000), "audio/ogg"),
        "a.mp3": (audio_bytes("mp3", "libmp3lame"), "audio/mpeg"),
        "a.m4a": (audio_bytes("ipod", "aac"), "audio/mp4"),
        "a.mp4": (video_bytes("mp4", sound=True), "video/mp4"),
        "a.mov": (video_bytes("mov"), "video/quicktime"),
        "a.mkv": (video_bytes("matroska"), "video/x-matroska"),
        "a.webm": (video_bytes("webm", codec="libvpx"), "video/webm"),
        "a.pdf": (pdf_bytes(3), "application/pdf"),
    }
    for name, (content, _) in files.items():
        (folder / name).write_bytes(content)
    return {name: media_type for name, (_, media_type) in files.items()}


def _encode_sound(file: av.container.OutputContainer, stream: av.AudioStream, samples: int) -> None:
    """Encode a tone of so many samples into `stream`."""
    tone = (np.sin(np.arange(samples) * 0.3) * 8_000).astype(np.int16).reshape(1, -1)
    chunk = 960
    for start in range(0, samples, chunk):
        part = tone[:, start : start + chunk].repeat(stream.channels)  # packed: the channels take turns
        frame = av.AudioFrame.from_ndarray(part.reshape(1, -1), "s16", stream.layout.name)
        frame.sample_rate = stream.rate
        frame.pts = start
        frame.time_base = Fraction(1, stream.rate)
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))
