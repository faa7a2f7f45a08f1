from __future__ import annotations

import builtins
import pickle
import re

import pytest

import pathlake.errors
from pathlake.errors import PathlakeError, QueryError, error_classes, error_from_code, suggestion

DOCSTRING = pathlake.errors.__doc__ or ""
CLASSES = sorted(error_classes().values(), key=lambda cls: cls.__name__)
_LINE = re.compile(r"^(?P<indent>[ │├└─]*)(?P<name>\w+Error)(?: \((?P<bases>[\w, ]+)\))?")


def own_classes() -> list[type[PathlakeError]]:
    return [v for v in vars(pathlake.errors).values() if isinstance(v, type) and issubclass(v, PathlakeError)]


def drawn_tree() -> dict[str, tuple[str | None, set[str]]]:
    """Parent and builtin bases of each class, as the module's docstring draws them."""
    drawn: dict[str, tuple[str | None, set[str]]] = {}
    above: list[tuple[int, str]] = []
    for line in DOCSTRING.splitlines():
        found = _LINE.match(line)
        if not found or not line.startswith("    "):
            continue
        depth, name = len(found["indent"]), found["name"]
        while above and above[-1][0] >= depth:
            above.pop()
        bases = {base.strip() for base in (found["bases"] or "").split(",") if base.strip()}
        drawn[name] = (above[-1][1] if above else None, bases)
        above.append((depth, name))
    return drawn


def test_every_class_has_a_code_of_its_own() -> None:
    codes = [cls.code for cls in own_classes()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)
    assert {cls.code for cls in own_classes()} <= set(error_classes())


def test_the_docstring_draws_the_whole_tree() -> None:
    real = {
        cls.__name__: (
            next((base.__name__ for base in cls.__bases__ if issubclass(base, PathlakeError)), None),
            {base.__name__ for base in cls.__bases__ if base.__module__ == "builtins"} - {"Exception"},
        )
        for cls in own_classes()
    }
    assert drawn_tree() == real


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_errors_survive_pickling_and_the_wire(cls: type[PathlakeError]) -> None:
    error = cls("what was wrong", {"path": "a.jpg", "rows": [1, 2]})
    for copy in (pickle.loads(pickle.dumps(error)), error_from_code(cls.code, error.message, error.details)):
        assert type(copy) is cls
        assert copy.message == "what was wrong"
        assert copy.details == error.details
        assert str(copy) == "what was wrong"


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_says_what_it_means(cls: type[PathlakeError]) -> None:
    assert cls.__doc__
    assert cls.__doc__.strip()


def test_builtin_bases_make_except_clauses_work() -> None:
    for name, (_, bases) in drawn_tree().items():
        for base in bases:
            assert issubclass(getattr(pathlake.errors, name), getattr(builtins, base))


def test_an_unknown_code_is_the_root() -> None:
    assert type(error_from_code("from_the_future", "hm")) is PathlakeError
    assert isinstance(error_from_code("invalid_query", "hm"), QueryError)


def test_errors_without_details() -> None:
    assert QueryError("x").details == {}


@pytest.mark.parametrize(
    ("name", "hint"),
    [("episod", " Did you mean 'episode'?"), ("EPISODE", " Did you mean 'episode'?"), ("zebra", "")],
)
def test_suggestions(name: str, hint: str) -> None:
    assert suggestion(name, ["episode", "size"]) == hint
