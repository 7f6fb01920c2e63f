"""What the killed tasks declare."""

from __future__ import annotations

from typing import Any

NAMES = [f"team_{number:03}" for number in range(500)]
# These exist before, with another description.
EXISTING = NAMES[::10]

SERVICES: list[dict[str, Any]] = [
    {
        "name": name,
        "serviceType": "Mlflow",
        "description": f"Models of {name}",
        "connection": {"config": {"type": "Mlflow", "trackingUri": f"http://{name}.acme.example"}},
    }
    for name in NAMES
]

# What else is in their scope, to be deleted under an approved plan.
RETIRED = [f"team_old_{number}" for number in range(10)]
PRUNING: dict[str, Any] = {"prune": "soft", "prune_scope": {"name_prefix": "team_"}, "max_prune": "100%"}
