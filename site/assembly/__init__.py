"""Builds the site: fetches its parts once and lays out ``dist/``."""
