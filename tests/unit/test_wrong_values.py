"""Wrong settings and files are named with what to write instead, before anything is opened."""

import json

import pytest
from pydantic import SecretStr, ValidationError
from typer.testing import CliRunner

from app.cli import app
from app.settings import Settings

WRONG_URLS = [
    "foo",
    "mysql://user:hunter2@db/desk",
    "http://user:hunter2@db/desk",
    "postgresql://user:hunter2@db:many/desk",
    "postgresql://user:hunter2@db/desk?hunter2=1",
    "host=db password=hunter2",
]


@pytest.mark.parametrize("variable", ["DESKGRAPH_DATABASE_URL", "DESKGRAPH_DIRECT_DATABASE_URL"])
@pytest.mark.parametrize("url", WRONG_URLS)
def test_wrong_database_url_is_named_with_advice(variable: str, url: str) -> None:
    """Each command ends with 2, the variable and how a URL looks, and repeats no password."""
    for command in (["runs", "list"], ["worker"], ["api"], ["migrate"], ["dev"], ["shell"]):
        done = CliRunner().invoke(app, command, env={variable: url})
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr == (
            f"{variable}: must be a URL like postgresql://user:password@host:5432/database\n"
        )


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:p%40ss@db:5432/desk?sslmode=require",
        "postgres://db/desk",
        "postgresql+psycopg://db/desk",
        "postgresql:///desk?host=/run/postgresql",
        "postgresql://[::1]:5432/desk",
    ],
)
def test_every_form_that_libpq_reads_is_taken(url: str) -> None:
    """A password with signs, a socket, options and the suffix of a driver are no mistake."""
    settings = Settings(_env_file=None, database_url=SecretStr(url))
    assert settings.database_url == SecretStr(url)


def test_wrong_setting_is_said_in_our_words() -> None:
    """Neither the name of the validating library nor its prefix stands before our sentence."""
    done = CliRunner().invoke(app, ["worker"], env={"DESKGRAPH_MAIL_FROM": "nobody"})
    assert done.exit_code == 2
    assert done.stderr.startswith("DESKGRAPH_MAIL_FROM: must be an address")
    with pytest.raises(ValidationError):
        Settings(_env_file=None, mail_from="nobody")


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"anger_threshold": 7}, "-: anger_threshold: Input should be"),
        ({"refund_auto_limit": {"JPY": 1.5}}, "-: refund_auto_limit.JPY: Input should be"),
        ({"refund_limit": {}}, "-: refund_limit: Extra inputs"),
        ([], "-: must be a JSON object"),
        ("{", "-: "),
    ],
    ids=str,
)
def test_wrong_policy_names_the_rule(policy: object, says: str) -> None:
    """Each wrong rule has its line with its name; no class of ours and no link stands there."""
    text = policy if isinstance(policy, str) else json.dumps(policy)
    done = CliRunner().invoke(app, ["policy", "set", "-"], input=text)
    assert done.exit_code == 2
    assert done.stderr.startswith(says)
    assert not [word for word in ("pydantic", "Policy", "Value error") if word in done.stderr]
