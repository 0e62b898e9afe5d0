"""A believable tenant to play with: payments, people, articles and sample tickets."""
