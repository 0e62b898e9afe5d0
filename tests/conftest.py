"""One real Postgres per test process, and one migrated database on it."""

import os

# As the command line does, before langgraph is imported.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
# Before numpy: its threads wait for each other by spinning, while the other processes of the tests
# have the cores. To train a model took twice the CPU.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Second, since all that follows imports libraries: hooks that say what is collected, in which
# order, and what coverage traces.
from tests.collecting import (  # noqa: F401
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_ignore_collect,
)
from tests.tracing import (  # noqa: F401
    pytest_make_collect_report,
    pytest_runtest_call,
    pytest_runtest_protocol,
)

# isort: split
import itertools
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import Insert, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.commands import seed as demo
from app.commands.keys import issue_key
from app.commands.migrate import migrate
from app.db.core.base import Base
from app.db.core.connections import Sessions, make_engine
from app.db.core.embedded import embedded_postgres
from app.db.tables.knowledge import Article
from app.db.tables.mailings import Contact
from app.db.tables.sandbox import Agent, SandboxPayment, SandboxSubscription
from app.db.tenants.queries import ensure_tenant, tenant_exists
from app.execution.wiring import Service, open_service
from app.log import configure_logging
from app.settings import Settings
from tests.doubles.receiver import Receiver
from tests.doubles.server import serving


def pytest_addoption(parser: pytest.Parser) -> None:
    """More cases of what `make test` tries in few: `.ci/run` asks for it."""
    parser.addoption(
        "--thorough", action="store_true", help="only what has more cases than are always tried"
    )
    parser.addoption("--pictures", help="folder for the pictures of the console's pages")


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether all cases are tried."""
    return bool(pytestconfig.getoption("--thorough"))


@pytest.fixture(scope="session", autouse=True)
def log_as_the_service_does() -> None:
    """Log lines of the tests' own process; structlog's default renders every local variable."""
    configure_logging("WARNING", as_json=True)


@pytest.fixture(autouse=True)
def logging_is_put_back(log_as_the_service_does: None) -> Iterator[None]:
    """A command that runs in this process configures logging, with a stream that closes."""
    root, config = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**config)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of our own, which need not outlive a power cut."""
    with embedded_postgres(tmp_path_factory.mktemp("pg")) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            connection.execute("SELECT pg_reload_conf()")
        yield url


def new_database(server_url: str, template: str = "template1") -> str:
    """A database on the server, empty or a copy of one that is not in use; its URL."""
    name = f"t_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return server_url.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture(scope="session")
def migrated(postgres: str) -> str:
    """The URL of a database with the whole schema."""
    url = new_database(postgres)
    migrate(url, lambda _step: None)
    return url


@pytest.fixture(scope="session")
async def migrated_database(postgres: str, migrated: str) -> Callable[[], str]:
    """Makes copies of that database, with the tenant that others are copied from."""
    engine = make_engine(migrated, 1)
    async with Sessions(engine).begin() as session:
        await demo.seed(session, TEMPLATE)
    await engine.dispose()
    return lambda: new_database(postgres, template=migrated.rsplit("/", 1)[1])


@pytest.fixture(scope="session")
def database_url(migrated_database: Callable[[], str]) -> str:
    """A database with the whole schema."""
    return migrated_database()


# 32 bytes of nothing, in base64.
ENCRYPTION_KEY = "A" * 43 + "="


@pytest.fixture(scope="session")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the tests' service; no key, so the offline model answers."""
    return Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        secret_key=SecretStr("tests"),
        encryption_keys=[SecretStr(ENCRYPTION_KEY)],
        data_dir=Path(tmp_path_factory.mktemp("data")),
    )


