"""Processes: started, recorded, watched and stopped."""
