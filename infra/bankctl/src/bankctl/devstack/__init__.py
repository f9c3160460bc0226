"""The native stack: how each component is made, started, watched and stopped; the doctor."""
