"""`/api/v1`: everything that the pages show, as JSON and CSV; described by OpenAPI, listed for people."""

from reports.web.api.serve import api_routes

__all__ = ["api_routes"]
