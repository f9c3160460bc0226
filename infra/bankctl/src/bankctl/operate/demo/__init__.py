"""The demo: lets the bank work, shows how far its changes are, and says whether source and marts are equal."""
