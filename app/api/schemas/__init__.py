"""The JSON shapes of the API. Requests refuse unknown fields and never convert types."""

from app.api.schemas.approvals import (
    ApprovalOut,
    ApprovalPage,
    DecisionOut,
    MessageOut,
    ResumeRun,
    StepEditIn,
    StepOut,
)
from app.api.schemas.articles import ArticleOut, ArticlePage, PutArticle
from app.api.schemas.base import LanguageTag, OutsideId, Request
from app.api.schemas.customers import ErasureOut
from app.api.schemas.events import EventOut
from app.api.schemas.feedback import FeedbackOut, GiveFeedback
from app.api.schemas.pauses import PauseEntry, PauseOut, PutPause
from app.api.schemas.policy import PolicyOut, PolicyPage, PutPolicy
from app.api.schemas.problems import Problem
from app.api.schemas.replays import ReplayRun, RunDiffOut
from app.api.schemas.runs import (
    CustomerIn,
    EffectOut,
    ReplyOut,
    RunOut,
    RunPage,
    RunStepOut,
    RunStepPage,
    StartRun,
    ThreadOut,
    TicketIn,
)
from app.api.schemas.threads import Holder, TakenOver, TakeOver, ThreadHolder

__all__ = [
    "ApprovalOut",
    "ApprovalPage",
    "ArticleOut",
    "ArticlePage",
    "CustomerIn",
    "DecisionOut",
    "EffectOut",
    "ErasureOut",
    "EventOut",
    "FeedbackOut",
    "GiveFeedback",
    "Holder",
    "LanguageTag",
    "MessageOut",
    "OutsideId",
    "PauseEntry",
    "PauseOut",
    "PolicyOut",
    "PolicyPage",
    "Problem",
    "PutArticle",
    "PutPause",
    "PutPolicy",
    "ReplayRun",
    "ReplyOut",
    "Request",
    "ResumeRun",
    "RunDiffOut",
    "RunOut",
    "RunPage",
    "RunStepOut",
    "RunStepPage",
    "StartRun",
    "StepEditIn",
    "StepOut",
    "TakeOver",
    "TakenOver",
    "ThreadHolder",
    "ThreadOut",
    "TicketIn",
]
