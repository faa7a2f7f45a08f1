"""What every route needs: the engine, threads to call it on, and who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from starlette.requests import Request

from pathlake.catalog.base import DatasourceRecord, Repo
from pathlake.engine.engine import Engine
from pathlake.errors import DatasourceNotFoundError
from pathlake.server.auth import Principal
from pathlake.server.workers import Workers

T = TypeVar("T")

PRINCIPAL_KEY = "pathlake.principal"


@dataclass(frozen=True, slots=True)
class Services:
    """The engine, the threads that call it, and the folder for uploads while they arrive."""

    engine: Engine
    workers: Workers
    uploads_dir: Path

    async def call(self, function: Callable[[], T]) -> T:
        """Run a blocking call of the engine on a thread."""
        return await self.workers.run(function)

    def repo(self, request: Request) -> Repo:
        """Return the repo in the request's path. Blocks."""
        return self.engine.repos.get(request.path_params["owner"], request.path_params["repo"])

    def datasource(self, request: Request) -> DatasourceRecord:
        """Return the datasource in the request's path. Blocks."""
        return self.engine.datasources.record(self.repo(request), id=id_of(request.path_params["datasource"]))


def principal_of(request: Request) -> Principal:
    """Return whom the request acts for."""
    principal: Principal = request.scope[PRINCIPAL_KEY]
    return principal


def id_of(text: object) -> int:
    """Read a datasource's id, which travels as text.

    Raises:
        DatasourceNotFoundError: It is no number, so nothing can have it.
    """
    written = str(text)
    if not (written.isascii() and written.isdigit() and len(written) < 19):
        raise DatasourceNotFoundError(f"There is no datasource with the id {written[:40]!r}.", {"id": written[:40]})
    return int(written)
