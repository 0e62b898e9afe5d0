"""Every error that a caller can get, each with its status and stable code.

DeskgraphError                  500 internal
├── BodyError                   400 invalid-json
├── InvalidUrlError             400 invalid-url
├── MalformedRequestError       400 malformed-request
├── TooLargeError               413 body-too-large
├── MediaTypeError              415 unsupported-media-type
├── InvalidRequestError         422 invalid-request
│   ├── InvalidCursorError      422 invalid-cursor
│   ├── VerdictNotAllowedError  422 verdict-not-allowed
│   └── EditNotAllowedError     422 edit-not-allowed
├── UnauthorizedError           401 unauthorized
├── HookNotSignedError          401 hook-not-signed
├── MissingScopeError           403 missing-scope
├── OwnRunError                 403 own-run
├── OverLimitError              403 over-limit
├── GrantError                  403 grant-not-held
├── SecondApproverError         403 second-approver-needed
├── SecondAdminError            403 second-admin-needed
├── NotFoundError               404 not-found
├── MethodNotAllowedError       405 method-not-allowed
├── ConflictError               409 (base)
│   ├── NotWaitingError         409 not-waiting
│   ├── AlreadyDecidedError     409 already-decided
│   ├── RunFinishedError        409 run-finished
│   ├── RunNotFinishedError     409 run-not-finished
│   ├── CustomerHasLiveRunsError 409 customer-has-live-runs
│   ├── AlreadyClaimedError    409 already-claimed
│   ├── PaymentsConnectedError  409 payments-connected
│   ├── ConnectionInUseError    409 connection-in-use
│   ├── PolicyChangeClosedError 409 policy-change-closed
│   ├── PolicyChangedError      409 policy-changed
│   └── EncryptionError         409 encryption-not-set-up
├── ApprovalExpiredError        410 approval-expired
├── PolicyChangeExpiredError    410 policy-change-expired
├── CheckpointGoneError         410 checkpoint-gone
├── StaleDigestError            412 stale-digest
├── StaleVersionError           412 stale-version
├── PreconditionRequiredError   428 precondition-required
├── IdempotencyMismatchError    422 idempotency-key-reused
├── TooManyStreamsError         429 too-many-streams
├── HeadTooLargeError           431 head-too-large
└── UnavailableError            503 unavailable
"""

from collections.abc import Iterator
from typing import Any


class DeskgraphError(Exception):
    """A refusal that a caller can understand and act on.

    `detail` says what happened and what to do next; `extra` goes into the problem's body.
    """

    status, code, title = 500, "internal", "Something went wrong on our side"
    # The `Retry-After` header, where another try is worth it.
    retry_after_seconds: int | None = None

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class BodyError(DeskgraphError):
    """The bytes are not an acceptable JSON document."""

    status, code, title = 400, "invalid-json", "The body is not acceptable JSON"


class InvalidUrlError(DeskgraphError):
    """The path or query holds what no text holds."""

    status, code, title = 400, "invalid-url", "The URL holds a character that is not allowed"


class MalformedRequestError(DeskgraphError):
    """The bytes are not HTTP."""

    status, code, title = 400, "malformed-request", "The request is not HTTP"


class HeadTooLargeError(DeskgraphError):
    """The address and the headers, or the trailers, are above the limit."""

    status, code, title = 431, "head-too-large", "The request's headers are too large"


class TooLargeError(DeskgraphError):
    """The body is above the limit; it was not read to its end."""

    status, code, title = 413, "body-too-large", "The body is too large"


class MediaTypeError(DeskgraphError):
    """Only JSON is spoken here."""

    status, code, title = 415, "unsupported-media-type", "The body must be application/json"


class InvalidRequestError(DeskgraphError):
    """A value does not fit; `errors` holds JSON Pointers to each."""

    status, code, title = 422, "invalid-request", "The request does not fit the schema"


class InvalidCursorError(InvalidRequestError):
    """A page cursor was not made by this service, or for another list."""

    code, title = "invalid-cursor", "The cursor is not valid"


class VerdictNotAllowedError(InvalidRequestError):
    """The approval does not offer this verdict."""

    code, title = "verdict-not-allowed", "The approval does not offer this verdict"


class EditNotAllowedError(InvalidRequestError):
    """An edit touches what may not change, or leaves its bounds."""

    code, title = "edit-not-allowed", "The edit is outside what a reviewer may change"


class IdempotencyMismatchError(DeskgraphError):
    """The same Idempotency-Key came with another body."""

    status, code = 422, "idempotency-key-reused"
    title = "The Idempotency-Key was used with another body"


class UnauthorizedError(DeskgraphError):
    """No key, an unknown key or a revoked one."""

    status, code, title = 401, "unauthorized", "A valid API key is needed"


class HookNotSignedError(DeskgraphError):
    """No secret of the connection signed the hook."""

    status, code, title = 401, "hook-not-signed", "The hook's signature is missing or wrong"


