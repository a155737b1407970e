"""The console's own widgets, one a file; each is told what to draw and draws again only what changed."""
