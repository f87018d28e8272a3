"""Work that composes the other packages: build the demo, fit, export, serve, run queued jobs."""
