"""What a client of Postgres sends: after each batch the server waits for no more of it.

Messages of the frontend as https://www.postgresql.org/docs/current/protocol-message-formats.html
has them: a letter, then the length of the rest.
"""

EXECUTE, SYNC = "E", "S"


def batches(sent: bytes | bytearray) -> list[str]:
    """The letters of the messages, up to and without each Sync."""
    letters, at = "", 0
    while at < len(sent):
        letters += chr(sent[at])
        at += 1 + int.from_bytes(sent[at + 1 : at + 5])
    return letters.split(SYNC)[:-1]
