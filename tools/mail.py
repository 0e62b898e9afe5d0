"""Mail to many: count an audience, preview the mail, and send it once to each."""

import asyncio
import time
from typing import Annotated

from pydantic import Field

from tools.errors import UnavailableError, UnfinishedError
from tools.models import Contact, Delivery, Mail, MailPreview, MailResult, MailTally
from tools.ports import Caller, Contacts, Mailer, Mailings
from tools.tool import REWRITABLE, Args, Permission, Tool, editable_fields

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


# A reviewer may change the words; never who gets them.
MAIL_EDITABLE = tuple(editable_fields(BulkMailArgs))


def read_audiences(contacts: Contacts) -> Tool[ReadAudiencesArgs]:
    """The names of the tenant's audiences, with how many people each has."""

    async def run(_args: ReadAudiencesArgs, _key: str) -> dict[str, int]:
        return await contacts.audiences()

    return Tool("read_audiences", Permission.READ_CONTACTS, ReadAudiencesArgs, run)


def preview_mail(contacts: Contacts) -> Tool[PreviewArgs]:
    """Who would get the mail and what the first of them would read; sends nothing."""

    async def run(args: PreviewArgs, _key: str) -> MailPreview:
        found = await contacts.audience(args.audience, FIRST)
        first = found["first"]
        return {
            "count": found["count"],
            "as_of": found["as_of"],
            "first": [masked(contact["email"]) for contact in first],
            "text": preview_text(args, first[0]) if first else "",
        }

    return Tool("preview_mail", Permission.READ_CONTACTS, PreviewArgs, run)


def send_bulk_mail(mailings: Mailings, mailer: Mailer, caller: Caller) -> Tool[BulkMailArgs]:
    """Mail an audience. Repeatable: whoever was begun before is not mailed again."""

    def key(args: BulkMailArgs) -> str:
        """One mailing per ticket and audience; the ticket's id may hold a colon."""
        return f"mail:{args.audience}:{caller.ticket_id}"

    async def check(args: BulkMailArgs) -> str | None:
        return await mailings.problem(args.audience, args.recipients, args.as_of)

    async def run(args: BulkMailArgs, key: str) -> MailResult:
        await mailings.begin(key, args.audience, args.recipients, args.as_of)
        try:
            await send_slice(mailings, mailer, args, key)
        except UnavailableError as error:
            # Whoever takes over must know who need not be mailed again.
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

    def simulate(args: BulkMailArgs) -> MailResult:
        return {
            "audience": args.audience,
            "sent": args.recipients,
            "failed": 0,
            "unknown": 0,
            "skipped": 0,
        }

    return Tool(
        "send_bulk_mail",
        Permission.SEND_BULK,
        BulkMailArgs,
        run,
        key=key,
        gated=True,
        check=check,
        repeatable=True,
        simulate=simulate,
    )


async def send_slice(mailings: Mailings, mailer: Mailer, args: BulkMailArgs, key: str) -> None:
    """Send to those who are due, over one connection, until none is left or time is up.

    Raises:
        UnavailableError: the server does not answer; whoever was about to be mailed still waits.
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


def how_far(tally: MailTally) -> str:
    """A mailing's progress in words: how many were mailed, of how many, and the others."""
    others = {
        "refused": tally["failed"],
        "perhaps mailed": tally["unknown"],
        "no longer on the list": tally["skipped"],
        "still waiting": tally["waiting"],
    }
    notes = [f"{count} {what}" for what, count in others.items() if count]
    total = tally["sent"] + sum(others.values())
    return ", ".join([f"{tally['sent']} of {total} were mailed", *notes])


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
