"""The connector's protocol over HTTP: logins, statements, uploads."""
