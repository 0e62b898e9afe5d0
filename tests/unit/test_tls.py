"""Clients of HTTPS share one reading of the certificates that they trust."""

from pathlib import Path

import certifi
import pytest

from app.adapters.tls import tls_context


def test_store_is_read_once() -> None:
    """Every client gets the same context, with certificates in it."""
    assert tls_context() is tls_context()
    assert tls_context().cert_store_stats()["x509_ca"] > 0


@pytest.mark.parametrize(
    ("variable", "store"),
    [("SSL_CERT_FILE", certifi.where()), ("SSL_CERT_DIR", str(Path(certifi.where()).parent))],
)
def test_another_store_is_another_context(
    monkeypatch: pytest.MonkeyPatch, variable: str, store: str
) -> None:
    """Who names a store gets its certificates, not those that were read before."""
    before = tls_context()
    monkeypatch.setenv(variable, store)
    assert tls_context() is not before
