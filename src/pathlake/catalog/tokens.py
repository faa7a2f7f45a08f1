"""Tokens, of which only the SHA-256 is kept."""

from __future__ import annotations

import datetime as dt
import hashlib

import sqlalchemy as sa

from pathlake.catalog import tables
from pathlake.catalog.base import TokenRecord
from pathlake.catalog.database import Database
from pathlake.catalog.names import checked_name, storable
from pathlake.errors import AlreadyExistsError, UsageError

_KEPT = (tables.tokens.c.id, tables.tokens.c.login, tables.tokens.c.label, tables.tokens.c.created_at)


class TokenStore:
    """The part of the catalog about tokens."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create_token(self, login: str, *, label: str, token: str) -> TokenRecord:
        """Keep the digest of a token.

        Raises:
            InvalidNameError: The login is not allowed.
            UsageError: The token is empty.
            AlreadyExistsError: That very token was kept before.
        """
        if not token:
            raise UsageError("A token cannot be empty.")
        values = {
            "login": checked_name(login, what="user"),
            "label": storable(label),
            "sha256": _digest(token),
            "created_at": dt.datetime.now(dt.UTC),
        }
        try:
            with self._db.write() as connection:
                row = connection.execute(sa.insert(tables.tokens).values(values).returning(*_KEPT)).mappings().one()
        except sa.exc.IntegrityError as error:
            raise AlreadyExistsError("That token exists already.") from error
        return TokenRecord(**row)

    def token(self, token: str) -> TokenRecord | None:
        """Return the keeper of `token`, or None when no such token was made."""
        query = sa.select(*_KEPT).where(tables.tokens.c.sha256 == _digest(token))
        with self._db.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else TokenRecord(**row)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
