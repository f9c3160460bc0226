"""What contract tests of several members need: a running stack, a program as a process, and waiting with a deadline."""
