"""What Zendesk does beside the laws of every helpdesk."""

from tests.conformance.helpdesk import HelpdeskLaws


class ZendeskLaws(HelpdeskLaws):
    """The laws of every helpdesk, and these."""
