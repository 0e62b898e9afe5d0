"""Guards before an effect: approval gate, ledger, and the check that the run owns its attempt."""
