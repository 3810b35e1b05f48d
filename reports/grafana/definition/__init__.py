"""The one definition of the dashboards for Grafana, built with the types of grafana-foundation-sdk; only needed to write them."""
