"""Every connector by its kind. What a tenant has without a connection: the local desk and the
sandbox provider, on our own tables."""

from app.connectors.connector import Connector
from app.connectors.webhook import WEBHOOK

CONNECTORS: dict[str, Connector] = {connector.kind: connector for connector in (WEBHOOK,)}
