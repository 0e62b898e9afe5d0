"""Mails that ask nothing: automatic replies, bounces, bulk mail, our own echo, and thanks."""

from typing import Literal

# Why a message is not answered. Stored and shown, so one is added here and never taken away.
Ignored = Literal["auto_reply", "bounce", "bulk", "echo", "thanks", "human_has_it"]
# `doubtful`: it looks automatic and may hold a question, so a person reads it and no mail leaves.
# `empty`: there is no text, only a subject or an attachment, so a person looks at it.
Reading = Ignored | Literal["doubtful", "empty"]
