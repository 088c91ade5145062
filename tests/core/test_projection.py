"""Projections against PROJ, through rasterio."""

import numpy as np
import pytest
from rasterio.warp import transform

from pyapp.core.ground.projection import projection_of

PLACES = {
    4326: (7.4, 46.9), 3857: (85.5, 27.6), 32645: (85.5, 27.6), 32745: (85.5, -27.6),
    32632: (11.9, 60.0), 25832: (7.4, 51.9), 26915: (-95.4, 29.8), 28356: (151.2, -33.9),
    7856: (151.2, -33.9), 2154: (2.29, 48.86), 2180: (21.0, 52.2), 2193: (174.8, -41.3),
    3006: (18.1, 59.3), 32601: (-179.5, 10.0),
}  # fmt: skip


@pytest.mark.parametrize("epsg", PLACES)
def test_places_project_as_with_proj_and_back(epsg):
    lng, lat = PLACES[epsg]
    lngs, lats = lng + np.array([-0.4, 0.0, 0.4, 0.3]), lat + np.array([0.3, 0.0, -0.3, 0.4])
    projection = projection_of(epsg)
    found = projection.forward(lngs, lats)
    expected = transform("EPSG:4326", f"EPSG:{epsg}", lngs.tolist(), lats.tolist())
    # Degrees to a billionth, metres to a millimetre.
    assert np.allclose(found, expected, rtol=0, atol=1e-9 if epsg == 4326 else 1e-3)
    assert np.allclose(projection.inverse(*found), (lngs, lats), rtol=0, atol=2e-8)


@pytest.mark.parametrize("epsg", [0, 28992, 2056, 27700, 32661, 32767, 25839, 4978])
def test_a_projection_that_is_not_known_is_none(epsg):
    assert projection_of(epsg) is None
