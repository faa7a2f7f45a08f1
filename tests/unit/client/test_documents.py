"""The documents our client sends fit the schema."""

from __future__ import annotations

from importlib.resources import files

import graphql
import pytest

from pathlake.wire import documents

SCHEMA = graphql.build_schema(files("pathlake.wire").joinpath("schema.graphql").read_text(encoding="utf-8"))


@pytest.mark.parametrize("document", documents.ALL_DOCUMENTS, ids=lambda text: text.split("(")[0])
def test_document_is_valid(document: str) -> None:
    assert graphql.validate(SCHEMA, graphql.parse(document)) == []


def test_all_documents_are_listed() -> None:
    written = {value for name, value in vars(documents).items() if name.isupper() and isinstance(value, str)}
    assert {text for text in written if text.startswith(("query ", "mutation "))} == set(documents.ALL_DOCUMENTS)
