"""The browser demo: `layout.build` makes the page, `live_view` its moving picture, `handlers` its answers."""
