"""The ports that tools need, implemented: knowledge base, helpdesk, payments, mail."""
