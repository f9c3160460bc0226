import pytest

from snowflake_local import compat


def test_the_locked_versions_are_the_tested_ones() -> None:
    compat.check()


def test_another_version_is_refused_with_both_versions_and_advice() -> None:
    with pytest.raises(compat.IncompatibleVersionError, match=r"fakesnow 9\.9.*0\.12\.1.*conformance"):
        compat.check({"fakesnow": "9.9"})


def test_a_missing_package_is_refused() -> None:
    with pytest.raises(compat.IncompatibleVersionError, match="missing"):
        compat.check({"no-such-package": "1"})
