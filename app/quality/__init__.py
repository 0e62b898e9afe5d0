"""How good the answers are: tickets rehearsed and judged, a triage trained and measured."""
