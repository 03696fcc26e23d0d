"""What all tests share: how hypothesis draws."""

import os

from hypothesis import settings

# The same examples every time, so that a red run is red for everybody; a machine under load is
# no failure. HYPOTHESIS_PROFILE=explore draws new ones, for campaigns.
settings.register_profile("repeat", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))
