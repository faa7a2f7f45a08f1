"""Handles on a datasource that no engine is needed for: building queries asks nobody."""

from __future__ import annotations

from pathlake.client.api import RepoApi
from pathlake.client.config import Target
from pathlake.client.connection import Connection
from pathlake.client.datasource import Datasource
from pathlake.client.source import Source
from pathlake.client.state import DatasourceState
from pathlake.types import Field, FieldType, Schema

FIELDS = Schema(
    (
        Field("episode", FieldType.INTEGER),
        Field("score", FieldType.FLOAT),
        Field("has_baby_yoda", FieldType.BOOLEAN),
        Field("label", FieldType.STRING),
        Field("labels", FieldType.STRING, multiple=True),
        Field("mask", FieldType.BLOB),
        Field("seen", FieldType.DATETIME),
    )
)
CONNECTION = Connection(lambda: Target("http://127.0.0.1:9", "none"))


def handle(name: str = "path-ds", id: str = "1") -> Datasource:
    state = DatasourceState("simon/baby", id, name, "repo://simon/baby/main:x", "REPOSITORY", "READY", schema=FIELDS)
    return Datasource(Source(RepoApi(CONNECTION, "simon", "baby"), state))
