"""Triggers: waiting for a service without a worker."""
