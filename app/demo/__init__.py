"""What the demo tells: help articles of a made-up product, and ten sample tickets."""
