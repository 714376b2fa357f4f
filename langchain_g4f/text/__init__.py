"""Streamed text as it flows: reasoning split off, stop strings, transcripts."""
