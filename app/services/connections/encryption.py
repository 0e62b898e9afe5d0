"""Credentials at rest: encrypted by the operator's keys, the newest of which encrypts.

Source: Fernet (AES-128-CBC and HMAC-SHA256) of the library `cryptography`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.errors import EncryptionError
from app.settings import Settings

NO_KEY = (
    "Credentials are stored encrypted, and no key is set: put the output of "
    "`deskgraph connections new-key` into DESKGRAPH_ENCRYPTION_KEYS of every process."
)
OTHER_KEY = (
    "The credentials were encrypted with a key that DESKGRAPH_ENCRYPTION_KEYS no longer holds: "
    "add it behind the newest one."
)


def new_key() -> str:
    """A key for DESKGRAPH_ENCRYPTION_KEYS: 256 random bits in base64."""
    return Fernet.generate_key().decode()


@dataclass(frozen=True, slots=True)
class Vault:
    """Encrypts and decrypts documents; `keys` are newest first, and each is one of `new_key`."""

    keys: Sequence[str] = field(repr=False)

    def seal(self, document: Any) -> bytes:
        """The JSON document, encrypted with the newest key. Raises EncryptionError without one."""
        return self._fernet().encrypt(json.dumps(document).encode())

    def open(self, sealed: bytes) -> Any:
        """The document. Raises EncryptionError when no key opens it."""
        try:
            return json.loads(self._fernet().decrypt(sealed))
        except InvalidToken:
            raise EncryptionError(OTHER_KEY) from None

    def reseal(self, sealed: bytes) -> bytes:
        """The same document under the newest key. Raises EncryptionError."""
        try:
            return self._fernet().rotate(sealed)
        except InvalidToken:
            raise EncryptionError(OTHER_KEY) from None

    def _fernet(self) -> MultiFernet:
        if not self.keys:
            raise EncryptionError(NO_KEY)
        return MultiFernet([Fernet(key) for key in self.keys])


def vault_of(settings: Settings) -> Vault:
    """The vault of this process; without keys it refuses when it is used."""
    return Vault([key.get_secret_value() for key in settings.encryption_keys])
