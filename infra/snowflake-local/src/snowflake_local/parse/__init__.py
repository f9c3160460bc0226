"""A statement's text: its comments, variables, names, options and long lists, and its syntax tree."""
