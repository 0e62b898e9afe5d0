"""Mailings: count an audience, preview the mail, and send it once to each person."""

import asyncio
import time
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from tools.effect import Effect
from tools.errors import UnavailableError, UnfinishedError
from tools.models import (
    Contact,
    Delivery,
    Evidence,
    JsonObject,
    Mail,
    MailPreview,
    MailResult,
    MailTally,
    Step,
)
from tools.ports import Caller, Mailer, Mailings, Ports, Records
from tools.rules import Rules
from tools.tool import REWRITABLE, Args, Permission, Tool
from tools.wording import Names, Phrase, Sentence

MAY_READ_CONTACTS = Permission("read_contacts")

MAILED = Phrase(
    en="We have sent your mail to {about}.",
    de="Wir haben Ihre Mail an {about} gesendet.",
    fr="Nous avons envoyé votre message à {about}.",
    es="Hemos enviado su correo a {about}.",
    it="Abbiamo inviato la Sua mail a {about}.",
    pt="Enviamos o seu e-mail para {about}.",
    nl="Wij hebben uw mail verzonden aan {about}.",
    ja="{about}にメールを送信いたしました。",
)

# One call sends for so long and then asks to be called again: a checkpoint lies between two calls,
# so no mailing is too long for the time limit of a node or the patience of a stop.
SLICE_SECONDS = 3
PROGRESS_EVERY = 100
# How often to look whether a refused recipient may be tried again.
POLL_SECONDS = 0.2
FIRST = 3

AudienceName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,50}$", description="A segment's name.")]
# No control character: a line break here would begin a header of its own.
Subject = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}$")]
Body = Annotated[str, Field(min_length=1, max_length=20_000)]


class ReadAudiencesArgs(Args):
    """No arguments: the tenant comes from the run."""


class PreviewArgs(Args):
    """A mail to look at. `{name}` in subject and body becomes the recipient's name."""

    audience: AudienceName
    subject: Annotated[Subject, REWRITABLE]
    body: Annotated[Body, REWRITABLE]


class BulkMailArgs(PreviewArgs):
    """A mail to send to no more people than were counted at `as_of` (ISO 8601)."""

    recipients: Annotated[int, Field(ge=1, le=10**7)]
    as_of: Annotated[str, Field(min_length=1, max_length=50)]


def mailing_caller(caller: Caller) -> bool:
    """Only a run that was started with the scope `mail:send` has tools for mail."""
    return caller.may_mail


async def read_audiences(_args: ReadAudiencesArgs, ports: Ports, _caller: Caller) -> dict[str, int]:
    """The names of the tenant's audiences, with how many people each has."""
    return await ports.contacts.audiences()


async def preview_mail(args: PreviewArgs, ports: Ports, _caller: Caller) -> MailPreview:
    """Who would get the mail and what the first of them would read; sends nothing."""
    found = await ports.contacts.audience(args.audience, FIRST)
    first = found["first"]
    return {
        "count": found["count"],
        "as_of": found["as_of"],
        "first": [masked(contact["email"]) for contact in first],
        "text": preview_text(args, first[0]) if first else "",
    }


def mailing_key(args: BulkMailArgs, caller: Caller) -> str:
    """One mailing per ticket and audience."""
    # The ticket's id may hold a colon, so it stands last.
    return f"mail:{args.audience}:{caller.ticket_id}"


async def check_mailing(args: BulkMailArgs, ports: Ports, _caller: Caller) -> str | None:
    """Why the audience is not the one that was counted, or None."""
    return await ports.mailings.problem(args.audience, args.recipients, args.as_of)


async def send_mailing(args: BulkMailArgs, ports: Ports, _caller: Caller, key: str) -> MailResult:
    """Mail an audience; a recipient whose mail was begun before is not mailed again."""
    mailings = ports.mailings
    await mailings.begin(key, args.audience, args.recipients, args.as_of)
    try:
        await send_slice(mailings, ports.mailer, args, key)
    except UnavailableError as error:
        # The person who takes over must know who need not be mailed again.
        reached = how_far(await mailings.tally(key))
        raise UnavailableError(f"{args.audience}: {reached}: {error}") from error
    finally:
        tally = await mailings.tally(key)
    if tally["waiting"]:
        raise UnfinishedError(f"{key}: {tally['waiting']} recipients are left")
    return {
        "audience": args.audience,
        "sent": tally["sent"],
        "failed": tally["failed"],
        "unknown": tally["unknown"],
        "skipped": tally["skipped"],
    }


def simulate_mailing(args: BulkMailArgs) -> MailResult:
    """Everybody is reached."""
    return {
        "audience": args.audience,
        "sent": args.recipients,
        "failed": 0,
        "unknown": 0,
        "skipped": 0,
    }


def mailing_gate(args: BulkMailArgs, rules: Rules) -> str | None:
    """A mailing to so many people needs a person."""
    if args.recipients < rules.bulk_mail_gate_from:
        return None
    return f"a mail to {args.recipients} people reaches the gate of {rules.bulk_mail_gate_from}"


async def recount_mailing(args: BulkMailArgs, ports: Ports, key: str) -> BulkMailArgs:
    """With the recipients on its list once that is fixed, else with all that it reaches now."""
    listed = everybody(await ports.mailings.tally(key))
    reached = listed or (await ports.contacts.audience(args.audience, 0))["count"]
    return args.model_copy(update={"recipients": reached})


