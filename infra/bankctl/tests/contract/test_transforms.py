"""Connect's own transforms, compiled by the pinned compiler on the wheel's JRE against the jars of the stack."""

import shutil
from pathlib import Path

import pytest

from bankctl.devstack.artefacts import transforms
from bankctl.stack.stack import Stack

pytestmark = pytest.mark.contract

JAVA_21 = 65


def test_they_compile_for_the_older_of_the_supported_runtimes_and_are_found_by_connect(stack: Stack) -> None:
    folder = transforms.ensure(stack.cache_dir, stack.root)
    services = folder / "META-INF/services/org.apache.kafka.connect.transforms.Transformation"
    for name in services.read_text().split():
        compiled = (folder / f"{name.replace('.', '/')}.class").read_bytes()
        assert int.from_bytes(compiled[6:8], "big") == JAVA_21


def test_what_does_not_compile_is_refused_in_the_compiler_s_words_and_leaves_nothing(
    stack: Stack, tmp_path: Path
) -> None:
    shutil.copytree(stack.root / "infra/kafka", tmp_path / "infra/kafka")
    broken = tmp_path / "infra/kafka/smt/bank/connect/Size.java"
    broken.write_text(broken.read_text().replace("return NUMBER;", "return NOTHING;"))
    with pytest.raises(transforms.TransformsError, match="NOTHING cannot be resolved"):
        transforms.ensure(stack.cache_dir, tmp_path)
    assert not transforms.folder(stack.cache_dir, tmp_path).exists()
    assert transforms.folder(stack.cache_dir, tmp_path) != transforms.folder(stack.cache_dir, stack.root)
