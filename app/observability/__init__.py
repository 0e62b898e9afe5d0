"""What operators see: traces, step records, metrics."""
