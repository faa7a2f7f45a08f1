from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from pathlake.catalog import Catalog, open_catalog
from pathlake.catalog.database import Database
from pathlake.catalog.tables import HEAD, VERSION_TABLE, metadata
from pathlake.errors import ConfigurationError, HomeError, IncompatibleVersionError
from tests.support.processes import free_ports
from tests.support.servers import PostgresServer


def shape(connection: sa.Connection) -> dict[str, object]:
    """Everything about the tables that Alembic's comparison leaves out, in the database's own words."""
    found: dict[str, object] = {}
    inspector = sa.inspect(connection)
    for table in sorted(set(inspector.get_table_names()) - {VERSION_TABLE}):
        found[table] = {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column["default"], column.get("identity"))
                for column in inspector.get_columns(table)
            ],
            "primary": inspector.get_pk_constraint(table),
            "unique": sorted(map(str, inspector.get_unique_constraints(table))),
            "foreign": sorted(map(str, inspector.get_foreign_keys(table))),
            "indexes": sorted(
                (
                    str(index["name"]),
                    index["column_names"],
                    bool(index["unique"]),
                    {option: str(value) for option, value in index.get("dialect_options", {}).items()},
                )
                for index in inspector.get_indexes(table)
            ),
        }
    if connection.dialect.name == "sqlite":
        statements = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
        found["autoincrement"] = sorted(row[0] for row in statements)
    return found


def test_the_constant_names_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "pathlake.catalog:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_the_migrations_make_exactly_the_tables_of_the_metadata(
    catalog: Catalog, catalog_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    migrated = Database(catalog_url)
    with migrated.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
        by_migration = shape(connection)
    migrated.close()
    if catalog_url.startswith("sqlite"):
        created = Database(f"sqlite:///{tmp_path}/created.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        created = Database(server.url(server.create_database()))
    with created.write() as connection:
        metadata.create_all(connection)
        assert shape(connection) == by_migration
    created.close()


def set_revision(url: str, revision: str) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = :revision"), {"revision": revision})
    database.close()


@pytest.mark.parametrize("revision", ["0002", "9999", "abcdef"])
def test_a_catalog_of_a_newer_pathlake_is_refused_untouched(catalog_url: str, revision: str) -> None:
    open_catalog(catalog_url).close()
    set_revision(catalog_url, revision)
    with pytest.raises(IncompatibleVersionError, match=f"newer Pathlake.*{revision}.*pip install"):
        open_catalog(catalog_url)
    set_revision(catalog_url, HEAD)
    open_catalog(catalog_url).close()


@pytest.mark.parametrize("_again", range(3))
def test_threads_may_make_the_same_fresh_catalog_together(catalog_url: str, _again: int) -> None:
    start = threading.Barrier(6)

    def make(number: int) -> str:
        start.wait()
        catalog = open_catalog(catalog_url)
        catalog.create_repo("ann", f"r{number}")
        catalog.close()
        return "made"

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(make, range(6))) == ["made"] * 6
    catalog = open_catalog(catalog_url)
    assert len(catalog.repos()) == 6
    catalog.close()


def test_a_migration_that_fails_leaves_nothing(catalog_url: str) -> None:
    database = Database(catalog_url)
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE tokens (somebody_elses integer)")
    with pytest.raises(HomeError, match="tokens"):
        open_catalog(catalog_url)
    with database.read() as connection:
        assert sa.inspect(connection).get_table_names() == ["tokens"]
    database.close()


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://u:pass@h/d", "sqlite://", "sqlite:///:memory:", "http://x/y", "sqlite:///"]
)
def test_a_url_of_another_kind_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="sqlite:///PATH") as caught:
        open_catalog(url)
    assert "u:pass@" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to hold a header " * 20, b"SQLite format 3\0" * 9]
)
def test_a_file_that_is_no_database_is_named_and_kept(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "catalog.db"
    file.write_bytes(content)
    with pytest.raises(HomeError, match=str(file)):
        open_catalog(f"sqlite:///{file}")
    assert file.read_bytes() == content


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match=str(tmp_path)):
        open_catalog(f"sqlite:///{tmp_path}")


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(HomeError, match=str(tmp_path / "home")):
        open_catalog(f"sqlite:///{tmp_path}/home/catalog.db")


def run_as_nobody(script: str, *arguments: str) -> str:
    """Run Python without the rights of root, who may write anywhere."""
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    command = [*prefix, sys.executable, "-c", textwrap.dedent(script), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, cwd="/").stdout


@pytest.mark.parametrize("what", ["folder", "file", "existing"])
def test_what_may_not_be_written_is_named(what: str) -> None:
    # Outside tmp_path, whose parents nobody but its owner may enter.
    import tempfile

    with tempfile.TemporaryDirectory(prefix="pathlake-catalog-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        file = home / "catalog.db"
        if what == "file":
            open_catalog(f"sqlite:///{file}").close()
            file.chmod(0o444)
        home.chmod(0o555)
        if what == "folder":
            file = home / "deeper" / "catalog.db"
        said = run_as_nobody(
            """
            import sys
            from pathlake.catalog import open_catalog
            from pathlake.errors import HomeError
            try:
                open_catalog("sqlite:///" + sys.argv[1]).create_repo("ann", "cats")
            except HomeError as error:
                print(error)
            """,
            str(file),
        )
        home.chmod(0o755)
        assert str(home) in said
        assert "PATHLAKE_HOME" in said


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    (port,) = free_ports(1)
    with pytest.raises(HomeError, match=f"127.0.0.1:{port}/db") as caught:
        open_catalog(f"postgresql://ann:hidden@127.0.0.1:{port}/db")
    assert "hidden" not in str(caught.value)


def test_alembic_is_imported_for_a_migration_alone(catalog_url: str) -> None:
    open_catalog(catalog_url).close()
    script = """
        import sys
        from pathlake.catalog import open_catalog
        open_catalog(sys.argv[1]).repos()
        print([name for name in ("alembic", "mako", "duckdb", "pyarrow", "pandas") if name in sys.modules])
    """
    command = [sys.executable, "-c", textwrap.dedent(script), catalog_url]
    assert subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip() == "[]"


def test_sqlite_keeps_a_write_ahead_log_and_foreign_keys(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    catalog = open_catalog(f"sqlite:///{file}")
    with sqlite3.connect(file) as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()
    database = Database(f"sqlite:///{file}")
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    database.close()
    catalog.close()


def test_a_writer_waits_for_another_process_to_finish(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    catalog = open_catalog(f"sqlite:///{file}")
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(catalog.create_repo, "ann", "cats")
        assert catalog.repos() == [], "readers never wait"
        assert not waiting.done()
        other.execute("COMMIT")
        assert waiting.result(timeout=30).full_name == "ann/cats"
    other.close()
    catalog.close()


def test_a_full_disk_says_so_and_changes_nothing(tmp_path: Path) -> None:
    from pathlake.errors import DiskFullError

    catalog = open_catalog(f"sqlite:///{tmp_path}/catalog.db")
    repo = catalog.create_repo("ann", "cats")
    database = catalog._db  # type: ignore[attr-defined]
    sa.event.listen(database._engine, "begin", lambda c: c.exec_driver_sql("PRAGMA max_page_count = 1"))
    with pytest.raises(DiskFullError, match=r"catalog\.db"):
        catalog.create_repo("ann", "x" * 90, description="y" * 1_000_000)
    assert catalog.repos() == [repo]
    catalog.close()
