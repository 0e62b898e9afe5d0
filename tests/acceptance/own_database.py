"""A database for one module's processes: any worker takes any run of its database."""

from app.commands.migrate import migrate
from app.db.core.connections import Sessions, make_engine
from tests.conftest import Tenant, make_tenant


def migrated(url: str) -> str:
    """The same URL, now with the whole schema."""
    migrate(url, lambda _step: None)
    return url


async def tenant_on(url: str, *, articles: bool = True) -> Tenant:
    """A tenant that no other test uses."""
    engine = make_engine(url, 1)
    try:
        async with Sessions(engine).begin() as session:
            return await make_tenant(session, articles=articles)
    finally:
        await engine.dispose()