def mailing_risk(args: BulkMailArgs, _evidence: Sequence[Evidence]) -> str:
    """How many get it, for the one who must agree to it."""
    return f"mails {args.recipients} people; a mail cannot be taken back"


def mailing_evidence(audience: str, preview: MailPreview) -> list[Evidence]:
    """Who would get the mail, and what the first of them would read."""
    first = ", ".join(preview["first"])
    count = f"{preview['count']} recipients, first: {first}"
    return [
        {"kind": "contacts", "id": audience, "summary": count},
        {"kind": "mail", "id": audience, "summary": preview["text"]},
    ]


async def edited_mailing_evidence(
    args: BulkMailArgs, records: Records, shown: Sequence[Evidence]
) -> list[Evidence]:
    """The same recipients, and the edited mail as the first one who gets it now would read it."""
    first = (await records.contacts.audience(args.audience, 1))["first"]
    text = preview_text(args, first[0]) if first else ""
    return [{**item, "summary": text} if item["kind"] == "mail" else item for item in shown]


def mailing_wording(_args: JsonObject, result: JsonObject, _names: Names) -> list[Sentence]:
    """How many it reached, and how many it did not."""
    return [Sentence(MAILED, {"about": mailing_words(result)})]


def mailing_words(result: JsonObject) -> str:
    """How a mailing ended: whom it reached, and how many it did not."""
    missed = {
        "refused by the mail server": result["failed"],
        "perhaps not reached": result["unknown"],
        "no longer on the list": result["skipped"],
    }
    notes = ", ".join(f"{count} {what}" for what, count in missed.items() if count)
    return f"{result['sent']} contacts in {result['audience']}" + (f" ({notes})" if notes else "")


def mailing_subject(step: Step, _names: Names) -> str:
    """Its audience."""
    return str(step["args"]["audience"])


async def send_slice(mailings: Mailings, mailer: Mailer, args: BulkMailArgs, key: str) -> None:
    """Send to those who are due, over one connection, until none is left or time is up.

    Raises:
        UnavailableError: the server does not answer; the next recipient still waits.
        RunLostError: the run was cancelled or is no longer ours.
    """
    ends = time.monotonic() + SLICE_SECONDS
    async with mailer.open() as outbox:
        count = 0
        while time.monotonic() < ends:
            if contact := await mailings.next(key):
                try:
                    delivery = await outbox.send(render(args, contact, key))
                except UnavailableError as error:
                    later: Delivery = {"status": "later", "detail": str(error)}
                    await mailings.note(key, contact["id"], later)
                    raise
                await mailings.note(key, contact["id"], delivery)
                count += 1
                if count % PROGRESS_EVERY == 0:
                    await mailings.tally(key)
            elif (await mailings.tally(key))["waiting"]:
                await asyncio.sleep(POLL_SECONDS)
            else:
                return


def everybody(tally: MailTally) -> int:
    """How many are on a mailing's list; 0 before it is fixed."""
    counts = (tally["sent"], tally["failed"], tally["unknown"], tally["skipped"], tally["waiting"])
    return sum(counts)


def how_far(tally: MailTally) -> str:
    """A mailing's progress in words: how many were mailed, of how many, and the others."""
    others = {
        "refused": tally["failed"],
        "perhaps mailed": tally["unknown"],
        "no longer on the list": tally["skipped"],
        "still waiting": tally["waiting"],
    }
    notes = [f"{count} {what}" for what, count in others.items() if count]
    return ", ".join([f"{tally['sent']} of {everybody(tally)} were mailed", *notes])


def render(args: PreviewArgs, contact: Contact, key: str) -> Mail:
    """The mail for one person; `{name}` is all that is replaced, and a name is one line."""
    name = " ".join("".join(c if c.isprintable() else " " for c in contact["name"]).split())
    return {
        "key": f"{key}:{contact['id']}",
        "to": {**contact, "name": name},
        "subject": args.subject.replace("{name}", name),
        "text": args.body.replace("{name}", name),
    }


def preview_text(args: PreviewArgs, first: Contact) -> str:
    """What the first one would read, as a reviewer is shown it."""
    mail = render(args, as_initial(first), "")
    return f"Subject: {mail['subject']}\n\n{mail['text']}"


def as_initial(contact: Contact) -> Contact:
    """The contact with a name of one letter: what is shown is kept longer than the contact is."""
    return {**contact, "name": f"{contact['name'].strip()[:1]}***"}


def masked(email: str) -> str:
    """`ann@example.com` as `a***@example.com`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"


READ_AUDIENCES = Tool(
    "read_audiences", MAY_READ_CONTACTS, ReadAudiencesArgs, read_audiences, mailing_caller
)
PREVIEW_MAIL = Tool("preview_mail", MAY_READ_CONTACTS, PreviewArgs, preview_mail, mailing_caller)

BULK_MAIL = Effect(
    name="send_bulk_mail",
    permission=Permission("send_bulk"),
    args=BulkMailArgs,
    open_to=mailing_caller,
    key=mailing_key,
    run=send_mailing,
    check=check_mailing,
    repeatable=True,
    simulate=simulate_mailing,
    gate_reason=mailing_gate,
    recount=recount_mailing,
    risk=mailing_risk,
    evidence=edited_mailing_evidence,
    wording=mailing_wording,
    subject=mailing_subject,
)
