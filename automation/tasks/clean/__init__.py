"""What GridBot made, is old, and can go: listed first, removed when told so."""
