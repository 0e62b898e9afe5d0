"""Zammad: docs/connect/zammad.md."""

from app.connectors.connector import Connector
from app.connectors.zammad.check import check
from app.connectors.zammad.desk import desk
from app.connectors.zammad.hook import read_hook, verify
from app.connectors.zammad.settings import ZammadCredentials, ZammadSettings

ZAMMAD = Connector(
    kind="zammad",
    says="Zammad, by its REST interface and two triggers that send webhooks",
    settings=ZammadSettings,
    credentials=ZammadCredentials,
    test=check,
    verify=verify,
    read_hook=read_hook,
    desk=desk,
)
