"""What a mail's headers say about it: automatic, a bounce, or one of many."""

from collections.abc import Mapping

from graphs.text.noise import Ignored

# Senders of RFC 5321 and RFC 3464 that report on mail and read none.
REPORTERS = ("mailer-daemon@", "postmaster@", "mail-daemon@")
# Headers of autoresponders that say so by being there. RFC 3834, section 2, and what vendors send.
AUTOMATIC = ("x-autoreply", "x-autorespond", "x-autoresponse", "x-auto-reply", "x-mail-autoreply",
             "x-fc-machinegenerated", "x-ms-exchange-inbox-rules-loop")  # fmt: skip
# Headers of list and campaign mail. RFC 2369, RFC 2919, and what vendors send.
BULK = ("list-id", "list-unsubscribe", "list-post", "feedback-id", "x-campaign-id", "x-mailgun-tag")
# Only these are kept with a run: the others hold addresses and routes that nothing here reads.
TELLING = frozenset(
    (*AUTOMATIC, *BULK, "auto-submitted", "precedence", "x-precedence", "return-path", "from",
     "content-type", "x-auto-response-suppress", "x-failed-recipients", "x-post-messageclass")
)  # fmt: skip
VALUE_CHARS = 200


def telling(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that `kind_by_headers` reads, by their names in small letters."""
    small = {name.strip().lower(): value.strip()[:VALUE_CHARS] for name, value in headers.items()}
    return {name: value for name, value in sorted(small.items()) if name in TELLING}


def kind_by_headers(headers: Mapping[str, str]) -> Ignored | None:
    """What kind of mail its headers make it, or None for a person's; the surest sign first.

    Source: RFC 3834, section 2 (when an automatic responder must be silent).
    """
    known = {name: value.lower() for name, value in telling(headers).items()}
    if _is_bounce(known):
        return "bounce"
    if _is_automatic(known):
        return "auto_reply"
    if any(name in known for name in BULK) or _precedence(known) in ("bulk", "list", "junk"):
        return "bulk"
    # The null sender is for mail that must not be answered. RFC 5321, section 4.5.5.
    return "bounce" if known.get("return-path", "").replace(" ", "") == "<>" else None


def _is_bounce(known: Mapping[str, str]) -> bool:
    report = known.get("content-type", "")
    delivery = report.startswith("multipart/report") and "disposition-notification" not in report
    sender = known.get("from", "")
    reporter = any(name in sender for name in REPORTERS)
    return delivery or reporter or "x-failed-recipients" in known


def _is_automatic(known: Mapping[str, str]) -> bool:
    submitted = known.get("auto-submitted", "no").split(";")[0].strip()
    suppressed = {part.strip() for part in known.get("x-auto-response-suppress", "").split(",")}
    said = [known[name] for name in AUTOMATIC if name in known]
    return (
        submitted not in ("", "no")
        or bool(suppressed & {"all", "autoreply"})
        or any(value not in ("no", "false", "0") for value in said)
        or "autoresponder" in known.get("x-post-messageclass", "")
        or known.get("content-type", "").startswith("multipart/report")
        or _precedence(known) in ("auto_reply", "auto-reply", "autoreply")
    )


def _precedence(known: Mapping[str, str]) -> str:
    return known.get("precedence") or known.get("x-precedence", "")
