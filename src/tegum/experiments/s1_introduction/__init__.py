"""Introduction: superposition at a glance."""
