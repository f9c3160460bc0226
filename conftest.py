"""Property tests are about what holds, never about how long it takes: no deadline, in any project's environment."""

from contextlib import suppress

with suppress(ModuleNotFoundError):  # not every project has property tests
    from hypothesis import settings

    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
