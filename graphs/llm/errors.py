"""How a model call can fail; the kind of failure decides what the workflow does next."""

from graphs.suspend import RunWaitsError

# What no second attempt fixes: a bug in our own code.
PROGRAMMING_ERRORS = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError,
                      TypeError, ValueError)  # fmt: skip


class ModelError(Exception):
    """A question that got no answer; `reason` is the stable word that a step shows for it.

    Its text is ours and people read it: never that of a provider, which may repeat the question.
    """

    reason = "failed"


class ModelUnavailableError(ModelError):
    """No answer came, but one may come later. `retry_after` is the provider's wish in seconds."""

    reason = "unavailable"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelRefusedError(ModelError):
    """The provider will say the same again. `for_all`: to every question, not only to this one."""

    reason = "refused"

    def __init__(self, message: str, *, for_all: bool) -> None:
        super().__init__(message)
        self.for_all = for_all


class ModelOutputError(ModelError):
    """A model's answer does not fit the schema it was asked for, twice."""

    reason = "schema"


class ModelSkippedError(ModelError):
    """The model was not asked at all, since it would not have answered in time."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BudgetSpentError(ModelError):
    """The tenant's budget holds no further call; a person goes on."""

    reason = "budget_spent"


class ModelGoneError(ModelError):
    """No configured model answered, and no rule of ours may answer in its place."""

    reason = "no_model"


class ModelAwaitedError(ModelError, RunWaitsError):
    """The same, where the tenant's policy says that the run waits until a model answers."""

    reason = "no_model"


class ModelBusyError(ModelError, RunWaitsError):
    """The tenant's calls are all in use."""

    reason = "busy"
