"""Sensors: waiting for a service."""
