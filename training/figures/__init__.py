"""Figures: what is measured of a model, natively, in a browser, at home and abroad."""
