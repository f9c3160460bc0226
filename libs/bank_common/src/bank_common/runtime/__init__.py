"""What every long-running program needs: settings, logging, tracing, metrics, health, lifecycle."""
