"""The decision tree. `support.py` is the whole picture; knows neither web nor database."""
