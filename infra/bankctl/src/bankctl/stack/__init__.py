"""One installation: its paths, secrets, certificates, identities, and what each program is told."""
