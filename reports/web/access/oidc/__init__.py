"""Sign-in through an identity provider with OpenID Connect: the authorization code flow with PKCE."""
