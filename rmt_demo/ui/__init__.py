"""The browser demo: `layout.build(reader)` makes the page, `live_view` its moving picture, `handlers` its answers."""
