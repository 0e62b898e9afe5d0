"""Use cases of the audit trail: seal and verify the chains."""
