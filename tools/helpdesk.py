"""Reply to the customer, and hand a ticket to a person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from tools.effect import Effect
from tools.models import (
    Evidence,
    FoundArticle,
    Handoff,
    JsonObject,
    SentReply,
    Step,
    Suggestion,
    Urgency,
)
from tools.ports import Caller, Ports
from tools.quotable import quotable
from tools.tool import REWRITABLE, Args, Permission
from tools.wording import Names, Phrase, Sentence, Value

TAKEN_BY = Phrase(
    en="{who} from our team will read it and answer you here.",
    de="{who} aus unserem Team wird sie lesen und Ihnen hier antworten.",
    fr="{who}, de notre équipe, va le lire et vous répondre ici.",
    es="{who}, de nuestro equipo, lo leerá y le responderá aquí.",
    it="{who} del nostro team lo leggerà e Le risponderà qui.",
    pt="{who}, da nossa equipe, vai ler e responder aqui.",
    nl="{who} van ons team zal het lezen en u hier antwoorden.",
    ja="担当の{who}が拝見し、こちらでお返事いたします。",
)
TAKEN = Phrase(
    en="A member of our team will read it and answer you here.",
    de="Jemand aus unserem Team wird sie lesen und Ihnen hier antworten.",
    fr="Un membre de notre équipe va le lire et vous répondre ici.",
    es="Una persona de nuestro equipo lo leerá y le responderá aquí.",
    it="Una persona del nostro team lo leggerà e Le risponderà qui.",
    pt="Uma pessoa da nossa equipe vai ler e responder aqui.",
    nl="Iemand van ons team zal het lezen en u hier antwoorden.",
    ja="担当者が拝見し、こちらでお返事いたします。",
)
PART_TAKEN_BY = Phrase(
    en="{who} from our team will look at your question about {part}.",
    de="Ihre Frage zum Thema {part} sieht sich {who} aus unserem Team an.",
    fr="{who}, de notre équipe, va examiner votre question concernant {part}.",
    es="{who}, de nuestro equipo, verá su pregunta sobre {part}.",
    it="{who} del nostro team esaminerà la domanda su {part}.",
    pt="{who}, da nossa equipe, vai ver a sua pergunta sobre {part}.",
    nl="{who} van ons team zal uw vraag over {part} bekijken.",
    ja="{part}に関するご質問は、担当の{who}が確認いたします。",
)
PART_TAKEN = Phrase(
    en="A colleague will look at your question about {part}.",
    de="Ihre Frage zum Thema {part} sieht sich eine Kollegin oder ein Kollege an.",
    fr="Un collègue va examiner votre question concernant {part}.",
    es="Una persona de nuestro equipo verá su pregunta sobre {part}.",
    it="Un collega esaminerà la domanda su {part}.",
    pt="Um colega vai ver a sua pergunta sobre {part}.",
    nl="Een collega zal uw vraag over {part} bekijken.",
    ja="{part}に関するご質問は、別の担当者が確認いたします。",
)
QUESTION_TAKEN_BY = Phrase(
    en='{who} from our team will look at your question "{question}"',
    de="Ihre Frage „{question}“ sieht sich {who} aus unserem Team an.",
    fr="{who}, de notre équipe, va examiner votre question « {question} ».",
    es="{who}, de nuestro equipo, verá su pregunta «{question}».",
    it="{who} del nostro team esaminerà la Sua domanda «{question}».",
    pt="{who}, da nossa equipe, vai ver a sua pergunta “{question}”.",
    nl="{who} van ons team zal uw vraag ‘{question}’ bekijken.",
    ja="ご質問「{question}」は、担当の{who}が確認いたします。",
)
QUESTION_TAKEN = Phrase(
    en='A colleague will look at your question "{question}"',
    de="Ihre Frage „{question}“ sieht sich eine Kollegin oder ein Kollege an.",
    fr="Un collègue va examiner votre question « {question} ».",
    es="Una persona de nuestro equipo verá su pregunta «{question}».",
    it="Un collega esaminerà la Sua domanda «{question}».",
    pt="Um colega vai ver a sua pergunta “{question}”.",
    nl="Een collega zal uw vraag ‘{question}’ bekijken.",
    ja="ご質問「{question}」は、別の担当者が確認いたします。",
)
QUEUED = Phrase(
    en="You are number {position} in the queue; our team is back on {time}.",
    de="Sie sind Nummer {position} in der Reihe; unser Team ist ab {time} wieder da.",
    fr="Vous êtes numéro {position} dans la file ; notre équipe revient le {time}.",
    es="Es el número {position} de la cola; nuestro equipo vuelve el {time}.",
    it="È il numero {position} in coda; il nostro team torna il {time}.",
    pt="Você é o número {position} da fila; nossa equipe volta em {time}.",
    nl="U bent nummer {position} in de wachtrij; ons team is er weer op {time}.",
    ja="現在の順番は{position}番目です。担当者は{time}に戻ります。",
)
PARTS = {
    "billing": Phrase(
        en="billing",
        de="Abrechnung",
        fr="la facturation",
        es="facturación",
        it="fatturazione",
        pt="cobrança",
        nl="facturatie",
        ja="お支払い",
    ),
    "technical": Phrase(
        en="the technical problem",
        de="Technik",
        fr="le problème technique",
        es="el problema técnico",
        it="il problema tecnico",
        pt="o problema técnico",
        nl="het technische probleem",
        ja="技術的な問題",
    ),
    "general": Phrase(
        en="our service",
        de="Allgemeines",
        fr="notre service",
        es="nuestro servicio",
        it="il nostro servizio",
        pt="nosso serviço",
        nl="onze dienst",
        ja="サービス",
    ),
    "escalate": Phrase(
        en="the other matter",
        de="Sonstiges",
        fr="l'autre sujet",
        es="el otro asunto",
        it="l'altro argomento",
        pt="o outro assunto",
        nl="het andere onderwerp",
        ja="その他の件",
    ),
}
QUESTION_CHARS, MAX_QUESTIONS = 500, 20


class ReplyArgs(Args):
    """The text the customer gets."""

    text: Annotated[str, Field(min_length=1, max_length=10_000), REWRITABLE]
    citations: Annotated[list[str], Field(max_length=20)]
    public: bool


class HandoffArgs(Args):
    """What a person needs to go on without asking again; `part` names a part of the ticket, and
    `questions` are the customer's words of what they ask of it.

    `suggestion` and `articles` are what they may answer from.
    """

    skill: Annotated[str, Field(min_length=1, max_length=50)]
    urgency: Urgency
    summary: Annotated[str, Field(min_length=1, max_length=20_000)]
    part: Annotated[str | None, Field(max_length=50)] = None
    questions: Annotated[
        list[Annotated[str, Field(max_length=QUESTION_CHARS)]], Field(max_length=MAX_QUESTIONS)
    ] = Field(default_factory=list)
    suggestion: Suggestion | None = None
    articles: Annotated[list[FoundArticle], Field(max_length=3)] = Field(default_factory=list)


def reply_key(run_id: UUID) -> str:
    """The key of a run's reply."""
    return f"reply:{run_id}"


