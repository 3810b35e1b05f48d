"""Parsers of addresses: of servers, sites, databases, proxies, storages."""
