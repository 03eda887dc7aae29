"""An integrator's own world: the whole service, agencies that are played, a clock that can be moved, nothing real."""
