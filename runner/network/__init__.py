"""What all connections share: whose site a host is, which certificates are trusted, headers, redirects."""
