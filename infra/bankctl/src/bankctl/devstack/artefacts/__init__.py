"""Artefacts that the native stack downloads or builds, cached across checkouts."""
