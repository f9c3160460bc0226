"""The landing: keys, metadata and columns of segments, and the chains that they form."""