class MissingScopeError(DeskgraphError):
    """The key lacks the scope of the call."""

    status, code, title = 403, "missing-scope", "The API key lacks a scope"


class OwnRunError(DeskgraphError):
    """The key that started a run tries to decide its approval."""

    status, code, title = 403, "own-run", "Who started a run may not decide its approvals"


class OverLimitError(DeskgraphError):
    """The plan moves more than the approver's key may approve."""

    status, code, title = 403, "over-limit", "The plan is above this key's approval limit"


class GrantError(DeskgraphError):
    """A key would be made that may do more than the one that makes it."""

    status, code, title = 403, "grant-not-held", "A key cannot grant what it does not hold"


class SecondApproverError(DeskgraphError):
    """The plan needs two people, and this key already agreed."""

    status, code = 403, "second-approver-needed"
    title = "Another person must agree as well"


class SecondAdminError(DeskgraphError):
    """A policy change is confirmed by the person who asked for it."""

    status, code, title = 403, "second-admin-needed", "Another admin must confirm it"


class NotFoundError(DeskgraphError):
    """It does not exist, or not for this caller."""

    status, code, title = 404, "not-found", "Not found"


class MethodNotAllowedError(DeskgraphError):
    """The address does not know this method."""

    status, code, title = 405, "method-not-allowed", "Method not allowed"


class ConflictError(DeskgraphError):
    """The current state does not allow the request."""

    status, code, title = 409, "conflict", "The state does not allow this"


class NotWaitingError(ConflictError):
    """Resume was asked of a run that waits for no decision."""

    code, title = "not-waiting", "The run is not waiting for a decision"


class AlreadyDecidedError(ConflictError):
    """The approval was decided before; the decision is in the body."""

    code, title = "already-decided", "The approval is already decided"


class RunFinishedError(ConflictError):
    """A finished run cannot be changed."""

    code, title = "run-finished", "The run is finished"


class RunNotFinishedError(ConflictError):
    """A run that still advances cannot be replayed for real."""

    code, title = "run-not-finished", "The run is not finished"


class CustomerHasLiveRunsError(ConflictError):
    """A customer whose tickets are worked on cannot be erased."""

    code, title = "customer-has-live-runs", "The customer has runs that are not finished"


class AlreadyClaimedError(ConflictError):
    """Another person works on it; `claim` says who."""

    code, title = "already-claimed", "Another person has claimed it"


class PaymentsConnectedError(ConflictError):
    """The tenant has a payment provider already."""

    code, title = "payments-connected", "A payment provider is connected already"


class ConnectionInUseError(ConflictError):
    """Calls were made through the connection whose end is unknown, and it alone can say it."""

    code, title = "connection-in-use", "Calls through the connection have not ended"


class PolicyChangeClosedError(ConflictError):
    """A policy change was decided before; `status_was` says how."""

    code, title = "policy-change-closed", "The policy change does not wait any more"


class PolicyChangedError(ConflictError):
    """A policy change was asked of a version that is no longer the newest."""

    code, title = "policy-changed", "The policy was changed meanwhile"


class EncryptionError(ConflictError):
    """No key encrypts credentials, or none of them opens what is stored."""

    code, title = "encryption-not-set-up", "Credentials cannot be encrypted or read"


class ApprovalExpiredError(DeskgraphError):
    """No decision came in time."""

    status, code, title = 410, "approval-expired", "The approval has expired"


class PolicyChangeExpiredError(DeskgraphError):
    """No second admin confirmed a policy change in time."""

    status, code, title = 410, "policy-change-expired", "The policy change has expired"


class CheckpointGoneError(DeskgraphError):
    """The checkpoint existed and was pruned."""

    status, code, title = 410, "checkpoint-gone", "The checkpoint is no longer kept"


class StaleDigestError(DeskgraphError):
    """The digest is not that of the open plan."""

    status, code, title = 412, "stale-digest", "The digest is not what is open now"


class StaleVersionError(DeskgraphError):
    """The policy was changed since it was read."""

    status, code, title = 412, "stale-version", "The policy has a newer version"


class PreconditionRequiredError(DeskgraphError):
    """The whole policy was sent without the version that it is to replace."""

    status, code, title = 428, "precondition-required", "Say which version this replaces"


class TooManyStreamsError(DeskgraphError):
    """The tenant has as many event streams open as it may."""

    status, code, title = 429, "too-many-streams", "Too many event streams are open"
    retry_after_seconds = 5


class UnavailableError(DeskgraphError):
    """The database does not answer."""

    status, code, title = 503, "unavailable", "The service cannot reach its database"
    retry_after_seconds = 1


def all_errors(root: type[DeskgraphError] = DeskgraphError) -> Iterator[type[DeskgraphError]]:
    """The error and all that descend from it."""
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)
