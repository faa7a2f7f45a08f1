"""The material of the demo: handwritten digits as image files in a git repository, and a classifier for them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pathlake.errors import MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

DIGITS_FOLDER = "digits"
TEST_SHARE = 0.25
SEED = 7


@dataclass(frozen=True, slots=True)
class Digits:
    """The data set scikit-learn ships, ready to be written.

    Attributes:
        images: Array of shape (n, 8, 8), uint8, 0 to 255.
        labels: Array of shape (n,), the digit on each image.
    """

    images: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]

    def __len__(self) -> int:
        return len(self.labels)

    def metadata(self) -> pd.DataFrame:
        """Return a row for each image: path, digit, split and mean ink (0 to 255)."""
        import numpy as np
        import pandas as pd

        split = np.where(np.random.default_rng(SEED).random(len(self)) < TEST_SHARE, "test", "train")
        return pd.DataFrame(
            {
                "path": [file_name(index) for index in range(len(self))],
                "digit": self.labels.astype("int64"),
                "split": split,
                "mean_ink": self.images.mean(axis=(1, 2)),
            }
        )


def load_digits() -> Digits:
    """Return the handwritten digits of scikit-learn, 1,797 images of 8 x 8 pixels.

    Raises:
        MissingExtraError: scikit-learn or the engine's own dependencies are not installed.
    """
    import numpy as np

    try:
        import PIL.Image
        import pygit2  # noqa: F401
        from sklearn.datasets import load_digits as load
    except ImportError as error:
        raise MissingExtraError(
            f"The demo needs {error.name or 'scikit-learn'}, which is not installed. Run: pip install 'pathlake[demo]'"
        ) from error
    del PIL
    found = load()
    images = np.clip(found.images * 16, 0, 255).astype("uint8")  # 0..16 in the data set
    return Digits(images, np.asarray(found.target))


def file_name(index: int) -> str:
    """Return the path of an image, relative to the datasource."""
    return f"{index:04d}.png"


def write_repository(digits: Digits, folder: Path) -> str:
    """Write the images as PNG files into a new git repository, commit them on `main`, and return the commit's id."""
    import pygit2
    from PIL import Image

    target = folder / DIGITS_FOLDER
    target.mkdir(parents=True)
    for index, image in enumerate(digits.images):
        Image.fromarray(image).save(target / file_name(index))
    repository = pygit2.init_repository(str(folder), initial_head="main")
    repository.index.add_all()
    repository.index.write()
    author = pygit2.Signature("Pathlake demo", "demo@localhost")
    commit = repository.create_commit(
        "refs/heads/main", author, author, f"Add {len(digits):,} digits", repository.index.write_tree(), []
    )
    return str(commit)


def pixels(files: Sequence[bytes]) -> np.ndarray[Any, Any]:
    """Decode PNG files of one size into an array of shape (n, pixels), float, 0 to 1."""
    import numpy as np
    from PIL import Image

    return np.stack([np.asarray(Image.open(io.BytesIO(data))).ravel() for data in files]) / 255.0


def train(files: Sequence[bytes], labels: Sequence[int]) -> Any:
    """Fit a support vector classifier to image files and their digits."""
    from sklearn.svm import SVC

    return SVC().fit(pixels(files), list(labels))


def accuracy(model: Any, files: Sequence[bytes], labels: Sequence[int]) -> float:
    """Return the share of image files whose digit the model names rightly."""
    return float(model.score(pixels(files), list(labels)))
