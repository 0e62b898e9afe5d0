"""Zendesk: docs/connect/zendesk.md."""

from app.connectors.connector import Connector
from app.connectors.zendesk.check import check
from app.connectors.zendesk.desk import desk
from app.connectors.zendesk.hook import read_hook, verify
from app.connectors.zendesk.settings import ZendeskCredentials, ZendeskSettings

ZENDESK = Connector(
    kind="zendesk",
    says="Zendesk Support, by its API with OAuth and a webhook with event subscriptions",
    settings=ZendeskSettings,
    credentials=ZendeskCredentials,
    test=check,
    verify=verify,
    read_hook=read_hook,
    desk=desk,
)
