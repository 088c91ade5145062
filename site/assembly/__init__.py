"""Puts the site together: fetches what it is made of, once, and lays out ``dist/``."""
