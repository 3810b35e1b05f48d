"""For Grafana: dashboards, which `definition/` writes (`make grafana`), alert rules, annotations of releases and failures."""
