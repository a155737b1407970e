"""Tests that earn their place: inputs, observed and stated assertions, mutants to kill, and readable files."""
