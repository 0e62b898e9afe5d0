"""Ten sample tickets, one for each way through the workflow."""

from typing import Any


def _ticket(customer: str, name: str, subject: str, body: str) -> dict[str, Any]:
    return {"subject": subject, "body": body, "customer": {"id": customer, "name": name}}


TICKETS = (
    _ticket("cus_ann", "Ann", "Charged twice",
            "I was charged twice for my Pro plan this month, please refund one of them."),
    _ticket("cus_bob", "Bob", "Refund of the annual plan",
            "Please refund my annual plan, we stopped using it."),
    _ticket("cus_max", "Max", "Refund the November seat",
            "Please refund pay_4003. The colleague moved to another team."),
    _ticket("cus_yui", "Yui", "Refund please", "I would like a refund for my Pro plan payment."),
    _ticket("cus_eva", "Eva", "Upload does not work",
            "My upload fails with error E42. How do I fix it?"),
    _ticket("cus_lou", "Lou", "Opening hours", "What are your opening hours?"),
    _ticket("cus_eva", "Eva", "Password", "How do I reset my password?"),
    _ticket("cus_bob", "Bob", "Invoices", "Where can I download my invoices?"),
    _ticket("cus_max", "Max", "ENOUGH",
            "This is unacceptable!! I am furious, let me speak to a manager right now."),
    _ticket("cus_lou", "Lou", "?", "flurb gnar wexo plith"),
)  # fmt: skip
