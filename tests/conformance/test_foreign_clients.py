"""Our doubles are taken for the software itself by clients that others wrote for it.

Each calls what the connector calls, reads the answers by its own models, and sees the same errors.
"""

import pytest
from chatwoot import AsyncChatwootClient, ChatwootClient
from chatwoot.exceptions import ChatwootAPIError, ChatwootAuthError, ChatwootNotFoundError
from chatwoot.types.common import ConversationPriority, ConversationStatus
from requests.exceptions import HTTPError
from zammad_py import ZammadAPI  # type: ignore[import-untyped]  # it has no types

from tests.doubles.chatwoot_double import ChatwootDouble
from tests.doubles.chatwoot_state import ACCOUNT, READER
from tests.doubles.server import serving
from tests.doubles.zammad_double import ZammadDouble
from tests.doubles.zammad_state import ANN, BOT, EMMA, ROOT


def zammad(url: str, double: ZammadDouble, user: int) -> ZammadAPI:
    """The client of a user."""
    client = ZammadAPI(url=f"{url}/api/v1/", http_token=double.users[user].token)
    client.session.trust_env = False
    return client


def test_zammad_py_works_on_our_zammad() -> None:
    """A ticket from its first article to its end, with tags, notes and a mail."""
    double = ZammadDouble()
    with serving(double.app) as url:
        emma, bot = zammad(url, double, EMMA), zammad(url, double, BOT)
        assert bot.user.me()["login"] == "deskgraph@desk.test"
        assert {one["name"] for one in bot.ticket_state.all()} >= {"new", "open", "closed"}
        assert len(bot.ticket_priority.all()) == 3
        asked = {"type": "phone", "sender": "Customer", "origin_by_id": ANN, "body": "Twice."}
        new = {
            "title": "Twice",
            "group": "Users",
            "customer": "ann@customer.test",
            "article": asked,
        }
        id_ = emma.ticket.create(new)["id"]
        assert bot.ticket.find(id_)["customer_id"] == ANN
        reply = {"type": "email", "to": "ann@customer.test", "body": "Done.", "internal": False,
                 "preferences": {"deskgraph_key": "k"}}  # fmt: skip
        bot.ticket.update(id_, {"state": "open", "article": reply})
        bot.ticket_article.create(
            {"ticket_id": id_, "body": "Hm.", "type": "note", "internal": True}
        )
        articles = bot.ticket.articles(id_)
        assert [one["body"] for one in articles] == ["Twice.", "Done.", "Hm."]
        assert articles[1]["preferences"]["deskgraph_key"] == "k"
        assert [mail.text for mail in double.mails] == ["Done."]
        bot.ticket_tag.add(id_, "refund")
        assert bot.ticket.tags(id_) == {"tags": ["refund"]}
        bot.ticket_tag.remove(id_, "refund")
        assert [one["state"] for one in bot.ticket.search("Twice")] == ["open"]
        assert bot.user.find(ANN)["email"] == "ann@customer.test"
        zammad(url, double, ROOT).ticket.destroy(id_)
        with pytest.raises(HTTPError, match="Couldn't find"):
            bot.ticket.find(id_)


def test_zammad_py_sees_the_refusals_of_our_zammad() -> None:
    """A customer's token, a name that is not there, a group without an address, a merged ticket."""
    double = ZammadDouble()
    with serving(double.app) as url:
        ann, bot = zammad(url, double, ANN), zammad(url, double, BOT)
        new = {"title": "One", "group": "Users", "article": {"body": "Hello."}}
        one, other = ann.ticket.create(new), ann.ticket.create(new)
        note = {"ticket_id": one["id"], "body": "Mine.", "type": "note", "internal": True}
        assert ann.ticket_article.create(note)["internal"] is False
        with pytest.raises(HTTPError, match="Not authorized"):
            ann.user.search("*")
        with pytest.raises(HTTPError, match="No lookup value found for 'group'"):
            bot.ticket.update(one["id"], {"group": "no-such-group"})
        with pytest.raises(HTTPError, match="pending_time"):
            bot.ticket.update(one["id"], {"state": "pending reminder"})
        bot.ticket.update(one["id"], {"group": "Letters"})
        with pytest.raises(HTTPError, match="contact your administrator"):
            bot.ticket.update(one["id"], {"article": {"type": "email", "body": "Hello."}})
        bot.ticket.merge(one["id"], other["number"])
        assert double.tickets[one["id"]].state_id == 5
        with pytest.raises(HTTPError, match="Invalid token"):
            ZammadAPI(url=f"{url}/api/v1/", http_token="x").user.me()


def test_chatwoot_sdk_works_on_our_chatwoot() -> None:
    """An agent reads, the bot writes, and its answers fit the client's own models."""
    double = ChatwootDouble()
    id_ = double.open("Twice.").id
    with serving(double.app) as url:
        agent = ChatwootClient(url, double.users[READER].token)
        bot = ChatwootClient(url, double.bot.token)
        assert agent.profile.get().email == "reader@desk.test"
        assert [one.id for one in agent.conversations.list(ACCOUNT, status="pending")] == [id_]
        assert [one.name for one in agent.inboxes.list(ACCOUNT)] == ["Website"]
        key = {"deskgraph_key": "k"}
        made = bot.messages.create(ACCOUNT, id_, "Done.", content_attributes=key)
        assert (made.message_type, made.content_attributes, made.status) == (1, key, "sent")
        bot.messages.create(ACCOUNT, id_, "Hm.", private=True)
        said = agent.messages.list(ACCOUNT, id_)
        senders = [one.sender.type if one.sender else None for one in said]
        assert senders == ["contact", "agent_bot", "agent_bot"]
        assert [one.private for one in said] == [False, False, True]
        bot.conversations.labels.add(ACCOUNT, id_, ["vip", "no-such-label"])
        assert agent.conversations.labels.list(ACCOUNT, id_) == ["vip"]
        double.conversations[id_].priority = "urgent"
        done = bot.conversations.toggle_status(ACCOUNT, id_, "open")
        assert done.current_status == ConversationStatus.OPEN
        shown = agent.conversations.get(ACCOUNT, id_)
        assert (shown.priority, shown.labels) == (ConversationPriority.URGENT, ["vip"])
        assert shown.meta is not None
        assert shown.meta.hmac_verified is False


async def test_chatwoot_sdk_sees_the_refusals_of_our_chatwoot() -> None:
    """What a bot may not do, what is not there, and what is too long; by the other client."""
    double = ChatwootDouble()
    id_ = double.open("Twice.").id
    with serving(double.app) as url:
        async with (
            AsyncChatwootClient(url, double.bot.token) as bot,
            AsyncChatwootClient(url, "no-token") as stranger,
        ):
            with pytest.raises(ChatwootAuthError):
                await bot.messages.list(ACCOUNT, id_)
            with pytest.raises(ChatwootAuthError):
                await bot.conversations.get(ACCOUNT + 1, id_)
            with pytest.raises(ChatwootAuthError):
                await stranger.conversations.get(ACCOUNT, id_)
            with pytest.raises(ChatwootNotFoundError):
                await bot.messages.create(ACCOUNT, 999, "Hello.")
            with pytest.raises(ChatwootAPIError) as caught:
                await bot.messages.create(ACCOUNT, id_, "x" * 150_001)
            assert caught.value.status_code == 422
