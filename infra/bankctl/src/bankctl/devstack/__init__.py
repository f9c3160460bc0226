"""The native stack: how each component is made, started, watched and stopped; the demo; the doctor."""
