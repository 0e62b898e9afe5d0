"""The errors of the toolbox.

ToolError
├── PermissionDeniedError   the node holds no grant for the tool
├── InvalidArgsError        the arguments do not fit the tool's model
├── ApprovalRequiredError   no person agreed to exactly this call
├── RunLostError            this attempt no longer owns the run
├── EffectsPausedError      the tenant's replies and effects are held back for now
├── RefusedError            the outside system said no; nothing happened
│   └── NotTriedError       what must be known first could not be read; nothing was tried
├── UnknownOutcomeError     the call began earlier and left no trace of its end
├── UnfinishedError         a part is done; the same call again goes on with the rest
├── SilencedError           no reply may leave on the thread now
│   ├── TakenOverError      a person has the thread
│   └── TooManyRepliesError the thread got its hour's replies
└── UnavailableError        the outside system did not answer; may heal
"""


class ToolError(Exception):
    """Any failure of a tool call.

    Its text is ours and people read it: never that of an outside system or of a driver.
    """


class PermissionDeniedError(ToolError):
    """The node that called holds no grant for the tool."""


class InvalidArgsError(ToolError):
    """The arguments do not fit the tool's argument model."""


class ApprovalRequiredError(ToolError):
    """Neither a person nor the tenant's limit agreed to exactly this call."""


class RunLostError(ToolError):
    """The run was cancelled, finished or taken over by another worker."""


class EffectsPausedError(ToolError):
    """The tenant is paused; nothing was tried, and the run goes on when the pause ends."""


class RefusedError(ToolError):
    """The outside system refused, so nothing happened."""


class NotTriedError(RefusedError):
    """What must be known before the call could not be read, so the call was not made.

    It says nothing about an earlier call under the same key.
    """


class SilencedError(ToolError):
    """The thread gets no reply now; nothing was tried."""


class TakenOverError(SilencedError):
    """A person has taken the thread over, so the bot neither replies nor acts by itself."""


class TooManyRepliesError(SilencedError):
    """The thread got as many replies within the hour as the tenant allows."""


class UnknownOutcomeError(ToolError):
    """An earlier call under the same key began, and how it ended is unknown."""


class UnfinishedError(ToolError):
    """A part of the call is done and noted; the same call again goes on with the rest."""


class UnavailableError(ToolError):
    """The outside system did not answer; a later attempt may succeed.

    `retry_after` is the seconds that the system asked us to wait, if it named them.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
