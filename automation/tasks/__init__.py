"""Whole tasks for developers, each led by one command."""
