"""The portal's addresses: pages, forms, the stream of news, and what stands in every page."""
