"""What the doubles of desks share: where their hooks go, and how a call is refused."""

from dataclasses import dataclass


class RefusedCallError(Exception):
    """A call that is answered with a status of 4xx and these words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class HookTarget:
    """Where the desk posts its hooks, and the secret that it signs them with."""

    url: str
    secret: str
