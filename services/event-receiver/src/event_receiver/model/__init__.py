"""The webhook's events, the cycle of load and build, and the coalesced wake-up. Pure."""
