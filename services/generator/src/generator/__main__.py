"""`generator`, and `python -m generator`."""

from bank_common.runtime.startup import end_on_sigterm


def main() -> None:
    """Run the program; its imports come after the handler, for they are most of its first second."""
    end_on_sigterm()
    from generator.main import app

    app(prog_name="generator")


if __name__ == "__main__":
    main()
