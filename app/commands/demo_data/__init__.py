"""Content of the demo: help articles of a made-up product, and ten sample tickets."""
