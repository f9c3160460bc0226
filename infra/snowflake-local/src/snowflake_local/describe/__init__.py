"""Results as clients are told of them: columns, types, Arrow."""
