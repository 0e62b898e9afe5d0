"""Certificates for servers on loopback, made by the openssl program, trusted by no others."""

import subprocess
from pathlib import Path

CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
subjectAltName = DNS:{name}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


class Authority:
    """A certificate authority in a folder; `certificate` is what trusts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = self._make("authority", "ca")[0]

    def server(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of a server of that name."""
        signed = ["-CA", str(self.certificate), "-CAkey", str(self.folder / "authority.key")]
        return self._make(name, "server", *signed)

    def _make(self, name: str, extensions: str, *signed: str) -> tuple[Path, Path]:
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        config = self.folder / f"{name}.cnf"
        config.write_text(CONFIG.format(name=name))
        subprocess.run(
            ["openssl", "req", "-x509", "-config", config, "-extensions", extensions,
             "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-keyout", key, "-out", certificate, *signed],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return certificate, key