def reply_key_of(_args: ReplyArgs, caller: Caller) -> str:
    """One reply per run."""
    return reply_key(caller.effects_of)


async def send_reply(args: ReplyArgs, ports: Ports, caller: Caller, key: str) -> SentReply:
    """Post the run's one reply to its ticket."""
    return await ports.conversations.reply(
        caller.ticket_id, args.text, args.citations, public=args.public, key=key
    )


def simulate_reply(args: ReplyArgs) -> SentReply:
    """What the helpdesk would answer."""
    return {
        "id": "simulated",
        "text": args.text,
        "citations": args.citations,
        "public": args.public,
    }


def handoff_key(args: HandoffArgs, caller: Caller) -> str:
    """One hand-off per run and part of the ticket, or of the whole."""
    part = f":{args.part}" if args.part else ""
    return f"handoff:{caller.effects_of}{part}"


async def open_handoff(args: HandoffArgs, ports: Ports, caller: Caller, key: str) -> Handoff:
    """Open the run's one hand-off of a part of the ticket, or of all of it."""
    return await ports.conversations.open_handoff(
        caller.ticket_id,
        args.skill,
        args.urgency,
        args.summary,
        key=key,
        suggestion=args.suggestion,
        articles=args.articles,
        questions=args.questions,
    )


def simulate_handoff(args: HandoffArgs) -> Handoff:
    """It waits in the queue, without an agent."""
    return {
        "id": "simulated",
        "skill": args.skill,
        "urgency": args.urgency,
        "agent": None,
        "queue_position": None,
        "opens_at": None,
    }


def handoff_risk(args: HandoffArgs, _evidence: Sequence[Evidence]) -> str:
    """What becomes of the part."""
    return f"a person answers the {args.part} part later" if args.part else "a person answers later"


def handoff_wording(args: JsonObject, result: JsonObject, _names: Names) -> list[Sentence]:
    """Who answers the ticket, or its part: a name, or the place in the queue and the opening."""
    part: str | None = args.get("part")
    agent = result["agent"]
    topic: dict[str, Value] = {"part": PARTS.get(part, part)} if part else {}
    taken, taken_by = (PART_TAKEN, PART_TAKEN_BY) if part else (TAKEN, TAKEN_BY)
    if part and (question := quotable(args.get("questions", []))):
        topic = {"question": question}
        taken, taken_by = QUESTION_TAKEN, QUESTION_TAKEN_BY
    if agent:
        return [Sentence(taken_by, {"who": agent["name"], **topic})]
    said = [Sentence(taken, topic)]
    place, opens_at = result["queue_position"], result["opens_at"]
    if place and opens_at:
        back = f"{datetime.fromisoformat(opens_at):%Y-%m-%d %H:%M} UTC"
        said.append(Sentence(QUEUED, {"position": place, "time": back}))
    return said


def handoff_remembered(_args: JsonObject, result: JsonObject) -> str:
    """Who took over, if a person has yet."""
    agent = result.get("agent")
    return f"handed to {agent['name']}" if agent else "waits in the queue for a person"


def handoff_subject(step: Step, _names: Names) -> str:
    """The part of the ticket; no reviewer drops it, since it has no other answer."""
    return str(step["args"].get("part") or step["id"])


HANDOFF = Effect(
    name="create_handoff",
    permission=Permission("create_ticket"),
    args=HandoffArgs,
    kind="handoff",
    key=handoff_key,
    run=open_handoff,
    repeatable=True,
    simulate=simulate_handoff,
    gated=False,
    droppable=False,
    risk=handoff_risk,
    wording=handoff_wording,
    subject=handoff_subject,
    remembered=handoff_remembered,
)

# What a reviewed reply's one step is called; the node that sends knows no steps.
REPLY_STEP = "reply"

REPLY = Effect(
    name="send_reply",
    permission=Permission("reply"),
    args=ReplyArgs,
    kind="reply",
    key=reply_key_of,
    run=send_reply,
    repeatable=True,
    simulate=simulate_reply,
    gated=False,
    risk=lambda _args, _evidence: "the customer reads this text",
    # The reply is the words themselves.
    wording=lambda _args, _result, _names: [],
    subject=lambda step, _names: step["id"],
)
