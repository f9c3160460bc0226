"""`event-receiver`, and `python -m event_receiver`."""

from bank_common.runtime.startup import end_on_sigterm


def main() -> None:
    """Run the program; its imports come after the handler, for they are most of its first second."""
    end_on_sigterm()
    from event_receiver.main import app

    app(prog_name="event-receiver")


if __name__ == "__main__":
    main()
