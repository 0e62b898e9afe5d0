"""Verdicts counted by group, and whether they reach the thresholds."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from app.quality.evaluation.dataset import Case
from app.quality.evaluation.rehearse import Rehearsed
from app.quality.evaluation.verdict import Verdict
from tools.models import JsonObject


@dataclass(frozen=True, slots=True)
class Judged:
    """One ticket, where its run ended, and the verdict."""

    case: Case
    ended: Rehearsed
    verdict: Verdict

    def shown(self) -> JsonObject:
        """As JSON: what was sent, and why it is wrong if it is."""
        reply, escalation = self.ended.state.get("reply"), self.ended.state.get("escalation")
        return {
            "id": self.case.id,
            "group": self.case.group,
            "verdict": self.verdict.kind,
            "why": self.verdict.why,
            "outcome": self.ended.state.get("outcome"),
            "reason": escalation["reason"] if escalation else None,
            "reply": reply["text"] if reply else None,
            "citations": reply["citations"] if reply else [],
            "waits": bool(self.ended.gates),
            "seconds": round(self.ended.seconds, 3),
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """How many tickets of each verdict; `answerable` ones an article answers, `answered` of them
    were, at least in part, with no person."""

    tickets: int
    wrong: int
    right: int
    partial: int
    handed_over: int
    silent: int
    answerable: int
    answered: int

    @property
    def wrong_share(self) -> float:
        """Of all that left with no person; 0 when nothing left."""
        alone = self.wrong + self.right + self.partial
        return self.wrong / alone if alone else 0.0

    @property
    def answered_share(self) -> float:
        """Of the answerable tickets; 1 when there is none."""
        return self.answered / self.answerable if self.answerable else 1.0

    def shown(self) -> JsonObject:
        """As JSON, shares included."""
        shares = {"wrong_share": self.wrong_share, "answered_share": self.answered_share}
        return {**asdict(self), **{name: round(share, 4) for name, share in shares.items()}}


def figures(judged: Iterable[Judged]) -> Figures:
    """Count them."""
    every = list(judged)
    kinds = Counter(one.verdict.kind for one in every)
    answerable = [one for one in every if one.case.expect.answerable]
    answered = [one for one in answerable if one.verdict.kind in {"right", "partial"}]
    return Figures(
        tickets=len(every),
        wrong=kinds["wrong"],
        right=kinds["right"],
        partial=kinds["partial"],
        handed_over=kinds["handed over"],
        silent=kinds["silent"],
        answerable=len(answerable),
        answered=len(answered),
    )


def by_group(judged: Sequence[Judged]) -> dict[str, Figures]:
    """The figures of each group, in the order of the dataset."""
    groups = dict.fromkeys(one.case.group for one in judged)
    return {name: figures(one for one in judged if one.case.group == name) for name in groups}


def failures(total: Figures, max_wrong: float, min_answered: float) -> list[str]:
    """Each threshold that is missed, in words."""
    missed = []
    if total.wrong_share > max_wrong:
        missed.append(f"wrong {total.wrong_share:.1%}, at most {max_wrong:.1%} allowed")
    if total.answered_share < min_answered:
        missed.append(f"answered {total.answered_share:.1%}, at least {min_answered:.1%} needed")
    return missed
