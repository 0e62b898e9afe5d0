"""Whom clients of HTTPS trust, read once for all of them."""

import os
import ssl
from functools import cache

import httpx


def tls_context() -> ssl.SSLContext:
    """Checks certificates against certifi's store, or that of SSL_CERT_FILE or SSL_CERT_DIR."""
    return _read_store(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache  # To read a store holds the event loop for 25 ms.
def _read_store(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()
