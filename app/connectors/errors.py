"""The errors of connectors, beside those of tools/errors.py.

UnavailableError (tools)    the other side did not answer; look before you try again
CredentialsError            the other side no longer takes our credentials: pause the connection
ForgedHookError             a hook that the connection's secrets did not sign, or too old a one
MalformedHookError          a signed hook that does not say what its desk says
SettingsError               the connection's settings cannot be used; says which and why
"""


class ConnectorError(Exception):
    """Any failure of a connector. Its text is ours; it names no secret."""


class CredentialsError(ConnectorError):
    """The other side refused our credentials; nothing more is tried until they are changed."""


class ForgedHookError(ConnectorError):
    """No secret of the connection signed the hook, or it was signed too long ago."""


class MalformedHookError(ConnectorError):
    """The hook is signed and cannot be read."""


class SettingsError(ConnectorError):
    """The connection cannot be used as it is set up."""
