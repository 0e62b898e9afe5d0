"""Request Tracker 5: docs/connect/request_tracker.md."""

from app.connectors.connector import Connector
from app.connectors.hooks import verify_standard_webhook
from app.connectors.request_tracker.check import check
from app.connectors.request_tracker.desk import desk
from app.connectors.request_tracker.hook import read_hook
from app.connectors.request_tracker.settings import (
    RequestTrackerCredentials,
    RequestTrackerSettings,
)

REQUEST_TRACKER = Connector(
    kind="request_tracker",
    says="Request Tracker 5, by its REST 2 interface and a scrip that sends hooks",
    settings=RequestTrackerSettings,
    credentials=RequestTrackerCredentials,
    test=check,
    verify=verify_standard_webhook,
    read_hook=read_hook,
    desk=desk,
)
