"""Every connector by its kind. What a tenant has without a connection: the local desk and the
sandbox provider, on our own tables."""

from app.connectors.chatwoot import CHATWOOT
from app.connectors.connector import Connector
from app.connectors.email.connector import EMAIL
from app.connectors.request_tracker import REQUEST_TRACKER
from app.connectors.stripe.connector import STRIPE
from app.connectors.webhook import WEBHOOK
from app.connectors.zammad import ZAMMAD
from app.connectors.zendesk import ZENDESK

ALL = (WEBHOOK, REQUEST_TRACKER, ZENDESK, ZAMMAD, CHATWOOT, EMAIL, STRIPE)
CONNECTORS: dict[str, Connector] = {connector.kind: connector for connector in ALL}
