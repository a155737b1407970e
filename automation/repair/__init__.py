"""From an incident to a verified patch: localise, propose, verify."""
