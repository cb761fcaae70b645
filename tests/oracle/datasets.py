"""What two datasets of the same models have in common."""

import xarray as xr


def without_time(data: xr.Dataset) -> xr.Dataset:
    """The dataset without when, how long and at which commit it was made."""
    clean = data.copy()
    clean.attrs = {name: value for name, value in data.attrs.items() if name not in ("created", "wall_seconds", "commit")}
    return clean
