"""The HTTP side: events in, profiles and aggregates out. `python -m gateway` serves; app.py shows how it is wired."""
