"""What the pages and the JSON API show: plain values, made from the store."""
