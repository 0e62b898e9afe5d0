"""`deskgraph migrate` and `deskgraph dev` on a database that another version made."""

from collections.abc import Callable

import psycopg
import pytest
from typer.testing import CliRunner, Result

from app.cli import app

SAYS = {
    "0000": ["revision 0000", "begin at", "check out the last commit", "start afresh"],
    "9999": ["revision 9999", "a newer deskgraph", "Run that version"],
}


def deskgraph(url: str, *arguments: str) -> Result:
    """Run a command on that database."""
    return CliRunner().invoke(app, arguments, env={"DESKGRAPH_DATABASE_URL": url})


@pytest.mark.parametrize("revision", SAYS)
@pytest.mark.parametrize("command", [("migrate",), ("dev", "--port", "0")])
def test_schema_of_another_version_is_explained_and_left_alone(
    fresh_database: Callable[[], str], command: tuple[str, ...], revision: str
) -> None:
    """A revision that is not here ends in what happened and what to do, and changes nothing."""
    url = fresh_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES (%s)", [revision])
    refused = deskgraph(url, *command)
    assert refused.exit_code == 1
    assert isinstance(refused.exception, SystemExit), refused.exc_info
    for words in SAYS[revision]:
        assert words in refused.stderr
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        assert tables == [("alembic_version",)]


def test_migrate_says_its_steps_and_may_run_again(fresh_database: Callable[[], str]) -> None:
    """An empty database becomes current; a second run finds nothing to do and says the same."""
    url = fresh_database()
    for _ in range(2):
        done = deskgraph(url, "migrate")
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == "migrating tables"
        assert done.stdout.splitlines()[-1] == "The schema is up to date."
