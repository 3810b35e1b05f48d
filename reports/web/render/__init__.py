"""View models as HTML and SVG."""