@pytest.fixture(scope="session")
async def service(settings: Settings) -> AsyncIterator[Service]:
    """The wired service, without API and worker."""
    async with open_service(settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def sessions(service: Service) -> Sessions:
    """Sessions on the migrated database."""
    return service.sessions


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant of one test, with a key for each kind of caller."""

    id: str
    starter: str
    approver: str
    admin: str


numbers = itertools.count(1)


TEMPLATE = "template"
COPIED: tuple[type[Base], ...] = (SandboxPayment, SandboxSubscription, Contact, Agent)
# To index the demo's articles takes half a second, to copy their 32,000 rows 0.15 s of CPU.
COPY_INDEX = """
WITH copied AS (
    INSERT INTO article_chunks (tenant_id, article_id, position, title, text, config)
    SELECT :new, article_id, position, title, text, config
    FROM article_chunks WHERE tenant_id = :old
    RETURNING id, article_id, position
), renewed AS (
    SELECT old.id AS old_id, copied.id AS new_id
    FROM copied JOIN article_chunks old USING (article_id, position)
    WHERE old.tenant_id = :old
), terms AS (
    INSERT INTO article_terms (tenant_id, term, chunk_id, weight)
    SELECT :new, term, new_id, weight FROM renewed JOIN article_terms ON chunk_id = old_id
)
INSERT INTO article_ngrams (tenant_id, ngram, chunk_id, weight)
SELECT :new, ngram, new_id, weight FROM renewed JOIN article_ngrams ON chunk_id = old_id"""


def copy_of(table: type[Base], tenant_id: str) -> Insert:
    """Gives the tenant the rows that the template has in a table."""
    columns = table.__table__.columns
    others = [column for column in columns if column.name != "tenant_id"]
    rows = select(literal(tenant_id), *others).where(columns["tenant_id"] == TEMPLATE)
    return insert(table).from_select(["tenant_id", *(column.name for column in others)], rows)


async def make_tenant(session: AsyncSession, *, articles: bool = True) -> Tenant:
    """A fresh tenant with the demo's payments and people and, if wanted, its articles."""
    tenant_id = f"t{next(numbers)}-{secrets.token_hex(4)}"
    if not await tenant_exists(session, TEMPLATE):
        await demo.seed(session, TEMPLATE)
    await ensure_tenant(session, tenant_id, tenant_id)
    for table in COPIED:
        await session.execute(copy_of(table, tenant_id))
    if articles:
        await copy_articles(session, tenant_id)
    starter = await issue_key(session, tenant_id, "starter", ["runs:write", "runs:read"])
    approver = await issue_key(session, tenant_id, "approver", ["approvals:decide", "runs:read"])
    scopes = ["admin", "articles:write", "runs:read", "runs:write"]
    admin = await issue_key(session, tenant_id, "admin", scopes)
    return Tenant(tenant_id, starter, approver, admin)


async def copy_articles(session: AsyncSession, tenant_id: str) -> None:
    """Gives the tenant the template's articles with their index."""
    # What is copied refers to what is copied; to look each row up takes most of the time.
    await session.execute(text("SET LOCAL session_replication_role = replica"))
    await session.execute(copy_of(Article, tenant_id))
    await session.execute(text(COPY_INDEX), {"new": tenant_id, "old": TEMPLATE})
    await session.execute(text("SET LOCAL session_replication_role = origin"))


@pytest.fixture
def articles(request: pytest.FixtureRequest) -> bool:
    """Whether the test's tenant has the demo's articles: not where no run looks for any."""
    return request.node.get_closest_marker("no_articles") is None


@pytest.fixture
async def tenant(sessions: Sessions, *, articles: bool) -> Tenant:
    """A tenant that no other test uses."""
    async with sessions.begin() as session:
        return await make_tenant(session, articles=articles)


@pytest.fixture(scope="session")
def fresh_database(postgres: str) -> Callable[[], str]:
    """Makes empty databases."""
    return lambda: new_database(postgres)


@pytest.fixture
def receiver() -> Receiver:
    """Takes everything, unless a test says otherwise."""
    return Receiver()


@pytest.fixture
def url(receiver: Receiver) -> Iterator[str]:
    """Where the receiver listens."""
    with serving(receiver.app) as base:
        yield f"{base}/hook"
