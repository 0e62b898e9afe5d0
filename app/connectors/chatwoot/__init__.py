"""Chatwoot, by an agent bot: docs/connect/chatwoot.md."""

from app.connectors.chatwoot.check import check
from app.connectors.chatwoot.desk import desk
from app.connectors.chatwoot.hook import read_hook, verify
from app.connectors.chatwoot.settings import ChatwootCredentials, ChatwootSettings
from app.connectors.connector import Connector

CHATWOOT = Connector(
    kind="chatwoot",
    says="Chatwoot, as an agent bot of its inboxes",
    settings=ChatwootSettings,
    credentials=ChatwootCredentials,
    test=check,
    verify=verify,
    read_hook=read_hook,
    desk=desk,
)
