"""Records close to the real thing: flipped bytes, cut ends, bytes put in."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st


@st.composite
def damaged(draw: Callable[..., Any], data: bytes) -> bytes:
    """A framed record whose body is damaged in one to three places."""
    body = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        index = draw(st.integers(5, len(body)))
        match draw(st.sampled_from(["flip", "cut", "insert", "append"])):
            case "flip" if index < len(body):
                body[index] ^= draw(st.integers(1, 255))
            case "cut":
                del body[index : index + draw(st.integers(0, 20))]
            case "insert":
                body[index:index] = draw(st.binary(max_size=12))
            case _:
                body += draw(st.binary(max_size=12))
    return bytes(body)
