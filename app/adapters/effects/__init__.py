"""What stands between a tool and its effect: gate, ledger, and the run's hold on both."""
