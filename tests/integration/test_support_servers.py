"""The servers that other tests stand on do what those tests take for granted."""

from __future__ import annotations

import obstore
import psycopg
import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tests.support.servers import PostgresServer, S3Server


def store_of(server: S3Server, *, bucket: str, secret: str) -> S3Store:
    return S3Store(
        bucket,
        endpoint=server.endpoint,
        access_key_id=server.access_key_id,
        secret_access_key=secret,
        region=server.region,
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )


def test_each_postgres_database_is_empty_and_apart(postgres_server: PostgresServer) -> None:
    first, second = (postgres_server.url(postgres_server.create_database()) for _ in range(2))
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE t (x int)")
    with psycopg.connect(second) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename = 't'").fetchone()
    assert row == (0,)


def test_the_s3_store_keeps_bytes_and_refuses_a_wrong_secret(seaweed: S3Server) -> None:
    bucket = seaweed.create_bucket()
    store = store_of(seaweed, bucket=bucket, secret=seaweed.secret_access_key)
    obstore.put(store, "a/b.txt", b"hello")
    assert bytes(obstore.get_range(store, "a/b.txt", start=1, end=4)) == b"ell"
    with pytest.raises(BaseError):
        obstore.get(store_of(seaweed, bucket=bucket, secret="wrong"), "a/b.txt")
