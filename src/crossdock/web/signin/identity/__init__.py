"""Staff sign in by their company's identity provider (OpenID Connect); docs/decisions/0029-openid-connect.md."""
